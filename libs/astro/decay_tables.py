"""Lifetimes of many samples at once on a density table: the fast door beside `decay.fly`, which reads the model itself.

Equations, validity and measured error: docs/physics/decay.md. Frame and forces as of decay.py.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import decay_arcs, density_table
from libs.astro.decay import place
from libs.astro.decay_arcs import Goals, World
from libs.astro.density_days import Table
from libs.astro.density_kept import beside_kernels
from libs.astro.earth import GMST82_SPIN_RAD_S as SIDEREAL_RAD_S
from libs.astro.earth import WGS84_MU_KM3_S2 as MU_KM3_S2
from libs.astro.earth import WGS84_RADIUS_KM
from libs.astro.time import DAY_S as _DAY_S
from libs.astro.time import MJD_0_JD as _JD_OF_MJD_0
from libs.astro.time import gmst82_rad
from libs.astro.weather import Drivers

Array = np.ndarray[Any, np.dtype[np.float64]]
Array32 = np.ndarray[Any, np.dtype[np.float32]]

RTOL = 1e-10  # of an element in an arc
SHARE = 5e-3  # of the drag's work in an arc
LOWEST_STOP_KM = 70.0  # stages look a little below the stop, and the table ends at 60 km
_PARTS_PER_THREAD, _LEAST_PART = 4, 16
_LN_B = (math.log(1e-6), math.log(1e2))
_RETROGRADE = math.cos(math.radians(179.0))


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """(N,) each, at the stop altitude; not a number where `reached` is false. states: TEME km, km/s, at the end.

    `broken` marks samples whose integration failed; those not reached and not broken were still aloft at the end.
    sweeps: over arcs, each collocation.NODES readings of the table.
    """

    reached: np.ndarray[Any, np.dtype[np.bool_]]
    broken: np.ndarray[Any, np.dtype[np.bool_]]
    seconds: Array
    lat_deg: Array
    lon_deg: Array
    speed_km_s: Array
    states: Array
    sweeps: Array


@dataclass(frozen=True, slots=True)
class Air:
    """A table under its drivers, from a start on: made once by `air`, flown through by many calls of `lifetimes`."""

    table: Table
    world: World
    start_mjd: float


def air(table: Table, drivers: Drivers, jd0: float, fr0: float) -> Air:
    """Drives the table for flights from an epoch in UTC, some tens of milliseconds a day of it.

    Raises density_days.OutsideTable when the drivers or the start lie outside the table.
    """
    start_mjd = (jd0 - _JD_OF_MJD_0) + fr0
    table.check(start_mjd, start_mjd, table.top_km, table.top_km)
    since_s = ((jd0 - _JD_OF_MJD_0) - table.start_mjd + fr0) * _DAY_S
    world = World(table.driven(drivers), table.sense, table.top_km, since_s, gmst82_rad(jd0, fr0))
    return Air(table, world, start_mjd)


def departures(table: Table, drivers: Drivers, others: list[Drivers]) -> Array32:
    """Returns what `lifetimes` takes for samples under other drivers than those of the whole: [sample, slice, term]."""
    known = table.terms(drivers)
    return np.stack([table.terms(one) - known for one in others]).astype(np.float32)


def lifetimes(
    states: Array,
    ln_b: Array,
    air: Air,
    *,
    ln_b_late: Array | None = None,
    late_after_s: float = math.inf,
    departures: Array32 | None = None,
    stop_altitude_km: float = 80.0,
    max_days: float = math.inf,
    threads: int = 1,
    rtol: float = RTOL,
    share: float = SHARE,
) -> Lifetimes:
    """Flies states (N, 6), TEME (km, km/s) at the start of the air, to the stop, for max_days or to the table's end.

    ln_b (N,): logarithm of B = Cd A/m in m2/kg, ln_b_late after late_after_s. Results depend neither on the threads
    nor on the other samples. Raises density_days.OutsideTable when an apogee lies above the table, ValueError for
    states, coefficients or departures that are none.
    """
    starts = np.ascontiguousarray(states, dtype=np.float64)
    count, table = len(starts), air.table
    logs = np.asarray(ln_b, dtype=np.float64)
    logs_late = logs if ln_b_late is None else np.asarray(ln_b_late, dtype=np.float64)
    changes = np.empty((count, 0, density_table.TERMS), np.float32) if departures is None else departures
    _check(starts, logs, logs_late, changes, len(table.base))
    _check_limits(stop_altitude_km, table.top_km, (max_days, rtol, share))
    if math.isnan(late_after_s):
        raise ValueError("late_after_s is no number; give the seconds after which ln_b_late holds, or leave it")
    if count:
        low, high = _heights_km(starts, air.world.gmst_rad)
        if low < stop_altitude_km:
            raise ValueError(f"a sample starts at {low:.1f} km, below the stop altitude; start higher")
        table.check(air.start_mjd, air.start_mjd, stop_altitude_km, high)
    end_s = min(max_days, table.end_mjd - air.start_mjd) * _DAY_S
    goals = Goals(float(stop_altitude_km), float(late_after_s), end_s, rtol, share)
    ends = _spread(starts, np.exp(logs), np.exp(logs_late), changes, goals, air.world, threads)
    return _told(ends, air.world.gmst_rad)


def _check_limits(stop_km: float, top_km: float, others: tuple[float, ...]) -> None:
    if not LOWEST_STOP_KM <= stop_km < top_km:
        raise ValueError(f"the stop altitude must be {LOWEST_STOP_KM:g} to {top_km:g} km, not {stop_km:g}")
    if not all(one > 0.0 for one in others):
        raise ValueError("max_days, rtol and share must be above 0")


def warm() -> None:
    """Compiles every kernel of tables and of flights on them, by flying on one, which is made once.

    For programs that want no first call to be slow.
    """
    start_mjd, flux_sfu, ap = 58849, 150.0, 4.0
    drivers = Drivers(np.tile([flux_sfu, flux_sfu, *[ap] * 7], (8, 1)), float(start_mjd))
    made = air(beside_kernels().table(start_mjd, 1, flux_sfu), drivers, start_mjd + _JD_OF_MJD_0, 0.0)
    r = WGS84_RADIUS_KM + 120.0
    state, ln_b = np.array([[r, 0.0, 0.0, 0.0, 0.0, math.sqrt(MU_KM3_S2 / r)]]), np.array([math.log(0.01)])
    lifetimes(state, ln_b, made, departures=departures(made.table, drivers, [drivers]))


def _check(starts: Array, ln_b: Array, ln_b_late: Array, changes: Array32, slices: int) -> None:
    count = len(starts)
    if starts.ndim != 2 or starts.shape[1] != 6 or ln_b.shape != (count,) or ln_b_late.shape != (count,):
        raise ValueError("states must be (N, 6), and ln_b and ln_b_late (N,)")
    if changes.shape not in ((count, 0, density_table.TERMS), (count, slices, density_table.TERMS)):
        raise ValueError(f"departures must be (N, {slices}, {density_table.TERMS}), not {changes.shape}")
    if not (np.isfinite(starts).all() and np.isfinite(changes).all()):
        raise ValueError("a state or a departure is no number")
    for logs in (ln_b, ln_b_late):
        if not ((logs > _LN_B[0]) & (logs < _LN_B[1])).all():
            raise ValueError("a ballistic coefficient is not between 1e-6 and 100 m2/kg")


def apogee_km(states: Array) -> float:
    """The highest altitude on any orbit of states (N, 6), km and km/s, over the equator's radius; N >= 1.

    Raises ValueError for a state that is no orbit the flight can follow.
    """
    starts = np.asarray(states, dtype=np.float64)
    if starts.ndim != 2 or starts.shape[1:] != (6,) or not len(starts) or not np.isfinite(starts).all():
        raise ValueError("states must be finite, one row of x, y, z (km) and vx, vy, vz (km/s) for each sample")
    r, v = starts[:, :3], starts[:, 3:]
    distance = np.linalg.norm(r, axis=1)
    momentum = np.cross(r, v)
    size = np.linalg.norm(momentum, axis=1)
    energy = 0.5 * (v * v).sum(1) - MU_KM3_S2 / distance
    if (energy >= 0.0).any() or (size == 0.0).any():
        raise ValueError("a state is no orbit about the Earth")
    if (momentum[:, 2] <= _RETROGRADE * size).any():
        raise ValueError("an inclination is above 179 degrees, where the elements of the flight end")
    axis = -0.5 * MU_KM3_S2 / energy
    e = np.sqrt(np.maximum(1.0 - size**2 / (MU_KM3_S2 * axis), 0.0))
    return float((axis * (1.0 + e)).max()) - WGS84_RADIUS_KM


def _heights_km(starts: Array, gmst_rad: float) -> tuple[float, float]:
    """The lowest start, and the highest altitude on any orbit, oblateness allowed for."""
    highest = apogee_km(starts)
    heights = [place(x, y, z, gmst_rad)[2] for x, y, z in starts[:, :3]]
    return min(heights), max(highest, *heights)


def _spread(
    starts: Array, b: Array, b_late: Array, changes: Array32, goals: Goals, world: World, threads: int
) -> Array:
    count = len(starts)
    ends = np.zeros((count, decay_arcs.FIELDS))
    if not count:
        return ends

    def run(rows: slice) -> None:
        decay_arcs.fly(starts[rows], b[rows], b_late[rows], changes[rows], goals, world, ends[rows])

    size = max(_LEAST_PART, math.ceil(count / max(1, threads * _PARTS_PER_THREAD)))
    parts = [slice(k, min(k + size, count)) for k in range(0, count, size)]
    if threads <= 1:
        run(slice(0, count))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, parts))
    return ends


def _told(ends: Array, gmst_rad: float) -> Lifetimes:
    reached = ends[:, decay_arcs.STATUS] == decay_arcs.REACHED
    broken = ends[:, decay_arcs.STATUS] == decay_arcs.BROKEN
    seconds, states = ends[:, decay_arcs.SECONDS], ends[:, decay_arcs.END :]
    places = np.empty((len(ends), 2))
    for i, (x, y, z) in enumerate(states[:, :3]):
        places[i] = place(x, y, z, gmst_rad + SIDEREAL_RAD_S * seconds[i])[:2]
    lat_deg, lon_deg = np.degrees(places).T
    speed = np.linalg.norm(states[:, 3:], axis=1)
    told = [np.where(reached, one, np.nan) for one in (seconds, lat_deg, lon_deg, speed)]
    return Lifetimes(reached, broken, told[0], told[1], told[2], told[3], states, ends[:, decay_arcs.SWEEPS])
