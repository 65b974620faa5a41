"""Flight under zonal gravity and drag on a density table: an arc of a revolution at once, in vector instructions.

State: modified equinoctial elements (equinoctial.py) and time, over the angle the sample moves in its plane: the true
longitude, but for the turning of the plane, which light objects feel more than gravity. Over an arc they are one
polynomial through NODES points (collocation.py): the rates are read at all points together, integrated, and read again
until the elements stand still (Picard's iteration). Oblateness and drag bend an orbit by little in a revolution, and by
nearly the same in the next: from what the last two did, one sweep is mostly enough. Arcs are a revolution, halved
wherever the sweeps do not settle or the polynomial does not follow.

One flat array holds a row of NODES numbers for each quantity. Units: km, s, rad, kg/m3, m2/kg; p in equatorial radii.
Each sample is flown alone. Nothing is allocated after the start of a call.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from libs.astro import collocation, density_table, equinoctial
from libs.astro.arcexp import atan2, exp
from libs.astro.collocation import INTEGRALS, NODES, PLACES
from libs.astro.decay import place
from libs.astro.density_table import Array32, Places
from libs.astro.earth import GMST82_SPIN_RAD_S as SIDEREAL_RAD_S
from libs.astro.earth import IERS_SPIN_RAD_S as _SPIN_RAD_S
from libs.astro.earth import WGS84_E2 as _E2
from libs.astro.earth import WGS84_MU_KM3_S2 as MU_KM3_S2
from libs.astro.earth import WGS84_POLE_KM as _POLE_KM
from libs.astro.earth import WGS84_RADIUS_KM as RADIUS_KM
from libs.astro.gravity import zonal
from libs.astro.sincos import FAST, sincos

Array = np.ndarray[Any, np.dtype[np.float64]]

REACHED, ENDED, BROKEN = 1, 0, -1
STATUS, SECONDS, SWEEPS, END = 0, 1, 2, 3  # of a row of ends; the state in km and km/s follows
FIELDS = 9
MOVED, STOP, LIMIT = 0, 1, 2  # ends of an arc
MET = 1e-6  # km of the stop altitude, s of a time
_E2_POLE, _E2_EQUATOR = _E2 / (1.0 - _E2) * _POLE_KM, _E2 * RADIUS_KM
_MOST_SWEEPS, _MOST_PARTS, _MOST_LOOKS = 16, 1 << 24, 60
_KEPT = 4  # arcs of a revolution whose last two courses are kept
# What a sweep leaves of a change, at most: by oblateness, and by drag with the least scale height, 6.4 km.
_OBLATE, _STEEP = 0.03, 1000.0
_UNSETTLED = 0.2  # of what an arc may err by; the rest is for its polynomial
_MOST_JUDGED = 1e-3  # drag's work in an arc beyond which errors grow no further
_MOST_LOST = 0.1  # drag's work at which an arc is too long

# Rows: elements, true longitude and time at the points, and their rates; then what one function tells the next.
_P, _F, _G, _H, _K, _L, _T, _RATES = range(8)
_VALUES = 7
_SIN, _COS, _ALT, _LAT, _LST, _SLOT, _LN_RHO = range(14, 21)
_GR, _GT, _GN, _DR, _DT, _DN = range(21, 27)  # gravity; drag over density and B
_LOST, _SUM = 27, 28
_ROWS = 29
_N = NODES


class World(NamedTuple):
    """base, sense: of a density table. since_s: from its first slice to the start; gmst_rad: at the start."""

    base: Array32
    sense: Array32
    top_km: float
    since_s: float
    gmst_rad: float


class Goals(NamedTuple):
    """Where the flight stops, when B changes, when it ends at the latest; what an arc may err by.

    rtol: of an element, p in equatorial radii. share: of the work of drag in the arc, added to it.
    """

    stop_km: float
    late_s: float
    end_s: float
    rtol: float
    share: float


class Work(NamedTuple):
    """rows, places, shares: of the points. courses [arc, revolution, element x point]: departures from an arc's start.

    state: elements and time at the start of the arc. series: Legendre coefficients of the rates of state.
    elements, inertial: at a place of the arc, with the true longitude; km, km/s.
    """

    rows: Array
    places: Places
    shares: Array
    own: Array32
    courses: Array
    state: Array
    series: Array
    elements: Array
    inertial: Array


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _place(a: Array, since_s: float, gmst_rad: float) -> None:
    """Forces but for the density, and where it is to be read, from the elements at the points."""
    for w in range(_N):
        p, f, g = a[_P * _N + w] * RADIUS_KM, a[_F * _N + w], a[_G * _N + w]
        h, k, t = a[_H * _N + w], a[_K * _N + w], a[_T * _N + w]
        s, c = sincos(a[_L * _N + w])
        a[_SIN * _N + w], a[_COS * _N + w] = s, c
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
        a[_GR * _N + w], a[_GT * _N + w] = pull * (radial + polar * up), pull * polar * along
        a[_GN * _N + w] = pull * polar * across
        a[_DR * _N + w], a[_DT * _N + w], a[_DN * _N + w] = speed * sr, speed * st, speed * sn
        # Geodetic, by Bowring's formula; 1e-9 km at these altitudes.
        pz, level = r * up, r * math.sqrt(x * x + y * y)
        su, cu = pz * RADIUS_KM, level * _POLE_KM
        m = 1.0 / math.sqrt(su * su + cu * cu)
        su, cu = su * m, cu * m
        su, cu = pz + _E2_POLE * su * su * su, level - _E2_EQUATOR * cu * cu * cu
        m = 1.0 / math.sqrt(su * su + cu * cu)
        su, cu = su * m, cu * m
        a[_ALT * _N + w] = level * cu + pz * su - RADIUS_KM * math.sqrt(1.0 - _E2 * su * su)
        a[_LAT * _N + w] = math.degrees(1.0) * atan2(su, cu)
        at_h = (since_s + t) / 3600.0
        a[_SLOT * _N + w] = at_h / 3.0
        a[_LST * _N + w] = at_h + (atan2(y, x) - gmst_rad - SIDEREAL_RAD_S * t) * (12.0 / math.pi)


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _read(a: Array, base: Array32, top_km: float, places: Places, shares: Array) -> None:
    """Ln density at the points."""
    flat, sizes = base.reshape(-1), (base.shape[0], base.shape[3])
    for w in range(_N):
        slot, lat, lst = a[_SLOT * _N + w], a[_LAT * _N + w], a[_LST * _N + w]
        alt = min(max(a[_ALT * _N + w], density_table.BOTTOM_KM), top_km)
        density_table.locate(w, _N, sizes, slot, lat, lst, alt, places, shares)
    for w in range(_N):
        a[_LN_RHO * _N + w] = density_table.read_located(w, _N, flat, np.uint64(sizes[1]), places, shares)


@njit(cache=True, error_model="numpy", nogil=True)
def _depart(a: Array, sense: Array32, top_km: float, departures: Array32, own: Array32) -> None:
    """Adds what a sample's other drivers do; they run straight from slice to slice."""
    for w in range(_N):
        slot = a[_SLOT * _N + w]
        n = min(max(int(slot), 0), departures.shape[0] - 2)
        late = np.float32(slot - n)
        for q in range(own.shape[0]):
            own[q] = departures[n, q] + late * (departures[n + 1, q] - departures[n, q])
        alt = min(max(a[_ALT * _N + w], density_table.BOTTOM_KM), top_km)
        moved = density_table.ln_departure(sense, slot, a[_LAT * _N + w], a[_LST * _N + w], alt, own)
        a[_LN_RHO * _N + w] += moved


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _rates(a: Array, b: float) -> None:
    """Gauss's equations over the angle moved."""
    for w in range(_N):
        drag = b * exp(a[_LN_RHO * _N + w])
        ar, at = a[_GR * _N + w] + drag * a[_DR * _N + w], a[_GT * _N + w] + drag * a[_DT * _N + w]
        an = a[_GN * _N + w] + drag * a[_DN * _N + w]
        p, f, g = a[_P * _N + w] * RADIUS_KM, a[_F * _N + w], a[_G * _N + w]
        h, k = a[_H * _N + w], a[_K * _N + w]
        s, c = a[_SIN * _N + w], a[_COS * _N + w]
        wide = 1.0 + f * c + g * s
        over = 1.0 / wide
        q = math.sqrt(p / MU_KM3_S2)
        swing = (h * s - k * c) * over * an
        slow = p * q * q * over * over  # q times the rate of time
        turn = 0.5 * slow * (1.0 + h * h + k * k) * over * an
        along = at * over
        o = _RATES * _N + w
        a[o] = 2.0 * a[_P * _N + w] * slow * along
        a[o + _N] = slow * (ar * s + ((wide + 1.0) * c + f) * along - g * swing)
        a[o + 2 * _N] = slow * (((wide + 1.0) * s + g) * along - ar * c + f * swing)
        a[o + 3 * _N], a[o + 4 * _N] = turn * c, turn * s
        a[o + 5 * _N] = 1.0 + slow * swing
        a[_LOST * _N + w] = abs(2.0 * a[_P * _N + w] * slow * over * drag * a[_DT * _N + w])


