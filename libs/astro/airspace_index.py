"""Which volumes of airspace lie over a point: a raster of quarter degrees, and outlines in the cells that they cross.

Every cell has a list of volumes in order of rank: for each whether it holds the cell's reference point and which of its
edges pass through the cell. A point is in a volume when it is on the reference point's side of an even number of those
edges, counted on the way there, first east or west and then north or south. Cells without edges share lists. Cells with
edges are parted once more: most of their parts no edge passes.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from libs.astro.airspace_lookup import (
    AT_X,
    AT_Y,
    CELL_DEG,
    COLUMNS,
    MIXED,
    NOWHERE,
    PARTS,
    ROWS,
    Array,
    Flags,
    Indices,
    by_edges,
)

_MARGIN = 1e-6  # of a cell: an edge this near to a cell counts as passing through it


@dataclass(frozen=True, slots=True)
class Index:
    """`best` (ROWS, COLUMNS): number of the first volume over the cell, NOWHERE, or MIXED - m where edges cross it.

    `parts` (cells with edges, PARTS * PARTS): the same of the parts of the m-th such cell, rows from the south, with
    MIXED where an edge crosses the part.
    `lists` (ROWS, COLUMNS): number k of the cell's list, whose entries are starts[k] to starts[k + 1] of `volumes` and
    `holds`; the edges of entry e are edge_starts[e] to edge_starts[e + 1] of `edges`, each (x, y, x, y) in degrees
    beside the cell.
    """

    best: Indices
    parts: Indices
    lists: Indices
    starts: Indices
    volumes: Indices
    holds: Flags
    edge_starts: Indices
    edges: Array


def build(rings: list[Array], volume_of_ring: Indices) -> Index:
    """Index of dense rings (n, 2), longitude and latitude in degrees; volumes are numbered by rank, rings sorted."""
    points = np.vstack(rings) if rings else np.zeros((0, 2))
    ring_starts = np.cumsum([0, *(len(ring) for ring in rings)]).astype(np.int32)
    volume_of_ring = np.asarray(volume_of_ring, dtype=np.int32)
    cells, edges = _edges_by_cell(points, ring_starts, volume_of_ring)
    covered_starts, covered = _covered(points, ring_starts, volume_of_ring)
    rest = edges[:, :4].copy()
    best, lists, starts, volumes, holds, edge_starts = _merge(
        cells, edges[:, 4].astype(np.int32), covered_starts, covered
    )
    parts = _parts(best, lists, starts, volumes, holds, edge_starts, rest)
    return Index(best, parts, lists, starts, volumes, holds, edge_starts, rest)


def _edges_by_cell(points: Array, starts: Indices, volume_of_ring: Indices) -> tuple[Indices, Array]:
    """Starts by cell, and (n, 5): edges beside the cell and their volume, in order of cell, then volume."""
    counts = np.zeros(ROWS * COLUMNS + 1, dtype=np.int32)
    _pass(points, starts, volume_of_ring, counts, np.empty((0, 5)))
    ends = np.cumsum(counts[:-1], dtype=np.int32)
    cells = np.append(np.int32(0), ends).astype(np.int32)
    edges = np.empty((int(ends[-1]), 5))
    _pass(points, starts, volume_of_ring, cells[:-1].copy(), edges)
    return cells, edges


@njit(cache=True, error_model="numpy")
def _pass(points: Array, starts: Indices, volume_of_ring: Indices, at: Indices, edges: Array) -> None:
    """Counts in `at` the edges through each cell or, given room for them, files them there."""
    filing = edges.shape[0] > 0
    for ring in range(volume_of_ring.size):
        for k in range(starts[ring], starts[ring + 1] - 1):
            xa, ya, xb, yb = points[k, 0], points[k, 1], points[k + 1, 0], points[k + 1, 1]
            if xa == xb and ya == yb:
                continue
            bottom = (min(ya, yb) + 90.0) / CELL_DEG - _MARGIN
            top = (max(ya, yb) + 90.0) / CELL_DEG + _MARGIN
            for row in range(max(int(np.floor(bottom)), 0), min(int(np.floor(top)), ROWS - 1) + 1):
                left, right = _span(xa, ya, xb, yb, -90.0 + row * CELL_DEG, CELL_DEG)
                for column in range(int(np.floor(left)), int(np.floor(right)) + 1):
                    turn = column // COLUMNS
                    cell = row * COLUMNS + column - turn * COLUMNS
                    if filing:
                        edges[at[cell], 0] = xa - 360.0 * turn
                        edges[at[cell], 1] = ya
                        edges[at[cell], 2] = xb - 360.0 * turn
                        edges[at[cell], 3] = yb
                        edges[at[cell], 4] = volume_of_ring[ring]
                    at[cell] += 1


@njit(cache=True, error_model="numpy")
def _span(xa: float, ya: float, xb: float, yb: float, south: float, size: float) -> tuple[float, float]:
    """First and last column, with fractions, that an edge reaches within a row of cells of a size."""
    low, high = south - _MARGIN * size, south + (1.0 + _MARGIN) * size
    if ya > yb:
        xa, ya, xb, yb = xb, yb, xa, ya
    x_low, x_high = xa, xb
    if ya < low:
        x_low = xa + (low - ya) / (yb - ya) * (xb - xa)
    if yb > high:
        x_high = xa + (high - ya) / (yb - ya) * (xb - xa)
    left, right = min(x_low, x_high), max(x_low, x_high)
    return (left + 180.0) / size - _MARGIN, (right + 180.0) / size + _MARGIN


@njit(cache=True, error_model="numpy")
def _parts(
    best: Indices, lists: Indices, starts: Indices, volumes: Indices, holds: Flags, edge_starts: Indices, edges: Array
) -> Indices:
    size = CELL_DEG / PARTS
    parts = np.full((-MIXED - min(int(np.min(best)), MIXED + 1), PARTS * PARTS), NOWHERE, dtype=np.int32)
    for row in range(ROWS):
        for column in range(COLUMNS):
            if best[row, column] > MIXED:
                continue
            mine = parts[MIXED - best[row, column]]
            cell = lists[row, column]
            for k in range(edge_starts[starts[cell]], edge_starts[starts[cell + 1]]):
                xa, ya, xb, yb = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]
                for r in range(PARTS):
                    south = -90.0 + row * CELL_DEG + r * size
                    if max(ya, yb) < south - _MARGIN * size or min(ya, yb) > south + (1.0 + _MARGIN) * size:
                        continue
                    left, right = _span(xa, ya, xb, yb, south, size)
                    first = max(int(np.floor(left)) - column * PARTS, 0)
                    last = min(int(np.floor(right)) - column * PARTS, PARTS - 1)
                    mine[r * PARTS + first : r * PARTS + last + 1] = MIXED
            for part in range(PARTS * PARTS):
                if mine[part] != MIXED:
                    y = -90.0 + row * CELL_DEG + (part // PARTS + 0.5) * size
                    x = -180.0 + column * CELL_DEG + (part % PARTS + 0.5) * size
                    mine[part] = by_edges(y, x, row, column, lists, starts, volumes, holds, edge_starts, edges)
    return parts


@njit(cache=True, error_model="numpy")
def _covered(points: Array, starts: Indices, volume_of_ring: Indices) -> tuple[Indices, Indices]:
    """Starts by cell, and the volumes that hold the cell's reference point, in order."""
    counts = np.zeros(ROWS * COLUMNS + 1, dtype=np.int32)
    mask = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    volumes = np.empty(0, dtype=np.int32)
    for filing in range(2):
        first = 0
        while first < volume_of_ring.size:
            last = first
            while last < volume_of_ring.size and volume_of_ring[last] == volume_of_ring[first]:
                last += 1
            bottom, top = ROWS, 0
            for ring in range(first, last):
                low, high = _toggle(points[starts[ring] : starts[ring + 1]], mask)
                bottom, top = min(bottom, low), max(top, high)
            for row in range(bottom, top):
                for column in range(COLUMNS):
                    if mask[row, column]:
                        mask[row, column] = False
                        cell = row * COLUMNS + column
                        if filing == 1:
                            volumes[counts[cell]] = volume_of_ring[first]
                        counts[cell] += 1
            first = last
        if filing == 0:
            total = 0
            for cell in range(counts.size):
                total, counts[cell] = total + counts[cell], total
            volumes = np.empty(total, dtype=np.int32)
    covered = np.zeros(counts.size, dtype=np.int32)
    covered[1:] = counts[:-1]  # where a cell's volumes ended is where the next cell's start
    return covered, volumes


