"""The only way to take facts from Kafka: at least once from the broker, once in effect.

A message is handled or parked, in order, before its offset is committed. What fails for a while is tried again in
place; nothing is skipped. What was handled is known for good by (consumer, key), so that a repeat has no effect.
"""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from google.protobuf.message import DecodeError, Message

from libs import envelope, telemetry, topics
from libs.envelope import Headers
from libs.eventlog import Cause, Conflict, EventLog, Recorded
from libs.postgres import Connection
from libs.redistribution import INTERNAL

PROGRESS_LOCK = 0x53505047
MAX_ERROR = 2000
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0
TRANSIENT = (
    Conflict,
    OSError,  # connections refused, reset, timed out
    KafkaError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # a connection closed under the query
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.OperatorInterventionError,  # the server is starting or stopping
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)

M = TypeVar("M", bound=Message)


class Rejected(Exception):
    """A handler raises it, or an error of its domain, for a message that can never be handled."""


class UnknownType(Exception):
    """No handler was written for events of this type."""


@dataclass(frozen=True)
class Delivery(Generic[M]):
    """A fact of another service. `cause` is what a fact that follows from it is appended with."""

    message: M
    event_id: UUID
    stream: str
    sequence: int
    position: int
    occurred_at: datetime
    available_at: datetime
    recorded_at: datetime
    cause: Cause
    redistribution: str = INTERNAL


