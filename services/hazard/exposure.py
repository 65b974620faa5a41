"""Aircraft and people exposed to the pieces of an assessment, computed in a process of its own.

Given re-entry as predicted, break-up as the scenario has it, traffic as stated and nothing closed.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from libs.astro.airspace import NOWHERE, Airspace
from libs.astro.geodesy import MEAN_RADIUS_KM
from libs.astro.vulnerability import CASUALTY_ENERGY_J, CASUALTY_RADIUS_M
from libs.blobs import Blobs
from services.hazard import assumptions as assuming
from services.hazard import flight_files, strikes, traffic, visit_files
from services.hazard.assumptions import Assumptions, Risk, per_prefix
from services.hazard.flying import regions_of
from services.hazard.strikes import Parts, Strikes
from services.hazard.tally_files import MINUTES_OF_JD_0
from services.hazard.traffic import Traffic
from services.hazard.visit_files import Visits

Array = np.ndarray[Any, np.dtype[Any]]
RISKS = (Risk.IMPACT, Risk.CASUALTY, Risk.CATASTROPHE)
COLUMNS = len(RISKS) + 2
TILE_DEG = 0.25
TILES = 720 * 1440


@dataclass(frozen=True, slots=True)
class Job:
    """density: a dataset of traffic as recorded, empty for the average day that is assumed."""

    blobs: Blobs
    visits_sha256: tuple[str, ...]
    geojson: bytes
    assumptions: bytes
    density: bytes
    density_source: str


@dataclass(frozen=True, slots=True)
class Exposed:
    """Of a region or of all: chance that any aircraft suffers it, and expected number that do, by RISKS.

    aircraft_exposed: expected number in the same tile of TILE_DEG and band as a piece, counted anew in each interval.
    """

    fir_designator: str
    chance: tuple[float, float, float]
    expected: tuple[float, float, float]
    aircraft_exposed: float
    ground_casualties: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """`cells`: an Arrow file, one row for each region, band and interval with any piece; see `_file`."""

    total: Exposed
    firs: tuple[Exposed, ...]
    cells: bytes
    traffic_source: str
    sample_count: int


@dataclass(frozen=True, slots=True)
class Told:
    """The metadata of the files of visits."""

    regions: tuple[str, ...]
    bands_fl: tuple[float, ...]
    sample_count: int
    start: tuple[float, float]

    @staticmethod
    def of(read: dict[str, Any]) -> "Told":
        start = float(read["start_jd"]), float(read["start_jd_fraction"])
        return Told(tuple(read["regions"]), tuple(map(float, read["bands_fl"])), int(read["sample_count"]), start)

    @property
    def zero_hour(self) -> float:
        """Hour of the day (UTC) at the start epoch."""
        return ((sum(self.start) + 0.5) % 1.0) * 24.0


@dataclass(slots=True)
class _Sums:
    """By key of region, band and interval, and by region: sums over samples."""

    keys: list[Array] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)
    by_region: dict[int, Array] = field(default_factory=dict)
    ground: dict[int, float] = field(default_factory=dict)

    def add(self, region: int, found: Array) -> None:
        self.by_region[region] = self.by_region.get(region, np.zeros(2 * len(RISKS))) + found


ALL = -2


def expose(job: Job) -> Exposure:
    """Raises BadFile and BadAssumptions."""
    given = assuming.of_json(job.assumptions)
    regions = regions_of(job.geojson)
    where = traffic_of(job.density, job.density_source, given, regions.idents)
    sums, told = _Sums(), None
    for visits, told in parts_of(job.blobs, job.visits_sha256):
        _check(told, regions)
        part = strikes.split(visits, told.start[1], 60.0 * given.interval_min)
        found = strikes.strikes(visits, part, where, given, told.zero_hour, told.bands_fl)
        _cells(sums, visits, part, found)
        _regions(sums, visits, part, np.column_stack([found.of(risk) for risk in RISKS]))
        _ground(sums, visits, given, regions.idents)
    if told is None or not sums.keys:
        raise flight_files.BadFile("no piece of any sample came down")
    return _told(sums, told, given, where, regions)


def _check(told: Told, regions: Airspace) -> None:
    if told.regions != regions.idents:
        raise flight_files.BadFile("the visits were made with another airspace than is given")


def traffic_of(density: bytes, source: str, given: Assumptions, idents: tuple[str, ...]) -> Traffic:
    return traffic.read(density, source) if density else traffic.Assumed(given.traffic, idents)


def parts_of(blobs: Blobs, names: Sequence[str]) -> Iterator[tuple[Visits, Told]]:
    for name in names:
        visits, read = visit_files.read(asyncio.run(blobs.get(name)))
        yield visits, Told.of(read)


def _cells(sums: _Sums, visits: Visits, part: Parts, found: Strikes) -> None:
    """Adds the strikes of each region, band and interval, the chance of any piece, and the aircraft near one."""
    row = part.row
    names = np.stack([visits.region[row], visits.band[row], part.interval]).astype(np.int64)
    keys, cell = np.unique(_packed(names), return_inverse=True)
    values = np.zeros((len(keys), COLUMNS))
    for k, risk in enumerate(RISKS):
        values[:, k] = np.bincount(cell, found.of(risk), len(keys))
    sample, piece = visits.sample[row].astype(np.int64), visits.piece[row].astype(np.int64)
    survival = visits.survival[row].astype(np.float64)
    at, chance = _any(cell, sample, piece, survival)
    values[:, len(RISKS)] = np.bincount(cell[at], chance, len(keys))
    tile, km2 = tiles(part)
    at, chance = _any(cell, sample * TILES + tile, piece, survival)
    values[:, len(RISKS) + 1] = np.bincount(cell[at], chance * found.near_per_km2[at] * km2[at], len(keys))
    sums.keys.append(keys)
    sums.values.append(values)


def _packed(names: Array) -> Array:
    """Region, band and interval (3, m) as one whole number each."""
    return np.asarray(((names[0] + 1) << 40) | (names[1] << 32) | names[2])


def unpacked(keys: Array) -> Array:
    return np.column_stack([(keys >> 40) - 1, keys >> 32 & 0xFF, keys & 0xFFFFFFFF])


def _any(cell: Array, group: Array, piece: Array, survival: Array) -> tuple[Array, Array]:
    """A row of each cell and group, and the chance that any piece is there, each piece counted once."""
    order = np.lexsort((piece, group, cell))
    new_group = np.r_[True, (np.diff(cell[order]) != 0) | (np.diff(group[order]) != 0)]
    new_piece = new_group | np.r_[True, np.diff(piece[order]) != 0]
    with np.errstate(divide="ignore"):
        escape = np.where(new_piece, np.log1p(-survival[order]), 0.0)
    return order[new_group], -np.expm1(np.add.reduceat(escape, np.flatnonzero(new_group)))


def tiles(part: Parts) -> tuple[Array, Array]:
    """Number of the tile of TILE_DEG each part is in, and its area in km2."""
    y = np.floor((part.lat_deg + 90.0) / TILE_DEG).astype(np.int64)
    x = np.floor((part.lon_deg + 180.0) / TILE_DEG).astype(np.int64)
    side = np.radians(TILE_DEG) * MEAN_RADIUS_KM
    return 1440 * y + x, side**2 * np.cos(np.radians(part.lat_deg))


def _regions(sums: _Sums, visits: Visits, part: Parts, columns: Array) -> None:
    """Adds the chance that any aircraft is struck, sample by sample, and the expected number."""
    sample = visits.sample[part.row] - visits.sample[0]
    region = visits.region[part.row]
    for number in (ALL, *np.unique(region).tolist()):
        here = slice(None) if number == ALL else np.flatnonzero(region == number)
        found = [np.bincount(sample[here], columns[here, k]) for k in range(len(RISKS))]
        sums.add(number, np.array([*(-np.expm1(-one).sum() for one in found), *(one.sum() for one in found)]))


def _ground(sums: _Sums, visits: Visits, given: Assumptions, idents: tuple[str, ...]) -> None:
    """Adds people hit in the open: (0.6 + sqrt A)^2 of each piece that lands with 15 J."""
    down = np.flatnonzero(visits.exit_fl <= 0.5)
    mass, fall = visits.mass_kg[down].astype(np.float64), visits.descent_m_s[down].astype(np.float64)
    hard = down[0.5 * mass * fall**2 >= CASUALTY_ENERGY_J]
    area_km2 = 1e-6 * (CASUALTY_RADIUS_M + np.sqrt(visits.area_m2[hard].astype(np.float64))) ** 2
    for number in np.unique(visits.region[hard]).tolist():
        people = per_prefix(given.ground.prefixes, given.ground.people_per_km2, idents[number] if number >= 0 else "")
        here = visits.region[hard] == number
        hit = people * float(area_km2[here] @ visits.survival[hard][here])
        sums.ground[number] = sums.ground.get(number, 0.0) + hit


def _told(sums: _Sums, told: Told, given: Assumptions, where: Traffic, regions: Airspace) -> Exposure:
    packed, cell = np.unique(np.concatenate(sums.keys), return_inverse=True)
    values, keys = np.zeros((len(packed), COLUMNS)), unpacked(packed)
    np.add.at(values, cell, np.concatenate(sums.values))
    values /= told.sample_count

    def of(number: int) -> Exposed:
        here = slice(None) if number == ALL else keys[:, 0] == number
        found = (sums.by_region[number] / told.sample_count).tolist()
        ground = sum(sums.ground.values()) if number == ALL else sums.ground.get(number, 0.0)
        ident = regions.idents[number] if number >= 0 else ""
        exposed = float(values[here, -1].sum())
        return Exposed(ident, tuple(found[:3]), tuple(found[3:]), exposed, ground / told.sample_count)

    firs = [of(number) for number in np.unique(keys[:, 0]).tolist() if number != NOWHERE]
    firs.sort(key=lambda one: (-one.expected[1], one.fir_designator))
    return Exposure(
        of(ALL), tuple(firs), _file(keys, values, told, given, regions.idents), where.source, told.sample_count
    )


def _file(keys: Array, values: Array, told: Told, given: Assumptions, idents: tuple[str, ...]) -> bytes:
    """Columns of one row for each region, band and interval with any piece.

    fir (empty outside all), band (0 above the highest edge), minute (start of the interval, UTC, minutes since 1970),
    impact, casualty, catastrophe (expected strikes), any_piece (probability), exposed (expected aircraft in the
    same tile and band as a piece).
    """
    zero = round(told.start[0] * 1440.0) + MINUTES_OF_JD_0
    columns: dict[str, Any] = {
        "fir": pa.array([idents[number] if number >= 0 else "" for number in keys[:, 0]], pa.string()),
        "band": pa.array(keys[:, 1], pa.int8()),
        "minute": pa.array(zero + np.round(keys[:, 2] * given.interval_min).astype(np.int64), pa.int64()),
    }
    names = (*(risk.value for risk in RISKS), "any_piece", "exposed")
    return flight_files.file(columns | {name: pa.array(values[:, k], pa.float64()) for k, name in enumerate(names)})
