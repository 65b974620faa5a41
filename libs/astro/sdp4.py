"""SGP4's deep-space part: the pull of the Sun and the Moon, and resonance with the Earth's rotation.

F. R. Hoots, R. L. Roehrich, Spacetrack Report #3, 1980; F. R. Hoots, P. W. Schumacher, R. A. Glover, "History of
analytical orbit modeling in the U.S. space surveillance system", J. Guid. Control Dyn. 27(2), 2004, appendix C, in the
form of Vallado et al., AIAA 2006-6753 ("improved" mode). Angles rad, times minutes, lengths Earth radii; the symbols
are those of the report.
"""

import math
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]

# Where the record of a deep-space object keeps what; one body's periodics are E2 E3 I2 I3 L2 L3 L4 G2 G3 G4 H2 H3.
SUN, MOON = 0, 12
SUN_ANOMALY, MOON_ANOMALY = 24, 25
RATES = 26  # de/dt, di/dt, dM/dt, dnode/dt, dargp/dt
RESONANCE, GST, LAMBDA, LAMBDA_RATE, TERMS = 31, 32, 33, 34, 35
SIZE = 45

NONE, SYNCHRONOUS, HALF_DAY = 0.0, 1.0, 2.0
STEP_MIN = 720.0
EARTH_RATE_RAD_MIN = 4.37526908801129966e-3
SUN_RATE_RAD_MIN, SUN_ECCENTRICITY, _SUN_STRENGTH = 1.19459e-5, 0.01675, 2.9864797e-6
MOON_RATE_RAD_MIN, MOON_ECCENTRICITY, _MOON_STRENGTH = 1.5835218e-4, 0.05490, 4.7968065e-7
_SUN_SIN_I, _SUN_COS_I, _SUN_COS_G, _SUN_SIN_G = 0.39785416, 0.91744867, 0.1945905, -0.98088458
_POLAR_RAD = 5.2359877e-2  # nearer to the equator than 3 degrees the node's drift is left out
_FROM_1950_TO_1900_DAYS = 18261.5


@njit(cache=True, error_model="numpy")
def initialise(
    no: float, ecco: float, inclo: float, nodeo: float, argpo: float, mo: float, mdot: float, argpdot: float,
    nodedot: float, xke: float, days_1950: float, gst: float, d: Array,
) -> None:  # fmt: skip
    """Fills d (SIZE,) from the Brouwer mean motion (rad/min), the elements and their near-Earth rates.

    gst is Greenwich sidereal time at the epoch; days_1950 counts from 1950 January 0.0 UT.
    """
    sini, cosi = math.sin(inclo), math.cos(inclo)
    sinw, cosw = math.sin(argpo), math.cos(argpo)
    sinn, cosn = math.sin(nodeo), math.cos(nodeo)
    day = days_1950 + _FROM_1950_TO_1900_DAYS
    node = (4.5236020 - 9.2422029e-4 * day) % (2.0 * math.pi)  # of the Moon's orbit on the ecliptic
    stem, ctem = math.sin(node), math.cos(node)
    cosil = 0.91375164 - 0.03568096 * ctem
    sinil = math.sqrt(1.0 - cosil * cosil)
    sinhl = 0.089683511 * stem / sinil
    coshl = math.sqrt(1.0 - sinhl * sinhl)
    gam = 5.8351514 + 0.0019443680 * day
    g = gam + math.atan2(0.39785416 * stem / sinil, coshl * ctem + 0.91744867 * sinhl * stem) - node
    for k in range(5):
        d[RATES + k] = 0.0
    _third_body(
        _SUN_COS_G, _SUN_SIN_G, _SUN_COS_I, _SUN_SIN_I, cosn, sinn, _SUN_STRENGTH, SUN_RATE_RAD_MIN, SUN_ECCENTRICITY,
        no, ecco, inclo, cosi, sini, cosw, sinw, d[SUN : SUN + 12], d[RATES : RATES + 5],
    )  # fmt: skip
    _third_body(
        math.cos(g), math.sin(g), cosil, sinil, coshl * cosn + sinhl * sinn, sinn * coshl - cosn * sinhl,
        _MOON_STRENGTH, MOON_RATE_RAD_MIN, MOON_ECCENTRICITY,
        no, ecco, inclo, cosi, sini, cosw, sinw, d[MOON : MOON + 12], d[RATES : RATES + 5],
    )  # fmt: skip
    d[SUN_ANOMALY] = (6.2565837 + 0.017201977 * day) % (2.0 * math.pi)
    d[MOON_ANOMALY] = (4.7199672 + 0.22997150 * day - gam) % (2.0 * math.pi)
    d[GST] = gst
    d[RESONANCE] = NONE
    rate = mdot + d[RATES + 2] - no
    if 0.0034906585 < no < 0.0052359877:
        d[RESONANCE] = SYNCHRONOUS
        d[LAMBDA] = (mo + nodeo + argpo - gst) % (2.0 * math.pi)
        d[LAMBDA_RATE] = rate + argpdot + nodedot - EARTH_RATE_RAD_MIN + d[RATES + 4] + d[RATES + 3]
        _synchronous_terms(no, ecco, cosi, sini, xke, d[TERMS:])
    elif 8.26e-3 <= no <= 9.24e-3 and ecco >= 0.5:
        d[RESONANCE] = HALF_DAY
        d[LAMBDA] = (mo + nodeo + nodeo - gst - gst) % (2.0 * math.pi)
        d[LAMBDA_RATE] = rate + 2.0 * (nodedot + d[RATES + 3] - EARTH_RATE_RAD_MIN)
        _half_day_terms(no, ecco, cosi, sini, xke, d[TERMS:])


