"""Recorded facts computed again from what they cite, over the server."""

from uuid import UUID

import grpc
import pytest

from libs.eventlog import Cause, Fact, Recorded, new_id
from services.hazard import running
from services.hazard.tests.calls import call, refused
from services.hazard.tests.conftest import KNOWN_AT, OBJECT, Mesh
from spacecom.eventlog.v1 import explanation_pb2 as explained
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.hazard.v1 import hazard_service_pb2 as wire

COMPUTED = ("ChunkCompleted", "RunCompleted", "QuickAssessed", "HazardAssessed", "VariantAssessed", "ClosingPlanned")


@pytest.fixture
async def flown(mesh) -> Mesh:
    """A quick corridor, the run that refined it and its assessment."""
    await mesh.airspace()
    quick = mesh.with_settings(hazard_quick_samples=40)
    await quick.predicted()
    await quick.run()
    return quick


async def explain(
    stub, event_id: object, by: str = "viewer"
) -> tuple[explained.Explanation, list[explained.ComparedField]]:
    first, *parts = await call(stub, "Explain", wire.ExplainRequest(event_id=str(event_id)), by=by)
    return first.explanation, [one for part in parts for one in part.fields]


def differing(fields: list[explained.ComparedField]) -> dict[str, tuple[str, str]]:
    return {one.path: (one.recorded, one.recomputed) for one in fields if not one.identical}


async def recorded(mesh: Mesh, stream: str, *messages) -> list[UUID]:
    """What somebody else wrote into the log."""
    facts = [Fact(message, KNOWN_AT, new_id()) for message in messages]
    async with mesh.desk.database.acquire() as conn, conn.transaction():
        after = len(await mesh.log.load(conn, stream))
        return [one.event_id for one in await mesh.log.append(conn, stream, facts, after=after, cause=cause())]


def cause() -> Cause:
    return Cause(new_id(), None, "")


async def every(mesh: Mesh, stub) -> list[Recorded]:
    """One fact of each type that carries computed numbers."""
    scenario = (await call(stub, "GetScenario")).scenario
    await call(stub, "PlanClosing")
    await call(
        stub, "RequestRun", wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key="v", scenario=scenario)
    )
    await mesh.run()
    return [(await mesh.facts(kind))[0] for kind in COMPUTED]


async def test_every_computed_fact_is_the_same_to_the_last_digit_and_nothing_is_recorded(flown, stub):
    """INVARIANT: each published number can be computed again from recorded inputs, from the draws of samples on."""
    facts = await every(flown, stub)
    before = len(await flown.facts())
    for fact in facts:
        told, fields = await explain(stub, fact.event_id)
        assert told.identical, (fact.type, differing(fields))
        assert (told.event_id, told.type) == (str(fact.event_id), fact.type)
        assert told.field_count == len(fields) > 0
        assert told.recorded_model_version == told.model_version
        assert all(bool(one.event_id) != bool(one.sha256) for one in told.inputs)
    assert len(await flown.facts()) == before


async def test_an_assessment_names_each_number_and_what_it_was_made_from(flown, stub):
    (fact,) = await flown.facts("HazardAssessed")
    hazard = fact.message()
    told, fields = await explain(stub, fact.event_id)
    by_path = {one.path: one.recomputed for one in fields}
    fir = hazard.firs[0]
    assert by_path["firs"] == ", ".join(one.fir_designator for one in hazard.firs)
    assert by_path[f"firs[{fir.fir_designator}].share"] == repr(fir.share)
    assert by_path[f"firs[{fir.fir_designator}].pieces.any_probability"] == repr(fir.pieces.any_probability)
    assert by_path["baselines[70 km].fir_designators"] == ", ".join(hazard.baselines[0].fir_designators)
    assert {f"chunks[{n}].{name}_sha256" for n in range(3) for name in ("result", "visits", "minutes", "cells")} < set(
        by_path
    )
    inputs = {one.name: one for one in told.inputs}
    assert inputs["prediction"].event_id == hazard.prediction_event_id
    assert inputs["scenario"].sha256 == hazard.scenario_sha256
    completed = {str(one.event_id) for one in await flown.facts("ChunkCompleted")}
    assert {inputs[f"chunk {n}"].event_id for n in range(3)} == completed


async def test_a_number_that_was_changed_is_told_first(flown, stub):
    (fact,) = await flown.facts("HazardAssessed")
    forged = fact.message()
    forged.firs[0].share += 1e-15
    name = forged.firs[0].fir_designator
    del forged.boxes[0]
    (event_id,) = await recorded(flown, f"hazard/{OBJECT}", forged)
    told, fields = await explain(stub, event_id)
    assert not told.identical
    assert told.differing_count == len(differing(fields))
    assert [one.identical for one in fields] == sorted(one.identical for one in fields)
    share = repr(forged.firs[0].share), repr(fact.message().firs[0].share)
    assert differing(fields)[f"firs[{name}].share"] == share
    assert {path.partition("[")[0] for path in differing(fields)} == {"firs", "boxes"}


