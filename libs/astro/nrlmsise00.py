"""NRLMSISE-00: temperature and density of the atmosphere from the ground to 2,500 km.

An own port of the model of J. M. Picone, A. E. Hedin, D. P. Drob and A. C. Aikin, "NRLMSISE-00 empirical model of the
atmosphere: statistical comparisons and scientific issues", J. Geophys. Res. 107 (A12), 1468, 2002. The coefficients are
those of the public-domain release of the US Naval Research Laboratory; their notice is in `data/nrlmsise00.json`.

All that depends on the place and time but not on the altitude is found first, so that a column costs one variation over
the globe of each parameter; densities are carried as logarithms, which saves most powers and exponentials.

Kernels take and return floats and work arrays, hold no state, and never validate. Units: km, degrees, hours of local
solar time, seconds of UT, 1e-22 W m-2 Hz-1 (solar flux units), cm-3, g cm-3, K.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro import nrlmsise00_variation as variation
from libs.astro.nrlmsise00_mixing import MIXED_MASS, ln_correction, ln_correction2, ln_net
from libs.astro.nrlmsise00_spline import fit_spline, integral, value, zeta
from libs.astro.nrlmsise00_variation import globe, globe_phases, low_phases, low_variation, prepare

Array = np.ndarray[Any, np.dtype[np.float64]]

PT, PD, PS, PDL, PTM = variation.PT, variation.PD, variation.PS, variation.PDL, variation.PTM
PDM, PTL, PMA, PAVGM = variation.PDM, variation.PTL, variation.PMA, variation.PAVGM
DEGREE, YEAR = variation.DEGREE, variation.YEAR
GAS = 831.4
AMU_G = 1.66e-24

# Boundaries, km: Bates profile above ZA, splines in 1/T between the nodes below.
ZA = PDL[1, 15]
Z1_NODES = np.array([ZA, 110.0, 100.0, 90.0, 72.5])
Z2_NODES = np.array([72.5, 55.0, 45.0, 32.5])
Z3_NODES = np.array([32.5, 20.0, 15.0, 10.0, 0.0])
Z_MIXED = 62.5
Z_LOWER = PTM[5]

# Places in a work array, after those of the variation: temperatures and slope of the lower nodes, the spline below ZA
# and that of anomalous oxygen, the spline below 72.5 km, one value each of the column, logarithms of each species at
# the lower boundary and of its mixed density there, temperatures of the nodes of both splines below 72.5 km.
NODES, SLOPE_MIDDLE, SPLINE, SPLINE_HOT, SPLINE_LOW = 56, 64, 66, 86, 106
GRAVITY, RADIUS, FLUX_MEAN, T_FAR, T_LOW, SHAPE, WHOLE, HEIGHT_MIXED, ACTIVITY, MIXED_N2 = range(126, 136)
LN_LOW, LN_MIXED, NODES_LOW = 136, 144, 152
WORK_SIZE = 161
# Places in an output array.
HE, O, N2, O2, AR, MASS, H, N, O_ANOMALOUS, T_EXO, T_ALT = range(11)
OUT_SIZE = 11

_ANOMALOUS: Any = np.True_  # as gtd7's callers give it, so that what both call is compiled once
_PT, _PS = globe_phases(PT[None, :])[0], globe_phases(PS[None, :])[0]
_PD, _PTL, _PMA = globe_phases(PD), low_phases(PTL), low_phases(PMA)
_LEAST_INVERSE = 1.0e-5  # per K: the spline of 1/T crosses zero in storms beyond the model's range
_ORDER = np.array([2, 0, 1, 4, 5, 6, 7, 8])  # rows of PD: N2, He, O, O2, Ar, H, N, anomalous O
_Z_MIXED_ABOVE = 160.0  # no density of mixed N2 is needed above
_LN_BOTTOM = np.log(PDM[[2, 0, 1, 3, 4, 5, 6, 7], 0] * PD[_ORDER, 0])  # in that order

_RATIO_O = PDM[1, 1] * PDL[1, 16]
_RATIO_O2 = PDM[3, 3] * PDL[1, 23]
# Species but N2 and anomalous O: place, rows of PD and PDM, mass, exponent of thermal diffusion, altitude above which
# diffusion alone rules, ln of the mixing ratio at the ground and the height and scale at which it is reached, then
# ratio, height and scale of the chemistry.
_SPECIES = np.array([
    [HE, 0, 0, 4, -0.38, 200, math.log(PDM[0, 1]), PDM[0, 4] * PDL[1, 0], PDM[0, 5] * PDL[1, 1], 0, 0, 1],
    [O, 1, 1, 16, 0, 300, 0, PDM[1, 4] * PDL[1, 2], PDM[1, 5] * PDL[1, 3],
     PDM[1, 3] * PDL[1, 14], PDM[1, 6] * PDL[1, 12], PDM[1, 7] * PDL[1, 13]],
    [O2, 4, 3, 32, 0, 250, math.log(PDM[3, 1]), PDM[3, 4] * PDL[1, 6], PDM[3, 5] * PDL[1, 7], 0, 0, 1],
    [AR, 5, 4, 40, 0.17, 240, math.log(PDM[4, 1]), PDM[4, 4] * PDL[1, 8], PDM[4, 5] * PDL[1, 9], 0, 0, 1],
    [H, 6, 5, 1, -0.38, 320, math.log(PDM[5, 1] * abs(PDL[1, 17])), PDM[5, 4] * PDL[1, 10], PDM[5, 5] * PDL[1, 11],
     PDM[5, 3] * PDL[1, 20], PDM[5, 6] * PDL[1, 18], PDM[5, 7] * PDL[1, 19]],
    [N, 7, 6, 14, 0, 450, math.log(PDM[6, 1] * abs(PDL[0, 2])), PDM[6, 4] * PDL[0, 0], PDM[6, 5] * PDL[0, 1],
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
    z: float, t_far: float, t_low: float, spline: Array, least: float, w: Array
) -> tuple[float, float, float, float]:
    """At an altitude: Bates temperature at it or at ZA, geopotential height of that, temperature, integral of 1/T.

    The integral is down from ZA in units of the whole spline. 1/T is not taken below `least`.
    """
    height = zeta(max(z, ZA), Z_LOWER, w[RADIUS])
    bates = t_far - (t_far - t_low) * math.exp(-w[SHAPE] * height)
    if z >= ZA:
        return bates, height, bates, 0.0
    x = zeta(max(z, Z1_NODES[4]), ZA, w[RADIUS]) / w[WHOLE]
    return bates, height, 1.0 / max(value(spline, 5, x), least), integral(spline, 5, x)


@njit(cache=True, error_model="numpy")
def _ln_fall(
    mass: float, alpha: float, z: float, t_far: float, t_low: float, here: tuple[float, float, float, float], w: Array
) -> float:
    """Ln of the density of a species in diffusive equilibrium over that at the lower boundary (eqs. A13-A18)."""
    bates, height, t, integral_ = here
    gamma = mass * w[GRAVITY] / (1.0 + Z_LOWER / w[RADIUS]) ** 2 / (w[SHAPE] * GAS * t_far)
    found = (1.0 + alpha + gamma) * math.log(t_low / bates) - w[SHAPE] * gamma * height
    if z < ZA:
        g_za = w[GRAVITY] / (1.0 + ZA / w[RADIUS]) ** 2
        fall = min(mass * g_za * w[WHOLE] / GAS * integral_, 50.0) if t > 0.0 else 50.0
        found += (1.0 + alpha) * math.log(abs(bates / t)) - fall
    return float(found)


@njit(cache=True, error_model="numpy")
def _regime(z: float) -> int:
    """Which of the altitude ranges an altitude is in, within each of which the model varies the same parameters."""
    if z > ZA:
        return 2 if z < 300.0 else 3
    return 1 if z > Z1_NODES[4] else 0


@njit(cache=True, error_model="numpy")
def _temperatures(regime: int, f107a: float, f107: float, ap: Array, history: bool, w: Array) -> None:
    """Temperatures far up and at the lower boundary, the shape between and the spline below ZA, into the work array."""
    activity, v = 0.0, 0.0
    t_far = PTM[0] * PT[0]
    if regime > 1:
        v, activity = globe(PT, _PT, f107a, f107, ap, history, activity, w)
        t_far *= 1.0 + v
    slope = PTM[3] * PS[0]
    if regime > 0:
        v, activity = globe(PS, _PS, f107a, f107, ap, history, activity, w)
        slope *= 1.0 + v
    v, activity = globe(PD[3], _PD[3], f107a, f107, ap, history, activity, w)
    t_low = PTM[1] * (1.0 + v) * PD[3, 0]
    s = slope / (t_far - t_low)
    t = w[NODES : NODES + 5]
    t[1], t[2], t[3], t[4] = PTM[6] * PTL[0, 0], PTM[2] * PTL[1, 0], PTM[7] * PTL[2, 0], PTM[4] * PTL[3, 0]
    slope_middle = PTM[8] * PMA[8, 0]
    if regime < 3:
        for k in range(4):
            t[k + 1] /= 1.0 - low_variation(PTL[k], _PTL[k], f107a, activity, history, w)
        slope_middle *= 1.0 + low_variation(PMA[8], _PMA[8], f107a, activity, history, w)
    slope_middle *= t[4] * t[4] / (PTM[4] * PTL[3, 0]) ** 2
    w[SLOPE_MIDDLE], w[T_FAR], w[T_LOW], w[SHAPE] = slope_middle, t_far, t_low, s

    # the profile below ZA is one spline for all species
    re = w[RADIUS]
    bates_za = t_far - (t_far - t_low) * math.exp(-s * zeta(ZA, Z_LOWER, re))
    t[0] = bates_za
    slope_za = (t_far - bates_za) * s * ((re + Z_LOWER) / (re + ZA)) ** 2
    w[WHOLE] = fit_spline(Z1_NODES, t, slope_za, slope_middle, re, w[SPLINE : SPLINE + 20])
    if regime < 2:  # anomalous oxygen is isothermal above, and falls off below
        t[0] = PDM[7, 9] * PDL[0, 6]
        fit_spline(Z1_NODES, t, 0.0, slope_middle, re, w[SPLINE_HOT : SPLINE_HOT + 20])
        t[0] = bates_za


@njit(cache=True, error_model="numpy")
def _species(f107a: float, f107: float, ap: Array, history: bool, w: Array) -> None:
    """Ln of the densities at the lower boundary, which no altitude moves."""
    v, activity = 0.0, 0.0
    for k in range(8):
        row = _ORDER[k]
        v, activity = globe(PD[row], _PD[row], f107a, f107, ap, history, activity, w)
        w[LN_LOW + k] = _LN_BOTTOM[k] + v
    w[ACTIVITY] = activity


@njit(cache=True, error_model="numpy")
def _turbopause(w: Array) -> None:
    """Ln of the density of each species that is mixed with the rest, at the lower boundary."""
    t_far, t_low = w[T_FAR], w[T_LOW]
    zh = PDM[2, 2] * w[HEIGHT_MIXED]
    there = _profile(zh, t_far, t_low, w[SPLINE : SPLINE + 20], _LEAST_INVERSE, w)
    w[LN_MIXED] = w[LN_LOW] + _ln_fall(28.0 - MIXED_MASS, -1.0, zh, t_far, t_low, there, w)
    zh = 0.0
    for k in range(_SPECIES.shape[0]):
        if PDM[int(_SPECIES[k, 2]), 2] != zh:
            zh = PDM[int(_SPECIES[k, 2]), 2]
            there = _profile(zh, t_far, t_low, w[SPLINE : SPLINE + 20], _LEAST_INVERSE, w)
        mass, alpha = _SPECIES[k, 3] - MIXED_MASS, _SPECIES[k, 4] - 1.0
        w[LN_MIXED + 1 + k] = w[LN_LOW + 1 + k] + _ln_fall(mass, alpha, zh, t_far, t_low, there, w)


@njit(cache=True, error_model="numpy")
def _column(f107a: float, f107: float, ap: Array, history: bool, w: Array) -> None:
    """Fills the work array with what no altitude moves, after `prepare`; then `_range` is due."""
    w[FLUX_MEAN] = f107a
    _species(f107a, f107, ap, history, w)


@njit(cache=True, error_model="numpy")
def _range(regime: int, f107a: float, f107: float, ap: Array, history: bool, w: Array) -> None:
    """Fills it with what holds within a range of altitudes."""
    _temperatures(regime, f107a, f107, ap, history, w)
    _turbopause(w)


@njit(cache=True, error_model="numpy")
def _upper(z: float, w: Array, out: Array) -> None:
    """Densities and temperatures above 72.5 km, within the range the work array was filled for."""
    t_far, t_low = w[T_FAR], w[T_LOW]
    here = _profile(z, t_far, t_low, w[SPLINE : SPLINE + 20], _LEAST_INVERSE, w)
    out[T_EXO], out[T_ALT] = t_far, here[2]
    height = PDM[2, 3] * PDL[1, 5]
    together = _ln_fall(MIXED_MASS, 0.0, z, t_far, t_low, here, w)
    n2 = w[LN_LOW] + _ln_fall(28.0, 0.0, z, t_far, t_low, here, w)
    if z <= _Z_MIXED_ABOVE:
        w[MIXED_N2] = w[LN_MIXED] + together
        n2 = ln_net(n2, w[MIXED_N2], height, 28.0)
    out[N2] = math.exp(n2)

    bright = 1.0 + PDL[0, 23] * (w[FLUX_MEAN] - 150.0)
    for k in range(_SPECIES.shape[0]):
        row = _SPECIES[k]
        found = w[LN_LOW + 1 + k] + _ln_fall(row[3], row[4], z, t_far, t_low, here, w)
        if z <= row[5]:
            found = ln_net(found, w[LN_MIXED + 1 + k] + together, height, row[3])
            if row[9] != 0.0:
                found += ln_correction(z, row[9], row[11], row[10])
            if row[0] == O:
                found += ln_correction2(z, _RATIO_O * bright, row[8], row[7], PDM[1, 5] * PDL[1, 4])
            else:
                found += ln_correction(z, w[LN_MIXED] + row[6] - w[LN_MIXED + 1 + k], row[8], row[7])
        if row[0] == O2:
            found += ln_correction2(
                z, _RATIO_O2 * bright, PDM[3, 7] * PDL[1, 22], PDM[3, 6] * PDL[1, 21], PDM[3, 7] * PDL[0, 22]
            )
        out[int(row[0])] = math.exp(found)
    out[O_ANOMALOUS] = _anomalous_oxygen(z, w)


@njit(cache=True, error_model="numpy")
def _anomalous_oxygen(z: float, w: Array) -> float:
    """An isothermal profile of its own, falling off below."""
    hot = PDM[7, 9] * PDL[0, 6]
    there = _profile(z, hot, hot, w[SPLINE_HOT : SPLINE_HOT + 20], -1.0, w)
    z_hot, h_hot = PDM[7, 4], PDM[7, 5]
    scale = GAS * hot / (w[GRAVITY] / (1.0 + z_hot / w[RADIUS]) ** 2 * 16.0)
    fade = h_hot / scale * (math.exp(-(z - z_hot) / h_hot) - 1.0)
    density = math.exp(w[LN_LOW + 7] + _ln_fall(16.0, 0.0, z, hot, hot, there, w) - fade)
    return math.copysign(density, there[2])  # the model's own: its spline may pass zero where nothing is left of it


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
    _place(doy, ut_s, lat_deg, lon_deg, lst_h, ap, history, work)
    _column(f107a, f107, ap, history, work)
    _range(_regime(alt_km), f107a, f107, ap, history, work)
    _at(alt_km, f107a, history, anomalous, work, out)


@njit(cache=True, error_model="numpy", nogil=True)
def ln_density_column(
    doy: float,
    ut_s: float,
    altitudes_km: Array,
    lat_deg: float,
    lon_deg: float,
    lst_h: float,
    f107a: float,
    f107: float,
    ap: Array,
    history: bool,
    work: Array,
    found: Array,
) -> None:
    """Ln of the mass density for drag, g cm-3, at ascending altitudes; the other arguments as gtd7's.

    work: WORK_SIZE + OUT_SIZE floats.
    """
    w, out = work[:WORK_SIZE], work[WORK_SIZE:]
    _place(doy, ut_s, lat_deg, lon_deg, lst_h, ap, history, w)
    _column(f107a, f107, ap, history, w)
    last = -1
    for k in range(altitudes_km.shape[0]):
        regime = _regime(altitudes_km[k])
        if regime != last:
            _range(regime, f107a, f107, ap, history, w)
            last = regime
        _at(altitudes_km[k], f107a, history, _ANOMALOUS, w, out)
        found[k] = math.log(out[MASS])


@njit(cache=True, error_model="numpy")
def _place(
    doy: float, ut_s: float, lat_deg: float, lon_deg: float, lst_h: float, ap: Array, history: bool, w: Array
) -> None:
    prepare(doy, ut_s, lat_deg, lon_deg, lst_h, ap, history, w)
    w[GRAVITY], w[RADIUS] = gravity(lat_deg)
    season = math.cos(YEAR * (doy - PT[13]))
    w[HEIGHT_MIXED] = PDL[1, 24] * (1.0 + PDL[0, 24] * math.sin(DEGREE * lat_deg) * season)


@njit(cache=True, error_model="numpy")
def _at(alt_km: float, f107a: float, history: bool, anomalous: bool, w: Array, out: Array) -> None:
    _upper(max(alt_km, Z2_NODES[0]), w, out)
    if alt_km < Z2_NODES[0]:
        _lower(alt_km, f107a, history, w, out)
    mass = 4.0 * out[HE] + 16.0 * out[O] + 28.0 * out[N2] + 32.0 * out[O2] + 40.0 * out[AR] + out[H] + 14.0 * out[N]
    if anomalous:
        mass += 16.0 * out[O_ANOMALOUS]
    out[MASS] = AMU_G * mass


@njit(cache=True, error_model="numpy")
def _lower(z: float, f107a: float, history: bool, w: Array, out: Array) -> None:
    """Below 72.5 km: mixed but for a transition down to 62.5 km."""
    surface, re, activity, mixed = w[GRAVITY], w[RADIUS], w[ACTIVITY], math.exp(w[MIXED_N2])
    t2, t3 = w[NODES_LOW : NODES_LOW + 4], w[NODES_LOW + 4 : NODES_LOW + 9]
    t2[0] = w[NODES + 4]
    t2[1] = PMA[0, 0] * PAVGM[0] / (1.0 - low_variation(PMA[0], _PMA[0], f107a, activity, history, w))
    t2[2] = PMA[1, 0] * PAVGM[1] / (1.0 - low_variation(PMA[1], _PMA[1], f107a, activity, history, w))
    t2[3] = PMA[2, 0] * PAVGM[2] / (1.0 - low_variation(PMA[2], _PMA[2], f107a, activity, history, w))
    slope = PAVGM[8] * PMA[9, 0] * (1.0 + low_variation(PMA[9], _PMA[9], f107a, activity, history, w))
    slope *= t2[3] * t2[3] / (PMA[2, 0] * PAVGM[2]) ** 2
    density, t_alt = _segment(z, mixed, Z2_NODES, t2, w[SLOPE_MIDDLE], slope, surface, re, w)
    if z <= Z3_NODES[0]:
        t3[0] = t2[3]
        for k in range(1, 5):
            t3[k] = (
                PMA[2 + k, 0]
                * PAVGM[2 + k]
                / (1.0 - low_variation(PMA[2 + k], _PMA[2 + k], f107a, activity, history, w))
            )
        slope3 = PMA[7, 0] * PAVGM[7] * (1.0 + low_variation(PMA[7], _PMA[7], f107a, activity, history, w))
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
