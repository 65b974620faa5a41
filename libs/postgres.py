"""One database per service: the pool of its role, and what the owner prepares for it.

The owner creates the role and the database, runs the migrations and owns every table; the service's role may not
change, drop or truncate a fact.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

LOG_MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x53504D49  # any number no other lock of these databases uses
GRANTS = """
    GRANT CONNECT ON DATABASE {database} TO {role};
    GRANT USAGE ON SCHEMA public TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO {role};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
    REVOKE UPDATE, DELETE, TRUNCATE ON events, removals FROM {role};
    REVOKE ALL ON migrations FROM {role};
"""


class MigrationChanged(Exception):
    """A migration that has run was edited afterwards."""


class PostgresSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    postgres_url: str = Field(description="Server as postgresql://host:port; each service uses its own database on it.")
    postgres_password: SecretStr = Field(description="Password of the service's role.")
    postgres_pool_size: int = Field(10, ge=2, description="Connections of one process.")
    namespace: str = Field("", pattern=r"^[a-z0-9]{0,24}$", description="Prefix of topics, groups and databases.")


def role(service: str) -> str:
    return f"spacecom_{service}"


def database(service: str, namespace: str) -> str:
    return f"{namespace}_spacecom_{service}" if namespace else f"spacecom_{service}"


async def create_pool(settings: PostgresSettings, service: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        _with_database(settings.postgres_url, database(service, settings.namespace)),
        user=role(service),
        password=settings.postgres_password.get_secret_value(),
        min_size=1,
        max_size=settings.postgres_pool_size,
        timeout=5.0,
        command_timeout=60.0,
        server_settings={"application_name": f"spacecom {service}", "idle_in_transaction_session_timeout": "10s"},
    )


async def provision(admin_dsn: str, service: str, namespace: str, service_password: str, migrations: Path) -> None:
    """Brings a service's role and database to the state its code needs; safe to repeat and to race."""
    name = database(service, namespace)
    async with _connected(admin_dsn) as conn, _locked(conn):
        await _create_role(conn, role(service), service_password)
        if not await conn.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await conn.execute(f'CREATE DATABASE "{name}"')
            await conn.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    async with _connected(_with_database(admin_dsn, name)) as conn, _locked(conn):
        await migrate(conn, [*_files(LOG_MIGRATIONS), *_files(migrations)])
        await conn.execute(GRANTS.format(database=f'"{name}"', role=f'"{role(service)}"'))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.sql"))


async def migrate(conn: asyncpg.Connection, files: Iterable[Path]) -> None:
    """Runs each file once, in its own transaction, and refuses one that changed after it ran."""
    await conn.execute(
        """CREATE TABLE IF NOT EXISTS migrations
           (name text PRIMARY KEY, sha256 text NOT NULL, ran_at timestamptz NOT NULL DEFAULT now())"""
    )
    ran = {row["name"]: row["sha256"] for row in await conn.fetch("SELECT name, sha256 FROM migrations")}
    for file in files:
        name, text = f"{file.parent.parent.name}/{file.name}", file.read_text()
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        if name not in ran:
            await _run(conn, name, sha256, text)
        elif ran[name] != sha256:
            raise MigrationChanged(f"{name} was changed after it ran; restore it and write the change as a new file")


async def _run(conn: asyncpg.Connection, name: str, sha256: str, text: str) -> None:
    async with conn.transaction():
        await conn.execute("SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '60s'")
        await conn.execute(text)
        await conn.execute("INSERT INTO migrations (name, sha256) VALUES ($1, $2)", name, sha256)


async def _create_role(conn: asyncpg.Connection, name: str, password: str) -> None:
    if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
        await conn.execute(f'CREATE ROLE "{name}" LOGIN')
    quoted = await conn.fetchval("SELECT quote_literal($1::text)", password)
    await conn.execute(f'ALTER ROLE "{name}" PASSWORD {quoted}')


def _with_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(dsn, timeout=10.0)
    try:
        yield conn
    finally:
        await conn.close()


@asynccontextmanager
async def _locked(conn: asyncpg.Connection) -> AsyncIterator[None]:
    await conn.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
    try:
        yield
    finally:
        await conn.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)
