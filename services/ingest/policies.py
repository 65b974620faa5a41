"""What is polled, how often, and what its owner allows: one table. Pure.

Limits and cadences of Space-Track are those of its API guide (30 requests a minute, 300 an hour, GP once an hour, TIP
once an hour and every ten minutes near a re-entry, SATCAT once a day after 17:00 UTC, decay once a week, gp_history
once ever). The others publish rules and no figure, CelesTrak that nothing is downloaded twice and that who goes on
after an error is shut out: figures for them are our own caution, and say so in `ours`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType

from services.ingest.domain import Format, SourceProblem
from services.ingest.freshness import Expected

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHARE_PERCENT = 83  # of each limit that is used, so that a clock that drifts, or a person beside us, breaks none
MIB = 2**20


class Access(Enum):
    OPEN = "none"
    SESSION = "user and password, for a session with a cookie"
    BEARER = "a token with each request"


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
    """`used` is the share of it that is used."""

    requests: int
    window: timedelta

    @property
    def used(self) -> int:
        return max(1, self.requests * SHARE_PERCENT // 100)


@dataclass(frozen=True, slots=True)
class Provider:
    """Problems in `stop` halt a feed until a person resumes it; those in `stop_all` halt every feed of the provider.

    `ours` is what limits rest on that the owner has not set; empty where they are the owner's.
    """

    name: str
    base_url: str  # empty: from the settings, a whole URL for each feed
    access: Access
    limits: tuple[Limit, ...]
    ours: str = ""
    stop: frozenset[SourceProblem] = frozenset({SourceProblem.REFUSED, SourceProblem.CREDENTIALS})
    stop_all: frozenset[SourceProblem] = frozenset({SourceProblem.CREDENTIALS})
    stop_at_first_error: bool = False  # any answer but 200 and 304 halts every feed of the provider

    def halts(self, problem: SourceProblem, status: int | None) -> bool:
        return problem in self.stop or (self.stop_at_first_error and status is not None)

    def halts_all(self, problem: SourceProblem, status: int | None) -> bool:
        return problem in self.stop_all or (self.stop_at_first_error and status is not None)


class Rhythm(Enum):
    EVERY = "at its cadence"
    AFTER_17_UTC = "once a day, after 17:00 UTC"
    NEAR_REENTRY = "at its cadence, and every 10 minutes within 12 h of a re-entry"
    ONCE_EACH = "once ever for each object that is asked for"


@dataclass(frozen=True, slots=True)
class Policy:
    """One feed. Paths may hold {days}, the time since the last delivery, and {number}, of an object."""

    name: str
    provider: Provider
    paths: tuple[str, ...]
    format: Format
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
    (Limit(12, HOUR),),
    ours="no file is downloaded twice; all feeds at their cadence ask three times an hour at most",
    stop=frozenset(SourceProblem) - {SourceProblem.UNREACHABLE, SourceProblem.NONE},
    stop_all=frozenset(),
    stop_at_first_error=True,
)
SWPC = Provider(
    "swpc",
    "https://services.swpc.noaa.gov",
    Access.OPEN,
    (Limit(60, HOUR),),
    ours="none is published; its feed asks three times in three hours",
)
IERS = Provider(
    "iers",
    "https://datacenter.iers.org",
    Access.OPEN,
    (Limit(10, HOUR),),
    ours="none is published; its feed asks once a day",
)
DISCOS = Provider(
    "discos",
    "https://discosweb.esoc.esa.int",
    Access.BEARER,
    (Limit(20, timedelta(minutes=1)),),
    ours="each answer states its own in rate headers, of which the same share is used",
)
DATASETS = Provider(
    "dataset", "", Access.OPEN, (Limit(10, HOUR),), ours="whoever serves them may set some; each feed asks once a day"
)

_QUERY = "/basicspacedata/query/class"
_ROWS = (
    Policy(
        "space-track-gp",
        SPACE_TRACK,
        (f"{_QUERY}/gp/decay_date/null-val/CREATION_DATE/%3Enow-{{days}}/orderby/NORAD_CAT_ID/format/json",),
        Format.OMM_JSON,
        Kind.ELEMENTS,
        HOUR,
        Expected(3 * HOUR, 24 * HOUR),
        "hourly, two misses; a low object is seen several times a day, and a window without a set of the day is wide",
        max_bytes=96 * MIB,
        may_be_empty=True,
    ),
    Policy(
        "space-track-tip",
        SPACE_TRACK,
        (f"{_QUERY}/tip/MSG_EPOCH/%3Enow-30/orderby/MSG_EPOCH/format/json",),
        Format.TIP,
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
        Format.DECAY,
        Kind.DECAYS,
        7 * DAY,
        Expected(8 * DAY, 22 * DAY),
        "weekly and a day; after three misses objects that are down are still listed as in orbit",
        may_be_empty=True,
    ),
    Policy(
        "space-track-satcat",
        SPACE_TRACK,
        (f"{_QUERY}/satcat/CURRENT/Y/orderby/NORAD_CAT_ID/format/csv",),
        Format.SATCAT,
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
        Format.OMM_JSON,
        Kind.ELEMENTS,
        timedelta(minutes=10),
        Expected(36500 * DAY, 36501 * DAY),
        "history is fetched once ever, so that it cannot be overdue",
        rhythm=Rhythm.ONCE_EACH,
        may_be_empty=True,
    ),
    Policy(
        "celestrak-gp",
        CELESTRAK,
        ("/NORAD/elements/gp.php?GROUP=active&FORMAT=csv",),
        Format.OMM_CSV,
        Kind.ELEMENTS,
        2 * HOUR,
        Expected(6 * HOUR, 24 * HOUR),
        "renewed every two hours, two misses; then as for Space-Track",
    ),
    Policy(
        "celestrak-space-weather",
        CELESTRAK,
        ("/SpaceData/SW-Last5Years.txt",),
        Format.CSSI,
        Kind.WEATHER,
        3 * HOUR,
        Expected(36 * HOUR, 96 * HOUR),
        "renewed through the day; the forecast relaxes to its mean within four days",
    ),
    Policy(
        "celestrak-space-weather-csv",
        CELESTRAK,
        ("/SpaceData/SW-Last5Years.csv",),
        Format.WEATHER_CSV,
        Kind.WEATHER,
        3 * HOUR,
        Expected(36 * HOUR, 96 * HOUR),
        "as its text form",
    ),
    Policy(
        "celestrak-satcat",
        CELESTRAK,
        ("/pub/satcat.csv",),
        Format.SATCAT,
        Kind.OBJECTS,
        DAY,
        Expected(2 * DAY, 14 * DAY),
        "daily, one miss; names and owners of old objects change in weeks",
        max_bytes=64 * MIB,
    ),
    Policy(
        "swpc",
        SWPC,
        (
            "/json/f107_cm_flux.json",
            "/products/noaa-planetary-k-index.json",
            "/products/45-day-forecast.json",
        ),
        Format.SWPC,
        Kind.WEATHER,
        3 * HOUR,
        Expected(36 * HOUR, 96 * HOUR),
        "a day is complete after its end, and half a day on it is missed; then as CelesTrak's",
    ),
    Policy(
        "iers-finals2000a",
        IERS,
        ("/data/9/finals2000A.all",),
        Format.ORIENTATION,
        Kind.ORIENTATION,
        DAY,
        Expected(8 * DAY, 30 * DAY),
        "renewed weekly; UT1 predicted 30 days ahead is good to 5 ms, 2 m on the ground",
    ),
    Policy(
        "discos-objects",
        DISCOS,
        ("/api/objects?page%5Bsize%5D=100&page%5Bnumber%5D=1&sort=id",),
        Format.DISCOS,
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
        Format.AIRSPACE,
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
        Format.AIXM,
        Kind.AIRSPACE,
        DAY,
        Expected(30 * DAY, 84 * DAY),
        "one AIRAC cycle and two days; three cycles",
        dataset=True,
        max_bytes=128 * MIB,
    ),
    Policy(
        "dataset-traffic-csv",
        DATASETS,
        ("",),
        Format.TRAFFIC_CSV,
        Kind.TRAFFIC,
        DAY,
        Expected(100 * DAY, 400 * DAY),
        "traffic changes with the season; figures of the year before mislead after a year",
        dataset=True,
        max_bytes=128 * MIB,
    ),
    Policy(
        "dataset-traffic-geojson",
        DATASETS,
        ("",),
        Format.TRAFFIC_GEOJSON,
        Kind.TRAFFIC,
        DAY,
        Expected(100 * DAY, 400 * DAY),
        "as its CSV form",
        dataset=True,
        max_bytes=128 * MIB,
    ),
)
POLICIES: Mapping[str, Policy] = MappingProxyType({row.name: row for row in _ROWS})
PROVIDERS: Mapping[str, Provider] = MappingProxyType({row.provider.name: row.provider for row in _ROWS})


class UnknownFeed(ValueError):
    """No feed and no provider of the table has this name."""


def enabled(names: Iterable[str]) -> tuple[Policy, ...]:
    """The feeds of these names, of feeds or of whole providers, in the order of the table."""
    wanted = set(names)
    if unknown := wanted - set(POLICIES) - set(PROVIDERS):
        raise UnknownFeed(
            f"{', '.join(sorted(unknown))}: no such source; there are {', '.join([*PROVIDERS, *POLICIES])}"
        )
    return tuple(row for row in _ROWS if {row.name, row.provider.name} & wanted)


def kind_of(found: Format) -> Kind:
    """What a file of this format is good for."""
    return _KINDS.get(found, Kind.ELEMENTS)


_KINDS: Mapping[Format, Kind] = MappingProxyType({row.format: row.kind for row in _ROWS})
