"""The calls of IngestService about sources: translate, call, translate."""

from datetime import UTC, datetime

from libs import rpc, telemetry
from libs.eventlog import Cause, new_id
from services.ingest import codec, degraded, domain, freshness, ledger, policies, queries_sources, source_states
from services.ingest.domain import SourceStateChanged
from services.ingest.handlers import Gate
from services.ingest.queries_sources import SourceRow
from services.ingest.source_states import Expectations
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_OPERATOR, ROLE_VIEWER
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceServicer

MAX_REASON = 500
WAITS = "it has not delivered yet"


class SourcesServicer(IngestServiceServicer):
    _gate: Gate

    async def ListSources(self, request: wire.ListSourcesRequest, context: object) -> wire.ListSourcesResponse:
        rpc.require(ROLE_VIEWER)
        now = datetime.now(UTC)
        known = [self._known(row, now) for row in await self._rows()]
        return wire.ListSourcesResponse(
            sources=[_to_wire(row, one.source) for row, one in known],
            degraded_products=[
                wire.DegradedProduct(source=source, product=product, effect=effect)
                for source, product, effect in degraded.degraded([one for _, one in known], now)
            ],
        )

    async def ResumeSource(self, request: wire.ResumeSourceRequest, context: object) -> wire.ResumeSourceResponse:
        rpc.require(ROLE_OPERATOR)
        if not 1 <= len(request.reason) <= MAX_REASON:
            raise domain.BadSubmission(f"state in 1 to {MAX_REASON} bytes what was done about it; it is recorded")
        by, reason = rpc.principal().principal_id, request.reason.decode("utf-8", "backslashreplace")
        meant = [row for row in await self._rows() if request.source in _names(row)]
        if not meant:
            raise domain.UnknownSource("there is no source of this name; list them with: spacecom sources")
        halted = [row for row in meant if row.known.halted]
        if not halted:
            raise domain.NotHalted(f"{request.source} is not halted; it is polled when it is due")
        for row in halted:
            await self._resume(row, freshness.Resumed(datetime.now(UTC), by, reason))
        names = {row.source for row in halted}
        return wire.ResumeSourceResponse(
            sources=[_to_wire(row, row.known) for row in await self._rows() if row.source in names]
        )

    async def _resume(self, row: SourceRow, command: freshness.Resumed) -> None:
        gate, cause = self._gate, Cause(new_id(), None, telemetry.current_traceparent())
        async with gate.pool.acquire() as conn:
            await ledger.finish(conn, row.source, command.at)
        expected = Expectations(gate.settings).of(row.source, row.kind)
        await source_states.change(gate.pool, gate.log, row.source, command, expected, cause)

    async def _rows(self) -> list[SourceRow]:
        async with self._gate.pool.acquire() as conn:
            return await queries_sources.sources(conn, self._gate.settings.ingest_sources)

    def _known(self, row: SourceRow, now: datetime) -> tuple[SourceRow, degraded.Known]:
        expected = Expectations(self._gate.settings).of(row.source, row.kind)
        source = freshness.as_of(row.source, row.known, expected, row.enabled_at, now)
        return row, degraded.Known(row.source, row.kind, source, expected)


def _names(row: SourceRow) -> tuple[str, ...]:
    policy = policies.POLICIES.get(row.source)
    return (row.source, policy.provider.name) if policy else (row.source,)


def _to_wire(row: SourceRow, source: freshness.Source) -> pb.SourceStateChanged:
    if source.state is None:
        message = pb.SourceStateChanged(source=row.source, reason=WAITS)
        if row.next_due_at:
            message.next_due_at.FromDatetime(row.next_due_at)
        return message
    return codec.source_to_wire(
        SourceStateChanged(
            row.source,
            source.state,
            source.reason,
            source.last_delivery_at,
            row.next_due_at,
            source.problem,
            source.halted,
            source.failure_count,
        )
    )
