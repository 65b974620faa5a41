"""Space weather: CSSI files, and the 3-hourly inputs of the density model from what was known at a cut-off.

weather_csv.py reads the same days from CelesTrak's other format.

Dates are Modified Julian Dates (UTC), fluxes solar flux units at the Earth's actual distance ("observed"), ap in
2 nT units.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from libs.astro.elements import RefusalReason, Refused

Array = np.ndarray[Any, np.dtype[np.float64]]

_MJD_OF_ORDINAL_0 = -678576  # date.toordinal() + this = MJD
_HALF_MEAN_DAYS = 40  # half of the centred 81-day mean
_BARTELS_DAYS = 27
_STALE_DAYS = 3  # a day's values are published on the next; two failed downloads are bridged, more are refused
_FLUX_E_FOLDING_DAYS = 10.0
_AP_E_FOLDING_SLOTS = 8.0
_SLOTS = 8  # a day
_FLUX_RANGE_SFU = (50.0, 500.0)
_AP_MAX = 400.0
_COLUMNS = 9  # of Drivers
_START_MJD_MAX = 200_000.0  # the year 2406; a Julian date is beyond


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day: eight 3-hourly ap values or none, their mean, the observed F10.7."""

    mjd: int
    ap_3h: tuple[float, ...]
    ap_daily: float
    f107_observed_sfu: float


@dataclass(frozen=True, slots=True)
class WeatherFile:
    """Days measured and predicted, apart. Monthly points, a month's expected flux without ap, are only counted."""

    observed: list[Day]
    predicted: list[Day]
    rejections: list[Refused]
    monthly: int = 0


@dataclass(frozen=True, slots=True)
class Drivers:
    """Inputs of the density model each 3 hours from start_mjd, which is a 0 h UTC.

    Columns: previous day's F10.7, its 81-day mean, daily ap, then ap now, 3, 6 and 9 h before, the mean of 12-33 h
    before and of 36-57 h before. ValueError for another shape or start; `check` is for the values.
    """

    rows: Array
    start_mjd: float

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape[1] != _COLUMNS or not len(self.rows):
            raise ValueError(f"drivers are rows of {_COLUMNS} values, one each 3 h, not of the shape {self.rows.shape}")
        if not (0.0 <= self.start_mjd < _START_MJD_MAX and self.start_mjd % 1.0 == 0.0):
            raise ValueError(f"drivers start at 0 h UTC of a Modified Julian Date, not at {self.start_mjd}")

    @property
    def end_mjd(self) -> float:
        """When the last row ends."""
        return self.start_mjd + len(self.rows) / _SLOTS

    def check(self) -> None:
        """Raises ValueError for fluxes outside 50 to 500 sfu, ap outside 0 to 400, and what is no number."""
        low, high = _FLUX_RANGE_SFU
        flux, ap = self.rows[:, :2], self.rows[:, 2:]
        if not ((flux >= low) & (flux <= high)).all():
            raise ValueError(f"a driver's F10.7 is not within {low:g} and {high:g} sfu; mend the space weather")
        if not ((ap >= 0.0) & (ap <= _AP_MAX)).all():
            raise ValueError(f"a driver's ap is not within 0 and {_AP_MAX:g}; mend the space weather")

    def days_of_year(self) -> Array:
        """Returns the day of the year of each row, 1 to 366."""
        first = np.datetime64(date.fromordinal(int(self.start_mjd) - _MJD_OF_ORDINAL_0))
        days = first + np.arange(math.ceil(len(self.rows) / _SLOTS))
        numbers = (days - days.astype("M8[Y]")).astype(np.float64) + 1.0
        return np.repeat(numbers, _SLOTS)[: len(self.rows)]


class NoSpaceWeather(Exception):
    """Days that the prediction needs are not known; the text names them."""


_UNPRINTABLE = re.compile(rb"[^\x20-\x7e]")
_SECTIONS = {b"OBSERVED": "observed", b"DAILY_PREDICTED": "predicted"}
_OTHER_SECTIONS = (b"MONTHLY_PREDICTED", b"MONTHLY_FIT")


def read_cssi(data: bytes) -> WeatherFile:
    """Reads CSSI space weather (versions 1.2 and 1.3, fixed columns).

    Raises Refused when the whole is no such file; a line that is not in order is among the rejections.
    """
    lines = data.splitlines()
    file = WeatherFile([], [], [])
    section, counts, began, monthly = b"", dict[bytes, tuple[int, int]](), False, 0
    for number, raw in enumerate(lines, start=1):
        words = raw.split()
        match words:
            case []:
                pass
            case [b"BEGIN", name]:
                section, began = name, True
            case [b"END", name] if name == section:
                section = b""
            case [key, count] if key.startswith(b"NUM_") and count.isdigit():
                counts[key[4:-7]] = (int(count), number)
            case _ if section in _SECTIONS:
                _read_day(file, _SECTIONS[section], raw, number)
            case _ if section in _OTHER_SECTIONS:
                monthly += 1
    if not began:
        detail = "no BEGIN OBSERVED line: this is no CSSI space weather file; send SW-All or SW-Last5Years as text"
        raise Refused(1, 1, RefusalReason.UNREADABLE, detail)
    if section:
        detail = f"the section {section.decode('ascii', 'replace')} has no END: the file was cut off; fetch it again"
        file.rejections.append(Refused(max(1, len(lines)), 1, RefusalReason.MISSING, detail))
    file.rejections.extend(_miscounted(file, counts))
    return replace(file, monthly=monthly)