@njit(cache=True, error_model="numpy")
def _third_body(
    cosg: float, sing: float, cosib: float, sinib: float, cosh: float, sinh: float, strength: float, rate: float,
    eb: float, no: float, e: float, inclo: float, cosi: float, sini: float, cosw: float, sinw: float,
    periodics: Array, rates: Array,
) -> None:  # fmt: skip
    """Periodics (12,) of one body, whose secular rates are added to rates (5,).

    (g, ib, h) are the body's argument of perigee, inclination and node, h counted from the satellite's node.
    """
    a1 = cosg * cosh + sing * cosib * sinh
    a3 = -sing * cosh + cosg * cosib * sinh
    a7 = -cosg * sinh + sing * cosib * cosh
    a8 = sing * sinib
    a9 = sing * sinh + cosg * cosib * cosh
    a10 = cosg * sinib
    a2, a4 = cosi * a7 + sini * a8, cosi * a9 + sini * a10
    a5, a6 = -sini * a7 + cosi * a8, -sini * a9 + cosi * a10
    x1, x2 = a1 * cosw + a2 * sinw, a3 * cosw + a4 * sinw
    x3, x4 = -a1 * sinw + a2 * cosw, -a3 * sinw + a4 * cosw
    x5, x6, x7, x8 = a5 * sinw, a6 * sinw, a5 * cosw, a6 * cosw
    e2 = e * e
    b2 = 1.0 - e2
    z31 = 12.0 * x1 * x1 - 3.0 * x3 * x3
    z32 = 24.0 * x1 * x2 - 6.0 * x3 * x4
    z33 = 12.0 * x2 * x2 - 3.0 * x4 * x4
    z1 = 6.0 * (a1 * a1 + a2 * a2) + (1.0 + e2) * z31
    z2 = 12.0 * (a1 * a3 + a2 * a4) + (1.0 + e2) * z32
    z3 = 6.0 * (a3 * a3 + a4 * a4) + (1.0 + e2) * z33
    z11 = -6.0 * a1 * a5 + e2 * (-24.0 * x1 * x7 - 6.0 * x3 * x5)
    z12 = -6.0 * (a1 * a6 + a3 * a5) + e2 * (-24.0 * (x2 * x7 + x1 * x8) - 6.0 * (x3 * x6 + x4 * x5))
    z13 = -6.0 * a3 * a6 + e2 * (-24.0 * x2 * x8 - 6.0 * x4 * x6)
    z21 = 6.0 * a2 * a5 + e2 * (24.0 * x1 * x5 - 6.0 * x3 * x7)
    z22 = 6.0 * (a4 * a5 + a2 * a6) + e2 * (24.0 * (x2 * x5 + x1 * x6) - 6.0 * (x4 * x7 + x3 * x8))
    z23 = 6.0 * a4 * a6 + e2 * (24.0 * x2 * x6 - 6.0 * x4 * x8)
    s3 = strength / no
    s2 = -0.5 * s3 / math.sqrt(b2)
    s4 = s3 * math.sqrt(b2)
    s1 = -15.0 * e * s4
    periodics[0], periodics[1] = 2.0 * s1 * (x2 * x3 + x1 * x4), 2.0 * s1 * (x2 * x4 - x1 * x3)
    periodics[2], periodics[3] = 2.0 * s2 * z12, 2.0 * s2 * (z13 - z11)
    periodics[4], periodics[5] = -2.0 * s3 * z2, -2.0 * s3 * (z3 - z1)
    periodics[6] = 2.0 * s3 * (21.0 + 9.0 * e2) * eb
    periodics[7], periodics[8], periodics[9] = 2.0 * s4 * z32, 2.0 * s4 * (z33 - z31), -18.0 * s4 * eb
    periodics[10], periodics[11] = -2.0 * s2 * z22, -2.0 * s2 * (z23 - z21)
    node = 0.0
    if _POLAR_RAD <= inclo <= math.pi - _POLAR_RAD:
        node = -rate * s2 * (z21 + z23) / sini
    rates[0] += s1 * rate * (x1 * x3 + x2 * x4)
    rates[1] += s2 * rate * (z11 + z13)
    rates[2] -= rate * s3 * (z1 + z3 - 14.0 - 6.0 * e2)
    rates[3] += node
    rates[4] += s4 * rate * (z31 + z33 - 6.0) - cosi * node


