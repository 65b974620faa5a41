"""Of a database from before: what a migration cannot say is made anew from the log."""

import asyncpg
import pytest

from infra import migrate
from infra.local.testing import PASSWORD
from libs import postgres
from libs.operations import Operations
from libs.relay import Relay
from services.ingest import projections
from services.ingest.tests import cases

EVENT = """INSERT INTO events (event_id, stream, version, type, data, meta, occurred_at, available_at, recorded_at)
           VALUES (gen_random_uuid(), 's', 1, 't', '', '{}', now(), now(), now())"""


async def migrated(postgres_server, namespace, tmp_path, before: str) -> asyncpg.Connection:
    """The owner's connection to a database as the migrations before one of that number leave it."""
    early = tmp_path / "ingest/migrations"
    early.mkdir(parents=True)
    for file in migrate.services()["ingest"].glob("*.sql"):
        if file.name < before:
            (early / file.name).write_text(file.read_text())
    await postgres.provision(postgres_server.admin_url, "ingest", namespace, PASSWORD, early)
    return await asyncpg.connect(f"{postgres_server.admin_url.removesuffix('/postgres')}/{namespace}_spacecom_ingest")


@pytest.mark.parametrize("facts", [0, 1])
async def test_a_log_with_facts_is_marked_for_rebuilding(postgres_server, service_database, namespace, tmp_path, facts):
    conn = await migrated(postgres_server, namespace, tmp_path, "0010")
    for _ in range(facts):
        await conn.execute(EVENT)
    await conn.close()
    pool = await service_database("ingest")
    assert await pool.fetchval("SELECT count(*) FROM rebuilds") == facts


async def test_what_has_defaults_after_a_migration_is_what_the_log_says_once_the_service_has_started(gate, submit):
    """INVARIANT: an upgrade needs nobody who remembers to rebuild. Until then a class of airspace would be internal and
    a refusal without its reason."""
    await submit(cases.airspace("AAAA"), source="celestrak", dataset="fir")
    await submit(cases.BAD_CHECKSUM.encode(), source="celestrak")
    tables = ("airspaces", "rejections")
    before = [await gate.pool.fetch(f"SELECT * FROM {table}") for table in tables]
    await gate.pool.execute("UPDATE airspaces SET redistribution = 'internal'; UPDATE rejections SET reason = 0")
    condition = Operations(
        "ingest", gate.log, Relay(gate.log, "127.0.0.1:1", ""), "127.0.0.1:1", "", tables=projections.TABLES
    )
    assert await condition.rebuild_as_migrated() == 0
    await gate.pool.execute("INSERT INTO rebuilds VALUES ('ingest/0010_rebuild.sql')")
    assert await condition.rebuild_as_migrated() == await gate.log.head()
    assert [await gate.pool.fetch(f"SELECT * FROM {table}") for table in tables] == before
    assert (before[0][0]["redistribution"], before[1][0]["reason"]) == ("public", 4)
    assert await condition.rebuild_as_migrated() == 0
