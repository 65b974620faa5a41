"""A submission: keep the bytes, read them, decide against what is known, record."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from asyncpg import Pool

from libs.astro.elements import ElementSet, RefusalReason
from libs.astro.time import jd_to_datetime
from libs.blobs import Blobs
from libs.eventlog import Cause, EventLog
from libs.postgres import Connection
from services.ingest import (
    airspace,
    catalogue,
    codec_messages,
    datasets,
    domain,
    freshness,
    last_sets,
    messages,
    orientation,
    policies,
    queries,
    queries_objects,
    reading,
    recording_objects,
    redistribution,
    source_states,
    traffic,
    weather,
    weather_queries,
)
from services.ingest.domain import Delivery, Event, Format, InputRejected
from services.ingest.freshness import Outcome
from services.ingest.publication import Publication
from services.ingest.reading import Reader, Reading
from services.ingest.recording import by_objects, record
from services.ingest.settings import IngestSettings

SHOWN_REJECTIONS = 20
REJECTIONS_AT_ONCE = 2000
DATASETS = {
    Format.AIRSPACE: "an airspace",
    Format.AIXM: "an airspace",
    Format.TRAFFIC_CSV: "traffic density",
    Format.TRAFFIC_GEOJSON: "traffic density",
}


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
    newest_at: datetime | None = None  # newest date that it carries, as far as that tells its age


async def submit(gate: Gate, delivery: Delivery, stated: Format, data: bytes, cause: Cause) -> Receipt:
    """Idempotent by content: what is known already is counted and nothing of it recorded again.

    Recorded part by part; one that is cut off goes on where it stopped when the same bytes come again.
    """
    kept = _classed(gate, replace(delivery, input_sha256=await gate.blobs.put(data)))
    receipt = Receipt(stated, 0, 0, 0, (), kept.input_sha256)
    published = Publication(kept.known_at, timedelta(days=gate.settings.ingest_epoch_lead_days))
    reader = gate.reader.parts(stated, data, gate.settings.ingest_batch_records, published)
    del data  # a whole catalogue need not lie in memory while it is recorded
    async with aclosing(reader) as parts:
        async for part in parts:
            receipt = await _record_part(gate, part, receipt, kept, cause)
    await _record_source(gate, kept, receipt, cause)
    return receipt


async def _record_part(gate: Gate, part: Reading, before: Receipt, delivery: Delivery, cause: Cause) -> Receipt:
    part = await recording_objects.identify(gate.pool, gate.blobs, part, delivery)
    part = await _identify_messages(gate, part, delivery)
    if part.format in DATASETS and not delivery.dataset:
        raise domain.BadSubmission(f"{DATASETS[part.format]} needs the name of its dataset; state it in the header")
    accepted, duplicate = await HANDLERS[part.format](gate, part, delivery, cause)
    rejections = tuple(_rejected(refusal, part.format, delivery) for refusal in part.refusals)
    await _record_rejections(gate, rejections, before.rejected_count, delivery, cause)
    return Receipt(
        part.format,
        before.accepted_count + accepted,
        before.duplicate_count + duplicate,
        before.rejected_count + len(rejections),
        (before.rejections + rejections)[:SHOWN_REJECTIONS],
        delivery.input_sha256,
        max(filter(None, (before.newest_at, newest_at(part))), default=None),
    )


async def refuse_oversize(gate: Gate, delivery: Delivery, stated: Format, beginning: bytes, cause: Cause) -> Receipt:
    raw = beginning[: domain.MAX_RAW]
    limit = gate.settings.ingest_max_input_bytes
    detail = f"the input is larger than {limit} bytes; only its first {len(raw)} are kept; split it and send the parts"
    kept = _classed(gate, replace(delivery, input_sha256=await gate.blobs.put(raw)))
    refusal = reading.Refusal(raw, 0, 0, RefusalReason.TOO_LARGE, detail)
    rejection = _rejected(refusal, stated, kept)
    await _record_rejections(gate, (rejection,), 0, kept, cause)
    receipt = Receipt(stated, 0, 0, 1, (rejection,), kept.input_sha256)
    await _record_source(gate, kept, receipt, cause)
    return receipt


def newest_at(read: Reading) -> datetime | None:
    """Of sets and of observed weather; other content has no date, or one that says nothing of its age."""
    if read.sets:
        return max(map(catalogue.epoch_of, read.sets))
    days = [day.mjd for day in read.observed] + [day.mjd for day in read.indices]
    return jd_to_datetime(max(days) + 2400001.5, 0.0) if days else None  # the end of the day


def _classed(gate: Gate, delivery: Delivery) -> Delivery:
    stated = gate.settings.ingest_redistribution
    return replace(delivery, redistribution=redistribution.class_of(delivery.source, stated))


async def _identify_messages(gate: Gate, read: Reading, delivery: Delivery) -> Reading:
    """Numbers for objects named by designator alone; refuses the unknown."""
    if not read.messages:
        return read
    async with gate.pool.acquire() as conn:
        numbers = await queries_objects.numbers_of(conn, messages.without_number(read.messages))
    good: list[messages.OfferMessage] = []
    refused: list[reading.Refusal] = []
    for offer in read.messages:
        fact = messages.resolved(offer, numbers, delivery)
        if fact is None:
            detail = messages.unknown_object(offer)
            refused.append(reading.Refusal(offer.raw, offer.line, offer.column, RefusalReason.MISMATCH, detail))
        else:
            good.append(replace(offer, fact=fact))
    return replace(read, messages=tuple(good), refusals=(*read.refusals, *refused))


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
    recorded: list[Event] = []
    for batch in by_objects(read.sets, gate.settings.ingest_batch_records):
        streams = [f"{kind}/{number}" for number in batch for kind in ("object", "elements")]
        decide = partial(_decide_offers, batch, delivery)
        recorded += await record(gate.pool, gate.log, streams, decide, delivery, cause)
    accepted = sum(isinstance(event, domain.ElementSetAccepted) for event in recorded)
    return accepted, len(read.sets) - accepted


async def _decide_offers(batch: dict[int, tuple[ElementSet, ...]], delivery: Delivery, conn: Connection) -> list[Event]:
    asked = [(number, catalogue.fingerprint(one), one.epoch_jd) for number, sets in batch.items() for one in sets]
    entries = await queries.entries(conn, asked)
    last = await last_sets.last_published(conn, list(batch))
    events: list[Event] = []
    for number, sets in batch.items():
        offer = catalogue.OfferElements(sets, delivery, last.get(number))
        events += catalogue.decide_entry(offer, entries.get(number, catalogue.NEW))
    return events


async def record_messages(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    async def decide(conn: Connection) -> Sequence[Event]:
        return messages.decide_messages(offered, await queries.known_contents(conn, list(offered)))

    facts = [offer.fact for offer in read.messages]
    offered = {codec_messages.content_key(codec_messages.to_wire(fact)): fact for fact in facts}
    streams = sorted({domain.stream_of(fact) for fact in offered.values()})
    accepted = len(await record(gate.pool, gate.log, streams, decide, delivery, cause)) if offered else 0
    return accepted, len(read.messages) - accepted


async def record_statements(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    size = gate.settings.ingest_batch_records
    accepted = await recording_objects.record_statements(gate.pool, gate.log, read.statements, delivery, cause, size)
    return accepted, len(read.statements) - accepted


async def record_weather(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    async def decide(conn: Connection) -> list[Event]:
        offer = weather.OfferWeather(read.observed, read.predicted, delivery, read.indices)
        return weather.decide_weather(
            offer, await weather_queries.known_weather(conn, delivery.source, delivery.available_at)
        )

    recorded = await record(gate.pool, gate.log, [f"weather/{delivery.source}"], decide, delivery, cause)
    observed = domain.SpaceWeatherIndicesRecorded if read.indices else domain.SpaceWeatherRecorded
    kinds = (observed, domain.SpaceWeatherForecastRecorded)
    accepted = sum(len(event.days) for event in recorded if isinstance(event, kinds))
    return accepted, len(read.observed) + len(read.indices) + len(read.predicted) - accepted


async def record_airspace(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    async def decide(conn: Connection) -> list[Event]:
        offer = airspace.OfferAirspace(read.feature_count, read.invalid_features, read.notice, kept)
        return airspace.decide_airspace(offer, await queries.airspace_sha256(conn, delivery.dataset))

    if not read.feature_count:
        return 0, 0
    kept = replace(delivery, input_sha256=await gate.blobs.put(read.geojson)) if read.geojson else delivery
    new = bool(await record(gate.pool, gate.log, [f"airspace/{delivery.dataset}"], decide, delivery, cause))
    return new * read.feature_count, (not new) * read.feature_count


async def record_orientation(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    async def decide(conn: Connection) -> Sequence[Event]:
        offer = orientation.OfferOrientation(read.orientation, delivery)
        return orientation.decide_orientation(offer, await datasets.known_orientation(conn, delivery.source))

    recorded = await record(gate.pool, gate.log, [f"eop/{delivery.source}"], decide, delivery, cause)
    accepted = sum(len(event.days) for event in recorded if isinstance(event, domain.EarthOrientationRecorded))
    return accepted, len(read.orientation) - accepted


async def record_traffic(gate: Gate, read: Reading, delivery: Delivery, cause: Cause) -> tuple[int, int]:
    covered = read.traffic
    if covered is None:
        return 0, 0
    offer = traffic.OfferTraffic(covered, read.invalid_features, read.notice, delivery)

    async def decide(conn: Connection) -> Sequence[Event]:
        return traffic.decide_traffic(offer, await datasets.traffic_sha256(conn, delivery.dataset))

    new = bool(await record(gate.pool, gate.log, [f"traffic/{delivery.dataset}"], decide, delivery, cause))
    return new * covered.row_count, (not new) * covered.row_count


async def record_nothing(_gate: Gate, _read: Reading, _delivery: Delivery, _cause: Cause) -> tuple[int, int]:
    return 0, 0


async def _record_rejections(
    gate: Gate, rejections: Sequence[InputRejected], before: int, delivery: Delivery, cause: Cause
) -> None:
    """Goes on where an earlier submission of the same bytes stopped; `before` these came so many of the same file."""

    async def decide(conn: Connection) -> Sequence[Event]:
        known = await queries.rejection_count(conn, delivery.source, delivery.input_sha256)
        return rejections[max(0, known - before) :][:REJECTIONS_AT_ONCE]

    while rejections:
        if not await record(gate.pool, gate.log, [f"rejected/{delivery.source}"], decide, delivery, cause):
            return


async def _record_source(gate: Gate, delivery: Delivery, receipt: Receipt, cause: Cause) -> None:
    if delivery.polled:
        return
    expected = source_states.Expectations(gate.settings).of(delivery.source, policies.kind_of(receipt.format))
    outcome = Outcome(delivery.received_at, receipt.accepted_count, receipt.duplicate_count, receipt.rejected_count)
    command = freshness.command_of(outcome, attempt=False)
    await source_states.change(gate.pool, gate.log, delivery.source, command, expected, cause)


Handle = Callable[[Gate, Reading, Delivery, Cause], Awaitable[tuple[int, int]]]
HANDLERS: dict[Format, Handle] = {
    Format.TLE: record_elements,
    Format.OMM_JSON: record_elements,
    Format.OMM_XML: record_elements,
    Format.OMM_KVN: record_elements,
    Format.OMM_CSV: record_elements,
    Format.TIP: record_messages,
    Format.RDM: record_messages,
    Format.CDM: record_messages,
    Format.OEM: record_messages,
    Format.CSSI: record_weather,
    Format.WEATHER_CSV: record_weather,
    Format.SWPC: record_weather,
    Format.AIRSPACE: record_airspace,
    Format.AIXM: record_airspace,
    Format.ORIENTATION: record_orientation,
    Format.TRAFFIC_CSV: record_traffic,
    Format.TRAFFIC_GEOJSON: record_traffic,
    Format.SATCAT: record_statements,
    Format.DECAY: record_statements,
    Format.DISCOS: record_statements,
    Format.UNKNOWN: record_nothing,
}
