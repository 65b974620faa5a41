"""INVARIANT: a fact recorded once can be read for ever. A golden file is never edited; a new field gets a new file."""

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message


def test_every_event_type_has_a_golden_instance_and_every_instance_a_type(event_types, golden_types):
    assert golden_types == event_types


def test_it_decodes_to_what_it_said_and_back_to_the_same_bytes(golden):
    decoded = golden.kind.FromString(golden.wire)
    assert MessageToDict(decoded, preserving_proto_field_name=True) == golden.message
    assert decoded.SerializeToString(deterministic=True) == golden.wire


def test_its_text_encodes_to_the_same_bytes(golden):
    assert ParseDict(golden.message, golden.kind()).SerializeToString(deterministic=True) == golden.wire


def test_nothing_in_it_is_unknown_to_the_wire_of_today(golden):
    decoded = golden.kind.FromString(golden.wire)
    known = decoded.ByteSize()
    decoded.DiscardUnknownFields()
    assert decoded.ByteSize() == known


def test_every_field_is_set_so_that_each_is_held(event_types, newest_goldens):
    unset = {name: list(_unset(one.kind.FromString(one.wire))) for name, one in newest_goldens.items()}
    assert unset.keys() == event_types
    assert not any(unset.values()), unset


def _unset(message: Message, path: str = ""):
    present = {field.name: value for field, value in message.ListFields()}
    for field in message.DESCRIPTOR.fields:
        if field.name not in present:
            yield f"{path}{field.name}"
    for name, value in present.items():
        parts = value if hasattr(value, "__getitem__") and not isinstance(value, str | bytes) else [value]
        for part in parts:
            if isinstance(part, Message) and part.DESCRIPTOR.full_name != "google.protobuf.Timestamp":
                yield from _unset(part, f"{path}{name}.")
