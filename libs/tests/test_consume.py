import asyncio
import itertools

import asyncpg
import pytest

from libs import consume, envelope
from libs.consume import Rejected
from libs.eventlog import Conflict, Recorded, new_id
from libs.tests.facts import WHEN, cause, eventually, fact
from spacecom.ingest.v1 import ingest_events_pb2 as pb

GOOD = fact("good").message.SerializeToString()


def good_headers(stream: str = "rejected/a", sequence: int = 1, type_: str = "spacecom.ingest.v1.InputRejected"):
    why = cause()
    event = Recorded(sequence, new_id(), stream, sequence, type_, GOOD, WHEN, WHEN, WHEN, why)
    return [*((k, v) for k, v in envelope.headers(event, "ingest") if k != "ce_causationid"), ("ce_causationid", b"")]


def changed(headers, name: str, value: bytes):
    return [(key, value if key == name else old) for key, old in headers]


async def test_messages_are_handled_in_order_once(bench, relay):
    await bench.write("rejected/a", 250)
    async with bench.consuming():
        await eventually(lambda: len(bench.handled) == 250)
    assert bench.handled == [("rejected/a", n) for n in range(1, 251)]


async def test_what_was_handled_is_known_for_good(bench, relay):
    """INVARIANT: the progress row is written with the effect. A new group that reads all again has no effect."""
    await bench.write("rejected/a", 30)
    async with bench.consuming():
        await eventually(lambda: len(bench.handled) == 30)
    await bench.log.pool.execute("UPDATE relay SET position = 0")  # a relay that lost its place
    bench.log.appended.set()
    await bench.write("rejected/a", 1, after=30)
    async with bench.consuming():
        await eventually(lambda: len(bench.handled) == 31)
        await asyncio.sleep(0.5)
    assert bench.handled == [("rejected/a", n) for n in range(1, 32)]


async def test_a_message_older_than_the_last_of_its_stream_is_dropped(bench):
    for sequence in (1, 3, 2, 4):
        await bench.send(good_headers(sequence=sequence), GOOD)
    async with bench.consuming():
        await eventually(lambda: ("rejected/a", 4) in bench.handled)
    assert [sequence for _, sequence in bench.handled] == [1, 3, 4]


BAD = {
    "unknown type": ("ce_type", b"spacecom.ingest.v1.Nothing"),
    "id not UTF-8": ("ce_id", b"\xff\xfe"),
    "correlation with a NUL": ("ce_correlationid", b"\0"),
    "no id": ("ce_id", None),
    "no stream": ("ce_subject", None),
    "stream not UTF-8": ("ce_subject", b"\xff"),
    "stream with a NUL": ("ce_subject", b"a\0b"),
    "negative sequence": ("ce_sequence", b"-7"),
    "huge sequence": ("ce_sequence", b"9" * 30),
    "time without a zone": ("ce_time", b"2022-11-04T10:01:00"),
    "no version of the envelope": ("ce_specversion", None),
}


def bad_headers():
    for sequence, (name, value) in enumerate(BAD.values(), 2):
        headers = good_headers(sequence=sequence)
        yield changed(headers, name, value) if value is not None else [pair for pair in headers if pair[0] != name]
    yield []


@pytest.mark.parametrize("batch", [1, 100], ids=["singly", "in a batch"])
async def test_what_cannot_be_handled_is_set_aside_and_the_rest_goes_on(bench, batch):
    """INVARIANT: one bad message costs no other, and nothing of it is lost."""
    await bench.send(good_headers(), GOOD)
    for headers in bad_headers():
        await bench.send(headers, b"body")
    await bench.send(good_headers(stream="rejected/poison"), b"\xff\xff")
    last = ("rejected/a", 99)
    await bench.send([*good_headers(sequence=99), ("x", b"\xff\0")], GOOD)  # a foreign header is nobody's business
    async with bench.consuming(batch=batch):
        await eventually(lambda: last in bench.handled)
    assert bench.handled == [("rejected/a", 1), last]
    rows = await bench.parked()
    assert len(rows) == len(BAD) + 2
    assert all(row["body"] in (b"body", b"\xff\xff") and row["error"].isascii() for row in rows)


async def test_an_error_of_one_message_of_a_batch_undoes_nothing_of_the_others(bench, relay):
    async def handler(delivery):
        async def commit(conn):
            if delivery.sequence == 7:
                raise Rejected("seven")
            await conn.execute("INSERT INTO requests VALUES ('p', 'm', $1, '', '')", str(delivery.sequence))

        return commit

    await bench.write("rejected/a", 20)
    async with bench.consuming(handler):
        await eventually(lambda: _count(bench, "requests", 19))
    assert [(row["sequence"], row["error"]) for row in await bench.parked()] == [(7, "Rejected: seven")]


@pytest.mark.parametrize("error", [Conflict("x"), ConnectionResetError("x"), asyncpg.DeadlockDetectedError("x")])
async def test_what_fails_for_a_while_is_tried_again_in_place(bench, relay, error):
    """INVARIANT: nothing is skipped. A handler that raised must not be committed over by a later message."""
    attempts = itertools.count()

    async def handler(delivery):
        if delivery.sequence == 5 and next(attempts) < 4:
            raise error
        return await bench.note(delivery)

    await bench.write("rejected/a", 10)
    async with bench.consuming(handler):
        await eventually(lambda: len(bench.handled) == 10)
    assert [sequence for _, sequence in bench.handled] == list(range(1, 11))
    assert await bench.parked() == []


