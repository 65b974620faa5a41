"""Recorded facts of hazard computed again from the root inputs of their run, by what computed them. Records nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message

from libs import recomputed
from libs.compared import Field
from libs.eventlog import Recorded
from libs.recomputed import Input, Names, Recomputed
from libs.rpc import FailedPrecondition
from services.hazard import (
    assessment_codec,
    assumptions,
    codec,
    domain,
    exposing,
    flying,
    plan_codec,
    queries,
    running,
    settling,
    working,
)
from services.hazard.domain import AirspaceSet, Run, RunRequested
from services.hazard.plan_domain import ClosingPlanned
from services.hazard.running import Desk
from spacecom.hazard.v1 import hazard_events_pb2 as pb

NAMES: Names = {
    pb.FirHazard: lambda one: str(one.fir_designator),
    pb.FirPass: lambda one: f"revolution {one.revolution}",
    pb.PieceHazard: lambda one: f"FL{one.lower_fl:g}-{one.upper_fl:g}",
    pb.TravellingBox: lambda one: f"{one.kind} FL{one.lower_fl:g}-{one.upper_fl:g}",
    pb.ConservativeBaseline: lambda one: f"{one.half_width_km:g} km",
    pb.ClosingWay: lambda one: str(one.name),
    pb.Spill: lambda one: str(one.fir_designator),
}
LEFT_OUT = ("model_version", "airspace_notice")  # told beside; copied from the airspace as it was then


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A run and the facts it is read from."""

    run: Run
    requested: RunRequested
    history: Sequence[Recorded]

    @property
    def known_at(self) -> datetime:
        return self.history[0].occurred_at


async def object_of(desk: Desk, fact: Recorded) -> int:
    """Catalogue number; 0 for a run whose request is not in the log."""
    match message := fact.message():
        case pb.HazardAssessed() | pb.ClosingPlanned():
            return message.catalogue_number
        case pb.QuickAssessed() | pb.VariantAssessed():
            return message.hazard.catalogue_number
        case _:
            run_id = codec.run_event(message).run_id
            async with desk.database.acquire() as conn:
                run, _ = await running.load(desk.log, conn, run_id)
            return run.requested.catalogue_number if run.requested else 0


async def recompute(desk: Desk, fact: Recorded) -> Recomputed:
    """Raises NothingComputed, FailedPrecondition when a fact it rests on is gone, and what settling a run raises."""
    match message := fact.message():
        case pb.ChunkCompleted():
            return await _chunk(desk, message)
        case pb.RunCompleted():
            return await _run(desk, message)
        case pb.QuickAssessed():
            return await _quick(desk, message)
        case pb.HazardAssessed():
            return await _assessment(desk, message, message)
        case pb.VariantAssessed():
            return await _assessment(desk, message, message.hazard)
        case pb.ClosingPlanned():
            return await _plan(desk, message)
        case _:
            raise domain.NothingComputed(
                f"{fact.type} {fact.event_id} carries no number that was computed; explain the assessment of its run"
            )


async def _chunk(desk: Desk, message: pb.ChunkCompleted) -> Recomputed:
    found = await _on_record(desk, message.run_id)
    again = await _flown(desk, found.run, message.chunk)
    inputs = (*_asked(found), *_files(found))
    return Recomputed(tuple(_compared(message, codec.to_wire(again))), inputs, message.model_version)


async def _run(desk: Desk, message: pb.RunCompleted) -> Recomputed:
    found = await _on_record(desk, message.run_id)
    again, assessed = await _assessed(desk, found, "")
    ended = codec.to_wire(domain.RunCompleted(assessed.run_id, assessed.sample_count))
    model = found.run.chunks[0].model_version
    return Recomputed((*_compared(message, ended), *_chunks(found.run, again)), _inputs(found), model)


async def _assessment(
    desk: Desk, message: pb.HazardAssessed | pb.VariantAssessed, hazard: pb.HazardAssessed
) -> Recomputed:
    found = await _on_record(desk, hazard.run_id)
    again, assessed = await _assessed(desk, found, hazard.airspace_notice)
    told = domain.VariantAssessed(assessed) if isinstance(message, pb.VariantAssessed) else assessed
    fields = (*_compared(message, codec.to_wire(told)), *_chunks(found.run, again))
    return Recomputed(fields, _inputs(found), hazard.model_version)


