"""PropagationService: translate, call, translate."""

import asyncio
from collections.abc import Callable

import grpc

from libs import rpc, telemetry
from libs.astro import eop
from libs.eventlog import Cause, RequestKey, derived_id, new_id
from libs.postgres import Connection
from libs.rpc import ErrorTable
from services.propagation import domain, queries, states
from services.propagation.domain import Declined, DeclineReason, PredictionDeclined
from services.propagation.rpc_explaining import ExplainingServicer, shown
from services.propagation.rpc_tracks import Desk, entitled, newest_row, unknown
from services.propagation.states import Times
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_VIEWER
from spacecom.propagation.v1 import propagation_service_pb2 as wire
from spacecom.propagation.v1.propagation_service_pb2_grpc import add_PropagationServiceServicer_to_server

MAX_EPOCHS = 10_000
MAX_KEY = 128


class TooHigh(Declined):
    pass


class NoSpaceWeather(Declined):
    pass


class DeepSpace(Declined):
    pass


class PoorFit(Declined):
    pass


class BadElements(Declined):
    pass


class Thrusting(Declined):
    pass


class Controlled(Declined):
    pass


class TooFewSets(Declined):
    pass


class NotSinking(Declined):
    pass


class ComeDown(Declined):
    pass


_DECLINED: dict[DeclineReason, type[Declined]] = {
    DeclineReason.TOO_HIGH: TooHigh,
    DeclineReason.NO_SPACE_WEATHER: NoSpaceWeather,
    DeclineReason.DEEP_SPACE: DeepSpace,
    DeclineReason.POOR_FIT: PoorFit,
    DeclineReason.BAD_ELEMENTS: BadElements,
    DeclineReason.THRUSTING: Thrusting,
    DeclineReason.CONTROLLED: Controlled,
    DeclineReason.TOO_FEW_SETS: TooFewSets,
    DeclineReason.NOT_SINKING: NotSinking,
    DeclineReason.COME_DOWN: ComeDown,
}
ERRORS: ErrorTable = {
    domain.UnknownObject: (grpc.StatusCode.NOT_FOUND, DeclineReason.UNKNOWN_OBJECT.name),
    domain.NoPrediction: (grpc.StatusCode.NOT_FOUND, "NO_PREDICTION"),
    domain.BadRequest: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"),
    eop.OutsideOrientation: (grpc.StatusCode.INVALID_ARGUMENT, "OUTSIDE_ORIENTATION"),
    states.CannotPropagate: (grpc.StatusCode.FAILED_PRECONDITION, "CANNOT_PROPAGATE"),
    **{kind: (grpc.StatusCode.FAILED_PRECONDITION, reason.name) for reason, kind in _DECLINED.items()},
}


class PropagationServicer(ExplainingServicer):
    async def Propagate(self, request: wire.PropagateRequest, context: object) -> wire.PropagateResponse:
        """A state is the element set in other words, so only sets that the caller may have are propagated."""
        rpc.require(ROLE_VIEWER)
        entitled(request.catalogue_number)
        if not 1 <= len(request.epochs) <= MAX_EPOCHS:
            raise domain.BadRequest(f"{len(request.epochs)} epochs were asked for; ask for 1 to {MAX_EPOCHS}")
        known = await self.newest_set(request.catalogue_number)
        frame = request.frame or wire.FRAME_ITRF
        times = Times.of(request.epochs)
        teme = await asyncio.to_thread(states.by_sgp4, known.elements, times)
        answer = states.shown(teme, times, frame, self._desk.orientation)
        return wire.PropagateResponse(states=answer, frame=frame, element_set_event_id=str(known.event_id))

    async def Predict(self, request: wire.PredictRequest, context: object) -> wire.PredictResponse:
        """Computes outside the transaction that answers, and not at all when the key has its answer already."""
        rpc.require(ROLE_ANALYST)
        number = request.catalogue_number
        entitled(number)
        if not 1 <= len(request.idempotency_key) <= MAX_KEY:
            raise domain.BadRequest(f"idempotency_key must have 1 to {MAX_KEY} characters; send a new one per request")
        key = RequestKey(rpc.principal().principal_id, "Predict", request.idempotency_key, request.SerializeToString())
        answered = await self._desk.log.answer(key.principal, key.method, key.key)
        found = None if answered is not None else await self._predict_now(number)
        cause = Cause(new_id(), None, telemetry.current_traceparent())
        if isinstance(found, PredictionDeclined):
            await self._desk.predictor.record(found, derived_id(cause.correlation_id, "propagation", number), cause)
            raise _DECLINED[found.reason](found)

        async def handle(conn: Connection) -> wire.PredictResponse:
            if found is not None:
                event_id = derived_id(cause.correlation_id, "propagation", number)
                await self._desk.predictor.append(conn, found, event_id, cause)
            return wire.PredictResponse(prediction=await _newest(conn, number))

        return await self._desk.log.command(key, handle, wire.PredictResponse)

    async def _predict_now(self, number: int) -> domain.Event:
        async with self._desk.pool.acquire() as conn:
            known_at = await queries.known_until(conn, number)
        if known_at is None:
            raise unknown(number)
        return await self._desk.predictor.predict(number, known_at)

    async def GetPrediction(self, request: wire.GetPredictionRequest, context: object) -> wire.GetPredictionResponse:
        rpc.require(ROLE_VIEWER)
        entitled(request.catalogue_number)
        async with self._desk.pool.acquire() as conn:
            prediction = await _newest(conn, request.catalogue_number)
            declined = await queries.declined(conn, request.catalogue_number)
        return wire.GetPredictionResponse(prediction=prediction, declined=declined)

    async def ListPredictions(
        self, request: wire.ListPredictionsRequest, context: object
    ) -> wire.ListPredictionsResponse:
        rpc.require(ROLE_VIEWER)
        entitled(request.catalogue_number)
        size, before = _page(request.page_size, request.page_token)
        async with self._desk.pool.acquire() as conn:
            rows = await queries.predictions_before(conn, request.catalogue_number, before, size + 1)
        token = str(rows[size - 1].position) if len(rows) > size else ""
        return wire.ListPredictionsResponse(predictions=map(shown, rows[:size]), next_page_token=token)


def register(desk: Desk) -> Callable[[grpc.aio.Server], None]:
    return lambda server: add_PropagationServiceServicer_to_server(PropagationServicer(desk), server)


async def _newest(conn: Connection, number: int) -> wire.Prediction:
    return shown(await newest_row(conn, number))


def _page(asked: int, token: str) -> tuple[int, int]:
    if not 0 <= asked <= 1000:
        raise domain.BadRequest(f"page_size {asked} must be 1 to 1000, or 0 for 100")
    if token and not (token.isascii() and token.isdigit() and len(token) < 19):
        raise domain.BadRequest("page_token is none of this service; pass next_page_token as it was given")
    return asked or 100, int(token or 0)
