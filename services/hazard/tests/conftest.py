"""Hazard on a real Postgres with a real pool of processes: a stage at 145 km that comes down within hours."""

import io
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import grpc
import numpy as np
import pyarrow as pa
import pytest
from asyncpg import Pool as Database
from google.protobuf.message import Message

from infra.local.testing import settings_of
from libs import rpc
from libs.blobs import Blobs
from libs.consume import Delivery, Handler
from libs.eventlog import Cause, EventLog, Recorded, new_id
from libs.workers import Workers
from services.hazard import handlers, projections
from services.hazard.handlers import Settler, Starter
from services.hazard.rpc import ERRORS, register
from services.hazard.running import Desk
from services.hazard.settings import HazardSettings
from services.hazard.tests import calls
from services.hazard.working import Worker
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.propagation.v1 import propagation_events_pb2 as propagation

OBJECT = calls.OBJECT
START = (2459887.5, 0.25)  # 2022-11-04 06:00 UTC
KNOWN_AT = datetime(2022, 11, 3, 20, tzinfo=UTC)
SAMPLES, CHUNK = 60, 25
SETTINGS = settings_of(
    HazardSettings,
    hazard_max_samples=100,
    hazard_chunk_samples=CHUNK,
    hazard_chunk_timeout_s=120.0,
    hazard_quick_samples=0,
)
STATE_COLUMNS = ("x_km", "y_km", "z_km", "vx_km_s", "vy_km_s", "vz_km_s")


def arrow(columns: Mapping[str, object], metadata: Mapping[str, float]) -> bytes:
    table = pa.table(dict(columns)).replace_schema_metadata({name: repr(value) for name, value in metadata.items()})
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def draws(count: int = SAMPLES, staying: int = 0) -> bytes:
    """On a circle at 145 km and 41.5 degrees, ballistic coefficients 30 % apart; `staying` feel next to no drag."""
    radius = 6378.137 + 145.0
    speed, tilt = math.sqrt(398600.4418 / radius), math.radians(41.5)
    state = [radius, 0.0, 0.0, 0.0, speed * math.cos(tilt), speed * math.sin(tilt)]
    ln_b = math.log(0.0075) + np.linspace(-0.15, 0.15, count)
    ln_b[:staying] = -13.0
    columns = {"ln_b": ln_b, "ln_b_late": ln_b, "late_after_s": np.full(count, 1e6)}
    columns |= {name: np.full(count, value) for name, value in zip(STATE_COLUMNS, state, strict=True)}
    return arrow(columns, {"start_jd": START[0], "start_jd_fraction": START[1]})


def drivers() -> bytes:
    """Until two days after the start, where a flight that lasts ends."""
    rows = {name: np.full(8 * 9, 130.0 if name.startswith("f107") else 7.0) for name in DRIVERS}
    return arrow(rows, {"start_mjd": 59880.0})


DRIVERS = ("f107", "f107a", "ap_daily", "ap_now", "ap_3h", "ap_6h", "ap_9h", "ap_33h", "ap_57h")


def box(ident: str, west: int, east: int) -> dict[str, Any]:
    """All between two meridians, 60 degrees to both sides of the equator."""
    north = [[lon, 60] for lon in range(east, west - 1, -10)]
    south = [[lon, -60] for lon in range(west, east + 1, 10)]
    return {
        "type": "Feature",
        "properties": {"ident": ident, "name": f"FIR {ident}"},
        "geometry": {"type": "Polygon", "coordinates": [[*south, *north, south[0]]]},
    }


def geojson(*features: dict[str, Any]) -> bytes:
    features = features or (box("WWWW", -170, -60), box("MMMM", -60, 60), box("EEEE", 60, 100))
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


