import asyncio
import os
import signal
from dataclasses import replace
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from libs.eventlog import Conflict
from libs.operations import Operations
from libs.relay import Relay
from libs.tests.facts import eventually
from libs.workers import Workers
from services.hazard import flight_files, flying, handlers, projections, running
from services.hazard.handlers import Settler
from services.hazard.tests.conftest import CHUNK, KNOWN_AT, OBJECT, SAMPLES, box, geojson, rows
from services.hazard.working import Worker
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.propagation.v1 import propagation_events_pb2 as propagation

CHUNKS = 3


async def kinds(mesh) -> list[str]:
    return [fact.type.rpartition(".")[2] for fact in await mesh.facts()]


async def assessment(mesh) -> pb.HazardAssessed:
    (fact,) = await mesh.facts("HazardAssessed")
    return fact.message()


async def reason(mesh, kind: str = "RunFailed") -> str:
    (fact,) = await mesh.facts(kind)
    return fact.message().reason


@pytest.fixture
async def asked(mesh):
    """A run that waits for its chunks."""
    await mesh.airspace()
    await mesh.predicted()
    return mesh


async def test_a_prediction_requests_a_run_and_all_of_its_chunks_together(mesh):
    await mesh.airspace()
    event_id = await mesh.predicted()
    assert await kinds(mesh) == ["RunRequested", *["ChunkRequested"] * CHUNKS]
    facts = await mesh.facts()
    assert {fact.stream for fact in facts} == {f"run/{running.run_of(event_id)}"}
    assert {fact.occurred_at for fact in facts} == {KNOWN_AT}
    assert [fact.message().sample_count for fact in facts[1:]] == [CHUNK, CHUNK, SAMPLES - 2 * CHUNK]


async def test_without_an_airspace_a_prediction_waits_for_one(mesh):
    await mesh.predicted()
    assert await mesh.facts() == []
    await mesh.airspace()
    assert (await kinds(mesh))[0] == "RunRequested"


async def test_an_older_prediction_starts_nothing(asked):
    await asked.predicted(version=2)
    before = await kinds(asked)
    await asked.predicted(version=1)
    assert await kinds(asked) == before


async def test_a_prediction_told_twice_has_one_run(asked):
    (told,) = await asked.desk.database.fetch("SELECT body, event_id FROM predictions")
    before = await kinds(asked)
    fact = propagation.DecayPredicted.FromString(told["body"])
    recorded = replace((await asked.facts())[0], event_id=UUID(str(told["event_id"])), version=2)
    table = handlers.of_propagation(handlers.Starter(asked.desk))
    fields = {"type": fact.DESCRIPTOR.full_name, "data": told["body"]}
    await asked.hand(table, replace(recorded, **fields))
    assert await kinds(asked) == before


async def test_the_outcomes_of_all_chunks_bring_one_assessment(asked):
    await asked.run()
    found = await assessment(asked)
    assert (found.catalogue_number, found.prediction_version, found.sample_count) == (OBJECT, 1, SAMPLES)
    assert abs(sum(fir.share for fir in found.firs) + found.unassigned_share - 1.0) < 1e-9
    assert (found.airspace_dataset, found.airspace_notice) == ("demo", "not for operations")
    assert await asked.desk.blobs.get(found.points_sha256)
    (run,) = await asked.desk.database.fetch("SELECT state, completed_chunk_count FROM runs")
    assert tuple(run) == ("completed", CHUNKS)


async def test_the_same_chunks_told_again_have_no_effect(asked):
    """INVARIANT: a chunk counts once and a run is settled once, however often a message comes."""
    await asked.run()
    before = await kinds(asked)
    await asked.run()
    assert await kinds(asked) == before


async def test_two_last_chunks_at_the_same_moment_settle_the_run_once(asked):
    """INVARIANT: settled at the version of the run that was seen, so that of two who see it complete one conflicts."""
    await asked.work()
    outcomes = await asked.facts("ChunkCompleted")
    settling = (asked.hand(handlers.of_hazard(Settler(asked.desk)), fact) for fact in outcomes)
    ended = await asyncio.gather(*settling, return_exceptions=True)
    assert all(one is None or isinstance(one, Conflict) for one in ended)
    assert (await kinds(asked)).count("RunCompleted") == (await kinds(asked)).count("HazardAssessed") == 1


async def test_a_worker_that_slept_while_another_flew_its_chunk_records_nothing(asked):
    """INVARIANT: an outcome is decided on the run as it is at the end. Who wakes late changes nothing."""
    (fact, *_) = await asked.facts("ChunkRequested")
    woken = asyncio.Event()

    class Sleepy(Workers):
        async def run(self, work, job):
            flown = await asked.desk.workers.run(work, job)
            await woken.wait()
            return flown

    sleeper = Worker(replace(asked.desk, workers=Sleepy()))
    sleeping = asyncio.create_task(asked.hand(handlers.of_work(sleeper), fact))
    await asked.hand(handlers.of_work(Worker(asked.desk)), fact)
    before = await kinds(asked)
    woken.set()
    await sleeping
    assert await kinds(asked) == before


