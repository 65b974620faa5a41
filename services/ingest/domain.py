"""What may enter the catalogue: pure decisions over what is known already.

Refused: an input that cannot be used at all
├── UnknownFormat   nothing says what the bytes are
└── BadSubmission   the submission itself is not in order
"""

import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby
from math import cbrt, pi
from typing import assert_never

from libs.astro.elements import ElementSet, RefusalReason
from libs.astro.time import jd_to_datetime

MAX_RAW = 64 * 1024
DAYS_PER_FACT = 366
EARTH_RADIUS_KM = 6378.135  # WGS-72, as SGP4 has it
MU_KM3_S2 = 398600.8
_MJD_1_JAN_2000 = 51544


class Format(Enum):
    UNKNOWN = "unknown"
    TLE = "tle"
    OMM_JSON = "omm-json"
    OMM_XML = "omm-xml"
    OMM_KVN = "omm-kvn"
    OMM_CSV = "omm-csv"
    CSSI = "cssi-space-weather"
    AIRSPACE = "airspace-geojson"


class SourceHealth(Enum):
    HEALTHY = "healthy"
    LATE = "late"
    STALE = "stale"
    FAILED = "failed"


class BadSubmission(Exception):
    """The submission is not in order; nothing was recorded."""


class UnknownObject(Exception):
    """No such object in the catalogue, or not one this caller may see."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One submitted file as the edge received it."""

    source: str
    input_sha256: str
    received_at: datetime
    available_at: datetime | None
    dataset: str = ""


# --- facts -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectCatalogued:
    catalogue_number: int
    object_name: bytes
    international_designator: bytes
    source: str


@dataclass(frozen=True, slots=True)
class ObjectRevised:
    catalogue_number: int
    object_name: bytes
    international_designator: bytes
    source: str


@dataclass(frozen=True, slots=True)
class ElementSetAccepted:
    elements: ElementSet
    source: str
    input_sha256: str


@dataclass(frozen=True, slots=True)
class InputRejected:
    source: str
    format: Format
    raw: bytes
    line: int
    column: int
    reason: RefusalReason
    detail: str
    input_sha256: str


@dataclass(frozen=True, slots=True)
class WeatherDay:
    mjd: int
    ap_3h: tuple[float, ...]
    ap_daily: float
    f107_observed_sfu: float


@dataclass(frozen=True, slots=True)
class SpaceWeatherRecorded:
    source: str
    days: tuple[WeatherDay, ...]
    input_sha256: str


@dataclass(frozen=True, slots=True)
class SpaceWeatherForecastRecorded:
    source: str
    days: tuple[WeatherDay, ...]
    input_sha256: str


@dataclass(frozen=True, slots=True)
class AirspaceRecorded:
    dataset: str
    geojson_sha256: str
    feature_count: int
    invalid_features: tuple[tuple[str, str], ...]
    notice: str
    source: str


@dataclass(frozen=True, slots=True)
class SourceStateChanged:
    source: str
    state: SourceHealth
    reason: str
    last_delivery_at: datetime | None


Event = (
    ObjectCatalogued
    | ObjectRevised
    | ElementSetAccepted
    | InputRejected
    | SpaceWeatherRecorded
    | SpaceWeatherForecastRecorded
    | AirspaceRecorded
    | SourceStateChanged
)


def stream_of(event: Event) -> str:
    match event:
        case ObjectCatalogued(catalogue_number=number) | ObjectRevised(catalogue_number=number):
            return f"object/{number}"
        case ElementSetAccepted(elements=elements):
            return f"elements/{elements.catalogue_number}"
        case InputRejected(source=source):
            return f"rejected/{source}"
        case SpaceWeatherRecorded(source=source) | SpaceWeatherForecastRecorded(source=source):
            return f"weather/{source}"
        case AirspaceRecorded(dataset=dataset):
            return f"airspace/{dataset}"
        case SourceStateChanged(source=source):
            return f"source/{source}"
        case _:
            assert_never(event)


# --- one object's entry in the catalogue -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue holds of one object."""

    catalogued: bool = False
    object_name: bytes = b""
    international_designator: bytes = b""
    fingerprints: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class OfferElements:
    """Element sets of one object, in the order of the file."""

    sets: tuple[ElementSet, ...]
    delivery: Delivery


def decide_entry(command: OfferElements, entry: Entry) -> list[Event]:
    events: list[Event] = []
    for elements in command.sets:
        for event in _offer(elements, entry, command.delivery):
            entry = evolve_entry(entry, event)
            events.append(event)
    return events


