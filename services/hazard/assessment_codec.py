"""An assessment to the wire."""

from dataclasses import fields
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.hazard.domain import Baseline, FirHazard, FirPass, HazardAssessed, PieceHazard, TravellingBox
from spacecom.hazard.v1 import hazard_events_pb2 as pb


def to_wire(event: HazardAssessed) -> pb.HazardAssessed:
    return pb.HazardAssessed(
        catalogue_number=event.catalogue_number,
        run_id=str(event.run_id),
        prediction_event_id=str(event.prediction_event_id),
        prediction_version=event.prediction_version,
        known_at=_timestamp(event.known_at),
        window_start_time=_timestamp(event.window_start_time),
        window_end_time=_timestamp(event.window_end_time),
        median_time=_timestamp(event.median_time),
        firs=map(_fir, event.firs),
        unassigned_share=event.unassigned_share,
        baselines=map(_baseline, event.baselines),
        sample_count=event.sample_count,
        airspace_dataset=event.airspace_dataset,
        airspace_notice=event.airspace_notice,
        points_sha256=event.points_sha256,
        model_version=event.model_version,
        scenario_sha256=event.scenario_sha256,
        scenario_name=event.scenario_name,
        object_class=event.object_class,
        class_reason=event.class_reason,
        seed=event.seed,
        pieces=_pieces(event.pieces) if event.pieces else None,
        bands=map(_pieces, event.bands),
        unassigned=_fir(event.unassigned) if event.unassigned else None,
        minutes_sha256=event.minutes_sha256,
        visits_sha256=event.visits_sha256,
        corridor_sha256=event.corridor_sha256,
        boxes=map(_box, event.boxes),
    )


def _fir(fir: FirHazard) -> pb.FirHazard:
    return pb.FirHazard(
        fir_designator=fir.fir_designator,
        fir_name=fir.fir_name,
        share=fir.share,
        passes=map(_pass, fir.passes),
        pieces=_pieces(fir.pieces) if fir.pieces else None,
        bands=map(_pieces, fir.bands),
    )


def _pass(one: FirPass) -> pb.FirPass:
    return pb.FirPass(
        revolution=one.revolution,
        entry_time=_timestamp(one.entry_time),
        exit_time=_timestamp(one.exit_time),
        pass_probability=one.pass_probability,
    )


def _pieces(one: PieceHazard) -> pb.PieceHazard:
    return pb.PieceHazard(
        lower_fl=one.lower_fl,
        upper_fl=one.upper_fl,
        any_probability=one.any_probability,
        entering_pieces=one.entering_pieces,
        piece_seconds=one.piece_seconds,
        peak_pieces=one.peak_pieces,
        peak_time=_timestamp(one.peak_time),
        first_time=_timestamp(one.first_time),
        last_time=_timestamp(one.last_time),
        mean_dwell_s=one.mean_dwell_s,
    )


def _baseline(baseline: Baseline) -> pb.ConservativeBaseline:
    return pb.ConservativeBaseline(half_width_km=baseline.half_width_km, fir_designators=baseline.fir_designators)


def _box(box: TravellingBox) -> pb.TravellingBox:
    return pb.TravellingBox(**{one.name: getattr(box, one.name) for one in fields(box)})


def _timestamp(instant: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(instant)
    return made