@pytest.mark.parametrize("chunk_samples", [10, 60])
async def test_chunking_changes_no_byte_of_the_assessment(asked, chunk_samples):
    """INVARIANT: results depend neither on chunks nor on who flew them."""
    await asked.run()
    first = await assessment(asked)
    other = asked.with_settings(hazard_chunk_samples=chunk_samples)
    await other.predicted(version=2)
    await other.run()
    second = (await asked.facts("HazardAssessed"))[1].message()
    for name in ("run_id", "prediction_event_id", "prediction_version"):
        setattr(second, name, getattr(first, name))
    assert second.SerializeToString(deterministic=True) == first.SerializeToString(deterministic=True)


async def test_samples_are_capped_by_settings(mesh):
    capped = mesh.with_settings(hazard_max_samples=20)
    await capped.airspace()
    await capped.predicted()
    assert (await mesh.facts("RunRequested"))[0].message().sample_count == 20


class Deadly(Workers):
    """Processes that are killed when they are handed a chunk, as an out-of-memory killer does; `deaths` of them."""

    def __init__(self, deaths: int) -> None:
        super().__init__(memory_bytes=8 * 2**30, timeout_s=120.0)
        self.deaths = deaths
        self.jobs = 0

    async def run(self, work, job):
        self.jobs += 1
        if self.jobs <= self.deaths:
            return await super().run(die, job)
        return await super().run(work, job)


def die(_job: flying.Job) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def deadly():
    pools = []

    def make(deaths: int) -> Deadly:
        pools.append(Deadly(deaths))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


async def first_chunk(mesh, desk) -> None:
    (fact, *_) = await mesh.facts("ChunkRequested")
    await mesh.hand(handlers.of_work(Worker(desk)), fact)


async def test_a_chunk_that_kills_its_process_is_flown_again(asked, deadly):
    pool = deadly(2)
    await first_chunk(asked, replace(asked.desk, workers=pool))
    assert pool.jobs == 3
    assert (await kinds(asked))[-1] == "ChunkCompleted"


async def test_a_chunk_that_kills_its_process_three_times_has_failed(asked, deadly):
    pool = deadly(100)
    await first_chunk(asked, replace(asked.desk, workers=pool))
    assert pool.jobs == 3
    (failed,) = await asked.facts("ChunkFailed")
    assert (failed.message().attempt_count, failed.message().reason) == (
        3,
        "the process that did it ended without an answer",
    )


async def test_an_attempt_is_on_record_before_it_begins(asked, deadly):
    """INVARIANT: a worker that dies with its chunk has counted it. Otherwise a deadly chunk kills workers for ever."""
    for attempt in (1, 2, 3):
        worker = asyncio.create_task(first_chunk(asked, replace(asked.desk, workers=Endless())))
        await eventually(partial(counted, asked, attempt))
        worker.cancel()  # the worker is gone: nothing that it would do afterwards happens
        with pytest.raises(asyncio.CancelledError):
            await worker
    pool = deadly(0)
    await first_chunk(asked, replace(asked.desk, workers=pool))
    assert pool.jobs == 0
    assert "ended its worker" in await reason(asked, "ChunkFailed")


async def counted(mesh, attempts: int) -> bool:
    return await mesh.desk.database.fetchval("SELECT max(attempt_count) FROM attempts") == attempts


class Endless(Workers):
    async def run(self, *_):
        await asyncio.Event().wait()


async def test_a_store_that_is_away_is_no_attempt_of_a_chunk(asked):
    """INVARIANT: what is nobody's fault is tried again, not counted against the chunk."""

    class Away(type(asked.desk.blobs)):
        async def get(self, *_) -> bytes:
            raise ConnectionResetError

        async def put(self, *_) -> str:
            raise ConnectionResetError

    (fact, *_) = await asked.facts("ChunkRequested")
    blobs = asked.desk.blobs
    away = Away("memory:///")
    no_put = Away("memory:///")
    no_put.get = blobs.get
    for store in (away, away, away, away, no_put, no_put, no_put, no_put):
        with pytest.raises(ConnectionResetError):
            await asked.hand(handlers.of_work(Worker(replace(asked.desk, blobs=store))), fact)
    await asked.hand(handlers.of_work(Worker(asked.desk)), fact)
    assert (await kinds(asked))[-1] == "ChunkCompleted"


