"""The loop itself, by the real clock: in the process of ingest, with another beside it, and with Postgres away."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.ingest import polling as polling_module
from services.ingest import sources
from services.ingest.tests import sources_server
from services.ingest.tests.polled import settings
from services.ingest.tests.sources_server import Sources

# The first poll of a source is up to a minute away, so that a fleet does not start at once.
DO_NOT_WAIT = "UPDATE source_polls SET due_at = now() WHERE source NOT IN (SELECT source FROM source_requests)"


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def server():
    async with sources_server.Server(Sources(clock, contents=sources_server.usual(clock))) as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(polling_module, "STAND_BY_S", 0.05)


async def until(condition, what: str) -> None:
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(what)


async def running(stack: AsyncExitStack, gate) -> asyncio.Task:
    task = asyncio.create_task(sources.keep_polling(gate))

    async def stop() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(stop)
    return task


async def test_of_two_processes_one_polls_and_the_other_goes_on_when_its_connection_is_cut(gate, server):
    """INVARIANT: limits hold for all processes together; two pollers would use twice our share."""
    stated = replace(gate, settings=settings(server, "swpc", "iers"))

    async def holders() -> list[int]:
        rows = await gate.pool.fetch(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted", polling_module.POLL_LOCK
        )
        return [row["pid"] for row in rows]

    async def polled() -> bool:
        await gate.pool.execute(DO_NOT_WAIT)
        return len(server.asked) == 4

    async with AsyncExitStack() as stack:
        for _ in range(2):
            await running(stack, stated)
        await until(polled, "both feeds are polled: three products and one file")
        (before,) = await holders()
        assert await gate.pool.fetchval("SELECT pg_terminate_backend($1)", before)

        async def taken_over() -> bool:
            return await holders() not in ([], [before])

        async def again() -> bool:
            await gate.pool.execute("UPDATE source_polls SET due_at = now()")
            return len(server.asked) > 4

        await until(taken_over, "another connection holds the lock")
        await until(again, "and polls what is due")
        assert len(await holders()) == 1


async def test_with_nothing_enabled_the_loop_waits_and_asks_nothing(gate, server):
    stated = replace(gate, settings=settings(server))
    async with AsyncExitStack() as stack:
        task = await running(stack, stated)
        await asyncio.sleep(0.2)
        assert not task.done()
    assert not server.asked
    assert await gate.pool.fetchval("SELECT count(*) FROM source_polls") == 0


async def test_the_process_of_ingest_polls_what_its_settings_name_and_stops_when_told(
    gate, server, postgres_settings, tmp_path
):
    contracts = tmp_path / "contracts.json"
    contracts.write_text("{}")
    environment = os.environ | {
        "SPACECOM_POSTGRES_URL": postgres_settings.postgres_url,
        "SPACECOM_POSTGRES_PASSWORD": postgres_settings.postgres_password.get_secret_value(),
        "SPACECOM_NAMESPACE": postgres_settings.namespace,
        "SPACECOM_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "SPACECOM_BLOBS_URL": tmp_path.as_uri(),
        "SPACECOM_RPC_PORT": "0",
        "SPACECOM_CONTRACTS_FILE": str(contracts),
        "SPACECOM_INGEST_SOURCES": '["space-track-tip", "iers"]',
        "SPACECOM_INGEST_SPACE_TRACK_USER": sources_server.USER,
        "SPACECOM_INGEST_SPACE_TRACK_PASSWORD": sources_server.PASSWORD,
        "SPACECOM_INGEST_BASE_URLS": json.dumps(dict.fromkeys(("space-track", "iers"), server.url)),
        "SPACECOM_LOG_LEVEL": "debug",
    }
    log = tmp_path / "ingest.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.ingest", env=environment, stdout=out, stderr=out
        )

    async def recorded() -> bool:
        await gate.pool.execute(DO_NOT_WAIT)
        rows = await gate.pool.fetch("SELECT source FROM sources")
        return {row["source"] for row in rows} == {"space-track-tip", "iers-finals2000a"}

    try:
        await until(recorded, "a prediction and the orientation are recorded")
    finally:
        process.terminate()
        status = await asyncio.wait_for(process.wait(), 60)
    assert status == 0
    assert [one.path.split("/")[1] for one in server.of_provider("space-track")] == ["ajaxauth", "basicspacedata"]
    said = log.read_text()
    assert '"event": "polling"' in said
    for secret in (sources_server.PASSWORD, "canary-cookie"):
        assert secret not in said
