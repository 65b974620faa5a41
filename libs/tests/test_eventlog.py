import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from libs import eventlog, postgres
from libs.eventlog import Conflict, EventLog, EventTooLarge, Fact, IdempotencyMismatch, RequestKey, derived_id, new_id
from libs.tests.facts import WHEN, cause, fact
from libs.topics import NoTopic
from spacecom.eventlog.v1.operations_service_pb2 import RedriveResponse
from spacecom.identity.v1.identity_contracts_pb2 import Contract

WRITERS, PART, EACH = 64, 40, 80  # 5,120 events


@pytest.fixture
async def log(service_database) -> EventLog:
    return EventLog(await service_database("ingest"), "ingest")


@pytest.fixture
async def wide_pool(service_database, postgres_settings) -> AsyncIterator[asyncpg.Pool]:
    """A connection for each writer, so that all of them are at it at once."""
    await service_database("ingest")
    wide = postgres_settings.model_copy(update={"postgres_pool_size": WRITERS + 2})
    pool = await postgres.create_pool(wide, "ingest")
    yield pool
    pool.terminate()


@pytest.fixture
async def owner(postgres_server, namespace) -> AsyncIterator[asyncpg.Connection]:
    """May do what the service's role may not."""
    name = postgres.database("ingest", namespace)
    conn = await asyncpg.connect(f"{postgres_server.admin_url.removesuffix('/postgres')}/{name}")
    yield conn
    await conn.close()


async def tail(log: EventLog, seen: list, stop: asyncio.Event) -> None:
    """Reads as the relay does: onward from the last position seen."""
    while True:
        stopping = stop.is_set()
        events = await log.read(after=seen[-1].position if seen else 0)
        seen += events
        if stopping and not events:
            return


async def write_all(log: EventLog) -> None:
    """Each writer keeps its transaction open for up to 500 ms after its positions were allocated."""

    async def write(writer: int) -> None:
        chance = random.Random(writer)
        for n in range(0, EACH, PART):
            async with log.pool.acquire() as conn, conn.transaction():
                await log.append(conn, f"rejected/{writer}", [fact() for _ in range(PART)], after=n, cause=cause())
                await conn.execute("SELECT pg_sleep($1)", 0.5 * chance.random() ** 2)

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))


async def seen_while_writing(log: EventLog) -> list:
    seen, stop = [], asyncio.Event()
    reader = asyncio.create_task(tail(log, seen, stop))
    await write_all(log)
    stop.set()
    await reader
    return seen


async def test_whoever_reads_on_from_the_last_position_misses_nothing(wide_pool):
    """INVARIANT: position order is commit order. Without the lock of the log events appear behind the reader."""
    seen = await seen_while_writing(EventLog(wide_pool, "ingest"))
    assert len(seen) == EACH * WRITERS
    assert [event.position for event in seen] == sorted({event.position for event in seen})
    assert all(a.recorded_at <= b.recorded_at for a, b in itertools.pairwise(seen))
    for writer in range(WRITERS):
        versions = [event.version for event in seen if event.stream == f"rejected/{writer}"]
        assert versions == list(range(1, EACH + 1))


async def test_without_the_lock_a_reader_misses_events(wide_pool, monkeypatch):
    """The proof that the test above can fail."""

    class Unlocked(EventLog):
        async def _append(self, conn, group):
            original = eventlog.LOG_LOCK
            monkeypatch.setattr(eventlog, "LOG_LOCK", random.getrandbits(31))
            try:
                return await super()._append(conn, group)
            finally:
                monkeypatch.setattr(eventlog, "LOG_LOCK", original)

    log = Unlocked(wide_pool, "ingest")
    seen = await seen_while_writing(log)
    assert len(seen) < await log.pool.fetchval("SELECT count(*) FROM events")


