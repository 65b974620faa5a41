"""SGP4 for orbits of less than 225 minutes.

D. A. Vallado, P. Crawford, R. Hujsak, T. S. Kelso, "Revisiting Spacetrack Report #3", AIAA 2006-6753, with the WGS-72
constants that element sets are fitted with. Output is TEME of date, km and km/s; time is minutes from the set's epoch.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.elements import ElementSet

Array = np.ndarray[Any, np.dtype[np.float64]]

EARTH_RADIUS_KM = 6378.135
MU_KM3_S2 = 398600.8
XKE = 60.0 / math.sqrt(EARTH_RADIUS_KM**3 / MU_KM3_S2)
J2, J3, J4 = 0.001082616, -0.00000253881, -0.00000165597
DEEP_SPACE_MIN = 225.0
TWO_PI = 2.0 * math.pi

# Errors, as in the reference implementation.
OK, ECCENTRICITY, MEAN_MOTION, SEMILATUS, DECAYED = 0, 1, 2, 4, 6
ERRORS = {
    ECCENTRICITY: "the eccentricity leaves [0, 1)",
    MEAN_MOTION: "the mean motion is not positive",
    SEMILATUS: "the semilatus rectum is negative",
    DECAYED: "the object is below the surface",
}
RECORD_SIZE = 34


class DeepSpace(Exception):
    """The Sun and the Moon rule the orbit (period of 225 minutes or more); SGP4's near-Earth part does not hold."""


class BadElements(Exception):
    """The set gives no orbit at its own epoch."""


def unkozai_mean_motion_rad_min(mean_motion_rad_min: float, eccentricity: float, inclination_rad: float) -> float:
    """Brouwer mean motion, rad/min, from the Kozai mean motion of a set."""
    cos2 = math.cos(inclination_rad) ** 2
    omeosq = 1.0 - eccentricity * eccentricity
    ak = (XKE / mean_motion_rad_min) ** (2.0 / 3.0)
    d1 = 0.75 * J2 * (3.0 * cos2 - 1.0) / (math.sqrt(omeosq) * omeosq)
    de = d1 / (ak * ak)
    adel = ak * (1.0 - de * de - de * (1.0 / 3.0 + 134.0 * de * de / 81.0))
    return float(mean_motion_rad_min / (1.0 + d1 / (adel * adel)))


def initialise(elements: ElementSet) -> Array:
    """Record of RECORD_SIZE floats for `propagate`.

    Raises DeepSpace for a period of 225 minutes or more, BadElements for a set without an orbit at its epoch.
    """
    kozai = elements.mean_motion_rev_day * TWO_PI / 1440.0
    inclination = math.radians(elements.inclination_deg)
    if not (kozai > 0.0 and 0.0 <= elements.eccentricity < 1.0):
        raise BadElements(
            f"object {elements.catalogue_number}: mean motion {elements.mean_motion_rev_day} rev/day and eccentricity "
            f"{elements.eccentricity} are no orbit; check the set"
        )
    mean_motion = unkozai_mean_motion_rad_min(kozai, elements.eccentricity, inclination)
    period = TWO_PI / mean_motion if mean_motion > 0.0 else 0.0
    if period >= DEEP_SPACE_MIN:
        raise DeepSpace(
            f"object {elements.catalogue_number}: a period of {period:.0f} minutes is ruled by the Sun and the Moon; "
            f"only periods under {DEEP_SPACE_MIN:.0f} minutes are modelled"
        )
    record = np.zeros(RECORD_SIZE)
    _initialise(
        mean_motion,
        elements.eccentricity,
        inclination,
        math.radians(elements.raan_deg),
        math.radians(elements.arg_of_perigee_deg),
        math.radians(elements.mean_anomaly_deg),
        elements.bstar_per_earth_radius,
        record,
    )
    _, _, error = propagate(record, np.zeros(1))
    if error[0] not in (OK, DECAYED):
        raise BadElements(f"object {elements.catalogue_number}: {ERRORS[int(error[0])]} at the set's epoch; check it")
    return record


