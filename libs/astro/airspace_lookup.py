"""Lookup of points in the raster and the outlines that `airspace_index` lays out; its terms and arrays."""

from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int32]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

CELL_DEG, PARTS = 0.25, 4
COLUMNS, ROWS = int(360 / CELL_DEG), int(180 / CELL_DEG)
AT_X, AT_Y = 0.4636476, 0.5317294  # reference point within a cell, on no meridian or parallel that borders follow
NOWHERE, MIXED, NO_POINT = -1, -2, -3
MOST_LON_DEG = 36e3
_TOP_DEG = 90.0 - 1e-12


@njit(cache=True, error_model="numpy", inline="always")
def cell_of(lat: float, lon: float) -> tuple[float, float, int, int]:
    """(latitude, longitude in [-180, 180), row, column); what holds the north pole holds what is just below it."""
    y = min(lat, _TOP_DEG)
    x = lon
    if x < -180.0 or x >= 180.0:
        x = (x + 180.0) % 360.0 - 180.0
    column = min(int((x + 180.0) * (1.0 / CELL_DEG)), COLUMNS - 1)
    row = min(int((y + 90.0) * (1.0 / CELL_DEG)), ROWS - 1)
    return y, x, row, column


@njit(cache=True, error_model="numpy")
def inside(
    x: float, y: float, row: int, column: int, entry: int, holds: Flags, edge_starts: Indices, edges: Array
) -> bool:
    """Whether an entry's volume holds a point of the cell; points on an edge count as just north-east of it."""
    at_x, at_y = -180.0 + (column + AT_X) * CELL_DEG, -90.0 + (row + AT_Y) * CELL_DEG
    within = bool(holds[entry])
    for k in range(edge_starts[entry], edge_starts[entry + 1]):
        xa, ya, xb, yb = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]
        if (ya > y) != (yb > y):
            cross = xa + (y - ya) / (yb - ya) * (xb - xa)
            within ^= (x < cross) != (at_x < cross)
        if (xa > at_x) != (xb > at_x):
            cross = ya + (at_x - xa) / (xb - xa) * (yb - ya)
            within ^= (y < cross) != (at_y < cross)
    return within


@njit(cache=True, error_model="numpy")
def by_edges(
    y: float, x: float, row: int, column: int, lists: Indices, starts: Indices, volumes: Indices, holds: Flags,
    edge_starts: Indices, edges: Array,
) -> int:  # fmt: skip
    """The first volume of the cell's list that holds the point; `inside` written out, for speed."""
    at_x, at_y = -180.0 + (column + AT_X) * CELL_DEG, -90.0 + (row + AT_Y) * CELL_DEG
    found = lists[row, column]
    k = edge_starts[starts[found]]
    for entry in range(starts[found], starts[found + 1]):
        within = holds[entry]
        end = edge_starts[entry + 1]
        while k < end:
            xa, ya, xb, yb = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]
            if (ya > y) != (yb > y):
                cross = xa + (y - ya) / (yb - ya) * (xb - xa)
                within ^= (x < cross) != (at_x < cross)
            if (xa > at_x) != (xb > at_x):
                cross = ya + (at_x - xa) / (xb - xa) * (yb - ya)
                within ^= (y < cross) != (at_y < cross)
            k += 1
        if within:
            return int(volumes[entry])
    return NOWHERE


@njit(cache=True, error_model="numpy")
def first_over(
    y: float, x: float, row: int, column: int, best: Indices, parts: Indices, lists: Indices, starts: Indices,
    volumes: Indices, holds: Flags, edge_starts: Indices, edges: Array,
) -> int:  # fmt: skip
    """The first volume that holds a point of the cell, or NOWHERE."""
    found = best[row, column]
    if found <= MIXED:
        r = min(int((y + 90.0) * (PARTS / CELL_DEG)) - row * PARTS, PARTS - 1)
        c = min(int((x + 180.0) * (PARTS / CELL_DEG)) - column * PARTS, PARTS - 1)
        found = parts[MIXED - found, r * PARTS + c]
        if found == MIXED:
            found = by_edges(y, x, row, column, lists, starts, volumes, holds, edge_starts, edges)
    return int(found)


@njit(cache=True, error_model="numpy", nogil=True)
def find(
    lat: Array, lon: Array, numbers: Indices, best: Indices, parts: Indices, lists: Indices, starts: Indices,
    volumes: Indices, holds: Flags, edge_starts: Indices, edges: Array, out: Indices,
) -> None:  # fmt: skip
    """Number of the first volume over each point (n,), NOWHERE for none, NO_POINT for what is no point."""
    for i in range(lat.size):
        if not (abs(lat[i]) <= 90.0 and abs(lon[i]) <= MOST_LON_DEG):
            out[i] = NO_POINT
            continue
        y, x, row, column = cell_of(lat[i], lon[i])
        found = best[row, column]
        if found <= MIXED:
            r = min(int((y + 90.0) * (PARTS / CELL_DEG)) - row * PARTS, PARTS - 1)
            c = min(int((x + 180.0) * (PARTS / CELL_DEG)) - column * PARTS, PARTS - 1)
            found = parts[MIXED - found, r * PARTS + c]
            if found == MIXED:
                found = by_edges(y, x, row, column, lists, starts, volumes, holds, edge_starts, edges)
        out[i] = numbers[found] if found >= 0 else NOWHERE


@njit(cache=True, error_model="numpy", nogil=True)
def find_at(
    lat: Array, lon: Array, level: Array, lower: Array, upper: Array, lists: Indices, starts: Indices,
    volumes: Indices, holds: Flags, edge_starts: Indices, edges: Array, out: Indices, strict: Flags,
) -> None:  # fmt: skip
    """The volume of each point at its level, NOWHERE for none, NO_POINT for what is no point; see `at_level`."""
    for i in range(lat.size):
        if not (abs(lat[i]) <= 90.0 and abs(lon[i]) <= MOST_LON_DEG and abs(level[i]) < np.inf):
            out[i] = NO_POINT
            continue
        y, x, row, column = cell_of(lat[i], lon[i])
        out[i], strict[i] = at_level(
            y, x, row, column, level[i], lower, upper, lists, starts, volumes, holds, edge_starts, edges
        )


@njit(cache=True, error_model="numpy")
def at_level(
    y: float, x: float, row: int, column: int, level: float, lower: Array, upper: Array, lists: Indices,
    starts: Indices, volumes: Indices, holds: Flags, edge_starts: Indices, edges: Array,
) -> tuple[int, bool]:  # fmt: skip
    """First volume over a point that reaches its level, True; else the nearest below it or above it, False.

    Below goes before above; at equal distance the first in order of rank.
    """
    found, nearest = NOWHERE, np.inf
    cell = lists[row, column]
    for entry in range(starts[cell], starts[cell + 1]):
        if not inside(x, y, row, column, entry, holds, edge_starts, edges):
            continue
        volume = int(volumes[entry])
        if lower[volume] <= level < upper[volume]:
            return volume, True
        gap = 1e6 + lower[volume] - level if lower[volume] > level else level - upper[volume]
        if gap < nearest:
            found, nearest = volume, gap
    return found, False
