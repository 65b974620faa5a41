"""NASA's standard break-up model, and where an object breaks on its way down.

N. L. Johnson, P. H. Krisko, J.-C. Liou, P. D. Anz-Meador, "NASA's new breakup model of EVOLVE 4.0", Adv. Space Res. 28
(2001) 1377-1384. Made for explosions and collisions in orbit; for a re-entry it is the sensitivity "what if it
explodes", not the nominal case, which the class catalogues of `fragments` describe. Lengths Lc in m, masses in kg,
areas (mean projected, over all attitudes) in m2, A/M in m2/kg. Random numbers come from the caller's Generator;
`generator` gives one that depends on seed and sample alone, so that results do not depend on how samples are split.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

BREAK_UP_KM = (72.0, 78.0, 84.0)  # lowest, most likely, highest; a fixed 78 km is known to bias
_BRIDGE_M = (0.08, 0.11)  # small and large objects' A/M are mixed between
_LARGEST_M = 1.0  # the number laws end; the mass left goes into a few large pieces
_LARGE_PIECES = (2, 8)


class Origin(Enum):
    ROCKET_BODY = "rocket body"
    SPACECRAFT = "spacecraft"


class Cause(Enum):
    EXPLOSION = "explosion"
    COLLISION = "collision"


# Straight between (lambda, value) and constant outside: alpha, mu1, sigma1, mu2, sigma2 of two normals in log10 A/M.
_LARGE = {
    Origin.ROCKET_BODY: (
        ((-1.4, 1.0), (0.0, 0.5)),
        ((-0.5, -0.45), (0.0, -0.9)),
        ((0.0, 0.55), (1.0, 0.55)),
        ((0.0, -0.9), (1.0, -0.9)),
        ((-1.0, 0.28), (0.1, 0.1)),
    ),
    Origin.SPACECRAFT: (
        ((-1.95, 0.0), (0.55, 1.0)),
        ((-1.1, -0.6), (0.0, -0.95)),
        ((-1.3, 0.1), (-0.3, 0.3)),
        ((-0.7, -1.2), (-0.1, -2.0)),
        ((-0.5, 0.5), (-0.3, 0.3)),
    ),
}
_SMALL_MEAN = ((-1.75, -0.3), (-1.25, -1.0))
_SMALL_SLOPE, _SMALL_FROM = 0.1333, -3.5
_DELTA_V = {Cause.EXPLOSION: (0.2, 1.85), Cause.COLLISION: (0.9, 2.9)}
_DELTA_V_SIGMA = 0.4


@dataclass(frozen=True, slots=True)
class Debris:
    """(N,) each, and delta_v_m_s (N, 3), isotropic in the axes of the parent's velocity."""

    length_m: Array
    area_to_mass_m2_kg: Array
    area_m2: Array
    mass_kg: Array
    delta_v_m_s: Array


def generator(seed: int, sample: int) -> np.random.Generator:
    """Counter-based (Philox), keyed by the run's seed and the sample's number; ValueError beyond 64 bits."""
    whole = isinstance(seed, int | np.integer) and isinstance(sample, int | np.integer)
    if not (whole and 0 <= seed < 2**64 and 0 <= sample < 2**64):
        raise ValueError(f"seed {seed} and sample {sample} must be whole numbers of 64 bits, not negative")
    return np.random.Generator(np.random.Philox(key=np.array([seed, sample], dtype=np.uint64)))


def break_up_altitude_km(share: Array | float, altitudes_km: tuple[float, float, float] = BREAK_UP_KM) -> Array:
    """Quantiles of the triangular distribution of break-up altitude at shares in [0, 1]."""
    low, mode, high = altitudes_km
    if not 40.0 <= low < mode < high <= 120.0:
        raise ValueError("break-up altitudes must rise from lowest to most likely to highest, within 40 and 120 km")
    u = np.asarray(share, dtype=np.float64)
    if not ((u >= 0.0) & (u <= 1.0)).all():
        raise ValueError("shares must lie in [0, 1]")
    rising = low + np.sqrt(u * (high - low) * (mode - low))
    return np.where(u < (mode - low) / (high - low), rising, high - np.sqrt((1.0 - u) * (high - low) * (high - mode)))


def number_from_collision(mass_kg: float, length_m: float) -> float:
    """Pieces larger than Lc after a catastrophic collision of `mass_kg` in all: 0.1 M^0.75 Lc^-1.71."""
    _positive("a mass (kg)", mass_kg)
    _positive("a length (m)", length_m)
    return float(0.1 * mass_kg**0.75 * length_m**-1.71)


def number_from_explosion(scale: float, length_m: float) -> float:
    """Pieces larger than Lc after an explosion: 6 S Lc^-1.6; S is 1 for a stage of 600 to 1000 kg."""
    _positive("a scale", scale)
    _positive("a length (m)", length_m)
    return float(6.0 * scale * length_m**-1.6)


def area_m2(length_m: Array) -> Array:
    """Mean cross-section by characteristic length."""
    _positive("a length (m)", length_m)
    lc = np.asarray(length_m, dtype=np.float64)
    return np.where(lc < 1.67e-3, 0.540424 * lc**2, 0.556945 * lc**2.0047077)


