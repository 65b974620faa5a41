"""Pieces down through altitudes: adaptive steps of sixteen side by side, then the settled fall of each.

Units and array layouts are those of `entry_motion` and `entry_lanes`.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from libs.astro.entry_lanes import ALT, LANES, LOAD, ROWS, rates
from libs.astro.entry_motion import rate, settled, vertical
from libs.astro.entry_step import crossing, judge, prepare_dense, stage_states

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

DOWN, ALOFT, BROKEN = 1, 0, -1
SECONDS, LAT, LON, EAST, NORTH, UP = range(6)
FIELDS = 6
_SETTLED_WITHIN = 0.01  # of the settled velocity: what is left decays within metres
_CALM_KM_S2 = 1e-3  # a tenth of gravity: a jet's shear included
_SETTLED_SLOWING = 0.03  # e of a settled fall: its expansion is then good to 1e-4 of the speed
_SINK_KM = 1.0  # step of the settled fall, a seventh of a scale height; from whole km to whole km, as winds are given
_FIRST_STEP_S, _SHORTEST_STEP_S = 0.5, 1e-7
_LEAST_FACTOR, _MOST_FACTOR, _SAFETY = 0.2, 5.0, 0.9


class Sky(NamedTuple):
    """What all pieces fly through: body and air rows of entry_motion, a profile each, and drag coefficients."""

    body: Array
    airs: Array
    step_km: float
    cd: Array


class Loads(NamedTuple):
    """(N,) each: mass per reference area, length of the flow, Shape, profile of the air."""

    mass_per_area: Array
    length_m: Array
    shape: Ints
    profile: Ints


class Goals(NamedTuple):
    """levels[i] fall and lie below the start of piece i; filled in: out[i, field, level], status and reached[i]."""

    levels: Array
    out: Array
    status: Ints
    reached: Ints


class Limits(NamedTuple):
    """Tolerances (absolute in km and km/s), longest flight, speed above which no fall is taken as settled."""

    rtol: float
    atol: float
    max_s: float
    settle_km_s: float


class Lanes(NamedTuple):
    """Pieces under way: arrays of entry_lanes and entry_step, and for each lane its clock, altitude and errand."""

    z: Array
    y: Array
    k: Array
    h: Array
    error: Array
    t: Array
    alt: Array
    grow: Array
    next_km: Array
    piece: Ints
    level: Ints
    length_m: Array
    shape: Ints
    profile: Ints
    work: Array


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
        for n in range(3):
            place[n] -= h * (top[n] + 4.0 * middle[n] + bottom[n]) / 6.0
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
def _speed(state: Array) -> float:
    return math.sqrt(state[3] * state[3] + state[4] * state[4] + state[5] * state[5])


@njit(cache=True, error_model="numpy", nogil=True)
def _settles(lanes: Lanes, w: int, loads: Loads, goals: Goals, sky: Sky) -> bool:
    """Whether the fall of lane w has settled; if so it is flown to its end."""
    i, state, v = lanes.piece[w], lanes.work[5], lanes.work[0]
    for n in range(6):
        state[n] = lanes.y[n * LANES + w]
    mass_per_area, length_m, shape, air = (
        loads.mass_per_area[i],
        loads.length_m[i],
        loads.shape[i],
        sky.airs[loads.profile[i]],
    )
    fall, climb, slowing = settled(
        state, _speed(state), v, mass_per_area, length_m, shape, sky.body, air, sky.step_km, sky.cd
    )
    off = math.sqrt((state[3] - v[0]) ** 2 + (state[4] - v[1]) ** 2 + (state[5] - v[2]) ** 2)
    if not (climb < 0.0 and slowing < _SETTLED_SLOWING and off < _SETTLED_WITHIN * fall):
        return False
    goals.status[i] = _sink(
        state, lanes.t[w], fall, lanes.level[w], goals.levels[i], goals.out[i], lanes.work, mass_per_area,
        length_m, shape, sky.body, air, sky.step_km, sky.cd,
    )  # fmt: skip
    lanes.level[w] = goals.levels.shape[1]
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _empty() -> Lanes:
    return Lanes(
        np.zeros(ROWS * LANES), np.zeros(6 * LANES), np.zeros(42 * LANES), np.zeros(6 * LANES), np.zeros(6 * LANES),
        np.zeros(LANES), np.zeros(LANES), np.ones(LANES), np.zeros(LANES), np.full(LANES, -1),
        np.zeros(LANES, np.int64), np.ones(LANES), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64),
        np.zeros((15, 6)),
    )  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def _board(lanes: Lanes, w: int, i: int, starts: Array, loads: Loads, goals: Goals, sky: Sky) -> None:
    """Piece i takes lane w."""
    state, slope = lanes.work[0], lanes.work[1]
    state[:] = starts[i]
    lanes.alt[w] = rate(
        state, slope, loads.mass_per_area[i], loads.length_m[i], loads.shape[i], sky.body,
        sky.airs[loads.profile[i]], sky.step_km, sky.cd,
    )  # fmt: skip
    for n in range(6):
        lanes.y[n * LANES + w], lanes.k[n * LANES + w] = state[n], slope[n]
    lanes.z[LOAD * LANES + w] = 500.0 / loads.mass_per_area[i]
    lanes.length_m[w], lanes.shape[w], lanes.profile[w] = loads.length_m[i], loads.shape[i], loads.profile[i]
    lanes.piece[w], lanes.level[w], lanes.t[w], lanes.grow[w] = i, 0, 0.0, _MOST_FACTOR
    lanes.next_km[w] = goals.levels[i, 0]
    _set_step(lanes.h, w, _FIRST_STEP_S)


@njit(cache=True, error_model="numpy", nogil=True)
def _set_step(h: Array, w: int, step_s: float) -> None:
    for n in range(6):
        h[n * LANES + w] = step_s


@njit(cache=True, error_model="numpy", nogil=True)
def _factor(error: float, most: float) -> float:
    """What the next step may be of this one."""
    if not error < 1e30:
        return _LEAST_FACTOR
    return min(most, max(_LEAST_FACTOR, _SAFETY / math.sqrt(math.sqrt(max(error, 1e-8)))))


@njit(cache=True, error_model="numpy", nogil=True)
def _cross_levels(lanes: Lanes, w: int, low: float, goals: Goals, body: Array) -> None:
    """Notes the levels that the step of lane w falls through."""
    before, new, slopes, dense, at = lanes.work[0], lanes.work[1], lanes.work[2:9], lanes.work[9:14], lanes.work[14]
    for n in range(6):
        before[n], new[n] = lanes.y[n * LANES + w], lanes.z[n * LANES + w]
        for stage in range(7):
            slopes[stage, n] = lanes.k[(6 * stage + n) * LANES + w]
    h = lanes.h[w]
    prepare_dense(before, new, h, slopes, dense)
    levels, out, level = goals.levels[lanes.piece[w]], goals.out[lanes.piece[w]], lanes.level[w]
    s, over = 0.0, lanes.alt[w]
    while level < levels.shape[0] and low <= levels[level]:
        s = crossing(dense, s, over, low, levels[level], at, body)
        _note(out, level, lanes.t[w] + s * h, at, at[3:], body)
        over = levels[level]
        level += 1
    lanes.level[w] = level
    lanes.next_km[w] = levels[level] if level < levels.shape[0] else -np.inf


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _move(w: int, z: Array, y: Array, k: Array, h: Array, t: Array, alt: Array, grow: Array, error: float) -> None:
    """Lane w goes to the end of its step."""
    t[w] += h[w]
    alt[w] = z[ALT * LANES + w]
    for n in range(6):
        at = n * LANES + w
        y[at], k[at] = z[at], k[36 * LANES + at]
    _set_step(h, w, h[w] * _factor(error, grow[w]))
    grow[w] = _MOST_FACTOR


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _is_calm(w: int, y: Array, k: Array, settle_km_s: float) -> bool:
    """Slow and hardly accelerated: worth a look whether the fall has settled."""
    x, u = 3 * LANES + w, LANES
    speed2 = y[x] * y[x] + y[x + u] * y[x + u] + y[x + 2 * u] * y[x + 2 * u]
    acceleration2 = k[x] * k[x] + k[x + u] * k[x + u] + k[x + 2 * u] * k[x + 2 * u]
    return bool(speed2 < settle_km_s * settle_km_s and acceleration2 < _CALM_KM_S2 * _CALM_KM_S2)


@njit(cache=True, error_model="numpy", nogil=True)
def _shorten(w: int, h: Array, grow: Array, error: float) -> bool:
    """Lane w tries again with a shorter step; True when none is short enough."""
    _set_step(h, w, h[w] * _factor(error, 1.0))
    grow[w] = 1.0
    return bool(h[w] < _SHORTEST_STEP_S)


@njit(cache=True, error_model="numpy", nogil=True)
def descend(starts: Array, loads: Loads, goals: Goals, limits: Limits, sky: Sky) -> None:
    """Flies each row of starts down through its levels.

    LANES pieces are under way at once, each with a step of its own; one that is done makes room for the next.
    """
    count, last = starts.shape[0], goals.levels.shape[1]
    lanes = _empty()
    z, y, k, h, error, t, alt, grow, next_km, piece, level = lanes[:11]
    for w in range(LANES):
        _board(lanes, w, min(w, count - 1), starts, loads, goals, sky)
        piece[w] = w if w < count else -1
    coming, live = min(LANES, count), min(LANES, count)
    while live > 0:
        for stage in range(1, 7):
            stage_states(z, y, h, k, stage)
            rates(z, k, stage, lanes.length_m, lanes.shape, lanes.profile, sky.body, sky.airs, sky.step_km, sky.cd)
        judge(z, y, h, k, limits.rtol, limits.atol, error)
        for w in range(LANES):
            i = piece[w]
            if i < 0:
                continue
            if not error[w] <= 1.0:
                if not _shorten(w, h, grow, error[w]):
                    continue
                goals.status[i] = BROKEN
            else:
                if z[ALT * LANES + w] <= next_km[w]:
                    _cross_levels(lanes, w, z[ALT * LANES + w], goals, sky.body)
                _move(w, z, y, k, h, t, alt, grow, error[w])
                calm = _is_calm(w, y, k, limits.settle_km_s)
                if level[w] < last and not (calm and _settles(lanes, w, loads, goals, sky)):
                    if t[w] < limits.max_s:
                        continue
                elif goals.status[i] != BROKEN:
                    goals.status[i] = DOWN
            goals.reached[i] = level[w]
            if coming < count:
                _board(lanes, w, coming, starts, loads, goals, sky)
                coming += 1
            else:
                piece[w] = -1
                _set_step(h, w, 0.0)
                live -= 1
