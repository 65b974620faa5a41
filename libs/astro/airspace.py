"""Which flight information region a point lies in.

Edges of the outlines are great circles. A raster of quarter degrees answers for cells that no outline crosses; only in
the others the point is tested against the outlines, by counting crossings (even-odd rule). Where regions overlap the
point belongs to the one of the smallest area, by name where areas are equal.
"""

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from libs.astro.elements import RefusalReason, Refused

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int32]]

CELL_DEG = 0.25
COLUMNS, ROWS = int(360 / CELL_DEG), int(180 / CELL_DEG)
LONGEST_EDGE_DEG = 0.5  # a great circle leaves its chord in longitude and latitude by < 20 m at 60 degrees of latitude
NOWHERE, MIXED = -1, -2
_IDENT_KEYS = ("ident", "id", "icao", "ICAO", "IDENT", "ID", "designator")
_NAME_KEYS = ("name", "NAME", "label")
_LOWER_KEYS, _UPPER_KEYS = ("lower_fl", "LOWER_FL"), ("upper_fl", "UPPER_FL")


@dataclass(frozen=True, slots=True)
class Airspace:
    """Regions in order of designator; `find` gives places in these tuples.

    `invalid` names outlines that cross themselves or were left out, and says what is wrong with each.
    """

    idents: tuple[str, ...]
    names: tuple[str, ...]
    lower_fl: tuple[float, ...]
    upper_fl: tuple[float, ...]
    area_deg2: tuple[float, ...]
    invalid: tuple[tuple[str, str], ...]
    _raster: Indices
    _rings: Array
    _ring_starts: "np.ndarray[Any, np.dtype[np.int64]]"
    _ring_boxes: Array
    _ring_region: Indices
    _order: Indices

    def find(self, lat_deg: Array, lon_deg: Array) -> Indices:
        """Index of the region of each point, -1 for none. Latitudes (n,) in [-90, 90], longitudes (n,) of any turn."""
        lat = np.ascontiguousarray(lat_deg, dtype=np.float64).ravel()
        lon = np.ascontiguousarray(lon_deg, dtype=np.float64).ravel()
        out = np.empty(lat.size, dtype=np.int32)
        _find(
            lat,
            lon,
            self._raster,
            self._rings,
            self._ring_starts,
            self._ring_boxes,
            self._ring_region,
            self._order,
            out,
        )
        return out


@dataclass(frozen=True, slots=True)
class _Feature:
    ident: str
    name: str
    lower_fl: float
    upper_fl: float
    rings: tuple[Array, ...]


def load_geojson(data: bytes) -> Airspace:
    """Reads a FeatureCollection of polygons; raises Refused for a file that is none.

    A feature needs a designator in one of its usual properties; features of one designator are one region. A feature
    without a usable outline is left out and named in `invalid`.
    """
    document = _document(data)
    invalid: list[tuple[str, str]] = []
    features = [feature for at, raw in enumerate(document) if (feature := _feature(at, raw, invalid))]
    return _build(features, invalid)


def _document(data: bytes) -> list[Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Refused(1, error.start + 1, RefusalReason.UNREADABLE, f"the file is not UTF-8: {error.reason}") from error
    except json.JSONDecodeError as error:
        detail = f"the file is not JSON: {error.msg}"
        raise Refused(error.lineno, error.colno, RefusalReason.UNREADABLE, detail) from error
    except RecursionError as error:
        raise Refused(1, 1, RefusalReason.UNREADABLE, "the file is nested deeper than any GeoJSON") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise Refused(1, 1, RefusalReason.UNREADABLE, "the file is not a GeoJSON FeatureCollection")
    features = document.get("features")
    if not isinstance(features, list):
        raise Refused(1, 1, RefusalReason.MISSING, "the FeatureCollection has no list of features")
    return features


def _no_constant(text: str) -> float:
    raise Refused(1, 1, RefusalReason.NOT_FINITE, f"the file holds {text}, which is no number of JSON")


def _feature(at: int, raw: Any, invalid: list[tuple[str, str]]) -> _Feature | None:
    found = raw.get("properties") if isinstance(raw, dict) else None
    properties: dict[str, Any] = found if isinstance(found, dict) else {}
    ident = _first(properties, _IDENT_KEYS)
    if not ident:
        invalid.append((f"feature {at + 1}", "it has no designator"))
        return None
    try:
        rings = tuple(_rings(raw.get("geometry")))
    except _BadGeometry as bad:
        invalid.append((ident, str(bad)))
        return None
    crossing = next((ring for ring in rings if _crosses_itself(ring)), None)
    if crossing is not None:
        invalid.append((ident, "its outline crosses itself; points are inside by the even-odd rule"))
    name = _first(properties, _NAME_KEYS) or ident
    return _Feature(ident, name, _level(properties, _LOWER_KEYS, 0.0), _level(properties, _UPPER_KEYS, math.inf), rings)


class _BadGeometry(Exception):
    pass


def _first(properties: dict[str, Any], keys: Sequence[str]) -> str:
    for key in keys:
        value = properties.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:64]
    return ""


