"""Fixtures: a real Postgres and a real Kafka, started once for a test session; a fresh database for each test."""

import secrets
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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

__all__ = ["kafka", "namespace", "postgres_server", "postgres_settings", "service_database"]

PASSWORD = "of-the-tests"  # noqa: S105  of databases that live as long as a test


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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="spacecom-test-", ignore_cleanup_errors=True) as place:
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


@pytest.fixture
async def service_database(
    postgres_server: Postgres, postgres_settings: PostgresSettings
) -> AsyncIterator[Callable[[str], Awaitable[asyncpg.Pool]]]:
    """Makes the database of a service as its migrations leave it, and a pool of the service's role."""
    pools: list[asyncpg.Pool] = []

    async def make(service: str) -> asyncpg.Pool:
        folder = migrate.services().get(service, libs_postgres.LOG_MIGRATIONS.parent / "no-migrations")
        admin = postgres_server.admin_url
        await libs_postgres.provision(admin, service, postgres_settings.namespace, PASSWORD, folder)
        pools.append(await libs_postgres.create_pool(postgres_settings, service))
        return pools[-1]

    yield make
    for pool in pools:
        pool.terminate()