def propagate(record: Array, minutes: Array) -> tuple[Array, Array, "np.ndarray[Any, np.dtype[np.int64]]"]:
    """Positions (n, 3) km and velocities (n, 3) km/s in TEME at n times, and an error (n,) of each, 0 when it is good.

    Where there is an error other than DECAYED the state is NaN.
    """
    times = np.ascontiguousarray(minutes, dtype=np.float64)
    out = np.empty((times.size, 6))
    errors = np.zeros(times.size, dtype=np.int64)
    _propagate(record, times, out, errors)
    return out[:, :3], out[:, 3:], errors


@njit(cache=True, error_model="numpy")
def _initialise(
    no: float, ecco: float, inclo: float, nodeo: float, argpo: float, mo: float, bstar: float, c: Array
) -> None:
    """Coefficients of the secular and drag terms, from the Brouwer mean motion."""
    eccsq = ecco * ecco
    omeosq = 1.0 - eccsq
    rteosq = math.sqrt(omeosq)
    cosio, sinio = math.cos(inclo), math.sin(inclo)
    cosio2 = cosio * cosio
    ao = (XKE / no) ** (2.0 / 3.0)
    po = ao * omeosq
    con42 = 1.0 - 5.0 * cosio2
    con41 = -con42 - cosio2 - cosio2
    rp = ao * (1.0 - ecco)
    simple = rp < 220.0 / EARTH_RADIUS_KM + 1.0
    sfour = 78.0 / EARTH_RADIUS_KM + 1.0
    qzms24 = ((120.0 - 78.0) / EARTH_RADIUS_KM) ** 4
    perigee = (rp - 1.0) * EARTH_RADIUS_KM
    if perigee < 156.0:
        sfour = perigee - 78.0 if perigee >= 98.0 else 20.0
        qzms24 = ((120.0 - sfour) / EARTH_RADIUS_KM) ** 4
        sfour = sfour / EARTH_RADIUS_KM + 1.0
    pinvsq = 1.0 / (po * po)
    tsi = 1.0 / (ao - sfour)
    eta = ao * ecco * tsi
    etasq = eta * eta
    eeta = ecco * eta
    psisq = abs(1.0 - etasq)
    coef = qzms24 * tsi**4
    coef1 = coef / psisq**3.5
    cc2 = (
        coef1
        * no
        * (
            ao * (1.0 + 1.5 * etasq + eeta * (4.0 + etasq))
            + 0.375 * J2 * tsi / psisq * con41 * (8.0 + 3.0 * etasq * (8.0 + etasq))
        )
    )
    cc1 = bstar * cc2
    j3oj2 = J3 / J2
    cc3 = -2.0 * coef * tsi * j3oj2 * no * sinio / ecco if ecco > 1.0e-4 else 0.0
    x1mth2 = 1.0 - cosio2
    cc4 = 2.0 * no * coef1 * ao * omeosq * (
        eta * (2.0 + 0.5 * etasq)
        + ecco * (0.5 + 2.0 * etasq)
        - J2 * tsi / (ao * psisq)
        * (
            -3.0 * con41 * (1.0 - 2.0 * eeta + etasq * (1.5 - 0.5 * eeta))
            + 0.75 * x1mth2 * (2.0 * etasq - eeta * (1.0 + etasq)) * math.cos(2.0 * argpo)
        )
    )  # fmt: skip
    cc5 = 2.0 * coef1 * ao * omeosq * (1.0 + 2.75 * (etasq + eeta) + eeta * etasq)
    cosio4 = cosio2 * cosio2
    temp1 = 1.5 * J2 * pinvsq * no
    temp2 = 0.5 * temp1 * J2 * pinvsq
    temp3 = -0.46875 * J4 * pinvsq * pinvsq * no
    mdot = no + 0.5 * temp1 * rteosq * con41 + 0.0625 * temp2 * rteosq * (13.0 - 78.0 * cosio2 + 137.0 * cosio4)
    argpdot = (
        -0.5 * temp1 * con42
        + 0.0625 * temp2 * (7.0 - 114.0 * cosio2 + 395.0 * cosio4)
        + temp3 * (3.0 - 36.0 * cosio2 + 49.0 * cosio4)
    )
    xhdot1 = -temp1 * cosio
    nodedot = xhdot1 + (0.5 * temp2 * (4.0 - 19.0 * cosio2) + 2.0 * temp3 * (3.0 - 7.0 * cosio2)) * cosio
    omgcof = bstar * cc3 * math.cos(argpo)
    xmcof = -(2.0 / 3.0) * coef * bstar / eeta if ecco > 1.0e-4 else 0.0
    den = 1.0 + cosio if abs(cosio + 1.0) > 1.5e-12 else 1.5e-12
    d2 = d3 = d4 = t3cof = t4cof = t5cof = 0.0
    if not simple:
        cc1sq = cc1 * cc1
        d2 = 4.0 * ao * tsi * cc1sq
        temp = d2 * tsi * cc1 / 3.0
        d3 = (17.0 * ao + sfour) * temp
        d4 = 0.5 * temp * ao * tsi * (221.0 * ao + 31.0 * sfour) * cc1
        t3cof = d2 + 2.0 * cc1sq
        t4cof = 0.25 * (3.0 * d3 + cc1 * (12.0 * d2 + 10.0 * cc1sq))
        t5cof = 0.2 * (3.0 * d4 + 12.0 * cc1 * d3 + 6.0 * d2 * d2 + 15.0 * cc1sq * (2.0 * d2 + cc1sq))
    c[0], c[1], c[2], c[3], c[4], c[5] = mo, mdot, argpo, argpdot, nodeo, nodedot
    c[6], c[7], c[8], c[9] = 3.5 * omeosq * xhdot1 * cc1, cc1, bstar * cc4, bstar * cc5
    c[10], c[11], c[12], c[13] = 1.5 * cc1, omgcof, xmcof, eta
    c[14], c[15] = (1.0 + eta * math.cos(mo)) ** 3, math.sin(mo)
    c[16], c[17], c[18], c[19], c[20], c[21] = d2, d3, d4, t3cof, t4cof, t5cof
    c[22], c[23], c[24], c[25] = no, ecco, inclo, 0.0 if simple else 1.0
    c[26], c[27] = -0.25 * j3oj2 * sinio * (3.0 + 5.0 * cosio) / den, -0.5 * j3oj2 * sinio
    c[28], c[29], c[30], c[31], c[32] = con41, x1mth2, 7.0 * cosio2 - 1.0, cosio, sinio


