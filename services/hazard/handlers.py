"""Predictions and airspace start runs; outcomes of chunks settle them. Workers fly chunks."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg import Pool
from google.protobuf.message import Message

from libs.astro.version import model_version
from libs.blobs import BlobCorrupt, BlobMissing, Blobs
from libs.consume import Commit, Delivery, Handler
from libs.eventlog import Cause, EventLog, Fact, Recorded, derived_id
from libs.postgres import Connection
from libs.workers import Lost, Workers
from services.hazard import assessing, codec, domain, flying, parting, queries, scenario
from services.hazard.domain import Chosen, ChunkCompleted, ChunkFailed, Prediction, Run, RunState
from services.hazard.flight_files import BadFile
from services.hazard.scenario import BadScenario
from services.hazard.settings import HazardSettings
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.propagation.v1 import propagation_events_pb2 as propagation


@dataclass(frozen=True, slots=True)
class Desk:
    """What runs are started, flown and settled with."""

    database: Pool
    log: EventLog
    blobs: Blobs
    workers: Workers
    settings: HazardSettings


def stream_of(run_id: UUID) -> str:
    return f"run/{run_id}"


async def load(log: EventLog, conn: Connection, run_id: UUID) -> tuple[Run, list[Recorded]]:
    history = await log.load(conn, stream_of(run_id))
    run = Run()
    for recorded in history:
        run = domain.evolve(run, codec.run_event(recorded.message()))
    return run, history


async def start(
    conn: Connection,
    desk: Desk,
    run_id: UUID,
    prediction: Prediction,
    cause: Cause,
    most: int = 0,
    chosen: Chosen | None = None,
) -> bool:
    """Appends the run and its chunks once; False when no airspace is known to run it on."""
    airspace = await queries.airspace(conn, desk.settings.hazard_airspace_dataset)
    if airspace is None:
        return False
    if await desk.log.load(conn, stream_of(run_id)):
        return True
    events = domain.request(
        run_id,
        prediction,
        airspace,
        chosen or await choose(conn, desk, prediction),
        chunk_samples=desk.settings.hazard_chunk_samples,
        most=min(most or desk.settings.hazard_max_samples, desk.settings.hazard_max_samples),
        model_version=model_version(),
    )
    facts = [
        Fact(codec.to_wire(event), prediction.known_at, derived_id(run_id, "hazard", ordinal))
        for ordinal, event in enumerate(events)
    ]
    await desk.log.append(conn, stream_of(run_id), facts, after=0, cause=cause)
    return True


async def choose(conn: Connection, desk: Desk, prediction: Prediction) -> Chosen:
    """The scenario that what is known of the object gives."""
    known = await queries.known_object(conn, prediction.catalogue_number)
    sha256 = await desk.blobs.put(scenario.to_json(scenario.choose(known)))
    return Chosen(sha256, prediction.seed, redistribution=known.redistribution)


def run_of(prediction_event_id: UUID) -> UUID:
    """The run that a prediction starts by itself."""
    return derived_id(prediction_event_id, "hazard", 0)


@dataclass(frozen=True, slots=True)
class Starter:
    """Handles the facts of the services on the left."""

    desk: Desk

    async def prediction(self, delivery: Delivery[propagation.DecayPredicted]) -> Commit:
        fact = delivery.message
        prediction = codec.prediction(fact, delivery.event_id, delivery.sequence)

        async def commit(conn: Connection) -> None:
            newer = await conn.fetchval(
                """INSERT INTO predictions AS p (catalogue_number, version, event_id, body) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (catalogue_number) DO UPDATE
                   SET version = EXCLUDED.version, event_id = EXCLUDED.event_id, body = EXCLUDED.body
                   WHERE p.version < EXCLUDED.version RETURNING true""",
                fact.catalogue_number,
                delivery.sequence,
                delivery.event_id,
                fact.SerializeToString(deterministic=True),
            )
            if newer:
                await start(conn, self.desk, run_of(delivery.event_id), prediction, delivery.cause)

        return commit

    async def airspace(self, delivery: Delivery[ingest.AirspaceRecorded]) -> Commit:
        fact = delivery.message

        async def commit(conn: Connection) -> None:
            await conn.execute(
                """INSERT INTO airspaces AS a (dataset, position, geojson_sha256, notice) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (dataset) DO UPDATE SET position = EXCLUDED.position,
                     geojson_sha256 = EXCLUDED.geojson_sha256, notice = EXCLUDED.notice
                   WHERE a.position < EXCLUDED.position""",
                fact.dataset,
                delivery.position,
                fact.geojson_sha256,
                fact.notice,
            )
            for prediction in await queries.waiting(conn):
                await start(conn, self.desk, run_of(prediction.event_id), prediction, delivery.cause)

        return commit

    async def described(self, delivery: Delivery[ingest.ObjectCatalogued | ingest.ObjectRevised]) -> Commit:
        fact = delivery.message
        known = codec.known_object(fact)

        async def commit(conn: Connection) -> None:
            await conn.execute(
                """INSERT INTO objects AS o (catalogue_number, version, kind, dry_mass_kg, shape, redistribution)
                   VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT (catalogue_number) DO UPDATE SET version = EXCLUDED.version, kind = EXCLUDED.kind,
                     dry_mass_kg = EXCLUDED.dry_mass_kg, shape = EXCLUDED.shape,
                     redistribution = EXCLUDED.redistribution
                   WHERE o.version < EXCLUDED.version""",
                fact.catalogue_number,
                delivery.sequence,
                known.kind,
                known.dry_mass_kg,
                known.shape,
                known.redistribution,
            )

        return commit


@dataclass(frozen=True, slots=True)
class Settler:
    """Handles the outcomes of chunks: the one that makes its run complete brings the assessment."""

    desk: Desk

    async def outcome(self, delivery: Delivery[Any]) -> Commit | None:
        run_id = UUID(delivery.message.run_id)
        async with self.desk.database.acquire() as conn:
            run, history = await load(self.desk.log, conn, run_id)
        if run.state is not RunState.RUNNING or not run.settled:
            return None
        end, assessed = await self._settle(run, run_id)
        known_at = history[0].occurred_at

        async def commit(conn: Connection) -> None:
            facts = [Fact(codec.to_wire(end), known_at, derived_id(run_id, "hazard-end", 0))]
            writes = [(stream_of(run_id), len(history), facts)]
            if assessed:
                stream, event = _told(run, run_id, assessed)
                fact = Fact(codec.to_wire(event), known_at, derived_id(run_id, "hazard-end", 1))
                writes.append((stream, len(await self.desk.log.load(conn, stream)), [fact]))
            await self.desk.log.append_all(conn, writes, delivery.cause)

        return commit

    async def _settle(
        self, run: Run, run_id: UUID
    ) -> tuple[domain.RunCompleted | domain.RunFailed, domain.HazardAssessed | None]:
        reason = domain.shortfall(run)
        if not reason:
            try:
                assessed = await self._assess(run, run_id)
            except (BadFile, BlobMissing, BlobCorrupt, Lost, MemoryError) as error:
                reason = f"its results cannot be used: {error}"
            else:
                return domain.RunCompleted(run_id, assessed.sample_count), assessed
        return domain.RunFailed(run_id, reason), None

    async def _assess(self, run: Run, run_id: UUID) -> domain.HazardAssessed:
        if run.requested is None:
            raise BadFile("the run was never requested")
        blobs, asked, requested = self.desk.blobs, run.chunks[0], run.requested
        done = [run.completed[chunk] for chunk in sorted(run.completed)]
        job = assessing.Job(
            tuple([await blobs.get(one.result_sha256) for one in done]),
            tuple([await blobs.get(one.minutes_sha256) for one in done]),
            tuple([await blobs.get(one.cells_sha256) for one in done]),
            await blobs.get(asked.scenario_sha256),
            requested.sample_count,
            run.flown,
            await blobs.get(asked.draws_sha256),
            await blobs.get(asked.drivers_sha256),
            await blobs.get(asked.airspace_sha256),
            asked.reentry_altitude_km,
        )
        chunks = {one.chunk: one for one in run.chunks}
        visits = tuple(
            parting.Chunk(chunks[one.chunk].first_sample, chunks[one.chunk].sample_count, one.visits_sha256)
            for one in done
        )
        settled = await self.desk.workers.run(parting.settle, job, visits, asked.scenario_sha256, blobs)
        found = settled.assessed
        async with self.desk.database.acquire() as conn:
            airspace = await queries.airspace(conn, requested.airspace_dataset)
            _, history = await load(self.desk.log, conn, run_id)
        return domain.HazardAssessed(
            catalogue_number=requested.catalogue_number,
            run_id=run_id,
            prediction_event_id=requested.prediction_event_id,
            prediction_version=requested.prediction_version,
            known_at=history[0].occurred_at,
            window_start_time=found.window_start_time,
            window_end_time=found.window_end_time,
            median_time=found.median_time,
            firs=found.firs,
            unassigned_share=found.unassigned_share,
            baselines=found.baselines,
            sample_count=found.sample_count,
            airspace_dataset=requested.airspace_dataset,
            airspace_notice=airspace.notice if airspace else "",
            points_sha256=settled.points_sha256,
            model_version=found.model_version,
            scenario_sha256=asked.scenario_sha256,
            scenario_name=settled.scenario.name,
            object_class=settled.scenario.object_class.value,
            class_reason=settled.scenario.class_reason,
            seed=asked.seed,
            pieces=found.pieces,
            bands=found.bands,
            unassigned=found.unassigned,
            minutes_sha256=settled.minutes_sha256,
            visits_sha256=settled.visits_sha256,
            corridor_sha256=settled.corridor_sha256,
            boxes=settled.boxes,
        )


def _told(run: Run, run_id: UUID, assessed: domain.HazardAssessed) -> tuple[str, domain.Event]:
    """Where an assessment goes: an analyst's variant to itself, so that it replaces nothing and alerts nobody."""
    if run.requested and run.requested.scenario.variant:
        return f"variant/{run_id}", domain.VariantAssessed(assessed)
    return f"hazard/{assessed.catalogue_number}", assessed


