"""Facts of hazard to and from the wire, and propagation's and ingest's facts as hazard reads them."""

from datetime import UTC
from typing import assert_never
from uuid import UUID

from google.protobuf.message import Message

from libs.redistribution import DISCOS, INTERNAL, PUBLIC, SPACE_TRACK, combined
from services.hazard import assessment_codec as assessment
from services.hazard import domain
from services.hazard.domain import (
    ChunkCompleted,
    ChunkFailed,
    ChunkRequested,
    Epoch,
    HazardAssessed,
    Prediction,
    QuickAssessed,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRequested,
    VariantAssessed,
)
from services.hazard.scenario import KnownObject
from spacecom.hazard.v1 import hazard_events_pb2 as pb
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.propagation.v1 import propagation_events_pb2 as propagation

WINDOW_START = 0.05


def to_wire(event: domain.Event) -> Message:
    match event:
        case RunRequested():
            return pb.RunRequested(
                run_id=str(event.run_id),
                catalogue_number=event.catalogue_number,
                prediction_event_id=str(event.prediction_event_id),
                prediction_version=event.prediction_version,
                airspace_dataset=event.airspace_dataset,
                airspace_sha256=event.airspace_sha256,
                sample_count=event.sample_count,
                chunk_count=event.chunk_count,
                scenario_sha256=event.scenario.sha256,
                seed=event.scenario.seed,
                variant=event.scenario.variant,
                scenario_redistribution=event.scenario.redistribution,
            )
        case ChunkRequested():
            return _chunk_to_wire(event)
        case ChunkCompleted():
            return pb.ChunkCompleted(
                run_id=str(event.run_id),
                chunk=event.chunk,
                result_sha256=event.result_sha256,
                completed_sample_count=event.completed_sample_count,
                model_version=event.model_version,
                visits_sha256=event.visits_sha256,
                minutes_sha256=event.minutes_sha256,
                cells_sha256=event.cells_sha256,
            )
        case ChunkFailed():
            return pb.ChunkFailed(
                run_id=str(event.run_id), chunk=event.chunk, attempt_count=event.attempt_count, reason=event.reason
            )
        case RunCompleted():
            return pb.RunCompleted(run_id=str(event.run_id), completed_sample_count=event.completed_sample_count)
        case RunFailed():
            return pb.RunFailed(run_id=str(event.run_id), reason=event.reason)
        case RunCancelled():
            return pb.RunCancelled(run_id=str(event.run_id), principal_id=event.principal_id, reason=event.reason)
        case HazardAssessed() | QuickAssessed() | VariantAssessed():
            return _assessed_to_wire(event)
        case _:
            assert_never(event)


def _assessed_to_wire(event: HazardAssessed | QuickAssessed | VariantAssessed) -> Message:
    match event:
        case HazardAssessed():
            return assessment.to_wire(event)
        case QuickAssessed():
            return pb.QuickAssessed(hazard=assessment.to_wire(event.hazard), inputs=_quick_inputs(event.inputs))
        case VariantAssessed():
            return pb.VariantAssessed(hazard=assessment.to_wire(event.hazard))
        case _:
            assert_never(event)


def run_event(message: Message) -> domain.RunEvent:
    match message:
        case pb.RunRequested():
            return RunRequested(
                UUID(message.run_id),
                message.catalogue_number,
                UUID(message.prediction_event_id),
                message.prediction_version,
                message.airspace_dataset,
                message.airspace_sha256,
                message.sample_count,
                message.chunk_count,
                domain.Chosen(
                    message.scenario_sha256,
                    message.seed,
                    message.variant,
                    message.scenario_redistribution or INTERNAL,
                ),
            )
        case pb.ChunkRequested():
            return chunk_requested(message)
        case pb.ChunkCompleted():
            return ChunkCompleted(
                UUID(message.run_id),
                message.chunk,
                message.result_sha256,
                message.completed_sample_count,
                message.model_version,
                message.visits_sha256,
                message.minutes_sha256,
                message.cells_sha256,
            )
        case pb.ChunkFailed():
            return ChunkFailed(UUID(message.run_id), message.chunk, message.attempt_count, message.reason)
        case pb.RunCompleted():
            return RunCompleted(UUID(message.run_id), message.completed_sample_count)
        case pb.RunFailed():
            return RunFailed(UUID(message.run_id), message.reason)
        case pb.RunCancelled():
            return RunCancelled(UUID(message.run_id), message.principal_id, message.reason)
        case _:
            raise TypeError(f"{type(message).__name__} is no fact of a run")


