"""Facts of ingest, and the streams they belong to.

Refused: an input that cannot be used at all
├── UnknownFormat   nothing says what the bytes are
└── BadSubmission   the submission itself is not in order
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import assert_never

from libs.astro.elements import ElementSet, RefusalReason
from services.ingest.description import DecayTime, Description, Origin

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
    SATCAT = "satcat"
    DECAY = "decay"
    DISCOS = "discos"


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


class ObjectExists(Exception):
    """The number is in the catalogue already."""


class StaleEtag(Exception):
    """The object has changed since its editor read it."""


class AlreadyRetired(Exception):
    """The object was taken out of the catalogue."""


class BadEdit(Exception):
    """The edit itself is not in order."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One submitted file as the edge received it."""

    source: str
    input_sha256: str
    received_at: datetime
    available_at: datetime | None
    dataset: str = ""
    redistribution: str = "internal"


@dataclass(frozen=True, slots=True)
class ObjectCatalogued:
    """`description` and `origins` are all that is known, not the change alone."""

    catalogue_number: int
    description: Description
    origins: Mapping[str, Origin]
    source: str
    input_sha256: str
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class ObjectRevised:
    catalogue_number: int
    description: Description
    origins: Mapping[str, Origin]
    source: str
    input_sha256: str
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class ObjectDecayed:
    catalogue_number: int
    time: DecayTime
    origin: Origin
    input_sha256: str


@dataclass(frozen=True, slots=True)
class ObjectRetired:
    catalogue_number: int
    reason: bytes
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
    | ObjectDecayed
    | ObjectRetired
    | ElementSetAccepted
    | InputRejected
    | SpaceWeatherRecorded
    | SpaceWeatherForecastRecorded
    | AirspaceRecorded
    | SourceStateChanged
)


def stream_of(event: Event) -> str:
    match event:
        case (
            ObjectCatalogued(catalogue_number=number)
            | ObjectRevised(catalogue_number=number)
            | ObjectDecayed(catalogue_number=number)
            | ObjectRetired(catalogue_number=number)
        ):
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
