"""Whether outlines make valid polygons, as OGC Simple Features (06-103r4, 6.1.11 and 6.1.14) has it, and if not, why.

Rings are judged in the plane of longitude and latitude, unwrapped. Orientations are signs of determinants in
double-double arithmetic, so that the answer does not hang on rounding.
"""

from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int32]]

_FINE, _SELF, _SPIKE, _RING_TOUCH, _OVERLAP, _CROSS = range(6)
_WORDS = {
    _SELF: "its outline crosses itself",
    _SPIKE: "its outline has a spike or doubles back on itself",
    _RING_TOUCH: "its outline touches itself",
    _OVERLAP: "two of its outlines share a piece of border",
    _CROSS: "two of its outlines cross",
}


def problem(polygons: list[list[Array]]) -> str:
    """What makes a feature invalid and where, or nothing. Closed rings (n, 2) without repeats, outline first."""
    rings = [ring for polygon in polygons for ring in polygon]
    of_polygon = np.array([p for p, polygon in enumerate(polygons) for _ in polygon], dtype=np.int32)
    starts = np.cumsum([0, *(len(ring) for ring in rings)]).astype(np.int32)
    kind, x, y, touches = _meetings(np.vstack(rings), starts)
    if kind != _FINE:
        return f"{_WORDS[kind]} at {_place(x, y)}"
    if len(rings) == 1:
        return ""
    return _nesting(polygons) or _connection(touches, of_polygon)


def _place(x: float, y: float) -> str:
    lon = (x + 180.0) % 360.0 - 180.0
    return f"{abs(y):.4f}{'S' if y < 0.0 else 'N'} {abs(lon):.4f}{'W' if lon < 0.0 else 'E'}"


def _nesting(polygons: list[list[Array]]) -> str:
    """Holes lie in their outline and in no other hole, outlines outside of each other or in a hole."""
    for outline, *holes in polygons:
        if any(_side(hole, outline) < 0 for hole in holes):
            return "a hole lies outside of its outline"
        if any(_side(a, b) > 0 for a in holes for b in holes if a is not b):
            return "a hole lies in another hole"
    for one in polygons:
        for other in polygons:
            if one is not other and _side(one[0], other[0]) > 0 and all(_side(one[0], hole) < 0 for hole in other[1:]):
                return "one of its outlines lies in another"
    return ""


def _side(ring: Array, other: Array) -> int:
    """1 when a ring lies inside another that it does not cross, -1 when outside, by its first point off the border."""
    middles = 0.5 * (ring[:-1] + ring[1:])
    for x, y in (*ring[:-1], *middles):
        if side := _locate(x, y, other):
            return int(side)
    return 1


def _connection(touches: Array, of_polygon: Indices) -> str:
    """Rings of a polygon may touch in points, but not so that these cut off a part of its inside."""
    root: dict[object, object] = {}

    def find(node: object) -> object:
        while (above := root.get(node, node)) != node:
            node = above
        return node

    links = {(int(ring), x, y) for a, b, x, y in touches for ring in (a, b) if of_polygon[int(a)] == of_polygon[int(b)]}
    for ring, x, y in sorted(links):
        one, other = find(ring), find((of_polygon[ring], x, y))
        if one == other:
            return f"its outlines touch so that they cut its inside in two at {_place(x, y)}"
        root[one] = other
    return ""


@njit(cache=True, error_model="numpy")
def _meetings(points: Array, starts: Indices) -> tuple[int, float, float, Array]:
    """What is wrong with how edges meet, and where; and (n, 4), ring, ring, x, y, where two rings touch."""
    n = points.shape[0] - starts.size + 1
    edge = np.empty(n, dtype=np.int32)
    ring_of = np.empty(n, dtype=np.int32)
    west = np.empty(n)
    count = 0
    for ring in range(starts.size - 1):
        for k in range(starts[ring], starts[ring + 1] - 1):
            edge[count], ring_of[count] = k, ring
            west[count] = min(points[k, 0], points[k + 1, 0])
            count += 1
    order = np.argsort(west)
    touches = np.empty((16, 4))
    found, touched, at_x, at_y = 0, _FINE, 0.0, 0.0
    for i in range(n):
        a = edge[order[i]]
        ring, east = ring_of[order[i]], max(points[a, 0], points[a + 1, 0])
        for j in range(i + 1, n):
            if west[order[j]] > east:
                break
            b, other = edge[order[j]], ring_of[order[j]]
            kind, x, y = _meeting(points, a, b)
            if kind == _FINE:
                continue
            if ring == other:
                kind = _within_ring(kind, a, b, starts[ring], starts[ring + 1] - 2)
            if kind == _RING_TOUCH and ring != other:
                if _passes_through(points, starts, ring, other, x, y):
                    return _CROSS, x, y, touches[:0]
                if found == touches.shape[0]:
                    touches = np.vstack((touches, touches))
                touches[found, 0], touches[found, 1] = ring, other
                touches[found, 2], touches[found, 3] = x, y
                found += 1
            elif kind == _RING_TOUCH:  # said only if there is nothing worse
                touched, at_x, at_y = kind, x, y
            elif kind != _FINE:
                if ring != other and kind == _SELF:
                    kind = _CROSS
                if ring != other and kind == _SPIKE:
                    kind = _OVERLAP
                return kind, x, y, touches[:0]
    return touched, at_x, at_y, touches[:found]


@njit(cache=True, error_model="numpy")
def _within_ring(kind: int, a: int, b: int, first: int, last: int) -> int:
    """Edges that follow each other share a corner; they may not overlap."""
    follow = abs(a - b) == 1 or (min(a, b) == first and max(a, b) == last)
    return _FINE if follow and kind == _RING_TOUCH else kind


