"""One way to the atmosphere from the ground up: which models there are, and the air over a place as a profile.

Drag above uses NRLMSISE-00 directly (density.drag_density) or by tables (density_days.py); entry below flies profiles
made here. The standard atmosphere checks every profile, and stands in where no space weather is known.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

from libs.astro import density, density_build, density_days, nrlmsise00, us76, wind
from libs.astro.density import drag_air
from libs.astro.profile import LN_RHO, MOLAR, STEP_KM, TEMPERATURE, Profile, standard
from libs.astro.time import DAY_S
from libs.astro.weather import Drivers

Array = np.ndarray[Any, np.dtype[np.float64]]

TOP_KM = 150.0
# Departure of ln density from the standard atmosphere beyond which a profile is wrong rather than unusual. Over all
# places and seasons, F10.7 68-250 and ap 0-150 the model's own reaches 0.83 to 80 km (winter pole) and 1.66 to 150 km.
_ABSURD = ((80.0, 0.95), (TOP_KM, 2.0))


class AbsurdAir(Exception):
    """A profile departs further from the standard atmosphere than any weather does: a wrong unit or a broken driver."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is said of a model wherever its results are shown. `error`: one standard deviation, of density or wind."""

    id: str
    version: str
    valid_km: tuple[float, float]
    drivers: str
    error: str
    source: str


MODELS = (
    Model(
        density.MODEL,
        "release of 2001, ap history, drivers held below 80 km",
        (0.0, 1000.0),
        "F10.7 and F10.7a 50-500 sfu, ap 0-400",
        "15 % above 120 km in quiet times and up to 100 % in great storms, 5 % below 90 km",
        "Picone et al., J. Geophys. Res. 107 (A12), 1468, 2002",
    ),
    Model(
        density_build.MODEL,
        f"table {density_build.VERSION}",
        (60.0, 1000.0),
        f"F10.7a within {density_days.MEAN_SHARE:.0%} of the reference, F10.7 within {density_days.FLUX_SHARE:.0%}",
        "beside its model's: 0.2 % rms on reference drivers, 0.4 % above 400 km, 1 % driven; see Table.error",
        "this library, docs/physics/atmosphere.md",
    ),
    Model(
        us76.MODEL,
        "1976",
        us76.VALID_KM,
        "none",
        "of a day's air at 45 degrees: 2 % to 10 km, 5 % to 30, 16 % to 200, 50 % at 400 km; poles twice",
        "NOAA-S/T 76-1562, 1976",
    ),
    Model(
        wind.MODEL,
        "1",
        (float(wind.ASSUMED.alt_km[0]), float(wind.ASSUMED.alt_km[-1])),
        "none; the ends hold beyond",
        "the spread it draws with, 5 m/s at the ground, 17 at 12 km, 45 at 60 km, 50 above 105 km; not validated",
        wind.ASSUMED.source,
    ),
)


def air_over(
    drivers: Drivers, mjd: float, lat_deg: float, lon_deg: float, *, top_km: float = TOP_KM, step_km: float = STEP_KM
) -> Profile:
    """Returns the windless air of NRLMSISE-00 over a geodetic place at a time (MJD, UTC), from the ground.

    Drivers are held at F10.7 = F10.7a = 150 and ap 4 below 80 km, as advised. Raises ValueError for a place, time,
    step or top that is none, for a time outside the drivers and for drivers that are none, AbsurdAir when the result is
    no air of the Earth.
    """
    drivers.check()
    if not (drivers.start_mjd <= mjd <= drivers.end_mjd):
        raise ValueError(f"the drivers span MJD {drivers.start_mjd:g} to {drivers.end_mjd:g}, not {mjd:.3f}")
    _check_place(lat_deg, lon_deg)
    altitudes = _altitudes_km(step_km, top_km)
    since_s, lat, lon = (np.full(len(altitudes), one) for one in ((mjd - drivers.start_mjd) * DAY_S, lat_deg, lon_deg))
    return _made(drivers, since_s, lat, lon, step_km)


