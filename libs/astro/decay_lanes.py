"""Flight under zonal gravity and drag on a density table, LANES samples in lockstep, compiled to vector instructions.

State: modified equinoctial elements (equinoctial.py), so that a step of DOP853 spans a sixth of a revolution or more.
One flat array holds a row of LANES numbers for each quantity: row r of lane w is at r x LANES + w. Each lane has its
own time and step and takes the next sample when its own has ended; its arithmetic is its own, so that a result does
not depend on its neighbours. Units: km, s, rad, kg/m3, m2/kg. Nothing is allocated after the start of a group.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from libs.astro import density_table, dop853, equinoctial
from libs.astro.arcexp import atan2, exp
from libs.astro.earth import GMST82_SPIN_RAD_S as SIDEREAL_RAD_S
from libs.astro.earth import IERS_SPIN_RAD_S as _SPIN_RAD_S
from libs.astro.earth import WGS84_E2 as _E2
from libs.astro.earth import WGS84_MU_KM3_S2 as MU_KM3_S2
from libs.astro.earth import WGS84_POLE_KM as _POLE_KM
from libs.astro.earth import WGS84_RADIUS_KM as RADIUS_KM
from libs.astro.gravity import zonal
from libs.astro.sincos import FAST, sincos

Array = np.ndarray[Any, np.dtype[np.float64]]
Array32 = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

LANES = 16
REACHED, ENDED, BROKEN = 1, 0, -1
STOP_KM = 1e-6  # the stop altitude is met within this: 0.02 ms at the least speed of descent met
STATUS, SECONDS, STEPS, END = 0, 1, 2, 3  # of a row of ends; the state in km and km/s follows
FIELDS = 9
_E2_POLE, _E2_EQUATOR = _E2 / (1.0 - _E2) * _POLE_KM, _E2 * RADIUS_KM
_FIRST_STEP_S, _LEAST_STEP_S, _LONGEST_STEP_S = 60.0, 1e-5, 1500.0
_LEAST_FACTOR, _MOST_FACTOR, _SAFETY = 0.2, 4.0, 0.9
_S = 6 * LANES  # a state of all lanes

# Rows: state at the start of a step and at a stage; then of a lane, of its step and of a stage.
_Y, _Z = 0, 6
_T, _BEFORE, _AFTER, _B, _TZ = range(12, 17)
_DRAGGED, _LOWEST, _ERROR = range(18, 21)
_SIN, _COS, _ALT, _LAT, _LST, _SLOT, _LN_RHO = range(21, 28)
_GR, _GT, _GN, _DR, _DT, _DN = range(28, 34)  # gravity; drag over density and B
_ALT_START, _BELOW, _MISS = range(34, 37)  # altitude of the start; a time when the sample is too low, and by how much
_H = 37  # the step, once for each element, so that stages are one loop
_ROWS = 43


class World(NamedTuple):
    """base, sense: of a density table. since_s: from its first slice to the start; gmst_rad: at the start."""

    base: Array32
    sense: Array32
    top_km: float
    since_s: float
    gmst_rad: float


class Goals(NamedTuple):
    """Where the flight stops, when B changes, when it ends at the latest; share of the drag a step may err by."""

    stop_km: float
    late_s: float
    end_s: float
    rtol: float
    share: float


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _place(a: Array, width: int, since_s: float, gmst_rad: float) -> None:
    """Forces but for the density, and where it is to be read, from the elements of all lanes."""
    w_ = LANES
    for w in range(width):
        p, f, g = a[_Z * w_ + w] * RADIUS_KM, a[(_Z + 1) * w_ + w], a[(_Z + 2) * w_ + w]
        h, k, t = a[(_Z + 3) * w_ + w], a[(_Z + 4) * w_ + w], a[_TZ * w_ + w]
        s, c = sincos(a[(_Z + 5) * w_ + w])
        wide = 1.0 + f * c + g * s
        r = p / wide
        n = 1.0 / (1.0 + h * h + k * k)
        # The pole, and the direction of the sample in the inertial frame.
        up, along, across = 2.0 * n * (h * s - k * c), 2.0 * n * (h * c + k * s), n * (1.0 - h * h - k * k)
        x = n * (c * (1.0 + h * h - k * k) + 2.0 * h * k * s)
        y = n * (s * (1.0 - h * h + k * k) + 2.0 * h * k * c)
        radial, polar = zonal(up, RADIUS_KM / r)
        pull = MU_KM3_S2 / (r * r)
        v = math.sqrt(MU_KM3_S2 / p)
        turning = _SPIN_RAD_S * r
        sr, st, sn = v * (f * s - g * c), v * wide - turning * across, turning * along
        speed = -500.0 * math.sqrt(sr * sr + st * st + sn * sn)
        a[_GR * w_ + w], a[_GT * w_ + w] = pull * (radial + polar * up), pull * polar * along
        a[_GN * w_ + w] = pull * polar * across
        a[_DR * w_ + w], a[_DT * w_ + w], a[_DN * w_ + w] = speed * sr, speed * st, speed * sn
        # Geodetic, by Bowring's formula; 1e-9 km at these altitudes.
        pz, level = r * up, r * math.sqrt(x * x + y * y)
        su, cu = pz * RADIUS_KM, level * _POLE_KM
        m = 1.0 / math.sqrt(su * su + cu * cu)
        su, cu = su * m, cu * m
        su, cu = pz + _E2_POLE * su * su * su, level - _E2_EQUATOR * cu * cu * cu
        m = 1.0 / math.sqrt(su * su + cu * cu)
        su, cu = su * m, cu * m
        a[_ALT * w_ + w] = level * cu + pz * su - RADIUS_KM * math.sqrt(1.0 - _E2 * su * su)
        a[_LAT * w_ + w] = math.degrees(1.0) * atan2(su, cu)
        at_h = (since_s + t) / 3600.0
        a[_SLOT * w_ + w] = at_h / 3.0
        lst = at_h + (atan2(y, x) - gmst_rad - SIDEREAL_RAD_S * t) * (12.0 / math.pi)
        a[_LST * w_ + w] = lst
        a[_SIN * w_ + w], a[_COS * w_ + w] = s, c


@njit(cache=True, error_model="numpy", nogil=True)
def _read(a: Array, sample: Ints, departures: Array32, own: Array32, world: World) -> None:
    """Ln density of each lane under way; other drivers of a sample run straight from slice to slice."""
    for w in range(sample.shape[0]):
        if sample[w] < 0:
            continue
        slot, lat, lst = a[_SLOT * LANES + w], a[_LAT * LANES + w], a[_LST * LANES + w]
        alt = min(max(a[_ALT * LANES + w], density_table.BOTTOM_KM), world.top_km)
        total = density_table.ln_base(world.base, slot, lat, lst, alt)
        if departures.shape[1] > 0:
            given = departures[sample[w]]
            n = min(max(int(slot), 0), given.shape[0] - 2)
            late = np.float32(slot - n)
            for q in range(own.shape[0]):
                own[q] = given[n, q] + late * (given[n + 1, q] - given[n, q])
            total += density_table.ln_departure(world.sense, slot, lat, lst, alt, own)
        a[_LN_RHO * LANES + w] = total


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _rates(a: Array, d: Array, stage: int, width: int) -> None:
    """Gauss's equations for the elements of all lanes, into row `stage` of the derivatives."""
    o = stage * _S
    w_ = LANES
    for w in range(width):
        drag = a[_B * w_ + w] * exp(a[_LN_RHO * w_ + w])
        ar, at = a[_GR * w_ + w] + drag * a[_DR * w_ + w], a[_GT * w_ + w] + drag * a[_DT * w_ + w]
        an = a[_GN * w_ + w] + drag * a[_DN * w_ + w]
        p, f, g = a[_Z * w_ + w] * RADIUS_KM, a[(_Z + 1) * w_ + w], a[(_Z + 2) * w_ + w]
        h, k = a[(_Z + 3) * w_ + w], a[(_Z + 4) * w_ + w]
        s, c = a[_SIN * w_ + w], a[_COS * w_ + w]
        wide = 1.0 + f * c + g * s
        q = math.sqrt(p / MU_KM3_S2)
        over = 1.0 / wide
        swing = (h * s - k * c) * over * an
        turn = 0.5 * q * (1.0 + h * h + k * k) * over * an
        along = at * over
        d[o + w] = 2.0 * a[_Z * w_ + w] * q * along
        d[o + w_ + w] = q * (ar * s + ((wide + 1.0) * c + f) * along - g * swing)
        d[o + 2 * w_ + w] = q * (((wide + 1.0) * s + g) * along - ar * c + f * swing)
        d[o + 3 * w_ + w], d[o + 4 * w_ + w] = turn * c, turn * s
        d[o + 5 * w_ + w] = wide * wide / (p * q) + q * swing
        lost = abs(2.0 * a[_Z * w_ + w] * q * over * drag * a[_DT * w_ + w])
        a[_DRAGGED * w_ + w] = max(a[_DRAGGED * w_ + w], lost)
        a[_LOWEST * w_ + w] = min(a[_LOWEST * w_ + w], a[_ALT * w_ + w])


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _stage(a: Array, d: Array, stage: int) -> None:
    """States and times of all lanes at a stage."""
    for w in range(LANES):
        a[_TZ * LANES + w] = a[_T * LANES + w] + dop853.C[stage] * a[_H * LANES + w]
    if stage == 1:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_1(d, n, _S)
    elif stage == 2:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_2(d, n, _S)
    elif stage == 3:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_3(d, n, _S)
    elif stage == 4:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_4(d, n, _S)
    elif stage == 5:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_5(d, n, _S)
    elif stage == 6:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_6(d, n, _S)
    elif stage == 7:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_7(d, n, _S)
    elif stage == 8:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_8(d, n, _S)
    elif stage == 9:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_9(d, n, _S)
    elif stage == 10:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_10(d, n, _S)
    elif stage == 11:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.stage_11(d, n, _S)
    else:
        for n in range(_S):
            a[_Z * LANES + n] = a[n] + a[_H * LANES + n] * dop853.step(d, n, _S)


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _judge(a: Array, d: Array, rtol: float, share: float) -> None:
    """Error of each lane's step over its tolerance: rtol of an element, and a share of what drag does in the step."""
    for w in range(LANES):
        fifth, third = 0.0, 0.0
        for i in range(6):
            e, t = dop853.error_5(d, i * LANES + w, _S), dop853.error_3(d, i * LANES + w, _S)
            fifth += e * e
            third += t * t
        h = a[_H * LANES + w]
        allowed = rtol + share * a[_DRAGGED * LANES + w] * h
        a[_ERROR * LANES + w] = h * fifth / (math.sqrt(6.0 * (fifth + 0.01 * third) + 1e-300) * allowed)


