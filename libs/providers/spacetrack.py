"""Rows of Space-Track's classes `tip`, `decay` and `satcat`, in JSON and CSV, where every value is a text.

Only what is used here is read and held to a range; further keys are let pass. Times are UTC.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from libs.astro.elements import MAX_CATALOGUE_NUMBER, RefusalReason, Refused
from libs.providers.satellite import SatelliteRow
from libs.rows.csv_rows import read_csv_rows
from libs.rows.json_rows import read_json_rows
from libs.rows.values import (
    Bad,
    Instant,
    Unfit,
    amount,
    calendar_day,
    clock_time,
    count,
    field,
    number,
    one_of,
    optional,
    shown,
    text,
    whole,
    within,
)

T = TypeVar("T")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,6}))?", re.ASCII)
_number = within(whole, 1, MAX_CATALOGUE_NUMBER)


@dataclass(frozen=True, slots=True)
class ReentryPrediction:
    """A Tracking and Impact Prediction. The place is that of the object at 10 km altitude; longitude in [-180, 180)."""

    catalogue_number: int
    message_epoch: Instant
    inserted_epoch: Instant | None
    decay_epoch: Instant
    window_min: float
    revolution: int | None
    ascending: bool | None
    latitude_deg: float | None
    longitude_deg: float | None
    inclination_deg: float | None
    next_report_h: float | None
    high_interest: bool


@dataclass(frozen=True, slots=True)
class Decay:
    """That an object has decayed, or will: `precedence` is the source's own rank of the message, 1 the highest."""

    catalogue_number: int
    object_name: str
    international_designator: str
    country: str
    message_epoch: Instant | None
    decay_epoch: Instant
    historical: bool
    source: str
    precedence: int | None


def read_tip_json(data: bytes) -> Iterator[ReentryPrediction | Refused]:
    """Each row of class `tip`; never raises for content."""
    return read_json_rows(data, tip)


def read_tip_csv(data: bytes) -> Iterator[ReentryPrediction | Refused]:
    """Each row of class `tip`; never raises for content."""
    return read_csv_rows(data, ("NORAD_CAT_ID", "MSG_EPOCH", "DECAY_EPOCH", "WINDOW"), tip)


def read_decay_json(data: bytes) -> Iterator[Decay | Refused]:
    """Each row of class `decay`; never raises for content."""
    return read_json_rows(data, _decay)


def read_decay_csv(data: bytes) -> Iterator[Decay | Refused]:
    """Each row of class `decay`; never raises for content."""
    return read_csv_rows(data, ("NORAD_CAT_ID", "DECAY_EPOCH", "MSG_TYPE"), _decay)


def read_satcat_json(data: bytes) -> Iterator[SatelliteRow | Refused]:
    """Each row of class `satcat`; never raises for content."""
    return read_json_rows(data, _satcat)


def read_satcat_csv(data: bytes) -> Iterator[SatelliteRow | Refused]:
    """Each row of class `satcat`; never raises for content."""
    return read_csv_rows(data, ("NORAD_CAT_ID", "OBJECT_TYPE"), _satcat)


def time(value: object) -> Instant:
    """`2019-03-23 0:00:00`: decay rows can have an hour without its leading zero."""
    said = text(value)
    match = _TIME.fullmatch(said)
    if not match:
        raise Unfit(RefusalReason.CHARACTER, f"is {shown(said)}, not a time as 2019-03-23 00:00:00")
    day, hour, minute, second, decimals = match.groups()
    return clock_time(said, calendar_day(day).toordinal(), int(hour), int(minute), int(second), decimals or "")


