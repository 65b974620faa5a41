"""The server as its callers meet it."""

import asyncio
import json

import grpc
import pytest

from services.hazard.tests.calls import CALLS, call, refused
from services.hazard.tests.conftest import OBJECT
from spacecom.hazard.v1 import hazard_service_pb2 as wire
from spacecom.ingest.v1 import ingest_events_pb2 as ingest


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("by", ["", "stranger"])
async def test_a_stranger_is_let_in_nowhere(stub, method, by):
    assert await refused(stub, method, by=by) == (grpc.StatusCode.UNAUTHENTICATED, "UNKNOWN_TOKEN")


def test_every_method_is_called_by_these_tests():
    assert set(CALLS) == {m.name for m in wire.DESCRIPTOR.services_by_name["HazardService"].methods}


async def test_a_viewer_does_not_request_runs(stub):
    assert await refused(stub, "RequestRun", by="viewer") == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")


async def test_what_is_not_there_yet_is_told_with_the_reason(mesh, stub):
    missing, state = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION
    assert await refused(stub, "GetAssessment") == (missing, "NO_ASSESSMENT")
    assert await refused(stub, "RequestRun") == (missing, "NO_PREDICTION")
    assert await refused(stub, "GetRun") == (missing, "UNKNOWN_RUN")
    await mesh.predicted()
    assert await refused(stub, "RequestRun") == (state, "NO_AIRSPACE")
    assert await refused(stub, "GetAssessment") == (state, "NO_AIRSPACE")


async def test_objects_outside_the_contract_do_not_exist_for_the_caller(mesh, stub):
    await mesh.airspace()
    await mesh.predicted()
    await mesh.run()
    (fact, *_) = await mesh.facts("RunRequested")
    run = wire.GetRunRequest(run_id=fact.message().run_id)
    missing = grpc.StatusCode.NOT_FOUND
    assert await refused(stub, "GetAssessment", by="elsewhere") == (missing, "NO_ASSESSMENT")
    assert await refused(stub, "RequestRun", by="elsewhere") == (missing, "NO_PREDICTION")
    assert await refused(stub, "GetRun", run, by="elsewhere") == (missing, "UNKNOWN_RUN")
    assert not (await call(stub, "ListAssessments", by="elsewhere")).assessments
    assert (await call(stub, "GetRun", run, by="viewer")).state == wire.RUN_STATE_COMPLETED


async def test_a_hundred_requests_with_one_key_start_one_run(mesh, stub):
    """INVARIANT: idempotent commands. A client that lost its answer asks again, as often as it likes."""
    await mesh.airspace()
    await mesh.predicted()
    answers = await asyncio.gather(*(call(stub, "RequestRun") for _ in range(100)))
    assert len({answer.run_id for answer in answers}) == 1
    assert len(await mesh.facts("RunRequested")) == 2  # the prediction's own, and this one
    other = wire.RequestRunRequest(catalogue_number=25544, idempotency_key="k")
    assert await refused(stub, "RequestRun", other) == (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_MISMATCH")


async def test_samples_are_capped_by_the_contract(mesh, stub):
    await mesh.airspace()
    await mesh.predicted()
    await call(stub, "RequestRun", by="small")
    assert (await mesh.facts("RunRequested"))[-1].message().sample_count == 20


async def test_assessments_are_listed_newest_first_in_pages(mesh, stub):
    await mesh.airspace()
    for version in (1, 2, 3):
        await mesh.predicted(version=version)
        await mesh.run()
    versions, token = [], ""
    while True:
        request = wire.ListAssessmentsRequest(catalogue_number=OBJECT, page_size=2, page_token=token)
        page = await call(stub, "ListAssessments", request)
        versions += [one.hazard.prediction_version for one in page.assessments]
        token = page.next_page_token
        if not token:
            break
    assert versions == [3, 2, 1]
    assert (await call(stub, "GetAssessment")).assessment.hazard.prediction_version == 3


async def test_a_failed_run_says_why(mesh, stub):
    await mesh.airspace()
    await mesh.predicted(staying=30)
    await mesh.run()
    (fact, *_) = await mesh.facts("RunRequested")
    answer = await call(stub, "GetRun", wire.GetRunRequest(run_id=fact.message().run_id))
    assert (answer.state, answer.completed_chunk_count, answer.chunk_count) == (wire.RUN_STATE_FAILED, 3, 3)
    assert "only 30 of 60 samples" in answer.reason


BAD = [
    ("GetRun", wire.GetRunRequest(run_id="x")),
    ("GetRun", wire.GetRunRequest(run_id="\0")),
    ("ListAssessments", wire.ListAssessmentsRequest(page_size=-1)),
    ("ListAssessments", wire.ListAssessmentsRequest(page_token="x")),
    ("ListAssessments", wire.ListAssessmentsRequest(page_token="9" * 30)),
    ("RequestRun", wire.RequestRunRequest(catalogue_number=OBJECT)),
    ("RequestRun", wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key="\0")),
    ("RequestRun", wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key="k" * 129)),
]