@dataclass
class Mesh:
    """Hands facts to hazard's handlers as its consumers do."""

    desk: Desk

    @property
    def log(self) -> EventLog:
        return self.desk.log

    async def hand(self, table: Mapping[type[Message], Handler], recorded: Recorded) -> None:
        message = recorded.message()
        cause = Cause(recorded.cause.correlation_id, recorded.event_id, "")
        delivery = Delivery(
            message,
            recorded.event_id,
            recorded.stream,
            recorded.version,
            recorded.position,
            recorded.occurred_at,
            recorded.available_at,
            recorded.recorded_at,
            cause,
        )
        commit = await table[type(message)](delivery)
        if commit:
            async with self.desk.database.acquire() as conn, conn.transaction():
                await commit(conn)

    async def predicted(
        self, version: int = 1, number: int = OBJECT, staying: int = 0, recorded_at: datetime = KNOWN_AT
    ) -> UUID:
        """The event id of a prediction that hazard was told of."""
        fact = propagation.DecayPredicted(
            catalogue_number=number,
            reentry_altitude_km=80.0,
            sample_count=SAMPLES,
            draws_sha256=await self.desk.blobs.put(draws(SAMPLES, staying)),
            drivers_sha256=await self.desk.blobs.put(drivers()),
        )
        fact.known_at.FromDatetime(KNOWN_AT)
        quantile = fact.quantiles.add(probability=0.05)
        quantile.epoch.jd, quantile.epoch.jd_fraction = START[0], START[1] + 0.01
        told = replace(upstream(fact, f"decay/{number}", version), recorded_at=recorded_at)
        await self.hand(handlers.of_propagation(Starter(self.desk)), told)
        return told.event_id

    async def airspace(self, data: bytes = b"", dataset: str = "demo", position: int = 1) -> None:
        sha256 = await self.desk.blobs.put(data or geojson())
        fact = ingest.AirspaceRecorded(dataset=dataset, geojson_sha256=sha256, notice="not for operations")
        await self.hand(handlers.of_ingest(Starter(self.desk)), upstream(fact, f"airspace/{dataset}", 1, position))

    async def traffic(self, data: bytes, dataset: str = "summer", position: int = 1) -> None:
        """A density of traffic was recorded."""
        sha256 = await self.desk.blobs.put(data)
        fact = ingest.TrafficDensityRecorded(dataset=dataset, source="nm", input_sha256=sha256, notice="a test")
        await self.hand(handlers.of_ingest(Starter(self.desk)), upstream(fact, f"traffic/{dataset}", 1, position))

    async def described(self, mass_kg: float, redistribution: ingest.Redistribution.ValueType) -> None:
        """The catalogue says what the object is, its mass on the word of a source of that class."""
        said = ingest.ObjectDescription(type=ingest.OBJECT_TYPE_ROCKET_BODY, mass_kg=mass_kg, shape="Cyl")
        sources = [
            ingest.FieldSource(field="type", redistribution=ingest.REDISTRIBUTION_PUBLIC),
            ingest.FieldSource(field="mass_kg", redistribution=redistribution),
            ingest.FieldSource(field="shape", redistribution=ingest.REDISTRIBUTION_PUBLIC),
        ]
        fact = ingest.ObjectCatalogued(catalogue_number=OBJECT, description=said, field_sources=sources)
        await self.hand(handlers.of_ingest(Starter(self.desk)), upstream(fact, f"object/{OBJECT}", 1))

    async def facts(self, kind: str = "") -> list[Recorded]:
        return [fact for fact in await self.log.read(limit=10_000) if fact.type.endswith(f".{kind}") or not kind]

    async def work(self, desk: Desk | None = None) -> None:
        """All chunks that were asked for, whether they were flown or not."""
        for fact in await self.facts("ChunkRequested"):
            await self.hand(handlers.of_work(Worker(desk or self.desk)), fact)

    async def settle(self) -> None:
        """All outcomes, each as often as it is there."""
        for fact in await self.facts("ChunkCompleted") + await self.facts("ChunkFailed"):
            await self.hand(handlers.of_hazard(Settler(self.desk)), fact)

    async def run(self) -> None:
        await self.work()
        await self.settle()

    def with_settings(self, **changed: Any) -> "Mesh":
        return Mesh(replace(self.desk, settings=SETTINGS.model_copy(update=changed)))


def upstream(message: Message, stream: str, version: int, position: int = 0) -> Recorded:
    return Recorded(
        position or version,
        new_id(),
        stream,
        version,
        message.DESCRIPTOR.full_name,
        message.SerializeToString(),
        KNOWN_AT,
        KNOWN_AT,
        KNOWN_AT,
        Cause(new_id(), None, ""),
    )


@pytest.fixture(scope="session")
def processes():
    pool = Workers(memory_bytes=8 * 2**30, timeout_s=120.0)
    yield pool
    pool.close()


@pytest.fixture
async def mesh(service_database: Callable[[str], Awaitable[Database]], processes, tmp_path) -> Mesh:
    database = await service_database("hazard")
    log = EventLog(database, "hazard", projections.project)
    return Mesh(Desk(database, log, Blobs(tmp_path.as_uri()), processes, SETTINGS))


async def rows(mesh: Mesh, tables: Sequence[str] = projections.TABLES) -> dict[str, list[tuple]]:
    fetch = mesh.desk.database.fetch
    return {table: sorted(map(tuple, await fetch(f"SELECT * FROM {table}")), key=repr) for table in tables}


@pytest.fixture
async def stub(mesh):
    server = rpc.Server(SETTINGS, calls.directory(), add=[register(mesh.desk)], errors=ERRORS)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield HazardServiceStub(channel)
    await server.stop()
