"""Drag coefficients of debris by shape, tumble state, Mach and Reynolds number, as typed reference data.

Each row of `data/drag_coefficients.json` names its source, its uncertainty (1 sigma of ln CD, an assumption where the
source gives none) and the area it refers to; a curve used with another area is wrong by their ratio. Valid from M 0.2
to 5 and held beyond; continuum flow, so that above ~85 km, where small pieces see a free-molecular CD near 2, drag is
understated on a path that has hardly any.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]

MACH_STEP = 0.05
_PER_MACH = 20.0
_LAST = 100


class Shape(IntEnum):
    """Order of the rows of the table; a test holds the two together."""

    CONSTANT = 0
    CUBE = 1
    PLATE = 2
    BEAM = 3
    PIPE = 4
    SPHERE = 5
    CURVED_SKIN = 6
    NOZZLE = 7


@dataclass(frozen=True, slots=True)
class Curve:
    """One row: CD at `mach` on either side of the boundary layer's transition, equal where transition is not told."""

    shape: Shape
    tumble: str
    reference_area: str
    uncertainty_ln: float
    source: str
    below: Array
    above: Array


@dataclass(frozen=True, slots=True)
class DragTable:
    """`values[shape, 0 or 1, i]`: CD below or above transition at Mach i x MACH_STEP, as the kernels take it."""

    curves: Sequence[Curve]
    values: Array
    transition_reynolds: tuple[float, float]


def sphere_below_transition(mach: float) -> float:
    """CD of a sphere below transition: 0.45 M^2 + 0.424 to M 0.722, two exponentials above."""
    if not 0.0 <= mach < math.inf:
        raise ValueError(f"{mach} is no Mach number; give 0 or more")
    if mach <= 0.722:
        return 0.45 * mach * mach + 0.424
    x = mach + 0.35
    return 2.1 * math.exp(-1.16 * x) - 8.9 * math.exp(-2.2 * x) + 0.92


def read_drag_table(path: Path = Path(__file__).parent / "data" / "drag_coefficients.json") -> DragTable:
    """Reads the reference rows, straight lines between their Mach numbers; ValueError when a row is no curve."""
    document = json.loads(path.read_text(encoding="utf-8"))
    nodes = np.asarray(document["mach"], dtype=np.float64)
    curves = [_curve(row, nodes) for row in document["shapes"]]
    if [curve.shape for curve in curves] != list(Shape):
        raise ValueError(f"{path} must hold one row for each of {', '.join(s.name.lower() for s in Shape)}, in order")
    values = np.stack([np.stack([curve.below, curve.above]) for curve in curves])
    first, last = document["transition_reynolds"]
    return DragTable(curves, np.ascontiguousarray(values), (first, last))


@cache
def reference_table() -> DragTable:
    """The rows that come with this library, read once."""
    return read_drag_table()


def _curve(row: Mapping[str, Any], nodes: Array) -> Curve:
    below = _resampled(row["below_transition"], nodes)
    above = _resampled(row["above_transition"], nodes) if "above_transition" in row else below
    if not (np.all(below > 0.0) and np.all(above > 0.0)):
        raise ValueError(f"drag coefficients of {row['shape']} must be positive")
    return Curve(
        Shape[row["shape"].upper()], row["tumble"], row["reference_area"], row["uncertainty_ln"], row["source"],
        below, above,
    )  # fmt: skip


def _resampled(values: Sequence[float] | str, nodes: Array) -> Array:
    """All nodes of the table lie on the grid, so that the lines between them are kept exactly."""
    grid = np.arange(_LAST + 1) * MACH_STEP
    if values == "sphere fit":
        return np.array([sphere_below_transition(mach) for mach in np.maximum(grid, nodes[0])])
    return np.asarray(np.interp(grid, nodes, np.asarray(values, dtype=np.float64)))


@njit(cache=True, error_model="numpy", nogil=True)
def drag_coefficient(values: Array, shape: int, mach: float, reynolds: float) -> float:
    """CD from DragTable.values; across transition (Re 2e5 to 4e5) the two curves are blended in ln Re."""
    x = min(mach * _PER_MACH, _LAST - 1e-9)
    k = min(max(int(x), 0), _LAST - 1)  # no number may become a place outside
    s = x - k
    below = values[shape, 0, k] + s * (values[shape, 0, k + 1] - values[shape, 0, k])
    if reynolds <= 2.0e5:
        return float(below)
    above = values[shape, 1, k] + s * (values[shape, 1, k + 1] - values[shape, 1, k])
    if reynolds >= 4.0e5:
        return float(above)
    w = math.log(reynolds / 2.0e5) / math.log(2.0)
    return float(below + w * (above - below))
