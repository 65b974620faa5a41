"""Makes the predictions that are due: an object once, however many facts asked for it meanwhile."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import stamina
from asyncpg import Pool

from libs import telemetry
from libs.astro import version, weather
from libs.astro.time import datetime_to_jd
from libs.blobs import Blobs
from libs.eventlog import Cause, Conflict, EventLog, Fact, Recorded, derived_id
from libs.postgres import Connection
from libs.workers import Workers
from services.propagation import agreeing, codec, compute, domain, queries
from services.propagation.domain import (
    DecayPredicted,
    DeclineReason,
    Event,
    Inputs,
    KnownSet,
    PredictionDeclined,
    WeatherDay,
)
from services.propagation.flight_files import drivers_file
from services.propagation.queries import Due
from services.propagation.settings import PropagationSettings

ATTEMPTS = 3  # a set that kills its process three times will do so again
TRANSIENT = (
    OSError,  # includes a refused or reset connection
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # a connection closed under the query
    asyncpg.DeadlockDetectedError,
    asyncpg.OperatorInterventionError,  # the server is starting or stopping
)
FLOOR_S = 1.0  # how long a missed wake-up can delay a prediction
CONFLICT_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Basis:
    """What a prediction is made from."""

    sets: tuple[KnownSet, ...]
    known_at: datetime
    days: tuple[WeatherDay, ...]
    drivers: weather.Drivers


class Predictor:
    def __init__(
        self, pool: Pool, log: EventLog, blobs: Blobs, workers: Workers, settings: PropagationSettings
    ) -> None:
        self._pool = pool
        self._log = log
        self._blobs = blobs
        self._workers = workers
        self._settings = settings
        self._awake = asyncio.Event()

    def wake(self) -> None:
        self._awake.set()

    async def run(self) -> None:
        """Until cancelled; waits out a database or store that is away."""
        while True:
            self._awake.clear()
            try:
                worked = await self.work_off()
            except TRANSIENT as error:
                telemetry.log.warning("prediction_waits", error=str(error))
                worked = 0
            if not worked:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), FLOOR_S)

    async def work_off(self) -> int:
        """Makes the predictions due now, returns how many were taken."""
        async with self._pool.acquire() as conn:
            due = await queries.due(conn, ATTEMPTS, self._settings.propagation_workers)
        outcomes = await asyncio.gather(*(self._attempt(waiting) for waiting in due), return_exceptions=True)
        for waiting, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, TRANSIENT):
                raise outcome
            if isinstance(outcome, Exception):
                telemetry.log.error("prediction_failed", object=waiting.catalogue_number, error=repr(outcome))
                await self._note(waiting, repr(outcome), attempts=0)
        return len(due)

    async def due_count(self) -> int:
        async with self._pool.acquire() as conn:
            return await queries.due_count(conn, ATTEMPTS)

    async def degraded(self) -> list[str]:
        async with self._pool.acquire() as conn:
            given_up = await queries.given_up(conn, ATTEMPTS)
        return [f"object {number} is not predicted: {error}" for number, error in given_up]

    async def _attempt(self, due: Due) -> None:
        event_id = derived_id(due.cause_event_id, "propagation", due.catalogue_number)
        async with self._pool.acquire() as conn:
            if await queries.recorded(conn, event_id):  # marked again by a rebuild
                return await _forget(conn, due)
        await self._note(due, "its computation ended without an answer")
        found = await self.predict(due.catalogue_number, due.known_at, due.traceparent)
        cause = Cause(due.correlation_id, due.cause_event_id, due.traceparent)
        await self.record(found, event_id, cause, done=due)
        return None

    async def _note(self, due: Due, error: str, attempts: int = 1) -> None:
        """Counted before the computing starts, so that a prediction that ends this process is counted too."""
        async with self._pool.acquire() as conn:
            await conn.execute(
                """UPDATE due SET attempts = attempts + $3, error = $4
                   WHERE catalogue_number = $1 AND cause_event_id = $2""",
                due.catalogue_number,
                due.cause_event_id,
                attempts,
                error,
            )

    async def predict(self, number: int, known_at: datetime, traceparent: str = "") -> Event:
        """Predicts from what was published by then; the first later weather that suffices when there was none."""
        basis = await self._basis(number, known_at)
        if isinstance(basis, PredictionDeclined):
            return basis
        settings = self._settings
        seed = domain.seed_of(basis.sets[-1].event_id)
        job = compute.Job(
            tuple(known.elements for known in basis.sets),
            basis.drivers,
            sum(datetime_to_jd(basis.known_at)),
            seed,
            settings.propagation_samples,
            settings.propagation_horizon_days,
            settings.propagation_threads,
        )
        with telemetry.span("predict", parent=traceparent or None, catalogue_number=number):
            result = await self._workers.run(compute.compute, job)
        inputs = await self._cited(basis, seed)
        if isinstance(result, compute.Refusal):
            return _declined(number, basis.known_at, result.reason, result.detail, inputs)
        return await self._predicted(number, basis, inputs, result)

    async def _basis(self, number: int, known_at: datetime) -> Basis | PredictionDeclined:
        async with self._pool.acquire() as conn:
            sets = domain.history(await queries.sets_of(conn, number), known_at)
            if not sets:
                raise domain.UnknownObject(f"no element set of object {number} is known; submit one to ingest")
            span = domain.weather_span_mjd(sets, self._settings.propagation_horizon_days)
            later = await queries.weather_published_after(conn, *span, known_at)
            missing = ""
            for instant in (known_at, *later):
                days = await queries.weather(conn, *span, instant)
                used = domain.covered(sets, days)
                try:
                    drivers = await asyncio.to_thread(self._drivers, used, days, instant)
                except weather.NoSpaceWeather as refused:
                    missing = missing or str(refused)
                    continue
                return Basis(tuple(used), instant, tuple(days), drivers)
        return _declined(number, known_at, DeclineReason.NO_SPACE_WEATHER, missing)

    def _drivers(self, sets: Sequence[KnownSet], days: Sequence[WeatherDay], known_at: datetime) -> weather.Drivers:
        jd, fraction = datetime_to_jd(known_at)
        known = [weather.Day(day.mjd, day.ap_3h, day.ap_daily, day.f107_observed_sfu) for day in days]
        end_mjd = sets[-1].epoch.mjd + self._settings.propagation_horizon_days + 1.0
        return weather.drivers(known, sets[0].epoch.mjd - 1.0, end_mjd, domain.Epoch(jd, fraction).mjd)

    async def _cited(self, basis: Basis, seed: int) -> Inputs:
        return Inputs(
            element_set_event_ids=tuple(known.event_id for known in basis.sets),
            weather_event_ids=tuple(dict.fromkeys(day.event_id for day in basis.days)),
            drivers_sha256=await self._blobs.put(drivers_file(basis.drivers.rows, basis.drivers.start_mjd)),
            sample_count=self._settings.propagation_samples,
            seed=seed,
            horizon_days=self._settings.propagation_horizon_days,
        )

    async def _predicted(self, number: int, basis: Basis, inputs: Inputs, flown: compute.Flown) -> DecayPredicted:
        draws = await self._blobs.put(flown.draws)
        return DecayPredicted(
            catalogue_number=number,
            known_at=basis.known_at,
            start_epoch=flown.start_epoch,
            reentry_altitude_km=compute.REENTRY_ALTITUDE_KM,
            nominal_epoch=flown.nominal_epoch,
            quantiles=flown.quantiles,
            nominal_latitude_deg=flown.nominal_latitude_deg,
            nominal_longitude_deg=flown.nominal_longitude_deg,
            ln_b=flown.ln_b,
            sigma_ln_b=flown.sigma_ln_b,
            sigma_a_km=flown.sigma_a_km,
            draws_sha256=draws,
            inputs=inputs,
            model_version=version.model_version(),
            method=flown.method,
        )

    async def record(self, found: Event, event_id: UUID, cause: Cause, done: Due | None = None) -> list[Recorded]:
        """Appends what is worth recording; the due row goes in the same transaction."""
        async for attempt in stamina.retry_context(
            on=Conflict, attempts=CONFLICT_ATTEMPTS, timeout=30.0, wait_initial=0.005, wait_max=0.2, wait_jitter=0.02
        ):
            with attempt:
                async with self._pool.acquire() as conn, conn.transaction():
                    if done is not None:
                        await _forget(conn, done)
                    return await self.append(conn, found, event_id, cause)
        raise AssertionError("the last attempt returns or raises")

    async def append(self, conn: Connection, found: Event, event_id: UUID, cause: Cause) -> list[Recorded]:
        stream = f"decay/{found.catalogue_number}"
        history = await self._log.load(conn, stream)
        if any(recorded.event_id == event_id for recorded in history):
            return []
        outlook = domain.Outlook()
        for recorded in history:
            outlook = domain.evolve(outlook, codec.from_wire(recorded.message()))
        facts = [Fact(codec.to_wire(event), event.known_at, event_id) for event in domain.decide(found, outlook)]
        if not facts:
            return []
        appended = await self._log.append(conn, stream, facts, after=len(history), cause=cause)
        if isinstance(found, DecayPredicted):
            await agreeing.weigh(conn, self._log, (event_id, found), found.known_at, cause)
        return appended


async def _forget(conn: Connection, done: Due) -> None:
    await conn.execute(
        "DELETE FROM due WHERE catalogue_number = $1 AND cause_event_id = $2",
        done.catalogue_number,
        done.cause_event_id,
    )


def _declined(
    number: int, known_at: datetime, reason: DeclineReason, detail: str, inputs: Inputs | None = None
) -> PredictionDeclined:
    return PredictionDeclined(number, known_at, reason, detail, version.model_version(), inputs)