@njit(cache=True, error_model="numpy")
def _synchronous_terms(no: float, e: float, cosi: float, sini: float, xke: float, terms: Array) -> None:
    """Coefficients of the 24 h resonance, first three of terms."""
    e2 = e * e
    aonv = (no / xke) ** (2.0 / 3.0)
    scale = 3.0 * no * no * aonv * aonv
    one = 1.0 + cosi
    f311 = 0.9375 * sini * sini * (1.0 + 3.0 * cosi) - 0.75 * one
    terms[0] = scale * f311 * (1.0 + 2.0 * e2) * 2.1460748e-6 * aonv
    terms[1] = 2.0 * scale * 0.75 * one * one * (1.0 + e2 * (-2.5 + 0.8125 * e2)) * 1.7891679e-6
    terms[2] = 3.0 * scale * 1.875 * one * one * one * (1.0 + e2 * (-6.0 + 6.60937 * e2)) * 2.2123015e-7 * aonv


@njit(cache=True, error_model="numpy")
def _cubic(e: float, c0: float, c1: float, c2: float, c3: float) -> float:
    return c0 + e * (c1 + e * (c2 + e * c3))


@njit(cache=True, error_model="numpy")
def _half_day_terms(no: float, e: float, cosi: float, sini: float, xke: float, terms: Array) -> None:
    """Coefficients of the 12 h resonance: D2201 D2211 D3210 D3222 D4410 D4422 D5220 D5232 D5421 D5433."""
    if e <= 0.65:
        g211 = _cubic(e, 3.616, -13.2470, 16.2900, 0.0)
        g310 = _cubic(e, -19.302, 117.3900, -228.4190, 156.5910)
        g322 = _cubic(e, -18.9068, 109.7927, -214.6334, 146.5816)
        g410 = _cubic(e, -41.122, 242.6940, -471.0940, 313.9530)
        g422 = _cubic(e, -146.407, 841.8800, -1629.014, 1083.4350)
        g520 = _cubic(e, -532.114, 3017.977, -5740.032, 3708.2760)
    else:
        g211 = _cubic(e, -72.099, 331.819, -508.738, 266.724)
        g310 = _cubic(e, -346.844, 1582.851, -2415.925, 1246.113)
        g322 = _cubic(e, -342.585, 1554.908, -2366.899, 1215.972)
        g410 = _cubic(e, -1052.797, 4758.686, -7193.992, 3651.957)
        g422 = _cubic(e, -3581.690, 16178.110, -24462.770, 12422.520)
        g520 = _cubic(e, 1464.74, -4664.75, 3763.64, 0.0)
        if e > 0.715:
            g520 = _cubic(e, -5149.66, 29936.92, -54087.36, 31324.56)
    if e < 0.7:
        g533 = _cubic(e, -919.22770, 4988.6100, -9064.7700, 5542.21)
        g521 = _cubic(e, -822.71072, 4568.6173, -8491.4146, 5337.524)
        g532 = _cubic(e, -853.66600, 4690.2500, -8624.7700, 5341.4)
    else:
        g533 = _cubic(e, -37995.780, 161616.52, -229838.20, 109377.94)
        g521 = _cubic(e, -51752.104, 218913.95, -309468.16, 146349.42)
        g532 = _cubic(e, -40023.880, 170470.89, -242699.48, 115605.82)
    c2, s2 = cosi * cosi, sini * sini
    f220 = 0.75 * (1.0 + 2.0 * cosi + c2)
    f522 = s2 * (1.0 - 2.0 * cosi - 5.0 * c2) + 0.33333333 * (-2.0 + 4.0 * cosi + 6.0 * c2)
    f523 = 4.92187512 * s2 * (-2.0 - 4.0 * cosi + 10.0 * c2) + 6.56250012 * (1.0 + 2.0 * cosi - 3.0 * c2)
    aonv = (no / xke) ** (2.0 / 3.0)
    scale = 3.0 * no * no * aonv * aonv
    terms[0] = scale * 1.7891679e-6 * f220 * (-0.306 - (e - 0.64) * 0.440)
    terms[1] = scale * 1.7891679e-6 * 1.5 * s2 * g211
    scale *= aonv
    terms[2] = scale * 3.7393792e-7 * 1.875 * sini * (1.0 - 2.0 * cosi - 3.0 * c2) * g310
    terms[3] = -scale * 3.7393792e-7 * 1.875 * sini * (1.0 + 2.0 * cosi - 3.0 * c2) * g322
    scale *= aonv
    terms[4] = 2.0 * scale * 7.3636953e-9 * 35.0 * s2 * f220 * g410
    terms[5] = 2.0 * scale * 7.3636953e-9 * 39.3750 * s2 * s2 * g422
    scale *= aonv
    terms[6] = scale * 1.1428639e-7 * 9.84375 * sini * f522 * g520
    terms[7] = scale * 1.1428639e-7 * sini * f523 * g532
    polar = 2.0 - 8.0 * cosi + c2 * (-12.0 + 8.0 * cosi + 10.0 * c2)
    terms[8] = 2.0 * scale * 2.1765803e-9 * 29.53125 * sini * polar * g521
    polar = -2.0 - 8.0 * cosi + c2 * (12.0 + 8.0 * cosi - 10.0 * c2)
    terms[9] = 2.0 * scale * 2.1765803e-9 * 29.53125 * sini * polar * g533


