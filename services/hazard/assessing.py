"""From the flights of all samples to the hazard of every region, run in a process of its own."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from libs.astro import airspace, exposure_tally
from libs.astro.airspace import Airspace
from libs.astro.exposure_tally import Cells, Minutes
from libs.astro.time import add_seconds, jd_to_datetime
from libs.astro.version import model_version
from services.hazard import flight_files, scenario, summing, tally_files
from services.hazard.baselines import baselines
from services.hazard.domain import Baseline, FirHazard, FirPass, PieceHazard
from services.hazard.flight_files import BadFile, SampleResult
from services.hazard.flying import regions_of

WINDOW = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Job:
    results: tuple[bytes, ...]
    minutes: tuple[bytes, ...]
    cells: tuple[bytes, ...]
    scenario: bytes
    sample_count: int
    flown_count: int  # as the chunks were recorded
    draws: bytes
    drivers: bytes
    geojson: bytes
    reentry_altitude_km: float
    threads: int = 1


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
    pieces: PieceHazard
    bands: tuple[PieceHazard, ...]
    unassigned: FirHazard
    minutes: bytes
    regions: tuple[str, ...]
    results: tuple[SampleResult, ...]


def assess(job: Job) -> Assessed:
    """Raises BadFile for results that do not make a run."""
    regions, chosen = regions_of(job.geojson), scenario.of_json(job.scenario)
    results = gathered(job, len(regions.idents))
    samples = flight_files.read_draws(job.draws)
    start = (samples.start_jd, samples.start_jd_fraction)
    minutes = exposure_tally.merge_minutes([tally_files.read(one, Minutes) for one in job.minutes])
    cells = exposure_tally.merge_cells([tally_files.read(one, Cells) for one in job.cells])
    sums = summing.Sums(minutes, cells, chosen.band_edges_fl, len(results), start)
    seconds = np.array([one.seconds for one in results])
    first, median, last = (float(q) for q in np.quantile(seconds, WINDOW, method="inverted_cdf"))
    drivers = flight_files.read_drivers(job.drivers)
    elsewhere = sum(one.fir < 0 for one in results) / len(results)
    return Assessed(
        instant(start, first),
        instant(start, last),
        instant(start, median),
        tuple(hazards(results, regions, start, (first, last), sums)),
        elsewhere,
        tuple(baselines(samples, drivers, job.reentry_altitude_km, regions, results, (first, last))),
        len(results),
        flight_files.points_file(results, regions.idents),
        model_version(),
        sums.whole(),
        sums.bands(exposure_tally.ALL_REGIONS),
        FirHazard("", "", elsewhere, (), sums.of(airspace.NOWHERE), sums.bands(airspace.NOWHERE)),
        tally_files.expected_file(minutes, samples.start_jd, len(results), regions.idents),
        regions.idents,
        tuple(results),
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
    results: Sequence[SampleResult],
    regions: Airspace,
    start: tuple[float, float],
    window: tuple[float, float],
    sums: summing.Sums,
) -> list[FirHazard]:
    """Regions with a share, a pass within the window or a piece, by falling share, then designator."""
    ended: dict[int, int] = defaultdict(int)
    for one in results:
        ended[one.fir] += 1
    passes = _passes(results, start, window)
    threatened = {fir for fir in set(ended) | set(passes) | sums.regions if fir >= 0}
    found = [
        FirHazard(
            regions.idents[fir],
            regions.names[fir],
            ended[fir] / len(results),
            tuple(passes.get(fir, ())),
            sums.of(fir),
            sums.bands(fir),
        )
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
                instant(start, min(entry for _, entry, _ in made)),
                instant(start, max(leave for _, _, leave in made)),
                len({sample for sample, _, _ in made}) / len(results),
            )
        )
    return passes


def instant(start: tuple[float, float], seconds: float) -> datetime:
    return jd_to_datetime(*add_seconds(*start, seconds))
