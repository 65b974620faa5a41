"""Starts the mesh in order, starts again what dies, stops it in reverse."""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr

from infra import migrate
from infra.local import mesh, processes
from infra.local.kafka import Kafka
from infra.local.mesh import External, Files
from infra.local.places import CannotRun, folder
from infra.local.postgres import Postgres
from libs import topics
from libs.rpc import READY

PAUSE_S = 0.1
FIRST_RESTART_S, LONGEST_RESTART_S = 0.2, 5.0
STEADY_S = 10.0  # after which a death is a first one again
STOP_S = 15.0
COLOURS = (36, 33, 35, 32, 34, 31, 96)


@dataclass
class Child:
    name: str
    start: Callable[[], "subprocess.Popen[bytes] | None"]
    look: Callable[[], bool]  # whether it does its work
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    due_at: float | None = None  # when one that ended is started again
    pause_s: float = FIRST_RESTART_S
    ready: bool = False


class Supervisor:
    def __init__(self, files: Files, parts: Sequence[str] = tuple(mesh.PARTS)) -> None:
        self._files = files
        self._parts = parts
        self._external = External()
        self._stopping = threading.Event()
        self._children: list[Child] = []
        self._names = ["mesh", "postgres", "kafka", *parts]
        self._write = threading.Lock()
        self._postgres: Postgres | None = None
        self._kafka: Kafka | None = None
        self._taken: dict[str, int] = {}

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        folder(self._files.home)
        with _only_one(self._files):
            self._taken = mesh.ports(self._files)
            try:
                self._start_all()
                self._watch()
            except CannotRun as error:
                self.tell(f"cannot start: {error}")
                return 1
            finally:
                self._stop_all()
                self._files.addresses.unlink(missing_ok=True)
        return 0

    def tell(self, line: str) -> None:
        self._print("mesh", line)

    def _start_all(self) -> None:
        postgres_url, admin_url = self._start_postgres()
        bootstrap = self._start_kafka()
        mesh.write_contracts(self._files)
        self.tell("preparing databases and topics")
        settings = migrate.MigrationSettings(
            postgres_admin_url=SecretStr(admin_url),
            postgres_password=SecretStr(mesh.service_password(self._files)),
            namespace=os.environ.get("SPACECOM_NAMESPACE", ""),
        )
        asyncio.run(migrate.migrate(settings))
        asyncio.run(topics.declare(bootstrap, settings.namespace))
        self._compile_kernels()
        for name in self._parts:
            child = self._service(name, postgres_url, bootstrap)
            self._keep(child, child.start())
        self._write_addresses(postgres_url, admin_url, bootstrap)

    def _compile_kernels(self) -> None:
        """Once for a version of the physics; services would do it each for itself, and in silence."""
        with processes.spawn([sys.executable, "-m", "libs.astro.warm"], output=subprocess.PIPE) as compiling:
            for line in compiling.stdout or ():
                self.tell(line.decode(errors="replace").rstrip())
        if compiling.returncode:
            raise CannotRun("the kernels could not be compiled; the reason is in the mesh's log")

    def _start_postgres(self) -> tuple[str, str]:
        external = self._external
        if external.postgres_url:
            if not external.postgres_admin_url:
                raise CannotRun("SPACECOM_POSTGRES_URL is set; set SPACECOM_POSTGRES_ADMIN_URL to its owner's too")
            return external.postgres_url, external.postgres_admin_url
        self.tell("starting Postgres")
        self._postgres = Postgres(self._files.home / "postgres", kept_port=self._taken["postgres"])
        server = self._postgres
        with self._piped("postgres") as output:
            server.start(output)
        self._keep(Child("postgres", lambda: self._again_embedded("postgres", server), server.answers), server.process)
        return server.url, server.admin_url

    def _start_kafka(self) -> str:
        if self._external.kafka_bootstrap:
            return self._external.kafka_bootstrap
        self.tell("starting Kafka")
        kept = (self._taken["kafka"], self._taken["kafka-controller"])
        self._kafka = Kafka(self._files.home / "kafka", kept_ports=kept)
        broker = self._kafka
        with self._piped("kafka") as output:
            broker.start(output, self.tell)
        self._keep(Child("kafka", lambda: self._again_embedded("kafka", broker), broker.answers), broker.process)
        return broker.bootstrap

    def _again_embedded(self, name: str, server: Postgres | Kafka) -> "subprocess.Popen[bytes] | None":
        with self._piped(name) as output:
            server.launch(output)
        return server.process

    def _service(self, name: str, postgres_url: str, bootstrap: str) -> Child:
        return Child(name, lambda: self._spawn(name, postgres_url, bootstrap), lambda: self._is_ready(name))

    def _spawn(self, name: str, postgres_url: str, bootstrap: str) -> "subprocess.Popen[bytes]":
        env = mesh.environment(self._files, name, self._taken, postgres_url, bootstrap)
        process = processes.spawn(mesh.command(name), output=subprocess.PIPE, env=env, cwd=mesh.checkout())
        if process.stdout:
            self._pump(name, process.stdout)
        return process

    def _keep(self, child: Child, process: "subprocess.Popen[bytes] | None") -> None:
        child.process, child.started_at, child.ready = process, time.monotonic(), False
        if child not in self._children:
            self._children.append(child)

    def _watch(self) -> None:
        told = False
        while not self._stopping.wait(PAUSE_S):
            for child in self._children:
                if child.process is None or child.process.poll() is not None:
                    if told:
                        self._note(ready=False)
                    told = False
                    self._again(child)
                elif not child.ready:
                    child.ready = child.look()
            if not told and all(child.ready for child in self._children):
                told = True
                self._note(ready=True)
                self.tell("ready")

    def _again(self, child: Child) -> None:
        """Starts a child that ended, after a pause that grows while it keeps ending at once; waits for nobody."""
        now = time.monotonic()
        if child.due_at is None:
            child.pause_s = (
                FIRST_RESTART_S if now - child.started_at > STEADY_S else min(2 * child.pause_s, LONGEST_RESTART_S)
            )
            child.due_at = now + child.pause_s
            status = child.process.returncode if child.process else None
            self.tell(f"{child.name} ended with status {status}; starting it again in {child.pause_s:.1f} s")
        elif now >= child.due_at:
            child.due_at = None
            self._keep(child, self._started(child))

    def _started(self, child: Child) -> "subprocess.Popen[bytes] | None":
        try:
            return child.start()
        except (CannotRun, OSError) as error:
            self.tell(f"{child.name} cannot be started now: {error}")
            return None

    def _is_ready(self, name: str) -> bool:
        with grpc.insecure_channel(f"127.0.0.1:{self._taken[name]}") as channel:
            try:
                answer = health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(service=READY), timeout=0.5
                )
            except grpc.RpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _write_addresses(self, postgres_url: str, admin_url: str, bootstrap: str) -> None:
        found: dict[str, Any] = {
            "pid": os.getpid(),
            "ready": False,
            "services": {name: f"127.0.0.1:{self._taken[name]}" for name in self._parts},
            "kafka": bootstrap,
            "postgres": {"url": postgres_url, "admin_url": admin_url},
            "tokens": {principal: str(self._files.token(principal)) for principal in mesh.PRINCIPALS},
            "traces": str(self._files.traces),
            "log": str(self._files.log),
        }
        self._save(found)

    def _note(self, *, ready: bool) -> None:
        self._save(json.loads(self._files.addresses.read_text()) | {"ready": ready})

    def _save(self, found: dict[str, Any]) -> None:
        """Whole or not at all: others read it meanwhile."""
        partial = self._files.addresses.with_suffix(".new")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(found, file, indent=2)
        partial.replace(self._files.addresses)

    def _stop_all(self) -> None:
        services = [child for child in self._children if child.name in self._parts]
        if self._children:
            self.tell("stopping")
        for child in services:
            if child.process and child.process.poll() is None:
                child.process.terminate()
        for child in services:
            if child.process:
                processes.stop(child.process, signal.SIGTERM, STOP_S)
        for server in (self._kafka, self._postgres):
            if server:
                server.stop()

    def _piped(self, name: str) -> IO[bytes]:
        reading, writing = os.pipe()
        self._pump(name, os.fdopen(reading, "rb"))
        return os.fdopen(writing, "wb")

    def _pump(self, name: str, source: IO[bytes]) -> None:
        def pump() -> None:
            with source:
                for line in source:
                    self._print(name, line.decode(errors="backslashreplace").rstrip("\n"))

        threading.Thread(target=pump, daemon=True, name=f"log of {name}").start()

    def _print(self, name: str, line: str) -> None:
        prefix = f"{name:<13} |"
        if sys.stdout.isatty():
            prefix = f"\x1b[{COLOURS[self._names.index(name) % len(COLOURS)]}m{prefix}\x1b[0m"
        with self._write:
            print(f"{prefix} {line}", flush=True)


@contextmanager
def _only_one(files: Files) -> Iterator[None]:
    with (files.home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotRun(f"a mesh is up in {files.home} already; stop it with: make down") from error
        yield
