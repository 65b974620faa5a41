"""NRLMSISE-00: temperature and density of the atmosphere from the ground to 2,500 km.

An own port of the model of J. M. Picone, A. E. Hedin, D. P. Drob and A. C. Aikin, "NRLMSISE-00 empirical model of the
atmosphere: statistical comparisons and scientific issues", J. Geophys. Res. 107 (A12), 1468, 2002. The coefficients are
those of the public-domain release of the US Naval Research Laboratory; their notice is in `data/nrlmsise00.json`.

Kernels take and return floats and work arrays, hold no state, and never validate. Units: km, degrees, hours of local
solar time, seconds of UT, 1e-22 W m-2 Hz-1 (solar flux units), cm-3, g cm-3, K.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import nrlmsise00_variation as variation
from libs.astro.nrlmsise00_spline import fit_spline, integral, value, zeta
from libs.astro.nrlmsise00_variation import globe, low_variation, prepare

Array = np.ndarray[Any, np.dtype[np.float64]]

PT, PD, PS, PDL, PTM = variation.PT, variation.PD, variation.PS, variation.PDL, variation.PTM
PDM, PTL, PMA, PAVGM = variation.PDM, variation.PTL, variation.PMA, variation.PAVGM
DEGREE, YEAR = variation.DEGREE, variation.YEAR
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

# Places in a work array, after those of the variation.
NODES, SLOPES, SPLINE, SPLINE_LOW = 40, 48, 52, 72
WORK_SIZE = 96
# Places in an output array.
HE, O, N2, O2, AR, MASS, H, N, O_ANOMALOUS, T_EXO, T_ALT = range(11)
OUT_SIZE = 11

# Species but N2 and anomalous O: place, rows of PD and PDM, mass, exponent of thermal diffusion, altitude above which
# diffusion alone rules, mixing ratio at the ground and the height and scale at which it is reached, then ratio,
# height and scale of the chemistry.
_SPECIES = np.array([
    [HE, 0, 0, 4, -0.38, 200, PDM[0, 1], PDM[0, 4] * PDL[1, 0], PDM[0, 5] * PDL[1, 1], 0, 0, 1],
    [O, 1, 1, 16, 0, 300, 0, PDM[1, 4] * PDL[1, 2], PDM[1, 5] * PDL[1, 3],
     PDM[1, 3] * PDL[1, 14], PDM[1, 6] * PDL[1, 12], PDM[1, 7] * PDL[1, 13]],
    [O2, 4, 3, 32, 0, 250, PDM[3, 1], PDM[3, 4] * PDL[1, 6], PDM[3, 5] * PDL[1, 7], 0, 0, 1],
    [AR, 5, 4, 40, 0.17, 240, PDM[4, 1], PDM[4, 4] * PDL[1, 8], PDM[4, 5] * PDL[1, 9], 0, 0, 1],
    [H, 6, 5, 1, -0.38, 320, PDM[5, 1] * abs(PDL[1, 17]), PDM[5, 4] * PDL[1, 10], PDM[5, 5] * PDL[1, 11],
     PDM[5, 3] * PDL[1, 20], PDM[5, 6] * PDL[1, 18], PDM[5, 7] * PDL[1, 19]],
    [N, 7, 6, 14, 0, 450, PDM[6, 1] * abs(PDL[0, 2]), PDM[6, 4] * PDL[0, 0], PDM[6, 5] * PDL[0, 1],
     PDM[6, 3] * PDL[0, 5], PDM[6, 6] * PDL[0, 3], PDM[6, 7] * PDL[0, 4]],
])  # fmt: skip


@njit(cache=True, error_model="numpy")
def gravity(lat_deg: float) -> tuple[float, float]:
    """Surface gravity, cm s-2, and effective radius of the Earth, km, at a latitude."""
    c2 = math.cos(2.0 * DEGREE * lat_deg)
    surface = 980.616 * (1.0 - 0.0026373 * c2)
    return surface, 2.0 * surface / (3.085462e-6 + 2.27e-9 * c2) * 1.0e-5


@njit(cache=True, error_model="numpy")
def _profile(
    z: float, t_exo: float, t_low: float, s: float, whole: float, re: float, work: Array
) -> tuple[float, float, float, float]:
    """At an altitude: Bates temperature at it or at ZA, geopotential height of that, temperature, integral of 1/T.

    The integral is down from ZA in units of the whole spline.
    """
    top = max(z, ZA)
    height = zeta(top, Z_LOWER, re)
    bates = t_exo - (t_exo - t_low) * math.exp(-s * height)
    if z >= ZA:
        return bates, height, bates, 0.0
    spline = work[SPLINE : SPLINE + 20]
    x = zeta(max(z, Z1_NODES[4]), ZA, re) / whole
    return bates, height, 1.0 / value(spline, 5, x), integral(spline, 5, x)


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
def _temperatures(
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
    re: float,
    work: Array,
) -> tuple[float, float, float, float, float, float]:
    """Temperatures far up and at the lower boundary, shape, slope at 72.5 km, height of the spline, activity used."""
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
        t[1] /= 1.0 - low_variation(PTL[0], doy, lon_deg, f107a, activity, history, w)
        t[2] /= 1.0 - low_variation(PTL[1], doy, lon_deg, f107a, activity, history, w)
        t[3] /= 1.0 - low_variation(PTL[2], doy, lon_deg, f107a, activity, history, w)
        t[4] /= 1.0 - low_variation(PTL[3], doy, lon_deg, f107a, activity, history, w)
        slope_low *= 1.0 + low_variation(PMA[8], doy, lon_deg, f107a, activity, history, w)
    slope_low *= t[4] * t[4] / (PTM[4] * PTL[3, 0]) ** 2
    w[SLOPES + 1] = slope_low

    # the profile below ZA is one spline for all species
    bates_za = t_exo - (t_exo - t_low) * math.exp(-s * zeta(ZA, Z_LOWER, re))
    t[0] = bates_za
    slope_za = (t_exo - bates_za) * s * ((re + Z_LOWER) / (re + ZA)) ** 2
    whole = fit_spline(Z1_NODES, t, slope_za, slope_low, re, w[SPLINE : SPLINE + 20])
    return t_exo, t_low, s, slope_low, whole, activity


@njit(cache=True, error_model="numpy")
def _anomalous_oxygen(
    z: float, variation_: float, slope_low: float, s: float, whole: float, surface: float, re: float, w: Array
) -> float:
    """An isothermal profile of its own, falling off below."""
    low = PDM[7, 0] * math.exp(variation_) * PD[8, 0]
    hot = PDM[7, 9] * PDL[0, 6]
    if z < ZA:
        t = w[NODES : NODES + 5]
        cold = t[0]
        t[0] = hot
        fit_spline(Z1_NODES, t, 0.0, slope_low, re, w[SPLINE : SPLINE + 20])
        t[0] = cold
    there = _profile(z, hot, hot, s, whole, re, w)
    density = _density(low, hot, hot, 16.0, 0.0, s, whole, surface, re, z, there)
    z_hot, h_hot = PDM[7, 4], PDM[7, 5]
    scale = GAS * hot / (surface / (1.0 + z_hot / re) ** 2 * 16.0)
    return float(density * math.exp(-h_hot / scale * (math.exp(-(z - z_hot) / h_hot) - 1.0)))


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
    t_exo, t_low, s, slope_low, whole, activity = _temperatures(
        doy, ut_s, z, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, re, w
    )
    zhf = PDL[1, 24] * (1.0 + PDL[0, 24] * math.sin(DEGREE * lat_deg) * math.cos(YEAR * (doy - PT[13])))

    here = _profile(z, t_exo, t_low, s, whole, re, w)
    out[T_EXO], out[T_ALT] = t_exo, here[2]

    v, activity = globe(PD[2], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    low = PDM[2, 0] * math.exp(v) * PD[2, 0]
    out[N2] = _density(low, t_exo, t_low, 28.0, 0.0, s, whole, surface, re, z, here)
    zh = PDM[2, 2] * zhf
    zhm = PDM[2, 3] * PDL[1, 5]
    there = _profile(zh, t_exo, t_low, s, whole, re, w)
    b28 = _density(low, t_exo, t_low, 28.0 - MIXED_MASS, -1.0, s, whole, surface, re, zh, there)
    mixed_n2 = 0.0
    if z <= 160.0:
        mixed_n2 = _density(b28, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
        out[N2] = _net(out[N2], mixed_n2, zhm, 28.0)

    for k in range(_SPECIES.shape[0]):
        row = _SPECIES[k]
        pd, pdm, mass = PD[int(row[1])], PDM[int(row[2])], row[3]
        v, activity = globe(pd, doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
        low = pdm[0] * math.exp(v) * pd[0]
        density = _density(low, t_exo, t_low, mass, row[4], s, whole, surface, re, z, here)
        if z <= row[5]:
            zh = pdm[2]
            there = _profile(zh, t_exo, t_low, s, whole, re, w)
            b = _density(low, t_exo, t_low, mass - MIXED_MASS, row[4] - 1.0, s, whole, surface, re, zh, there)
            mixed = _density(b, t_exo, t_low, MIXED_MASS, 0.0, s, whole, surface, re, z, here)
            density = _net(density, mixed, zhm, mass) * _correction(z, row[9], row[11], row[10])
            if row[0] == O:
                ratio = PDM[1, 1] * PDL[1, 16] * (1.0 + PDL[0, 23] * (f107a - 150.0))
                density *= _correction2(z, ratio, row[8], row[7], PDM[1, 5] * PDL[1, 4])
            else:
                density *= _correction(z, math.log(b28 * row[6] / b), row[8], row[7])
        out[int(row[0])] = density
    ratio = PDM[3, 3] * PDL[1, 23] * (1.0 + PDL[0, 23] * (f107a - 150.0))
    out[O2] *= _correction2(z, ratio, PDM[3, 7] * PDL[1, 22], PDM[3, 6] * PDL[1, 21], PDM[3, 7] * PDL[0, 22])

    v, activity = globe(PD[8], doy, ut_s, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, activity, w)
    out[O_ANOMALOUS] = _anomalous_oxygen(z, v, slope_low, s, whole, surface, re, w)
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
    whole = fit_spline(nodes, t, slope1, slope2, re, spline)
    x = zeta(max(z, nodes[n - 1]), nodes[0], re) / whole
    here = 1.0 / value(spline, n, x)
    g = surface / (1.0 + nodes[0] / re) ** 2
    fall = min(MIXED_MASS * g * whole / GAS * integral(spline, n, x), 50.0)
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
    t2[1] = PMA[0, 0] * PAVGM[0] / (1.0 - low_variation(PMA[0], doy, lon_deg, f107a, activity, history, w))
    t2[2] = PMA[1, 0] * PAVGM[1] / (1.0 - low_variation(PMA[1], doy, lon_deg, f107a, activity, history, w))
    t2[3] = PMA[2, 0] * PAVGM[2] / (1.0 - low_variation(PMA[2], doy, lon_deg, f107a, activity, history, w))
    slope = PAVGM[8] * PMA[9, 0] * (1.0 + low_variation(PMA[9], doy, lon_deg, f107a, activity, history, w))
    slope *= t2[3] * t2[3] / (PMA[2, 0] * PAVGM[2]) ** 2
    density, t_alt = _segment(z, mixed, Z2_NODES, t2, w[SLOPES + 1], slope, surface, re, w)
    if z <= Z3_NODES[0]:
        t3 = np.empty(5)
        t3[0] = t2[3]
        for k in range(1, 5):
            t3[k] = (
                PMA[2 + k, 0]
                * PAVGM[2 + k]
                / (1.0 - low_variation(PMA[2 + k], doy, lon_deg, f107a, activity, history, w))
            )
        slope3 = PMA[7, 0] * PAVGM[7] * (1.0 + low_variation(PMA[7], doy, lon_deg, f107a, activity, history, w))
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
