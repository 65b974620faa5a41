"""A server of made-up methods, one of each kind, as its callers meet it."""

import asyncio
import hashlib

import asyncpg
import grpc
import pytest
from aiokafka.errors import KafkaConnectionError
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from infra.local.testing import settings_of
from libs import contracts, rpc
from libs.blobs import BlobMissing
from libs.eventlog import Conflict, IdempotencyMismatch
from libs.service import ServiceSettings
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.identity.v1 import identity_contracts_pb2 as identity

SERVICE = "test.v1.Test"
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Unheard(Conflict):
    """Not in the table; what it derives from is."""


class Own(Exception):
    """In the table of the service."""


RAISED = {
    "denied": rpc.PermissionDenied("denied"),
    "argument": rpc.BadArgument("argument"),
    "precondition": rpc.FailedPrecondition("precondition"),
    "conflict": Conflict("conflict"),
    "unheard": Unheard("unheard"),
    "mismatch": IdempotencyMismatch("mismatch"),
    "blob": BlobMissing("blob"),
    "away": ConnectionRefusedError("away"),
    "broker": KafkaConnectionError("broker"),
    "database": asyncpg.InterfaceError("database"),
    "data": asyncpg.DataError("data"),
    "own": Own("own"),
    "bug": KeyError("secret of the inside"),
}
CODE = grpc.StatusCode
EXPECTED = {
    "denied": (CODE.PERMISSION_DENIED, "ROLE_MISSING"),
    "argument": (CODE.INVALID_ARGUMENT, "BAD_ARGUMENT"),
    "precondition": (CODE.FAILED_PRECONDITION, "FAILED_PRECONDITION"),
    "conflict": (CODE.ABORTED, "CONFLICT"),
    "unheard": (CODE.ABORTED, "CONFLICT"),
    "mismatch": (CODE.INVALID_ARGUMENT, "IDEMPOTENCY_MISMATCH"),
    "blob": (CODE.DATA_LOSS, "BLOB_MISSING"),
    "away": (CODE.UNAVAILABLE, "DEPENDENCY_AWAY"),
    "broker": (CODE.UNAVAILABLE, "DEPENDENCY_AWAY"),
    "database": (CODE.UNAVAILABLE, "DATABASE_AWAY"),
    "data": (CODE.INVALID_ARGUMENT, "BAD_ARGUMENT"),
    "own": (CODE.NOT_FOUND, "OWN"),
    "bug": (CODE.INTERNAL, "INTERNAL"),
}


class Behaviour:
    """Answers who calls, or raises what is asked for; notes that it was reached."""

    def __init__(self) -> None:
        self.reached = 0

    def answer(self, request: bytes) -> bytes:
        self.reached += 1
        if request.decode() in RAISED:
            raise RAISED[request.decode()]
        return rpc.principal().principal_id.encode()

    async def unary_unary(self, request, _context):
        await asyncio.sleep(0)
        return self.answer(request)

    async def unary_stream(self, request, _context):
        yield self.answer(b"")
        yield self.answer(request)

    async def stream_unary(self, requests, _context):
        return [self.answer(request) async for request in requests][-1]

    async def stream_stream(self, requests, _context):
        async for request in requests:
            yield self.answer(request)


def added(behaviour: Behaviour):
    handlers = {kind: getattr(grpc, f"{kind}_rpc_method_handler")(getattr(behaviour, kind)) for kind in KINDS}
    return lambda server: server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])


def directory() -> contracts.Directory:
    principals = [
        identity.Principal(principal_id=name, token_sha256=hashlib.sha256(name.encode()).hexdigest(), roles=[role])
        for name, role in (("a", identity.ROLE_VIEWER), ("b", identity.ROLE_OPERATOR))
    ]
    return contracts.directory(identity.Contracts(contracts=[identity.Contract(principals=principals)]))


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
async def server(behaviour):
    made = rpc.Server(
        settings_of(ServiceSettings), directory(), add=[added(behaviour)], errors={Own: (CODE.NOT_FOUND, "OWN")}
    )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def channel(server):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as made:
        yield made


async def call(channel, kind: str, *requests: bytes, by: str | None = "Bearer a", timeout_s: float | None = 10.0):
    """All answers."""
    metadata = (("authorization", by),) if by is not None else ()
    method = getattr(channel, kind)(f"/{SERVICE}/{kind}")
    given = iter(requests or (b"",)) if kind.startswith("stream") else (requests or (b"",))[-1]
    answer = method(given, timeout=timeout_s, metadata=metadata, wait_for_ready=True)
    return [one async for one in answer] if kind.endswith("stream") else [await answer]


