"""Mean elements of SGP4 as published, and why a record that claims to hold some is refused."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from libs.astro.time import datetime_to_jd


class RefusalReason(Enum):
    UNREADABLE = auto()
    LENGTH = auto()
    CHARACTER = auto()
    CHECKSUM = auto()
    MISMATCH = auto()
    RANGE = auto()
    MISSING = auto()
    EPOCH = auto()
    TOO_LARGE = auto()
    NOT_FINITE = auto()
    GEOMETRY = auto()


class Refused(Exception):
    """A record that cannot be used; line and column count from 1 in what was read, 0 where there is none."""

    def __init__(self, line: int, column: int, reason: RefusalReason, detail: str) -> None:
        super().__init__(line, column, reason, detail)
        self.line = line
        self.column = column
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.detail}"


@dataclass(frozen=True, slots=True)
class ElementSet:
    """One set. Angles in degrees, epoch as a UTC Julian date pair; name and designator as the source wrote them."""

    catalogue_number: int
    object_name: bytes
    international_designator: bytes
    epoch_jd: float
    epoch_jd_fraction: float
    mean_motion_rev_day: float
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    arg_of_perigee_deg: float
    mean_anomaly_deg: float
    bstar_per_earth_radius: float
    mean_motion_dot_half_rev_day2: float
    mean_motion_ddot_sixth_rev_day3: float
    classification: str
    element_set_number: int
    revolution_number: int


MAX_CATALOGUE_NUMBER = 999_999_999
MAX_MEAN_MOTION_REV_DAY = 18.0  # a circular orbit at the surface makes 17.05

# field, least, greatest, whether the greatest itself is allowed
_RANGES = (
    ("catalogue_number", 1, MAX_CATALOGUE_NUMBER, True),
    ("mean_motion_rev_day", 1e-3, MAX_MEAN_MOTION_REV_DAY, True),
    ("eccentricity", 0.0, 1.0, False),
    ("inclination_deg", 0.0, 180.0, True),
    ("raan_deg", 0.0, 360.0, False),
    ("arg_of_perigee_deg", 0.0, 360.0, False),
    ("mean_anomaly_deg", 0.0, 360.0, False),
    ("bstar_per_earth_radius", -10.0, 10.0, True),
    ("mean_motion_dot_half_rev_day2", -10.0, 10.0, True),
    ("mean_motion_ddot_sixth_rev_day3", -10.0, 10.0, True),
    ("element_set_number", 0, 9999, True),
    ("revolution_number", 0, 99_999, True),
)


def problem(elements: ElementSet) -> tuple[str, RefusalReason, str] | None:
    """The first field that no real set can have, why, and what is wrong with it."""
    for name, least, greatest, inclusive in _RANGES:
        value = getattr(elements, name)
        if not math.isfinite(value):
            return name, RefusalReason.NOT_FINITE, f"{name} is {value}, not a finite number"
        if value < least or value > greatest or (value == greatest and not inclusive):
            bracket = "]" if inclusive else ")"
            return name, RefusalReason.RANGE, f"{name} {value} is outside [{least}, {greatest}{bracket}"
    if elements.classification not in ("U", "C", "S"):
        return "classification", RefusalReason.CHARACTER, f"classification {elements.classification!r} is not U, C or S"
    return None


def validate(elements: ElementSet) -> None:
    """Raises Refused, at line 0, for a set with a value that no real one can have."""
    found = problem(elements)
    if found:
        raise Refused(0, 0, found[1], found[2])


# --- OMM in JSON (CCSDS 502.0-B-3 as published by CelesTrak and Space-Track) -----------------------------------------

_NUMBERS = {
    "mean_motion_rev_day": "MEAN_MOTION",
    "eccentricity": "ECCENTRICITY",
    "inclination_deg": "INCLINATION",
    "raan_deg": "RA_OF_ASC_NODE",
    "arg_of_perigee_deg": "ARG_OF_PERICENTER",
    "mean_anomaly_deg": "MEAN_ANOMALY",
    "bstar_per_earth_radius": "BSTAR",
    "mean_motion_dot_half_rev_day2": "MEAN_MOTION_DOT",
    "mean_motion_ddot_sixth_rev_day3": "MEAN_MOTION_DDOT",
}
_INTEGERS = {
    "catalogue_number": "NORAD_CAT_ID",
    "element_set_number": "ELEMENT_SET_NO",
    "revolution_number": "REV_AT_EPOCH",
}
_FIXED = {"CENTER_NAME": "EARTH", "REF_FRAME": "TEME", "TIME_SYSTEM": "UTC", "MEAN_ELEMENT_THEORY": "SGP4"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z?", re.ASCII)
_DESIGNATOR = re.compile(r"(\d\d)(\d\d)-(\d{3})([A-Z]{1,3})", re.ASCII)
_HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair: JSON can spell it, UTF-8 cannot
_SEPARATORS = " \t\r\n"


class _Bad(Exception):
    def __init__(self, key: str, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.key = key
        self.reason = reason


def read_omm_json(data: bytes) -> Iterator[ElementSet | Refused]:
    """Each record of a JSON array, or the one of a JSON object; never raises for content.

    After a syntax error nothing more of the file is read: where its next record starts cannot be known.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield Refused(*_place(data[: error.start]), RefusalReason.UNREADABLE, f"the file is not UTF-8: {error.reason}")
        return
    try:
        yield from _records(text)
    except json.JSONDecodeError as error:
        yield Refused(error.lineno, error.colno, RefusalReason.UNREADABLE, f"the file is not JSON: {error.msg}")
    except RecursionError:
        yield Refused(1, 1, RefusalReason.UNREADABLE, "the file is nested deeper than any OMM")


