"""Rows of a CSV file with a header line (RFC 4180), a record to a line."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from libs.astro.elements import RefusalReason, Refused
from libs.rows.places import excerpt
from libs.rows.values import Bad

T = TypeVar("T")
MAX_BYTES = 256 * 2**20
_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",\r]*))(,|$)')


class _Broken(Exception):
    """A line is not a row; at the 1-based field of that index."""

    def __init__(self, field: int, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.reason = reason


def read_csv_rows(data: bytes, needed: Sequence[str], convert: Callable[[dict[str, Any]], T]) -> Iterator[T | Refused]:
    """Each row converted, or refused where `convert` raises Bad; never raises for content.

    An empty field is an absent one. A quoted field ends on its line, so damage to one row cannot take others along.
    """
    if len(data) > MAX_BYTES:
        yield Refused(0, 0, RefusalReason.TOO_LARGE, f"the file has more than {MAX_BYTES} bytes", data[:80])
        return
    names: list[str] = []
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        line = raw.removesuffix(b"\r")
        if not line.strip():
            continue
        try:
            if names:
                yield _row(names, number, line, convert)
            else:
                names = _header(line, needed)
        except _Broken as broken:
            column = _column(line, broken.field)
            yield Refused(number, column, broken.reason, str(broken), excerpt(line, column - 1))
            if not names:
                return


def _header(line: bytes, needed: Sequence[str]) -> list[str]:
    names = _fields(line)
    twice = next((i for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise _Broken(twice, RefusalReason.UNREADABLE, f"the column {names[twice][:80]!r} is there twice")
    missing = [name for name in needed if name not in names]
    if missing:
        raise _Broken(0, RefusalReason.MISSING, f"the header line lacks {', '.join(missing)}")
    return names


def _row(names: list[str], number: int, line: bytes, convert: Callable[[dict[str, Any]], T]) -> T | Refused:
    values = _fields(line)
    if len(values) != len(names):
        detail = f"the row has {len(values)} fields, the header {len(names)}"
        raise _Broken(min(len(values), len(names)), RefusalReason.LENGTH, detail)
    try:
        return convert(dict(zip(names, values, strict=True)))
    except Bad as bad:
        column = _column(line, names.index(bad.key)) if bad.key in names else 1
        return Refused(number, column, bad.reason, str(bad), excerpt(line, column - 1))


def _fields(line: bytes) -> list[str]:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        index = line[: error.start].count(b",")
        raise _Broken(index, RefusalReason.UNREADABLE, f"the line is not UTF-8: {error.reason}") from None
    if '"' not in text and "\r" not in text:
        return text.split(",")
    return _quoted_fields(text)


def _quoted_fields(text: str) -> list[str]:
    fields: list[str] = []
    at, more = 0, ","
    while more:
        match = _FIELD.match(text, at)
        if not match:
            raise _Broken(len(fields), RefusalReason.UNREADABLE, "a quote or carriage return is out of place")
        quoted, plain, more = match.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        at = match.end()
    return fields


def _column(line: bytes, field: int) -> int:
    """From 1, of the first byte of a field; of the end of the line where it has fewer."""
    quoted = False
    for at, byte in enumerate(line):
        if field <= 0:
            return at + 1
        if byte == 0x22:
            quoted = not quoted
        elif byte == 0x2C and not quoted:
            field -= 1
    return len(line) + 1