@njit(inline="always")
def _integrate(a: Array, row: int) -> None:
    """Integrals of a row of rates to each point, of an arc of length 1, into row _SUM; eight terms at a time."""
    o = row * _N
    for w in range(_N):
        a[_SUM * _N + w] = 0.0
    for j in range(0, _N, 8):
        r0, r1, r2, r3 = a[o + j], a[o + j + 1], a[o + j + 2], a[o + j + 3]
        r4, r5, r6, r7 = a[o + j + 4], a[o + j + 5], a[o + j + 6], a[o + j + 7]
        for w in range(_N):
            n = j * _N + w
            one = r0 * INTEGRALS[n] + r1 * INTEGRALS[n + _N] + r2 * INTEGRALS[n + 2 * _N] + r3 * INTEGRALS[n + 3 * _N]
            two = r4 * INTEGRALS[n + 4 * _N] + r5 * INTEGRALS[n + 5 * _N]
            two += r6 * INTEGRALS[n + 6 * _N] + r7 * INTEGRALS[n + 7 * _N]
            a[_SUM * _N + w] += one + two


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _sweep(a: Array, state: Array, span: float) -> float:
    """Integrates the rates from the start of the arc, the time with the new elements; returns the greatest change."""
    most, total = 0.0, 0.0
    for i in range(_T):
        _integrate(a, _RATES + i)
        start = state[i]
        for w in range(_N):
            value = start + span * a[_SUM * _N + w]
            most = max(most, abs(value - a[i * _N + w]))
            a[i * _N + w] = value
        total += a[i * _N]
    for w in range(_N):
        s, c = sincos(a[_L * _N + w])
        p, wide = a[_P * _N + w] * RADIUS_KM, 1.0 + a[_F * _N + w] * c + a[_G * _N + w] * s
        a[(_RATES + _T) * _N + w] = p * math.sqrt(p / MU_KM3_S2) / (wide * wide)
    _integrate(a, _RATES + _T)
    start = state[_T]
    for w in range(_N):
        a[_T * _N + w] = start + span * a[_SUM * _N + w]
    # No number at one point makes all integrals none, which a maximum does not show.
    return most if abs(total + a[_T * _N]) < math.inf else math.inf


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _begin(a: Array, state: Array, span: float) -> None:
    """First values of an arc without a past: the elements stand still."""
    for i in range(_L):
        for w in range(_N):
            a[i * _N + w] = state[i]
    p, start = state[_P] * RADIUS_KM, state[_L]
    wide = 1.0 + state[_F] * math.cos(start) + state[_G] * math.sin(start)
    slow = p * math.sqrt(p / MU_KM3_S2) / (wide * wide)
    for w in range(_N):
        a[_L * _N + w] = start + span * PLACES[w]
        a[_T * _N + w] = state[_T] + slow * span * PLACES[w]


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _follow(a: Array, state: Array, courses: Array, turn: int) -> None:
    """First values of an arc from what the last two revolutions did there, run on straight; turn: revolutions known."""
    last, before = courses[(turn - 1) % 2], courses[turn % 2]
    more = 1.0 if turn > 1 else 0.0
    for i in range(_VALUES):
        start = state[i]
        for w in range(_N):
            n = i * _N + w
            a[n] = start + (last[n] + more * (last[n] - before[n]))


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def _move(a: Array, state: Array, course: Array) -> None:
    """The end of the arc becomes the start of the next; the arc is kept as its course."""
    for i in range(_VALUES):
        start = state[i]
        for w in range(_N):
            course[i * _N + w] = a[i * _N + w] - start
        state[i] = a[i * _N + _N - 1]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={*FAST, "reassoc"})
