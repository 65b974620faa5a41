"""What is new in a file of space weather, beside what was known of its source when it was published. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from services.ingest.days import DAYS_PER_FACT, D, changed
from services.ingest.domain import (
    Delivery,
    Event,
    SpaceWeatherForecastRecorded,
    SpaceWeatherIndicesRecorded,
    SpaceWeatherRecorded,
    WeatherDay,
    WeatherIndex,
)

_MJD_1_JAN_2000 = 51544


@dataclass(frozen=True, slots=True)
class OfferWeather:
    observed: tuple[WeatherDay, ...]
    predicted: tuple[WeatherDay, ...]
    delivery: Delivery
    indices: tuple[WeatherIndex, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownWeather:
    observed: dict[int, WeatherDay] = field(default_factory=dict)
    predicted: dict[int, WeatherDay] = field(default_factory=dict)
    indices: dict[int, WeatherIndex] = field(default_factory=dict)


def decide_weather(command: OfferWeather, known: KnownWeather) -> list[Event]:
    """Only the days that say something new, a fact for each year of them."""
    source, sha256 = command.delivery.source, command.delivery.input_sha256
    indices = changed(merged_days(command.indices, known.indices), known.indices)
    observed = changed([*command.observed, *whole_days(indices)], known.observed)
    predicted = changed(command.predicted, known.predicted)
    return [
        *(SpaceWeatherIndicesRecorded(source, days, sha256) for days in _by_year(indices)),
        *(SpaceWeatherRecorded(source, days, sha256) for days in _by_year(observed)),
        *(SpaceWeatherForecastRecorded(source, days, sha256) for days in _by_year(predicted)),
    ]


def merged_days(offered: Iterable[WeatherIndex], known: dict[int, WeatherIndex]) -> list[WeatherIndex]:
    """Each day with the parts of it that are known from before."""
    merged: dict[int, WeatherIndex] = {}
    for day in offered:
        before = merged.get(day.mjd) or known.get(day.mjd) or day
        flux = before.f107_observed_sfu if day.f107_observed_sfu is None else day.f107_observed_sfu
        merged[day.mjd] = replace(day, ap_3h=day.ap_3h or before.ap_3h, f107_observed_sfu=flux)
    return list(merged.values())


def whole_days(indices: Iterable[WeatherIndex]) -> list[WeatherDay]:
    return [
        WeatherDay(day.mjd, day.ap_3h, sum(day.ap_3h) / len(day.ap_3h), day.f107_observed_sfu)
        for day in indices
        if day.ap_3h and day.f107_observed_sfu is not None
    ]


def _by_year(days: Sequence[D]) -> list[tuple[D, ...]]:
    return [tuple(group) for _, group in groupby(days, key=lambda day: (day.mjd - _MJD_1_JAN_2000) // DAYS_PER_FACT)]
