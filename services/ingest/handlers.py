"""A submission: keep the bytes, read them, decide against what is known, record."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import TypeVar

import stamina

from libs.astro.elements import ElementSet, RefusalReason
from libs.blobs import Blobs
from libs.eventlog import Cause, Conflict, EventLog, Fact, new_id
from libs.postgres import Connection, Pool
from services.ingest import codec, domain, freshness, queries, reading
from services.ingest.domain import Delivery, Event, Format, InputRejected
from services.ingest.freshness import Outcome
from services.ingest.reading import Reader, Reading
from services.ingest.settings import IngestSettings

CONFLICT_ATTEMPTS = 20
SHOWN_REJECTIONS = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gate:
    """What a submission is handled with."""

    pool: Pool
    log: EventLog
    blobs: Blobs
    reader: Reader
    settings: IngestSettings


@dataclass(frozen=True, slots=True)
class Receipt:
    format: Format
    accepted_count: int
    duplicate_count: int
    rejected_count: int
    rejections: tuple[InputRejected, ...]
    input_sha256: str


async def submit(gate: Gate, delivery: Delivery, stated: Format, data: bytes, cause: Cause) -> Receipt:
    """Idempotent by content: what is known already is counted and nothing of it recorded again."""
    kept = replace(delivery, input_sha256=await gate.blobs.put(data))
    read = await gate.reader.read(stated, data)
    read = _refuse_epochs(read, kept, timedelta(days=gate.settings.ingest_epoch_lead_days))
    if read.format is Format.AIRSPACE and not kept.dataset:
        raise domain.BadSubmission("an airspace needs the name of its dataset; state it in the header")
    accepted, duplicate = await HANDLERS[read.format](gate, read, kept, cause)
    rejections = tuple(_rejected(refusal, read.format, kept) for refusal in read.refusals)
    await _record_rejections(gate, rejections, kept, cause)
    outcome = Outcome(kept, accepted, duplicate, len(rejections))
    await _record_source(gate, outcome, cause)
    return Receipt(read.format, accepted, duplicate, len(rejections), rejections[:SHOWN_REJECTIONS], kept.input_sha256)


async def refuse_oversize(gate: Gate, delivery: Delivery, stated: Format, beginning: bytes, cause: Cause) -> Receipt:
    raw = beginning[: domain.MAX_RAW]
    limit = gate.settings.ingest_max_input_bytes
    detail = f"the input is larger than {limit} bytes; only its first {len(raw)} are kept; split it and send the parts"
    kept = replace(delivery, input_sha256=await gate.blobs.put(raw))
    refusal = reading.Refusal(raw, 0, 0, RefusalReason.TOO_LARGE, detail)
    rejection = _rejected(refusal, stated, kept)
    await _record_rejections(gate, (rejection,), kept, cause)
    await _record_source(gate, Outcome(kept, 0, 0, 1), cause)
    return Receipt(stated, 0, 0, 1, (rejection,), kept.input_sha256)


def _refuse_epochs(read: Reading, delivery: Delivery, lead: timedelta) -> Reading:
    problems = [(elements, domain.epoch_problem(elements, delivery, lead)) for elements in read.sets]
    refused = tuple(
        reading.Refusal(
            str(elements.catalogue_number).encode(),
            0,
            0,
            RefusalReason.EPOCH,
            f"object {elements.catalogue_number}: {problem}",
        )
        for elements, problem in problems
        if problem
    )
    good = tuple(elements for elements, problem in problems if not problem)
    return replace(read, sets=good, refusals=read.refusals + refused)


def _rejected(refusal: reading.Refusal, found: Format, delivery: Delivery) -> InputRejected:
    return InputRejected(
        delivery.source,
        found,
        refusal.raw,
        refusal.line,
        refusal.column,
        refusal.reason,
        refusal.detail,
        delivery.input_sha256,
    )


# --- one handler for each format: (gate, reading, delivery, cause) -> (accepted, duplicate) ---------------------


async def record_elements(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    accepted = 0
    for offers in _batches(read.sets, delivery, gate.settings.ingest_batch_objects):
        accepted += await _transaction(gate, lambda conn, offers=offers: _append_offers(gate, conn, offers, cause))
    return accepted, len(read.sets) - accepted


def _batches(sets: Sequence[ElementSet], delivery: Delivery, size: int) -> Iterator[dict[int, domain.OfferElements]]:
    ordered = sorted(sets, key=lambda elements: elements.catalogue_number)
    groups = groupby(ordered, key=lambda elements: elements.catalogue_number)
    offers = ((number, domain.OfferElements(tuple(group), delivery)) for number, group in groups)
    while batch := dict(islice(offers, size)):
        yield batch


async def _append_offers(gate: Gate, conn: Connection, offers: dict[int, domain.OfferElements], cause: Cause) -> int:
    entries = await queries.entries(conn, list(offers))
    events: list[Event] = []
    for number, offer in offers.items():
        events += domain.decide_entry(offer, entries.get(number, domain.Entry()))
    delivery = next(iter(offers.values())).delivery
    await append(gate, conn, events, delivery, cause)
    return sum(isinstance(event, domain.ElementSetAccepted) for event in events)


async def record_weather(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    offer = domain.OfferWeather(read.observed, read.predicted, delivery)

    async def work(conn: Connection) -> int:
        events = domain.decide_weather(offer, await queries.known_weather(conn, delivery.source))
        await append(gate, conn, events, delivery, cause)
        return sum(
            len(event.days)
            for event in events
            if isinstance(event, domain.SpaceWeatherRecorded | domain.SpaceWeatherForecastRecorded)
        )

    accepted = await _transaction(gate, work)
    return accepted, len(read.observed) + len(read.predicted) - accepted


async def record_airspace(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    if not read.feature_count:
        return 0, 0
    offer = domain.OfferAirspace(read.feature_count, read.invalid_features, read.notice, delivery)

    async def work(conn: Connection) -> int:
        events = domain.decide_airspace(offer, await queries.airspace_sha256(conn, delivery.dataset))
        await append(gate, conn, events, delivery, cause)
        return len(events)

    accepted = await _transaction(gate, work)
    return accepted * read.feature_count, (1 - accepted) * read.feature_count


async def record_nothing(_gate: Gate, _read: Reading, _delivery: Delivery, _cause: Cause) -> tuple[int, int]:
    return 0, 0


async def _record_rejections(gate: Gate, rejections: Sequence[InputRejected], delivery: Delivery, cause: Cause) -> None:
    async def work(conn: Connection) -> None:
        if rejections and not await queries.rejected_before(conn, delivery.source, delivery.input_sha256):
            await append(gate, conn, rejections, delivery, cause)

    await _transaction(gate, work)


async def _record_source(gate: Gate, outcome: Outcome, cause: Cause) -> None:
    async def work(conn: Connection) -> None:
        source = freshness.Source()
        for recorded in await gate.log.load(conn, f"source/{outcome.delivery.source}"):
            source = codec.source_from_wire(recorded.message())
        await append(gate, conn, freshness.decide_source(outcome, source), outcome.delivery, cause)

    await _transaction(gate, work)


# --- recording -------------------------------------------------------------------------------------------------


async def _transaction(gate: Gate, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Reads and appends in one transaction; a stream that moved meanwhile is read again."""
    async for attempt in stamina.retry_context(on=Conflict, attempts=CONFLICT_ATTEMPTS, wait_initial=0.005):
        with attempt:
            async with gate.pool.acquire() as conn, conn.transaction():
                return await work(conn)
    raise AssertionError("the last attempt returns or raises")


