"""SGP4 and SDP4: states from mean element sets, of one object or of a whole catalogue at many times.

D. A. Vallado, P. Crawford, R. Hujsak, T. S. Kelso, "Revisiting Spacetrack Report #3", AIAA 2006-6753, "improved" mode,
with the WGS-72 constants that element sets are fitted with. Output is TEME of date, or ITRF where an EarthTurn is
given; km and km/s. Agrees with the reference implementation to 1e-6 km, with the same errors.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from libs.astro import sgp4_general, sgp4_near
from libs.astro.earth import IERS_SPIN_RAD_S
from libs.astro.elements import ElementSet
from libs.astro.frames import EarthTurn, polar_motion
from libs.astro.sgp4_start import DEEP_SPACE_MIN, NO, RECORD_SIZE, TWO_PI, initialise_all, unkozai
from libs.astro.time import gmst82_rad

Array = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.uint8]]

# Errors, as in the reference implementation.
OK, ECCENTRICITY, MEAN_MOTION, PERTURBED_ECCENTRICITY, SEMILATUS, DECAYED = 0, 1, 2, 3, 4, 6
RUNAWAY = 7  # ours: the reference answers with numbers that mean nothing or none, and no error or 6
ERRORS = {
    ECCENTRICITY: "the eccentricity leaves [0, 1)",
    MEAN_MOTION: "the mean motion is not positive",
    PERTURBED_ECCENTRICITY: "Sun and Moon take the eccentricity out of [0, 1]",
    SEMILATUS: "the semilatus rectum is negative",
    DECAYED: "the object is below the surface",
    RUNAWAY: "the equations run away from any orbit",
}
_JD_1950 = 2433281.5
_FARTHEST_MIN = 250 * 365.25 * 1440.0  # between the first and the last epoch that elements.py lets in
_TILE = 512  # times of one object at a go, whose states stay in the nearest cache for the turn of the pole


class DeepSpace(Exception):
    """The Sun and the Moon rule the orbit (period of 225 minutes or more)."""


class BadElements(Exception):
    """The set gives no orbit at its own epoch."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """n sets ready to propagate: records (n, RECORD_SIZE), epochs (n,) as UTC Julian date pairs, numbers (n,)."""

    records: Array
    epoch_jd: Array
    epoch_jd_fraction: Array
    catalogue_numbers: "np.ndarray[Any, np.dtype[np.int64]]"

    @property
    def mean_motion_rad_min(self) -> Array:
        """Brouwer ("un-Kozai'd") mean motions (n,), rad/min."""
        return self.records[:, NO]


def unkozai_mean_motion_rad_min(mean_motion_rad_min: float, eccentricity: float, inclination_rad: float) -> float:
    """Brouwer mean motion, rad/min, from the Kozai mean motion of a set; ValueError for what is no orbit's."""
    if not (0.0 < mean_motion_rad_min < math.inf and 0.0 <= eccentricity < 1.0 and 0.0 <= inclination_rad <= math.pi):
        raise ValueError(
            f"mean motion {mean_motion_rad_min} rad/min, eccentricity {eccentricity} and inclination "
            f"{inclination_rad} rad are no orbit; check the set and its units"
        )
    return float(unkozai(mean_motion_rad_min, eccentricity, inclination_rad))


def refuse_deep_space(elements: ElementSet) -> None:
    """Raises DeepSpace for a period of 225 minutes or more, for users whose forces are the Earth's alone."""
    kozai = elements.mean_motion_rev_day * TWO_PI / 1440.0
    if not (kozai > 0.0 and 0.0 <= elements.eccentricity < 1.0):
        return
    mean_motion = unkozai(kozai, elements.eccentricity, math.radians(elements.inclination_deg))
    if TWO_PI / mean_motion >= DEEP_SPACE_MIN:
        raise DeepSpace(
            f"object {elements.catalogue_number}: a period of {TWO_PI / mean_motion:.0f} minutes is ruled by the Sun "
            f"and the Moon; only periods under {DEEP_SPACE_MIN:.0f} minutes are modelled"
        )


def initialise(elements: ElementSet) -> Array:
    """Record (RECORD_SIZE,) for `propagate`; raises BadElements for a set without an orbit at its epoch."""
    record: Array = initialise_many([elements]).records[0]
    _, _, error = propagate(record, np.zeros(1))
    if error[0] not in (OK, DECAYED):
        raise BadElements(f"object {elements.catalogue_number}: {ERRORS[int(error[0])]} at the set's epoch; check it")
    return record


