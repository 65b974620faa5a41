"""catalogue: objects found, shown, entered, corrected, taken out, and their history."""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any
from uuid import uuid4

import typer
from google.protobuf.json_format import ParseDict, ParseError

from services.cli import client, show
from services.cli.client import Mesh, Refused
from services.cli.running import Json
from spacecom.ingest.v1 import ingest_events_pb2 as events
from spacecom.ingest.v1 import ingest_service_pb2 as pb
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub

Number = Annotated[int, typer.Argument(help="Catalogue number.")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]
Key = Annotated[str, typer.Option(help="Key under which a repeat has no further effect; new when left out.")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--set", help="field=value of ObjectDescription, such as mass_kg=950; field= for not known."),
]
_BYTES = ("object_name", "international_designator")
_FIELDS = events.ObjectDescription.DESCRIPTOR.fields_by_name

catalogue = typer.Typer(help="The catalogue of objects.", no_args_is_help=True)


class Kind(Enum):
    PAYLOAD = "payload"
    ROCKET_BODY = "rocket-body"
    DEBRIS = "debris"
    OTHER = "other"


@catalogue.command("list")
def list_objects(
    text: Annotated[str, typer.Argument(help="Part of name, designator or number; all when left out.")] = "",
    owner: Annotated[str, typer.Option(help="Owner's code.")] = "",
    kind: Annotated[Kind | None, typer.Option("--type", help="Kind of object.")] = None,
    perigee_below_km: Annotated[float, typer.Option(help="Greatest perigee altitude; 0 for any.")] = 0.0,
    gone: Annotated[bool, typer.Option("--gone", help="Also what has come down or was taken out.")] = False,
    json: Json = False,
) -> None:
    """Find objects."""
    request = pb.ListObjectsRequest(
        page_size=1000, text=text, owner=owner, perigee_below_km=perigee_below_km, include_gone=gone
    )
    if kind:
        request.type = events.ObjectType.Value(f"OBJECT_TYPE_{kind.name}")
    found = list(_pages(client.connect(), request))
    if json:
        show.document([show.fields(one) for one in found])
        return
    show.table(
        ("object", "name", "designator", "type", "owner", "mass kg", "perigee km", "state"),
        (_row(one) for one in found),
    )


@catalogue.command("show")
def show_object(number: Number, json: Json = False) -> None:
    """All that is known of an object, and from whom."""
    request = pb.GetObjectRequest(catalogue_number=number)
    _print(client.connect().ask("ingest", IngestServiceStub, "GetObject", request).object, json=json)


@catalogue.command()
def create(number: Number, reason: Reason, fields: Fields = None, key: Key = "", json: Json = False) -> None:
    """Enter an object by hand."""
    described, _ = _description(fields or [])
    request = pb.CreateObjectRequest(
        catalogue_number=number, description=described, reason=reason.encode(), idempotency_key=key or str(uuid4())
    )
    _print(client.connect().ask("ingest", IngestServiceStub, "CreateObject", request).object, json=json)


