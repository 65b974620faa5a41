"""Facts of ingest, and the streams they belong to.

Refused: an input that cannot be used at all
├── UnknownFormat   nothing says what the bytes are
└── BadSubmission   the submission itself is not in order
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.astro.elements import ElementSet, RefusalReason
from libs.astro.eop_rows import OrientationDay
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
    AIXM = "airspace-aixm"
    WEATHER_CSV = "space-weather-csv"
    SWPC = "swpc-json"
    OEM = "oem"
    RDM = "rdm"
    CDM = "cdm"
    TIP = "tip"
    ORIENTATION = "earth-orientation"
    TRAFFIC_CSV = "traffic-csv"
    TRAFFIC_GEOJSON = "traffic-geojson"


class ThirdPartyKind(Enum):
    TIP = "tip"
    RDM = "rdm"


class ElementFlag(Enum):
    """What is unusual about an accepted set."""

    ENERGY_JUMP = "energy-jump"
    PLANE_JUMP = "plane-jump"
    LATE_EPOCH = "late-epoch"
    OUTSIDE_LIFE = "outside-life"


class SourceHealth(Enum):
    HEALTHY = "healthy"
    LATE = "late"
    STALE = "stale"
    FAILED = "failed"
    RECOVERED = "recovered"


class SourceProblem(Enum):
    NONE = "unspecified"
    OVERDUE = "overdue"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    CREDENTIALS = "credentials"
    TOO_MANY_REQUESTS = "too-many-requests"
    UNUSABLE = "unusable"
    NOT_RENEWED = "not-renewed"
    CLOCK = "clock"


class BadSubmission(Exception):
    """The submission is not in order; nothing was recorded."""


class UnknownSubmission(Exception):
    """The caller submitted no such file, it was cut off, or its answer is no longer kept."""


class UnknownRejection(Exception):
    """Nothing was refused there, the caller has no right to it, or its input is no longer kept."""


class UnknownEvent(Exception):
    """No fact of ingest has this event id, or not one this caller may see."""


class NothingRead(Exception):
    """The fact carries no number that was read from one input."""


class UnknownSource(Exception):
    """Nothing is known of a source of this name."""


class NotHalted(Exception):
    """The source is not halted, so that there is nothing to resume."""


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
    polled: bool = False  # its poller says what the whole poll makes of the source

    @property
    def known_at(self) -> datetime:
        """When it was published, as far as that is stated."""
        return self.available_at or self.received_at


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
    flags: tuple[ElementFlag, ...] = ()
    semi_major_axis_jump_km: float = 0.0

    @property
    def catalogue_number(self) -> int:
        return self.elements.catalogue_number


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
class WeatherIndex:
    """Parts of an observed day: no ap, or no flux, where they are published apart."""

    mjd: int
    ap_3h: tuple[float, ...]
    f107_observed_sfu: float | None


@dataclass(frozen=True, slots=True)
class SpaceWeatherIndicesRecorded:
    source: str
    days: tuple[WeatherIndex, ...]
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
class ThirdPartyPredictionRecorded:
    """Times as UTC Julian date pairs; the window is minutes before and after the nominal time, 0 and 0 for none."""

    catalogue_number: int
    source: str
    kind: ThirdPartyKind
    originator: bytes
    message_id: bytes
    nominal_jd: float
    nominal_jd_fraction: float
    window_start_min: float
    window_end_min: float
    reentry_altitude_km: float
    latitude_deg: float | None
    longitude_deg: float | None
    confidence_percent: float | None
    controlled: bool | None
    made_at: datetime
    input_sha256: str


@dataclass(frozen=True, slots=True)
class EphemerisRecorded:
    """One segment; its states are in the kept input. Times in the segment's own time system."""

    catalogue_number: int
    source: str
    originator: bytes
    reference_frame: str
    time_system: str
    start_jd: float
    start_jd_fraction: float
    stop_jd: float
    stop_jd_fraction: float
    state_count: int
    input_sha256: str
    segment: int


@dataclass(frozen=True, slots=True)
class ConjunctionRecorded:
    catalogue_number: int
    other_catalogue_number: int
    source: str
    originator: bytes
    message_id: bytes
    closest_jd: float
    closest_jd_fraction: float
    miss_distance_m: float
    relative_speed_m_s: float | None
    collision_probability: float | None
    input_sha256: str


@dataclass(frozen=True, slots=True)
class EarthOrientationRecorded:
    source: str
    days: tuple[OrientationDay, ...]
    input_sha256: str


@dataclass(frozen=True, slots=True)
class TrafficCoverage:
    """What the usable rows of a dataset span; no resolution where its places are polygons."""

    h3_resolution: int | None
    cell_count: int
    row_count: int
    hours: tuple[int, ...]
    lowest_fl: int
    highest_fl: int
    aircraft_total: float


@dataclass(frozen=True, slots=True)
class TrafficDensityRecorded:
    dataset: str
    source: str
    coverage: TrafficCoverage
    invalid_rows: tuple[tuple[str, str], ...]
    notice: str
    input_sha256: str


@dataclass(frozen=True, slots=True)
class SourceStateChanged:
    source: str
    state: SourceHealth
    reason: str
    last_delivery_at: datetime | None
    next_due_at: datetime | None = None
    problem: SourceProblem = SourceProblem.NONE
    halted: bool = False
    failure_count: int = 0


Event = (
    ObjectCatalogued
    | ObjectRevised
    | ObjectDecayed
    | ObjectRetired
    | ElementSetAccepted
    | InputRejected
    | SpaceWeatherRecorded
    | SpaceWeatherForecastRecorded
    | SpaceWeatherIndicesRecorded
    | AirspaceRecorded
    | ThirdPartyPredictionRecorded
    | EphemerisRecorded
    | ConjunctionRecorded
    | EarthOrientationRecorded
    | TrafficDensityRecorded
    | SourceStateChanged
)


STREAMS: dict[type[Event], tuple[str, str]] = {  # the kind of its stream, and the attribute that names the one
    ObjectCatalogued: ("object", "catalogue_number"),
    ObjectRevised: ("object", "catalogue_number"),
    ObjectDecayed: ("object", "catalogue_number"),
    ObjectRetired: ("object", "catalogue_number"),
    ElementSetAccepted: ("elements", "catalogue_number"),
    InputRejected: ("rejected", "source"),
    SpaceWeatherRecorded: ("weather", "source"),
    SpaceWeatherForecastRecorded: ("weather", "source"),
    SpaceWeatherIndicesRecorded: ("weather", "source"),
    AirspaceRecorded: ("airspace", "dataset"),
    ThirdPartyPredictionRecorded: ("thirdparty", "catalogue_number"),
    EphemerisRecorded: ("ephemeris", "catalogue_number"),
    ConjunctionRecorded: ("conjunction", "catalogue_number"),
    EarthOrientationRecorded: ("eop", "source"),
    TrafficDensityRecorded: ("traffic", "dataset"),
    SourceStateChanged: ("source", "source"),
}


def stream_of(event: Event) -> str:
    kind, attribute = STREAMS[type(event)]
    return f"{kind}/{getattr(event, attribute)}"