async def test_a_chunk_whose_inputs_are_gone_has_failed_and_with_it_the_run(asked, tmp_path):
    for file in tmp_path.rglob("*"):
        if file.is_file() and b'"FeatureCollection"' in file.read_bytes():
            file.unlink()
    await asked.run()
    assert "is not stored" in await reason(asked)
    assert (await kinds(asked)).count("HazardAssessed") == 0


async def store_results(mesh, change) -> None:
    """Settles the run with what `change` makes of the results of its chunks."""
    await mesh.work()
    for fact in await mesh.facts("ChunkCompleted"):
        message = fact.message()
        results = flight_files.read_result(await mesh.desk.blobs.get(message.result_sha256))
        sha256 = await mesh.desk.blobs.put(flight_files.result_file(change(results)))
        message.result_sha256 = sha256
        await admin_update(mesh, fact.position, message)


async def admin_update(mesh, position: int, message) -> None:
    """As the owner: the service's role cannot."""
    await mesh.owner.execute("UPDATE events SET data = $2 WHERE position = $1", position, message.SerializeToString())


@pytest.fixture
async def owned(asked, postgres_server, namespace):
    url = postgres_server.admin_url.removesuffix("/postgres") + f"/{namespace}_spacecom_hazard"
    asked.owner = await asyncpg.connect(url)
    yield asked
    await asked.owner.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda results: [replace(one, seconds=float("nan")) for one in results],
        lambda results: [replace(one, lat_deg=91.0) for one in results],
        lambda results: [replace(one, fir=99) for one in results],
        lambda results: results[:-1],
        lambda results: [replace(one, sample=0) for one in results],
    ],
    ids=["not a number", "out of range", "an unknown region", "fewer than told", "one sample again and again"],
)
async def test_a_run_whose_results_cannot_be_fails_and_says_why(owned, change):
    """INVARIANT: no hazard is published from results that cannot be."""
    await store_results(owned, change)
    await owned.settle()
    assert "its results cannot be used" in await reason(owned)
    assert await owned.facts("HazardAssessed") == []


async def test_a_run_whose_samples_do_not_come_down_fails(mesh):
    """INVARIANT: fewer than 95 % of the samples give no result, for the hazard would look smaller than it is."""
    await mesh.airspace()
    await mesh.predicted(staying=4)
    await mesh.run()
    assert "only 56 of 60 samples" in await reason(mesh)
    assert await mesh.facts("HazardAssessed") == []


async def test_a_run_of_95_percent_of_its_samples_is_assessed(mesh):
    await mesh.airspace()
    await mesh.predicted(staying=3)
    await mesh.run()
    assert (await assessment(mesh)).sample_count == 57


async def test_results_of_another_model_fail_their_chunk(owned):
    """INVARIANT: one model flies a run. Results of two releases must not be counted together."""
    (fact, *_) = await owned.facts("ChunkRequested")
    message = fact.message()
    message.model_version = "another"
    await admin_update(owned, fact.position, message)
    await first_chunk(owned, owned.desk)
    assert "run one version of workers" in await reason(owned, "ChunkFailed")


async def test_every_fact_of_the_services_on_the_left_has_a_handler(mesh):
    starter = handlers.Starter(mesh.desk)
    for table, module in ((handlers.of_ingest(starter), ingest), (handlers.of_propagation(starter), propagation)):
        streams = {kind for kind in module.DESCRIPTOR.message_types_by_name if kind.endswith(PAST)}
        assert streams <= {kind.DESCRIPTOR.name for kind in table}


PAST = ("Recorded", "Accepted", "Rejected", "Catalogued", "Revised", "Changed", "Predicted", "Declined")


async def test_dropping_and_rebuilding_every_read_model_gives_identical_rows(asked, namespace):
    """INVARIANT: the event log is the truth; a read model holds nothing that is not in it."""
    await asked.run()
    await asked.predicted(version=2, number=25544)
    before = await rows(asked)
    assert all(before.values())
    operations = Operations(
        "hazard",
        asked.log,
        Relay(asked.log, "127.0.0.1:1", namespace),
        "",
        namespace,
        tables=projections.TABLES,
    )
    await asked.desk.database.execute("UPDATE runs SET state = 'lost'; DELETE FROM assessments")
    assert await operations.rebuild_read_models("") == await asked.log.head()
    assert await rows(asked) == before


async def test_the_newest_airspace_is_used_or_the_one_that_is_named(mesh):
    await mesh.airspace(dataset="old", position=1)
    await mesh.airspace(geojson(box("NNNN", 0, 20)), dataset="new", position=2)
    await mesh.predicted(version=1)
    await mesh.with_settings(hazard_airspace_dataset="old").predicted(number=25544)
    datasets = [fact.message().airspace_dataset for fact in await mesh.facts("RunRequested")]
    assert datasets == ["new", "old"]