@njit(cache=True, error_model="numpy")
def _toggle(ring: Array, mask: Flags) -> tuple[int, int]:
    """Turns over the cells whose reference point the ring holds; gives the rows it reaches."""
    low = (np.min(ring[:, 1]) + 90.0) / CELL_DEG - AT_Y
    high = (np.max(ring[:, 1]) + 90.0) / CELL_DEG - AT_Y
    bottom, top = max(int(np.floor(low)), 0), min(int(np.ceil(high)) + 1, ROWS)
    counts = np.zeros(top - bottom + 1, dtype=np.int32)
    crossings = np.empty(0)
    for filing in range(2):
        for k in range(ring.shape[0] - 1):
            xa, ya, xb, yb = ring[k, 0], ring[k, 1], ring[k + 1, 0], ring[k + 1, 1]
            first = int(np.floor((min(ya, yb) + 90.0) / CELL_DEG - AT_Y))
            last = int(np.ceil((max(ya, yb) + 90.0) / CELL_DEG - AT_Y))
            for row in range(max(first, bottom), min(last + 1, top)):
                y = -90.0 + (row + AT_Y) * CELL_DEG
                if (ya > y) != (yb > y):
                    if filing == 1:
                        crossings[counts[row - bottom]] = xa + (y - ya) / (yb - ya) * (xb - xa)
                    counts[row - bottom] += 1
        if filing == 0:
            total = 0
            for row in range(counts.size):
                total, counts[row] = total + counts[row], total
            crossings = np.empty(total)
    begin = 0
    for row in range(bottom, top):
        end = counts[row - bottom]
        found = np.sort(crossings[begin:end])
        for pair in range(0, found.size - 1, 2):
            first = int(np.ceil((found[pair] + 180.0) / CELL_DEG - AT_X))
            last = int(np.ceil((found[pair + 1] + 180.0) / CELL_DEG - AT_X))
            for column in range(first, last):
                mask[row, column % COLUMNS] = not mask[row, column % COLUMNS]
        begin = end
    return bottom, top


