"""Flight of many samples on density tables, a day of the table at a time, with the ground they fly over.

For flights of which more is asked than their end: memory holds one day and its tracks, however long the flight. Forces,
frame and numerics as of decay_tables.py; tracks as of decay_arc.py, to some 0.1 km. Each sample is flown alone.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

from libs.astro import decay, decay_arc, decay_tables, density_days, density_table
from libs.astro.decay import COARSE_STEP_S, hermite, place
from libs.astro.decay_arcs import World
from libs.astro.decay_tables import Air
from libs.astro.density_kept import Kept
from libs.astro.earth import GMST82_SPIN_RAD_S
from libs.astro.time import DAY_S, MJD_0_JD
from libs.astro.weather import Drivers

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

SHARE = decay_tables.SHARE
NODE_S = 60.0  # between points that are flown to; the cubic in between is good to 0.5 m
_PARTS_PER_THREAD = 4
_AIRS = 4  # driven days in memory, 20 MB each: flights of one object are asked for in parts


@dataclass(frozen=True, slots=True)
class Leg:
    """(N,) each, of the samples flown in a day: their row, whether they came down in it, where the leg ended for each.

    seconds: after the start epoch. states (N, 6): TEME, km and km/s. `broken` ones are flown no further.
    track[i, k] for k < counts[i]: seconds after the start epoch, latitude and longitude in degrees, altitude in km; the
    first is the start of the leg, the last its end.
    """

    rows: Ints
    reached: Flags
    broken: Flags
    seconds: Array
    states: Array
    track: Array
    counts: Ints


def fly(
    states: Array,
    jd0: float,
    fr0: float,
    ln_b: Array,
    drivers: Drivers,
    tables: Kept,
    *,
    ln_b_late: Array,
    late_after_s: float,
    stop_altitude_km: float,
    max_days: float,
    track_step_s: float,
    track_from_s: float = 0.0,
    threads: int = 1,
) -> Iterator[Leg]:
    """Flies each row of states, TEME (km, km/s) at the epoch, to the altitude, for max_days or to the drivers' end.

    The track has a point each track_step_s from track_from_s on, before it one in COARSE_STEP_S, enough to count
    revolutions. Raises ValueError as decay.fly does, density_days.OutsideTable as decay_tables does.
    """
    decay.sky_from_start(drivers, jd0, fr0)
    if not track_step_s > 0.0:
        raise ValueError(f"the points of a track are seconds apart, more than 0, not {track_step_s}")
    decay.check_options(stop_altitude_km, max_days, decay.STEP_S, late_after_s, track_step_s, track_from_s)
    starts = np.ascontiguousarray(states, dtype=np.float64)
    logs, late = (np.asarray(one, dtype=np.float64) for one in (ln_b, ln_b_late))
    if logs.shape != (len(starts),) or late.shape != (len(starts),):
        raise ValueError(f"ln_b and ln_b_late must be (N,) for {len(starts)} samples, not {logs.shape}, {late.shape}")
    start_mjd = (jd0 - MJD_0_JD) + fr0
    last_mjd = min(start_mjd + max_days, drivers.end_mjd)
    kind = _kind(starts, drivers, start_mjd)
    rows, day = np.arange(len(starts)), math.floor(start_mjd)
    while len(rows) and max(day, start_mjd) < last_mjd:
        begin = (jd0, fr0) if day <= start_mjd else (MJD_0_JD + day, 0.0)
        from_s = max(0.0, ((day + MJD_0_JD - jd0) - fr0) * DAY_S)
        until_s = (min(day + 1.0, last_mjd) - start_mjd) * DAY_S
        air = _air(tables, day, kind, begin, drivers.rows.tobytes(), drivers.start_mjd)
        ends = decay_tables.lifetimes(
            starts, logs, air, ln_b_late=late, late_after_s=late_after_s - from_s, stop_altitude_km=stop_altitude_km,
            max_days=(until_s - from_s) / DAY_S, threads=threads, share=SHARE,
        )  # fmt: skip
        seconds = np.where(ends.reached, from_s + ends.seconds, until_s)
        track, counts = _tracks(
            starts, logs, late, late_after_s, air, from_s, seconds, (track_step_s, track_from_s), threads
        )
        sound = ~ends.broken & (counts > 0)
        yield Leg(rows, ends.reached & sound, ~sound, seconds, ends.states, track, counts)
        on = ~ends.reached & sound
        starts, logs, late, rows = np.ascontiguousarray(ends.states[on]), logs[on], late[on], rows[on]
        day += 1


@lru_cache(maxsize=_AIRS)
def _air(
    tables: Kept, day: int, kind: tuple[float, float], begin: tuple[float, float], rows: bytes, start_mjd: float
) -> Air:
    drivers = Drivers(np.frombuffer(rows).reshape(-1, 9), start_mjd)
    return decay_tables.air(tables.table(day, 1, *kind), drivers, *begin)


def _kind(starts: Array, drivers: Drivers, start_mjd: float) -> tuple[float, float]:
    """Reference flux and top of the tables: those that a prediction from about then made."""
    row = min(max(round((start_mjd - drivers.start_mjd) * 8.0), 0), len(drivers.rows) - 1)
    apogee_km = decay_tables.apogee_km(starts) if len(starts) else 0.0
    top_km = density_table.UPPER_KM if apogee_km < density_table.UPPER_KM else density_table.TOP_KM
    return density_days.reference_sfu(float(drivers.rows[row, 1])), top_km


def _tracks(
    starts: Array, logs: Array, late: Array, late_after_s: float, air: Air, from_s: float, ends_s: Array,
    steps: tuple[float, float], threads: int,
) -> tuple[Array, Ints]:  # fmt: skip
    step_s, fine_from_s = steps
    times, nodes = _instants(from_s, float(ends_s.max()), step_s, fine_from_s)
    track, counts = np.full((len(starts), len(times) + 2, 4), np.nan), np.zeros(len(starts), np.int64)
    b, b_late = np.exp(logs), np.exp(late)

    def run(part: slice) -> None:
        _follow(
            starts[part], b[part], b_late[part], late_after_s - from_s, ends_s[part], times, nodes, from_s, air.world,
            track[part], counts[part],
        )  # fmt: skip

    size = max(1, math.ceil(len(starts) / (max(1, threads) * _PARTS_PER_THREAD)))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(run, [slice(k, min(k + size, len(starts))) for k in range(0, len(starts), size)]))
    return track, counts


def _instants(from_s: float, until_s: float, step_s: float, fine_from_s: float) -> tuple[Array, Array]:
    """Times of the track within a leg, and those of them and in between that are flown to, all after the start."""
    coarse = np.arange(math.ceil(fine_from_s / COARSE_STEP_S)) * COARSE_STEP_S
    fine_node = fine_from_s + np.arange(max(math.ceil((until_s - fine_from_s) / NODE_S), 0) + 1) * NODE_S
    fine = fine_from_s + np.arange(max(math.ceil((until_s - fine_from_s) / step_s), 0) + 1) * step_s
    made = (np.append(coarse, one) for one in (fine, fine_node))
    times, nodes = (one[(one > from_s) & (one < until_s)] for one in made)
    return times, nodes


@njit(cache=True, error_model="numpy", nogil=True)
def _follow(
    starts: Array, b: Array, b_late: Array, late_s: float, ends_s: Array, times: Array, nodes: Array, from_s: float,
    world: World, track: Array, counts: Ints,
) -> None:  # fmt: skip
    """Fills track and counts; late_s counts from the start of the leg, the other times from that of the flight."""
    at, states, between = np.empty(nodes.size + 2), np.empty((nodes.size + 2, 6)), np.empty(6)
    at[0] = from_s
    for i in range(starts.shape[0]):
        m = int(np.searchsorted(nodes, ends_s[i]))
        at[1 : m + 1], at[m + 1] = nodes[:m], ends_s[i]
        if not _fly(starts[i], b[i], b_late[i], late_s, at[: m + 2] - from_s, world, states[: m + 2]):
            continue
        counts[i] = _write(track[i], 0, at[0], states[0], from_s, world)
        k = 0
        for t in times:
            if t >= ends_s[i]:
                break
            while at[k + 1] <= t:
                k += 1
            h = at[k + 1] - at[k]
            hermite(states[k], states[k + 1], h, (t - at[k]) / h, between)
            counts[i] = _write(track[i], counts[i], t, between, from_s, world)
        counts[i] = _write(track[i], counts[i], at[m + 1], states[m + 1], from_s, world)


@njit(cache=True, error_model="numpy", nogil=True)
def _fly(start: Array, b: float, b_late: float, late_s: float, times: Array, world: World, states: Array) -> bool:
    """States at rising times, the first 0; whether all are finite."""
    if late_s <= 0.0 or late_s >= times[-1]:
        return decay_arc.arc(start, b_late if late_s <= 0.0 else b, times, world, states) == times.size
    split = int(np.searchsorted(times, late_s))
    before = np.empty((split + 1, 6))
    if decay_arc.arc(start, b, np.append(times[:split], late_s), world, before) <= split:
        return False
    states[:split] = before[:split]
    turned = world.gmst_rad + GMST82_SPIN_RAD_S * late_s
    after = World(world.base, world.sense, world.top_km, world.since_s + late_s, turned)
    return decay_arc.arc(before[split], b_late, times[split:] - late_s, after, states[split:]) == times.size - split


@njit(cache=True, error_model="numpy", nogil=True)
def _write(track: Array, k: int, seconds: float, state: Array, from_s: float, world: World) -> int:
    lat, lon, alt = place(state[0], state[1], state[2], world.gmst_rad + GMST82_SPIN_RAD_S * (seconds - from_s))
    track[k, 0], track[k, 1], track[k, 2], track[k, 3] = seconds, math.degrees(lat), math.degrees(lon), alt
    return k + 1
