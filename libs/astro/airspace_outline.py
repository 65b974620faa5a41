"""Outlines of regions: rings of longitude and latitude made continuous, their edges along great circles.

A ring is an array (n, 2) of longitude and latitude in degrees. An unwrapped ring may leave [-180, 180], so that no edge
jumps over the antimeridian; a dense one has edges short enough to be straight in longitude and latitude.
"""

import itertools
import math
from typing import Any

import numpy as np

from libs.astro.earth import WGS84_E2, WGS84_RADIUS_KM

Array = np.ndarray[Any, np.dtype[np.float64]]

LONGEST_EDGE_DEG = 0.5  # a great circle leaves its chord in longitude and latitude by < 20 m at 60 degrees of latitude
_E = math.sqrt(WGS84_E2)
_Q_POLE = 1.0 - (1.0 - _E * _E) / (2.0 * _E) * math.log((1.0 - _E) / (1.0 + _E))
AUTHALIC_RADIUS_KM = WGS84_RADIUS_KM * math.sqrt(_Q_POLE / 2.0)


class BadOutline(Exception):
    """The outline cannot be used; the message says why."""


def unwrap(points: Array) -> tuple[Array, int]:
    """The ring closed and without edges that jump over the antimeridian, and how often it goes around the Earth.

    Points (n, 2) need not be closed and may repeat. Each edge takes the shorter way, except one of a full turn, which
    is taken as drawn. Raises BadOutline for fewer than three corners or several turns around the Earth.
    """
    ring = points if np.array_equal(points[0], points[-1]) else np.vstack([points, points[:1]])
    ring = ring[np.r_[True, np.any(np.diff(ring, axis=0) != 0.0, axis=1)]]
    if len(ring) < 4:
        raise BadOutline("it has fewer than three corners")
    steps = np.diff(ring[:, 0])
    turns = np.where(np.abs(np.abs(steps) - 360.0) < 1e-3, 0.0, np.round(steps / 360.0))
    turned = np.column_stack([ring[:, 0] - 360.0 * np.r_[0.0, np.cumsum(turns)], ring[:, 1]])
    around = round((turned[-1, 0] - turned[0, 0]) / 360.0)
    if abs(around) > 1:
        raise BadOutline("it goes around the Earth more than once")
    return turned, around


def around_pole(ring: Array, pole_deg: float) -> Array:
    """A ring that goes once around the Earth closed by way of a pole, -90 or 90, which it then holds."""
    return np.vstack([ring, [[ring[-1, 0], pole_deg], [ring[0, 0], pole_deg], ring[0]]])


def nearer_pole_deg(ring: Array) -> float:
    return 90.0 if float(np.mean(ring[:, 1])) > 0.0 else -90.0


def densify(ring: Array) -> Array:
    """The edges of an unwrapped ring along great circles, at points at most LONGEST_EDGE_DEG apart in both coordinates.

    An edge of half a turn passes over the nearer pole, one of more than half a turn follows its parallel. An edge gets
    the same points in both directions, so that neighbours who share it leave no gap.
    """
    parts, kept = [], 0
    for k in np.flatnonzero(_too_long(ring[:-1], ring[1:])).tolist():
        parts += [ring[kept:k], _edge(ring[k], ring[k + 1])]
        kept = k + 1
    return np.vstack([*parts, ring[kept:]])


def _too_long(a: Array, b: Array) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    return np.asarray(np.max(np.abs(b - a), axis=-1) > LONGEST_EDGE_DEG)


def _edge(a: Array, b: Array) -> Array:
    """From a up to but not with b."""
    if not _too_long(a, b):
        return a[None]
    width, poles = abs(b[0] - a[0]), int(abs(a[1]) == 90.0) + int(abs(b[1]) == 90.0)
    if width >= 1e-12 and (poles == 1 or (poles == 0 and abs(width - 180.0) < 1e-9)):
        return _over_pole(a, b, math.copysign(90.0, a[1] + b[1]))
    if width < 1e-12 or poles == 2 or width > 180.0 or a[1] == b[1] == 0.0:
        steps = math.ceil(float(np.max(np.abs(b - a))) / LONGEST_EDGE_DEG)
        return a + (b - a) * (np.arange(steps) / steps)[:, None]
    if tuple(b % (360.0, 360.0)) < tuple(a % (360.0, 360.0)):
        return np.vstack([a, _great_circle(b, a)[:0:-1]])
    return _great_circle(a, b)


def _over_pole(a: Array, b: Array, pole_deg: float) -> Array:
    corners = [a, np.array([a[0], pole_deg]), np.array([b[0], pole_deg]), b]
    return np.vstack([_edge(p, q) for p, q in itertools.pairwise(corners) if np.any(p != q)])


