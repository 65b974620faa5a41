"""NRLMSISE-00: temperature and density of the atmosphere from the ground to 2,500 km.

An own port of the model of J. M. Picone, A. E. Hedin, D. P. Drob and A. C. Aikin, "NRLMSISE-00 empirical model of the
atmosphere: statistical comparisons and scientific issues", J. Geophys. Res. 107 (A12), 1468, 2002. The coefficients are
those of the public-domain release of the US Naval Research Laboratory; their notice is in `data/nrlmsise00.json`.

Kernels take and return floats and work arrays, hold no state, and never validate. Units: km, degrees, hours of local
solar time, seconds of UT, 1e-22 W m-2 Hz-1 (solar flux units), cm-3, g cm-3, K.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]

_DATA = json.loads((Path(__file__).parent / "data/nrlmsise00.json").read_text())["coefficients"]


def _table(name: str) -> Array:
    return np.array(_DATA[name], dtype=np.float64)


PT, PD, PS, PDL, PTM = (_table(name) for name in ("pt", "pd", "ps", "pdl", "ptm"))
PDM, PTL, PMA, PAVGM = (_table(name) for name in ("pdm", "ptl", "pma", "pavgm"))

DEGREE = 1.74533e-2  # the model's own roundings; the coefficients were fitted with them
YEAR = 1.72142e-2
HOUR = 0.2618
SECOND = 7.2722e-5
GAS = 831.4
AMU_G = 1.66e-24
MIXED_MASS = PDM[2, 4]

# Boundaries, km: Bates profile above ZA, splines in 1/T between the nodes below.
ZA = PDL[1, 15]
Z1_NODES = np.array([ZA, 110.0, 100.0, 90.0, 72.5])
Z2_NODES = np.array([72.5, 55.0, 45.0, 32.5])
Z3_NODES = np.array([32.5, 20.0, 15.0, 10.0, 0.0])
Z_MIXED = 62.5
Z_LOWER = PTM[5]

# Places in a work array.
PLG, LOCAL, NODES, SLOPES, SPLINE, SPLINE_LOW = 0, 32, 40, 48, 52, 72
WORK_SIZE = 96
# Places in an output array.
HE, O, N2, O2, AR, MASS, H, N, O_ANOMALOUS, T_EXO, T_ALT = range(11)
OUT_SIZE = 11


@njit(cache=True, error_model="numpy")
def gravity(lat_deg: float) -> tuple[float, float]:
    """Surface gravity, cm s-2, and effective radius of the Earth, km, at a latitude."""
    c2 = math.cos(2.0 * DEGREE * lat_deg)
    surface = 980.616 * (1.0 - 0.0026373 * c2)
    return surface, 2.0 * surface / (3.085462e-6 + 2.27e-9 * c2) * 1.0e-5


@njit(cache=True, error_model="numpy")
def zeta(z: float, z0: float, re: float) -> float:
    """Geopotential height of z above z0, km."""
    return (z - z0) * (re + z0) / (re + z)


@njit(cache=True, error_model="numpy")
def prepare(lat_deg: float, lst_h: float, work: Array) -> None:
    """Legendre functions of the latitude at PLG + 8 m + n, and harmonics of the local time at LOCAL."""
    c, s = math.sin(lat_deg * DEGREE), math.cos(lat_deg * DEGREE)
    c2, s2 = c * c, s * s
    c4 = c2 * c2
    p = work[PLG : PLG + 32]
    p[1] = c
    p[2] = 0.5 * (3.0 * c2 - 1.0)
    p[3] = 0.5 * (5.0 * c * c2 - 3.0 * c)
    p[4] = (35.0 * c4 - 30.0 * c2 + 3.0) / 8.0
    p[5] = (63.0 * c2 * c2 * c - 70.0 * c2 * c + 15.0 * c) / 8.0
    p[6] = (11.0 * c * p[5] - 5.0 * p[4]) / 6.0
    p[9] = s
    p[10] = 3.0 * c * s
    p[11] = 1.5 * (5.0 * c2 - 1.0) * s
    p[12] = 2.5 * (7.0 * c2 * c - 3.0 * c) * s
    p[13] = 1.875 * (21.0 * c4 - 14.0 * c2 + 1.0) * s
    p[14] = (11.0 * c * p[13] - 6.0 * p[12]) / 5.0
    p[18] = 3.0 * s2
    p[19] = 15.0 * s2 * c
    p[20] = 7.5 * (7.0 * c2 - 1.0) * s2
    p[21] = 3.0 * c * p[20] - 2.0 * p[19]
    p[22] = (11.0 * c * p[21] - 7.0 * p[20]) / 4.0
    p[23] = (13.0 * c * p[22] - 8.0 * p[21]) / 5.0
    p[27] = 15.0 * s2 * s
    p[28] = 105.0 * s2 * s * c
    p[29] = (9.0 * c * p[28] - 7.0 * p[27]) / 2.0
    p[30] = (11.0 * c * p[29] - 8.0 * p[28]) / 3.0
    for k in range(3):
        work[LOCAL + 2 * k] = math.sin((k + 1) * HOUR * lst_h)
        work[LOCAL + 2 * k + 1] = math.cos((k + 1) * HOUR * lst_h)


@njit(cache=True, error_model="numpy")
def _activity_term(ap: float, p: Array) -> float:
    """Eq. A24d of Hedin (1987): one ap to its effect."""
    p24 = max(p[24], 1.0e-4)
    return float(ap - 4.0 + (p[25] - 1.0) * (ap - 4.0 + (math.exp(-p24 * (ap - 4.0)) - 1.0) / p24))


@njit(cache=True, error_model="numpy")
def _activity_history(ex: float, p: Array, ap: Array) -> float:
    """Eq. A24a: the ap of the last 57 hours to one effect; ap as in the rows of weather drivers from ap_daily on."""
    ex2 = ex * ex
    ex4 = ex2 * ex2
    ex8 = ex4 * ex4
    total = (
        _activity_term(ap[1], p)
        + _activity_term(ap[2], p) * ex
        + _activity_term(ap[3], p) * ex2
        + _activity_term(ap[4], p) * ex2 * ex
        + (_activity_term(ap[5], p) * ex4 + _activity_term(ap[6], p) * ex8 * ex4) * (1.0 - ex8) / (1.0 - ex)
    )
    return total / (1.0 + (1.0 - ex8 * ex8 * ex2 * ex) / (1.0 - ex) * math.sqrt(ex))


@njit(cache=True, error_model="numpy")
def globe(
    p: Array,
    doy: float,
    ut_s: float,
    lat_deg: float,
    lon_deg: float,
    lst_h: float,
    f107a: float,
    f107: float,
    ap: Array,
    history: bool,
    activity: float,
    work: Array,
) -> tuple[float, float]:
    """Variation of one parameter over the globe, upper atmosphere, and the effect of magnetic activity used.

    `activity` is what the previous call used; a parameter without a history term leaves it as it was.
    """
    g = work[PLG : PLG + 32]
    s1, c1, s2, c2, s3, c3 = (
        work[LOCAL],
        work[LOCAL + 1],
        work[LOCAL + 2],
        work[LOCAL + 3],
        work[LOCAL + 4],
        work[LOCAL + 5],
    )
    cd32 = math.cos(YEAR * (doy - p[31]))
    cd18 = math.cos(2.0 * YEAR * (doy - p[17]))
    cd14 = math.cos(YEAR * (doy - p[13]))
    cd39 = math.cos(2.0 * YEAR * (doy - p[38]))
    df = f107 - f107a
    dfa = f107a - 150.0
    flux = p[19] * df + p[20] * df * df
    f1 = 1.0 + (p[47] * dfa + flux)
    f2 = 1.0 + (p[49] * dfa + flux)
    # solar flux, zonal, annual and semiannual
    total = p[30]
    total += p[19] * df * (1.0 + p[59] * dfa) + p[20] * df * df + p[21] * dfa + p[29] * dfa * dfa
    total += p[1] * g[2] + p[2] * g[4] + p[22] * g[6] + p[14] * g[2] * dfa + p[26] * g[1]
    total += p[18] * cd32
    total += (p[15] + p[16] * g[2]) * cd18
    total += f1 * (p[9] * g[1] + p[10] * g[3]) * cd14
    total += p[37] * g[1] * cd39
    # diurnal, semidiurnal, terdiurnal
    total += f2 * (
        (p[3] * g[9] + p[4] * g[11] + p[27] * g[13] + p[11] * g[10] * cd14) * c1
        + (p[6] * g[9] + p[7] * g[11] + p[28] * g[13] + p[12] * g[10] * cd14) * s1
    )
    total += f2 * (
        (p[5] * g[18] + p[41] * g[20] + (p[23] * g[19] + p[35] * g[21]) * cd14) * c2
        + (p[8] * g[18] + p[42] * g[20] + (p[33] * g[19] + p[36] * g[21]) * cd14) * s2
    )
    total += f2 * (
        (p[39] * g[27] + (p[93] * g[28] + p[46] * g[30]) * cd14) * s3
        + (p[40] * g[27] + (p[94] * g[28] + p[48] * g[30]) * cd14) * c3
    )
    # longitude, and universal time
    sin_lon, cos_lon = math.sin(DEGREE * lon_deg), math.cos(DEGREE * lon_deg)
    total += (1.0 + p[80] * dfa) * (
        (
            p[64] * g[10] + p[65] * g[12] + p[66] * g[14] + p[103] * g[9] + p[104] * g[11] + p[105] * g[13]
            + (p[109] * g[9] + p[110] * g[11] + p[111] * g[13]) * cd14
        ) * cos_lon
        + (
            p[90] * g[10] + p[91] * g[12] + p[92] * g[14] + p[106] * g[9] + p[107] * g[11] + p[108] * g[13]
            + (p[112] * g[9] + p[113] * g[11] + p[114] * g[13]) * cd14
        ) * sin_lon
    )  # fmt: skip
    total += (
        (1.0 + p[95] * g[1]) * (1.0 + p[81] * dfa) * (1.0 + p[119] * g[1] * cd14)
        * (p[68] * g[1] + p[69] * g[3] + p[70] * g[5]) * math.cos(SECOND * (ut_s - p[71]))
    )  # fmt: skip
    total += (
        (p[76] * g[19] + p[77] * g[21] + p[78] * g[23])
        * math.cos(SECOND * (ut_s - p[79]) + 2.0 * DEGREE * lon_deg) * (1.0 + p[137] * dfa)
    )  # fmt: skip
    # magnetic activity
    if history:
        if p[51] != 0.0:
            ex = min(math.exp(-10800.0 * abs(p[51]) / (1.0 + p[138] * (45.0 - abs(lat_deg)))), 0.99999)
            activity = _activity_history(ex, p, ap)
            total += activity * (
                p[50] + p[96] * g[2] + p[54] * g[4]
                + (p[125] * g[1] + p[126] * g[3] + p[127] * g[5]) * cd14
                + (p[128] * g[9] + p[129] * g[11] + p[130] * g[13]) * math.cos(HOUR * (lst_h - p[131]))
            )  # fmt: skip
            total += activity * (
                (1.0 + p[132] * g[1]) * (p[52] * g[10] + p[98] * g[12] + p[67] * g[14])
                * math.cos(DEGREE * (lon_deg - p[97]))
                + (p[133] * g[9] + p[134] * g[11] + p[135] * g[13]) * cd14 * math.cos(DEGREE * (lon_deg - p[136]))
                + (p[55] * g[1] + p[56] * g[3] + p[57] * g[5]) * math.cos(SECOND * (ut_s - p[58]))
            )  # fmt: skip
        return total, activity
    p44 = p[43] if p[43] >= 0.0 else 1.0e-5
    apd = ap[0] - 4.0
    activity = apd + (p[44] - 1.0) * (apd + (math.exp(-p44 * apd) - 1.0) / p44)
    total += activity * (
        p[32] + p[45] * g[2] + p[34] * g[4]
        + (p[100] * g[1] + p[101] * g[3] + p[102] * g[5]) * cd14
        + (p[121] * g[9] + p[122] * g[11] + p[123] * g[13]) * math.cos(HOUR * (lst_h - p[124]))
    )  # fmt: skip
    total += activity * (
        (1.0 + p[120] * g[1]) * (p[60] * g[10] + p[61] * g[12] + p[62] * g[14])
        * math.cos(DEGREE * (lon_deg - p[63]))
        + (p[115] * g[9] + p[116] * g[11] + p[117] * g[13]) * cd14 * math.cos(DEGREE * (lon_deg - p[118]))
        + (p[83] * g[1] + p[84] * g[3] + p[85] * g[5]) * math.cos(SECOND * (ut_s - p[75]))
    )  # fmt: skip
    return total, activity


@njit(cache=True, error_model="numpy")
def globe_low(p: Array, doy: float, lon_deg: float, f107a: float, activity: float, work: Array) -> float:
    """Variation of one parameter over the globe, lower atmosphere."""
    g = work[PLG : PLG + 32]
    s1, c1, s2, c2, s3, c3 = (
        work[LOCAL],
        work[LOCAL + 1],
        work[LOCAL + 2],
        work[LOCAL + 3],
        work[LOCAL + 4],
        work[LOCAL + 5],
    )
    cd32 = math.cos(YEAR * (doy - p[31]))
    cd18 = math.cos(2.0 * YEAR * (doy - p[17]))
    cd14 = math.cos(YEAR * (doy - p[13]))
    cd39 = math.cos(2.0 * YEAR * (doy - p[38]))
    total = p[21] * (f107a - 150.0)
    total += p[1] * g[2] + p[2] * g[4] + p[22] * g[6] + p[26] * g[1] + p[14] * g[3] + p[59] * g[5]
    total += (p[18] + p[47] * g[2] + p[29] * g[4]) * cd32
    total += (p[15] + p[16] * g[2] + p[30] * g[4]) * cd18
    total += (p[9] * g[1] + p[10] * g[3] + p[20] * g[5]) * cd14
    total += p[37] * g[1] * cd39
    total += (p[3] * g[9] + p[4] * g[11] + p[11] * g[10] * cd14) * c1
    total += (p[6] * g[9] + p[7] * g[11] + p[12] * g[10] * cd14) * s1
    total += (p[5] * g[18] + p[41] * g[20] + (p[23] * g[19] + p[35] * g[21]) * cd14) * c2
    total += (p[8] * g[18] + p[42] * g[20] + (p[33] * g[19] + p[36] * g[21]) * cd14) * s2
    total += p[39] * g[27] * s3 + p[40] * g[27] * c3
    total += activity
    season = 1.0 + g[1] * (p[80] * math.cos(YEAR * (doy - p[81])) + p[85] * math.cos(2.0 * YEAR * (doy - p[86])))
    season += p[83] * math.cos(YEAR * (doy - p[84])) + p[87] * math.cos(2.0 * YEAR * (doy - p[88]))
    total += season * (
        (
            p[64] * g[10] + p[65] * g[12] + p[66] * g[14] + p[74] * g[9] + p[75] * g[11] + p[76] * g[13]
        ) * math.cos(DEGREE * lon_deg)
        + (
            p[90] * g[10] + p[91] * g[12] + p[92] * g[14] + p[77] * g[9] + p[78] * g[11] + p[79] * g[13]
        ) * math.sin(DEGREE * lon_deg)
    )  # fmt: skip
    return float(total)


@njit(cache=True, error_model="numpy")
def _low(p: Array, doy: float, lon_deg: float, f107a: float, activity: float, history: bool, work: Array) -> float:
    """globe_low with the parameter's own weight of the magnetic activity."""
    weight = p[50] + p[96] * work[PLG + 2] if history else p[32] + p[45] * work[PLG + 2]
    return globe_low(p, doy, lon_deg, f107a, activity * weight, work)


