"""HazardService: translate, call, translate."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from typing import NoReturn, Protocol
from uuid import UUID

import grpc

from libs import rpc, telemetry
from libs.eventlog import Cause, Conflict, Fact, RequestKey, new_id
from libs.postgres import Connection
from libs.redistribution import PUBLIC, allows
from libs.rpc import ErrorTable
from services.hazard import (
    answers,
    asking,
    assumptions,
    closing,
    codec,
    domain,
    exposing,
    flight_files,
    queries,
    running,
    scenario,
    tally_files,
)
from services.hazard.rpc_explaining import ExplainingServicer, visible
from services.hazard.running import Desk
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.hazard.v1 import hazard_service_pb2 as wire
from spacecom.hazard.v1.hazard_service_pb2_grpc import add_HazardServiceServicer_to_server
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_VIEWER

ERRORS: ErrorTable = {
    domain.NoPrediction: (grpc.StatusCode.NOT_FOUND, "NO_PREDICTION"),
    domain.NoAssessment: (grpc.StatusCode.NOT_FOUND, "NO_ASSESSMENT"),
    domain.UnknownRun: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_RUN"),
    domain.UnknownEvent: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_EVENT"),
    domain.NothingComputed: (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_COMPUTED"),
    domain.NoAirspace: (grpc.StatusCode.FAILED_PRECONDITION, "NO_AIRSPACE"),
    scenario.BadScenario: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_SCENARIO"),
    domain.RunEnded: (grpc.StatusCode.FAILED_PRECONDITION, "RUN_ENDED"),
    domain.TooManyRuns: (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_RUNS"),
    domain.Withheld: (grpc.StatusCode.PERMISSION_DENIED, "WITHHELD"),
    assumptions.BadAssumptions: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_ASSUMPTIONS"),
    closing.OutOfReach: (grpc.StatusCode.FAILED_PRECONDITION, "OUT_OF_REACH"),
    flight_files.BadFile: (grpc.StatusCode.FAILED_PRECONDITION, "UNUSABLE"),
    domain.BadRequest: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"),
}
NO_AIRSPACE = "no airspace is loaded; submit a GeoJSON of flight information regions to ingest"
MAX_KEY = 128
MAX_MINUTES = 50_000
MAX_REASON = 500
WATCH_S = 0.5
_STATES = {state.value: wire.RunState.Value(f"RUN_STATE_{state.name}") for state in domain.RunState}


class _Asked(Protocol):
    """What names an assessment."""

    catalogue_number: int
    run_id: str


class HazardServicer(ExplainingServicer):
    async def GetAssessment(self, request: wire.GetAssessmentRequest, context: object) -> wire.GetAssessmentResponse:
        rpc.require(ROLE_VIEWER)
        row = await (self._of_event(request.event_id) if request.event_id else self._find(request))
        return wire.GetAssessmentResponse(assessment=_assessment(row))

    async def _of_event(self, event_id: str) -> queries.AssessmentRow:
        fact = await self.recorded(event_id)
        message = fact.message()
        if not isinstance(message, pb.HazardAssessed | pb.QuickAssessed | pb.VariantAssessed):
            raise domain.NoAssessment(f"event {event_id} is a {fact.type}, no assessment; check the identifier")
        hazard = message if isinstance(message, pb.HazardAssessed) else message.hazard
        quick = isinstance(message, pb.QuickAssessed)
        body = hazard.SerializeToString(deterministic=True)
        return queries.AssessmentRow(fact.position, fact.event_id, fact.recorded_at, body, quick)

    async def _find(self, request: _Asked) -> queries.AssessmentRow:
        """That of the run, or the newest of the object."""
        async with self._desk.database.acquire() as conn:
            if request.run_id:
                return await self._of_run(conn, _uuid(request.run_id))
            number = request.catalogue_number
            row = await queries.newest_assessment(conn, number) if visible(number) else None
            if row is None:
                await self._refuse(conn, number)
        return row

    async def _of_run(self, conn: Connection, run_id: UUID) -> queries.AssessmentRow:
        run, row = await queries.run(conn, run_id), await queries.assessment_of_run(conn, run_id)
        if run is None or not visible(run.catalogue_number):
            raise domain.UnknownRun(f"no run {run_id} is known; check the identifier")
        if row is None:
            raise domain.NoAssessment(f"run {run_id} is {run.state} and has no assessment; ask for its state")
        return row

    async def _hazard(self, request: _Asked, *, pieces: bool = True) -> pb.HazardAssessed:
        """One with pieces: a quick corridor and those recorded before scenarios have none."""
        row = await self._find(request)
        found = pb.HazardAssessed.FromString(row.body)
        if row.quick and pieces:
            raise domain.NoAssessment("a first corridor is there, its pieces are being flown; ask again in a minute")
        if not found.corridor_sha256:
            raise domain.NoAssessment("the assessment was made before pieces were flown; request a new run")
        return found

    async def GetScenario(self, request: wire.GetScenarioRequest, context: object) -> wire.GetScenarioResponse:
        rpc.require(ROLE_VIEWER)
        if request.run_id:
            return wire.GetScenarioResponse(scenario=await self._flown(_uuid(request.run_id)))
        if not visible(request.catalogue_number):
            raise domain.NoPrediction(f"no object {request.catalogue_number} is known")
        async with self._desk.database.acquire() as conn:
            known = await queries.known_object(conn, request.catalogue_number)
        _shown(known.redistribution)
        return wire.GetScenarioResponse(scenario=scenario.to_json(scenario.choose(known)))

    async def _flown(self, run_id: UUID) -> bytes:
        async with self._desk.database.acquire() as conn:
            run, _ = await running.load(self._desk.log, conn, run_id)
        if run.requested is None or not visible(run.requested.catalogue_number):
            raise domain.UnknownRun(f"no run {run_id} is known; check the identifier")
        _shown(run.requested.scenario.redistribution)
        return await self._desk.blobs.get(run.requested.scenario.sha256)

    async def GetCorridor(self, request: wire.GetCorridorRequest, context: object) -> wire.GetCorridorResponse:
        rpc.require(ROLE_VIEWER)
        found = await self._hazard(request, pieces=False)
        return wire.GetCorridorResponse(geojson=await self._desk.blobs.get(found.corridor_sha256))

    async def ListMinutes(self, request: wire.ListMinutesRequest, context: object) -> wire.ListMinutesResponse:
        rpc.require(ROLE_VIEWER)
        found = await self._hazard(request)
        blobs = self._desk.blobs
        edges = scenario.of_json(await blobs.get(found.scenario_sha256)).band_edges_fl
        rows = tally_files.expected(await blobs.get(found.minutes_sha256), request.fir_designators, MAX_MINUTES + 1)
        minutes = [answers.minute(row, edges) for row in rows[:MAX_MINUTES]]
        return wire.ListMinutesResponse(minutes=minutes, truncated=len(rows) > MAX_MINUTES)

    async def GetProbability(self, request: wire.GetProbabilityRequest, context: object) -> wire.GetProbabilityResponse:
        rpc.require(ROLE_VIEWER)
        where, found = answers.where(request), await self._hazard(request)
        names = tuple(found.visits_sha256)
        chance, spent = await self._desk.workers.run(asking.probability, self._desk.blobs, names, where)
        return wire.GetProbabilityResponse(any_probability=chance, piece_seconds=spent)

    async def GetRouteHazard(self, request: wire.GetRouteHazardRequest, context: object) -> wire.GetRouteHazardResponse:
        rpc.require(ROLE_VIEWER)
        points, found = answers.points(request), await self._hazard(request)
        given = self._desk.blobs, tuple(found.visits_sha256), points, request.lateral_km, request.vertical_fl
        chance, pieces = await self._desk.workers.run(asking.route, *given)
        return wire.GetRouteHazardResponse(any_probability=chance, expected_pieces=pieces)

    async def GetExposure(self, request: wire.GetExposureRequest, context: object) -> wire.GetExposureResponse:
        rpc.require(ROLE_VIEWER)
        return await exposing.get_exposure(self._desk, await self._hazard(request), request)

    async def PlanClosing(self, request: wire.PlanClosingRequest, context: object) -> wire.PlanClosingResponse:
        rpc.require(ROLE_ANALYST)
        key = _key(request.idempotency_key, "PlanClosing", request.SerializeToString())
        found = await self._hazard(request)
        answered = await self._desk.log.answer(key.principal, key.method, key.key)
        fact = None
        if answered is None:  # planning takes seconds
            fact = await exposing.planned(self._desk, found, request, rpc.principal().principal_id)

        async def handle(conn: Connection) -> wire.PlanClosingResponse:
            if fact is None:
                raise Conflict("the answer to this key was forgotten meanwhile; send it again")
            return await exposing.record(conn, self._desk, fact, found.known_at.ToDatetime(UTC))

        return await self._desk.log.command(key, handle, wire.PlanClosingResponse)

    async def _refuse(self, conn: Connection, number: int) -> NoReturn:
        """Says what an assessment still waits for."""
        if not visible(number) or await queries.prediction(conn, number) is None:
            raise domain.NoAssessment(f"the hazard of object {number} was not assessed; it is once it is predicted")
        if await queries.airspace(conn, self._desk.settings.hazard_airspace_dataset) is None:
            raise domain.NoAirspace(NO_AIRSPACE)
        raise domain.NoAssessment(f"the hazard of object {number} is being assessed; ask again in a minute")

    async def ListAssessments(
        self, request: wire.ListAssessmentsRequest, context: object
    ) -> wire.ListAssessmentsResponse:
        rpc.require(ROLE_VIEWER)
        size = request.page_size or 100
        if not 1 <= size <= 1000 or not (request.page_token or "0").isdecimal():
            raise domain.BadRequest("page_size must be 1 to 1000, or 0 for 100; page_token as it was given")
        number, before = request.catalogue_number, int(request.page_token or 0)
        async with self._desk.database.acquire() as conn:
            rows = await queries.assessments_before(conn, number, before, size + 1) if visible(number) else []
        token = str(rows[size - 1].position) if len(rows) > size else ""
        return wire.ListAssessmentsResponse(assessments=map(_assessment, rows[:size]), next_page_token=token)

    async def GetRun(self, request: wire.GetRunRequest, context: object) -> wire.GetRunResponse:
        rpc.require(ROLE_VIEWER)
        async with self._desk.database.acquire() as conn:
            row = await queries.run(conn, _uuid(request.run_id))
        if row is None or not visible(row.catalogue_number):
            raise domain.UnknownRun(f"no run {request.run_id} is known; check the identifier")
        return wire.GetRunResponse(
            run_id=str(row.run_id),
            catalogue_number=row.catalogue_number,
            state=_STATES[row.state],
            completed_chunk_count=row.completed_chunk_count,
            chunk_count=row.chunk_count,
            reason=row.reason,
        )

    async def WatchRun(self, request: wire.WatchRunRequest, context: object) -> AsyncIterator[wire.WatchRunResponse]:
        rpc.require(ROLE_VIEWER)
        run_id, told = _uuid(request.run_id), wire.WatchRunResponse()
        while told.state in (wire.RUN_STATE_UNSPECIFIED, wire.RUN_STATE_RUNNING):
            async with self._desk.database.acquire() as conn:
                run, history = await running.load(self._desk.log, conn, run_id)
            if run.requested is None or not visible(run.requested.catalogue_number):
                raise domain.UnknownRun(f"no run {request.run_id} is known; check the identifier")
            now = answers.progress(run, _STATES[run.state.value], history)
            if now != told:
                yield now
            told = now
            if now.state == wire.RUN_STATE_RUNNING:
                await asyncio.sleep(WATCH_S)

    async def CancelRun(self, request: wire.CancelRunRequest, context: object) -> wire.CancelRunResponse:
        rpc.require(ROLE_ANALYST)
        if len(request.reason) > MAX_REASON:
            raise domain.BadRequest(f"a reason has at most {MAX_REASON} characters")
        run_id, caller = _uuid(request.run_id), rpc.principal()

        async def handle(conn: Connection) -> wire.CancelRunResponse:
            await self._cancel(conn, run_id, caller.principal_id, request.reason)
            return wire.CancelRunResponse()

        key = _key(request.idempotency_key, "CancelRun", request.SerializeToString())
        return await self._desk.log.command(key, handle, wire.CancelRunResponse)

    async def _cancel(self, conn: Connection, run_id: UUID, by: str, reason: str) -> None:
        run, history = await running.load(self._desk.log, conn, run_id)
        if run.requested is None or not visible(run.requested.catalogue_number):
            raise domain.UnknownRun(f"no run {run_id} is known; check the identifier")
        number, cause = run.requested.catalogue_number, Cause(run_id, None, telemetry.current_traceparent())
        await running.lock(conn, number)
        facts = [
            Fact(codec.to_wire(event), history[0].occurred_at, new_id())
            for event in domain.cancel(run_id, run, by, reason)
        ]
        await self._desk.log.append(conn, running.stream_of(run_id), facts, after=len(history), cause=cause)
        await running.start_newest(conn, self._desk, number, cause)

    async def RequestRun(self, request: wire.RequestRunRequest, context: object) -> wire.RequestRunResponse:
        rpc.require(ROLE_ANALYST)
        key = _key(request.idempotency_key, "RequestRun", request.SerializeToString())
        most = rpc.principal().entitlements.max_sample_count
        own = await self._own(request.scenario) if request.scenario else ""

        async def handle(conn: Connection) -> wire.RequestRunResponse:
            return await self._start(conn, request.catalogue_number, most, own)

        return await self._desk.log.command(key, handle, wire.RequestRunResponse)

    async def _own(self, data: bytes) -> str:
        """The scenario of an analyst, as it will be flown."""
        return await self._desk.blobs.put(scenario.to_json(scenario.of_json(data)))

    async def _start(self, conn: Connection, number: int, most: int, own: str) -> wire.RequestRunResponse:
        prediction = await queries.prediction(conn, number) if visible(number) else None
        if prediction is None:
            raise domain.NoPrediction(f"no prediction of object {number} is known; predict it first")
        run_id = new_id()
        cause = Cause(run_id, None, telemetry.current_traceparent())
        chosen = None
        if own:
            said = (await queries.known_object(conn, number)).redistribution
            copied = said if allows(rpc.rights(), said) else PUBLIC  # it may repeat what its author was shown
            chosen = domain.Chosen(own, prediction.seed, variant=True, redistribution=copied)
        if not await running.start(conn, self._desk, run_id, prediction, cause, most, chosen, by_hand=True):
            raise domain.NoAirspace(NO_AIRSPACE)
        return wire.RequestRunResponse(run_id=str(run_id))


def register(desk: Desk) -> Callable[[grpc.aio.Server], None]:
    return lambda server: add_HazardServiceServicer_to_server(HazardServicer(desk), server)


def _key(given: str, method: str, body: bytes) -> RequestKey:
    if not 1 <= len(given) <= MAX_KEY:
        raise domain.BadRequest(f"idempotency_key must have 1 to {MAX_KEY} characters; send a new one per request")
    return RequestKey(rpc.principal().principal_id, method, given, body)


def _shown(redistribution: str) -> None:
    if not allows(rpc.rights(), redistribution):
        raise domain.Withheld(f"the contract gives no right to what the scenario repeats, of class {redistribution}")


def _assessment(row: queries.AssessmentRow) -> wire.Assessment:
    hazard = pb.HazardAssessed.FromString(row.body)
    assessment = wire.Assessment(event_id=str(row.event_id), hazard=hazard, quick=row.quick)
    assessment.recorded_at.FromDatetime(row.recorded_at)
    return assessment


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise domain.BadRequest(f"{text[:60]!r} is not the identifier of a run; it is a UUID") from error