@njit(cache=True, error_model="numpy")
def _propagate(c: Array, minutes: Array, out: Array, errors: "np.ndarray[Any, np.dtype[np.int64]]") -> None:
    for i in range(minutes.size):
        errors[i] = _state(c, minutes[i], out[i])


@njit(cache=True, error_model="numpy")
def _state(c: Array, t: float, out: Array) -> int:
    """One state into out[0:6]; returns the error."""
    out[:] = np.nan
    t2 = t * t
    xmdf = c[0] + c[1] * t
    argpm = c[2] + c[3] * t
    nodem = c[4] + c[5] * t + c[6] * t2
    mm = xmdf
    tempa = 1.0 - c[7] * t
    tempe = c[8] * t
    templ = c[10] * t2
    if c[25] > 0.0:
        delm = c[12] * ((1.0 + c[13] * math.cos(xmdf)) ** 3 - c[14])
        temp = c[11] * t + delm
        mm = xmdf + temp
        argpm -= temp
        t3 = t2 * t
        t4 = t3 * t
        tempa -= c[16] * t2 + c[17] * t3 + c[18] * t4
        tempe += c[9] * (math.sin(mm) - c[15])
        templ += c[19] * t3 + t4 * (c[20] + t * c[21])
    no = c[22]
    if no <= 0.0:
        return MEAN_MOTION
    am = (XKE / no) ** (2.0 / 3.0) * tempa * tempa
    nm = XKE / am**1.5
    em = c[23] - tempe
    if em >= 1.0 or em < -0.001:
        return ECCENTRICITY
    em = max(em, 1.0e-6)
    mm += no * templ
    xlm = np.fmod(mm + argpm + nodem, TWO_PI)
    nodem = np.fmod(nodem, TWO_PI)
    argpm = np.fmod(argpm, TWO_PI)
    mm = np.fmod(xlm - argpm - nodem, TWO_PI)
    # long-period periodics, and Kepler's equation
    axnl = em * math.cos(argpm)
    temp = 1.0 / (am * (1.0 - em * em))
    aynl = em * math.sin(argpm) + temp * c[27]
    u = np.fmod(mm + argpm + temp * c[26] * axnl, TWO_PI)
    eo1 = u
    tem5 = 9999.9
    ktr = 1
    sineo1 = coseo1 = 0.0
    while abs(tem5) >= 1.0e-12 and ktr <= 10:
        sineo1, coseo1 = math.sin(eo1), math.cos(eo1)
        tem5 = (u - aynl * coseo1 + axnl * sineo1 - eo1) / (1.0 - coseo1 * axnl - sineo1 * aynl)
        tem5 = min(max(tem5, -0.95), 0.95)
        eo1 += tem5
        ktr += 1
    # short-period periodics
    ecose = axnl * coseo1 + aynl * sineo1
    esine = axnl * sineo1 - aynl * coseo1
    el2 = axnl * axnl + aynl * aynl
    pl = am * (1.0 - el2)
    if pl < 0.0:
        return SEMILATUS
    rl = am * (1.0 - ecose)
    rdotl = math.sqrt(am) * esine / rl
    rvdotl = math.sqrt(pl) / rl
    betal = math.sqrt(1.0 - el2)
    temp = esine / (1.0 + betal)
    sinu = am / rl * (sineo1 - aynl - axnl * temp)
    cosu = am / rl * (coseo1 - axnl + aynl * temp)
    su = math.atan2(sinu, cosu)
    sin2u, cos2u = (cosu + cosu) * sinu, 1.0 - 2.0 * sinu * sinu
    temp1 = 0.5 * J2 / pl
    temp2 = temp1 / pl
    con41, x1mth2, x7thm1, cosio, sinio = c[28], c[29], c[30], c[31], c[32]
    mrt = rl * (1.0 - 1.5 * temp2 * betal * con41) + 0.5 * temp1 * x1mth2 * cos2u
    su -= 0.25 * temp2 * x7thm1 * sin2u
    xnode = nodem + 1.5 * temp2 * cosio * sin2u
    xinc = c[24] + 1.5 * temp2 * cosio * sinio * cos2u
    mvt = rdotl - nm * temp1 * x1mth2 * sin2u / XKE
    rvdot = rvdotl + nm * temp1 * (x1mth2 * cos2u + 1.5 * con41) / XKE
    # orientation
    sinsu, cossu = math.sin(su), math.cos(su)
    snod, cnod = math.sin(xnode), math.cos(xnode)
    sini, cosi = math.sin(xinc), math.cos(xinc)
    xmx, xmy = -snod * cosi, cnod * cosi
    ux, uy, uz = xmx * sinsu + cnod * cossu, xmy * sinsu + snod * cossu, sini * sinsu
    vx, vy, vz = xmx * cossu - cnod * sinsu, xmy * cossu - snod * sinsu, sini * cossu
    r = mrt * EARTH_RADIUS_KM
    out[0], out[1], out[2] = r * ux, r * uy, r * uz
    speed = EARTH_RADIUS_KM * XKE / 60.0
    out[3] = (mvt * ux + rvdot * vx) * speed
    out[4] = (mvt * uy + rvdot * vy) * speed
    out[5] = (mvt * uz + rvdot * vz) * speed
    return DECAYED if mrt < 1.0 else OK