@njit(cache=True, error_model="numpy")
def _spline(z: Array, t: Array, slope1: float, slope2: float, re: float, out: Array) -> float:
    """Cubic spline of 1/T over scaled geopotential height: nodes, values and second derivatives in out[0:5, 5:10,
    10:15]; returns the geopotential height between the end nodes, km."""
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
def _value(spline: Array, n: int, x: float) -> float:
    low = 0
    while low < n - 2 and x > spline[low + 1]:
        low += 1
    h = spline[low + 1] - spline[low]
    a = (spline[low + 1] - x) / h
    b = (x - spline[low]) / h
    curved = (a * a * a - a) * spline[10 + low] + (b * b * b - b) * spline[11 + low]
    return float(a * spline[5 + low] + b * spline[6 + low] + curved * h * h / 6.0)


@njit(cache=True, error_model="numpy")
def _integral(spline: Array, n: int, x: float) -> float:
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


@njit(cache=True, error_model="numpy")
def _profile(
    z: float, t_exo: float, t_low: float, s: float, whole: float, re: float, work: Array
) -> tuple[float, float, float, float]:
    """At an altitude: Bates temperature at it or at ZA, geopotential height of that, temperature, and the integral of
    1/T down from ZA in units of the whole spline."""
    top = max(z, ZA)
    height = zeta(top, Z_LOWER, re)
    bates = t_exo - (t_exo - t_low) * math.exp(-s * height)
    if z >= ZA:
        return bates, height, bates, 0.0
    spline = work[SPLINE : SPLINE + 20]
    x = zeta(max(z, Z1_NODES[4]), ZA, re) / whole
    return bates, height, 1.0 / _value(spline, 5, x), _integral(spline, 5, x)


