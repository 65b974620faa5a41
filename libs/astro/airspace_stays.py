"""Stays of many falling pieces in regions, cut at the bands of levels they fall through."""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.airspace_lookup import NOWHERE
from libs.astro.airspace_track import cross

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int32]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

PIECE, BAND, REGION = range(3)
ENTRY_S, EXIT_S, ENTRY_LAT, ENTRY_LON, EXIT_LAT, EXIT_LON, ENTRY_FL, EXIT_FL = range(8)
WHOLE, VALUES = 3, 8
_ROOM = 64


@njit(cache=True, error_model="numpy", nogil=True)
def stays(
    seconds: Array, lat: Array, lon: Array, level: Array, counts: Indices, bands: Indices, numbers: Indices,
    lower: Array, upper: Array, limits: Array, best: Indices, parts: Indices, lists: Indices, starts: Indices,
    volumes: Indices, holds: Flags, edge_starts: Indices, edges: Array, whole: Indices, values: Array,
) -> int:  # fmt: skip
    """Files rows in `whole` (m, 3) and `values` (m, 8) by piece and time; gives their number, which may exceed m.

    Tracks (n, k) of which `counts` (n,) nodes count; bands (b + 1,): the node at which each band starts, falling. The
    rows of a piece follow each other without a gap, outside all regions as NOWHERE.
    """
    regions, times = np.empty(_ROOM, dtype=np.int32), np.empty((_ROOM, 2))
    count = 0
    for i in range(seconds.shape[0]):
        for band in range(bands.size - 1):
            first, last = bands[band], min(bands[band + 1], counts[i] - 1)
            if last <= first or not seconds[i, last] > seconds[i, first]:
                continue
            part = slice(first, last + 1)
            while True:
                found = cross(
                    seconds[i, part], lat[i, part], lon[i, part], level[i, part], numbers, lower, upper, limits, best,
                    parts, lists, starts, volumes, holds, edge_starts, edges, regions, times,
                )  # fmt: skip
                if found <= regions.size:
                    break
                regions, times = np.empty(found, dtype=np.int32), np.empty((found, 2))
            at, end = seconds[i, first], seconds[i, last]
            for k in range(found + 1):
                opens, closes = (times[k, 0], times[k, 1]) if k < found else (end, end)
                if opens > at:
                    count = _file(whole, values, count, i, band, NOWHERE, at, opens, seconds, lat, lon, level, part)
                if closes > opens:
                    region = int(regions[k])
                    count = _file(whole, values, count, i, band, region, opens, closes, seconds, lat, lon, level, part)
                at = max(at, closes)
    return count


@njit(cache=True, error_model="numpy", nogil=True)
def _file(
    whole: Indices, values: Array, count: int, piece: int, band: int, region: int, entry_s: float, exit_s: float,
    seconds: Array, lat: Array, lon: Array, level: Array, part: slice,
) -> int:  # fmt: skip
    if count < values.shape[0]:
        whole[count, PIECE], whole[count, BAND], whole[count, REGION] = piece, band, region
        row = values[count]
        row[ENTRY_S], row[EXIT_S] = entry_s, exit_s
        track = seconds[piece, part], lat[piece, part], lon[piece, part], level[piece, part]
        row[ENTRY_LAT], row[ENTRY_LON], row[ENTRY_FL] = _at(entry_s, *track)
        row[EXIT_LAT], row[EXIT_LON], row[EXIT_FL] = _at(exit_s, *track)
    return count + 1


@njit(cache=True, error_model="numpy", nogil=True)
def _at(at_s: float, seconds: Array, lat: Array, lon: Array, level: Array) -> tuple[float, float, float]:
    """Latitude, longitude and level of a track at a time, along the great circle between its nodes."""
    k = 0
    while k < seconds.size - 2 and seconds[k + 1] <= at_s:
        k += 1
    span = seconds[k + 1] - seconds[k]
    s = min(max((at_s - seconds[k]) / span, 0.0), 1.0) if span > 0.0 else 1.0
    level_fl = level[k] + s * (level[k + 1] - level[k])
    if s <= 0.0:
        return lat[k], lon[k], level_fl
    if s >= 1.0:
        return lat[k + 1], lon[k + 1], level_fl
    a, o = math.radians(lat[k]), math.radians(lon[k])
    c, p = math.radians(lat[k + 1]), math.radians(lon[k + 1])
    ux, uy, uz = math.cos(a) * math.cos(o), math.cos(a) * math.sin(o), math.sin(a)
    vx, vy, vz = math.cos(c) * math.cos(p), math.cos(c) * math.sin(p), math.sin(c)
    chord = math.sqrt((vx - ux) ** 2 + (vy - uy) ** 2 + (vz - uz) ** 2)
    angle = 2.0 * math.asin(min(1.0, 0.5 * chord))
    wu, wv = (math.sin((1.0 - s) * angle), math.sin(s * angle)) if angle > 1e-9 else (1.0 - s, s)
    x, y, z = wu * ux + wv * vx, wu * uy + wv * vy, wu * uz + wv * vz
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)), level_fl
