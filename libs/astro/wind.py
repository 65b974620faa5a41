"""Winds of one place unknown in advance: a climate of mean and spread by altitude, sampled, or a user's own.

The default climate is an ASSUMPTION, not a measurement: mean and spread over the seasons and longitudes of middle
latitudes, rounded from what is generally published of the jet stream (20-30 m/s about 11 km), the stratospheric and
mesospheric jets (40-60 m/s, east in winter and west in summer: no mean, all spread) and the tides above 80 km. A
forecast, a sounding or a reanalysis is better in every case: give it as a Climate of small spread.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

MODEL = "wind climate of middle latitudes"
_LIMIT_SIGMA = 3.0  # draws end there; with the greatest spread 150 m/s, about the fastest winds reported
_DRAWS_KEY = 0x57494E44  # keeps these draws apart from others of the same seed


@dataclass(frozen=True, slots=True)
class Climate:
    """Mean and standard deviation of the wind towards east and north, m/s, at rising altitudes.

    deep_km: altitude difference over which departures from the mean lose all but 1/e of their likeness.
    source: where it comes from; it is stored with what was computed from it.
    """

    alt_km: Array
    east_m_s: Array
    north_m_s: Array
    east_sigma_m_s: Array
    north_sigma_m_s: Array
    deep_km: float
    source: str

    def __post_init__(self) -> None:
        columns = (self.alt_km, self.east_m_s, self.north_m_s, self.east_sigma_m_s, self.north_sigma_m_s)
        if len({len(column) for column in columns}) != 1 or len(self.alt_km) < 2:
            raise ValueError("a wind climate needs two altitudes or more, each with its four values")
        if not all(np.isfinite(column).all() for column in columns):
            raise ValueError("a wind climate has a value that is no number")
        if not (np.diff(self.alt_km) > 0.0).all() or not self.deep_km > 0.0:
            raise ValueError("a wind climate needs rising altitudes and a positive depth")
        if (self.east_sigma_m_s < 0.0).any() or (self.north_sigma_m_s < 0.0).any():
            raise ValueError("a standard deviation of a wind climate is negative")


ASSUMED = Climate(
    alt_km=np.array([0.0, 2.0, 5.0, 9.0, 12.0, 16.0, 20.0, 30.0, 45.0, 60.0, 75.0, 90.0, 105.0, 130.0]),
    east_m_s=np.array([0.0, 4.0, 9.0, 16.0, 17.0, 9.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    north_m_s=np.zeros(14),
    east_sigma_m_s=np.array([5.0, 8.0, 12.0, 17.0, 17.0, 12.0, 10.0, 18.0, 35.0, 45.0, 40.0, 40.0, 50.0, 50.0]),
    north_sigma_m_s=np.array([5.0, 7.0, 10.0, 14.0, 14.0, 9.0, 6.0, 8.0, 12.0, 18.0, 25.0, 35.0, 45.0, 50.0]),
    deep_km=8.0,
    source="assumption: middle latitudes, all seasons, rounded by hand",
)


def sampled(climate: Climate, seed: int, first: int, count: int) -> tuple[Array, Array]:
    """Returns the winds towards east and north [sample, altitude], m/s, of the samples numbered from `first`.

    Normal about the mean, cut at 3 standard deviations, alike over deep_km. A sample's draws depend on the seed and its
    own number alone (Philox), so that samples may be made in any parts and order. ValueError for numbers that are none.
    """
    whole = all(isinstance(one, int | np.integer) for one in (seed, first, count))
    if not (whole and 0 <= seed < 2**64 and 0 <= first < 2**64 and 0 <= count <= 2**64 - first):
        raise ValueError(
            f"seed {seed} and {count} samples from {first} on must be whole numbers of 64 bits, not negative"
        )
    levels = len(climate.alt_km)
    draws = np.array([_draws(seed, number, 2 * levels) for number in range(first, first + count)])
    east, north = draws.reshape(count, 2, levels).transpose(1, 0, 2)
    likeness = np.exp(-np.diff(climate.alt_km) / climate.deep_km)
    shares = [_alike(one, likeness) for one in (east, north)]
    return (
        climate.east_m_s + climate.east_sigma_m_s * shares[0],
        climate.north_m_s + climate.north_sigma_m_s * shares[1],
    )


def _draws(seed: int, number: int, count: int) -> Array:
    keyed = np.random.Philox(key=np.array([seed, number], dtype=np.uint64), counter=_DRAWS_KEY)
    return np.random.Generator(keyed).standard_normal(count)


def _alike(draws: Array, likeness: Array) -> Array:
    """Departures in standard deviations: each level takes its share of the one below, so that each stays normal."""
    found = draws.copy()
    for k, share in enumerate(likeness, start=1):
        found[:, k] = share * found[:, k - 1] + np.sqrt(1.0 - share**2) * draws[:, k]
    return np.clip(found, -_LIMIT_SIGMA, _LIMIT_SIGMA)
