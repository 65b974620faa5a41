"""Objects of a JSON array, or the one object of a document, with the place of what is wrong in them."""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from libs.astro.elements import RefusalReason, Refused
from libs.rows.places import Places, excerpt, place_after
from libs.rows.values import Bad

T = TypeVar("T")
MAX_BYTES = 256 * 2**20
_SEPARATORS = " \t\r\n"


class Pairs(list[tuple[str, Any]]):
    """Keys and values of one object, in the order of the file; told apart from a JSON array by its type."""


def keys_of(found: object) -> dict[str, Any]:
    """Keys and values of what should be an object; raises Bad where it is none, or has a key twice."""
    if not isinstance(found, Pairs):
        raise Bad("", RefusalReason.UNREADABLE, "a record is not an object of keys and values")
    record = dict(found)
    if len(record) < len(found):
        twice = Counter(key for key, _ in found).most_common(1)[0][0]
        raise Bad(twice, RefusalReason.UNREADABLE, f"the key {twice[:80]!r} is there twice")
    return record


def read_json_rows(
    data: bytes,
    convert: Callable[[dict[str, Any]], T],
    member: str = "",
    keys: Callable[[object], dict[str, Any]] = keys_of,
) -> Iterator[T | Refused]:
    """Each object converted, or refused where `convert` raises Bad; never raises for content.

    The objects are those of an array or the one of the document; with `member`, those of that member of the document.
    `keys` makes keys and values of a record that is written in another way, or raises Bad.

    Numbers reach `convert` as the texts they are written in. After a syntax error nothing more of the file is read:
    where its next record starts cannot be known.
    """
    if len(data) > MAX_BYTES:
        yield Refused(0, 0, RefusalReason.TOO_LARGE, f"the file has more than {MAX_BYTES} bytes", data[:80])
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = place_after(data[: error.start])
        detail = f"the file is not UTF-8: {error.reason}"
        yield Refused(*place, RefusalReason.UNREADABLE, detail, excerpt(data, error.start))
        return
    try:
        yield from _Scan(text, convert, keys).records(member)
    except json.JSONDecodeError as error:
        raw = text[max(0, error.pos - 1024) : error.pos + 1024].encode(errors="replace")
        detail = f"the file is not JSON: {error.msg}"
        yield Refused(*Places(text).of(error.pos), RefusalReason.UNREADABLE, detail, raw)
    except RecursionError:
        yield Refused(1, 1, RefusalReason.UNREADABLE, "the file is nested deeper than any record", excerpt(data))


class _Scan(Generic[T]):
    """Walks a text once; each method yields records and returns where it ended."""

    def __init__(
        self, text: str, convert: Callable[[dict[str, Any]], T], keys: Callable[[object], dict[str, Any]]
    ) -> None:
        self._text = text
        self._keys = keys
        self._convert = convert
        self._places = Places(text)
        self._decoder = json.JSONDecoder(object_pairs_hook=Pairs, parse_constant=str, parse_float=str, parse_int=str)

    def records(self, member: str) -> Iterator[T | Refused]:
        at = self._skip(0)
        if not member and self._text[at : at + 1] != "[":
            found, end = self._decoder.raw_decode(self._text, at)
            self._expect_end(end)
            yield self._record(found, at, end)
            return
        self._expect_end((yield from self._member(at, member) if member else self._array(at)))

    def _expect_end(self, at: int) -> None:
        if self._skip(at) != len(self._text):
            raise json.JSONDecodeError("there is more after the end", self._text, self._skip(at))

    def _value(self, at: int) -> Generator[T | Refused, None, int]:
        if self._text[at : at + 1] == "[":
            return (yield from self._array(at))
        found, end = self._decoder.raw_decode(self._text, at)
        yield self._record(found, at, end)
        return end

    def _array(self, at: int) -> Generator[T | Refused, None, int]:
        at = self._skip(at + 1)
        while self._text[at : at + 1] != "]":
            found, end = self._decoder.raw_decode(self._text, at)
            yield self._record(found, at, end)
            at = self._next(end, "]")
        return at + 1

    def _member(self, at: int, member: str) -> Generator[T | Refused, None, int]:
        if self._text[at : at + 1] != "{":
            raise json.JSONDecodeError(f"the document is not an object with a member {member!r}", self._text, at)
        start, seen = at, False
        at = self._skip(at + 1)
        while self._text[at : at + 1] != "}":
            quoted = self._text[at : at + 1] == '"'  # a number would come as a text too
            key, end = self._decoder.raw_decode(self._text, at)
            at = self._skip(end)
            if not quoted or self._text[at : at + 1] != ":":
                raise json.JSONDecodeError("a key and a colon are missing", self._text, at)
            at = self._skip(at + 1)
            if key == member and not seen:
                seen, end = True, (yield from self._value(at))
            else:
                _, end = self._decoder.raw_decode(self._text, at)
            at = self._next(end, "}")
        if not seen:
            yield Refused(*self._places.of(start), RefusalReason.MISSING, f"the member {member!r} is missing")
        return at + 1

    def _next(self, at: int, closing: str) -> int:
        """Past the comma after an element, or at the closing bracket."""
        at = self._skip(at)
        if self._text[at : at + 1] == closing:
            return at
        if self._text[at : at + 1] != ",":
            raise json.JSONDecodeError("a comma or the closing bracket is missing", self._text, at)
        at = self._skip(at + 1)
        if self._text[at : at + 1] == closing:
            raise json.JSONDecodeError("a comma before the closing bracket", self._text, at)
        return at

    def _skip(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in _SEPARATORS:
            at += 1
        return at

    def _record(self, found: object, at: int, end: int) -> T | Refused:
        """The record between two places of the text."""
        try:
            return self._convert(self._keys(found))
        except Bad as bad:
            key = self._text.find(f'"{bad.key}"', at, end) if bad.key else at
            where = max(key, at)
            raw = self._text[at:end].encode(errors="replace")
            return Refused(*self._places.of(where), bad.reason, str(bad), excerpt(raw, where - at))
