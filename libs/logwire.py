"""Recorded facts to and from the wire, and the log of another service through its server."""

from collections.abc import AsyncIterator
from datetime import UTC
from uuid import UUID

import grpc

from libs.eventlog import Cause, Recorded
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
    )


def to_wire(event: Recorded) -> log_pb.RecordedEvent:
    wire = log_pb.RecordedEvent(
        position=event.position,
        event_id=str(event.event_id),
        stream=event.stream,
        version=event.version,
        type=event.type,
        data=event.data,
        correlation_id=str(event.cause.correlation_id),
        causation_id=str(event.cause.causation_id or ""),
        traceparent=event.cause.traceparent,
    )
    wire.occurred_at.FromDatetime(event.occurred_at)
    wire.available_at.FromDatetime(event.available_at)
    wire.recorded_at.FromDatetime(event.recorded_at)
    return wire