def _missed(a: Array, span: float) -> float:
    """What the last two coefficients of the rates' polynomials add to an element on the arc."""
    most = 0.0
    for i in range(_T):
        for k in range(_N - 2, _N):
            one = 0.0
            for j in range(_N):
                one += collocation.SPECTRUM[k, j] * a[(_RATES + i) * _N + j]
            most = max(most, abs(one))
    return most * span / (2.0 * _N)


@njit(cache=True, error_model="numpy", nogil=True, fastmath={*FAST, "reassoc"})
def _lost(a: Array, span: float) -> float:
    """What drag takes of p on the arc."""
    total = 0.0
    for w in range(_N):
        total += collocation.WEIGHTS[w] * a[_LOST * _N + w]
    return total * span


@njit(cache=True, error_model="numpy", nogil=True)
def _settle(b: float, span: float, departures: Array32, goals: Goals, world: World, work: Work, end: Array) -> bool:
    """Sweeps over the arc until what the next would change is allowed; whether it is, and the polynomial follows."""
    a, before = work.rows, math.inf
    for _ in range(_MOST_SWEEPS):
        _place(a, world.since_s, world.gmst_rad)
        _read(a, world.base, world.top_km, work.places, work.shares)
        if departures.shape[0] > 0:
            _depart(a, world.sense, world.top_km, departures, work.own)
        _rates(a, b)
        change = _sweep(a, work.state, span)
        end[SWEEPS] += 1.0
        lost = _lost(a, span)
        allowed = goals.rtol + goals.share * min(lost, _MOST_JUDGED)
        if change * (_OBLATE + _STEEP * lost) < _UNSETTLED * allowed:
            return _missed(a, span) < allowed
        if not change < before or not lost < _MOST_LOST:
            return False
        before = change
    return False


