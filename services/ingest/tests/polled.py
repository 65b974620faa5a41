"""A poller at work beside a server that answers as the sources do, by a clock that the tests move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.testing import settings_of
from services.ingest import sources
from services.ingest.handlers import Gate
from services.ingest.policies import PROVIDERS
from services.ingest.polling import Poller
from services.ingest.settings import IngestSettings
from services.ingest.tests import sources_server
from services.ingest.tests.sources_server import Sources
from spacecom.ingest.v1 import ingest_events_pb2 as pb

START = datetime(2022, 11, 4, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(clock) -> AsyncIterator[Sources]:
    async with sources_server.Server(Sources(clock, contents=sources_server.usual(clock))) as running:
        yield running


def settings(server: Sources, *feeds: str, **changed: object) -> IngestSettings:
    stated = {
        "ingest_sources": feeds,
        "ingest_space_track_user": sources_server.USER,
        "ingest_space_track_password": sources_server.PASSWORD,
        "ingest_discos_token": sources_server.TOKEN,
        "ingest_base_urls": dict.fromkeys(PROVIDERS, server.url),
        "ingest_datasets": {
            "dataset-fir-geojson": {"url": f"{server.url}/fir.geojson", "dataset": "fir"},
            "dataset-fir-aixm": {"url": f"{server.url}/fir.xml", "dataset": "aip"},
            "dataset-traffic-csv": {"url": f"{server.url}/traffic.csv", "dataset": "summer"},
            "dataset-traffic-geojson": {"url": f"{server.url}/traffic.geojson", "dataset": "winter"},
        },
    }
    return settings_of(IngestSettings, **(stated | changed))


@dataclass
class Polled:
    """A poller at work; `run` moves the clock from one due time to the next."""

    poller: Poller
    clock: Clock
    gate: Gate

    async def run(self, until: datetime) -> None:
        due = dict.fromkeys(self.poller.clients, self.clock.now)
        while due and min(due.values()) <= until:
            name = min(due, key=lambda one: due[one])
            self.clock.now = max(self.clock.now, due[name])
            following = await self.poller.turn(name)
            del due[name]
            if following is not None:
                due[name] = max(following, self.clock.now + timedelta(milliseconds=1))
        self.clock.now = until

    async def states(self, source: str) -> list[pb.SourceStateChanged]:
        async with self.gate.pool.acquire() as conn:
            facts = await self.gate.log.load(conn, f"source/{source}")
        return [pb.SourceStateChanged.FromString(one.data) for one in facts]

    async def last(self, source: str) -> pb.SourceStateChanged:
        return (await self.states(source))[-1]


@pytest.fixture
def polling(gate, server, clock):
    def make(*feeds: str, **changed: object):
        return _polling(replace(gate, settings=settings(server, *feeds, **changed)), clock)

    return make


@asynccontextmanager
async def _polling(gate: Gate, clock: Clock) -> AsyncIterator[Polled]:
    async with sources.poller(gate, clock) as poller:
        poller.jitter = lambda: 0.0
        async with poller.sole() as alone:
            assert alone
            yield Polled(poller, clock, gate)
