"""SGP4's near-Earth motion for nearly circular orbits: one loop over times, without branches or calls.

The same equations as sgp4_general, with series where a small eccentricity lets them replace roots and quotients, and
Kepler's equation solved for E - u by a series of third order and two Newton steps. Within 1e-7 km of sgp4_general.
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


def _loop(fixed: bool) -> Any:
    """The loop for TEME, or with polar motion: two loops, as a choice within one would cost both."""

    @njit(cache=True, error_model="numpy", fastmath=FAST)
    def fly(
        c: Array,
        minutes: Array,
        offset: float,
        gst: Array,
        spin: float,
        xp: Array,
        yp: Array,
        out: Array,
        first: int,
        codes: Codes,
    ) -> None:
        """States into columns of out (6, m) from first on, km and km/s, errors into codes (n,), at n minutes + offset.

        The axes are those of TEME turned by gst (rad, of each time) about z and turning with spin (rad/s);
        fly_fixed goes on to ITRF with the pole at (xp, yp), rad, of each time.
        """
        mo, mdot, argpo, argpdot, nodeo, nodedot = c[0], c[1], c[2], c[3], c[4], c[5]
        nodecf, cc1, bcc4, bcc5, t2cof, omgcof, xmcof, eta = c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
        delmo, sinmao, d2, d3, d4, t3cof, t4cof, t5cof = c[14], c[15], c[16], c[17], c[18], c[19], c[20], c[21]
        no, ecco, xlcof, aycof, con41, x1mth2, x7thm1 = (
            c[NO],
            c[ECCO],
            c[XLCOF],
            c[AYCOF],
            c[CON41],
            c[X1MTH2],
            c[X7THM1],
        )
        cosi, sini, rao = c[COSIO], c[SINIO], math.sqrt(c[AO])
        km, km_s = WGS72_RADIUS_KM, WGS72_RADIUS_KM * XKE / 60.0
        # products of constants are taken here, and angles in halves, as multiplications are what the loop waits for
        mo, mdot, argpo, argpdot, omgcof, xmcof = (
            0.5 * mo,
            0.5 * mdot,
            0.5 * argpo,
            0.5 * argpdot,
            0.5 * omgcof,
            0.5 * xmcof,
        )
        nodeo, nodedot, nodecf, xlcof = 0.5 * nodeo, 0.5 * nodedot, 0.5 * nodecf, 0.5 * xlcof
        t2cof, t3cof, t4cof, t5cof = 0.5 * no * t2cof, 0.5 * no * t3cof, 0.5 * no * t4cof, 0.5 * no * t5cof
        con41, x7thm1, cosi15, cross = 1.5 * con41, -0.25 * x7thm1, 1.5 * cosi, 1.5 * cosi * sini
        half_j2, x1mth4 = 0.5 * WGS72_J2, 0.5 * x1mth2
        last = first + minutes.size
        o0, o1, o2 = out[0][first:last], out[1][first:last], out[2][first:last]  # slices of rows are known to be dense
        o3, o4, o5 = out[3][first:last], out[4][first:last], out[5][first:last]
        for j in range(minutes.size):
            t = minutes[j] + offset
            t2 = t * t
            xmdf = mo + mdot * t
            sm, cm = sincos_of_half(xmdf)
            dm = 1.0 + eta * cm
            wobble = omgcof * t + xmcof * (dm * dm * dm - delmo)
            sm, cm = turned(sm, cm, wobble + wobble)
            em = ecco - bcc4 * t - bcc5 * (sm - sinmao)
            codes[j] = 1 if em < -0.001 else 0
            em = max(em, 1.0e-6)
            argp = argpo + argpdot * t - wobble
            sa = rao * (1.0 - t * (cc1 + t * (d2 + t * (d3 + t * d4))))  # square root of the semi-major axis
            isa = 1.0 / sa
            ia = isa * isa
            sw, cw = sincos_of_half(argp)
            e2 = em * em
            tp = ia * (1.0 + e2 * (1.0 + e2 * (1.0 + e2 * (1.0 + e2))))
            axn, ayn = em * cw, em * sw + tp * aycof
            u = xmdf + wobble + argp + t2 * (t2cof + t * (t3cof + t * (t4cof + t * t5cof))) + tp * xlcof * axn
            su, cu = sincos_of_half(u)
            # Kepler: d = E - u, d = es cos d + ec sin d
            es, ec = axn * su - ayn * cu, axn * cu + ayn * su
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
            ecose, esine = ec * cd - es * sd, es * cd + ec * sd
            se, ce = su * cd + cu * sd, cu * cd - su * sd
            # short periods; x is the square of the long-period eccentricity
            x = axn * axn + ayn * ayn
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
            t2s, t2c = t2p * s2, t2p * c2
            mrt = sa * sa * rl * (1.0 - t2p * beta * con41) + t1 * (x1mth4 * c2)
            codes[j] = max(codes[j], 6 if mrt < 1.0 and codes[j] == 0 else 0)
            sinu, cosu = nudged(sinu, cosu, x7thm1 * t2s)
            sn, cn = sincos_of_half(nodeo + nodedot * t + nodecf * t2 - 0.5 * gst[j])
            sn, cn = nudged(sn, cn, cosi15 * t2s)
            si, ci = nudged(sini, cosi, cross * t2c)
            ux, uy, uz = cn * cosu - sn * ci * sinu, sn * cosu + cn * ci * sinu, si * sinu
            vx, vy, vz = -cn * sinu - sn * ci * cosu, cn * ci * cosu - sn * sinu, si * cosu
            speed, nt = isa * km_s, ia * t1
            mvt = speed * (esine * arl - nt * x1mth2 * s2)
            rvdot = speed * (beta * arl + nt * (x1mth2 * c2 + con41))
            r = mrt * km
            x, y, z = r * ux, r * uy, r * uz
            vx = mvt * ux + rvdot * vx + spin * y
            vy = mvt * uy + rvdot * vy - spin * x
            vz = mvt * uz + rvdot * vz
            if fixed:  # as frames.polar_motion
                px, py = xp[j], yp[j]
                cx, cy = 1.0 - 0.5 * px * px, 1.0 - 0.5 * py * py
                tilted, leaning = py * y + cy * z, py * vy + cy * vz
                x, y, z = cx * x + px * tilted, cy * y - py * z, cx * tilted - px * x
                vx, vy, vz = cx * vx + px * leaning, cy * vy - py * vz, cx * leaning - px * vx
            o0[j], o1[j], o2[j] = x, y, z
            o3[j], o4[j], o5[j] = vx, vy, vz

    return fly


fly = _loop(fixed=False)
fly_fixed = _loop(fixed=True)