def tip(row: dict[str, Any]) -> ReentryPrediction:
    """A row of class `tip` whose values are the texts written; raises Bad."""
    _agrees(row, "OBJECT_NUMBER", "NORAD_CAT_ID")
    latitude = optional(row, "LAT", within(number, -90.0, 90.0))
    longitude = optional(row, "LON", within(number, -180.0, 360.0))
    if (latitude is None) != (longitude is None):
        raise Bad("LAT" if longitude is None else "LON", RefusalReason.MISSING, "one of LAT and LON is missing")
    direction = optional(row, "DIRECTION", _lower(one_of(("ascending", "descending"))))
    return ReentryPrediction(
        catalogue_number=field(row, "NORAD_CAT_ID", _number),
        message_epoch=field(row, "MSG_EPOCH", time),
        inserted_epoch=optional(row, "INSERT_EPOCH", time),
        decay_epoch=field(row, "DECAY_EPOCH", time),
        window_min=field(row, "WINDOW", within(number, 0.0, 43_200.0)),
        revolution=optional(row, "REV", count),
        ascending=None if direction is None else direction == "ascending",
        latitude_deg=latitude,
        longitude_deg=None if longitude is None else (longitude + 180.0) % 360.0 - 180.0,
        inclination_deg=optional(row, "INCL", within(number, 0.0, 180.0)),
        next_report_h=optional(row, "NEXT_REPORT", amount),
        high_interest=optional(row, "HIGH_INTEREST", one_of(("Y", "N"))) == "Y",
    )


def _decay(row: dict[str, Any]) -> Decay:
    _agrees(row, "OBJECT_NUMBER", "NORAD_CAT_ID")
    return Decay(
        catalogue_number=field(row, "NORAD_CAT_ID", _number),
        object_name=optional(row, "OBJECT_NAME", text) or "",
        international_designator=optional(row, "OBJECT_ID", text) or optional(row, "INTLDES", text) or "",
        country=optional(row, "COUNTRY", text) or "",
        message_epoch=optional(row, "MSG_EPOCH", time),
        decay_epoch=field(row, "DECAY_EPOCH", time),
        historical=field(row, "MSG_TYPE", one_of(("Prediction", "Historical"))) == "Historical",
        source=optional(row, "SOURCE", text) or "",
        precedence=optional(row, "PRECEDENCE", count),
    )


_KINDS = {
    "PAYLOAD": "PAYLOAD",
    "ROCKET BODY": "ROCKET BODY",
    "DEBRIS": "DEBRIS",
    "UNKNOWN": "UNKNOWN",
    "TBA": "UNKNOWN",
}


def _satcat(row: dict[str, Any]) -> SatelliteRow:
    _agrees(row, "OBJECT_NUMBER", "NORAD_CAT_ID")
    return SatelliteRow(
        catalogue_number=field(row, "NORAD_CAT_ID", _number),
        object_name=optional(row, "SATNAME", text) or optional(row, "OBJECT_NAME", text) or "",
        international_designator=optional(row, "INTLDES", text) or optional(row, "OBJECT_ID", text) or "",
        object_type=_KINDS[field(row, "OBJECT_TYPE", one_of(_KINDS))],
        owner=optional(row, "COUNTRY", text) or "",
        operational_status="",
        launch_date=optional(row, "LAUNCH", calendar_day),
        launch_site=optional(row, "SITE", text) or "",
        decay_date=optional(row, "DECAY", calendar_day),
        period_min=optional(row, "PERIOD", amount),
        inclination_deg=optional(row, "INCLINATION", within(number, 0.0, 180.0)),
        apogee_km=optional(row, "APOGEE", number),
        perigee_km=optional(row, "PERIGEE", number),
        radar_cross_section_m2=None,
    )


def _agrees(row: dict[str, Any], other: str, key: str) -> None:
    """The older name of a key, where it is there, says the same."""
    if row.get(other) not in (None, "", row.get(key)):
        raise Bad(other, RefusalReason.MISMATCH, f"{other} is {shown(row[other])}, {key} is {shown(row.get(key))}")


def _lower(read: Callable[[object], T]) -> Callable[[object], T]:
    return lambda value: read(text(value).lower())