def initialise_many(elements: Sequence[ElementSet]) -> Catalogue:
    """Raises BadElements for a mean motion or an eccentricity that is no orbit's.

    A set that gives no state at its epoch is kept: its errors show when it is propagated.
    """
    columns = np.array([_columns(one) for one in elements], dtype=np.float64).reshape(-1, 9).T.copy()
    wrong = ~((columns[0] > 0.0) & (columns[1] >= 0.0) & (columns[1] < 1.0) & np.isfinite(columns).all(axis=0))
    if wrong.any():
        bad = elements[int(np.flatnonzero(wrong)[0])]
        raise BadElements(
            f"object {bad.catalogue_number}: mean motion {bad.mean_motion_rev_day} rev/day and eccentricity "
            f"{bad.eccentricity} are no orbit; check the set"
        )
    jd, fraction = columns[7], columns[8]
    # The reference takes the epochs of Sun, Moon and sidereal time in one double (40 microseconds); with the pair the
    # half-day resonances part from it by 8 mm in 27 days, and the longest ellipses by 4 mm at once.
    gst = np.array([gmst82_rad(one, 0.0) for one in jd + fraction])
    records = np.zeros((len(elements), RECORD_SIZE))
    initialise_all(columns[:7], (jd + fraction) - _JD_1950, gst, records)
    return Catalogue(records, jd, fraction, np.array([one.catalogue_number for one in elements], dtype=np.int64))


def _columns(one: ElementSet) -> tuple[float, ...]:
    return (
        one.mean_motion_rev_day / (1440.0 / TWO_PI),  # rounded as the reference does, for spans of years
        one.eccentricity,
        math.radians(one.inclination_deg),
        math.radians(one.raan_deg),
        math.radians(one.arg_of_perigee_deg),
        math.radians(one.mean_anomaly_deg),
        one.bstar_per_earth_radius,
        one.epoch_jd,
        one.epoch_jd_fraction,
    )


def propagate(record: Array, minutes: Array) -> tuple[Array, Array, Codes]:
    """Positions (n, 3) km and velocities (n, 3) km/s in TEME at n times, and an error (n,) of each, 0 when it is good.

    minutes are from the set's epoch, in any order. Where there is an error other than DECAYED the state is NaN.
    Raises ValueError for a record of another shape, and for times that are none or over 250 years away.
    """
    times = np.ascontiguousarray(minutes, dtype=np.float64)
    if record.shape != (RECORD_SIZE,):
        raise ValueError(f"a record has the shape {(RECORD_SIZE,)} that initialise gives it, not {record.shape}")
    _check_times(times, np.zeros(1))
    out, errors = np.empty((1, 6, times.size)), np.empty((1, times.size), dtype=np.uint8)
    _fly(record.reshape(1, -1), np.zeros(1), times, *_still(times.size), 0.0, out, errors)
    return out[0, :3].T, out[0, 3:].T, errors[0]


def propagate_many(
    catalogue: Catalogue,
    jd: Array,
    fraction: Array,
    *,
    turn: EarthTurn | None = None,
    threads: int = 1,
    out: Array | None = None,
    errors: Codes | None = None,
) -> tuple[Array, Codes]:
    """States (n, 6, m) km, km/s of all n objects at all m UTC times, and their errors (n, m).

    In TEME, or in ITRF where turn holds the Earth's attitude at the same m times. out and errors, C-contiguous and of
    those shapes (uint8 errors), are filled and returned where they are given. Ordered times are fastest.
    Where there is an error other than DECAYED the state is NaN. Raises ValueError for other shapes, and for times that
    are none or over 250 years from a set's epoch.
    """
    jd, fraction = np.atleast_1d(jd).astype(np.float64), np.atleast_1d(fraction).astype(np.float64)
    if jd.ndim != 1 or jd.shape != fraction.shape:
        raise ValueError(f"times are pairs in one row, not days of shape {jd.shape} and fractions of {fraction.shape}")
    if jd.size == 0:
        return np.empty((len(catalogue.records), 6, 0)), np.empty((len(catalogue.records), 0), dtype=np.uint8)
    if not (np.isfinite(jd).all() and np.isfinite(fraction).all()):
        raise ValueError("a Julian date or its fraction is no number; mend it before it is propagated to")
    minutes = ((jd - jd[0]) + (fraction - fraction[0])) * 1440.0
    offsets = ((jd[0] - catalogue.epoch_jd) + (fraction[0] - catalogue.epoch_jd_fraction)) * 1440.0
    return propagate_minutes(catalogue, minutes, offsets=offsets, turn=turn, threads=threads, out=out, errors=errors)


def propagate_minutes(
    catalogue: Catalogue,
    minutes: Array,
    *,
    offsets: Array | None = None,
    turn: EarthTurn | None = None,
    threads: int = 1,
    out: Array | None = None,
    errors: Codes | None = None,
) -> tuple[Array, Codes]:
    """As propagate_many, at minutes (m,) after each set's own epoch, plus offsets (n,) of the objects."""
    count, times = len(catalogue.records), np.ascontiguousarray(minutes, dtype=np.float64)
    start = np.zeros(count) if offsets is None else np.ascontiguousarray(offsets, dtype=np.float64)
    if start.shape != (count,):
        raise ValueError(f"there are {count} objects and offsets of the shape {start.shape}; give one for each")
    _check_times(times, start)
    out = np.empty((count, 6, times.size)) if out is None else out
    errors = np.empty((count, times.size), dtype=np.uint8) if errors is None else errors
    _check(count, times.size, turn, out, errors)
    gst, xp, yp = _still(times.size) if turn is None else (turn.gmst_rad, turn.xp_rad, turn.yp_rad)
    spin = 0.0 if turn is None else IERS_SPIN_RAD_S
    size = max(1, math.ceil(count / max(1, threads * 8)))
    parts = [slice(first, first + size) for first in range(0, count, size)]

    def run(part: slice) -> None:
        _fly(catalogue.records[part], start[part], times, gst, xp, yp, spin, out[part], errors[part])

    if threads <= 1 or len(parts) == 1:
        run(slice(0, count))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, parts))
    return out, errors


def _check_times(minutes: Array, offsets: Array) -> None:
    if minutes.ndim != 1:
        raise ValueError(f"times must be in one row, not of the shape {minutes.shape}")
    if not (np.isfinite(minutes).all() and np.isfinite(offsets).all()):
        raise ValueError("a time is no number; mend it before it is propagated to")
    if minutes.size and offsets.size:
        farthest = max(minutes.max() + offsets.max(), -minutes.min() - offsets.min())
        if farthest > _FARTHEST_MIN:
            raise ValueError(
                f"a time lies {farthest / 525960.0:.0f} years from a set's epoch: give minutes, or UTC as Julian dates"
            )


def _check(count: int, times: int, turn: EarthTurn | None, out: Array, errors: Codes) -> None:
    if out.shape != (count, 6, times) or out.dtype != np.float64 or not out.flags.carray:
        raise ValueError(f"out must be writable C-contiguous float64 of shape {(count, 6, times)}, not {out.shape}")
    if errors.shape != (count, times) or errors.dtype != np.uint8 or not errors.flags.carray:
        raise ValueError(f"errors must be writable C-contiguous uint8 of shape {(count, times)}, not {errors.shape}")
    if turn is not None and not turn.gmst_rad.shape == turn.xp_rad.shape == turn.yp_rad.shape == (times,):
        raise ValueError(f"the Earth's turn is given at {turn.gmst_rad.size} times, the states are asked at {times}")


def _still(count: int) -> tuple[Array, Array, Array]:
    return np.zeros(count), np.zeros(count), np.zeros(count)


@njit(cache=True, error_model="numpy", nogil=True)
def _fly(
    records: Array, offsets: Array, minutes: Array, gst: Array, xp: Array, yp: Array, spin: float, out: Array,
    errors: Codes,
) -> None:  # fmt: skip
    work = np.empty(max(sgp4_general.ROWS * sgp4_general.BLOCK, sgp4_near.ROWS * sgp4_near.BLOCK))
    for i in range(records.shape[0]):
        for first in range(0, minutes.size, _TILE):
            last = min(first + _TILE, minutes.size)
            times, turned, codes = minutes[first:last], gst[first:last], errors[i][first:last]
            span = max(abs(times.min() + offsets[i]), abs(times.max() + offsets[i]))
            x, y = xp[first:last], yp[first:last]
            if sgp4_near.holds(records[i], span):
                sgp4_near.fly(records[i], times, offsets[i], turned, spin, x, y, out[i], first, codes, work)
            else:
                sgp4_general.fly(records[i], times, offsets[i], turned, spin, out[i], first, codes, work)
                _mark_runaways(out[i], first, codes)
                if spin != 0.0:
                    polar_motion(x, y, out[i, 0][first:last], out[i, 1][first:last], out[i, 2][first:last])
                    polar_motion(x, y, out[i, 3][first:last], out[i, 4][first:last], out[i, 5][first:last])
            if codes.max() > 0:
                _blank(out[i], first, codes)


@njit(cache=True, error_model="numpy")
def _blank(states: Array, first: int, codes: Codes) -> None:
    for j in range(codes.size):
        if codes[j] not in (OK, DECAYED):
            states[:, first + j] = np.nan


@njit(cache=True, error_model="numpy")
def _mark_runaways(states: Array, first: int, codes: Codes) -> None:
    """Absurd drag or a perigee near the Earth's centre ends in no number, which the series of sgp4_near never do."""
    for j in range(codes.size):
        k = first + j
        size = abs(states[0, k]) + abs(states[1, k]) + abs(states[2, k])
        if not size + abs(states[3, k]) + abs(states[4, k]) + abs(states[5, k]) < np.inf:
            codes[j] = RUNAWAY if codes[j] in (OK, DECAYED) else codes[j]
