"""Orbit Ephemeris Messages (CCSDS 502.0-B-3) in KVN and XML.

Positions in km, velocities in km/s, in the frame and time system of their segment. Comments are for people and are not
kept.
"""

import math
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
    return read_as("OEM", kvn.read_messages(data), _from_kvn)


def read_oem_xml(data: bytes) -> Iterator[EphemerisMessage | Refused]:
    """Each <oem> of a document, alone or in <ndm>; never raises for content."""
    return read_as("OEM", markup.read_messages(data), _from_xml)


@dataclass(slots=True)
class _Parts:
    """Entries of one segment, sorted by what they are of."""

    metadata: list[Entry] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    covariances: list[Covariance] = field(default_factory=list)


# --- KVN -------------------------------------------------------------------------------------------------------


def _from_kvn(message: Message) -> EphemerisMessage:
    entries = list(message.entries)
    starts = [at for at, entry in enumerate(entries) if entry.keyword == "META_START"]
    if not starts:
        raise Bad("", RefusalReason.MISSING, "META_START is missing")
    parts = [_kvn_segment(entries[start:end]) for start, end in zip(starts, [*starts[1:], len(entries)], strict=True)]
    return _assembled(entries[: starts[0]], parts)


def _kvn_segment(entries: list[Entry]) -> _Parts:
    stop = next((at for at, entry in enumerate(entries) if entry.keyword == "META_STOP"), None)
    if stop is None:
        raise BadEntry(entries[0], RefusalReason.MISSING, "META_STOP is missing")
    parts = _Parts(entries[1:stop])
    start = next((at for at, entry in enumerate(entries) if entry.keyword == "COVARIANCE_START"), len(entries))
    parts.states = [_state_line(entry) for entry in _without_comments(entries[stop + 1 : start])]
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


def _kvn_covariances(entries: list[Entry]) -> list[Covariance]:
    starts = [at for at, entry in enumerate(entries) if entry.keyword == "EPOCH"]
    if entries and (not starts or starts[0] > 0):
        raise BadEntry(entries[0], RefusalReason.MISSING, "the covariance has no EPOCH before it")
    return [_kvn_covariance(entries[start:end]) for start, end in zip(starts, [*starts[1:], len(entries)], strict=True)]


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


def _from_xml(message: Message) -> EphemerisMessage:
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
            segments[-1].states.append(_STATE.arrange(entries).block(State))
        elif last == "covarianceMatrix":
            segments[-1].covariances.append(_COVARIANCE.arrange(entries).block(Covariance))
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
    segments = tuple(
        Segment(_METADATA.arrange(one.metadata).block(Metadata), tuple(one.states), tuple(one.covariances))
        for one in parts
    )
    read = EphemerisMessage(_HEADER.arrange(header).block(Header), segments)
    for segment in segments:
        for rule in _SEGMENT_RULES:
            rule(segment)
    for earlier, later in pairwise(segments):
        _follows(earlier.metadata, later.metadata)
    return read


def _spans_are_nested(segment: Segment) -> None:
    said = segment.metadata
    times = (said.start_time, said.useable_start_time, said.useable_stop_time, said.stop_time)
    if any(later < earlier for earlier, later in pairwise(time for time in times if time)):
        raise Bad("STOP_TIME", RefusalReason.MISMATCH, "start, useable start, useable stop and stop are not in order")


def _states_rise_within_the_span(segment: Segment) -> None:
    if not segment.states:
        raise Bad("", RefusalReason.MISSING, "a segment has no states")
    epochs = [state.epoch for state in segment.states]
    if any(later <= earlier for earlier, later in pairwise(epochs)):
        raise Bad("", RefusalReason.MISMATCH, "the states of a segment do not rise in time")
    if epochs[0] < segment.metadata.start_time or epochs[-1] > segment.metadata.stop_time:
        raise Bad("START_TIME", RefusalReason.MISMATCH, "states lie outside START_TIME to STOP_TIME")
    if any(not math.hypot(*state.position_km) for state in segment.states):
        raise Bad("", RefusalReason.RANGE, "a state lies in the centre of its body")


def _covariances_rise(segment: Segment) -> None:
    if any(later.epoch <= earlier.epoch for earlier, later in pairwise(segment.covariances)):
        raise Bad("", RefusalReason.MISMATCH, "the covariances of a segment do not rise in time")


_NODES = {"HERMITE": 2, "LAGRANGE": 1, "LINEAR": 1}  # conditions that a state gives to the polynomial


def _interpolation_has_its_degree_and_states(segment: Segment) -> None:
    said, states = segment.metadata, len(segment.states)
    if said.interpolation and said.interpolation_degree is None:
        raise Bad("INTERPOLATION", RefusalReason.MISSING, "INTERPOLATION_DEGREE is missing")
    conditions = _NODES.get(said.interpolation or "", 0) * states
    if conditions and conditions <= (said.interpolation_degree or 0):
        detail = f"{states} states are too few for {said.interpolation} of degree {said.interpolation_degree}"
        raise Bad("INTERPOLATION_DEGREE", RefusalReason.MISMATCH, detail)


_SEGMENT_RULES: tuple[Callable[[Segment], None], ...] = (
    _spans_are_nested,
    _states_rise_within_the_span,
    _covariances_rise,
    _interpolation_has_its_degree_and_states,
)


def _follows(earlier: Metadata, later: Metadata) -> None:
    if (earlier.object_id, earlier.time_system) != (later.object_id, later.time_system):
        detail = "OBJECT_ID and TIME_SYSTEM are not the same in all segments"
        raise Bad("OBJECT_ID", RefusalReason.MISMATCH, detail)
    stop = earlier.useable_stop_time or earlier.stop_time
    if (later.useable_start_time or later.start_time) < stop and earlier.useable_stop_time and later.useable_start_time:
        raise Bad("USEABLE_START_TIME", RefusalReason.MISMATCH, "useable spans of two segments overlap")
