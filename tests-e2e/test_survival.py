"""kill -9 of every part during the flow: nothing lost, nothing doubled, every read model as a fresh replay."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import asyncpg
import grpc
import pytest

from infra.local import mesh as parts
from infra.local.places import CHECKOUT, port
from spacecom.alerting.v1 import alerting_service_pb2 as alerting
from spacecom.alerting.v1.alerting_service_pb2_grpc import AlertingServiceStub
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.eventlog.v1 import operations_service_pb2 as operations
from spacecom.eventlog.v1.eventlog_service_pb2_grpc import EventLogServiceStub
from spacecom.eventlog.v1.operations_service_pb2_grpc import OperationsServiceStub
from spacecom.ingest.v1 import ingest_service_pb2 as ingest
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub

pytestmark = pytest.mark.xdist_group("played")

KILLS = int(os.environ.get("SPACECOM_TEST_KILLS", "3"))  # of each part; a campaign has more
SETS_A_FILE = 100
FIRST_NUMBER = 100_000
KILLED = (*parts.PARTS, "kafka", "postgres")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def element_set(number: int) -> str:
    """Of a made-up object in a high orbit that nobody predicts."""
    name = f"{LETTERS[number // 10_000 - 10]}{number % 10_000:04d}"
    lines = (
        f"1 {name}U 22001A   22300.50000000  .00000100  00000+0  10000-4 0  999",
        f"2 {name}  51.6000 100.0000 0010000 100.0000 200.0000 14.20000000    1",
    )
    return "".join(f"{line}{sum(int(c) if c.isdigit() else c == '-' for c in line) % 10}\n" for line in lines)


class Load:
    """Submits until told to stop; keeps its own ledger of what was acknowledged."""

    def __init__(self, mesh, lane: int) -> None:
        self._mesh = mesh
        self._next = FIRST_NUMBER + lane * 30_000
        self._stop = threading.Event()
        self.ledger: set[int] = set()
        self.thread = threading.Thread(target=self._run)

    def stop(self) -> None:
        self._stop.set()
        self.thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            numbers = range(self._next, self._next + SETS_A_FILE)
            self._next += SETS_A_FILE
            data = "".join(map(element_set, numbers)).encode()
            while not self._submit(data):  # the same again until it is acknowledged
                time.sleep(0.1)
            self.ledger.update(numbers)
            time.sleep(0.6)  # so that what is left over is read again in a minute

    def _submit(self, data: bytes) -> bool:
        def messages() -> Iterator[ingest.SubmitRequest]:
            yield ingest.SubmitRequest(header=ingest.SubmitHeader(source="load", format=ingest.INPUT_FORMAT_TLE))
            yield ingest.SubmitRequest(chunk=data)

        try:
            with self._mesh.channel("ingest") as channel:
                answer = IngestServiceStub(channel).Submit(messages(), timeout=20, metadata=self._mesh.metadata)
        except grpc.RpcError:
            return False
        assert not answer.rejected_count
        return answer.accepted_count + answer.duplicate_count == SETS_A_FILE


def read_log(mesh, service: str) -> list[log_pb.RecordedEvent]:
    with mesh.channel(service) as channel:
        answers = EventLogServiceStub(channel).Read(log_pb.ReadRequest(), timeout=120, metadata=mesh.metadata)
        return [event for answer in answers for event in answer.events]


@pytest.fixture(scope="module")
def survived(mesh) -> set[int]:
    """Kills every part KILLS times under load, with a case played meanwhile; returns the ledger."""
    loads = [Load(mesh, lane) for lane in range(2)]
    for load in loads:
        load.thread.start()
    case = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "demo", "--json"],
        env=os.environ | {"SPACECOM_HOME": str(mesh.home)},
        stdout=subprocess.DEVNULL,
    )
    for _ in range(KILLS):
        for part in KILLED:
            time.sleep(0.8)
            for _attempt in range(100):
                try:
                    mesh.kill(part)
                    break
                except LookupError:  # it is just being started again
                    time.sleep(0.1)
    assert case.wait(240) == 0
    for load in loads:
        load.stop()
    mesh.wait_ready()
    return set().union(*(load.ledger for load in loads))


@pytest.mark.timeout(900 + 60 * KILLS)
async def test_what_was_acknowledged_is_recorded_once_and_reached_its_consumer(mesh, survived):
    """INVARIANT: acknowledged means kept. The load's own ledger says what was acknowledged."""
    accepted = Counter(
        int(event.stream.partition("/")[2])
        for event in read_log(mesh, "ingest")
        if event.type.endswith(".ElementSetAccepted")
    )
    mine = {number: count for number, count in accepted.items() if number >= FIRST_NUMBER}
    assert survived <= set(mine)
    assert set(mine.values()) == {1}
    conn = await mesh.connect("propagation")
    try:
        await _until_it_has(conn, sum(accepted.values()))
        rows = await conn.fetch("SELECT catalogue_number, count(*) AS n FROM element_sets GROUP BY 1")
    finally:
        await conn.close()
    assert {row["catalogue_number"]: row["n"] for row in rows} == dict(accepted)


