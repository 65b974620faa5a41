"""Forces on a point mass in a frame turning with the Earth, and its settled fall. Units: km, s, kg; angles in rad.

The frame is the Earth's (ITRS); the wind blows in it. Gravity mu/r^2 and J2, centrifugal and Coriolis acceleration,
drag on the air's own motion. Bodies and tables come as arrays so that the kernels hold no state:
body = (radius km, e^2, mu km3/s2, J2, spin rad/s, polar radius km); air[k] = (ln density kg/m3, speed of sound m/s,
viscosity Pa s, wind east m/s, wind north m/s) at k x step km.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.drag_coefficient import drag_coefficient

Array = np.ndarray[Any, np.dtype[np.float64]]

LN_RHO, SOUND, VISCOSITY, EAST, NORTH = range(5)
AIR_COLUMNS = 5
_CONSTANT = 0  # Shape.CONSTANT: neither Mach nor Reynolds number matters


@njit(cache=True, error_model="numpy", nogil=True)
def vertical(x: float, y: float, z: float, body: Array) -> tuple[float, float, float]:
    """Sine and cosine of geodetic latitude, and altitude, km: Bowring's formula, < 1e-6 km below 200 km."""
    a, e2, b = body[0], body[1], body[5]
    p = math.sqrt(x * x + y * y)
    su, cu = z * a, p * b
    n = 1.0 / math.sqrt(su * su + cu * cu)
    su, cu = su * n, cu * n
    s, c = z + e2 / (1.0 - e2) * b * su * su * su, p - e2 * a * cu * cu * cu
    n = 1.0 / math.sqrt(s * s + c * c)
    s, c = s * n, c * n
    return s, c, p * c + z * s - a * math.sqrt(1.0 - e2 * s * s)


@njit(cache=True, error_model="numpy", nogil=True)
def altitudes_km(states: Array, body: Array) -> Array:
    """Altitude (N,) of states (N, 3 or more)."""
    found = np.empty(states.shape[0])
    for i in range(states.shape[0]):
        found[i] = vertical(states[i, 0], states[i, 1], states[i, 2], body)[2]
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def weather(air: Array, step_km: float, alt_km: float) -> tuple[float, float, float, float, int, float]:
    """Density kg/m3, slope of its logarithm 1/km, wind east and north km/s, row below and part of the way to the next.

    ln density is a cubic through four rows and a line beyond the ends; the wind runs straight and its ends hold.
    """
    last = air.shape[0] - 1
    x = alt_km / step_km
    row = int(min(max(x, 0.0), float(last)))
    k = min(max(row, 1), last - 2)
    s = min(max(x, 0.0), float(last)) - k
    a, b, c, d = air[k - 1, LN_RHO], air[k, LN_RHO], air[k + 1, LN_RHO], air[k + 2, LN_RHO]
    c1 = c - a / 3.0 - 0.5 * b - d / 6.0
    c2 = 0.5 * (a + c) - b
    c3 = (d - a) / 6.0 + 0.5 * (b - c)
    slope = c1 + s * (2.0 * c2 + s * 3.0 * c3)
    rho = math.exp(b + s * (c1 + s * (c2 + s * c3)) + (x - k - s) * slope)
    row = min(max(row, 0), last - 1)  # no number may become a place outside
    part = min(max(x - row, 0.0), 1.0)
    east = 1e-3 * (air[row, EAST] + part * (air[row + 1, EAST] - air[row, EAST]))
    north = 1e-3 * (air[row, NORTH] + part * (air[row + 1, NORTH] - air[row, NORTH]))
    return rho, slope / step_km, east, north, row, part


@njit(cache=True, error_model="numpy", nogil=True)
def drag_per_speed(
    rho: float, speed_km_s: float, row: int, part: float, mass_per_area: float, length_m: float, shape: int,
    air: Array, cd: Array,
) -> float:  # fmt: skip
    """Drag's acceleration (km/s2) over speed squared (km2/s2): rho CD A / 2m, in 1/km."""
    k = 500.0 * rho / mass_per_area
    if shape == _CONSTANT:
        return k
    speed = 1000.0 * speed_km_s
    sound = air[row, SOUND] + part * (air[row + 1, SOUND] - air[row, SOUND])
    viscosity = air[row, VISCOSITY] + part * (air[row + 1, VISCOSITY] - air[row, VISCOSITY])
    return k * drag_coefficient(cd, shape, speed / sound, rho * speed * length_m / viscosity)


