"""Questions to the visits of an assessment, answered in a process of its own."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from libs.astro import encounter, exposure_tally
from libs.astro.time import datetime_to_jd, seconds_between
from libs.blobs import Blobs
from services.hazard import visit_files
from services.hazard.visit_files import Visits

Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Where:
    """No regions: everywhere; upper_fl 0: without limit; no times: always."""

    fir_designators: tuple[str, ...]
    lower_fl: float
    upper_fl: float
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Point:
    lat_deg: float
    lon_deg: float
    level_fl: float
    at: datetime


def probability(blobs: Blobs, names: tuple[str, ...], where: Where) -> tuple[float, float]:
    """Probability that any piece comes there, and expected piece-seconds."""
    chance = spent = 0.0
    for visits, told in _parts(blobs, names):
        low, high = _limit_s(where.start, told, -np.inf), _limit_s(where.end, told, np.inf)
        there = _there(visits, told, where)
        seconds = np.minimum(visits.exit_s[there], high) - np.maximum(visits.entry_s[there], low)
        rows = there[seconds > 0.0]
        weight = visits.survival[rows].astype(np.float64)
        chance += exposure_tally.any_chance(visits.sample[rows], visits.piece[rows], weight, told["sample_count"])
        spent += float(seconds[seconds > 0.0] @ weight) / told["sample_count"]
    return min(chance, 1.0), spent


def _there(visits: Visits, told: dict[str, Any], where: Where) -> "np.ndarray[Any, np.dtype[np.int64]]":
    edges = np.array(told["bands_fl"])
    tops, bottoms = np.r_[np.inf, edges[:-1]], edges
    kept = (tops > where.lower_fl) & (bottoms < (where.upper_fl or np.inf))
    inside: Flags = kept[visits.band]
    if where.fir_designators:
        wanted = [n for n, ident in enumerate(told["regions"]) if ident in where.fir_designators]
        inside &= np.isin(visits.region, wanted)
    return np.flatnonzero(inside)


def route(
    blobs: Blobs, names: tuple[str, ...], points: tuple[Point, ...], lateral_km: float, vertical_fl: float
) -> tuple[float, float]:
    """Probability that any piece comes near, and the expected number that do."""
    chance = pieces = 0.0
    for visits, told in _parts(blobs, names):
        track = np.array([[_limit_s(one.at, told, 0.0), one.lat_deg, one.lon_deg, one.level_fl] for one in points])
        rows = np.flatnonzero((visits.exit_s >= track[0, 0]) & (visits.entry_s <= track[-1, 0]))
        near = rows[encounter.near(_rows(visits, rows), track, lateral_km, vertical_fl)]
        weight = visits.survival[near].astype(np.float64)
        chance += exposure_tally.any_chance(visits.sample[near], visits.piece[near], weight, told["sample_count"])
        _, first = np.unique(np.stack([visits.sample[near], visits.piece[near]]), axis=1, return_index=True)
        pieces += float(weight[first].sum()) / told["sample_count"]
    return min(chance, 1.0), pieces


def _rows(visits: Visits, rows: "np.ndarray[Any, np.dtype[np.int64]]") -> "np.ndarray[Any, np.dtype[np.float64]]":
    columns = (
        visits.entry_s, visits.exit_s, visits.entry_lat_deg, visits.entry_lon_deg, visits.entry_fl,
        visits.exit_lat_deg, visits.exit_lon_deg, visits.exit_fl,
    )  # fmt: skip
    return np.stack([column[rows].astype(np.float64) for column in columns], axis=1)


def _parts(blobs: Blobs, names: tuple[str, ...]) -> Iterator[tuple[Visits, dict[str, Any]]]:
    for name in names:
        yield visit_files.read(asyncio.run(blobs.get(name)))


def _limit_s(at: datetime | None, told: dict[str, Any], otherwise: float) -> float:
    if at is None:
        return otherwise
    return seconds_between(told["start_jd"], told["start_jd_fraction"], *datetime_to_jd(at))
