"""Keyword = value notation: lines of printable ASCII, one assignment each."""

import re
from collections.abc import Iterator
from itertools import pairwise

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds.messages import Entry, Message, most_entries
from libs.rows.places import excerpt

MAX_BYTES = 256 * 2**20
MAX_LINE = 254
_VERSION = re.compile(rb" *CCSDS_([A-Z]{3})_VERS *= *([ -~]*?) *")
_LINES = (  # what a line may be, and which groups of it are the keyword and the value
    (re.compile(r" *(COMMENT)(?: *=| |$)(.*)"), 1, 2),  # Space-Track writes the equals sign
    (re.compile(r" *([A-Z][A-Z0-9_]*|USER_DEFINED_[^ =]+) *= *(.*?) *"), 1, 2),
    (re.compile(r" *([A-Z]+_(?:START|STOP)) *"), 1, 0),
    (re.compile(r" *([-+.0-9][^=]*?) *"), 0, 1),
)
_UNPRINTABLE = re.compile(rb"[^\x20-\x7e]")


def read_messages(data: bytes) -> Iterator[Message | Refused]:
    """Every message of a file, each beginning with its CCSDS_..._VERS; never raises for content."""
    if len(data) > MAX_BYTES:
        yield Refused(0, 0, RefusalReason.TOO_LARGE, f"the file has more than {MAX_BYTES} bytes", data[:80])
        return
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    starts = [at for at, line in enumerate(lines) if len(line) <= MAX_LINE and _VERSION.fullmatch(line)]
    stray = next((at for at, line in enumerate(lines[: starts[0] if starts else None]) if line.strip()), None)
    if stray is not None:
        raw = excerpt(b"\n".join(lines[stray : stray + 40]))
        detail = "the first line of a message is CCSDS_..._VERS = version"
        yield Refused(stray + 1, 1, RefusalReason.UNREADABLE, detail, raw)
    for start, end in pairwise([*starts, len(lines)] if starts else []):
        yield _message(lines[start:end], start + 1)


def _message(lines: list[bytes], first: int) -> Message:
    version = _VERSION.fullmatch(lines[0])
    kind, number = (part.decode("ascii", "replace") for part in version.groups()) if version else ("", "")
    raw = b"\n".join(lines)
    entries: list[Entry] = []
    broken: Refused | None = None
    for number_of_line, line in enumerate(lines[1:], first + 1):
        if not line.strip(b" "):
            continue
        found = _entry(line, number_of_line)
        if isinstance(found, Entry) and len(entries) < most_entries(kind):
            entries.append(found)
            continue
        broken = found if isinstance(found, Refused) else _too_many(found, kind)
        broken = Refused(broken.line, broken.column, broken.reason, broken.detail, excerpt(raw, raw.find(line)))
        break
    return Message(kind, number, tuple(entries), first, raw, broken)


def _too_many(entry: Entry, kind: str) -> Refused:
    detail = f"the message has more than {most_entries(kind)} entries"
    return Refused(entry.line, 1, RefusalReason.TOO_LARGE, detail)


def _entry(line: bytes, number: int) -> Entry | Refused:
    bad = _UNPRINTABLE.search(line)
    if bad:
        detail = f"byte {line[bad.start()]:#04x} is not a printable ASCII character"
        return Refused(number, bad.start() + 1, RefusalReason.CHARACTER, detail)
    if len(line) > MAX_LINE:
        detail = f"the line has {len(line)} columns, more than {MAX_LINE}"
        return Refused(number, MAX_LINE + 1, RefusalReason.LENGTH, detail)
    text = line.decode("ascii")
    for pattern, keyword, value in _LINES:
        match = pattern.fullmatch(text)
        if match:
            said, shown = match[keyword] if keyword else "", match[value] if value else ""
            return Entry(said, shown, None, number, match.start(value or keyword) + 1, None)
    return Refused(number, 1, RefusalReason.UNREADABLE, "the line is neither KEYWORD = value nor a line of numbers")