@njit(cache=True, error_model="numpy")
def _merge(
    cells: Indices, edge_volumes: Indices, covered_starts: Indices, covered: Indices
) -> tuple[Indices, Indices, Indices, Indices, Flags, Indices]:
    """The lists of all cells; those of cells without edges are shared with the cell before or below."""
    best = np.full((ROWS, COLUMNS), NOWHERE, dtype=np.int32)
    lists = np.zeros((ROWS, COLUMNS), dtype=np.int32)
    starts = np.zeros(ROWS * COLUMNS + 2, dtype=np.int32)
    room = edge_volumes.size + covered.size + 1
    volumes = np.empty(room, dtype=np.int32)
    holds = np.empty(room, dtype=np.bool_)
    edge_starts = np.zeros(room + 1, dtype=np.int32)
    count, entry, mixed = 1, 0, 0  # list 0 is empty
    for cell in range(ROWS * COLUMNS):
        row, column = cell // COLUMNS, cell % COLUMNS
        c, c_end = covered_starts[cell], covered_starts[cell + 1]
        e, e_end = cells[cell], cells[cell + 1]
        if e == e_end:
            if c == c_end:
                continue
            best[row, column] = covered[c]
            same = _same(lists, best, row, column, covered[c:c_end], starts, volumes)
            if same > 0:
                lists[row, column] = same
                continue
        else:
            best[row, column] = MIXED - mixed
            mixed += 1
        starts[count] = entry
        while c < c_end or e < e_end:
            volume = min(covered[c] if c < c_end else 2**30, edge_volumes[e] if e < e_end else 2**30)
            volumes[entry] = volume
            holds[entry] = c < c_end and covered[c] == volume
            edge_starts[entry] = e
            if holds[entry]:
                c += 1
            while e < e_end and edge_volumes[e] == volume:
                e += 1
            entry += 1
            edge_starts[entry] = e
        lists[row, column] = count
        count += 1
        starts[count] = entry
    return (
        best,
        lists,
        starts[: count + 1].copy(),
        volumes[:entry].copy(),
        holds[:entry].copy(),
        edge_starts[: entry + 1].copy(),
    )


@njit(cache=True, error_model="numpy")
def _same(
    lists: Indices, best: Indices, row: int, column: int, wanted: Indices, starts: Indices, volumes: Indices
) -> int:
    """The list of the cell before or below, if it has just these volumes and no edges, or 0."""
    for r, c in ((row, column - 1), (row - 1, column)):
        if r < 0 or c < 0 or best[r, c] < 0:
            continue
        found = lists[r, c]
        if starts[found + 1] - starts[found] == wanted.size:
            equal = True
            for i in range(wanted.size):
                equal = equal and volumes[starts[found] + i] == wanted[i]
            if equal:
                return int(found)
    return 0
