"""XML of CCSDS messages, streamed through expat with all that can grow or reach out turned off.

A document type is refused where it begins, so there are no entities to expand and nothing outside to fetch; size,
depth, length of a token and number of entries are capped; memory holds one message at a time.
"""

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds.messages import MAX_ENTRIES_OF_ONE_STATE, USER_DEFINED, Entry, Message, most_entries
from libs.rows.places import excerpt

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 12
MAX_TOKEN = 256 * 1024
CHUNK = 64 * 1024
SHORT_ENTRY = 64  # bytes; a message of more entries than may be, and shorter, is seen to be one before it is read
KINDS = ("omm", "oem", "rdm", "cdm", "opm", "ocm", "tdm", "apm", "aem", "acm")


class _Stop(Exception):
    """Nothing after this place is read."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read_messages(data: bytes) -> Iterator[Message | Refused]:
    """Every message of a document: its root, or each child of its root `ndm`; never raises for content.

    After an error of syntax, or what is never in such a document, nothing more of it is read.
    """
    if len(data) > MAX_BYTES:
        yield Refused(0, 0, RefusalReason.TOO_LARGE, f"the file has more than {MAX_BYTES} bytes", data[:80])
        return
    document = _Document(data)
    try:
        for start in range(0, len(data) or 1, CHUNK):
            document.feed(data[start : start + CHUNK], final=start + CHUNK >= len(data))
            yield from document.take()
        yield from document.take(ended=True)
    except _Stop as stop:
        yield from document.take()
        yield document.refused(stop.reason, str(stop))
    except expat.ExpatError as error:
        yield from document.take()
        detail = f"the file is not XML: {expat.ErrorString(error.code)}"
        yield document.refused(RefusalReason.UNREADABLE, detail, error.lineno, error.offset + 1)


class _Document:
    """What the parser has seen so far."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parser = _strict_parser(self)
        self._done: list[Message] = []
        self._open: list[str] = []  # from the root
        self._root_is_list = False
        self._entries: list[Entry] = []
        self._text: list[str] = []
        self._length = 0
        self._leaf: Entry | None = None
        self._attributes: dict[str, str] = {}
        self._at = (1, 0)  # line and byte of the message's begin
        self._broken: Refused | None = None
        self._fed = 0
        self._most_entries = MAX_ENTRIES_OF_ONE_STATE  # outside of a message; it has its own

    def feed(self, chunk: bytes, *, final: bool) -> None:
        self._parser.Parse(chunk, final)
        self._fed += len(chunk)
        if self._fed - max(self._parser.CurrentByteIndex, 0) > MAX_TOKEN:
            raise _Stop(RefusalReason.TOO_LARGE, f"a tag or comment has more than {MAX_TOKEN} bytes")

    def take(self, *, ended: bool = False) -> list[Message]:
        """Messages read since the last call; a message that is the whole document, once that has ended in order."""
        if not (self._root_is_list or ended):
            return []
        done, self._done = self._done, []
        return done

    def refused(self, reason: RefusalReason, detail: str, line: int = 0, column: int = 0) -> Refused:
        at = max(self._parser.CurrentByteIndex, 0)
        line, column = line or self._parser.CurrentLineNumber, column or self._parser.CurrentColumnNumber + 1
        return Refused(line, column, reason, detail, excerpt(self._data[max(0, at - 1024) : at + 3072]))

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.upper() not in ("UTF-8", "UTF8", "US-ASCII", "ASCII"):
            raise _Stop(RefusalReason.UNREADABLE, f"the encoding is {encoding[:40]!r}; only UTF-8 is read")

    def document_type(self, *_: object) -> int:
        raise _Stop(RefusalReason.UNREADABLE, "a document type is declared; it and its entities are never read")

    def instruction(self, *_: object) -> None:
        raise _Stop(RefusalReason.UNREADABLE, "a processing instruction is there; none belongs in such a message")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._leaf is not None:
            raise _Stop(RefusalReason.UNREADABLE, f"<{name[:40]}> begins inside <{self._leaf.keyword[:40]}>")
        if len(self._open) >= MAX_DEPTH:
            raise _Stop(RefusalReason.UNREADABLE, f"elements are nested deeper than {MAX_DEPTH}")
        self._no_text()
        tag = name.removeprefix("ndm:")
        if not self._open:
            self._root_is_list = tag == "ndm"
        if len(self._open) == self._depth and tag in KINDS:
            self._begin(name, tag.upper(), attributes)
        elif tag.isupper():
            self._begin_leaf(tag, attributes)
            return
        elif len(self._open) <= self._depth and tag != "ndm":
            raise _Stop(RefusalReason.UNREADABLE, f"<{name[:40]}> is no message that is known here")
        self._open.append(tag)

    @property
    def _depth(self) -> int:
        return 1 if self._root_is_list else 0

    def _begin(self, name: str, kind: str, attributes: dict[str, str]) -> None:
        start = self._parser.CurrentByteIndex
        self._most_entries = most_entries(kind)
        window = start + self._most_entries * SHORT_ENTRY
        end = self._data.find(f"</{name}".encode(), start, window)
        if self._data.count(b"</", start, end if end >= 0 else window) > self._most_entries + MAX_DEPTH:
            raise self._too_many()  # before one of them is read
        self._attributes, self._entries, self._broken = attributes, [], None
        self._at = (self._parser.CurrentLineNumber, self._parser.CurrentByteIndex)

    def _begin_leaf(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._entries) >= self._most_entries:
            raise self._too_many()
        keyword = USER_DEFINED + attributes.get("parameter", "") if tag == "USER_DEFINED" else tag
        elements = tuple(self._open[self._depth + 1 :])
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        self._leaf = Entry(keyword, "", attributes.get("units"), line, column, elements)

    def _too_many(self) -> _Stop:
        return _Stop(RefusalReason.TOO_LARGE, f"the message has more than {self._most_entries} entries")

    def end(self, name: str) -> None:
        if self._leaf is not None:
            value = "".join(self._text).strip()
            if len(self._open) > self._depth:
                self._entries.append(self._leaf._replace(value=value))
            self._leaf, self._text, self._length = None, [], 0
            return
        self._no_text()
        tag = self._open.pop()
        if len(self._open) == self._depth and tag in KINDS:
            self._done.append(self._message(tag.upper(), len(name) + 3))

    def _message(self, kind: str, length_of_end_tag: int) -> Message:
        line, start = self._at
        raw = self._data[start : self._parser.CurrentByteIndex + length_of_end_tag]
        version, broken = self._attributes.get("version", ""), self._broken
        if broken is None and self._attributes.get("id") != f"CCSDS_{kind}_VERS":
            detail = f'<{kind.lower()}> does not say id="CCSDS_{kind}_VERS"'
            broken = Refused(line, 1, RefusalReason.MISSING, detail, excerpt(raw))
        return Message(kind, version, tuple(self._entries), line, raw, broken)

    def text(self, characters: str) -> None:
        self._length += len(characters)
        if self._length > MAX_TOKEN:
            raise _Stop(RefusalReason.TOO_LARGE, f"a text has more than {MAX_TOKEN} characters")
        self._text.append(characters)

    def _no_text(self) -> None:
        if self._broken is None and "".join(self._text).strip():
            self._broken = self.refused(RefusalReason.UNREADABLE, "there is text between elements before this place")
        self._text, self._length = [], 0


def _strict_parser(document: _Document) -> Any:
    parser = expat.ParserCreate("UTF-8")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.XmlDeclHandler = document.declaration
    parser.StartDoctypeDeclHandler = document.document_type
    parser.EntityDeclHandler = document.document_type
    parser.ExternalEntityRefHandler = document.document_type
    parser.ProcessingInstructionHandler = document.instruction
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    parser.CharacterDataHandler = document.text
    return parser
