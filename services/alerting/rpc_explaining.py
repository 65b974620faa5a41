"""The call of AlertingService that decides recorded facts again: translate, call, translate."""

from uuid import UUID

import grpc
from asyncpg import Pool

from libs import recomputed, rpc
from libs.eventlog import EventLog, Recorded
from services.alerting import domain, recomputing
from services.alerting.handlers import Desk
from services.alerting.queries import Visible
from services.alerting.recomputing import Cited
from spacecom.alerting.v1 import alerting_service_pb2 as wire
from spacecom.alerting.v1.alerting_service_pb2_grpc import AlertingServiceServicer
from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER

ASK_S = 30.0


class ExplainingServicer(AlertingServiceServicer):
    def __init__(self, pool: Pool, log: EventLog, desk: Desk, hazard_address: str) -> None:
        self._pool = pool
        self._log = log
        self._desk = desk
        self._hazard_address = hazard_address

    async def Explain(self, request: wire.ExplainRequest, context: object) -> wire.ExplainResponse:
        rpc.require(ROLE_VIEWER)
        fact = await self._recorded(request.event_id)
        async with self._pool.acquire() as conn:
            before = (await self._log.load(conn, fact.stream))[: fact.version - 1]
        found = await recomputing.recompute(fact, before, self._desk.thresholds, self._cited)
        return wire.ExplainResponse(
            explanation=recomputed.to_wire(fact, found, ""),
            fields=recomputed.fields_to_wire(found),
        )

    async def _recorded(self, event_id: str) -> Recorded:
        try:
            fact = await self._log.fact(UUID(event_id))
        except ValueError as error:
            raise domain.BadRequest(f"{event_id[:60]!r} is not the identifier of an event; it is a UUID") from error
        if fact is None or not _may_see(visible(), fact.stream):
            raise domain.UnknownEvent(f"alerting recorded no event {event_id}; check the identifier")
        return fact

    async def _cited(self, event_id: str) -> Cited:
        """In the name of the caller."""
        if not self._hazard_address:
            raise rpc.FailedPrecondition(
                f"assessment {event_id} is at hazard, whose address is not set; set SPACECOM_UPSTREAM_ADDRESSES"
            )
        asked = hazard.GetAssessmentRequest(event_id=event_id)
        metadata = (("authorization", f"Bearer {rpc.token.get()}"),)
        async with grpc.aio.insecure_channel(self._hazard_address) as channel:
            try:
                answer = await HazardServiceStub(channel).GetAssessment(asked, timeout=ASK_S, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                raise rpc.FailedPrecondition(
                    f"hazard does not give assessment {event_id}, which the fact cites: {error.details()}"
                ) from error
        return Cited(event_id, answer.assessment.hazard, answer.assessment.quick)


def visible() -> Visible:
    limits = rpc.principal().entitlements
    return Visible(limits.catalogue_numbers, limits.fir_designators)


def _may_see(limits: Visible, stream: str) -> bool:
    """`event/<catalogue number>/<n>` or `alert/<catalogue number>/<n>/<FIR designator>`."""
    _, number, _, *firs = stream.split("/")
    numbers, designators = limits.catalogue_numbers, limits.fir_designators
    return (not numbers or int(number) in numbers) and (not firs or not designators or firs[0] in designators)
