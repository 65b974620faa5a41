"""Facts of objects to the catalogue's rows."""

from libs.eventlog import Recorded
from libs.postgres import Connection
from libs.redistribution import INTERNAL
from services.ingest import codec_objects
from services.ingest.description import FIELDS, is_known
from services.ingest.domain import ObjectRevised
from spacecom.ingest.v1 import ingest_events_pb2 as pb


async def described(conn: Connection, recorded: Recorded, fact: pb.ObjectCatalogued | pb.ObjectRevised) -> None:
    description, origins = codec_objects.known_from_wire(fact, recorded.available_at)
    kept = ObjectRevised(fact.catalogue_number, description, origins, fact.source, fact.input_sha256, fact.reason)
    classes = {name: origin.redistribution for name, origin in origins.items()}
    await conn.execute(
        """INSERT INTO objects (catalogue_number, object_name, international_designator, version, body, name_text,
                                designator_text, owner, type, name_class, designator_class, owner_class, type_class,
                                shown_classes)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
           ON CONFLICT (catalogue_number) DO UPDATE SET
             object_name = EXCLUDED.object_name, international_designator = EXCLUDED.international_designator,
             version = EXCLUDED.version, body = EXCLUDED.body, name_text = EXCLUDED.name_text,
             designator_text = EXCLUDED.designator_text, owner = EXCLUDED.owner, type = EXCLUDED.type,
             name_class = EXCLUDED.name_class, designator_class = EXCLUDED.designator_class,
             owner_class = EXCLUDED.owner_class, type_class = EXCLUDED.type_class,
             shown_classes = EXCLUDED.shown_classes, retired = objects.retired AND NOT $15""",
        fact.catalogue_number,
        description.object_name,
        description.international_designator,
        recorded.version,
        codec_objects.to_wire(kept).SerializeToString(deterministic=True),
        searchable(description.object_name),
        searchable(description.international_designator),
        description.owner.replace("\0", ""),
        int(codec_objects.TYPES[description.type]),
        *(classes.get(name, INTERNAL) for name in ("object_name", "international_designator", "owner", "type")),
        sorted({classes[name] for name in FIELDS if name in classes and is_known(description, name)}),
        isinstance(fact, pb.ObjectCatalogued),
    )


async def decayed(conn: Connection, recorded: Recorded, fact: pb.ObjectDecayed) -> None:
    origin = codec_objects.origin_from_wire(fact, recorded.available_at)
    await conn.execute(
        "UPDATE objects SET version = $2, decay = $3, decay_class = $4 WHERE catalogue_number = $1",
        fact.catalogue_number,
        recorded.version,
        recorded.data,
        origin.redistribution,
    )


async def retired(conn: Connection, recorded: Recorded, fact: pb.ObjectRetired) -> None:
    await conn.execute(
        "UPDATE objects SET version = $2, retired = true WHERE catalogue_number = $1",
        fact.catalogue_number,
        recorded.version,
    )


def searchable(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("\0", "").lower()
