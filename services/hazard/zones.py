"""Parts of regions along the object's line, in strips to both sides of it: what can be closed, and how large it is.

The ground along the line is a grid of steps and strips of CELL_KM; each belongs to one region at cruising level. A
zone is a region on one pass, cut every SEGMENT_KM of the way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro.airspace import NOWHERE, Airspace
from libs.astro.corridor import Line
from libs.astro.geodesy import MEAN_RADIUS_KM
from services.hazard.contouring import Ends

Array = np.ndarray[Any, np.dtype[Any]]

CELL_KM = 10.0
STRIPS = 24  # to 120 km on both sides, the widest of the fixed corridors
SEGMENT_KM = 1000.0
CRUISE_FL = 300.0  # the level at which the ground is shared out among regions
KM2_PER_NM2 = 1.852**2
_RATE_RAD_S = 1.19e-3  # of an object about to come down
_APART_KM = 1000.0  # a region is passed anew


@dataclass(frozen=True, slots=True)
class Ground:
    """owner (k, STRIPS): region of each cell; steps start at first_rad; pass_s (k,): when the object is over a step."""

    line: Line
    first_rad: float
    owner: Array
    pass_s: Array
    lat_deg: Array
    lon_deg: Array

    def step(self, along_rad: Array) -> Array:
        """Place of each angle travelled in the steps, may lie outside."""
        return np.floor((along_rad - self.first_rad) * MEAN_RADIUS_KM / CELL_KM).astype(np.int64)

    def passed(self, along_rad: Array) -> Array:
        middle = self.first_rad + (np.arange(len(self.pass_s)) + 0.5) * CELL_KM / MEAN_RADIUS_KM
        return np.interp(along_rad, middle, self.pass_s)


@dataclass(frozen=True, slots=True)
class Zone:
    """Steps first to last of a region on one pass; cells (STRIPS,): how many of each strip are its own."""

    region: int
    first: int
    last: int
    cells: Array

    @property
    def strip_nm2(self) -> Array:
        return np.asarray(self.cells * CELL_KM**2 / KM2_PER_NM2)

    @property
    def length_km(self) -> float:
        return (self.last - self.first + 1) * CELL_KM


def cell_of(left_km: Array) -> Array:
    """Place of each distance to the left in the strips, 0 the rightmost, may lie outside."""
    return np.floor(left_km / CELL_KM).astype(np.int64) + STRIPS // 2


def strip_of(left_km: Array) -> Array:
    """The same, -1 outside."""
    found = cell_of(left_km)
    return np.where((found >= 0) & (found < STRIPS), found, -1)


def ground(ends: Ends, low_rad: float, high_rad: float, regions: Airspace) -> Ground:
    """From low_rad to high_rad of the line."""
    step = CELL_KM / MEAN_RADIUS_KM
    count = max(1, int(np.ceil((high_rad - low_rad) / step)))
    along = low_rad + (np.arange(count) + 0.5) * step
    left = (np.arange(STRIPS) - STRIPS / 2 + 0.5) * CELL_KM
    lat, lon = ends.line.beside(np.repeat(along, STRIPS), np.tile(left, count))
    return Ground(
        ends.line, low_rad, owners(regions, lat, lon).reshape(count, STRIPS), _passes(ends, along),
        lat.reshape(count, STRIPS), lon.reshape(count, STRIPS),
    )  # fmt: skip


def owners(regions: Airspace, lat_deg: Array, lon_deg: Array) -> Array:
    """Region of each point at CRUISE_FL, NOWHERE for none."""
    volumes, _ = regions.find_at(lat_deg, lon_deg, np.full(len(lat_deg), CRUISE_FL))
    return np.where(volumes >= 0, regions.region_of_volume[volumes], NOWHERE)


def _passes(ends: Ends, along_rad: Array) -> Array:
    """When objects of the samples pass: they come down at most seconds apart from others at the same place."""
    order = np.argsort(ends.along_rad, kind="stable")
    known, seconds = ends.along_rad[order], ends.seconds[order]
    inside = np.interp(along_rad, known, seconds)
    before, after = np.minimum(along_rad - known[0], 0.0), np.maximum(along_rad - known[-1], 0.0)
    return np.asarray(inside + (before + after) / _RATE_RAD_S)


def zones(over: Ground) -> Iterator[Zone]:
    """By region, then along the way."""
    for region in np.unique(over.owner[over.owner != NOWHERE]).tolist():
        mine = over.owner == region
        steps = np.flatnonzero(mine.any(axis=1))
        for one in np.split(steps, np.flatnonzero(np.diff(steps) > _APART_KM / CELL_KM) + 1):
            count = max(1, round((one[-1] - one[0] + 1) * CELL_KM / SEGMENT_KM))
            cuts = np.linspace(one[0], one[-1] + 1, count + 1).astype(np.int64)
            for first, last in zip(cuts[:-1].tolist(), (cuts[1:] - 1).tolist(), strict=True):
                yield Zone(region, first, last, mine[first : last + 1].sum(axis=0))


def numbers(found: list[Zone], over: Ground) -> Array:
    """Place in `found` of each cell (k, STRIPS), -1 outside all regions."""
    out = np.full(over.owner.shape, -1, np.int32)
    for number, one in enumerate(found):
        part = slice(one.first, one.last + 1)
        out[part][over.owner[part] == one.region] = number
    return out
