"""gRPC servers: health, reflection, who is calling, deadlines, and one table from errors to statuses."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from aiokafka.errors import KafkaError
from google.protobuf import any_pb2, descriptor_pool
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs import redistribution, telemetry
from libs.blobs import BlobCorrupt, BlobMissing
from libs.contracts import Directory, Principal
from libs.eventlog import Conflict, EventTooLarge, IdempotencyMismatch
from spacecom.identity.v1.identity_contracts_pb2 import Role

DOMAIN = "spacecom"
READY = "ready"  # name under which the health service tells readiness
OPEN = ("/grpc.health.v1.Health/", "/grpc.reflection.")
MAX_MESSAGE_BYTES = 4 * 2**20
HOUR_MS = 3_600_000

Status = tuple[grpc.StatusCode, str]
ErrorTable = Mapping[type[Exception], Status]
Add = Callable[[grpc.aio.Server], None]

Context = Any  # grpc.aio.ServicerContext, which is generic to the type checker only

current: ContextVar[Principal] = ContextVar("principal")
token: ContextVar[str] = ContextVar("token")


class PermissionDenied(PermissionError):
    """The caller's role does not allow the call."""


class BadArgument(ValueError):
    """The request breaks a rule that all services share."""


class FailedPrecondition(Exception):
    """The service is not in a state in which this can be done."""


