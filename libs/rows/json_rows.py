"""Objects of a JSON array, or the one object of a document, with the place of what is wrong in them."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

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
        keys = [key for key, _ in found]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Bad(twice, RefusalReason.UNREADABLE, f"the key {twice[:80]!r} is there twice")
    return record


def read_json_rows(data: bytes, convert: Callable[[dict[str, Any]], T]) -> Iterator[T | Refused]:
    """Each object converted, or refused where `convert` raises Bad; never raises for content.

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
        yield from _records(text, convert)
    except json.JSONDecodeError as error:
        raw = text[max(0, error.pos - 1024) : error.pos + 1024].encode(errors="replace")
        detail = f"the file is not JSON: {error.msg}"
        yield Refused(*Places(text).of(error.pos), RefusalReason.UNREADABLE, detail, raw)
    except RecursionError:
        yield Refused(1, 1, RefusalReason.UNREADABLE, "the file is nested deeper than any record", excerpt(data))


def _records(text: str, convert: Callable[[dict[str, Any]], T]) -> Iterator[T | Refused]:
    decoder = json.JSONDecoder(object_pairs_hook=Pairs, parse_constant=str, parse_float=str, parse_int=str)
    places = Places(text)
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        found, end = decoder.raw_decode(text, at)
        yield _record(found, places, at, end, convert)
        _expect_end(text, end)
        return
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        found, end = decoder.raw_decode(text, at)
        yield _record(found, places, at, end, convert)
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
            if text[at : at + 1] == "]":
                raise json.JSONDecodeError("a comma before the end of the array", text, at)
        elif text[at : at + 1] != "]":
            raise json.JSONDecodeError("a comma or the end of the array is missing", text, at)
    _expect_end(text, at + 1)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SEPARATORS:
        at += 1
    return at


def _expect_end(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise json.JSONDecodeError("there is more after the end", text, at)


def _record(found: object, places: Places, at: int, end: int, convert: Callable[[dict[str, Any]], T]) -> T | Refused:
    """The record between two places of the text."""
    try:
        return convert(keys_of(found))
    except Bad as bad:
        key = places.text.find(f'"{bad.key}"', at, end) if bad.key else at
        where = max(key, at)
        raw = places.text[at:end].encode(errors="replace")
        return Refused(*places.of(where), bad.reason, str(bad), excerpt(raw, where - at))