def chunk_requested(message: pb.ChunkRequested) -> ChunkRequested:
    return ChunkRequested(
        UUID(message.run_id),
        message.chunk,
        message.first_sample,
        message.sample_count,
        message.draws_sha256,
        message.drivers_sha256,
        message.airspace_sha256,
        message.reentry_altitude_km,
        message.model_version,
        Epoch(message.window_start_jd, message.window_start_jd_fraction),
        message.scenario_sha256,
        message.seed,
    )


def prediction(message: propagation.DecayPredicted, event_id: UUID, version: int) -> Prediction:
    start = next(one.epoch for one in message.quantiles if abs(one.probability - WINDOW_START) < 1e-9)
    return Prediction(
        event_id,
        message.catalogue_number,
        version,
        message.known_at.ToDatetime(UTC),
        Epoch(start.jd, start.jd_fraction),
        message.reentry_altitude_km,
        message.sample_count,
        message.draws_sha256,
        message.drivers_sha256,
        message.seed,
    )


_KINDS = {
    ingest.OBJECT_TYPE_PAYLOAD: "payload",
    ingest.OBJECT_TYPE_ROCKET_BODY: "rocket_body",
    ingest.OBJECT_TYPE_DEBRIS: "debris",
    ingest.OBJECT_TYPE_OTHER: "other",
}
_CLASSES = {
    ingest.REDISTRIBUTION_PUBLIC: PUBLIC,
    ingest.REDISTRIBUTION_SPACE_TRACK: SPACE_TRACK,
    ingest.REDISTRIBUTION_DISCOS: DISCOS,
}


def known_object(message: ingest.ObjectCatalogued | ingest.ObjectRevised) -> KnownObject:
    said = message.description
    used = {"type": said.type, "mass_kg": said.mass_kg, "shape": said.shape}
    classes = {one.field: _CLASSES.get(one.redistribution, INTERNAL) for one in message.field_sources}
    strictest = combined([classes.get(name, INTERNAL) for name, value in used.items() if value])
    return KnownObject(_KINDS.get(said.type, ""), said.mass_kg, said.shape[:100], strictest)


def _chunk_to_wire(event: ChunkRequested) -> pb.ChunkRequested:
    return pb.ChunkRequested(
        run_id=str(event.run_id),
        chunk=event.chunk,
        first_sample=event.first_sample,
        sample_count=event.sample_count,
        draws_sha256=event.draws_sha256,
        drivers_sha256=event.drivers_sha256,
        airspace_sha256=event.airspace_sha256,
        reentry_altitude_km=event.reentry_altitude_km,
        model_version=event.model_version,
        window_start_jd=event.window_start.jd,
        window_start_jd_fraction=event.window_start.jd_fraction,
        scenario_sha256=event.scenario_sha256,
        seed=event.seed,
    )


def _quick_inputs(one: domain.QuickInputs) -> pb.QuickInputs:
    return pb.QuickInputs(
        draws_sha256=one.draws_sha256,
        drivers_sha256=one.drivers_sha256,
        airspace_sha256=one.airspace_sha256,
        window_start_jd=one.window_start.jd,
        window_start_jd_fraction=one.window_start.jd_fraction,
        reentry_altitude_km=one.reentry_altitude_km,
        sample_count=one.sample_count,
    )


def quick_prediction(message: pb.QuickAssessed) -> Prediction:
    """What the first answer was flown from."""
    told, given = message.hazard, message.inputs
    return Prediction(
        UUID(told.prediction_event_id),
        told.catalogue_number,
        told.prediction_version,
        told.known_at.ToDatetime(UTC),
        Epoch(given.window_start_jd, given.window_start_jd_fraction),
        given.reentry_altitude_km,
        given.sample_count,
        given.draws_sha256,
        given.drivers_sha256,
    )
