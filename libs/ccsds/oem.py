"""Orbit Ephemeris Messages (CCSDS 502.0-B-3) in KVN and XML.

Positions in km, velocities in km/s, in the frame and time system of their segment. Comments are for people and are not
kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds import kvn, markup
from libs.ccsds.layout import CARTESIAN, BadEntry, Block, Keyword, Layout, group, may, must, read_as, time_system
from libs.ccsds.messages import COMMENT, Entry, Message
from libs.rows.values import Bad, Instant, Unfit, amount, count, instant, number

_DATA = ("body", "segment", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    classification: str | None = may("CLASSIFICATION")
    creation_date: Instant = must("CREATION_DATE", instant)
    originator: str = must("ORIGINATOR")
    message_id: str | None = may("MESSAGE_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    object_name: str = must("OBJECT_NAME")
    object_id: str = must("OBJECT_ID")
    center_name: str = must("CENTER_NAME")
    ref_frame: str = must("REF_FRAME")
    ref_frame_epoch: Instant | None = may("REF_FRAME_EPOCH", instant)
    time_system: str = must("TIME_SYSTEM", time_system)
    start_time: Instant = must("START_TIME", instant)
    useable_start_time: Instant | None = may("USEABLE_START_TIME", instant)
    useable_stop_time: Instant | None = may("USEABLE_STOP_TIME", instant)
    stop_time: Instant = must("STOP_TIME", instant)
    interpolation: str | None = may("INTERPOLATION")
    interpolation_degree: int | None = may("INTERPOLATION_DEGREE", count)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    epoch: Instant = must("EPOCH", instant)
    position_km: tuple[float, ...] = group((Keyword(k, number, "km") for k in "XYZ"), mandatory=True)
    velocity_km_s: tuple[float, ...] = group((Keyword(f"{k}_DOT", number, "km/s") for k in "XYZ"), mandatory=True)
    acceleration_km_s2: tuple[float, ...] | None = group(Keyword(f"{k}_DDOT", number, "km/s**2") for k in "XYZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Lower triangle by rows of X, Y, Z, X_DOT, Y_DOT, Z_DOT; km and s. No frame: that of the segment."""

    epoch: Instant = must("EPOCH", instant)
    ref_frame: str | None = may("COV_REF_FRAME")
    lower_triangle: tuple[float, ...] = group(CARTESIAN, mandatory=True)


@dataclass(frozen=True, slots=True)
class Segment:
    metadata: Metadata
    states: tuple[State, ...]
    covariances: tuple[Covariance, ...]


@dataclass(frozen=True, slots=True)
class EphemerisMessage:
    header: Header
    segments: tuple[Segment, ...]


def _layout(made: type[Any], *elements: str) -> Layout:
    return Layout([Block(made, elements)], units_required=False, user_defined=False)


_HEADER = _layout(Header, "header")
_METADATA = _layout(Metadata, "body", "segment", "metadata")
_STATE = _layout(State, *_DATA, "stateVector")
_COVARIANCE = _layout(Covariance, *_DATA, "covarianceMatrix")


def read_oem_kvn(data: bytes) -> Iterator[EphemerisMessage | Refused]:
    """Each message of a file in keyword = value notation; never raises for content."""
    return read_as("OEM", kvn.read_messages(data), build_kvn)


def read_oem_xml(data: bytes) -> Iterator[EphemerisMessage | Refused]:
    """Each <oem> of a document, alone or in <ndm>; never raises for content."""
    return read_as("OEM", markup.read_messages(data), build_xml)


@dataclass(slots=True)
class _Parts:
    """One segment: the entries of its metadata, its states and covariances, and the entry each begins with."""

    metadata: list[Entry]
    states: list[tuple[State, Entry]] = field(default_factory=list)
    covariances: list[tuple[Covariance, Entry]] = field(default_factory=list)


# --- KVN -------------------------------------------------------------------------------------------------------


def build_kvn(message: Message) -> EphemerisMessage:
    """A message as lexed from KVN, held to the book; raises Bad."""
    entries = list(message.entries)
    starts = [at for at, entry in enumerate(entries) if entry.keyword == "META_START"]
    if not starts:
        raise Bad("", RefusalReason.MISSING, "META_START is missing")
    parts = [_kvn_segment(entries[start:end]) for start, end in pairwise([*starts, len(entries)])]
    return _assembled(entries[: starts[0]], parts)