Commit = Callable[[Connection], Awaitable[None]]
Handler = Callable[[Delivery[Any]], Awaitable[Commit | None]]


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came, and what its headers say as far as they can be read."""

    topic: str
    partition: int
    offset: int
    headers: Headers
    body: bytes
    stream: str
    sequence: int

    @property
    def key(self) -> str:
        _, topic = topics.split(self.topic)
        return topics.key(topic, self.stream, self.sequence) if self.stream else ""


def is_transient(error: Exception) -> bool:
    """Whether the same may succeed later; an argument the driver refuses never will."""
    return isinstance(error, TRANSIENT) and not isinstance(error, asyncpg.DataError)


def subscribe(
    broker: KafkaBroker,
    log: EventLog,
    *,
    consumer: str,
    topic: str,
    handlers: Mapping[type[Message], Handler],
    ordered: bool = False,
    batch: int = 100,
) -> "Subscription":
    """Hands each message of the topic to the handler of its type.

    A handler reads and computes without a transaction, then returns what is to be done in one, or None. With `batch`
    over 1 the commits of a batch share a transaction, and what its handlers read is older than all of them: a commit
    that rests on what was read must check it. `ordered`: one at a time, and what follows a parked message of its
    stream is parked too.
    """
    subscription = Subscription(log, consumer, topic, handlers, ordered=ordered)
    namespace, _ = topics.split(topic)
    subscriber = broker.subscriber(
        topic,
        group_id=topics.group(consumer, namespace),
        batch=True,
        max_records=1 if ordered else batch,
        batch_timeout_ms=200,
        auto_offset_reset="earliest",
        session_timeout_ms=6_000,  # the broker's least: a killed member holds its group up for so long
        heartbeat_interval_ms=1_000,
        max_poll_interval_ms=600_000,
        ack_policy=AckPolicy.MANUAL,
        listener=subscription,
        parser=_unparsed,
        decoder=_undecoded,
    )
    subscriber(subscription.consume)
    return subscription


class Subscription(ConsumerRebalanceListener):  # type: ignore[misc]  # the client has no types
    def __init__(
        self, log: EventLog, consumer: str, topic: str, handlers: Mapping[type[Message], Handler], *, ordered: bool
    ) -> None:
        self.consumer = consumer
        self.topic = topic
        self.problem = ""  # why nothing is handled now
        self.joined = asyncio.Event()  # set when the group first answered
        self._log = log
        self._handlers = {kind.DESCRIPTOR.full_name: (kind, handler) for kind, handler in handlers.items()}
        self._ordered = ordered
        self._stopping = asyncio.Event()

    async def consume(self, message: KafkaMessage) -> None:
        """Ends when all of the batch is handled or parked and its offsets are committed."""
        records = message.raw_message
        received = [_received(record) for record in (records if isinstance(records, tuple) else (records,))]
        await self._persist(lambda: self._handle_batch(received))
        with suppress(KafkaError):  # the partition is another's by now; repeats have no effect
            await message.consumer.commit()

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:  # noqa: ARG002  the broker's signature
        self.joined.set()

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """What is being handled goes on; whoever takes over finds it done, or does it."""

    def stop(self) -> None:
        """What is being retried is given up; it comes again with the next start."""
        self._stopping.set()

    async def apply(self, recorded: Recorded) -> None:
        """Handles a fact read from its owner's log, whether it was handled before or not: for rebuilding."""
        found = self._handlers.get(recorded.type)
        if found is None:
            return
        commit = await found[1](_delivery_of(recorded))
        if commit:
            async with self._log.pool.acquire() as conn, conn.transaction():
                await commit(conn)

    async def redrive(self, stream: str | None = None) -> tuple[int, int]:
        """Handles parked messages again, each stream in order up to its first failure; (handled, remaining)."""
        rows = await self._log.pool.fetch(
            """SELECT * FROM parked WHERE consumer = $1 AND ($2::text IS NULL OR stream = $2)
               ORDER BY stream, sequence, topic, partition, "offset" """,
            self.consumer,
            stream,
        )
        handled, failed = 0, set()
        for row in rows:
            if row["stream"] and row["stream"] in failed:
                continue
            if await self._redrive_one(row):
                handled += 1
            else:
                failed.add(row["stream"])
        remaining = await self._log.pool.fetchval(
            "SELECT count(*) FROM parked WHERE consumer = $1 AND ($2::text IS NULL OR stream = $2)",
            self.consumer,
            stream,
        )
        return handled, remaining

    async def _redrive_one(self, row: asyncpg.Record) -> bool:
        received = _parked(row)
        place = (self.consumer, received.topic, received.partition, received.offset)
        try:
            commit = await self._prepare(received)
            async with self._log.pool.acquire() as conn, conn.transaction():
                await self._lock(conn, [received.key])
                taken = await conn.fetchval(
                    """DELETE FROM parked WHERE consumer = $1 AND topic = $2 AND partition = $3 AND "offset" = $4
                       RETURNING true""",
                    *place,
                )
                if not taken:
                    return True  # another redrive was quicker
                await self._advance(conn, {received.key: received.sequence})
                if commit:
                    await commit(conn)
        except Exception as error:  # noqa: BLE001  kept parked, with the newest reason
            await self._log.pool.execute(
                """UPDATE parked SET error = $5
                   WHERE consumer = $1 AND topic = $2 AND partition = $3 AND "offset" = $4""",
                *place,
                _reason(error),
            )
            return False
        return True

    async def _persist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Tries again until it is done: what fails here is transient, or it is the parking that failed."""
        pause = FIRST_PAUSE_S
        while True:
            if self._stopping.is_set():
                raise asyncio.CancelledError
            try:
                await work()
            except Exception as error:  # noqa: BLE001  the broker would go on to the next message
                self._note(error)
            else:
                self.problem = ""
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _note(self, error: Exception) -> None:
        problem = f"consumer {self.consumer} waits: {type(error).__name__}: {error}"
        if problem != self.problem and not isinstance(error, Conflict):
            telemetry.log.warning("consumer_waits", consumer=self.consumer, error=problem)
        self.problem = problem

    async def _handle_batch(self, received: Sequence[Received]) -> None:
        """All in one transaction; one by one when that fails for a reason of one of them."""
        if len(received) > 1 and all(one.stream for one in received):
            try:
                await self._handle(received)
            except Exception as error:  # noqa: BLE001  found out again, and sorted, below
                telemetry.log.debug("batch_split", consumer=self.consumer, error=repr(error))
            else:
                return
        for one in received:
            await self._persist(partial(self._handle_or_park, one))

    async def _handle_or_park(self, received: Received) -> None:
        try:
            await self._handle([received])
        except Exception as error:
            if is_transient(error):
                raise
            await self._park(received, _reason(error))

    async def _handle(self, received: Sequence[Received]) -> None:
        fresh = await self._fresh(received)
        started = asyncio.get_running_loop().time()
        commits = [(one, await self._prepare(one)) for one in fresh]
        if not commits:
            return
        async with self._log.pool.acquire() as conn, conn.transaction():
            await self._lock(conn, [one.key for one, _ in commits])
            reached = await self._reached(conn, [one.key for one, _ in commits])
            due = [(one, commit) for one, commit in commits if one.sequence > reached.get(one.key, 0)]
            if self._ordered and await self._blocked(conn, due):
                raise Rejected("an earlier event of its stream is parked; redrive the stream")
            await self._advance(conn, {one.key: one.sequence for one, _ in due})
            for _, commit in due:
                if commit:
                    await commit(conn)
        labels = {"consumer": self.consumer}
        telemetry.messages_handled.add(len(due), labels)
        telemetry.handling_seconds.record(asyncio.get_running_loop().time() - started, labels)

    async def _fresh(self, received: Sequence[Received]) -> list[Received]:
        """Those not handled yet, each once."""
        async with self._log.pool.acquire() as conn:
            reached = await self._reached(conn, [one.key for one in received])
        fresh: list[Received] = []
        for one in received:
            if not one.stream or one.sequence > reached.get(one.key, 0):
                fresh.append(one)
                reached[one.key] = one.sequence
        telemetry.messages_skipped.add(len(received) - len(fresh), {"consumer": self.consumer})
        return fresh

    async def _prepare(self, received: Received) -> Commit | None:
        meta = envelope.meta(received.headers)
        if meta.type not in self._handlers:
            raise UnknownType(f"events of type {meta.type} are not known to {self.consumer}; upgrade it, then redrive")
        kind, handler = self._handlers[meta.type]
        message = kind.FromString(received.body)
        with telemetry.span(f"handle {kind.DESCRIPTOR.name}", parent=meta.cause.traceparent, consumer=self.consumer):
            cause = Cause(meta.cause.correlation_id, meta.event_id, telemetry.current_traceparent())
            delivery = Delivery(
                message,
                meta.event_id,
                meta.stream,
                meta.sequence,
                meta.position,
                meta.occurred_at,
                meta.available_at,
                meta.recorded_at,
                cause,
                meta.redistribution,
            )
            return await handler(delivery)

    async def _lock(self, conn: Connection, keys: Sequence[str]) -> None:
        """In one order, so that two with the same keys cannot wait for each other."""
        for key in sorted(set(keys)):
            await conn.execute(
                "SELECT pg_advisory_xact_lock($1, hashtext($2))", PROGRESS_LOCK, f"{self.consumer}\n{key}"
            )

    async def _reached(self, conn: Connection, keys: Sequence[str]) -> dict[str, int]:
        rows = await conn.fetch(
            "SELECT stream, sequence FROM progress WHERE consumer = $1 AND stream = ANY($2)", self.consumer, keys
        )
        return {row["stream"]: row["sequence"] for row in rows}

    async def _advance(self, conn: Connection, reached: Mapping[str, int]) -> None:
        keys = sorted(key for key in reached if key)
        if keys:
            await conn.execute(
                """INSERT INTO progress AS p (consumer, stream, sequence)
                   SELECT $1, unnest($2::text[]), unnest($3::bigint[])
                   ON CONFLICT (consumer, stream) DO UPDATE SET sequence = greatest(p.sequence, EXCLUDED.sequence)""",
                self.consumer,
                keys,
                [reached[key] for key in keys],
            )

    async def _blocked(self, conn: Connection, due: Sequence[tuple[Received, Commit | None]]) -> bool:
        streams = [one.stream for one, _ in due]
        query = "SELECT EXISTS (SELECT FROM parked WHERE consumer = $1 AND stream = ANY($2))"
        return bool(await conn.fetchval(query, self.consumer, streams))

    async def _park(self, received: Received, reason: str) -> None:
        async with self._log.pool.acquire() as conn, conn.transaction():
            if received.key:
                await self._lock(conn, [received.key])
                await self._advance(conn, {received.key: received.sequence})
            await conn.execute(
                """INSERT INTO parked (consumer, topic, partition, "offset", stream, sequence, headers, body, error)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING""",
                self.consumer,
                received.topic,
                received.partition,
                received.offset,
                received.stream,
                received.sequence,
                _dumped(received.headers),
                received.body,
                reason,
            )
        telemetry.messages_parked.add(1, {"consumer": self.consumer})
        telemetry.log.error("message_parked", consumer=self.consumer, stream=received.stream, error=reason)


async def _unparsed(records: tuple[ConsumerRecord, ...], parse: Callable[..., Awaitable[KafkaMessage]]) -> KafkaMessage:
    """Hides the headers from the broker's own parser, which gives up a whole batch for one that is not UTF-8."""
    message = await parse(tuple(dataclasses.replace(record, headers=()) for record in records))
    message.raw_message = records
    return message