@njit(cache=True, error_model="numpy", nogil=True)
def _look(work: Work, span: float, at: float) -> float:
    """Elements and state at a place of the arc, into work; returns the time."""
    for i in range(_T):
        work.elements[i] = work.state[i] + span * collocation.between(work.series[i], at)
    equinoctial.to_state(work.elements, work.inertial)
    return float(work.state[_T] + span * collocation.between(work.series[_T], at))


@njit(cache=True, error_model="numpy", nogil=True)
def _over(work: Work, time_s: float, goals: Goals, limit_s: float, gmst_rad: float) -> float:
    """What falls through zero where a flight stops, km, or with a limit of time there, s."""
    if limit_s < math.inf:
        return limit_s - time_s
    x, y, z = work.inertial[0], work.inertial[1], work.inertial[2]
    return float(place(x, y, z, gmst_rad + SIDEREAL_RAD_S * time_s)[2]) - goals.stop_km


@njit(cache=True, error_model="numpy", nogil=True)
def _find(work: Work, span: float, point: int, goals: Goals, limit_s: float, gmst_rad: float) -> float:
    """Place where _over falls through zero before a point of the arc: false position, Illinois' variant."""
    low, high = (PLACES[point - 1] if point > 0 else 0.0), PLACES[point]
    over = _over(work, _look(work, span, low), goals, limit_s, gmst_rad)
    under = _over(work, _look(work, span, high), goals, limit_s, gmst_rad)
    at, last = high, 0
    for _ in range(_MOST_LOOKS):
        if not over > 0.0 or not under < 0.0:
            break
        at = low + (high - low) * over / (over - under)
        miss = _over(work, _look(work, span, at), goals, limit_s, gmst_rad)
        if abs(miss) <= MET:
            break
        if miss > 0.0:
            low, over, under = at, miss, 0.5 * under if last > 0 else under
        else:
            high, under, over = at, miss, 0.5 * over if last < 0 else over
        last = 1 if miss > 0.0 else -1
    return at