def _records(text: str) -> Iterator[ElementSet | Refused]:
    decoder = json.JSONDecoder(object_pairs_hook=list, parse_constant=str, parse_float=str, parse_int=str)
    places = _Places(text)
    at = _skip(text, 0, _SEPARATORS)
    if text[at : at + 1] != "[":
        pairs, end = decoder.raw_decode(text, at)
        yield _record(pairs, places, at, end)
        _expect_end(text, end)
        return
    at = _skip(text, at + 1, _SEPARATORS)
    while text[at : at + 1] != "]":
        pairs, end = decoder.raw_decode(text, at)
        yield _record(pairs, places, at, end)
        at = _skip(text, end, _SEPARATORS)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1, _SEPARATORS)
            if text[at : at + 1] == "]":
                raise json.JSONDecodeError("a comma before the end of the array", text, at)
        elif text[at : at + 1] != "]":
            raise json.JSONDecodeError("a comma or the end of the array is missing", text, at)
    _expect_end(text, at + 1)


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _expect_end(text: str, at: int) -> None:
    if _skip(text, at, _SEPARATORS) != len(text):
        raise json.JSONDecodeError("there is more after the end", text, at)


class _Places:
    """Line and column, from 1 and in bytes, of places asked for in rising order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._at = 0
        self._line, self._column = 1, 1

    def of(self, at: int) -> tuple[int, int]:
        between = self.text[self._at : at]
        newline = between.rfind("\n")
        self._line += between.count("\n")
        self._column = len(between[newline + 1 :].encode()) + (self._column if newline < 0 else 1)
        self._at = at
        return self._line, self._column


def _record(pairs: object, places: _Places, at: int, end: int) -> ElementSet | Refused:
    """The record between two places of the text."""
    try:
        return _element_set(pairs)
    except _Bad as bad:
        found = places.text.find(f'"{bad.key}"', at, end) if bad.key else at
        return Refused(*places.of(max(found, at)), bad.reason, str(bad))


def _place(before: bytes) -> tuple[int, int]:
    return before.count(b"\n") + 1, len(before) - before.rfind(b"\n")


def _element_set(pairs: object) -> ElementSet:
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise _Bad("", RefusalReason.UNREADABLE, "a record is not an object of keys and values")
    record: dict[str, object] = dict(pairs)
    if len(record) < len(pairs):
        raise _Bad("", RefusalReason.UNREADABLE, "a record names a key twice")
    for key, expected in _FIXED.items():
        if record.get(key, expected) != expected:
            raise _Bad(key, RefusalReason.MISMATCH, f"{key} is {_shown(record[key])}; only {expected} is read")
    jd, fraction = _epoch(record)
    elements = ElementSet(
        object_name=_text(record, "OBJECT_NAME", optional=True).encode(),
        international_designator=_designator(_text(record, "OBJECT_ID", optional=True)),
        epoch_jd=jd,
        epoch_jd_fraction=fraction,
        classification=_text(record, "CLASSIFICATION_TYPE", optional=True) or "U",
        **_values(record),
    )
    found = problem(elements)
    if found:
        name, reason, detail = found
        raise _Bad((_NUMBERS | _INTEGERS).get(name, "CLASSIFICATION_TYPE"), reason, detail)
    return elements


def _values(record: dict[str, object]) -> dict[str, Any]:
    numbers: dict[str, Any] = {field: _number(record, key) for field, key in _NUMBERS.items()}
    return numbers | {field: _integer(record, key) for field, key in _INTEGERS.items()}


def _shown(value: object) -> str:
    return repr(value)[:80]


def _text(record: dict[str, object], key: str, *, optional: bool = False) -> str:
    value = record.get(key)
    if value is None:
        if optional:
            return ""
        raise _Bad("", RefusalReason.MISSING, f"{key} is missing")
    if not isinstance(value, str) or "\0" in value or len(value) > 200 or _HALF.search(value):
        raise _Bad(key, RefusalReason.CHARACTER, f"{key} is {_shown(value)}, not a short text")
    return value


def _number(record: dict[str, object], key: str) -> float:
    """Numbers come bare or, from Space-Track, as texts."""
    text = _text(record, key)
    if text in ("NaN", "Infinity", "-Infinity"):
        raise _Bad(key, RefusalReason.NOT_FINITE, f"{key} is {text}, not a finite number")
    if not _NUMBER.fullmatch(text):
        raise _Bad(key, RefusalReason.CHARACTER, f"{key} is {_shown(text)}, not a number")
    value = float(text)
    if not math.isfinite(value):
        raise _Bad(key, RefusalReason.NOT_FINITE, f"{key} is {_shown(text)}, too large for a number")
    return value


def _integer(record: dict[str, object], key: str) -> int:
    text = _text(record, key)
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise _Bad(key, RefusalReason.CHARACTER, f"{key} is {_shown(text)}, not a whole number")
    return int(text)


def _epoch(record: dict[str, object]) -> tuple[float, float]:
    text = _text(record, "EPOCH")
    if not _EPOCH.fullmatch(text):
        raise _Bad("EPOCH", RefusalReason.CHARACTER, f"EPOCH is {_shown(text)}, not as 2022-11-04T10:01:00.123456")
    day, _, rest = text.rstrip("Z").partition(".")
    try:
        jd, fraction = datetime_to_jd(datetime.fromisoformat(day).replace(tzinfo=UTC))
    except ValueError as error:
        raise _Bad("EPOCH", RefusalReason.RANGE, f"EPOCH {text} does not exist: {error}") from error
    return jd, fraction + (float(f"0.{rest}") / 86400.0 if rest else 0.0)


def _designator(text: str) -> bytes:
    """As in a TLE: 2022-143B is 22143B."""
    match = _DESIGNATOR.fullmatch(text)
    return "".join(match.group(2, 3, 4)).encode() if match else text.encode()
