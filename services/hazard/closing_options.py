"""All ways to close a zone, with what each costs and takes away."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.hazard import zones
from services.hazard.assumptions import Assumptions
from services.hazard.closing import Choices
from services.hazard.closing_table import Rows, Table, aircraft_per_km2
from services.hazard.plan_domain import Objective
from services.hazard.zones import CELL_KM, KM2_PER_NM2, STRIPS

Array = np.ndarray[Any, np.dtype[Any]]
PAIR = 2  # strips are closed two by two


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
        rows = table.rows.of(np.arange(*np.searchsorted(table.rows.zone, (number, number + 1))))
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
        per_km2 = aircraft_per_km2(table, zone, (first + last + 1) / 2.0).cumsum()
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


def met(per_km2: Any, km2: Any, perimeter_km: Any, minutes: Any, given: Assumptions) -> Any:
    """Flights that a closure meets: those inside at its start, and those that come to its edge, n v / pi of each km."""
    speed_km_s = 1e-3 * sum(share * aircraft.speed_m_s for share, aircraft in given.fleet)
    return per_km2 * (km2 + perimeter_km * speed_km_s * 60.0 * minutes / np.pi)
