"""Re-entries of the past that predictions are held against, read from cases; at each cut-off what was known then."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from libs import cases
from libs.astro import fit_sets, tle, weather, weather_csv
from libs.astro.elements import ElementSet, Refused
from libs.astro.time import MJD_0_JD, datetime_to_jd, jd_to_datetime, seconds_between
from libs.astro.weather import Day, Drivers
from libs.cases import BadCase, Case, Published, Truth
from libs.ccsds import omm

CUT_OFFS_H = {"10 d": 240, "5 d": 120, "3 d": 72, "2 d": 48, "1 d": 24, "12 h": 12, "6 h": 6, "3 h": 3, "last": 0}
OLDEST_SET_DAYS = 3.0  # a prediction on an older set is not one of today
POINT = timedelta(minutes=30)  # a truth known to this, either side, is a point; a wider one an interval
INTERVAL = timedelta(hours=3)  # a truth no better known than this says little of an error
_BELOW_KM, _TO_80_KM = 40.0, timedelta(minutes=-5.5)  # 10 km, of which tracking messages tell, is passed 5-6 min later
_WEATHER_DAYS = 400.0
# Objects whose truth is a day: this method's own aftercast, scored apart.
AFTERCAST = {
    "delfi-c3-2023": "2023-11-13T21:26:00Z",
    "delfi-pq-2024": "2024-01-06T14:51:00Z",
    "jilin-gaofen-4a-2025": "2025-12-17T10:03:00Z",
    "sqx1-2025": "2025-12-25T23:59:00Z",
}
ELEMENTS: dict[str, Callable[[bytes], Iterable[ElementSet | Refused]]] = {
    "TLE": tle.read,
    "OMM_JSON": omm.read_omm_json,
    "OMM_XML": omm.read_omm_xml,
    "OMM_KVN": omm.read_omm_kvn,
    "OMM_CSV": omm.read_omm_csv,
}
WEATHER = {"SPACE_WEATHER_CSV": weather_csv.read, "CSSI_SPACE_WEATHER": weather.read_cssi}


@dataclass(frozen=True, slots=True)
class Known:
    """An element set and when it could be known, a Julian date pair: its publication, else its epoch."""

    elements: ElementSet
    at: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Span:
    """When the object passed 80 km, not before and not after."""

    first_at: datetime
    last_at: datetime
    source: str

    @property
    def middle_at(self) -> datetime:
        return self.first_at + (self.last_at - self.first_at) / 2

    @property
    def wide(self) -> bool:
        return self.last_at - self.first_at > 2 * POINT

    @property
    def a_day(self) -> bool:
        return self.last_at - self.first_at > INTERVAL


@dataclass(frozen=True, slots=True)
class Subject:
    """truth: the point scored against, of an interval its middle; pseudo: it is this method's own aftercast.

    Where nothing is known of the end, truth is the epoch of the newest set, and nothing is scored. refused: why records
    of its files are left out, in sentences.
    """

    case: str
    catalogue_number: int
    object_class: str
    truth: datetime
    pseudo: bool
    truths: tuple[Span, ...]
    known: tuple[Known, ...]
    days: tuple[Day, ...]
    declined_at: tuple[datetime, ...]
    published: tuple[Published, ...]
    refused: tuple[str, ...] = ()

    @property
    def interval(self) -> Span | None:
        """The truth where it is no point."""
        return self.truths[0] if self.truths and self.truths[0].wide and not self.pseudo else None

    @property
    def kind(self) -> str:
        """How the truth is known: point, aftercast, interval, day, or "" when there is none."""
        if not self.truths:
            return ""
        if self.pseudo:
            return "aftercast"
        return "point" if not self.interval else "day" if self.interval.a_day else "interval"

    @property
    def calibrates(self) -> bool:
        """Whether the calibration of windows rests on it: a point, and not steered."""
        return self.kind in {"point", "aftercast"}


@dataclass(frozen=True, slots=True)
class Cut:
    """What is known of a subject at a cut-off; the newest epoch differs from that of the cut before."""

    subject: Subject
    name: str
    at: tuple[float, float]
    known: tuple[ElementSet, ...]
    days: tuple[Day, ...]

    def drivers(self, days_ahead: float) -> Drivers:
        """Of what was known then. Raises weather.NoSpaceWeather, and fit.PoorFit where no set was known."""
        jd, fr = self.at
        mjd = jd - MJD_0_JD + fr
        first = min(fit_sets.oldest_mjd(self.known, jd + fr), mjd)
        return weather.drivers(self.days, first - 1.0, mjd + days_ahead, mjd)


def load(names: Sequence[str], data: Path) -> tuple[list[Subject], dict[str, str]]:
    """The subjects of cases, by name or by the path of a file, and why others cannot be read."""
    found, absent = [], {}
    for name in names:
        try:
            found.append(subject(cases.load(name, data)))
        except BadCase as error:
            absent[name] = str(error)
    return found, absent


def subjects(data: Path) -> list[Subject]:
    """Of the product's own cases those that windows are calibrated on. BadCase where the input of one is absent."""
    found = [subject(cases.load(name, data)) for name in cases.names()]
    return [one for one in found if one.calibrates]


