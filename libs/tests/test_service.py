"""A toy service in a process of its own: what starts when, when it is ready, how it stops."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import grpc
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from grpc_health.v1 import health_pb2, health_pb2_grpc

from infra.local.places import port
from libs import rpc, topics
from libs.eventlog import EventLog
from libs.tests.facts import cause, fact

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE = textwrap.dedent(
    """
    import asyncio, sys
    from libs import consume, service, telemetry, topics
    from libs.service import ServiceSettings, Wiring
    from spacecom.ingest.v1 import ingest_events_pb2 as pb

    async def take(delivery):
        telemetry.log.info("taken", sequence=delivery.sequence)

    async def work():
        telemetry.log.info("working")
        if "dies" in sys.argv:
            raise KeyError("of what it died")
        await asyncio.Event().wait()

    async def warm_up():
        telemetry.log.info("warm")

    def wire(mesh):
        topic = topics.topic_name("spacecom.ingest.v1", settings.namespace)
        taking = consume.subscribe(
            mesh.broker, mesh.log, consumer="propagation", topic=topic, handlers={pb.InputRejected: take}
        )
        return Wiring(subscriptions=[taking], on_start=[work], warm_up=warm_up)

    async def main():
        await service.serve(
            "ingest", settings, project=None, rebuild_tables=(), upstream={}, wire=wire
        )

    settings = ServiceSettings()
    sys.exit(service.run(main))
    """
)


class Process:
    def __init__(self, environment: dict[str, str], log, *arguments: str) -> None:
        self.port = int(environment["SPACECOM_RPC_PORT"])
        self.log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVICE, *arguments], env=os.environ | environment, stderr=output
            )

    def health(self, name: str) -> int | None:
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            request = health_pb2.HealthCheckRequest(service=name)
            try:
                return health_pb2_grpc.HealthStub(channel).Check(request, timeout=2).status
            except grpc.RpcError:
                return None

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.read_text().splitlines() if line.startswith("{")]

    def wait(self, condition, timeout_s: float = 60.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def toy(postgres_settings, kafka, tmp_path):
    made = []
    (tmp_path / "contracts.json").write_text("{}")

    def start(*arguments: str, **changed: str) -> Process:
        environment = {
            "SPACECOM_POSTGRES_URL": postgres_settings.postgres_url,
            "SPACECOM_POSTGRES_PASSWORD": postgres_settings.postgres_password.get_secret_value(),
            "SPACECOM_NAMESPACE": postgres_settings.namespace,
            "SPACECOM_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "SPACECOM_RPC_PORT": str(port()),
            "SPACECOM_CONTRACTS_FILE": str(tmp_path / "contracts.json"),
            "SPACECOM_BLOBS_URL": (tmp_path / "blobs").as_uri(),
        }
        made.append(Process(environment | changed, tmp_path / f"{len(made)}.log", *arguments))
        return made[-1]

    yield start
    for one in made:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_starts_in_order_works_and_stops_when_told(toy, service_database, kafka, namespace, number):
    await topics.declare(kafka.bootstrap, namespace)
    log = EventLog(await service_database("ingest"), "ingest")
    process = toy()
    process.wait(lambda: process.health(rpc.READY) == SERVING)
    await log.commit("rejected/a", [fact()], after=0, cause=cause())
    process.wait(lambda: "taken" in process.events())  # appended elsewhere, published and consumed here
    assert process.stop(number) == 0
    told = [
        event for event in process.events() if event in ("answering", "working", "warm", "ready", "taken", "stopped")
    ]
    assert told[0] == "answering"
    assert told.index("warm") < told.index("ready") < told.index("taken")
    assert told[-1] == "stopped"
    assert "Traceback" not in process.log.read_text()


async def test_with_kafka_away_it_answers_is_not_ready_and_stops_when_told(toy, service_database):
    await service_database("ingest")
    process = toy(SPACECOM_KAFKA_BOOTSTRAP="127.0.0.1:1")
    process.wait(lambda: "kafka_away" in process.events())
    assert (process.health(""), process.health(rpc.READY)) == (SERVING, NOT_SERVING)
    assert process.stop() == 0


async def test_without_its_database_it_waits_says_so_and_stops_when_told(toy, service_database):
    process = toy()
    process.wait(lambda: "database_away" in process.events())
    assert process.process.poll() is None
    await service_database("ingest")
    process.wait(lambda: "answering" in process.events())
    assert process.stop() == 0
    waiting = toy(SPACECOM_POSTGRES_URL="postgresql://127.0.0.1:1")
    waiting.wait(lambda: "database_away" in waiting.events())
    assert waiting.stop() == 0


async def test_contracts_that_cannot_be_read_end_it_at_once_with_the_reason(toy):
    process = toy(SPACECOM_CONTRACTS_FILE="/nowhere/contracts.json")
    assert process.process.wait(30) == 1
    (line,) = [json.loads(one) for one in process.log.read_text().splitlines() if '"cannot_start"' in one]
    assert "cannot be read as contracts" in line["error"]


async def test_what_one_of_its_own_tasks_dies_of_ends_it(toy, service_database, kafka, namespace):
    """INVARIANT: a service whose work has ended does not go on answering as if it worked."""
    await topics.declare(kafka.bootstrap, namespace)
    await service_database("ingest")
    process = toy("dies")
    assert process.process.wait(30) == 1
    assert "of what it died" in process.log.read_text()


async def test_it_makes_no_topic(toy, service_database, kafka, namespace):
    """INVARIANT: topics are made by the one declared step. Made in passing they would have one partition and no
    retention, and order and work would be wrong from then on."""
    await service_database("ingest")
    process = toy()
    process.wait(lambda: "warm" in process.events())
    await asyncio.sleep(3.0)
    assert process.health(rpc.READY) == NOT_SERVING
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        assert not [name for name in await admin.list_topics() if namespace in name]
    finally:
        await admin.close()
    await topics.declare(kafka.bootstrap, namespace)
    process.wait(lambda: process.health(rpc.READY) == SERVING)


async def test_a_setting_that_is_missing_is_named(toy):
    process = toy(SPACECOM_RPC_PORT="70000")
    assert process.process.wait(30) != 0
    assert "rpc_port" in process.log.read_text()
