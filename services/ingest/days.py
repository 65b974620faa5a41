"""Series of days: which of those that a file holds say something new. Pure."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from libs.astro.eop_rows import OrientationDay
from services.ingest.domain import WeatherDay, WeatherIndex

DAYS_PER_FACT = 366
D = TypeVar("D", WeatherDay, WeatherIndex, OrientationDay)


def changed(days: Iterable[D], known: Mapping[int, D]) -> list[D]:
    """By rising day, of a day that is there twice the last."""
    latest = {day.mjd: day for day in days}
    return [latest[mjd] for mjd in sorted(latest) if known.get(mjd) != latest[mjd]]
