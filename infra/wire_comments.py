"""The messages of the wire with their comments, as the proto files have them."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

PROTO = Path(__file__).parents[1] / "proto"
STREAM = "Stream `"  # the comment of a fact names its stream; a message without one is a part of facts
MESSAGES, FIELDS, ENUMS, VALUES = (
    FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER,
    DescriptorProto.FIELD_FIELD_NUMBER,
    FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER,
    EnumDescriptorProto.VALUE_FIELD_NUMBER,
)


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    comment: str


@dataclass(frozen=True, slots=True)
class Message:
    """`fields` of an enum are its values."""

    full_name: str
    comment: str
    fields: tuple[Field, ...]
    is_enum: bool = False

    @property
    def is_event(self) -> bool:
        return STREAM in self.comment


def event_messages() -> list[Message]:
    """All messages and enums of the files of events, in their order."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "set"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", "--include_source_info"]
        files = sorted(PROTO.rglob("*_events.proto"))
        subprocess.run([*command, f"--descriptor_set_out={out}", *files], check=True)
        found = FileDescriptorSet.FromString(out.read_bytes())
    return [message for file in found.file for message in _messages(file)]


def _messages(file: FileDescriptorProto) -> Iterator[Message]:
    said = {tuple(one.path): " ".join(one.leading_comments.split()) for one in file.source_code_info.location}
    for i, message in enumerate(file.message_type):
        fields = tuple(
            Field(field.name, _kind(field), said.get((MESSAGES, i, FIELDS, j), ""))
            for j, field in enumerate(message.field)
        )
        yield Message(f"{file.package}.{message.name}", said.get((MESSAGES, i), ""), fields)
    for i, enum in enumerate(file.enum_type):
        values = tuple(
            Field(value.name, str(value.number), said.get((ENUMS, i, VALUES, j), ""))
            for j, value in enumerate(enum.value)
        )
        yield Message(f"{file.package}.{enum.name}", said.get((ENUMS, i), ""), values, is_enum=True)


def _kind(field: FieldDescriptorProto) -> str:
    name = (
        field.type_name.rpartition(".")[2] or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    )
    return f"repeated {name}" if field.label == FieldDescriptorProto.LABEL_REPEATED else name
