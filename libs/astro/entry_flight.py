"""One piece after another down through altitudes: Dormand-Prince 5(4) with dense output, then settled fall.

J. R. Dormand, P. J. Prince, J. Comp. Appl. Math. 6 (1980); coefficients, error estimate and continuous extension as in
E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., II.5 and II.6 (DOPRI5).
Units and array layouts are those of `entry_motion`.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.entry_lanes import ALT, LANES, LOAD, ROWS, rates
from libs.astro.entry_motion import rate, settled, vertical

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

DOWN, ALOFT, BROKEN = 1, 0, -1
SECONDS, LAT, LON, EAST, NORTH, UP = range(6)
FIELDS = 6
_SETTLED_WITHIN = 0.01  # of the settled velocity: what is left decays within metres
_SETTLED_SLOWING = 0.03  # e of a settled fall: its expansion is then good to 1e-4 of the speed
_SINK_KM = 1.0  # step of the settled fall, a seventh of a scale height; from whole km to whole km, as winds are given
_FIRST_STEP_S, _SHORTEST_STEP_S = 0.5, 1e-7


_S = 6 * LANES  # one state of all lanes, one slope of all lanes


@njit(cache=True, error_model="numpy", nogil=True)
def _stage(z: Array, y: Array, h: Array, k: Array, stage: int) -> None:
    """States of all lanes at a stage, into z; h is the step, repeated for each component."""
    if stage == 1:
        for n in range(_S):
            z[n] = y[n] + h[n] * (1.0 / 5.0 * k[n])
    elif stage == 2:
        for n in range(_S):
            z[n] = y[n] + h[n] * (3.0 / 40.0 * k[n] + 9.0 / 40.0 * k[_S + n])
    elif stage == 3:
        for n in range(_S):
            z[n] = y[n] + h[n] * (44.0 / 45.0 * k[n] - 56.0 / 15.0 * k[_S + n] + 32.0 / 9.0 * k[2 * _S + n])
    elif stage == 4:
        for n in range(_S):
            z[n] = y[n] + h[n] * (
                19372.0 / 6561.0 * k[n] - 25360.0 / 2187.0 * k[_S + n] + 64448.0 / 6561.0 * k[2 * _S + n]
                - 212.0 / 729.0 * k[3 * _S + n]
            )  # fmt: skip
    elif stage == 5:
        for n in range(_S):
            z[n] = y[n] + h[n] * (
                9017.0 / 3168.0 * k[n] - 355.0 / 33.0 * k[_S + n] + 46732.0 / 5247.0 * k[2 * _S + n]
                + 49.0 / 176.0 * k[3 * _S + n] - 5103.0 / 18656.0 * k[4 * _S + n]
            )  # fmt: skip
    else:
        for n in range(_S):
            z[n] = y[n] + h[n] * (
                35.0 / 384.0 * k[n] + 500.0 / 1113.0 * k[2 * _S + n] + 125.0 / 192.0 * k[3 * _S + n]
                - 2187.0 / 6784.0 * k[4 * _S + n] + 11.0 / 84.0 * k[5 * _S + n]
            )  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def _judge(z: Array, y: Array, h: Array, k: Array, rtol: float, atol: float, error: Array) -> None:
    """Error of each lane over its tolerance, root mean square over the six components."""
    for n in range(_S):
        e = (
            71.0 / 57600.0 * k[n] - 71.0 / 16695.0 * k[2 * _S + n] + 71.0 / 1920.0 * k[3 * _S + n]
            - 17253.0 / 339200.0 * k[4 * _S + n] + 22.0 / 525.0 * k[5 * _S + n] - 1.0 / 40.0 * k[6 * _S + n]
        )  # fmt: skip
        e *= h[n] / (atol + rtol * max(abs(y[n]), abs(z[n])))
        error[n] = e * e
    for w in range(LANES):
        total = error[w] + error[LANES + w] + error[2 * LANES + w]
        total += error[3 * LANES + w] + error[4 * LANES + w] + error[5 * LANES + w]
        error[w] = math.sqrt(total / 6.0)


@njit(cache=True, error_model="numpy", nogil=True)
def _set_step(h: Array, w: int, step_s: float) -> None:
    for i in range(6):
        h[i * LANES + w] = step_s


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
    """Settled fall from place through the levels left: Simpson's rule in altitude; returns DOWN or BROKEN.

    The velocity hangs on the altitude; where the piece stands matters by gravity alone, so that places found along the
    slope above are good enough to look it up.
    """
    alt = vertical(place[0], place[1], place[2], body)[2]
    v, top, middle, bottom, at = work[0], work[1], work[2], work[3], work[4]
    speed, climb, _ = settled(place, speed, v, mass_per_area, length_m, shape, body, air, step_km, cd)
    while level < levels.shape[0]:
        h = alt - max(levels[level], (math.ceil(alt / _SINK_KM - 1e-6) - 1.0) * _SINK_KM)
        _slope(v, climb, top)
        _along(place, top, 0.5 * h, at)
        speed, climb, _ = settled(at, speed, v, mass_per_area, length_m, shape, body, air, step_km, cd)
        _slope(v, climb, middle)
        _along(place, middle, h, at)
        speed, climb, _ = settled(at, speed, v, mass_per_area, length_m, shape, body, air, step_km, cd)
        _slope(v, climb, bottom)
        if not (top[3] < 0.0 and middle[3] < 0.0 and bottom[3] < 0.0):
            return BROKEN
        for i in range(3):
            place[i] -= h * (top[i] + 4.0 * middle[i] + bottom[i]) / 6.0
        t -= h * (top[3] + 4.0 * middle[3] + bottom[3]) / 6.0
        alt -= h
        while level < levels.shape[0] and alt <= levels[level] + 1e-9:
            _note(out, level, t, place, v, body)
            level += 1
    return DOWN


@njit(cache=True, error_model="numpy", nogil=True)
def _slope(v: Array, climb: float, slope: Array) -> None:
    """Change of place, and of time, per km of altitude."""
    slope[0], slope[1], slope[2], slope[3] = v[0] / climb, v[1] / climb, v[2] / climb, 1.0 / climb


@njit(cache=True, error_model="numpy", nogil=True)
def _along(place: Array, slope: Array, down_km: float, at: Array) -> None:
    for i in range(3):
        at[i] = place[i] - down_km * slope[i]


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
def _cross_levels(
    w: int, alt: float, low: float, t: float, h: float, level: int, levels: Array, out: Array, z: Array, y: Array,
    k: Array, work: Array, body: Array,
) -> int:  # fmt: skip
    """Notes the levels that the step of lane w falls through; returns the next one."""
    before, new, slopes, dense, at = work[0], work[1], work[2:9], work[9:14], work[14]
    for i in range(6):
        before[i], new[i] = y[i * LANES + w], z[i * LANES + w]
        for stage in range(7):
            slopes[stage, i] = k[(6 * stage + i) * LANES + w]
    _prepare_dense(before, new, h, slopes, dense)
    s, over = 0.0, alt
    while level < levels.shape[0] and low <= levels[level]:
        s = _crossing(dense, s, over, low, levels[level], at, body)
        _note(out, level, t + s * h, at, at[3:], body)
        over = levels[level]
        level += 1
    return level


@njit(cache=True, error_model="numpy", nogil=True)
def descend_all(
    starts: Array, mass_per_area: Array, length_m: Array, shape: Ints, profile: Ints, levels: Array, airs: Array,
    step_km: float, cd: Array, body: Array, rtol: float, atol: float, max_s: float, settle_km_s: float, out: Array,
    status: Ints, reached: Ints,
) -> None:  # fmt: skip
    """Flies each row of starts down through its row of levels, which fall and lie below it.

    Fills out[field, i, level] at first crossings; status DOWN, ALOFT (max_s over) or BROKEN, and how many levels were
    reached. LANES pieces are under way at once, each with a step of its own; one that is done makes room for the next.
    """
    z, y, k = np.zeros(ROWS * LANES), np.zeros(6 * LANES), np.zeros(42 * LANES)
    h, error = np.zeros(6 * LANES), np.zeros(6 * LANES)
    t, alt, grow = np.zeros(LANES), np.zeros(LANES), np.ones(LANES)
    piece, level = np.full(LANES, -1), np.zeros(LANES, np.int64)
    lane_length, lane_shape, lane_profile = np.ones(LANES), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    work, single, slope = np.zeros((15, 6)), np.zeros(6), np.zeros(6)
    coming, live = 0, 0
    last = levels.shape[1]
    done = np.ones(LANES, np.bool_)
    while True:
        for w in range(LANES):
            if not done[w]:
                continue
            done[w] = False
            piece[w] = -1
            _set_step(h, w, 0.0)
            if coming < starts.shape[0] or coming < LANES:
                i = min(coming, starts.shape[0] - 1)
                for n in range(6):
                    single[n] = starts[i, n]
                    y[n * LANES + w] = single[n]
                alt[w] = rate(
                    single, slope, mass_per_area[i], length_m[i], shape[i], body, airs[profile[i]], step_km, cd
                )
                for n in range(6):
                    k[n * LANES + w] = slope[n]
                z[LOAD * LANES + w] = 500.0 / mass_per_area[i]
                lane_length[w], lane_shape[w], lane_profile[w] = length_m[i], shape[i], profile[i]
                if coming < starts.shape[0]:
                    piece[w], level[w], t[w], grow[w] = i, 0, 0.0, 5.0
                    _set_step(h, w, _FIRST_STEP_S)
                    live += 1
                coming += 1
        if live == 0:
            return
        for stage in range(1, 7):
            _stage(z, y, h, k, stage)
            rates(z, k, stage, lane_length, lane_shape, lane_profile, body, airs, step_km, cd)
        _judge(z, y, h, k, rtol, atol, error)
        for w in range(LANES):
            i = piece[w]
            if i < 0:
                continue
            if not error[w] <= 1.0:
                fall = max(0.2, 0.9 / math.sqrt(math.sqrt(error[w]))) if error[w] < 1e300 else 0.2
                _set_step(h, w, fall * h[w])
                grow[w] = 1.0
                if h[w] < _SHORTEST_STEP_S:
                    status[i], reached[i], done[w] = BROKEN, level[w], True
                    live -= 1
                continue
            low = z[ALT * LANES + w]
            if low <= levels[i, level[w]]:
                level[w] = _cross_levels(
                    w, alt[w], low, t[w], h[w], level[w], levels[i], out[:, i], z, y, k, work, body
                )
            t[w] += h[w]
            alt[w] = low
            for n in range(6):
                single[n] = z[n * LANES + w]
                y[n * LANES + w] = single[n]
                k[n * LANES + w] = k[(36 + n) * LANES + w]
            _set_step(h, w, h[w] * min(grow[w], max(0.2, 0.9 / math.sqrt(math.sqrt(max(error[w], 1e-8))))))
            grow[w] = 5.0
            if level[w] == last:
                status[i], reached[i], done[w] = DOWN, last, True
            elif t[w] >= max_s:
                status[i], reached[i], done[w] = ALOFT, level[w], True
            elif _has_settled(
                single, work[0], mass_per_area[i], length_m[i], shape[i], body, airs[profile[i]], step_km, cd,
                settle_km_s,
            ):  # fmt: skip
                status[i] = _sink(
                    single, t[w], _speed(single), level[w], levels[i], out[:, i], work, mass_per_area[i], length_m[i],
                    shape[i], body, airs[profile[i]], step_km, cd,
                )  # fmt: skip
                reached[i], done[w] = last, True
            if done[w]:
                live -= 1