def _miscounted(file: WeatherFile, counts: dict[bytes, tuple[int, int]]) -> Iterator[Refused]:
    refused = len(file.rejections)
    for name, attribute in _SECTIONS.items():
        stated, line = counts.get(name, (0, 0))
        found = len(getattr(file, attribute))
        if line and not found <= stated <= found + refused:
            detail = f"{stated} {attribute} days are stated and {found} found; fetch the file again"
            yield Refused(line, 1, RefusalReason.MISMATCH, detail)


def _read_day(file: WeatherFile, attribute: str, raw: bytes, line: int) -> None:
    try:
        add_day(file, attribute, _day(raw, line, ap_tolerance(attribute)), line)
    except Refused as refused:
        file.rejections.append(refused)


def ap_tolerance(attribute: str) -> float:
    """What a day's mean ap may depart from its eight: rounding, where it was measured."""
    return 1.0 if attribute == "observed" else _AP_MAX


def add_day(file: WeatherFile, attribute: str, day: Day, line: int) -> None:
    """Adds a day to the file's; one that is not after the last is among the rejections instead."""
    days: list[Day] = getattr(file, attribute)
    if days and day.mjd <= days[-1].mjd:
        file.rejections.append(
            Refused(line, 1, RefusalReason.EPOCH, "the date is not after the one of the line before")
        )
    else:
        days.append(day)


def refuse_unprintable(raw: bytes, line: int) -> None:
    """Raises Refused for a line with a byte that no such file has: it is damaged, wherever in it that is."""
    bad = _UNPRINTABLE.search(raw)
    if bad:
        detail = f"byte {raw[bad.start()]:#04x} is not a printable ASCII character"
        raise Refused(line, bad.start() + 1, RefusalReason.CHARACTER, detail)


def _day(raw: bytes, line: int, tolerance: float) -> Day:
    refuse_unprintable(raw, line)
    if len(raw.rstrip()) < 119:
        raise Refused(
            line, len(raw) + 1, RefusalReason.LENGTH, f"{len(raw.rstrip())} characters where 119 or more are due"
        )
    places = [(46 + 4 * k, 50 + 4 * k) for k in range(_SLOTS)]
    return day_of(raw, line, ((0, 4), (4, 7), (7, 10)), places, (78, 82), (113, 119), tolerance)


Place = tuple[int, int]  # first and last character + 1 of a number in its line


def day_of(
    raw: bytes, line: int, ymd: Sequence[Place], ap_3h: Sequence[Place], ap_daily: Place, flux: Place, tolerance: float
) -> Day:
    """Returns the day of a line from the places of its numbers; raises Refused at the first that is not in order."""
    year, month, day = (int(_number(raw, line, *place, 0, 9999)) for place in ymd)
    try:
        mjd = date(year, month, day).toordinal() + _MJD_OF_ORDINAL_0
    except ValueError:
        raise Refused(
            line, 1, RefusalReason.EPOCH, f"{year:04d}-{month:02d}-{day:02d} is no day of the calendar"
        ) from None
    ap = tuple(_number(raw, line, *place, 0.0, _AP_MAX) for place in ap_3h)
    daily, mean = _number(raw, line, *ap_daily, 0.0, _AP_MAX), sum(ap) / _SLOTS
    if abs(daily - mean) > tolerance:
        detail = f"daily Ap {daily:g} is not the mean {mean:.1f} of its eight"
        raise Refused(line, ap_daily[0] + 1, RefusalReason.MISMATCH, detail)
    return Day(mjd, ap, daily, _number(raw, line, *flux, *_FLUX_RANGE_SFU))


def _number(raw: bytes, line: int, start: int, end: int, low: float, high: float) -> float:
    text = raw[start:end].strip()
    column = start + 1
    if not text:
        raise Refused(line, column, RefusalReason.MISSING, f"nothing in columns {column}-{end}")
    if not text.replace(b".", b"", 1).isdigit():
        detail = f"{text.decode('ascii', 'backslashreplace')} in columns {column}-{end} is no number"
        raise Refused(line, column, RefusalReason.CHARACTER, detail)
    value = float(text)
    if not low <= value <= high:
        raise Refused(line, column, RefusalReason.RANGE, f"{value:g} is outside {low:g} to {high:g}")
    return value