def _kvn_segment(entries: list[Entry]) -> _Parts:
    stop = next((at for at, entry in enumerate(entries) if entry.keyword == "META_STOP"), None)
    if stop is None:
        raise BadEntry(entries[0], RefusalReason.MISSING, "META_STOP is missing")
    parts = _Parts(entries[1:stop])
    start = next((at for at, entry in enumerate(entries) if entry.keyword == "COVARIANCE_START"), len(entries))
    parts.states = [(_state_line(entry), entry) for entry in _without_comments(entries[stop + 1 : start])]
    if start < len(entries):
        if entries[-1].keyword != "COVARIANCE_STOP":
            raise BadEntry(entries[start], RefusalReason.MISSING, "COVARIANCE_STOP is missing, or not at the end")
        parts.covariances = _kvn_covariances(_without_comments(entries[start + 1 : -1]))
    return parts


def _without_comments(entries: list[Entry]) -> list[Entry]:
    """Those that open a section are let go; raises Bad for one between lines of data."""
    first = next((at for at, entry in enumerate(entries) if entry.keyword != COMMENT), len(entries))
    stray = next((entry for entry in entries[first:] if entry.keyword == COMMENT), None)
    if stray:
        raise BadEntry(stray, RefusalReason.UNREADABLE, "a comment stands among lines of data")
    return entries[first:]


def _state_line(entry: Entry) -> State:
    if entry.keyword:
        raise BadEntry(entry, RefusalReason.UNREADABLE, f"{entry.keyword[:80]} stands where a line of data should be")
    parts = entry.value.split()
    if len(parts) not in (7, 10):
        detail = f"the line has {len(parts)} values; an epoch, a position and a velocity are 7, with acceleration 10"
        raise BadEntry(entry, RefusalReason.LENGTH, detail)
    values = [_numeric(entry, part) for part in parts[1:]]
    return State(
        epoch=_read(entry, instant, parts[0]),
        position_km=tuple(values[:3]),
        velocity_km_s=tuple(values[3:6]),
        acceleration_km_s2=tuple(values[6:]) or None,
    )


def _read(entry: Entry, read: Callable[[object], Any], said: str) -> Any:
    try:
        return read(said)
    except Unfit as unfit:
        at = entry._replace(column=entry.column + entry.value.find(said))
        raise BadEntry(at, unfit.reason, f"a value {unfit}") from None


def _numeric(entry: Entry, said: str) -> float:
    return float(_read(entry, number, said))


def _kvn_covariances(entries: list[Entry]) -> list[tuple[Covariance, Entry]]:
    starts = [at for at, entry in enumerate(entries) if entry.keyword == "EPOCH"]
    if entries and (not starts or starts[0] > 0):
        raise BadEntry(entries[0], RefusalReason.MISSING, "the covariance has no EPOCH before it")
    spans = pairwise([*starts, len(entries)] if starts else [])
    return [(_kvn_covariance(entries[start:end]), entries[start]) for start, end in spans]


def _kvn_covariance(entries: list[Entry]) -> Covariance:
    framed = len(entries) > 1 and entries[1].keyword == "COV_REF_FRAME"
    rows = entries[1 + framed :]
    if len(rows) != 6:
        raise BadEntry(entries[0], RefusalReason.LENGTH, f"the covariance has {len(rows)} rows, not 6")
    triangle: list[float] = []
    for n, row in enumerate(rows, 1):
        parts = row.value.split()
        if row.keyword or len(parts) != n:
            raise BadEntry(row, RefusalReason.LENGTH, f"row {n} of the covariance has {len(parts)} values")
        triangle += [_numeric(row, part) for part in parts]
        _read(row, amount, parts[-1])
    return Covariance(
        epoch=_read(entries[0], instant, entries[0].value),
        ref_frame=entries[1].value if framed else None,
        lower_triangle=tuple(triangle),
    )


# --- XML -------------------------------------------------------------------------------------------------------


def build_xml(message: Message) -> EphemerisMessage:
    """A message as lexed from XML, held to the book; raises Bad."""
    header: list[Entry] = []
    segments: list[_Parts] = []
    for entries in _runs(message.entries):
        last = (entries[0].elements or ("",))[-1]
        if last == "header":
            header = entries
        elif last == "metadata":
            segments.append(_Parts(entries))
        elif not segments:
            raise BadEntry(entries[0], RefusalReason.UNREADABLE, "data stands before its metadata")
        elif last == "stateVector" and not segments[-1].covariances:
            segments[-1].states.append((_STATE.arrange(entries).block(State), entries[0]))
        elif last == "covarianceMatrix":
            segments[-1].covariances.append((_COVARIANCE.arrange(entries).block(Covariance), entries[0]))
        elif any(entry.keyword != COMMENT for entry in entries):
            raise BadEntry(entries[0], RefusalReason.UNREADABLE, f"<{entries[0].keyword[:80]}> is out of place")
    return _assembled(header, segments)