def _level(properties: dict[str, Any], keys: Sequence[str], default: float) -> float:
    for key in keys:
        value = properties.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return default


def _rings(geometry: Any) -> Iterator[Array]:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise _BadGeometry("its geometry is no polygon; it is left out")
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons:
        raise _BadGeometry("it has no coordinates; it is left out")
    for polygon in polygons:
        if not isinstance(polygon, list) or not polygon:
            raise _BadGeometry("it has no coordinates; it is left out")
        for ring in polygon:
            yield _ring(ring)


def _ring(points: Any) -> Array:
    """Closed and unwrapped ring (n, 2) of longitude and latitude in degrees, its edges along great circles."""
    try:
        ring = np.array([(point[0], point[1]) for point in points], dtype=np.float64)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise _BadGeometry("its coordinates are not pairs of numbers; it is left out") from error
    if ring.ndim != 2 or not np.all(np.isfinite(ring)) or np.any(np.abs(ring[:, 1]) > 90.0):
        raise _BadGeometry("its coordinates are not degrees of longitude and latitude; it is left out")
    if not np.array_equal(ring[0], ring[-1]):
        ring = np.vstack([ring, ring[:1]])
    ring = ring[np.r_[True, np.any(np.diff(ring, axis=0) != 0.0, axis=1)]]
    if len(ring) < 4:
        raise _BadGeometry("its outline has fewer than three corners; it is left out")
    turned = np.array(ring)
    turned[:, 0] = ring[0, 0] + np.r_[0.0, np.cumsum((np.diff(ring[:, 0]) + 180.0) % 360.0 - 180.0)]
    dense = np.vstack([*(_edge(a, b) for a, b in itertools.pairwise(turned)), turned[-1:]])
    winding = round((dense[-1, 0] - dense[0, 0]) / 360.0)
    return dense if winding == 0 else _around_pole(dense)


def _edge(a: Array, b: Array) -> Array:
    """From a up to but not with b, at most LONGEST_EDGE_DEG apart, along the great circle."""
    steps = max(1, math.ceil(max(abs(b[0] - a[0]), abs(b[1] - a[1])) / LONGEST_EDGE_DEG))
    straight = abs(b[0] - a[0]) < 1e-12 or abs(b[0] - a[0]) > 179.0 or (a[1] == b[1] == 0.0)
    at = np.arange(steps) / steps
    if steps == 1 or straight or abs(a[1]) == 90.0 or abs(b[1]) == 90.0:
        return np.column_stack([a[0] + (b[0] - a[0]) * at, a[1] + (b[1] - a[1]) * at])
    u, v = _unit(a), _unit(b)
    angle = math.acos(max(-1.0, min(1.0, float(u @ v))))
    points = (np.sin((1.0 - at) * angle)[:, None] * u + np.sin(at * angle)[:, None] * v) / math.sin(angle)
    lon = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
    near = a[0] + (b[0] - a[0]) * at
    lon += 360.0 * np.round((near - lon) / 360.0)
    dense = np.column_stack([lon, np.degrees(np.arcsin(np.clip(points[:, 2], -1.0, 1.0)))])
    dense[0] = a
    return dense


