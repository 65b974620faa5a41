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

from libs.astro import collocation, decay_sweeps, equinoctial
from libs.astro.collocation import NODES, PLACES
from libs.astro.decay import place
from libs.astro.decay_sweeps import ALT, RATES, ROWS, VALUES, T
from libs.astro.density_table import Array32, Places
from libs.astro.earth import GMST82_SPIN_RAD_S as SIDEREAL_RAD_S

Array = np.ndarray[Any, np.dtype[np.float64]]

REACHED, ENDED, BROKEN = 1, 0, -1
STATUS, SECONDS, SWEEPS, END = 0, 1, 2, 3  # of a row of ends; the state in km and km/s follows
FIELDS = 9
MOVED, STOP, LIMIT = 0, 1, 2  # ends of an arc
MET = 1e-6  # km of the stop altitude, s of a time
_MOST_SWEEPS, _MOST_PARTS, _MOST_LOOKS = 16, 1 << 24, 60
_KEPT = 4  # arcs of a revolution whose last two courses are kept
# What a sweep leaves of a change, at most: by oblateness, and by drag with the least scale height, 6.4 km.
_OBLATE, _STEEP = 0.03, 1000.0
_UNSETTLED = 0.2  # of what an arc may err by; the rest is for its polynomial
_MOST_JUDGED = 1e-3  # drag's work in an arc beyond which errors grow no further
_MOST_LOST = 0.1  # drag's work at which an arc is too long
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


@njit(cache=True, error_model="numpy", nogil=True)
def _settle(b: float, span: float, departures: Array32, goals: Goals, world: World, work: Work, end: Array) -> bool:
    """Sweeps over the arc until what the next would change is allowed; whether it is, and the polynomial follows."""
    a, before = work.rows, math.inf
    for _ in range(_MOST_SWEEPS):
        decay_sweeps.locate(a, world.since_s, world.gmst_rad)
        decay_sweeps.read(a, world.base, world.top_km, work.places, work.shares)
        if departures.shape[0] > 0:
            decay_sweeps.depart(a, world.sense, world.top_km, departures, work.own)
        decay_sweeps.rates(a, b)
        change = decay_sweeps.sweep(a, work.state, span)
        end[SWEEPS] += 1.0
        lost = decay_sweeps.lost(a, span)
        allowed = goals.rtol + goals.share * min(lost, _MOST_JUDGED)
        if change * (_OBLATE + _STEEP * lost) < _UNSETTLED * allowed:
            return decay_sweeps.missed(a, span) < allowed
        if not change < before or not lost < _MOST_LOST:
            return False
        before = change
    return False


@njit(cache=True, error_model="numpy", nogil=True)
def _look(work: Work, span: float, at: float) -> float:
    """Elements and state at a place of the arc, into work; returns the time."""
    for i in range(T):
        work.elements[i] = work.state[i] + span * collocation.between(work.series[i], at)
    equinoctial.to_state(work.elements, work.inertial)
    return float(work.state[T] + span * collocation.between(work.series[T], at))


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
    down, late = _first(a, ALT, 1.0, goals.stop_km), _first(a, T, -1.0, limit_s - MET)
    if min(down, late) == _N:
        return MOVED
    for i in range(VALUES):
        collocation.spectrum(a, (RATES + i) * _N, work.series[i])
    stop = _find(work, span, down, goals, math.inf, gmst_rad) if down < _N else 2.0
    limit = _find(work, span, late, goals, limit_s, gmst_rad) if late < _N else 2.0
    how, at = (STOP, stop) if stop <= limit else (LIMIT, limit)
    work.state[T] = _look(work, span, at)
    return how


@njit(cache=True, error_model="numpy", nogil=True)
def _fly_one(
    first: Array, before: float, after: float, departures: Array32, goals: Goals, world: World, work: Work, end: Array
) -> None:
    a, state = work.rows, work.state
    state[:T] = equinoctial.from_state(first[0], first[1], first[2], first[3], first[4], first[5])
    state[T] = 0.0
    parts, age = 1, 0  # arcs to a revolution, and how many were flown in its phase
    end[STATUS] = BROKEN
    while parts <= _MOST_PARTS:
        late = state[T] >= goals.late_s - 2.0 * MET
        limit_s = goals.end_s if late else min(goals.late_s, goals.end_s)
        b, span, sub = after if late else before, 2.0 * math.pi / parts, age % parts
        if age >= parts and parts <= _KEPT:
            decay_sweeps.follow(a, state, work.courses[sub], age // parts)
        else:
            decay_sweeps.begin(a, state, span)
        if not _settle(b, span, departures, goals, world, work, end):
            parts, age = 2 * parts, 0
            continue
        how = _cut(work, span, goals, limit_s, world.gmst_rad)
        if how == MOVED:
            decay_sweeps.move(a, state, work.courses[sub % _KEPT, (age // parts) % 2])
            age += 1
            continue
        state[:T], age = work.elements, 0
        if how == STOP or state[T] >= goals.end_s - 2.0 * MET:
            end[STATUS] = REACHED if how == STOP else ENDED
            break
    work.elements[:] = state[:T]
    equinoctial.to_state(work.elements, work.inertial)
    end[SECONDS] = state[T]
    end[END:] = work.inertial


@njit(cache=True, error_model="numpy", nogil=True)
def fly(starts: Array, b: Array, b_late: Array, departures: Array32, goals: Goals, world: World, ends: Array) -> None:
    """Flies each row of starts (km, km/s) to the stop; fills ends [sample, FIELDS].

    departures: [sample, slice, term], or no slices: every sample feels the drivers of the table.
    """
    work = Work(
        np.zeros(ROWS * _N),
        np.zeros(2 * _N, np.uint64),
        np.zeros(7 * _N),
        np.zeros(departures.shape[2], np.float32),
        np.zeros((_KEPT, 2, VALUES * _N)),
        np.zeros(VALUES),
        np.zeros((VALUES, _N)),
        np.zeros(6),
        np.zeros(6),
    )
    for i in range(starts.shape[0]):
        _fly_one(starts[i], b[i], b_late[i], departures[i], goals, world, work, ends[i])
