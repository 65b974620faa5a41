"""What of an object a caller is shown: fields of a class to which the contract gives no right are left empty."""

from libs.redistribution import INTERNAL, allows
from services.ingest import codec_objects
from services.ingest.queries_objects import CatalogueRow
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire


def catalogue_object(row: CatalogueRow, rights: frozenset[str]) -> wire.CatalogueObject:
    answer = wire.CatalogueObject(catalogue_number=row.catalogue_number, retired=row.retired, etag=str(row.version))
    if row.body is not None:
        described = pb.ObjectRevised.FromString(row.body)
        answer.withheld.extend(redact(described, rights))
        answer.object_name = described.object_name
        answer.international_designator = described.international_designator
        answer.description.CopyFrom(described.description)
        answer.field_sources.extend(described.field_sources)
    if row.element_set_count and not allows(rights, row.elements_class):
        answer.withheld.append("elements")
    elif row.element_set_count:
        _elements(answer, row)
    if row.decay is not None and not allows(rights, row.decay_class):
        answer.withheld.append("decay")
    elif row.decay is not None:
        answer.decay.ParseFromString(row.decay)
    return answer


def _elements(answer: wire.CatalogueObject, row: CatalogueRow) -> None:
    answer.element_set_count = row.element_set_count
    answer.last_epoch_jd = row.last_epoch_jd
    answer.last_epoch_jd_fraction = row.last_epoch_jd_fraction
    answer.perigee_altitude_km = row.perigee_altitude_km
    answer.apogee_altitude_km = row.apogee_altitude_km
    answer.inclination_deg = row.inclination_deg


def redact(described: pb.ObjectCatalogued | pb.ObjectRevised, rights: frozenset[str]) -> list[str]:
    """Empties what may not be shown, and names it."""
    held = {said.field for said in described.field_sources if not allows(rights, _class(said))}
    if not described.field_sources and not allows(rights, INTERNAL):  # recorded before facts named their sources
        held = {"object_name", "international_designator"}
    for name in held:
        described.description.ClearField(name)  # type: ignore[arg-type]  # any name of its fields
    for name in held & {"object_name", "international_designator"}:
        described.ClearField(name)  # type: ignore[arg-type]  # the two there are
    kept = [said for said in described.field_sources if said.field not in held]
    del described.field_sources[:]
    described.field_sources.extend(kept)
    if held:
        described.ClearField("source")
        described.ClearField("input_sha256")
        described.ClearField("reason")
    return sorted(held)


def revision(change: wire.ObjectRevision, fact: object, redistribution: str, rights: frozenset[str]) -> None:
    """The fact as far as it may be shown; what is left of another is its version and time."""
    match fact:
        case pb.ObjectCatalogued():
            redact(fact, rights)
            change.catalogued.CopyFrom(fact)
        case pb.ObjectRevised():
            redact(fact, rights)
            change.revised.CopyFrom(fact)
        case pb.ObjectDecayed() if allows(rights, redistribution):
            change.decayed.CopyFrom(fact)
        case pb.ObjectRetired() if allows(rights, redistribution):
            change.retired.CopyFrom(fact)


def _class(said: pb.FieldSource) -> str:
    return codec_objects.CLASSES_BACK.get(said.redistribution, INTERNAL)
