"""Questions to the read models; rows become frozen dataclasses."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.postgres import Connection
from services.ingest import queries_objects
from services.ingest.catalogue import Entry


@dataclass(frozen=True, slots=True)
class SourceRow:
    source: str
    state: int
    reason: str
    last_delivery_at: datetime | None
    delivers: str


@dataclass(frozen=True, slots=True)
class RejectionRow:
    position: int
    body: bytes
    redistribution: str


async def entries(conn: Connection, numbers: Sequence[int]) -> dict[int, Entry]:
    sets: dict[int, set[bytes]] = defaultdict(set)
    for row in await conn.fetch(
        "SELECT catalogue_number, fingerprint FROM element_sets WHERE catalogue_number = ANY ($1)", numbers
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


async def rejections_before(conn: Connection, source: str, position: int, limit: int) -> list[RejectionRow]:
    """Newest first; position 0 starts at the newest."""
    rows = await conn.fetch(
        """SELECT position, body, redistribution FROM rejections
           WHERE ($1 = '' OR source = $1) AND ($2::bigint = 0 OR position < $2)
           ORDER BY position DESC LIMIT $3""",
        source,
        position,
        limit,
    )
    return [RejectionRow(**row) for row in rows]


async def sources(conn: Connection) -> list[SourceRow]:
    rows = await conn.fetch(
        """SELECT source, state, reason, last_delivery_at,
                  CASE WHEN EXISTS (SELECT FROM weather_vintages w WHERE w.source = s.source) THEN 'weather'
                       WHEN EXISTS (SELECT FROM airspaces a WHERE a.source = s.source) THEN 'airspace'
                       ELSE 'elements' END AS delivers
           FROM sources s ORDER BY source"""
    )
    return [SourceRow(**row) for row in rows]


async def versions(conn: Connection, streams: Sequence[str]) -> dict[str, int]:
    rows = await conn.fetch(
        "SELECT stream, max(version) AS version FROM events WHERE stream = ANY ($1) GROUP BY stream", streams
    )
    return {row["stream"]: row["version"] for row in rows}