@njit(cache=True, error_model="numpy", nogil=True)
def _evaluate(a: Array, d: Array, stage: int, sample: Ints, departures: Array32, own: Array32, world: World) -> None:
    width = LANES if sample.shape[0] > 1 else 1
    _place(a, width, world.since_s, world.gmst_rad)
    _read(a, sample, departures, own, world)
    _rates(a, d, stage, width)


@njit(cache=True, error_model="numpy", nogil=True)
def _board(a: Array, w: int, start: Array, before: float, after: float, goals: Goals) -> None:
    """A sample takes lane w at the start of its flight."""
    elements = equinoctial.from_state(start[0], start[1], start[2], start[3], start[4], start[5])
    for i in range(6):
        a[(_Y + i) * LANES + w] = elements[i]
    a[_T * LANES + w], a[_BEFORE * LANES + w], a[_AFTER * LANES + w] = 0.0, before, after
    a[_BELOW * LANES + w] = -1.0
    _set_step(a, w, _FIRST_STEP_S, goals)


@njit(cache=True, error_model="numpy", nogil=True)
def _set_step(a: Array, w: int, step_s: float, goals: Goals) -> None:
    """The next step: not beyond the change of B, nor the end."""
    t = a[_T * LANES + w]
    late = t >= goals.late_s
    left = goals.end_s - t if late else min(goals.late_s, goals.end_s) - t
    for i in range(6):
        a[(_H + i) * LANES + w] = min(step_s, _LONGEST_STEP_S, left)
    a[_B * LANES + w] = a[_AFTER * LANES + w] if late else a[_BEFORE * LANES + w]


