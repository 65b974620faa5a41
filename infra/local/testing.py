"""Fixtures: a real Postgres and a real Kafka, started once for a test session; a fresh database for each test."""

import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from pydantic import SecretStr

from infra import migrate
from infra.local import processes
from infra.local.kafka import Kafka
from infra.local.places import folder
from infra.local.postgres import Postgres
from libs import postgres as libs_postgres
from libs.postgres import PostgresSettings
from libs.service import ServiceSettings

__all__ = ["databases", "kafka", "namespace", "postgres_server", "postgres_settings", "service_database"]

PASSWORD = "of-the-tests"  # noqa: S105  of databases that live as long as a test
ROOM_BYTES = 4 * 2**30
TEMPLATES = "template"  # namespace of the databases that those of the tests are copies of


S = TypeVar("S", bound=ServiceSettings)


def settings_of(kind: type[S], **changed: Any) -> S:
    """Settings of a service whose parts are handed what they use: the addresses lead nowhere."""
    nowhere: dict[str, Any] = {
        "postgres_url": "postgresql://127.0.0.1:1",
        "postgres_password": PASSWORD,
        "kafka_bootstrap": "127.0.0.1:1",
        "blobs_url": "memory:///",
        "rpc_port": 0,
        "contracts_file": "nowhere.json",
    }
    return kind(**(nowhere | changed))


def in_memory() -> Path | None:
    """A folder in memory with room for a server: a database is a thousand files, slow to make and remove on a disk."""
    memory = Path("/dev/shm")  # noqa: S108  a new folder in it is made
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="spacecom-test-", dir=in_memory(), ignore_cleanup_errors=True) as place:
        server = Postgres(folder(Path(place)) / "postgres", durable=False)
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    with tempfile.TemporaryDirectory(prefix="spacecom-test-", ignore_cleanup_errors=True) as place:
        broker = Kafka(Path(place) / "kafka")
        broker.start()
        yield broker
        if broker.process:  # an orderly stop closes thousands of partitions that nobody reads again
            processes.stop(broker.process, signal.SIGKILL, 10.0)


@pytest.fixture
def namespace() -> str:
    return f"t{secrets.token_hex(6)}"


@pytest.fixture
def postgres_settings(postgres_server: Postgres, namespace: str) -> PostgresSettings:
    return PostgresSettings(
        postgres_url=postgres_server.url, postgres_password=SecretStr(PASSWORD), namespace=namespace
    )


@dataclass
class Databases:
    """Of services, on one server of tests."""

    server: Postgres
    templates: set[str] = field(default_factory=set)

    async def prepare(self, service: str, namespace: str) -> None:
        """Brings one to what the service needs; what is absent is copied, not migrated anew."""
        if service not in self.templates:
            await self._provision(service, TEMPLATES)
            self.templates.add(service)
        template, copy = (libs_postgres.database(service, one) for one in (TEMPLATES, namespace))
        try:
            await self._execute(
                f'CREATE DATABASE "{copy}" TEMPLATE "{template}" STRATEGY FILE_COPY',  # half the work of the log's way
                f'REVOKE ALL ON DATABASE "{copy}" FROM PUBLIC',
                f'GRANT CONNECT ON DATABASE "{copy}" TO "{libs_postgres.role(service)}"',
            )
        except asyncpg.DuplicateDatabaseError:
            await self._provision(service, namespace)

    async def drop(self, service: str, namespace: str) -> None:
        await self._execute(f'DROP DATABASE IF EXISTS "{libs_postgres.database(service, namespace)}" WITH (FORCE)')

    async def _provision(self, service: str, namespace: str) -> None:
        folder = migrate.services().get(service, libs_postgres.LOG_MIGRATIONS.parent / "no-migrations")
        await libs_postgres.provision(self.server.admin_url, service, namespace, PASSWORD, folder)

    async def _execute(self, *statements: str) -> None:
        conn = await asyncpg.connect(self.server.admin_url)
        try:
            for statement in statements:
                await conn.execute(statement)
        finally:
            await conn.close()


@pytest.fixture(scope="session")
def databases(postgres_server: Postgres) -> Databases:
    return Databases(postgres_server)


@pytest.fixture
async def service_database(
    databases: Databases, postgres_settings: PostgresSettings
) -> AsyncIterator[Callable[[str], Awaitable[asyncpg.Pool]]]:
    """Makes the database of a service as its migrations leave it, and a pool of the service's role."""
    namespace = postgres_settings.namespace
    made: list[tuple[str, asyncpg.Pool]] = []

    async def make(service: str) -> asyncpg.Pool:
        await databases.prepare(service, namespace)
        pool = await libs_postgres.create_pool(postgres_settings, service)
        made.append((service, pool))
        return pool

    yield make
    for _, pool in made:
        pool.terminate()
    for service in {service for service, _ in made}:
        await databases.drop(service, namespace)
