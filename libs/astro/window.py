"""The spread of what may be true about a fit, calibrated on re-entries of the past, and the samples drawn from it.

The spread of ln B stands for everything that makes drag other than forecast: fit, density, weather, attitude. It is
a scaled Student's t, for errors have tails; the spread of the semi-major axis is normal. How it was fitted and what
it scored on objects it had not seen: docs/physics/prediction.md.
"""

import json
import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from libs.astro.earth import WGS84_MU_KM3_S2
from libs.astro.fit_history import stormy

if TYPE_CHECKING:
    from libs.astro.fit import Fit

Array = np.ndarray[Any, np.dtype[np.float64]]

CALIBRATION = Path(__file__).with_name("data") / "window_calibration.json"
UNCALIBRATED_S = 2160.0  # lives shorter than those that windows are calibrated on
BLURRED = 0.5  # of what the axis sinks in a revolution, the uncertainty of the axis at the very end
LARGEST_LN_B = 1.5  # drag is never 4.5 times or a 4.5th of what it was fitted to: samples further out stay there
_PLASTIC = 1.32471795724474602596  # of the R2 sequence: additive recurrence of low discrepancy in two dimensions


@dataclass(frozen=True, slots=True)
class Calibration:
    """sigma_ln_b at lives of life_h hours, straight between in the logarithm of the life; a factor in storms.

    What few sets add to it, in quadrature: two of them, one whose B is that of a long arc, one alone.
    """

    version: str
    life_h: tuple[float, ...]
    sigma_ln_b: tuple[float, ...]
    sigma_a_km: float
    degrees_of_freedom: float
    storm_factor: float
    two_sets_ln_b: float
    long_arc_ln_b: float
    one_set_ln_b: float


@dataclass(frozen=True, slots=True)
class Spread:
    """sigma_ln_b: scale of a Student's t with degrees_of_freedom."""

    sigma_ln_b: float
    sigma_a_km: float
    degrees_of_freedom: float
    version: str


@dataclass(frozen=True, slots=True)
class Draws:
    ln_b: Array
    ln_b_late: Array
    states: Array


@cache
def calibration() -> Calibration:
    read: dict[str, Any] = json.loads(CALIBRATION.read_text("ascii"))
    return Calibration(life_h=tuple(read.pop("life_h")), sigma_ln_b=tuple(read.pop("sigma_ln_b")), **read)


def spread(fit: "Fit", life_s: float, by: Calibration) -> Spread:
    """The spread for a fit whose nominal flight lasts life_s.

    Of a set within minutes of the end the axis, a mean of the revolutions before, says little of where it is now.
    """
    found = spread_of(by, life_s, fit.set_count, long_arc=fit.long_arc, stormy=stormy(fit.above))
    blurred_km = BLURRED * fit.sunk_km * max(1.0 - life_s / UNCALIBRATED_S, 0.0)
    return replace(found, sigma_a_km=math.hypot(found.sigma_a_km, blurred_km))


def spread_of(by: Calibration, life_s: float, set_count: int, *, long_arc: bool, stormy: bool) -> Spread:
    sigma = float(np.interp(math.log(max(life_s, 60.0) / 3600.0), np.log(by.life_h), by.sigma_ln_b))
    if stormy:
        sigma *= by.storm_factor
    if set_count == 1:
        sigma = math.hypot(sigma, by.long_arc_ln_b if long_arc else by.one_set_ln_b)
    elif set_count == 2:
        sigma = math.hypot(sigma, by.two_sets_ln_b)
    return Spread(sigma, by.sigma_a_km, by.degrees_of_freedom, by.version)


def longest(spread: Spread) -> float:
    """The life of the slowest sample but one in a hundred, over the nominal: it is as B is to its own."""
    return math.exp(min(-spread.sigma_ln_b * student(0.01, spread.degrees_of_freedom), LARGEST_LN_B))


def draws(fit: "Fit", spread: Spread, count: int, seed: int) -> Draws:
    """Samples of the spread; sample i depends on (seed, i) alone and not on count.

    ln B and the along-track spread are stratified by a low-discrepancy sequence whose origin is drawn from Philox
    keyed by the seed. The spread of the semi-major axis acts as a speed change mu da / (2 a^2 v). ValueError for a
    negative count.
    """
    if count < 0:
        raise ValueError(f"{count} samples cannot be drawn; give 0 or more")
    z, y = normals(count, seed, spread.degrees_of_freedom)
    r, v = float(np.linalg.norm(fit.state[:3])), float(np.linalg.norm(fit.state[3:]))
    a = 1.0 / (2.0 / r - v * v / WGS84_MU_KM3_S2)
    faster = WGS84_MU_KM3_S2 * spread.sigma_a_km * y / (2.0 * a * a * v)
    states = np.repeat(fit.state[None], count, axis=0)
    states[:, 3:] *= (1.0 + faster / v)[:, None]
    change = np.clip(spread.sigma_ln_b * z, -LARGEST_LN_B, LARGEST_LN_B)
    return Draws(fit.ln_b + change, fit.ln_b_late + change, states)


def normals(count: int, seed: int, degrees_of_freedom: float) -> tuple[Array, Array]:
    """Stratified draws (count,) of a Student's t and of a normal; draw i depends on (seed, i) alone."""
    origin = np.random.Generator(np.random.Philox(key=seed & 0xFFFFFFFFFFFFFFFF)).random(2)
    steps = np.arange(1, count + 1)[:, None] * np.array([1.0 / _PLASTIC, 1.0 / _PLASTIC**2])
    tiny = 2.0**-53
    u = np.clip((origin + steps) % 1.0, tiny, 1.0 - tiny)
    z = [student(p, degrees_of_freedom) for p in u[:, 0].tolist()]
    return np.array(z), np.array([NormalDist().inv_cdf(p) for p in u[:, 1].tolist()])


def student(p: float, degrees_of_freedom: float) -> float:
    """Quantile of Student's t: exact for 3 degrees of freedom and for 4 (W. T. Shaw, J. Comput. Finance 9, 37, 2006).

    Else G. W. Hill's expansion about the normal (Commun. ACM 13 (10), 619, 1970), within 3e-3 of the exact from 5
    degrees on and p in [0.025, 0.975]; infinite degrees give the normal.
    """
    if degrees_of_freedom == 3.0:
        return math.copysign(_student_3(min(p, 1.0 - p)), p - 0.5)
    if degrees_of_freedom == 4.0:
        root = math.sqrt(4.0 * p * (1.0 - p))
        size = 2.0 * math.sqrt(max(math.cos(math.acos(min(root, 1.0)) / 3.0) / root - 1.0, 0.0))
        return math.copysign(size, p - 0.5)
    z = NormalDist().inv_cdf(p)
    if math.isinf(degrees_of_freedom):
        return z
    n, z2 = degrees_of_freedom, z * z
    g1 = (z2 + 1.0) * z / 4.0
    g2 = ((5.0 * z2 + 16.0) * z2 + 3.0) * z / 96.0
    g3 = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) * z / 384.0
    return z + g1 / n + g2 / n**2 + g3 / n**3


def _student_3(tail: float) -> float:
    """Size beyond which a tail of t with 3 degrees lies: sqrt(3) cot(x/2), where x - sin x = 2 pi tail."""
    x = (12.0 * math.pi * tail) ** (1.0 / 3.0)
    for _ in range(8):
        x -= (x - math.sin(x) - 2.0 * math.pi * tail) / (1.0 - math.cos(x))
    return math.sqrt(3.0) / math.tan(0.5 * x)