@njit(cache=True, error_model="numpy", nogil=True)
def _descend(a: Array, w: int, alt: float, goals: Goals) -> float:
    """Next step towards the stop between the start and a known time below it: false position, Illinois' variant."""
    left = a[_BELOW * LANES + w] - a[_T * LANES + w]
    over, under = a[_ALT_START * LANES + w] - goals.stop_km, a[_MISS * LANES + w]
    if not under > 0.0:  # lower on the way than at its end: nothing to aim at
        return 0.5 * left
    a[_MISS * LANES + w] = 0.5 * under if alt > goals.stop_km else under
    return left * min(max(over / (over + under), 0.01), 0.99)


@njit(cache=True, error_model="numpy", nogil=True)
def _after_step(a: Array, d: Array, w: int, goals: Goals) -> int:
    """Moves lane w to the end of its step or sets a shorter one; returns 1 moved, 0 not, 2 at the stop, -1 broken."""
    error, h, alt = a[_ERROR * LANES + w], a[_H * LANES + w], a[_ALT * LANES + w]
    if not error < 1e30:
        error = 1e30
    factor = min(_MOST_FACTOR, max(_LEAST_FACTOR, _SAFETY * max(error, 1e-10) ** -0.125))
    if error > 1.0:
        _set_step(a, w, h * min(factor, 0.9), goals)
        return 0 if a[_H * LANES + w] > _LEAST_STEP_S else -1
    met = abs(alt - goals.stop_km) <= STOP_KM
    if not met and min(a[_LOWEST * LANES + w], alt) <= goals.stop_km:
        if h < _LEAST_STEP_S:
            return -1
        a[_BELOW * LANES + w], a[_MISS * LANES + w] = a[_T * LANES + w] + h, goals.stop_km - alt
        _set_step(a, w, _descend(a, w, 0.0, goals), goals)
        return 0
    a[_T * LANES + w] += h
    a[_ALT_START * LANES + w] = alt
    for i in range(6):
        n = i * LANES + w
        a[n], d[n] = a[_Z * LANES + n], d[12 * _S + n]
    if a[_BELOW * LANES + w] > a[_T * LANES + w]:
        _set_step(a, w, min(_descend(a, w, alt, goals), h * factor), goals)
    else:
        _set_step(a, w, h * factor, goals)
    return 2 if met else 1


