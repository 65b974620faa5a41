"""Recorded facts to and from the wire, and the log of another service through its server."""

from collections.abc import AsyncIterator
from datetime import UTC
from uuid import UUID

import grpc

from libs import rpc
from libs.eventlog import Cause, Recorded
from libs.redistribution import INTERNAL, allows
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.eventlog.v1.eventlog_service_pb2_grpc import EventLogServiceStub


async def read_log(address: str, token: str, request: log_pb.ReadRequest | None = None) -> AsyncIterator[Recorded]:
    """Events of another service's log, through its server."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = EventLogServiceStub(channel)
        answers = stub.Read(request or log_pb.ReadRequest(), metadata=(("authorization", f"Bearer {token}"),))
        async for answer in answers:
            for event in answer.events:
                yield from_wire(event)


def from_wire(event: log_pb.RecordedEvent) -> Recorded:
    """Raises FailedPrecondition for an event whose data was withheld: it cannot be taken for the fact."""
    if event.withheld:
        raise rpc.FailedPrecondition(
            f"event {event.position} of {event.stream} is {event.redistribution} and was withheld; "
            "read the log with a token that has the right to it"
        )
    return Recorded(
        event.position,
        UUID(event.event_id),
        event.stream,
        event.version,
        event.type,
        event.data,
        event.occurred_at.ToDatetime(UTC),
        event.available_at.ToDatetime(UTC),
        event.recorded_at.ToDatetime(UTC),
        Cause(UUID(event.correlation_id), UUID(event.causation_id) if event.causation_id else None, event.traceparent),
        event.redistribution or INTERNAL,
    )


def to_wire(event: Recorded, rights: frozenset[str]) -> log_pb.RecordedEvent:
    """What the caller has no right to is left out; that it is there stays visible, so that no position is missing."""
    withheld = not allows(rights, event.redistribution)
    wire = log_pb.RecordedEvent(
        position=event.position,
        event_id=str(event.event_id),
        stream=event.stream,
        version=event.version,
        type=event.type,
        data=b"" if withheld else event.data,
        redistribution=event.redistribution,
        withheld=withheld,
        correlation_id=str(event.cause.correlation_id),
        causation_id=str(event.cause.causation_id or ""),
        traceparent=event.cause.traceparent,
    )
    wire.occurred_at.FromDatetime(event.occurred_at)
    wire.available_at.FromDatetime(event.available_at)
    wire.recorded_at.FromDatetime(event.recorded_at)
    return wire
