"""The life of a re-entry event and of its alerts, one for each region. Pure.

Refused: the command breaks a rule
├── UnknownAlert          no alert has this identifier, or not one this caller may see
├── AlreadyAcknowledged   somebody acknowledged it before
├── AlreadyCleared        it no longer stands
└── VersionMismatch       it changed since the caller saw it
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import assert_never


class UnknownAlert(Exception):
    """No alert has this identifier."""


class AlreadyAcknowledged(Exception):
    """Somebody acknowledged the alert before."""


class AlreadyCleared(Exception):
    """The alert no longer stands."""


class VersionMismatch(Exception):
    """The alert changed since the caller saw it."""


class UnknownEvent(Exception):
    """No fact of alerting has this event id, or not one this caller may see."""


class NothingComputed(Exception):
    """The fact carries no number that was computed."""


class BadRequest(Exception):
    """The request itself is not in order."""


class EventState(Enum):
    MONITORING = "monitoring"
    WATCH = "watch"
    WARNING = "warning"
    IMMINENT = "imminent"


class AlertState(Enum):
    ABSENT = "absent"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class ClearReason(Enum):
    BELOW_THRESHOLD = "below threshold"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Thresholds:
    share: float
    pass_probability: float
    clear_factor: float
    rearm_factor: float
    watch: timedelta
    warning: timedelta
    imminent: timedelta


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an event rests on."""

    event_id: str
    catalogue_number: int
    prediction_event_id: str
    prediction_version: int
    run_id: str
    known_at: datetime
    window_start: datetime
    window_end: datetime


@dataclass(frozen=True, slots=True)
class Threat:
    share: float
    first_entry: datetime | None
    last_exit: datetime | None
    assessment_event_id: str
    prediction_version: int


# --- the re-entry event ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventOpened:
    reentry_event_id: str
    catalogue_number: int
    state: EventState
    assessment_event_id: str
    window_start: datetime
    window_end: datetime


@dataclass(frozen=True, slots=True)
class EventStateChanged:
    reentry_event_id: str
    state: EventState
    assessment_event_id: str


@dataclass(frozen=True, slots=True)
class EventLinked:
    reentry_event_id: str
    assessment_event_id: str
    prediction_event_id: str
    prediction_version: int
    run_id: str
    window_start: datetime
    window_end: datetime


ReentryFact = EventOpened | EventStateChanged | EventLinked


@dataclass(frozen=True, slots=True)
class Reentry:
    state: EventState | None = None
    prediction_version: int = 0


def evolve_reentry(reentry: Reentry, fact: ReentryFact) -> Reentry:
    match fact:
        case EventOpened() | EventStateChanged():
            return replace(reentry, state=fact.state)
        case EventLinked():
            return replace(reentry, prediction_version=fact.prediction_version)
        case _:
            assert_never(fact)


def state_at(lead: timedelta, thresholds: Thresholds) -> EventState:
    """By the time from what is known to the start of the window."""
    if lead < thresholds.imminent:
        return EventState.IMMINENT
    if lead < thresholds.warning:
        return EventState.WARNING
    if lead < thresholds.watch:
        return EventState.WATCH
    return EventState.MONITORING


def superseded(assessment: Assessment, reentry: Reentry) -> bool:
    """Whether the event rests on a newer prediction already."""
    return assessment.prediction_version < reentry.prediction_version


def decide_reentry(
    reentry_event_id: str, assessment: Assessment, reentry: Reentry, thresholds: Thresholds
) -> list[ReentryFact]:
    if superseded(assessment, reentry):
        return []
    window = (assessment.window_start, assessment.window_end)
    state = state_at(assessment.window_start - assessment.known_at, thresholds)
    facts: list[ReentryFact] = []
    if reentry.state is None:
        facts.append(EventOpened(reentry_event_id, assessment.catalogue_number, state, assessment.event_id, *window))
    elif reentry.state is not state:
        facts.append(EventStateChanged(reentry_event_id, state, assessment.event_id))
    linked = EventLinked(
        reentry_event_id,
        assessment.event_id,
        assessment.prediction_event_id,
        assessment.prediction_version,
        assessment.run_id,
        *window,
    )
    return [*facts, linked]


# --- the alert of a region -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertRaised:
    alert_id: str
    reentry_event_id: str
    catalogue_number: int
    fir_designator: str
    fir_name: str
    threat: Threat


@dataclass(frozen=True, slots=True)
class AlertRevised:
    alert_id: str
    threat: Threat
    rearmed: bool


@dataclass(frozen=True, slots=True)
class AlertAcknowledged:
    alert_id: str
    principal_id: str
    note: bytes
    share_seen: float