@njit(cache=True, error_model="numpy", nogil=True)
def fly(starts: Array, b: Array, b_late: Array, departures: Array32, goals: Goals, world: World, ends: Array) -> None:
    """Flies each row of starts (km, km/s) to the stop; fills ends [sample, FIELDS].

    departures: [sample, slice, term], or no slices: every sample feels the drivers of the table.
    """
    count = starts.shape[0]
    a, d = np.zeros(_ROWS * LANES), np.zeros(13 * _S)
    own, state, elements = np.zeros(departures.shape[2], np.float32), np.empty(6), np.empty(6)
    sample = np.full(LANES if count > 1 else 1, -1)  # one sample alone spares the other lanes
    fresh = np.zeros(LANES, np.bool_)
    for w in range(LANES):
        i = min(w, count - 1)
        _board(a, w, starts[i], b[i], b_late[i], goals)
        if w < count:
            sample[w], fresh[w] = w, True
    coming, live, boarded = min(LANES, count), min(LANES, count), True
    while live > 0:
        if boarded:
            _start(a, d, sample, fresh, departures, own, world)
            boarded = False
        for w in range(LANES):
            a[_DRAGGED * LANES + w], a[_LOWEST * LANES + w] = 0.0, np.inf
        for stage in range(1, 13):
            _stage(a, d, stage)
            _evaluate(a, d, stage, sample, departures, own, world)
        _judge(a, d, goals.rtol, goals.share)
        for w in range(sample.shape[0]):
            i = sample[w]
            if i < 0:
                continue
            ends[i, STEPS] += 1.0
            moved = _after_step(a, d, w, goals)
            left = goals.end_s - a[_T * LANES + w]
            if moved >= 0 and moved < 2 and left > 1e-6:
                # a change of B alters the slope of the start
                if moved == 1 and a[_T * LANES + w] == goals.late_s:
                    fresh[w], boarded = True, True
                continue
            for k in range(6):
                elements[k] = a[k * LANES + w]
            equinoctial.to_state(elements, state)
            ends[i, STATUS] = REACHED if moved == 2 else (ENDED if moved >= 0 else BROKEN)
            ends[i, SECONDS] = a[_T * LANES + w]
            ends[i, END:] = state
            if coming < count:
                _board(a, w, starts[coming], b[coming], b_late[coming], goals)
                sample[w], fresh[w], boarded = coming, True, True
                coming += 1
            else:
                sample[w], live = -1, live - 1


@njit(cache=True, error_model="numpy", nogil=True)
def _start(a: Array, d: Array, sample: Ints, fresh: Any, departures: Array32, own: Array32, world: World) -> None:
    """Slopes at the start of the lanes that are fresh; row 12 serves, which no one needs between steps."""
    for n in range(_S):
        a[_Z * LANES + n] = a[n]
    for w in range(LANES):
        a[_TZ * LANES + w] = a[_T * LANES + w]
    _evaluate(a, d, 12, sample, departures, own, world)
    for w in range(LANES):
        if fresh[w]:
            a[_ALT_START * LANES + w], fresh[w] = a[_ALT * LANES + w], False
            for i in range(6):
                d[i * LANES + w] = d[12 * _S + i * LANES + w]
