"""The mesh of one machine: its places, ports and secrets, and its own Postgres from start to start."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time

import asyncpg
import pytest

from infra.local import kafka, mesh, places, processes
from infra.local.kafka import Kafka
from infra.local.mesh import Files, NotRunning
from infra.local.places import CannotRun, folder
from infra.local.postgres import Postgres
from libs import contracts
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_DUTY_OFFICER, ROLE_OPERATOR


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize("content", [None, "", "{", "{}", '{"pid": "x"}', '{"pid": 0x}', '{"pid": 4194305}'], ids=repr)
def test_a_mesh_that_is_not_up_is_told_with_what_to_do(files, content):
    if content is not None:
        files.addresses.write_text(content)
    with pytest.raises(NotRunning, match="make up"):
        mesh.read(files)


def test_a_mesh_that_is_up_is_read(files):
    files.addresses.write_text(json.dumps({"pid": os.getpid(), "ready": True}))
    assert mesh.read(files)["ready"]


def test_ports_stay_the_same_and_give_way_to_who_has_them(files):
    first = mesh.ports(files)
    assert len(set(first.values())) == len(first) == len(mesh.PARTS) + 3
    assert mesh.ports(files) == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["ingest"]))
        other.listen()
        second = mesh.ports(files)
    assert second["ingest"] != first["ingest"]
    assert {name: at for name, at in second.items() if name != "ingest"} == {
        name: at for name, at in first.items() if name != "ingest"
    }


def test_a_file_of_ports_that_was_cut_short_is_made_anew(files):
    (files.home / "ports.json").write_text('{"postgres": 5')
    assert mesh.ports(files)["postgres"]


def test_secrets_are_made_once_and_readable_by_their_owner_only(files):
    mesh.write_contracts(files)
    tokens = {principal: files.token(principal).read_text() for principal in mesh.PRINCIPALS}
    mesh.write_contracts(files)
    assert tokens == {principal: files.token(principal).read_text() for principal in mesh.PRINCIPALS}
    for principal in mesh.PRINCIPALS:
        assert stat.S_IMODE(files.token(principal).stat().st_mode) == 0o600
        assert tokens[principal] not in files.contracts.read_text()


def test_the_contracts_of_the_machine_let_their_principals_in(files):
    mesh.write_contracts(files)
    directory = contracts.load(files.contracts)
    for principal, role in (("operator", ROLE_OPERATOR), ("duty-officer", ROLE_DUTY_OFFICER)):
        found = directory.find(files.token(principal).read_text())
        assert (found.principal_id, found.roles) == (principal, (role,))


def test_a_service_is_told_of_those_on_its_left_only(files):
    taken = mesh.ports(files)
    told = json.loads(mesh.environment(files, "hazard-worker", taken, "p", "k")["SPACECOM_UPSTREAM_ADDRESSES"])
    assert set(told) == {"ingest", "propagation"}
    assert json.loads(mesh.environment(files, "ingest", taken, "p", "k")["SPACECOM_UPSTREAM_ADDRESSES"]) == {}


def test_what_is_missing_on_the_machine_is_told_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match=r"java was not found; install .* or set SPACECOM_KAFKA_BOOTSTRAP"):
        Kafka(tmp_path / "kafka").start()
    with pytest.raises(CannotRun, match=r"mvn was not found; install Maven .* or set SPACECOM_KAFKA_BOOTSTRAP"):
        kafka._fetch(kafka.SOURCES / "pom.xml", tmp_path / "jars")


def test_the_state_of_a_checkout_lies_outside_it(monkeypatch):
    monkeypatch.delenv("SPACECOM_HOME", raising=False)
    assert not places.home().is_relative_to(places.CHECKOUT)
    monkeypatch.setenv("SPACECOM_HOME", "/somewhere")
    assert str(places.home()) == "/somewhere"


PARENT = """
import subprocess, sys, time
from infra.local import processes
child = processes.spawn(["sleep", "60"], output=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_child_ends_with_its_parent_however_that_ends():
    """INVARIANT: nothing of the mesh outlives its supervisor, or the next start finds its ports and data taken."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123  one line of the kernel's
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_who_does_not_stop_when_asked_is_made_to():
    deaf = [
        sys.executable,
        "-c",
        "import signal, time; signal.signal(15, lambda *_: None); print(1, flush=True); time.sleep(60)",
    ]
    process = processes.spawn(deaf, output=subprocess.PIPE)
    assert b"1\n" in iter(process.stdout.readline, b"")  # after what gRPC may say of the fork
    processes.stop(process, signal.SIGTERM, 0.2)
    assert process.returncode == -signal.SIGKILL
    process.stdout.close()


async def test_postgres_keeps_its_data_and_its_port_from_start_to_start(tmp_path_factory):
    """Killed, too: what was committed is there again."""
    home = folder(tmp_path_factory.mktemp("kept"))
    for above in (home, *home.parents):
        if above.stat().st_uid == os.getuid() and above.parent != above:
            above.chmod(above.stat().st_mode | 0o011)  # the unprivileged user passes through
    first = Postgres(home / "postgres")
    first.start()
    conn = await asyncpg.connect(first.admin_url)
    assert await conn.fetchval("SELECT current_setting('fsync') || current_setting('data_checksums')") == "onon"
    await conn.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    conn.terminate()
    assert first.process is not None
    first.process.kill()
    first.process.wait()
    again = Postgres(home / "postgres", kept_port=first.port)
    again.start()
    try:
        assert again.port == first.port
        conn = await asyncpg.connect(again.admin_url)
        assert await conn.fetchval("SELECT answer FROM kept") == 42
        owner = await conn.fetchval("SELECT pg_read_file('postmaster.pid', 0, 20)")
        assert os.stat(f"/proc/{int(owner.split()[0])}").st_uid != 0  # noqa: PTH116
        await conn.close()
    finally:
        again.stop()
    assert not again.answers()
