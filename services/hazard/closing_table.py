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
from services.hazard.zones import CELL_KM, Ground, Zone

Array = np.ndarray[Any, np.dtype[Any]]
_WINDOW = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Rows:
    """(m,) each: parts of visits with a risk: seconds after the start, step, distance to the left, zone or -1."""

    seconds: Array
    interval: Array
    band: Array
    region: Array
    step: Array
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


def table_of(job: Job, points: bytes) -> Table:
    given, regions = assuming.of_json(job.assumptions), regions_of(job.geojson)
    where = exposure.traffic_of(job.density, job.density_source, given, regions.idents)
    ends = ends_of(points)
    window = tuple(float(q) for q in np.quantile(ends.seconds, _WINDOW, method="inverted_cdf"))
    columns, told = [], None
    for visits, told in exposure.parts_of(job.blobs, job.visits_sha256):
        part = strikes.split(visits, told.start[1], 60.0 * given.interval_min)
        found = strikes.strikes(visits, part, where, given, told.zero_hour, told.bands_fl)
        row = np.flatnonzero(found.of(given.harm) > 0.0)
        of = part.row[row]
        near = ends.along_rad[np.searchsorted(ends.sample, visits.sample[of])]
        along, left = ends.line.place(part.lat_deg[row], part.lon_deg[row], near)
        seconds = 0.5 * (part.entry_s[row] + part.exit_s[row])
        risk = found.of(given.harm)[row] / told.sample_count
        names = part.interval[row], visits.band[of], visits.region[of].astype(np.int64)
        columns.append((seconds, *names, along, left, risk, visits.sample[of]))
    if told is None or not sum(len(one[0]) for one in columns):
        raise flight_files.BadFile("no piece meets any aircraft of this traffic; there is nothing to close for")
    seconds, interval, band, region, along, left, risk, sample = (
        np.concatenate(one) for one in zip(*columns, strict=True)
    )
    margin = 2.0 * CELL_KM / MEAN_RADIUS_KM
    over = zones.ground(ends, min(along.min(), ends.along_rad.min()) - margin, along.max() + margin, regions)
    found_zones = list(zones.zones(over))
    step = over.step(along)
    number = zones.zone_of(found_zones, region, step)
    rows = Rows(seconds, interval, band, region, step, along, left, number, risk, sample)
    rows = rows.of(np.argsort(number, kind="stable"))
    return Table(given, told, where, regions, over, found_zones, rows, (window[0], window[1]))


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
