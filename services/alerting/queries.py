"""Questions to the read models; rows become frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.postgres import Connection


@dataclass(frozen=True, slots=True)
class AlertRow:
    alert_id: str
    reentry_event_id: str
    catalogue_number: int
    fir_designator: str
    fir_name: str
    state: str
    share: float
    threat: bytes
    acknowledged_by: str
    acknowledged_at: datetime | None
    raised_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class EventRow:
    reentry_event_id: str
    catalogue_number: int
    state: int
    window_start_time: datetime
    window_end_time: datetime
    assessment_event_id: str


@dataclass(frozen=True, slots=True)
class Visible:
    """What the caller may see; empty means everything."""

    catalogue_numbers: Sequence[int]
    fir_designators: Sequence[str]


_VISIBLE = """(cardinality($1::int[]) = 0 OR catalogue_number = ANY($1))
              AND (cardinality($2::text[]) = 0 OR fir_designator = ANY($2))"""


async def alerts(
    conn: Connection, visible: Visible, number: int, after: tuple[float, str] | None, limit: int, *, cleared: bool
) -> list[AlertRow]:
    """The greatest share first; 0 is every object."""
    rows = await conn.fetch(
        f"""SELECT * FROM alerts WHERE {_VISIBLE} AND ($3 = 0 OR catalogue_number = $3)
            AND ($4 OR state <> 'cleared') AND ($5::float8 IS NULL OR (-share, alert_id) > (-$5, $6))
            ORDER BY share DESC, alert_id LIMIT $7""",
        list(visible.catalogue_numbers),
        list(visible.fir_designators),
        number,
        cleared,
        after[0] if after else None,
        after[1] if after else "",
        limit,
    )
    return [AlertRow(**row) for row in rows]


async def alert(conn: Connection, visible: Visible, alert_id: str) -> AlertRow | None:
    row = await conn.fetchrow(
        f"SELECT * FROM alerts WHERE {_VISIBLE} AND alert_id = $3",
        list(visible.catalogue_numbers),
        list(visible.fir_designators),
        alert_id,
    )
    return AlertRow(**row) if row else None


async def regions_of(conn: Connection, reentry_event_id: str) -> dict[str, str]:
    """Designators and names of the regions that were ever alerted for an event."""
    rows = await conn.fetch("SELECT fir_designator, fir_name FROM alerts WHERE reentry_event_id = $1", reentry_event_id)
    return {row["fir_designator"]: row["fir_name"] for row in rows}


async def reentry_events(conn: Connection, visible: Visible, skip: int, limit: int) -> list[EventRow]:
    """The soonest first."""
    rows = await conn.fetch(
        """SELECT * FROM reentry_events WHERE cardinality($1::int[]) = 0 OR catalogue_number = ANY($1)
           ORDER BY window_start_time, reentry_event_id OFFSET $2 LIMIT $3""",
        list(visible.catalogue_numbers),
        skip,
        limit,
    )
    return [EventRow(**row) for row in rows]