def drivers(days: Sequence[Day], start_mjd: float, end_mjd: float, known_until_mjd: float) -> Drivers:
    """Inputs of the density model from start to end, from days known at the cut-off.

    Nothing measured after known_until_mjd is used: F10.7 (measured at 20 h UTC) through the day before, ap of the
    3-hour intervals complete by then. After that F10.7 relaxes from its last value to the mean of its last 27 days
    with an e-folding of 10 days, ap from its last day's mean to its 27-day mean with 1 day. The 81-day mean F10.7a is
    always centred: where its 40 later days reach past the cut-off it takes the relaxed values, never the future.

    Raises NoSpaceWeather when a needed day before the cut-off is missing, ValueError for a span that is none.
    """
    if not (0.0 <= start_mjd < end_mjd <= _START_MJD_MAX and 0.0 <= known_until_mjd <= _START_MJD_MAX):
        span = f"{start_mjd} to {end_mjd}, known until {known_until_mjd},"
        raise ValueError(f"{span} is no span of Modified Julian Dates; give its start before its end")
    if not days:
        raise NoSpaceWeather("no observed space weather is known at all; submit a CSSI file that reaches to the start")
    first_day, last_day = math.floor(start_mjd), math.ceil(end_mjd)
    by_mjd = {day.mjd: day for day in days}
    flux_known = min(math.floor(known_until_mjd), max(by_mjd, default=-1) + 1)  # first day without F10.7
    origin = min(first_day, flux_known) - _HALF_MEAN_DAYS - 1
    _require(by_mjd, origin, min(math.floor(known_until_mjd), last_day + _HALF_MEAN_DAYS), flux_known)
    count = last_day + _HALF_MEAN_DAYS + 1 - origin
    flux, ap = np.full(count, np.nan), np.full(count * _SLOTS, np.nan)
    for day in by_mjd.values():
        i = day.mjd - origin
        if 0 <= i < count:
            flux[i] = day.f107_observed_sfu
            ap[i * _SLOTS : (i + 1) * _SLOTS] = day.ap_3h or (day.ap_daily,) * _SLOTS
    _relax(flux, flux_known - origin, _BARTELS_DAYS, 1, _FLUX_E_FOLDING_DAYS)
    missing = np.flatnonzero(np.isnan(ap[: (flux_known - origin + 1) * _SLOTS]))
    ap_end = int(missing[0]) if len(missing) else (flux_known - origin + 1) * _SLOTS
    ap_known = min(math.floor((known_until_mjd - origin) * _SLOTS), ap_end)
    _relax(ap, ap_known, _BARTELS_DAYS * _SLOTS, _SLOTS, _AP_E_FOLDING_SLOTS)
    return Drivers(_rows(flux, ap, first_day - origin, last_day - origin), float(first_day))


def _require(by_mjd: dict[int, Day], first: int, known_until: int, flux_known: int) -> None:
    end = known_until if known_until - flux_known > _STALE_DAYS else min(known_until, flux_known)
    missing = [mjd for mjd in range(first, end) if mjd not in by_mjd]
    if missing:
        names = [date.fromordinal(mjd - _MJD_OF_ORDINAL_0).isoformat() for mjd in missing]
        text = ", ".join(names[:5]) + (f" and {len(names) - 5} more up to {names[-1]}" if len(names) > 5 else "")
        raise NoSpaceWeather(f"no observed space weather of {text}; submit a CSSI file that has these days")


def _relax(values: Array, known: int, mean_over: int, start_over: int, e_folding: float) -> None:
    """Replaces values from index known on by a relaxation to the mean of those before."""
    if known >= len(values):
        return
    mean, start = np.mean(values[known - mean_over : known]), np.mean(values[known - start_over : known])
    values[known:] = mean + (start - mean) * np.exp(-np.arange(len(values) - known) / e_folding)


def _rows(flux: Array, ap: Array, first: int, last: int) -> Array:
    sums = np.concatenate([[0.0], np.cumsum(flux)])
    rows = np.empty(((last - first) * _SLOTS, 9))
    for row, k in enumerate(range(first * _SLOTS, last * _SLOTS)):
        day = k // _SLOTS
        mean81 = (sums[day + _HALF_MEAN_DAYS + 1] - sums[day - _HALF_MEAN_DAYS]) / (2 * _HALF_MEAN_DAYS + 1)
        daily = ap[day * _SLOTS : (day + 1) * _SLOTS].mean()
        rows[row, :3] = flux[day - 1], mean81, daily
        rows[row, 3:7] = ap[k], ap[k - 1], ap[k - 2], ap[k - 3]
        rows[row, 7:9] = ap[k - 11 : k - 3].mean(), ap[k - 19 : k - 11].mean()
    return rows
