"""What is new in a file of Earth orientation. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.ingest.domain import Delivery, EarthOrientationRecorded, OrientationDay

DAYS_PER_FACT = 366


@dataclass(frozen=True, slots=True)
class OfferOrientation:
    days: tuple[OrientationDay, ...]
    delivery: Delivery


def decide_orientation(
    command: OfferOrientation, known: Mapping[int, OrientationDay]
) -> list[EarthOrientationRecorded]:
    """Only the days that say something new; a file gives a new prediction for a year each day."""
    latest = {day.mjd: day for day in command.days}
    changed = [latest[mjd] for mjd in sorted(latest) if known.get(mjd) != latest[mjd]]
    source, sha256 = command.delivery.source, command.delivery.input_sha256
    return [EarthOrientationRecorded(source, days, sha256) for days in _parts(changed)]


def _parts(days: Sequence[OrientationDay]) -> list[tuple[OrientationDay, ...]]:
    return [tuple(days[at : at + DAYS_PER_FACT]) for at in range(0, len(days), DAYS_PER_FACT)]