@dataclass(frozen=True, slots=True)
class Worker:
    """Flies chunks."""

    desk: Desk

    async def chunk(self, delivery: Delivery[pb.ChunkRequested]) -> Commit | None:
        asked = codec.chunk_requested(delivery.message)
        async with self.desk.database.acquire() as conn:
            run, _ = await load(self.desk.log, conn, asked.run_id)
        if run.state is not RunState.RUNNING or asked.chunk in run.completed or asked.chunk in run.failed:
            return None
        outcome = await self._outcome(asked)

        async def commit(conn: Connection) -> None:
            run, history = await load(self.desk.log, conn, asked.run_id)
            facts = [
                Fact(codec.to_wire(event), delivery.occurred_at, derived_id(delivery.event_id, "hazard", ordinal))
                for ordinal, event in enumerate(domain.decide_chunk(outcome, run))
            ]
            if facts:
                await self.desk.log.append(
                    conn, stream_of(asked.run_id), facts, after=len(history), cause=delivery.cause
                )

        return commit

    async def _outcome(self, asked: domain.ChunkRequested) -> ChunkCompleted | ChunkFailed:
        try:
            job = await self._job(asked)
        except (BlobMissing, BlobCorrupt) as error:
            return ChunkFailed(asked.run_id, asked.chunk, 1, str(error))
        return await self._flown(asked, job)

    async def _flown(self, asked: domain.ChunkRequested, job: flying.Job) -> ChunkCompleted | ChunkFailed:
        """Each attempt is on record before it starts, so that one that takes the worker with it counts too."""
        reason = "each attempt ended its worker"
        while (attempt := await self._count(asked)) <= domain.MAX_ATTEMPTS:
            try:
                flown = await self.desk.workers.run(flying.fly, job)
            except (Lost, MemoryError) as error:
                reason = str(error) or "it wanted more memory than it may have"
                continue
            except (BadFile, BadScenario, ValueError) as error:
                return ChunkFailed(asked.run_id, asked.chunk, attempt, str(error))
            await self._forget(asked)
            return await self._completed(asked, flown)
        return ChunkFailed(asked.run_id, asked.chunk, domain.MAX_ATTEMPTS, reason)

    async def _completed(self, asked: domain.ChunkRequested, flown: flying.Flown) -> ChunkCompleted:
        put = self.desk.blobs.put
        return ChunkCompleted(
            asked.run_id,
            asked.chunk,
            await put(flown.result),
            flown.completed_sample_count,
            flown.model_version,
            await put(flown.visits),
            await put(flown.minutes),
            await put(flown.cells),
        )

    async def _forget(self, asked: domain.ChunkRequested) -> None:
        """It can be flown: what fails from here, such as a store that is away, is no attempt of the chunk's."""
        query = "DELETE FROM attempts WHERE run_id = $1 AND chunk = $2"
        await self.desk.database.execute(query, asked.run_id, asked.chunk)

    async def _count(self, asked: domain.ChunkRequested) -> int:
        query = """INSERT INTO attempts AS a (run_id, chunk, attempt_count) VALUES ($1, $2, 1)
                   ON CONFLICT (run_id, chunk) DO UPDATE SET attempt_count = a.attempt_count + 1
                   RETURNING attempt_count"""
        return int(await self.desk.database.fetchval(query, asked.run_id, asked.chunk))

    async def _job(self, asked: domain.ChunkRequested) -> flying.Job:
        blobs = self.desk.blobs
        return flying.Job(
            asked,
            await blobs.get(asked.draws_sha256),
            await blobs.get(asked.drivers_sha256),
            await blobs.get(asked.airspace_sha256),
            await blobs.get(asked.scenario_sha256),
            self.desk.settings.hazard_worker_threads,
        )


