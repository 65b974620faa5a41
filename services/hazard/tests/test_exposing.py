"""Exposure and closing plans over the server, on pieces that were flown."""

import grpc
import pyarrow as pa
import pytest

from services.hazard import queries
from services.hazard.assumptions import DEFAULT, to_json
from services.hazard.exposing import CONDITION
from services.hazard.tests.calls import CALLS, call, refused
from services.hazard.tests.conftest import OBJECT
from services.hazard.tests.test_strikes import CSV
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.hazard.v1 import hazard_service_pb2 as wire

EXPOSURE, PLAN = CALLS["GetExposure"], CALLS["PlanClosing"]
INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
async def flown(mesh):
    await mesh.airspace()
    await mesh.predicted()
    await mesh.run()
    return mesh


def asked(**changed) -> wire.GetExposureRequest:
    return wire.GetExposureRequest(catalogue_number=OBJECT, **changed)


async def test_exposure_adds_up_and_says_its_traffic_condition_and_thresholds(flown, stub):
    answer = await call(stub, "GetExposure", by="viewer")
    assert answer.condition == CONDITION
    assert answer.traffic_source.startswith("assumption")
    assert answer.assumptions == to_json(DEFAULT)
    assert all(one.unit and one.condition and one.source for one in answer.thresholds)
    table = pa.ipc.open_file(answer.cells).read_all()
    total = answer.total
    assert sum(table["casualty"].to_pylist()) == pytest.approx(total.expected_casualties, rel=1e-9)
    assert sum(table["exposed"].to_pylist()) == pytest.approx(total.aircraft_exposed, rel=1e-9)
    assert sum(one.expected_impacts for one in answer.firs) <= total.expected_impacts
    assert 0.0 < total.catastrophe_probability <= total.casualty_probability <= total.impact_probability
    assert total.impact_probability <= total.expected_impacts
    assert max(one.casualty_probability for one in answer.firs) <= total.casualty_probability
    assert all(0.0 <= chance <= 1.0 for chance in table["any_piece"].to_pylist())
    assert total.ground_casualties > 0.0


async def test_a_recorded_density_takes_the_place_of_the_average_day(flown, stub):
    """Of a cell in Spain that no piece comes to: nobody is struck, and nothing is closed for it."""
    await flown.traffic(CSV)
    answer = await call(stub, "GetExposure")
    assert (answer.traffic_dataset, answer.traffic_source) == ("summer", "summer, nm. a test")
    assert answer.total.expected_impacts == 0.0
    assert (await call(stub, "GetExposure", asked(traffic_dataset="assumed"))).total.expected_impacts > 0.0
    assert await refused(stub, "PlanClosing") == (grpc.StatusCode.FAILED_PRECONDITION, "UNUSABLE")
    assert await refused(stub, "GetExposure", asked(traffic_dataset="winter")) == (INVALID, "BAD_REQUEST")


async def test_of_two_densities_of_one_name_the_one_recorded_last_holds(mesh):
    """Whatever the order they come in: a repeat of the older one changes nothing."""
    for data, position in ((b"newer", 2), (b"older", 1)):
        await mesh.traffic(data, position=position)
    async with mesh.desk.database.acquire() as conn:
        row = await queries.traffic(conn, "")
    assert row is not None
    assert await mesh.desk.blobs.get(row.input_sha256) == b"newer"


async def test_own_assumptions_are_used_and_wrong_ones_refused(flown, stub):
    double = to_json(DEFAULT).replace(b"15.7", b"31.4")
    once, twice = [
        (await call(stub, "GetExposure", asked(assumptions=data))).total.ground_casualties for data in (b"", double)
    ]
    assert twice == pytest.approx(2.0 * once)
    assert await refused(stub, "GetExposure", asked(assumptions=b"{}")) == (INVALID, "BAD_ASSUMPTIONS")


async def test_a_plan_leaves_what_was_asked_costs_no_less_than_its_bound_and_is_on_record(flown, stub):
    plan = (await call(stub, "PlanClosing")).plan
    ways = {one.name: one for one in plan.ways}
    assert ways["plan"].residual_share <= 0.05 + 1e-9
    assert ways["plan"].nm2_minutes == pytest.approx(plan.bound * (1.0 + plan.gap))
    assert ways["A 70 km"].nm2_minutes < ways["A 100 km"].nm2_minutes < ways["A 120 km"].nm2_minutes
    assert ways["A 120 km"].residual_share <= ways["A 70 km"].residual_share
    assert sum(one.risk for one in plan.closures) == pytest.approx(plan.risk * (1 - ways["plan"].residual_share))
    assert all(one.until_time.seconds > one.from_time.seconds and one.left_km > one.right_km for one in plan.closures)
    (fact,) = await flown.facts("ClosingPlanned")
    assert fact.message() == plan
    assert fact.stream == f"closing/{plan.plan_id}"


async def test_a_plan_asked_for_again_is_recorded_once(flown, stub):
    plans = [(await call(stub, "PlanClosing")).plan for _ in range(2)]
    assert plans[0] == plans[1]
    assert len(await flown.facts("ClosingPlanned")) == 1


async def test_the_least_costly_plan_costs_no_more_than_that_of_the_least_area(flown, stub):
    def plan(objective: pb.ClosingObjective.ValueType) -> wire.PlanClosingRequest:
        return wire.PlanClosingRequest(catalogue_number=OBJECT, idempotency_key=str(objective), objective=objective)

    kinds = (pb.CLOSING_OBJECTIVE_AREA, pb.CLOSING_OBJECTIVE_COST)
    area, cost = [(await call(stub, "PlanClosing", plan(kind))).plan.ways[0] for kind in kinds]
    assert cost.cost_eur <= area.cost_eur * 1.02
    assert area.nm2_minutes <= cost.nm2_minutes * 1.02


async def test_only_an_analyst_plans_and_only_a_share(flown, stub):
    assert await refused(stub, "PlanClosing", by="viewer") == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
    wrong = wire.PlanClosingRequest(catalogue_number=OBJECT, idempotency_key="w", residual_share=2.0)
    assert await refused(stub, "PlanClosing", wrong) == (INVALID, "BAD_REQUEST")
