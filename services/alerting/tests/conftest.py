"""Alerting on a real Postgres, fed with assessments as its consumer would, and its server with three callers.

What hazard has on record is given by a server in its place.
"""

import hashlib
import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import grpc
import pytest
import stamina
from asyncpg import Pool

from infra.local.testing import settings_of
from libs import contracts, rpc
from libs.consume import Delivery
from libs.eventlog import Cause, Conflict, EventLog, Recorded, new_id
from services.alerting import handlers, projections
from services.alerting.__main__ import thresholds
from services.alerting.domain import Thresholds
from services.alerting.handlers import Desk
from services.alerting.rpc import ERRORS, register
from services.alerting.settings import AlertingSettings
from spacecom.alerting.v1.alerting_service_pb2_grpc import AlertingServiceStub
from spacecom.hazard.v1 import hazard_events_pb2 as hazard
from spacecom.hazard.v1 import hazard_service_pb2 as hazard_service
from spacecom.identity.v1 import identity_contracts_pb2 as identity

START = datetime(2022, 11, 4, 6, tzinfo=UTC)  # of the window
OBJECT = 54217
SETTINGS = settings_of(AlertingSettings)
THRESHOLDS: Thresholds = thresholds(SETTINGS)

Firs = dict[str, float]  # designator: share, with a pass of the probability 0.1


def assessed(firs: Firs, version: int, lead: timedelta, number: int = OBJECT) -> hazard.HazardAssessed:
    """Of a window that starts `lead` after what was known."""
    message = hazard.HazardAssessed(
        catalogue_number=number, run_id=str(new_id()), prediction_event_id=str(new_id()), prediction_version=version
    )
    message.known_at.FromDatetime(START - lead)
    message.window_start_time.FromDatetime(START)
    message.window_end_time.FromDatetime(START + timedelta(hours=6))
    for designator, share in firs.items():
        fir = message.firs.add(fir_designator=designator, fir_name=f"FIR {designator}", share=share)
        one = fir.passes.add(pass_probability=0.1)
        one.entry_time.FromDatetime(START + timedelta(hours=1))
        one.exit_time.FromDatetime(START + timedelta(hours=1, minutes=6))
    return message


class Assessments:
    """In hazard's place: gives the assessments that alerting was told of, by event id."""

    def __init__(self) -> None:
        self.known: dict[str, hazard.HazardAssessed] = {}

    async def give(
        self, request: hazard_service.GetAssessmentRequest, context: grpc.aio.ServicerContext
    ) -> hazard_service.GetAssessmentResponse:
        rpc.require(identity.ROLE_VIEWER)
        if request.event_id not in self.known:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"hazard recorded no event {request.event_id}")
        told = hazard_service.Assessment(event_id=request.event_id, hazard=self.known[request.event_id])
        return hazard_service.GetAssessmentResponse(assessment=told)

    def register(self, server: grpc.aio.Server) -> None:
        answer = grpc.unary_unary_rpc_method_handler(
            self.give,
            request_deserializer=hazard_service.GetAssessmentRequest.FromString,
            response_serializer=hazard_service.GetAssessmentResponse.SerializeToString,
        )
        calls = grpc.method_handlers_generic_handler("spacecom.hazard.v1.HazardService", {"GetAssessment": answer})
        server.add_generic_rpc_handlers((calls,))


@dataclass
class Feed:
    """Hands assessments to the handler as the consumer does."""

    pool: Pool
    log: EventLog
    desk: Desk
    assessments: Assessments
    sequences: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def give(
        self, firs: Firs, version: int = 1, lead: timedelta = timedelta(hours=12), number: int = OBJECT
    ) -> Delivery:
        event_id, sequence = new_id(), next(self.sequences)
        when = START - lead
        message, cause = assessed(firs, version, lead, number), Cause(new_id(), event_id, "")
        self.assessments.known[str(event_id)] = message
        delivery = Delivery(message, event_id, f"hazard/{number}", sequence, sequence, when, when, when, cause)
        await self.hand(delivery)
        return delivery

    async def hand(self, delivery: Delivery) -> None:
        commit = await handlers.handlers(self.desk)[type(delivery.message)](delivery)
        async for attempt in stamina.retry_context(on=Conflict, attempts=50, wait_initial=0.001, wait_max=0.05):
            with attempt:
                async with self.pool.acquire() as conn, conn.transaction():
                    await commit(conn)

    async def facts(self, stream: str) -> list[Recorded]:
        async with self.pool.acquire() as conn:
            return await self.log.load(conn, stream)

    async def kinds(self, stream: str) -> list[str]:
        return [fact.type.rpartition(".")[2] for fact in await self.facts(stream)]


@pytest.fixture
async def feed(service_database: Callable[[str], Awaitable[Pool]]) -> Feed:
    pool = await service_database("alerting")
    log = EventLog(pool, "alerting", projections.project)
    return Feed(pool, log, Desk(log, THRESHOLDS), Assessments())


def directory() -> contracts.Directory:
    """`limited` may see two regions of one object; all others everything."""

    def principal(name: str, role: "identity.Role.ValueType") -> identity.Principal:
        token = hashlib.sha256(name.encode()).hexdigest()
        return identity.Principal(principal_id=name, token_sha256=token, roles=[role])

    everything = identity.Contract(
        organisation_id="network",
        principals=[principal("viewer", identity.ROLE_VIEWER), principal("officer", identity.ROLE_DUTY_OFFICER)],
    )
    limited = identity.Contract(
        organisation_id="enaire",
        principals=[principal("limited", identity.ROLE_DUTY_OFFICER)],
        entitlements=identity.Entitlements(catalogue_numbers=[OBJECT], fir_designators=["LECB", "LECM"]),
    )
    return contracts.directory(identity.Contracts(contracts=[everything, limited]))


def acting(name: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {name}"),)


@pytest.fixture
async def hazard_address(feed: Feed):
    server = rpc.Server(SETTINGS, directory(), add=[feed.assessments.register], errors={})
    await server.start()
    yield f"127.0.0.1:{server.port}"
    await server.stop()


@pytest.fixture
async def stub(feed: Feed, hazard_address: str):
    answers = register(feed.pool, feed.log, feed.desk, hazard_address)
    server = rpc.Server(SETTINGS, directory(), add=[answers], errors=ERRORS)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield AlertingServiceStub(channel)
    await server.stop()
