"""Flight of a decaying object under gravity and drag, to a stop altitude.

Frame: TEME of date taken as inertial; the Earth turns in it by GMST82 with UT1 = UTC (0.9 s at most: 0.4 km on the
ground). Drag: a = -1/2 rho B |v_r| v_r with the atmosphere turning with the Earth and B = Cd A/m in m2/kg. Strang's
splitting: free flight of order 8 for half a step, the exact solution of the drag for the whole, free flight again.
Free flight is under J2 to J6; the terms that turn with the Earth, an option, pull once a step beside the drag.
Each sample is flown alone, so the result depends neither on the number of threads nor on the other samples.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from libs.astro import density, dop853
from libs.astro.density import drag_density
from libs.astro.earth import GMST82_SPIN_RAD_S, IERS_SPIN_RAD_S
from libs.astro.frames import geodetic
from libs.astro.gravity import coast, tesseral
from libs.astro.time import DAY_S, MJD_0_JD, gmst82_rad
from libs.astro.weather import Drivers

Array = np.ndarray[Any, np.dtype[np.float64]]

_WORK_SIZE = density.WORK_SIZE
_STAGES = dop853.STAGES
STEP_S = 60.0
LONGEST_STEP_S = 600.0  # a ninth of a revolution; beyond it a step sees nothing of the ellipse
COARSE_STEP_S = 1200.0  # a quarter of the shortest revolution
STOP_MAX_KM = 1000.0  # where the density model ends
_FARTHEST_S = 100 * 365.25 * DAY_S  # from the drivers' start; a modified Julian date is thousands of years off
_B_MAX = 1e2  # m2/kg
_RADIUS_KM, _SPEED_MAX_KM_S = (6350.0, 1e5), 12.0

REACHED, ENDED, BROKEN = 1, 0, -1


@dataclass(frozen=True, slots=True)
class Flights:
    """What became of each sample; not a number where it did not reach the stop altitude.

    states (N, 6): TEME km, km/s where the flight ended, reached or not.
    track[i, k] for k < track_counts[i]: seconds after the start, latitude and longitude in degrees, altitude in km, a
    step apart and last at the end of the flight.
    """

    reached: np.ndarray[Any, np.dtype[np.bool_]]
    seconds: Array
    lat_deg: Array
    lon_deg: Array
    speed_km_s: Array
    states: Array
    track: Array
    track_counts: np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Sky:
    """Drivers as the kernels take them, for one start epoch."""

    rows: Array
    days: Array
    since_s: float  # from the first row to the start epoch
    gmst_rad: float  # at the start epoch

    @property
    def end_s(self) -> float:
        """When the drivers end, seconds after the start epoch."""
        return len(self.rows) * density.ROW_S - self.since_s


def sky(drivers: Drivers, jd: float, fr: float) -> Sky:
    """The drivers as seen from an epoch in UTC; raises ValueError for drivers or an epoch that are none."""
    drivers.check()
    since_s = ((jd - MJD_0_JD) - drivers.start_mjd + fr) * DAY_S
    if not abs(since_s) < _FARTHEST_S:
        raise ValueError(
            f"JD {jd} + {fr} is no time near the drivers from MJD {drivers.start_mjd:g}; give Julian dates"
        )
    return Sky(np.ascontiguousarray(drivers.rows), drivers.days_of_year(), since_s, gmst82_rad(jd, fr))


def sky_from_start(drivers: Drivers, jd: float, fr: float) -> Sky:
    """As sky; raises ValueError for drivers that start later too, for a flight that begins at the epoch."""
    above = sky(drivers, jd, fr)
    if above.since_s < 0.0:
        raise ValueError("the drivers start after the flight; make them from at least its start")
    return above


@njit(cache=True, error_model="numpy", nogil=True)
def place(x: float, y: float, z: float, gmst_rad: float) -> tuple[float, float, float]:
    """WGS-84 latitude and longitude, rad, and altitude, km, of a point in the inertial frame."""
    lat, lon, alt = geodetic(x, y, z)
    lon = (lon - gmst_rad + math.pi) % (2.0 * math.pi) - math.pi
    return lat, lon, alt


@njit(cache=True, error_model="numpy", nogil=True)
def _kick(
    y: Array, t: float, h: float, b: float, rows: Array, days: Array, since: float, gmst: float, work: Array
) -> None:
    """The drag of a whole step: dv/dt = -k |v| v has the solution v / (1 + k |v| h)."""
    lat, lon, alt = place(y[0], y[1], y[2], gmst + GMST82_SPIN_RAD_S * t)
    rho = drag_density(rows, days, since + t, lat, lon, alt, work)
    vx, vy, vz = y[3] + IERS_SPIN_RAD_S * y[1], y[4] - IERS_SPIN_RAD_S * y[0], y[5]
    q = 500.0 * rho * b * math.sqrt(vx * vx + vy * vy + vz * vz) * h
    loss = -q / (1.0 + q)
    y[3] += loss * vx
    y[4] += loss * vy
    y[5] += loss * vz


@njit(cache=True, error_model="numpy", nogil=True)
def _step(
    y: Array, t: float, h: float, b: float, turning: bool, rows: Array, days: Array, since: float, gmst: float,
    work: Array, k: Array,
) -> float:  # fmt: skip
    """Moves the state by h seconds; returns its altitude, km. turning: with the terms that turn with the Earth."""
    coast(y, 0.5 * h, k)
    px, py, pz = 0.0, 0.0, 0.0  # of half a step; a kick moves no position, so that both halves have the same
    if turning:
        ax, ay, az = tesseral(y[0], y[1], y[2], gmst + GMST82_SPIN_RAD_S * (t + 0.5 * h))
        px, py, pz = 0.5 * h * ax, 0.5 * h * ay, 0.5 * h * az
        y[3], y[4], y[5] = y[3] + px, y[4] + py, y[5] + pz
    if b > 0.0:
        _kick(y, t + 0.5 * h, h, b, rows, days, since, gmst, work)
    if turning:
        y[3], y[4], y[5] = y[3] + px, y[4] + py, y[5] + pz
    coast(y, 0.5 * h, k)
    return place(y[0], y[1], y[2], gmst + GMST82_SPIN_RAD_S * (t + h))[2]


@njit(cache=True, error_model="numpy", nogil=True)
def hermite(before: Array, after: Array, h: float, s: float, out: Array) -> None:
    """State at the fraction s of a step of h seconds, cubic in position (0.5 m in 60 s)."""
    for i in range(3):
        d = after[i] - before[i]
        v0, v1 = h * before[3 + i], h * after[3 + i]
        c2, c3 = 3.0 * d - 2.0 * v0 - v1, v0 + v1 - 2.0 * d
        out[i] = before[i] + s * (v0 + s * (c2 + s * c3))
        out[3 + i] = (v0 + s * (2.0 * c2 + s * 3.0 * c3)) / h


@njit(cache=True, error_model="numpy", nogil=True)
def _shortened(step_s: float, alt_km: float) -> float:
    """Density changes e-fold in 6 km near the end, and the object sinks ever faster."""
    if alt_km < 95.0:
        return step_s / 20.0
    if alt_km < 110.0:
        return step_s / 6.0
    if alt_km < 140.0:
        return step_s / 2.0
    return step_s


@njit(cache=True, error_model="numpy", nogil=True)
def _cross(
    y: Array,
    before: Array,
    alt_before: float,
    alt: float,
    stop_km: float,
    t: float,
    h: float,
    b: float,
    b_late: float,
    late_s: float,
    turning: bool,
    rows: Array,
    days: Array,
    since: float,
    gmst: float,
    work: Array,
    k: Array,
) -> float:
    """Seconds of the step in which the altitude is crossed, y there: flown again to where the chord crosses."""
    low, high, alt_low, alt_high = 0.0, h, alt_before, alt
    for _ in range(40):
        h = low + (high - low) * min(max((alt_low - stop_km) / (alt_low - alt_high), 0.02), 0.98)
        y[:] = before
        alt = _step(y, t, h, b if t + 0.5 * h < late_s else b_late, turning, rows, days, since, gmst, work, k)
        if abs(alt - stop_km) < 1e-7:
            break
        if alt > stop_km:
            low, alt_low = h, alt
        else:
            high, alt_high = h, alt
    return h


@njit(cache=True, error_model="numpy", nogil=True)
def trajectory(
    y: Array,
    b: float,
    b_late: float,
    late_s: float,
    end_s: float,
    stop_km: float,
    step_s: float,
    rows: Array,
    days: Array,
    since: float,
    gmst: float,
    times: Array,
    states: Array,
    turning: bool,
) -> tuple[int, float, int]:
    """Flies y in place to end_s (negative: backwards in time) or down to stop_km.

    Writes the states at `times`, ordered as flown; returns REACHED, ENDED or BROKEN, the seconds flown, and how many
    states were written.
    """
    work, k, before = np.empty(_WORK_SIZE), np.empty((_STAGES, 6)), np.empty(6)
    sign = 1.0 if end_s >= 0.0 else -1.0
    t, written = 0.0, 0
    alt = place(y[0], y[1], y[2], gmst)[2]
    while written < times.shape[0] and times[written] * sign <= 0.0:
        states[written] = y
        written += 1
    while (end_s - t) * sign > 1e-9 and alt > stop_km:
        h = min(_shortened(step_s, alt), abs(end_s - t)) * sign
        before[:] = y
        alt_before = alt
        alt = _step(y, t, h, b if t + 0.5 * h < late_s else b_late, turning, rows, days, since, gmst, work, k)
        if alt <= stop_km:
            h = _cross(
                y, before, alt_before, alt, stop_km, t, h, b, b_late, late_s, turning, rows, days, since, gmst, work, k
            )
            alt = stop_km
        elif not alt > stop_km:
            return BROKEN, t, written
        while written < times.shape[0] and (times[written] - t - h) * sign <= 1e-9:
            hermite(before, y, h, (times[written] - t) / h, states[written])
            written += 1
        t += h
    return (REACHED if alt <= stop_km else ENDED), t, written


@njit(cache=True, error_model="numpy", nogil=True)
def _note(point: Array, seconds: float, lat_rad: float, lon_rad: float, alt_km: float) -> None:
    point[0], point[1], point[2], point[3] = seconds, math.degrees(lat_rad), math.degrees(lon_rad), alt_km


@njit(cache=True, error_model="numpy", nogil=True)
def _fly(
    starts: Array,
    b: Array,
    b_late: Array,
    late_s: float,
    end_s: float,
    stop_km: float,
    step_s: float,
    turning: bool,
    rows: Array,
    days: Array,
    since: float,
    gmst: float,
    times: Array,
    ends: Array,
    track: Array,
) -> None:
    """Fills ends (status, seconds, lat, lon, speed, samples written, state) and track of each start."""
    states = np.empty((times.shape[0], 6))
    y = np.empty(6)
    for i in range(starts.shape[0]):
        y[:] = starts[i]
        status, seconds, written = trajectory(
            y, b[i], b_late[i], late_s, end_s, stop_km, step_s, rows, days, since, gmst, times, states, turning
        )
        lat, lon, alt = place(y[0], y[1], y[2], gmst + GMST82_SPIN_RAD_S * seconds)
        speed = math.sqrt(y[3] ** 2 + y[4] ** 2 + y[5] ** 2)
        for k, value in enumerate((float(status), seconds, lat, lon, speed, float(written))):
            ends[i, k] = value
        ends[i, 6:] = y
        if times.shape[0]:
            for k in range(written):
                s = states[k]
                a, o, h = place(s[0], s[1], s[2], gmst + GMST82_SPIN_RAD_S * times[k])
                _note(track[i, k], times[k], a, o, h)
            last = written - 1 if written and times[written - 1] >= seconds else written
            _note(track[i, last], seconds, lat, lon, alt)
            ends[i, 5] = last + 1


def fly(
    states: Array,
    jd0: float,
    fr0: float,
    ln_b: Array,
    drivers: Drivers,
    *,
    ln_b_late: Array,
    late_after_s: float,
    stop_altitude_km: float = 80.0,
    max_days: float,
    track_step_s: float = 0.0,
    track_from_s: float = 0.0,
    threads: int = 1,
    step_s: float = STEP_S,
    tesseral_terms: bool = False,
) -> Flights:
    """Flies each row of states, TEME (km, km/s) at the epoch, until the altitude, max_days or the end of the drivers.

    ln_b is the logarithm of B in m2/kg until late_after_s, ln_b_late after it: at most that of 100, -inf for no drag.
    A sample that starts at or below the stop has reached it after 0 s.
    track_step_s > 0 records ground tracks from track_from_s on; before it one point in COARSE_STEP_S, enough to count
    revolutions. tesseral_terms adds the terms of gravity to degree and order 4 that turn with the Earth.
    Raises ValueError for states, coefficients and options that are none, and for drivers that start late.
    """
    above = sky_from_start(drivers, jd0, fr0)
    count = len(states)
    starts = np.ascontiguousarray(states, dtype=np.float64)
    b, b_late = np.exp(np.asarray(ln_b, dtype=np.float64)), np.exp(np.asarray(ln_b_late, dtype=np.float64))
    _check(starts, b, b_late)
    check_options(stop_altitude_km, max_days, step_s, late_after_s, track_step_s, track_from_s)
    end_s = min(max_days * DAY_S, above.end_s)
    ends = np.empty((count, 12))

    def run(rows: slice, times: Array, track: Array) -> None:
        _fly(
            starts[rows], b[rows], b_late[rows], late_after_s, end_s, stop_altitude_km, step_s, tesseral_terms,
            above.rows, above.days, above.since_s, above.gmst_rad, times, ends[rows], track[rows],
        )  # fmt: skip

    times, track = np.empty(0), np.empty((count, 0, 4))
    if track_step_s > 0.0 and count:
        lightest = int(np.argmin(b + b_late))
        run(slice(lightest, lightest + 1), times, track)
        room_s = 1.2 * ends[lightest, 1] + 10.0 * track_step_s
        times, track = _room(count, track_from_s, min(room_s, end_s), track_step_s)
    _spread(run, count, threads, times, track)
    if track_step_s > 0.0 and count and ends[:, 1].max() > times[-1] + track_step_s:
        times, track = _room(count, track_from_s, ends[:, 1].max(), track_step_s)
        _spread(run, count, threads, times, track)
    reached = ends[:, 0] == REACHED
    seconds, lat, lon, speed = np.where(reached, ends[:, 1:5].T, np.nan)
    counts = ends[:, 5].astype(np.int64)
    return Flights(reached, seconds, np.degrees(lat), np.degrees(lon), speed, ends[:, 6:], track, counts)


def _check(starts: Array, b: Array, b_late: Array) -> None:
    count = len(starts)
    if starts.shape != (count, 6) or b.shape != (count,) or b_late.shape != (count,):
        raise ValueError(
            f"states must be (N, 6), ln_b and ln_b_late (N,), not {starts.shape}, {b.shape}, {b_late.shape}"
        )
    if not np.isfinite(starts).all():
        raise ValueError("a state is no number; mend it before it is flown")
    r, v = np.linalg.norm(starts[:, :3], axis=1), np.linalg.norm(starts[:, 3:], axis=1)
    if not ((r > _RADIUS_KM[0]) & (r < _RADIUS_KM[1]) & (v < _SPEED_MAX_KM_S)).all():
        raise ValueError("a state lies inside the Earth or far beyond it, or is too fast; give km and km/s in TEME")
    for one in (b, b_late):
        if not ((one >= 0.0) & (one < _B_MAX)).all():
            raise ValueError(f"a ballistic coefficient is no number or over {_B_MAX:g} m2/kg; ln_b is its logarithm")


def check_options(
    stop_km: float, max_days: float, step_s: float, late_after_s: float, track_step_s: float, track_from_s: float
) -> None:
    """Raises ValueError for what is no option of a flight."""
    if not 0.0 <= stop_km <= STOP_MAX_KM:
        raise ValueError(f"the stop altitude must lie within 0 and {STOP_MAX_KM:g} km, not {stop_km:g}")
    if not (max_days > 0.0 and 0.0 < step_s <= LONGEST_STEP_S):
        raise ValueError(
            f"max_days must be above 0, and step_s within 0 and {LONGEST_STEP_S:g} s: {max_days}, {step_s}"
        )
    if not (late_after_s >= -math.inf and 0.0 <= track_step_s < math.inf and 0.0 <= track_from_s < math.inf):
        given = f"{late_after_s}, {track_step_s} and {track_from_s}"
        raise ValueError(
            f"late_after_s, track_step_s and track_from_s must be seconds, the latter not negative: {given}"
        )


def _room(count: int, from_s: float, last_s: float, step_s: float) -> tuple[Array, Array]:
    coarse = np.arange(max(math.ceil(from_s / COARSE_STEP_S), 0), dtype=np.float64) * COARSE_STEP_S
    fine = max(from_s, 0.0) + np.arange(max(math.ceil((last_s - from_s) / step_s), 0) + 1, dtype=np.float64) * step_s
    times = np.append(coarse, fine)
    return times, np.full((count, len(times) + 1, 4), np.nan)


def _spread(run: Callable[[slice, Array, Array], None], count: int, threads: int, times: Array, track: Array) -> None:
    size = max(1, math.ceil(count / max(1, threads * 8)))
    parts = [slice(k, min(k + size, count)) for k in range(0, count, size)]
    if threads <= 1 or len(parts) == 1:
        for part in parts:
            run(part, times, track)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: run(part, times, track), parts))