def air_along(
    drivers: Drivers, alt_km: Array, mjd: Array, lat_deg: Array, lon_deg: Array, *, top_km: float = TOP_KM,
    step_km: float = STEP_KM,
) -> Profile:  # fmt: skip
    """Returns the windless air a flight meets: at each altitude that over the place and time it was there.

    alt_km (n,) rising, with the time (MJD, UTC), latitude and longitude at each; the ends hold beyond, and longitudes
    run the short way. From 120 to 80 km an object goes a third around the Earth. Raises as `air_over`.
    """
    drivers.check()
    if not len(alt_km) or {np.shape(one) for one in (mjd, lat_deg, lon_deg)} != {np.shape(alt_km)}:
        raise ValueError("a flight has an altitude or more, and a time, latitude and longitude at each")
    if not (drivers.start_mjd <= np.min(mjd) and np.max(mjd) <= drivers.end_mjd):
        raise ValueError(f"the flight leaves the drivers, which span MJD {drivers.start_mjd:g} to {drivers.end_mjd:g}")
    if not (np.isfinite([alt_km, lon_deg]).all() and np.all(np.abs(lat_deg) <= 90.0) and np.all(np.diff(alt_km) > 0.0)):
        raise ValueError("a flight has rising altitudes, each with its latitude and longitude in degrees")
    altitudes = _altitudes_km(step_km, top_km)
    since_s = np.interp(altitudes, alt_km, (np.asarray(mjd) - drivers.start_mjd) * DAY_S)
    lat, lon = np.interp(altitudes, alt_km, lat_deg), np.interp(altitudes, alt_km, np.unwrap(lon_deg, period=360.0))
    return _made(drivers, since_s, lat, lon, step_km)


def _altitudes_km(step_km: float, top_km: float) -> Array:
    if not 0.0 < step_km <= top_km <= MODELS[0].valid_km[1]:
        raise ValueError(
            f"steps of {step_km} km to {top_km} km make no profile; give a positive step and a top from it to "
            f"{MODELS[0].valid_km[1]:g} km"
        )
    return np.asarray(np.arange(round(top_km / step_km) + 1) * step_km, dtype=np.float64)


def _made(drivers: Drivers, since_s: Array, lat_deg: Array, lon_deg: Array, step_km: float) -> Profile:
    rows = np.zeros((len(since_s), 5))
    _fill(np.ascontiguousarray(drivers.rows), drivers.days_of_year(), since_s, lat_deg, lon_deg, step_km, rows)
    made = Profile(rows, 0.0, step_km, density.MODEL)
    refuse_absurd(made)
    return made


def air(drivers: Drivers | None, mjd: float, lat_deg: float, lon_deg: float, *, top_km: float = TOP_KM) -> Profile:
    """Returns air_over where there are drivers, else the standard atmosphere; the profile's model says which."""
    _check_place(lat_deg, lon_deg)
    if drivers is None:
        return standard(top_km=top_km)
    return air_over(drivers, mjd, lat_deg, lon_deg, top_km=top_km)


def _check_place(lat_deg: float, lon_deg: float) -> None:
    if not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 360.0):
        raise ValueError(f"latitude {lat_deg} and longitude {lon_deg} in degrees are no place")


def departure(made: Profile) -> Array:
    """Returns ln of a profile's density over the standard atmosphere's, at each row."""
    return np.asarray(made.rows[:, LN_RHO] - _usual(made.bottom_km, made.step_km, len(made.rows)))


@lru_cache(maxsize=16)
def _usual(bottom_km: float, step_km: float, count: int) -> Array:
    return np.log([us76.us76(float(alt_km))[0] for alt_km in bottom_km + step_km * np.arange(count)])


def refuse_absurd(made: Profile) -> None:
    """Raises AbsurdAir for what no weather explains; a user's own profile is passed through here too."""
    altitudes, apart = made.bottom_km + made.step_km * np.arange(len(made.rows)), np.abs(departure(made))
    for top_km, most in _ABSURD:
        beyond = np.flatnonzero((altitudes <= top_km) & (apart > most))
        if len(beyond):
            alt_km, factor = altitudes[beyond[0]], np.exp(apart[beyond[0]])
            raise AbsurdAir(
                f"the density at {alt_km:g} km is {factor:.1f} times off the standard atmosphere; check units, drivers"
            )


@njit(cache=True, error_model="numpy", nogil=True)
def _fill(rows: Array, days: Array, since_s: Array, lat_deg: Array, lon_deg: Array, step_km: float, out: Array) -> None:
    work = np.empty(density.WORK_SIZE)
    for k in range(out.shape[0]):
        drag_air(rows, days, since_s[k], np.radians(lat_deg[k]), np.radians(lon_deg[k]), k * step_km, work)
        found = work[nrlmsise00.WORK_SIZE :]
        number = found[nrlmsise00.HE] + found[nrlmsise00.O] + found[nrlmsise00.N2] + found[nrlmsise00.O2]
        number += found[nrlmsise00.AR] + found[nrlmsise00.H] + found[nrlmsise00.N] + found[nrlmsise00.O_ANOMALOUS]
        out[k, LN_RHO] = np.log(1000.0 * found[nrlmsise00.MASS])
        out[k, TEMPERATURE] = found[nrlmsise00.T_ALT]
        out[k, MOLAR] = found[nrlmsise00.MASS] / (nrlmsise00.AMU_G * number)
