"""Visits of all chunks, put down again in files of a fixed number of samples, and what is drawn from them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from libs.blobs import Blobs
from services.hazard import assessing, contouring, flight_files, scenario, visit_files
from services.hazard.assessing import Assessed
from services.hazard.contouring import Ends
from services.hazard.domain import TravellingBox
from services.hazard.flight_files import BadFile
from services.hazard.scenario import Scenario
from services.hazard.visit_files import PART_SAMPLES, Visits


@dataclass(frozen=True, slots=True)
class Chunk:
    first_sample: int
    sample_count: int
    visits_sha256: str


@dataclass(frozen=True, slots=True)
class Settled:
    assessed: Assessed
    scenario: Scenario
    points_sha256: str
    minutes_sha256: str
    visits_sha256: tuple[str, ...]
    corridor_sha256: str
    boxes: tuple[TravellingBox, ...]


def settle(job: assessing.Job, chunks: tuple[Chunk, ...], scenario_sha256: str, blobs: Blobs) -> Settled:
    """`chunks`: those that were flown, in order. At most two of them and one part are in memory at a time.

    Raises BadFile for results that do not make a run, BlobMissing and BlobCorrupt.
    """
    assessed, chosen = assessing.assess(job), scenario.of_json(job.scenario)
    ends = contouring.ends_of(assessed.results)
    told = told_of(job, assessed, chosen, scenario_sha256)
    names, ways = [], []
    for part in parts(chunks, job.sample_count, blobs):
        names.append(_put(blobs, visit_files.write(part, told)))
        if len(part.sample) and part.sample[0] < contouring.MOST_SAMPLES:
            ways.append(contouring.ways(part, ends, job.threads))
    return _settled(assessed, chosen, ends, ways, tuple(names), job, blobs)


def _settled(
    assessed: Assessed, chosen: Scenario, ends: Ends, ways: list[contouring.Ways], names: tuple[str, ...],
    job: assessing.Job, blobs: Blobs,
) -> Settled:  # fmt: skip
    draws = flight_files.read_draws(job.draws)
    start = draws.start_jd, draws.start_jd_fraction
    joined = contouring.joined(ways)
    ways.clear()  # a run's largest arrays
    return Settled(
        assessed,
        chosen,
        _put(blobs, assessed.points),
        _put(blobs, assessed.minutes),
        names,
        _put(blobs, contouring.geojson(joined, ends, chosen, start, job.threads)),
        tuple(contouring.boxes(joined, chosen, len(ends.sample))),
    )


def told_of(job: assessing.Job, assessed: Assessed, chosen: Scenario, scenario_sha256: str) -> dict[str, object]:
    draws = flight_files.read_draws(job.draws)
    return {
        "regions": list(assessed.regions),
        "bands_fl": list(chosen.band_edges_fl),
        "kinds": list(chosen.kinds),
        "sample_count": assessed.sample_count,
        "start_jd": draws.start_jd,
        "start_jd_fraction": draws.start_jd_fraction,
        "scenario_sha256": scenario_sha256,
    }


def parts(chunks: tuple[Chunk, ...], sample_count: int, blobs: Blobs) -> Iterator[Visits]:
    held: dict[int, Visits] = {}
    for first in range(0, sample_count, PART_SAMPLES):
        last = first + PART_SAMPLES
        needed = [c for c in chunks if c.first_sample < last and c.first_sample + c.sample_count > first]
        held = {
            chunk.first_sample: held[chunk.first_sample] if chunk.first_sample in held else _read(chunk, blobs)
            for chunk in needed
        }
        yield visit_files.joined([held[chunk.first_sample].of_samples(first, PART_SAMPLES) for chunk in needed])


def _read(chunk: Chunk, blobs: Blobs) -> Visits:
    visits = asyncio.run(_visits(chunk, blobs))
    low, high = chunk.first_sample, chunk.first_sample + chunk.sample_count
    if len(visits.sample) and not low <= visits.sample[0] <= visits.sample[-1] < high:
        raise BadFile(f"the visits name a sample outside {low} to {high - 1}")
    return visits


async def _visits(chunk: Chunk, blobs: Blobs) -> Visits:
    return visit_files.read(await blobs.get(chunk.visits_sha256))[0]


def _put(blobs: Blobs, data: bytes) -> str:
    return asyncio.run(blobs.put(data))
