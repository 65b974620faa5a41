"""A recorded fact beside what its recorded inputs give now: field by field, with all digits."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from libs.compared import Field
from libs.eventlog import Recorded
from spacecom.eventlog.v1 import explanation_pb2 as wire

BATCH = 1000

Names = Mapping[type[Message], Callable[[Any], str]]


@dataclass(frozen=True, slots=True)
class Input:
    """A fact by its event id, or a file by its SHA-256."""

    name: str
    event_id: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """model_version: that of the fact, empty where no physics is done."""

    fields: tuple[Field, ...]
    inputs: tuple[Input, ...]
    model_version: str = ""


def fields(recorded: Message, recomputed: Message, names: Names, left_out: Collection[str] = ()) -> list[Field]:
    """Every field of either. `names` tells the messages of a list apart; `left_out` are fields not computed."""
    then, now = (dict(_texts(one, "", names, left_out)) for one in (recorded, recomputed))
    return [Field(path, then.get(path, ""), now.get(path, "")) for path in then | now]


def _texts(message: Message, path: str, names: Names, left_out: Collection[str]) -> Iterator[tuple[str, str]]:
    for field in message.DESCRIPTOR.fields:
        if field.name in left_out:
            continue
        value, here = getattr(message, field.name), path + field.name
        if field.is_repeated:
            yield from _parts(value, here, names, left_out)
        elif not isinstance(value, Message):
            yield here, _text(field.enum_type, value)
        elif isinstance(value, Timestamp):
            yield here, value.ToJsonString() if message.HasField(field.name) else ""
        elif message.HasField(field.name):
            yield from _texts(value, f"{here}.", names, left_out)


def _parts(values: Sequence[Any], path: str, names: Names, left_out: Collection[str]) -> Iterator[tuple[str, str]]:
    """The list as the names of its parts in order, then each part."""
    if not values or not isinstance(values[0], Message):
        yield path, ", ".join(map(str, values))
        return
    name = names.get(type(values[0]))
    keys = [name(one) if name else str(place) for place, one in enumerate(values)]
    yield path, ", ".join(keys)
    for key, one in zip(keys, values, strict=True):
        yield from _texts(one, f"{path}[{key}].", names, left_out)


def _text(kind: Any, value: Any) -> str:
    if kind is not None:
        return str(kind.values_by_number[value].name)
    return repr(value) if isinstance(value, float | bytes) else str(value)


def to_wire(fact: Recorded, found: Recomputed, model_version: str) -> wire.Explanation:
    """Without the fields, which may be more than one answer holds: see `batches`."""
    differing = sum(not one.identical for one in found.fields)
    told = wire.Explanation(
        event_id=str(fact.event_id),
        type=fact.type,
        identical=not differing,
        field_count=len(found.fields),
        differing_count=differing,
        recorded_model_version=found.model_version,
        model_version=model_version,
        inputs=[wire.RecordedInput(name=one.name, event_id=one.event_id, sha256=one.sha256) for one in found.inputs],
    )
    told.recorded_at.FromDatetime(fact.recorded_at)
    return told


def fields_to_wire(found: Recomputed) -> list[wire.ComparedField]:
    """Those that differ first, else in the order of the fact."""
    return [
        wire.ComparedField(path=one.name, recorded=one.recorded, recomputed=one.recomputed, identical=one.identical)
        for one in sorted(found.fields, key=lambda one: one.identical)
    ]


def batches(found: Recomputed) -> Iterator[list[wire.ComparedField]]:
    """As `fields_to_wire`, in parts that one message holds."""
    fields = fields_to_wire(found)
    for first in range(0, len(fields), BATCH):
        yield fields[first : first + BATCH]
