"""Two-line element sets, read by a strict grammar of columns.

A checksum misses 72 % of real damage: letters and signs hardly count in it, and it knows no columns. So each column
must hold what its field allows, numbers must be padded as the field demands, both lines must name one object, and
every value must be possible. What is left is damage that turns one valid set into another valid one, such as two
swapped digits of one field: no reader of a single set can see that.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from libs.astro.elements import ElementSet, RefusalReason, Refused, problem
from libs.astro.time import calendar_to_jd

LINE_LENGTH = 69
NAME_LENGTH = 26  # 24 columns, after an optional "0 "
FIRST_YEAR = 57  # of the two-digit years: 57 is 1957, 56 is 2056
EpochProblem = Callable[[ElementSet], str]  # empty where there is none
_ALPHA_5 = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # I and O are left out; A is 10


@dataclass(frozen=True, slots=True)
class _Column:
    """`first` counts from 1; `field` names the value where it is one of an ElementSet."""

    first: int
    grammar: "re.Pattern[bytes]"
    width: int
    what: str
    field: str = ""


def _column(first: int, width: int, grammar: bytes, what: str, field: str = "") -> _Column:
    return _Column(first, re.compile(grammar), width, what, field)


def _blank(column: int) -> _Column:
    return _column(column, 1, b" ", "a blank")


_NUMBER = rb" {0,4}\d{1,5}|[A-HJ-NP-Z]\d{4}"
_SIGNED_EXPONENT = rb"[ +-]\d{5}[+-]\d"
_ANGLE = rb" {0,2}\d{1,3}\.\d{4}"
_LINE_1 = (
    _column(1, 2, b"1 ", "the line number 1 and a blank"),
    _column(3, 5, _NUMBER, "a catalogue number", "catalogue_number"),
    _column(8, 1, b"[UCS]", "a classification U, C or S", "classification"),
    _blank(9),
    _column(10, 8, rb"\d{5}[A-Z]{0,3} *| {8}", "an international designator", "international_designator"),
    _blank(18),
    _column(19, 2, rb"\d\d", "a two-digit year", "year"),
    _column(21, 12, rb" {0,2}\d{1,3}\.\d{8}", "a day of the year with eight decimals", "day"),
    _blank(33),
    _column(34, 10, rb"[ +-]\.\d{8}", "half the rate of mean motion", "mean_motion_dot_half_rev_day2"),
    _blank(44),
    _column(45, 8, _SIGNED_EXPONENT, "a sixth of the acceleration of mean motion", "mean_motion_ddot_sixth_rev_day3"),
    _blank(53),
    _column(54, 8, _SIGNED_EXPONENT, "a drag term", "bstar_per_earth_radius"),
    _blank(62),
    _column(63, 1, rb"[ \d]", "an ephemeris type"),
    _blank(64),
    _column(65, 4, rb" {0,3}\d{1,4}", "an element set number", "element_set_number"),
    _column(69, 1, rb"\d", "a checksum"),
)
_LINE_2 = (
    _column(1, 2, b"2 ", "the line number 2 and a blank"),
    _column(3, 5, _NUMBER, "a catalogue number", "catalogue_number"),
    _blank(8),
    _column(9, 8, _ANGLE, "an inclination with four decimals", "inclination_deg"),
    _blank(17),
    _column(18, 8, _ANGLE, "a right ascension with four decimals", "raan_deg"),
    _blank(26),
    _column(27, 7, rb"\d{7}", "seven digits of eccentricity", "eccentricity"),
    _blank(34),
    _column(35, 8, _ANGLE, "an argument of perigee with four decimals", "arg_of_perigee_deg"),
    _blank(43),
    _column(44, 8, _ANGLE, "a mean anomaly with four decimals", "mean_anomaly_deg"),
    _blank(52),
    _column(53, 11, rb" ?\d{1,2}\.\d{8}", "a mean motion with eight decimals", "mean_motion_rev_day"),
    _column(64, 5, rb" {0,4}\d{1,5}| {5}", "a revolution number", "revolution_number"),
    _column(69, 1, rb"\d", "a checksum"),
)


def checksum(line: bytes) -> int:
    """Of the first 68 columns: digits count their value, a minus counts 1, all else nothing; modulo 10."""
    return sum(c - 48 if 48 <= c <= 57 else c == 45 for c in line[:68]) % 10


def parse(line1: bytes, line2: bytes, name: bytes = b"") -> ElementSet:
    """Raises Refused with line 1 or 2 of the pair, and the column from 1."""
    first, second = _fields(1, line1, _LINE_1), _fields(2, line2, _LINE_2)
    if _catalogue_number(first["catalogue_number"]) != _catalogue_number(second["catalogue_number"]):
        raise Refused(
            2,
            3,
            RefusalReason.MISMATCH,
            f"line 2 is of object {_shown(second['catalogue_number'])}, line 1 of {_shown(first['catalogue_number'])}",
        )
    jd, fraction = _epoch(first["year"], first["day"])
    values = first | second
    elements = ElementSet(
        object_name=name,
        epoch_jd=jd,
        epoch_jd_fraction=fraction,
        **{field: convert(values[field]) for field, convert in _CONVERT.items()},
    )
    found = problem(elements)
    if found:
        field, reason, detail = found
        line, column = _places()[field]
        raise Refused(line, column, reason, detail)
    return elements


def read(data: bytes, epoch_problem: EpochProblem | None = None) -> Iterator[ElementSet | Refused]:
    """Every set and every refusal of a file of sets with or without name lines; never raises for content.

    `epoch_problem` says why the epoch of a good set cannot be right; such a set is refused where its epoch stands.
    """
    lines = data.splitlines()
    at, name, named_at = 0, b"", 0
    while at < len(lines):
        line = lines[at].rstrip(b" ") if len(lines[at]) > LINE_LENGTH else lines[at]
        at += 1
        if not line.strip():
            continue
        if line[:2] == b"1 ":
            following = lines[at] if at < len(lines) else b""
            if following[:2] == b"2 ":
                following = following.rstrip(b" ") if len(following) > LINE_LENGTH else following
                yield _pair(line, following, name, at, epoch_problem)
                at += 1
            else:
                yield Refused(at, 1, RefusalReason.MISSING, "line 1 of a set is not followed by its line 2")
            name, named_at = b"", 0
            continue
        if named_at:
            yield _stray(named_at)
        name, named_at = b"", 0
        if line[:2] == b"2 ":
            yield Refused(at, 1, RefusalReason.MISSING, "line 2 of a set does not follow its line 1")
        elif len(line) > NAME_LENGTH:
            yield Refused(at, 1, RefusalReason.CHARACTER, "the line is neither line 1 nor line 2 nor the name of a set")
        else:
            name, named_at = line.removeprefix(b"0 ").strip(), at
    if named_at:
        yield _stray(named_at)


def alpha_5(catalogue_number: int) -> str:
    """Five columns of a number to 339,999, the last that a TLE can hold; raises ValueError for others."""
    if not 0 < catalogue_number <= 339_999:
        raise ValueError(f"catalogue number {catalogue_number} does not fit the five columns of a TLE; use OMM")
    head, rest = divmod(catalogue_number, 10_000)
    return f"{_ALPHA_5[head - 10]}{rest:04d}" if head >= 10 else f"{catalogue_number:05d}"


def _stray(line: int) -> Refused:
    return Refused(line, 1, RefusalReason.UNREADABLE, "the line is not followed by the two lines of a set")


def _pair(
    line1: bytes, line2: bytes, name: bytes, first_line: int, epoch_problem: EpochProblem | None
) -> ElementSet | Refused:
    try:
        elements = parse(line1, line2, name)
    except Refused as refused:
        return Refused(first_line + refused.line - 1, refused.column, refused.reason, refused.detail)
    if epoch_problem and (detail := epoch_problem(elements)):
        return Refused(first_line, _places()["year"][1], RefusalReason.EPOCH, detail)
    return elements


def _fields(number: int, line: bytes, columns: tuple[_Column, ...]) -> dict[str, bytes]:
    bad = next((i for i, c in enumerate(line) if not 32 <= c < 127), None)
    if bad is not None:
        detail = f"byte {line[bad]:#04x} is not a printable ASCII character"
        raise Refused(number, bad + 1, RefusalReason.CHARACTER, detail)
    if len(line) != LINE_LENGTH:
        detail = f"line {number} has {len(line)} columns, not {LINE_LENGTH}"
        raise Refused(number, min(len(line), LINE_LENGTH) + 1, RefusalReason.LENGTH, detail)
    found = {}
    for column in columns:
        text = line[column.first - 1 : column.first - 1 + column.width]
        if not column.grammar.fullmatch(text):
            detail = f"columns {column.first}-{column.first + column.width - 1} hold {_shown(text)}, not {column.what}"
            raise Refused(number, column.first, RefusalReason.CHARACTER, detail)
        if column.field:
            found[column.field] = text
    if checksum(line) != line[68] - 48:
        detail = f"the checksum is {chr(line[68])}; the line gives {checksum(line)}"
        raise Refused(number, LINE_LENGTH, RefusalReason.CHECKSUM, detail)
    return found


def _shown(text: bytes) -> str:
    return repr(text.decode("ascii", "backslashreplace"))


def _catalogue_number(text: bytes) -> int:
    head = chr(text[0])
    return (_ALPHA_5.index(head) + 10) * 10_000 + int(text[1:]) if head in _ALPHA_5 else int(text)


def _epoch(year: bytes, day: bytes) -> tuple[float, float]:
    short = int(year)
    full = 1900 + short if short >= FIRST_YEAR else 2000 + short
    whole, _, rest = day.partition(b".")
    number = int(whole)
    length = 366 if full % 4 == 0 else 365  # holds from 1957 to 2056
    if not 1 <= number <= length:
        raise Refused(1, 21, RefusalReason.RANGE, f"day {number} does not exist in {full}")
    jd, _ = calendar_to_jd(full, 1, 1)
    return jd + number - 1, int(rest) / 10 ** len(rest)


def _exponent(text: bytes) -> float:
    """` 77106-5` is 0.77106e-5."""
    return float(f"{text[:1].decode().strip()}.{text[1:6].decode()}e{text[6:].decode()}")


def _decimal(text: bytes) -> float:
    return float(text.replace(b" ", b""))


def _whole(text: bytes) -> int:
    return int(text.strip() or b"0")


_CONVERT: dict[str, Callable[[bytes], Any]] = {
    "catalogue_number": _catalogue_number,
    "international_designator": bytes.strip,
    "mean_motion_rev_day": _decimal,
    "eccentricity": lambda text: int(text) / 1e7,
    "inclination_deg": _decimal,
    "raan_deg": _decimal,
    "arg_of_perigee_deg": _decimal,
    "mean_anomaly_deg": _decimal,
    "bstar_per_earth_radius": _exponent,
    "mean_motion_dot_half_rev_day2": _decimal,
    "mean_motion_ddot_sixth_rev_day3": _exponent,
    "classification": bytes.decode,
    "element_set_number": _whole,
    "revolution_number": _whole,
}


def _places() -> dict[str, tuple[int, int]]:
    columns = ((line, column) for line, table in ((1, _LINE_1), (2, _LINE_2)) for column in table)
    return {column.field: (line, column.first) for line, column in columns}
