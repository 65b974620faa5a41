"""Which objects are predicted, from what, and what of it is worth recording. Pure.

Refused: no answer, for a reason of the world
├── UnknownObject      no element set, or not one this caller may see
├── NoPrediction       none was made yet
└── Declined           a prediction was asked for and cannot be made; carries the DeclineReason
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from math import cbrt, pi
from typing import assert_never
from uuid import UUID

from libs.astro import fit_sets
from libs.astro.earth import WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from libs.astro.elements import ElementSet
from libs.astro.time import DAY_S, MJD_0_JD, jd_to_datetime

QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
WEATHER_BEFORE_DAYS = 130  # fit history, the 81-day mean before it, and the previous day's flux
WEATHER_BEFORE_SET_DAYS = 42  # half of that mean, the previous day, and the day before a set at which drivers start
WEATHER_AFTER_DAYS = 41  # half of the centred 81-day mean
GATE_SCALE_HEIGHT_KM = 50.0  # generous at 200-500 km, so that the gate lets through rather too much


class DeclineReason(Enum):
    UNKNOWN_OBJECT = "unknown object"
    NO_SPACE_WEATHER = "no space weather"
    TOO_HIGH = "too high"
    DEEP_SPACE = "deep space"
    POOR_FIT = "poor fit"
    BAD_ELEMENTS = "bad elements"
    THRUSTING = "thrusting"
    CONTROLLED = "controlled"
    TOO_FEW_SETS = "too few sets"
    NOT_SINKING = "not sinking"
    COME_DOWN = "come down"


class UnknownObject(Exception):
    """No element set of the object is known here."""


class NoPrediction(Exception):
    """No prediction of the object was made yet."""


class BadRequest(Exception):
    """The request itself is not in order."""


@dataclass(frozen=True, slots=True)
class Epoch:
    jd: float
    jd_fraction: float

    @property
    def mjd(self) -> float:
        return (self.jd - MJD_0_JD) + self.jd_fraction

    @property
    def instant(self) -> datetime:
        return jd_to_datetime(self.jd, self.jd_fraction)


@dataclass(frozen=True, slots=True)
class KnownSet:
    """An element set and when it could be known."""

    event_id: UUID
    available_at: datetime
    elements: ElementSet

    @property
    def epoch(self) -> Epoch:
        return Epoch(self.elements.epoch_jd, self.elements.epoch_jd_fraction)


@dataclass(frozen=True, slots=True)
class WeatherDay:
    event_id: UUID
    available_at: datetime
    mjd: int
    ap_3h: tuple[float, ...]
    ap_daily: float
    f107_observed_sfu: float


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was computed with, as it is cited."""

    element_set_event_ids: tuple[UUID, ...]
    weather_event_ids: tuple[UUID, ...]
    drivers_sha256: str
    sample_count: int
    seed: int
    horizon_days: float


@dataclass(frozen=True, slots=True)
class DecayPredicted:
    catalogue_number: int
    known_at: datetime
    start_epoch: Epoch
    reentry_altitude_km: float
    nominal_epoch: Epoch
    quantiles: tuple[tuple[float, Epoch], ...]
    nominal_latitude_deg: float
    nominal_longitude_deg: float
    ln_b: float
    sigma_ln_b: float
    sigma_a_km: float
    draws_sha256: str
    inputs: Inputs
    model_version: str
    method: str


@dataclass(frozen=True, slots=True)
class PredictionDeclined:
    catalogue_number: int
    known_at: datetime
    reason: DeclineReason
    detail: str
    model_version: str
    inputs: Inputs | None = None  # none where space weather was missing


Event = DecayPredicted | PredictionDeclined


class Declined(Exception):
    """A prediction cannot be made."""

    def __init__(self, event: PredictionDeclined) -> None:
        super().__init__(event.detail)
        self.event = event


@dataclass(frozen=True, slots=True)
class Outlook:
    """What was last said of an object's decay."""

    last: Event | None = None


def evolve(_outlook: Outlook, event: Event) -> Outlook:
    return Outlook(event)


