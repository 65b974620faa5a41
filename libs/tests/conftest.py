"""A service and its consumer on a real Postgres and a real Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faststream.kafka import KafkaBroker

from libs import consume, topics
from libs.eventlog import EventLog
from libs.relay import Relay
from libs.tests.facts import cause, fact
from spacecom.ingest.v1 import ingest_events_pb2 as pb

TOPIC = "spacecom.ingest.v1"


@dataclass
class Bench:
    """`log` publishes to the topic of ingest, `consumer_log` is the database of who consumes it."""

    bootstrap: str
    namespace: str
    log: EventLog
    consumer_log: EventLog
    handled: list[Any] = field(default_factory=list)

    @property
    def topic(self) -> str:
        return topics.topic_name(TOPIC, self.namespace)

    def relay(self) -> Relay:
        return Relay(self.log, self.bootstrap, self.namespace)

    async def write(self, stream: str, count: int, *, after: int = 0, source: str = "x") -> None:
        await self.log.commit(stream, [fact(source) for _ in range(count)], after=after, cause=cause())

    async def note(self, delivery):
        """The handler of most tests: notes the sequence in the transaction."""

        async def commit(conn):
            self.handled.append((delivery.stream, delivery.sequence))

        return commit

    @asynccontextmanager
    async def consuming(self, handler=None, *, consumer="test", ordered=False, batch=100, handlers=None):
        broker = KafkaBroker(
            self.bootstrap, apply_types=False, allow_auto_create_topics=False, logger=None, graceful_timeout=5.0
        )
        subscription = consume.subscribe(
            broker,
            self.consumer_log,
            consumer=consumer,
            topic=self.topic,
            handlers=handlers or {pb.InputRejected: handler or self.note},
            ordered=ordered,
            batch=batch,
        )
        await broker.start()
        try:
            yield subscription
        finally:
            subscription.stop()
            await broker.stop()

    async def parked(self) -> list[Any]:
        return await self.consumer_log.pool.fetch('SELECT * FROM parked ORDER BY topic, partition, "offset"')

    async def published(self, count: int) -> list[Any]:
        """The first `count` records of the topic, in order of partition and offset."""
        consumer = AIOKafkaConsumer(
            self.topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", group_id=None
        )
        await consumer.start()
        try:
            records = [await consumer.getone() for _ in range(count)]
        finally:
            await consumer.stop()
        return sorted(records, key=lambda record: (record.partition, record.offset))

    async def send(self, headers: list[tuple[str, bytes]], body: bytes = b"", key: bytes = b"k") -> None:
        """A message as anybody might send it."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            await producer.send_and_wait(self.topic, body, key=key, headers=headers)
        finally:
            await producer.stop()


@pytest.fixture
async def bench(kafka, namespace, service_database) -> Bench:
    await topics.declare(kafka.bootstrap, namespace, topics.written_by("ingest"))
    return Bench(
        kafka.bootstrap,
        namespace,
        EventLog(await service_database("ingest"), "ingest"),
        EventLog(await service_database("propagation"), "propagation"),
    )


@pytest.fixture
async def relay(bench) -> AsyncIterator[Relay]:
    running = bench.relay()
    running.start()
    yield running
    await running.stop()