@pytest.mark.parametrize(("method", "request_"), BAD, ids=[f"{n} {method}" for n, (method, _) in enumerate(BAD)])
async def test_a_request_that_is_not_in_order_is_refused_as_the_callers_fault(mesh, stub, method, request_):
    await mesh.airspace()
    await mesh.predicted()
    assert (await refused(stub, method, request_))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_pieces_do_is_told_of_regions_levels_times_and_routes(mesh, stub):
    """INVARIANT: the largest probability <= that of any <= their sum, and the minutes add up to the whole."""
    await mesh.airspace()
    await mesh.predicted()
    await mesh.run()
    hazard = (await call(stub, "GetAssessment")).assessment.hazard
    regions = [fir for fir in hazard.firs if fir.HasField("pieces")]
    each = [
        await call(stub, "GetProbability", wire.GetProbabilityRequest(catalogue_number=OBJECT, fir_designators=[name]))
        for name in (fir.fir_designator for fir in regions)
    ]
    for fir, asked in zip(regions, each, strict=True):
        assert asked.any_probability == pytest.approx(fir.pieces.any_probability, abs=1e-9)
        assert asked.piece_seconds == pytest.approx(fir.pieces.piece_seconds, rel=1e-6)
    named = [fir.fir_designator for fir in regions]
    asked_all = wire.GetProbabilityRequest(catalogue_number=OBJECT, fir_designators=named)
    every = await call(stub, "GetProbability", asked_all)
    chances = [one.any_probability for one in each]
    assert max(chances) - 1e-12 <= every.any_probability <= min(sum(chances), 1.0) + 1e-12
    minutes = (await call(stub, "ListMinutes")).minutes
    whole = hazard.pieces.piece_seconds
    assert sum(60.0 * one.expected_pieces for one in minutes) == pytest.approx(whole, rel=1e-9)
    parts = [fir.pieces.piece_seconds for fir in regions] + [hazard.unassigned.pieces.piece_seconds]
    assert sum(parts) == pytest.approx(whole, rel=1e-9)
    assert sum(band.piece_seconds for band in hazard.bands) == pytest.approx(whole, rel=1e-9)
    request = wire.GetRouteHazardRequest(catalogue_number=OBJECT, lateral_km=200.0, vertical_fl=600.0)
    for at in (hazard.window_start_time, hazard.window_end_time):
        request.points.add(latitude_deg=0.0, longitude_deg=0.0, level_fl=350.0, time=at)
    near = await call(stub, "GetRouteHazard", request)
    assert 0.0 <= near.any_probability <= 1.0
    assert near.any_probability <= near.expected_pieces + 1e-12


async def test_an_analysts_scenario_is_flown_beside_and_alerts_nobody(mesh, stub):
    await mesh.airspace()
    await mesh.predicted()
    await mesh.run()
    before = (await call(stub, "GetAssessment")).assessment.hazard
    given = json.loads((await call(stub, "GetScenario")).scenario)
    given |= {"name": "higher", "break_up_altitudes_km": [84.0, 90.0, 96.0]}
    request = wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key="v", scenario=json.dumps(given).encode())
    run_id = (await call(stub, "RequestRun", request)).run_id
    await mesh.run()
    variant = (await call(stub, "GetAssessment", wire.GetAssessmentRequest(run_id=run_id))).assessment.hazard
    assert (variant.scenario_name, variant.seed) == ("higher", before.seed)
    assert variant.pieces.piece_seconds != before.pieces.piece_seconds
    assert (await call(stub, "GetAssessment")).assessment.hazard == before
    assert len(await mesh.facts("VariantAssessed")) == len(await mesh.facts("HazardAssessed")) == 1
    flown = json.loads((await call(stub, "GetScenario", wire.GetScenarioRequest(run_id=run_id))).scenario)
    assert flown == given


async def test_a_scenario_that_cannot_be_flown_is_refused_with_the_reason(mesh, stub):
    await mesh.airspace()
    await mesh.predicted()
    request = wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key="w", scenario=b"{}")
    assert await refused(stub, "RequestRun", request) == (grpc.StatusCode.INVALID_ARGUMENT, "BAD_SCENARIO")


async def test_a_scenario_that_repeats_a_restricted_mass_goes_to_those_entitled_alone(mesh, stub):
    """INVARIANT: what only DISCOS said is in no answer to others and in no fact that everyone may read."""
    await mesh.airspace()
    await mesh.described(20_000.5, ingest.REDISTRIBUTION_DISCOS)
    await mesh.predicted()
    await mesh.run()
    run_id = (await mesh.facts("RunRequested"))[0].message().run_id
    held = grpc.StatusCode.PERMISSION_DENIED, "WITHHELD"
    for asked in (CALLS["GetScenario"], wire.GetScenarioRequest(run_id=run_id)):
        assert await refused(stub, "GetScenario", asked) == held
        assert b"20000.5" in (await call(stub, "GetScenario", asked, by="entitled")).scenario
    (hazard,) = await mesh.facts("HazardAssessed")
    assert hazard.message().class_reason == "the catalogue has a rocket body of at least 10000 kg"
    scenario = (await call(stub, "GetScenario", by="entitled")).scenario
    own = wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key="own", scenario=scenario)
    mine = (await call(stub, "RequestRun", own, by="entitled")).run_id
    assert await refused(stub, "GetScenario", wire.GetScenarioRequest(run_id=mine)) == held


async def test_what_is_public_of_an_object_is_quoted(mesh, stub):
    await mesh.described(20_000.5, ingest.REDISTRIBUTION_PUBLIC)
    chosen = json.loads((await call(stub, "GetScenario", by="viewer")).scenario)
    assert chosen["dry_mass_kg"] == 20_000.5
    assert chosen["class_reason"].startswith("the catalogue has a rocket body of 20000 kg")