def subject(case: Case) -> Subject:
    truths = tuple(_at_80_km(one) for one in case.truths)
    pseudo = case.name in AFTERCAST
    known, refused = _known(case)
    last = known[-1].elements
    truth = truths[0].middle_at if truths else jd_to_datetime(last.epoch_jd, last.epoch_jd_fraction)
    if pseudo:
        truth = datetime.fromisoformat(AFTERCAST[case.name])
    return Subject(
        case.name, case.catalogue_number, case.object_class or "unknown", truth, pseudo, truths, known,
        _days(case, truth), case.declined_at, case.published, refused,
    )  # fmt: skip


def _at_80_km(truth: Truth) -> Span:
    shift = _TO_80_KM if truth.altitude_km < _BELOW_KM else timedelta()
    return Span(truth.first_at + shift, truth.last_at + shift, truth.source)


def _known(case: Case) -> tuple[tuple[Known, ...], tuple[str, ...]]:
    """In order of publication; and why records are left out. BadCase where no set of the object is left."""
    known: list[Known] = []
    left_out: list[str] = []
    for given in (one for one in case.inputs if one.format in ELEMENTS):
        published = datetime_to_jd(given.available_at) if given.available_at else None
        read = list(ELEMENTS[given.format](given.data))
        sets = [one for one in read if isinstance(one, ElementSet)]
        own = [one for one in sets if one.catalogue_number == case.catalogue_number]
        known += [Known(one, one.created or published or (one.epoch_jd, one.epoch_jd_fraction)) for one in own]
        if refused := [one for one in read if isinstance(one, Refused)]:
            left_out.append(f"{len(refused)} records of {given.name} cannot be read, the first: {refused[0]}")
        if len(sets) > len(own):
            other = next(one.catalogue_number for one in sets if one.catalogue_number != case.catalogue_number)
            left_out.append(f"{len(sets) - len(own)} sets of {given.name} are of other objects, such as {other}")
    if not known:
        why = "; ".join(left_out) or f"name a file of them in it, as {', '.join(ELEMENTS)}"
        raise BadCase(f"{case.name} has no element set of object {case.catalogue_number}: {why}")
    return tuple(sorted(known, key=lambda one: sum(one.at))), tuple(left_out)


def _days(case: Case, until: datetime) -> tuple[Day, ...]:
    mjd = datetime_to_jd(until)[0] - 2400000.5
    by_mjd: dict[int, Day] = {}
    for given in case.inputs:
        try:
            by_mjd |= {day.mjd: day for day in _observed(given.format, given.data)}
        except Refused as error:
            raise BadCase(f"{given.name} is no space weather of format {given.format}: {error}") from error
    return tuple(by_mjd[one] for one in sorted(by_mjd) if abs(one - mjd) < _WEATHER_DAYS)


@lru_cache(8)  # cases share these files
def _observed(form: str, data: bytes) -> Sequence[Day]:
    return WEATHER[form](data).observed if form in WEATHER else ()


def cuts(subject: Subject, names: Sequence[str] = tuple(CUT_OFFS_H), *, lagged: bool = False) -> Iterator[Cut]:
    """The cut-offs at which a newer set was known than at the one before; lagged: without the newest of each."""
    last = 0.0
    if not subject.truths:
        return
    for name in names:
        found = cut(subject, name, subject.truth - timedelta(hours=CUT_OFFS_H[name]), lagged=lagged)
        newest = max((one.epoch_jd + one.epoch_jd_fraction for one in found.known), default=0.0)
        if newest == last or sum(found.at) - newest > OLDEST_SET_DAYS:
            continue
        last = newest
        yield found


def unscored(subject: Subject, names: Sequence[str]) -> str:
    """Why nothing of a subject is scored, in a sentence; empty where something is, or it is only to be declined."""
    if not subject.truths:
        return "" if subject.declined_at else "it states no truth to be scored against"
    if any(cuts(subject, names)):
        return ""
    newest = max((one.elements.epoch_jd, one.elements.epoch_jd_fraction) for one in subject.known)
    return (
        f"at no cut-off was a set of the {OLDEST_SET_DAYS:g} days before it known; the newest of all is of "
        f"{jd_to_datetime(*newest):%Y-%m-%d %H:%M} UTC, the truth {subject.truth:%Y-%m-%d %H:%M} UTC"
    )


def declining(subject: Subject) -> Iterator[Cut]:
    """The instants at which no natural decay could be claimed."""
    for at in subject.declined_at:
        yield cut(subject, f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}", at)


def cut(subject: Subject, name: str, when: datetime, *, lagged: bool = False) -> Cut:
    jd, fr = datetime_to_jd(when)
    known = [one.elements for one in subject.known if seconds_between(jd, fr, *one.at) <= 0.0]
    if lagged and known:
        newest = max(one.epoch_jd + one.epoch_jd_fraction for one in known)
        known = [one for one in known if one.epoch_jd + one.epoch_jd_fraction < newest]
    days = tuple(day for day in subject.days if day.mjd <= jd - 2400000.5 + fr)
    return Cut(subject, name, (jd, fr), tuple(known), days)
