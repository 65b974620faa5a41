"""CloudEvents 1.0 in binary mode on Kafka: a recorded event to headers, and raw headers back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from libs.eventlog import Cause, Recorded
from libs.redistribution import INTERNAL

Headers = list[tuple[str, bytes]]
CONTENT_TYPE = b"application/protobuf"
MAX_DIGITS = 20


class BadEnvelope(Exception):
    """A header is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class Meta:
    """What the headers of a message say of its event."""

    event_id: UUID
    source: str
    type: str
    stream: str
    sequence: int
    position: int
    occurred_at: datetime
    available_at: datetime
    recorded_at: datetime
    cause: Cause
    redistribution: str


def headers(recorded: Recorded, service: str) -> Headers:
    cause = recorded.cause
    values = {
        "ce_specversion": "1.0",
        "ce_id": str(recorded.event_id),
        "ce_source": f"/spacecom/{service}",
        "ce_type": recorded.type,
        "ce_subject": recorded.stream,
        "ce_sequence": f"{recorded.version:020d}",
        "ce_position": str(recorded.position),
        "ce_time": recorded.occurred_at.isoformat(),
        "ce_availabletime": recorded.available_at.isoformat(),
        "ce_recordedtime": recorded.recorded_at.isoformat(),
        "ce_correlationid": str(cause.correlation_id),
        "ce_causationid": str(cause.causation_id or ""),
        "ce_traceparent": cause.traceparent,
        "ce_redistribution": recorded.redistribution,
    }
    return [*((name, value.encode()) for name, value in values.items()), ("content-type", CONTENT_TYPE)]


def meta(raw: Iterable[tuple[str, bytes]]) -> Meta:
    """Raises BadEnvelope, whatever the headers hold."""
    found = dict(raw)
    if _text(found, "ce_specversion") != "1.0":
        raise BadEnvelope("header ce_specversion is not 1.0; only CloudEvents 1.0 is read")
    causation = _text(found, "ce_causationid")
    return Meta(
        _uuid(found, "ce_id"),
        _text(found, "ce_source"),
        _required(found, "ce_type"),
        _required(found, "ce_subject"),
        _integer(found, "ce_sequence"),
        _integer(found, "ce_position"),
        _instant(found, "ce_time"),
        _instant(found, "ce_availabletime"),
        _instant(found, "ce_recordedtime"),
        Cause(
            _uuid(found, "ce_correlationid"),
            _uuid(found, "ce_causationid") if causation else None,
            _text(found, "ce_traceparent"),
        ),
        _text(found, "ce_redistribution") if "ce_redistribution" in found else INTERNAL,
    )


def readable_stream(raw: Iterable[tuple[str, bytes]]) -> tuple[str, int]:
    """Stream and sequence as far as they can be read, else an empty text and 0; never raises."""
    found = dict(raw)
    try:
        return _required(found, "ce_subject"), _integer(found, "ce_sequence")
    except BadEnvelope:
        return "", 0


def _text(found: Mapping[str, bytes], name: str) -> str:
    if not isinstance(found.get(name), bytes):
        raise BadEnvelope(f"header {name} is missing")
    try:
        text = found[name].decode()
    except UnicodeDecodeError as error:
        raise BadEnvelope(f"header {name} is not UTF-8: {found[name][:100]!r}") from error
    if "\0" in text:
        raise BadEnvelope(f"header {name} holds a NUL: {found[name][:100]!r}")
    return text


def _required(found: Mapping[str, bytes], name: str) -> str:
    text = _text(found, name)
    if not text:
        raise BadEnvelope(f"header {name} is empty")
    return text


def _uuid(found: Mapping[str, bytes], name: str) -> UUID:
    text = _text(found, name)
    try:
        return UUID(text)
    except ValueError as error:
        raise BadEnvelope(f"header {name} is not a UUID: {text[:100]!r}") from error


def _integer(found: Mapping[str, bytes], name: str) -> int:
    text = _text(found, name)
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and 0 < int(text) < 2**63):
        raise BadEnvelope(f"header {name} is not a whole number from 1: {text[:100]!r}")
    return int(text)


def _instant(found: Mapping[str, bytes], name: str) -> datetime:
    text = _text(found, name)
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise BadEnvelope(f"header {name} has no time zone: {text[:100]!r}")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadEnvelope(f"header {name} is not a time: {text[:100]!r}") from error
