"""The call of HazardService that computes recorded facts again: translate, call, translate."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from libs import recomputed, rpc
from libs.astro.version import model_version
from libs.blobs import BlobCorrupt, BlobMissing
from libs.eventlog import Recorded
from libs.workers import Lost
from services.hazard import domain, recomputing
from services.hazard.running import Desk
from spacecom.hazard.v1 import hazard_service_pb2 as wire
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceServicer
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER


class ExplainingServicer(HazardServiceServicer):
    """Explanations wait for each other: of the processes that settle runs one stays free."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._explaining = asyncio.Lock()

    async def Explain(self, request: wire.ExplainRequest, context: object) -> AsyncIterator[wire.ExplainResponse]:
        rpc.require(ROLE_VIEWER)
        fact = await self.recorded(request.event_id)
        try:
            async with self._explaining:
                found = await recomputing.recompute(self._desk, fact)
        except (BlobMissing, BlobCorrupt, Lost, MemoryError) as error:
            raise rpc.FailedPrecondition(f"it cannot be computed again: {error}") from error
        yield wire.ExplainResponse(explanation=recomputed.to_wire(fact, found, await asyncio.to_thread(model_version)))
        for fields in recomputed.batches(found):
            yield wire.ExplainResponse(fields=fields)

    async def recorded(self, event_id: str) -> Recorded:
        """A fact of an object that the caller may see."""
        fact = await self._desk.log.fact(_event_id_of(event_id))
        if fact is None or not visible(await recomputing.object_of(self._desk, fact)):
            raise domain.UnknownEvent(f"hazard recorded no event {event_id[:60]}; check the identifier")
        return fact


def visible(number: int) -> bool:
    limit = rpc.principal().entitlements.catalogue_numbers
    return not limit or number in limit


def _event_id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise domain.BadRequest(f"{text[:60]!r} is not the identifier of an event; it is a UUID") from error
