"""From SGP4's frame to the Earth's surface. Positions in km, velocities in km/s, angles in rad.

TEME of date -> PEF by Greenwich mean sidereal time (1982) of UT1 -> ITRF by polar motion: Vallado et al., AIAA
2006-6753, appendix C. Geodetic coordinates are those of WGS-84.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.time import gmst82_rad

Array = np.ndarray[Any, np.dtype[np.float64]]

EARTH_RADIUS_KM = 6378.137
FLATTENING = 1.0 / 298.257223563
E2 = FLATTENING * (2.0 - FLATTENING)
EARTH_ROTATION_RAD_S = 7.292115146706979e-5
DAY_S = 86400.0


@njit(cache=True, error_model="numpy")
def teme_to_itrf(
    r_km: Array, v_km_s: Array, jd: float, fraction: float, ut1_utc_s: float, xp_rad: float, yp_rad: float
) -> tuple[Array, Array]:
    """State (3,), (3,) in ITRF at a UTC epoch; the rotation's rate is taken as constant (1e-8 of it)."""
    theta = gmst82_rad(jd, fraction + ut1_utc_s / DAY_S)
    c, s = math.cos(theta), math.sin(theta)
    rx, ry, rz = c * r_km[0] + s * r_km[1], -s * r_km[0] + c * r_km[1], r_km[2]
    vx = c * v_km_s[0] + s * v_km_s[1] + EARTH_ROTATION_RAD_S * ry
    vy = -s * v_km_s[0] + c * v_km_s[1] - EARTH_ROTATION_RAD_S * rx
    vz = v_km_s[2]
    r, v = np.empty(3), np.empty(3)
    r[0], r[1], r[2] = _polar_motion(rx, ry, rz, xp_rad, yp_rad)
    v[0], v[1], v[2] = _polar_motion(vx, vy, vz, xp_rad, yp_rad)
    return r, v


@njit(cache=True, error_model="numpy")
def _polar_motion(x: float, y: float, z: float, xp: float, yp: float) -> tuple[float, float, float]:
    """From PEF to ITRF; the pole is at (xp, yp)."""
    cx, sx, cy, sy = math.cos(xp), math.sin(xp), math.cos(yp), math.sin(yp)
    return cx * x + sx * sy * y + sx * cy * z, cy * y - sy * z, -sx * x + cx * sy * y + cx * cy * z


@njit(cache=True, error_model="numpy")
def geodetic(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Latitude and longitude in rad, height in km, of an Earth-fixed point; good to 1e-9 km from -1000 km up."""
    p = math.sqrt(x * x + y * y)
    lat = math.atan2(z, p * (1.0 - E2))
    n = EARTH_RADIUS_KM
    for _ in range(4):
        s = math.sin(lat)
        n = EARTH_RADIUS_KM / math.sqrt(1.0 - E2 * s * s)
        lat = math.atan2(z + E2 * n * s, p)
    s, c = math.sin(lat), math.cos(lat)
    n = EARTH_RADIUS_KM / math.sqrt(1.0 - E2 * s * s)
    height = p * c + z * s - EARTH_RADIUS_KM * math.sqrt(1.0 - E2 * s * s)
    return lat, math.atan2(y, x), height


@njit(cache=True, error_model="numpy")
def itrf_to_geodetic(r_km: Array) -> tuple[float, float, float]:
    """(latitude rad, longitude rad in (-pi, pi], height km) above WGS-84."""
    return geodetic(r_km[0], r_km[1], r_km[2])


@njit(cache=True, error_model="numpy")
def geodetic_to_itrf(lat_rad: float, lon_rad: float, height_km: float) -> Array:
    """Position (3,), km."""
    s, c = math.sin(lat_rad), math.cos(lat_rad)
    n = EARTH_RADIUS_KM / math.sqrt(1.0 - E2 * s * s)
    r = np.empty(3)
    r[0] = (n + height_km) * c * math.cos(lon_rad)
    r[1] = (n + height_km) * c * math.sin(lon_rad)
    r[2] = (n * (1.0 - E2) + height_km) * s
    return r
