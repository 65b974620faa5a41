"""Facts of objects to the catalogue's rows."""

from collections.abc import Iterable
from itertools import groupby

from libs.eventlog import Recorded
from libs.postgres import Connection
from libs.redistribution import INTERNAL
from services.ingest import codec_objects
from spacecom.ingest.v1 import ingest_events_pb2 as pb

ObjectFact = pb.ObjectCatalogued | pb.ObjectRevised | pb.ObjectDecayed | pb.ObjectRetired
DESCRIBED = """
    INSERT INTO objects (catalogue_number, object_name, international_designator, version, body, name_text,
                         designator_text, owner, type, name_class, designator_class, owner_class, type_class,
                         shown_classes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (catalogue_number) DO UPDATE SET
      object_name = EXCLUDED.object_name, international_designator = EXCLUDED.international_designator,
      version = EXCLUDED.version, body = EXCLUDED.body, name_text = EXCLUDED.name_text,
      designator_text = EXCLUDED.designator_text, owner = EXCLUDED.owner, type = EXCLUDED.type,
      name_class = EXCLUDED.name_class, designator_class = EXCLUDED.designator_class,
      owner_class = EXCLUDED.owner_class, type_class = EXCLUDED.type_class,
      shown_classes = EXCLUDED.shown_classes, retired = objects.retired AND NOT $15"""
DECAYED = "UPDATE objects SET version = $2, decay = $3, decay_class = $4 WHERE catalogue_number = $1"
RETIRED = "UPDATE objects SET version = $2, retired = true WHERE catalogue_number = $1"
_STATEMENTS = {
    pb.ObjectCatalogued: DESCRIBED,
    pb.ObjectRevised: DESCRIBED,
    pb.ObjectDecayed: DECAYED,
    pb.ObjectRetired: RETIRED,
}


async def project_all(conn: Connection, facts: Iterable[tuple[Recorded, ObjectFact]]) -> None:
    """In their order, since an object taken out can come back; descriptions, which come by the thousand, together."""
    for statement, run in groupby(facts, key=lambda pair: _STATEMENTS[type(pair[1])]):
        await conn.executemany(statement, [_row(recorded, fact) for recorded, fact in run])


def _row(recorded: Recorded, fact: ObjectFact) -> tuple[object, ...]:
    match fact:
        case pb.ObjectDecayed():
            held = codec_objects.CLASSES_BACK.get(fact.redistribution, INTERNAL)
            return fact.catalogue_number, recorded.version, recorded.data, held
        case pb.ObjectRetired():
            return fact.catalogue_number, recorded.version
        case _:
            return _described_row(recorded, fact)


def _described_row(recorded: Recorded, fact: codec_objects.Described) -> tuple[object, ...]:
    complete = codec_objects.completed(fact, recorded.available_at)
    described = complete.description
    classes = {
        said.field: codec_objects.CLASSES_BACK.get(said.redistribution, INTERNAL) for said in complete.field_sources
    }
    known = {field.name for field, _ in described.ListFields()}
    return (
        fact.catalogue_number,
        fact.object_name,
        fact.international_designator,
        recorded.version,
        recorded.data if complete is fact else complete.SerializeToString(deterministic=True),
        searchable(fact.object_name),
        searchable(fact.international_designator),
        described.owner.replace("\0", ""),
        int(described.type),
        *(classes.get(name, INTERNAL) for name in ("object_name", "international_designator", "owner", "type")),
        sorted({held for name, held in classes.items() if name in known}),
        isinstance(fact, pb.ObjectCatalogued),
    )


def searchable(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("\0", "").lower()
