"""US Standard Atmosphere 1976: density, temperature, speed of sound and viscosity by geometric altitude.

Own implementation of the equations of "U.S. Standard Atmosphere, 1976", NOAA-S/T 76-1562, part 1: layers of constant
gradient of the molecular-scale temperature to 86 km (eqs. 23, 33), species in diffusion above (eqs. 25-42), which are
integrated once into a grid. Kernels take km and return SI; they never validate.
"""

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]

MODEL = "US76"
VALID_KM = (-5.0, 1000.0)

GRAVITY_M_S2 = 9.80665
RADIUS_KM = 6356.766
GAS = 8314.32  # J kmol-1 K-1, the standard's own value
MOLAR_MASS = 28.9644  # kg kmol-1 at sea level
HEAT_RATIO = 1.4
_BETA, _SUTHERLAND_K = 1.458e-6, 110.4

# Base of each layer: geopotential altitude km', molecular-scale temperature K, gradient K per km'.
_BASES = np.array(
    [
        [0.0, 288.15, -6.5],
        [11.0, 216.65, 0.0],
        [20.0, 216.65, 1.0],
        [32.0, 228.65, 2.8],
        [47.0, 270.65, 0.0],
        [51.0, 270.65, -2.8],
        [71.0, 214.65, -2.0],
    ]
)
_DISSOCIATION_KM, _DISSOCIATION_STEP_KM = 80.0, 0.5  # table 8: ratio of the molar masses from 80 km on
_RATIO = np.array([
    1.0, 0.999996, 0.999989, 0.999971, 0.999941, 0.999909, 0.999870, 0.999829, 0.999786, 0.999741, 0.999694, 0.999641,
    0.999579,
])  # fmt: skip
_TOP_LAYER_KM = 86.0
_GRID_KM = 0.25


_HYDROSTATIC = GRAVITY_M_S2 * MOLAR_MASS / GAS * 1000.0  # K per km'


def _base_pressures() -> Array:
    """Eq. 33 from layer to layer, Pa."""
    found = [101325.0]
    for (low, t, gradient), (high, *_) in pairwise(_BASES):
        rise = high - low
        fall = (
            (t / (t + gradient * rise)) ** (_HYDROSTATIC / gradient) if gradient else math.exp(-_HYDROSTATIC * rise / t)
        )
        found.append(found[-1] * fall)
    return np.array(found)


_PRESSURES = _base_pressures()


def _temperature_above(z: Array) -> Array:
    """Eqs. 25, 27, 29, 31."""
    arc = 263.1905 - 76.3232 * np.sqrt(np.clip(1.0 - ((z - 91.0) / -19.9429) ** 2, 0.0, None))
    height = (z - 120.0) * (RADIUS_KM + 120.0) / (RADIUS_KM + z)
    bates = 1000.0 - 640.0 * np.exp(-0.01875 * height)
    return np.select([z <= 91.0, z <= 110.0, z <= 120.0], [186.8673, arc, 240.0 + 12.0 * (z - 110.0)], bates)


def _integral(values: Array, step: float) -> Array:
    return np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * step)])


def _flux(z: Array, big_q: float, big_u: float, big_w: float, q: float = 0.0, u: float = 0.0, w: float = 0.0) -> Array:
    """Eq. 37: vertical flux of a species over its diffusion, km-1."""
    lower = np.where(z <= u, q * (u - z) ** 2 * np.exp(-w * np.clip(u - z, 0.0, None) ** 3), 0.0)
    return big_q * (z - big_u) ** 2 * np.exp(-big_w * (z - big_u) ** 3) + lower


def _species(z: Array) -> tuple[Array, Array]:
    """Number densities m-3 of N2, O, O2, Ar, He, H, and temperature, eqs. 36-39; z evenly spaced from 86 km."""
    step = float(z[1] - z[0])
    t = _temperature_above(z)
    gradient = np.gradient(t, step)  # K/km
    g = GRAVITY_M_S2 * (RADIUS_KM / (RADIUS_KM + z)) ** 2
    weight = 1000.0 * g / (GAS * t)  # per km and unit of molar mass
    bell = np.exp(1.0 - 400.0 / np.clip(400.0 - (z - 95.0) ** 2, 1e-9, None))
    eddy = np.select([z < 95.0, z < 115.0], [120.0, 120.0 * bell], 0.0)
    n2 = 1.129794e20 * t[0] / t * np.exp(-_integral(np.where(z <= 100.0, MOLAR_MASS, 28.0134) * weight, step))
    mean = np.where(z <= 100.0, MOLAR_MASS, 28.0134)

    def diffused(bottom: float, mass: float, a: float, b: float, alpha: float, within: Array, flux: Array) -> Array:
        d = a / within * (t / 273.15) ** b
        share = d / (d + eddy)
        fall = weight * share * (mass + mean * eddy / d) + share * alpha * gradient / t + flux
        return np.asarray(bottom * t[0] / t * np.exp(-_integral(fall, step)))

    o = diffused(
        8.6e16, 15.9994, 6.986e20, 0.75, 0.0, n2,
        _flux(z, -5.809644e-4, 56.90311, 2.706240e-5, -3.416248e-3, 97.0, 5.008765e-4),
    )  # fmt: skip
    o2 = diffused(3.030898e19, 31.9988, 4.863e20, 0.75, 0.0, n2, _flux(z, 1.366212e-4, 86.0, 8.333333e-5))
    heavy = n2 + o + o2
    ar = diffused(1.3514e18, 39.948, 4.487e20, 0.87, 0.0, heavy, _flux(z, 9.434079e-5, 86.0, 8.333333e-5))
    he = diffused(7.5817e14, 4.0026, 1.7e21, 0.691, -0.4, heavy, _flux(z, -2.457369e-4, 86.0, 6.666667e-4))
    return np.stack([n2, o, o2, ar, he, _hydrogen(z, t, weight, heavy + ar + he)]), t


