"""From the flights of all samples to the hazard of every region, run in a process of its own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import pi

import numpy as np

from libs.astro import airspace, decay, geodesy
from libs.astro.airspace import Airspace
from libs.astro.time import add_seconds, jd_to_datetime
from libs.astro.version import model_version
from services.hazard import flight_files
from services.hazard.domain import HALF_WIDTHS_KM, Baseline, FirHazard, FirPass
from services.hazard.flight_files import Array, BadFile, SampleResult, Samples
from services.hazard.flying import MAX_DAYS, TRACK_STEP_S, fine

WINDOW = (0.05, 0.5, 0.95)
ALONG_S, ACROSS_KM = 4.0, 20.0  # 30 km along, so that a corridor has no holes


@dataclass(frozen=True, slots=True)
class Job:
    results: tuple[bytes, ...]
    sample_count: int
    flown_count: int  # as the chunks were recorded
    draws: bytes
    drivers: bytes
    geojson: bytes
    reentry_altitude_km: float


@dataclass(frozen=True, slots=True)
class Assessed:
    window_start_time: datetime
    window_end_time: datetime
    median_time: datetime
    firs: tuple[FirHazard, ...]
    unassigned_share: float
    baselines: tuple[Baseline, ...]
    sample_count: int
    points: bytes
    model_version: str


def assess(job: Job) -> Assessed:
    """Raises BadFile for results that do not make a run."""
    regions = airspace.load_geojson(job.geojson)
    results = gathered(job, len(regions.idents))
    samples = flight_files.read_draws(job.draws)
    start = (samples.start_jd, samples.start_jd_fraction)
    seconds = np.array([one.seconds for one in results])
    first, median, last = (float(q) for q in np.quantile(seconds, WINDOW, method="inverted_cdf"))
    return Assessed(
        _instant(start, first),
        _instant(start, last),
        _instant(start, median),
        tuple(hazards(results, regions, start, (first, last))),
        sum(one.fir < 0 for one in results) / len(results),
        tuple(baselines(job, samples, regions, results, (first, last))),
        len(results),
        flight_files.points_file(results, regions.idents),
        model_version(),
    )


def gathered(job: Job, region_count: int) -> list[SampleResult]:
    """All samples that came down, in order: the same however they were split into chunks."""
    results = sorted(
        (one for data in job.results for one in flight_files.read_result(data)), key=lambda one: one.sample
    )
    numbers = [one.sample for one in results]
    if len(set(numbers)) < len(numbers) or (numbers and not 0 <= numbers[0] <= numbers[-1] < job.sample_count):
        raise BadFile("the results name a sample twice or one that was not asked for")
    if any(fir >= region_count for one in results for fir in (one.fir, *(c.fir for c in one.crossings))):
        raise BadFile("the results name a region that the airspace does not have")
    reached = [one for one in results if one.reached]
    if not reached or len(reached) != job.flown_count:
        raise BadFile(f"the results hold {len(reached)} samples that came down, their chunks told of {job.flown_count}")
    return reached


def hazards(
    results: Sequence[SampleResult], regions: Airspace, start: tuple[float, float], window: tuple[float, float]
) -> list[FirHazard]:
    """Regions with a share or a pass within the window, by falling share, then designator."""
    ended: dict[int, int] = defaultdict(int)
    for one in results:
        ended[one.fir] += 1
    passes = _passes(results, start, window)
    threatened = (set(ended) | set(passes)) - {airspace.NOWHERE}
    found = [
        FirHazard(regions.idents[fir], regions.names[fir], ended[fir] / len(results), tuple(passes.get(fir, ())))
        for fir in threatened
    ]
    return sorted(found, key=lambda fir: (-fir.share, fir.fir_designator))


def _passes(
    results: Sequence[SampleResult], start: tuple[float, float], window: tuple[float, float]
) -> dict[int, list[FirPass]]:
    """By region: its passes in order, each over all samples that make it within the window."""
    by_pass: dict[tuple[int, int], list[tuple[int, float, float]]] = defaultdict(list)
    for one in results:
        for crossing in one.crossings:
            entry, leave = max(crossing.entry_s, window[0]), min(crossing.exit_s, window[1])
            if leave > entry:
                by_pass[crossing.fir, crossing.revolution].append((one.sample, entry, leave))
    passes: dict[int, list[FirPass]] = defaultdict(list)
    for (fir, revolution), made in sorted(by_pass.items()):
        passes[fir].append(
            FirPass(
                revolution,
                _instant(start, min(entry for _, entry, _ in made)),
                _instant(start, max(leave for _, _, leave in made)),
                len({sample for sample, _, _ in made}) / len(results),
            )
        )
    return passes


def baselines(
    job: Job, samples: Samples, regions: Airspace, results: Sequence[SampleResult], window: tuple[float, float]
) -> Iterator[Baseline]:
    """What corridors of fixed width would close, along the track of the first sample that flies the whole window."""
    longest = min((one for one in results if one.seconds >= window[1]), key=lambda one: one.seconds)
    track = _track(job, samples.part(longest.sample, 1), window)
    for half_width_km in HALF_WIDTHS_KM:
        touched = corridor(track, regions, half_width_km)
        yield Baseline(half_width_km, tuple(regions.idents[fir] for fir in sorted(touched)))


def _track(job: Job, sample: Samples, window: tuple[float, float]) -> Array:
    """Latitude and longitude in degrees (k, 2) of one sample every ALONG_S within the window."""
    flights = decay.fly(
        sample.states,
        sample.start_jd,
        sample.start_jd_fraction,
        sample.ln_b,
        flight_files.read_drivers(job.drivers),
        ln_b_late=sample.ln_b_late,
        late_after_s=sample.late_after_s,
        stop_altitude_km=job.reentry_altitude_km,
        max_days=MAX_DAYS,
        track_step_s=TRACK_STEP_S,
        track_from_s=window[0],
    )
    track = flights.track[0, : flights.track_counts[0]]
    seconds, lat, lon = fine(track[(track[:, 0] >= window[0]) & (track[:, 0] <= window[1])])
    step = max(1, round(ALONG_S / (seconds[1] - seconds[0])))
    return np.column_stack([lat, lon])[::step]


def corridor(track: Array, regions: Airspace, half_width_km: float) -> set[int]:
    """Regions with a point within half_width_km of the track (k, 2), on a grid of the corridor."""
    across = max(1, round(half_width_km / ACROSS_KM))
    offsets = [half_width_km * i / across for i in range(-across, across + 1)]
    points = np.array(list(_beside(track, offsets)))
    return set(regions.find(points[:, 0], points[:, 1]).tolist()) - {airspace.NOWHERE}


def _beside(track: Array, offsets: Iterable[float]) -> Iterator[tuple[float, float]]:
    offsets = list(offsets)
    for (lat, lon), (lat_next, lon_next) in zip(np.radians(track[:-1]), np.radians(track[1:]), strict=True):
        ahead = geodesy.bearing_rad(lat, lon, lat_next, lon_next)
        for offset in offsets:
            side = geodesy.destination(lat, lon, ahead + pi / 2.0, offset)
            yield float(np.degrees(side[0])), float(np.degrees(side[1]))


def _instant(start: tuple[float, float], seconds: float) -> datetime:
    return jd_to_datetime(*add_seconds(*start, seconds))