@njit(cache=True, error_model="numpy")
def resonance_rates(d: Array, argp: float, xli: float) -> tuple[float, float]:
    """Rate of the mean motion and its derivative by longitude, at resonance longitude xli and perigee argp."""
    k = d[TERMS:]
    if d[RESONANCE] == SYNCHRONOUS:
        a, b, c = xli - 0.13130908, 2.0 * (xli - 2.8843198), 3.0 * (xli - 0.37448087)
        rate = k[0] * math.sin(a) + k[1] * math.sin(b) + k[2] * math.sin(c)
        return rate, k[0] * math.cos(a) + 2.0 * k[1] * math.cos(b) + 3.0 * k[2] * math.cos(c)
    rate = slope = 0.0
    for n in range(10):
        phase, twice = _half_day_phase(n, argp, xli)
        rate += k[n] * math.sin(phase)
        slope += (2.0 if twice else 1.0) * k[n] * math.cos(phase)
    return rate, slope


@njit(cache=True, error_model="numpy")
def _half_day_phase(n: int, argp: float, xli: float) -> tuple[float, bool]:
    """Phase of term n of the 12 h resonance, and whether it goes with twice the longitude."""
    if n < 2:
        return (2.0 * argp if n == 0 else 0.0) + xli - 5.7686396, False
    if n < 4:
        return (argp if n == 2 else -argp) + xli - 0.95240898, False
    if n < 6:
        return (2.0 * argp if n == 4 else 0.0) + 2.0 * xli - 1.8014998, True
    if n < 8:
        return (argp if n == 6 else -argp) + xli - 1.0508330, False
    return (argp if n == 8 else -argp) + 2.0 * xli - 4.4108898, True


@njit(cache=True, error_model="numpy")
def resonate(
    d: Array, no: float, argpo: float, argpdot: float, minutes: Array, longitude: Array, motion: Array
) -> None:
    """Resonance longitude (rad) and mean motion (rad/min) at each of the times, by steps of 720 min from the epoch.

    Times in any order; those that go on from the one before cost only the steps between.
    """
    at, xli, xni = 0.0, d[LAMBDA], no
    rate, slope = resonance_rates(d, argpo, xli)
    for j in range(minutes.size):
        t = minutes[j]
        if at != 0.0 and (t * at <= 0.0 or abs(t) < abs(at)):
            at, xli, xni = 0.0, d[LAMBDA], no
            rate, slope = resonance_rates(d, argpo, xli)
        step = STEP_MIN if t > 0.0 else -STEP_MIN
        while abs(t - at) >= STEP_MIN:
            drift = xni + d[LAMBDA_RATE]
            xli += drift * step + rate * (0.5 * STEP_MIN * STEP_MIN)
            xni += rate * step + slope * drift * (0.5 * STEP_MIN * STEP_MIN)
            at += step
            rate, slope = resonance_rates(d, argpo + argpdot * at, xli)
        rest = t - at
        drift = xni + d[LAMBDA_RATE]
        longitude[j] = xli + drift * rest + rate * rest * rest * 0.5
        motion[j] = xni + rate * rest + slope * drift * rest * rest * 0.5
