"""What becomes of a source, recorded: after a delivery, an attempt, a person's word, or silence."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
from asyncpg import Pool

from libs import service, telemetry
from libs.eventlog import Cause, EventLog, new_id
from libs.postgres import Connection
from services.ingest import codec, domain, freshness, policies, queries_sources
from services.ingest.domain import Delivery, Event, SourceHealth, SourceStateChanged
from services.ingest.freshness import Command, Expected, Source
from services.ingest.policies import Kind
from services.ingest.queries_sources import SourceRow
from services.ingest.recording import record
from services.ingest.settings import IngestSettings
from spacecom.ingest.v1 import ingest_events_pb2 as pb

AWAY = (*service.NOT_YET, asyncpg.InterfaceError)  # of Postgres: whoever needs it waits for it


async def change(pool: Pool, log: EventLog, name: str, command: Command, expected: Expected, cause: Cause) -> None:
    async def decide(conn: Connection) -> list[Event]:
        return freshness.decide_source(name, command, await _source(conn, name), expected)

    recorded = await record(pool, log, [f"source/{name}"], decide, Delivery(name, "", command.at, None), cause)
    _tell(recorded)


async def _source(conn: Connection, name: str) -> Source:
    row = await conn.fetchval(
        "SELECT data FROM events WHERE stream = $1 ORDER BY version DESC LIMIT 1", f"source/{name}"
    )
    return codec.source_from_wire(pb.SourceStateChanged.FromString(row)) if row else Source()


def _tell(recorded: Sequence[Event]) -> None:
    """To whoever reads the log or the metrics; the rest of the mesh has the fact."""
    for event in recorded:
        if not isinstance(event, SourceStateChanged):
            continue
        well = event.state in freshness.WELL
        tell = telemetry.log.info if well else telemetry.log.error if event.halted else telemetry.log.warning
        tell("source_state", source=event.source, state=event.state.value, reason=event.reason, halted=event.halted)
        if event.state is SourceHealth.FAILED:
            telemetry.source_failures.add(1, {"source": event.source, "problem": event.problem.value})


@dataclass(frozen=True, slots=True)
class Expectations:
    """How long a source may be silent: a polled one by its policy, one that delivers by itself by the settings."""

    settings: IngestSettings

    def of(self, name: str, kind: Kind) -> Expected:
        if name in policies.POLICIES:
            return policies.POLICIES[name].expected
        late, stale = self._hours(kind)
        return Expected(timedelta(hours=late), timedelta(hours=stale))

    def _hours(self, kind: Kind) -> tuple[float, float]:
        settings = self.settings
        if kind is Kind.WEATHER:
            return settings.ingest_weather_late_hours, settings.ingest_weather_stale_hours
        if kind is Kind.AIRSPACE:
            return settings.ingest_airspace_late_hours, settings.ingest_airspace_stale_hours
        return settings.ingest_elements_late_hours, settings.ingest_elements_stale_hours


@dataclass(frozen=True, slots=True)
class Watch:
    """Makes a fact of each deadline that a source has let pass, and shows how old each is."""

    pool: Pool
    log: EventLog
    settings: IngestSettings

    async def keep_watching(self) -> None:
        while self.settings.ingest_watch_s:
            try:
                await self.look(datetime.now(UTC))
            except AWAY as error:
                telemetry.log.warning("watching_waits", error=type(error).__name__)
            await asyncio.sleep(self.settings.ingest_watch_s)
        await asyncio.Event().wait()

    async def reasons(self) -> list[str]:
        """Why ingest is degraded: polled sources that do not deliver as they should."""
        async with self.pool.acquire() as conn:
            rows = await queries_sources.sources(conn, self.settings.ingest_sources)
        return [
            f"source {row.source} is {row.known.state.value}: {row.known.reason}"
            for row in rows
            if row.enabled_at and row.known.state not in freshness.WELL
        ]

    async def look(self, now: datetime) -> None:
        expectations = Expectations(self.settings)
        async with self.pool.acquire() as conn:
            rows = await queries_sources.sources(conn, self.settings.ingest_sources)
        for row in rows:
            await self._record_silence(row, expectations.of(row.source, row.kind), now)
            _measure(row, now)

    async def _record_silence(self, row: SourceRow, expected: Expected, now: datetime) -> None:
        source = row.known
        while (due := freshness.deadline(source, expected, row.enabled_at)) and due[0] <= now:
            command = freshness.Due(*due, source.problem is domain.SourceProblem.NOT_RENEWED, row.next_due_at)
            cause = Cause(new_id(), None, telemetry.current_traceparent())
            await change(self.pool, self.log, row.source, command, expected, cause)
            async with self.pool.acquire() as conn:
                after = await _source(conn, row.source)
            if after == source:  # another process was quicker, and something came since
                return
            source = after


def _measure(row: SourceRow, now: datetime) -> None:
    labels = {"source": row.source}
    last = row.known.last_delivery_at
    if last:
        telemetry.source_age.set((now - last).total_seconds(), labels)
    for state in SourceHealth:
        telemetry.source_state.set(int(row.known.state is state), labels | {"state": state.value})
    telemetry.source_halted.set(int(row.known.halted), labels)
