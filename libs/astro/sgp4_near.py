"""SGP4's near-Earth motion for nearly circular orbits: six loops over a block of times, without branches or calls.

The same equations as sgp4_general, with series where a small eccentricity lets them replace roots and quotients, and
Kepler's equation solved for E - u by a series of third order and two Newton steps. Within 1e-7 km of sgp4_general.
Angles are handed on in halves, as sincos_of_half takes them, and products of constants are taken before the loops.
Each loop is short enough for a processor to begin the next times before the last are done; as one loop, most of the
time is spent waiting for results.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.earth import WGS72_J2, WGS72_RADIUS_KM
from libs.astro.sgp4_start import (
    AO,
    AYCOF,
    CON41,
    COSIO,
    DEEP,
    ECCO,
    NO,
    SINIO,
    X1MTH2,
    X7THM1,
    XKE,
    XLCOF,
)  # fmt: skip
from libs.astro.sincos import FAST, nudged, sincos_of_half, turned

Array = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.uint8]]

BLOCK = 256
ROWS = 16
# Where each row of the working space begins, at distances known to the compiler so that it need not look for overlap.
# Sines and cosines of mean anomaly, node and argument of latitude; then what one stage leaves to the next.
_SM, _CM, _SN, _CN, _SU, _CU, _SA, _ISA, _AXN, _AYN, _U, _ES, _EC, _R, _RATE, _ACROSS = range(0, ROWS * BLOCK, BLOCK)
_WOBBLE, _T2S, _T2C = _U, _ES, _EC
MAX_ECCENTRICITY = 0.1
_MAX_TURN_RAD = 0.1


@njit(cache=True, error_model="numpy")
def holds(c: Array, span_min: float) -> bool:
    """Whether the series hold for the record c at all times within span_min of its epoch."""
    t = span_min
    wobble = abs(c[11]) * t + abs(c[12]) * ((1.0 + c[13]) ** 3 + abs(c[14]))
    drag = t * (abs(c[7]) + t * (abs(c[16]) + t * (abs(c[17]) + t * abs(c[18]))))
    e = c[ECCO] + abs(c[8]) * t + 2.0 * abs(c[9]) + 2.0 * abs(c[AYCOF])
    held: bool = c[DEEP] == 0.0 and wobble < _MAX_TURN_RAD and drag < 0.2 and e < MAX_ECCENTRICITY
    return held


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _angles(c: Array, minutes: Array, offset: float, gst: Array, w: Array) -> None:
    """Mean anomaly and node, and the turn by drag between the anomaly and the perigee."""
    mo, mdot, nodeo, nodedot, nodecf = 0.5 * c[0], 0.5 * c[1], 0.5 * c[4], 0.5 * c[5], 0.5 * c[6]
    omgcof, xmcof, eta, delmo = 0.5 * c[11], 0.5 * c[12], c[13], c[14]
    for j in range(min(minutes.size, BLOCK)):
        t = minutes[j] + offset
        sm, cm = sincos_of_half(mo + mdot * t)
        dm = 1.0 + eta * cm
        w[_WOBBLE + j] = omgcof * t + xmcof * (dm * dm * dm - delmo)
        w[_SM + j], w[_CM + j] = sm, cm
        w[_SN + j], w[_CN + j] = sincos_of_half(nodeo + nodedot * t + nodecf * (t * t) - 0.5 * gst[j])


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _elements(c: Array, minutes: Array, offset: float, w: Array, codes: Codes) -> None:
    """Root of the semi-major axis, long-period eccentricity vector, half the mean argument of latitude."""
    mo, mdot, argpo, argpdot, rao = 0.5 * c[0], 0.5 * c[1], 0.5 * c[2], 0.5 * c[3], math.sqrt(c[AO])
    cc1, bcc4, bcc5, sinmao, d2, d3, d4, half_no = c[7], c[8], c[9], c[15], c[16], c[17], c[18], 0.5 * c[NO]
    t2cof, t3cof, t4cof, t5cof = half_no * c[10], half_no * c[19], half_no * c[20], half_no * c[21]
    ecco, xlcof, aycof = c[ECCO], 0.5 * c[XLCOF], c[AYCOF]
    for j in range(min(minutes.size, BLOCK)):
        t = minutes[j] + offset
        wobble = w[_WOBBLE + j]
        sm, _ = turned(w[_SM + j], w[_CM + j], wobble + wobble)
        em = ecco - bcc4 * t - bcc5 * (sm - sinmao)
        codes[j] = 1 if em < -0.001 else 0
        em = max(em, 1.0e-6)
        sa = rao * (1.0 - t * (cc1 + t * (d2 + t * (d3 + t * d4))))
        isa = 1.0 / sa
        argp = argpo + argpdot * t
        sw, cw = sincos_of_half(argp - wobble)
        e2 = em * em
        tp = isa * isa * (1.0 + e2 * (1.0 + e2 * (1.0 + e2 * (1.0 + e2))))
        axn = em * cw
        w[_SA + j], w[_ISA + j], w[_AXN + j], w[_AYN + j] = sa, isa, axn, em * sw + tp * aycof
        drag = t * t * (t2cof + t * (t3cof + t * (t4cof + t * t5cof)))
        w[_U + j] = mo + mdot * t + argp + drag + tp * xlcof * axn


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _latitudes(w: Array, n: int) -> None:
    """Sine and cosine of the mean argument of latitude u, and the eccentricity vector along and across it."""
    for j in range(min(n, BLOCK)):
        axn, ayn = w[_AXN + j], w[_AYN + j]
        su, cu = sincos_of_half(w[_U + j])
        w[_SU + j], w[_CU + j] = su, cu
        w[_ES + j], w[_EC + j] = axn * su - ayn * cu, axn * cu + ayn * su


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _kepler(w: Array, n: int) -> None:
    """Turns u into the eccentric E by d = E - u = es cos d + ec sin d, and the vector with it: e sin E and e cos E."""
    for j in range(min(n, BLOCK)):
        es, ec = w[_ES + j], w[_EC + j]
        d = es * (1.0 + ec * (1.0 + ec) - 0.5 * es * es)
        z = d * d
        sd = d * (1.0 + z * (-1.6666666666666666e-01 + z * (8.333333333333333e-03 - z * 1.984126984126984e-04)))
        cd = 1.0 + z * (-0.5 + z * (4.1666666666666664e-02 - z * 1.388888888888889e-03))
        q = ec * cd - es * sd
        inverse = 1.0 + q * (1.0 + q * (1.0 + q * (1.0 + q)))
        step = (es * cd + ec * sd - d) * inverse
        half = 0.5 * step * step
        turn = step * (1.0 - half * (1.0 / 3.0))
        sd, cd = sd - half * sd + turn * cd, cd - half * cd - turn * sd
        step = (es * cd + ec * sd - (d + step)) * inverse
        sd, cd = sd + step * cd, cd - step * sd
        w[_EC + j], w[_ES + j] = ec * cd - es * sd, es * cd + ec * sd
        su, cu = w[_SU + j], w[_CU + j]
        w[_SU + j], w[_CU + j] = su * cd + cu * sd, cu * cd - su * sd


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _short_periods(c: Array, w: Array, n: int, codes: Codes) -> None:
    """Distance and its rate, speed across it, argument of latitude, and what turns node and inclination."""
    con41, x7thm1, x1mth2 = 1.5 * c[CON41], -0.25 * c[X7THM1], c[X1MTH2]
    km_s, half_j2, x1mth4 = WGS72_RADIUS_KM * XKE / 60.0, 0.5 * WGS72_J2, 0.5 * x1mth2
    for j in range(min(n, BLOCK)):
        sa, isa, axn, ayn = w[_SA + j], w[_ISA + j], w[_AXN + j], w[_AYN + j]
        ecose, esine, se, ce = w[_EC + j], w[_ES + j], w[_SU + j], w[_CU + j]
        ia = isa * isa
        x = axn * axn + ayn * ayn  # square of the long-period eccentricity
        beta = 1.0 - x * (0.5 + x * (0.125 + x * (0.0625 + x * 0.0390625)))
        half = 0.5 + x * (0.125 + x * (0.0625 + x * (0.0390625 + x * 0.02734375)))
        ipl = ia * (1.0 + x * (1.0 + x * (1.0 + x * (1.0 + x))))
        rl = 1.0 - ecose
        arl = 1.0 / rl
        tt = esine * half
        sinu, cosu = arl * (se - ayn - axn * tt), arl * (ce - axn + ayn * tt)
        s2, c2 = (cosu + cosu) * sinu, 1.0 - 2.0 * sinu * sinu
        t1 = half_j2 * ipl
        t2p = t1 * ipl
        mrt = sa * sa * rl * (1.0 - t2p * beta * con41) + t1 * (x1mth4 * c2)
        codes[j] = max(codes[j], 6 if mrt < 1.0 and codes[j] == 0 else 0)
        speed, nt = isa * km_s, ia * t1
        w[_R + j] = mrt * WGS72_RADIUS_KM
        w[_RATE + j] = speed * (esine * arl - nt * x1mth2 * s2)
        w[_ACROSS + j] = speed * (beta * arl + nt * (x1mth2 * c2 + con41))
        t2s = t2p * s2
        w[_SU + j], w[_CU + j] = nudged(sinu, cosu, x7thm1 * t2s)
        w[_T2S + j], w[_T2C + j] = t2s, t2p * c2


def _last(fixed: bool) -> Any:
    """The last loop for TEME, or with polar motion: two loops, as a choice within one would cost both."""

    @njit(cache=True, error_model="numpy", fastmath=FAST)
    def turn(
        c: Array, spin: float, xp: Array, yp: Array, w: Array, out: Array, first: int, n: int
    ) -> None:  # fmt: skip
        cosi, sini = c[COSIO], c[SINIO]
        cosi15, cross = 1.5 * cosi, 1.5 * cosi * sini
        last = first + n
        o0, o1, o2 = out[0][first:last], out[1][first:last], out[2][first:last]  # slices of rows are known to be dense
        o3, o4, o5 = out[3][first:last], out[4][first:last], out[5][first:last]
        for j in range(min(n, BLOCK)):
            sinu, cosu, t2s = w[_SU + j], w[_CU + j], w[_T2S + j]
            sn, cn = nudged(w[_SN + j], w[_CN + j], cosi15 * t2s)
            si, ci = nudged(sini, cosi, cross * w[_T2C + j])
            ux, uy, uz = cn * cosu - sn * ci * sinu, sn * cosu + cn * ci * sinu, si * sinu
            vx, vy, vz = -cn * sinu - sn * ci * cosu, cn * ci * cosu - sn * sinu, si * cosu
            r, rate, across = w[_R + j], w[_RATE + j], w[_ACROSS + j]
            x, y, z = r * ux, r * uy, r * uz
            vx = rate * ux + across * vx + spin * y
            vy = rate * uy + across * vy - spin * x
            vz = rate * uz + across * vz
            if fixed:  # as frames.polar_motion
                px, py = xp[j], yp[j]
                cx, cy = 1.0 - 0.5 * px * px, 1.0 - 0.5 * py * py
                tilted, leaning = py * y + cy * z, py * vy + cy * vz
                x, y, z = cx * x + px * tilted, cy * y - py * z, cx * tilted - px * x
                vx, vy, vz = cx * vx + px * leaning, cy * vy - py * vz, cx * leaning - px * vx
            o0[j], o1[j], o2[j] = x, y, z
            o3[j], o4[j], o5[j] = vx, vy, vz

    return turn


_turn = _last(fixed=False)
_turn_fixed = _last(fixed=True)


@njit(cache=True, error_model="numpy")
def fly(
    c: Array, minutes: Array, offset: float, gst: Array, spin: float, xp: Array, yp: Array, out: Array, begin: int,
    codes: Codes, work: Array,
) -> None:  # fmt: skip
    """States into columns of out (6, m) from begin on, km and km/s, errors into codes (n,), at n minutes + offset.

    The axes are those of TEME turned by gst (rad, of each time) about z and turning with spin (rad/s), and then, where
    they turn, of ITRF with the pole at (xp, yp), rad, of each time. work is (ROWS * BLOCK,).
    """
    for first in range(0, minutes.size, BLOCK):
        last = min(first + BLOCK, minutes.size)
        times, code = minutes[first:last], codes[first:last]
        _angles(c, times, offset, gst[first:last], work)
        _elements(c, times, offset, work, code)
        _latitudes(work, last - first)
        _kepler(work, last - first)
        _short_periods(c, work, last - first, code)
        if spin == 0.0:
            _turn(c, spin, xp, yp, work, out, begin + first, last - first)
        else:
            _turn_fixed(c, spin, xp[first:last], yp[first:last], work, out, begin + first, last - first)
