"""Shortest lines on the WGS-84 ellipsoid. Angles in rad, distances in km.

Series to the sixth order of Karney, Algorithms for geodesics, J. Geodesy 87 (2013), equations 7-25. The inverse problem
iterates the longitude on the auxiliary sphere, as Vincenty does; within 3 degrees of the antipode, where that may not
converge, it bisects the first azimuth. Errors stay under 1 um for any two points; latitudes outside [-pi/2, pi/2] are
not refused.
"""

import math

import numpy as np
from numba import njit

from libs.astro.earth import WGS84_E2, WGS84_FLATTENING, WGS84_POLE_KM, WGS84_RADIUS_KM

_N = WGS84_FLATTENING / (2.0 - WGS84_FLATTENING)
_EP2 = WGS84_E2 / (1.0 - WGS84_FLATTENING) ** 2
_NEARLY_ANTIPODAL = -math.cos(math.radians(3.0))


@njit(cache=True, error_model="numpy")
def inverse(lat1_rad: float, lon1_rad: float, lat2_rad: float, lon2_rad: float) -> tuple[float, float, float]:
    """(distance in km, azimuth at the first point, azimuth at the second), clockwise from north, both ahead.

    Of several shortest lines one is taken; the azimuths of equal points are 0.
    """
    d = _turned(lon2_rad - lon1_rad)
    east = abs(d)
    s1, c1 = _reduced(lat1_rad)
    s2, c2 = _reduced(lat2_rad)
    if s1 * s2 + c1 * c2 * math.cos(east) < _NEARLY_ANTIPODAL:
        distance, azimuth1, azimuth2 = _nearly_antipodal(s1, c1, s2, c2, east)
    else:
        distance, azimuth1, azimuth2 = _vincenty(s1, c1, s2, c2, east)
    if d < 0.0:
        return distance, -azimuth1, -azimuth2
    return distance, azimuth1, azimuth2


@njit(cache=True, error_model="numpy")
def direct(lat_rad: float, lon_rad: float, azimuth: float, distance: float) -> tuple[float, float, float]:
    """(latitude, longitude in [-pi, pi], azimuth ahead) reached after `distance` km; equations 8-14 and 21."""
    s1, c1 = _reduced(lat_rad)
    sa, ca = math.sin(azimuth), math.cos(azimuth)
    sin_a0, cos_a0 = sa * c1, math.hypot(ca, sa * s1)
    sigma1 = math.atan2(s1, ca * c1)
    omega1 = math.atan2(sin_a0 * s1, ca * c1)
    eps = _epsilon(cos_a0)
    a1 = _a1(eps)
    tau = sigma1 + _sines_c1(eps, sigma1) + distance / (WGS84_POLE_KM * a1)
    sigma2 = tau + _sines_c1_back(eps, tau)
    ss, cs = math.sin(sigma2), math.cos(sigma2)
    omega2 = math.atan2(sin_a0 * ss, cs)
    lon12 = omega2 - omega1 - WGS84_FLATTENING * sin_a0 * _i3(eps, sigma1, sigma2)
    reduced = math.atan2(cos_a0 * ss, math.hypot(cos_a0 * cs, sin_a0))
    lat2 = math.atan2(math.sin(reduced), (1.0 - WGS84_FLATTENING) * math.cos(reduced))
    return lat2, _turned(lon_rad + lon12), math.atan2(sin_a0, cos_a0 * cs)


@njit(cache=True, error_model="numpy")
def to_segment(
    lat_rad: float, lon_rad: float, lat1_rad: float, lon1_rad: float, lat2_rad: float, lon2_rad: float
) -> tuple[float, float]:
    """(distance in km of a point to the line between two others, km along it to the foot).

    The foot moves along the line by the leg of a spherical right triangle until it stands still (Baselga and
    Martinez-Llario, Stud. Geophys. Geod. 62, 2018, differ in the start); for lines up to 10,000 km.
    """
    length, ahead, _ = inverse(lat1_rad, lon1_rad, lat2_rad, lon2_rad)
    along = 0.0
    here_lat, here_lon, here_ahead = lat1_rad, lon1_rad, ahead
    distance, towards, _ = inverse(here_lat, here_lon, lat_rad, lon_rad)
    for _i in range(30):
        angle = distance / WGS84_POLE_KM
        step = WGS84_POLE_KM * math.atan2(math.sin(angle) * math.cos(towards - here_ahead), math.cos(angle))
        moved = min(max(along + step, 0.0), length)
        if abs(moved - along) < 1e-9:
            break
        along = moved
        here_lat, here_lon, here_ahead = direct(lat1_rad, lon1_rad, ahead, along)
        distance, towards, _ = inverse(here_lat, here_lon, lat_rad, lon_rad)
    return distance, along


@njit(cache=True, error_model="numpy")
def reduced(lat_rad: float) -> float:
    """Reduced latitude, of the auxiliary sphere."""
    s, c = _reduced(lat_rad)
    return math.atan2(s, c)


