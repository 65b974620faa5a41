"""Exposure and closing plans of an assessment, asked for over RPC."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from libs import telemetry
from libs.astro.vulnerability import read_thresholds
from libs.eventlog import Cause, Fact, new_id
from libs.postgres import Connection
from services.hazard import assumptions, exposure, plan_codec, plan_domain, planning, queries, running
from services.hazard.domain import BadRequest, NoAirspace
from services.hazard.exposure import Exposed
from services.hazard.plan_domain import ClosingPlanned, Objective, Plan, PlanAsked
from services.hazard.queries import TrafficRow
from services.hazard.running import Desk
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.hazard.v1 import hazard_service_pb2 as wire

ASSUMED = "assumed"
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
    traffic = (density.input_sha256, f"{density.dataset}, {density.source}") if density else ("", "")
    return Given(await job_of(desk, found, run.requested.airspace_sha256, own, *traffic), density)


async def job_of(
    desk: Desk, found: pb.HazardAssessed, airspace_sha256: str, own: bytes, traffic_sha256: str, traffic_source: str
) -> exposure.Job:
    """Without traffic: the average day. Raises BlobMissing and BlobCorrupt."""
    return exposure.Job(
        desk.blobs,
        tuple(found.visits_sha256),
        await desk.blobs.get(airspace_sha256),
        own,
        await desk.blobs.get(traffic_sha256) if traffic_sha256 else b"",
        traffic_source,
    )


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


async def planned(desk: Desk, found: pb.HazardAssessed, request: wire.PlanClosingRequest, by: str) -> ClosingPlanned:
    """The fact, not yet on record."""
    residual, objective = plan_domain.residual_of(request.residual_share), _OBJECTIVES.get(request.objective)
    if objective is None:
        raise BadRequest("the objective is area or cost")
    of = await given(desk, found, request.assumptions, request.traffic_dataset)
    asked = PlanAsked(
        new_id(),
        found.catalogue_number,
        UUID(found.run_id),
        by,
        objective,
        residual,
        await desk.blobs.put(of.job.assumptions),
        assumptions.of_json(of.job.assumptions).harm.value,
        of.traffic.dataset if of.traffic else "",
        of.traffic.input_sha256 if of.traffic else "",
    )
    (fact,) = plan_domain.record_plan(asked, await plan_of(desk, found, of.job, residual, objective))
    return fact


async def plan_of(
    desk: Desk, found: pb.HazardAssessed, job: exposure.Job, residual: float, objective: Objective
) -> Plan:
    points = await desk.blobs.get(found.points_sha256)
    return await desk.workers.run(planning.plan, job, points, residual, objective)


async def record(conn: Connection, desk: Desk, planned: ClosingPlanned, at: datetime) -> wire.PlanClosingResponse:
    plan_id = planned.asked.plan_id
    cause = Cause(plan_id, None, telemetry.current_traceparent())
    fact = plan_codec.to_wire(planned)
    await desk.log.append(conn, f"closing/{plan_id}", [Fact(fact, at.astimezone(UTC), new_id())], after=0, cause=cause)
    return wire.PlanClosingResponse(plan=fact)
