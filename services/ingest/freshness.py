"""How fresh a source is: what deliveries, failures, silence and people make of its state. Pure.

docs/reference/sources.md draws the table of states and commands that `decide_source` is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from services.ingest.domain import Event, NotHalted, SourceHealth, SourceProblem, SourceStateChanged

WELL = (None, SourceHealth.HEALTHY, SourceHealth.RECOVERED)


@dataclass(frozen=True, slots=True)
class Source:
    state: SourceHealth | None = None
    reason: str = ""
    last_delivery_at: datetime | None = None
    next_due_at: datetime | None = None
    problem: SourceProblem = SourceProblem.NONE
    halted: bool = False
    failure_count: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """How old the last delivery may be before the source is late, and before it is stale."""

    late_after: timedelta
    stale_after: timedelta


@dataclass(frozen=True, slots=True)
class Delivered:
    """Something new came; `content_at` is the newest date it carries, where it carries one.

    Here as below, `attempt` says that it was polled, not submitted by someone.
    """

    at: datetime
    content_at: datetime | None
    next_due_at: datetime | None
    attempt: bool = True


@dataclass(frozen=True, slots=True)
class Repeated:
    """The source answered with what is known already."""

    at: datetime
    next_due_at: datetime | None
    attempt: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing usable came. An attempt of our own is counted; a submission that is repeated says nothing more."""

    at: datetime
    problem: SourceProblem
    reason: str
    halted: bool = False
    next_due_at: datetime | None = None
    attempt: bool = True


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline has passed; `answering` says whether the source answered meanwhile."""

    at: datetime
    state: SourceHealth
    answering: bool
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a whole poll, or one submission, came to; `clock_wrong` when all of it was refused for its epochs."""

    at: datetime
    accepted_count: int
    duplicate_count: int
    rejected_count: int
    newest_at: datetime | None = None
    next_due_at: datetime | None = None
    clock_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Resumed:
    at: datetime
    by: str
    reason: str


Command = Delivered | Repeated | Failed | Due | Resumed


def decide_source(name: str, command: Command, source: Source, expected: Expected) -> list[Event]:
    match command:
        case Delivered(attempt=False) | Repeated(attempt=False) | Failed(attempt=False) if source.halted:
            return _submitted_meanwhile(name, command, source)
        case Delivered():
            return [_delivered(name, command, source, expected)]
        case Repeated():
            return _repeated(name, command, source, expected)
        case Failed():
            return _failed(name, command, source)
        case Due():
            return _due(name, command, source, expected)
        case Resumed(by=by, reason=reason, at=at):
            if not source.halted:
                raise NotHalted(f"source {name!r} is not halted; it is polled when it is due")
            said = f"resumed by {by}: {reason}; it is polled at once"
            return [SourceStateChanged(name, SourceHealth.FAILED, said, source.last_delivery_at, at, source.problem)]
        case _:
            assert_never(command)


def command_of(outcome: Outcome, *, attempt: bool) -> Delivered | Repeated | Failed:
    """`attempt`: it was polled. What was submitted may be of any age: its date says nothing of the source."""
    if outcome.accepted_count:
        return Delivered(outcome.at, outcome.newest_at if attempt else None, outcome.next_due_at, attempt)
    if outcome.duplicate_count or not outcome.rejected_count:
        return Repeated(outcome.at, outcome.next_due_at, attempt)
    reason = f"the last delivery held nothing usable: {outcome.rejected_count} of its records were refused"
    problem = SourceProblem.CLOCK if outcome.clock_wrong else SourceProblem.UNUSABLE
    return Failed(outcome.at, problem, reason, next_due_at=outcome.next_due_at, attempt=attempt)


def as_of(name: str, source: Source, expected: Expected, since: datetime | None, now: datetime) -> Source:
    """With what silence alone has made of it by now."""
    for event in silence(name, source, expected, since, now):
        source = evolve_source(source, event)
    return source


def silence(name: str, source: Source, expected: Expected, since: datetime | None, now: datetime) -> list[Event]:
    """The changes of the deadlines that have passed, oldest first."""
    events: list[Event] = []
    while (next_one := deadline(source, expected, since)) and next_one[0] <= now:
        command = Due(*next_one, source.problem is SourceProblem.NOT_RENEWED, source.next_due_at)
        for event in decide_source(name, command, source, expected):
            source = evolve_source(source, event)
            events.append(event)
    return events