async def _undecoded(message: KafkaMessage) -> KafkaMessage:
    return message


def _delivery_of(recorded: Recorded) -> Delivery[Any]:
    cause = Cause(recorded.cause.correlation_id, recorded.event_id, telemetry.current_traceparent())
    return Delivery(
        recorded.message(),
        recorded.event_id,
        recorded.stream,
        recorded.version,
        recorded.position,
        recorded.occurred_at,
        recorded.available_at,
        recorded.recorded_at,
        cause,
        recorded.redistribution,
    )


def _received(record: ConsumerRecord) -> Received:
    headers = [(name, value) for name, value in record.headers if value is not None]
    stream, sequence = envelope.readable_stream(headers)
    return Received(record.topic, record.partition, record.offset, headers, record.value or b"", stream, sequence)


def _parked(row: asyncpg.Record) -> Received:
    headers = [(name, value.encode("latin-1")) for name, value in json.loads(row["headers"])]
    return Received(row["topic"], row["partition"], row["offset"], headers, row["body"], row["stream"], row["sequence"])


def _dumped(headers: Headers) -> bytes:
    return json.dumps([(name, value.decode("latin-1")) for name, value in headers]).encode()


def _reason(error: Exception) -> str:
    """Printable ASCII, whatever the sender put into what failed."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, DecodeError):
        text = f"the body is not the message its type names: {text}"
    return text.encode("unicode_escape").decode("ascii")[:MAX_ERROR]