@njit(cache=True, error_model="numpy", nogil=True)
def _first(a: Array, row: int, sign: float, limit: float) -> int:
    """First point where sign x a row is not above sign x the limit; NODES if none."""
    for w in range(_N):
        if not sign * a[row * _N + w] > sign * limit:
            return w
    return _N


@njit(cache=True, error_model="numpy", nogil=True)
def _cut(work: Work, span: float, goals: Goals, limit_s: float, gmst_rad: float) -> int:
    """How an arc ends: MOVED to its end; at the STOP or at the LIMIT of time, whichever comes first.

    Unless it moved, the elements there are in work.elements, the time in work.state.
    """
    a = work.rows
    down, late = _first(a, _ALT, 1.0, goals.stop_km), _first(a, _T, -1.0, limit_s - MET)
    if min(down, late) == _N:
        return MOVED
    for i in range(_VALUES):
        collocation.spectrum(a, (_RATES + i) * _N, work.series[i])
    stop = _find(work, span, down, goals, math.inf, gmst_rad) if down < _N else 2.0
    limit = _find(work, span, late, goals, limit_s, gmst_rad) if late < _N else 2.0
    how, at = (STOP, stop) if stop <= limit else (LIMIT, limit)
    work.state[_T] = _look(work, span, at)
    return how


@njit(cache=True, error_model="numpy", nogil=True)
def _fly_one(
    first: Array, before: float, after: float, departures: Array32, goals: Goals, world: World, work: Work, end: Array
) -> None:
    a, state = work.rows, work.state
    state[:_T] = equinoctial.from_state(first[0], first[1], first[2], first[3], first[4], first[5])
    state[_T] = 0.0
    parts, age = 1, 0  # arcs to a revolution, and how many were flown in its phase
    end[STATUS] = BROKEN
    while parts <= _MOST_PARTS:
        late = state[_T] >= goals.late_s - 2.0 * MET
        limit_s = goals.end_s if late else min(goals.late_s, goals.end_s)
        b, span, sub = after if late else before, 2.0 * math.pi / parts, age % parts
        if age >= parts and parts <= _KEPT:
            _follow(a, state, work.courses[sub], age // parts)
        else:
            _begin(a, state, span)
        if not _settle(b, span, departures, goals, world, work, end):
            parts, age = 2 * parts, 0
            continue
        how = _cut(work, span, goals, limit_s, world.gmst_rad)
        if how == MOVED:
            _move(a, state, work.courses[sub % _KEPT, (age // parts) % 2])
            age += 1
            continue
        state[:_T], age = work.elements, 0
        if how == STOP or state[_T] >= goals.end_s - 2.0 * MET:
            end[STATUS] = REACHED if how == STOP else ENDED
            break
    work.elements[:] = state[:_T]
    equinoctial.to_state(work.elements, work.inertial)
    end[SECONDS] = state[_T]
    end[END:] = work.inertial


@njit(cache=True, error_model="numpy", nogil=True)
def fly(starts: Array, b: Array, b_late: Array, departures: Array32, goals: Goals, world: World, ends: Array) -> None:
    """Flies each row of starts (km, km/s) to the stop; fills ends [sample, FIELDS].

    departures: [sample, slice, term], or no slices: every sample feels the drivers of the table.
    """
    work = Work(
        np.zeros(_ROWS * _N),
        np.zeros(2 * _N, np.uint64),
        np.zeros(7 * _N),
        np.zeros(departures.shape[2], np.float32),
        np.zeros((_KEPT, 2, _VALUES * _N)),
        np.zeros(_VALUES),
        np.zeros((_VALUES, _N)),
        np.zeros(6),
        np.zeros(6),
    )
    for i in range(starts.shape[0]):
        _fly_one(starts[i], b[i], b_late[i], departures[i], goals, world, work, ends[i])
