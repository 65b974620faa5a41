"""Profiles of the atmosphere as the kernels of `entry` take them: one for each sample, or one for all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from libs.astro import profile, us76
from libs.astro.entry_motion import AIR_COLUMNS, EAST, LN_RHO, NORTH, SOUND, VISCOSITY
from libs.astro.profile import Profile
from libs.astro.us76 import sound_m_s, viscosity_pa_s

Array = np.ndarray[Any, np.dtype[np.float64]]

TOP_KM = 150.0
_WIND_MAX_M_S = 200.0


@dataclass(frozen=True, slots=True)
class Air:
    """Rows (profiles, altitudes, columns of entry_motion) by geometric altitude, step_km apart from 0."""

    rows: Array
    step_km: float

    def __post_init__(self) -> None:
        shape = self.rows.shape
        if len(shape) != 3 or shape[0] < 1 or shape[1] < 4 or shape[2] != AIR_COLUMNS:
            raise ValueError(f"air needs rows (profiles, altitudes >= 4, {AIR_COLUMNS}), not {shape}")
        if not np.isfinite(self.rows).all():
            raise ValueError("air holds a value that is no number")
        if not 0.0 < self.step_km < math.inf:
            raise ValueError(f"rows of air {self.step_km} km apart are in no order; give a positive step")

    @property
    def top_km(self) -> float:
        return float((self.rows.shape[1] - 1) * self.step_km)


def air_of(profiles: Sequence[Profile]) -> Air:
    """Stacks profiles of one spacing that start at the ground; ValueError for others."""
    grids = {(one.bottom_km, one.step_km, len(one.rows)) for one in profiles}
    if len(grids) != 1 or profiles[0].bottom_km != 0.0:
        raise ValueError("profiles of one flight must start at 0 km and have the same altitudes")
    rows = np.empty((len(profiles), len(profiles[0].rows), AIR_COLUMNS))
    for k, one in enumerate(profiles):
        _fill(np.ascontiguousarray(one.rows), rows[k])
    return Air(rows, profiles[0].step_km)


@njit(cache=True, error_model="numpy", nogil=True)
def _fill(given: Array, rows: Array) -> None:
    for k in range(given.shape[0]):
        t, molar = given[k, profile.TEMPERATURE], given[k, profile.MOLAR]
        rows[k, LN_RHO] = given[k, profile.LN_RHO]
        rows[k, SOUND], rows[k, VISCOSITY] = sound_m_s(t, molar), viscosity_pa_s(t)
        rows[k, EAST], rows[k, NORTH] = given[k, profile.EAST], given[k, profile.NORTH]


def standard_air() -> Air:
    """The standard atmosphere of 1976 to 150 km, without wind."""
    return air_of([profile.standard(top_km=TOP_KM)])


def exponential_air(surface_kg_m3: float, scale_height_km: float) -> Air:
    """Density falling by e each scale height, at 288.15 K, without wind: for checks against closed solutions.

    Raises ValueError for a density or a scale height that is not positive, and for one that leaves no air at 150 km.
    """
    if not (0.0 < surface_kg_m3 < math.inf and TOP_KM / 700.0 < scale_height_km < math.inf):
        raise ValueError(
            f"air of {surface_kg_m3} kg/m3 at the ground and a scale height of {scale_height_km} km is none; give "
            f"kg/m3 above 0 and km above {TOP_KM / 700.0:.1f}"
        )

    def model(alt_km: float) -> tuple[float, float, float, float]:
        rho = surface_kg_m3 * math.exp(-alt_km / scale_height_km)
        return rho, 288.15, sound_m_s(288.15, us76.MOLAR_MASS), viscosity_pa_s(288.15)

    return air_of([profile.tabulated(model, "exponential", profile.STEP_KM, TOP_KM)])


def with_wind(air: Air, alt_km: Array, east_m_s: Array, north_m_s: Array) -> Air:
    """The profile of `air` under winds: alt_km (K,) rising, winds (K,) or (samples, K), held beyond the ends.

    One profile for each sample of an uncertain wind; each sample's own where `air` has as many. ValueError for another
    number, winds beyond 200 m/s or altitudes not rising.
    """
    east, north = np.atleast_2d(east_m_s), np.atleast_2d(north_m_s)
    alt = np.asarray(alt_km, dtype=np.float64)
    if alt.ndim != 1 or not alt.size or east.shape != north.shape or east.shape[1:] != alt.shape:
        raise ValueError("winds need altitudes and one east and one north value for each, per sample")
    if not (np.isfinite(alt).all() and np.all(np.diff(alt) > 0.0)):
        raise ValueError("winds need finite, rising altitudes")
    if not (np.abs(east) <= _WIND_MAX_M_S).all() or not (np.abs(north) <= _WIND_MAX_M_S).all():
        raise ValueError(f"winds must be numbers within {_WIND_MAX_M_S:g} m/s")
    if len(air.rows) not in (1, len(east)):
        raise ValueError(f"{len(air.rows)} profiles of air do not go with {len(east)} winds")
    grid = np.arange(air.rows.shape[1]) * air.step_km
    rows = np.array(np.broadcast_to(air.rows, (len(east), *air.rows.shape[1:])))
    for k in range(len(east)):
        rows[k, :, EAST] = np.interp(grid, alt, east[k])
        rows[k, :, NORTH] = np.interp(grid, alt, north[k])
    return Air(rows, air.step_km)
