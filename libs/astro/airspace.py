"""Which flight information region a point lies in, at which level, and when a moving point enters and leaves it.

Edges of outlines are great circles. Where volumes overlap, a point belongs to the one of the smallest area; where areas
are equal, by designator, then by place in the file. Features of one designator make one region: its FIR and its UIR.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import airspace_geojson, airspace_index, airspace_lookup, airspace_stays, airspace_track
from libs.astro.airspace_geojson import Finding, Volume
from libs.astro.airspace_index import Index
from libs.astro.airspace_lookup import NO_POINT, NOWHERE
from libs.astro.airspace_outline import AUTHALIC_RADIUS_KM

__all__ = ["NOWHERE", "Airspace", "Finding", "Stays", "Visit", "Volume", "load_geojson"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int32]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

_BLOCK = 65_536
_PIECES = 4_096


@dataclass(frozen=True, slots=True)
class Visit:
    """A stay of a moving point in a region, in seconds of its track."""

    region: int
    entry_s: float
    exit_s: float


@dataclass(frozen=True, slots=True)
class Stays:
    """(m,) each, by piece and time: who stays in which band and region from when and where to when and where.

    `region` is NOWHERE outside all. Times in seconds of the tracks, places in degrees, levels in hundreds of feet.
    """

    piece: Indices
    band: Indices
    region: Indices
    entry_s: Array
    exit_s: Array
    entry_lat_deg: Array
    entry_lon_deg: Array
    exit_lat_deg: Array
    exit_lon_deg: Array
    entry_fl: Array
    exit_fl: Array


@dataclass(frozen=True, slots=True)
class Airspace:
    """Regions in order of designator and volumes in order of rank, the smallest first; lookups give places in these.

    `names` has the name of a region's first feature. `findings` says what is wrong with which feature of the file.
    """

    idents: tuple[str, ...]
    names: tuple[str, ...]
    volumes: tuple[Volume, ...]
    findings: tuple[Finding, ...]
    region_of_volume: Indices
    _index: Index
    _lower: Array
    _upper: Array

    @property
    def invalid(self) -> tuple[tuple[str, str], ...]:
        """Designator and problem of each outline that is no valid polygon, whether it is used or left out."""
        return tuple((one.ident, one.problem) for one in self.findings if one.invalid)

    def find(self, lat_deg: Array, lon_deg: Array, threads: int = 1) -> Indices:
        """Region over each point at whatever level, NOWHERE for none.

        Latitudes (n,) in [-90, 90], longitudes (n,) of any turn up to a hundred; raises ValueError for others.
        """
        return self._find(lat_deg, lon_deg, self.region_of_volume, threads)

    def find_volumes(self, lat_deg: Array, lon_deg: Array, threads: int = 1) -> Indices:
        """The same as places in `volumes`."""
        return self._find(lat_deg, lon_deg, np.arange(len(self.volumes), dtype=np.int32), threads)

    def _find(self, lat_deg: Array, lon_deg: Array, numbers: Indices, threads: int) -> Indices:
        lat, lon = _flat(lat_deg), _flat(lon_deg)
        _same_size(lat, lon)
        out = np.empty(lat.size, dtype=np.int32)
        raster = self._index

        def run(part: slice) -> None:
            airspace_lookup.find(
                lat[part], lon[part], numbers, raster.best, raster.parts, raster.lists, raster.starts,
                raster.volumes, raster.holds, raster.edge_starts, raster.edges, out[part],
            )  # fmt: skip

        _spread(run, lat.size, threads)
        return _points_only(out)

    def find_at(self, lat_deg: Array, lon_deg: Array, level_fl: Array, threads: int = 1) -> tuple[Indices, Flags]:
        """Volume (n,) over each point at its flight level, NOWHERE for none, and whether the volume reaches it.

        Where volumes lie over the point but none reaches its level, it belongs to the one whose top is nearest below,
        or if there is none, to the one whose floor is nearest above: data that leaves out the oceanic area above a
        low-level region gives its flights to that region. Raises ValueError as `find` does.
        """
        lat, lon, level = _flat(lat_deg), _flat(lon_deg), _flat(level_fl)
        _same_size(lat, lon, level)
        out, strict = np.empty(lat.size, dtype=np.int32), np.zeros(lat.size, dtype=np.bool_)
        raster = self._index

        def run(part: slice) -> None:
            airspace_lookup.find_at(
                lat[part], lon[part], level[part], self._lower, self._upper, raster.lists, raster.starts,
                raster.volumes, raster.holds, raster.edge_starts, raster.edges, out[part], strict[part],
            )  # fmt: skip

        _spread(run, lat.size, threads)
        return _points_only(out), strict

    def over(self, lat_deg: float, lon_deg: float) -> tuple[Volume, ...]:
        """All volumes over a point, the smallest first. Raises ValueError as `find` does."""
        self.find(np.array([lat_deg]), np.array([lon_deg]))
        raster = self._index
        y, x, row, column = airspace_lookup.cell_of(lat_deg, lon_deg)
        cell = raster.lists[row, column]
        return tuple(
            self.volumes[raster.volumes[entry]]
            for entry in range(raster.starts[cell], raster.starts[cell + 1])
            if airspace_lookup.inside(x, y, row, column, entry, raster.holds, raster.edge_starts, raster.edges)
        )

    def above(self) -> dict[str, dict[str, float]]:
        """For each designator, those of the volumes that lie on top of its own, with the share of its area they cover.

        A region that its own upper volume continues names itself; one with nothing above names none. Shares are sums
        over the cells of the raster, good to a cell along the border.
        """
        return _above(self)

    def visits(self, seconds: Array, lat_deg: Array, lon_deg: Array, level_fl: Array | None = None) -> list[Visit]:
        """Stays of a moving point in regions, in order, with the instants of its crossings.

        The track (n,) has seconds that do not fall; in between the point moves along great circles at constant speed
        and climbs steadily. Without levels the regions at whatever level are visited. Crossings are exact but for the
        chords by which the path is followed, < 1.3 m off it except within a kilometre of a pole.
        Raises ValueError as `find` does, and for seconds that fall.
        """
        track = _flat(seconds), _flat(lat_deg), _flat(lon_deg)
        level = np.empty(0) if level_fl is None else _flat(level_fl)
        _same_size(*track, *([] if level_fl is None else [level]))
        _points_only(self.find(lat_deg, lon_deg))
        if not (np.all(np.isfinite(track[0])) and np.all(np.diff(track[0]) >= 0.0) and np.all(np.isfinite(level))):
            raise ValueError("the seconds of a track do not fall, and its levels are numbers")
        return _visits(self, track, level)

    def stays(
        self, seconds: Array, lat_deg: Array, lon_deg: Array, level_fl: Array, counts: Indices, bands: Indices,
        threads: int = 1,
    ) -> Stays:  # fmt: skip
        """Stays of many pieces (n, k) that fall along great circles between nodes, of which `counts` (n,) count.

        bands (b + 1,): the node at which each band starts and the last ends. At each instant a piece is in one band
        and in the volume that `find_at` gives, so that stays neither overlap nor leave a gap. Crossings as of `visits`.
        Raises ValueError for nodes that are no place, level or time, and for seconds that fall.
        """
        tracks = [np.ascontiguousarray(one, dtype=np.float64) for one in (seconds, lat_deg, lon_deg, level_fl)]
        node = np.arange(tracks[0].shape[1]) < np.asarray(counts)[:, None]
        _points_only(self.find(np.where(node, tracks[1], 0.0), np.where(node, tracks[2], 0.0), threads))
        falls = node[:, 1:] & ~(np.diff(tracks[0], axis=1) >= 0.0)
        if falls.any() or not (np.isfinite(tracks[0][node]).all() and np.isfinite(tracks[3][node]).all()):
            raise ValueError("the seconds of a track do not fall, and its levels are numbers")
        return _stays(self, tracks, np.asarray(counts, np.int32), np.asarray(bands, np.int32), threads)


def load_geojson(data: bytes) -> Airspace:
    """Reads a FeatureCollection of polygons; raises Refused for a file that is none.

    A feature without a designator or usable outline is left out and named in `findings`.
    """
    volumes, findings = airspace_geojson.read(data)
    order = sorted(range(len(volumes)), key=lambda i: (volumes[i].area_km2, volumes[i].ident, i))
    idents = sorted({volume.ident for volume in volumes})
    place = {ident: i for i, ident in enumerate(idents)}
    names = {volume.ident: volume.name for volume in reversed(volumes)}
    ranked = tuple(volumes[i] for i in order)
    rings = [(rank, ring) for rank, volume in enumerate(ranked) for ring in volume.rings]
    return Airspace(
        tuple(idents),
        tuple(names[ident] for ident in idents),
        ranked,
        tuple(findings),
        np.array([place[volume.ident] for volume in ranked], dtype=np.int32),
        airspace_index.build([ring for _, ring in rings], np.array([rank for rank, _ in rings], dtype=np.int32)),
        np.array([volume.lower_fl for volume in ranked], dtype=np.float64),
        np.array([volume.upper_fl for volume in ranked], dtype=np.float64),
    )


def _flat(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64).ravel()


def _same_size(*arrays: Array) -> None:
    if len({array.size for array in arrays}) > 1:
        raise ValueError(f"there are {', '.join(str(array.size) for array in arrays)} values of the same points")


def _points_only(found: Indices) -> Indices:
    if found.size and int(found.min()) == NO_POINT:
        at = int(np.argmin(found))
        raise ValueError(f"point {at} has no latitude in [-90, 90], no longitude or no level")
    return found


def _spread(run: Callable[[slice], None], count: int, threads: int) -> None:
    if threads <= 1 or count <= _BLOCK:
        run(slice(0, count))
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, [slice(k, min(k + _BLOCK, count)) for k in range(0, count, _BLOCK)]))


def _visits(regions: Airspace, track: tuple[Array, Array, Array], level: Array) -> list[Visit]:
    raster = regions._index  # noqa: SLF001  this module's own
    limits = np.unique(np.r_[regions._lower, regions._upper])  # noqa: SLF001
    room = 64
    while True:
        numbers, times = np.empty(room, dtype=np.int32), np.empty((room, 2))
        count = airspace_track.cross(
            *track, level, regions.region_of_volume, regions._lower, regions._upper,  # noqa: SLF001
            limits[np.isfinite(limits)] if level.size else limits[:0], raster.best, raster.parts,
            raster.lists, raster.starts, raster.volumes, raster.holds, raster.edge_starts, raster.edges, numbers, times,
        )  # fmt: skip
        if count <= room:
            break
        room = count
    return [Visit(int(numbers[i]), float(times[i, 0]), float(times[i, 1])) for i in range(count)]


def _stays(regions: Airspace, tracks: list[Array], counts: Indices, bands: Indices, threads: int) -> Stays:
    raster = regions._index  # noqa: SLF001  this module's own
    limits = np.unique(np.r_[regions._lower, regions._upper])  # noqa: SLF001

    def run(part: slice) -> tuple[Indices, Array]:
        room = 2 * (part.stop - part.start) * (len(bands) - 1) + 16
        while True:
            whole, values = np.empty((room, airspace_stays.WHOLE), np.int32), np.empty((room, airspace_stays.VALUES))
            count = airspace_stays.stays(
                tracks[0][part], tracks[1][part], tracks[2][part], tracks[3][part], counts[part], bands,
                regions.region_of_volume, regions._lower, regions._upper,  # noqa: SLF001
                limits[np.isfinite(limits)], raster.best, raster.parts, raster.lists, raster.starts, raster.volumes,
                raster.holds, raster.edge_starts, raster.edges, whole, values,
            )  # fmt: skip
            if count <= room:
                whole[:count, airspace_stays.PIECE] += part.start
                return whole[:count], values[:count]
            room = count

    pieces, size = len(counts), _PIECES
    slices = [slice(k, min(k + size, pieces)) for k in range(0, max(pieces, 1), size)]
    with ThreadPoolExecutor(max(1, threads)) as pool:
        found = list(pool.map(run, slices))
    whole, values = np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])
    return Stays(*(np.ascontiguousarray(one) for one in (*whole.T, *values.T)))


def _above(regions: Airspace) -> dict[str, dict[str, float]]:
    raster = regions._index  # noqa: SLF001
    cell = airspace_lookup.CELL_DEG
    south = np.radians(-90.0 + np.arange(airspace_lookup.ROWS) * cell)
    row_km2 = AUTHALIC_RADIUS_KM**2 * np.radians(cell) * (np.sin(south + np.radians(cell)) - np.sin(south))
    list_km2 = np.zeros(len(raster.starts) - 1)
    np.add.at(list_km2, raster.lists, np.broadcast_to(row_km2[:, None], raster.lists.shape))
    own: dict[str, float] = {}
    covered: dict[str, dict[str, float]] = {}
    for number, km2 in enumerate(list_km2):
        entries = range(raster.starts[number], raster.starts[number + 1])
        here = [regions.volumes[raster.volumes[entry]] for entry in entries if raster.holds[entry]]
        for volume in here:
            if not math.isfinite(volume.upper_fl):
                continue
            own[volume.ident] = own.get(volume.ident, 0.0) + float(km2)
            for ident in {other.ident for other in here if other.lower_fl <= volume.upper_fl < other.upper_fl}:
                shares = covered.setdefault(volume.ident, {})
                shares[ident] = shares.get(ident, 0.0) + float(km2)
    return {
        ident: {upper: km2 / total for upper, km2 in sorted(covered.get(ident, {}).items())}
        for ident, total in sorted(own.items())
    }
