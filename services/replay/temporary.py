"""A mesh of its own for one replay: the same services in a namespace, gone without a trace when it ends."""

import asyncio
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import asyncpg
import grpc
from aiokafka.admin import AIOKafkaAdminClient

from infra.local import mesh, processes
from infra.local.mesh import Files, NotRunning
from infra.local.places import CannotRun, folder, port
from libs import logwire, topics
from libs.blobs import Blobs
from libs.eventlog import Recorded

if TYPE_CHECKING:
    from subprocess import Popen

READY_S = 300.0
STOP_S = 60.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """Addresses by part, and the token of its operator."""

    services: Mapping[str, str]
    token: str
    blobs: Blobs

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)

    async def log(self, service: str) -> list[Recorded]:
        return [fact async for fact in logwire.read_log(self.services[service], self.token)]

    def channel(self, service: str) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(self.services[service])


@asynccontextmanager
async def mesh_of(
    name: str, tell: Tell, *, parts: Sequence[str] = tuple(mesh.PARTS), workers: int = 1
) -> AsyncIterator[Running]:
    """Of all parts or some. Uses the servers of the mesh that is up on this machine; starts its own when none is."""
    namespace = f"replay{secrets.token_hex(5)}"
    files = Files(Files().home.with_name(f"{Files().home.name}-{namespace}"))
    servers = _servers()
    own = servers | settings_of(files, namespace)
    tell(f"starting a mesh for {name} in the namespace {namespace}")
    folder(files.home)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, files.home, ignore_errors=True)
        if servers:
            stack.push_async_callback(_forget, namespace, servers)
        log = stack.enter_context((files.home / "mesh.log").open("wb"))
        supervisor = processes.spawn(
            [sys.executable, "-m", "infra.local", "up", "--foreground", *(f"--part={part}" for part in parts)],
            output=log,
            env=os.environ | own,
            cwd=mesh.checkout(),
        )
        stack.callback(processes.stop, supervisor, signal.SIGTERM, STOP_S)
        found = await asyncio.to_thread(_ready, files, supervisor)
        for _ in range(workers - 1):
            stack.callback(processes.stop, _worker(files, found, own, log), signal.SIGTERM, STOP_S)
        token = files.token("operator").read_text()
        yield Running(found["services"], token, Blobs(own["SPACECOM_BLOBS_URL"], namespace))


def settings_of(files: Files, namespace: str) -> dict[str, str]:
    """Only recorded facts come in: no source is polled, and the time of day makes none late."""
    return {
        "SPACECOM_HOME": str(files.home),
        "SPACECOM_NAMESPACE": namespace,
        "SPACECOM_BLOBS_URL": (files.home / "blobs").as_uri(),
        "SPACECOM_INGEST_SOURCES": "[]",
        "SPACECOM_INGEST_WATCH_S": "0",
    }


def _servers() -> dict[str, str]:
    try:
        found = mesh.read(Files())
    except NotRunning:
        return {}
    return {
        "SPACECOM_POSTGRES_URL": found["postgres"]["url"],
        "SPACECOM_POSTGRES_ADMIN_URL": found["postgres"]["admin_url"],
        "SPACECOM_POSTGRES_PASSWORD": mesh.service_password(Files()),
        "SPACECOM_KAFKA_BOOTSTRAP": found["kafka"],
    }


def _ready(files: Files, supervisor: "Popen[bytes]") -> dict[str, Any]:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            raise CannotRun(f"the mesh of the replay ended while starting:\n{_tail(files.log)}")
        try:
            found = mesh.read(files)
        except NotRunning:
            found = {}
        if found.get("ready"):
            return found
        time.sleep(0.1)
    raise CannotRun(f"the mesh of the replay is not ready after {READY_S:.0f} s:\n{_tail(files.log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:])


def _worker(files: Files, found: Mapping[str, Any], own: dict[str, str], log: IO[bytes]) -> "Popen[bytes]":
    taken = {part: int(address.rpartition(":")[2]) for part, address in found["services"].items()}
    taken["hazard-worker"] = port()
    usual = mesh.environment(files, "hazard-worker", taken, found["postgres"]["url"], found["kafka"])
    return processes.spawn(mesh.command("hazard-worker"), output=log, env=usual | own, cwd=mesh.checkout())


async def _forget(namespace: str, servers: Mapping[str, str]) -> None:
    """Its databases and topics; the servers are another's and stay. A group without topics is forgotten by Kafka."""
    conn = await asyncpg.connect(servers["SPACECOM_POSTGRES_ADMIN_URL"])
    try:
        rows = await conn.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", f"{namespace}_")
        for row in rows:
            await conn.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
    finally:
        await conn.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=servers["SPACECOM_KAFKA_BOOTSTRAP"])
    await admin.start()
    try:
        await admin.delete_topics([topics.topic_name(topic.name, namespace) for topic in topics.TOPICS])
    finally:
        await admin.close()
