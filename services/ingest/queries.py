"""Questions to the read models; rows become frozen dataclasses."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libs.postgres import Connection
from services.ingest import queries_objects
from services.ingest.catalogue import Entry


@dataclass(frozen=True, slots=True)
class RejectionRow:
    position: int
    body: bytes
    redistribution: str


async def entries(conn: Connection, asked: Sequence[tuple[int, bytes, float]]) -> dict[int, Entry]:
    """What the catalogue holds of the objects of these sets, each by number, fingerprint and the epoch's day.

    Of fingerprints only those asked for, each looked up in the one partition that may hold it: OFFSET 0 keeps it so.
    """
    numbers = [number for number, _, _ in asked]
    sets: dict[int, set[bytes]] = defaultdict(set)
    for row in await conn.fetch(
        """SELECT found.catalogue_number, found.fingerprint
           FROM unnest($1::int[], $2::bytea[], $3::float8[]) AS asked (catalogue_number, fingerprint, epoch_jd),
                LATERAL (SELECT s.catalogue_number, s.fingerprint FROM element_sets s
                         WHERE (s.catalogue_number, s.fingerprint, s.epoch_jd)
                             = (asked.catalogue_number, asked.fingerprint, asked.epoch_jd) OFFSET 0) AS found""",
        numbers,
        [fingerprint for _, fingerprint, _ in asked],
        [epoch_jd for _, _, epoch_jd in asked],
    ):
        sets[row["catalogue_number"]].add(row["fingerprint"])
    known = await queries_objects.known(conn, numbers)
    return {number: Entry(one, frozenset(sets[number])) for number, one in known.items()}


async def known_contents(conn: Connection, keys: Sequence[bytes]) -> set[bytes]:
    rows = await conn.fetch("SELECT content_key FROM object_messages WHERE content_key = ANY ($1)", keys)
    return {row["content_key"] for row in rows}


async def third_party_predictions(conn: Connection, number: int, rights: Collection[str], limit: int) -> list[bytes]:
    """Newest first, of the classes that the caller may have."""
    rows = await conn.fetch(
        """SELECT body FROM object_messages
           WHERE catalogue_number = $1 AND kind = 'spacecom.ingest.v1.ThirdPartyPredictionRecorded'
             AND string_to_array(redistribution, ',') <@ $2::text[]
           ORDER BY said_at DESC, position DESC LIMIT $3""",
        number,
        list(rights),
        limit,
    )
    return [row["body"] for row in rows]


async def airspace_sha256(conn: Connection, dataset: str) -> str:
    return await conn.fetchval("SELECT geojson_sha256 FROM airspaces WHERE dataset = $1", dataset) or ""


async def rejection_count(conn: Connection, source: str, input_sha256: str) -> int:
    count: int = await conn.fetchval(
        "SELECT count(*) FROM rejections WHERE input_sha256 = $1 AND source = $2", input_sha256, source
    )
    return count


async def rejections_before(
    conn: Connection, source: str, reason: int, position: int, limit: int
) -> list[RejectionRow]:
    """Newest first; position 0 starts at the newest."""
    rows = await conn.fetch(
        """SELECT position, body, redistribution FROM rejections
           WHERE ($1 = '' OR source = $1) AND ($2 = 0 OR reason = $2) AND ($3::bigint = 0 OR position < $3)
           ORDER BY position DESC LIMIT $4""",
        source,
        reason,
        position,
        limit,
    )
    return [RejectionRow(**row) for row in rows]


async def rejection_class(conn: Connection, source: str, input_sha256: str, line: int) -> str | None:
    """Redistribution class of a refusal at this line; None where there is none."""
    found: str | None = await conn.fetchval(
        "SELECT redistribution FROM rejections WHERE input_sha256 = $1 AND source = $2 AND line = $3 LIMIT 1",
        input_sha256,
        source,
        line,
    )
    return found


async def versions(conn: Connection, streams: Sequence[str]) -> dict[str, int]:
    rows = await conn.fetch(
        "SELECT stream, max(version) AS version FROM events WHERE stream = ANY ($1) GROUP BY stream", streams
    )
    return {row["stream"]: row["version"] for row in rows}
