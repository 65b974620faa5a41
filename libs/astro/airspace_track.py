"""When a moving point enters and leaves regions: the instants at which its path crosses their borders."""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.airspace_lookup import CELL_DEG, COLUMNS, MIXED, NOWHERE, ROWS, at_level, cell_of, first_over

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int32]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

PIECE_RAD = math.radians(0.1)  # times the latitude's cosine: chords in longitude and latitude stay within 1.3 m
_ROOM = 256


@njit(cache=True, error_model="numpy", nogil=True)
def cross(
    seconds: Array, lat: Array, lon: Array, level: Array, numbers: Indices, lower: Array, upper: Array,
    limits: Array, best: Indices, parts: Indices, lists: Indices, starts: Indices, volumes: Indices, holds: Flags,
    edge_starts: Indices, edges: Array, regions: Indices, times: Array,
) -> int:  # fmt: skip
    """Files visits in `regions` (m,) and `times` (m, 2), entry and exit; gives their number, which may exceed m.

    Between points the path is a great circle flown at constant speed. With `level` (n,) not empty the volume at the
    level is looked up, and `limits`, the finite limits of all volumes, part the path too. Each piece is cut where it
    meets an edge; the middle of each part then says whose it is.
    """
    cuts = np.empty(_ROOM)
    count, current = 0, NOWHERE
    for leg in range(seconds.size - 1):
        ux, uy, uz = _unit(lat[leg], lon[leg])
        vx, vy, vz = _unit(lat[leg + 1], lon[leg + 1])
        angle = 2.0 * math.asin(min(1.0, 0.5 * math.sqrt((vx - ux) ** 2 + (vy - uy) ** 2 + (vz - uz) ** 2)))
        span = seconds[leg + 1] - seconds[leg]
        y0, x0, f0 = lat[leg], lon[leg], 0.0
        while f0 < 1.0:
            step = 1.0
            if angle > 0.0:
                step = PIECE_RAD * max(math.cos(math.radians(y0)), 0.02) / angle
            f1 = f0 + step if f0 + 1.01 * step < 1.0 else 1.0
            y1, x1 = lat[leg + 1], lon[leg + 1]
            if f1 < 1.0:
                a, b = math.sin((1.0 - f1) * angle), math.sin(f1 * angle)
                px, py, pz = a * ux + b * vx, a * uy + b * vy, a * uz + b * vz
                y1, x1 = math.degrees(math.atan2(pz, math.hypot(px, py))), math.degrees(math.atan2(py, px))
            x1 += 360.0 * np.round((x0 - x1) / 360.0)
            level0, level1 = 0.0, 0.0
            if level.size > 0:
                level0 = level[leg] + f0 * (level[leg + 1] - level[leg])
                level1 = level[leg] + f1 * (level[leg + 1] - level[leg])
            found, cuts = _cuts(x0, y0, x1, y1, level0, level1, limits, best, lists, starts, edge_starts, edges, cuts)
            t0 = 0.0
            for cut in range(found + 1 if found > 0 or f0 == 0.0 else 0):  # what meets no edge stays where it is
                t1 = cuts[cut] if cut < found else 1.0
                if t1 - t0 < 1e-12 and cut < found:
                    continue
                t = 0.5 * (t0 + t1)
                y, x, row, column = cell_of(y0 + t * (y1 - y0), x0 + t * (x1 - x0))
                if level.size > 0:
                    volume, _ = at_level(
                        y, x, row, column, level0 + t * (level1 - level0), lower, upper, lists, starts, volumes,
                        holds, edge_starts, edges,
                    )  # fmt: skip
                else:
                    volume = first_over(
                        y, x, row, column, best, parts, lists, starts, volumes, holds, edge_starts, edges
                    )
                region = numbers[volume] if volume >= 0 else NOWHERE
                if region != current:
                    at = seconds[leg] + (f0 + t0 * (f1 - f0)) * span
                    if current != NOWHERE and count <= regions.size:
                        times[count - 1, 1] = at
                    if region != NOWHERE:
                        if count < regions.size:
                            regions[count], times[count, 0] = region, at
                        count += 1
                    current = region
                t0 = t1
            y0, x0, f0 = y1, x1, f1
    if current != NOWHERE and count <= regions.size:
        times[count - 1, 1] = seconds[-1]
    return count


@njit(cache=True, error_model="numpy")
def _cuts(
    x0: float, y0: float, x1: float, y1: float, level0: float, level1: float, limits: Array, best: Indices,
    lists: Indices, starts: Indices, edge_starts: Indices, edges: Array, cuts: Array,
) -> tuple[int, Array]:  # fmt: skip
    """Where a chord meets edges or its level a limit, as sorted fractions of it in `cuts`, and their number."""
    count = 0
    left, right = math.floor((min(x0, x1) + 180.0) / CELL_DEG), math.floor((max(x0, x1) + 180.0) / CELL_DEG)
    bottom = max(math.floor((min(y0, y1) + 90.0) / CELL_DEG), 0)
    top = min(math.floor((max(y0, y1) + 90.0) / CELL_DEG), ROWS - 1)
    for row in range(bottom, top + 1):
        for wide in range(left, right + 1):
            turn = wide // COLUMNS
            column = wide - turn * COLUMNS
            if best[row, column] > MIXED:
                continue
            cell = lists[row, column]
            px, dx, dy = x0 - 360.0 * turn, x1 - x0, y1 - y0
            for k in range(edge_starts[starts[cell]], edge_starts[starts[cell + 1]]):
                ex, ey = edges[k, 2] - edges[k, 0], edges[k, 3] - edges[k, 1]
                ax, ay = edges[k, 0] - px, edges[k, 1] - y0
                across = dx * ey - dy * ex
                t, u = (ax * ey - ay * ex) / across, (ax * dy - ay * dx) / across
                if 0.0 <= t <= 1.0 and -1e-9 <= u <= 1.0 + 1e-9:
                    cuts = _with_room(cuts, count)
                    cuts[count] = t
                    count += 1
    for limit in limits:
        if (level0 < limit) != (level1 < limit):
            cuts = _with_room(cuts, count)
            cuts[count] = (limit - level0) / (level1 - level0)
            count += 1
    cuts[:count].sort()
    return count, cuts


@njit(cache=True, error_model="numpy")
def _with_room(cuts: Array, count: int) -> Array:
    return cuts if count < cuts.size else np.concatenate((cuts, np.empty(cuts.size)))


@njit(cache=True, error_model="numpy")
def _unit(lat_deg: float, lon_deg: float) -> tuple[float, float, float]:
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
