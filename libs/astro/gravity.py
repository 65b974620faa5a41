"""The Earth's pull in an inertial frame whose z axis is the pole, and free flight in it. Units: km, s.

EGM96 (F. G. Lemoine et al., NASA/TP-1998-206861): zonal terms to degree 6, and as an option (`tesseral`) the terms to
degree and order 4 that turn with the Earth, which changed no predicted decay measurably.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.dop853 import STAGES, A
from libs.astro.earth import EGM96_J2, EGM96_J3, EGM96_J4, EGM96_J5, EGM96_J6, WGS84_MU_KM3_S2, WGS84_RADIUS_KM

Array = np.ndarray[Any, np.dtype[np.float64]]

J = np.array([0.0, 0.0, EGM96_J2, EGM96_J3, EGM96_J4, EGM96_J5, EGM96_J6])
WORK_SHAPE = (STAGES, 6)
TESSERAL_DEGREE = 4
# Fully normalised coefficients of orders 1 to 4, each row a degree from 2.
_C_NORMALISED = np.array([
    [-1.86987635955e-10, 2.43914352398e-6, 0.0, 0.0],
    [2.02998882184e-6, 9.04627768605e-7, 7.21072657057e-7, 0.0],
    [-5.36321616971e-7, 3.50694105785e-7, 9.90771803829e-7, -1.88560802735e-7],
])  # fmt: skip
_S_NORMALISED = np.array([
    [1.19528012031e-9, -1.40016683654e-6, 0.0, 0.0],
    [2.48513158716e-7, -6.19025944205e-7, 1.41435626958e-6, 0.0],
    [-4.73440265853e-7, 6.6267157254e-7, -2.00928369177e-7, 3.08853169333e-7],
])  # fmt: skip


def _plain(normalised: Array) -> Array:
    """Indexed [degree, order], times sqrt(2 (2n + 1) (n - m)!/(n + m)!)."""
    plain = np.zeros((TESSERAL_DEGREE + 1, TESSERAL_DEGREE + 1))
    for n in range(2, TESSERAL_DEGREE + 1):
        for m in range(1, n + 1):
            norm = 2.0 * (2 * n + 1) * math.factorial(n - m) / math.factorial(n + m)
            plain[n, m] = math.sqrt(norm) * normalised[n - 2, m - 1]
    return plain


C, S = _plain(_C_NORMALISED), _plain(_S_NORMALISED)


@njit(cache=True, error_model="numpy", nogil=True)
def acceleration(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Gradient of mu/r (1 - sum J_n (R/r)^n P_n(z/r)), km s-2."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    u, q = z / r, WGS84_RADIUS_KM / r
    pull = WGS84_MU_KM3_S2 / r2
    before, legendre = 1.0, u
    slope_before, slope = 0.0, 1.0
    radial, polar, scale = -1.0, 0.0, q
    for n in range(2, 7):
        before, legendre = legendre, ((2 * n - 1) * u * legendre - (n - 1) * before) / n
        slope_before, slope = slope, slope_before + (2 * n - 1) * before
        scale *= q
        radial += J[n] * scale * ((n + 1) * legendre + u * slope)
        polar -= J[n] * scale * slope
    return pull * radial * x / r, pull * radial * y / r, pull * (radial * z / r + polar)


@njit(inline="always")
def zonal(u: float, q: float) -> tuple[float, float]:
    """Pull of J2 to J6 along the radius and along the pole, in units of mu/r2; u = z/r, q = R/r.

    Gradient of -mu/r sum J_n q^n P_n(u).
    """
    u2, q2 = u * u, q * q
    j2, j3, j4 = q2 * J[2], q2 * q * J[3], q2 * q2 * J[4]
    j5, j6 = q2 * q2 * q * J[5], q2 * q2 * q2 * J[6]
    p2, slope2 = 1.5 * u2 - 0.5, 3.0 * u
    p3, slope3 = u * (2.5 * u2 - 1.5), 7.5 * u2 - 1.5
    p4, slope4 = u2 * (4.375 * u2 - 3.75) + 0.375, u * (17.5 * u2 - 7.5)
    p5, slope5 = u * (u2 * (7.875 * u2 - 8.75) + 1.875), u2 * (39.375 * u2 - 26.25) + 1.875
    p6 = u2 * (u2 * (14.4375 * u2 - 19.6875) + 6.5625) - 0.3125
    slope6 = u * (u2 * (86.625 * u2 - 78.75) + 13.125)
    polar = j2 * slope2 + j3 * slope3 + j4 * slope4 + j5 * slope5 + j6 * slope6
    radial = 3.0 * j2 * p2 + 4.0 * j3 * p3 + 5.0 * j4 * p4 + 6.0 * j5 * p5 + 7.0 * j6 * p6 + u * polar
    return radial, -polar


@njit(cache=True, error_model="numpy", nogil=True)
def tesseral(x: float, y: float, z: float, turned_rad: float) -> tuple[float, float, float]:
    """Pull of the tesseral terms on a point of the inertial frame, km s-2, where Greenwich stands at turned_rad.

    Gradient of mu/r sum (R/r)^n A_nm(u) (C_nm Re + S_nm Im)(s + i t)^m, where s, t, u are the direction in the turning
    frame and A_nm is the Legendre function over cos^m: S. Pines, AIAA J. 11 (11), 1508, 1973.
    """
    cg, sg = math.cos(turned_rad), math.sin(turned_rad)
    r = math.sqrt(x * x + y * y + z * z)
    s, t, u = (cg * x + sg * y) / r, (cg * y - sg * x) / r, z / r
    q = WGS84_RADIUS_KM / r
    along_s, along_t, along_u, radial = 0.0, 0.0, 0.0, 0.0
    re, im, re_before, im_before = s, t, 1.0, 0.0
    first, scale = 1.0, q
    for m in range(1, TESSERAL_DEGREE + 1):
        above, before, next_above, next_before = first, 0.0, 0.0, 0.0  # A and A' at degree m
        power = scale
        for n in range(m, TESSERAL_DEGREE + 1):
            if n > m:
                above, before = ((2 * n - 1) * u * above - (n + m - 1) * before) / (n - m), above
                if n == m + 1:
                    next_above = first * (2 * m + 1)
                else:
                    next_above, next_before = (
                        ((2 * n - 1) * u * next_above - (n + m) * next_before) / (n - m - 1),
                        next_above,
                    )
                power *= q
            c, d = C[n, m], S[n, m]
            wave = c * re + d * im
            along_s += power * above * m * (c * re_before + d * im_before)
            along_t += power * above * m * (d * re_before - c * im_before)
            along_u += power * next_above * wave
            radial += power * ((n + m + 1) * above + u * next_above) * wave
        re_before, im_before, re, im = re, im, s * re - t * im, s * im + t * re
        first *= 2 * m + 1
        scale *= q
    pull = WGS84_MU_KM3_S2 / (r * r)
    gs, gt, gu = along_s - radial * s, along_t - radial * t, along_u - radial * u
    return pull * (cg * gs - sg * gt), pull * (sg * gs + cg * gt), pull * gu


@njit(cache=True, error_model="numpy")
def energy(state: Array) -> float:
    """Specific energy, km2 s-2, constant in free flight."""
    r = math.sqrt(state[0] ** 2 + state[1] ** 2 + state[2] ** 2)
    u, q = state[2] / r, WGS84_RADIUS_KM / r
    before, legendre, scale, potential = 1.0, u, q, 1.0
    for n in range(2, 7):
        before, legendre = legendre, ((2 * n - 1) * u * legendre - (n - 1) * before) / n
        scale *= q
        potential -= J[n] * scale * legendre
    return float(0.5 * (state[3] ** 2 + state[4] ** 2 + state[5] ** 2) - WGS84_MU_KM3_S2 / r * potential)


@njit(cache=True, error_model="numpy", nogil=True)
def coast(state: Array, step_s: float, work: Array) -> None:
    """Free flight of (km, km/s) in place by one step of order 8; at most ~60 s a step keeps 1e-12 of the energy."""
    for s in range(STAGES):
        for i in range(3):
            dr, dv = 0.0, 0.0
            for k in range(s):
                dr += A[s, k] * work[k, i]
                dv += A[s, k] * work[k, 3 + i]
            work[s, i] = state[3 + i] + step_s * dv
            work[s, 3 + i] = state[i] + step_s * dr
        work[s, 3], work[s, 4], work[s, 5] = acceleration(work[s, 3], work[s, 4], work[s, 5])
    for i in range(3):
        dr, dv = 0.0, 0.0
        for s in range(STAGES):
            dr += A[STAGES, s] * work[s, i]
            dv += A[STAGES, s] * work[s, 3 + i]
        state[i] += step_s * dr
        state[3 + i] += step_s * dv
