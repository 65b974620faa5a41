"""Runs from request to end: one of record at a time for each object."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Pool

from libs.astro.version import model_version
from libs.blobs import Blobs
from libs.eventlog import Cause, EventLog, Fact, Recorded, derived_id
from libs.postgres import Connection
from libs.workers import Workers
from services.hazard import codec, domain, flying, queries, scenario
from services.hazard.domain import Chosen, Prediction, Run
from services.hazard.settings import HazardSettings

_RUNS_OF_OBJECT = 0x52554E53  # class of the lock


@dataclass(frozen=True, slots=True)
class Desk:
    """What runs are started, flown and settled with."""

    database: Pool
    log: EventLog
    blobs: Blobs
    workers: Workers
    settings: HazardSettings


async def warm_up(desk: Desk, processes: int) -> None:
    """All processes load their kernels at once, before the first is asked."""
    await asyncio.gather(*(desk.workers.run(flying.warm_up) for _ in range(processes)))


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
    *,
    by_hand: bool = False,
) -> bool:
    """Appends the run and its chunks once; False when no airspace is known to run it on."""
    airspace = await queries.airspace(conn, desk.settings.hazard_airspace_dataset)
    if airspace is None:
        return False
    if await desk.log.load(conn, stream_of(run_id)):
        return True
    running, most_running = await queries.running_count(conn), desk.settings.hazard_max_running
    if by_hand and running >= most_running:
        raise domain.TooManyRuns(f"{running} runs are being flown, {most_running} at most; wait for one or cancel one")
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


async def start_newest(conn: Connection, desk: Desk, number: int, cause: Cause) -> None:
    """Flies the newest prediction of an object, one run at a time: it waits for one that is being flown.

    Whoever starts or ends a run of an object holds its lock, so that none waits for a run that has just ended.
    """
    await lock(conn, number)
    if not await queries.runs_of_record(conn, number):
        for prediction in await queries.waiting(conn, number):
            await start(conn, desk, run_of(prediction.event_id), prediction, cause)


async def expire(conn: Connection, desk: Desk, number: int, at: datetime, cause: Cause) -> None:
    """Ends the run of record of an object that stands still as a newer prediction comes, recorded at `at`."""
    await lock(conn, number)
    longest = timedelta(seconds=desk.settings.hazard_run_stalled_s)
    for run_id in await queries.runs_of_record(conn, number):
        run, history = await load(desk.log, conn, run_id)
        ends = domain.expire(run_id, run, at - history[-1].recorded_at, longest)
        facts = [Fact(codec.to_wire(end), history[0].occurred_at, derived_id(run_id, "hazard-end", 0)) for end in ends]
        if facts:
            await desk.log.append(conn, stream_of(run_id), facts, after=len(history), cause=cause)


async def lock(conn: Connection, number: int) -> None:
    """Until the transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock($1, $2)", _RUNS_OF_OBJECT, number)


async def choose(conn: Connection, desk: Desk, prediction: Prediction) -> Chosen:
    """The scenario that what is known of the object gives."""
    known = await queries.known_object(conn, prediction.catalogue_number)
    sha256 = await desk.blobs.put(scenario.to_json(scenario.choose(known)))
    return Chosen(sha256, prediction.seed, redistribution=known.redistribution)


def run_of(prediction_event_id: UUID) -> UUID:
    """The run that a prediction starts by itself."""
    return derived_id(prediction_event_id, "hazard", 0)
