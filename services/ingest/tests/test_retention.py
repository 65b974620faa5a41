"""After retention, a delivery that comes again is still known, and read models can still be made."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.retention import Retention, RetentionSettings
from services.ingest import projections
from services.ingest.tests import cases

FACTS = (cases.NAMED + cases.BAD_CHECKSUM).encode()


async def rows(pool) -> dict[str, list[str]]:
    return {
        table: [row[0] for row in await pool.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")]
        for table in projections.TABLES
    }


@pytest.fixture
def forgetful(gate, monkeypatch) -> Retention:
    """Every policy on; the other services have recorded nothing."""
    monkeypatch.setattr("libs.retention.topics.TOPICS", ())
    settings = RetentionSettings(
        retention_answers_days=1, retention_blobs_days=1, retention_log_addresses={"ingest": "own"}
    )
    return Retention(gate.log, gate.blobs, settings)


async def test_what_is_cited_and_what_tells_a_repeat_survive_and_rebuilding_works(gate, submit, forgetful):
    """INVARIANT: a removal changes no answer. Without its fingerprint or its count of refusals a file that comes
    again would be recorded again."""
    cited = await submit(FACTS)
    uncited = await submit(cases.NAMED.encode())  # known already: no fact rests on these bytes
    assert uncited.duplicate_count == 1
    before = await rows(gate.pool)
    removals = await forgetful.apply("", datetime.now(UTC) + timedelta(days=2), dry_run=False)
    assert {one.policy: one.count for one in removals} == {"answers": 0, "blobs": 1}
    assert await gate.blobs.get(cited.input_sha256) == FACTS
    again = await submit(FACTS)
    assert (again.accepted_count, again.duplicate_count, again.rejected_count) == (0, 1, 1)
    assert await rows(gate.pool) == before
    async with gate.pool.acquire() as conn, conn.transaction():
        for table in projections.TABLES:
            await conn.execute(f"DELETE FROM {table}")
        await projections.project_all(conn, await gate.log.read(limit=1000))
    assert await rows(gate.pool) == before
