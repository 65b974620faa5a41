"""Which falling pieces come near an aircraft on its way: at one time within a distance to the side and in level."""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.geodesy import MEAN_RADIUS_KM

Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def near(pieces: Array, route: Array, lateral_km: float, vertical_fl: float) -> Flags:
    """Rows of pieces (n,) that come within both distances of the route at some instant.

    pieces (n, 8): entry and exit in seconds, then latitude, longitude (degrees) and level of each; route (m, 4):
    seconds rising, latitude, longitude, level. Both move straight and at constant speed between their points, which
    is good to 1 % of the distance for legs under 1,000 km. ValueError for a route of fewer than two points, one that
    goes back in time, distances that are not above 0, or rows that are no numbers.
    """
    if pieces.ndim != 2 or pieces.shape[1] != 8 or not np.isfinite(pieces).all():
        raise ValueError("a piece has two times, then a latitude, a longitude and a level at each")
    if route.ndim != 2 or route.shape[1] != 4 or len(route) < 2 or not np.isfinite(route).all():
        raise ValueError("a route has two points or more, each with its time, latitude, longitude and level")
    if not (np.diff(route[:, 0]) >= 0.0).all() or not (lateral_km > 0.0 and vertical_fl > 0.0):
        raise ValueError("a route does not go back in time, and its distances are above 0")
    found = np.zeros(len(pieces), dtype=np.bool_)
    _near(np.ascontiguousarray(pieces), np.ascontiguousarray(route), lateral_km, vertical_fl, found)
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def _near(pieces: Array, route: Array, lateral_km: float, vertical_fl: float, found: Flags) -> None:
    p0, p1, a0, a1 = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    for i in range(pieces.shape[0]):
        one = pieces[i]
        for k in range(route.shape[0] - 1):
            begin, end = max(one[0], route[k, 0]), min(one[1], route[k + 1, 0])
            if begin > end:
                continue
            z0 = _between(one, begin, 2, 5, p0) - _along(route, k, begin, a0)
            z1 = _between(one, end, 2, 5, p1) - _along(route, k, end, a1)
            low, high = _part(z0, z1, vertical_fl)
            if low <= high and _least_km(p0, p1, a0, a1, low, high) <= lateral_km:
                found[i] = True
                break


@njit(cache=True, error_model="numpy", nogil=True)
def _between(row: Array, at_s: float, first: int, last: int, out: Array) -> float:
    span = row[1] - row[0]
    s = (at_s - row[0]) / span if span > 0.0 else 0.0
    return _mix(row[first : first + 3], row[last : last + 3], s, out)


@njit(cache=True, error_model="numpy", nogil=True)
def _along(route: Array, k: int, at_s: float, out: Array) -> float:
    span = route[k + 1, 0] - route[k, 0]
    s = (at_s - route[k, 0]) / span if span > 0.0 else 0.0
    return _mix(route[k, 1:], route[k + 1, 1:], s, out)


@njit(cache=True, error_model="numpy", nogil=True)
def _mix(one: Array, other: Array, s: float, out: Array) -> float:
    """Fills a unit vector at share s of the way between two places; returns the level there."""
    a, o, c, p = math.radians(one[0]), math.radians(one[1]), math.radians(other[0]), math.radians(other[1])
    out[0] = (1.0 - s) * math.cos(a) * math.cos(o) + s * math.cos(c) * math.cos(p)
    out[1] = (1.0 - s) * math.cos(a) * math.sin(o) + s * math.cos(c) * math.sin(p)
    out[2] = (1.0 - s) * math.sin(a) + s * math.sin(c)
    size = math.sqrt(out[0] ** 2 + out[1] ** 2 + out[2] ** 2)
    for n in range(3):
        out[n] /= size
    return float((1.0 - s) * one[2] + s * other[2])


@njit(cache=True, error_model="numpy", nogil=True)
def _part(z0: float, z1: float, most: float) -> tuple[float, float]:
    """Shares of the time between which a difference in level that runs from z0 to z1 is at most `most`."""
    change = z1 - z0
    if change == 0.0:
        return (0.0, 1.0) if abs(z0) <= most else (1.0, 0.0)
    first, last = (-most - z0) / change, (most - z0) / change
    return max(min(first, last), 0.0), min(max(first, last), 1.0)


@njit(cache=True, error_model="numpy", nogil=True)
def _least_km(p0: Array, p1: Array, a0: Array, a1: Array, low: float, high: float) -> float:
    """Least distance of two points on their ways between two shares of the time."""
    square, product, start = 0.0, 0.0, 0.0
    for n in range(3):
        d0 = p0[n] - a0[n]
        d = p1[n] - a1[n] - d0
        square, product, start = square + d * d, product + d * d0, start + d0 * d0
    s = min(max(-product / square, low), high) if square > 0.0 else low
    return MEAN_RADIUS_KM * math.sqrt(max(start + s * (2.0 * product + s * square), 0.0))