@njit(cache=True, error_model="numpy")
def _density(
    at_low: float,
    t_exo: float,
    t_low: float,
    mass: float,
    alpha: float,
    s: float,
    whole: float,
    surface: float,
    re: float,
    z: float,
    profile: tuple[float, float, float, float],
) -> float:
    """Density of one species in diffusive equilibrium with `at_low` at the lower boundary (eqs. A13-A18)."""
    bates, height, t, integral = profile
    g_low = surface / (1.0 + Z_LOWER / re) ** 2
    gamma = mass * g_low / (s * GAS * t_exo)
    fall = min(math.exp(-s * gamma * height), 50.0) if bates > 0.0 else 50.0
    density = at_low * (t_low / bates) ** (1.0 + alpha + gamma) * fall
    if z >= ZA:
        return float(density)
    g_za = surface / (1.0 + ZA / re) ** 2
    fall = min(mass * g_za * whole / GAS * integral, 50.0) if t > 0.0 else 50.0
    return float(density * (bates / t) ** (1.0 + alpha) * math.exp(-fall))


@njit(cache=True, error_model="numpy")
def _net(diffusive: float, mixed: float, height: float, mass: float) -> float:
    """Turbopause: from mixing below to diffusive equilibrium above (eq. A12b)."""
    if not (mixed > 0.0 and diffusive > 0.0):
        if diffusive == 0.0 and mixed == 0.0:
            return 1.0
        return diffusive if mixed == 0.0 else mixed
    a = height / (MIXED_MASS - mass)
    ylog = a * math.log(mixed / diffusive)
    if ylog < -10.0:
        return diffusive
    if ylog > 10.0:
        return mixed
    return float(diffusive * (1.0 + math.exp(ylog)) ** (1.0 / a))