@catalogue.command()
def edit(
    number: Number,
    reason: Reason,
    fields: Fields = None,
    etag: Annotated[str, typer.Option(help="Version the edit rests on; that of now when left out.")] = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """Correct fields of an object; what is set here stands above every source."""
    mesh = client.connect()
    described, names = _description(fields or [])
    request = pb.UpdateObjectRequest(
        catalogue_number=number,
        description=described,
        fields=names,
        etag=etag or _etag(mesh, number),
        reason=reason.encode(),
        idempotency_key=key or str(uuid4()),
    )
    _print(mesh.ask("ingest", IngestServiceStub, "UpdateObject", request).object, json=json)


@catalogue.command()
def retire(
    number: Number,
    reason: Reason,
    etag: Annotated[str, typer.Option(help="Version it rests on; that of now when left out.")] = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """Take an object out of the catalogue; its history stays."""
    mesh = client.connect()
    request = pb.RetireObjectRequest(
        catalogue_number=number,
        etag=etag or _etag(mesh, number),
        reason=reason.encode(),
        idempotency_key=key or str(uuid4()),
    )
    _print(mesh.ask("ingest", IngestServiceStub, "RetireObject", request).object, json=json)


@catalogue.command()
def history(number: Number, json: Json = False) -> None:
    """Every change of an object, oldest first."""
    request = pb.ListObjectRevisionsRequest(catalogue_number=number)
    answer = client.connect().ask("ingest", IngestServiceStub, "ListObjectRevisions", request)
    if json:
        show.document(answer)
        return
    show.table(("version", "recorded UTC", "change", "by", "why"), (_change(one) for one in answer.revisions))


def _pages(mesh: Mesh, request: pb.ListObjectsRequest) -> Iterator[pb.CatalogueObject]:
    while True:
        answer = mesh.ask("ingest", IngestServiceStub, "ListObjects", request)
        yield from answer.objects
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def _etag(mesh: Mesh, number: int) -> str:
    request = pb.GetObjectRequest(catalogue_number=number)
    return str(mesh.ask("ingest", IngestServiceStub, "GetObject", request).object.etag)


def _description(pairs: list[str]) -> tuple[events.ObjectDescription, list[str]]:
    described = events.ObjectDescription()
    names = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in _FIELDS:
            raise Refused("BAD_FIELD", f"{show.harmless(pair)} is not field=value; fields are {', '.join(_FIELDS)}")
        names.append(name)
        if value:
            _fill(described, name, value)
    return described, names


def _fill(described: events.ObjectDescription, name: str, value: str) -> None:
    if name in _BYTES:
        setattr(described, name, value.encode())
        return
    if name == "type":
        value = f"OBJECT_TYPE_{value.upper().replace('-', '_')}"
    try:
        ParseDict({name: value}, described)
    except ParseError as error:
        raise Refused("BAD_FIELD", f"{name}={show.harmless(value)} cannot be read: {error}") from error


def _row(one: pb.CatalogueObject) -> tuple[str, ...]:
    said = one.description
    return (
        str(one.catalogue_number),
        show.harmless(one.object_name),
        show.harmless(one.international_designator),
        _kind(said.type),
        show.harmless(said.owner),
        f"{said.mass_kg:.0f}" if said.HasField("mass_kg") else "",
        f"{one.perigee_altitude_km:.0f}" if one.element_set_count else "",
        _state(one),
    )


def _kind(number: events.ObjectType.ValueType) -> str:
    name: str = events.ObjectType.Name(number)
    return "" if not number else name.removeprefix("OBJECT_TYPE_").lower().replace("_", " ")


def _state(one: pb.CatalogueObject) -> str:
    if one.retired:
        return "taken out"
    if not one.HasField("decay"):
        return ""
    return f"down {show.epoch(one.decay.decay_jd, one.decay.decay_jd_fraction):%Y-%m-%d}"


def _print(one: pb.CatalogueObject, *, json: bool) -> None:
    if json:
        show.document(one)
        return
    name = show.harmless(one.object_name) or "no name known"
    show.line(f"{one.catalogue_number} {name}   version {one.etag}   {_state(one)}", "bold")
    show.table(("field", "value", "from"), _known(one))
    if one.element_set_count:
        last = show.epoch(one.last_epoch_jd, one.last_epoch_jd_fraction)
        show.line(
            f"{one.element_set_count} element sets, the last of {last:%Y-%m-%d %H:%M} UTC: perigee "
            f"{one.perigee_altitude_km:.0f} km, apogee {one.apogee_altitude_km:.0f} km, {one.inclination_deg:.2f} deg"
        )
    if one.withheld:
        show.line(f"withheld by the contract: {', '.join(one.withheld)}", "yellow")


def _known(one: pb.CatalogueObject) -> Iterator[tuple[str, str, str]]:
    sources = {said.field: show.harmless(said.source) for said in one.field_sources}
    values = {field.name: value for field, value in one.description.ListFields()}
    for name in _FIELDS:
        if name in values or name in sources:
            value = _value(name, values[name]) if name in values else "not known"
            yield name, value, sources.get(name, "")


def _value(name: str, value: Any) -> str:
    if name == "type":
        return _kind(value)
    return show.harmless(value if isinstance(value, bytes) else str(value))


def _change(one: pb.ObjectRevision) -> tuple[str, ...]:
    kind = one.WhichOneof("change")
    if not kind:
        return one.etag, show.instant(one.recorded_at), "withheld", "", ""
    fact = getattr(one, kind)
    why = show.harmless(getattr(fact, "reason", b""))
    return one.etag, show.instant(one.recorded_at), kind, show.harmless(fact.source), why
