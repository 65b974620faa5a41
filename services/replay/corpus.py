"""Re-entries of the past that predictions are held against, read from the validation data: none of it is kept here."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from libs.astro import tle, weather_csv
from libs.astro.elements import ElementSet
from libs.astro.time import datetime_to_jd, seconds_between
from libs.astro.weather import Day

CUT_OFFS_H = {"10 d": 240, "5 d": 120, "3 d": 72, "2 d": 48, "1 d": 24, "12 h": 12, "6 h": 6, "3 h": 3, "last": 0}
WEATHER = "spaceweather/SW-All_celestrak_2025-12.csv"
OLDEST_SET_DAYS = 3.0  # a prediction on an older set is not one of today
_DAY_MINUTES = 1440
# A tracking message tells of about 10 km, which comes 5 to 6 minutes after 80 km.
_TO_80_KM = {37820: timedelta(minutes=-5.5)}
# Objects whose truth is a day: this method's own aftercast, scored apart.
_PSEUDO = {32789: "21:26", 51074: "14:51", 52388: "10:03", 64963: "23:59"}
_OWN_TEST = {6073, 41765, 46719, 48450}  # an interval for a truth; controlled; thrusting


@dataclass(frozen=True, slots=True)
class Subject:
    catalogue_number: int
    name: str
    truth: datetime
    pseudo: bool
    elements: tuple[ElementSet, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """What is known of a subject at a cut-off; the newest epoch differs from that of the cut before."""

    subject: Subject
    name: str
    at: tuple[float, float]
    known: tuple[ElementSet, ...]


def subjects(data: Path) -> list[Subject]:
    index = json.loads((data / "tle_reentry/curated/index.json").read_text())
    return [_subject(data, one) for one in index if one["norad"] not in _OWN_TEST]


def _subject(data: Path, one: "dict[str, str | int]") -> Subject:
    number = int(one["norad"])
    text = str(one["decay_utc"])
    pseudo = number in _PSEUDO
    if pseudo:
        text = f"{text}T{_PSEUDO[number]}:00Z"
    truth = datetime.fromisoformat(text).astimezone(UTC) + _TO_80_KM.get(number, timedelta())
    return Subject(number, str(one["name"]), truth, pseudo, tuple(sets(data, number)))


def sets(data: Path, number: int) -> list[ElementSet]:
    read = tle.read((data / f"tle_reentry/curated/{number:05d}.tle").read_bytes())
    return [one for one in read if isinstance(one, ElementSet)]


def weather(data: Path) -> list[Day]:
    return weather_csv.read((data / WEATHER).read_bytes()).observed


def cuts(subject: Subject, *, lagged: bool = False) -> Iterator[Cut]:
    """The cut-offs at which a newer set was known than at the one before; lagged: without the newest of each."""
    last = 0.0
    for name, hours in CUT_OFFS_H.items():
        jd, fr = datetime_to_jd(subject.truth - timedelta(hours=hours))
        known = _known(subject.elements, jd, fr, lagged=lagged)
        if not known:
            continue
        newest = max(one.epoch_jd + one.epoch_jd_fraction for one in known)
        if newest == last or jd + fr - newest > OLDEST_SET_DAYS:
            continue
        last = newest
        yield Cut(subject, name, (jd, fr), tuple(known))


def _known(elements: Sequence[ElementSet], jd: float, fr: float, *, lagged: bool) -> list[ElementSet]:
    known = [one for one in elements if seconds_between(jd, fr, one.epoch_jd, one.epoch_jd_fraction) <= 0.0]
    if not lagged or not known:
        return known
    newest = max(one.epoch_jd + one.epoch_jd_fraction for one in known)
    return [one for one in known if one.epoch_jd + one.epoch_jd_fraction < newest]
