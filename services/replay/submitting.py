"""A case through the gate of ingest, as its sources sent it, to be recorded."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc

from libs.astro.time import MJD_0_JD, jd_to_datetime
from libs.cases import BadCase, Case, Input
from libs.eventlog import Recorded
from services.replay import recording
from services.replay.recording import Recording
from services.replay.temporary import Running, Tell
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.ingest.v1 import ingest_service_pb2 as wire
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub

CHUNK = 2**19
DEADLINE_S = 600.0
PUBLISHED_AFTER = timedelta(hours=3)  # a day's space weather is out in the night that follows it
WEATHER_BEFORE = timedelta(days=200)


async def record(case: Case, running: Running, folder: Path, tell: Tell) -> Recording:
    """Submits the case's input and writes what became of it as a recording; tells which records were refused."""
    async with running.channel("ingest") as channel:
        stub = IngestServiceStub(channel)
        for one in case.inputs:
            try:
                answer = await stub.Submit(_parts(one), timeout=DEADLINE_S, metadata=running.metadata)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
                    raise
                raise BadCase(f"{one.name} cannot be submitted: {error.details()}") from error
            check(one, answer, tell)
    facts = await running.log("ingest")
    require(facts, case)
    return await recording.write(folder, recording.ordered(_as_known(facts), case.name), running.blobs)


def check(one: Input, answer: wire.SubmitResponse, tell: Tell) -> None:
    """Raises BadCase where nothing was accepted; what is known from an input before it is no fault."""
    first = f"the first: line {answer.rejections[0].line}: {answer.rejections[0].detail}" if answer.rejections else ""
    if not answer.accepted_count and not answer.duplicate_count:
        raise BadCase(f"nothing of {one.name} was accepted; {first or 'it holds nothing'}")
    if answer.rejected_count:
        tell(f"{answer.rejected_count} records of {one.name} were refused, {first}")


def require(facts: list[Recorded], case: Case) -> None:
    """Raises BadCase where no set of the object was accepted."""
    sets = [found for one in facts if isinstance(found := one.message(), ingest.ElementSetAccepted)]
    if not any(one.catalogue_number == case.catalogue_number for one in sets):
        raise BadCase(f"{case.name} has no element set of object {case.catalogue_number}; name a file of them in it")


async def _parts(one: Input) -> AsyncIterator[wire.SubmitRequest]:
    header = wire.SubmitHeader(
        source=one.source, format=wire.InputFormat.Value(f"INPUT_FORMAT_{one.format}"), dataset=one.dataset
    )
    if one.available_at:
        header.available_at.FromDatetime(one.available_at)
    yield wire.SubmitRequest(header=header)
    for start in range(0, len(one.data), CHUNK):
        yield wire.SubmitRequest(chunk=one.data[start : start + CHUNK])


def _timed(facts: list[Recorded]) -> Iterator[Recorded]:
    """A fact without a time of its own became known with the one recorded after it, which it was read from."""
    known = facts[-1].available_at
    for fact in reversed(facts):
        known = fact.available_at if fact.available_at < fact.recorded_at else known
        yield replace(fact, available_at=known)


def _as_known(facts: list[Recorded]) -> Iterator[Recorded]:
    """A file of many years of space weather says of each day what was known in the night after it."""
    epochs = [one.occurred_at for one in facts if one.type == ingest.ElementSetAccepted.DESCRIPTOR.full_name]
    first, last = min(epochs) - WEATHER_BEFORE, max(epochs) + timedelta(days=2)
    for fact in _timed(facts):
        message = fact.message()
        if not isinstance(message, ingest.SpaceWeatherRecorded | ingest.SpaceWeatherForecastRecorded):
            yield fact
        elif isinstance(message, ingest.SpaceWeatherRecorded):
            for day in message.days:
                at = jd_to_datetime(MJD_0_JD + day.mjd + 1, 0.0) + PUBLISHED_AFTER
                if first <= at <= last:
                    single = ingest.SpaceWeatherRecorded(
                        source=message.source, days=[day], input_sha256=message.input_sha256
                    )
                    known = min(at, fact.available_at)
                    data = single.SerializeToString(deterministic=True)
                    yield replace(fact, data=data, available_at=known, occurred_at=known)
