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
