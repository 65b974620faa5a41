"""The call of IngestService that reads the input of a recorded fact again: translate, call, translate."""

from contextlib import aclosing
from typing import Any
from uuid import UUID

from libs import recomputed, rpc
from libs.blobs import BlobCorrupt, BlobMissing
from libs.compared import Field
from libs.eventlog import Recorded
from libs.recomputed import Input, Recomputed
from libs.redistribution import allows
from services.ingest import domain, rereading
from services.ingest.domain import Delivery, Format
from services.ingest.handlers import Gate
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.ingest.v1 import ingest_service_pb2 as wire
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceServicer


class ExplainingServicer(IngestServiceServicer):
    _gate: Gate

    async def Explain(self, request: wire.ExplainRequest, context: object) -> wire.ExplainResponse:
        rpc.require(ROLE_VIEWER)
        fact = await self._recorded(request.event_id)
        sha256 = rereading.input_of(fact.message())
        try:
            data = await self._gate.blobs.get(sha256)
        except (BlobMissing, BlobCorrupt) as error:
            raise rpc.FailedPrecondition(f"its input cannot be read again: {error}") from error
        found = Recomputed(tuple(await self._read_again(fact, data, sha256)), (Input("input", sha256=sha256),))
        return wire.ExplainResponse(
            explanation=recomputed.to_wire(fact, found, ""),
            fields=recomputed.fields_to_wire(found),
        )

    async def _read_again(self, fact: Recorded, data: bytes, sha256: str) -> list[Field]:
        message: Any = fact.message()
        dataset = getattr(message, "dataset", "")
        delivery = Delivery(message.source, sha256, fact.recorded_at, fact.available_at, dataset)
        nearest: list[list[Field]] = []
        reader = self._gate.reader.parts(Format.UNKNOWN, data, self._gate.settings.ingest_batch_records, None)
        async with aclosing(reader) as parts:
            async for part in parts:
                nearest = [min([*nearest, rereading.nearest(message, part, delivery)], key=rereading.differing)]
        return nearest[0]

    async def _recorded(self, event_id: str) -> Recorded:
        try:
            fact = await self._gate.log.fact(UUID(event_id))
        except ValueError as error:
            raise rpc.BadArgument(f"{event_id[:60]!r} is not the identifier of an event; it is a UUID") from error
        if fact is None or not allows(rpc.rights(), fact.redistribution) or not _visible(fact.message()):
            raise domain.UnknownEvent(f"ingest recorded no event {event_id} that you have a right to; check it")
        return fact


def _visible(message: Any) -> bool:
    limit = rpc.principal().entitlements.catalogue_numbers
    return not limit or getattr(message, "catalogue_number", 0) in (0, *limit)
