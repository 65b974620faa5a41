"""Facts of ingest, and the streams they belong to.

Refused: an input that cannot be used at all
├── UnknownFormat   nothing says what the bytes are
└── BadSubmission   the submission itself is not in order
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import assert_never

from libs.astro.elements import ElementSet, RefusalReason

MAX_RAW = 64 * 1024


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


class UnknownSubmission(Exception):
    """The caller submitted no such file, it was cut off, or its answer is no longer kept."""


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
