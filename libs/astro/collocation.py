"""Collocation at Radau's points: an arc of a smooth motion as one polynomial, with the rates given at NODES points.

E. Hairer, G. Wanner, "Solving Ordinary Differential Equations II", 2nd ed., Springer 1996, section IV.5 (Radau IIA, of
order 2 NODES - 1). The last point is the end of the arc. Places run from 0 to 1 over the arc.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.polynomial import legendre

Array = np.ndarray[Any, np.dtype[np.float64]]

NODES = 24


def _points() -> Array:
    """Zeros of P_n - P_(n-1) on -1 to 1, the eigenvalues refined by Newton's method."""
    series = np.zeros(NODES + 1)
    series[-2:] = -1.0, 1.0
    x = np.sort(legendre.legroots(series).real)
    for _ in range(3):
        x -= legendre.legval(x, series) / legendre.legval(x, legendre.legder(series))
    return np.asarray(x)


def _integrals(x: Array) -> Array:
    """Integral of each Legendre polynomial from -1 to x, [place, degree]."""
    return np.stack([legendre.legval(x, legendre.legint(row, lbnd=-1)) for row in np.eye(NODES)], axis=-1)


_X = _points()
PLACES = 0.5 * (1.0 + _X)
SPECTRUM = np.linalg.inv(legendre.legvander(_X, NODES - 1))  # Legendre coefficients of values at the points
# Shares of the rate at one point in the integral to another, over an arc of length 1: [rate at x NODES + integral to].
INTEGRALS = np.ascontiguousarray(0.5 * (_integrals(_X) @ SPECTRUM).T).reshape(-1)
WEIGHTS = np.ascontiguousarray(INTEGRALS[NODES - 1 :: NODES])  # of an integral over the whole arc


@njit(cache=True, error_model="numpy", nogil=True)
def spectrum(a: Array, o: int, out: Array) -> None:
    """Legendre coefficients of the rates, into out[0..NODES)."""
    for k in range(NODES):
        out[k] = 0.0
        for j in range(NODES):
            out[k] += SPECTRUM[k, j] * a[o + j]


@njit(cache=True, error_model="numpy", nogil=True)
def between(coefficients: Array, place: float) -> float:
    """Integral of rates from their coefficients up to any place of the arc."""
    x = 2.0 * place - 1.0
    before, one = 1.0, x
    total = coefficients[0] * (x + 1.0)
    for k in range(1, NODES):
        after = ((2 * k + 1) * x * one - k * before) / (k + 1)
        total += coefficients[k] * (after - before) / (2 * k + 1)
        before, one = one, after
    return 0.5 * total
