"""Our prediction beside those of others. Pure."""

import bisect
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from services.propagation.domain import DecayPredicted

WINDOW = (0.05, 0.95)
LOW_KM = 40.0  # a nominal time for less is for the ground, or for the 10 km of a TIP
FALL = timedelta(minutes=5.5)  # from 80 km to 10 km, 5 to 6 minutes


class Agreement(Enum):
    AGREES = "agrees"
    NOMINAL_OUTSIDE = "nominal outside"
    WINDOWS_APART = "windows apart"


@dataclass(frozen=True, slots=True)
class Other:
    """A prediction of somebody else."""

    event_id: UUID
    source: str
    available_at: datetime
    nominal: datetime
    window: tuple[datetime, datetime]
    reentry_altitude_km: float

    @property
    def fall(self) -> timedelta:
        """What its times are later for being for a lower altitude."""
        return FALL if self.reentry_altitude_km < LOW_KM else timedelta(0)


@dataclass(frozen=True, slots=True)
class Comparison:
    other: Other
    difference: timedelta
    our_probability: float
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class AgreementChanged:
    catalogue_number: int
    source: str
    agreement: Agreement
    prediction_event_id: UUID
    other_event_id: UUID
    known_at: datetime


def compare(ours: DecayPredicted, other: Other) -> Comparison:
    at = {p: epoch.instant for p, epoch in ours.quantiles}
    nominal = other.nominal - other.fall
    first, last = (instant - other.fall for instant in other.window)
    low, high = (at[p] for p in WINDOW)
    if low <= nominal <= high:
        agreement = Agreement.AGREES
    elif last < low or first > high:
        agreement = Agreement.WINDOWS_APART
    else:
        agreement = Agreement.NOMINAL_OUTSIDE
    return Comparison(other, nominal - at[0.5], _probability(ours, nominal), agreement)


def _probability(ours: DecayPredicted, instant: datetime) -> float:
    """Straight between quantiles; 0 and 1 beyond them."""
    probabilities = [p for p, _ in ours.quantiles]
    instants = [epoch.instant for _, epoch in ours.quantiles]
    after = bisect.bisect_right(instants, instant)
    if after == 0:
        return 0.0
    if after == len(instants):
        return 1.0 if instant > instants[-1] else probabilities[-1]
    between = (instant - instants[after - 1]) / (instants[after] - instants[after - 1])
    return probabilities[after - 1] + between * (probabilities[after] - probabilities[after - 1])


def changes(
    ours: DecayPredicted, prediction: UUID, others: list[Other], last: dict[str, Agreement], known_at: datetime
) -> list[AgreementChanged]:
    """What is worth recording: a source that agreed from the first is not."""
    found = [compare(ours, other) for other in others]
    return [
        AgreementChanged(
            ours.catalogue_number, one.other.source, one.agreement, prediction, one.other.event_id, known_at
        )
        for one in found
        if one.agreement is not last.get(one.other.source, Agreement.AGREES)
    ]
