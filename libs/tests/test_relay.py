import asyncio
import gc
import signal
import subprocess
import sys
import textwrap
from functools import partial

import asyncpg
import pytest

from libs import envelope, topics
from libs.envelope import BadEnvelope
from libs.tests.facts import eventually

RELAY_PROCESS = textwrap.dedent(
    """
    import asyncio, sys
    from pydantic import SecretStr
    from libs import postgres
    from libs.eventlog import EventLog
    from libs.relay import Relay

    async def main(url, password, namespace, bootstrap):
        settings = postgres.PostgresSettings(
            postgres_url=url, postgres_password=SecretStr(password), namespace=namespace
        )
        pool = await postgres.create_pool(settings, "ingest")
        Relay(EventLog(pool, "ingest"), bootstrap, namespace).start()
        await asyncio.Event().wait()

    asyncio.run(main(*sys.argv[1:]))
    """
)

FROZEN_S = 30.0


@pytest.fixture
def relay_process(bench, postgres_settings):
    processes = []

    def start() -> subprocess.Popen:
        password = postgres_settings.postgres_password.get_secret_value()
        arguments = [postgres_settings.postgres_url, password, bench.namespace, bench.bootstrap]
        processes.append(subprocess.Popen([sys.executable, "-c", RELAY_PROCESS, *arguments]))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def by_id(records) -> dict:
    return {envelope.meta(record.headers).event_id: record for record in records}


async def test_what_is_published_is_what_is_in_the_log_in_order(bench, relay):
    for n in range(8):
        await bench.write(f"rejected/{n % 4}", 5, after=5 * (n // 4))
    records = await bench.published(40)
    events = {event.event_id: event for event in await bench.log.read()}
    positions: dict[int, int] = {}
    for record in records:
        meta = envelope.meta(record.headers)
        event = events[meta.event_id]
        assert (record.value, record.key.decode()) == (event.data, event.stream)
        assert (meta.type, meta.sequence, meta.position) == (event.type, event.version, event.position)
        times = (meta.occurred_at, meta.available_at, meta.recorded_at)
        assert times == (event.occurred_at, event.available_at, event.recorded_at)
        assert meta.cause == event.cause
        assert positions.get(record.partition, 0) < meta.position
        positions[record.partition] = meta.position
    await relay.drain()
    assert await bench.log.pool.fetchval("SELECT position FROM relay") == await bench.log.head()


async def test_work_spreads_over_all_partitions_by_event():
    topic = topics.topic_of("spacecom.hazard.v1.ChunkRequested")
    assert len({topics.key(topic, "run/1", n) for n in range(16)}) == 16


async def test_a_relay_killed_in_the_middle_loses_nothing(bench, relay_process):
    """INVARIANT: the cursor moves only past what Kafka has acknowledged."""
    for _ in range(3):
        process = relay_process()
        before = await bench.log.pool.fetchval("SELECT position FROM relay")
        await asyncio.gather(
            *(
                bench.log.commit(
                    "rejected/a" + str(before) + str(n), [_big() for _ in range(20)], after=0, cause=_why()
                )
                for n in range(150)
            )
        )
        await eventually(partial(_cursor_beyond, bench, before))
        process.send_signal(signal.SIGKILL)
        process.wait()
    relay_process()
    events = await bench.log.pool.fetchval("SELECT count(*) FROM events")
    await eventually(lambda: _drained(bench), 60.0)
    consumed = await all_published(bench)
    assert len(by_id(consumed)) == events == 9000


async def test_a_relay_frozen_while_it_holds_the_cursor_loses_it_to_another(bench, relay_process):
    """INVARIANT: the server ends the session of who holds the cursor and does nothing. Otherwise all wait for it."""
    blocked = await bench.log.pool.acquire()
    try:
        async with blocked.transaction():
            await blocked.execute("SELECT FROM relay FOR UPDATE")  # as a relay does that is stopped while it sends
            relay_process()
            await bench.write("rejected/a", 10)
            await eventually(lambda: _drained(bench), 20.0)
    except (asyncpg.PostgresError, asyncpg.InterfaceError):
        await bench.log.pool.release(blocked)
    else:
        raise AssertionError("the session that held the cursor was not ended")


async def test_a_frozen_relay_does_not_hold_up_another_and_what_it_repeats_has_no_effect(bench, relay_process):
    """INVARIANT: consumers drop what they have seen of a stream, so a relay that wakes late does no harm."""
    frozen = relay_process()
    await bench.write("rejected/a", 10)
    await eventually(lambda: _drained(bench))
    frozen.send_signal(signal.SIGSTOP)
    thawed_at = asyncio.get_running_loop().time() + FROZEN_S
    relay_process()
    await bench.write("rejected/a", 300, after=10)
    await eventually(lambda: _drained(bench), FROZEN_S)
    await asyncio.sleep(max(0.0, thawed_at - asyncio.get_running_loop().time()))
    frozen.send_signal(signal.SIGCONT)
    await bench.write("rejected/a", 10, after=310)
    async with bench.consuming():
        await eventually(lambda: len(bench.handled) >= 320)
        await asyncio.sleep(0.5)
    assert bench.handled == [("rejected/a", n) for n in range(1, 321)]


async def test_a_relay_that_is_stopped_while_it_starts_leaves_no_connection_open(bench):
    for n in range(40):
        relay = bench.relay()
        relay.start()
        await asyncio.sleep(n * 0.0007)
        await relay.stop()
        gc.collect()  # tells of what was left open


def test_headers_that_were_written_are_read_back_and_any_missing_one_is_named():
    from libs.tests.test_consume import good_headers

    for name, _ in good_headers():
        without = [(key, value) for key, value in good_headers() if key != name]
        if name in ("content-type", "ce_redistribution"):  # the latter came later; without it a fact is internal
            envelope.meta(without)
        else:
            with pytest.raises(BadEnvelope, match=name):
                envelope.meta(without)


def _big():
    from libs.tests.facts import fact

    return fact(raw=bytes(2000))


def _why():
    from libs.tests.facts import cause

    return cause()


async def _cursor_beyond(bench, position: int) -> bool:
    return await bench.log.pool.fetchval("SELECT position > $1 FROM relay", position)


async def _drained(bench) -> bool:
    return await bench.log.pool.fetchval("SELECT position FROM relay") == await bench.log.head()


async def all_published(bench) -> list:
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(bench.topic, bootstrap_servers=bench.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    records = []
    try:
        while batch := await consumer.getmany(timeout_ms=2000):
            records += [record for part in batch.values() for record in part]
    finally:
        await consumer.stop()
    return records
