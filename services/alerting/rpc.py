"""AlertingService: translate, call, translate."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import grpc
import stamina
from asyncpg import Pool

from libs import rpc, telemetry
from libs.eventlog import Cause, Conflict, EventLog, RequestKey, new_id
from libs.postgres import Connection
from libs.rpc import ErrorTable
from services.alerting import codec, domain, queries
from services.alerting.handlers import Desk
from services.alerting.queries import AlertRow, EventRow
from services.alerting.rpc_explaining import ExplainingServicer, visible
from spacecom.alerting.v1 import alerting_events_pb2 as pb
from spacecom.alerting.v1 import alerting_service_pb2 as wire
from spacecom.alerting.v1.alerting_service_pb2_grpc import add_AlertingServiceServicer_to_server
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_DUTY_OFFICER, ROLE_VIEWER

ERRORS: ErrorTable = {
    domain.UnknownAlert: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_ALERT"),
    domain.UnknownEvent: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_EVENT"),
    domain.NothingComputed: (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_COMPUTED"),
    domain.AlreadyAcknowledged: (grpc.StatusCode.FAILED_PRECONDITION, "ALREADY_ACKNOWLEDGED"),
    domain.AlreadyCleared: (grpc.StatusCode.FAILED_PRECONDITION, "ALREADY_CLEARED"),
    domain.VersionMismatch: (grpc.StatusCode.ABORTED, "VERSION_MISMATCH"),
    domain.BadRequest: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"),
}
MAX_KEY, MAX_NOTE = 128, 2000
CONFLICT_ATTEMPTS = 20
_STATES = {
    state.value: wire.AlertState.Value(f"ALERT_STATE_{state.name}")
    for state in domain.AlertState
    if state is not domain.AlertState.ABSENT
}
A = TypeVar("A", wire.AcknowledgeAlertResponse, wire.ClearAlertResponse)


class AlertingServicer(ExplainingServicer):
    async def ListAlerts(self, request: wire.ListAlertsRequest, context: object) -> wire.ListAlertsResponse:
        rpc.require(ROLE_VIEWER)
        size = _size(request.page_size)
        after = _after(request.page_token)
        async with self._pool.acquire() as conn:
            rows = await queries.alerts(
                conn, visible(), request.catalogue_number, after, size + 1, cleared=request.include_cleared
            )
        token = f"{rows[size - 1].share!r} {rows[size - 1].alert_id}" if len(rows) > size else ""
        return wire.ListAlertsResponse(alerts=map(_alert, rows[:size]), next_page_token=token)

    async def GetAlert(self, request: wire.GetAlertRequest, context: object) -> wire.GetAlertResponse:
        rpc.require(ROLE_VIEWER)
        async with self._pool.acquire() as conn:
            return wire.GetAlertResponse(alert=await _known(conn, request.alert_id))

    async def AcknowledgeAlert(
        self, request: wire.AcknowledgeAlertRequest, context: object
    ) -> wire.AcknowledgeAlertResponse:
        rpc.require(ROLE_DUTY_OFFICER)
        _check(request.idempotency_key, request.note, least=0)
        command = domain.Acknowledge(
            request.alert_id, rpc.principal().principal_id, request.note, request.expected_version
        )
        return await self._act(request, command, wire.AcknowledgeAlertResponse)

    async def ClearAlert(self, request: wire.ClearAlertRequest, context: object) -> wire.ClearAlertResponse:
        rpc.require(ROLE_DUTY_OFFICER)
        _check(request.idempotency_key, request.note, least=1)
        command = domain.Clear(request.alert_id, rpc.principal().principal_id, request.note, request.expected_version)
        return await self._act(request, command, wire.ClearAlertResponse)

    async def ListReentryEvents(
        self, request: wire.ListReentryEventsRequest, context: object
    ) -> wire.ListReentryEventsResponse:
        rpc.require(ROLE_VIEWER)
        size = _size(request.page_size)
        if not (request.page_token or "0").isdecimal():
            raise domain.BadRequest("page_token is none of this service; pass next_page_token as it was given")
        skip = int(request.page_token or 0)
        async with self._pool.acquire() as conn:
            rows = await queries.reentry_events(conn, visible(), skip, size + 1)
        token = str(skip + size) if len(rows) > size else ""
        return wire.ListReentryEventsResponse(events=map(_event, rows[:size]), next_page_token=token)

    async def _act(
        self,
        request: wire.AcknowledgeAlertRequest | wire.ClearAlertRequest,
        command: domain.Acknowledge | domain.Clear,
        answer: type[A],
    ) -> A:
        """Once for each key; decided anew when an assessment revised the alert at the same moment."""
        key = RequestKey(
            command.principal_id, type(command).__name__, request.idempotency_key, request.SerializeToString()
        )
        now = datetime.now(UTC)
        cause = Cause(new_id(), None, telemetry.current_traceparent())

        async def handle(conn: Connection) -> A:
            await _known(conn, command.alert_id)
            await self._desk.act(conn, command, now, cause)
            return answer(alert=await _known(conn, command.alert_id))

        async for attempt in stamina.retry_context(
            on=Conflict, attempts=CONFLICT_ATTEMPTS, wait_initial=0.005, wait_max=0.2, wait_jitter=0.02
        ):
            with attempt:
                return await self._log.command(key, handle, answer)
        raise AssertionError("the last attempt returns or raises")


def register(pool: Pool, log: EventLog, desk: Desk, hazard_address: str) -> Callable[[grpc.aio.Server], None]:
    servicer = AlertingServicer(pool, log, desk, hazard_address)
    return lambda server: add_AlertingServiceServicer_to_server(servicer, server)


async def _known(conn: Connection, alert_id: str) -> wire.Alert:
    row = await queries.alert(conn, visible(), alert_id)
    if row is None:
        raise domain.UnknownAlert(f"no alert {alert_id[:80]!r} is known; list the alerts and check the identifier")
    return _alert(row)


def _check(key: str, note: bytes, *, least: int) -> None:
    if not 1 <= len(key) <= MAX_KEY:
        raise domain.BadRequest(f"idempotency_key must have 1 to {MAX_KEY} characters; send a new one per request")
    if not least <= len(note) <= MAX_NOTE:
        raise domain.BadRequest(f"the note has {len(note)} bytes; it must have {least} to {MAX_NOTE}")


def _size(asked: int) -> int:
    if not 0 <= asked <= 1000:
        raise domain.BadRequest(f"page_size {asked} must be 1 to 1000, or 0 for 100")
    return asked or 100


def _after(token: str) -> tuple[float, str] | None:
    if not token:
        return None
    share, _, alert_id = token.partition(" ")
    try:
        return float(share), alert_id
    except ValueError as error:
        raise domain.BadRequest("page_token is none of this service; pass next_page_token as it was given") from error


def _alert(row: AlertRow) -> wire.Alert:
    alert = wire.Alert(
        alert_id=row.alert_id,
        reentry_event_id=row.reentry_event_id,
        catalogue_number=row.catalogue_number,
        fir_designator=row.fir_designator,
        fir_name=row.fir_name,
        state=_STATES[row.state],
        threat=pb.Threat.FromString(row.threat),
        acknowledged_by=row.acknowledged_by,
        raised_at=codec.timestamp(row.raised_at),
        version=row.version,
    )
    if row.acknowledged_at:
        alert.acknowledged_at.FromDatetime(row.acknowledged_at)
    return alert


def _event(row: EventRow) -> wire.ReentryEvent:
    return wire.ReentryEvent(
        reentry_event_id=row.reentry_event_id,
        catalogue_number=row.catalogue_number,
        state=pb.EventState.ValueType(row.state),
        window_start_time=codec.timestamp(row.window_start_time),
        window_end_time=codec.timestamp(row.window_end_time),
        assessment_event_id=row.assessment_event_id,
    )
