"""The command as a person and a program meet it: exit status, one JSON document, refusals in a sentence."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.testing import settings_of
from libs import contracts, operations, rpc
from libs.eventlog import EventLog
from libs.operations import Operations
from libs.relay import Relay
from libs.service import ServiceSettings
from libs.tests.facts import cause, fact
from services.cli import client, show
from services.cli.client import Failed, Refused, Unreachable, Unwell
from spacecom.identity.v1 import identity_contracts_pb2 as identity

SPACECOM = Path(sys.executable).parent / "spacecom"
NO_ADDRESS = {name: value for name, value in os.environ.items() if not name.startswith("SPACECOM_")}


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [SPACECOM, *arguments], env=NO_ADDRESS | environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def nowhere(tmp_path) -> dict[str, str]:
    return {"SPACECOM_HOME": str(tmp_path / "none")}


@pytest.fixture
async def ingest(service_database, namespace):
    """The part of ingest that every service has, with three events, and how it is called."""
    log = EventLog(await service_database("ingest"), "ingest")
    await log.commit("rejected/a", [fact("one"), fact("two\x1b[31m")], after=0, cause=cause())
    await log.commit("rejected/b", [fact("three")], after=0, cause=cause())
    condition = Operations("ingest", log, Relay(log, "127.0.0.1:1", namespace), "", namespace)
    condition.ready.set()
    token = hashlib.sha256(b"secret").hexdigest()
    principal = identity.Principal(principal_id="p", token_sha256=token, roles=[identity.ROLE_OPERATOR])
    known = contracts.directory(identity.Contracts(contracts=[identity.Contract(principals=[principal])]))
    server = rpc.Server(settings_of(ServiceSettings), known, add=[operations.register(condition)], errors={})
    await server.start()
    yield {"SPACECOM_INGEST_ADDRESS": f"127.0.0.1:{server.port}", "SPACECOM_TOKEN": "secret"}
    await server.stop()


async def asked(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(run, *arguments, **environment)


def test_help_names_every_command_and_the_exit_statuses():
    done = run("--help")
    assert done.returncode == 0
    for word in ("up", "down", "status", "demo", "ingest", "objects", "predict", "hazard", "alerts", "ack", "clear",
                 "events", "redrive", "rebuild-topics", "doctor", "Exit status"):  # fmt: skip
        assert word in done.stdout


@pytest.mark.parametrize("arguments", [("nothing",), ("predict",), ("predict", "x"), ("ack",), ("alerts", "--bad")])
def test_wrong_usage_is_told_with_status_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr


@pytest.mark.parametrize("arguments", [("status",), ("alerts", "--json"), ("events", "tail", "ingest")])
def test_without_a_mesh_it_says_what_to_do_with_status_3(nowhere, arguments):
    done = run(*arguments, **nowhere)
    assert (done.returncode, done.stdout) == (3, "")
    assert "make up" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_service_that_does_not_answer_is_told_with_status_3():
    done = run("objects", SPACECOM_INGEST_ADDRESS="127.0.0.1:1", SPACECOM_TOKEN="t")
    assert done.returncode == 3
    assert "ingest does not answer" in done.stderr


def test_a_file_that_is_not_there_and_a_case_that_is_not_known_are_refused_with_status_1(nowhere):
    address = {"SPACECOM_INGEST_ADDRESS": "127.0.0.1:1", "SPACECOM_TOKEN": "t"}
    missing = run("ingest", "/nowhere/at-all", **address)
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)
    unknown = run("demo", "--case", "nothing", **nowhere)
    assert (unknown.returncode, "cz5b-2022" in unknown.stderr) == (1, True)


def test_a_backcast_needs_no_mesh_and_refuses_a_case_that_is_not_there_with_status_1(nowhere):
    done = run("backcast", "--cases", "nothing", "--cut-offs", "1d", **nowhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no case 'nothing'" in done.stderr


def test_doctor_says_what_is_wrong_with_status_4_and_as_one_document(nowhere):
    done = run("doctor", "--json", **nowhere)
    assert done.returncode == 4
    found = {one["check"]: one["problem"] for one in json.loads(done.stdout)}
    assert "make up" in found["the mesh is up"]


async def test_a_wrong_token_is_refused_with_status_1(ingest):
    done = await asked("events", "tail", "ingest", **ingest | {"SPACECOM_TOKEN": "wrong"})
    assert done.returncode == 1
    assert "token" in done.stderr


async def test_events_are_printed_one_document_a_line(ingest):
    done = await asked("events", "tail", "ingest", "--json", **ingest)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["stream"], line["version"]) for line in lines] == [
        ("rejected/a", "1"),
        ("rejected/a", "2"),
        ("rejected/b", "1"),
    ]
    assert lines[2]["message"]["source"] == "three"
    one = await asked("events", "tail", "ingest", "--json", "--stream", "rejected/a", "--after", "1", **ingest)
    assert [json.loads(line)["position"] for line in one.stdout.splitlines()] == ["2"]


async def test_what_a_source_wrote_cannot_command_the_terminal(ingest):
    """INVARIANT: text from outside is shown, never obeyed."""
    done = await asked("events", "tail", "ingest", **ingest)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "x1b" in done.stdout


async def test_the_condition_is_one_document_or_a_table(ingest):
    done = await asked("status", "--json", **ingest)
    assert done.returncode == 0
    assert json.loads(done.stdout)["ingest"]["log_position"] == "3"
    table = await asked("status", **ingest)
    assert "healthy" in table.stdout


async def test_a_service_that_is_unknown_and_a_consumer_that_does_not_run_are_refused(ingest):
    unknown = await asked("parked", "nothing", **ingest)
    assert (unknown.returncode, "there are ingest" in unknown.stderr) == (1, True)
    consumer = await asked("redrive", "ingest", "nothing", **ingest)
    assert (consumer.returncode, "does not run here" in consumer.stderr) == (1, True)


async def test_a_mesh_of_which_a_part_is_away_is_unwell_with_status_4(ingest):
    done = await asked("status", "--json", **ingest, SPACECOM_HAZARD_ADDRESS="127.0.0.1:1")
    assert done.returncode == 4
    assert "does not answer" in json.loads(done.stdout)["hazard"]["error"]


def test_each_failure_has_its_status():
    assert [kind.status for kind in (Failed, Refused, Unreachable, Unwell)] == [1, 1, 3, 4]
    assert Refused("CODE", "why").reason == "CODE"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"CZ-5B R/B", "CZ-5B R/B"),
        (b"\x1b[2J\n\r\t\0", r"\x1b[2J\n\r\t\x00"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        (b"\xff", r"\xff"),
        ("Łódź", "Łódź"),
    ],
)
def test_text_from_outside_is_made_harmless(raw, shown):
    assert show.harmless(raw) == shown


def test_addresses_come_from_the_environment_and_no_token_is_needed_in_files(monkeypatch):
    monkeypatch.setenv("SPACECOM_HAZARD_WORKER_ADDRESS", "h:1")
    monkeypatch.setenv("SPACECOM_TOKEN", "t")
    mesh = client.connect()
    assert (mesh.services, mesh.metadata) == ({"hazard-worker": "h:1"}, (("authorization", "Bearer t"),))