async def test_a_run_that_was_flown_with_another_seed_is_told_by_its_chunks(flown, stub):
    """INVARIANT: chunks are flown again from their draws: results that another run put down are not believed."""
    (fact,) = await flown.facts("HazardAssessed")
    run_id = str(new_id())
    copies = [
        one.message() for one in await flown.facts() if one.stream == running.stream_of(UUID(fact.message().run_id))
    ]
    for copy in copies:
        copy.run_id = run_id
        if isinstance(copy, pb.RunRequested | pb.ChunkRequested):
            copy.seed += 1
    await recorded(flown, f"run/{run_id}", *copies)
    forged = fact.message()
    forged.run_id = run_id
    (event_id,) = await recorded(flown, f"variant/{run_id}", pb.VariantAssessed(hazard=forged))
    _, fields = await explain(stub, event_id)
    found = differing(fields)
    assert {"chunks[0].visits_sha256", "chunks[2].cells_sha256", "hazard.seed", "hazard.corridor_sha256"} <= set(found)
    assert "hazard.pieces.piece_seconds" in found
    assert "hazard.prediction_event_id" not in found


CHANGED = [
    ("ChunkCompleted", "completed_sample_count"),
    ("RunCompleted", "completed_sample_count"),
    ("QuickAssessed", "hazard.unassigned_share"),
    ("ClosingPlanned", "bound"),
]


@pytest.mark.parametrize(("kind", "path"), CHANGED)
async def test_a_changed_copy_of_any_fact_differs_where_it_was_changed(flown, stub, kind, path):
    await call(stub, "PlanClosing")
    forged = (await flown.facts(kind))[0].message()
    holder, name = (forged.hazard if "." in path else forged), path.rpartition(".")[2]
    setattr(holder, name, getattr(holder, name) + 1)
    (event_id,) = await recorded(flown, f"forged/{kind}", forged)
    _, fields = await explain(stub, event_id)
    assert list(differing(fields)) == [path]


async def test_what_is_gone_is_told_with_what_it_was(flown, stub):
    state = grpc.StatusCode.FAILED_PRECONDITION
    (fact,) = await flown.facts("HazardAssessed")
    asked = wire.ExplainRequest(event_id=str(fact.event_id))
    (request, *_) = await flown.facts("RunRequested")
    forged = fact.message()
    forged.run_id = str(new_id())
    (elsewhere,) = await recorded(flown, f"hazard/{OBJECT}", forged)
    gone = wire.ExplainRequest(event_id=str(elsewhere))
    assert await refused(stub, "Explain", gone) == (state, "FAILED_PRECONDITION")
    await flown.desk.blobs.remove(request.message().airspace_sha256)
    assert await refused(stub, "Explain", asked) == (state, "FAILED_PRECONDITION")
    with pytest.raises(grpc.aio.AioRpcError, match="is not stored; it was swept"):
        await call(stub, "Explain", asked)


async def test_what_was_not_computed_is_not_here_or_is_of_another_object_is_refused(flown, stub):
    missing = grpc.StatusCode.NOT_FOUND, "UNKNOWN_EVENT"
    (request, *_) = await flown.facts("RunRequested")
    (hazard,) = await flown.facts("HazardAssessed")
    asked = wire.ExplainRequest(event_id=str(request.event_id))
    assert await refused(stub, "Explain", asked) == (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_COMPUTED")
    assert await refused(stub, "Explain") == missing
    for fact in (request, hazard):
        elsewhere = wire.ExplainRequest(event_id=str(fact.event_id))
        assert await refused(stub, "Explain", elsewhere, by="elsewhere") == missing
    assert await refused(stub, "Explain", wire.ExplainRequest(event_id="x")) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "BAD_REQUEST",
    )


async def test_a_quick_corridor_recorded_before_its_inputs_were_says_so(flown, stub):
    (fact,) = await flown.facts("QuickAssessed")
    old = pb.QuickAssessed(hazard=fact.message().hazard)
    (event_id,) = await recorded(flown, f"hazard/{OBJECT}", old)
    asked = wire.ExplainRequest(event_id=str(event_id))
    assert await refused(stub, "Explain", asked) == (grpc.StatusCode.FAILED_PRECONDITION, "FAILED_PRECONDITION")


async def test_an_assessment_is_given_by_its_event_id(flown, stub):
    (quick,), (whole,) = await flown.facts("QuickAssessed"), await flown.facts("HazardAssessed")
    for fact, hazard in ((quick, quick.message().hazard), (whole, whole.message())):
        asked = wire.GetAssessmentRequest(event_id=str(fact.event_id))
        answer = (await call(stub, "GetAssessment", asked)).assessment
        assert (answer.event_id, answer.hazard, answer.quick) == (str(fact.event_id), hazard, fact is quick)
    (request, *_) = await flown.facts("RunRequested")
    missing = grpc.StatusCode.NOT_FOUND
    none = wire.GetAssessmentRequest(event_id=str(request.event_id))
    assert await refused(stub, "GetAssessment", none) == (missing, "NO_ASSESSMENT")
    assert await refused(stub, "GetAssessment", asked, by="elsewhere") == (missing, "UNKNOWN_EVENT")
