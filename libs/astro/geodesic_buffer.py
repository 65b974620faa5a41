"""What lies within a distance of a line of many points on the WGS-84 ellipsoid, and the outline of that area."""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import geodesic, geodesy

Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

# Between distances on the sphere and on the ellipsoid: 0.6 %, and how far their lines of one length run apart.
_SCALE, _SAG = 0.007, 0.003
_MOST_SEGMENT_KM = 5000.0
ARC_RAD = math.radians(10.0)  # a chord of the round ends lies 0.4 % of the width within the arc


def distances_km(lat_deg: Array, lon_deg: Array, line_lat_deg: Array, line_lon_deg: Array) -> Array:
    """Shortest distance (n,) of each point (n,) to a line through points (m,), m >= 1, along shortest lines.

    Good to a millimetre. Raises ValueError for what are no points and for points of the line over 5,000 km apart.
    """
    points, line = _radians(lat_deg, lon_deg), _line(line_lat_deg, line_lon_deg)
    out = np.empty(points[0].size)
    _distances(*points, *line, 0.0, out)
    return out


def within(lat_deg: Array, lon_deg: Array, line_lat_deg: Array, line_lon_deg: Array, km: float) -> Flags:
    """Which points (n,) lie within `km` of a line, as `distances_km` has it; most need no exact distance.

    Raises ValueError as it does, and for a distance that is negative or none.
    """
    if not 0.0 <= km < math.inf:
        raise ValueError(f"nothing lies within {km} km; give a distance of 0 or more")
    points, line = _radians(lat_deg, lon_deg), _line(line_lat_deg, line_lon_deg)
    out = np.empty(points[0].size)
    _distances(*points, *line, km, out)
    return out <= km


def outline(line_lat_deg: Array, line_lon_deg: Array, km: float) -> Array:
    """Closed counterclockwise ring (k, 2), longitude and latitude in degrees, of the area within `km` of a line (m,).

    Its longitudes are unwrapped; where the area holds a pole the ring goes once around the Earth and does not close in
    longitude. Points beside the line lie at right angles to it, round ends on geodesic circles, bends are mitred on
    the inside and round on the outside. The line must not come back to within twice `km` of itself, nor bend within
    less than `km`; a track of several revolutions is buffered one at a time. Raises ValueError as `distances_km` does,
    for fewer than two distinct points, and for a width that is not above 0 and below 1,000 km.
    """
    lat, lon = _line(line_lat_deg, line_lon_deg)
    keep = np.r_[True, (np.diff(lat) != 0.0) | (np.diff(lon) != 0.0)]
    lat, lon = lat[keep], lon[keep]
    if lat.size < 2 or not 0.0 < km < 1000.0:
        raise ValueError("a buffer needs two points or more, and a width between 0 and 1,000 km")
    legs = [geodesic.inverse(*ends) for ends in zip(lat[:-1], lon[:-1], lat[1:], lon[1:], strict=True)]
    ahead = np.array([leg[1] for leg in legs])
    behind = np.array([leg[2] for leg in legs])
    right = [point for i in range(lat.size) for point in _beside(lat, lon, ahead, behind, i, km, 1.0)]
    left = [point for i in range(lat.size) for point in _beside(lat, lon, ahead, behind, i, km, -1.0)]
    end = _arc(lat[-1], lon[-1], behind[-1] + math.pi / 2.0, behind[-1] - math.pi / 2.0, km)[1:-1]
    start = _arc(lat[0], lon[0], ahead[0] - math.pi / 2.0, ahead[0] - 1.5 * math.pi, km)[1:-1]
    ring = np.degrees(np.array([*right, *end, *left[::-1], *start]))[:, ::-1]
    ring = np.vstack([ring, ring[:1]])
    turns = np.round(np.diff(ring[:, 0]) / 360.0)
    ring[1:, 0] -= 360.0 * np.cumsum(turns)
    return ring


def _beside(
    lat: Array, lon: Array, ahead: Array, behind: Array, i: int, km: float, side: float
) -> list[tuple[float, float]]:
    """Points of the outline on one side (1 right, -1 left) of the line's i-th point, in its direction."""
    leave = ahead[min(i, ahead.size - 1)] if i < ahead.size else behind[-1]
    arrive = behind[i - 1] if i > 0 else leave
    bend = math.remainder(leave - arrive, 2.0 * math.pi)
    if side * bend < 0.0:  # the outside of the bend
        quarter = side * math.pi / 2.0
        return _arc(lat[i], lon[i], arrive + quarter, arrive + bend + quarter, km)
    middle = arrive + bend / 2.0 + side * math.pi / 2.0
    return [geodesic.direct(lat[i], lon[i], middle, km / math.cos(bend / 2.0))[:2]]


def _arc(lat: float, lon: float, first: float, last: float, km: float) -> list[tuple[float, float]]:
    steps = max(1, math.ceil(abs(last - first) / ARC_RAD))
    return [geodesic.direct(lat, lon, first + (last - first) * k / steps, km)[:2] for k in range(steps + 1)]


def _radians(lat_deg: Array, lon_deg: Array) -> tuple[Array, Array]:
    lat = np.radians(np.ascontiguousarray(lat_deg, dtype=np.float64).ravel())
    lon = np.radians(np.ascontiguousarray(lon_deg, dtype=np.float64).ravel())
    if lat.size != lon.size or not np.all(np.abs(lat) <= np.pi / 2.0) or not np.all(np.isfinite(lon)):
        raise ValueError("points have latitudes in [-90, 90] and as many longitudes")
    return lat, lon


def _line(lat_deg: Array, lon_deg: Array) -> tuple[Array, Array]:
    lat, lon = _radians(lat_deg, lon_deg)
    if lat.size == 0 or _longest_km(lat, lon) > _MOST_SEGMENT_KM:
        raise ValueError("a line has one point or more, no two in a row over 5,000 km apart")
    return lat, lon


@njit(cache=True, error_model="numpy")
def _longest_km(lat: Array, lon: Array) -> float:
    longest = 0.0
    for k in range(lat.size - 1):
        longest = max(longest, geodesy.distance_km(lat[k], lon[k], lat[k + 1], lon[k + 1]))
    return longest


@njit(cache=True, error_model="numpy", nogil=True)
def _distances(lat: Array, lon: Array, line_lat: Array, line_lon: Array, enough: float, out: Array) -> None:
    """Exact distances; with `enough` above 0 any value on the true one's side of it will do."""
    last = max(line_lat.size - 1, 1)
    rough = np.empty((last, 2))
    for i in range(lat.size):
        best, nearest = np.inf, 0
        for k in range(last):
            j = min(k + 1, line_lat.size - 1)
            rough[k, 0], length = geodesy.to_segment_km(
                lat[i], lon[i], line_lat[k], line_lon[k], line_lat[j], line_lon[j]
            )
            rough[k, 1] = _SCALE * rough[k, 0] + _SAG * length
            if rough[k, 0] < rough[nearest, 0]:
                nearest = k
        if enough > 0.0 and rough[nearest, 0] + rough[nearest, 1] < enough:
            out[i] = rough[nearest, 0]
            continue
        for n in range(last + 1):
            k = nearest if n == 0 else n - 1
            lower = rough[k, 0] - rough[k, 1]
            if lower >= best or (n > 0 and k == nearest):
                continue
            if enough > 0.0 and lower > enough:
                best = min(best, rough[k, 0])
                continue
            j = min(k + 1, line_lat.size - 1)
            exact, _ = geodesic.to_segment(lat[i], lon[i], line_lat[k], line_lon[k], line_lat[j], line_lon[j])
            best = min(best, exact)
        out[i] = best