def decide(found: Event, outlook: Outlook) -> list[Event]:
    """Nothing when knowledge moved on meanwhile, or when it says what was said already."""
    last = outlook.last
    if last is not None and last.known_at > found.known_at:
        return []
    match found:
        case DecayPredicted():
            same = isinstance(last, DecayPredicted) and inputs_of(last) == inputs_of(found)
        case PredictionDeclined():
            same = isinstance(last, PredictionDeclined) and last.reason is found.reason
        case _:
            assert_never(found)
    return [] if same else [found]


def inputs_of(event: DecayPredicted) -> tuple[object, ...]:
    return (
        event.inputs.element_set_event_ids,
        event.inputs.drivers_sha256,
        event.inputs.seed,
        event.inputs.sample_count,
        event.model_version,
        event.start_epoch,
    )


# --- inputs ----------------------------------------------------------------------------------------------------


def history(sets: list[KnownSet], known_at: datetime) -> list[KnownSet]:
    """The sets a fit rests on, oldest epoch first: of several for one epoch the one published last."""
    published = sorted(
        (known for known in sets if known.available_at <= known_at),
        key=lambda known: (known.available_at, known.event_id),
    )
    by_epoch = {known.epoch: known for known in published}
    ordered = sorted(by_epoch.values(), key=lambda known: known.epoch.mjd)
    return ordered[-fit_sets.chosen([known.epoch.mjd - ordered[-1].epoch.mjd for known in ordered]) :]


def weather_span_mjd(sets: list[KnownSet], horizon_days: float) -> tuple[int, int]:
    oldest, newest = sets[0].epoch.mjd, sets[-1].epoch.mjd
    first = min(newest - WEATHER_BEFORE_DAYS, oldest - WEATHER_BEFORE_SET_DAYS)
    return int(first), int(newest + horizon_days + WEATHER_AFTER_DAYS)


def covered(sets: list[KnownSet], days: Sequence[WeatherDay]) -> list[KnownSet]:
    """The sets for which weather is known from early enough on; at least the newest."""
    if not days:
        return sets
    first = min(day.mjd for day in days) + WEATHER_BEFORE_SET_DAYS
    return [known for known in sets[:-1] if known.epoch.mjd >= first] + sets[-1:]


def seed_of(event_id: UUID) -> int:
    """The same draws for the same newest element set, whatever else changes: common random numbers."""
    return int.from_bytes(hashlib.sha256(event_id.bytes).digest()[:8], "big") >> 1


# --- who is watched --------------------------------------------------------------------------------------------


def perigee_altitude_km(elements: ElementSet) -> float:
    return semi_major_axis_km(elements) * (1.0 - elements.eccentricity) - WGS72_RADIUS_KM


def semi_major_axis_km(elements: ElementSet) -> float:
    return cbrt(WGS72_MU_KM3_S2 / (elements.mean_motion_rev_day * 2.0 * pi / DAY_S) ** 2)


def remaining_days(elements: ElementSet) -> float:
    """Rough life left from the published mean motion rate; infinite when the orbit does not shrink."""
    rate = 2.0 * elements.mean_motion_dot_half_rev_day2
    if rate <= 0.0:
        return float("inf")
    shrinking_km_day = 2.0 / 3.0 * semi_major_axis_km(elements) * rate / elements.mean_motion_rev_day
    return GATE_SCALE_HEIGHT_KM / shrinking_km_day


def watched(elements: ElementSet, below_km: float, horizon_days: float) -> bool:
    return perigee_altitude_km(elements) < below_km or remaining_days(elements) < horizon_days


def concerns(fact_available_at: datetime, mjds: tuple[int, int], last: Event) -> bool:
    """Whether weather of these days can change what was last said: it still waits for any, or still flies."""
    match last:
        case PredictionDeclined(reason=reason):
            return reason is DeclineReason.NO_SPACE_WEATHER
        case DecayPredicted():
            end = last.quantiles[-1][1]
            flying = fact_available_at <= end.instant + timedelta(days=1)
            first, last_day = mjds
            return flying and last_day >= last.start_epoch.mjd - WEATHER_BEFORE_DAYS and first <= end.mjd
        case _:
            assert_never(last)