async def _until_it_has(conn: asyncpg.Connection, count: int) -> None:
    for _ in range(300):
        if await conn.fetchval("SELECT count(*) FROM element_sets") >= count:
            return
        await asyncio.sleep(0.2)


@pytest.mark.parametrize("service", ["ingest", "propagation", "hazard", "alerting"])
def test_streams_have_every_version_once_in_order_of_position(mesh, survived, service):
    versions: dict[str, int] = {}
    position = 0
    for event in read_log(mesh, service):
        assert event.position > position
        assert event.version == versions.get(event.stream, 0) + 1
        versions[event.stream], position = event.version, event.position


def test_no_run_is_settled_twice_and_no_alert_raised_twice(mesh, survived):
    ended = Counter(e.stream for e in read_log(mesh, "hazard") if e.type.endswith((".RunCompleted", ".RunFailed")))
    raised = Counter(e.stream for e in read_log(mesh, "alerting") if e.type.endswith(".AlertRaised"))
    assert ended
    assert raised
    assert set(ended.values()) == set(raised.values()) == {1}


@pytest.mark.parametrize("service", ["ingest", "propagation", "hazard", "alerting"])
async def test_every_read_model_equals_a_fresh_replay(mesh, survived, service):
    before = await mesh.tables(service)
    with mesh.channel(service) as channel:
        OperationsServiceStub(channel).RebuildReadModels(
            operations.RebuildReadModelsRequest(), timeout=120, metadata=mesh.metadata
        )
    assert await mesh.tables(service) == before


def test_nothing_was_set_aside(mesh, survived):
    for service in parts.PARTS:
        assert "parked" not in mesh.spacecom("parked", service) or not mesh.spacecom("parked", service)["parked"]


@pytest.mark.parametrize("service", ["ingest", "propagation", "hazard", "alerting"])
def test_a_service_starts_and_answers_with_kafka_and_the_others_away(mesh, service):
    addresses = mesh.addresses
    taken = {name: int(address.rpartition(":")[2]) for name, address in addresses["services"].items()}
    taken[service] = port()
    environment = parts.environment(mesh.files, service, taken, addresses["postgres"]["url"], "127.0.0.1:1")
    process = subprocess.Popen(
        [sys.executable, "-m", f"services.{service}"], env=environment, cwd=CHECKOUT, stderr=subprocess.DEVNULL
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{taken[service]}") as channel:
            status = OperationsServiceStub(channel).GetStatus(
                operations.GetStatusRequest(), timeout=60, metadata=mesh.metadata, wait_for_ready=True
            )
            if service == "alerting":
                AlertingServiceStub(channel).ListAlerts(
                    alerting.ListAlertsRequest(), timeout=10, metadata=mesh.metadata
                )
        assert status.service == service
    finally:
        process.terminate()
        assert process.wait(30) == 0
