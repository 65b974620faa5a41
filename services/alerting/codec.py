"""Facts of alerting to and from the wire, and hazard's facts as alerting reads them."""

from datetime import UTC, datetime
from typing import assert_never

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.alerting import domain
from services.alerting.domain import (
    AlertAcknowledged,
    AlertCleared,
    AlertRaised,
    AlertRevised,
    Assessment,
    ClearReason,
    EventLinked,
    EventOpened,
    EventState,
    EventStateChanged,
    Threat,
)
from spacecom.alerting.v1 import alerting_events_pb2 as pb
from spacecom.hazard.v1 import hazard_events_pb2 as hazard

STATES = {state: pb.EventState.Value(f"EVENT_STATE_{state.name}") for state in EventState}
_STATES_BACK = {int(number): state for state, number in STATES.items()}
_REASONS = {reason: pb.ClearReason.Value(f"CLEAR_REASON_{reason.name}") for reason in ClearReason}
_REASONS_BACK = {int(number): reason for reason, number in _REASONS.items()}


def to_wire(fact: domain.ReentryFact | domain.AlertFact) -> Message:
    match fact:
        case EventOpened():
            return pb.EventOpened(
                reentry_event_id=fact.reentry_event_id,
                catalogue_number=fact.catalogue_number,
                state=STATES[fact.state],
                assessment_event_id=fact.assessment_event_id,
                window_start_time=timestamp(fact.window_start),
                window_end_time=timestamp(fact.window_end),
            )
        case EventStateChanged():
            return pb.EventStateChanged(
                reentry_event_id=fact.reentry_event_id,
                state=STATES[fact.state],
                assessment_event_id=fact.assessment_event_id,
            )
        case EventLinked():
            return pb.EventLinked(
                reentry_event_id=fact.reentry_event_id,
                assessment_event_id=fact.assessment_event_id,
                prediction_event_id=fact.prediction_event_id,
                prediction_version=fact.prediction_version,
                run_id=fact.run_id,
                window_start_time=timestamp(fact.window_start),
                window_end_time=timestamp(fact.window_end),
            )
        case AlertRaised():
            return pb.AlertRaised(
                alert_id=fact.alert_id,
                reentry_event_id=fact.reentry_event_id,
                catalogue_number=fact.catalogue_number,
                fir_designator=fact.fir_designator,
                fir_name=fact.fir_name,
                threat=threat_to_wire(fact.threat),
            )
        case AlertRevised():
            return pb.AlertRevised(alert_id=fact.alert_id, threat=threat_to_wire(fact.threat), rearmed=fact.rearmed)
        case AlertAcknowledged():
            return pb.AlertAcknowledged(
                alert_id=fact.alert_id, principal_id=fact.principal_id, note=fact.note, share_seen=fact.share_seen
            )
        case AlertCleared():
            return pb.AlertCleared(
                alert_id=fact.alert_id,
                reason=_REASONS[fact.reason],
                principal_id=fact.principal_id,
                note=fact.note,
                assessment_event_id=fact.assessment_event_id,
            )
        case _:
            assert_never(fact)


def reentry_fact(message: Message) -> domain.ReentryFact:
    match message:
        case pb.EventOpened():
            return EventOpened(
                message.reentry_event_id,
                message.catalogue_number,
                _STATES_BACK[message.state],
                message.assessment_event_id,
                message.window_start_time.ToDatetime(UTC),
                message.window_end_time.ToDatetime(UTC),
            )
        case pb.EventStateChanged():
            return EventStateChanged(message.reentry_event_id, _STATES_BACK[message.state], message.assessment_event_id)
        case pb.EventLinked():
            return EventLinked(
                message.reentry_event_id,
                message.assessment_event_id,
                message.prediction_event_id,
                message.prediction_version,
                message.run_id,
                message.window_start_time.ToDatetime(UTC),
                message.window_end_time.ToDatetime(UTC),
            )
        case _:
            raise TypeError(f"{type(message).__name__} is no fact of a re-entry event")


def alert_fact(message: Message) -> domain.AlertFact:
    match message:
        case pb.AlertRaised():
            return AlertRaised(
                message.alert_id,
                message.reentry_event_id,
                message.catalogue_number,
                message.fir_designator,
                message.fir_name,
                _threat(message.threat),
            )
        case pb.AlertRevised():
            return AlertRevised(message.alert_id, _threat(message.threat), message.rearmed)
        case pb.AlertAcknowledged():
            return AlertAcknowledged(message.alert_id, message.principal_id, message.note, message.share_seen)
        case pb.AlertCleared():
            return AlertCleared(
                message.alert_id,
                _REASONS_BACK[message.reason],
                message.principal_id,
                message.note,
                message.assessment_event_id,
            )
        case _:
            raise TypeError(f"{type(message).__name__} is no fact of an alert")


def assessment(message: hazard.HazardAssessed, event_id: str) -> Assessment:
    return Assessment(
        event_id,
        message.catalogue_number,
        message.prediction_event_id,
        message.prediction_version,
        message.run_id,
        message.known_at.ToDatetime(UTC),
        message.window_start_time.ToDatetime(UTC),
        message.window_end_time.ToDatetime(UTC),
    )


def threat_of(fir: hazard.FirHazard, made: Assessment) -> Threat:
    entries = [one.entry_time.ToDatetime(UTC) for one in fir.passes]
    exits = [one.exit_time.ToDatetime(UTC) for one in fir.passes]
    return Threat(
        fir.share, min(entries, default=None), max(exits, default=None), made.event_id, made.prediction_version
    )


def threat_to_wire(threat: Threat) -> pb.Threat:
    return pb.Threat(
        share=threat.share,
        first_entry_time=timestamp(threat.first_entry) if threat.first_entry else None,
        last_exit_time=timestamp(threat.last_exit) if threat.last_exit else None,
        assessment_event_id=threat.assessment_event_id,
        prediction_version=threat.prediction_version,
    )


def _threat(message: pb.Threat) -> Threat:
    return Threat(
        message.share,
        message.first_entry_time.ToDatetime(UTC) if message.HasField("first_entry_time") else None,
        message.last_exit_time.ToDatetime(UTC) if message.HasField("last_exit_time") else None,
        message.assessment_event_id,
        message.prediction_version,
    )


def timestamp(instant: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(instant)
    return made
