"""What is polled, how often, and what its owner allows: one table. Pure.

Limits and cadences are those of the sources' own terms: Space-Track's API guide (30 requests a minute, 300 an hour, GP
once an hour, TIP once an hour, SATCAT once a day after 17:00 UTC, decay once a week, gp_history once ever), CelesTrak's
usage policy (no repeated downloads; who goes on after an error is shut out), DISCOS' rate headers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType

from services.ingest.domain import SourceProblem
from services.ingest.freshness import Expected

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHARE_PERCENT = 83  # of each limit that is used, so that a clock that drifts, or a person beside us, breaks none
MIB = 2**20


class Access(Enum):
    OPEN = "none"
    SESSION = "user and password, one session with a cookie"
    TOKEN = "bearer token"  # noqa: S105  a kind of access, not a token


class Kind(Enum):
    """What a source delivers, as far as products depend on it."""

    ELEMENTS = "elements"
    PREDICTIONS = "predictions of others"
    DECAYS = "decays"
    OBJECTS = "objects"
    WEATHER = "weather"
    ORIENTATION = "Earth orientation"
    AIRSPACE = "airspace"
    TRAFFIC = "traffic"


@dataclass(frozen=True, slots=True)
class Limit:
    """The owner's limit; `used` is what we allow ourselves."""

    requests: int
    window: timedelta

    @property
    def used(self) -> int:
        return max(1, self.requests * SHARE_PERCENT // 100)


@dataclass(frozen=True, slots=True)
class Provider:
    """Problems in `stop` halt a feed until a person resumes it; those in `stop_all` halt every feed of the provider."""

    name: str
    base_url: str  # empty: from the settings, a whole URL for each feed
    access: Access
    limits: tuple[Limit, ...]
    stop: frozenset[SourceProblem] = frozenset({SourceProblem.REFUSED, SourceProblem.CREDENTIALS})
    stop_all: frozenset[SourceProblem] = frozenset({SourceProblem.CREDENTIALS})
    stop_at_first_error: bool = False


class Rhythm(Enum):
    EVERY = "at its cadence"
    AFTER_17_UTC = "once a day, after 17:00 UTC"
    NEAR_REENTRY = "at its cadence, and every 10 minutes within 12 h of a re-entry"
    ONCE_EACH = "once ever for each object that is asked for"


@dataclass(frozen=True, slots=True)
class Policy:
    """One feed. `format` names a value of InputFormat; paths may hold {days} since the last delivery, and {number}."""

    name: str
    provider: Provider
    paths: tuple[str, ...]
    format: str
    kind: Kind
    cadence: timedelta
    expected: Expected
    why: str  # the reason of the two thresholds
    rhythm: Rhythm = Rhythm.EVERY
    max_bytes: int = 32 * MIB
    total: timedelta = timedelta(minutes=5)
    may_be_empty: bool = False
    paged: bool = False
    dataset: bool = False


SPACE_TRACK = Provider(
    "space-track",
    "https://www.space-track.org",
    Access.SESSION,
    (Limit(30, timedelta(minutes=1)), Limit(300, HOUR)),
)
CELESTRAK = Provider(
    "celestrak",
    "https://celestrak.org",
    Access.OPEN,
    (Limit(12, HOUR),),  # no figure is published; a client that downloads each file at its own cadence needs 3
    stop=frozenset(SourceProblem) - {SourceProblem.UNREACHABLE, SourceProblem.NONE},
    stop_all=frozenset({SourceProblem.REFUSED, SourceProblem.TOO_MANY_REQUESTS}),
    stop_at_first_error=True,
)
SWPC = Provider("swpc", "https://services.swpc.noaa.gov", Access.OPEN, (Limit(60, HOUR),))
IERS = Provider("iers", "https://datacenter.iers.org", Access.OPEN, (Limit(10, HOUR),))
DISCOS = Provider("discos", "https://discosweb.esoc.esa.int", Access.TOKEN, (Limit(20, timedelta(minutes=1)),))
DATASETS = Provider("dataset", "", Access.OPEN, (Limit(10, HOUR),))

_QUERY = "/basicspacedata/query/class"
_ROWS = (
    Policy(
        "space-track-gp",
        SPACE_TRACK,
        (f"{_QUERY}/gp/CREATION_DATE/%3Enow-{{days}}/orderby/NORAD_CAT_ID/format/json",),
        "OMM_JSON",
        Kind.ELEMENTS,
        HOUR,
        Expected(3 * HOUR, 24 * HOUR),
        "hourly, two misses; a low object is seen several times a day, and a window without a set of the day is wide",
        max_bytes=96 * MIB,
    ),
    Policy(
        "space-track-tip",
        SPACE_TRACK,
        (f"{_QUERY}/tip/MSG_EPOCH/%3Enow-30/orderby/MSG_EPOCH/format/json",),
        "TIP",
        Kind.PREDICTIONS,
        HOUR,
        Expected(7 * DAY, 21 * DAY),
        "a week without any re-entry of a tracked large object is rare, three weeks are not seen",
        rhythm=Rhythm.NEAR_REENTRY,
        may_be_empty=True,
    ),
    Policy(
        "space-track-decay",
        SPACE_TRACK,
        (f"{_QUERY}/decay/MSG_EPOCH/%3Enow-{{days}}/orderby/MSG_EPOCH/format/json",),
        "DECAY",
        Kind.DECAYS,
        7 * DAY,
        Expected(8 * DAY, 22 * DAY),
        "weekly and a day; after three misses objects that are down are still listed as in orbit",
    ),
    Policy(
        "space-track-satcat",
        SPACE_TRACK,
        (f"{_QUERY}/satcat/CURRENT/Y/orderby/NORAD_CAT_ID/format/csv",),
        "SATCAT",
        Kind.OBJECTS,
        DAY,
        Expected(2 * DAY, 14 * DAY),
        "daily, one miss; names and owners of old objects change in weeks",
        rhythm=Rhythm.AFTER_17_UTC,
        max_bytes=64 * MIB,
    ),
    Policy(
        "space-track-gp-history",
        SPACE_TRACK,
        (f"{_QUERY}/gp_history/NORAD_CAT_ID/{{number}}/orderby/EPOCH/format/json",),
        "OMM_JSON",
        Kind.ELEMENTS,
        timedelta(minutes=10),
        Expected(36500 * DAY, 36501 * DAY),
        "history is fetched once ever, so that it cannot be overdue",
        rhythm=Rhythm.ONCE_EACH,
    ),
    Policy(
        "celestrak-gp",
        CELESTRAK,
        ("/NORAD/elements/gp.php?GROUP=active&FORMAT=csv",),
        "OMM_CSV",
        Kind.ELEMENTS,
        2 * HOUR,
        Expected(6 * HOUR, 24 * HOUR),
        "renewed every two hours, two misses; then as for Space-Track",
    ),
    Policy(
        "celestrak-space-weather",
        CELESTRAK,
        ("/SpaceData/SW-Last5Years.txt",),
        "CSSI_SPACE_WEATHER",
        Kind.WEATHER,
        3 * HOUR,
        Expected(36 * HOUR, 96 * HOUR),
        "renewed through the day; the forecast relaxes to its mean within four days",
    ),
    Policy(
        "celestrak-space-weather-csv",
        CELESTRAK,
        ("/SpaceData/SW-Last5Years.csv",),
        "SPACE_WEATHER_CSV",
        Kind.WEATHER,
        3 * HOUR,
        Expected(36 * HOUR, 96 * HOUR),
        "as its text form",
    ),
    Policy(
        "swpc",
        SWPC,
        (
            "/json/f107_cm_flux.json",
            "/products/noaa-planetary-k-index.json",
            "/products/45-day-forecast.json",
        ),
        "SWPC_JSON",
        Kind.WEATHER,
        3 * HOUR,
        Expected(12 * HOUR, 96 * HOUR),
        "a K every three hours, three misses; then as CelesTrak's",
    ),
    Policy(
        "iers-finals2000a",
        IERS,
        ("/data/9/finals2000A.all",),
        "EARTH_ORIENTATION",
        Kind.ORIENTATION,
        DAY,
        Expected(8 * DAY, 30 * DAY),
        "renewed weekly; UT1 predicted 30 days ahead is good to 5 ms, 2 m on the ground",
    ),
    Policy(
        "discos-objects",
        DISCOS,
        ("/api/objects?page%5Bsize%5D=100&page%5Bnumber%5D=1&sort=id",),
        "DISCOS",
        Kind.OBJECTS,
        7 * DAY,
        Expected(9 * DAY, 60 * DAY),
        "weekly and two days; masses and areas hardly ever change",
        paged=True,
    ),
    Policy(
        "dataset-fir-geojson",
        DATASETS,
        ("",),
        "AIRSPACE_GEOJSON",
        Kind.AIRSPACE,
        DAY,
        Expected(30 * DAY, 84 * DAY),
        "one AIRAC cycle and two days; three cycles",
        dataset=True,
    ),
    Policy(
        "dataset-fir-aixm",
        DATASETS,
        ("",),
        "AIRSPACE_AIXM",
        Kind.AIRSPACE,
        DAY,
        Expected(30 * DAY, 84 * DAY),
        "one AIRAC cycle and two days; three cycles",
        dataset=True,
        max_bytes=128 * MIB,
    ),
    Policy(
        "dataset-traffic",
        DATASETS,
        ("",),
        "TRAFFIC_CSV",
        Kind.TRAFFIC,
        DAY,
        Expected(100 * DAY, 400 * DAY),
        "traffic changes with the season; figures of the year before mislead after a year",
        dataset=True,
        max_bytes=128 * MIB,
    ),
)
POLICIES: Mapping[str, Policy] = MappingProxyType({row.name: row for row in _ROWS})
PROVIDERS: Mapping[str, Provider] = MappingProxyType({row.provider.name: row.provider for row in _ROWS})
