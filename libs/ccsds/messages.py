"""What KVN and XML have in common: a message is a row of entries in a fixed order."""

from dataclasses import dataclass
from typing import NamedTuple

from libs.astro.elements import RefusalReason, Refused
from libs.rows.places import excerpt

COMMENT = "COMMENT"
USER_DEFINED = "USER_DEFINED_"
MAX_ENTRIES = 250_000  # of an ephemeris, with a state each minute for half a year
MAX_ENTRIES_OF_ONE_STATE = 5_000  # of the others, whose books have 250 keywords at most beside the user's own


class Entry(NamedTuple):
    """A keyword and its value as written; `keyword` is empty for a line of data without one.

    `elements` are the XML elements around it inside the message, None in KVN. `column` is that of the value.
    """

    keyword: str
    value: str
    units: str | None
    line: int
    column: int
    elements: tuple[str, ...] | None


def most_entries(kind: str) -> int:
    return MAX_ENTRIES if kind in ("OEM", "OCM", "TDM", "AEM", "ACM") else MAX_ENTRIES_OF_ONE_STATE


@dataclass(frozen=True, slots=True)
class Message:
    """One message as lexed; `broken` says why no more of it could be."""

    kind: str
    version: str
    entries: tuple[Entry, ...]
    line: int
    raw: bytes
    broken: Refused | None = None

    def refused(self, reason: RefusalReason, detail: str, entry: Entry | None = None) -> Refused:
        """At an entry, or at the beginning of the message."""
        if entry is None:
            return Refused(self.line, 1, reason, detail, excerpt(self.raw))
        before = _offset(self.raw, entry.line - self.line)
        return Refused(entry.line, entry.column, reason, detail, excerpt(self.raw, before))


def _offset(raw: bytes, lines: int) -> int:
    at = 0
    for _ in range(lines):
        at = raw.find(b"\n", at) + 1
        if at == 0:
            return 0
    return at
