"""Modified equinoctial elements: an orbit as six numbers of which five stand still without perturbations.

M. J. H. Walker, B. Ireland, J. Owens, "A set of modified equinoctial orbit elements", Celest. Mech. 36, 409, 1985.
Elements: p/R, f, g, h, k and the true longitude L in radians, R the equatorial radius. Singular at an inclination of
180 degrees and for flight straight down. Units: km, s, rad.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.earth import WGS84_MU_KM3_S2, WGS84_RADIUS_KM

Array = np.ndarray[Any, np.dtype[np.float64]]


@njit(cache=True, error_model="numpy", nogil=True)
def from_state(
    x: float, y: float, z: float, vx: float, vy: float, vz: float
) -> tuple[float, float, float, float, float, float]:
    """Elements of a state, km and km/s."""
    cx, cy, cz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    c = math.sqrt(cx * cx + cy * cy + cz * cz)
    r = math.sqrt(x * x + y * y + z * z)
    h, k = -cy / (c + cz), cx / (c + cz)
    s = 1.0 + h * h + k * k
    fx, fy, fz = (1.0 - k * k + h * h) / s, 2.0 * h * k / s, -2.0 * k / s
    gx, gy, gz = 2.0 * h * k / s, (1.0 + k * k - h * h) / s, 2.0 * h / s
    ex = (vy * cz - vz * cy) / WGS84_MU_KM3_S2 - x / r
    ey = (vz * cx - vx * cz) / WGS84_MU_KM3_S2 - y / r
    ez = (vx * cy - vy * cx) / WGS84_MU_KM3_S2 - z / r
    longitude = math.atan2(x * gx + y * gy + z * gz, x * fx + y * fy + z * fz)
    f, g = ex * fx + ey * fy + ez * fz, ex * gx + ey * gy + ez * gz
    return c * c / WGS84_MU_KM3_S2 / WGS84_RADIUS_KM, f, g, h, k, longitude


@njit(cache=True, error_model="numpy", nogil=True)
def to_state(e: Array, state: Array) -> None:
    """Writes the state, km and km/s, of six elements."""
    f, g, h, k = e[1], e[2], e[3], e[4]
    c, s = math.cos(e[5]), math.sin(e[5])
    p = e[0] * WGS84_RADIUS_KM
    r = p / (1.0 + f * c + g * s)
    v = math.sqrt(WGS84_MU_KM3_S2 / p)
    fx, fy, fz = 1.0 - k * k + h * h, 2.0 * h * k, -2.0 * k
    gx, gy, gz = fy, 1.0 + k * k - h * h, 2.0 * h
    n = 1.0 / (1.0 + h * h + k * k)
    along_f, along_g = -v * (g + s), v * (f + c)
    state[0], state[1] = n * r * (c * fx + s * gx), n * r * (c * fy + s * gy)
    state[2] = n * r * (c * fz + s * gz)
    state[3], state[4] = n * (along_f * fx + along_g * gx), n * (along_f * fy + along_g * gy)
    state[5] = n * (along_f * fz + along_g * gz)