def evolve_source(source: Source, event: Event) -> Source:
    if not isinstance(event, SourceStateChanged):
        return source
    return Source(
        event.state,
        event.reason,
        event.last_delivery_at,
        event.next_due_at,
        event.problem,
        event.halted,
        event.failure_count,
    )


def deadline(source: Source, expected: Expected, since: datetime | None) -> tuple[datetime, SourceHealth] | None:
    """The next change that silence alone brings; `since` is when a source that never delivered was first expected."""
    base = source.last_delivery_at or since
    if base is None:
        return None
    if source.state in WELL:
        return base + expected.late_after, SourceHealth.LATE
    if source.state is SourceHealth.LATE:
        return base + expected.stale_after, SourceHealth.STALE
    return None


def overdue(last_delivery_at: datetime | None, now: datetime, expected: Expected) -> SourceHealth:
    """What the age alone makes of it, whatever its state is."""
    if last_delivery_at is None or now - last_delivery_at >= expected.stale_after:
        return SourceHealth.STALE
    return SourceHealth.LATE if now - last_delivery_at >= expected.late_after else SourceHealth.HEALTHY


def _submitted_meanwhile(name: str, command: Delivered | Repeated | Failed, source: Source) -> list[Event]:
    """What someone hands in is as good as ever, but only a person's word ends a halt."""
    if not isinstance(command, Delivered):
        return []
    return [
        SourceStateChanged(
            name,
            SourceHealth.FAILED,
            source.reason,
            command.at,
            None,
            source.problem,
            halted=True,
            failure_count=source.failure_count,
        )
    ]


def _delivered(name: str, command: Delivered, source: Source, expected: Expected) -> Event:
    aged = overdue(command.content_at or command.at, command.at, expected)
    if aged is not SourceHealth.HEALTHY and command.content_at:
        said = f"what it delivers is {_hours(command.at - command.content_at)} old"
        return SourceStateChanged(name, aged, said, command.at, command.next_due_at, SourceProblem.NOT_RENEWED)
    state = SourceHealth.HEALTHY if source.state in WELL else SourceHealth.RECOVERED
    return SourceStateChanged(name, state, "", command.at, command.next_due_at)


def _repeated(name: str, command: Repeated, source: Source, expected: Expected) -> list[Event]:
    """It answers, which ends a failure and a recovery; but it brings nothing, so what is late stays late."""
    last = source.last_delivery_at
    due = command.next_due_at
    match source.state:
        case SourceHealth.HEALTHY:
            return []
        case None | SourceHealth.RECOVERED:
            return [SourceStateChanged(name, SourceHealth.HEALTHY, "", last, due)]
        case SourceHealth.LATE | SourceHealth.STALE:
            if source.problem is SourceProblem.NOT_RENEWED:
                return []
            return [SourceStateChanged(name, source.state, _OLD_CONTENT, last, due, SourceProblem.NOT_RENEWED)]
        case SourceHealth.FAILED:
            aged = overdue(last, command.at, expected) if last else SourceHealth.HEALTHY
            if aged is SourceHealth.HEALTHY:
                return [SourceStateChanged(name, SourceHealth.RECOVERED, "", last, due)]
            return [SourceStateChanged(name, aged, _OLD_CONTENT, last, due, SourceProblem.NOT_RENEWED)]
        case _:
            assert_never(source.state)


_OLD_CONTENT = "it answers, and with the same content as before"


def _failed(name: str, command: Failed, source: Source) -> list[Event]:
    if not command.attempt and (source.state, source.reason) == (SourceHealth.FAILED, command.reason):
        return []
    return [
        SourceStateChanged(
            name,
            SourceHealth.FAILED,
            command.reason,
            source.last_delivery_at,
            None if command.halted else command.next_due_at,
            command.problem,
            command.halted,
            source.failure_count + 1,
        )
    ]


def _due(name: str, command: Due, source: Source, expected: Expected) -> list[Event]:
    passed = source.state in WELL if command.state is SourceHealth.LATE else source.state is SourceHealth.LATE
    if not passed:
        return []
    limit = expected.late_after if command.state is SourceHealth.LATE else expected.stale_after
    problem = SourceProblem.NOT_RENEWED if command.answering else SourceProblem.OVERDUE
    said = f"nothing new for {_hours(limit)}"
    return [SourceStateChanged(name, command.state, said, source.last_delivery_at, command.next_due_at, problem)]


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600.0:.1f} h"