async def append(gate: Gate, conn: Connection, events: Sequence[Event], delivery: Delivery, cause: Cause) -> None:
    if not events:
        return
    by_stream: dict[str, list[Fact]] = {}
    for event in events:
        by_stream.setdefault(domain.stream_of(event), []).append(_fact(event, delivery))
    versions = await queries.versions(conn, list(by_stream))
    writes = [(stream, versions.get(stream, 0), facts) for stream, facts in by_stream.items()]
    await gate.log.append_all(conn, writes, cause)


def _fact(event: Event, delivery: Delivery) -> Fact:
    occurred_at, available_at = _times(event, delivery)
    return Fact(codec.to_wire(event), occurred_at, new_id(), available_at)


def _times(event: Event, delivery: Delivery) -> tuple[datetime, datetime | None]:
    if isinstance(event, domain.ElementSetAccepted):
        epoch = domain.epoch_of(event.elements)
        return epoch, delivery.available_at or epoch
    return delivery.available_at or delivery.received_at, delivery.available_at


Handle = Callable[[Gate, Reading, Delivery, Cause], Awaitable[tuple[int, int]]]
HANDLERS: dict[Format, Handle] = {
    Format.TLE: record_elements,
    Format.OMM_JSON: record_elements,
    Format.CSSI: record_weather,
    Format.AIRSPACE: record_airspace,
    Format.UNKNOWN: record_nothing,
}
