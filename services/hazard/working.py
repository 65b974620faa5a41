"""Workers fly chunks."""

from dataclasses import dataclass

from libs.blobs import BlobCorrupt, BlobMissing
from libs.consume import Commit, Delivery
from libs.eventlog import Fact, derived_id
from libs.postgres import Connection
from libs.workers import Lost
from services.hazard import codec, domain, flying
from services.hazard.domain import ChunkCompleted, ChunkFailed, RunState
from services.hazard.flight_files import BadFile
from services.hazard.running import Desk, load, stream_of
from services.hazard.scenario import BadScenario
from spacecom.hazard.v1 import hazard_events_pb2 as pb


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
            job = await job_of(self.desk, asked)
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
            return await completed(self.desk, asked, flown)
        return ChunkFailed(asked.run_id, asked.chunk, domain.MAX_ATTEMPTS, reason)

    async def _forget(self, asked: domain.ChunkRequested) -> None:
        """It can be flown: what fails from here, such as a store that is away, is no attempt of the chunk's."""
        query = "DELETE FROM attempts WHERE run_id = $1 AND chunk = $2"
        await self.desk.database.execute(query, asked.run_id, asked.chunk)

    async def _count(self, asked: domain.ChunkRequested) -> int:
        query = """INSERT INTO attempts AS a (run_id, chunk, attempt_count) VALUES ($1, $2, 1)
                   ON CONFLICT (run_id, chunk) DO UPDATE SET attempt_count = a.attempt_count + 1
                   RETURNING attempt_count"""
        return int(await self.desk.database.fetchval(query, asked.run_id, asked.chunk))


async def job_of(desk: Desk, asked: domain.ChunkRequested) -> flying.Job:
    """Raises BlobMissing and BlobCorrupt."""
    get = desk.blobs.get
    return flying.Job(
        asked,
        await get(asked.draws_sha256),
        await get(asked.drivers_sha256),
        await get(asked.airspace_sha256),
        await get(asked.scenario_sha256),
        desk.settings.hazard_worker_threads,
    )


async def completed(desk: Desk, asked: domain.ChunkRequested, flown: flying.Flown) -> ChunkCompleted:
    """With what was flown put down."""
    put = desk.blobs.put
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
