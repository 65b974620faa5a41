"""What would be closed without a plan: fixed corridors, and whole regions.

A: corridors of HALF_WIDTHS_KM over [pass - 10 min, pass + 30 min] wherever the object passes within the 90 % window; B:
the same over the whole window; whole regions: those the corridor of 100 km touches, in full, for as long as A would
close any of them. Areas are those of regions; what lies outside all of them nobody closes.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from libs.astro.airspace import Airspace
from services.hazard.closing_options import Shut, met
from services.hazard.closing_table import Table, aircraft_per_km2
from services.hazard.domain import HALF_WIDTHS_KM
from services.hazard.zones import CELL_KM, KM2_PER_NM2, STRIPS

Array = np.ndarray[Any, np.dtype[Any]]
BEFORE_S, AFTER_S = 600.0, 1800.0
TOUCHING_KM = 100.0


def fixed(table: Table, risk: float) -> Iterator[tuple[str, list[Shut], float]]:
    """Fixed corridors A and B of each width, then whole regions."""
    for name in ("A", "B"):
        for half_km in HALF_WIDTHS_KM:
            shut = list(corridor_of(table, name, half_km))
            closed = _inside(table, name, half_km)
            yield f"{name} {half_km:.0f} km", shut, left_open(table, closed, risk)
    shut = list(_whole(table))
    closed = np.zeros(len(table.rows.risk), bool)
    for one in shut:
        closed |= (
            (table.rows.region == one.region) & (table.rows.seconds >= one.first_s) & (table.rows.seconds < one.last_s)
        )
    yield "whole regions", shut, left_open(table, closed, risk)


def left_open(table: Table, closed: Array, risk: float) -> float:
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


def corridor_of(table: Table, name: str, half_km: float) -> Iterator[Shut]:
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
    per_km2 = float(aircraft_per_km2(table, zone, (sum(limits) / 2.0 + table.told.start[1] * 86400.0) / long).sum())
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
