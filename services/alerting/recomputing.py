"""Recorded facts of alerting decided again, by what decided them, on what they cite. Records nothing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from libs import recomputed
from libs.compared import Field
from libs.eventlog import Recorded
from libs.recomputed import Input, Recomputed
from libs.rpc import FailedPrecondition
from services.alerting import codec, domain
from services.alerting.domain import AlertFact, ReentryFact, Thresholds
from services.alerting.handlers import alert_of, command_of, reentry_of
from spacecom.alerting.v1 import alerting_events_pb2 as pb
from spacecom.hazard.v1 import hazard_events_pb2 as hazard


@dataclass(frozen=True, slots=True)
class Cited:
    """An assessment as hazard has it on record. quick: of a few samples."""

    event_id: str
    hazard: hazard.HazardAssessed
    quick: bool


Ask = Callable[[str], Awaitable[Cited]]


async def recompute(fact: Recorded, before: Sequence[Recorded], thresholds: Thresholds, ask: Ask) -> Recomputed:
    """`before`: the facts of its stream before it. Raises NothingComputed, FailedPrecondition and what `ask` raises."""
    message: Any = fact.message()
    facts: Sequence[ReentryFact | AlertFact]
    if isinstance(message, pb.AlertAcknowledged):
        command = domain.Acknowledge(message.alert_id, message.principal_id, message.note)
        facts = domain.decide_alert(command, alert_of(before), thresholds)
        seen = next(one for one in reversed(before) if one.type.endswith((".AlertRaised", ".AlertRevised")))
        return Recomputed(tuple(_compared(message, facts)), (Input("alert", str(seen.event_id)),))
    threatened = isinstance(message, pb.AlertRaised | pb.AlertRevised)
    event_id = message.threat.assessment_event_id if threatened else message.assessment_event_id
    if not event_id:
        raise domain.NothingComputed(f"{fact.type} {fact.event_id} is the act of a person; nothing was computed")
    cited = await ask(event_id)
    if isinstance(message, pb.EventOpened | pb.EventStateChanged | pb.EventLinked):
        made = codec.assessment(cited.hazard, event_id)
        facts = domain.decide_reentry(message.reentry_event_id, made, reentry_of(before), thresholds)
    else:
        facts = _assessed(message.alert_id, before, cited, thresholds)
    return Recomputed(tuple(_compared(message, facts)), (Input("assessment", event_id),))


def _assessed(alert_id: str, before: Sequence[Recorded], cited: Cited, thresholds: Thresholds) -> Sequence[AlertFact]:
    reentry_event_id, _, designator = alert_id.rpartition("/")
    gone = hazard.FirHazard(fir_designator=designator)
    fir = next((one for one in cited.hazard.firs if one.fir_designator == designator), gone)
    made = codec.assessment(cited.hazard, cited.event_id)
    command = command_of(reentry_event_id, made, fir, rough=cited.quick)
    return domain.decide_alert(command, alert_of(before), thresholds)


def _compared(message: Any, facts: Sequence[ReentryFact | AlertFact]) -> list[Field]:
    again = next((told for told in map(codec.to_wire, facts) if type(told) is type(message)), None)
    if again is None:
        raise FailedPrecondition(
            f"under present thresholds no {type(message).__name__} comes of what it cites; they are settings, not on "
            "record: start alerting with those it was decided with, and ask again"
        )
    return recomputed.fields(message, again, {})
