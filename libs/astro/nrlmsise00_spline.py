"""NRLMSISE-00's cubic splines of inverse temperature over geopotential height, of up to five nodes."""

from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]


@njit(cache=True, error_model="numpy")
def zeta(z: float, z0: float, re: float) -> float:
    """Geopotential height of z above z0, km."""
    return (z - z0) * (re + z0) / (re + z)


@njit(cache=True, error_model="numpy")
def fit_spline(z: Array, t: Array, slope1: float, slope2: float, re: float, out: Array) -> float:
    """Cubic spline of 1/T over scaled geopotential height, into out: nodes, values and second derivatives, 5 each.

    Returns the geopotential height between the end nodes, km.
    """
    n = z.shape[0]
    whole = zeta(z[n - 1], z[0], re)
    for k in range(n):
        out[k] = zeta(z[k], z[0], re) / whole
        out[5 + k] = 1.0 / t[k]
    yd1 = -slope1 / (t[0] * t[0]) * whole
    yd2 = -slope2 / (t[n - 1] * t[n - 1]) * whole * ((re + z[n - 1]) / (re + z[0])) ** 2
    x, y, y2, u = out[0:5], out[5:10], out[10:15], out[15:20]
    y2[0] = -0.5
    u[0] = (3.0 / (x[1] - x[0])) * ((y[1] - y[0]) / (x[1] - x[0]) - yd1)
    for i in range(1, n - 1):
        sig = (x[i] - x[i - 1]) / (x[i + 1] - x[i - 1])
        q = sig * y2[i - 1] + 2.0
        y2[i] = (sig - 1.0) / q
        rise = (y[i + 1] - y[i]) / (x[i + 1] - x[i]) - (y[i] - y[i - 1]) / (x[i] - x[i - 1])
        u[i] = (6.0 * rise / (x[i + 1] - x[i - 1]) - sig * u[i - 1]) / q
    un = (3.0 / (x[n - 1] - x[n - 2])) * (yd2 - (y[n - 1] - y[n - 2]) / (x[n - 1] - x[n - 2]))
    y2[n - 1] = (un - 0.5 * u[n - 2]) / (0.5 * y2[n - 2] + 1.0)
    for k in range(n - 2, -1, -1):
        y2[k] = y2[k] * y2[k + 1] + u[k]
    return whole


@njit(cache=True, error_model="numpy")
def value(spline: Array, n: int, x: float) -> float:
    low = 0
    while low < n - 2 and x > spline[low + 1]:
        low += 1
    h = spline[low + 1] - spline[low]
    a = (spline[low + 1] - x) / h
    b = (x - spline[low]) / h
    curved = (a * a * a - a) * spline[10 + low] + (b * b * b - b) * spline[11 + low]
    return float(a * spline[5 + low] + b * spline[6 + low] + curved * h * h / 6.0)


@njit(cache=True, error_model="numpy")
def integral(spline: Array, n: int, x: float) -> float:
    """From the first node to x."""
    total = 0.0
    low = 0
    while low < n - 1 and x > spline[low]:
        high = low + 1
        end = x if high == n - 1 else min(x, spline[high])
        h = spline[high] - spline[low]
        a = (spline[high] - end) / h
        b = (end - spline[low]) / h
        a2, b2 = a * a, b * b
        curved = (-(1.0 + a2 * a2) / 4.0 + a2 / 2.0) * spline[10 + low] + (b2 * b2 / 4.0 - b2 / 2.0) * spline[10 + high]
        total += ((1.0 - a2) * spline[5 + low] / 2.0 + b2 * spline[5 + high] / 2.0 + curved * h * h / 6.0) * h
        low += 1
    return total