def _runs(entries: tuple[Entry, ...]) -> Iterator[list[Entry]]:
    """Neighbours in one element; a state or covariance begins with each EPOCH that follows a value."""
    run: list[Entry] = []
    for entry in entries:
        new = run and (entry.elements != run[-1].elements or (_begins(entry) and not _opened(run)))
        if new:
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _begins(entry: Entry) -> bool:
    return entry.keyword in (COMMENT, "EPOCH") and (entry.elements or ("",))[-1] in ("stateVector", "covarianceMatrix")


def _opened(run: list[Entry]) -> bool:
    return all(entry.keyword == COMMENT for entry in run)


# --- both ------------------------------------------------------------------------------------------------------


def _assembled(header: list[Entry], parts: list[_Parts]) -> EphemerisMessage:
    if not parts:
        raise Bad("", RefusalReason.MISSING, "the message has no metadata")
    read_header = _HEADER.arrange(header).block(Header)
    segments = tuple(map(_segment, parts))
    for (earlier, later), at in zip(pairwise(segments), parts[1:], strict=True):
        _follows(earlier.metadata, later.metadata, at.metadata[0])
    return EphemerisMessage(read_header, segments)


def _segment(parts: _Parts) -> Segment:
    metadata = _METADATA.arrange(parts.metadata).block(Metadata)
    _spans_are_nested(metadata, parts)
    _states_rise_within_the_span(metadata, parts)
    _covariances_rise(parts)
    _interpolation_has_its_degree_and_states(metadata, parts)
    return Segment(metadata, tuple(state for state, _ in parts.states), tuple(one for one, _ in parts.covariances))


def _said(parts: _Parts, keyword: str) -> Entry:
    return next(entry for entry in parts.metadata if entry.keyword == keyword)


def _spans_are_nested(metadata: Metadata, parts: _Parts) -> None:
    times = (metadata.start_time, metadata.useable_start_time, metadata.useable_stop_time, metadata.stop_time)
    if any(later < earlier for earlier, later in pairwise(time for time in times if time)):
        detail = "start, useable start, useable stop and stop are not in order"
        raise BadEntry(_said(parts, "START_TIME"), RefusalReason.MISMATCH, detail)


def _states_rise_within_the_span(metadata: Metadata, parts: _Parts) -> None:
    if not parts.states:
        raise BadEntry(parts.metadata[0], RefusalReason.MISSING, "the segment has no states")
    last = None
    for state, entry in parts.states:
        if last is not None and state.epoch <= last:
            raise BadEntry(entry, RefusalReason.MISMATCH, "the state is not later than the one before it")
        if not metadata.start_time <= state.epoch <= metadata.stop_time:
            raise BadEntry(entry, RefusalReason.MISMATCH, "the state lies outside START_TIME to STOP_TIME")
        if not any(state.position_km):
            raise BadEntry(entry, RefusalReason.RANGE, "the state lies in the centre of its body")
        last = state.epoch


def _covariances_rise(parts: _Parts) -> None:
    for (earlier, _), (later, entry) in pairwise(parts.covariances):
        if later.epoch <= earlier.epoch:
            raise BadEntry(entry, RefusalReason.MISMATCH, "the covariance is not later than the one before it")


_NODES = {"HERMITE": 2, "LAGRANGE": 1, "LINEAR": 1}  # conditions that a state gives to the polynomial


def _interpolation_has_its_degree_and_states(metadata: Metadata, parts: _Parts) -> None:
    method, degree, states = metadata.interpolation or "", metadata.interpolation_degree, len(parts.states)
    if method and degree is None:
        raise BadEntry(_said(parts, "INTERPOLATION"), RefusalReason.MISSING, "INTERPOLATION_DEGREE is missing")
    conditions = _NODES.get(method, 0) * states
    if conditions and conditions <= (degree or 0):
        detail = f"{states} states are too few for {method} of degree {degree}"
        raise BadEntry(_said(parts, "INTERPOLATION_DEGREE"), RefusalReason.MISMATCH, detail)


def _follows(earlier: Metadata, later: Metadata, at: Entry) -> None:
    if (earlier.object_id, earlier.time_system) != (later.object_id, later.time_system):
        raise BadEntry(at, RefusalReason.MISMATCH, "OBJECT_ID and TIME_SYSTEM are not those of the segment before")
    start, stop = later.useable_start_time, earlier.useable_stop_time
    if start and stop and start < stop:
        raise BadEntry(at, RefusalReason.MISMATCH, "the useable spans of this segment and the one before overlap")
