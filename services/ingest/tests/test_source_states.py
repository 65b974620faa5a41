"""Silence as facts, metrics, and what a caller is told of every source."""

from datetime import UTC, datetime, timedelta

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from libs import telemetry
from services.ingest import projections
from services.ingest.rpc import IngestServicer
from services.ingest.source_states import Watch
from services.ingest.tests import cases
from services.ingest.tests.conftest import NOW
from services.ingest.tests.polled import START, clock, polling, server
from services.ingest.tests.sources_server import Answer
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire

__all__ = ["clock", "polling", "server"]


async def states(gate, name: str) -> list[tuple[str, datetime]]:
    async with gate.pool.acquire() as conn:
        facts = await gate.log.load(conn, f"source/{name}")
    return [(pb.SourceState.Name(one.message().state)[13:], one.occurred_at) for one in facts]


async def test_silence_is_a_fact_of_the_instant_it_was_due(gate, submit):
    await submit(cases.FIRST.encode())
    watch = Watch(gate.pool, gate.log, gate.settings)
    await watch.look(NOW + timedelta(hours=23))
    assert [state for state, _ in await states(gate, "test")] == ["HEALTHY"]
    for _ in range(2):  # the second look finds nothing to say
        await watch.look(NOW + timedelta(days=5))
    assert (await states(gate, "test"))[1:] == [
        ("LATE", NOW + timedelta(hours=24)),
        ("STALE", NOW + timedelta(hours=72)),
    ]
    await submit(cases.SECOND.encode())
    assert [state for state, _ in await states(gate, "test")][-1] == "RECOVERED"


async def test_a_polled_source_that_never_delivers_is_late_from_its_enabling(polling, server, gate):
    server.faults["/data"] = lambda _: Answer(304)
    async with polling("iers") as polled:
        await polled.run(START + timedelta(hours=1))
        await Watch(gate.pool, gate.log, polled.gate.settings).look(START + timedelta(days=9))
    assert [state for state, _ in await states(gate, "iers-finals2000a")] == ["HEALTHY", "LATE"]


async def test_ages_and_states_are_measured(gate, submit, monkeypatch):
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("spacecom")
    for name in ("age", "state", "halted"):
        monkeypatch.setattr(telemetry, f"source_{name}", meter.create_gauge(f"spacecom.sources.{name}"))
    await submit(cases.FIRST.encode())
    await Watch(gate.pool, gate.log, gate.settings).look(NOW + timedelta(hours=2))
    (resource,) = reader.get_metrics_data().resource_metrics
    found = {
        (metric.name, point.attributes.get("state", "")): point.value
        for metric in resource.scope_metrics[0].metrics
        for point in metric.data.data_points
    }
    assert found["spacecom.sources.age", ""] == 7200.0
    assert (found["spacecom.sources.state", "healthy"], found["spacecom.sources.state", "failed"]) == (1, 0)
    assert found["spacecom.sources.halted", ""] == 0


async def test_sources_are_listed_with_what_they_do_to_products(polling, server, gate, acting, clock):
    clock.now = datetime.now(UTC)  # the servicer's own
    server.faults["/NORAD"] = lambda _: Answer(403)
    async with polling("celestrak-gp", "iers", "swpc") as polled:
        for name in ("celestrak", "iers"):
            await polled.poller.turn(name)
        acting()
        answer = await IngestServicer(polled.gate).ListSources(wire.ListSourcesRequest(), None)
    gp, iers, swpc = answer.sources
    assert (gp.state, gp.problem, gp.halted) == (pb.SOURCE_STATE_FAILED, pb.SOURCE_PROBLEM_REFUSED, True)
    assert not gp.HasField("next_due_at")
    assert iers.next_due_at.ToDatetime(UTC) == clock.now + timedelta(days=1)
    assert (swpc.state, swpc.HasField("next_due_at")) == (pb.SOURCE_STATE_UNSPECIFIED, True)
    effects = {(one.source, one.product) for one in answer.degraded_products}
    assert ("celestrak-gp", "decay prediction") in effects
    assert "swpc" not in {source for source, _ in effects}
    reasons = await Watch(gate.pool, gate.log, polled.gate.settings).reasons()
    assert any("celestrak-gp is failed: it answered 403" in reason for reason in reasons)


async def test_the_states_of_sources_can_be_built_anew(polling, server, gate):
    server.faults["/data"] = lambda _: Answer(429, headers={"Retry-After": "60"})
    async with polling("iers", "swpc") as polled:
        await polled.run(START + timedelta(minutes=5))
    before = await gate.pool.fetch("SELECT * FROM sources ORDER BY source")
    async with gate.pool.acquire() as conn, conn.transaction():
        await conn.execute("TRUNCATE sources")
        for name in ("iers-finals2000a", "swpc"):
            await projections.project_all(conn, await gate.log.load(conn, f"source/{name}"))
        assert await conn.fetch("SELECT * FROM sources ORDER BY source") == before
    assert len(before) == 2
