"""Streams of facts in one Postgres table per service, which is also the outbox.

Position order is commit order: an append takes the log's advisory lock last and holds it until its transaction ends.
"""

import asyncio
import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

import asyncpg
import uuid_utils
from google.protobuf import symbol_database
from google.protobuf.message import Message

from libs import telemetry, topics
from libs.postgres import Connection
from libs.redistribution import INTERNAL

LOG_LOCK = 0x53504C4F
REQUEST_LOCK = 0x53505251
MAX_EVENT_BYTES = 900_000  # under Kafka's message limit of 1 MiB with headers
MAX_GROUP = 500
INSERT = """
    WITH stamp AS MATERIALIZED (
        SELECT greatest(clock_timestamp(), (SELECT recorded_at FROM events ORDER BY position DESC LIMIT 1)) AS at
    )
    INSERT INTO events (event_id, stream, version, type, data, meta, occurred_at, available_at, recorded_at)
    SELECT r.event_id, r.stream, r.version, r.type, r.data, r.meta::jsonb, r.occurred_at,
           coalesce(r.available_at, stamp.at), stamp.at
    FROM stamp, unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::bytea[], $6::text[],
                       $7::timestamptz[], $8::timestamptz[]) WITH ORDINALITY
         AS r (event_id, stream, version, type, data, meta, occurred_at, available_at, place)
    ORDER BY r.place
    RETURNING position, available_at, recorded_at
"""  # under the log's lock: clock_timestamp() of one append is then never before another's of a lower position

M = TypeVar("M", bound=Message)


class Conflict(Exception):
    """The stream is not at the version the facts were decided on; read it again and decide anew."""


class EventTooLarge(Exception):
    """The event would not pass through Kafka and would block all behind it."""


class IdempotencyMismatch(Exception):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a fact follows from."""

    correlation_id: UUID
    causation_id: UUID | None
    traceparent: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact to be appended; `available_at` is when its source published it, if that is known.

    `redistribution` is its class where its topic leaves that to each fact.
    """

    message: Message
    occurred_at: datetime
    event_id: UUID
    available_at: datetime | None = None
    redistribution: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    position: int
    event_id: UUID
    stream: str
    version: int
    type: str
    data: bytes
    occurred_at: datetime
    available_at: datetime
    recorded_at: datetime
    cause: Cause
    redistribution: str = INTERNAL

    def message(self) -> Message:
        return symbol_database.Default().GetSymbol(self.type).FromString(self.data)


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Identity of a command: its caller, the call, the key the caller chose; `body` tells a repeat from a misuse."""

    principal: str
    method: str
    key: str
    body: bytes


Write = tuple[str, int, Sequence[Fact]]  # stream, version decided on, facts
Project = Callable[[Connection, Recorded], Awaitable[None]]
ProjectAll = Callable[[Connection, Sequence[Recorded]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Row:
    """What is inserted for a fact."""

    stream: str
    version: int
    type: str
    data: bytes
    meta: str
    fact: Fact
    cause: Cause
    redistribution: str


@dataclass(eq=False, slots=True)
class _Waiting:
    write: Write
    cause: Cause
    done: asyncio.Future[list[Recorded]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


def new_id() -> UUID:
    """For a fact from outside: UUIDv7."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def derived_id(cause: UUID, service: str, ordinal: int) -> UUID:
    """For a fact that follows from another: the same each time it is derived."""
    return uuid.uuid5(cause, f"{service}/{ordinal}")


def one_by_one(project: Project) -> ProjectAll:
    async def project_all(conn: Connection, events: Sequence[Recorded]) -> None:
        for one in events:
            await project(conn, one)

    return project_all


