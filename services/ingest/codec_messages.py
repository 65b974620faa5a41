"""Facts that messages about one object state, to the wire, and the key of what they say."""

import hashlib
import json

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from services.ingest import domain
from services.ingest.messages import MessageFact
from services.ingest.timestamps import timestamp
from spacecom.ingest.v1 import ingest_events_pb2 as pb

MessageWire = pb.ThirdPartyPredictionRecorded | pb.EphemerisRecorded | pb.ConjunctionRecorded
_KIND = {kind: pb.ThirdPartyKind.Value(f"THIRD_PARTY_KIND_{kind.name}") for kind in domain.ThirdPartyKind}


def to_wire(event: MessageFact) -> MessageWire:
    match event:
        case domain.ThirdPartyPredictionRecorded():
            return _prediction(event)
        case domain.EphemerisRecorded():
            return _ephemeris(event)
        case domain.ConjunctionRecorded():
            return _conjunction(event)


def content_key(message: Message) -> bytes:
    """Identifies a message by what it says of its object, whoever sent it in whatever encoding.

    Of an ephemeris the states are in the input alone, so that is part of what it says.
    """
    said = MessageToDict(message)
    said.pop("source", None)
    if not isinstance(message, pb.EphemerisRecorded):
        said.pop("inputSha256", None)
    named = [message.DESCRIPTOR.full_name, said]
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).digest()[:16]


def _prediction(event: domain.ThirdPartyPredictionRecorded) -> pb.ThirdPartyPredictionRecorded:
    return pb.ThirdPartyPredictionRecorded(
        catalogue_number=event.catalogue_number,
        source=event.source,
        kind=_KIND[event.kind],
        originator=event.originator,
        message_id=event.message_id,
        nominal_jd=event.nominal_jd,
        nominal_jd_fraction=event.nominal_jd_fraction,
        window_start_min=event.window_start_min,
        window_end_min=event.window_end_min,
        reentry_altitude_km=event.reentry_altitude_km,
        latitude_deg=event.latitude_deg,
        longitude_deg=event.longitude_deg,
        confidence_percent=event.confidence_percent,
        controlled=event.controlled,
        made_at=timestamp(event.made_at),
        input_sha256=event.input_sha256,
    )


def _ephemeris(event: domain.EphemerisRecorded) -> pb.EphemerisRecorded:
    return pb.EphemerisRecorded(
        catalogue_number=event.catalogue_number,
        source=event.source,
        originator=event.originator,
        reference_frame=event.reference_frame,
        time_system=event.time_system,
        start_jd=event.start_jd,
        start_jd_fraction=event.start_jd_fraction,
        stop_jd=event.stop_jd,
        stop_jd_fraction=event.stop_jd_fraction,
        state_count=event.state_count,
        input_sha256=event.input_sha256,
        segment=event.segment,
    )


def _conjunction(event: domain.ConjunctionRecorded) -> pb.ConjunctionRecorded:
    return pb.ConjunctionRecorded(
        catalogue_number=event.catalogue_number,
        other_catalogue_number=event.other_catalogue_number,
        source=event.source,
        originator=event.originator,
        message_id=event.message_id,
        closest_jd=event.closest_jd,
        closest_jd_fraction=event.closest_jd_fraction,
        miss_distance_m=event.miss_distance_m,
        relative_speed_m_s=event.relative_speed_m_s,
        collision_probability=event.collision_probability,
        input_sha256=event.input_sha256,
    )
