"""What every service offers its operators and auditors: its log, its condition, parked messages, rebuilding."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
import grpc
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, UnknownTopicOrPartitionError, for_code

from libs import rpc, topics
from libs.consume import Subscription
from libs.eventlog import LOG_LOCK, EventLog, Fact, Recorded, recorded
from libs.logwire import from_wire, read_log, to_wire
from libs.postgres import Connection
from libs.relay import Relay
from libs.retention import Removal, Retention
from libs.topics import Topic
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.eventlog.v1 import operations_service_pb2 as pb
from spacecom.eventlog.v1.eventlog_service_pb2_grpc import (
    EventLogServiceServicer,
    add_EventLogServiceServicer_to_server,
)
from spacecom.eventlog.v1.operations_service_pb2_grpc import (
    OperationsServiceServicer,
    add_OperationsServiceServicer_to_server,
)
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_OPERATOR, ROLE_VIEWER

BATCH = 200
REBUILD_BATCH = 1000
FOLLOW_S = 0.2
MAX_PART_BYTES = 2**20
LAG_EVENTS = 1000  # behind by more than this the relay counts as degraded
TOPIC_WAIT_S = 30.0


@dataclass
class Operations:
    """What a process runs, as far as an operator may ask about it."""

    service: str
    log: EventLog
    relay: Relay
    bootstrap_servers: str
    namespace: str
    subscriptions: Sequence[Subscription] = ()
    tables: Sequence[str] = ()
    upstream: Mapping[str, Sequence[str]] = field(default_factory=dict)
    upstream_addresses: Mapping[str, str] = field(default_factory=dict)
    model_version: Callable[[], str] = str
    degraded: Sequence[Callable[[], Awaitable[list[str]]]] = ()
    retention: Retention | None = None
    open_work: Sequence[Callable[[], Awaitable[int]]] = ()
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    broker_problem: str = ""

    async def reasons(self) -> list[str]:
        lag = await self.log.head() - self.relay.position
        found = [self.broker_problem, self.relay.problem, *(one.problem for one in self.subscriptions)]
        if lag > LAG_EVENTS:
            found.append(f"{lag} events wait to be published")
        for ask in self.degraded:
            found += await ask()
        parked = await self.parked_count()
        if parked:
            found.append(f"{parked} messages are parked; list them, mend the cause, redrive")
        return [reason for reason in found if reason]

    async def parked_count(self) -> int:
        consumers = [one.consumer for one in self.subscriptions]
        return int(await self.log.pool.fetchval("SELECT count(*) FROM parked WHERE consumer = ANY($1)", consumers))

    async def flow(self) -> pb.GetFlowResponse:
        """Counted in the order in which work passes through: what is done while counting is not missed."""
        consumers = [await self._consumer_flow(one) for one in self.subscriptions]
        open_work = sum([await count() for count in self.open_work])
        rows = await self.log.pool.fetch(
            "SELECT type, stream, max(version) AS last, count(*) AS count FROM events GROUP BY type, stream"
        )
        return pb.GetFlowResponse(
            topics=[pb.TopicFlow(topic=name, reach=reach) for name, reach in sorted(_reach(rows).items())],
            consumers=consumers,
            open_work_count=open_work,
        )

    async def _consumer_flow(self, subscription: Subscription) -> pb.ConsumerFlow:
        _, topic = topics.split(subscription.topic)
        count = "count(*)" if topic.by_event else "coalesce(sum(sequence), 0)"
        consumer, pool = subscription.consumer, self.log.pool
        handled = await pool.fetchval(f"SELECT ({count})::bigint FROM progress WHERE consumer = $1", consumer)
        parked = await pool.fetchval("SELECT count(*) FROM parked WHERE consumer = $1", consumer)
        return pb.ConsumerFlow(consumer=consumer, topic=topic.name, reach=handled, parked_count=parked)

    async def import_fact(self, event: Recorded) -> bool:
        """Whether it was new."""
        per_fact = topics.topic_of(event.type).redistribution == topics.PER_FACT
        stated = event.redistribution if per_fact else ""
        fact = Fact(event.message(), event.occurred_at, event.event_id, event.available_at, stated)
        async with self.log.pool.acquire() as conn, conn.transaction():
            if await conn.fetchval("SELECT EXISTS (SELECT FROM events WHERE event_id = $1)", event.event_id):
                return False
            version = await conn.fetchval(
                "SELECT coalesce(max(version), 0) FROM events WHERE stream = $1", event.stream
            )
            await self.log.append(conn, event.stream, [fact], after=version, cause=event.cause)
        return True

    async def rebuild_read_models(self, token: str) -> int:
        count = await self._rebuild_own()
        for service in self.upstream:
            count += await self._rebuild_upstream(service, token)
        return count

    async def rebuild_as_migrated(self) -> int:
        """Makes them anew where a migration left them incomplete; of processes that start together one does it."""
        async with self.log.pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", LOG_LOCK)
            left = await conn.fetch("DELETE FROM rebuilds RETURNING migration")
            return await self._rebuild_within(conn) if left else 0

    async def _rebuild_own(self) -> int:
        """Appends wait meanwhile; readers see the old rows until the new ones are complete."""
        async with self.log.pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", LOG_LOCK)
            return await self._rebuild_within(conn)

    async def _rebuild_within(self, conn: Connection) -> int:
        project_all = self.log.project_all
        if not project_all or not self.tables:
            return 0
        count = 0
        await _empty(conn, self.tables)
        cursor = await conn.cursor("SELECT * FROM events ORDER BY position")
        while rows := await cursor.fetch(REBUILD_BATCH):
            await project_all(conn, [recorded(row) for row in rows])
            count += len(rows)
        return count

    async def _rebuild_upstream(self, service: str, token: str) -> int:
        address = self.upstream_addresses.get(service)
        if not address:
            raise rpc.FailedPrecondition(
                f"the address of {service} is not set; set SPACECOM_UPSTREAM_ADDRESSES to read its log"
            )
        subscription = next(one for one in self.subscriptions if topics.split(one.topic)[1].writer == service)
        async with self.log.pool.acquire() as conn, conn.transaction():
            await _empty(conn, self.upstream[service])
        count = 0
        async for event in read_log(address, token):
            await subscription.apply(event)
            count += 1
        return count

    async def rebuild_topics(self, forced: Sequence[str]) -> tuple[list[str], int]:
        owned = topics.written_by(self.service)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()
        try:
            await self._refuse_if_consumed(admin, owned, forced)
            async with self.relay.hold(), self.log.pool.acquire() as conn, conn.transaction():
                await conn.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{2 * TOPIC_WAIT_S:.0f}s'")
                await conn.execute("SELECT FROM relay FOR UPDATE")  # relays of other processes wait, too
                await self._recreate(admin, owned)
                await conn.execute("UPDATE relay SET position = 0")
                self.relay.position = 0
        finally:
            await admin.close()
        self.log.appended.set()
        return [topics.topic_name(topic.name, self.namespace) for topic in owned], await self.log.head()

    async def _refuse_if_consumed(
        self, admin: AIOKafkaAdminClient, owned: Sequence[Topic], forced: Sequence[str]
    ) -> None:
        """A topic recreated under a live consumer can leave it silent for a minute."""
        consumers = sorted({name for topic in owned if topic.name not in forced for name in topic.consumers})
        for name in consumers:
            if await _has_members(admin, topics.group(name, self.namespace)):
                raise rpc.FailedPrecondition(
                    f"consumer {name} is running; stop it first, or name its topic to recreate it all the same"
                )

    async def _recreate(self, admin: AIOKafkaAdminClient, owned: Sequence[Topic]) -> None:
        names = [topics.topic_name(topic.name, self.namespace) for topic in owned]
        answer = await admin.delete_topics(names)
        for name, code, *_ in answer.topic_error_codes:
            if code not in (0, UnknownTopicOrPartitionError.errno):
                raise for_code(code)(f"topic {name} could not be deleted")
        async with asyncio.timeout(TOPIC_WAIT_S):
            while set(names) & set(await admin.list_topics()):  # noqa: ASYNC110  the broker tells nobody
                await asyncio.sleep(0.1)
        await topics.declare(self.bootstrap_servers, self.namespace, owned)


def _reach(rows: Iterable[asyncpg.Record]) -> dict[str, int]:
    """By topic: the sum over its keys of the last version there, which a consumer's progress adds up to, too."""
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        topic = topics.topic_of(row["type"])
        key = (topic.name, row["stream"])
        last[key] = last.get(key, 0) + row["count"] if topic.by_event else max(last.get(key, 0), row["last"])
    found: dict[str, int] = {}
    for (name, _), reach in last.items():
        found[name] = found.get(name, 0) + reach
    return found


