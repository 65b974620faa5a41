"""One message in a hundred is bad: what becomes of it, of its neighbours, and of it once its cause is mended."""

import asyncio
from collections import Counter

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from libs import consume, postgres
from libs.consume import Rejected
from libs.eventlog import Cause, new_id
from libs.tests.facts import cause, eventually, fact
from libs.tests.test_consume import GOOD, changed, good_headers
from spacecom.ingest.v1 import ingest_events_pb2 as pb

ONE_IN = 100
FAILING = b"failing"
BAD = {
    "missing": lambda headers: [pair for pair in headers if pair[0] != "ce_id"],
    "not UTF-8": lambda headers: changed(headers, "ce_correlationid", b"\xff\xfe"),
    "NUL": lambda headers: changed(headers, "ce_subject", b"rejected/\0"),
    "no headers": lambda _: [],
    "endless number": lambda headers: changed(headers, "ce_sequence", b"9" * 5000),
}


def message_of(n: int) -> tuple[list[tuple[str, bytes]], bytes, str]:
    """Headers, body and what is wrong: every hundredth is bad, in each way in turn."""
    stream, headers = f"rejected/{n % 7}", good_headers(f"rejected/{n % 7}", n // 7 + 1)
    if n % ONE_IN != ONE_IN // 2:
        return headers, GOOD, ""
    kinds = [*BAD, "undecodable", "failing"]
    kind = kinds[n // ONE_IN % len(kinds)]
    if kind in BAD:
        return BAD[kind](headers), GOOD, kind
    body = b"\xff\xff" if kind == "undecodable" else pb.InputRejected(source=stream, raw=FAILING).SerializeToString()
    return headers, body, kind


async def send_all(bench, count: int) -> Counter:
    producer = AIOKafkaProducer(bootstrap_servers=bench.bootstrap)
    await producer.start()
    sent: Counter[str] = Counter()
    try:
        for n in range(count):
            headers, body, kind = message_of(n)
            await producer.send(bench.topic, body, key=b"%d" % (n % 7), headers=headers)
            sent[kind] += 1
    finally:
        await producer.stop()
    return sent


@pytest.mark.parametrize(("batch", "count"), [(1, 700), (100, 3500)], ids=["singly", "in batches"])
async def test_one_bad_message_in_a_hundred_is_set_aside_and_redriven_once(bench, batch, count):
    """INVARIANT: a partition goes on past what is bad; nothing is lost, nothing done twice, nothing read in a loop."""
    mended = False
    attempts: Counter[tuple[str, int]] = Counter()

    async def handler(delivery):
        attempts[delivery.stream, delivery.sequence] += 1
        if delivery.message.raw == FAILING and not mended:
            raise Rejected("not yet")
        return await bench.note(delivery)

    sent = await send_all(bench, count)
    bad = count - sent[""]
    async with bench.consuming(handler, batch=batch) as subscription:
        await eventually(lambda: len(bench.handled) == sent[""], 60.0)
        parked = await bench.parked()
        assert len(parked) == bad
        assert all(row["error"] for row in parked)
        await asyncio.sleep(0.5)
        assert max(attempts.values()) <= 2  # in a batch once, and once alone
        mended = True
        assert await subscription.redrive() == (sent["failing"], bad - sent["failing"])
        handled = list(bench.handled)
        assert await subscription.redrive() == (0, bad - sent["failing"])
    assert len(handled) == len(set(handled)) == sent[""] + sent["failing"]
    assert bench.handled == handled


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 100_000, "\x1b[31m\r\n", "ż" * 3000], ids=ascii)
async def test_whatever_an_error_says_it_can_be_set_aside(bench, text):
    """INVARIANT: setting aside cannot itself fail for what the message holds, or the partition stands still."""

    async def handler(delivery):
        raise Rejected(text)

    await bench.send(good_headers(), GOOD)
    async with bench.consuming(handler):
        await eventually(lambda: _parked_count(bench, 1))
    (row,) = await bench.parked()
    assert row["error"].isascii()
    assert row["error"].isprintable()


async def test_a_message_without_a_body_is_set_aside_and_one_with_foreign_headers_is_not(bench):
    await bench.send(good_headers(sequence=1), None)
    await bench.send([*good_headers(sequence=2), ("x", b"\xff"), ("ce_foreign", b"\0")], GOOD)
    async with bench.consuming():
        await eventually(lambda: len(bench.handled) == 2)
    assert await bench.parked() == []  # no bytes are an empty message


async def test_setting_aside_that_fails_is_tried_again(bench, postgres_server):
    """INVARIANT: what could not be set aside is not passed over."""
    name = postgres.database("propagation", bench.namespace)
    owner = await asyncpg.connect(f"{postgres_server.admin_url.removesuffix('/postgres')}/{name}")
    await owner.execute("ALTER TABLE parked RENAME TO elsewhere")
    async with bench.consuming() as subscription:
        await bench.send([], b"what")
        await bench.send(good_headers(), GOOD)
        await eventually(lambda: subscription.problem)
        assert bench.handled == []
        await owner.execute("ALTER TABLE elsewhere RENAME TO parked")
        await owner.close()
        await eventually(lambda: len(bench.handled) == 1)
    assert [row["body"] for row in await bench.parked()] == [b"what"]


async def test_what_comes_while_its_stream_is_redriven_waits_and_is_handled(bench):
    """INVARIANT: consumer and redrive take the same lock of a stream. Without it the consumer sees the message that
    is just being redriven as still parked, and sets the next one aside for no reason."""
    mended, redriving, go_on = False, asyncio.Event(), asyncio.Event()

    async def handler(delivery):
        if not mended:
            raise Rejected("not yet")

        async def commit(conn):
            if delivery.sequence == 1:
                redriving.set()
                await go_on.wait()
            bench.handled.append((delivery.stream, delivery.sequence))

        return commit

    await bench.send(good_headers(sequence=1), GOOD)
    async with bench.consuming(handler, ordered=True) as subscription:
        await eventually(lambda: _parked_count(bench, 1))
        mended = True
        redrive = asyncio.create_task(subscription.redrive())
        await redriving.wait()
        await bench.send(good_headers(sequence=2), GOOD)
        await asyncio.sleep(1.0)
        assert bench.handled == []
        go_on.set()
        assert await redrive == (1, 0)
        await eventually(lambda: len(bench.handled) == 2)
    assert bench.handled == [("rejected/a", 1), ("rejected/a", 2)]
    assert await bench.parked() == []


async def test_a_trace_goes_through_log_and_broker_into_what_follows(bench, relay):
    """INVARIANT: what follows from a fact names it as its cause and goes on with its trace and correlation."""
    trace, seen = "4bf92f3577b34da6a3ce929d0e0e4736", []
    why = Cause(new_id(), None, f"00-{trace}-00f067aa0ba902b7-01")
    (stored,) = await bench.log.commit("rejected/a", [fact()], after=0, cause=why)

    async def handler(delivery):
        seen.append(delivery.cause)

    async with bench.consuming(handler):
        await eventually(lambda: seen)
    (followed,) = seen
    assert (followed.correlation_id, followed.causation_id) == (why.correlation_id, stored.event_id)
    assert followed.traceparent.split("-")[1] == trace


async def test_a_batch_that_spans_streams_and_repeats_is_handled_once_each(bench):
    for n in (1, 2, 1, 3, 2):
        await bench.send(good_headers("rejected/a", n), GOOD)
        await bench.send(good_headers("rejected/b", n), GOOD)
    async with bench.consuming():
        await eventually(lambda: len(bench.handled) >= 6)
        await asyncio.sleep(0.3)
    assert sorted(bench.handled) == [(f"rejected/{s}", n) for s in "ab" for n in (1, 2, 3)]


def test_what_the_driver_refuses_is_not_waited_for():
    assert not consume.is_transient(asyncpg.CharacterNotInRepertoireError("x"))
    assert not consume.is_transient(asyncpg.UniqueViolationError("x"))
    assert consume.is_transient(asyncpg.ConnectionDoesNotExistError("x"))
    assert cause().causation_id is None


async def _parked_count(bench, count: int) -> bool:
    return len(await bench.parked()) == count
