"""The element set of each object that was published last: one row an object, however long its history."""

from collections.abc import Sequence

from libs.eventlog import Recorded
from libs.postgres import Connection
from services.ingest.jumps import LastPublished, Published, values_of
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
        rows[fact.catalogue_number] = (fact.catalogue_number, recorded.available_at, recorded.position, values_of(fact))
    numbers, published, positions, orbits = zip(*rows.values(), strict=True)
    await conn.execute(
        """INSERT INTO last_sets AS l (catalogue_number, published_at, position, orbit)
           SELECT number, published_at, position, ARRAY[a, b, c, d, e, f, g]
           FROM unnest($1::int[], $2::timestamptz[], $3::bigint[], $4::float8[], $5::float8[], $6::float8[],
                       $7::float8[], $8::float8[], $9::float8[], $10::float8[])
             AS given (number, published_at, position, a, b, c, d, e, f, g)
           ON CONFLICT (catalogue_number) DO UPDATE SET
             published_at = EXCLUDED.published_at, position = EXCLUDED.position, orbit = EXCLUDED.orbit
           WHERE (EXCLUDED.published_at, EXCLUDED.position) >= (l.published_at, l.position)""",
        numbers,
        published,
        positions,
        *zip(*orbits, strict=True),
    )
