"""A closing plan beside what would be closed without it, on the same regions, traffic and posterior.

A: fixed corridors of HALF_WIDTHS_KM over [pass - 10 min, pass + 30 min] wherever the object passes within the 90 %
window; B: the same over the whole window; whole regions: those the corridor of 100 km touches, in full, for as long as
A would close any of them. Areas are those of regions; what lies outside all of them nobody closes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any

import numpy as np

from libs.astro import corridor
from libs.astro.airspace import NOWHERE, Airspace
from libs.astro.geodesy import MEAN_RADIUS_KM
from libs.astro.time import add_seconds, jd_to_datetime
from services.hazard import assumptions as assuming
from services.hazard import closing, exposure, flight_files, strikes, traffic, zones
from services.hazard.assumptions import Assumptions
from services.hazard.closing import Choices, Chosen
from services.hazard.contouring import Ends
from services.hazard.domain import HALF_WIDTHS_KM
from services.hazard.exposure import Job, Told
from services.hazard.flying import regions_of
from services.hazard.traffic import Traffic
from services.hazard.zones import CELL_KM, KM2_PER_NM2, STRIPS, Ground, Zone

Array = np.ndarray[Any, np.dtype[Any]]

BEFORE_S, AFTER_S = 600.0, 1800.0
TOUCHING_KM = 100.0
PAIR = 2  # strips are closed two by two
_WINDOW = (0.05, 0.95)


class Objective(Enum):
    AREA = "area"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Closure:
    """A part of a region closed from floor_fl up, between two distances to the left of the line."""

    fir_designator: str
    from_time: datetime
    until_time: datetime
    right_km: float
    left_km: float
    from_lat_deg: float
    from_lon_deg: float
    until_lat_deg: float
    until_lon_deg: float
    floor_fl: float
    nm2: float
    flights: float
    risk: float


@dataclass(frozen=True, slots=True)
class Way:
    """One way to close, in all. residual: share of the risk inside regions that it leaves."""

    name: str
    nm2_minutes: float
    flights: float
    delay_min: float
    cost_eur: float
    residual: float
    spilled: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """risk: expected aircraft harmed inside regions with nothing closed; outside: the same outside all regions.

    unseen_residual: share that a plan made with half the samples leaves of the risk of the other half.
    """

    closures: tuple[Closure, ...]
    ways: tuple[Way, ...]
    bound: float
    gap: float
    risk: float
    outside: float
    reason: str
    traffic_source: str
    unseen_residual: float


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


def plan(job: Job, points: bytes, residual: float, objective: Objective) -> Plan:
    """Raises BadFile, BadAssumptions and OutOfReach; residual: the share of the risk that may stay, in (0, 1)."""
    table = _table(job, points)
    inside = table.rows.region >= 0
    risk = float(table.rows.risk[inside].sum())
    chosen, picked = _picked(table, residual, objective)
    ours = _way(table, "plan", picked, 1.0 - chosen.risk / risk if risk else 0.0)
    others = tuple(_fixed(table, risk))
    return Plan(
        tuple(sorted((_closure(table, one) for one in picked), key=lambda one: (one.from_time, one.fir_designator))),
        (ours, *others),
        chosen.bound,
        chosen.gap,
        risk,
        float(table.rows.risk[~inside].sum()),
        _reason(table, picked, ours, others),
        table.where.source,
        _unseen(table, residual, objective),
    )


def _picked(table: Table, residual: float, objective: Objective) -> tuple[Chosen, list["Shut"]]:
    options = [Options.of(table, number, objective) for number in range(len(table.zones))]
    risk = float(table.rows.risk[table.rows.region >= 0].sum())
    chosen = closing.choose([one.choices for one in options], (1.0 - residual) * risk)
    picked = [one.of_choice(pick) for one, pick in zip(options, chosen.choice, strict=True) if pick >= 0]
    return chosen, picked


def _unseen(table: Table, residual: float, objective: Objective) -> float:
    """What a plan made with every other sample leaves of the risk of the rest."""
    made = table.rows.sample % 2 == 0
    _, picked = _picked(replace(table, rows=table.rows.of(made)), residual, objective)
    rest = table.rows.of(~made)
    covered = sum(float(rest.risk[one.covers(rest, table)].sum()) for one in picked)
    risk = float(rest.risk[rest.region >= 0].sum())
    return max(1.0 - covered / risk, 0.0) if risk else 0.0


def _table(job: Job, points: bytes) -> Table:
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


@dataclass(frozen=True, slots=True)
class Shut:
    """A zone, or a whole region where zone is -1, from interval first to last and from a band down to `floor`."""

    zone: int
    region: int
    first_s: float
    last_s: float
    right: int
    left: int
    floor: int
    nm2: float
    flights: float
    risk: float

    @property
    def minutes(self) -> float:
        return (self.last_s - self.first_s) / 60.0

    def covers(self, rows: Rows, table: Table) -> Array:
        """Of parts of visits; an interval is open or closed as a whole."""
        strip = zones.strip_of(rows.left_km)
        long = 60.0 * table.given.interval_min
        at = (rows.interval + 0.5) * long - table.told.start[1] * 86400.0
        timely = (at >= self.first_s) & (at < self.last_s)
        return np.asarray(
            (rows.zone == self.zone) & timely & (strip >= self.right) & (strip < self.left) & (rows.band <= self.floor)
        )


@dataclass(frozen=True, slots=True)
class Options:
    """All ways to close a zone: strips right to left, intervals first to last, bands from the top down to a floor."""

    choices: Choices
    made: Array
    table: Table
    zone: int

    @staticmethod
    def of(table: Table, number: int, objective: Objective) -> "Options":
        zone, given = table.zones[number], table.given
        rows = table.rows.of(slice(*np.searchsorted(table.rows.zone, (number, number + 1))))
        strip = zones.strip_of(rows.left_km)
        mine = np.flatnonzero(strip >= 0)
        if not len(mine):
            return Options(Choices(np.empty(0), np.empty(0)), np.empty((0, 8)), table, number)
        first, last = int(rows.interval[mine].min()), int(rows.interval[mine].max())
        bands = len(table.told.bands_fl)
        grid = np.zeros((bands, STRIPS // PAIR + 1, last - first + 2))
        np.add.at(grid, (rows.band[mine], strip[mine] // PAIR + 1, rows.interval[mine] - first + 1), rows.risk[mine])
        sums = grid.cumsum(axis=0).cumsum(axis=1).cumsum(axis=2)
        nm2 = np.r_[0.0, zone.strip_nm2.reshape(-1, PAIR).sum(axis=1).cumsum()]
        per_km2 = _aircraft_per_km2(table, zone, (first + last + 1) / 2.0).cumsum()
        r, l = np.triu_indices(STRIPS // PAIR + 1, 1)
        a, b = np.triu_indices(last - first + 2, 1)
        made = []
        for floor in range(bands) if objective is Objective.COST else (bands - 1,):
            s = sums[floor]
            risk = s[l[:, None], b] - s[r[:, None], b] - s[l[:, None], a] + s[r[:, None], a]
            area = np.repeat((nm2[l] - nm2[r])[:, None], len(a), axis=1)
            minutes = np.broadcast_to((b - a) * given.interval_min, area.shape)
            wide = ((l - r) * PAIR * CELL_KM)[:, None]
            flights = met(per_km2[floor], area * KM2_PER_NM2, 2.0 * (zone.length_km + wide), minutes, given)
            columns = (r[:, None], l[:, None], first + a, first + b, floor, area, flights, np.maximum(risk, 0.0))
            made.append(np.stack([np.broadcast_to(one, area.shape).ravel() for one in columns], axis=1))
        found = np.concatenate(made)
        minutes = (found[:, 3] - found[:, 2]) * given.interval_min
        price = minutes * (found[:, 6] * given.cost.delay_share * given.cost.eur_per_delay_min
                           if objective is Objective.COST else found[:, 5])  # fmt: skip
        return Options(Choices(price, found[:, 7]), found, table, number)

    def of_choice(self, pick: int) -> Shut:
        right, left, first, last, floor, nm2, flights, risk = self.made[pick].tolist()
        zero, long = self.table.told.start[1] * 86400.0, 60.0 * self.table.given.interval_min
        return Shut(
            self.zone, self.table.zones[self.zone].region, first * long - zero, last * long - zero,
            int(right) * PAIR, int(left) * PAIR, int(floor), nm2, flights, risk,
        )  # fmt: skip


def _aircraft_per_km2(table: Table, zone: Zone, interval: float) -> Array:
    """(bands,) mean over the zone's cells in the middle of its intervals."""
    part = slice(zone.first, zone.last + 1)
    mine = table.over.owner[part] == zone.region
    lat, lon = table.over.lat_deg[part][mine], table.over.lon_deg[part][mine]
    every = max(1, len(lat) // 400)
    lat, lon = lat[::every], lon[::every]
    hour = (table.told.zero_hour + (interval * table.given.interval_min * 60.0 - table.told.start[1] * 86400.0) / 3600.0) % 24.0
    density = table.where.per_km2(lat, lon, np.full(len(lat), zone.region), np.full(len(lat), hour))
    return np.asarray(traffic.per_band(density, table.where.layers_fl, table.told.bands_fl).mean(axis=0))


def met(per_km2: Any, km2: Any, perimeter_km: Any, minutes: Any, given: Assumptions) -> Any:
    """Flights that a closure meets: those inside at its start, and those that come to its edge, n v / pi of each km."""
    speed_km_s = 1e-3 * sum(share * aircraft.speed_m_s for share, aircraft in given.fleet)
    return per_km2 * (km2 + perimeter_km * speed_km_s * 60.0 * minutes / np.pi)


def _fixed(table: Table, risk: float) -> Iterator[Way]:
    """Fixed corridors A and B of each width, then whole regions."""
    for name in ("A", "B"):
        for half_km in HALF_WIDTHS_KM:
            shut = list(_corridor(table, name, half_km))
            closed = _inside(table, name, half_km)
            yield _way(table, f"{name} {half_km:.0f} km", shut, _left(table, closed, risk))
    shut = list(_whole(table))
    closed = np.zeros(len(table.rows.risk), bool)
    for one in shut:
        closed |= (table.rows.region == one.region) & (table.rows.seconds >= one.first_s) & (table.rows.seconds < one.last_s)
    yield _way(table, "whole regions", shut, _left(table, closed, risk))


def _left(table: Table, closed: Array, risk: float) -> float:
    return 1.0 - float(table.rows.risk[closed & (table.rows.region >= 0)].sum()) / risk if risk else 0.0


def _flown(table: Table) -> Array:
    """Steps the object passes within the 90 % window."""
    low, high = table.window
    return np.asarray((table.over.pass_s >= low) & (table.over.pass_s <= high))


def _inside(table: Table, name: str, half_km: float) -> Array:
    rows, (low, high) = table.rows, table.window
    passed = table.over.passed(rows.along_rad)
    within = (np.abs(rows.left_km) <= half_km) & (passed >= low) & (passed <= high)
    if name == "A":
        return np.asarray(within & (rows.seconds >= passed - BEFORE_S) & (rows.seconds <= passed + AFTER_S))
    return np.asarray(within & (rows.seconds >= low) & (rows.seconds <= high))


def _corridor(table: Table, name: str, half_km: float) -> Iterator[Shut]:
    """Zone by zone, each for its own 40 min or the whole window; a zone the window cuts through counts in part."""
    over, flown = table.over, _flown(table)
    half = round(half_km / CELL_KM)
    strips = slice(STRIPS // 2 - half, STRIPS // 2 + half)
    for number, zone in enumerate(table.zones):
        part = slice(zone.first, zone.last + 1)
        mine = (over.owner[part, strips] == zone.region) & flown[part, None]
        if not mine.any():
            continue
        nm2 = float(mine.sum()) * CELL_KM**2 / KM2_PER_NM2
        middle = float(over.pass_s[part][mine.any(axis=1)].mean())
        limits = (middle - BEFORE_S, middle + AFTER_S) if name == "A" else table.window
        length = float(mine.any(axis=1).sum()) * CELL_KM
        yield _shut(table, number, limits, (strips.start, strips.stop), nm2, 2.0 * (length + 2.0 * half_km))


def _shut(
    table: Table, number: int, limits: tuple[float, float], strips: tuple[int, int], nm2: float, perimeter_km: float
) -> Shut:
    zone, long = table.zones[number], 60.0 * table.given.interval_min
    per_km2 = float(_aircraft_per_km2(table, zone, (sum(limits) / 2.0 + table.told.start[1] * 86400.0) / long).sum())
    flights = met(per_km2, nm2 * KM2_PER_NM2, perimeter_km, (limits[1] - limits[0]) / 60.0, table.given)
    floor = len(table.told.bands_fl) - 1
    return Shut(number, zone.region, *limits, *strips, floor, nm2, float(flights), 0.0)


def _whole(table: Table) -> Iterator[Shut]:
    """Every region on every pass that the corridor of TOUCHING_KM touches, in full."""
    flown, half = _flown(table), round(TOUCHING_KM / CELL_KM)
    strips = slice(STRIPS // 2 - half, STRIPS // 2 + half)
    km2_of = region_km2(table.regions)
    open_: dict[int, list[tuple[float, float, int]]] = {}
    for number, zone in enumerate(table.zones):
        part = slice(zone.first, zone.last + 1)
        steps = ((table.over.owner[part, strips] == zone.region) & flown[part, None]).any(axis=1)
        if steps.any():
            passed = table.over.pass_s[part][steps]
            limits = float(passed.min()) - BEFORE_S, float(passed.max()) + AFTER_S
            open_.setdefault(zone.region, []).append((*limits, number))
    for region, each in open_.items():
        for low, high, number in _joined(sorted(each)):
            nm2 = km2_of[region] / KM2_PER_NM2
            around = 2.0 * np.sqrt(np.pi * km2_of[region])
            yield _shut(table, number, (low, high), (0, STRIPS), nm2, around)


def _joined(each: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    found: list[tuple[float, float, int]] = []
    for low, high, number in each:
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high), found[-1][2])
        else:
            found.append((low, high, number))
    return found


def region_km2(regions: Airspace) -> Array:
    """Area of each region: the largest of its volumes, as its FIR and UIR lie over each other."""
    out = np.zeros(len(regions.idents))
    for rank, volume in enumerate(regions.volumes):
        number = int(regions.region_of_volume[rank])
        out[number] = max(out[number], volume.area_km2)
    return out


def _way(table: Table, name: str, shut: Sequence[Shut], residual: float) -> Way:
    cost = table.given.cost
    flights = sum(one.flights for one in shut)
    delay = sum(one.flights * cost.delay_share * one.minutes for one in shut)
    return Way(
        name, sum(one.nm2 * one.minutes for one in shut), flights, delay, delay * cost.eur_per_delay_min,
        max(residual, 0.0), _spilled(table, shut),
    )  # fmt: skip


def _spilled(table: Table, shut: Sequence[Shut]) -> tuple[tuple[str, float], ...]:
    """Flights that go around through neighbours, shared by the length of the border to each."""
    given, borders = table.given, _borders(table.over.owner)
    found: dict[int, float] = {}
    for one in shut:
        near = borders.get(one.region, {})
        for region, cells in near.items():
            share = one.flights * given.cost.spilled_share * cells / sum(near.values())
            found[region] = found.get(region, 0.0) + share
    named = ((table.regions.idents[region], flights) for region, flights in found.items())
    return tuple(sorted(named, key=lambda pair: (-pair[1], pair[0])))


def _borders(owner: Array) -> dict[int, dict[int, int]]:
    """Cells of each region along the line that lie beside each other region."""
    pairs = [(owner[1:], owner[:-1]), (owner[:, 1:], owner[:, :-1])]
    one = np.concatenate([np.r_[a.ravel(), b.ravel()] for a, b in pairs])
    other = np.concatenate([np.r_[b.ravel(), a.ravel()] for a, b in pairs])
    meets = (one != other) & (one != NOWHERE) & (other != NOWHERE)
    keys, counts = np.unique(np.column_stack([one[meets], other[meets]]), axis=0, return_counts=True)
    found: dict[int, dict[int, int]] = {}
    for (region, near), count in zip(keys.tolist(), counts.tolist(), strict=True):
        found.setdefault(region, {})[near] = count
    return found


def _closure(table: Table, one: Shut) -> Closure:
    zone, over, edges = table.zones[one.zone], table.over, table.told.bands_fl
    side = min(max((one.right + one.left) // 2, 0), STRIPS - 1)
    return Closure(
        table.regions.idents[one.region],
        _instant(table, one.first_s),
        _instant(table, one.last_s),
        (one.right - STRIPS / 2) * CELL_KM,
        (one.left - STRIPS / 2) * CELL_KM,
        float(over.lat_deg[zone.first, side]),
        float(over.lon_deg[zone.first, side]),
        float(over.lat_deg[zone.last, side]),
        float(over.lon_deg[zone.last, side]),
        edges[one.floor],
        one.nm2,
        one.flights,
        one.risk,
    )


def _instant(table: Table, seconds: float) -> datetime:
    return jd_to_datetime(*add_seconds(*table.told.start, seconds))


def _reason(table: Table, picked: Sequence[Shut], ours: Way, others: Sequence[Way]) -> str:
    """Where the difference to A of 100 km lies."""
    a = next(one for one in others if one.name == "A 100 km")
    kept = {one.zone for one in picked}
    spared = sum(one.nm2 * one.minutes for one in _corridor(table, "A", TOUCHING_KM) if one.zone not in kept)
    less = a.nm2_minutes - ours.nm2_minutes
    if less <= 0.0:
        return "the plan closes no less than A of 100 km: the pieces are spread as widely as the corridor"
    wide = _mean(picked, lambda one: (one.left - one.right) * CELL_KM)
    return (
        f"of the {less:.3g} NM2 min that the plan closes less than A of 100 km, {min(spared / less, 1.0):.0%} lie in zones "
        f"it leaves open, where little traffic meets few pieces; the rest is closed {wide:.0f} km wide instead of 200 and "
        f"{_mean(picked, lambda one: one.minutes):.0f} min instead of 40"
    )


def _mean(picked: Sequence[Shut], of: Any) -> float:
    return float(np.average([of(one) for one in picked], weights=[one.nm2 for one in picked])) if picked else 0.0


