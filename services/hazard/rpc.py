"""HazardService: translate, call, translate."""

from collections.abc import Callable
from typing import NoReturn
from uuid import UUID

import grpc

from libs import rpc, telemetry
from libs.eventlog import Cause, RequestKey, new_id
from libs.postgres import Connection
from libs.rpc import ErrorTable
from services.hazard import domain, handlers, queries
from services.hazard.handlers import Desk
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.hazard.v1 import hazard_service_pb2 as wire
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceServicer, add_HazardServiceServicer_to_server
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_VIEWER

ERRORS: ErrorTable = {
    domain.NoPrediction: (grpc.StatusCode.NOT_FOUND, "NO_PREDICTION"),
    domain.NoAssessment: (grpc.StatusCode.NOT_FOUND, "NO_ASSESSMENT"),
    domain.UnknownRun: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_RUN"),
    domain.NoAirspace: (grpc.StatusCode.FAILED_PRECONDITION, "NO_AIRSPACE"),
    domain.BadRequest: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"),
}
NO_AIRSPACE = "no airspace is loaded; submit a GeoJSON of flight information regions to ingest"
MAX_KEY = 128
_STATES = {state.value: wire.RunState.Value(f"RUN_STATE_{state.name}") for state in domain.RunState}


class HazardServicer(HazardServiceServicer):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetAssessment(self, request: wire.GetAssessmentRequest, context: object) -> wire.GetAssessmentResponse:
        rpc.require(ROLE_VIEWER)
        number = request.catalogue_number
        async with self._desk.database.acquire() as conn:
            rows = await queries.assessments_before(conn, number, 0, 1) if _visible(number) else []
            if not rows:
                await self._refuse(conn, number)
        return wire.GetAssessmentResponse(assessment=_assessment(rows[0]))

    async def _refuse(self, conn: Connection, number: int) -> NoReturn:
        """Says what an assessment still waits for."""
        if not _visible(number) or await queries.prediction(conn, number) is None:
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
            rows = await queries.assessments_before(conn, number, before, size + 1) if _visible(number) else []
        token = str(rows[size - 1].position) if len(rows) > size else ""
        return wire.ListAssessmentsResponse(assessments=map(_assessment, rows[:size]), next_page_token=token)

    async def GetRun(self, request: wire.GetRunRequest, context: object) -> wire.GetRunResponse:
        rpc.require(ROLE_VIEWER)
        async with self._desk.database.acquire() as conn:
            row = await queries.run(conn, _uuid(request.run_id))
        if row is None or not _visible(row.catalogue_number):
            raise domain.UnknownRun(f"no run {request.run_id} is known; check the identifier")
        return wire.GetRunResponse(
            run_id=str(row.run_id),
            catalogue_number=row.catalogue_number,
            state=_STATES[row.state],
            completed_chunk_count=row.completed_chunk_count,
            chunk_count=row.chunk_count,
            reason=row.reason,
        )

    async def RequestRun(self, request: wire.RequestRunRequest, context: object) -> wire.RequestRunResponse:
        rpc.require(ROLE_ANALYST)
        if not 1 <= len(request.idempotency_key) <= MAX_KEY:
            raise domain.BadRequest(f"idempotency_key must have 1 to {MAX_KEY} characters; send a new one per request")
        caller = rpc.principal()
        key = RequestKey(caller.principal_id, "RequestRun", request.idempotency_key, request.SerializeToString())
        most = caller.entitlements.max_sample_count

        async def handle(conn: Connection) -> wire.RequestRunResponse:
            return await self._start(conn, request.catalogue_number, most)

        return await self._desk.log.command(key, handle, wire.RequestRunResponse)

    async def _start(self, conn: Connection, number: int, most: int) -> wire.RequestRunResponse:
        prediction = await queries.prediction(conn, number) if _visible(number) else None
        if prediction is None:
            raise domain.NoPrediction(f"no prediction of object {number} is known; predict it first")
        run_id = new_id()
        cause = Cause(run_id, None, telemetry.current_traceparent())
        if not await handlers.start(conn, self._desk, run_id, prediction, cause, most):
            raise domain.NoAirspace(NO_AIRSPACE)
        return wire.RequestRunResponse(run_id=str(run_id))


def register(desk: Desk) -> Callable[[grpc.aio.Server], None]:
    return lambda server: add_HazardServiceServicer_to_server(HazardServicer(desk), server)


def _visible(number: int) -> bool:
    limit = rpc.principal().entitlements.catalogue_numbers
    return not limit or number in limit


def _assessment(row: queries.AssessmentRow) -> wire.Assessment:
    assessment = wire.Assessment(event_id=str(row.event_id), hazard=pb.HazardAssessed.FromString(row.body))
    assessment.recorded_at.FromDatetime(row.recorded_at)
    return assessment


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise domain.BadRequest(f"{text[:60]!r} is not the identifier of a run; it is a UUID") from error
