"""Exposure and closing plans of an assessment, asked for over RPC."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from libs import telemetry
from libs.astro.vulnerability import read_thresholds
from libs.eventlog import Cause, Fact, new_id
from libs.postgres import Connection
from services.hazard import assumptions, exposure, planning, queries, running
from services.hazard.domain import BadRequest, NoAirspace
from services.hazard.exposure import Exposed
from services.hazard.planning import Closure, Objective, Way
from services.hazard.queries import TrafficRow
from services.hazard.running import Desk
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.hazard.v1 import hazard_service_pb2 as wire

ASSUMED = "assumed"
RESIDUAL, LEAST, MOST = 0.05, 0.001, 0.999
CONDITION = "per event, given re-entry as predicted, break-up as the scenario has it, traffic as stated, nothing closed"
_OBJECTIVES = {
    pb.CLOSING_OBJECTIVE_UNSPECIFIED: Objective.AREA,
    pb.CLOSING_OBJECTIVE_AREA: Objective.AREA,
    pb.CLOSING_OBJECTIVE_COST: Objective.COST,
}


@dataclass(frozen=True, slots=True)
class Given:
    """What exposure is computed from."""

    job: exposure.Job
    traffic: TrafficRow | None


async def given(desk: Desk, found: pb.HazardAssessed, body: bytes, dataset: str) -> Given:
    """The pieces of an assessment, the airspace they were flown over, assumptions and traffic."""
    own = assumptions.to_json(assumptions.of_json(body) if body else assumptions.DEFAULT)
    async with desk.database.acquire() as conn:
        run, _ = await running.load(desk.log, conn, UUID(found.run_id))
        density = None if dataset == ASSUMED else await queries.traffic(conn, dataset)
    if run.requested is None:
        raise NoAirspace("the airspace of this run is not on record; request a new run")
    if dataset not in ("", ASSUMED) and density is None:
        raise BadRequest(f"no traffic density {dataset[:60]!r} is recorded; submit it to ingest, or leave the name out")
    job = exposure.Job(
        desk.blobs,
        tuple(found.visits_sha256),
        await desk.blobs.get(run.requested.airspace_sha256),
        own,
        await desk.blobs.get(density.input_sha256) if density else b"",
        f"{density.dataset}, {density.source}" if density else "",
    )
    return Given(job, density)


async def get_exposure(
    desk: Desk, found: pb.HazardAssessed, request: wire.GetExposureRequest
) -> wire.GetExposureResponse:
    asked = await given(desk, found, request.assumptions, request.traffic_dataset)
    done = await desk.workers.run(exposure.expose, asked.job)
    return wire.GetExposureResponse(
        total=_exposed(done.total),
        firs=map(_exposed, done.firs),
        cells=done.cells,
        assumptions=asked.job.assumptions,
        traffic_dataset=asked.traffic.dataset if asked.traffic else "",
        traffic_source=done.traffic_source,
        thresholds=[
            wire.Threshold(name=one.name, value=one.value, unit=one.unit, condition=one.condition, source=one.source)
            for one in read_thresholds()
        ],
        run_id=found.run_id,
        condition=CONDITION,
    )


def _exposed(one: Exposed) -> wire.ExposureOf:
    return wire.ExposureOf(
        fir_designator=one.fir_designator,
        impact_probability=one.chance[0],
        casualty_probability=one.chance[1],
        catastrophe_probability=one.chance[2],
        expected_impacts=one.expected[0],
        expected_casualties=one.expected[1],
        expected_catastrophes=one.expected[2],
        aircraft_exposed=one.aircraft_exposed,
        ground_casualties=one.ground_casualties,
    )


async def planned(desk: Desk, found: pb.HazardAssessed, request: wire.PlanClosingRequest, by: str) -> pb.ClosingPlanned:
    """The fact, not yet on record."""
    residual = request.residual_share or RESIDUAL
    if not LEAST <= residual <= MOST or request.objective not in _OBJECTIVES:
        raise BadRequest(f"residual_share lies within {LEAST} and {MOST}, and the objective is area or cost")
    asked = await given(desk, found, request.assumptions, request.traffic_dataset)
    objective = _OBJECTIVES[request.objective]
    points = await desk.blobs.get(found.points_sha256)
    plan = await desk.workers.run(planning.plan, asked.job, points, residual, objective)
    named = asked.traffic
    return pb.ClosingPlanned(
        plan_id=str(new_id()),
        catalogue_number=found.catalogue_number,
        run_id=found.run_id,
        principal_id=by,
        objective=request.objective or pb.CLOSING_OBJECTIVE_AREA,
        residual_share=residual,
        assumptions_sha256=await desk.blobs.put(asked.job.assumptions),
        traffic_dataset=named.dataset if named else "",
        traffic_sha256=named.input_sha256 if named else "",
        traffic_source=plan.traffic_source,
        closures=map(_closure, plan.closures),
        ways=map(_way, plan.ways),
        bound=plan.bound,
        gap=plan.gap,
        risk=plan.risk,
        risk_outside=plan.outside,
        reason=plan.reason,
        harm=assumptions.of_json(asked.job.assumptions).harm.value,
        unseen_residual_share=plan.unseen_residual,
    )


def _closure(one: Closure) -> pb.Closure:
    told = pb.Closure(
        fir_designator=one.fir_designator,
        floor_fl=one.floor_fl,
        right_km=one.right_km,
        left_km=one.left_km,
        from_latitude_deg=one.from_lat_deg,
        from_longitude_deg=one.from_lon_deg,
        until_latitude_deg=one.until_lat_deg,
        until_longitude_deg=one.until_lon_deg,
        area_nm2=one.nm2,
        flights=one.flights,
        risk=one.risk,
    )
    told.from_time.FromDatetime(one.from_time)
    told.until_time.FromDatetime(one.until_time)
    return told


def _way(one: Way) -> pb.ClosingWay:
    return pb.ClosingWay(
        name=one.name,
        nm2_minutes=one.nm2_minutes,
        flights=one.flights,
        delay_min=one.delay_min,
        cost_eur=one.cost_eur,
        residual_share=one.residual,
        spills=[pb.Spill(fir_designator=name, flights=flights) for name, flights in one.spilled],
    )


async def record(conn: Connection, desk: Desk, fact: pb.ClosingPlanned, at: datetime) -> wire.PlanClosingResponse:
    cause = Cause(UUID(fact.plan_id), None, telemetry.current_traceparent())
    told = Fact(fact, at.astimezone(UTC), new_id())
    await desk.log.append(conn, f"closing/{fact.plan_id}", [told], after=0, cause=cause)
    return wire.PlanClosingResponse(plan=fact)
