"""Space weather products of NOAA SWPC in JSON: measured F10.7, the planetary K index, the 45-day forecast.

`f107_cm_flux.json` has three measurements a day at Penticton; that of local noon, 20 h UTC, is the F10.7 of its day.
`noaa-planetary-k-index.json` has a K for each 3 hours, as objects or, as it was until 2026, as arrays under a header.
`45-day-forecast.json` has a daily Ap and F10.7. No product gives a whole observed day, so each part is a day's index.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from libs.astro.elements import RefusalReason, Refused
from libs.astro.time import MJD_0_JD, jd_to_datetime
from libs.astro.weather import Day
from libs.providers import spacetrack
from libs.rows.json_rows import keys_of, read_json_rows
from libs.rows.places import excerpt, place_after
from libs.rows.values import Bad, Instant, Unfit, number, one_of, shown, text, within
from libs.rows.values import field as value_of

_AP_OF_KP_THIRDS = (  # J. Bartels, as GFZ publishes it: Kp 0o, 0+, 1-, ... 9o
    0, 2, 3, 4, 5, 6, 7, 9, 12, 15, 18, 22, 27, 32, 39, 48, 56, 67, 80, 94, 111, 132, 154, 179, 207, 236, 300, 400,
)  # fmt: skip
_SLOTS = 8
_FLUX_SFU = within(number, 50.0, 500.0)  # a burst of radio noise in the measurement is no F10.7
_AP = within(number, 0.0, 400.0)
_KP = within(number, 0.0, 9.0)
_SCHEDULES = ("Morning", "Noon", "Afternoon")
_METRICS = ("ap", "f107")


@dataclass(frozen=True, slots=True)
class IndexDay:
    """What one product says of a UTC day: eight 3-hourly ap (2 nT), or the observed F10.7 (sfu)."""

    mjd: int
    ap_3h: tuple[float, ...] = ()
    f107_observed_sfu: float | None = None


@dataclass(frozen=True, slots=True)
class SwpcFile:
    """Days in rising order. A day of K is there once all its eight are."""

    indices: list[IndexDay] = field(default_factory=list)
    forecast: list[Day] = field(default_factory=list)
    rejections: list[Refused] = field(default_factory=list)


class _Point(NamedTuple):
    """One value of a day; `slot` is the 3 hours it is for."""

    mjd: int
    metric: str
    value: float
    slot: int = 0


def read(data: bytes) -> SwpcFile:
    """Any of the products, told by its keys; never raises for content."""
    file = SwpcFile()
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        points = _points(file, read_json_rows(data, _forecast, "data"))
        _add_forecast(file, points, data)
    else:
        _add_indices(file, _points(file, read_json_rows(data, _measured, keys=_Table())), data)
    return file


def _points(file: SwpcFile, rows: Iterable[_Point | Refused | None]) -> list[_Point]:
    found: list[_Point] = []
    for row in rows:
        if isinstance(row, Refused):
            file.rejections.append(row)
        elif row is not None:
            found.append(row)
    return found


class _Table:
    """Rows as objects, or as arrays of texts under a first one of names, which becomes an empty row."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def __call__(self, found: object) -> dict[str, Any]:
        if type(found) is not list:
            return keys_of(found)
        if not self._names:
            if not found or not all(isinstance(name, str) for name in found) or len(set(found)) < len(found):
                raise Bad("", RefusalReason.UNREADABLE, "the first row is no header of names")
            self._names = list(found)
            return {}
        if len(found) != len(self._names):
            detail = f"the row has {len(found)} values, the header {len(self._names)}"
            raise Bad("", RefusalReason.LENGTH, detail)
        return dict(zip(self._names, found, strict=True))


def _measured(row: dict[str, Any]) -> _Point | None:
    if not row:
        return None
    if "flux" in row:
        return _flux(row)
    if "Kp" in row and "noaa_scale" not in row:
        return _planetary(row)
    detail = "the row has neither flux nor Kp; send f107_cm_flux.json or noaa-planetary-k-index.json as they are"
    raise Bad("", RefusalReason.MISSING, detail)


