"""What a closing plan is made on: parts of visits with their risk, in the zones along the object's line."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np

from libs.astro import corridor
from libs.astro.airspace import Airspace
from libs.astro.geodesy import MEAN_RADIUS_KM
from libs.astro.time import add_seconds, jd_to_datetime
from services.hazard import assumptions as assuming
from services.hazard import exposure, flight_files, strikes, traffic, zones
from services.hazard.assumptions import Assumptions
from services.hazard.contouring import Ends
from services.hazard.exposure import Job, Told
from services.hazard.flying import regions_of
from services.hazard.traffic import Traffic
from services.hazard.zones import CELL_KM, STRIPS, Ground, Zone

Array = np.ndarray[Any, np.dtype[Any]]
_WINDOW = (0.05, 0.95)
RATE_RAD_S = 1.19e-3  # of an object about to come down, along the line
FALLING_S = 900.0
MOST_MOVES, MOST_ROWS = 9, 6_000_000
MOST_MOVED_S = 300.0  # an eighteenth of a revolution


@dataclass(frozen=True, slots=True)
class Rows:
    """(m,) each: parts of visits with a risk: seconds after the start, distance to the left, zone or -1."""

    seconds: Array
    interval: Array
    band: Array
    region: Array
    along_rad: Array
    left_km: Array
    zone: Array
    risk: Array
    sample: Array

    def of(self, kept: Array) -> "Rows":
        return Rows(*(getattr(self, one.name)[kept] for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Table:
    """What a plan is made on."""

    given: Assumptions
    told: Told
    where: Traffic
    regions: Airspace
    over: Ground
    zones: list[Zone]
    rows: Rows
    window: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Raw:
    """(m,) each: parts of visits before they are moved along the line; weight: risk over aircraft per km2."""

    seconds: Array
    along_rad: Array
    left_km: Array
    band: Array
    sample: Array
    weight: Array


def table_of(job: Job, points: bytes) -> Table:
    """Raises BadFile where there is nothing to close for."""
    given, regions = assuming.of_json(job.assumptions), regions_of(job.geojson)
    where = exposure.traffic_of(job.density, job.density_source, given, regions.idents)
    ends = ends_of(points)
    first, last = (float(q) for q in np.quantile(ends.seconds, _WINDOW, method="inverted_cdf"))
    raw, told = _raw(job, ends, given)
    moves = moves_s(ends.seconds, len(raw.weight))
    reach = float(np.abs(moves).max()) * RATE_RAD_S + 2.0 * CELL_KM / MEAN_RADIUS_KM
    limits = min(raw.along_rad.min(), ends.along_rad.min()) - reach, raw.along_rad.max() + reach
    over = zones.ground(ends, *limits, regions)
    found = list(zones.zones(over))
    rows = _moved(raw, moves, over, found, _density(over, where, told), told, 60.0 * given.interval_min)
    if not rows.risk.sum():
        raise flight_files.BadFile("no piece meets any aircraft of this traffic; there is nothing to close for")
    return Table(given, told, where, regions, over, found, rows, (first, last))


def _raw(job: Job, ends: Ends, given: Assumptions) -> tuple[_Raw, Told]:
    parts, told = [], None
    for visits, told in exposure.parts_of(job.blobs, job.visits_sha256):
        part = strikes.split(visits, told.start[1], 60.0 * given.interval_min)
        weight = strikes.weights(visits, part, given, told.bands_fl) / told.sample_count
        kept = np.flatnonzero(weight > 0.0)
        of = part.row[kept]
        near = ends.along_rad[np.searchsorted(ends.sample, visits.sample[of])]
        along, left = ends.line.place(part.lat_deg[kept], part.lon_deg[kept], near)
        seconds = 0.5 * (part.entry_s[kept] + part.exit_s[kept])
        parts.append(_Raw(seconds, along, left, visits.band[of], visits.sample[of], weight[kept]))
    if told is None or not sum(len(one.weight) for one in parts):
        raise flight_files.BadFile("no piece of any sample comes down through a band of levels")
    return _Raw(*(np.concatenate([getattr(one, name.name) for one in parts]) for name in fields(_Raw))), told


def moves_s(seconds: Array, row_count: int) -> Array:
    """By how much each sample is moved along the line and in time: the same re-entry a little earlier or later.

    Re-entry times are spread smoothly, and pieces fall about their re-entry point in the same way wherever on the line
    it is; a plan made on the samples as they are would close exactly these. Silverman's width, but no more than keeps
    the share of each part of a revolution, which the shape of the orbit and the Earth's set; an odd number of moves.
    """
    count = 2 * (min(MOST_MOVES, max(1, MOST_ROWS // max(row_count, 1))) // 2) + 1
    width = min(1.06 * float(np.std(seconds)) * len(seconds) ** -0.2, MOST_MOVED_S)
    return np.asarray(width * (2.0 * np.arange(count) + 1.0 - count) / count)


def _density(over: Ground, where: Traffic, told: Told) -> Array:
    """(k, STRIPS, b + 1) aircraft per km2 in each band over each cell when pieces come."""
    hour = (told.zero_hour + (over.pass_s + FALLING_S) / 3600.0) % 24.0
    lat, lon, owner = (one.ravel() for one in (over.lat_deg, over.lon_deg, over.owner))
    density = where.per_km2(lat, lon, owner, np.repeat(hour, STRIPS))
    return traffic.per_band(density, where.layers_fl, told.bands_fl).reshape(*over.owner.shape, -1)


def _moved(raw: _Raw, moves: Array, over: Ground, found: list[Zone], density: Array, told: Told, long_s: float) -> Rows:
    """In order of zones."""
    number = zones.numbers(found, over)
    strip = np.clip(zones.cell_of(raw.left_km), 0, STRIPS - 1)
    parts = []
    for move in moves.tolist():
        along, seconds = raw.along_rad + move * RATE_RAD_S, raw.seconds + move
        step = np.clip(over.step(along), 0, len(over.owner) - 1)
        risk = raw.weight * density[step, strip, raw.band] / len(moves)
        interval = np.floor((seconds + told.start[1] * 86400.0) / long_s).astype(np.int32)
        columns = (seconds, interval, raw.band, over.owner[step, strip], along, raw.left_km, number[step, strip])
        parts.append(Rows(*columns, risk, raw.sample).of(np.flatnonzero(risk > 0.0)))
    rows = Rows(*(np.concatenate([getattr(one, name.name) for one in parts]) for name in fields(Rows)))
    return rows.of(np.argsort(rows.zone, kind="stable"))


def ends_of(points: bytes) -> Ends:
    """From the file of re-entry points of an assessment."""
    names = ("sample", "seconds", "lat_deg", "lon_deg", "heading_deg")
    found = flight_files.table(points, names)
    sample, seconds, lat, lon, heading = (found[name].to_numpy() for name in names)
    line, along = corridor.line_through(seconds, lat, lon, heading)
    return Ends(line, sample, seconds, *line.place(lat, lon, along))


def aircraft_per_km2(table: Table, zone: Zone, interval: float) -> Array:
    """(bands,) mean over the zone's cells in the middle of its intervals."""
    part = slice(zone.first, zone.last + 1)
    mine = table.over.owner[part] == zone.region
    lat, lon = table.over.lat_deg[part][mine], table.over.lon_deg[part][mine]
    every = max(1, len(lat) // 400)
    lat, lon = lat[::every], lon[::every]
    hour = (
        table.told.zero_hour + (interval * table.given.interval_min * 60.0 - table.told.start[1] * 86400.0) / 3600.0
    ) % 24.0
    density = table.where.per_km2(lat, lon, np.full(len(lat), zone.region), np.full(len(lat), hour))
    return np.asarray(traffic.per_band(density, table.where.layers_fl, table.told.bands_fl).mean(axis=0))


def instant(table: Table, seconds: float) -> datetime:
    return jd_to_datetime(*add_seconds(*table.told.start, seconds))
