"""Facts of objects to the catalogue's rows."""

from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter

from libs.eventlog import Recorded
from libs.postgres import Connection
from libs.redistribution import INTERNAL
from services.ingest import codec_objects
from spacecom.ingest.v1 import ingest_events_pb2 as pb

ObjectFact = pb.ObjectCatalogued | pb.ObjectRevised | pb.ObjectDecayed | pb.ObjectRetired
_DESCRIBED = """
    INSERT INTO objects (catalogue_number, object_name, international_designator, version, body, name_text,
                         designator_text, owner, type, name_class, designator_class, owner_class, type_class,
                         shown_classes)
    SELECT number, name, designator, version, body, name_text, designator_text, owner, type, name_class,
           designator_class, owner_class, type_class, string_to_array(shown, ',')
    FROM unnest($1::int[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[], $6::text[], $7::text[], $8::text[],
                $9::int[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
      AS given (number, name, designator, version, body, name_text, designator_text, owner, type, name_class,
                designator_class, owner_class, type_class, shown)
    ON CONFLICT (catalogue_number) DO UPDATE SET
      object_name = EXCLUDED.object_name, international_designator = EXCLUDED.international_designator,
      version = EXCLUDED.version, body = EXCLUDED.body, name_text = EXCLUDED.name_text,
      designator_text = EXCLUDED.designator_text, owner = EXCLUDED.owner, type = EXCLUDED.type,
      name_class = EXCLUDED.name_class, designator_class = EXCLUDED.designator_class,
      owner_class = EXCLUDED.owner_class, type_class = EXCLUDED.type_class,
      shown_classes = EXCLUDED.shown_classes, retired = {retired}"""
CATALOGUED = _DESCRIBED.format(retired="EXCLUDED.retired")
REVISED = _DESCRIBED.format(retired="objects.retired")
DECAYED = """
    UPDATE objects o SET version = given.version, decay = given.decay, decay_class = given.class
    FROM unnest($1::int[], $2::bigint[], $3::bytea[], $4::text[]) AS given (number, version, decay, class)
    WHERE o.catalogue_number = given.number"""
RETIRED = """
    UPDATE objects o SET version = given.version, retired = true
    FROM unnest($1::int[], $2::bigint[]) AS given (number, version) WHERE o.catalogue_number = given.number"""
_STATEMENTS = {
    pb.ObjectCatalogued: CATALOGUED,
    pb.ObjectRevised: REVISED,
    pb.ObjectDecayed: DECAYED,
    pb.ObjectRetired: RETIRED,
}


async def project_all(conn: Connection, facts: Iterable[tuple[Recorded, ObjectFact]]) -> None:
    """The first facts of all objects together, then their second ones: those of one object stay in their order."""
    rounds: dict[tuple[int, str], list[tuple[object, ...]]] = defaultdict(list)
    turns: dict[int, int] = defaultdict(int)
    for recorded, fact in facts:
        turns[fact.catalogue_number] += 1
        rounds[turns[fact.catalogue_number], _STATEMENTS[type(fact)]].append(_row(recorded, fact))
    for (_, statement), rows in sorted(rounds.items(), key=itemgetter(0)):
        await conn.execute(statement, *zip(*rows, strict=True))


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
        ",".join(sorted({held for name, held in classes.items() if name in known})),
    )


def searchable(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("\0", "").lower()