@njit(cache=True, error_model="numpy", nogil=True)
def pull(x: float, y: float, z: float, vx: float, vy: float, body: Array) -> tuple[float, float, float]:
    """Acceleration without air, km/s2: mu/r^2 with J2, centrifugal, Coriolis."""
    r2 = x * x + y * y + z * z
    g = -body[2] / (r2 * math.sqrt(r2))
    j = 1.5 * body[3] * body[0] * body[0] / r2
    u2 = 5.0 * z * z / r2
    w = body[4]
    level = g * (1.0 + j * (1.0 - u2)) + w * w
    return level * x + 2.0 * w * vy, level * y - 2.0 * w * vx, g * (1.0 + j * (3.0 - u2)) * z


@njit(cache=True, error_model="numpy", nogil=True)
def rate(
    state: Array, out: Array, mass_per_area: float, length_m: float, shape: int, body: Array, air: Array,
    step_km: float, cd: Array,
) -> float:  # fmt: skip
    """Writes d(state)/dt of (km, km/s); returns the altitude, km."""
    x, y, z, vx, vy, vz = state[0], state[1], state[2], state[3], state[4], state[5]
    s, c, alt = vertical(x, y, z, body)
    rho, _, east, north, row, part = weather(air, step_km, alt)
    p = 1.0 / max(math.sqrt(x * x + y * y), 1e-9)
    sx = vx + p * (y * east + s * x * north)
    sy = vy - p * (x * east - s * y * north)
    sz = vz - c * north
    speed = math.sqrt(sx * sx + sy * sy + sz * sz)
    drag = speed * drag_per_speed(rho, speed, row, part, mass_per_area, length_m, shape, air, cd)
    ax, ay, az = pull(x, y, z, vx, vy, body)
    out[0], out[1], out[2] = vx, vy, vz
    out[3], out[4], out[5] = ax - drag * sx, ay - drag * sy, az - drag * sz
    return alt


@njit(cache=True, error_model="numpy", nogil=True)
def settled(
    place: Array, speed_km_s: float, velocity: Array, mass_per_area: float, length_m: float, shape: int, body: Array,
    air: Array, step_km: float, cd: Array,
) -> tuple[float, float, float]:  # fmt: skip
    """Writes the velocity of a settled fall; returns its speed through the air and climb rate, km/s, and e.

    Drag carries the piece and slows it as the air thickens: with e = v^2/(2 g H) the slowing is g e (1 + 2 e + ...), an
    expansion of the equation of motion that holds for e << 1; the wind, changing on the way down, accelerates it too.
    speed_km_s is a first guess, which also picks the branch where a sphere's drag crisis leaves two.
    """
    x, y, z = place[0], place[1], place[2]
    s, c, alt = vertical(x, y, z, body)
    rho, slope, east, north, row, part = weather(air, step_km, alt)
    p = 1.0 / max(math.sqrt(x * x + y * y), 1e-9)
    ux, uy, uz = c * x * p, c * y * p, s
    wx, wy, wz = -p * (y * east + s * x * north), p * (x * east - s * y * north), c * north
    gx, gy, gz = pull(x, y, z, wx - speed_km_s * ux, wy - speed_km_s * uy, body)
    g = -(gx * ux + gy * uy + gz * uz)
    k = drag_per_speed(rho, speed_km_s, row, part, mass_per_area, length_m, shape, air, cd)
    speed = math.sqrt(g / k)
    if shape != _CONSTANT:
        for _ in range(8):
            k = drag_per_speed(rho, speed, row, part, mass_per_area, length_m, shape, air, cd)
            before, speed = speed, math.sqrt(g / k)
            if abs(speed - before) <= 1e-6 * speed:
                break
    e = -0.5 * slope / k
    slowing = g * e * (1.0 + 2.0 * e)
    turn_east = 1e-3 * (air[row + 1, EAST] - air[row, EAST]) / step_km * speed
    turn_north = 1e-3 * (air[row + 1, NORTH] - air[row, NORTH]) / step_km * speed
    fx = gx - slowing * ux - p * (y * turn_east + s * x * turn_north)
    fy = gy - slowing * uy + p * (x * turn_east - s * y * turn_north)
    fz = gz - slowing * uz + c * turn_north
    f = math.sqrt(fx * fx + fy * fy + fz * fz)
    speed = math.sqrt(f / k)
    velocity[0], velocity[1], velocity[2] = wx + speed * fx / f, wy + speed * fy / f, wz + speed * fz / f
    return speed, velocity[0] * ux + velocity[1] * uy + velocity[2] * uz, e
