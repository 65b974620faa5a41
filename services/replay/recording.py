"""What a mesh recorded from outside, in the order in which it became known, to be played again.

A recording is a folder: facts.binpb holds the facts one after the other, each behind its length; blobs/ what they cite.
"""

import re
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from google.protobuf.message import Message

from libs import logwire, redistribution
from libs.blobs import Blobs
from libs.eventlog import Cause, Recorded
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.ingest.v1 import ingest_events_pb2 as ingest

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OF_THE_MESH = (ingest.SourceStateChanged, ingest.InputRejected)  # what it said of its sources, not what they said


class BadRecording(Exception):
    """The folder holds no recording, or a part of one."""


@dataclass(frozen=True, slots=True)
class Recording:
    folder: Path

    @property
    def blobs(self) -> Blobs:
        return Blobs((self.folder / "blobs").absolute().as_uri())

    def facts(self) -> list[Recorded]:
        """In the order in which they became known."""
        path = self.folder / "facts.binpb"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadRecording(f"{path} cannot be read: {error}; record the case again") from error
        return [logwire.from_wire(log_pb.RecordedEvent.FromString(part)) for part in _parts(data, path)]


def _parts(data: bytes, path: Path) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        part = data[at + 4 : at + 4 + size]
        if len(part) < size:
            raise BadRecording(f"{path} is cut short; record the case again")
        yield part
        at += 4 + size


def ordered(facts: Iterable[Recorded], name: str) -> list[Recorded]:
    """As they became known; each with an identity that follows from the recording's name and its place in it.

    So every recording of the same input is the same, and with it every number drawn from an identity.
    """
    known = [one for one in facts if not isinstance(one.message(), _OF_THE_MESH)]
    known.sort(key=lambda one: (one.available_at, one.position))
    return [_renamed(one, uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{place}")) for place, one in enumerate(known)]


def _renamed(fact: Recorded, identity: uuid.UUID) -> Recorded:
    return replace(fact, event_id=identity, cause=Cause(identity, None, ""))


async def write(folder: Path, facts: Iterable[Recorded], blobs: Blobs) -> Recording:
    recording = Recording(folder)
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    partial = folder / "facts.binpb.new"
    with partial.open("wb") as file:
        for fact in facts:
            async for data in _cited(fact, blobs):
                await recording.blobs.put(data)
            wire = logwire.to_wire(fact, frozenset(redistribution.CLASSES)).SerializeToString(deterministic=True)
            file.write(len(wire).to_bytes(4, "big") + wire)
    partial.replace(folder / "facts.binpb")
    return recording


async def _cited(fact: Recorded, blobs: Blobs) -> AsyncIterator[bytes]:
    """Only what is read again: the raw input of an element set is not."""
    message = fact.message()
    if isinstance(message, ingest.ElementSetAccepted | ingest.SpaceWeatherRecorded):
        return
    for sha256 in _hashes(message):
        yield await blobs.get(sha256)


def _hashes(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name.endswith("_sha256") and isinstance(value, str) and _SHA256.fullmatch(value):
            yield value
