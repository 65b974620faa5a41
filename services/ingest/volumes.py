"""Which volumes of airspace meet a box: the database narrows them down by its spatial index, one rule decides.

The rows are made of the kept file when they are first asked for.
"""

import asyncio
import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from asyncpg import Pool, Record

from libs.astro import airspace_boxes, airspace_geojson, airspace_outline
from libs.astro.airspace_boxes import Array
from libs.astro.airspace_geojson import Volume
from libs.blobs import Blobs
from libs.postgres import Connection

_WKB = struct.Struct("<BII")  # little-endian, kind of geometry, count of its parts
_POLYGON, _MULTIPOLYGON = 3, 6


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees within [-180, 180] and [-90, 90]; east below west goes over the antimeridian."""

    west_deg: float
    south_deg: float
    east_deg: float
    north_deg: float

    @property
    def halves(self) -> tuple["Box", ...]:
        if self.west_deg <= self.east_deg:
            return (self,)
        return (
            Box(self.west_deg, self.south_deg, 180.0, self.north_deg),
            Box(-180.0, self.south_deg, self.east_deg, self.north_deg),
        )


@dataclass(frozen=True, slots=True)
class VolumeRow:
    dataset: str
    ident: str
    name: str
    kind: str
    lower_fl: float
    upper_fl: float
    area_km2: float


async def meeting(pool: Pool, blobs: Blobs, dataset: str, rights: Collection[str], box: Box) -> list[VolumeRow]:
    """The smallest first, of one dataset or all that the caller may have."""
    async with pool.acquire() as conn:
        datasets = await conn.fetch(
            """SELECT dataset, geojson_sha256 FROM airspaces
               WHERE ($1 = '' OR dataset = $1) AND string_to_array(redistribution, ',') <@ $2::text[]
               ORDER BY dataset""",
            dataset,
            list(rights),
        )
    found = []
    for row in datasets:
        await _ensure(pool, blobs, row["geojson_sha256"])
        async with pool.acquire() as conn:
            found += [_row(row["dataset"], volume) for volume in await _meeting(conn, row["geojson_sha256"], box)]
    return sorted(found, key=lambda one: (one.area_km2, one.ident, one.dataset))


async def _meeting(conn: Connection, sha256: str, box: Box) -> Iterable[Record]:
    found: dict[int, Record] = {}
    for half in box.halves:
        sides = half.west_deg, half.south_deg, half.east_deg, half.north_deg
        for row in await conn.fetch("SELECT * FROM airspace_volumes_near($1, $2, $3, $4, $5)", sha256, *sides):
            if airspace_boxes.meets(_rings(row["outline"]), *sides):
                found[row["place"]] = row
    return found.values()


def _row(dataset: str, row: Record) -> VolumeRow:
    names = ("ident", "name", "kind", "lower_fl", "upper_fl", "area_km2")
    return VolumeRow(dataset, *(row[name] for name in names))


async def _ensure(pool: Pool, blobs: Blobs, sha256: str) -> None:
    if await pool.fetchval("SELECT EXISTS (SELECT FROM airspace_volumes WHERE geojson_sha256 = $1)", sha256):
        return
    rows = await asyncio.to_thread(_rows, sha256, await blobs.get(sha256))
    async with pool.acquire() as conn, conn.transaction():
        await conn.executemany(
            """INSERT INTO airspace_volumes
                 (geojson_sha256, place, ident, name, kind, lower_fl, upper_fl, area_km2, outline, extent)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, box(point($10, $11), point($12, $13)))
               ON CONFLICT DO NOTHING""",
            rows,
        )


async def forget_replaced(conn: Connection) -> None:
    await conn.execute(
        "DELETE FROM airspace_volumes WHERE geojson_sha256 NOT IN (SELECT geojson_sha256 FROM airspaces)"
    )


def _rows(sha256: str, geojson: bytes) -> list[tuple[object, ...]]:
    volumes, _ = airspace_geojson.read(geojson)
    return [(sha256, place, *_columns(volume)) for place, volume in enumerate(volumes)]


def _columns(volume: Volume) -> tuple[object, ...]:
    rings = [part for ring in volume.rings for part in airspace_outline.cut(ring)]
    points = np.vstack(rings)
    named = (volume.ident, volume.name, volume.kind, volume.lower_fl, volume.upper_fl, volume.area_km2)
    return (*named, outline_of(rings), *points.min(axis=0).tolist(), *points.max(axis=0).tolist())


def outline_of(rings: Collection[Array]) -> bytes:
    """WKB of a multipolygon with a polygon for each ring (OGC 06-103r4, 8.2.8)."""
    parts = [_WKB.pack(1, _POLYGON, 1) + struct.pack("<I", len(ring)) + ring.astype("<f8").tobytes() for ring in rings]
    return _WKB.pack(1, _MULTIPOLYGON, len(rings)) + b"".join(parts)


def _rings(outline: bytes) -> list[Array]:
    return list(_each_ring(outline))


def _each_ring(outline: bytes) -> Iterator[Array]:
    _, _, count = _WKB.unpack_from(outline)
    at = _WKB.size
    for _ in range(count):
        (size,) = struct.unpack_from("<I", outline, at + _WKB.size)
        at += _WKB.size + 4
        yield np.frombuffer(outline, "<f8", 2 * size, at).reshape(size, 2)
        at += 16 * size