def area_to_mass_m2_kg(length_m: Array, origin: Origin, rng: np.random.Generator) -> Array:
    """Draws A/M for each Lc: one of two normals in log10 A/M above 11 cm, one below 8 cm, either one between.

    A mixture: each piece belongs to one of the two populations. (The weighted sum of a draw from each would have one
    hump, half way between them.)
    """
    _positive("a length (m)", length_m)
    lam = np.log10(np.asarray(length_m, dtype=np.float64))
    alpha, mean1, sigma1, mean2, sigma2 = (_between(lam, nodes) for nodes in _LARGE[origin])
    first = rng.random(lam.shape) < alpha
    large_share = _between(lam, ((math.log10(_BRIDGE_M[0]), 0.0), (math.log10(_BRIDGE_M[1]), 1.0)))
    large = rng.random(lam.shape) < large_share
    mean = np.where(large, np.where(first, mean1, mean2), _between(lam, _SMALL_MEAN))
    sigma = np.where(large, np.where(first, sigma1, sigma2), 0.2 + _SMALL_SLOPE * np.maximum(lam - _SMALL_FROM, 0.0))
    return np.asarray(10.0 ** (mean + sigma * rng.standard_normal(lam.shape)))


def delta_v_m_s(area_to_mass: Array, cause: Cause, rng: np.random.Generator) -> Array:
    """Draws speeds of ejection: log10 dv normal, mean 0.2 chi + 1.85 (explosion) or 0.9 chi + 2.9, chi = log10 A/M."""
    _positive("an area over mass (m2/kg)", area_to_mass)
    slope, mean = _DELTA_V[cause]
    chi = np.log10(area_to_mass)
    return np.asarray(10.0 ** (slope * chi + mean + _DELTA_V_SIGMA * rng.standard_normal(chi.shape)))


def break_up(
    mass_kg: float,
    origin: Origin,
    cause: Cause,
    rng: np.random.Generator,
    *,
    smallest_m: float = 0.05,
    scale: float = 1.0,
) -> Debris:
    """Breaks mass_kg into pieces larger than smallest_m (Lc); their masses sum to mass_kg.

    As many pieces up to 1 m as the number law gives, as far as the mass suffices; two to eight pieces larger than 1 m
    carry what is left. ValueError for a mass outside 1 to 1e6 kg, a size outside 1 mm to 1 m, a scale outside 0.01 to
    10.
    """
    if not 1.0 <= mass_kg <= 1e6:
        raise ValueError("the mass must lie within 1 and 1e6 kg")
    if not 1e-3 <= smallest_m < _LARGEST_M:
        raise ValueError("the smallest size must lie within 1 mm and 1 m")
    if not 0.01 <= scale <= 10.0:
        raise ValueError("the scale must lie within 0.01 and 10")
    length = _lengths(mass_kg, cause, scale, smallest_m, rng)
    area = area_m2(length)
    ratio = area_to_mass_m2_kg(length, origin, rng)
    within = np.cumsum(area / ratio) <= mass_kg
    small = length[within], ratio[within], area[within], area[within] / ratio[within]
    large = _large(mass_kg - float(small[3].sum()), origin, rng)
    lengths, ratios, areas, masses = (np.concatenate(pair) for pair in zip(small, large, strict=True))
    speed = delta_v_m_s(ratios, cause, rng)
    return Debris(lengths, ratios, areas, masses, speed[:, None] * _directions(len(speed), rng))


def _lengths(mass_kg: float, cause: Cause, scale: float, smallest_m: float, rng: np.random.Generator) -> Array:
    """Power law between smallest_m and 1 m, its number rounded at random."""
    if cause is Cause.COLLISION:
        power, per = 1.71, number_from_collision(mass_kg, 1.0)
    else:
        power, per = 1.6, number_from_explosion(scale, 1.0)
    many, few = smallest_m**-power, _LARGEST_M**-power
    count = int(np.floor(per * (many - few) + rng.random()))
    return np.asarray((few + (many - few) * rng.random(count)) ** (-1.0 / power))


def _large(mass_kg: float, origin: Origin, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Length, A/M, area, mass of the pieces that carry the rest."""
    count = int(rng.integers(_LARGE_PIECES[0], _LARGE_PIECES[1], endpoint=True))
    mass = mass_kg * rng.dirichlet(np.ones(count))
    ratio = area_to_mass_m2_kg(np.full(count, _LARGEST_M), origin, rng)
    area = ratio * mass
    return (area / 0.556945) ** (1.0 / 2.0047077), ratio, area, mass


def _directions(count: int, rng: np.random.Generator) -> Array:
    up = 2.0 * rng.random(count) - 1.0
    turn = 2.0 * math.pi * rng.random(count)
    flat = np.sqrt(1.0 - up * up)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), up], axis=1)


def _positive(what: str, values: Array | float) -> None:
    if not ((np.asarray(values) > 0.0) & np.isfinite(values)).all():
        raise ValueError(f"{what} must be a positive number")


def _between(lam: Array, nodes: tuple[tuple[float, float], tuple[float, float]]) -> Array:
    return np.interp(lam, [x for x, _ in nodes], [y for _, y in nodes])