def _great_circle(a: Array, b: Array) -> Array:
    """From a up to but not with b: at even longitudes, and at even distances where the latitude is steep."""
    u, v = _unit(a), _unit(b)
    angle = 2.0 * math.asin(min(1.0, 0.5 * math.dist(u, v)))
    steps = math.ceil(math.degrees(angle) / LONGEST_EDGE_DEG)
    east, count = b[0] - a[0], math.ceil(abs(b[0] - a[0]) / LONGEST_EDGE_DEG)
    lon = np.radians(east * np.arange(1, count) / count)
    tan_a, tan_b = math.tan(math.radians(a[1])), math.tan(math.radians(b[1]))
    lat = np.arctan((tan_a * np.sin(math.radians(east) - lon) + tan_b * np.sin(lon)) / math.sin(math.radians(east)))
    at = (np.arange(1, steps) / steps)[:, None]
    points = np.sin((1.0 - at) * angle) * u + np.sin(at * angle) * v
    along = np.arctan2(points[:, 1], points[:, 0]) - math.radians(a[0])
    along += 2.0 * math.pi * np.round((math.radians(east) * at[:, 0] - along) / (2.0 * math.pi))
    lons = np.concatenate([lon, along])
    lats = np.concatenate([lat, np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))])
    order = np.argsort(np.abs(lons), kind="stable")
    return np.vstack([a, np.column_stack([a[0] + np.degrees(lons[order]), np.degrees(lats[order])])])


def _unit(point: Array) -> Array:
    lon, lat = np.radians(point)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def signed_area_km2(ring: Array) -> float:
    """On the ellipsoid, counterclockwise positive, of a closed dense ring that does not go around the Earth.

    Authalic latitudes make it an area of the cylindrical equal-area projection (Snyder, Map Projections, USGS 1395,
    equations 3-11 and 3-12).
    """
    s = np.sin(np.radians(ring[:, 1]))
    q = (1.0 - _E * _E) * (s / (1.0 - (_E * s) ** 2) - np.log((1.0 - _E * s) / (1.0 + _E * s)) / (2.0 * _E))
    x, y = np.radians(ring[:, 0]), q / _Q_POLE
    return AUTHALIC_RADIUS_KM**2 * float(np.sum(np.diff(x) * (y[:-1] + y[1:]))) / -2.0


def cut(ring: Array) -> list[Array]:
    """The parts of an unwrapped simple ring within each turn, closed rings within [-180, 180] of longitude.

    They cover the same area as the ring, as RFC 7946, 3.1.9, wants it of polygons that cross the antimeridian.
    """
    first, last = math.floor((ring[:, 0].min() + 180.0) / 360.0), math.ceil((ring[:, 0].max() + 180.0) / 360.0)
    return [
        part - (360.0 * turn, 0.0)
        for turn in range(first, last)
        for half in _east_of(ring, 360.0 * turn - 180.0)
        for part in _west_of(half, 360.0 * turn + 180.0)
    ]


def _west_of(ring: Array, lon: float) -> list[Array]:
    return [part * (-1.0, 1.0) for part in _east_of(ring * (-1.0, 1.0), -lon)]


def _east_of(ring: Array, lon: float) -> list[Array]:
    """The chains of a ring east of a meridian, joined along it: of their ends on it each two neighbours face."""
    east = ring[:-1, 0] > lon
    if not np.any(east) or np.all(east):
        return [ring] if np.all(east) else []
    enters = np.flatnonzero(~east & np.roll(east, -1))
    chains = []
    for enter in enters:
        corners = np.roll(ring[:-1], -enter - 1, axis=0)
        inside = corners[: int(np.argmin(np.roll(east, -enter - 1)))]
        ends = _meet(ring[enter], corners[0], lon), _meet(inside[-1], corners[len(inside)], lon)
        chains.append(np.vstack([ends[0], inside, ends[1]]))
    return _joined(chains)


def _meet(a: Array, b: Array, lon: float) -> Array:
    return np.array([lon, a[1] + (lon - a[0]) / (b[0] - a[0]) * (b[1] - a[1])])


def _joined(chains: list[Array]) -> list[Array]:
    ends = sorted(((chain[at][1], i, at) for i, chain in enumerate(chains) for at in (0, -1)), key=lambda end: end[0])
    facing = {}
    for (_, i, at), (_, j, other) in zip(ends[::2], ends[1::2], strict=True):
        facing[i, at], facing[j, other] = j, i
    rings, left = [], set(range(len(chains)))
    while left:
        first = here = min(left)
        parts = []
        while here in left:
            left.remove(here)
            parts.append(chains[here])
            here = facing[here, -1]
        rings.append(np.vstack([*parts, chains[first][:1]]))
    return rings
