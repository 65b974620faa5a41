"""Forces on LANES pieces at once, in lockstep, for speed: the equations of `entry_motion.rate` over one flat array.

One piece alone waits for its own square roots and divisions; side by side they fill the processor's vector units. The
array holds a row of LANES for each quantity, so that row r of lane w is at r x LANES + w; loops read before they write.
Each lane's arithmetic is its own, so that a piece's result does not depend on its neighbours.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.drag_coefficient import drag_coefficient
from libs.astro.entry_motion import EAST, LN_RHO, NORTH, SOUND, VISCOSITY

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

LANES = 16
STATE = 0  # x, y, z, vx, vy, vz: km, km/s
LOAD = 6  # 500 / mass per reference area
ALT, _SIN, _COS, _INVERSE = 7, 8, 9, 10  # altitude, its direction, 1 / distance from the axis
_AT, _ROWS = 11, 12  # part of the way between rows, four rows of ln density
_EAST, _NORTH, _DRAG = 16, 17, 18  # wind km/s, drag per speed squared 1/km
_SLIP, _SPEED = 19, 22  # velocity through the air and its size, km/s
_PULL = 23
ROWS = 26
_W = LANES
_CONSTANT = 0


@njit(cache=True, error_model="numpy", nogil=True)
def _find_altitude(z: Array, body: Array) -> None:
    """As entry_motion.vertical."""
    a, e2, b = body[0], body[1], body[5]
    outer, inner = e2 / (1.0 - e2) * b, e2 * a
    for w in range(_W):
        px, py, pz = z[w], z[_W + w], z[2 * _W + w]
        p = math.sqrt(px * px + py * py)
        su, cu = pz * a, p * b
        n = 1.0 / math.sqrt(su * su + cu * cu)
        su, cu = su * n, cu * n
        s, c = pz + outer * su * su * su, p - inner * cu * cu * cu
        n = 1.0 / math.sqrt(s * s + c * c)
        s, c = s * n, c * n
        alt = p * c + pz * s - a * math.sqrt(1.0 - e2 * s * s)
        z[ALT * _W + w], z[_SIN * _W + w], z[_COS * _W + w] = alt, s, c
        z[_INVERSE * _W + w] = 1.0 / max(p, 1e-9)


@njit(cache=True, error_model="numpy", nogil=True)
def _read_air(z: Array, airs: Array, profile: Ints, step_km: float) -> None:
    """As entry_motion.weather, as far as reading goes."""
    last = airs.shape[1] - 1
    for w in range(_W):
        x = z[ALT * _W + w] / step_km
        air = airs[profile[w]]
        row = int(min(max(x, 0.0), float(last)))
        k = min(max(row, 1), last - 2)
        for n in range(4):
            z[(_ROWS + n) * _W + w] = air[k - 1 + n, LN_RHO]
        z[_AT * _W + w] = x - k
        row = min(max(row, 0), last - 1)  # no number may become a place outside
        part = min(max(x - row, 0.0), 1.0)
        z[_EAST * _W + w] = 1e-3 * (air[row, EAST] + part * (air[row + 1, EAST] - air[row, EAST]))
        z[_NORTH * _W + w] = 1e-3 * (air[row, NORTH] + part * (air[row + 1, NORTH] - air[row, NORTH]))


@njit(cache=True, error_model="numpy", nogil=True)
def _meet_air(z: Array) -> None:
    """Density, and drag per speed squared of CD 1; velocity through the air."""
    for w in range(_W):
        a, b = z[_ROWS * _W + w], z[(_ROWS + 1) * _W + w]
        c, d = z[(_ROWS + 2) * _W + w], z[(_ROWS + 3) * _W + w]
        x = z[_AT * _W + w]
        s = min(max(x, -1.0), 2.0)
        c1 = c - a / 3.0 - 0.5 * b - d / 6.0
        c2 = 0.5 * (a + c) - b
        c3 = (d - a) / 6.0 + 0.5 * (b - c)
        slope = c1 + s * (2.0 * c2 + s * 3.0 * c3)
        z[_DRAG * _W + w] = b + s * (c1 + s * (c2 + s * c3)) + (x - s) * slope
    for w in range(_W):
        z[_DRAG * _W + w] = math.exp(z[_DRAG * _W + w])
    for w in range(_W):
        px, py, p = z[w], z[_W + w], z[_INVERSE * _W + w]
        vx, vy, vz = z[3 * _W + w], z[4 * _W + w], z[5 * _W + w]
        s, c, east, north = z[_SIN * _W + w], z[_COS * _W + w], z[_EAST * _W + w], z[_NORTH * _W + w]
        rho = z[_DRAG * _W + w] * z[LOAD * _W + w]
        sx = vx + p * (py * east + s * px * north)
        sy = vy - p * (px * east - s * py * north)
        sz = vz - c * north
        z[_SPEED * _W + w] = math.sqrt(sx * sx + sy * sy + sz * sz)
        z[_SLIP * _W + w], z[(_SLIP + 1) * _W + w], z[(_SLIP + 2) * _W + w] = sx, sy, sz
        z[_DRAG * _W + w] = rho


@njit(cache=True, error_model="numpy", nogil=True)
def _shape_drag(z: Array, airs: Array, profile: Ints, step_km: float, length_m: Array, shape: Ints, cd: Array) -> None:
    """As entry_motion.drag_per_speed, for the lanes whose drag coefficient varies."""
    last = airs.shape[1] - 1
    for w in range(_W):
        if shape[w] == _CONSTANT:
            continue
        air = airs[profile[w]]
        x = min(max(z[ALT * _W + w] / step_km, 0.0), float(last))
        row = min(max(int(x), 0), last - 1)
        part = x - row
        speed = 1000.0 * z[_SPEED * _W + w]
        rho = z[_DRAG * _W + w] / z[LOAD * _W + w]
        sound = air[row, SOUND] + part * (air[row + 1, SOUND] - air[row, SOUND])
        viscosity = air[row, VISCOSITY] + part * (air[row + 1, VISCOSITY] - air[row, VISCOSITY])
        z[_DRAG * _W + w] *= drag_coefficient(cd, shape[w], speed / sound, rho * speed * length_m[w] / viscosity)


@njit(cache=True, error_model="numpy", nogil=True)
def _accelerate(z: Array, body: Array) -> None:
    """As entry_motion.pull, and the drag."""
    mu, j2, spin = body[2], 1.5 * body[3] * body[0] * body[0], body[4]
    for w in range(_W):
        px, py, pz = z[w], z[_W + w], z[2 * _W + w]
        vx, vy = z[3 * _W + w], z[4 * _W + w]
        sx, sy, sz = z[_SLIP * _W + w], z[(_SLIP + 1) * _W + w], z[(_SLIP + 2) * _W + w]
        drag = z[_DRAG * _W + w] * z[_SPEED * _W + w]
        r2 = px * px + py * py + pz * pz
        g = -mu / (r2 * math.sqrt(r2))
        j = j2 / r2
        u2 = 5.0 * pz * pz / r2
        level = g * (1.0 + j * (1.0 - u2)) + spin * spin
        z[_PULL * _W + w] = level * px + 2.0 * spin * vy - drag * sx
        z[(_PULL + 1) * _W + w] = level * py - 2.0 * spin * vx - drag * sy
        z[(_PULL + 2) * _W + w] = g * (1.0 + j * (3.0 - u2)) * pz - drag * sz


@njit(cache=True, error_model="numpy", nogil=True)
def rates(
    z: Array, k: Array, stage: int, length_m: Array, shape: Ints, profile: Ints, body: Array, airs: Array,
    step_km: float, cd: Array,
) -> None:  # fmt: skip
    """Writes d(state)/dt of every lane into k at stage x 6 rows; altitudes are left in row ALT."""
    _find_altitude(z, body)
    _read_air(z, airs, profile, step_km)
    _meet_air(z)
    _shape_drag(z, airs, profile, step_km, length_m, shape, cd)
    _accelerate(z, body)
    at = stage * 6 * _W
    for n in range(3 * _W):
        k[at + n] = z[3 * _W + n]
        k[at + 3 * _W + n] = z[_PULL * _W + n]
