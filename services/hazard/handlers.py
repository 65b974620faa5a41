"""Predictions and airspace start runs, and bring a quick corridor at once; outcomes of chunks settle runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from libs import telemetry
from libs.blobs import BlobCorrupt, BlobMissing
from libs.consume import Commit, Delivery, Handler
from libs.eventlog import Fact, derived_id
from libs.postgres import Connection
from libs.workers import Lost
from services.hazard import codec, domain, queries, settling
from services.hazard.domain import Prediction, Run, RunState
from services.hazard.flight_files import BadFile
from services.hazard.running import Desk, expire, load, lock, start_newest, stream_of
from services.hazard.working import Worker
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.propagation.v1 import propagation_events_pb2 as propagation


@dataclass(frozen=True, slots=True)
class Starter:
    """Handles the facts of the services on the left."""

    desk: Desk

    async def prediction(self, delivery: Delivery[propagation.DecayPredicted]) -> Commit:
        fact = delivery.message
        prediction = codec.prediction(fact, delivery.event_id, delivery.sequence)
        assessed = await self._quick(prediction)

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
            if newer and assessed and not await queries.is_assessed(conn, prediction):
                stream = f"hazard/{fact.catalogue_number}"
                event_id = derived_id(delivery.event_id, "hazard-quick", 0)
                told = Fact(codec.to_wire(assessed), prediction.known_at, event_id)
                after = len(await self.desk.log.load(conn, stream))
                await self.desk.log.append(conn, stream, [told], after=after, cause=delivery.cause)
            if newer:
                await expire(conn, self.desk, fact.catalogue_number, delivery.recorded_at, delivery.cause)
                await start_newest(conn, self.desk, fact.catalogue_number, delivery.cause)

        return commit

    async def _quick(self, prediction: Prediction) -> domain.QuickAssessed | None:
        """What a few samples say, within seconds; none leaves all to the run."""
        samples = self.desk.settings.hazard_quick_samples
        async with self.desk.database.acquire() as conn:
            airspace = await queries.airspace(conn, self.desk.settings.hazard_airspace_dataset)
            known = await queries.is_assessed(conn, prediction)
        if not samples or airspace is None or known:
            return None
        try:
            done = await settling.quick_corridor(self.desk, prediction, airspace, samples)
        except (BadFile, BlobMissing, BlobCorrupt, Lost, MemoryError, ValueError) as error:
            telemetry.log.warning("no_quick_corridor", catalogue_number=prediction.catalogue_number, reason=str(error))
            return None
        for data in (done.points, done.corridor):
            await self.desk.blobs.put(data)
        return domain.QuickAssessed(done.hazard, domain.quick_inputs(prediction, airspace, samples))

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
                await start_newest(conn, self.desk, prediction.catalogue_number, delivery.cause)

        return commit

    async def traffic(self, delivery: Delivery[ingest.TrafficDensityRecorded]) -> Commit:
        fact = delivery.message

        async def commit(conn: Connection) -> None:
            await conn.execute(
                """INSERT INTO traffic AS t (dataset, position, input_sha256, source) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (dataset) DO UPDATE SET position = EXCLUDED.position,
                     input_sha256 = EXCLUDED.input_sha256, source = EXCLUDED.source
                   WHERE t.position < EXCLUDED.position""",
                fact.dataset,
                delivery.position,
                fact.input_sha256,
                f"{fact.source}. {fact.notice}" if fact.notice else fact.source,
            )

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
        known_at, number = history[0].occurred_at, run.requested.catalogue_number if run.requested else 0
        end, assessed = await self._settle(run, run_id, known_at)

        async def commit(conn: Connection) -> None:
            await lock(conn, number)
            facts = [Fact(codec.to_wire(end), known_at, derived_id(run_id, "hazard-end", 0))]
            writes = [(stream_of(run_id), len(history), facts)]
            if assessed:
                stream, event = _told(run, run_id, assessed)
                fact = Fact(codec.to_wire(event), known_at, derived_id(run_id, "hazard-end", 1))
                writes.append((stream, len(await self.desk.log.load(conn, stream)), [fact]))
            await self.desk.log.append_all(conn, writes, delivery.cause)
            await start_newest(conn, self.desk, number, delivery.cause)

        return commit

    async def _settle(
        self, run: Run, run_id: UUID, known_at: datetime
    ) -> tuple[domain.RunCompleted | domain.RunFailed, domain.HazardAssessed | None]:
        reason = domain.shortfall(run)
        if not reason:
            try:
                assessed = await self._assess(run, known_at)
            except (BadFile, BlobMissing, BlobCorrupt, Lost, MemoryError) as error:
                reason = f"its results cannot be used: {error}"
            else:
                return domain.RunCompleted(run_id, assessed.sample_count), assessed
        return domain.RunFailed(run_id, reason), None

    async def _assess(self, run: Run, known_at: datetime) -> domain.HazardAssessed:
        async with self.desk.database.acquire() as conn:
            airspace = await queries.airspace(conn, run.requested.airspace_dataset if run.requested else "")
        return await settling.assessed(self.desk, run, known_at, airspace.notice if airspace else "")


def _told(run: Run, run_id: UUID, assessed: domain.HazardAssessed) -> tuple[str, domain.Event]:
    """Where an assessment goes: an analyst's variant to itself, so that it replaces nothing and alerts nobody."""
    if run.requested and run.requested.scenario.variant:
        return f"variant/{run_id}", domain.VariantAssessed(assessed)
    return f"hazard/{assessed.catalogue_number}", assessed


async def nothing(_delivery: Delivery[Any]) -> None:
    return None


Handlers = dict[type[Message], Handler]


def of_propagation(starter: Starter) -> Handlers:
    return {
        propagation.DecayPredicted: starter.prediction,
        propagation.PredictionDeclined: nothing,
        propagation.AgreementChanged: nothing,
    }


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
        ingest.TrafficDensityRecorded: starter.traffic,
    }


def of_hazard(settler: Settler) -> Handlers:
    return {
        pb.ChunkCompleted: settler.outcome,
        pb.ChunkFailed: settler.outcome,
        pb.RunRequested: nothing,
        pb.RunCompleted: nothing,
        pb.RunFailed: nothing,
        pb.RunCancelled: nothing,
        pb.QuickAssessed: nothing,
        pb.HazardAssessed: nothing,
        pb.VariantAssessed: nothing,
        pb.ClosingPlanned: nothing,
    }


def of_work(worker: Worker) -> Handlers:
    return {pb.ChunkRequested: worker.chunk}