def _hydrogen(z: Array, t: Array, weight: Array, within: Array) -> Array:
    """Eq. 39: downward from 8e10 m-3 at 500 km against the flux of escape; none below 150 km."""
    step = float(z[1] - z[0])
    at = int(np.searchsorted(z, 500.0))
    tau = _integral(1.00797 * weight, step)
    tau -= tau[at]
    power = (t / t[at]) ** 0.75
    d = 3.305e21 / within * np.sqrt(t / 273.15)
    up = 7.2e11 / d * power * np.exp(tau) * 1000.0
    lost = _integral(up, step)
    lost -= lost[at]
    h = (8.0e10 - np.where(z <= 500.0, lost, 0.0)) / power * np.exp(-tau)
    return np.where(z >= 150.0, h, 0.0)


def _grid_above() -> Array:
    """Logarithm of density in kg m-3, temperature K, molar mass kg kmol-1 from 86 to 1000 km."""
    fine = 5
    count = round((VALID_KM[1] - _TOP_LAYER_KM) / _GRID_KM)
    z = np.linspace(_TOP_LAYER_KM, VALID_KM[1], count * fine + 1, dtype=np.float64)
    n, t = _species(z)
    masses = np.array([28.0134, 15.9994, 31.9988, 39.948, 4.0026, 1.00797])
    molar = masses @ n / n.sum(axis=0)
    rho = masses @ n / 6.022169e26
    return np.ascontiguousarray(np.stack([np.log(rho), t, molar], axis=1)[::fine])


_ABOVE = _grid_above()


@njit(cache=True, error_model="numpy", nogil=True)
def sound_m_s(temperature_k: float, molar_mass: float) -> float:
    """Speed of sound of a diatomic gas, eq. 50; molar mass in kg/kmol."""
    return math.sqrt(HEAT_RATIO * GAS * temperature_k / molar_mass)


@njit(cache=True, error_model="numpy", nogil=True)
def viscosity_pa_s(temperature_k: float) -> float:
    """Dynamic viscosity by Sutherland's law, eq. 51."""
    return _BETA * temperature_k * math.sqrt(temperature_k) / (temperature_k + _SUTHERLAND_K)


@njit(cache=True, error_model="numpy", nogil=True)
def us76(alt_km: float) -> tuple[float, float, float, float]:
    """Density kg m-3, kinetic temperature K, speed of sound m s-1, dynamic viscosity Pa s at a geometric altitude.

    Valid from -5 to 1000 km; the values of the end hold beyond. Within 0.02 % of the printed table to 110 km, 0.15 %
    above. Speed of sound and viscosity above 86 km, where the standard gives none, are those of the same formulas with
    the local molar mass.
    """
    if alt_km >= _TOP_LAYER_KM:
        x = min((alt_km - _TOP_LAYER_KM) / _GRID_KM, _ABOVE.shape[0] - 1.0)
        k = min(int(x), _ABOVE.shape[0] - 2)
        s = x - k
        a, b = _ABOVE[k], _ABOVE[k + 1]
        t = a[1] + s * (b[1] - a[1])
        return math.exp(a[0] + s * (b[0] - a[0])), t, sound_m_s(t, a[2] + s * (b[2] - a[2])), viscosity_pa_s(t)
    z = max(alt_km, VALID_KM[0])
    h = RADIUS_KM * z / (RADIUS_KM + z)
    k = 0
    while k < 6 and h >= _BASES[k + 1, 0]:
        k += 1
    rise, t0, gradient = h - _BASES[k, 0], _BASES[k, 1], _BASES[k, 2]
    t = t0 + gradient * rise
    fall = math.exp(-_HYDROSTATIC * rise / t0) if gradient == 0.0 else (t0 / t) ** (_HYDROSTATIC / gradient)
    rho = _PRESSURES[k] * fall * MOLAR_MASS / (GAS * t)
    ratio = 1.0
    if z > _DISSOCIATION_KM:
        x = (z - _DISSOCIATION_KM) / _DISSOCIATION_STEP_KM
        k = min(int(x), _RATIO.shape[0] - 2)
        ratio = _RATIO[k] + (x - k) * (_RATIO[k + 1] - _RATIO[k])
    t *= ratio
    return rho, t, sound_m_s(t, MOLAR_MASS * ratio), viscosity_pa_s(t)