ERRORS: ErrorTable = {
    PermissionDenied: (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING"),
    BadArgument: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_ARGUMENT"),
    FailedPrecondition: (grpc.StatusCode.FAILED_PRECONDITION, "FAILED_PRECONDITION"),
    Conflict: (grpc.StatusCode.ABORTED, "CONFLICT"),
    EventTooLarge: (grpc.StatusCode.RESOURCE_EXHAUSTED, "EVENT_TOO_LARGE"),
    IdempotencyMismatch: (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_MISMATCH"),
    BlobMissing: (grpc.StatusCode.DATA_LOSS, "BLOB_MISSING"),
    BlobCorrupt: (grpc.StatusCode.DATA_LOSS, "BLOB_CORRUPT"),
    OSError: (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_AWAY"),
    KafkaError: (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_AWAY"),
    asyncpg.DataError: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_ARGUMENT"),  # a NUL in a text, a number out of range
    asyncpg.PostgresConnectionError: (grpc.StatusCode.UNAVAILABLE, "DATABASE_AWAY"),
    asyncpg.OperatorInterventionError: (grpc.StatusCode.UNAVAILABLE, "DATABASE_AWAY"),
    asyncpg.InterfaceError: (grpc.StatusCode.UNAVAILABLE, "DATABASE_AWAY"),
}


class RpcSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    rpc_host: str = Field("127.0.0.1", description="Address to listen on; loopback until callers can be told apart.")
    rpc_port: int = Field(ge=0, le=65535, description="Port to listen on; 0: any free one.")
    contracts_file: Path = Field(description="Who may call: a message spacecom.identity.v1.Contracts as JSON.")


def principal() -> Principal:
    """Who makes the call that is being answered."""
    return current.get()


def require(role: Role.ValueType) -> None:
    """A role includes those below it."""
    if max(principal().roles, default=0) < role:
        raise PermissionDenied(f"this call needs {Role.Name(role)}; ask the operator of this deployment for it")


def rights() -> frozenset[str]:
    """Redistribution classes the caller may be given."""
    caller = principal()
    return redistribution.rights(caller.entitlements, caller.roles)


class Server:
    def __init__(self, settings: RpcSettings, directory: Directory, *, add: Sequence[Add], errors: ErrorTable) -> None:
        self._grpc = grpc.aio.server(
            interceptors=[_Gate(directory, {**ERRORS, **errors})],
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.keepalive_timeout_ms", 10_000),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
                ("grpc.max_connection_age_ms", HOUR_MS),
                ("grpc.max_connection_age_grace_ms", 60_000),
            ],
        )
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        for register in add:
            register(self._grpc)
        reflection.enable_server_reflection(_service_names(), self._grpc)
        self.port = self._grpc.add_insecure_port(f"{settings.rpc_host}:{settings.rpc_port}")

    async def start(self) -> None:
        await self.set_ready(ready=False)
        await self._grpc.start()

    async def set_ready(self, *, ready: bool) -> None:
        """The unnamed health service tells that the process answers, READY that its work is done as it comes."""
        serving = health_pb2.HealthCheckResponse.SERVING
        await self._health.set("", serving)
        await self._health.set(READY, serving if ready else health_pb2.HealthCheckResponse.NOT_SERVING)

    async def stop(self) -> None:
        await self._health.enter_graceful_shutdown()
        await self._grpc.stop(grace=3.0)


class _Gate(grpc.aio.ServerInterceptor):
    """Lets in who is known, asks for a deadline, traces the call, and translates what it raises."""

    def __init__(self, directory: Directory, errors: ErrorTable) -> None:
        self._directory = directory
        self._errors = errors

    async def intercept_service(self, continuation: Any, handler_call_details: grpc.HandlerCallDetails) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(OPEN):
            return handler
        return self._guarded(handler, handler_call_details.method)

    def _guarded(self, handler: Any, method: str) -> Any:
        codec = (handler.request_deserializer, handler.response_serializer)
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._one(handler.unary_unary, method, unary=True), *codec)
        if handler.stream_unary:
            return grpc.stream_unary_rpc_method_handler(self._one(handler.stream_unary, method, unary=False), *codec)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(self._many(handler.unary_stream, method), *codec)
        return grpc.stream_stream_rpc_method_handler(self._many(handler.stream_stream, method), *codec)

    def _one(self, behaviour: Any, method: str, *, unary: bool) -> Any:
        async def answer(request: Any, context: Context) -> Any:
            await self._admit(context)
            if unary and context.time_remaining() is None:
                await _abort(context, (grpc.StatusCode.INVALID_ARGUMENT, "NO_DEADLINE"), "set a deadline for the call")
            try:
                with _traced(method, context):
                    return await behaviour(request, context)
            except Exception as error:  # noqa: BLE001  every error leaves through the table
                await self._refuse(context, method, error)

        return answer

    def _many(self, behaviour: Any, method: str) -> Any:
        async def answer(request: Any, context: Context) -> AsyncIterator[Any]:
            await self._admit(context)
            try:
                with _traced(method, context):
                    async for message in behaviour(request, context):
                        yield message
            except Exception as error:  # noqa: BLE001  every error leaves through the table
                await self._refuse(context, method, error)

        return answer

    async def _admit(self, context: Context) -> None:
        scheme, _, given = _metadata(context, "authorization").partition(" ")
        found = self._directory.find(given) if scheme.lower() == "bearer" else None
        if found is None:
            await _abort(
                context,
                (grpc.StatusCode.UNAUTHENTICATED, "UNKNOWN_TOKEN"),
                "the bearer token is missing or unknown; send metadata 'authorization: Bearer <token>'",
            )
            return
        current.set(found)
        token.set(given)

    async def _refuse(self, context: Context, method: str, error: Exception) -> None:
        if isinstance(error, grpc.aio.AbortError):
            raise error
        for kind in type(error).__mro__:
            if kind in self._errors:
                await _abort(context, self._errors[kind], str(error))
        telemetry.log.exception("call_failed", method=method, exc_info=error)
        await _abort(
            context,
            (grpc.StatusCode.INTERNAL, "INTERNAL"),
            f"the call failed for a reason it should not have ({type(error).__name__}); the service's log says more",
        )


def _service_names() -> list[str]:
    """All that this process has imported; a name more does no harm."""
    names = [reflection.SERVICE_NAME, health.SERVICE_NAME]
    pool: Any = descriptor_pool.Default()
    for package in ("eventlog", "ingest", "propagation", "hazard", "alerting"):
        for kind in ("EventLog", "Operations", package.capitalize()):
            name = f"spacecom.{package}.v1.{kind}Service"
            try:
                pool.FindServiceByName(name)
            except KeyError:
                continue
            names.append(name)
    return names


@contextmanager
def _traced(method: str, context: Context) -> Iterator[None]:
    with telemetry.span(method.rpartition(".")[2], parent=_metadata(context, "traceparent") or None):
        yield


def _metadata(context: Context, key: str) -> str:
    for name, value in context.invocation_metadata() or ():
        if name == key:
            return value if isinstance(value, str) else value.decode("ascii", "replace")
    return ""


async def _abort(context: Context, status: Status, message: str) -> None:
    code, reason = status
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN))
    detailed = status_pb2.Status(code=code.value[0], message=message, details=[info])
    await context.abort_with_status(rpc_status.to_status(detailed))
