"""Great circles on a sphere. Angles in rad, distances in km; within 0.6 % of the ellipsoid's."""

import math

from numba import njit

MEAN_RADIUS_KM = 6371.0088


@njit(cache=True, error_model="numpy")
def distance_km(lat1_rad: float, lon1_rad: float, lat2_rad: float, lon2_rad: float) -> float:
    """Along the great circle; haversines, good for small distances."""
    a = math.sin(0.5 * (lat2_rad - lat1_rad)) ** 2
    a += math.cos(lat1_rad) * math.cos(lat2_rad) * math.sin(0.5 * (lon2_rad - lon1_rad)) ** 2
    return 2.0 * MEAN_RADIUS_KM * math.asin(min(1.0, math.sqrt(a)))


@njit(cache=True, error_model="numpy")
def bearing_rad(lat1_rad: float, lon1_rad: float, lat2_rad: float, lon2_rad: float) -> float:
    """At the first point towards the second, clockwise from north, (-pi, pi]."""
    d = lon2_rad - lon1_rad
    y = math.sin(d) * math.cos(lat2_rad)
    x = math.cos(lat1_rad) * math.sin(lat2_rad) - math.sin(lat1_rad) * math.cos(lat2_rad) * math.cos(d)
    return math.atan2(y, x)


@njit(cache=True, error_model="numpy")
def destination(lat_rad: float, lon_rad: float, bearing: float, distance: float) -> tuple[float, float]:
    """(latitude, longitude in [-pi, pi)) reached from a point, a bearing clockwise from north, and a distance in km."""
    angle = distance / MEAN_RADIUS_KM
    s = math.sin(lat_rad) * math.cos(angle) + math.cos(lat_rad) * math.sin(angle) * math.cos(bearing)
    lat = math.asin(max(-1.0, min(1.0, s)))
    lon = lon_rad + math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(lat_rad), math.cos(angle) - math.sin(lat_rad) * s
    )
    return lat, (lon + math.pi) % (2.0 * math.pi) - math.pi


@njit(cache=True, error_model="numpy")
def to_segment_km(
    lat_rad: float, lon_rad: float, lat1_rad: float, lon1_rad: float, lat2_rad: float, lon2_rad: float
) -> tuple[float, float]:
    """(distance of a point to the great circle between two others, its length) in km; ends under half a turn apart.

    Sine of the distance across by the triple product, along it by the side of the ends' bisecting planes.
    """
    px, py, pz = unit(lat_rad, lon_rad)
    ax, ay, az = unit(lat1_rad, lon1_rad)
    bx, by, bz = unit(lat2_rad, lon2_rad)
    nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    sine = math.sqrt(nx * nx + ny * ny + nz * nz)
    length = MEAN_RADIUS_KM * math.atan2(sine, ax * bx + ay * by + az * bz)
    past_start = (ny * az - nz * ay) * px + (nz * ax - nx * az) * py + (nx * ay - ny * ax) * pz
    before_end = (by * nz - bz * ny) * px + (bz * nx - bx * nz) * py + (bx * ny - by * nx) * pz
    if sine > 0.0 and past_start > 0.0 and before_end > 0.0:
        across = abs(nx * px + ny * py + nz * pz) / sine
        return MEAN_RADIUS_KM * math.asin(min(1.0, across)), length
    to_start = distance_km(lat_rad, lon_rad, lat1_rad, lon1_rad)
    return min(to_start, distance_km(lat_rad, lon_rad, lat2_rad, lon2_rad)), length


@njit(cache=True, error_model="numpy")
def unit(lat_rad: float, lon_rad: float) -> tuple[float, float, float]:
    """Unit vector of a point, x towards longitude 0, z towards the north pole."""
    return math.cos(lat_rad) * math.cos(lon_rad), math.cos(lat_rad) * math.sin(lon_rad), math.sin(lat_rad)
