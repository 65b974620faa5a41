"""Flight on a density table through given instants, forwards or backwards: what a fit compares with observations.

Forces and frame as of decay.py, elements as of equinoctial.py, steps of DOP853 without error control: at most 600 s,
shorter the lower. Units: km, s, rad, kg/m3, m2/kg.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import density_table, dop853, equinoctial
from libs.astro.decay import place
from libs.astro.decay_arcs import World
from libs.astro.earth import GMST82_SPIN_RAD_S, IERS_SPIN_RAD_S
from libs.astro.earth import WGS84_MU_KM3_S2 as MU_KM3_S2
from libs.astro.earth import WGS84_RADIUS_KM as RADIUS_KM
from libs.astro.gravity import zonal

Array = np.ndarray[Any, np.dtype[np.float64]]

_A, _WEIGHTS = dop853.A[: dop853.STAGES], dop853.A[dop853.STAGES]
_PLACES = _A.sum(axis=1)  # of the stages in a step


@njit(cache=True, error_model="numpy", nogil=True)
def density_at(x: float, y: float, z: float, t: float, world: World) -> float:
    """Density, kg/m3, at a point of the inertial frame t seconds after the start; held beyond the table's altitudes."""
    lat, lon, alt = place(x, y, z, world.gmst_rad + GMST82_SPIN_RAD_S * t)
    at_h = (world.since_s + t) / 3600.0
    alt = min(max(alt, density_table.BOTTOM_KM), world.top_km)
    lst_h = at_h + lon * (12.0 / math.pi)
    return math.exp(density_table.ln_base(world.base, at_h / 3.0, math.degrees(lat), lst_h, alt))


@njit(cache=True, error_model="numpy", nogil=True)
def _slopes(e: Array, t: float, b: float, world: World, d: Array, o: int) -> float:
    """Writes Gauss's equations of the elements into d from o on; returns the radius."""
    p, f, g, h, k = e[0] * RADIUS_KM, e[1], e[2], e[3], e[4]
    s, c = math.sin(e[5]), math.cos(e[5])
    wide = 1.0 + f * c + g * s
    r = p / wide
    n = 1.0 / (1.0 + h * h + k * k)
    up, along, across = 2.0 * n * (h * s - k * c), 2.0 * n * (h * c + k * s), n * (1.0 - h * h - k * k)
    x = n * (c * (1.0 + h * h - k * k) + 2.0 * h * k * s)
    y = n * (s * (1.0 - h * h + k * k) + 2.0 * h * k * c)
    radial, polar = zonal(up, RADIUS_KM / r)
    pull = MU_KM3_S2 / (r * r)
    v = math.sqrt(MU_KM3_S2 / p)
    turning = IERS_SPIN_RAD_S * r
    sr, st, sn = v * (f * s - g * c), v * wide - turning * across, turning * along
    rho = density_at(r * x, r * y, r * up, t, world)
    drag = -500.0 * b * rho * math.sqrt(sr * sr + st * st + sn * sn)
    ar, at = pull * (radial + polar * up) + drag * sr, pull * polar * along + drag * st
    an = pull * polar * across + drag * sn
    q = math.sqrt(p / MU_KM3_S2)
    over = 1.0 / wide
    swing = (h * s - k * c) * over * an
    turn = 0.5 * q * (1.0 + h * h + k * k) * over * an
    d[o] = 2.0 * e[0] * q * at * over
    d[o + 1] = q * (ar * s + ((wide + 1.0) * c + f) * at * over - g * swing)
    d[o + 2] = q * (((wide + 1.0) * s + g) * at * over - ar * c + f * swing)
    d[o + 3], d[o + 4] = turn * c, turn * s
    d[o + 5] = wide * wide / (p * q) + q * swing
    return r


@njit(cache=True, error_model="numpy", nogil=True)
def _longest_s(low_km: float) -> float:
    if low_km < 60.0:  # the perigee of an orbit that is about to end lies far below the object
        return 2.0
    if low_km < 95.0:
        return 10.0
    if low_km < 110.0:
        return 60.0
    if low_km < 150.0:
        return 200.0
    return 600.0


@njit(cache=True, error_model="numpy", nogil=True)
def arc(start: Array, b: float, times: Array, world: World, states: Array) -> int:
    """Writes the states (km, km/s) at times, ordered as flown from the start at 0; returns how many are finite."""
    e, z, d = np.empty(6), np.empty(6), np.empty(dop853.STAGES * 6)
    elements = equinoctial.from_state(start[0], start[1], start[2], start[3], start[4], start[5])
    for i in range(6):
        e[i] = elements[i]
    t = 0.0
    for m in range(times.shape[0]):
        while abs(times[m] - t) > 1e-9:
            perigee_km = RADIUS_KM * (e[0] / (1.0 + math.sqrt(e[1] * e[1] + e[2] * e[2])) - 1.0)
            longest, left = _longest_s(perigee_km), times[m] - t
            h = left / math.ceil(abs(left) / longest)
            for stage in range(dop853.STAGES):
                for i in range(6):
                    total = 0.0
                    for k in range(stage):
                        total += _A[stage, k] * d[6 * k + i]
                    z[i] = e[i] + h * total
                _slopes(z, t + _PLACES[stage] * h, b, world, d, 6 * stage)
            for i in range(6):
                for k in range(dop853.STAGES):
                    e[i] += h * _WEIGHTS[k] * d[6 * k + i]
            t += h
            if not (e[0] > 0.5 and e[0] < 10.0 and e[1] * e[1] + e[2] * e[2] < 0.9):
                return m
        equinoctial.to_state(e, states[m])
    return times.shape[0]


@njit(cache=True, error_model="numpy", nogil=True)
def rates(states: Array, seconds: Array, world: World) -> Array:
    """da/dt per unit of B, km/s per m2/kg, of each state by drag alone."""
    out = np.empty(states.shape[0])
    for i in range(states.shape[0]):
        x, y, z, vx, vy, vz = states[i]
        rho = density_at(x, y, z, seconds[i], world)
        rx, ry = vx + IERS_SPIN_RAD_S * y, vy - IERS_SPIN_RAD_S * x
        speed = math.sqrt(rx * rx + ry * ry + vz * vz)
        a = 1.0 / (2.0 / math.sqrt(x * x + y * y + z * z) - (vx * vx + vy * vy + vz * vz) / MU_KM3_S2)
        out[i] = -1000.0 * a * a / MU_KM3_S2 * rho * speed * (rx * vx + ry * vy + vz * vz)
    return out
