"""The event log under load: appended through the group commit, relayed to Kafka, taken up by a consumer, none lost."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from faststream.kafka import KafkaBroker
from pydantic import SecretStr

from infra.local.kafka import Kafka
from infra.local.places import folder
from infra.local.postgres import Postgres
from libs import consume, postgres, topics
from libs.bench.harness import Outcome
from libs.consume import Commit, Delivery, Handler
from libs.eventlog import Cause, EventLog, Fact, new_id
from libs.postgres import Connection, PostgresSettings
from libs.relay import Relay
from spacecom.ingest.v1 import ingest_events_pb2 as pb

if TYPE_CHECKING:
    from google.protobuf.message import Message

WANTED_PER_S = 1000.0
EVENTS, STREAMS = 30_000, 200
LIMIT_S = 300.0
BODY = 400  # bytes, as an element set has
TOPIC = "spacecom.ingest.v1"
PASSWORD = "of-the-bench"  # noqa: S105  of databases that live as long as the case
NO_MIGRATIONS = Path(__file__).parent / "no-migrations"


@dataclass
class Bench:
    """Two databases and a broker: of who appends, and of who consumes."""

    log: EventLog
    consumer_log: EventLog
    bootstrap: str
    latencies_s: list[float] = field(default_factory=list)
    taken: dict[str, list[int]] = field(default_factory=dict)

    @property
    def taken_count(self) -> int:
        return sum(map(len, self.taken.values()))

    async def take(self, delivery: Delivery[pb.InputRejected]) -> Commit:
        async def commit(_conn: Connection) -> None:
            self.taken.setdefault(delivery.stream, []).append(delivery.sequence)

        return commit


def throughput() -> Outcome:
    """No peer: rates of the three stages alone and at once, on durable servers, and the count of what is lost."""
    with tempfile.TemporaryDirectory(prefix="spacecom-bench-", ignore_cleanup_errors=True) as place:
        database, broker = Postgres(folder(Path(place)) / "postgres"), Kafka(Path(place) / "kafka")
        database.start()
        broker.start()
        try:
            return asyncio.run(_measured(database, broker.bootstrap))
        finally:
            broker.stop()
            database.stop()


async def _measured(database: Postgres, bootstrap: str) -> Outcome:
    async with _bench(database, bootstrap) as bench:
        rates = {stage.__name__: EVENTS / await _seconds(stage(bench, EVENTS)) for stage in STAGES}
        alone_ms, bench.latencies_s = _p99_ms(bench), []
        together = EVENTS / await _seconds(asyncio.gather(*(stage(bench, 2 * EVENTS) for stage in STAGES)))
        told, is_whole = _account(bench)
    return Outcome(
        case="log",
        title=f"event log, {EVENTS} events of {BODY} bytes in {STREAMS} streams: each stage alone, then all at once",
        unit="events/s",
        rates=rates | {"all at once": together},
        must=(),
        gate=f"sustains {together:.0f} events/s through all three at once (>= {WANTED_PER_S:.0f}); {told}",
        gate_ok=together >= WANTED_PER_S and is_whole,
        compile_s=0.0,
        notes=[
            f"p99 from append to answer: {alone_ms:.0f} ms alone, {_p99_ms(bench):.0f} ms with the others at work",
            f"{STREAMS} writers, each waits for its answer; fsync on",
        ],
    )


async def appended(bench: Bench, until: int) -> None:
    """Through the group commit: each writer has a stream and waits for each answer, as commands come."""
    each = EVENTS // STREAMS
    first = until // STREAMS - each

    async def write(stream: str) -> None:
        for n in range(first, first + each):
            fact = Fact(pb.InputRejected(source="bench", raw=bytes(BODY)), datetime.now(UTC), new_id())
            started = time.perf_counter()
            await bench.log.commit(stream, [fact], after=n, cause=Cause(new_id(), None, ""))
            bench.latencies_s.append(time.perf_counter() - started)

    await asyncio.gather(*(write(f"rejected/{n}") for n in range(STREAMS)))


async def relayed(bench: Bench, until: int) -> None:
    relay = Relay(bench.log, bench.bootstrap, "")
    relay.start()
    await _until(lambda: relay.position >= until)
    await relay.stop()


async def consumed(bench: Bench, until: int) -> None:
    """The time to join the group counts."""
    broker = KafkaBroker(bench.bootstrap, apply_types=False, allow_auto_create_topics=False, logger=None)
    handlers: dict[type[Message], Handler] = {pb.InputRejected: bench.take}
    subscription = consume.subscribe(
        broker, bench.consumer_log, consumer="bench", topic=TOPIC, handlers=handlers, batch=500
    )
    await broker.start()
    await _until(lambda: bench.taken_count >= until)
    subscription.stop()
    await broker.stop()


STAGES = (appended, relayed, consumed)


def _account(bench: Bench) -> tuple[str, bool]:
    """What became of every event, in words and as a verdict."""
    lost = 2 * EVENTS - sum(len(set(versions)) for versions in bench.taken.values())
    doubled = bench.taken_count + lost - 2 * EVENTS
    ordered = all(versions == sorted(versions) for versions in bench.taken.values())
    order = "in order" if ordered else "NOT in order"
    return f"of {2 * EVENTS} events {lost} lost, {doubled} doubled, {order}", lost == doubled == 0 and ordered


def _p99_ms(bench: Bench) -> float:
    return float(np.quantile(bench.latencies_s, 0.99)) * 1e3


async def _seconds(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not reached():  # noqa: ASYNC110  counts in this process, seen by nobody else
            await asyncio.sleep(0.005)


@asynccontextmanager
async def _bench(database: Postgres, bootstrap: str) -> AsyncIterator[Bench]:
    settings = PostgresSettings(postgres_url=database.url, postgres_password=SecretStr(PASSWORD), namespace="")
    await topics.declare(bootstrap, "")
    logs = []
    for service in ("ingest", "propagation"):
        await postgres.provision(database.admin_url, service, "", PASSWORD, NO_MIGRATIONS)
        logs.append(EventLog(await postgres.create_pool(settings, service), service))
    yield Bench(logs[0], logs[1], bootstrap)
    for log in logs:
        await log.pool.close()
