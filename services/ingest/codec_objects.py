"""Objects of the catalogue to and from the wire."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

from libs import redistribution
from services.ingest.description import FIELDS, UNKNOWN, Basis, DecayTime, Description, ObjectType, Origin, known_fields
from services.ingest.domain import ObjectCatalogued, ObjectDecayed, ObjectRetired, ObjectRevised
from services.ingest.objects import Known
from services.ingest.timestamps import timestamp
from spacecom.ingest.v1 import ingest_events_pb2 as pb

TYPES = {kind: pb.ObjectType.Value(f"OBJECT_TYPE_{kind.name}") for kind in ObjectType}
_TYPES_BACK: dict[int, ObjectType] = {int(number): kind for kind, number in TYPES.items()}
_BASES = {basis: pb.FieldBasis.Value(f"FIELD_BASIS_{basis.name}") for basis in Basis}
_BASES_BACK: dict[int, Basis] = {int(number): basis for basis, number in _BASES.items()}
CLASSES = {
    redistribution.PUBLIC: pb.REDISTRIBUTION_PUBLIC,
    redistribution.SPACE_TRACK: pb.REDISTRIBUTION_SPACE_TRACK,
    redistribution.DISCOS: pb.REDISTRIBUTION_DISCOS,
    redistribution.INTERNAL: pb.REDISTRIBUTION_INTERNAL,
}
CLASSES_BACK: dict[int, str] = {int(number): name for name, number in CLASSES.items()}
_NEVER = datetime.min.replace(tzinfo=UTC)
Described = pb.ObjectCatalogued | pb.ObjectRevised


def to_wire(
    event: ObjectCatalogued | ObjectRevised | ObjectDecayed | ObjectRetired,
) -> Described | pb.ObjectDecayed | pb.ObjectRetired:
    match event:
        case ObjectRetired(number, reason, source):
            return pb.ObjectRetired(catalogue_number=number, reason=reason, source=source)
        case ObjectDecayed():
            return _decay_to_wire(event)
        case _:
            return to_described(event)


def to_described(event: ObjectCatalogued | ObjectRevised) -> Described:
    kind = pb.ObjectCatalogued if isinstance(event, ObjectCatalogued) else pb.ObjectRevised
    return kind(
        catalogue_number=event.catalogue_number,
        object_name=event.description.object_name,
        international_designator=event.description.international_designator,
        source=event.source,
        description=description_to_wire(event.description),
        field_sources=[_origin_to_wire(name, event.origins[name]) for name in FIELDS if name in event.origins],
        input_sha256=event.input_sha256,
        reason=event.reason,
    )


def description_to_wire(description: Description) -> pb.ObjectDescription:
    values = known_fields(description)
    if "type" in values:
        values["type"] = TYPES[description.type]
    return pb.ObjectDescription(**values)


def description_from_wire(said: pb.ObjectDescription) -> Description:
    values = {field.name: value for field, value in said.ListFields()}
    return Description(**(values | {"type": _TYPES_BACK[said.type]}))


@lru_cache(maxsize=1024)
def _origin_to_wire(name: str, origin: Origin) -> pb.FieldSource:
    """Copied into the fact; one file states many fields alike."""
    return pb.FieldSource(
        field=name,
        source=origin.source,
        basis=_BASES[origin.basis],
        stated_at=timestamp(origin.stated_at),
        redistribution=CLASSES[origin.redistribution],
    )


def origin_from_wire(said: pb.FieldSource | pb.ObjectDecayed, known_at: datetime) -> Origin:
    """`known_at` is when the fact was published, for those recorded before facts said it field by field."""
    at = said.stated_at
    origin = _origin(said.basis, said.source, at.seconds, at.nanos, said.redistribution)
    return origin if said.HasField("stated_at") else replace(origin, stated_at=known_at)


@lru_cache(maxsize=1024)
def _origin(basis: int, source: str, seconds: int, nanos: int, held: int) -> Origin:
    """Of the many fields that one file states."""
    stated_at = Timestamp(seconds=seconds, nanos=nanos).ToDatetime(UTC)
    held_as = CLASSES_BACK.get(held, redistribution.INTERNAL)
    return Origin(_BASES_BACK.get(basis, Basis.ELEMENT_SET), source, stated_at, held_as)


def known_from_wire(fact: Described, known_at: datetime) -> tuple[Description, Mapping[str, Origin]]:
    if fact.HasField("description"):
        origins = {said.field: origin_from_wire(said, known_at) for said in fact.field_sources}
        return description_from_wire(fact.description), origins
    description = Description(fact.object_name, fact.international_designator)
    origin = Origin(Basis.ELEMENT_SET, fact.source, known_at, redistribution.INTERNAL)
    return description, dict.fromkeys(known_fields(description), origin)


def completed(fact: Described, known_at: datetime) -> Described:
    """The fact itself, or of one recorded before facts named their sources what can be said of them."""
    if fact.HasField("description"):
        return fact
    description, origins = known_from_wire(fact, known_at)
    return to_described(ObjectRevised(fact.catalogue_number, description, origins, fact.source, ""))


def _decay_to_wire(event: ObjectDecayed) -> pb.ObjectDecayed:
    return pb.ObjectDecayed(
        catalogue_number=event.catalogue_number,
        decay_jd=event.time.jd,
        decay_jd_fraction=event.time.jd_fraction,
        tolerance_min=event.time.tolerance_min,
        source=event.origin.source,
        input_sha256=event.input_sha256,
        basis=_BASES[event.origin.basis],
        stated_at=timestamp(event.origin.stated_at),
        redistribution=CLASSES[event.origin.redistribution],
    )


def decay_from_wire(fact: pb.ObjectDecayed, known_at: datetime) -> ObjectDecayed:
    time = DecayTime(fact.decay_jd, fact.decay_jd_fraction, fact.tolerance_min)
    return ObjectDecayed(fact.catalogue_number, time, origin_from_wire(fact, known_at), fact.input_sha256)


def known_of_row(version: int, body: bytes | None, decay: bytes | None, *, retired: bool) -> Known:
    """What the read model keeps of an object, which was written complete."""
    description: Description = UNKNOWN
    origins: Mapping[str, Origin] = {}
    if body is not None:
        description, origins = known_from_wire(pb.ObjectRevised.FromString(body), _NEVER)
    decayed = decay_from_wire(pb.ObjectDecayed.FromString(decay), _NEVER) if decay else None
    return Known(version, body is not None, retired, description, origins, decayed)
