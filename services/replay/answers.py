"""What a replay came to: at each instant the window we would have given, held against what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.astro.time import jd_to_datetime
from libs.cases import Case
from libs.eventlog import Recorded
from services.replay.playing import digest
from spacecom.alerting.v1 import alerting_events_pb2 as alerting
from spacecom.hazard.v1 import hazard_events_pb2 as hazard
from spacecom.propagation.v1 import propagation_events_pb2 as propagation

RULE = 0.2  # the usual window: 20 % of the remaining life either side


@dataclass(frozen=True, slots=True)
class Row:
    """One prediction, or why there is none."""

    known_at: datetime
    declined: str = ""
    nominal_at: datetime | None = None
    first_at: datetime | None = None  # of the 90 % window
    last_at: datetime | None = None
    life: timedelta = timedelta()  # from the newest set to the nominal time
    holds: bool | None = None  # whether the window meets every truth
    firs: int = 0

    @property
    def width(self) -> timedelta:
        return self.last_at - self.first_at if self.first_at and self.last_at else timedelta()

    @property
    def narrow(self) -> bool:
        return self.width <= 2 * RULE * self.life


def table(made: Mapping[str, Sequence[Recorded]], case: Case) -> list[Row]:
    firs = {}
    for fact in made["hazard"]:
        message = fact.message()
        if isinstance(message, hazard.HazardAssessed):
            firs[message.prediction_event_id] = len(message.firs)
    return [_row(fact, case, firs) for fact in made["propagation"]]


def _row(fact: Recorded, case: Case, firs: Mapping[str, int]) -> Row:
    message = fact.message()
    if isinstance(message, propagation.PredictionDeclined):
        return Row(message.known_at.ToDatetime(UTC), declined=message.detail)
    if not isinstance(message, propagation.DecayPredicted):
        return Row(fact.occurred_at, declined=fact.type)
    quantiles = {round(one.probability, 3): _at(one.epoch) for one in message.quantiles}
    first, last, nominal = (
        quantiles[0.05],
        quantiles[0.95],
        _at(message.nominal_epoch),
    )
    holds = all(truth.first_at <= last and first <= truth.last_at for truth in case.truths) if case.truths else None
    return Row(
        message.known_at.ToDatetime(UTC),
        nominal_at=nominal,
        first_at=first,
        last_at=last,
        life=nominal - _at(message.start_epoch),
        holds=holds,
        firs=firs.get(str(fact.event_id), 0),
    )


def _at(epoch: propagation.Epoch) -> datetime:
    return jd_to_datetime(epoch.jd, epoch.jd_fraction)


def alerts(made: Mapping[str, Sequence[Recorded]]) -> int:
    return sum(isinstance(fact.message(), alerting.AlertRaised) for fact in made["alerting"])


def compared(case: Case, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The windows that others stated, beside the newest of ours and the truth."""
    newest = next((row for row in reversed(rows) if row.nominal_at), None)
    found = []
    for one in case.published:
        width = one.last_at - one.first_at
        holds = all(truth.first_at <= one.last_at and one.first_at <= truth.last_at for truth in case.truths)
        narrower = width < newest.width if newest else None
        size = {True: "narrower than ours", False: "no narrower than ours", None: "ours is declined"}[narrower]
        fate = ("held the truth" if holds else "missed the truth") if case.truths else "no truth is known"
        found.append(
            {
                "by": one.by,
                "first_at": one.first_at.isoformat(),
                "last_at": one.last_at.isoformat(),
                "width_h": width / timedelta(hours=1),
                "narrower_than_ours": narrower,
                "holds_truth": holds if case.truths else None,
                "said": f"{one.first_at:%m-%d %H:%M} to {one.last_at:%m-%d %H:%M}, {size}, {fate}",
            }
        )
    return found


def digests(made: Mapping[str, Sequence[Recorded]]) -> dict[str, str]:
    return {service: digest(facts) for service, facts in made.items()}


def text(case: Case, rows: Sequence[Row], made: Mapping[str, Sequence[Recorded]]) -> str:
    lines = [case.title, ""]
    lines += [f"{'known at UTC':17}{'90 % window UTC':29}{'width':>8}{'+-20 %':>9}  truth  regions"]
    lines += [_line(row) for row in rows]
    lines.append("")
    lines += [f"truth: {one.first_at:%Y-%m-%d %H:%M} to {one.last_at:%H:%M} UTC, {one.source}" for one in case.truths]
    lines += [f"{one['by']}: {one['said']}" for one in compared(case, rows)]
    lines += [f"{alerts(made)} alerts raised"]
    lines += [f"{service:12} {len(made[service]):6} facts  {found}" for service, found in digests(made).items()]
    return "\n".join(lines)


def _line(row: Row) -> str:
    if row.first_at is None or row.last_at is None:
        return f"{row.known_at:%m-%d %H:%M}      declined: {row.declined}"
    holds = {True: "held", False: "missed", None: "-"}[row.holds]
    window = f"{row.first_at:%m-%d %H:%M} to {row.last_at:%m-%d %H:%M}"
    hours, usual = row.width / timedelta(hours=1), 2 * RULE * row.life / timedelta(hours=1)
    return f"{row.known_at:%m-%d %H:%M}      {window:29}{hours:6.1f} h{usual:7.1f} h  {holds:6} {row.firs:5}"


def document(case: Case, rows: Sequence[Row], made: Mapping[str, Sequence[Recorded]]) -> dict[str, Any]:
    return {
        "case": case.name,
        "notice": case.notice,
        "predictions": [_fields(row) for row in rows],
        "truths": [
            {"first_at": one.first_at.isoformat(), "last_at": one.last_at.isoformat(), "source": one.source}
            for one in case.truths
        ],
        "published": compared(case, rows),
        "alerts_raised": alerts(made),
        "facts": {service: len(facts) for service, facts in made.items()},
        "sha256": digests(made),
    }


def _fields(row: Row) -> dict[str, Any]:
    def text_of(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "known_at": row.known_at.isoformat(),
        "declined": row.declined or None,
        "nominal_at": text_of(row.nominal_at),
        "window_90": [text_of(row.first_at), text_of(row.last_at)],
        "width_h": row.width / timedelta(hours=1),
        "width_of_20_percent_rule_h": 2 * RULE * row.life / timedelta(hours=1),
        "holds_truth": row.holds,
        "fir_count": row.firs,
    }
