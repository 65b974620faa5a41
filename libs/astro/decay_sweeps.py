"""Sweeps over an arc of a flight on a density table: forces at its points, rates, and their integrals.

What decay_arcs.py repeats until the elements stand still; the state, the units and the rows are told there and below.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import collocation, density_table
from libs.astro.arcexp import atan2, exp
from libs.astro.collocation import INTEGRALS, NODES, PLACES
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

_E2_POLE, _E2_EQUATOR = _E2 / (1.0 - _E2) * _POLE_KM, _E2 * RADIUS_KM

# Rows: elements, true longitude and time at the points, and their rates; then what one function tells the next.
_P, _F, _G, _H, _K, _L, T, RATES = range(8)
VALUES = 7
_SIN, _COS, ALT, _LAT, _LST, _SLOT, _LN_RHO = range(14, 21)
_GR, _GT, _GN, _DR, _DT, _DN = range(21, 27)  # gravity; drag over density and B
_LOST, _SUM = 27, 28
ROWS = 29
_N = NODES


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def locate(a: Array, since_s: float, gmst_rad: float) -> None:
    """Forces but for the density, and where it is to be read, from the elements at the points."""
    for w in range(_N):
        p, f, g = a[_P * _N + w] * RADIUS_KM, a[_F * _N + w], a[_G * _N + w]
        h, k, t = a[_H * _N + w], a[_K * _N + w], a[T * _N + w]
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
        a[ALT * _N + w] = level * cu + pz * su - RADIUS_KM * math.sqrt(1.0 - _E2 * su * su)
        a[_LAT * _N + w] = math.degrees(1.0) * atan2(su, cu)
        at_h = (since_s + t) / 3600.0
        a[_SLOT * _N + w] = at_h / 3.0
        a[_LST * _N + w] = at_h + (atan2(y, x) - gmst_rad - SIDEREAL_RAD_S * t) * (12.0 / math.pi)


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def read(a: Array, base: Array32, top_km: float, places: Places, shares: Array) -> None:
    """Ln density at the points."""
    flat, sizes = base.reshape(-1), (base.shape[0], base.shape[3])
    for w in range(_N):
        slot, lat, lst = a[_SLOT * _N + w], a[_LAT * _N + w], a[_LST * _N + w]
        alt = min(max(a[ALT * _N + w], density_table.BOTTOM_KM), top_km)
        density_table.locate(w, _N, sizes, slot, lat, lst, alt, places, shares)
    for w in range(_N):
        a[_LN_RHO * _N + w] = density_table.read_located(w, _N, flat, np.uint64(sizes[1]), places, shares)


@njit(cache=True, error_model="numpy", nogil=True)
def depart(a: Array, sense: Array32, top_km: float, departures: Array32, own: Array32) -> None:
    """Adds what a sample's other drivers do; they run straight from slice to slice."""
    for w in range(_N):
        slot = a[_SLOT * _N + w]
        n = min(max(int(slot), 0), departures.shape[0] - 2)
        late = np.float32(slot - n)
        for q in range(own.shape[0]):
            own[q] = departures[n, q] + late * (departures[n + 1, q] - departures[n, q])
        alt = min(max(a[ALT * _N + w], density_table.BOTTOM_KM), top_km)
        moved = density_table.ln_departure(sense, slot, a[_LAT * _N + w], a[_LST * _N + w], alt, own)
        a[_LN_RHO * _N + w] += moved


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def rates(a: Array, b: float) -> None:
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
        o = RATES * _N + w
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
def sweep(a: Array, state: Array, span: float) -> float:
    """Integrates the rates from the start of the arc, the time with the new elements; returns the greatest change."""
    most, total = 0.0, 0.0
    for i in range(T):
        _integrate(a, RATES + i)
        start = state[i]
        for w in range(_N):
            value = start + span * a[_SUM * _N + w]
            most = max(most, abs(value - a[i * _N + w]))
            a[i * _N + w] = value
        total += a[i * _N]
    for w in range(_N):
        s, c = sincos(a[_L * _N + w])
        p, wide = a[_P * _N + w] * RADIUS_KM, 1.0 + a[_F * _N + w] * c + a[_G * _N + w] * s
        a[(RATES + T) * _N + w] = p * math.sqrt(p / MU_KM3_S2) / (wide * wide)
    _integrate(a, RATES + T)
    start = state[T]
    for w in range(_N):
        a[T * _N + w] = start + span * a[_SUM * _N + w]
    # No number at one point makes all integrals none, which a maximum does not show.
    return most if abs(total + a[T * _N]) < math.inf else math.inf


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def begin(a: Array, state: Array, span: float) -> None:
    """First values of an arc without a past: the elements stand still."""
    for i in range(_L):
        for w in range(_N):
            a[i * _N + w] = state[i]
    p, start = state[_P] * RADIUS_KM, state[_L]
    wide = 1.0 + state[_F] * math.cos(start) + state[_G] * math.sin(start)
    slow = p * math.sqrt(p / MU_KM3_S2) / (wide * wide)
    for w in range(_N):
        a[_L * _N + w] = start + span * PLACES[w]
        a[T * _N + w] = state[T] + slow * span * PLACES[w]


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def follow(a: Array, state: Array, courses: Array, turn: int) -> None:
    """First values of an arc from what the last two revolutions did there, run on straight; turn: revolutions known."""
    last, before = courses[(turn - 1) % 2], courses[turn % 2]
    more = 1.0 if turn > 1 else 0.0
    for i in range(VALUES):
        start = state[i]
        for w in range(_N):
            n = i * _N + w
            a[n] = start + (last[n] + more * (last[n] - before[n]))


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def move(a: Array, state: Array, course: Array) -> None:
    """The end of the arc becomes the start of the next; the arc is kept as its course."""
    for i in range(VALUES):
        start = state[i]
        for w in range(_N):
            course[i * _N + w] = a[i * _N + w] - start
        state[i] = a[i * _N + _N - 1]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={*FAST, "reassoc"})
def missed(a: Array, span: float) -> float:
    """What the last two coefficients of the rates' polynomials add to an element on the arc."""
    most = 0.0
    for i in range(T):
        for k in range(_N - 2, _N):
            one = 0.0
            for j in range(_N):
                one += collocation.SPECTRUM[k, j] * a[(RATES + i) * _N + j]
            most = max(most, abs(one))
    return most * span / (2.0 * _N)


@njit(cache=True, error_model="numpy", nogil=True, fastmath={*FAST, "reassoc"})
def lost(a: Array, span: float) -> float:
    """What drag takes of p on the arc."""
    total = 0.0
    for w in range(_N):
        total += collocation.WEIGHTS[w] * a[_LOST * _N + w]
    return total * span
