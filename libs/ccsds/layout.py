"""The tables of a Blue Book as dataclasses: a field for each keyword, in the order that the book fixes.

`must` and `may` give a field its keyword, how its value is read and its units; `group` makes one field of several
keywords that are all there or none. `Layout.arrange` holds a message against its blocks.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, TypeVar

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds.messages import COMMENT, USER_DEFINED, Entry, Message
from libs.rows.values import Bad, Unfit, amount, number, text

T = TypeVar("T")
Read = Callable[[object], Any]
_USER_DEFINED_ELEMENTS: tuple[str, ...] = ("body", "segment", "data", "userDefinedParameters")
_VERSIONS = {"OMM": r"[123]\.\d", "OEM": r"[123]\.\d", "RDM": r"1\.\d", "CDM": r"1\.\d"}


class Keyword(NamedTuple):
    name: str
    read: Read
    units: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """What one field is made of."""

    keywords: tuple[Keyword, ...]
    mandatory: bool
    make: Callable[[list[Any]], Any]


def must(name: str, read: Read = text, units: str = "") -> Any:
    return field(metadata={"slot": Slot((Keyword(name, read, units),), mandatory=True, make=_only)})


def may(name: str, read: Read = text, units: str = "") -> Any:
    slot = Slot((Keyword(name, read, units),), mandatory=False, make=_only)
    return field(default=None, metadata={"slot": slot})


def group(keywords: Iterable[Keyword], make: Callable[[list[Any]], Any] = tuple, *, mandatory: bool = False) -> Any:
    slot = Slot(tuple(keywords), mandatory, make)
    return field(metadata={"slot": slot}) if mandatory else field(default=None, metadata={"slot": slot})


def _only(values: list[Any]) -> Any:
    return values[0]


@dataclass(frozen=True, slots=True)
class Block:
    """One table, or one logical block of it, and the XML elements it lies in."""

    made: type[Any]
    elements: tuple[str, ...]


_SLOTS: dict[type[Any], list[tuple[str, Slot]]] = {}


def _slots(made: type[Any]) -> list[tuple[str, Slot]]:
    if made not in _SLOTS:
        _SLOTS[made] = [(one.name, one.metadata["slot"]) for one in fields(made)]
    return _SLOTS[made]


class Arranged:
    """The entries of a message by keyword, each in its place, none twice."""

    def __init__(
        self, entries: dict[str, Entry], user_defined: dict[str, str], keywords: dict[str, Keyword], units: "Units"
    ) -> None:
        self.entries = entries
        self.user_defined = user_defined
        self._keywords = keywords
        self._units = units

    def block(self, made: type[T]) -> T:
        """A block that must be there; raises Bad."""
        return made(**{name: self._value(slot) for name, slot in _slots(made)})

    def optional_block(self, made: type[T]) -> T | None:
        """A block, or None where no keyword of it is there; raises Bad."""
        present = any(keyword.name in self.entries for _, slot in _slots(made) for keyword in slot.keywords)
        return self.block(made) if present else None

    def drop_empty(self, *names: str) -> None:
        """Takes a keyword without a value for one that is not there."""
        for name in names:
            if name in self.entries and not self.entries[name].value:
                del self.entries[name]

    def texts(self) -> dict[str, str]:
        """Values as written, without their units; raises Bad."""
        return {name: self._units.of(self._keywords[name], entry) for name, entry in self.entries.items()}

    def _value(self, slot: Slot) -> Any:
        if slot.make is _only and slot.keywords[0].name in self.entries:  # nearly every field
            return self._read(slot.keywords[0])
        present = [keyword for keyword in slot.keywords if keyword.name in self.entries]
        if not present and not slot.mandatory:
            return None
        lacking = next((keyword for keyword in slot.keywords if keyword not in present), None)
        if lacking:
            raise Bad("", RefusalReason.MISSING, f"{lacking.name} is missing")
        return slot.make([self._read(keyword) for keyword in slot.keywords])

    def _read(self, keyword: Keyword) -> Any:
        entry = self.entries[keyword.name]
        value = self._units.of(keyword, entry)
        if not value:
            raise Bad(keyword.name, RefusalReason.MISSING, f"{keyword.name} has no value")
        try:
            return keyword.read(value)
        except Unfit as unfit:
            raise Bad(keyword.name, unfit.reason, f"{keyword.name} {unfit}") from None


@dataclass(frozen=True, slots=True)
class Units:
    """Whether a book wants units written; where they are, they are the book's."""

    required: bool

    def of(self, keyword: Keyword, entry: Entry) -> str:
        """The value without its units; raises Bad for units that are wrong or lack."""
        value, units = entry.value, entry.units
        if entry.elements is None and keyword.read is not text and value.endswith("]"):
            value, _, units = f" {value}"[:-1].rpartition(" [")
            value = value.strip()
        if units is None and self.required and keyword.units and entry.value:
            raise Bad(keyword.name, RefusalReason.MISSING, f"{keyword.name} has no units; they are {keyword.units}")
        if units is not None and (not units or units != keyword.units):
            detail = f"{keyword.name} is in {units[:40]!r}, not in {keyword.units or 'no units'}"
            raise Bad(keyword.name, RefusalReason.MISMATCH, detail)
        return value


