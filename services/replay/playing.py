"""Plays a recording to a mesh: fact by fact, each only when all that follows from the one before is done."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from google.protobuf.json_format import MessageToDict

from libs import logwire, redistribution
from libs.eventlog import Recorded
from services.replay.recording import Recording
from services.replay.temporary import Running
from spacecom.eventlog.v1 import operations_service_pb2 as pb
from spacecom.eventlog.v1.operations_service_pb2_grpc import OperationsServiceStub

LOOK_S = 0.02
LONGEST_LOOK_S = 0.2
DEADLINE_S = 30.0
QUIET_S = 900.0  # the longest work that follows from one fact
FOLLOWERS = ("propagation", "hazard", "alerting")  # whose facts are the answer


class Stuck(Exception):
    """The mesh does not come to rest, or set a message aside."""


@dataclass(frozen=True, slots=True)
class Step:
    """Facts that became known at one instant."""

    known_at: datetime
    facts: tuple[Recorded, ...]


def steps(facts: Iterable[Recorded], start: datetime | None) -> Iterator[Step]:
    """All that was known by the start is one step: what was predicted before it is not asked for."""
    early: list[Recorded] = []
    for known_at, group in groupby(facts, key=lambda one: one.available_at):
        found = tuple(group)
        if start and known_at <= start:
            early += found
            continue
        if early:
            yield Step(early[-1].available_at, tuple(early))
            early = []
        yield Step(known_at, found)
    if early:
        yield Step(early[-1].available_at, tuple(early))


async def play(recording: Recording, running: Running, start: datetime | None, tell: Callable[[Step], None]) -> None:
    facts = recording.facts()
    await _give_blobs(recording, running)
    async with running.channel("ingest") as channel:
        stub = OperationsServiceStub(channel)
        for step in steps(facts, start):
            tell(step)
            await stub.Import(_requests(step.facts), metadata=running.metadata)
            await quiet(running)


async def _give_blobs(recording: Recording, running: Running) -> None:
    for path in (recording.folder / "blobs").glob("*/*"):
        await running.blobs.put(await asyncio.to_thread(path.read_bytes))


async def _requests(facts: Sequence[Recorded]) -> AsyncIterator[pb.ImportRequest]:
    for fact in facts:
        yield pb.ImportRequest(event=logwire.to_wire(fact, frozenset(redistribution.CLASSES)))


async def quiet(running: Running) -> None:
    """Returns when everything recorded was handled by all who read it, and no work is open."""
    pause = LOOK_S
    async with asyncio.timeout(QUIET_S):
        while True:
            waiting = _waiting(await _flows(running))
            if not waiting:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK_S)


async def _flows(running: Running) -> dict[str, pb.GetFlowResponse]:
    """Asked from left to right, as facts flow: who was at rest stays so when all on its left are."""
    found = {}
    for part in running.services:
        async with running.channel(part) as channel:
            stub = OperationsServiceStub(channel)
            found[part] = await stub.GetFlow(pb.GetFlowRequest(), timeout=DEADLINE_S, metadata=running.metadata)
    return found


def _waiting(flows: Mapping[str, pb.GetFlowResponse]) -> list[str]:
    recorded = {topic.topic: topic.reach for flow in flows.values() for topic in flow.topics}
    waiting = [f"{part} has {flow.open_work_count} to do" for part, flow in flows.items() if flow.open_work_count]
    for flow in flows.values():
        for consumer in flow.consumers:
            if consumer.parked_count:
                raise Stuck(f"{consumer.consumer} set {consumer.parked_count} messages aside; the replay is no answer")
            if consumer.reach < recorded.get(consumer.topic, 0):
                waiting.append(f"{consumer.consumer} reads {consumer.topic}")
    return waiting


async def facts_of(running: Running) -> dict[str, list[Recorded]]:
    """What the mesh made of it, by service."""
    return {service: await running.log(service) for service in FOLLOWERS}


def digest(facts: Iterable[Recorded]) -> str:
    """SHA-256 of what the facts say, each stream in its order: not of when they were recorded, nor across streams.

    The chunks of a run are done in any order, so that of a run all facts count, and their order does not.
    """
    lines = sorted((one.stream, _place(one), _canonical(one)) for one in facts)
    return hashlib.sha256("\n".join(line for *_, line in lines).encode()).hexdigest()


def _place(fact: Recorded) -> int:
    return 0 if fact.stream.startswith("run/") else fact.version


def _canonical(fact: Recorded) -> str:
    content = MessageToDict(fact.message(), preserving_proto_field_name=True)
    said = [fact.stream, _place(fact), str(fact.event_id), fact.type, fact.occurred_at.isoformat(), content]
    return json.dumps(said, sort_keys=True)