async def test_a_consumer_that_stops_while_it_waits_takes_up_where_it_was(bench, relay):
    away = True

    async def handler(delivery):
        if away and delivery.sequence == 3:
            raise ConnectionResetError
        return await bench.note(delivery)

    await bench.write("rejected/a", 5)
    async with bench.consuming(handler, batch=1) as subscription:
        await eventually(lambda: subscription.problem)
    away = False
    async with bench.consuming(handler, batch=1):
        await eventually(lambda: len(bench.handled) == 5)
    assert [sequence for _, sequence in bench.handled] == [1, 2, 3, 4, 5]


async def test_a_poison_message_is_read_once_not_in_a_loop(bench):
    calls = itertools.count()

    async def handler(delivery):
        next(calls)
        raise Rejected("no")

    await bench.send(good_headers(), GOOD)
    async with bench.consuming(handler):
        await eventually(lambda: _count(bench, "parked", 1))
        await asyncio.sleep(1.0)
    assert next(calls) == 1


async def test_after_a_parked_message_an_ordered_consumer_parks_the_rest_of_its_stream(bench, relay):
    """INVARIANT: where order matters nothing overtakes."""
    broken = True

    async def handler(delivery):
        if broken and (delivery.stream, delivery.sequence) == ("rejected/a", 2):
            raise Rejected("not yet")
        return await bench.note(delivery)

    await bench.write("rejected/a", 4)
    await bench.write("rejected/b", 2)
    async with bench.consuming(handler, ordered=True) as subscription:
        await eventually(lambda: _count(bench, "parked", 3))
        await eventually(lambda: len(bench.handled) == 3)
        assert await subscription.redrive() == (0, 3)
        broken = False
        await bench.write("rejected/a", 1, after=4)
        await eventually(lambda: _count(bench, "parked", 4))
        assert await subscription.redrive("rejected/a") == (4, 0)
        await bench.write("rejected/a", 1, after=5)
        await eventually(lambda: len(bench.handled) == 8)
    assert [sequence for stream, sequence in bench.handled if stream == "rejected/a"] == [1, 2, 3, 4, 5, 6]


async def test_parked_messages_are_redriven_once_however_often_it_is_asked(bench, relay):
    broken = True

    async def handler(delivery):
        if broken:
            raise Rejected("not yet")
        return await bench.note(delivery)

    await bench.write("rejected/a", 20)
    async with bench.consuming(handler) as subscription:
        await eventually(lambda: _count(bench, "parked", 20))
        broken = False
        await asyncio.gather(*(subscription.redrive() for _ in range(5)))
        assert await subscription.redrive() == (0, 0)
    assert sorted(sequence for _, sequence in bench.handled) == list(range(1, 21))


async def test_an_unreadable_message_stays_parked(bench):
    await bench.send([], b"what")
    async with bench.consuming() as subscription:
        await eventually(lambda: _count(bench, "parked", 1))
        assert await subscription.redrive() == (0, 1)


async def test_the_database_away_stops_consuming_and_it_goes_on_when_it_is_back(bench, relay, postgres_server):
    """INVARIANT: transient errors are waited out, never parked."""
    await bench.write("rejected/a", 10)
    async with bench.consuming() as subscription:
        await eventually(lambda: len(bench.handled) == 10)
        name = await bench.consumer_log.pool.fetchval("SELECT current_database()")
        admin = await asyncpg.connect(postgres_server.admin_url)
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await bench.write("rejected/a", 10, after=10)
        await eventually(lambda: subscription.problem)
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await admin.close()
        await eventually(lambda: len(bench.handled) == 20)
    assert await bench.parked() == []


async def test_two_consumers_of_a_group_do_each_message_once(bench, relay):
    await bench.write("rejected/a", 50)
    await asyncio.gather(*(bench.write(f"rejected/{n}", 20) for n in range(20)))
    async with bench.consuming(), bench.consuming():
        await eventually(lambda: len(bench.handled) >= 450)
        await asyncio.sleep(0.3)
    assert len(bench.handled) == len(set(bench.handled)) == 450


async def test_a_fact_of_a_log_can_be_applied_again_for_a_rebuild(bench):
    await bench.write("rejected/a", 2)
    async with bench.consuming() as subscription:
        for event in await bench.log.read():
            await subscription.apply(event)
            await subscription.apply(event)
    assert len(bench.handled) == 4


async def test_the_types_of_other_topics_are_not_mixed_up(bench):
    assert consume.is_transient(Conflict("x"))
    assert not consume.is_transient(asyncpg.DataError("x"))
    assert not consume.is_transient(ValueError("x"))


async def test_a_message_of_a_type_without_a_handler_waits_for_an_upgrade(bench, relay):
    await bench.write("rejected/a", 1)
    async with bench.consuming(handlers={pb.SourceStateChanged: bench.note}):
        await eventually(lambda: _count(bench, "parked", 1))
    async with bench.consuming() as subscription:
        assert await subscription.redrive() == (1, 0)


async def _count(bench, table: str, count: int) -> bool:
    return await bench.consumer_log.pool.fetchval(f"SELECT count(*) FROM {table}") == count
