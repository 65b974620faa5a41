"""What a run's chunks come to, and a quick corridor: computed by the service's processes from recorded inputs."""

from datetime import datetime

from services.hazard import assessing, parting, quick
from services.hazard.domain import AirspaceSet, HazardAssessed, Prediction, Run
from services.hazard.flight_files import BadFile
from services.hazard.parting import Settled
from services.hazard.running import Desk, run_of


async def assessed(desk: Desk, run: Run, known_at: datetime, notice: str) -> HazardAssessed:
    """`notice`: of the airspace. Raises BadFile, BlobMissing, BlobCorrupt, Lost and MemoryError."""
    if run.requested is None:
        raise BadFile("the run was never requested")
    requested, asked = run.requested, run.chunks[0]
    settled = await _settled(desk, run, requested.sample_count)
    found = settled.assessed
    return HazardAssessed(
        catalogue_number=requested.catalogue_number,
        run_id=requested.run_id,
        prediction_event_id=requested.prediction_event_id,
        prediction_version=requested.prediction_version,
        known_at=known_at,
        window_start_time=found.window_start_time,
        window_end_time=found.window_end_time,
        median_time=found.median_time,
        firs=found.firs,
        unassigned_share=found.unassigned_share,
        baselines=found.baselines,
        sample_count=found.sample_count,
        airspace_dataset=requested.airspace_dataset,
        airspace_notice=notice,
        points_sha256=settled.points_sha256,
        model_version=found.model_version,
        scenario_sha256=asked.scenario_sha256,
        scenario_name=settled.scenario.name,
        object_class=settled.scenario.object_class.value,
        class_reason=settled.scenario.class_reason,
        seed=asked.seed,
        pieces=found.pieces,
        bands=found.bands,
        unassigned=found.unassigned,
        minutes_sha256=settled.minutes_sha256,
        visits_sha256=settled.visits_sha256,
        corridor_sha256=settled.corridor_sha256,
        boxes=settled.boxes,
    )


async def _settled(desk: Desk, run: Run, sample_count: int) -> Settled:
    blobs, asked = desk.blobs, run.chunks[0]
    done = [run.completed[chunk] for chunk in sorted(run.completed)]
    job = assessing.Job(
        tuple([await blobs.get(one.result_sha256) for one in done]),
        tuple([await blobs.get(one.minutes_sha256) for one in done]),
        tuple([await blobs.get(one.cells_sha256) for one in done]),
        await blobs.get(asked.scenario_sha256),
        sample_count,
        run.flown,
        await blobs.get(asked.draws_sha256),
        await blobs.get(asked.drivers_sha256),
        await blobs.get(asked.airspace_sha256),
        asked.reentry_altitude_km,
        desk.settings.hazard_worker_threads,
    )
    chunks = {one.chunk: one for one in run.chunks}
    visits = tuple(
        parting.Chunk(chunks[one.chunk].first_sample, chunks[one.chunk].sample_count, one.visits_sha256) for one in done
    )
    return await desk.workers.run(parting.settle, job, visits, asked.scenario_sha256, blobs)


async def quick_corridor(desk: Desk, prediction: Prediction, airspace: AirspaceSet, samples: int) -> quick.Quick:
    """Raises BadFile, BlobMissing, BlobCorrupt, Lost, MemoryError and ValueError."""
    get = desk.blobs.get
    job = quick.Job(
        prediction,
        airspace,
        await get(prediction.draws_sha256),
        await get(prediction.drivers_sha256),
        await get(airspace.geojson_sha256),
        samples,
        desk.settings.hazard_worker_threads,
    )
    return await desk.workers.run(quick.assess, job, run_of(prediction.event_id))
