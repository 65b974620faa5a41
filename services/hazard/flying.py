"""The physics of a chunk, run in a process of its own: every sample flown, its end placed, its crossings timed."""

from dataclasses import dataclass

import numpy as np

from libs.astro import airspace, decay
from libs.astro.airspace import Airspace
from libs.astro.decay import Flights
from libs.astro.time import seconds_between
from libs.astro.version import model_version
from services.hazard import flight_files
from services.hazard.domain import ChunkRequested
from services.hazard.flight_files import Array, Crossing, SampleResult

TRACK_STEP_S = 20.0
FINE_STEP_S = 2.0  # 15 km along the ground
MAX_DAYS = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    chunk: ChunkRequested
    draws: bytes
    drivers: bytes
    geojson: bytes
    threads: int


@dataclass(frozen=True, slots=True)
class Flown:
    result: bytes
    completed_sample_count: int
    model_version: str


def fly(job: Job) -> Flown:
    samples = flight_files.read_draws(job.draws).part(job.chunk.first_sample, job.chunk.sample_count)
    start = (samples.start_jd, samples.start_jd_fraction)
    from_s = seconds_between(*start, job.chunk.window_start.jd, job.chunk.window_start.jd_fraction)
    flights = decay.fly(
        samples.states,
        *start,
        samples.ln_b,
        flight_files.read_drivers(job.drivers),
        ln_b_late=samples.ln_b_late,
        late_after_s=samples.late_after_s,
        stop_altitude_km=job.chunk.reentry_altitude_km,
        max_days=MAX_DAYS,
        track_step_s=TRACK_STEP_S,
        track_from_s=from_s,
        threads=job.threads,
    )
    results = placed(flights, airspace.load_geojson(job.geojson), job.chunk.first_sample, from_s)
    return Flown(flight_files.result_file(results), int(flights.reached.sum()), model_version())


def placed(flights: Flights, regions: Airspace, first_sample: int, from_s: float) -> list[SampleResult]:
    ends = regions.find(
        np.where(flights.reached, flights.lat_deg, 0.0), np.where(flights.reached, flights.lon_deg, 0.0)
    )
    return [
        SampleResult(
            first_sample + i,
            bool(flights.reached[i]),
            float(flights.seconds[i]),
            float(flights.lat_deg[i]),
            float(flights.lon_deg[i]),
            int(ends[i]) if flights.reached[i] else airspace.NOWHERE,
            crossings(flights.track[i, : flights.track_counts[i]], regions, from_s),
        )
        for i in range(len(flights.reached))
    ]


def crossings(track: Array, regions: Airspace, from_s: float) -> tuple[Crossing, ...]:
    """Of one sample after `from_s`; track (k, 4): seconds, latitude and longitude in degrees, altitude in km."""
    late = track[track[:, 0] >= from_s]
    if len(late) < 2:
        return ()
    return tuple(
        Crossing(visit.region, revolution(track, visit.entry_s), visit.entry_s, visit.exit_s)
        for visit in regions.visits(late[:, 0], late[:, 1], late[:, 2])
    )


def fine(track: Array) -> tuple[Array, Array, Array]:
    """The track every FINE_STEP_S, between its points along great circles: seconds, latitudes, longitudes."""
    lat, lon = np.radians(track[:, 1]), np.radians(track[:, 2])
    points = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    seconds = np.append(np.arange(track[0, 0], track[-1, 0], FINE_STEP_S), track[-1, 0])
    x, y, z = (np.interp(seconds, track[:, 0], points[:, axis]) for axis in range(3))
    return seconds, np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def revolution(track: Array, seconds: float) -> int:
    """Ascending nodes passed since the start; the same for all samples on the same pass."""
    before = track[track[:, 0] <= seconds, 1]
    return int(np.count_nonzero((before[:-1] < 0.0) & (before[1:] >= 0.0)))