@dataclass(frozen=True, slots=True)
class AlertCleared:
    alert_id: str
    reason: ClearReason
    principal_id: str
    note: bytes
    assessment_event_id: str


AlertFact = AlertRaised | AlertRevised | AlertAcknowledged | AlertCleared


@dataclass(frozen=True, slots=True)
class Alert:
    state: AlertState = AlertState.ABSENT
    share: float = 0.0
    share_seen: float = 0.0
    cleared_by_person: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class Assess:
    """A newer assessment speaks of the region. rough: of so few samples that it may raise an alert and clear none."""

    alert_id: str
    reentry_event_id: str
    catalogue_number: int
    fir_designator: str
    fir_name: str
    threat: Threat
    pass_probability: float
    rough: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledge:
    alert_id: str
    principal_id: str
    note: bytes
    expected_version: int = 0


@dataclass(frozen=True, slots=True)
class Clear:
    alert_id: str
    principal_id: str
    note: bytes
    expected_version: int = 0


Command = Assess | Acknowledge | Clear


def evolve_alert(alert: Alert, fact: AlertFact) -> Alert:
    alert = replace(alert, version=alert.version + 1)
    match fact:
        case AlertRaised():
            return replace(alert, state=AlertState.UNACKNOWLEDGED, share=fact.threat.share, cleared_by_person=False)
        case AlertRevised():
            state = AlertState.UNACKNOWLEDGED if fact.rearmed else alert.state
            return replace(alert, state=state, share=fact.threat.share)
        case AlertAcknowledged():
            return replace(alert, state=AlertState.ACKNOWLEDGED, share_seen=fact.share_seen)
        case AlertCleared():
            by_person = fact.reason is ClearReason.OPERATOR
            return replace(alert, state=AlertState.CLEARED, cleared_by_person=by_person)
        case _:
            assert_never(fact)


def decide_alert(command: Command, alert: Alert, thresholds: Thresholds) -> list[AlertFact]:
    match command:
        case Assess():
            return _assess(command, alert, thresholds)
        case Acknowledge():
            _expect(command, alert)
            if alert.state is AlertState.ACKNOWLEDGED:
                raise AlreadyAcknowledged(f"alert {command.alert_id} was acknowledged before; nothing is left to do")
            return [AlertAcknowledged(command.alert_id, command.principal_id, command.note, alert.share)]
        case Clear():
            _expect(command, alert)
            return [AlertCleared(command.alert_id, ClearReason.OPERATOR, command.principal_id, command.note, "")]
        case _:
            assert_never(command)


def _expect(command: Acknowledge | Clear, alert: Alert) -> None:
    if alert.state is AlertState.ABSENT:
        raise UnknownAlert(f"no alert {command.alert_id} is known; list the alerts and check the identifier")
    if command.expected_version and command.expected_version != alert.version:
        raise VersionMismatch(
            f"alert {command.alert_id} is at version {alert.version}, not {command.expected_version}; look at it again"
        )
    if alert.state is AlertState.CLEARED:
        raise AlreadyCleared(f"alert {command.alert_id} was cleared; it is raised again when the threat returns")


def _assess(command: Assess, alert: Alert, thresholds: Thresholds) -> list[AlertFact]:
    match alert.state:
        case AlertState.ABSENT:
            return [_raised(command)] if _over(command, thresholds, 1.0) else []
        case AlertState.CLEARED:
            grown = command.threat.share >= thresholds.rearm_factor * alert.share
            again = _over(command, thresholds, 1.0) and (grown or not alert.cleared_by_person)
            return [_raised(command)] if again else []
        case AlertState.UNACKNOWLEDGED | AlertState.ACKNOWLEDGED:
            if not _over(command, thresholds, thresholds.clear_factor):
                if command.rough:
                    return []
                gone = ClearReason.BELOW_THRESHOLD
                return [AlertCleared(command.alert_id, gone, "", b"", command.threat.assessment_event_id)]
            return [AlertRevised(command.alert_id, command.threat, _rearmed(command, alert, thresholds))]
        case _:
            assert_never(alert.state)


def _over(command: Assess, thresholds: Thresholds, factor: float) -> bool:
    return (
        command.threat.share >= factor * thresholds.share
        or command.pass_probability >= factor * thresholds.pass_probability
    )


def _rearmed(command: Assess, alert: Alert, thresholds: Thresholds) -> bool:
    grown = command.threat.share >= thresholds.rearm_factor * max(alert.share_seen, thresholds.share)
    return alert.state is AlertState.ACKNOWLEDGED and grown


def _raised(command: Assess) -> AlertRaised:
    return AlertRaised(
        command.alert_id,
        command.reentry_event_id,
        command.catalogue_number,
        command.fir_designator,
        command.fir_name,
        command.threat,
    )