@njit(cache=True, error_model="numpy")
def _meeting(points: Array, a: int, b: int) -> tuple[int, float, float]:
    """How two edges meet: not, crossing inside both (_SELF), in a corner (_RING_TOUCH), along a piece (_SPIKE)."""
    ax, ay, bx, by = points[a, 0], points[a, 1], points[a + 1, 0], points[a + 1, 1]
    cx, cy, dx, dy = points[b, 0], points[b, 1], points[b + 1, 0], points[b + 1, 1]
    if max(cy, dy) < min(ay, by) or min(cy, dy) > max(ay, by) or max(cx, dx) < min(ax, bx) or min(cx, dx) > max(ax, bx):
        return _FINE, 0.0, 0.0
    s1, s2 = orientation(ax, ay, bx, by, cx, cy), orientation(ax, ay, bx, by, dx, dy)
    if s1 * s2 > 0:
        return _FINE, 0.0, 0.0
    s3, s4 = orientation(cx, cy, dx, dy, ax, ay), orientation(cx, cy, dx, dy, bx, by)
    if s3 * s4 > 0:
        return _FINE, 0.0, 0.0
    if s1 == 0 and s2 == 0:
        return _along(ax, ay, bx, by, cx, cy, dx, dy)
    if s1 == 0:
        return _RING_TOUCH, cx, cy
    if s2 == 0:
        return _RING_TOUCH, dx, dy
    if s3 == 0:
        return _RING_TOUCH, ax, ay
    if s4 == 0:
        return _RING_TOUCH, bx, by
    t = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / ((bx - ax) * (dy - cy) - (by - ay) * (dx - cx))
    return _SELF, ax + t * (bx - ax), ay + t * (by - ay)


@njit(cache=True, error_model="numpy")
def _along(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float
) -> tuple[int, float, float]:
    """Of two edges on one line whose boxes meet."""
    low_x, high_x = max(min(ax, bx), min(cx, dx)), min(max(ax, bx), max(cx, dx))
    low_y, high_y = max(min(ay, by), min(cy, dy)), min(max(ay, by), max(cy, dy))
    if low_x > high_x or low_y > high_y:
        return _FINE, 0.0, 0.0
    x, y = (cx, cy) if low_x <= cx <= high_x and low_y <= cy <= high_y else (dx, dy)
    if not (low_x <= x <= high_x and low_y <= y <= high_y):
        x, y = ax, ay
    return (_RING_TOUCH if low_x == high_x and low_y == high_y else _SPIKE), x, y


@njit(cache=True, error_model="numpy")
def _passes_through(points: Array, starts: Indices, ring: int, other: int, x: float, y: float) -> bool:
    """Whether two rings that meet in a point swap sides there: the neighbours of one lie on both sides of the other."""
    first, last = starts[other], starts[other + 1]
    seen_in, seen_out = False, False
    for k in range(starts[ring], starts[ring + 1] - 1):
        px, py, qx, qy = points[k, 0], points[k, 1], points[k + 1, 0], points[k + 1, 1]
        if orientation(px, py, qx, qy, x, y) != 0:
            continue
        if min(px, qx) <= x <= max(px, qx) and min(py, qy) <= y <= max(py, qy):
            for end_x, end_y in ((px, py), (qx, qy)):
                side = _locate(end_x, end_y, points[first:last])
                seen_in, seen_out = seen_in or side > 0, seen_out or side < 0
    return seen_in and seen_out


@njit(cache=True, error_model="numpy")
def _locate(x: float, y: float, ring: Array) -> int:
    """1 inside, 0 on the border, -1 outside."""
    within = False
    for k in range(ring.shape[0] - 1):
        ax, ay, bx, by = ring[k, 0], ring[k, 1], ring[k + 1, 0], ring[k + 1, 1]
        if max(ay, by) < y or min(ay, by) > y or max(ax, bx) < x:
            continue
        side = orientation(ax, ay, bx, by, x, y)
        if side == 0 and min(ax, bx) <= x:
            return 0
        if (ay > y) != (by > y) and (side > 0) == (by > ay):
            within = not within
    return 1 if within else -1


@njit(cache=True, error_model="numpy")
def orientation(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """Sign of (b - a) x (c - a): 1 when c lies left of the line from a to b, 0 on it, -1 right of it."""
    left, right = (bx - ax) * (cy - ay), (by - ay) * (cx - ax)
    determinant = left - right
    if abs(determinant) > 4e-16 * (abs(left) + abs(right)):
        return 1 if determinant > 0.0 else -1
    ux, ux_low = _difference(bx, ax)
    vy, vy_low = _difference(cy, ay)
    uy, uy_low = _difference(by, ay)
    vx, vx_low = _difference(cx, ax)
    p, p_low = _product(ux, vy)
    q, q_low = _product(uy, vx)
    head, tail = _difference(p, q)
    tail += (p_low + (ux * vy_low + ux_low * vy)) - (q_low + (uy * vx_low + uy_low * vx))
    tail += ux_low * vy_low - uy_low * vx_low
    total = head + tail
    return 1 if total > 0.0 else (-1 if total < 0.0 else 0)


@njit(cache=True, error_model="numpy")
def _difference(a: float, b: float) -> tuple[float, float]:
    """The difference a - b and its rounding error (Knuth)."""
    s = a - b
    v = s - a
    return s, (a - (s - v)) - (b + v)


@njit(cache=True, error_model="numpy")
def _product(a: float, b: float) -> tuple[float, float]:
    """The product a b and its rounding error (Dekker)."""
    p = a * b
    t = 134217729.0 * a
    a_high = t - (t - a)
    t = 134217729.0 * b
    b_high = t - (t - b)
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low
