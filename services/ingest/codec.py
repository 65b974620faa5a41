"""Facts of the domain to and from the wire."""

from datetime import UTC
from typing import assert_never

from google.protobuf.message import Message

from libs.astro.elements import ElementSet, RefusalReason
from services.ingest import codec_datasets, codec_messages, codec_objects, codec_weather, domain, freshness
from services.ingest.timestamps import timestamp
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as rpc

_REASON = {reason: pb.RejectionReason.Value(f"REJECTION_REASON_{reason.name}") for reason in RefusalReason}
_FLAG = {flag: pb.ElementFlag.Value(f"ELEMENT_FLAG_{flag.name}") for flag in domain.ElementFlag}
_STATE = {state: pb.SourceState.Value(f"SOURCE_STATE_{state.name}") for state in domain.SourceHealth}
_PROBLEM = {
    problem: pb.SourceProblem.Value(f"SOURCE_PROBLEM_{problem.value.upper().replace('-', '_')}")
    for problem in domain.SourceProblem
}
_PROBLEM_BACK: dict[int, domain.SourceProblem] = {int(number): problem for problem, number in _PROBLEM.items()}
_STATE_BACK: dict[int, domain.SourceHealth] = {int(number): state for state, number in _STATE.items()}
FORMATS = {
    domain.Format.UNKNOWN: rpc.INPUT_FORMAT_UNSPECIFIED,
    domain.Format.TLE: rpc.INPUT_FORMAT_TLE,
    domain.Format.OMM_JSON: rpc.INPUT_FORMAT_OMM_JSON,
    domain.Format.OMM_XML: rpc.INPUT_FORMAT_OMM_XML,
    domain.Format.OMM_KVN: rpc.INPUT_FORMAT_OMM_KVN,
    domain.Format.OMM_CSV: rpc.INPUT_FORMAT_OMM_CSV,
    domain.Format.CSSI: rpc.INPUT_FORMAT_CSSI_SPACE_WEATHER,
    domain.Format.AIRSPACE: rpc.INPUT_FORMAT_AIRSPACE_GEOJSON,
    domain.Format.AIXM: rpc.INPUT_FORMAT_AIRSPACE_AIXM,
    domain.Format.WEATHER_CSV: rpc.INPUT_FORMAT_SPACE_WEATHER_CSV,
    domain.Format.SWPC: rpc.INPUT_FORMAT_SWPC_JSON,
    domain.Format.OEM: rpc.INPUT_FORMAT_OEM,
    domain.Format.RDM: rpc.INPUT_FORMAT_RDM,
    domain.Format.CDM: rpc.INPUT_FORMAT_CDM,
    domain.Format.TIP: rpc.INPUT_FORMAT_TIP,
    domain.Format.ORIENTATION: rpc.INPUT_FORMAT_EARTH_ORIENTATION,
    domain.Format.TRAFFIC_CSV: rpc.INPUT_FORMAT_TRAFFIC_CSV,
    domain.Format.TRAFFIC_GEOJSON: rpc.INPUT_FORMAT_TRAFFIC_GEOJSON,
    domain.Format.SATCAT: rpc.INPUT_FORMAT_SATCAT,
    domain.Format.DECAY: rpc.INPUT_FORMAT_DECAY,
    domain.Format.DISCOS: rpc.INPUT_FORMAT_DISCOS,
}
FORMATS_BACK = {number: fmt for fmt, number in FORMATS.items()}


def to_wire(event: domain.Event) -> Message:
    match event:
        case domain.ObjectCatalogued() | domain.ObjectRevised() | domain.ObjectDecayed() | domain.ObjectRetired():
            return codec_objects.to_wire(event)
        case domain.ElementSetAccepted():
            return _elements_to_wire(event)
        case domain.InputRejected():
            return rejection_to_wire(event)
        case (
            domain.SpaceWeatherRecorded() | domain.SpaceWeatherForecastRecorded() | domain.SpaceWeatherIndicesRecorded()
        ):
            return codec_weather.to_wire(event)
        case domain.AirspaceRecorded() | domain.EarthOrientationRecorded() | domain.TrafficDensityRecorded():
            return codec_datasets.to_wire(event)
        case domain.ThirdPartyPredictionRecorded() | domain.EphemerisRecorded() | domain.ConjunctionRecorded():
            return codec_messages.to_wire(event)
        case domain.SourceStateChanged():
            return source_to_wire(event)
        case _:
            assert_never(event)


def _elements_to_wire(event: domain.ElementSetAccepted) -> pb.ElementSetAccepted:
    elements = event.elements
    return pb.ElementSetAccepted(
        catalogue_number=elements.catalogue_number,
        epoch_jd=elements.epoch_jd,
        epoch_jd_fraction=elements.epoch_jd_fraction,
        mean_motion_rev_day=elements.mean_motion_rev_day,
        eccentricity=elements.eccentricity,
        inclination_deg=elements.inclination_deg,
        raan_deg=elements.raan_deg,
        arg_of_perigee_deg=elements.arg_of_perigee_deg,
        mean_anomaly_deg=elements.mean_anomaly_deg,
        bstar_per_earth_radius=elements.bstar_per_earth_radius,
        mean_motion_dot_half_rev_day2=elements.mean_motion_dot_half_rev_day2,
        mean_motion_ddot_sixth_rev_day3=elements.mean_motion_ddot_sixth_rev_day3,
        classification=elements.classification,
        element_set_number=elements.element_set_number,
        revolution_number=elements.revolution_number,
        source=event.source,
        input_sha256=event.input_sha256,
        flags=[_FLAG[flag] for flag in event.flags],
        semi_major_axis_jump_km=event.semi_major_axis_jump_km,
    )


def elements_from_wire(fact: pb.ElementSetAccepted) -> ElementSet:
    """The set as it was accepted; names live in the object's own facts."""
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


def rejection_to_wire(event: domain.InputRejected) -> pb.InputRejected:
    return pb.InputRejected(
        source=event.source,
        format=event.format.value,
        raw=event.raw[: domain.MAX_RAW],
        line=event.line,
        column=event.column,
        reason=_REASON[event.reason],
        detail=event.detail,
        input_sha256=event.input_sha256,
    )


def source_to_wire(event: domain.SourceStateChanged) -> pb.SourceStateChanged:
    return pb.SourceStateChanged(
        source=event.source,
        state=_STATE[event.state],
        reason=event.reason,
        last_delivery_at=timestamp(event.last_delivery_at),
        next_due_at=timestamp(event.next_due_at),
        problem=_PROBLEM[event.problem],
        halted=event.halted,
        failure_count=event.failure_count,
    )


def source_from_wire(fact: pb.SourceStateChanged) -> freshness.Source:
    return freshness.Source(
        _STATE_BACK[fact.state],
        fact.reason,
        fact.last_delivery_at.ToDatetime(UTC) if fact.HasField("last_delivery_at") else None,
        fact.next_due_at.ToDatetime(UTC) if fact.HasField("next_due_at") else None,
        _PROBLEM_BACK[fact.problem],
        fact.halted,
        fact.failure_count,
    )


def health(number: int) -> domain.SourceHealth:
    return _STATE_BACK[number]


def problem(number: int) -> domain.SourceProblem:
    return _PROBLEM_BACK[number]