async def nothing(_delivery: Delivery[Any]) -> None:
    return None


Handlers = dict[type[Message], Handler]


def of_propagation(starter: Starter) -> Handlers:
    return {propagation.DecayPredicted: starter.prediction, propagation.PredictionDeclined: nothing}


def of_ingest(starter: Starter) -> Handlers:
    return {
        ingest.AirspaceRecorded: starter.airspace,
        ingest.ElementSetAccepted: nothing,
        ingest.ObjectCatalogued: starter.described,
        ingest.ObjectRevised: starter.described,
        ingest.InputRejected: nothing,
        ingest.SpaceWeatherRecorded: nothing,
        ingest.SpaceWeatherForecastRecorded: nothing,
        ingest.SourceStateChanged: nothing,
        ingest.ObjectDecayed: nothing,
        ingest.ObjectRetired: nothing,
        ingest.SpaceWeatherIndicesRecorded: nothing,
        ingest.ThirdPartyPredictionRecorded: nothing,
        ingest.EphemerisRecorded: nothing,
        ingest.ConjunctionRecorded: nothing,
        ingest.EarthOrientationRecorded: nothing,
        ingest.TrafficDensityRecorded: nothing,
    }


def of_hazard(settler: Settler) -> Handlers:
    return {
        pb.ChunkCompleted: settler.outcome,
        pb.ChunkFailed: settler.outcome,
        pb.RunRequested: nothing,
        pb.RunCompleted: nothing,
        pb.RunFailed: nothing,
        pb.HazardAssessed: nothing,
        pb.VariantAssessed: nothing,
    }


def of_work(worker: Worker) -> Handlers:
    return {pb.ChunkRequested: worker.chunk}
