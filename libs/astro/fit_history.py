"""What the drag did to the orbits of past sets: its integral between them, and the ballistic coefficient it gives.

The integral of (da/dt)/B runs along the sets' own SGP4 orbits on the density model itself, so that a history of weeks
needs no tables. Units: km, s, m2/kg.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from libs.astro import density
from libs.astro.decay import Sky, place
from libs.astro.density import drag_density
from libs.astro.earth import GMST82_SPIN_RAD_S, IERS_SPIN_RAD_S, WGS84_MU_KM3_S2
from libs.astro.fit_sets import DAY_S, WINDOW_DAYS, PoorFit, Ready

Array = np.ndarray[Any, np.dtype[np.float64]]

STEP_S = 120.0
STORM_AP = 80.0
_LOWEST_KM = 60.0
_LEAST_S = 5400.0


def stormy(above: Sky) -> bool:
    """Whether a 3-hour ap above 80 lies in the days of the fit, or is forecast."""
    first = max(0, int((above.since_s - WINDOW_DAYS * DAY_S) // density.ROW_S))
    return float(above.rows[first:, 3].max()) > STORM_AP


@dataclass(frozen=True, slots=True)
class History:
    """Of each set, oldest first: epoch (s from the newest), mean semi-major axis, integral of (da/dt)/B up to it."""

    at_s: Array
    axis_km: Array
    integral: Array

    def last(self, days: float, least: int) -> "History":
        """The sets of the last days, or the newest `least` if there are more of them."""
        first = min(int(np.searchsorted(self.at_s, -days * DAY_S)), max(len(self.at_s) - least, 0))
        return History(self.at_s[first:], self.axis_km[first:], self.integral[first:])


def history(sets: Sequence[Ready], above: Sky) -> History:
    steps = [between(one, other, above) for one, other in pairwise(sets)]
    integral = np.concatenate([[0.0], np.cumsum(steps)])
    return History(np.array([one.at_s for one in sets]), np.array([one.semi_major_axis_km for one in sets]), integral)


@njit(cache=True, error_model="numpy", nogil=True)
def _rates(states: Array, seconds: Array, rows: Array, days: Array, since_s: float, gmst_rad: float) -> Array:
    """da/dt per unit of B, km/s per m2/kg, of each state."""
    work = np.empty(density.WORK_SIZE)
    rates = np.empty(states.shape[0])
    for i in range(states.shape[0]):
        x, y, z, vx, vy, vz = states[i]
        lat, lon, alt = place(x, y, z, gmst_rad + GMST82_SPIN_RAD_S * seconds[i])
        rho = drag_density(rows, days, since_s + seconds[i], lat, lon, max(alt, _LOWEST_KM), work)
        rx, ry = vx + IERS_SPIN_RAD_S * y, vy - IERS_SPIN_RAD_S * x
        speed = math.sqrt(rx * rx + ry * ry + vz * vz)
        a = 1.0 / (2.0 / math.sqrt(x * x + y * y + z * z) - (vx * vx + vy * vy + vz * vz) / WGS84_MU_KM3_S2)
        rates[i] = -1000.0 * a * a / WGS84_MU_KM3_S2 * rho * speed * (rx * vx + ry * vy + vz * vz)
    return rates


def rates(states: Array, seconds: Array, above: Sky) -> Array:
    return _rates(states, seconds, above.rows, above.days, above.since_s, above.gmst_rad)


def mean_rate(one: Ready, above: Sky) -> float:
    """da/dt per unit of B over the last revolution before its epoch, and no less than 1.5 h, km/s per m2/kg."""
    seconds = one.at_s - np.linspace(0.0, max(one.period_s, _LEAST_S), 91)
    states, good = one.states(seconds)
    if not good.any():
        raise PoorFit("SGP4 has no positions for the newest element set; wait for the next")
    return float(np.mean(rates(states[good], seconds[good], above)))


def between(one: Ready, other: Ready, above: Sky) -> float:
    """Integral of da/dt per unit of B between two epochs, along both orbits blended; km per m2/kg."""
    count = max(3, int((other.at_s - one.at_s) / STEP_S) + 2)
    seconds = np.linspace(one.at_s, other.at_s, count)
    total, weights = np.zeros(count), np.zeros(count)
    for this, blend in ((one, np.linspace(1.0, 0.0, count)), (other, np.linspace(0.0, 1.0, count))):
        states, good = this.states(seconds)
        if not good.any():
            continue
        share = np.where(good, np.maximum(blend, 1e-9), 0.0)
        here = rates(np.where(good[:, None], states, states[np.argmax(good)]), seconds, above)
        total += np.where(good, share * here, 0.0)
        weights += share
    return float(np.trapezoid(total / np.maximum(weights, 1e-12), seconds))


def line(part: History) -> tuple[float, Array, float]:
    """B by a robust line of the semi-major axis over the drag integral; its residuals and their scale, km.

    Huber's weights at 2.5 sigma; of two sets or one there is no line: B is not a number.
    """
    if len(part.at_s) < 3:
        return math.nan, np.zeros(len(part.at_s)), math.nan
    design = np.column_stack([np.ones_like(part.integral), part.integral])
    weight = np.ones(len(part.at_s))
    for _ in range(5):
        root = np.sqrt(weight)
        fitted = np.linalg.lstsq(design * root[:, None], part.axis_km * root, rcond=None)[0]
        residual = part.axis_km - design @ fitted
        scale = 1.4826 * float(np.median(np.abs(residual))) + 1e-3
        weight = np.minimum(1.0, 2.5 * scale / np.maximum(np.abs(residual), 1e-9))
    return float(fitted[1]), residual, scale


def pairs(whole: History, days: float) -> float | None:
    """B of the last days and at least 3 sets; None where there are fewer or the orbit does not sink with drag."""
    b, _, _ = line(whole.last(days, 3))
    return b if math.isfinite(b) and b > 0.0 else None