@pytest.mark.parametrize("step", [timedelta(minutes=5), timedelta(minutes=-5), timedelta(hours=-1)])
async def test_a_clock_that_steps_changes_no_order(log, owner, step):
    """INVARIANT: order is position, never wall time, and recorded_at follows it. Taken from the clock alone, a step
    back would make the later event the older one, and what was known at an instant would have two answers."""
    await log.commit("rejected/a", [fact(), fact()], after=0, cause=cause())
    await owner.execute("UPDATE events SET recorded_at = recorded_at - $1::interval", step)  # before the step
    for n in range(2, 6):
        await log.commit("rejected/a", [fact()], after=n, cause=cause())
    events = await log.read()
    assert [event.version for event in events] == [1, 2, 3, 4, 5, 6]
    assert all(a.recorded_at <= b.recorded_at for a, b in itertools.pairwise(events))
    for event in events:
        known = await log.read(recorded_until=event.recorded_at)
        assert known == events[: len(known)]


async def test_a_transaction_that_began_early_records_late(log):
    """INVARIANT: recorded_at is stamped under the lock. The time a transaction began is older than what others
    appended meanwhile, and as-known-at would show the second position before the first."""
    async with log.pool.acquire() as conn, conn.transaction():
        began = await conn.fetchval("SELECT now()")
        await asyncio.sleep(0.05)
        (other,) = await log.commit("rejected/b", [fact()], after=0, cause=cause())
        (mine,) = await log.append(conn, "rejected/a", [fact()], after=0, cause=cause())
    assert began < other.recorded_at < mine.recorded_at


async def test_an_append_on_an_old_version_conflicts_and_leaves_the_transaction_usable(log):
    async with log.pool.acquire() as conn, conn.transaction():
        await log.append(conn, "rejected/a", [fact(), fact()], after=0, cause=cause())
        for after in (0, 1, 3):
            with pytest.raises(Conflict):
                await log.append(conn, "rejected/a", [fact()], after=after, cause=cause())
        await log.append(conn, "rejected/a", [fact()], after=2, cause=cause())
        assert [event.version for event in await log.load(conn, "rejected/a")] == [1, 2, 3]


async def test_several_streams_are_appended_all_or_none(log):
    async with log.pool.acquire() as conn, conn.transaction():
        await log.append(conn, "rejected/a", [fact()], after=0, cause=cause())
        with pytest.raises(Conflict):
            await log.append_all(conn, [("rejected/b", 0, [fact()]), ("rejected/a", 0, [fact()])], cause())
        assert await log.load(conn, "rejected/b") == []


async def test_what_is_loaded_is_what_was_appended(log):
    why = cause()
    given = Fact(fact("é").message, WHEN, new_id(), WHEN + timedelta(hours=1))
    (stored,) = await log.commit("rejected/a", [given], after=0, cause=why)
    async with log.pool.acquire() as conn:
        (loaded,) = await log.load(conn, "rejected/a")
    assert loaded == stored
    assert (loaded.message(), loaded.event_id, loaded.cause) == (given.message, given.event_id, why)
    assert (loaded.occurred_at, loaded.available_at) == (WHEN, WHEN + timedelta(hours=1))


async def test_a_fact_whose_source_named_no_time_was_available_when_it_was_recorded(log):
    (stored,) = await log.commit("rejected/a", [fact()], after=0, cause=cause())
    assert stored.available_at == stored.recorded_at


async def test_commits_that_wait_together_share_a_transaction_and_only_a_conflicting_one_fails(log):
    """INVARIANT: a neighbour's conflict is not mine."""
    writes = [log.commit(f"rejected/{n}", [fact()], after=0, cause=cause()) for n in range(50)]
    outcomes = await asyncio.gather(
        *writes, log.commit("rejected/3", [fact()], after=0, cause=cause()), return_exceptions=True
    )
    failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert [type(one) for one in failed] == [Conflict]
    assert await log.pool.fetchval("SELECT count(*) FROM events") == 50
    assert await log.pool.fetchval("SELECT count(DISTINCT xmin::text) FROM events") < 10


async def test_a_write_the_database_refuses_fails_its_own_caller_only(log):
    repeated = fact()
    await log.commit("rejected/0", [repeated], after=0, cause=cause())
    outcomes = await asyncio.gather(
        *(log.commit(f"rejected/{n}", [fact()], after=0, cause=cause()) for n in range(1, 9)),
        log.commit("rejected/9", [repeated], after=0, cause=cause()),
        return_exceptions=True,
    )
    assert [type(one) for one in outcomes if isinstance(one, Exception)] == [asyncpg.UniqueViolationError]
    assert await log.pool.fetchval("SELECT count(*) FROM events") == 9


