"""A quick corridor at once, one run of record at a time for each object, runs watched and cancelled."""

import asyncio
import json
from datetime import timedelta

import grpc
import pytest

from services.hazard import handlers, running
from services.hazard.handlers import Settler
from services.hazard.tests.calls import call, refused
from services.hazard.tests.conftest import KNOWN_AT, OBJECT, SAMPLES
from services.hazard.working import Worker
from spacecom.hazard.v1 import hazard_service_pb2 as wire


@pytest.fixture
async def quick(mesh):
    await mesh.airspace()
    return mesh.with_settings(hazard_quick_samples=40)


async def runs(mesh) -> list[tuple[int, str]]:
    found = await mesh.desk.database.fetch("SELECT prediction_event_id, state FROM runs ORDER BY run_id")
    return sorted((str(row["prediction_event_id"]), row["state"]) for row in found)


async def chunks_of(mesh, event_id) -> list:
    stream = running.stream_of(running.run_of(event_id))
    return [fact for fact in await mesh.facts("ChunkRequested") if fact.stream == stream]


async def test_a_prediction_brings_a_quick_corridor_before_any_chunk_is_flown(quick, stub):
    event_id = await quick.predicted()
    (fact,) = await quick.facts("QuickAssessed")
    hazard = fact.message().hazard
    assert (fact.stream, fact.occurred_at) == (f"hazard/{OBJECT}", KNOWN_AT)
    assert (hazard.prediction_event_id, hazard.run_id) == (str(event_id), str(running.run_of(event_id)))
    assert hazard.sample_count == 40
    assert abs(sum(fir.share for fir in hazard.firs) + hazard.unassigned_share - 1.0) < 1e-9
    corridor = json.loads(await quick.desk.blobs.get(hazard.corridor_sha256))
    levels = {one["properties"]["level"] for one in corridor["features"]}
    assert levels == {"80 km"}
    answer = (await call(stub, "GetAssessment")).assessment
    assert answer.quick
    assert (await call(stub, "GetCorridor")).geojson
    assert await refused(stub, "ListMinutes") == (grpc.StatusCode.NOT_FOUND, "NO_ASSESSMENT")


async def test_the_run_refines_the_quick_corridor(quick, stub):
    """Of the same draws: its median lies within a quarter of the window of the run's."""
    await quick.predicted()
    first = (await quick.facts("QuickAssessed"))[0].message().hazard
    await quick.run()
    answer = (await call(stub, "GetAssessment")).assessment
    assert not answer.quick
    assert answer.hazard.sample_count == SAMPLES
    width = answer.hazard.window_end_time.seconds - answer.hazard.window_start_time.seconds
    assert abs(answer.hazard.median_time.seconds - first.median_time.seconds) < 0.25 * width


async def test_a_prediction_that_comes_while_an_older_one_is_flown_waits_for_its_end(mesh):
    """INVARIANT: one run of record for each object. Sets that come faster than runs end would queue for ever."""
    await mesh.airspace()
    first = await mesh.predicted(version=1)
    await mesh.predicted(version=2)
    newest = await mesh.predicted(version=3)
    assert [state for _, state in await runs(mesh)] == ["running"]
    await mesh.run()
    assert sorted(await runs(mesh)) == sorted([(str(first), "completed"), (str(newest), "running")])
    await mesh.run()
    assert [state for _, state in await runs(mesh)] == ["completed", "completed"]
    assert [fact.message().prediction_version for fact in await mesh.facts("HazardAssessed")] == [1, 3]


async def test_a_run_whose_chunks_were_set_aside_makes_room_for_a_prediction_that_comes_much_later(mesh):
    """INVARIANT: no object is held up for ever. Chunks that were parked bring no outcome until they are redriven."""
    await mesh.airspace()
    first = await mesh.predicted(version=1)
    asked = await chunks_of(mesh, first)
    await mesh.hand(handlers.of_work(Worker(mesh.desk)), asked[0])
    (flown,) = await mesh.facts("ChunkCompleted")
    longest = timedelta(seconds=mesh.desk.settings.hazard_run_stalled_s)
    await mesh.predicted(version=2, recorded_at=flown.recorded_at + longest)
    assert await runs(mesh) == [(str(first), "running")]
    newest = await mesh.predicted(version=3, recorded_at=flown.recorded_at + longest + timedelta(seconds=1))
    (failed,) = await mesh.facts("RunFailed")
    assert failed.message().reason.startswith(f"1 of its {len(asked)} chunks had ended, and none for 30 minutes")
    assert sorted(await runs(mesh)) == sorted([(str(first), "failed"), (str(newest), "running")])
    await mesh.hand(handlers.of_work(Worker(mesh.desk)), asked[1])
    assert len(await mesh.facts("ChunkCompleted")) == 1
    await mesh.run()
    assert (str(newest), "completed") in await runs(mesh)


