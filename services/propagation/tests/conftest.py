import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from asyncpg import Pool
from google.protobuf.message import Message

from infra.local.testing import settings_of
from libs import rpc
from libs.astro import tle
from libs.astro.elements import ElementSet
from libs.blobs import Blobs
from libs.consume import Delivery
from libs.eventlog import Cause, EventLog, new_id
from libs.redistribution import CLASSES
from libs.workers import Workers
from services.propagation import handlers, projections
from services.propagation.predictor import Predictor
from services.propagation.rpc_tracks import Desk
from services.propagation.settings import PropagationSettings
from services.propagation.states import load_orientation
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_OPERATOR, Entitlements
from spacecom.ingest.v1 import ingest_events_pb2 as ingest

# The element sets of CZ-5B 2022-143B before its re-entry on 2022-11-04, typed.
FIRST = (
    b"1 54217U 22143B   22307.45026049  .04306496  77106-5  57383-3 0  9992\n"
    b"2 54217  41.4743  88.8611 0062797 197.7556 206.2843 16.28127082   504\n"
)
SECOND = (
    b"1 54217U 22143B   22307.83202162  .07541702  75736-5  53797-3 0  9992\n"
    b"2 54217  41.4725  86.2946 0049889 204.7631 283.9192 16.33819495   564\n"
)
FIRST_AT = datetime(2022, 11, 3, 10, 48, 22, 506336, tzinfo=UTC)
SECOND_AT = datetime(2022, 11, 3, 19, 58, 6, 667968, tzinfo=UTC)
LAST_MJD = 59886  # 2022-11-03
SETTINGS = settings_of(PropagationSettings, propagation_samples=100)


def element_set(pair: bytes, **changed: float) -> ingest.ElementSetAccepted:
    (elements,) = tle.read(pair)
    return accepted(elements, **changed)


def accepted(elements: ElementSet, **changed: float) -> ingest.ElementSetAccepted:
    names = [f.name for f in ingest.ElementSetAccepted.DESCRIPTOR.fields if hasattr(elements, f.name)]
    values = {name: getattr(elements, name) for name in names} | changed
    return ingest.ElementSetAccepted(**values, source="test", input_sha256="0" * 64)


def weather(last_mjd: int = LAST_MJD, days: int = 140, flux: float = 130.0) -> ingest.SpaceWeatherRecorded:
    rows = [
        ingest.SpaceWeatherDay(mjd=mjd, ap_3h=[7.0] * 8, ap_daily=7.0, f107_observed_sfu=flux)
        for mjd in range(last_mjd - days + 1, last_mjd + 1)
    ]
    return ingest.SpaceWeatherRecorded(source="test", days=rows, input_sha256="0" * 64)


def tip(hours: float, minutes_: float = 60.0) -> ingest.ThirdPartyPredictionRecorded:
    """Of an operator, for 10 km; hours after the newest set."""
    jd, fraction = 2459886.5, 0.83202162 + hours / 24.0
    made = ingest.ThirdPartyPredictionRecorded(
        catalogue_number=54217, source="tip", kind=ingest.THIRD_PARTY_KIND_TIP, nominal_jd=jd + fraction // 1,
        nominal_jd_fraction=fraction % 1, window_start_min=-minutes_, window_end_min=minutes_, reentry_altitude_km=10.0,
        input_sha256="0" * 64,
    )  # fmt: skip
    made.made_at.FromDatetime(SECOND_AT)
    return made


@dataclass
class Feed:
    """Hands facts of ingest to the handlers as the consumer does."""

    pool: Pool
    watch: handlers.Watch
    predictor: Predictor
    blobs: Blobs
    log: EventLog
    desk: Desk
    positions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def delivery(self, message: Message, available_at: datetime) -> Delivery:
        position, event_id = next(self.positions), new_id()
        cause = Cause(new_id(), event_id, "")
        return Delivery(message, event_id, "test", 1, position, available_at, available_at, available_at, cause)

    async def give(self, message: Message, available_at: datetime) -> Delivery:
        delivery = self.delivery(message, available_at)
        await self.hand(delivery)
        return delivery

    async def hand(self, delivery: Delivery) -> None:
        commit = await handlers.handlers(self.watch)[type(delivery.message)](delivery)
        if commit:
            async with self.pool.acquire() as conn, conn.transaction():
                await commit(conn)

    async def quiet(self) -> None:
        while await self.predictor.work_off():
            pass

    async def facts(self, number: int = 54217) -> list[Any]:
        async with self.pool.acquire() as conn:
            return [recorded.message() for recorded in await self.log.load(conn, f"decay/{number}")]


@pytest.fixture(scope="session")
def computer():
    pool = Workers()
    yield pool
    pool.close()


@pytest.fixture
async def feed(service_database: Callable[[str], Awaitable[Pool]], computer, tmp_path):
    pool = await service_database("propagation")
    log, blobs = EventLog(pool, "propagation", projections.project), Blobs(tmp_path.as_uri())
    predictor = Predictor(pool, log, blobs, computer, SETTINGS)
    watch = handlers.Watch(pool, log, predictor, SETTINGS)
    yield Feed(
        pool, watch, predictor, blobs, log, Desk(pool, log, blobs, computer, predictor, SETTINGS, load_orientation())
    )
    await pool.close()


@pytest.fixture
def acting():
    """Acts as a principal with these rights for the rest of the test."""

    def act(
        role: int = ROLE_OPERATOR, catalogue_numbers: tuple[int, ...] = (), classes: tuple[str, ...] = CLASSES
    ) -> None:
        entitlements = Entitlements(catalogue_numbers=catalogue_numbers, redistribution_classes=classes)
        principal = SimpleNamespace(
            principal_id="tester", organisation_id="test", roles=(role,), entitlements=entitlements
        )
        rpc.current.set(principal)

    return act