@njit(cache=True, error_model="numpy")
def _correction(z: float, r: float, h: float, zh: float) -> float:
    """Chemistry and dissociation (eq. A20a)."""
    e = (z - zh) / h
    if e > 70.0:
        return 1.0
    if e < -70.0:
        return math.exp(r)
    return math.exp(r / (1.0 + math.exp(e)))


@njit(cache=True, error_model="numpy")
def _correction2(z: float, r: float, h1: float, zh: float, h2: float) -> float:
    """The same with two scale heights."""
    e1, e2 = (z - zh) / h1, (z - zh) / h2
    if e1 > 70.0 or e2 > 70.0:
        return 1.0
    if e1 < -70.0 and e2 < -70.0:
        return math.exp(r)
    return math.exp(r / (1.0 + 0.5 * (math.exp(e1) + math.exp(e2))))


@njit(cache=True, error_model="numpy")
def upper(
    doy: float,
    ut_s: float,
    z: float,
    lat_deg: float,
    lon_deg: float,
    lst_h: float,
    f107a: float,
    f107: float,
    ap: Array,
    history: bool,
    surface: float,
    re: float,
    work: Array,
    out: Array,
) -> tuple[float, float]:
    """Above 72.5 km; returns the mixed N2 density, cm-3, and the activity used last, for the atmosphere below."""
    w = work
    activity = 0.0
    t_exo = PTM[0] * PT[0]
    if z > ZA:
        v, activity = globe(PT, doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
        t_exo *= 1.0 + v
    slope = PTM[3] * PS[0]
    if z > Z1_NODES[4]:
        v, activity = globe(PS, doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
        slope *= 1.0 + v
    v, activity = globe(PD[3], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    t_low = PTM[1] * (1.0 + v) * PD[3, 0]
    s = slope / (t_exo - t_low)
    t = w[NODES : NODES + 5]
    t[1], t[2], t[3], t[4] = PTM[6] * PTL[0, 0], PTM[2] * PTL[1, 0], PTM[7] * PTL[2, 0], PTM[4] * PTL[3, 0]
    slope_low = PTM[8] * PMA[8, 0]
    if z < 300.0:
        t[1] /= 1.0 - _low(PTL[0], doy, lon_deg, f107a, activity, history, w)
        t[2] /= 1.0 - _low(PTL[1], doy, lon_deg, f107a, activity, history, w)
        t[3] /= 1.0 - _low(PTL[2], doy, lon_deg, f107a, activity, history, w)
        t[4] /= 1.0 - _low(PTL[3], doy, lon_deg, f107a, activity, history, w)
        slope_low *= 1.0 + _low(PMA[8], doy, lon_deg, f107a, activity, history, w)
    slope_low *= t[4] * t[4] / (PTM[4] * PTL[3, 0]) ** 2
    w[SLOPES + 1] = slope_low
    zhf = PDL[1, 24] * (1.0 + PDL[0, 24] * math.sin(DEGREE * lat_deg) * math.cos(YEAR * (doy - PT[13])))

    # the profile below ZA is one spline for all species
    bates_za = t_exo - (t_exo - t_low) * math.exp(-s * zeta(ZA, Z_LOWER, re))
    t[0] = bates_za
    slope_za = (t_exo - bates_za) * s * ((re + Z_LOWER) / (re + ZA)) ** 2
    whole = _spline(Z1_NODES, t, slope_za, slope_low, re, w[SPLINE : SPLINE + 20])
    here = _profile(z, t_exo, t_low, s, whole, re, w)
    out[T_EXO], out[T_ALT] = t_exo, here[2]

    # N2
    v, activity = globe(PD[2], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[2, 0] * math.exp(v) * PD[2, 0]
    d_n2 = _density(low, t_exo, t_low, 28.0, 0.0, s, whole, surface, re, z, here)
    zh = PDM[2, 2] * zhf
    zhm = PDM[2, 3] * PDL[1, 5]
    there = _profile(zh, t_exo, t_low, s, whole, re, w)
    b28 = _density(low, t_exo, t_low, 28.0 - MIXED_MASS, -1.0, s, whole, surface, re, zh, there)
    mixed_n2 = 0.0
    if z <= 160.0:
        mixed_n2 = _density(b28, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
        d_n2 = _net(d_n2, mixed_n2, zhm, 28.0)

    # He
    v, activity = globe(PD[0], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[0, 0] * math.exp(v) * PD[0, 0]
    d_he = _density(low, t_exo, t_low, 4.0, -0.38, s, whole, surface, re, z, here)
    if z < 200.0:
        zh = PDM[0, 2]
        there = _profile(zh, t_exo, t_low, s, whole, re, w)
        b = _density(low, t_exo, t_low, 4.0 - MIXED_MASS, -1.38, s, whole, surface, re, zh, there)
        mixed = _density(b, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
        d_he = _net(d_he, mixed, zhm, 4.0)
        d_he *= _correction(z, math.log(b28 * PDM[0, 1] / b), PDM[0, 5] * PDL[1, 1], PDM[0, 4] * PDL[1, 0])

    # O
    v, activity = globe(PD[1], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[1, 0] * math.exp(v) * PD[1, 0]
    d_o = _density(low, t_exo, t_low, 16.0, 0.0, s, whole, surface, re, z, here)
    if z <= 300.0:
        zh = PDM[1, 2]
        there = _profile(zh, t_exo, t_low, s, whole, re, w)
        b = _density(low, t_exo, t_low, 16.0 - MIXED_MASS, -1.0, s, whole, surface, re, zh, there)
        mixed = _density(b, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
        d_o = _net(d_o, mixed, zhm, 16.0)
        rl = PDM[1, 1] * PDL[1, 16] * (1.0 + PDL[0, 23] * (f107a - 150.0))
        d_o *= _correction2(z, rl, PDM[1, 5] * PDL[1, 3], PDM[1, 4] * PDL[1, 2], PDM[1, 5] * PDL[1, 4])
        d_o *= _correction(z, PDM[1, 3] * PDL[1, 14], PDM[1, 7] * PDL[1, 13], PDM[1, 6] * PDL[1, 12])

    # O2
    v, activity = globe(PD[4], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[3, 0] * math.exp(v) * PD[4, 0]
    d_o2 = _density(low, t_exo, t_low, 32.0, 0.0, s, whole, surface, re, z, here)
    if z <= 250.0:
        zh = PDM[3, 2]
        there = _profile(zh, t_exo, t_low, s, whole, re, w)
        b = _density(low, t_exo, t_low, 32.0 - MIXED_MASS, -1.0, s, whole, surface, re, zh, there)
        mixed = _density(b, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
        d_o2 = _net(d_o2, mixed, zhm, 32.0)
        d_o2 *= _correction(z, math.log(b28 * PDM[3, 1] / b), PDM[3, 5] * PDL[1, 7], PDM[3, 4] * PDL[1, 6])
    rc = PDM[3, 3] * PDL[1, 23] * (1.0 + PDL[0, 23] * (f107a - 150.0))
    d_o2 *= _correction2(z, rc, PDM[3, 7] * PDL[1, 22], PDM[3, 6] * PDL[1, 21], PDM[3, 7] * PDL[0, 22])

    # Ar
    v, activity = globe(PD[5], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[4, 0] * math.exp(v) * PD[5, 0]
    d_ar = _density(low, t_exo, t_low, 40.0, 0.17, s, whole, surface, re, z, here)
    if z <= 240.0:
        zh = PDM[4, 2]
        there = _profile(zh, t_exo, t_low, s, whole, re, w)
        b = _density(low, t_exo, t_low, 40.0 - MIXED_MASS, -0.83, s, whole, surface, re, zh, there)
        mixed = _density(b, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
        d_ar = _net(d_ar, mixed, zhm, 40.0)
        d_ar *= _correction(z, math.log(b28 * PDM[4, 1] / b), PDM[4, 5] * PDL[1, 9], PDM[4, 4] * PDL[1, 8])

    # H
    v, activity = globe(PD[6], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[5, 0] * math.exp(v) * PD[6, 0]
    d_h = _density(low, t_exo, t_low, 1.0, -0.38, s, whole, surface, re, z, here)
    if z <= 320.0:
        zh = PDM[5, 2]
        there = _profile(zh, t_exo, t_low, s, whole, re, w)
        b = _density(low, t_exo, t_low, 1.0 - MIXED_MASS, -1.38, s, whole, surface, re, zh, there)
        mixed = _density(b, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
        d_h = _net(d_h, mixed, zhm, 1.0)
        rl = math.log(b28 * PDM[5, 1] * abs(PDL[1, 17]) / b)
        d_h *= _correction(z, rl, PDM[5, 5] * PDL[1, 11], PDM[5, 4] * PDL[1, 10])
        d_h *= _correction(z, PDM[5, 3] * PDL[1, 20], PDM[5, 7] * PDL[1, 19], PDM[5, 6] * PDL[1, 18])

    # N
    v, activity = globe(PD[7], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[6, 0] * math.exp(v) * PD[7, 0]
    d_n = _density(low, t_exo, t_low, 14.0, 0.0, s, whole, surface, re, z, here)
    if z <= 450.0:
        zh = PDM[6, 2]
        there = _profile(zh, t_exo, t_low, s, whole, re, w)
        b = _density(low, t_exo, t_low, 14.0 - MIXED_MASS, -1.0, s, whole, surface, re, zh, there)
        mixed = _density(b, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
        d_n = _net(d_n, mixed, zhm, 14.0)
        rl = math.log(b28 * PDM[6, 1] * abs(PDL[0, 2]) / b)
        d_n *= _correction(z, rl, PDM[6, 5] * PDL[0, 1], PDM[6, 4] * PDL[0, 0])
        d_n *= _correction(z, PDM[6, 3] * PDL[0, 5], PDM[6, 7] * PDL[0, 4], PDM[6, 6] * PDL[0, 3])

    # anomalous O: an isothermal profile of its own
    v, activity = globe(PD[8], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[7, 0] * math.exp(v) * PD[8, 0]
    hot = PDM[7, 9] * PDL[0, 6]
    if z < ZA:
        cold = t[0]
        t[0] = hot
        _spline(Z1_NODES, t, 0.0, slope_low, re, w[SPLINE : SPLINE + 20])
        t[0] = cold
    there = _profile(z, hot, hot, s, whole, re, w)
    dd = _density(low, hot, hot, 16.0, 0.0, s, whole, surface, re, z, there)
    z_hot, h_hot = PDM[7, 4], PDM[7, 5]
    scale = GAS * hot / (surface / (1.0 + z_hot / re) ** 2 * 16.0)
    d_hot = dd * math.exp(-h_hot / scale * (math.exp(-(z - z_hot) / h_hot) - 1.0))

    out[HE], out[O], out[N2], out[O2], out[AR] = d_he, d_o, d_n2, d_o2, d_ar
    out[H], out[N], out[O_ANOMALOUS] = d_h, d_n, d_hot
    return mixed_n2, activity


@njit(cache=True, error_model="numpy")
def _segment(
    z: float,
    density: float,
    nodes: Array,
    t: Array,
    slope1: float,
    slope2: float,
    surface: float,
    re: float,
    work: Array,
) -> tuple[float, float]:
    """Density below a boundary where it is `density`, and temperature (eq. A22)."""
    n = nodes.shape[0]
    spline = work[SPLINE_LOW : SPLINE_LOW + 20]
    whole = _spline(nodes, t, slope1, slope2, re, spline)
    x = zeta(max(z, nodes[n - 1]), nodes[0], re) / whole
    here = 1.0 / _value(spline, n, x)
    g = surface / (1.0 + nodes[0] / re) ** 2
    fall = min(MIXED_MASS * g * whole / GAS * _integral(spline, n, x), 50.0)
    return density * (t[0] / here) * math.exp(-fall), here


@njit(cache=True, error_model="numpy")
def gtd7(
    doy: float,
    ut_s: float,
    alt_km: float,
    lat_deg: float,
    lon_deg: float,
    lst_h: float,
    f107a: float,
    f107: float,
    ap: Array,
    history: bool,
    anomalous: bool,
    work: Array,
    out: Array,
) -> None:
    """Number densities, cm-3, mass density, g cm-3, and temperatures, K, into `out` at HE..T_ALT.

    doy: day of year from 1. ut_s: seconds of the day. f107: flux of the day before, f107a: mean of 81 days about the
    day, both in solar flux units. ap: 7 values (daily; now; 3, 6, 9 h before; mean of 12-33 h; mean of 36-57 h
    before); without `history` the daily value only. anomalous: include anomalous oxygen in the mass density, as drag
    needs (gtd7d). work: WORK_SIZE floats. out: OUT_SIZE floats.
    Validity: 0-2,500 km; the flux and ap have no effect below 80 km worth having.
    """
    surface, re = gravity(lat_deg)
    prepare(lat_deg, lst_h, work)
    z = max(alt_km, Z2_NODES[0])
    mixed, activity = upper(doy, ut_s, z, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, surface, re, work, out)
    if alt_km < Z2_NODES[0]:
        _lower(alt_km, doy, lon_deg, f107a, activity, history, mixed, surface, re, work, out)
    mass = 4.0 * out[HE] + 16.0 * out[O] + 28.0 * out[N2] + 32.0 * out[O2] + 40.0 * out[AR] + out[H] + 14.0 * out[N]
    if anomalous:
        mass += 16.0 * out[O_ANOMALOUS]
    out[MASS] = AMU_G * mass


@njit(cache=True, error_model="numpy")
def _lower(
    z: float,
    doy: float,
    lon_deg: float,
    f107a: float,
    activity: float,
    history: bool,
    mixed: float,
    surface: float,
    re: float,
    work: Array,
    out: Array,
) -> None:
    """Below 72.5 km: mixed but for a transition down to 62.5 km."""
    w = work
    t2 = np.empty(4)
    t2[0] = w[NODES + 4]
    t2[1] = PMA[0, 0] * PAVGM[0] / (1.0 - _low(PMA[0], doy, lon_deg, f107a, activity, history, w))
    t2[2] = PMA[1, 0] * PAVGM[1] / (1.0 - _low(PMA[1], doy, lon_deg, f107a, activity, history, w))
    t2[3] = PMA[2, 0] * PAVGM[2] / (1.0 - _low(PMA[2], doy, lon_deg, f107a, activity, history, w))
    slope = PAVGM[8] * PMA[9, 0] * (1.0 + _low(PMA[9], doy, lon_deg, f107a, activity, history, w))
    slope *= t2[3] * t2[3] / (PMA[2, 0] * PAVGM[2]) ** 2
    density, t_alt = _segment(z, mixed, Z2_NODES, t2, w[SLOPES + 1], slope, surface, re, w)
    if z <= Z3_NODES[0]:
        t3 = np.empty(5)
        t3[0] = t2[3]
        for k in range(1, 5):
            t3[k] = PMA[2 + k, 0] * PAVGM[2 + k] / (1.0 - _low(PMA[2 + k], doy, lon_deg, f107a, activity, history, w))
        slope3 = PMA[7, 0] * PAVGM[7] * (1.0 + _low(PMA[7], doy, lon_deg, f107a, activity, history, w))
        slope3 *= t3[4] * t3[4] / (PMA[6, 0] * PAVGM[6]) ** 2
        density, t_alt = _segment(z, density, Z3_NODES, t3, slope, slope3, surface, re, w)
    transition = 1.0 - (Z2_NODES[0] - z) / (Z2_NODES[0] - Z_MIXED) if z > Z_MIXED else 0.0
    above = out[N2]
    n2 = density * (1.0 + (above / mixed - 1.0) * transition)
    for species, row in ((HE, 0), (O2, 3), (AR, 4)):
        ratio = PDM[row, 1]
        out[species] = n2 * ratio * (1.0 + (out[species] / (above * ratio) - 1.0) * transition)
    out[N2] = n2
    out[O], out[H], out[N], out[O_ANOMALOUS] = 0.0, 0.0, 0.0, 0.0
    out[T_ALT] = t_alt
