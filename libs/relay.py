"""Publishes a service's log to Kafka in position order, at least once.

One cursor row, held while a batch is sent; the server ends the session of a relay that freezes with it, so that another
can go on. What a frozen relay sends when it wakes is old, and consumers drop it by sequence.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from libs import envelope, telemetry, topics
from libs.eventlog import EventLog, Recorded, recorded

BATCH = 500
SEND_TIMEOUT_S = 5.0  # under the idle_in_transaction_session_timeout of the pool
FLOOR_S = 1.0
RETRY_S = 0.5
FIRST_LOOK_S = 0.002


class Relay:
    def __init__(self, log: EventLog, bootstrap_servers: str, namespace: str) -> None:
        self._log = log
        self._bootstrap_servers = bootstrap_servers
        self._namespace = namespace
        self._producer: AIOKafkaProducer | None = None
        self._task: asyncio.Task[None] | None = None
        self._held = asyncio.Lock()
        self.problem = ""  # why nothing is published now
        self.position = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="relay")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._drop_producer()

    def hold(self) -> asyncio.Lock:
        """While it is held nothing is published."""
        return self._held

    async def drain(self) -> None:
        """Returns once all that is in the log now is in Kafka."""
        head = await self._log.head()
        while self.position < head:
            self._log.appended.set()
            await asyncio.sleep(0.01)

    async def _run(self) -> None:
        while True:
            self._log.appended.clear()
            try:
                async with self._held:
                    published = await self._publish()
                self.problem = ""
            except (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                await self._failed(error)
                continue
            if not published:
                await self._wait()

    async def _failed(self, error: Exception) -> None:
        problem = f"publishing waits: {type(error).__name__}: {error}"
        if problem != self.problem:
            telemetry.log.warning("relay_waits", error=problem)
        self.problem = problem
        await self._drop_producer()
        await asyncio.sleep(RETRY_S)

    async def _wait(self) -> None:
        """Until an append; it announces itself before its commit, so looks again after growing pauses."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._log.appended.wait(), FLOOR_S)
        pause = FIRST_LOOK_S
        while pause < FLOOR_S and not await self._behind():
            await asyncio.sleep(pause)
            pause *= 2

    async def _behind(self) -> bool:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return await self._log.head() > self.position
        return True  # the database is away; publishing says why

    async def _publish(self) -> int:
        producer = await self._started()
        async with self._log.pool.acquire() as conn, conn.transaction():
            row = await conn.fetchrow("SELECT position FROM relay FOR UPDATE SKIP LOCKED")
            if row is None:  # another relay is at it
                return 0
            after: int = row["position"]
            rows = await conn.fetch("SELECT * FROM events WHERE position > $1 ORDER BY position LIMIT $2", after, BATCH)
            if rows:
                await self._send(producer, [recorded(one) for one in rows])
                await conn.execute("UPDATE relay SET position = $2 WHERE position = $1", after, rows[-1]["position"])
        self.position = rows[-1]["position"] if rows else after
        telemetry.events_published.add(len(rows), {"service": self._log.service})
        return len(rows)

    async def _send(self, producer: AIOKafkaProducer, events: Sequence[Recorded]) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            sent = [await self._send_one(producer, event) for event in events]
            await asyncio.gather(*sent)

    async def _send_one(self, producer: AIOKafkaProducer, event: Recorded) -> "asyncio.Future[object]":
        topic = topics.topic_of(event.type)
        sent: asyncio.Future[object] = await producer.send(
            topics.topic_name(topic.name, self._namespace),
            value=event.data,
            key=topics.key(topic, event.stream, event.version).encode(),
            headers=envelope.headers(event, self._log.service),
        )
        return sent

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap_servers,
                client_id=f"spacecom-{self._log.service}",
                enable_idempotence=True,
                acks="all",
                request_timeout_ms=4000,
                metadata_max_age_ms=2000,
                linger_ms=2,
            )
            starting = asyncio.ensure_future(producer.start())
            try:
                await asyncio.shield(starting)
            except BaseException:
                await asyncio.gather(starting, return_exceptions=True)  # cut off it would leave its connection open
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), SEND_TIMEOUT_S)
