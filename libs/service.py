"""A service's life: what starts in which order, when it is ready, and how it stops."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs import contracts, operations, postgres, rpc, telemetry
from libs.blobs import Blobs
from libs.consume import Subscription
from libs.eventlog import EventLog, Project, ProjectAll
from libs.operations import Operations
from libs.postgres import PostgresSettings
from libs.relay import Relay
from libs.retention import Retention, RetentionSettings
from libs.rpc import Add, ErrorTable, RpcSettings
from libs.telemetry import TelemetrySettings

RETRY_S = 1.0
NOT_YET = (  # the server is away, or the owner has not prepared it
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.UndefinedTableError,
    asyncpg.InsufficientPrivilegeError,
)


class ServiceSettings(PostgresSettings, TelemetrySettings, RpcSettings, RetentionSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    kafka_bootstrap: str = Field(description="Kafka brokers as host:port, separated by commas.")
    blobs_url: str = Field(description="Store of large results: file:///folder or s3://bucket/prefix.")
    upstream_addresses: dict[str, str] = Field(
        {},
        description="gRPC addresses of the services on the left, by name, as JSON: for read models and explanations.",
    )


@dataclass(frozen=True, slots=True)
class Mesh:
    """What a service is wired to."""

    pool: asyncpg.Pool
    log: EventLog
    broker: KafkaBroker
    blobs: Blobs


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a service adds. `on_start` runs for as long as the service does; `warm_up` ends before it is ready."""

    add_rpc: Sequence[Add] = ()
    subscriptions: Sequence[Subscription] = ()
    errors: ErrorTable = field(default_factory=dict)
    on_start: Sequence[Callable[[], Coroutine[None, None, None]]] = ()
    warm_up: Callable[[], Awaitable[None]] | None = None
    degraded: Sequence[Callable[[], Awaitable[list[str]]]] = ()
    open_work: Sequence[Callable[[], Awaitable[int]]] = ()
    model_version: Callable[[], str] = str


def run(main: Callable[[], Coroutine[None, None, None]]) -> int:
    """Exit status of a process that runs `main` until it is told to stop."""
    try:
        asyncio.run(main())
    except contracts.BadContracts as error:
        telemetry.log.error("cannot_start", error=str(error))
        return 1
    return 0


async def serve(
    service: str,
    settings: ServiceSettings,
    *,
    project: Project | None = None,
    project_all: ProjectAll | None = None,
    rebuild_tables: Sequence[str],
    upstream: Mapping[str, Sequence[str]],
    wire: Callable[[Mesh], Wiring],
) -> None:
    """Returns when a signal stops it; raises what one of its own tasks died of."""
    stopped = _stop_signals()
    async with AsyncExitStack() as stack:
        stack.callback(telemetry.setup(service, settings))
        directory = contracts.load(settings.contracts_file)
        pool = await _first(_pool(settings, service), stopped)
        if pool is None:
            return
        stack.push_async_callback(pool.close)
        log = EventLog(pool, service, project, project_all=project_all)
        broker = KafkaBroker(
            settings.kafka_bootstrap,
            client_id=f"spacecom-{service}",
            allow_auto_create_topics=False,
            apply_types=False,
            metadata_max_age_ms=2000,
            graceful_timeout=10.0,
            logger=None,
        )
        blobs = Blobs(settings.blobs_url, settings.namespace)
        retention = Retention(log, blobs, settings)
        wiring = wire(Mesh(pool, log, broker, blobs))
        relay = Relay(log, settings.kafka_bootstrap, settings.namespace)
        condition = Operations(
            service=service,
            log=log,
            relay=relay,
            bootstrap_servers=settings.kafka_bootstrap,
            namespace=settings.namespace,
            subscriptions=wiring.subscriptions,
            tables=rebuild_tables,
            upstream=upstream,
            upstream_addresses=settings.upstream_addresses,
            model_version=wiring.model_version,
            degraded=wiring.degraded,
            retention=retention,
            open_work=wiring.open_work,
        )
        add = [*wiring.add_rpc, operations.register(condition)]
        server = rpc.Server(settings, directory, add=add, errors=wiring.errors)
        await stack.enter_async_context(_running(server, relay))
        starts = [*wiring.on_start, retention.keep_applying]
        work = [_get_ready(condition, server, broker, wiring), *(start() for start in starts)]
        await _until(stopped, work)
        await server.set_ready(ready=False)
        for subscription in wiring.subscriptions:
            subscription.stop()
        with suppress(KafkaError):
            await broker.stop()


@asynccontextmanager
async def _running(server: rpc.Server, relay: Relay) -> AsyncIterator[None]:
    await server.start()
    relay.start()
    telemetry.log.info("answering", port=server.port)
    try:
        yield
    finally:
        await server.stop()
        await relay.stop()
        telemetry.log.info("stopped")


async def _get_ready(condition: Operations, server: rpc.Server, broker: KafkaBroker, wiring: Wiring) -> None:
    if count := await condition.rebuild_as_migrated():
        telemetry.log.info("rebuilt", events=count)
    if wiring.warm_up:
        await wiring.warm_up()
    await _join(condition, broker)
    for subscription in wiring.subscriptions:
        await subscription.joined.wait()
    condition.ready.set()
    await server.set_ready(ready=True)
    telemetry.log.info("ready")
    await asyncio.Event().wait()


async def _join(condition: Operations, broker: KafkaBroker) -> None:
    """Waits for Kafka however long it is away; the service answers meanwhile."""
    while True:
        try:
            await broker.start()
        except (KafkaError, OSError) as error:
            problem = f"Kafka is away: {error}"
            if problem != condition.broker_problem:
                telemetry.log.warning("kafka_away", error=problem)
            condition.broker_problem = problem
            with suppress(KafkaError, OSError):
                await broker.stop()
            await asyncio.sleep(RETRY_S)
        else:
            condition.broker_problem = ""
            return


async def _pool(settings: PostgresSettings, service: str) -> asyncpg.Pool:
    told = ""
    while True:
        try:
            pool = await postgres.create_pool(settings, service)
            try:
                await pool.fetchval("SELECT position FROM relay")
            except BaseException:
                pool.terminate()
                raise
        except NOT_YET as error:
            if str(error) != told:
                telemetry.log.warning("database_away", error=str(error), hint="prepared by: python -m infra.migrate")
            told = str(error)
            await asyncio.sleep(RETRY_S)
        else:
            return pool


async def _until(stopped: asyncio.Event, work: Sequence[Coroutine[None, None, None]]) -> None:
    """Raises when a piece of work ends before the stop."""
    tasks = [asyncio.create_task(one) for one in work]
    stop = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (stop, *tasks):
        task.cancel()
    await asyncio.gather(stop, *tasks, return_exceptions=True)
    for task in done - {stop}:
        task.result()


async def _first(wanted: Coroutine[None, None, asyncpg.Pool], stopped: asyncio.Event) -> asyncpg.Pool | None:
    task, stop = asyncio.create_task(wanted), asyncio.create_task(stopped.wait())
    await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not task.done():
        task.cancel()
        return None
    return task.result()


def _stop_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped
