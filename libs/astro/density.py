"""Density for drag along a flight: NRLMSISE-00 with anomalous oxygen (gtd7d), driven by the rows of weather.Drivers."""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import nrlmsise00

Array = np.ndarray[Any, np.dtype[np.float64]]

MODEL = "NRLMSISE-00 gtd7d"
ROW_S = 10800.0
_SPLIT = nrlmsise00.WORK_SIZE
_AP = _SPLIT + nrlmsise00.OUT_SIZE  # place of the seven ap in work: as a part of it, they have the type that
WORK_SIZE = _AP + 7  # density_build.py gives too, so that the model is compiled once
_MASS = nrlmsise00.MASS
_QUIET_BELOW_KM = 80.0  # solar flux and ap have no established effect below
_QUIET_AP = 4.0
_HISTORY: Any = np.True_  # the seven ap values of a row; Python's own True would be a type, and compiled, apart
_ANOMALOUS: Any = np.True_  # drag feels anomalous oxygen: gtd7d


@njit(cache=True, error_model="numpy", nogil=True)
def drag_air(
    rows: Array, days: Array, since_s: float, lat_rad: float, lon_rad: float, alt_km: float, work: Array
) -> None:
    """Fills work from nrlmsise00.WORK_SIZE on with nrlmsise00.gtd7's output; arguments as of drag_density."""
    row = min(max(int(since_s // ROW_S), 0), rows.shape[0] - 1)
    ut_s = since_s % 86400.0
    lon_deg = math.degrees(lon_rad)
    f107, f107a, ap = rows[row, 0], rows[row, 1], work[_AP:]
    for k in range(7):
        ap[k] = rows[row, 2 + k]
    if alt_km < _QUIET_BELOW_KM:
        f107, f107a = 150.0, 150.0
        ap[:] = _QUIET_AP
    lst_h = ut_s / 3600.0 + lon_deg / 15.0
    nrlmsise00.gtd7(
        days[row], ut_s, max(alt_km, 0.0), math.degrees(lat_rad), lon_deg, lst_h, f107a, f107, ap, _HISTORY,
        _ANOMALOUS, work[:_SPLIT], work[_SPLIT:_AP],
    )  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def drag_density(
    rows: Array, days: Array, since_s: float, lat_rad: float, lon_rad: float, alt_km: float, work: Array
) -> float:
    """Returns the density, kg m-3, at since_s seconds after the first row; the first and last rows hold beyond.

    rows (n, 9) and days (n,): of weather.Drivers and its days_of_year. Latitude and longitude geodetic, rad; altitude
    km, 0 to 1,000. work: WORK_SIZE floats.
    """
    drag_air(rows, days, since_s, lat_rad, lon_rad, alt_km, work)
    return float(1000.0 * work[_SPLIT + _MASS])