async def _quick(desk: Desk, message: pb.QuickAssessed) -> Recomputed:
    hazard, given = message.hazard, message.inputs
    if not message.HasField("inputs"):
        raise FailedPrecondition(
            "the quick corridor was recorded before its inputs were; explain the assessment of "
            f"run {hazard.run_id}, which refined it"
        )
    prediction = codec.quick_prediction(message)
    airspace = AirspaceSet(hazard.airspace_dataset, given.airspace_sha256, hazard.airspace_notice)
    done = await settling.quick_corridor(desk, prediction, airspace, given.sample_count)
    told = domain.QuickAssessed(done.hazard, domain.quick_inputs(prediction, airspace, given.sample_count))
    inputs = (
        Input("prediction", hazard.prediction_event_id),
        Input("draws", sha256=given.draws_sha256),
        Input("weather drivers", sha256=given.drivers_sha256),
        Input(f"airspace {hazard.airspace_dataset}", sha256=given.airspace_sha256),
    )
    return Recomputed(tuple(_compared(message, codec.to_wire(told))), inputs, hazard.model_version)


async def _plan(desk: Desk, message: pb.ClosingPlanned) -> Recomputed:
    found = await _on_record(desk, message.run_id)
    async with desk.database.acquire() as conn:
        row = await queries.assessment_of_run(conn, found.requested.run_id)
    if row is None:
        raise FailedPrecondition(
            f"the assessment of run {message.run_id}, which the plan rests on, is not in the read model; rebuild it "
            "with: spacecom rebuild-read-models hazard"
        )
    again, assessed = await _assessed(desk, found, "")
    hazard = assessment_codec.to_wire(assessed)
    own = await desk.blobs.get(message.assumptions_sha256)
    traffic = (message.traffic_sha256, message.traffic_source) if message.traffic_sha256 else ("", "")
    job = await exposing.job_of(desk, hazard, found.requested.airspace_sha256, own, *traffic)
    asked = replace(plan_codec.asked(message), harm=assumptions.of_json(own).harm.value)
    plan = await exposing.plan_of(desk, hazard, job, asked.residual, asked.objective)
    fields = (*_compared(message, plan_codec.to_wire(ClosingPlanned(asked, plan))), *_chunks(found.run, again))
    inputs = (
        Input("assessment", str(row.event_id)),
        Input("assumptions", sha256=message.assumptions_sha256),
        *([Input(f"traffic {message.traffic_dataset}", sha256=message.traffic_sha256)] if traffic[0] else []),
        *_inputs(found),
    )
    return Recomputed(fields, inputs, found.run.chunks[0].model_version)


async def _on_record(desk: Desk, run_id: str) -> OnRecord:
    async with desk.database.acquire() as conn:
        run, history = await running.load(desk.log, conn, UUID(run_id))
    if run.requested is None:
        raise FailedPrecondition(f"run {run_id} is not in the log; ask the mesh that flew it")
    if not run.chunks[0].scenario_sha256:
        raise FailedPrecondition(f"run {run_id} was flown before scenarios were recorded; request a new run")
    return OnRecord(run, run.requested, history)


async def _assessed(desk: Desk, found: OnRecord, notice: str) -> tuple[Run, domain.HazardAssessed]:
    """The run flown again, and what comes of it."""
    done = {chunk: await _flown(desk, found.run, chunk) for chunk in sorted(found.run.completed)}
    again = replace(found.run, completed=done)
    return again, await settling.assessed(desk, again, found.known_at, notice)


async def _flown(desk: Desk, run: Run, chunk: int) -> domain.ChunkCompleted:
    asked = next(one for one in run.chunks if one.chunk == chunk)
    flown = await desk.workers.run(flying.fly, await working.job_of(desk, asked))
    return await working.completed(desk, asked, flown)


def _chunks(run: Run, again: Run) -> list[Field]:
    return [
        replace(one, name=f"chunks[{chunk}].{one.name}")
        for chunk, done in sorted(run.completed.items())
        for one in _compared(codec.to_wire(done), codec.to_wire(again.completed[chunk]))
    ]


def _compared(recorded: Message, again: Message) -> list[Field]:
    return recomputed.fields(recorded, again, NAMES, LEFT_OUT)


def _inputs(found: OnRecord) -> tuple[Input, ...]:
    chunks = sorted(
        (one.chunk, str(fact.event_id))
        for fact in found.history
        if isinstance(one := fact.message(), pb.ChunkCompleted)
    )
    return (*_asked(found), *(Input(f"chunk {chunk}", event_id) for chunk, event_id in chunks), *_files(found))


def _asked(found: OnRecord) -> tuple[Input, ...]:
    return Input("prediction", str(found.requested.prediction_event_id)), Input("run", str(found.history[0].event_id))


def _files(found: OnRecord) -> tuple[Input, ...]:
    asked = found.run.chunks[0]
    return (
        Input("draws", sha256=asked.draws_sha256),
        Input("weather drivers", sha256=asked.drivers_sha256),
        Input(f"airspace {found.requested.airspace_dataset}", sha256=asked.airspace_sha256),
        Input("scenario", sha256=asked.scenario_sha256),
    )
