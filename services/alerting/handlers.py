"""Assessments to events and alerts; commands of people to alerts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import Message

from libs.consume import Commit, Delivery, Handler
from libs.eventlog import Cause, EventLog, Fact, Recorded, derived_id, new_id
from libs.postgres import Connection
from services.alerting import codec, domain, queries
from services.alerting.domain import Alert, AlertFact, Assess, Assessment, Reentry, Thresholds
from spacecom.hazard.v1 import hazard_events_pb2 as hazard

FIRST = 1  # of the re-entry events of an object; another is opened when one can be closed


@dataclass(frozen=True, slots=True)
class Desk:
    log: EventLog
    thresholds: Thresholds

    async def assessed(self, delivery: Delivery[hazard.HazardAssessed]) -> Commit:
        return self._answer(delivery, delivery.message, rough=False)

    async def assessed_quickly(self, delivery: Delivery[hazard.QuickAssessed]) -> Commit:
        return self._answer(delivery, delivery.message.hazard, rough=True)

    def _answer(self, delivery: Delivery[Any], told: hazard.HazardAssessed, *, rough: bool) -> Commit:
        made = codec.assessment(told, str(delivery.event_id))

        async def commit(conn: Connection) -> None:
            reentry_event_id = f"{made.catalogue_number}/{FIRST}"
            stream, reentry, version = await self._reentry(conn, reentry_event_id)
            if domain.superseded(made, reentry):
                return
            facts = domain.decide_reentry(reentry_event_id, made, reentry, self.thresholds)
            decided: list[tuple[str, int, Sequence[domain.ReentryFact | AlertFact]]] = [(stream, version, facts)]
            for command in await self._commands(conn, reentry_event_id, made, told.firs, rough=rough):
                alert = await self.alert(conn, command.alert_id)
                changes = domain.decide_alert(command, alert, self.thresholds)
                if changes:
                    decided.append((f"alert/{command.alert_id}", alert.version, changes))
            await self.log.append_all(conn, _writes(decided, made.known_at, delivery), delivery.cause)

        return commit

    async def alert(self, conn: Connection, alert_id: str) -> Alert:
        return alert_of(await self.log.load(conn, f"alert/{alert_id}"))

    async def act(
        self, conn: Connection, command: domain.Acknowledge | domain.Clear, at: datetime, cause: Cause
    ) -> None:
        """Appends what a person's command comes to."""
        alert = await self.alert(conn, command.alert_id)
        changes = domain.decide_alert(command, alert, self.thresholds)
        facts = [Fact(codec.to_wire(change), at, new_id()) for change in changes]
        await self.log.append(conn, f"alert/{command.alert_id}", facts, after=alert.version, cause=cause)

    async def _reentry(self, conn: Connection, reentry_event_id: str) -> tuple[str, Reentry, int]:
        stream = f"event/{reentry_event_id}"
        history = await self.log.load(conn, stream)
        return stream, reentry_of(history), len(history)

    async def _commands(
        self,
        conn: Connection,
        reentry_event_id: str,
        made: Assessment,
        firs: Iterable[hazard.FirHazard],
        *,
        rough: bool,
    ) -> list[Assess]:
        """One for each region that is threatened or was alerted before, in order of designator."""
        named = {fir.fir_designator: fir for fir in firs}
        for designator, name in (await queries.regions_of(conn, reentry_event_id)).items():
            named.setdefault(designator, hazard.FirHazard(fir_designator=designator, fir_name=name))
        return [command_of(reentry_event_id, made, fir, rough=rough) for _, fir in sorted(named.items())]


def alert_of(history: Iterable[Recorded]) -> Alert:
    alert = Alert()
    for recorded in history:
        alert = domain.evolve_alert(alert, codec.alert_fact(recorded.message()))
    return alert


def reentry_of(history: Iterable[Recorded]) -> Reentry:
    reentry = Reentry()
    for recorded in history:
        reentry = domain.evolve_reentry(reentry, codec.reentry_fact(recorded.message()))
    return reentry


def command_of(reentry_event_id: str, made: Assessment, fir: hazard.FirHazard, *, rough: bool) -> Assess:
    return Assess(
        f"{reentry_event_id}/{fir.fir_designator}",
        reentry_event_id,
        made.catalogue_number,
        fir.fir_designator,
        fir.fir_name,
        codec.threat_of(fir, made),
        max((one.pass_probability for one in fir.passes), default=0.0),
        rough,
    )


def _writes(
    decided: Sequence[tuple[str, int, Sequence[domain.ReentryFact | AlertFact]]], at: datetime, delivery: Delivery[Any]
) -> list[tuple[str, int, Sequence[Fact]]]:
    ordinal = 0
    writes: list[tuple[str, int, Sequence[Fact]]] = []
    for stream, version, changes in decided:
        facts = []
        for change in changes:
            facts.append(Fact(codec.to_wire(change), at, derived_id(delivery.event_id, "alerting", ordinal)))
            ordinal += 1
        writes.append((stream, version, facts))
    return writes


async def nothing(_delivery: Delivery[Any]) -> None:
    return None


def handlers(desk: Desk) -> dict[type[Message], Handler]:
    return {
        hazard.HazardAssessed: desk.assessed,
        hazard.VariantAssessed: nothing,
        hazard.ClosingPlanned: nothing,
        hazard.RunRequested: nothing,
        hazard.ChunkCompleted: nothing,
        hazard.ChunkFailed: nothing,
        hazard.RunCompleted: nothing,
        hazard.RunFailed: nothing,
        hazard.RunCancelled: nothing,
        hazard.QuickAssessed: desk.assessed_quickly,
    }
