"""The physics of a chunk, run in a process of its own: every sample flown to the ground, its pieces timed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from libs.astro import airspace, decay, exposure_tally
from libs.astro.airspace import Airspace
from libs.astro.decay import Flights
from libs.astro.time import seconds_between
from libs.astro.version import model_version
from libs.astro.weather import Drivers
from services.hazard import falling, flight_files, scenario, tally_files, visit_files
from services.hazard.domain import ChunkRequested
from services.hazard.falling import HANDOVER_KM, Entering, Fallen, Parents
from services.hazard.flight_files import Crossing, SampleResult, Samples
from services.hazard.visit_files import Visits

TRACK_STEP_S = 20.0
MAX_DAYS = 60.0
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
    asked = job.chunk
    samples = flight_files.read_draws(job.draws).part(asked.first_sample, asked.sample_count)
    drivers, regions = flight_files.read_drivers(job.drivers), regions_of(job.geojson)
    from_s = seconds_between(
        samples.start_jd, samples.start_jd_fraction, asked.window_start.jd, asked.window_start.jd_fraction
    )
    flights = decayed(samples, drivers, from_s, job.threads)
    chosen = scenario.of_json(job.scenario)
    reached = np.flatnonzero(flights.reached)
    fallen = falling.fall(
        entering(samples, flights, reached, asked.first_sample), drivers, chosen, regions,
        seed=asked.seed, re_entry_km=asked.reentry_altitude_km, threads=job.threads,
    )  # fmt: skip
    results = placed(flights, reached, fallen, regions, asked.first_sample, from_s, job.threads)
    minutes, cells = tallied(fallen.visits, samples.start_jd_fraction)
    return Flown(
        flight_files.result_file(results),
        visit_files.write(fallen.visits, {}),
        tally_files.write(minutes),
        tally_files.write(cells),
        int(fallen.down.sum()),
        model_version(),
    )


@lru_cache(maxsize=2)
def regions_of(geojson: bytes) -> Airspace:
    """Reading takes seconds, and the chunks of a run share one."""
    return airspace.load_geojson(geojson)


def decayed(samples: Samples, drivers: Drivers, from_s: float, threads: int, stop_km: float = HANDOVER_KM) -> Flights:
    """To the handover, with the track from `from_s` on."""
    return decay.fly(
        samples.states,
        samples.start_jd,
        samples.start_jd_fraction,
        samples.ln_b,
        drivers,
        ln_b_late=samples.ln_b_late,
        late_after_s=samples.late_after_s,
        stop_altitude_km=stop_km,
        max_days=MAX_DAYS,
        track_step_s=TRACK_STEP_S,
        track_from_s=from_s,
        threads=threads,
    )


def entering(samples: Samples, flights: Flights, reached: Array, first_sample: int) -> Entering:
    seconds = flights.seconds[reached]
    late = seconds >= samples.late_after_s
    b = np.exp(np.where(late, samples.ln_b_late[reached], samples.ln_b[reached]))
    return Entering(
        samples.start_jd, samples.start_jd_fraction, first_sample + reached, seconds, flights.states[reached], b
    )


def placed(
    flights: Flights, reached: Array, fallen: Fallen, regions: Airspace, first_sample: int, from_s: float, threads: int
) -> list[SampleResult]:
    row = {int(sample): k for k, sample in enumerate(reached) if fallen.down[k]}
    ends = ends_of(fallen.parents, fallen.down, regions)

    def result(i: int) -> SampleResult:
        if i not in row:
            return lost(first_sample + i)
        track = flights.track[i, : flights.track_counts[i]]
        return _down(first_sample + i, track, fallen.parents, row[i], ends, regions, from_s)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(result, range(len(flights.reached))))


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
    sample: int, track: Array, parents: Parents, k: int, ends: Array, regions: Airspace, from_s: float
) -> SampleResult:
    way = parents.track[k][parents.track[k, :, 0] <= parents.seconds[k]]
    return SampleResult(
        sample,
        reached=True,
        seconds=float(parents.seconds[k]),
        lat_deg=float(parents.lat_deg[k]),
        lon_deg=float(parents.lon_deg[k]),
        heading_deg=float(parents.heading_deg[k]),
        fir=int(ends[k]),
        crossings=crossings(np.vstack([track, way]), regions, from_s),
    )


def tallied(visits: Visits, start_jd_fraction: float) -> tuple[exposure_tally.Minutes, exposure_tally.Cells]:
    """Minutes are those of the clock, counted from the 0 h UTC or 12 h UTC at the start epoch's whole Julian date."""
    when = visits.entry_s, visits.exit_s, visits.survival
    minutes = exposure_tally.minutes(visits.region, visits.band, *when, start_jd_fraction * 86400.0)
    return minutes, exposure_tally.cells(visits.sample, visits.piece, visits.region, visits.band, *when)


def crossings(track: Array, regions: Airspace, from_s: float) -> tuple[Crossing, ...]:
    """Of one sample after `from_s`; track (k, 4): seconds, latitude and longitude in degrees, altitude in km."""
    late = track[track[:, 0] >= from_s]
    if len(late) < 2:
        return ()
    return tuple(
        Crossing(visit.region, revolution(track, visit.entry_s), visit.entry_s, visit.exit_s)
        for visit in regions.visits(late[:, 0], late[:, 1], late[:, 2])
    )


def revolution(track: Array, seconds: float) -> int:
    """Ascending nodes passed since the start; the same for all samples on the same pass."""
    before = track[track[:, 0] <= seconds, 1]
    return int(np.count_nonzero((before[:-1] < 0.0) & (before[1:] >= 0.0)))
