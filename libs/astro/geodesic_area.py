"""Areas on the WGS-84 ellipsoid between shortest lines; degrees and km2.

Karney, Algorithms for geodesics, J. Geodesy 87 (2013), equations 58-64, with the integral I4 by Gauss-Legendre
quadrature over each edge instead of its series.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import geodesic
from libs.astro.airspace_outline import AUTHALIC_RADIUS_KM
from libs.astro.earth import WGS84_E2, WGS84_RADIUS_KM

Array = np.ndarray[Any, np.dtype[np.float64]]

_EP2 = WGS84_E2 / (1.0 - WGS84_E2)
_NEARLY_ANTIPODAL = math.cos(math.radians(0.5 * 177.0))
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
# t(x) = x + (1 + x) asinh(sqrt x) / sqrt(x (1 + x)) of equation 62 as a series, x <= e'^2 = 0.0067
_T = np.array([4.0 / 3.0, -2.0 / 15.0, 8.0 / 105.0, -16.0 / 315.0, 128.0 / 3465.0, -256.0 / 9009.0])


def polygon_km2(lat_deg: Array, lon_deg: Array) -> float:
    """Area of a polygon whose edges are shortest lines: positive counterclockwise, at most half the Earth's either way.

    Corners (n,), n >= 3, closed or not, longitudes of any turn; a polygon may hold a pole. Edges go the shorter way, so
    none may span half a turn. Good to 2 m2, and to some 50 m2 with an edge whose ends are within 3 degrees of opposite.
    Raises ValueError for what are no points.
    """
    lat, lon = np.radians(np.ravel(lat_deg)), np.radians(np.ravel(lon_deg))
    if lat.size < 3 or lat.size != lon.size or not np.all(np.abs(lat) <= np.pi / 2) or not np.all(np.isfinite(lon)):
        raise ValueError("a polygon has three corners or more, with latitudes in [-90, 90] and longitudes")
    under, turns = _under(lat, lon, _NODES, _WEIGHTS, _T)
    whole = 4.0 * np.pi * AUTHALIC_RADIUS_KM**2
    if round(turns) % 2:
        under += whole / 2.0
    area = under % whole
    return float(area - whole if area > whole / 2.0 else area)


@njit(cache=True, error_model="numpy")
def _under(lat: Array, lon: Array, nodes: Array, weights: Array, t: Array) -> tuple[float, float]:
    """Area between the polygon and the equator, and turns around the Earth, eastward positive."""
    area, east = 0.0, 0.0
    for k in range(lat.size):
        j = (k + 1) % lat.size
        d = lon[j] - lon[k]
        d -= 2.0 * math.pi * np.round(d / (2.0 * math.pi))
        east += d
        area -= _below(lat[k], lat[j], d, nodes, weights, t)
    return area, east / (2.0 * math.pi)


@njit(cache=True, error_model="numpy")
def _below(lat1: float, lat2: float, east: float, nodes: Array, weights: Array, t: Array) -> float:
    """Area between a line, of which the second end lies `east` of the first, and the equator; equation 58."""
    if east == 0.0:
        return 0.0
    distance, azimuth, arriving = geodesic.inverse(lat1, 0.0, lat2, east)
    beta1, beta2 = geodesic.reduced(lat1), geodesic.reduced(lat2)
    sin_a0, cos_a0, sigma1, sigma2, omega = geodesic.arcs(beta1, azimuth, distance, east)
    up = math.sin(0.5 * omega) * math.sin(0.5 * (beta1 + beta2))
    over = math.cos(0.5 * omega) * math.cos(0.5 * (beta2 - beta1))
    excess = 2.0 * math.atan2(up, over)
    if math.hypot(up, over) < _NEARLY_ANTIPODAL:  # there the longitude says little of the line, its courses all
        excess = arriving - azimuth
    k2, half, middle, total = _EP2 * cos_a0 * cos_a0, 0.5 * (sigma2 - sigma1), 0.5 * (sigma1 + sigma2), 0.0
    for i in range(nodes.size):
        sine = math.sin(middle + half * nodes[i])
        total -= weights[i] * half * _divided(t, _EP2, k2 * sine * sine) * 0.5 * sine
    return AUTHALIC_RADIUS_KM**2 * excess + WGS84_E2 * WGS84_RADIUS_KM**2 * cos_a0 * sin_a0 * total


@njit(cache=True, error_model="numpy")
def _divided(t: Array, x: float, y: float) -> float:
    """(t(x) - t(y)) / (x - y), with no difference of near numbers."""
    total, sum_of_products, power = 0.0, 0.0, 1.0
    for i in range(t.size):
        sum_of_products = sum_of_products * x + power  # x^i + x^(i-1) y + ... + y^i
        power *= y
        total += t[i] * sum_of_products
    return total
