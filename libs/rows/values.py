"""Texts of fields to typed values. What a text does not plainly say is refused, never guessed."""

import math
import re
from calendar import isleap
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple, TypeVar

from libs.astro.elements import RefusalReason
from libs.astro.time import LEAP_SECONDS

T = TypeVar("T")
N = TypeVar("N", int, float)

MAX_TEXT = 200
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # half of a surrogate pair: JSON can spell it, UTF-8 cannot
_INSTANT = re.compile(
    r"(\d{4})-(?:(\d\d)-(\d\d)|(\d{3}))T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?Z?",
    re.ASCII,
)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_JD_OF_ORDINAL_0 = 1721424.5
_MJD_OF_ORDINAL_0 = -678576
_DAYS_AFTER_LEAP_SECOND = frozenset(mjd for mjd, _ in LEAP_SECONDS)


class Unfit(Exception):
    """A text is not of the kind its field needs; says what it is, to follow the name of the field."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Bad(Exception):
    """A record cannot be used because of the field named `key`, or as a whole where that is empty."""

    def __init__(self, key: str, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.key = key
        self.reason = reason


class Instant(NamedTuple):
    """A Julian date ending in .5 and the rest of the day in [0, 1), in the time scale of its message."""

    jd: float
    jd_fraction: float

    def seconds_since(self, other: "Instant") -> float:
        return ((self.jd - other.jd) + (self.jd_fraction - other.jd_fraction)) * 86400.0


def shown(value: object) -> str:
    return repr(value)[:80]


def text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or _CONTROL.search(value):
        raise Unfit(RefusalReason.CHARACTER, f"is {shown(value)}, not a short text")
    return value


def number(value: object) -> float:
    said = text(value)
    if not _NUMBER.fullmatch(said):
        if said.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise Unfit(RefusalReason.NOT_FINITE, f"is {shown(said)}, not a finite number")
        raise Unfit(RefusalReason.CHARACTER, f"is {shown(said)}, not a number")
    found = float(said)
    if not math.isfinite(found):
        raise Unfit(RefusalReason.NOT_FINITE, f"is {shown(said)}, too large for a number")
    return found


def whole(value: object) -> int:
    said = text(value)
    if not _WHOLE.fullmatch(said):
        raise Unfit(RefusalReason.CHARACTER, f"is {shown(said)}, not a whole number")
    return int(said)


def within(read: Callable[[object], N], least: float, greatest: float) -> Callable[[object], N]:
    """A reader of numbers in [least, greatest]."""

    def checked(value: object) -> N:
        found = read(value)
        if not least <= found <= greatest:
            raise Unfit(RefusalReason.RANGE, f"is {shown(value)}, outside [{least:g}, {greatest:g}]")
        return found

    return checked


def amount(value: object) -> float:
    """A number that is not negative."""
    found = number(value)
    if found < 0.0:
        raise Unfit(RefusalReason.RANGE, f"is {shown(value)}, less than nothing")
    return found


def count(value: object) -> int:
    found = whole(value)
    if found < 0:
        raise Unfit(RefusalReason.RANGE, f"is {shown(value)}, less than nothing")
    return found


def one_of(choices: Iterable[str]) -> Callable[[object], str]:
    allowed = tuple(choices)

    def checked(value: object) -> str:
        said = text(value)
        if said not in allowed:
            raise Unfit(RefusalReason.MISMATCH, f"is {shown(said)}, not one of {', '.join(allowed)}")
        return said

    return checked


def instant(value: object) -> Instant:
    """`2022-11-03T19:58:06.667968` or `2022-307T19:58:06.667968`, exact to the digits written.

    A leap second is taken where UTC had one and counts into the first second of the next day, as in libs.astro.time.
    """
    said = text(value)
    match = _INSTANT.fullmatch(said)
    if not match:
        raise Unfit(RefusalReason.CHARACTER, f"is {shown(said)}, not as 2022-11-04T10:01:00.123456")
    year, month, day, day_of_year, hour, minute, second, decimals = match.groups()
    ordinal = _ordinal(said, year, month, day, day_of_year)
    return clock_time(said, ordinal, int(hour), int(minute), int(second), decimals or "")


def clock_time(said: str, ordinal: int, hour: int, minute: int, second: int, decimals: str = "") -> Instant:
    """The instant of a proleptic Gregorian ordinal and a time of day; one division, so no digit is lost."""
    leap = (hour, minute, second) == (23, 59, 60) and _MJD_OF_ORDINAL_0 + ordinal + 1 in _DAYS_AFTER_LEAP_SECOND
    if hour > 23 or minute > 59 or (second > 59 and not leap):
        raise Unfit(RefusalReason.RANGE, f"is {shown(said)}, which is no time of day")
    scale = 10 ** len(decimals)
    ticks = (hour * 3600 + minute * 60 + second) * scale + int(decimals or "0")
    ordinal += leap
    return Instant(_JD_OF_ORDINAL_0 + ordinal, (ticks - leap * 86400 * scale) / (86400 * scale))


def calendar_day(value: object) -> date:
    said = text(value)
    match = _DATE.fullmatch(said)
    if not match:
        raise Unfit(RefusalReason.CHARACTER, f"is {shown(said)}, not a date as 2022-11-04")
    year, month, day = match.groups()
    return date.fromordinal(_ordinal(said, year, month, day, None))


def _ordinal(said: str, year: str, month: str | None, day: str | None, day_of_year: str | None) -> int:
    try:
        if day_of_year is None:
            return date(int(year), int(month or "0"), int(day or "0")).toordinal()
        first = date(int(year), 1, 1).toordinal()
    except ValueError:
        raise Unfit(RefusalReason.RANGE, f"is {shown(said)}, which does not exist") from None
    if not 1 <= int(day_of_year) <= 365 + isleap(int(year)):
        raise Unfit(RefusalReason.RANGE, f"is {shown(said)}, which does not exist")
    return first + int(day_of_year) - 1


def field(record: dict[str, Any], key: str, read: Callable[[object], T]) -> T:
    """The value of a field that must be there; raises Bad."""
    value = record.get(key)
    if value is None or value == "":
        raise Bad(key if key in record else "", RefusalReason.MISSING, f"{key} is missing")
    try:
        return read(value)
    except Unfit as unfit:
        raise Bad(key, unfit.reason, f"{key} {unfit}") from None


def optional(record: dict[str, Any], key: str, read: Callable[[object], T]) -> T | None:
    """The value of a field, or None where it is absent or empty; raises Bad."""
    value = record.get(key)
    return None if value is None or value == "" else field(record, key, read)