async def _has_members(admin: AIOKafkaAdminClient, group: str) -> bool:
    async with asyncio.timeout(TOPIC_WAIT_S):
        while True:
            try:
                (answer,) = await admin.describe_consumer_groups([group])
            except GroupCoordinatorNotAvailableError:  # the broker makes its topic of groups when first asked
                await asyncio.sleep(0.2)
            else:
                return bool(answer.to_object()["groups"][0]["members"])


async def _empty(conn: Connection, tables: Sequence[str]) -> None:
    for table in tables:
        await conn.execute(f"DELETE FROM {table}")


class EventLogServicer(EventLogServiceServicer):
    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def Read(self, request: log_pb.ReadRequest, context: object) -> AsyncIterator[log_pb.ReadResponse]:
        rpc.require(ROLE_VIEWER)
        _refuse_limited()
        until = request.recorded_until.ToDatetime(UTC) if request.HasField("recorded_until") else None
        if request.follow and until:
            raise rpc.BadArgument("follow and recorded_until exclude each other; ask for one of them")
        if request.after_position < 0 or request.limit < 0:
            raise rpc.BadArgument("after_position and limit must not be negative")
        after, left = request.after_position, request.limit or 2**63
        held = rpc.rights()
        while left:
            events = await self._log.read(
                stream=request.stream, after=after, recorded_until=until, limit=min(BATCH, left)
            )
            for part in _parts(events, held):
                yield log_pb.ReadResponse(events=part)
            if events:
                after, left = events[-1].position, left - len(events)
            elif not request.follow:
                return
            else:
                await asyncio.sleep(FOLLOW_S)


