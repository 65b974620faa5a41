"""Places along and across the line on which an object may come down: coordinates, their quantiles, areas on the map.

The line is the ground track of the orbit at the end of its life: a great circle on the sphere of geocentric latitudes
whose node drifts with the angle travelled. Distances across are km on a sphere of 6371 km, within 0.6 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from libs.astro.earth import GMST82_SPIN_RAD_S, WGS84_FLATTENING
from libs.astro.geodesy import MEAN_RADIUS_KM

Array = np.ndarray[Any, np.dtype[np.float64]]

_SQUASH = (1.0 - WGS84_FLATTENING) ** 2
_RATE_RAD_S = 2.0 * math.pi / 5250.0  # revolutions near the end of life; good to tell how many lie between two samples
_DRIFT = -GMST82_SPIN_RAD_S / _RATE_RAD_S  # of the node on the turning Earth, by angle travelled
_DEGREE = 3
_STEPS = 3  # the angle to a place off the great circle is exact; what is left is the drift's bend: to 1e-9
_SLOPE_RAD = 1e-4
VERTEX_DEG, POLAR_VERTEX_DEG, PART_DEG = 1.0, 0.05, 30.0
_ROUGH = 7  # points of a part by which its latitudes are judged
_POLAR_DEG = 70.0  # beyond, an edge straight in longitude and latitude leaves the line


@dataclass(frozen=True, slots=True)
class Line:
    """inclination, angle travelled at the middle, scale, and the node's departure from its drift as a polynomial."""

    inclination_rad: float
    middle_rad: float
    scale_rad: float
    node: Array

    def at(self, along_rad: Array) -> Array:
        """Unit vectors (n, 3) of the line at angles travelled."""
        node = np.polyval(self.node, (along_rad - self.middle_rad) / self.scale_rad) + _DRIFT * along_rad
        s, c = np.sin(along_rad), np.cos(along_rad)
        si, ci = math.sin(self.inclination_rad), math.cos(self.inclination_rad)
        east, up = np.arctan2(s * ci, c) + node, s * si
        flat = np.sqrt(np.maximum(1.0 - up * up, 0.0))
        return np.stack([flat * np.cos(east), flat * np.sin(east), up], axis=-1)

    def heading(self, along_rad: Array) -> tuple[Array, Array, Array]:
        """Place and direction ahead (n, 3), and the turn of the place by angle travelled (n,)."""
        here = self.at(along_rad)
        ahead = (self.at(along_rad + _SLOPE_RAD) - self.at(along_rad - _SLOPE_RAD)) / (2.0 * _SLOPE_RAD)
        rate = np.sqrt(np.einsum("ij,ij->i", ahead, ahead))
        return here, ahead / rate[:, None], rate

    def place(self, lat_deg: Array, lon_deg: Array, near_rad: Array) -> tuple[Array, Array]:
        """Angle travelled (rad) and distance to the left (km) of places, each looked for from `near_rad` on."""
        point, along = _unit(lat_deg, lon_deg), np.array(near_rad, dtype=np.float64)
        for _ in range(_STEPS):
            here, ahead, rate = self.heading(along)
            forward, out = (np.einsum("ij,ij->i", point, one) for one in (ahead, here))
            along = along + np.arctan2(forward, out) / rate
        here, ahead, _ = self.heading(along)
        aside = np.einsum("ij,ij->i", point, np.cross(here, ahead))
        return along, MEAN_RADIUS_KM * np.arcsin(np.clip(aside, -1.0, 1.0))

    def beside(self, along_rad: Array, left_km: Array | float) -> tuple[Array, Array]:
        """Latitude and longitude in degrees of places by angle travelled and distance to the left."""
        here, ahead, _ = self.heading(along_rad)
        left = np.cross(here, ahead)
        angle = np.broadcast_to(np.asarray(left_km) / MEAN_RADIUS_KM, along_rad.shape)[:, None]
        x, y, z = (np.cos(angle) * here + np.sin(angle) * left).T
        return np.degrees(np.arctan2(z, _SQUASH * np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def _unit(lat_deg: Array, lon_deg: Array) -> Array:
    lat = np.arctan(_SQUASH * np.tan(np.radians(np.asarray(lat_deg, dtype=np.float64))))
    lon = np.radians(np.asarray(lon_deg, dtype=np.float64))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def line_through(seconds: Array, lat_deg: Array, lon_deg: Array, heading_deg: Array) -> tuple[Line, Array]:
    """The line, and the angle travelled (n,) at each point, counted from the first ascending node before the earliest.

    heading_deg: of the velocity on axes that do not turn, clockwise from north. ValueError for no points.
    """
    if not len(seconds):
        raise ValueError("a line needs points")
    lat = np.arctan(_SQUASH * np.tan(np.radians(lat_deg)))
    lon, heading = np.radians(lon_deg), np.radians(heading_deg)
    travelled = np.arctan2(np.sin(lat), np.cos(lat) * np.cos(heading))
    inclination = float(np.arccos(np.clip(np.median(np.cos(lat) * np.sin(heading)), -1.0, 1.0)))
    order = np.argsort(seconds, kind="stable")
    along = np.empty(len(seconds))
    along[order] = _counted(np.asarray(seconds)[order], travelled[order])
    node = lon - np.arctan2(np.sin(along) * math.cos(inclination), np.cos(along)) - _DRIFT * along
    node[order] = np.unwrap(node[order])
    middle, scale = float(np.median(along)), max(float(np.ptp(along)) / 2.0, 1.0)
    degree = min(_DEGREE, len(np.unique(along)) - 1, int(scale > 1.0) * _DEGREE)
    return Line(inclination, middle, scale, np.polyfit((along - middle) / scale, node, degree)), along


def _counted(seconds: Array, travelled: Array) -> Array:
    expected = np.diff(seconds) * _RATE_RAD_S
    turned = np.diff(travelled)
    steps = turned + 2.0 * math.pi * np.round((expected - turned) / (2.0 * math.pi))
    return np.asarray(travelled[0] % (2.0 * math.pi) + np.r_[0.0, np.cumsum(steps)])


@dataclass(frozen=True, slots=True)
class Box:
    """Bounds of a share of all weight: angle travelled (rad), distance to the left (km)."""

    from_rad: float
    until_rad: float
    right_km: float
    left_km: float
    share: float


def percentiles(along_rad: Array, left_km: Array, weight: Array, shares: Sequence[float]) -> list[Box]:
    """The boxes that hold `shares` of the weight, the same tails cut off on all four sides; each share in (0, 1)."""
    total = float(weight.sum())
    sorted_by = [np.argsort(one, kind="stable") for one in (along_rad, left_km)]
    sums = [np.cumsum(weight[order]) for order in sorted_by]

    def box(tail: float) -> Box:
        edges = []
        for values, order, summed in zip((along_rad, left_km), sorted_by, sums, strict=True):
            low = order[min(int(np.searchsorted(summed, tail * total)), len(order) - 1)]
            high = order[min(int(np.searchsorted(summed, (1.0 - tail) * total)), len(order) - 1)]
            edges += [float(values[low]), float(values[high])]
        inside = (along_rad >= edges[0]) & (along_rad <= edges[1]) & (left_km >= edges[2]) & (left_km <= edges[3])
        return Box(edges[0], edges[1], edges[2], edges[3], float(weight[inside].sum()) / total)

    def widest(share: float) -> float:
        wide, narrow = 0.0, (1.0 - share) / 2.0
        for _ in range(16):
            middle = 0.5 * (wide + narrow)
            wide, narrow = (middle, narrow) if box(middle).share >= share else (wide, middle)
        return wide

    return [box(widest(share)) for share in shares]


def polygons(line: Line, box: Box) -> list[tuple[float, float, list[Array]]]:
    """Parts of a box on the map: from and until which angle travelled, and rings (k, 2) of longitude and latitude.

    Each ring is closed, counterclockwise and within -180 and 180 degrees, cut at the antimeridian; one that holds a
    pole runs along the map's edge. Parts of PART_DEG lie about its multiples, so that none meets itself or ends at a
    pole.
    """
    part = math.radians(PART_DEG)
    turn, until = box.from_rad / part - 0.5, box.until_rad / part - 0.5
    inner = (np.arange(math.floor(turn) + 1, math.ceil(until)) + 0.5) * part
    cuts = [box.from_rad, *inner.tolist(), box.until_rad]
    pairs = [(low, high) for low, high in pairwise(cuts) if high > low]
    outlines = _outlines(line, pairs, box.right_km, box.left_km)
    lat, lon = line.beside(*(np.concatenate(one) for one in zip(*outlines, strict=True)))  # at once: many are short
    ends = np.cumsum([len(along) for along, _ in outlines])[:-1]
    rings = zip(np.split(lon, ends), np.split(lat, ends), strict=True)
    closed = (np.column_stack([np.r_[x, x[:1]], np.r_[y, y[:1]]]) for x, y in rings)
    return [(low, high, split(ring)) for (low, high), ring in zip(pairs, closed, strict=True)]


def _outlines(
    line: Line, pairs: Sequence[tuple[float, float]], right_km: float, left_km: float
) -> list[tuple[Array, Array]]:
    """Angles travelled and distances to the left around each part, open."""
    if left_km - right_km < 1.0:
        right_km, left_km = right_km - 0.5, left_km + 0.5
    rough = np.concatenate([np.linspace(low, high, _ROUGH) for low, high in pairs])
    highest = np.abs(line.beside(rough, 0.0)[0]).reshape(-1, _ROUGH).max(axis=1)
    made = zip(pairs, np.where(highest > _POLAR_DEG, POLAR_VERTEX_DEG, VERTEX_DEG), strict=True)
    return [_outline(low, high, right_km, left_km, float(vertex_deg)) for (low, high), vertex_deg in made]


def _outline(low: float, high: float, right_km: float, left_km: float, vertex_deg: float) -> tuple[Array, Array]:
    along = np.linspace(low, high, max(2, math.ceil(math.degrees(high - low) / vertex_deg) + 1))
    across = np.linspace(right_km, left_km, max(2, math.ceil((left_km - right_km) / (100.0 * vertex_deg)) + 1))
    inner = across[1:-1]
    round_rad = np.concatenate([along, np.full(len(inner), high), along[::-1], np.full(len(inner), low)])
    sides = np.full(len(along), right_km), inner, np.full(len(along), left_km), inner[::-1]
    return round_rad, np.concatenate(sides)


def split(ring: Array) -> list[Array]:
    """A closed ring of longitude and latitude, whatever its turns, as rings within -180 and 180 degrees."""
    flat = np.column_stack([np.unwrap(ring[:, 0], period=360.0), ring[:, 1]])
    if abs(flat[-1, 0] - flat[0, 0]) > 180.0:  # once around: it holds a pole
        pole = math.copysign(90.0, float(flat[:, 1].mean()))
        flat = np.vstack([flat, [flat[-1, 0], pole], [flat[0, 0], pole], flat[:1]])
    if flat[:, 0].min() >= -180.0 and flat[:, 0].max() <= 180.0:
        return [_counterclockwise(flat)]
    turns = range(math.floor((flat[:, 0].min() + 180.0) / 360.0), math.ceil((flat[:, 0].max() + 180.0) / 360.0))
    parts = [_between(flat[:-1] - [360.0 * turn, 0.0], -180.0, 180.0) for turn in turns]
    return [_counterclockwise(np.vstack([part, part[:1]])) for part in parts if len(part) >= 3]


def _between(points: Array, west: float, east: float) -> Array:
    """Sutherland and Hodgman's clip of an open ring at two meridians."""
    for limit, side in ((west, 1.0), (east, -1.0)):
        kept: list[tuple[float, float]] = []
        for here, after in zip(points, np.roll(points, -1, axis=0), strict=True):
            inside, goes_in = side * (here[0] - limit) >= 0.0, side * (after[0] - limit) >= 0.0
            if inside:
                kept.append((float(here[0]), float(here[1])))
            if inside != goes_in:
                share = (limit - here[0]) / (after[0] - here[0])
                kept.append((limit, float(here[1] + share * (after[1] - here[1]))))
        points = np.array(kept).reshape(-1, 2)
        if not len(points):
            break
    return points


def _counterclockwise(ring: Array) -> Array:
    x, y = ring.T
    return ring if float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) >= 0.0 else ring[::-1].copy()
