"""How fresh a source is: what a delivery says of it, and what the silence since says. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.ingest.domain import Delivery, Event, SourceHealth, SourceStateChanged


@dataclass(frozen=True, slots=True)
class Source:
    state: SourceHealth | None = None
    reason: str = ""
    last_delivery_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a whole delivery came to."""

    delivery: Delivery
    accepted_count: int
    duplicate_count: int
    rejected_count: int


def decide_source(outcome: Outcome, source: Source) -> list[Event]:
    """A repeat that brings nothing new says nothing about freshness, so it changes nothing."""
    name = outcome.delivery.source
    if outcome.accepted_count:
        return [SourceStateChanged(name, SourceHealth.HEALTHY, "", outcome.delivery.received_at)]
    if outcome.duplicate_count:
        recovered = source.state is SourceHealth.FAILED
        return [SourceStateChanged(name, SourceHealth.HEALTHY, "", source.last_delivery_at)] if recovered else []
    reason = f"the last delivery held nothing usable: {outcome.rejected_count} of its records were refused"
    if (source.state, source.reason) == (SourceHealth.FAILED, reason):
        return []
    return [SourceStateChanged(name, SourceHealth.FAILED, reason, source.last_delivery_at)]


def evolve_source(source: Source, event: Event) -> Source:
    if isinstance(event, SourceStateChanged):
        return Source(event.state, event.reason, event.last_delivery_at)
    return source


def freshness(source: Source, now: datetime, late_after: timedelta, stale_after: timedelta) -> Source:
    """The state as of now: a healthy source whose delivery is overdue is late, then stale."""
    if source.state is not SourceHealth.HEALTHY or source.last_delivery_at is None:
        return source
    age = now - source.last_delivery_at
    if age <= late_after:
        return source
    state = SourceHealth.STALE if age > stale_after else SourceHealth.LATE
    expected_h = late_after.total_seconds() / 3600.0
    reason = f"nothing new for {age.total_seconds() / 3600.0:.1f} h; expected every {expected_h:.1f} h"
    return replace(source, state=state, reason=reason)
