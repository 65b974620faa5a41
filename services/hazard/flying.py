"""The physics of a chunk, run in a process of its own: every sample flown to the ground, its pieces timed."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from libs.astro import airspace, decay_legs, density_kept, exposure_tally, warm
from libs.astro.airspace import Airspace
from libs.astro.decay_legs import Leg
from libs.astro.density_kept import Kept
from libs.astro.time import seconds_between
from libs.astro.version import model_version
from libs.astro.weather import Drivers
from services.hazard import falling, flight_files, scenario, tally_files, visit_files
from services.hazard.domain import ChunkRequested
from services.hazard.falling import HANDOVER_KM, Entering, Fallen, Parents
from services.hazard.flight_files import Crossing, SampleResult, Samples
from services.hazard.scenario import Scenario
from services.hazard.visit_files import Visits

TRACK_STEP_S = 20.0
MAX_DAYS = 60.0
_DAYS_IN_MEMORY = 4  # of tables, 6 MB each: samples are flown day by day
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Job:
    chunk: ChunkRequested
    draws: bytes
    drivers: bytes
    geojson: bytes
    scenario: bytes
    threads: int


@dataclass(frozen=True, slots=True)
class Flown:
    result: bytes
    visits: bytes
    minutes: bytes
    cells: bytes
    completed_sample_count: int
    model_version: str


def fly(job: Job) -> Flown:
    """Each thread takes a part of the samples from the start to the end, so that none waits for another on the way."""
    asked = job.chunk
    samples, drivers = flight_files.read_draws(job.draws), flight_files.read_drivers(job.drivers)
    regions, chosen = regions_of(job.geojson), scenario.of_json(job.scenario)
    last = min(asked.first_sample + asked.sample_count, len(samples.ln_b))
    edges = np.linspace(asked.first_sample, last, min(max(job.threads, 1), max(last - asked.first_sample, 1)) + 1)

    def part(first: int, until: int) -> Part:
        return _part(asked, samples.part(first, until - first), first, drivers, regions, chosen)

    with ThreadPoolExecutor(max(job.threads, 1)) as pool:
        parts = list(pool.map(part, *zip(*pairwise(edges.astype(int).tolist()), strict=True)))
    visits = visit_files.joined([one.visits for one in parts])
    minutes, cells = tallied(visits, samples.start_jd_fraction)
    return Flown(
        flight_files.result_file([result for one in parts for result in one.results]),
        visit_files.write(visits, {}),
        tally_files.write(minutes),
        tally_files.write(cells),
        sum(one.down_count for one in parts),
        model_version(),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """What became of some samples of a chunk."""

    results: list[SampleResult]
    visits: Visits
    down_count: int


def _part(
    asked: ChunkRequested, samples: Samples, first_sample: int, drivers: Drivers, regions: Airspace, chosen: Scenario
) -> Part:
    from_s = seconds_between(
        samples.start_jd, samples.start_jd_fraction, asked.window_start.jd, asked.window_start.jd_fraction
    )
    flown = decayed(legs(samples, drivers, from_s, 1), regions, len(samples.ln_b), from_s, 1)
    reached = np.flatnonzero(flown.reached)
    fallen = falling.fall(
        entering(samples, flown, reached, first_sample), drivers, chosen, regions,
        seed=asked.seed, re_entry_km=asked.reentry_altitude_km,
    )  # fmt: skip
    results = placed(flown, reached, fallen, regions, first_sample, from_s)
    return Part(results, fallen.visits, int(fallen.down.sum()))


def warm_up() -> None:
    """Loads every kernel."""
    for step in warm.STEPS.values():
        step()


@lru_cache(maxsize=2)
def regions_of(geojson: bytes) -> Airspace:
    """Reading takes seconds, and the chunks of a run share one."""
    return airspace.load_geojson(geojson)


@cache
def tables() -> Kept:
    """One to a process."""
    return density_kept.beside_kernels(_DAYS_IN_MEMORY)


def legs(
    samples: Samples, drivers: Drivers, from_s: float, threads: int, stop_km: float = HANDOVER_KM
) -> Iterator[Leg]:
    """To the handover, with the track from `from_s` on."""
    return decay_legs.fly(
        samples.states,
        samples.start_jd,
        samples.start_jd_fraction,
        samples.ln_b,
        drivers,
        tables(),
        ln_b_late=samples.ln_b_late,
        late_after_s=samples.late_after_s,
        stop_altitude_km=stop_km,
        max_days=MAX_DAYS,
        track_step_s=TRACK_STEP_S,
        track_from_s=from_s,
        threads=threads,
    )


@dataclass(frozen=True, slots=True)
class Overflown:
    """What a sample flew over: regions, ascending nodes passed since the start, and where it is now."""

    crossings: tuple[Crossing, ...] = ()
    revolutions: int = 0
    now: Array = field(default_factory=lambda: np.empty((0, 4)))


@dataclass(frozen=True, slots=True)
class Decayed:
    """(N,) each, at the handover; states in TEME (N, 6), km and km/s. Of those not reached, where they were last."""

    reached: Array
    seconds: Array
    states: Array
    overflown: tuple[Overflown, ...]


def decayed(flown: Iterable[Leg], regions: Airspace, count: int, from_s: float, threads: int) -> Decayed:
    reached, seconds, states = np.zeros(count, bool), np.full(count, np.nan), np.full((count, 6), np.nan)
    overflown = [Overflown()] * count
    with ThreadPoolExecutor(threads) as pool:
        for leg in flown:
            reached[leg.rows], seconds[leg.rows], states[leg.rows] = leg.reached, leg.seconds, leg.states
            tracks = (leg.track[k, : leg.counts[k]] for k in range(len(leg.rows)))
            before = (overflown[row] for row in leg.rows)
            for row, way in zip(
                leg.rows, pool.map(lambda was, track: onward(was, track, regions, from_s), before, tracks), strict=True
            ):
                overflown[row] = way
    return Decayed(reached, seconds, states, tuple(overflown))


def entering(samples: Samples, flown: Decayed, reached: Array, first_sample: int) -> Entering:
    seconds = flown.seconds[reached]
    late = seconds >= samples.late_after_s
    b = np.exp(np.where(late, samples.ln_b_late[reached], samples.ln_b[reached]))
    return Entering(
        samples.start_jd, samples.start_jd_fraction, first_sample + reached, seconds, flown.states[reached], b
    )


def placed(
    flown: Decayed, reached: Array, fallen: Fallen, regions: Airspace, first_sample: int, from_s: float
) -> list[SampleResult]:
    row = {int(sample): k for k, sample in enumerate(reached) if fallen.down[k]}
    ends = ends_of(fallen.parents, fallen.down, regions)

    def result(i: int) -> SampleResult:
        if i not in row:
            return lost(first_sample + i)
        return _down(first_sample + i, flown.overflown[i], fallen.parents, row[i], ends, regions, from_s)

    return [result(i) for i in range(len(flown.reached))]


def lost(sample: int) -> SampleResult:
    nowhere = np.nan
    return SampleResult(
        sample, reached=False, seconds=nowhere, lat_deg=nowhere, lon_deg=nowhere, heading_deg=nowhere,
        fir=airspace.NOWHERE, crossings=(),
    )  # fmt: skip


def ends_of(parents: Parents, down: Array, regions: Airspace) -> Array:
    """Region over which each object re-enters, the topmost where regions lie over each other."""
    lat, lon = np.where(down, parents.lat_deg, 0.0), np.where(down, parents.lon_deg, 0.0)
    level = np.full(len(lat), falling.level_fl(np.array(HANDOVER_KM)))
    volumes, _ = regions.find_at(lat, lon, level)
    return np.where(volumes >= 0, regions.region_of_volume[volumes], airspace.NOWHERE)


def _down(
    sample: int, way: Overflown, parents: Parents, k: int, ends: Array, regions: Airspace, from_s: float
) -> SampleResult:
    last = parents.track[k][parents.track[k, :, 0] <= parents.seconds[k]]
    return SampleResult(
        sample,
        reached=True,
        seconds=float(parents.seconds[k]),
        lat_deg=float(parents.lat_deg[k]),
        lon_deg=float(parents.lon_deg[k]),
        heading_deg=float(parents.heading_deg[k]),
        fir=int(ends[k]),
        crossings=onward(way, np.vstack([way.now, last]), regions, from_s).crossings,
    )


def tallied(visits: Visits, start_jd_fraction: float) -> tuple[exposure_tally.Minutes, exposure_tally.Cells]:
    """Minutes are those of the clock, counted from the 0 h UTC or 12 h UTC at the start epoch's whole Julian date."""
    when = visits.entry_s, visits.exit_s, visits.survival
    minutes = exposure_tally.minutes(visits.region, visits.band, *when, start_jd_fraction * 86400.0)
    return minutes, exposure_tally.cells(visits.sample, visits.piece, visits.region, visits.band, *when)


def onward(way: Overflown, track: Array, regions: Airspace, from_s: float) -> Overflown:
    """The way and what follows it, crossings after `from_s` alone.

    track (k, 4), from where the way ends: seconds, latitude and longitude in degrees, altitude in km.
    """
    nodes_s = track[1:, 0][(track[:-1, 1] < 0.0) & (track[1:, 1] >= 0.0)]
    late = track[track[:, 0] >= from_s]
    visits = regions.visits(late[:, 0], late[:, 1], late[:, 2]) if len(late) > 1 else []
    known = list(way.crossings)
    for visit in visits:
        before = known[-1] if known else None
        if before is not None and (before.fir, before.exit_s) == (visit.region, visit.entry_s):
            known[-1] = replace(before, exit_s=visit.exit_s)
            continue
        revolution = way.revolutions + int(np.searchsorted(nodes_s, visit.entry_s, side="right"))
        known.append(Crossing(visit.region, revolution, visit.entry_s, visit.exit_s))
    return Overflown(tuple(known), way.revolutions + len(nodes_s), track[-1:].copy())