def _offer(elements: ElementSet, entry: Entry, delivery: Delivery) -> list[Event]:
    if fingerprint(elements) in entry.fingerprints:
        return []
    accepted = ElementSetAccepted(elements, delivery.source, delivery.input_sha256)
    name, designator = elements.object_name.strip(), long_designator(elements.international_designator)
    number = elements.catalogue_number
    if not entry.catalogued:
        return [ObjectCatalogued(number, name, designator, delivery.source), accepted]
    revised = (name or entry.object_name, designator or entry.international_designator)
    if revised != (entry.object_name, entry.international_designator):
        return [ObjectRevised(number, *revised, delivery.source), accepted]
    return [accepted]


def evolve_entry(entry: Entry, event: Event) -> Entry:
    match event:
        case ObjectCatalogued() | ObjectRevised():
            return replace(
                entry,
                catalogued=True,
                object_name=event.object_name,
                international_designator=event.international_designator,
            )
        case ElementSetAccepted(elements=elements):
            return replace(entry, fingerprints=entry.fingerprints | {fingerprint(elements)})
        case (
            InputRejected()
            | SpaceWeatherRecorded()
            | SpaceWeatherForecastRecorded()
            | AirspaceRecorded()
            | SourceStateChanged()
        ):
            return entry
        case _:
            assert_never(event)


def fingerprint(elements: ElementSet) -> bytes:
    """Identifies a set by what it says of the orbit; who sent it and under which name does not matter."""
    packed = struct.pack(
        "<q11d",
        elements.catalogue_number,
        elements.epoch_jd,
        elements.epoch_jd_fraction,
        elements.mean_motion_rev_day,
        elements.eccentricity,
        elements.inclination_deg,
        elements.raan_deg,
        elements.arg_of_perigee_deg,
        elements.mean_anomaly_deg,
        elements.bstar_per_earth_radius,
        elements.mean_motion_dot_half_rev_day2,
        elements.mean_motion_ddot_sixth_rev_day3,
    )
    return hashlib.sha256(packed).digest()[:16]


def long_designator(designator: bytes) -> bytes:
    """b"22143B" of a TLE as the b"2022-143B" that OMM writes; anything else as it is."""
    text = designator.strip()
    short = re.fullmatch(rb"(\d\d)(\d{3}[A-Z]{1,3})", text)
    if not short:
        return text
    century = b"19" if int(short[1]) >= 57 else b"20"  # Sputnik flew in 1957
    return century + short[1] + b"-" + short[2]


def altitudes_km(elements: ElementSet) -> tuple[float, float]:
    """Perigee and apogee altitude from the Kozai mean motion."""
    rate_rad_s = elements.mean_motion_rev_day * 2.0 * pi / 86400.0
    semi_major_km = cbrt(MU_KM3_S2 / rate_rad_s**2)
    return (
        semi_major_km * (1.0 - elements.eccentricity) - EARTH_RADIUS_KM,
        semi_major_km * (1.0 + elements.eccentricity) - EARTH_RADIUS_KM,
    )


def epoch_of(elements: ElementSet) -> datetime:
    return jd_to_datetime(elements.epoch_jd, elements.epoch_jd_fraction)


def epoch_problem(elements: ElementSet, delivery: Delivery, lead: timedelta) -> str:
    """Why the epoch cannot be right for the time of publication; empty when it can."""
    published = delivery.available_at or delivery.received_at
    epoch = epoch_of(elements)
    if epoch <= published + lead:
        return ""
    return (
        f"the epoch {epoch:%Y-%m-%d %H:%M} UTC is more than {lead.days} days after its publication at "
        f"{published:%Y-%m-%d %H:%M} UTC; check the epoch's year and day, or the stated publication time"
    )


# --- space weather ---------------------------------------------------------------------------------------------


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


# --- airspace --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferAirspace:
    feature_count: int
    invalid_features: tuple[tuple[str, str], ...]
    notice: str
    delivery: Delivery


def decide_airspace(command: OfferAirspace, recorded_sha256: str) -> list[Event]:
    delivery = command.delivery
    if delivery.input_sha256 == recorded_sha256:
        return []
    return [
        AirspaceRecorded(
            delivery.dataset,
            delivery.input_sha256,
            command.feature_count,
            command.invalid_features,
            command.notice,
            delivery.source,
        )
    ]
