"""Decides on what is known and appends, so that of two that race one sees what the other recorded."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Protocol, TypeVar

import stamina
from asyncpg import Pool
from google.protobuf.message import Message

from libs.astro.time import jd_to_datetime
from libs.eventlog import Cause, Conflict, EventLog, Fact, new_id
from libs.postgres import Connection
from services.ingest import catalogue, codec, domain, queries
from services.ingest.domain import Delivery, Event
from services.ingest.redistribution import class_of_fact

CONFLICT_ATTEMPTS = 50
SUBMIT = "Submit"
Decide = Callable[[Connection], Awaitable[Sequence[Event]]]


class OfObject(Protocol):
    @property
    def catalogue_number(self) -> int: ...


T = TypeVar("T", bound=OfObject)


def by_objects(said: Iterable[T], size: int) -> Iterator[dict[int, tuple[T, ...]]]:
    """By catalogue number, in the order of the file; `size` objects at once, to share a transaction."""
    ordered = sorted(said, key=lambda one: one.catalogue_number)
    groups = ((number, tuple(group)) for number, group in groupby(ordered, key=lambda one: one.catalogue_number))
    while batch := dict(islice(groups, size)):
        yield batch


async def record(
    pool: Pool, log: EventLog, streams: Sequence[str], decide: Decide, delivery: Delivery, cause: Cause
) -> Sequence[Event]:
    """Returns what was recorded. `streams` are all that `decide` may write to."""
    async for attempt in stamina.retry_context(
        on=Conflict, attempts=CONFLICT_ATTEMPTS, timeout=30.0, wait_initial=0.005, wait_max=0.2, wait_jitter=0.02
    ):
        with attempt:
            async with pool.acquire() as conn, conn.transaction():
                return await record_within(conn, log, streams, decide, delivery, cause)
    raise AssertionError("the last attempt returns or raises")


async def remember(pool: Pool, principal: str, key: str, answer: Message) -> None:
    """Keeps the answer to a submission; what it says is in the log, so losing it costs a client no more than time."""
    await pool.execute(
        """INSERT INTO requests (principal, method, key, body_sha256, response) VALUES ($1, $2, $3, '', $4)
           ON CONFLICT (principal, method, key) DO NOTHING""",
        principal,
        SUBMIT,
        key,
        answer.SerializeToString(deterministic=True),
    )


async def record_within(
    conn: Connection, log: EventLog, streams: Sequence[str], decide: Decide, delivery: Delivery, cause: Cause
) -> Sequence[Event]:
    """In the caller's transaction, as its last step; raises Conflict when another was quicker."""
    # Versions first: a fact committed after this line makes the append conflict, and all is read again.
    versions = await queries.versions(conn, streams)
    events = await decide(conn)
    await log.append_all(conn, _writes(events, versions, delivery), cause)
    return events


def _writes(
    events: Sequence[Event], versions: dict[str, int], delivery: Delivery
) -> list[tuple[str, int, Sequence[Fact]]]:
    by_stream: dict[str, list[Fact]] = {}
    for event in events:
        by_stream.setdefault(domain.stream_of(event), []).append(_fact(event, delivery))
    return [(stream, versions.get(stream, 0), facts) for stream, facts in by_stream.items()]


def _fact(event: Event, delivery: Delivery) -> Fact:
    occurred_at, available_at = _times(event, delivery)
    redistribution = class_of_fact(event, delivery)
    return Fact(codec.to_wire(event), occurred_at, new_id(), available_at, redistribution)


def _times(event: Event, delivery: Delivery) -> tuple[datetime, datetime | None]:
    if isinstance(event, domain.ElementSetAccepted):
        return catalogue.epoch_of(event.elements), catalogue.published_at(event.elements, delivery)
    if isinstance(event, domain.ThirdPartyPredictionRecorded):
        return event.made_at, delivery.available_at or event.made_at
    if isinstance(event, domain.ObjectDecayed):
        return jd_to_datetime(event.time.jd, event.time.jd_fraction), delivery.available_at
    return delivery.known_at, delivery.available_at