@njit(cache=True, error_model="numpy")
def arcs(reduced_rad: float, azimuth: float, distance: float, east: float) -> tuple[float, float, float, float, float]:
    """A line on the auxiliary sphere: sine and cosine of its azimuth at the equator, arcs from there, its longitude.

    The arcs are those to its two ends; `east` is the longitude between them on the ellipsoid (equations 8-11, 16, 20).
    """
    s1, c1 = math.sin(reduced_rad), math.cos(reduced_rad)
    sa, ca = math.sin(azimuth), math.cos(azimuth)
    sin_a0, cos_a0 = sa * c1, math.hypot(ca, sa * s1)
    sigma1 = math.atan2(s1, ca * c1)
    eps = _epsilon(cos_a0)
    tau = sigma1 + _sines_c1(eps, sigma1) + distance / (WGS84_POLE_KM * _a1(eps))
    sigma2 = tau + _sines_c1_back(eps, tau)
    return sin_a0, cos_a0, sigma1, sigma2, east + WGS84_FLATTENING * sin_a0 * _i3(eps, sigma1, sigma2)


@njit(cache=True, error_model="numpy")
def _turned(angle: float) -> float:
    """In [-pi, pi]."""
    return float(angle - 2.0 * math.pi * np.round(angle / (2.0 * math.pi)))


@njit(cache=True, error_model="numpy")
def _reduced(lat: float) -> tuple[float, float]:
    """Sine and cosine of the reduced latitude, the cosine never 0."""
    s, c = (1.0 - WGS84_FLATTENING) * math.sin(lat), max(math.cos(lat), 1e-200)
    h = math.hypot(s, c)
    return s / h, c / h


@njit(cache=True, error_model="numpy")
def _vincenty(s1: float, c1: float, s2: float, c2: float, east: float) -> tuple[float, float, float]:
    omega = east
    for _ in range(40):
        so, co = math.sin(omega), math.cos(omega)
        y1, x1 = c2 * so, c1 * s2 - s1 * c2 * co
        y2, x2 = c1 * so, c1 * s2 * co - s1 * c2
        sin_sigma = math.hypot(y1, x1)
        if sin_sigma == 0.0:
            return 0.0, 0.0, 0.0
        sigma = math.atan2(sin_sigma, s1 * s2 + c1 * c2 * co)
        sin_a0 = c1 * y1 / sin_sigma
        eps = _epsilon(math.hypot(x1, y1 * s1) / sin_sigma)
        sigma1 = math.atan2(s1 * sin_sigma, x1 * c1)
        new = east + WGS84_FLATTENING * sin_a0 * _i3(eps, sigma1, sigma1 + sigma)
        settled = abs(new - omega) <= 1e-15 * east
        omega = new
        if settled:
            break
    return _length(eps, sigma1, sigma1 + sigma), math.atan2(y1, x1), math.atan2(y2, x2)


@njit(cache=True, error_model="numpy")
def _nearly_antipodal(s1: float, c1: float, s2: float, c2: float, east: float) -> tuple[float, float, float]:
    """Karney's arrangement: the first point is the one farther from the equator, in the south (equation 44)."""
    if max(abs(s1), abs(s2)) < 1e-80 and east <= (1.0 - WGS84_FLATTENING) * math.pi:
        return WGS84_RADIUS_KM * east, 0.5 * math.pi, 0.5 * math.pi
    swapped = abs(s1) < abs(s2)
    if swapped:
        s1, c1, s2, c2 = s2, c2, s1, c1
    mirrored = s1 > 0.0
    if mirrored:
        s1, s2 = -s1, -s2
    s1 = min(s1, -1e-80)  # from the equator too the line leaves from south of it
    low, high = -0.5 * math.pi, 0.5 * math.pi
    for _ in range(400):  # far fewer unless a point lies within millimetres of the equator
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if _meeting(middle, s1, c1, s2, c2)[0] < east:
            low = middle
        else:
            high = middle
    _, distance, azimuth2 = _meeting(high, s1, c1, s2, c2)
    azimuth1 = 0.5 * math.pi + high
    if swapped:  # the other way round, both courses turn about
        azimuth1, azimuth2 = azimuth2, azimuth1
    if swapped != mirrored:
        azimuth1, azimuth2 = math.pi - azimuth1, math.pi - azimuth2
    return distance, azimuth1, azimuth2


@njit(cache=True, error_model="numpy")
def _meeting(south_of_east: float, s1: float, c1: float, s2: float, c2: float) -> tuple[float, float, float]:
    """(longitude, km, azimuth) where a line from the first point next meets the second's latitude, northbound."""
    sa, ca = math.cos(south_of_east), -math.sin(south_of_east)
    apart = (c2 - c1) * (c1 + c2) if c1 < -s1 else (s1 - s2) * (s1 + s2)  # equal; one keeps the digits
    cos_a2 = math.sqrt(max(ca * ca * c1 * c1 + apart, 0.0)) / c2
    sin_a0 = sa * c1
    sigma1, sigma2 = math.atan2(s1, ca * c1), math.atan2(s2, cos_a2 * c2)
    omega12 = math.atan2(sin_a0 * s2, cos_a2 * c2) - math.atan2(sin_a0 * s1, ca * c1)
    eps = _epsilon(math.hypot(ca, sa * s1))
    longitude = omega12 - WGS84_FLATTENING * sin_a0 * _i3(eps, sigma1, sigma2)
    return longitude, _length(eps, sigma1, sigma2), math.atan2(sin_a0 / c2, cos_a2)