def _unit(point: Array) -> Array:
    lon, lat = np.radians(point)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def _around_pole(ring: Array) -> Array:
    """A ring that goes once around the Earth holds the pole it is nearer to."""
    pole = 90.0 if float(np.mean(ring[:, 1])) > 0.0 else -90.0
    closing = np.array([[ring[-1, 0], pole], [ring[0, 0], pole], ring[0]])
    return np.vstack([ring, closing])


def _build(features: Sequence[_Feature], invalid: Sequence[tuple[str, str]]) -> Airspace:
    idents = sorted({feature.ident for feature in features})
    place = {ident: i for i, ident in enumerate(idents)}
    firsts = {feature.ident: feature for feature in reversed(features)}
    rings = [(place[feature.ident], ring) for feature in features for ring in feature.rings]
    area = np.zeros(len(idents))
    for region, ring in rings:
        area[region] += _signed_area_deg2(ring)
    area = np.abs(area)
    order = np.array(sorted(range(len(idents)), key=lambda i: (area[i], idents[i])), dtype=np.int32)
    points = np.vstack([ring for _, ring in rings]) if rings else np.zeros((0, 2))
    starts = np.cumsum([0, *(len(ring) for _, ring in rings)]).astype(np.int64)
    boxes = np.array([[*ring.min(axis=0), *ring.max(axis=0)] for _, ring in rings]).reshape(-1, 4)
    regions = np.array([region for region, _ in rings], dtype=np.int32)
    raster = np.full((ROWS, COLUMNS), NOWHERE, dtype=np.int32)
    _rasterise(points, starts, boxes, regions, order, raster)
    return Airspace(
        tuple(idents),
        tuple(firsts[ident].name for ident in idents),
        tuple(firsts[ident].lower_fl for ident in idents),
        tuple(firsts[ident].upper_fl for ident in idents),
        tuple(float(one) for one in area),
        tuple(invalid),
        raster,
        points,
        starts,
        boxes,
        regions,
        order,
    )


def _signed_area_deg2(ring: Array) -> float:
    """In square degrees at the equator (cylindrical equal-area projection); a hole counts against its outline."""
    x, y = ring[:, 0], np.degrees(np.sin(np.radians(ring[:, 1])))
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2.0


@njit(cache=True, error_model="numpy")
def _crosses_itself(ring: Array) -> bool:
    """Whether two edges that do not follow each other meet inside."""
    n = ring.shape[0] - 1
    for i in range(n - 1):
        ax, ay, bx, by = ring[i, 0], ring[i, 1], ring[i + 1, 0], ring[i + 1, 1]
        low_x, high_x, low_y, high_y = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
        for j in range(i + 2, n):
            cx, cy, dx, dy = ring[j, 0], ring[j, 1], ring[j + 1, 0], ring[j + 1, 1]
            if max(cx, dx) < low_x or min(cx, dx) > high_x or max(cy, dy) < low_y or min(cy, dy) > high_y:
                continue
            if i == 0 and j == n - 1:
                continue
            s1 = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            s2 = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
            s3 = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
            s4 = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
            if s1 * s2 < 0.0 and s3 * s4 < 0.0:
                return True
    return False


@njit(cache=True, error_model="numpy")
def _crossings(x: float, y: float, rings: Array, first: int, last: int) -> int:
    """Edges of a ring that a ray from the point to the east crosses."""
    count = 0
    for k in range(first, last - 1):
        ya, yb = rings[k, 1], rings[k + 1, 1]
        if (ya > y) != (yb > y):
            xa, xb = rings[k, 0], rings[k + 1, 0]
            if x < xa + (y - ya) / (yb - ya) * (xb - xa):
                count += 1
    return count


@njit(cache=True, error_model="numpy")
def _exact(
    lat: float,
    lon: float,
    rings: Array,
    starts: "np.ndarray[Any, np.dtype[np.int64]]",
    boxes: Array,
    regions: Indices,
    rank: Indices,
    counts: Indices,
) -> int:
    """Region of a point by the outlines; `counts` is a work array of one number a region."""
    counts[:] = 0
    for ring in range(regions.size):
        if lat < boxes[ring, 1] or lat > boxes[ring, 3]:
            continue
        turns = math.ceil((boxes[ring, 0] - lon) / 360.0)
        x = lon + 360.0 * turns  # the westernmost turn inside the box's longitudes
        if x <= boxes[ring, 2]:
            counts[regions[ring]] += _crossings(x, lat, rings, starts[ring], starts[ring + 1])
    best = NOWHERE
    for region in range(counts.size):
        if counts[region] % 2 == 1 and (best < 0 or rank[region] < rank[best]):
            best = region
    return best


