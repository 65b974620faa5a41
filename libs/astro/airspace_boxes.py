"""Whether an area and a box of longitude and latitude have a point in common."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def meets(rings: Sequence[Array], west_deg: float, south_deg: float, east_deg: float, north_deg: float) -> bool:
    """Whether the box touches the area or lies in it; a box without extent is a point.

    Rings are closed, (n, 2) of longitude and latitude in degrees with straight edges in both (dense ones, see
    `airspace_outline`), on the turn of the box; a point is inside by the even-odd rule over all of them. Points on an
    edge belong to the area. Raises ValueError for a box whose east or north is below its west or south, or no number.
    """
    if not (west_deg <= east_deg and south_deg <= north_deg):
        raise ValueError("a box has its west not above its east, and its south not above its north")
    starts = np.vstack([ring[:-1] for ring in rings])
    ends = np.vstack([ring[1:] for ring in rings])
    return _holds(starts, ends, west_deg, south_deg) or _passed(
        starts, ends, np.array([west_deg, south_deg]), np.array([east_deg, north_deg])
    )


def _holds(starts: Array, ends: Array, x: float, y: float) -> bool:
    upright = (starts[:, 1] > y) != (ends[:, 1] > y)
    a, b = starts[upright], ends[upright]
    crossings = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    return bool(np.count_nonzero(x < crossings) % 2)


def _passed(starts: Array, ends: Array, low: Array, high: Array) -> bool:
    """Whether an edge has a point in the closed box (Liang and Barsky, ACM Trans. Graphics 3, 1984, 1-22)."""
    steps = ends - starts
    with np.errstate(divide="ignore", invalid="ignore"):
        first, last = (low - starts) / steps, (high - starts) / steps
    within = (low <= starts) & (starts <= high)  # decides where an edge keeps its longitude or latitude
    enters = np.where(steps == 0.0, np.where(within, 0.0, np.inf), np.minimum(first, last))
    leaves = np.where(steps == 0.0, np.where(within, 1.0, -np.inf), np.maximum(first, last))
    return bool(np.any(np.maximum(enters.max(axis=1), 0.0) <= np.minimum(leaves.min(axis=1), 1.0)))