class EventLog:
    """`project_all` writes the read models of own facts, in the transaction that appends them.

    It gets the facts of an append in order; its rows must not depend on how a rebuild groups them.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        service: str,
        project: Project | None = None,
        *,
        project_all: ProjectAll | None = None,
    ) -> None:
        self.pool = pool
        self.service = service
        self.project_all = project_all or (one_by_one(project) if project else None)
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        self.appended = asyncio.Event()  # set by each append, before its commit; the relay clears it

    async def load(self, conn: Connection, stream: str) -> list[Recorded]:
        rows = await conn.fetch("SELECT * FROM events WHERE stream = $1 ORDER BY version", stream)
        return [recorded(row) for row in rows]

    async def append(
        self, conn: Connection, stream: str, facts: Sequence[Fact], *, after: int, cause: Cause
    ) -> list[Recorded]:
        """Within the caller's transaction, as its last step: everyone else waits from here to its end.

        Raises Conflict when the stream is not at version `after`; the transaction can then go on.
        """
        return await self.append_all(conn, [(stream, after, facts)], cause)

    async def append_all(self, conn: Connection, writes: Sequence[Write], cause: Cause) -> list[Recorded]:
        """Several streams, all or none; otherwise as `append`. A stream is named once."""
        (outcome,) = await self._append(conn, [(writes, cause)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def commit(self, stream: str, facts: Sequence[Fact], *, after: int, cause: Cause) -> list[Recorded]:
        """In a transaction of its own, shared with the commits that wait at the same moment."""
        waiting = _Waiting((stream, after, facts), cause)
        self._waiting.append(waiting)
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        return await waiting.done

    async def command(self, key: RequestKey, handle: Callable[[Connection], Awaitable[M]], answer: type[M]) -> M:
        """Runs `handle` in one transaction with the record of its answer; a repeat gets that answer again.

        Raises IdempotencyMismatch when the key came with another body before.
        """
        digest = hashlib.sha256(key.body).digest()
        async with self.pool.acquire() as conn, conn.transaction():
            name = f"{key.principal}\n{key.method}\n{key.key}"
            await conn.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", REQUEST_LOCK, name)
            row = await conn.fetchrow(
                "SELECT body_sha256, response FROM requests WHERE principal = $1 AND method = $2 AND key = $3",
                key.principal,
                key.method,
                key.key,
            )
            if row is None:
                response = await handle(conn)
                await self._answer(conn, key, digest, response)
                return response
        if row["body_sha256"] != digest:
            raise IdempotencyMismatch(f"key {key.key!r} was used for another {key.method}; send a new key")
        return answer.FromString(row["response"])

    async def answer(self, principal: str, method: str, key: str) -> bytes | None:
        """What a command was answered; None where none of this key was: what it needs can then be computed first."""
        found: bytes | None = await self.pool.fetchval(
            "SELECT response FROM requests WHERE principal = $1 AND method = $2 AND key = $3", principal, method, key
        )
        return found

    async def _answer(self, conn: Connection, key: RequestKey, digest: bytes, response: Message) -> None:
        await conn.execute(
            "INSERT INTO requests (principal, method, key, body_sha256, response) VALUES ($1, $2, $3, $4, $5)",
            key.principal,
            key.method,
            key.key,
            digest,
            response.SerializeToString(deterministic=True),
        )

    async def _commit_waiting(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
            try:
                await self._commit_group(group)
            except Exception as error:  # noqa: BLE001  whatever failed, each caller must hear of it
                await self._commit_singly(group, error)

    async def _commit_singly(self, group: list[_Waiting], error: Exception) -> None:
        """One bad write must not fail its neighbours."""
        if len(group) == 1:
            _resolve(group[0], error)
            return
        for waiting in group:
            try:
                await self._commit_group([waiting])
            except Exception as own:  # noqa: BLE001  handed to its caller
                _resolve(waiting, own)

    async def _commit_group(self, group: list[_Waiting]) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            outcomes = await self._append(conn, [([waiting.write], waiting.cause) for waiting in group])
        for waiting, outcome in zip(group, outcomes, strict=True):
            _resolve(waiting, outcome)

    async def read(
        self, *, stream: str = "", after: int = 0, recorded_until: datetime | None = None, limit: int = 500
    ) -> list[Recorded]:
        """Events in position order; with `recorded_until` what was known then, whenever it is asked."""
        rows = await self.pool.fetch(
            """SELECT * FROM events
               WHERE position > $1 AND ($2 = '' OR stream = $2) AND ($3::timestamptz IS NULL OR recorded_at <= $3)
               ORDER BY position LIMIT $4""",
            after,
            stream,
            recorded_until,
            limit,
        )
        return [recorded(row) for row in rows]

    async def fact(self, event_id: UUID) -> Recorded | None:
        row = await self.pool.fetchrow("SELECT * FROM events WHERE event_id = $1", event_id)
        return recorded(row) if row else None

    async def head(self) -> int:
        """Greatest position, 0 when nothing was recorded."""
        return int(await self.pool.fetchval("SELECT coalesce(max(position), 0) FROM events"))

    async def _append(
        self, conn: Connection, group: Sequence[tuple[Sequence[Write], Cause]]
    ) -> list[list[Recorded] | Conflict]:
        """Each of the group as a whole or its Conflict."""
        encoded = [_encode(writes, cause) for writes, cause in group]
        await conn.execute("SELECT pg_advisory_xact_lock($1)", LOG_LOCK)
        versions = await _versions(conn, sorted({stream for writes, _ in group for stream, _, _ in writes}))
        conflicts = [_claim(writes, versions) for writes, _ in group]
        rows = [row for made, conflict in zip(encoded, conflicts, strict=True) if not conflict for row in made]
        stored = iter(await self._insert(conn, rows))
        return [conflict or list(islice(stored, len(made))) for made, conflict in zip(encoded, conflicts, strict=True)]

    async def _insert(self, conn: Connection, rows: Sequence[_Row]) -> list[Recorded]:
        if not rows:
            return []
        stamps = await conn.fetch(
            INSERT,
            [row.fact.event_id for row in rows],
            [row.stream for row in rows],
            [row.version for row in rows],
            [row.type for row in rows],
            [row.data for row in rows],
            [row.meta for row in rows],
            [row.fact.occurred_at for row in rows],
            [row.fact.available_at for row in rows],
        )
        stored = [_stored(row, *stamp) for row, stamp in zip(rows, stamps, strict=True)]
        if self.project_all:
            await self.project_all(conn, stored)
        self.appended.set()
        telemetry.events_appended.add(len(stored), {"service": self.service})
        return stored


def _stored(row: _Row, position: int, available_at: datetime, recorded_at: datetime) -> Recorded:
    return Recorded(
        position,
        row.fact.event_id,
        row.stream,
        row.version,
        row.type,
        row.data,
        row.fact.occurred_at,
        available_at,
        recorded_at,
        row.cause,
        row.redistribution,
    )


def recorded(row: asyncpg.Record) -> Recorded:
    meta = json.loads(row["meta"])
    cause = Cause(
        UUID(meta["correlation_id"]), UUID(meta["causation_id"]) if meta["causation_id"] else None, meta["traceparent"]
    )
    return Recorded(
        row["position"],
        UUID(bytes=row["event_id"].bytes),  # the plain type, not the driver's own
        row["stream"],
        row["version"],
        row["type"],
        row["data"],
        row["occurred_at"],
        row["available_at"],
        row["recorded_at"],
        cause,
        meta.get("redistribution", INTERNAL),
    )


async def _versions(conn: Connection, streams: list[str]) -> dict[str, int]:
    rows = await conn.fetch(
        "SELECT stream, max(version) AS version FROM events WHERE stream = ANY($1) GROUP BY stream", streams
    )
    return {row["stream"]: row["version"] for row in rows}


def _claim(writes: Sequence[Write], versions: dict[str, int]) -> Conflict | None:
    """Takes the versions the writes want, or says which is taken."""
    for stream, after, _ in writes:
        current = versions.get(stream, 0)
        if current != after:
            return Conflict(f"stream {stream} is at version {current}, not {after}; read it again and decide anew")
    versions.update({stream: after + len(facts) for stream, after, facts in writes})
    return None


def _encode(writes: Sequence[Write], cause: Cause) -> list[_Row]:
    metas: dict[str, str] = {}  # of each class: the same for all else of a cause
    return [row for write in writes for row in _rows(write, cause, metas)]


def _rows(write: Write, cause: Cause, metas: dict[str, str]) -> list[_Row]:
    stream, after, facts = write
    rows: list[_Row] = []
    for version, fact in enumerate(facts, after + 1):
        kind = fact.message.DESCRIPTOR.full_name
        held = topics.redistribution_of(kind, fact.redistribution)
        meta = metas[held] = metas.get(held) or _meta(cause, held)
        rows.append(_Row(stream, version, kind, _encoded(stream, fact.message), meta, fact, cause, held))
    return rows


def _meta(cause: Cause, redistribution: str) -> str:
    return json.dumps(
        {
            "correlation_id": str(cause.correlation_id),
            "causation_id": str(cause.causation_id or ""),
            "traceparent": cause.traceparent,
            "redistribution": redistribution,
        }
    )


def _encoded(stream: str, message: Message) -> bytes:
    topics.topic_of(message.DESCRIPTOR.full_name)
    data = message.SerializeToString(deterministic=True)
    if len(data) > MAX_EVENT_BYTES:
        kind = message.DESCRIPTOR.full_name
        raise EventTooLarge(
            f"{kind} for {stream} has {len(data)} bytes, at most {MAX_EVENT_BYTES} pass; keep the bulk as a blob"
        )
    return data


def _resolve(waiting: _Waiting, outcome: list[Recorded] | Exception) -> None:
    if waiting.done.done():  # its caller was cancelled
        return
    if isinstance(outcome, Exception):
        waiting.done.set_exception(outcome)
    else:
        waiting.done.set_result(outcome)