class Layout:
    """The blocks of a message, in order."""

    def __init__(self, blocks: Iterable[Block], *, units_required: bool, user_defined: bool = True) -> None:
        self._units = Units(units_required)
        self._user_defined = user_defined
        self._order: dict[str, tuple[int, int, tuple[str, ...]]] = {}
        self._keywords: dict[str, Keyword] = {}
        for index, block in enumerate(blocks):
            for keyword in (keyword for _, slot in _slots(block.made) for keyword in slot.keywords):
                self._order[keyword.name] = (len(self._order), index, block.elements)
                self._keywords[keyword.name] = keyword

    def arrange(self, entries: Iterable[Entry]) -> Arranged:
        """Raises Bad for a keyword that is unknown, twice, out of order, in another element, or a stray comment."""
        found: dict[str, Entry] = {}
        user_defined: dict[str, str] = {}
        last, last_block, comment = -1, -1, False
        for entry in entries:
            if entry.keyword == COMMENT:
                comment = True
                continue
            number, block = self._place(entry)
            if entry.keyword in found or entry.keyword in user_defined:
                raise _misplaced(entry, "is there twice")
            if number < last:
                raise _misplaced(entry, "is out of the fixed order of keywords")
            if comment and block == last_block:
                raise _misplaced(entry, "follows a comment inside its block; comments stand at the beginning of one")
            last, last_block, comment = number, block, False
            if entry.keyword.startswith(USER_DEFINED):
                user_defined[entry.keyword] = entry.value
            else:
                found[entry.keyword] = entry
        return Arranged(found, user_defined, self._keywords, self._units)

    def _place(self, entry: Entry) -> tuple[int, int]:
        if self._user_defined and entry.keyword.startswith(USER_DEFINED) and entry.keyword != USER_DEFINED:
            number, block, elements = len(self._order), len(self._order), _USER_DEFINED_ELEMENTS
        elif entry.keyword in self._order:
            number, block, elements = self._order[entry.keyword]
        else:
            raise _misplaced(entry, "is no keyword of this message" if entry.keyword else "a line without a keyword")
        if entry.elements is not None and entry.elements != elements:
            raise _misplaced(entry, f"is not in <{'><'.join(elements)}>")
        return number, block


class BadEntry(Bad):
    """Carries its entry: a keyword may have several places, and a line of data has no keyword."""

    def __init__(self, entry: Entry, reason: RefusalReason, detail: str) -> None:
        super().__init__(entry.keyword, reason, detail)
        self.entry = entry


def _misplaced(entry: Entry, detail: str) -> BadEntry:
    return BadEntry(entry, RefusalReason.UNREADABLE, f"{entry.keyword[:80]} {detail}".strip())


def entry_of(bad: Bad, entries: Iterable[Entry]) -> Entry | None:
    """Where in the message a Bad lies."""
    if isinstance(bad, BadEntry):
        return bad.entry
    return next((entry for entry in entries if bad.key and entry.keyword == bad.key), None)


def read_as(kind: str, messages: Iterable[Message | Refused], build: Callable[[Message], T]) -> Iterator[T | Refused]:
    """Each message built, or refused where it is of another kind or `build` raises Bad."""
    for message in messages:
        if isinstance(message, Refused):
            yield message
        elif message.kind != kind:
            yield message.refused(RefusalReason.MISMATCH, f"the message is of kind {message.kind}, not {kind}")
        elif not re.fullmatch(_VERSIONS[kind], message.version):
            detail = f"version {message.version[:40]!r} of {kind} is not read here"
            yield message.refused(RefusalReason.MISMATCH, detail)
        elif message.broken:
            yield message.broken
        else:
            yield _built(message, build)


def _built(message: Message, build: Callable[[Message], T]) -> T | Refused:
    try:
        return build(message)
    except Bad as bad:
        return message.refused(bad.reason, str(bad), entry_of(bad, message.entries))


def triangle(axes: tuple[str, ...], length: str, read: Read) -> tuple[Keyword, ...]:
    """Keywords of a 6 x 6 covariance of position and velocity, its lower triangle by rows.

    A variance is not negative. `axes` are those of the book, such as X, Y, Z, X_DOT, Y_DOT, Z_DOT.
    """
    units = (f"{length}**2", f"{length}**2/s", f"{length}**2/s**2")
    return tuple(
        Keyword(f"C{axes[row]}_{axes[column]}", amount if row == column else read, units[(row > 2) + (column > 2)])
        for row in range(6)
        for column in range(row + 1)
    )


CARTESIAN = triangle(("X", "Y", "Z", "X_DOT", "Y_DOT", "Z_DOT"), "km", number)


def chosen(mapping: Mapping[str, str]) -> Read:
    """A reader of an enumeration, given as what may be written to what it means."""

    def checked(value: object) -> str:
        said = " ".join(text(value).replace("_", " ").split())
        said = said.upper() if said.islower() else said
        if said not in mapping:
            raise Unfit(
                RefusalReason.MISMATCH, f"is {said[:80]!r}, not one of {', '.join(dict.fromkeys(mapping.values()))}"
            )
        return mapping[said]

    return checked


def enumeration(*values: str) -> Read:
    return chosen({value: value for value in values})


def matching(pattern: str, what: str) -> Read:
    """A reader of texts that are as a pattern, which `what` says in words."""
    compiled = re.compile(pattern, re.ASCII)

    def checked(value: object) -> str:
        said = text(value)
        if not compiled.fullmatch(said):
            raise Unfit(RefusalReason.CHARACTER, f"is {said[:80]!r}, not {what}")
        return said

    return checked


time_system = enumeration("UTC", "TAI", "TT", "GPS", "TDB", "TCB", "TCG", "UT1")  # those in which a date is an epoch
