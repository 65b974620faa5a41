"""NRLMSISE-00's passage from mixed to diffusive equilibrium, and its corrections for chemistry, as logarithms."""

import math

from numba import njit

from libs.astro.nrlmsise00_variation import PDM

MIXED_MASS = PDM[2, 4]


@njit(cache=True, error_model="numpy")
def ln_net(diffusive: float, mixed: float, height: float, mass: float) -> float:
    """Turbopause: from mixing below to diffusive equilibrium above (eq. A12b), all as logarithms."""
    a = height / (MIXED_MASS - mass)
    y = a * (mixed - diffusive)
    if y < -10.0:
        return diffusive
    if y > 10.0:
        return mixed
    return float(diffusive + math.log(1.0 + math.exp(y)) / a)


@njit(cache=True, error_model="numpy")
def ln_correction(z: float, r: float, h: float, zh: float) -> float:
    """Chemistry and dissociation (eq. A20a)."""
    e = (z - zh) / h
    if e > 70.0:
        return 0.0
    if e < -70.0:
        return r
    return r / (1.0 + math.exp(e))


@njit(cache=True, error_model="numpy")
def ln_correction2(z: float, r: float, h1: float, zh: float, h2: float) -> float:
    """The same with two scale heights."""
    e1, e2 = (z - zh) / h1, (z - zh) / h2
    if e1 > 70.0 or e2 > 70.0:
        return 0.0
    if e1 < -70.0 and e2 < -70.0:
        return r
    return r / (1.0 + 0.5 * (math.exp(e1) + math.exp(e2)))
