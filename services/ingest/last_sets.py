"""The element set of each object that was published last: one row an object, however long its history."""

from collections.abc import Sequence

from libs.eventlog import Recorded
from libs.postgres import Connection
from services.ingest.jumps import FIELDS, LastPublished, Published
from spacecom.ingest.v1 import ingest_events_pb2 as pb


async def last_published(conn: Connection, numbers: Sequence[int]) -> dict[int, LastPublished]:
    rows = await conn.fetch("SELECT * FROM last_sets WHERE catalogue_number = ANY ($1::int[])", numbers)
    return {row["catalogue_number"]: LastPublished(Published(*row["orbit"]), row["published_at"]) for row in rows}


async def project(conn: Connection, facts: Sequence[tuple[Recorded, pb.ElementSetAccepted]]) -> None:
    """Of sets published together the one recorded last counts."""
    if not facts:
        return
    rows = {}
    for recorded, fact in sorted(facts, key=lambda one: (one[0].available_at, one[0].position)):
        rows[fact.catalogue_number] = (fact.catalogue_number, recorded.available_at, recorded.position, _orbit(fact))
    await conn.executemany(
        """INSERT INTO last_sets AS l (catalogue_number, published_at, position, orbit) VALUES ($1, $2, $3, $4)
           ON CONFLICT (catalogue_number) DO UPDATE SET
             published_at = EXCLUDED.published_at, position = EXCLUDED.position, orbit = EXCLUDED.orbit
           WHERE (EXCLUDED.published_at, EXCLUDED.position) >= (l.published_at, l.position)""",
        list(rows.values()),
    )


def _orbit(fact: pb.ElementSetAccepted) -> list[float]:
    return [getattr(fact, name) for name in FIELDS]
