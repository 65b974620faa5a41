"""finals2000A of the IERS day by day, each held to its columns, its calendar and the day before.

The format (readme.finals2000A) has no checksum: of damage that leaves a possible number only what breaks the slow
course of the pole and of UT1 can be seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from libs.astro.elements import RefusalReason, Refused
from libs.astro.time import LEAP_SECONDS

_MJD_OF_ORDINAL_0 = -678576
_FIRST_YEAR = 73  # of the two digits; the file begins on 1973-01-02
_NUMBER = re.compile(rb" *-?\d*\.\d+")
_POLE_X, _POLE_Y, _UT1 = (18, 27), (37, 46), (58, 68)
_FLAGS = (16, 57)
_GREATEST = 1.0  # arcseconds of the pole, seconds of UT1: twice what ever was
_POLE_STEP_ARCSEC = 0.02  # a day; the pole moves by up to 0.005
_UT1_STEP_S = 0.02  # a day; the length of day departs by up to 0.004
_LEAPS = frozenset(mjd for mjd, _ in LEAP_SECONDS)


@dataclass(frozen=True, slots=True)
class OrientationDay:
    """At 0 h UTC; predicted when either the pole or UT1 is."""

    mjd: int
    pole_x_arcsec: float
    pole_y_arcsec: float
    ut1_utc_s: float
    predicted: bool


def is_finals(data: bytes) -> bool:
    """Whether the first line has the date, the Modified Julian Date and the flag of finals2000A."""
    line = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").partition(b"\n")[0]
    return re.match(rb"[ \d]\d[ \d]\d[ \d]\d \d{5}\.\d\d [IP ]", line) is not None


def read(data: bytes) -> Iterator[OrientationDay | Refused]:
    """Each day that has values; days at the end without any are passed over. Never raises for content."""
    last: OrientationDay | None = None
    for number, raw in enumerate(data.splitlines(), 1):
        if not raw.strip():
            continue
        try:
            day = _day(raw, number)
            if day:
                _follows(last, day, number)
                last = day
                yield day
        except Refused as refused:
            yield refused


def _day(raw: bytes, line: int) -> OrientationDay | None:
    bad = next((at for at, byte in enumerate(raw) if not 32 <= byte < 127), None)
    if bad is not None:
        detail = f"byte {raw[bad]:#04x} is not a printable ASCII character"
        raise Refused(line, bad + 1, RefusalReason.CHARACTER, detail, raw[:200])
    if not re.match(rb"[ \d]\d[ \d]\d[ \d]\d \d{5}\.00( |$)", raw):
        detail = "the line does not begin with a date and a Modified Julian date as in finals2000A"
        raise Refused(line, 1, RefusalReason.CHARACTER, detail, raw[:200])
    mjd = int(raw[7:12])
    _calendar_agrees(raw, line, mjd)
    if not raw[15:].strip():
        return None
    flags = [_flag(raw, line, at) for at in _FLAGS]
    x, y, ut1 = (_value(raw, line, *place) for place in (_POLE_X, _POLE_Y, _UT1))
    return OrientationDay(mjd, x, y, ut1, "P" in flags)


def _calendar_agrees(raw: bytes, line: int, mjd: int) -> None:
    short, month, day = (int(raw[at : at + 2]) for at in (0, 2, 4))
    year = short + (1900 if short >= _FIRST_YEAR else 2000)
    try:
        stated = date(year, month, day).toordinal() + _MJD_OF_ORDINAL_0
    except ValueError:
        detail = f"{year:04d}-{month:02d}-{day:02d} is no day of the calendar"
        raise Refused(line, 1, RefusalReason.RANGE, detail, raw[:200]) from None
    if stated != mjd:
        detail = f"{year:04d}-{month:02d}-{day:02d} is MJD {stated}, not {mjd}"
        raise Refused(line, 8, RefusalReason.MISMATCH, detail, raw[:200])


def _flag(raw: bytes, line: int, at: int) -> str:
    said = raw[at : at + 1].decode()
    if said not in ("I", "P"):
        detail = f"column {at + 1} holds {said!r}, not I for observed or P for predicted"
        raise Refused(line, at + 1, RefusalReason.CHARACTER, detail, raw[:200])
    return said


def _value(raw: bytes, line: int, first: int, last: int) -> float:
    text = raw[first:last]
    if not text.strip():
        raise Refused(line, first + 1, RefusalReason.MISSING, f"nothing in columns {first + 1}-{last}", raw[:200])
    if len(text) < last - first or not _NUMBER.fullmatch(text):
        detail = f"columns {first + 1}-{last} hold {text.decode()!r}, not a number with a point"
        raise Refused(line, first + 1, RefusalReason.CHARACTER, detail, raw[:200])
    value = float(text)
    if abs(value) > _GREATEST:
        raise Refused(line, first + 1, RefusalReason.RANGE, f"{value:g} is outside [-1, 1]", raw[:200])
    return value


def _follows(last: OrientationDay | None, day: OrientationDay, line: int) -> None:
    """Raises Refused for a day that is not after the last, or too far from the one before it."""
    if last is None:
        return
    if day.mjd <= last.mjd:
        raise Refused(line, 8, RefusalReason.EPOCH, "the day is not after the last one before it")
    if day.mjd != last.mjd + 1:
        return
    leap_s = 1.0 if day.mjd in _LEAPS else 0.0
    steps = (
        (_POLE_X, day.pole_x_arcsec - last.pole_x_arcsec, _POLE_STEP_ARCSEC),
        (_POLE_Y, day.pole_y_arcsec - last.pole_y_arcsec, _POLE_STEP_ARCSEC),
        (_UT1, day.ut1_utc_s - last.ut1_utc_s - leap_s, _UT1_STEP_S),
    )
    for (first, _), step, most in steps:
        if abs(step) > most:
            detail = f"the value is {step:+.4f} from that of the day before; it changes by {most:g} a day at most"
            raise Refused(line, first + 1, RefusalReason.RANGE, detail)
