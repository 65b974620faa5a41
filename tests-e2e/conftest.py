"""A whole mesh in processes of its own, used from outside: the command, gRPC, the file of addresses."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest

from infra.local.mesh import Files, NotRunning, read

READY_S = 600.0  # all kernels compiled first, on a machine that has much else to do
CHECKOUT = Path(__file__).parents[1]
MECHANISM = {"events", "relay", "progress", "parked", "requests", "removals", "migrations", "due", "attempts"}


@dataclass
class Mesh:
    home: Path
    process: "subprocess.Popen[bytes]"

    @property
    def files(self) -> Files:
        return Files(self.home)

    @property
    def addresses(self) -> dict[str, Any]:
        return read(self.files)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.files.token('operator').read_text()}"),)

    def spacecom(self, *arguments: str, expect: int = 0, environment: Mapping[str, str] | None = None) -> Any:
        """What the command prints with --json; fails when it exits otherwise than expected."""
        done = self.run("--json", *arguments, environment=environment)
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        options = [argument for argument in arguments if argument == "--json"]
        words = [argument for argument in arguments if argument != "--json"]
        return subprocess.run(
            [Path(sys.executable).parent / "spacecom", *words, *options],
            env=os.environ | {"SPACECOM_HOME": str(self.home)} | dict(environment or {}),
            capture_output=True,
            text=True,
            timeout=800,
            check=False,
        )

    def channel(self, service: str) -> grpc.Channel:
        return grpc.insecure_channel(self.addresses["services"][service])

    def pid(self, part: str) -> int:
        """Of a part of this mesh, found by what it was started with."""
        wanted = {
            "postgres": ["bin/postgres", str(self.home)],
            "kafka": ["kafka.Kafka", str(self.home)],
            "hazard-worker": ["services.hazard\0worker"],
            "hazard": ["services.hazard\0"],
        }.get(part, [f"services.{part}\0"])
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                mine = str(self.home) in (process / "environ").read_bytes().decode(errors="replace") + command
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            apart = part != "hazard" or "worker" not in command
            if mine and apart and parent == self.process.pid and all(text in command for text in wanted):
                return int(process.name)
        raise LookupError(f"{part} does not run")

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid(part), number)

    def wait_ready(self) -> None:
        """Every service answers and none waits for anything."""

        def ready() -> bool:
            done = self.run("--json", "status")
            if done.returncode or not self.addresses["ready"]:
                return False
            return all(one["condition"] == "CONDITION_HEALTHY" for one in json.loads(done.stdout).values())

        eventually(ready, READY_S)

    async def tables(self, service: str) -> dict[str, list[str]]:
        """Every row of every read model of a service."""
        conn = await self.connect(service)
        try:
            tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            return {
                name: [row[0] for row in await conn.fetch(f"SELECT t::text FROM {name} t ORDER BY 1")]
                for name in (row["tablename"] for row in tables)
                if name not in MECHANISM
            }
        finally:
            await conn.close()

    async def connect(self, service: str) -> asyncpg.Connection:
        admin: str = self.addresses["postgres"]["admin_url"]
        return await asyncpg.connect(admin.removesuffix("/postgres") + f"/spacecom_{service}")


def eventually(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:.0f} s")
        time.sleep(0.2)


@contextmanager
def running_mesh(home: Path, **external: str) -> Iterator[Mesh]:
    """A mesh that is ready; `external` are the addresses of servers it is to use instead of its own."""
    for folder in (home, *home.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)  # the unprivileged user of Postgres passes through
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPACECOM_")}
    with (home / "mesh.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local", "up", "--foreground"],
            cwd=CHECKOUT,
            env=environment | {"SPACECOM_HOME": str(home)} | external,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    started = Mesh(home, process)

    def is_ready() -> bool:
        assert process.poll() is None, (home / "mesh.log").read_text()[-4000:]
        try:
            return bool(started.addresses["ready"])
        except NotRunning:
            return False

    try:
        eventually(is_ready, READY_S)
        yield started
    finally:
        process.terminate()
        process.wait(READY_S)  # it stops only when what it is compiling is done
        if os.environ.get("SPACECOM_KEEP_LOGS"):
            shutil.copy(home / "mesh.log", os.environ["SPACECOM_KEEP_LOGS"])


@pytest.fixture(scope="session")
def mesh() -> Iterator[Mesh]:
    """Not under pytest's own folder: another session would close that to the unprivileged user of Postgres."""
    with (
        tempfile.TemporaryDirectory(prefix="spacecom-mesh-", ignore_cleanup_errors=True) as home,
        running_mesh(Path(home)) as started,
    ):
        yield started


@pytest.fixture(scope="session")
def start_mesh() -> Callable[..., AbstractContextManager[Mesh]]:
    return running_mesh


@pytest.fixture(scope="session")
def played(mesh: Mesh) -> Any:
    """The case of the demonstration on record, and what it showed."""
    return mesh.spacecom("demo")
