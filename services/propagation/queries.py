"""Questions to the read models; rows become frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.postgres import Connection
from services.propagation import codec
from services.propagation.comparing import Other
from services.propagation.domain import Event, KnownSet, Outlook, WeatherDay
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.propagation.v1 import propagation_events_pb2 as pb


@dataclass(frozen=True, slots=True)
class PredictionRow:
    position: int
    event_id: UUID
    recorded_at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Due:
    """A prediction that waits to be made, and why."""

    catalogue_number: int
    cause_event_id: UUID
    known_at: datetime
    correlation_id: UUID
    traceparent: str
    attempts: int


_DUE = "catalogue_number, cause_event_id, known_at, correlation_id, traceparent, attempts"
_FACTS = {message.DESCRIPTOR.full_name: message for message in (pb.DecayPredicted, pb.PredictionDeclined)}


async def sets_of(conn: Connection, number: int) -> list[KnownSet]:
    """The sets of the newest epochs, enough for any fit."""
    rows = await conn.fetch(
        """SELECT event_id, available_at, body FROM element_sets WHERE catalogue_number = $1
           ORDER BY epoch_jd DESC, epoch_jd_fraction DESC, available_at DESC, event_id DESC LIMIT 400""",
        number,
    )
    return [_known_set(row["event_id"], row["available_at"], row["body"]) for row in rows]


def _known_set(event_id: UUID, available_at: datetime, body: bytes) -> KnownSet:
    elements = codec.elements_from_wire(ingest.ElementSetAccepted.FromString(body))
    return KnownSet(event_id, available_at, elements)


async def newest_set(conn: Connection, number: int, rights: frozenset[str]) -> KnownSet | None:
    """Of those in the redistribution classes a caller has a right to."""
    row = await conn.fetchrow(
        """SELECT event_id, available_at, body FROM element_sets
           WHERE catalogue_number = $1 AND redistribution = ANY ($2)
           ORDER BY epoch_jd DESC, epoch_jd_fraction DESC, available_at DESC, event_id DESC LIMIT 1""",
        number,
        sorted(rights),
    )
    return _known_set(row["event_id"], row["available_at"], row["body"]) if row else None


async def sets_named(conn: Connection, event_ids: Sequence[UUID]) -> list[KnownSet]:
    """In the order asked for; those that are not here are left out."""
    rows = await conn.fetch(
        "SELECT event_id, available_at, body FROM element_sets WHERE event_id = ANY ($1)", event_ids
    )
    known = {row["event_id"]: _known_set(row["event_id"], row["available_at"], row["body"]) for row in rows}
    return [known[event_id] for event_id in event_ids if event_id in known]


async def classes_of(conn: Connection, event_ids: Sequence[UUID]) -> set[str]:
    """Redistribution classes of these element sets."""
    rows = await conn.fetch("SELECT DISTINCT redistribution FROM element_sets WHERE event_id = ANY ($1)", event_ids)
    return {row["redistribution"] for row in rows}


async def weather(conn: Connection, first_mjd: int, last_mjd: int, known_at: datetime) -> list[WeatherDay]:
    """For each day the row that was published last, of those published by `known_at`."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (mjd) event_id, available_at, mjd, ap_3h, ap_daily, f107_observed_sfu
           FROM weather_days WHERE mjd BETWEEN $1 AND $2 AND available_at <= $3
           ORDER BY mjd, available_at DESC, position DESC""",
        first_mjd,
        last_mjd,
        known_at,
    )
    return [WeatherDay(**{**row, "ap_3h": tuple(row["ap_3h"])}) for row in map(dict, rows)]


async def weather_published_after(conn: Connection, first_mjd: int, last_mjd: int, after: datetime) -> list[datetime]:
    """When weather of these days was published later than `after`, in order."""
    rows = await conn.fetch(
        """SELECT DISTINCT available_at FROM weather_days
           WHERE mjd BETWEEN $1 AND $2 AND available_at > $3 ORDER BY available_at LIMIT 400""",
        first_mjd,
        last_mjd,
        after,
    )
    return [row["available_at"] for row in rows]


async def outlook(conn: Connection, number: int) -> Outlook:
    row = await conn.fetchrow("SELECT event_type, body FROM outlooks WHERE catalogue_number = $1", number)
    return Outlook(_fact(row["event_type"], row["body"]) if row else None)


async def declined(conn: Connection, number: int) -> pb.PredictionDeclined | None:
    """What was last said of an object, where that is that it cannot be predicted."""
    body = await conn.fetchval(
        "SELECT body FROM outlooks WHERE catalogue_number = $1 AND event_type = $2",
        number,
        pb.PredictionDeclined.DESCRIPTOR.full_name,
    )
    return pb.PredictionDeclined.FromString(body) if body is not None else None


async def outlooks(conn: Connection) -> list[Event]:
    rows = await conn.fetch("SELECT event_type, body FROM outlooks ORDER BY catalogue_number")
    return [_fact(row["event_type"], row["body"]) for row in rows]


def _fact(event_type: str, body: bytes) -> Event:
    return codec.from_wire(_FACTS[event_type].FromString(body))


async def predictions_before(conn: Connection, number: int, position: int, limit: int) -> list[PredictionRow]:
    """Newest first; position 0 starts at the newest."""
    rows = await conn.fetch(
        """SELECT position, event_id, recorded_at, body FROM predictions
           WHERE catalogue_number = $1 AND ($2::bigint = 0 OR position < $2)
           ORDER BY position DESC LIMIT $3""",
        number,
        position,
        limit,
    )
    return [PredictionRow(**row) for row in rows]


async def prediction(conn: Connection, event_id: UUID) -> PredictionRow | None:
    row = await conn.fetchrow(
        "SELECT position, event_id, recorded_at, body FROM predictions WHERE event_id = $1", event_id
    )
    return PredictionRow(**row) if row else None


async def others(conn: Connection, number: int, rights: frozenset[str] | None = None) -> list[Other]:
    """The newest of every source, of the classes a caller has a right to; of all by default."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (source) event_id, available_at, body FROM others
           WHERE catalogue_number = $1 AND ($2::text[] IS NULL OR redistribution = ANY ($2))
           ORDER BY source, made_at DESC, available_at DESC, event_id DESC""",
        number,
        None if rights is None else sorted(rights),
    )
    return [
        codec.other_from_wire(
            row["event_id"], row["available_at"], ingest.ThirdPartyPredictionRecorded.FromString(row["body"])
        )
        for row in rows
    ]


async def due(conn: Connection, attempts: int, limit: int) -> list[Due]:
    rows = await conn.fetch(f"SELECT {_DUE} FROM due WHERE attempts < $1 ORDER BY queued LIMIT $2", attempts, limit)
    return [Due(**row) for row in rows]


async def due_count(conn: Connection, attempts: int) -> int:
    return int(await conn.fetchval("SELECT count(*) FROM due WHERE attempts < $1", attempts))


async def given_up(conn: Connection, attempts: int) -> list[tuple[int, str]]:
    rows = await conn.fetch("SELECT catalogue_number, error FROM due WHERE attempts >= $1 ORDER BY queued", attempts)
    return [(row["catalogue_number"], row["error"]) for row in rows]


async def known_until(conn: Connection, number: int) -> datetime | None:
    """When the last was published of what a prediction may rest on; nothing while no set of the object is known."""
    known: datetime | None = await conn.fetchval(
        """SELECT greatest(max(s.available_at), (
                    SELECT max(w.available_at) FROM weather_days w
                    WHERE w.mjd BETWEEN max(s.epoch_jd) - 2400000.5 - 130 AND max(s.epoch_jd) - 2400000.5))
           FROM element_sets s WHERE s.catalogue_number = $1""",
        number,
    )
    return known


async def recorded(conn: Connection, event_id: UUID) -> bool:
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM events WHERE event_id = $1)", event_id))
