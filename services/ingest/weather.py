"""What is new in a file of space weather."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from services.ingest.domain import Delivery, Event, SpaceWeatherForecastRecorded, SpaceWeatherRecorded, WeatherDay

DAYS_PER_FACT = 366
_MJD_1_JAN_2000 = 51544


@dataclass(frozen=True, slots=True)
class OfferWeather:
    observed: tuple[WeatherDay, ...]
    predicted: tuple[WeatherDay, ...]
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class KnownWeather:
    observed: dict[int, WeatherDay] = field(default_factory=dict)
    predicted: dict[int, WeatherDay] = field(default_factory=dict)


def decide_weather(command: OfferWeather, known: KnownWeather) -> list[Event]:
    """Only the days that say something new, a fact for each year of them."""
    source, sha256 = command.delivery.source, command.delivery.input_sha256
    observed = _changed(command.observed, known.observed)
    predicted = _changed(command.predicted, known.predicted)
    return [
        *(SpaceWeatherRecorded(source, days, sha256) for days in _by_year(observed)),
        *(SpaceWeatherForecastRecorded(source, days, sha256) for days in _by_year(predicted)),
    ]


def _changed(days: Iterable[WeatherDay], known: dict[int, WeatherDay]) -> list[WeatherDay]:
    latest = {day.mjd: day for day in days}
    return [latest[mjd] for mjd in sorted(latest) if known.get(mjd) != latest[mjd]]


def _by_year(days: Sequence[WeatherDay]) -> list[tuple[WeatherDay, ...]]:
    return [tuple(group) for _, group in groupby(days, key=lambda day: (day.mjd - _MJD_1_JAN_2000) // DAYS_PER_FACT)]