def _parts(events: Sequence[Recorded], held: frozenset[str]) -> Iterator[list[log_pb.RecordedEvent]]:
    """Answers that stay under the message limit of a client with default settings."""
    part: list[log_pb.RecordedEvent] = []
    size = 0
    for event in events:
        if part and size + len(event.data) > MAX_PART_BYTES:
            yield part
            part, size = [], 0
        part.append(to_wire(event, held))
        size += len(event.data) + 500
    if part:
        yield part


def _refuse_limited() -> None:
    """The log holds everything, so only who may see everything may read it."""
    principal = rpc.principal()
    limits = principal.entitlements
    if (limits.catalogue_numbers or limits.fir_designators) and ROLE_OPERATOR not in principal.roles:
        raise rpc.PermissionDenied("the log shows every object and region; the contract limits what may be seen")


class OperationsServicer(OperationsServiceServicer):
    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def GetStatus(self, request: pb.GetStatusRequest, context: object) -> pb.GetStatusResponse:
        rpc.require(ROLE_VIEWER)
        operations = self._operations
        reasons = await operations.reasons()
        condition = pb.CONDITION_DEGRADED if reasons else pb.CONDITION_HEALTHY
        return pb.GetStatusResponse(
            service=operations.service,
            condition=condition if operations.ready.is_set() else pb.CONDITION_NOT_READY,
            reasons=reasons,
            log_position=await operations.log.head(),
            relay_position=operations.relay.position,
            parked_count=await operations.parked_count(),
            model_version=operations.model_version(),
        )

    async def ListParked(self, request: pb.ListParkedRequest, context: object) -> pb.ListParkedResponse:
        rpc.require(ROLE_OPERATOR)
        size = request.page_size or 100
        if not 1 <= size <= 1000 or not (request.page_token or "0").isdecimal():
            raise rpc.BadArgument("page_size must be 1 to 1000, or 0 for 100; page_token as it was given")
        skip = int(request.page_token or 0)
        rows = await self._operations.log.pool.fetch(
            """SELECT consumer, topic, partition, "offset", stream, error, parked_at FROM parked
               WHERE $1 = '' OR consumer = $1
               ORDER BY parked_at, consumer, topic, partition, "offset" LIMIT $2 OFFSET $3""",
            request.consumer,
            size + 1,
            skip,
        )
        token = str(skip + size) if len(rows) > size else ""
        return pb.ListParkedResponse(parked=map(_parked, rows[:size]), next_page_token=token)

    async def Redrive(self, request: pb.RedriveRequest, context: object) -> pb.RedriveResponse:
        rpc.require(ROLE_OPERATOR)
        known = {one.consumer: one for one in self._operations.subscriptions}
        if request.consumer not in known:
            names = ", ".join(sorted(known)) or "none"
            raise rpc.BadArgument(f"consumer {request.consumer!r} does not run here; those that do: {names}")
        handled, remaining = await known[request.consumer].redrive(request.stream or None)
        return pb.RedriveResponse(handled_count=handled, remaining_count=remaining)

    async def RebuildReadModels(
        self, request: pb.RebuildReadModelsRequest, context: object
    ) -> pb.RebuildReadModelsResponse:
        rpc.require(ROLE_OPERATOR)
        return pb.RebuildReadModelsResponse(event_count=await self._operations.rebuild_read_models(rpc.token.get()))

    async def RebuildTopics(self, request: pb.RebuildTopicsRequest, context: object) -> pb.RebuildTopicsResponse:
        rpc.require(ROLE_OPERATOR)
        names, count = await self._operations.rebuild_topics(request.force_topics)
        return pb.RebuildTopicsResponse(topics=names, event_count=count)

    async def ApplyRetention(self, request: pb.ApplyRetentionRequest, context: object) -> pb.ApplyRetentionResponse:
        rpc.require(ROLE_OPERATOR)
        retention = self._operations.retention
        if retention is None:
            return pb.ApplyRetentionResponse()
        removals = await retention.apply(rpc.token.get(), datetime.now(UTC), dry_run=request.dry_run)
        return pb.ApplyRetentionResponse(removals=map(_removal, removals))

    async def GetFlow(self, request: pb.GetFlowRequest, context: object) -> pb.GetFlowResponse:
        rpc.require(ROLE_VIEWER)
        return await self._operations.flow()

    async def Import(self, request_iterator: AsyncIterator[pb.ImportRequest], context: object) -> pb.ImportResponse:
        rpc.require(ROLE_OPERATOR)
        if not self._operations.namespace:
            raise rpc.FailedPrecondition(
                "facts are imported only into the namespace of a replay; submit the input to ingest instead"
            )
        new = known = 0
        async for request in request_iterator:
            if await self._operations.import_fact(from_wire(request.event)):
                new += 1
            else:
                known += 1
        return pb.ImportResponse(imported_count=new, known_count=known)


def _removal(one: Removal) -> pb.Removal:
    return pb.Removal(policy=one.policy, count=one.count, note=one.note)


def _parked(row: asyncpg.Record) -> pb.ParkedMessage:
    message = pb.ParkedMessage(
        consumer=row["consumer"],
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        stream=row["stream"],
        error=row["error"],
    )
    message.parked_at.FromDatetime(row["parked_at"])
    return message


def register(operations: Operations) -> Callable[[grpc.aio.Server], None]:
    def add(server: grpc.aio.Server) -> None:
        add_EventLogServiceServicer_to_server(EventLogServicer(operations.log), server)
        add_OperationsServiceServicer_to_server(OperationsServicer(operations), server)

    return add
