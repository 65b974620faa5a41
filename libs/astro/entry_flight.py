"""One piece after another down through altitudes: Dormand-Prince 5(4) with dense output, then settled fall.

J. R. Dormand, P. J. Prince, J. Comp. Appl. Math. 6 (1980); coefficients, error estimate and continuous extension as in
E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., II.5 and II.6 (DOPRI5).
Units and array layouts are those of `entry_motion`.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.entry_motion import rate, settled, vertical

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

DOWN, ALOFT, BROKEN = 1, 0, -1
SECONDS, LAT, LON, EAST, NORTH, UP = range(6)
FIELDS = 6
_SETTLED_WITHIN = 0.01  # of the settled velocity: what is left decays within metres
_SETTLED_SLOWING = 0.03  # e of a settled fall: its expansion is then good to 1e-4 of the speed
_SINK_KM = 1.0  # step of the settled fall, a seventh of a scale height


_A = np.zeros((7, 6))
_A[1, :1] = 1.0 / 5.0
_A[2, :2] = 3.0 / 40.0, 9.0 / 40.0
_A[3, :3] = 44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0
_A[4, :4] = 19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0
_A[5, :5] = 9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0
_A[6] = 35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0


@njit(cache=True, error_model="numpy", nogil=True)
def _try_step(
    y: Array, h: float, k: Array, new: Array, mass_per_area: float, length_m: float, shape: int, body: Array,
    air: Array, step_km: float, cd: Array, rtol: float, atol: float,
) -> tuple[float, float]:  # fmt: skip
    """From k[0] at y fills k[1:7] and new; returns the error over its tolerance and the new altitude."""
    alt = 0.0
    for stage in range(1, 7):
        for i in range(6):
            slope = 0.0
            for j in range(stage):
                slope += _A[stage, j] * k[j, i]
            new[i] = y[i] + h * slope
        alt = rate(new, k[stage], mass_per_area, length_m, shape, body, air, step_km, cd)
    total = 0.0
    for i in range(6):
        error = h * (
            71.0 / 57600.0 * k[0, i] - 71.0 / 16695.0 * k[2, i] + 71.0 / 1920.0 * k[3, i]
            - 17253.0 / 339200.0 * k[4, i] + 22.0 / 525.0 * k[5, i] - 1.0 / 40.0 * k[6, i]
        )  # fmt: skip
        error /= atol + rtol * max(abs(y[i]), abs(new[i]))
        total += error * error
    return math.sqrt(total / 6.0), alt


@njit(cache=True, error_model="numpy", nogil=True)
def _prepare_dense(y: Array, new: Array, h: float, k: Array, dense: Array) -> None:
    for i in range(6):
        change = new[i] - y[i]
        bend = h * k[0, i] - change
        dense[0, i], dense[1, i], dense[2, i] = y[i], change, bend
        dense[3, i] = change - h * k[6, i] - bend
        dense[4, i] = h * (
            -12715105075.0 / 11282082432.0 * k[0, i] + 87487479700.0 / 32700410799.0 * k[2, i]
            - 10690763975.0 / 1880347072.0 * k[3, i] + 701980252875.0 / 199316789632.0 * k[4, i]
            - 1453857185.0 / 822651844.0 * k[5, i] + 69997945.0 / 29380423.0 * k[6, i]
        )  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def _within(dense: Array, s: float, out: Array) -> None:
    """The state at fraction s of the step, order 4."""
    u = 1.0 - s
    for i in range(6):
        out[i] = dense[0, i] + s * (dense[1, i] + u * (dense[2, i] + s * (dense[3, i] + u * dense[4, i])))


@njit(cache=True, error_model="numpy", nogil=True)
def _crossing(
    dense: Array, low: float, above_km: float, below_km: float, level_km: float, out: Array, body: Array
) -> float:
    """Fraction of the step, from low on, at which the altitude falls through the level; out is the state there."""
    high, s = 1.0, low
    over, under = above_km - level_km, below_km - level_km
    side = 0
    for _ in range(60):
        s = (low * under - high * over) / (under - over)
        _within(dense, s, out)
        miss = vertical(out[0], out[1], out[2], body)[2] - level_km
        if abs(miss) < 1e-9:
            break
        if miss > 0.0:
            low, over = s, miss
            under *= 0.5 if side == 1 else 1.0
            side = 1
        else:
            high, under = s, miss
            over *= 0.5 if side == -1 else 1.0
            side = -1
    return s


@njit(cache=True, error_model="numpy", nogil=True)
def _note(out: Array, level: int, seconds: float, place: Array, velocity: Array, body: Array) -> None:
    x, y = place[0], place[1]
    s, c, _ = vertical(x, y, place[2], body)
    p = 1.0 / max(math.sqrt(x * x + y * y), 1e-9)
    outward = p * (x * velocity[0] + y * velocity[1])
    out[SECONDS, level] = seconds
    out[LAT, level] = math.atan2(s, c)
    out[LON, level] = math.atan2(y, x)
    out[EAST, level] = p * (x * velocity[1] - y * velocity[0])
    out[NORTH, level] = c * velocity[2] - s * outward
    out[UP, level] = s * velocity[2] + c * outward


@njit(cache=True, error_model="numpy", nogil=True)
def _sink(
    place: Array, t: float, speed: float, level: int, levels: Array, out: Array, work: Array, mass_per_area: float,
    length_m: float, shape: int, body: Array, air: Array, step_km: float, cd: Array,
) -> int:  # fmt: skip
    """Settled fall from place through the levels left: Runge-Kutta of order 4 in altitude; returns DOWN or BROKEN."""
    alt = vertical(place[0], place[1], place[2], body)[2]
    v, stage, slope, total = work[0], work[1], work[2], work[3]
    while level < levels.shape[0]:
        h = min(_SINK_KM, alt - levels[level])
        total[:4] = 0.0
        for n in range(4):
            back = 0.0 if n == 0 else (1.0 if n == 3 else 0.5)
            for i in range(3):
                stage[i] = place[i] - h * back * slope[i] if n else place[i]
            speed, climb, _ = settled(stage, speed, v, mass_per_area, length_m, shape, body, air, step_km, cd)
            if not climb < 0.0:
                return BROKEN
            weight = 1.0 / 6.0 if n in {0, 3} else 1.0 / 3.0
            for i in range(3):
                slope[i] = v[i] / climb
                total[i] += weight * slope[i]
            total[3] -= weight / climb
        for i in range(3):
            place[i] -= h * total[i]
        t += h * total[3]
        alt -= h
        if alt <= levels[level] + 1e-9:
            settled(place, speed, v, mass_per_area, length_m, shape, body, air, step_km, cd)
            while level < levels.shape[0] and alt <= levels[level] + 1e-9:
                _note(out, level, t, place, v, body)
                level += 1
    return DOWN


@njit(cache=True, error_model="numpy", nogil=True)
def _speed(y: Array) -> float:
    return math.sqrt(y[3] * y[3] + y[4] * y[4] + y[5] * y[5])


@njit(cache=True, error_model="numpy", nogil=True)
def _has_settled(
    y: Array, v: Array, mass_per_area: float, length_m: float, shape: int, body: Array, air: Array, step_km: float,
    cd: Array, settle_km_s: float,
) -> bool:  # fmt: skip
    speed = _speed(y)
    if speed > settle_km_s:
        return False
    fall, climb, slowing = settled(y, speed, v, mass_per_area, length_m, shape, body, air, step_km, cd)
    off = math.sqrt((y[3] - v[0]) ** 2 + (y[4] - v[1]) ** 2 + (y[5] - v[2]) ** 2)
    return climb < 0.0 and slowing < _SETTLED_SLOWING and off < _SETTLED_WITHIN * fall


@njit(cache=True, error_model="numpy", nogil=True)
def descend(
    y: Array, levels: Array, out: Array, work: Array, mass_per_area: float, length_m: float, shape: int, body: Array,
    air: Array, step_km: float, cd: Array, rtol: float, atol: float, max_s: float, settle_km_s: float,
) -> tuple[int, int]:  # fmt: skip
    """Flies y (destroyed) down through levels, which fall and lie below it; fills out[:, level] at each first crossing.

    Returns DOWN, ALOFT (max_s over) or BROKEN, and how many levels were reached. work is WORK_SHAPE.
    """
    k, new, dense, at, sinking = work[0:7], work[7], work[8:13], work[13], work[14:18]
    alt = rate(y, k[0], mass_per_area, length_m, shape, body, air, step_km, cd)
    t, h, level, grow = 0.0, 0.5, 0, 5.0
    while level < levels.shape[0]:
        if t >= max_s:
            return ALOFT, level
        error, low = _try_step(y, h, k, new, mass_per_area, length_m, shape, body, air, step_km, cd, rtol, atol)
        if not error <= 1.0:
            h *= max(0.2, 0.9 * error**-0.2) if error > 1.0 and error < 1e300 else 0.2
            grow = 1.0
            if h < 1e-7:
                return BROKEN, level
            continue
        if low <= levels[level]:
            _prepare_dense(y, new, h, k, dense)
            s, over = 0.0, alt
            while level < levels.shape[0] and low <= levels[level]:
                if over > levels[level]:
                    s = _crossing(dense, s, over, low, levels[level], at, body)
                _note(out, level, t + s * h, at, at[3:], body)
                over = levels[level]
                level += 1
        t += h
        alt = low
        y[:] = new
        k[0] = k[6]
        h *= min(grow, max(0.2, 0.9 * max(error, 1e-10) ** -0.2))
        grow = 5.0
        if level < levels.shape[0] and _has_settled(
            y, sinking[0], mass_per_area, length_m, shape, body, air, step_km, cd, settle_km_s
        ):
            status = _sink(
                y, t, _speed(y), level, levels, out, sinking, mass_per_area, length_m, shape, body, air, step_km, cd
            )
            return status, levels.shape[0]
    return DOWN, level


WORK_SHAPE = (18, 6)


@njit(cache=True, error_model="numpy", nogil=True)
def descend_all(
    starts: Array, mass_per_area: Array, length_m: Array, shape: Ints, profile: Ints, levels: Array, airs: Array,
    step_km: float, cd: Array, body: Array, rtol: float, atol: float, max_s: float, settle_km_s: float, out: Array,
    status: Ints, reached: Ints,
) -> None:  # fmt: skip
    """Each row of starts alone, through its profile and its own row of levels; fills out[field, i, level]."""
    work, y = np.empty(WORK_SHAPE), np.empty(6)
    for i in range(starts.shape[0]):
        y[:] = starts[i]
        status[i], reached[i] = descend(
            y, levels[i], out[:, i], work, mass_per_area[i], length_m[i], shape[i], body, airs[profile[i]], step_km,
            cd, rtol, atol, max_s, settle_km_s,
        )  # fmt: skip