@njit(cache=True, error_model="numpy")
def _epsilon(cos_a0: float) -> float:
    k2 = _EP2 * cos_a0 * cos_a0
    return k2 / (2.0 * (1.0 + math.sqrt(1.0 + k2)) + k2)


@njit(cache=True, error_model="numpy")
def _length(eps: float, sigma1: float, sigma2: float) -> float:
    """Equations 7 and 15."""
    return WGS84_POLE_KM * _a1(eps) * (sigma2 - sigma1 + _sines_c1(eps, sigma2) - _sines_c1(eps, sigma1))


@njit(cache=True, error_model="numpy")
def _a1(eps: float) -> float:
    e2 = eps * eps
    return (1.0 + e2 / 4.0 + e2 * e2 / 64.0 + e2 * e2 * e2 / 256.0) / (1.0 - eps)


@njit(cache=True, error_model="numpy")
def _sines(c1: float, c2: float, c3: float, c4: float, c5: float, c6: float, angle: float) -> float:
    """Sum of c_l sin(2 l angle) by Clenshaw's rule."""
    twice = 2.0 * math.cos(2.0 * angle)
    b5 = twice * c6 + c5
    b4 = twice * b5 - c6 + c4
    b3 = twice * b4 - b5 + c3
    b2 = twice * b3 - b4 + c2
    return math.sin(2.0 * angle) * (twice * b2 - b3 + c1)


@njit(cache=True, error_model="numpy")
def _sines_c1(eps: float, sigma: float) -> float:
    """Equation 18."""
    e2 = eps * eps
    return _sines(
        eps * (-1.0 / 2.0 + e2 * (3.0 / 16.0 - e2 / 32.0)),
        e2 * (-1.0 / 16.0 + e2 * (1.0 / 32.0 - e2 * 9.0 / 2048.0)),
        eps * e2 * (-1.0 / 48.0 + e2 * 3.0 / 256.0),
        e2 * e2 * (-5.0 / 512.0 + e2 * 3.0 / 512.0),
        eps * e2 * e2 * (-7.0 / 1280.0),
        e2 * e2 * e2 * (-7.0 / 2048.0),
        sigma,
    )


@njit(cache=True, error_model="numpy")
def _sines_c1_back(eps: float, tau: float) -> float:
    """Equation 21."""
    e2 = eps * eps
    return _sines(
        eps * (1.0 / 2.0 + e2 * (-9.0 / 32.0 + e2 * 205.0 / 1536.0)),
        e2 * (5.0 / 16.0 + e2 * (-37.0 / 96.0 + e2 * 1335.0 / 4096.0)),
        eps * e2 * (29.0 / 96.0 - e2 * 75.0 / 128.0),
        e2 * e2 * (539.0 / 1536.0 - e2 * 2391.0 / 2560.0),
        eps * e2 * e2 * (3467.0 / 7680.0),
        e2 * e2 * e2 * (38081.0 / 61440.0),
        tau,
    )


@njit(cache=True, error_model="numpy")
def _i3(eps: float, sigma1: float, sigma2: float) -> float:
    """I3 between two arcs; equations 23-25."""
    n, n2 = _N, _N * _N
    a3 = 1.0 - eps * (
        (1.0 - n) / 2.0
        + eps
        * (
            (1.0 / 4.0 + n / 8.0 - 3.0 * n2 / 8.0)
            + eps * ((1.0 + 3.0 * n + n2) / 16.0 + eps * ((3.0 + 2.0 * n) / 64.0 + eps * 3.0 / 128.0))
        )
    )
    e2 = eps * eps
    c1 = (1.0 - n) / 4.0 + eps * (
        (1.0 - n2) / 8.0 + eps * ((3.0 + 3.0 * n - n2) / 64.0 + eps * (5.0 + 2.0 * n) / 128.0)
    )
    c1 = eps * (c1 + e2 * e2 * 3.0 / 128.0)
    c2 = (2.0 - 3.0 * n + n2) / 32.0 + eps * ((3.0 - 2.0 * n - 3.0 * n2) / 64.0 + eps * (3.0 + n) / 128.0)
    c2 = e2 * (c2 + eps * e2 * 5.0 / 256.0)
    c3 = eps * e2 * ((5.0 - 9.0 * n + 5.0 * n2) / 192.0 + eps * ((9.0 - 10.0 * n) / 384.0 + eps * 7.0 / 512.0))
    c4 = e2 * e2 * ((7.0 - 14.0 * n) / 512.0 + eps * 7.0 / 512.0)
    c5 = eps * e2 * e2 * 21.0 / 2560.0
    sines = _sines(c1, c2, c3, c4, c5, 0.0, sigma2) - _sines(c1, c2, c3, c4, c5, 0.0, sigma1)
    return a3 * (sigma2 - sigma1 + sines)
