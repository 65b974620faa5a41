"""Facts of propagation to and from the wire, and ingest's facts as propagation reads them."""

from datetime import UTC, datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from libs.astro.elements import ElementSet
from services.propagation import domain
from services.propagation.comparing import Agreement, AgreementChanged, Other
from services.propagation.domain import DecayPredicted, DeclineReason, Epoch, Inputs, PredictionDeclined
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.propagation.v1 import propagation_events_pb2 as pb

_REASON = {reason: pb.DeclineReason.Value(f"DECLINE_REASON_{reason.name}") for reason in DeclineReason}
_REASON_BACK = {int(number): reason for reason, number in _REASON.items()}
AGREEMENT = {one: pb.Agreement.Value(f"AGREEMENT_{one.name}") for one in Agreement}
_AGREEMENT_BACK = {int(number): one for one, number in AGREEMENT.items()}


def to_wire(event: domain.Event) -> Message:
    match event:
        case DecayPredicted():
            return _predicted_to_wire(event)
        case PredictionDeclined():
            return pb.PredictionDeclined(
                catalogue_number=event.catalogue_number,
                known_at=timestamp(event.known_at),
                reason=_REASON[event.reason],
                detail=event.detail,
                model_version=event.model_version,
                inputs=pb.PredictionInputs(**_inputs_to_wire(event.inputs)) if event.inputs else None,
            )
        case _:
            assert_never(event)


def from_wire(message: Message) -> domain.Event:
    match message:
        case pb.DecayPredicted():
            return _predicted_from_wire(message)
        case pb.PredictionDeclined():
            return declined_from_wire(message)
        case _:
            raise TypeError(f"{type(message).__name__} is no fact of propagation")


def declined_from_wire(message: pb.PredictionDeclined) -> PredictionDeclined:
    return PredictionDeclined(
        message.catalogue_number,
        message.known_at.ToDatetime(UTC),
        _REASON_BACK[message.reason],
        message.detail,
        message.model_version,
        _inputs_from_wire(message.inputs) if message.HasField("inputs") else None,
    )


def _inputs_to_wire(inputs: Inputs) -> dict[str, Any]:
    """Fields of a prediction, and of PredictionInputs."""
    return {
        "element_set_event_ids": map(str, inputs.element_set_event_ids),
        "weather_event_ids": map(str, inputs.weather_event_ids),
        "drivers_sha256": inputs.drivers_sha256,
        "sample_count": inputs.sample_count,
        "seed": inputs.seed,
        "horizon_days": inputs.horizon_days,
    }


def _inputs_from_wire(message: pb.PredictionInputs | pb.DecayPredicted) -> Inputs:
    return Inputs(
        tuple(map(UUID, message.element_set_event_ids)),
        tuple(map(UUID, message.weather_event_ids)),
        message.drivers_sha256,
        message.sample_count,
        message.seed,
        message.horizon_days,
    )


def _predicted_to_wire(event: DecayPredicted) -> pb.DecayPredicted:
    return pb.DecayPredicted(
        catalogue_number=event.catalogue_number,
        known_at=timestamp(event.known_at),
        start_epoch=epoch_to_wire(event.start_epoch),
        reentry_altitude_km=event.reentry_altitude_km,
        nominal_epoch=epoch_to_wire(event.nominal_epoch),
        quantiles=[pb.EpochQuantile(probability=p, epoch=epoch_to_wire(epoch)) for p, epoch in event.quantiles],
        nominal_latitude_deg=event.nominal_latitude_deg,
        nominal_longitude_deg=event.nominal_longitude_deg,
        ln_b=event.ln_b,
        sigma_ln_b=event.sigma_ln_b,
        sigma_a_km=event.sigma_a_km,
        draws_sha256=event.draws_sha256,
        model_version=event.model_version,
        method=event.method,
        **_inputs_to_wire(event.inputs),
    )


def _predicted_from_wire(fact: pb.DecayPredicted) -> DecayPredicted:
    return DecayPredicted(
        catalogue_number=fact.catalogue_number,
        known_at=fact.known_at.ToDatetime(UTC),
        start_epoch=epoch_from_wire(fact.start_epoch),
        reentry_altitude_km=fact.reentry_altitude_km,
        nominal_epoch=epoch_from_wire(fact.nominal_epoch),
        quantiles=tuple((q.probability, epoch_from_wire(q.epoch)) for q in fact.quantiles),
        nominal_latitude_deg=fact.nominal_latitude_deg,
        nominal_longitude_deg=fact.nominal_longitude_deg,
        ln_b=fact.ln_b,
        sigma_ln_b=fact.sigma_ln_b,
        sigma_a_km=fact.sigma_a_km,
        draws_sha256=fact.draws_sha256,
        inputs=_inputs_from_wire(fact),
        model_version=fact.model_version,
        method=fact.method,
    )


def decay(body: bytes) -> DecayPredicted:
    return _predicted_from_wire(pb.DecayPredicted.FromString(body))


def agreement_to_wire(event: AgreementChanged) -> pb.AgreementChanged:
    return pb.AgreementChanged(
        catalogue_number=event.catalogue_number,
        source=event.source,
        agreement=AGREEMENT[event.agreement],
        prediction_event_id=str(event.prediction_event_id),
        other_event_id=str(event.other_event_id),
        known_at=timestamp(event.known_at),
    )


def agreement_from_wire(fact: Message) -> AgreementChanged:
    if not isinstance(fact, pb.AgreementChanged):
        raise TypeError(f"{type(fact).__name__} is no fact of an agreement")
    return AgreementChanged(
        fact.catalogue_number,
        fact.source,
        _AGREEMENT_BACK[fact.agreement],
        UUID(fact.prediction_event_id),
        UUID(fact.other_event_id),
        fact.known_at.ToDatetime(UTC),
    )


def other_from_wire(event_id: UUID, available_at: datetime, fact: ingest.ThirdPartyPredictionRecorded) -> Other:
    nominal = Epoch(fact.nominal_jd, fact.nominal_jd_fraction).instant
    window = tuple(nominal + timedelta(minutes=one) for one in (fact.window_start_min, fact.window_end_min))
    return Other(event_id, fact.source, available_at, nominal, (window[0], window[1]), fact.reentry_altitude_km)


def epoch_to_wire(epoch: Epoch) -> pb.Epoch:
    return pb.Epoch(jd=epoch.jd, jd_fraction=epoch.jd_fraction)


def epoch_from_wire(epoch: pb.Epoch) -> Epoch:
    return Epoch(epoch.jd, epoch.jd_fraction)


def elements_from_wire(fact: ingest.ElementSetAccepted) -> ElementSet:
    return ElementSet(
        catalogue_number=fact.catalogue_number,
        object_name=b"",
        international_designator=b"",
        epoch_jd=fact.epoch_jd,
        epoch_jd_fraction=fact.epoch_jd_fraction,
        mean_motion_rev_day=fact.mean_motion_rev_day,
        eccentricity=fact.eccentricity,
        inclination_deg=fact.inclination_deg,
        raan_deg=fact.raan_deg,
        arg_of_perigee_deg=fact.arg_of_perigee_deg,
        mean_anomaly_deg=fact.mean_anomaly_deg,
        bstar_per_earth_radius=fact.bstar_per_earth_radius,
        mean_motion_dot_half_rev_day2=fact.mean_motion_dot_half_rev_day2,
        mean_motion_ddot_sixth_rev_day3=fact.mean_motion_ddot_sixth_rev_day3,
        classification=fact.classification,
        element_set_number=fact.element_set_number,
        revolution_number=fact.revolution_number,
    )


def timestamp(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp
