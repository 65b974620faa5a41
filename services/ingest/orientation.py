"""What is new in a file of Earth orientation. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.astro.eop_rows import OrientationDay
from services.ingest.days import DAYS_PER_FACT, changed
from services.ingest.domain import Delivery, EarthOrientationRecorded


@dataclass(frozen=True, slots=True)
class OfferOrientation:
    days: tuple[OrientationDay, ...]
    delivery: Delivery


def decide_orientation(
    command: OfferOrientation, known: Mapping[int, OrientationDay]
) -> list[EarthOrientationRecorded]:
    """Only the days that say something new; a file gives a new prediction for a year each day."""
    source, sha256 = command.delivery.source, command.delivery.input_sha256
    return [EarthOrientationRecorded(source, days, sha256) for days in _parts(changed(command.days, known))]


def _parts(days: Sequence[OrientationDay]) -> list[tuple[OrientationDay, ...]]:
    return [tuple(days[at : at + DAYS_PER_FACT]) for at in range(0, len(days), DAYS_PER_FACT)]