@njit(cache=True, error_model="numpy")
def _ranks(order: Indices) -> Indices:
    rank = np.empty(order.size, dtype=np.int32)
    for i in range(order.size):
        rank[order[i]] = i
    return rank


@njit(cache=True, error_model="numpy")
def _mark(raster: Indices, x: float, y: float) -> None:
    """The cell of a point of an outline and, on the line between cells, its neighbours."""
    column, row = (x + 180.0) / CELL_DEG, (y + 90.0) / CELL_DEG
    for dc in (-1e-6, 1e-6):
        for dr in (-1e-6, 1e-6):
            c = int(np.floor(column + dc)) % COLUMNS
            r = min(max(int(np.floor(row + dr)), 0), ROWS - 1)
            raster[r, c] = MIXED


@njit(cache=True, error_model="numpy")
def _rasterise(
    rings: Array,
    starts: "np.ndarray[Any, np.dtype[np.int64]]",
    boxes: Array,
    regions: Indices,
    order: Indices,
    raster: Indices,
) -> None:
    """Cells that an outline crosses become MIXED, the others take the region of their centre."""
    for ring in range(regions.size):
        for k in range(starts[ring], starts[ring + 1] - 1):
            _mark_edge(raster, rings[k, 0], rings[k, 1], rings[k + 1, 0], rings[k + 1, 1])
    rank = _ranks(order)
    counts = np.zeros(order.size, dtype=np.int32)
    for row in range(ROWS):
        lat = -90.0 + (row + 0.5) * CELL_DEG
        known = False
        region = NOWHERE
        for column in range(COLUMNS):
            if raster[row, column] == MIXED:
                known = False
                continue
            if not known:  # until the next crossed cell the answer stays
                lon = -180.0 + (column + 0.5) * CELL_DEG
                region = _exact(lat, lon, rings, starts, boxes, regions, rank, counts)
                known = True
            raster[row, column] = region


@njit(cache=True, error_model="numpy")
def _mark_edge(raster: Indices, xa: float, ya: float, xb: float, yb: float) -> None:
    """Every cell an edge passes: its ends and each point where it meets a line of the raster."""
    _mark(raster, xa, ya)
    _mark(raster, xb, yb)
    first, last = min(xa, xb), max(xa, xb)
    for i in range(int(np.ceil(first / CELL_DEG)), int(np.floor(last / CELL_DEG)) + 1):
        x = i * CELL_DEG
        if xb != xa:
            _mark(raster, x, ya + (x - xa) / (xb - xa) * (yb - ya))
    first, last = min(ya, yb), max(ya, yb)
    for i in range(int(np.ceil(first / CELL_DEG)), int(np.floor(last / CELL_DEG)) + 1):
        y = i * CELL_DEG
        if yb != ya:
            _mark(raster, xa + (y - ya) / (yb - ya) * (xb - xa), y)


@njit(cache=True, error_model="numpy")
def _find(
    lat: Array,
    lon: Array,
    raster: Indices,
    rings: Array,
    starts: "np.ndarray[Any, np.dtype[np.int64]]",
    boxes: Array,
    regions: Indices,
    order: Indices,
    out: Indices,
) -> None:
    rank = _ranks(order)
    counts = np.zeros(order.size, dtype=np.int32)
    for i in range(lat.size):
        x = (lon[i] + 180.0) % 360.0 - 180.0
        column = min(int((x + 180.0) / CELL_DEG), COLUMNS - 1)
        row = min(max(int((lat[i] + 90.0) / CELL_DEG), 0), ROWS - 1)
        cell = raster[row, column]
        out[i] = cell if cell != MIXED else _exact(lat[i], x, rings, starts, boxes, regions, rank, counts)
