"""What is fetched, how failures stop a source, and how a person lets it go on."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from pydantic import ValidationError

from infra.local.testing import settings_of
from libs import telemetry
from services.ingest import domain
from services.ingest.policies import POLICIES, PROVIDERS
from services.ingest.polling import Poller
from services.ingest.rpc import IngestServicer
from services.ingest.settings import IngestSettings
from services.ingest.source_states import Watch
from services.ingest.tests import sources_server
from services.ingest.tests.polled import START, clock, polling, server
from services.ingest.tests.sources_server import Answer
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_OPERATOR
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire

__all__ = ["clock", "polling", "server"]

QUERY = "/basicspacedata/query/class"
WEATHER = "/SpaceData/SW-Last5Years.txt"
SHORT = timedelta(minutes=3)


def problem(fact: pb.SourceStateChanged) -> str:
    return pb.SourceProblem.Name(fact.problem).removeprefix("SOURCE_PROBLEM_")


def state(fact: pb.SourceStateChanged) -> str:
    return pb.SourceState.Name(fact.state).removeprefix("SOURCE_STATE_")


async def test_what_is_fetched_enters_by_the_gate_with_its_class(polling, gate):
    async with polling("space-track", "celestrak-space-weather", "dataset-fir-geojson") as polled:
        await polled.run(START + SHORT)
        assert state(await polled.last("space-track-tip")) == "HEALTHY"
    rows = await gate.pool.fetch("SELECT stream, meta->>'redistribution' AS class FROM events")
    found = {(row["stream"], row["class"]) for row in rows}
    assert {
        ("thirdparty/54217", "space-track"),
        ("weather/celestrak-space-weather", "public"),
        ("airspace/fir", "internal"),
    } <= found


async def test_nothing_is_polled_unless_it_is_enabled(polling, server):
    async with polling() as polled:
        await polled.run(START + timedelta(days=1))
    assert not server.asked


async def test_a_file_that_did_not_change_is_asked_for_by_what_identifies_it(polling, server):
    async with polling("celestrak-space-weather") as polled:
        await polled.run(START + timedelta(hours=7))
    first, *others = server.of(WEATHER)
    assert "if-none-match" not in first.headers
    assert len(others) == 2
    assert all(one.headers["if-none-match"] for one in others)


async def test_an_old_file_is_late_or_stale_whatever_its_status(polling, server, clock):
    old = server.contents[WEATHER]()
    clock.now += timedelta(days=8)
    server.contents[WEATHER] = lambda: old
    async with polling("celestrak-space-weather") as polled:
        await polled.run(clock.now + SHORT)
        fact = await polled.last("celestrak-space-weather")
    assert (state(fact), problem(fact)) == ("STALE", "NOT_RENEWED")


async def test_pages_are_read_to_the_last_within_the_rate_headers(polling, server, gate):
    server.pages = 40
    async with polling("discos") as polled:
        await polled.run(START + timedelta(minutes=10))
        assert state(await polled.last("discos-objects")) == "HEALTHY"
    assert len(server.of("/api/objects")) == 40
    assert await gate.pool.fetchval("SELECT count(*) FROM objects") == 40


async def test_a_session_that_has_ended_is_begun_again_once(polling, server):
    async with polling("space-track-tip") as polled:
        await polled.run(START + SHORT)
        server.sessions = False
        await polled.run(START + timedelta(minutes=12))
        assert state(await polled.last("space-track-tip")) == "HEALTHY"
    assert [one.path[:12] for one in server.asked] == [
        "/ajaxauth/lo", "/basicspaced", "/basicspaced", "/ajaxauth/lo", "/basicspaced",
    ]  # fmt: skip


async def test_a_refused_login_halts_every_feed_of_its_provider(polling, server):
    async with polling("space-track", ingest_space_track_password="wrong-password-1") as polled:
        await polled.run(START + timedelta(days=2))
        facts = [await polled.last(name) for name in polled.poller.feeds]
    assert [(problem(fact), fact.halted) for fact in facts] == [("CREDENTIALS", True)] * len(facts)
    assert len(server.asked) == 1


FAULTS = {
    "moved": (Answer(301, headers={"Location": "http://127.0.0.1:9/elsewhere"}), "REFUSED"),
    "forbidden": (Answer(403, b"no"), "REFUSED"),
    "not found": (Answer(404), "REFUSED"),
    "too many": (Answer(429, headers={"Retry-After": "7200"}), "TOO_MANY_REQUESTS"),
    "server error": (Answer(500), "UNREACHABLE"),
    "unavailable": (Answer(503, headers={"Retry-After": "600"}), "UNREACHABLE"),
    "page with 200": (Answer(200, b"<html><body>Down for maintenance</body></html>"), "UNUSABLE"),
    "half a file": (Answer(200, b"x" * 1000, cut=500), "UNREACHABLE"),
    "bomb": (sources_server.bomb(200 * 2**20), "UNUSABLE"),
    "half a gzip": (Answer(200, sources_server.bomb(2**16).body[:-20], {"Content-Encoding": "gzip"}), "UNREACHABLE"),
    "wrong clock": (Answer(200, b"[]", {"Date": "Fri, 04 Nov 2022 09:00:00 GMT"}), "CLOCK"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_named_nothing_of_it_is_taken_and_it_ends(polling, server, gate, fault):
    """INVARIANT: whatever a source does, nothing is believed that was not read whole, and its state says why."""
    answer, expected = FAULTS[fault]
    server.faults["/data"] = lambda _: answer
    async with polling("iers") as polled:
        await polled.run(START + SHORT)
        fact = await polled.last("iers-finals2000a")
        assert (state(fact), problem(fact), fact.halted) == ("FAILED", expected, expected == "REFUSED")
        kinds = {row["type"].rpartition(".")[2] for row in await gate.pool.fetch("SELECT type FROM events")}
        assert kinds <= {"SourceStateChanged", "InputRejected"}
        server.faults.clear()
        await polled.run(START + timedelta(days=1, minutes=5))
        assert state(await polled.last("iers-finals2000a")) == ("FAILED" if fact.halted else "RECOVERED")


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_client_fails_alike_and_believes_nothing(polling, server, gate, clock, fault):
    """INVARIANT: no source is trusted more than another; one whose client forgot a check would fill the catalogue."""
    answer, expected = FAULTS[fault]
    clock.now = START + timedelta(hours=17)
    server.faults |= dict.fromkeys([*sources_server.PROVIDER_OF, "/fir", "/traffic"], lambda _: answer)
    del server.faults["/ajaxauth"]
    async with polling(*PROVIDERS) as polled:
        await polled.run(clock.now + SHORT)
        seen = {feed: [(state(one), problem(one)) for one in await polled.states(feed)] for feed in polled.poller.feeds}
    for provider in PROVIDERS:
        said = [one for feed, facts in seen.items() for one in facts if POLICIES[feed].provider.name == provider]
        assert set(said) == {("FAILED", expected)}, provider
    kinds = {row["type"].rpartition(".")[2] for row in await gate.pool.fetch("SELECT type FROM events")}
    assert kinds <= {"SourceStateChanged", "InputRejected"}


async def test_a_wait_that_is_asked_for_is_kept_by_every_feed_of_the_provider(polling, server, clock):
    server.faults[f"{QUERY}/gp/"] = lambda _: Answer(429, headers={"Retry-After": "10800"})
    async with polling("space-track-gp", "space-track-tip") as polled:
        await polled.run(START + timedelta(hours=2, minutes=55))
        assert len(server.of(f"{QUERY}/tip/")) == 0
        server.faults.clear()
        await polled.run(START + timedelta(hours=3, minutes=5))
        assert len(server.of(f"{QUERY}/tip/")) == 1
    assert not [one for one in server.asked if START < one.at < START + timedelta(hours=3)]


@pytest.mark.parametrize("fault", ["moved", "forbidden", "not found", "too many", "server error"])
async def test_celestrak_is_left_alone_after_its_first_other_answer_until_a_person_resumes_it(
    polling, server, gate, acting, clock, fault
):
    """INVARIANT: who goes on asking CelesTrak after an error is shut out by its firewall."""
    server.faults["/NORAD"] = lambda _: FAULTS[fault][0]
    async with polling("celestrak") as polled:
        await polled.run(START + timedelta(days=2))
        assert len(server.asked) == 1
        names = list(polled.poller.feeds)
        assert [(await polled.last(name)).halted for name in names] == [True] * len(names)
        server.faults.clear()
        acting(ROLE_OPERATOR, by="kim")
        servicer = IngestServicer(polled.gate)
        answer = await servicer.ResumeSource(wire.ResumeSourceRequest(source="celestrak", reason=b"asked them"), None)
        assert [one.source for one in answer.sources] == sorted(names)
        assert all("kim" in one.reason and "asked them" in one.reason for one in answer.sources)
        clock.now = max(clock.now, answer.sources[0].next_due_at.ToDatetime(START.tzinfo))
        await polled.run(clock.now + SHORT)
        fact = await polled.last("celestrak-gp")
        assert not fact.halted
        assert problem(fact) == "NOT_RENEWED"  # it delivers; by the time of the resuming its sets are years old


async def test_only_an_operator_resumes_and_only_what_is_halted(polling, gate, acting):
    async with polling("iers") as polled:
        servicer = IngestServicer(polled.gate)
        request = wire.ResumeSourceRequest(source="iers", reason=b"x")
        acting(ROLE_ANALYST)
        with pytest.raises(PermissionError):
            await servicer.ResumeSource(request, None)
        acting(ROLE_OPERATOR)
        with pytest.raises(domain.NotHalted):
            await servicer.ResumeSource(request, None)
        with pytest.raises(domain.UnknownSource):
            await servicer.ResumeSource(wire.ResumeSourceRequest(source="nowhere", reason=b"x"), None)


async def test_a_source_without_connection_is_tried_again_sooner_and_ever_later(polling, server, clock):
    nowhere = {"iers": "http://127.0.0.1:9"}
    async with polling("iers", ingest_base_urls=nowhere) as polled:
        await polled.run(START + timedelta(hours=2))
        facts = await polled.states("iers-finals2000a")
    assert [fact.failure_count for fact in facts] == [1, 2, 3, 4, 5]
    assert {problem(fact) for fact in facts} == {"UNREACHABLE"}


async def test_one_process_polls_and_another_takes_over(polling, server):
    async with polling("iers") as first, Poller(first.gate, first.poller.feeds, first.poller.clients).sole() as alone:
        assert not alone
    async with polling("iers") as second:
        await second.run(START + SHORT)
    assert len(server.asked) == 1


async def test_a_slow_drip_ends_at_the_time_a_feed_may_take(polling, server):
    server.faults["/data"] = lambda _: Answer(200, b"x" * 1000, drip_s=0.05)
    async with polling("iers") as polled:
        feed = polled.poller.feeds["iers-finals2000a"]
        quick = replace(feed.policy, total=timedelta(seconds=0.5))
        polled.poller.feeds["iers-finals2000a"] = replace(feed, policy=quick)
        await asyncio.wait_for(polled.run(START + SHORT), 20)
        assert problem(await polled.last("iers-finals2000a")) == "UNREACHABLE"


async def test_epochs_that_cannot_be_are_the_sources_clock(polling, server):
    ahead = server.contents[f"{QUERY}/gp/"]().replace(b"2022-11-03T", b"2031-11-03T")
    server.contents[f"{QUERY}/gp/"] = lambda: ahead
    async with polling("space-track-gp") as polled:
        await polled.run(START + SHORT)
        fact = await polled.last("space-track-gp")
    assert (state(fact), problem(fact)) == ("FAILED", "CLOCK")


@pytest.fixture
def metrics(monkeypatch) -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("spacecom")
    for name in ("source_requests", "source_failures"):
        monkeypatch.setattr(telemetry, name, meter.create_counter(name))
    for name in ("source_age", "source_state", "source_halted"):
        monkeypatch.setattr(telemetry, name, meter.create_gauge(name))
    return reader


async def test_no_secret_is_written_anywhere(polling, server, gate, acting, metrics, tmp_path, caplog, capsys):
    """INVARIANT: credentials go to their source and nowhere else: no log, fact, kept input, metric, answer or text of a
    setting, even when the source repeats them."""
    key = "canary-dataset-key-22aa"
    caplog.set_level(logging.DEBUG)
    telemetry._quieten_libraries()
    cookie = {"Set-Cookie": f"{sources_server.COOKIE}; path=/"}
    server.faults["/ajaxauth"] = lambda asked: Answer(200, asked.body, cookie)
    server.faults[f"{QUERY}/tip/"] = lambda asked: Answer(200, str(asked.headers).encode())
    server.faults["/traffic.csv"] = lambda asked: Answer(200, asked.path.encode())
    for path in ("/SpaceData", "/api"):
        server.faults[path] = lambda asked: Answer(200, f"you sent {asked.headers}".encode())
    server.faults[f"{QUERY}/decay/"] = lambda _: Answer(200, f"<p>{sources_server.PASSWORD}</p>".encode())
    server.faults["/fir.geojson"] = lambda asked: Answer(403, asked.path.encode())
    server.faults["/data"] = lambda _: Answer(302, b"", {"Location": f"/x?{key}"})
    datasets = {
        "dataset-fir-geojson": {"url": f"{server.url}/fir.geojson?key={key}", "dataset": "fir"},
        "dataset-traffic-csv": {"url": f"{server.url}/traffic.csv?api_token={key}", "dataset": "summer"},
    }
    feeds = ("space-track", "discos", *datasets, "iers", "celestrak")
    async with polling(*feeds, ingest_datasets=datasets) as polled:
        await polled.run(START + timedelta(hours=2))
        stated = repr(polled.gate.settings) + repr(polled.poller.clients) + repr(polled.poller.feeds)
        watch = Watch(gate.pool, gate.log, polled.gate.settings)
        await watch.look(START + timedelta(hours=2))
        acting()
        listed = await IngestServicer(polled.gate).ListSources(wire.ListSourcesRequest(), None)
        shown = f"{listed}{await watch.reasons()}"
    recorded = await gate.pool.fetch("SELECT data, meta::text, stream FROM events")
    noted = [await gate.pool.fetch(f"SELECT * FROM {table}") for table in ("source_polls", "source_conditions")]
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()).decode(errors="replace")
    measured = metrics.get_metrics_data().to_json()
    assert "space-track-gp" in shown and "space-track-gp" in measured and "MEAN_MOTION" in kept  # noqa: PT018
    texts = (caplog.text + capsys.readouterr().out, stated, shown, kept, measured, repr(recorded), repr(noted))
    for secret in (sources_server.PASSWORD, sources_server.TOKEN, "canary-cookie", key):
        assert [secret in text for text in texts] == [False] * len(texts), secret
    assert server.of_provider("dataset")


def test_a_refusal_of_the_settings_shows_no_secret():
    with pytest.raises(ValidationError) as refused:
        settings_of(IngestSettings, ingest_sources=("discos",), ingest_space_track_password=sources_server.PASSWORD)
    assert "discos-objects needs a token" in str(refused.value)
    assert sources_server.PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("nowhere",), "no such source"),
        (("space-track-gp",), "user and password"),
        (("dataset-traffic-csv",), "DATASETS"),
    ],
)
def test_settings_that_cannot_be_polled_are_refused_at_the_start(names, said):
    with pytest.raises(ValidationError, match=said):
        settings_of(IngestSettings, ingest_sources=names)
