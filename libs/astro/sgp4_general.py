"""SGP4's motion for any orbit: mean elements, lunar-solar periodics in deep space, Kepler's equation, short periods.

Times are taken in blocks, and each stage is one loop over a block whose intermediate rows stay in the nearest cache.
Equations of AIAA 2006-6753; angles rad, times minutes, lengths Earth radii.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import sdp4
from libs.astro.earth import WGS72_J2, WGS72_RADIUS_KM
from libs.astro.sgp4_start import (
    AO,
    AYCOF,
    COSIO,
    DEEP,
    ECCO,
    INCLO,
    J3_OVER_J2,
    NO,
    SDP4,
    SINIO,
    TWO_PI,
    XKE,
    XLCOF,
)  # fmt: skip
from libs.astro.sincos import FAST, sincos, sincos_reduced, turned

Array = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.uint8]]

BLOCK = 256
ROWS = 14
# Where each row of the working space begins, at distances known to the compiler so that it need not look for overlap:
# root of the semi-major axis, long-period eccentricity vector, mean argument of latitude,
# node, sine and cosine of the inclination; then what one stage leaves to the next.
_SA, _AXN, _AYN, _U, _NODE, _SI, _CI, _E, _ARGP, _M, _INCL, _X1, _X2, _X3 = range(0, ROWS * BLOCK, BLOCK)
_LYDDANE_RAD = 0.2
_STEEP = 0.3  # semilatus rectum below which the short periods are no longer small angles
_CONVERGED_RAD = 1.0e-6  # what a step of third order leaves behind is below the rounding


@njit(cache=True, error_model="numpy")
def fly(
    c: Array, minutes: Array, offset: float, gst: Array, spin: float, out: Array, begin: int, codes: Codes, work: Array
) -> None:
    """As sgp4_near.fly, for any record; work is (ROWS * BLOCK,)."""
    for first in range(0, minutes.size, BLOCK):
        last = min(first + BLOCK, minutes.size)
        code = codes[first:last]
        if c[DEEP] == 0.0:
            _near_mean(c, minutes[first:last], offset, work, code)
        else:
            _deep_mean(c, minutes[first:last], offset, work, code)
        steep = _kepler(work, last - first) > 0
        _short_periods(steep, work, gst[first:last], spin, out, begin + first, code)


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _near_mean(c: Array, minutes: Array, offset: float, w: Array, codes: Codes) -> None:
    """Secular and long-period motion with drag."""
    mo, mdot, argpo, argpdot, nodeo, nodedot = c[0], c[1], c[2], c[3], c[4], c[5]
    nodecf, cc1, bcc4, bcc5, t2cof, omgcof, xmcof, eta = c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
    delmo, sinmao, d2, d3, d4, t3cof, t4cof, t5cof = c[14], c[15], c[16], c[17], c[18], c[19], c[20], c[21]
    no, ecco, xlcof, aycof, rao = c[NO], c[ECCO], c[XLCOF], c[AYCOF], math.sqrt(c[AO])
    for j in range(min(minutes.size, BLOCK)):
        t = minutes[j] + offset
        t2 = t * t
        xmdf = mo + mdot * t
        _, cm = sincos(xmdf)
        dm = 1.0 + eta * cm
        wobble = omgcof * t + xmcof * (dm * dm * dm - delmo)
        sm, _ = sincos(xmdf + wobble)
        em = ecco - bcc4 * t - bcc5 * (sm - sinmao)
        codes[j] = 1 if em >= 1.0 or em < -0.001 else 0
        em = max(em, 1.0e-6)
        argp = argpo + argpdot * t - wobble
        sa = rao * abs(1.0 - t * (cc1 + t * (d2 + t * (d3 + t * d4))))
        tp = 1.0 / (sa * sa * (1.0 - em * em))
        sw, cw = sincos(argp)
        axn = em * cw
        w[_SA + j], w[_AXN + j], w[_AYN + j] = sa, axn, em * sw + tp * aycof
        w[_U + j] = xmdf + wobble + argp + no * t2 * (t2cof + t * (t3cof + t * (t4cof + t * t5cof))) + tp * xlcof * axn
        w[_NODE + j] = nodeo + nodedot * t + nodecf * t2
        w[_SI + j], w[_CI + j] = c[SINIO], c[COSIO]


@njit(cache=True, error_model="numpy")
def _deep_mean(c: Array, minutes: Array, offset: float, w: Array, codes: Codes) -> None:
    d, n = c[SDP4:], minutes.size
    resonant = d[sdp4.RESONANCE] != sdp4.NONE
    if resonant:
        for j in range(n):
            w[_X1 + j] = minutes[j] + offset
        sdp4.resonate(d, c[NO], c[2], c[3], w[_X1 : _X1 + n], w[_M : _M + n], w[_SA : _SA + n])
        _root_of_axis(c, w[_SA : _SA + n], codes)
    else:
        w[_SA : _SA + n] = math.sqrt(c[AO])
        codes[:] = 0
    _deep_secular(c, minutes, offset, w, codes)
    if _deep_periodics(c, minutes, offset, w) > 0:
        _lyddane(w, n)
    _deep_long_periods(w, codes)


@njit(cache=True, error_model="numpy")
def _root_of_axis(c: Array, motion: Array, codes: Codes) -> None:
    """Turns mean motions into roots of semi-major axes, in place; error 2 where there is none."""
    for j in range(motion.size):
        codes[j] = 2 if motion[j] <= 0.0 else 0
        x = motion[j] / c[NO] - 1.0
        if abs(x) < 0.01:  # (1 + x)^(-1/3)
            root = 1.0 + x * (-1.0 / 3.0 + x * (2.0 / 9.0 + x * (-14.0 / 81.0 + x * (35.0 / 243.0 - x * 91.0 / 729.0))))
            root += x**6 * (728.0 / 6561.0 - x * 1976.0 / 19683.0)
        else:
            root = (motion[j] / c[NO]) ** (-1.0 / 3.0) if motion[j] > 0.0 else 1.0
        motion[j] = math.sqrt(c[AO]) * root


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _deep_secular(c: Array, minutes: Array, offset: float, w: Array, codes: Codes) -> None:
    """Mean elements with the secular pull of Sun and Moon; the resonance longitude becomes the mean anomaly."""
    d = c[SDP4:]
    resonance, gst = d[sdp4.RESONANCE], d[sdp4.GST]
    dedt, didt, dmdt, dndt, dwdt = d[26], d[27], d[28], d[29], d[30]
    mo, mdot, argpo, argpdot, nodeo, nodedot = c[0], c[1], c[2], c[3], c[4], c[5]
    nodecf, cc1, bcc4, t2cof, no, ecco, inclo = c[6], c[7], c[8], c[10], c[NO], c[ECCO], c[INCLO]
    nodes = 2.0 if resonance == sdp4.HALF_DAY else resonance  # of the resonance longitude
    perigees = 1.0 if resonance == sdp4.SYNCHRONOUS else 0.0
    for j in range(min(minutes.size, BLOCK)):
        t = minutes[j] + offset
        argp = argpo + argpdot * t + dwdt * t
        node = nodeo + nodedot * t + nodecf * t * t + dndt * t
        mean = mo + mdot * t + dmdt * t
        longitude = w[_M + j] if resonance > 0.0 else mean
        theta = gst + sdp4.EARTH_RATE_RAD_MIN * t
        w[_SA + j] *= abs(1.0 - cc1 * t)
        em = ecco + dedt * t - bcc4 * t
        codes[j] = codes[j] if codes[j] > 0 else (1 if em >= 1.0 or em < -0.001 else 0)
        w[_E + j] = max(em, 1.0e-6)
        w[_ARGP + j] = argp
        w[_NODE + j] = node
        w[_M + j] = longitude - nodes * (node - theta) - perigees * argp + no * t2cof * t * t
        w[_INCL + j] = inclo + didt * t


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _deep_periodics(c: Array, minutes: Array, offset: float, w: Array) -> int:
    """Adds the periodics of Sun and Moon; returns how many states lie so low that _lyddane must add the rest."""
    d = c[SDP4:]
    sun, moon = d[sdp4.SUN : sdp4.SUN + 12], d[sdp4.MOON : sdp4.MOON + 12]
    zmos, zmol = d[sdp4.SUN_ANOMALY], d[sdp4.MOON_ANOMALY]
    se2, se3, si2, si3, sl2, sl3, sl4 = sun[0], sun[1], sun[2], sun[3], sun[4], sun[5], sun[6]
    sg2, sg3, sg4, sh2, sh3 = sun[7], sun[8], sun[9], sun[10], sun[11]
    me2, me3, mi2, mi3, ml2, ml3, ml4 = moon[0], moon[1], moon[2], moon[3], moon[4], moon[5], moon[6]
    mg2, mg3, mg4, mh2, mh3 = moon[7], moon[8], moon[9], moon[10], moon[11]
    low = 0
    for j in range(min(minutes.size, BLOCK)):
        t = minutes[j] + offset
        zm = zmos + sdp4.SUN_RATE_RAD_MIN * t
        s, _ = sincos(zm)
        s, cz = sincos(zm + 2.0 * sdp4.SUN_ECCENTRICITY * s)
        f2, f3 = 0.5 * s * s - 0.25, -0.5 * s * cz
        zm = zmol + sdp4.MOON_RATE_RAD_MIN * t
        m, _ = sincos(zm)
        m, cz = sincos(zm + 2.0 * sdp4.MOON_ECCENTRICITY * m)
        g2, g3 = 0.5 * m * m - 0.25, -0.5 * m * cz
        pinc = si2 * f2 + si3 * f3 + mi2 * g2 + mi3 * g3
        pl = sl2 * f2 + sl3 * f3 + sl4 * s + ml2 * g2 + ml3 * g3 + ml4 * m
        pgh = sg2 * f2 + sg3 * f3 + sg4 * s + mg2 * g2 + mg3 * g3 + mg4 * m
        ph = sh2 * f2 + sh3 * f3 + mh2 * g2 + mh3 * g3
        w[_E + j] += se2 * f2 + se3 * f3 + me2 * g2 + me3 * g3
        incl = w[_INCL + j] + pinc
        si, ci = sincos(incl)
        here = incl < _LYDDANE_RAD
        low += 1 if here else 0
        pn = 0.0 if here else ph / (1.0 if here else si)
        w[_NODE + j] += pn
        w[_ARGP + j] += 0.0 if here else pgh - ci * pn
        w[_M + j] += pl
        w[_INCL + j], w[_SI + j], w[_CI + j] = incl, si, ci
        w[_X1 + j], w[_X2 + j], w[_X3 + j] = pinc, pgh, ph
    return low


@njit(cache=True, error_model="numpy")
def _lyddane(w: Array, n: int) -> None:
    """The periodics of node and perigee near the equator, where the node itself is ill defined."""
    for j in range(n):
        if w[_INCL + j] >= _LYDDANE_RAD:
            continue
        pinc, pgh, ph = w[_X1 + j], w[_X2 + j], w[_X3 + j]
        si, ci = w[_SI + j], w[_CI + j]
        node = np.fmod(w[_NODE + j], TWO_PI)
        sn, cn = math.sin(node), math.cos(node)
        new = math.atan2(si * sn + ph * cn + pinc * ci * sn, si * cn - ph * sn + pinc * ci * cn)
        if abs(node - new) > math.pi:
            new += TWO_PI if new < node else -TWO_PI
        w[_ARGP + j] += pgh + (ci - pinc * si) * node - ci * new
        w[_NODE + j] = new


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _deep_long_periods(w: Array, codes: Codes) -> None:
    for j in range(min(codes.size, BLOCK)):
        ep, si, ci, sa = w[_E + j], w[_SI + j], w[_CI + j], w[_SA + j]
        bad = ep < 0.0 or ep > 1.0
        codes[j] = codes[j] if codes[j] > 0 else (3 if bad else 0)
        ep = 0.0 if bad else ep
        turned_over = w[_INCL + j] < 0.0
        half = math.pi if turned_over else 0.0
        si = -si if turned_over else si
        argp = w[_ARGP + j] - half
        sw, cw = sincos(argp)
        tp = 1.0 / (sa * sa * (1.0 - ep * ep))
        axn = ep * cw
        one = 1.0 + ci
        one = 1.5e-12 if abs(one) <= 1.5e-12 else one
        w[_AXN + j] = axn
        w[_AYN + j] = ep * sw - tp * 0.5 * J3_OVER_J2 * si
        w[_U + j] = w[_M + j] + argp - tp * axn * 0.25 * J3_OVER_J2 * si * (3.0 + 5.0 * ci) / one
        w[_NODE + j] += half
        w[_SI + j] = si


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _kepler(w: Array, n: int) -> int:
    """Sine and cosine of the eccentric argument of latitude E into _X1, _X2, by d = E - u = es cos d + ec sin d.

    Returns how many of the orbits have a semilatus rectum far inside the Earth.
    """
    for j in range(min(n, BLOCK)):
        axn, ayn = w[_AXN + j], w[_AYN + j]
        s, c = sincos(w[_U + j])
        es, ec = axn * s - ayn * c, axn * c + ayn * s
        w[_X1 + j], w[_X2 + j], w[_M + j], w[_ARGP + j] = s, c, es, ec
        near = es * (1.0 + ec * (1.0 + ec) - 0.5 * es * es)
        far = math.copysign(0.85 * math.sqrt(es * es + ec * ec), es)
        w[_E + j] = near if es * es + ec * ec < 0.04 else far
    for _ in range(25):
        moving = 0
        for j in range(min(n, BLOCK)):
            es, ec, d = w[_M + j], w[_ARGP + j], w[_E + j]
            sd, cd = sincos_reduced(d)
            slope = 1.0 + es * sd - ec * cd
            bend = es * cd + ec * sd
            f = d - bend
            step = f * slope / (slope * slope - 0.5 * f * bend)  # Halley
            moving += 1 if abs(step) > _CONVERGED_RAD else 0
            w[_E + j] = min(max(d - step, -1.0), 1.0)
        if moving == 0:
            break
    steep = 0
    for j in range(min(n, BLOCK)):
        es, ec, sa = w[_M + j], w[_ARGP + j], w[_SA + j]
        steep += 1 if sa * sa * (1.0 - es * es - ec * ec) < _STEEP else 0
        s, c = w[_X1 + j], w[_X2 + j]
        sd, cd = sincos_reduced(w[_E + j])
        w[_X1 + j], w[_X2 + j] = s * cd + c * sd, c * cd - s * sd
    return steep


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _turned(far: bool, s: float, c: float, by: float) -> tuple[float, float]:
    if not far:
        return turned(s, c, by)
    sd, cd = sincos(by)
    return s * cd + c * sd, c * cd - s * sd


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _short_periods(steep: bool, w: Array, gst: Array, spin: float, out: Array, first: int, codes: Codes) -> None:
    """Position and velocity from the long-period elements and E."""
    km, km_s = WGS72_RADIUS_KM, WGS72_RADIUS_KM * XKE / 60.0
    last = first + gst.size
    o0, o1, o2 = out[0][first:last], out[1][first:last], out[2][first:last]
    o3, o4, o5 = out[3][first:last], out[4][first:last], out[5][first:last]
    for j in range(min(gst.size, BLOCK)):
        sa, axn, ayn, si, ci = w[_SA + j], w[_AXN + j], w[_AYN + j], w[_SI + j], w[_CI + j]
        se, ce = w[_X1 + j], w[_X2 + j]
        x = axn * axn + ayn * ayn
        codes[j] = codes[j] if codes[j] > 0 else (4 if x > 1.0 else 0)
        beta = math.sqrt(abs(1.0 - x))
        ecose, esine = axn * ce + ayn * se, axn * se - ayn * ce
        am = sa * sa
        isa = 1.0 / sa
        arl = 1.0 / (1.0 - ecose)
        tt = esine / (1.0 + beta)
        sinu, cosu = arl * (se - ayn - axn * tt), arl * (ce - axn + ayn * tt)
        s2, c2 = (cosu + cosu) * sinu, 1.0 - 2.0 * sinu * sinu
        ipl = 1.0 / (am * beta * beta)
        t1 = 0.5 * WGS72_J2 * ipl
        t2p = t1 * ipl
        ci2 = ci * ci
        con41, x1mth2 = 3.0 * ci2 - 1.0, 1.0 - ci2
        mrt = am * (1.0 - ecose) * (1.0 - 1.5 * t2p * beta * con41) + 0.5 * t1 * x1mth2 * c2
        codes[j] = codes[j] if codes[j] > 0 else (6 if mrt < 1.0 else 0)
        sinu, cosu = _turned(steep, sinu, cosu, -0.25 * t2p * (7.0 * ci2 - 1.0) * s2)
        sn, cn = sincos(w[_NODE + j] - gst[j])
        sn, cn = _turned(steep, sn, cn, 1.5 * t2p * ci * s2)
        si, ci = _turned(steep, si, ci, 1.5 * t2p * ci * si * c2)
        ux, uy, uz = cn * cosu - sn * ci * sinu, sn * cosu + cn * ci * sinu, si * sinu
        vx, vy, vz = -cn * sinu - sn * ci * cosu, cn * ci * cosu - sn * sinu, si * cosu
        nt = isa * isa * isa * t1
        mvt = (isa * esine * arl - nt * x1mth2 * s2) * km_s
        rvdot = (isa * beta * arl + nt * (x1mth2 * c2 + 1.5 * con41)) * km_s
        r = mrt * km
        o0[j], o1[j], o2[j] = r * ux, r * uy, r * uz
        o3[j] = mvt * ux + rvdot * vx + spin * (r * uy)
        o4[j] = mvt * uy + rvdot * vy - spin * (r * ux)
        o5[j] = mvt * uz + rvdot * vz