async def refused(*args, **kwargs) -> tuple[grpc.StatusCode, str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(*args, **kwargs)
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(caught.value)
    assert status, caught.value
    assert status.details[0].Unpack(info)
    assert info.domain == "spacecom"
    return caught.value.code(), info.reason, caught.value.details() or ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", [None, "", "a", "Bearer", "Bearer ", "Bearer x", "Basic a", "Bearer a b"], ids=repr)
async def test_who_is_not_known_reaches_no_method_of_any_kind(channel, behaviour, kind, by):
    """INVARIANT: streams ask for a token as single calls do. It is what is forgotten on streams."""
    code, reason, _ = await refused(channel, kind, by=by)
    assert (code, reason) == (CODE.UNAUTHENTICATED, "UNKNOWN_TOKEN")
    assert behaviour.reached == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_who_is_known_is_known_to_the_method(channel, kind):
    assert set(await call(channel, kind, b"", b"", by="Bearer b")) == {b"b"}


async def test_callers_at_the_same_moment_are_not_mixed_up(channel):
    """INVARIANT: the principal is the call's own, whatever runs beside it."""
    names = ["a", "b"] * 100
    answers = await asyncio.gather(*(call(channel, KINDS[n % 4], by=f"Bearer {name}") for n, name in enumerate(names)))
    assert [answer[0].decode() for answer in answers] == names


async def test_a_call_without_a_deadline_is_refused_and_a_stream_may_last(channel, behaviour):
    code, reason, _ = await refused(channel, "unary_unary", timeout_s=None)
    assert (code, reason) == (CODE.INVALID_ARGUMENT, "NO_DEADLINE")
    assert behaviour.reached == 0
    for kind in KINDS[1:]:
        assert await call(channel, kind, timeout_s=None)


async def test_a_stranger_is_told_nothing_but_that(channel):
    code, _, _ = await refused(channel, "unary_unary", by=None, timeout_s=None)
    assert code is CODE.UNAUTHENTICATED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raised", RAISED)
async def test_every_error_leaves_through_the_table_with_its_reason(channel, kind, raised):
    code, reason, text = await refused(channel, kind, b"", raised.encode())
    assert (code, reason) == EXPECTED[raised]
    assert ("secret" in text) is False
    assert raised in text or raised == "bug"


def test_every_status_of_the_shared_table_is_met_by_these_tests():
    met = {EXPECTED[name] for name, error in RAISED.items() if not isinstance(error, Own)}
    assert {status for status in rpc.ERRORS.values() if status[1] not in ("EVENT_TOO_LARGE", "BLOB_CORRUPT")} <= met


@pytest.mark.parametrize(
    ("role", "wanted", "allowed"),
    [
        (identity.ROLE_VIEWER, identity.ROLE_VIEWER, True),
        (identity.ROLE_OPERATOR, identity.ROLE_VIEWER, True),
        (identity.ROLE_DUTY_OFFICER, identity.ROLE_ANALYST, False),
        (None, identity.ROLE_VIEWER, False),
    ],
)
def test_a_role_includes_those_below_it(role, wanted, allowed):
    rpc.current.set(contracts.Principal("p", "o", (role,) if role else (), identity.Entitlements()))
    if allowed:
        rpc.require(wanted)
    else:
        with pytest.raises(rpc.PermissionDenied, match=identity.Role.Name(wanted)):
            rpc.require(wanted)


async def test_health_tells_life_and_readiness_to_everybody(server, channel):
    stub = health_pb2_grpc.HealthStub(channel)

    async def status(service: str) -> int:
        return (await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)).status

    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    assert (await status(""), await status(rpc.READY)) == (serving, not_serving)
    await server.set_ready(ready=True)
    assert (await status(""), await status(rpc.READY)) == (serving, serving)


async def test_reflection_names_the_services(channel):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = [one async for one in stub.ServerReflectionInfo(iter([request]), timeout=5)]
    names = {one.name for one in answer.list_services_response.service}
    assert {"grpc.health.v1.Health", "spacecom.eventlog.v1.EventLogService"} <= names


def test_the_event_log_is_among_what_this_process_has_imported():
    assert log_pb.DESCRIPTOR.services_by_name["EventLogService"].full_name in rpc._service_names()


async def test_a_message_that_is_too_large_is_refused_and_the_server_goes_on(channel):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "unary_unary", bytes(rpc.MAX_MESSAGE_BYTES + 1))
    assert caught.value.code() is CODE.RESOURCE_EXHAUSTED
    assert await call(channel, "unary_unary")


async def test_a_method_that_is_not_there_is_not_there(channel):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{SERVICE}/nothing")(b"", timeout=5)
    assert caught.value.code() is CODE.UNIMPLEMENTED
