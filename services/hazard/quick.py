"""The quick corridor: few samples flown to re-entry by the decay alone, without pieces. Run in a process of its own."""

import hashlib
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import numpy as np

from libs.astro import airspace, exposure_tally
from libs.astro.airspace import Airspace
from libs.astro.frames import itrf_to_geodetic_each
from libs.astro.time import seconds_between
from libs.astro.version import model_version
from services.hazard import assessing, contouring, falling, flight_files, flying, scenario, summing
from services.hazard.domain import AirspaceSet, HazardAssessed, Prediction
from services.hazard.falling import Entering
from services.hazard.flight_files import Array, BadFile, SampleResult
from services.hazard.flying import Decayed


@dataclass(frozen=True, slots=True)
class Job:
    prediction: Prediction
    airspace: AirspaceSet
    draws: bytes
    drivers: bytes
    geojson: bytes
    samples: int
    threads: int


@dataclass(frozen=True, slots=True)
class Quick:
    hazard: HazardAssessed
    points: bytes
    corridor: bytes


def assess(job: Job, run_id: UUID) -> Quick:
    """Of the first samples: the draws fill their space evenly. `run_id`: of the run that will refine it.

    Raises BadFile where too few come down.
    """
    told, regions = job.prediction, flying.regions_of(job.geojson)
    samples = flight_files.read_draws(job.draws).part(0, job.samples)
    drivers = flight_files.read_drivers(job.drivers)
    start = samples.start_jd, samples.start_jd_fraction
    from_s = seconds_between(*start, told.window_start.jd, told.window_start.jd_fraction)
    legs = flying.legs(samples, drivers, from_s, job.threads, told.reentry_altitude_km)
    flown = flying.decayed(legs, regions, len(samples.ln_b), from_s, job.threads)
    reached = np.flatnonzero(flown.reached)
    if len(reached) < 0.95 * len(flown.reached):
        raise BadFile(f"only {len(reached)} of {len(flown.reached)} samples came down")
    results = placed(flying.entering(samples, flown, reached, 0), flown, regions)
    seconds = np.array([one.seconds for one in results])
    first, median, last = (float(q) for q in np.quantile(seconds, assessing.WINDOW, method="inverted_cdf"))
    ends, points = contouring.ends_of(results), flight_files.points_file(results, regions.idents)
    nothing = contouring.Ways(*(np.empty(0) for _ in fields(contouring.Ways)))
    corridor = contouring.geojson(nothing, ends, scenario.choose(scenario.KnownObject()), start)
    hazard = HazardAssessed(
        catalogue_number=told.catalogue_number,
        run_id=run_id,
        prediction_event_id=told.event_id,
        prediction_version=told.version,
        known_at=told.known_at,
        window_start_time=assessing.instant(start, first),
        window_end_time=assessing.instant(start, last),
        median_time=assessing.instant(start, median),
        firs=tuple(assessing.hazards(results, regions, start, (first, last), _no_pieces(start))),
        unassigned_share=sum(one.fir < 0 for one in results) / len(results),
        baselines=(),
        sample_count=len(results),
        airspace_dataset=job.airspace.dataset,
        airspace_notice=job.airspace.notice,
        points_sha256=hashlib.sha256(points).hexdigest(),
        model_version=model_version(),
        corridor_sha256=hashlib.sha256(corridor).hexdigest(),
    )
    return Quick(hazard, points, corridor)


def placed(entering: Entering, flown: Decayed, regions: Airspace) -> list[SampleResult]:
    states = falling.earth_fixed(entering)
    lat, lon, _ = itrf_to_geodetic_each(np.ascontiguousarray(states[:, :3].T))
    heading = _heading_deg(entering)
    level = np.full(len(lat), falling.level_fl(np.array(falling.HANDOVER_KM)))
    lat, lon = np.degrees(lat), np.degrees(lon)
    volumes, _ = regions.find_at(lat, lon, level)
    firs = np.where(volumes >= 0, regions.region_of_volume[volumes], airspace.NOWHERE)
    return [
        SampleResult(
            int(sample),
            reached=True,
            seconds=float(entering.seconds[k]),
            lat_deg=float(lat[k]),
            lon_deg=float(lon[k]),
            heading_deg=float(heading[k]),
            fir=int(firs[k]),
            crossings=flown.overflown[sample].crossings,
        )
        for k, sample in enumerate(entering.samples)
    ]


def _heading_deg(entering: Entering) -> Array:
    """Of the velocity on axes that do not turn, clockwise from north."""
    place, velocity = entering.states[:, :3], entering.states[:, 3:]
    up = place / np.linalg.norm(place, axis=1)[:, None]
    east = np.cross([0.0, 0.0, 1.0], up)
    east /= np.linalg.norm(east, axis=1)[:, None]
    north = np.cross(up, east)
    return np.asarray(np.degrees(np.arctan2((velocity * east).sum(axis=1), (velocity * north).sum(axis=1))))


def _no_pieces(start: tuple[float, float]) -> summing.Sums:
    none: Any = np.empty(0)
    minutes = exposure_tally.minutes(none, none, none, none, none, 0.0)
    return summing.Sums(minutes, exposure_tally.cells(none, none, none, none, none, none, none), (600.0, 0.0), 1, start)