async def test_an_event_too_large_for_kafka_is_refused_before_it_is_appended(log):
    """INVARIANT: nothing in the log can block the relay."""
    with pytest.raises(EventTooLarge):
        await log.commit("rejected/a", [fact(raw=bytes(eventlog.MAX_EVENT_BYTES))], after=0, cause=cause())


async def test_an_event_without_a_topic_is_refused_before_it_is_appended(log):
    """INVARIANT: nothing in the log can block the relay."""
    with pytest.raises(NoTopic):
        await log.commit("rejected/a", [Fact(Contract(), WHEN, new_id())], after=0, cause=cause())


async def test_what_was_known_at_an_instant_has_one_answer(log):
    for n in range(20):
        await log.commit("rejected/a", [fact()], after=n, cause=cause())
    events = await log.read()
    at = events[9].recorded_at
    known = await log.read(recorded_until=at)
    await log.commit("rejected/a", [fact()], after=20, cause=cause())
    assert known == await log.read(recorded_until=at)
    assert known == [event for event in events if event.recorded_at <= at]


async def test_one_key_has_one_effect_and_one_answer_however_often_it_comes(log):
    """INVARIANT: idempotent commands. Without the record of the answer a retry acts again."""
    key = RequestKey("officer", "Acknowledge", "k", b"body")

    async def handle(conn):
        await asyncio.sleep(0.01)
        await log.append(conn, "rejected/a", [fact()], after=0, cause=cause())
        return RedriveResponse(handled_count=random.getrandbits(40))

    answers = await asyncio.gather(*(log.command(key, handle, RedriveResponse) for _ in range(100)))
    assert len({answer.handled_count for answer in answers}) == 1
    assert await log.pool.fetchval("SELECT count(*) FROM events") == 1


async def test_a_key_is_its_callers_own_and_not_to_be_used_for_another_request(log):
    async def handle(conn):
        return RedriveResponse(handled_count=1)

    key = RequestKey("officer", "Acknowledge", "k", b"body")
    await log.command(key, handle, RedriveResponse)
    with pytest.raises(IdempotencyMismatch):
        await log.command(RequestKey("officer", "Acknowledge", "k", b"other"), handle, RedriveResponse)
    await log.command(RequestKey("another", "Acknowledge", "k", b"other"), handle, RedriveResponse)


async def test_a_command_that_fails_leaves_its_key_unused(log):
    async def fail(conn):
        raise ConnectionResetError

    async def handle(conn):
        return RedriveResponse(handled_count=7)

    key = RequestKey("officer", "Acknowledge", "k", b"")
    with pytest.raises(ConnectionResetError):
        await log.command(key, fail, RedriveResponse)
    assert (await log.command(key, handle, RedriveResponse)).handled_count == 7


async def test_read_models_are_written_in_the_transaction_that_appends(service_database):
    async def project(conn, recorded):
        await conn.execute("INSERT INTO progress VALUES ('model', $1, $2)", recorded.stream, recorded.version)
        if recorded.stream == "rejected/bad":
            raise ValueError(recorded.stream)

    log = EventLog(await service_database("ingest"), "ingest", project)
    await log.commit("rejected/good", [fact()], after=0, cause=cause())
    with pytest.raises(ValueError, match="bad"):
        await log.commit("rejected/bad", [fact()], after=0, cause=cause())
    assert await log.pool.fetch("SELECT stream FROM progress") == [("rejected/good",)]
    assert await log.pool.fetchval("SELECT count(*) FROM events") == 1


def test_a_derived_id_is_the_same_each_time_and_different_for_each_fact():
    first, second = new_id(), new_id()
    ids = [derived_id(cause, service, n) for cause in (first, second) for service in ("a", "b") for n in (0, 1)]
    assert len(set(ids)) == 8
    assert derived_id(first, "a", 0) == ids[0]
    assert (first.version, ids[0].version) == (7, 5)