async def test_another_objects_run_waits_for_none(mesh):
    await mesh.airspace()
    await mesh.predicted()
    await mesh.predicted(number=25544)
    assert [state for _, state in await runs(mesh)] == ["running", "running"]


async def test_a_run_that_ends_as_a_prediction_comes_leaves_none_waiting(mesh):
    """INVARIANT: whoever starts or ends a run of an object holds its lock; without it each looks past the other."""
    await mesh.airspace()
    await mesh.predicted(version=1)
    await mesh.work()
    outcomes = await mesh.facts("ChunkCompleted")
    settle = mesh.hand(handlers.of_hazard(Settler(mesh.desk)), outcomes[-1])
    newest, _ = await asyncio.gather(mesh.predicted(version=2), settle)
    assert (str(newest), "running") in await runs(mesh)


async def test_a_cancelled_run_gives_nothing_and_makes_room_for_the_newest_prediction(mesh, stub):
    await mesh.airspace()
    first = await mesh.predicted(version=1)
    newest = await mesh.predicted(version=2)
    run_id = str(running.run_of(first))
    request = wire.CancelRunRequest(run_id=run_id, reason="a newer set", idempotency_key="c")
    assert await refused(stub, "CancelRun", request, by="viewer") == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
    await call(stub, "CancelRun", request)
    await call(stub, "CancelRun", request)
    (fact,) = await mesh.facts("RunCancelled")
    assert (fact.message().principal_id, fact.message().reason) == ("analyst", "a newer set")
    for chunk in await chunks_of(mesh, first):
        await mesh.hand(handlers.of_work(Worker(mesh.desk)), chunk)
    assert not await mesh.facts("ChunkCompleted")
    assert sorted(await runs(mesh)) == sorted([(str(first), "cancelled"), (str(newest), "running")])
    again = wire.CancelRunRequest(run_id=run_id, idempotency_key="d")
    assert await refused(stub, "CancelRun", again) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_ENDED")


async def test_a_chunk_that_was_being_flown_when_its_run_was_cancelled_is_dropped(mesh, stub):
    await mesh.airspace()
    first = await mesh.predicted()
    (fact, *_) = await mesh.facts("ChunkRequested")
    flying = asyncio.create_task(mesh.hand(handlers.of_work(Worker(mesh.desk)), fact))
    await asyncio.sleep(0.1)
    request = wire.CancelRunRequest(run_id=str(running.run_of(first)), idempotency_key="c")
    await call(stub, "CancelRun", request)
    await flying
    assert not await mesh.facts("ChunkCompleted")


async def test_a_run_is_watched_from_its_request_to_its_end(mesh, stub):
    await mesh.airspace()
    event_id = await mesh.predicted()
    request = wire.WatchRunRequest(run_id=str(running.run_of(event_id)))

    async def watch() -> list[wire.WatchRunResponse]:
        return [one async for one in stub.WatchRun(request, metadata=(("authorization", "Bearer viewer"),))]

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.2)
    for fact in await mesh.facts("ChunkRequested"):
        await mesh.hand(handlers.of_work(Worker(mesh.desk)), fact)
        await asyncio.sleep(0.7)
    await mesh.settle()
    told = await asyncio.wait_for(watching, 20)
    assert (told[0].state, told[0].percent, told[0].HasField("left_s")) == (wire.RUN_STATE_RUNNING, 0.0, False)
    percents = [one.percent for one in told]
    assert percents == sorted(percents)
    assert len(set(percents)) > 2
    assert any(one.left_s > 0.0 for one in told)
    assert (told[-1].state, told[-1].percent, told[-1].left_s) == (wire.RUN_STATE_COMPLETED, 100.0, 0.0)


async def test_runs_asked_for_are_refused_while_too_many_are_flown(mesh, stub):
    """Back pressure: work that people ask for waits with them, not in a queue before the runs of record."""
    await mesh.airspace()
    await mesh.predicted()
    most = mesh.desk.settings.hazard_max_running
    for n in range(1, most):
        await call(stub, "RequestRun", wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key=f"{n}"))
    one_more = wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key="more")
    assert await refused(stub, "RequestRun", one_more) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_RUNS")
    await mesh.predicted(number=25544)
    assert len(await runs(mesh)) == most + 1


async def test_predictions_told_again_to_build_read_models_anew_have_no_effect(quick):
    """INVARIANT: a rebuild adds no fact. A prediction that was passed over while a run was flown starts none then."""
    for version in (1, 2, 3):
        await quick.predicted(version=version)
    await quick.run()
    await quick.run()
    before = [fact.event_id for fact in await quick.facts()]
    await quick.desk.database.execute("TRUNCATE predictions")
    for version in (1, 2, 3):
        await quick.predicted(version=version)
    assert [fact.event_id for fact in await quick.facts()] == before
    assert len(await quick.facts("QuickAssessed")) == 3
    assert len(await quick.facts("RunRequested")) == 2
