"""The atmosphere over one place and time as a table by altitude: density, temperature, molar mass and wind.

Rows are evenly spaced in geometric altitude, so that a flight finds its place without a search. Between them the
logarithm of the density and the others run straight.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from libs.astro import us76
from libs.astro.us76 import sound_m_s, viscosity_pa_s

Array = np.ndarray[Any, np.dtype[np.float64]]

# Columns of the rows: ln of kg m-3, K, kg kmol-1, m s-1 towards east and north.
LN_RHO, TEMPERATURE, MOLAR, EAST, NORTH = range(5)
STEP_KM = 0.25
TOP_KM = 130.0


@dataclass(frozen=True, slots=True)
class Profile:
    """Rows from bottom_km up, step_km apart; `model` names what filled them and its version."""

    rows: Array
    bottom_km: float
    step_km: float
    model: str

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape[1] != 5 or len(self.rows) < 2:
            raise ValueError(f"a profile has 5 columns and 2 rows or more, not the shape {self.rows.shape}")
        if not np.isfinite(self.rows).all():
            raise ValueError("a profile has a value that is no number; fill its gaps first")
        if (self.rows[:, [TEMPERATURE, MOLAR]] <= 0.0).any():
            raise ValueError("a profile has a temperature or molar mass that is not positive; give K and kg/kmol")
        if not math.isfinite(self.bottom_km):
            raise ValueError(f"a profile that begins at {self.bottom_km} km is at no altitude; give km above WGS-84")
        if not 0.0 < self.step_km < math.inf:
            raise ValueError(f"rows {self.step_km} km apart are in no order; give a positive step")

    @property
    def top_km(self) -> float:
        """Altitude of the last row."""
        return self.bottom_km + self.step_km * (len(self.rows) - 1)


@njit(cache=True, error_model="numpy", nogil=True)
def place(alt_km: float, bottom_km: float, step_km: float, rows: Array) -> tuple[int, float]:
    """Row below an altitude and the fraction of the way to the next; the end rows hold beyond."""
    x = min(max((alt_km - bottom_km) / step_km, 0.0), rows.shape[0] - 1.0)
    k = min(int(x), rows.shape[0] - 2)
    return k, x - k


@njit(cache=True, error_model="numpy", nogil=True)
def air(alt_km: float, bottom_km: float, step_km: float, rows: Array) -> tuple[float, float, float, float]:
    """Density kg m-3, temperature K, speed of sound m s-1, dynamic viscosity Pa s, as us76.us76 gives them."""
    k, s = place(alt_km, bottom_km, step_km, rows)
    a, b = rows[k], rows[k + 1]
    t = a[TEMPERATURE] + s * (b[TEMPERATURE] - a[TEMPERATURE])
    molar = a[MOLAR] + s * (b[MOLAR] - a[MOLAR])
    return math.exp(a[LN_RHO] + s * (b[LN_RHO] - a[LN_RHO])), t, sound_m_s(t, molar), viscosity_pa_s(t)


@njit(cache=True, error_model="numpy", nogil=True)
def wind_m_s(alt_km: float, bottom_km: float, step_km: float, rows: Array) -> tuple[float, float]:
    """Wind towards east and north, m s-1."""
    k, s = place(alt_km, bottom_km, step_km, rows)
    a, b = rows[k], rows[k + 1]
    return a[EAST] + s * (b[EAST] - a[EAST]), a[NORTH] + s * (b[NORTH] - a[NORTH])


def standard(step_km: float = STEP_KM, top_km: float = TOP_KM) -> Profile:
    """Returns the standard atmosphere as a windless profile from the ground.

    At the default step the density is within 0.1 % of the standard's own at its kinks and 0.01 % elsewhere.
    """
    return tabulated(us76.us76, us76.MODEL, step_km, top_km)


def tabulated(
    model: Callable[[float], tuple[float, float, float, float]], name: str, step_km: float, top_km: float
) -> Profile:
    """Returns a windless profile of a model with the signature of us76.us76.

    Raises ValueError for a step or top that is none, and for a model that gives no numbers.
    """
    if not 0.0 < step_km <= top_km <= us76.VALID_KM[1]:
        raise ValueError(
            f"steps of {step_km} km to {top_km} km make no profile; give a positive step and a top from it to "
            f"{us76.VALID_KM[1]:g} km"
        )
    altitudes = np.arange(math.floor(top_km / step_km) + 1) * step_km
    rho, t, sound, _ = np.array([model(float(z)) for z in altitudes]).T
    rows = np.zeros((len(altitudes), 5))
    rows[:, LN_RHO], rows[:, TEMPERATURE] = np.log(rho), t
    rows[:, MOLAR] = us76.HEAT_RATIO * us76.GAS * t / sound**2
    return Profile(rows, 0.0, step_km, name)