def _flux(row: dict[str, Any]) -> _Point | None:
    day = _day(value_of(row, "time_tag", _time))
    if value_of(row, "frequency", number) != 2800.0:
        raise Bad("frequency", RefusalReason.MISMATCH, f"frequency is {shown(row['frequency'])} MHz, not 2800")
    schedule = value_of(row, "reporting_schedule", one_of(_SCHEDULES))
    flux = value_of(row, "flux", _FLUX_SFU)
    return _Point(day, "f107", flux) if schedule == "Noon" else None


def _planetary(row: dict[str, Any]) -> _Point | None:
    start = value_of(row, "time_tag", _time)
    slot = start.jd_fraction * _SLOTS
    if slot != int(slot):
        detail = f"time_tag is {shown(row['time_tag'])}, which begins no 3 hours of the day"
        raise Bad("time_tag", RefusalReason.RANGE, detail)
    if row["Kp"] is None:  # the 3 hours are not over
        return None
    return _Point(_day(start), "ap", value_of(row, "Kp", _ap_of_kp), int(slot))


def _ap_of_kp(value: object) -> float:
    """K in thirds is written 2.67, 3.00, 3.33."""
    kp = _KP(value)
    thirds = round(kp * 3.0)
    if abs(kp * 3.0 - thirds) > 0.02:
        raise Unfit(RefusalReason.RANGE, f"is {shown(value)}, which is no third of a K index")
    return float(_AP_OF_KP_THIRDS[thirds])


def _forecast(row: dict[str, Any]) -> _Point:
    metric = value_of(row, "metric", one_of(_METRICS))
    read_value: Callable[[object], float] = _AP if metric == "ap" else _FLUX_SFU
    return _Point(_day(value_of(row, "time", _time)), metric, value_of(row, "value", read_value))


def _time(value: object) -> Instant:
    return spacetrack.time(text(value).removesuffix("Z"))


def _day(instant: Instant) -> int:
    return math.floor(instant.jd - MJD_0_JD)


def _add_indices(file: SwpcFile, points: list[_Point], data: bytes) -> None:
    for metric, by_day in _by_day(file, points, data):
        for mjd, slots in by_day:
            if metric == "f107":
                file.indices.append(IndexDay(mjd, f107_observed_sfu=slots[0]))
            elif len(slots) == _SLOTS:
                file.indices.append(IndexDay(mjd, ap_3h=tuple(slots[slot] for slot in range(_SLOTS))))


def _add_forecast(file: SwpcFile, points: list[_Point], data: bytes) -> None:
    by_metric = {metric: dict(by_day) for metric, by_day in _by_day(file, points, data)}
    ap, flux = by_metric.get("ap", {}), by_metric.get("f107", {})
    for mjd in sorted(ap.keys() | flux.keys()):
        if mjd in ap and mjd in flux:
            file.forecast.append(Day(mjd, (), ap[mjd][0], flux[mjd][0]))
        else:
            lacking = "ap" if mjd in flux else "f107"
            file.rejections.append(_refused(data, mjd, RefusalReason.MISSING, f"the day has no {lacking}"))


Slots = dict[int, float]


def _by_day(file: SwpcFile, points: list[_Point], data: bytes) -> Iterator[tuple[str, list[tuple[int, Slots]]]]:
    """Values of each metric by day and slot; a day that has two of one slot is refused."""
    found: dict[str, dict[int, Slots]] = {metric: defaultdict(dict) for metric in _METRICS}
    twice: set[int] = set()
    for point in points:
        slots = found[point.metric][point.mjd]
        if slots.setdefault(point.slot, point.value) != point.value:
            twice.add(point.mjd)
    for mjd in sorted(twice):
        file.rejections.append(_refused(data, mjd, RefusalReason.MISMATCH, "the day has two values of one time"))
    for metric, days in found.items():
        yield metric, sorted((mjd, slots) for mjd, slots in days.items() if mjd not in twice)


def _refused(data: bytes, mjd: int, reason: RefusalReason, detail: str) -> Refused:
    """Where the day is named first."""
    day = f"{jd_to_datetime(mjd + MJD_0_JD, 0.0):%Y-%m-%d}"
    at = max(data.find(day.encode()), 0)
    return Refused(*place_after(data[:at]), reason, f"{day}: {detail}", excerpt(data, at))
