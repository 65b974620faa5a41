"""SGP4's coefficients of one element set: secular rates by the Earth's flattening, and drag.

D. A. Vallado, P. Crawford, R. Hujsak, T. S. Kelso, "Revisiting Spacetrack Report #3", AIAA 2006-6753, with the WGS-72
constants that element sets are fitted with. Angles rad, times minutes, lengths Earth radii.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import sdp4
from libs.astro.earth import WGS72_J2, WGS72_J3, WGS72_J4, WGS72_MU_KM3_S2, WGS72_RADIUS_KM

Array = np.ndarray[Any, np.dtype[np.float64]]

XKE = 60.0 / math.sqrt(WGS72_RADIUS_KM**3 / WGS72_MU_KM3_S2)
J3_OVER_J2 = WGS72_J3 / WGS72_J2
DEEP_SPACE_MIN = 225.0
TWO_PI = 2.0 * math.pi

# Where a record keeps what.
NO, ECCO, INCLO, DEEP, XLCOF, AYCOF, CON41, X1MTH2, X7THM1, COSIO, SINIO, AO = range(22, 34)
SDP4 = 34
RECORD_SIZE = SDP4 + sdp4.SIZE


@njit(cache=True, error_model="numpy")
def unkozai(no_kozai: float, ecco: float, inclo: float) -> float:
    """Brouwer mean motion from the Kozai mean motion of a set, both rad/min."""
    cos2 = math.cos(inclo) ** 2
    omeosq = 1.0 - ecco * ecco
    ak = (XKE / no_kozai) ** (2.0 / 3.0)
    d1 = 0.75 * WGS72_J2 * (3.0 * cos2 - 1.0) / (math.sqrt(omeosq) * omeosq)
    de = d1 / (ak * ak)
    adel = ak * (1.0 - de * de - de * (1.0 / 3.0 + 134.0 * de * de / 81.0))
    mean_motion: float = no_kozai / (1.0 + d1 / (adel * adel))
    return mean_motion


@njit(cache=True, error_model="numpy")
def initialise(
    no_kozai: float, ecco: float, inclo: float, nodeo: float, argpo: float, mo: float, bstar: float,
    days_1950: float, gst: float, c: Array,
) -> None:  # fmt: skip
    """Fills the record c (RECORD_SIZE,) of one set; days_1950 and gst are its epoch, for deep space."""
    no = unkozai(no_kozai, ecco, inclo)
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
    deep = TWO_PI / no >= DEEP_SPACE_MIN
    simple = deep or rp < 220.0 / WGS72_RADIUS_KM + 1.0
    sfour = 78.0 / WGS72_RADIUS_KM + 1.0
    qzms24 = ((120.0 - 78.0) / WGS72_RADIUS_KM) ** 4
    perigee = (rp - 1.0) * WGS72_RADIUS_KM
    if perigee < 156.0:
        sfour = perigee - 78.0 if perigee >= 98.0 else 20.0
        qzms24 = ((120.0 - sfour) / WGS72_RADIUS_KM) ** 4
        sfour = sfour / WGS72_RADIUS_KM + 1.0
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
            + 0.375 * WGS72_J2 * tsi / psisq * con41 * (8.0 + 3.0 * etasq * (8.0 + etasq))
        )
    )
    cc1 = bstar * cc2
    cc3 = -2.0 * coef * tsi * J3_OVER_J2 * no * sinio / ecco if ecco > 1.0e-4 else 0.0
    x1mth2 = 1.0 - cosio2
    cc4 = 2.0 * no * coef1 * ao * omeosq * (
        eta * (2.0 + 0.5 * etasq)
        + ecco * (0.5 + 2.0 * etasq)
        - WGS72_J2 * tsi / (ao * psisq)
        * (
            -3.0 * con41 * (1.0 - 2.0 * eeta + etasq * (1.5 - 0.5 * eeta))
            + 0.75 * x1mth2 * (2.0 * etasq - eeta * (1.0 + etasq)) * math.cos(2.0 * argpo)
        )
    )  # fmt: skip
    cc5 = 2.0 * coef1 * ao * omeosq * (1.0 + 2.75 * (etasq + eeta) + eeta * etasq)
    cosio4 = cosio2 * cosio2
    temp1 = 1.5 * WGS72_J2 * pinvsq * no
    temp2 = 0.5 * temp1 * WGS72_J2 * pinvsq
    temp3 = -0.46875 * WGS72_J4 * pinvsq * pinvsq * no
    mdot = no + 0.5 * temp1 * rteosq * con41 + 0.0625 * temp2 * rteosq * (13.0 - 78.0 * cosio2 + 137.0 * cosio4)
    argpdot = (
        -0.5 * temp1 * con42
        + 0.0625 * temp2 * (7.0 - 114.0 * cosio2 + 395.0 * cosio4)
        + temp3 * (3.0 - 36.0 * cosio2 + 49.0 * cosio4)
    )
    xhdot1 = -temp1 * cosio
    nodedot = xhdot1 + (0.5 * temp2 * (4.0 - 19.0 * cosio2) + 2.0 * temp3 * (3.0 - 7.0 * cosio2)) * cosio
    den = 1.0 + cosio if abs(cosio + 1.0) > 1.5e-12 else 1.5e-12
    d2 = d3 = d4 = t3cof = t4cof = t5cof = omgcof = xmcof = 0.0
    if simple:
        cc5 = 0.0
    else:
        omgcof = bstar * cc3 * math.cos(argpo)
        xmcof = -(2.0 / 3.0) * coef * bstar / eeta if ecco > 1.0e-4 else 0.0
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
    c[NO], c[ECCO], c[INCLO], c[DEEP], c[AO] = no, ecco, inclo, 1.0 if deep else 0.0, ao
    c[XLCOF], c[AYCOF] = -0.25 * J3_OVER_J2 * sinio * (3.0 + 5.0 * cosio) / den, -0.5 * J3_OVER_J2 * sinio
    c[CON41], c[X1MTH2], c[X7THM1], c[COSIO], c[SINIO] = con41, x1mth2, 7.0 * cosio2 - 1.0, cosio, sinio
    if deep:
        sdp4.initialise(no, ecco, inclo, nodeo, argpo, mo, mdot, argpdot, nodedot, XKE, days_1950, gst, c[SDP4:])


@njit(cache=True, error_model="numpy")
def initialise_all(elements: Array, days_1950: Array, gst: Array, records: Array) -> None:
    """Records (n, RECORD_SIZE) of n sets; elements (7, n) in the order of `initialise`."""
    for i in range(records.shape[0]):
        initialise(
            elements[0, i], elements[1, i], elements[2, i], elements[3, i], elements[4, i], elements[5, i],
            elements[6, i], days_1950[i], gst[i], records[i],
        )  # fmt: skip
