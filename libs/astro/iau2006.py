"""The celestial intermediate pole X, Y and the origin locator s of IAU 2006/2000A, by the full published series.

IERS Conventions (2010), section 5.5; numbers and their notice in data/iau2006.json. Angles rad; times TT.
"""

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from libs.astro.sincos import FAST, sincos
from libs.astro.time import DAYS_IN_CENTURY, J2000_JD

Array = np.ndarray[Any, np.dtype[np.float64]]
Tables = tuple[Array, Array, Array]

_ARCSECOND = math.pi / 648_000.0
NODE_DAYS = 0.25
_POWERS = 6
VALID_CENTURIES = 10.0  # the series are good within one and run away far beyond; a modified Julian date is 67 off

# Arguments as polynomials of Julian centuries (IERS Conventions 2003, eq. 5.43 and 5.44): l, l', F, D and the node of
# the Moon in arcseconds, longitudes of Mercury to Neptune and the general precession in rad.
_DELAUNAY = np.array([
    [485868.249036, 1717915923.2178, 31.8792, 0.051635, -0.00024470],
    [1287104.793048, 129596581.0481, -0.5532, 0.000136, -0.00001149],
    [335779.526232, 1739527262.8478, -12.7512, -0.001037, 0.00000417],
    [1072260.703692, 1602961601.2090, -6.3706, 0.006593, -0.00003169],
    [450160.398036, -6962890.5431, 7.4722, 0.007702, -0.00005939],
])  # fmt: skip
_PLANETS = np.array([
    [4.402608842, 2608.7903141574], [3.176146697, 1021.3285546211], [1.753470314, 628.3075849991],
    [6.203480913, 334.0612426700], [0.599546497, 52.9690962641], [0.874016757, 21.3299104960],
    [5.481293872, 7.4781598567], [5.311886287, 3.8133035638],
])  # fmt: skip
_PRECESSION = (0.0, 0.024381750, 0.00000538691)


@functools.cache
def _tables() -> Tables:
    """Polynomials (3, 6) rad; multipliers (m, 14); amplitudes (m, 3 quantities, sine and cosine, 5 powers), rad."""
    with Path(__file__).with_name("data").joinpath("iau2006.json").open(encoding="utf-8") as file:
        read = json.load(file)
    multipliers = np.array(read["frequencies"], dtype=np.float64)
    amplitudes = np.zeros((len(multipliers), 3, 2, 5))
    for at, quantity, cosine, power, value in read["amplitudes"]:
        amplitudes[at, quantity, cosine, power] = value * 1e-6 * _ARCSECOND
    return np.array(read["polynomials"]) * _ARCSECOND, multipliers, amplitudes.reshape(len(multipliers), 30)


def arguments(centuries: Array) -> Array:
    """The 14 fundamental arguments (14, n), rad."""
    powers = np.power.outer(centuries, np.arange(5)).T
    out = np.empty((14, centuries.size))
    out[:5] = np.fmod(_DELAUNAY @ powers, 1_296_000.0) * _ARCSECOND
    out[5:13] = _PLANETS @ powers[:2]
    out[13] = _PRECESSION[1] * centuries + _PRECESSION[2] * centuries**2
    return out


def pole(jd_tt: Array, fraction: Array) -> Array:
    """X, Y, s (3, n) rad at n TT Julian date pairs: the whole series, about 0.1 ms a time.

    Raises ValueError for times more than VALID_CENTURIES from 2000, as modified Julian dates are, and no numbers.
    Within 1 microarcsecond of the authors' numbers from 1900 to 2100; the pole itself departs from the model by up to
    0.5 milliarcseconds (free core nutation), which the dX, dY of Earth orientation files hold.
    """
    t = _days(jd_tt, fraction) / DAYS_IN_CENTURY
    polynomials, multipliers, amplitudes = _tables()
    out = np.empty((3, t.size))
    _series(t, arguments(t), polynomials, multipliers, amplitudes, out)
    return out


def pole_between(jd_tt: Array, fraction: Array) -> Array:
    """As `pole`, errors too, by four-point interpolation between nodes 6 h apart (1 microarcsecond): for near times."""
    t = _days(jd_tt, fraction)
    first = math.floor(t.min() / NODE_DAYS) - 1
    count = math.floor(t.max() / NODE_DAYS) - first + 3
    if count > t.size:  # times so far apart that the nodes between them are more than they
        return pole(np.full(t.size, J2000_JD), t)
    nodes = pole(np.full(count, J2000_JD), (first + np.arange(count)) * NODE_DAYS)
    at = t / NODE_DAYS - first
    k = at.astype(np.int64)
    x = at - k
    weights = (
        -x * (x - 1.0) * (x - 2.0) / 6.0,
        (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0,
        -(x + 1.0) * x * (x - 2.0) / 2.0,
        (x + 1.0) * x * (x - 1.0) / 6.0,
    )
    return sum((weights[i] * nodes[:, k - 1 + i] for i in range(4)), start=np.zeros((3, t.size)))


def _days(jd_tt: Array, fraction: Array) -> Array:
    """From J2000; refuses what the series were not made for."""
    if np.shape(jd_tt) != np.shape(fraction) or np.ndim(jd_tt) > 1:
        raise ValueError(f"times are pairs in one row, not of shapes {np.shape(jd_tt)} and {np.shape(fraction)}")
    days = np.atleast_1d((np.asarray(jd_tt) - J2000_JD) + fraction)
    if days.size == 0 or not np.all(np.abs(days) <= VALID_CENTURIES * DAYS_IN_CENTURY):
        raise ValueError(
            f"no time is given, or one is no number or over {VALID_CENTURIES:g} centuries from 2000: "
            "give Julian dates, TT"
        )
    return days


@njit(cache=True, error_model="numpy", fastmath=FAST, nogil=True)
def _series(t: Array, argument: Array, polynomials: Array, multipliers: Array, amplitudes: Array, out: Array) -> None:
    total = np.empty((3, _POWERS))
    for j in range(t.size):
        total[:] = polynomials
        for k in range(multipliers.shape[0]):
            angle = 0.0
            for i in range(14):
                angle += multipliers[k, i] * argument[i, j]
            s, c = sincos(angle)
            for quantity in range(3):
                for power in range(5):
                    at = quantity * 10 + power
                    total[quantity, power] += amplitudes[k, at] * s + amplitudes[k, at + 5] * c
        for quantity in range(3):
            value = 0.0
            for power in range(_POWERS):
                value = value * t[j] + total[quantity, _POWERS - 1 - power]
            out[quantity, j] = value
        out[2, j] -= 0.5 * out[0, j] * out[1, j]
