"""ingest, objects: what comes in, and the catalogue."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from services.cli import client, show
from services.cli.client import Mesh, Refused
from services.cli.running import Json
from spacecom.ingest.v1 import ingest_service_pb2 as pb
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub

CHUNK = 2**19


class Format(Enum):
    TLE = "tle"
    OMM = "omm"
    OMM_XML = "omm-xml"
    OMM_KVN = "omm-kvn"
    OMM_CSV = "omm-csv"
    OEM = "oem"
    RDM = "rdm"
    CDM = "cdm"
    TIP = "tip"
    WEATHER = "weather"
    WEATHER_CSV = "weather-csv"
    SWPC = "swpc"
    EARTH_ORIENTATION = "earth-orientation"
    AIRSPACE = "airspace"
    AIXM = "airspace-aixm"
    TRAFFIC_CSV = "traffic-csv"
    TRAFFIC_GEOJSON = "traffic-geojson"
    SATCAT = "satcat"
    DECAY = "decay"
    DISCOS = "discos"


_WIRE = {
    Format.TLE: pb.INPUT_FORMAT_TLE,
    Format.OMM: pb.INPUT_FORMAT_OMM_JSON,
    Format.OMM_XML: pb.INPUT_FORMAT_OMM_XML,
    Format.OMM_KVN: pb.INPUT_FORMAT_OMM_KVN,
    Format.OMM_CSV: pb.INPUT_FORMAT_OMM_CSV,
    Format.OEM: pb.INPUT_FORMAT_OEM,
    Format.RDM: pb.INPUT_FORMAT_RDM,
    Format.CDM: pb.INPUT_FORMAT_CDM,
    Format.TIP: pb.INPUT_FORMAT_TIP,
    Format.WEATHER: pb.INPUT_FORMAT_CSSI_SPACE_WEATHER,
    Format.WEATHER_CSV: pb.INPUT_FORMAT_SPACE_WEATHER_CSV,
    Format.SWPC: pb.INPUT_FORMAT_SWPC_JSON,
    Format.EARTH_ORIENTATION: pb.INPUT_FORMAT_EARTH_ORIENTATION,
    Format.TRAFFIC_CSV: pb.INPUT_FORMAT_TRAFFIC_CSV,
    Format.TRAFFIC_GEOJSON: pb.INPUT_FORMAT_TRAFFIC_GEOJSON,
    Format.AIXM: pb.INPUT_FORMAT_AIRSPACE_AIXM,
    Format.AIRSPACE: pb.INPUT_FORMAT_AIRSPACE_GEOJSON,
    Format.SATCAT: pb.INPUT_FORMAT_SATCAT,
    Format.DECAY: pb.INPUT_FORMAT_DECAY,
    Format.DISCOS: pb.INPUT_FORMAT_DISCOS,
}


def submit(mesh: Mesh, header: pb.SubmitHeader, data: bytes) -> pb.SubmitResponse:
    def parts() -> Iterator[pb.SubmitRequest]:
        yield pb.SubmitRequest(header=header)
        for start in range(0, len(data), CHUNK):
            yield pb.SubmitRequest(chunk=data[start : start + CHUNK])

    with mesh.stub("ingest", IngestServiceStub) as stub:
        answer: pb.SubmitResponse = stub.Submit(parts(), timeout=600.0, metadata=mesh.metadata)
    return answer


def ingest(
    files: Annotated[list[Path], typer.Argument(help="Files of one kind each.")],
    source: Annotated[str, typer.Option(help="Name of where they come from.")] = "local-file",
    form: Annotated[Format | None, typer.Option("--format", help="Their kind; recognised when left out.")] = None,
    dataset: Annotated[str, typer.Option(help="Airspace and traffic: name of the dataset.")] = "",
    available_at: Annotated[
        datetime | None, typer.Option(help="When the source published them, UTC; unknown when left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Submit element sets, catalogue rows, messages, space weather or airspace: all of docs/reference/formats.md."""
    mesh = client.connect()
    header = pb.SubmitHeader(source=source, dataset=dataset)
    if form:
        header.format = _WIRE[form]
    if available_at:
        header.available_at.FromDatetime(available_at.replace(tzinfo=UTC))
    answers = [(file, submit(mesh, header, _bytes(file))) for file in files]
    if json:
        show.document([{"file": str(file)} | show.fields(answer) for file, answer in answers])
    else:
        for file, answer in answers:
            _tell(file, answer)
    if any(answer.rejected_count for _, answer in answers):
        raise Refused("INPUT_REFUSED", "some of the input was refused; each refusal is recorded with its reason")


def _tell(file: Path, answer: pb.SubmitResponse) -> None:
    kind = pb.InputFormat.Name(answer.format).removeprefix("INPUT_FORMAT_").lower().replace("_", " ")
    show.line(
        f"{file}: {kind}: {answer.accepted_count} accepted, {answer.duplicate_count} known already, "
        f"{answer.rejected_count} refused"
    )
    for one in answer.rejections:
        show.line(f"  line {one.line}, column {one.column}: {show.harmless(one.detail)}", "yellow")
    if answer.rejected_count > len(answer.rejections):
        show.line(f"  and {answer.rejected_count - len(answer.rejections)} more")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused("UNREADABLE_FILE", f"{file} cannot be read: {error.strerror}; check the path") from error


def objects(
    number: Annotated[int, typer.Argument(help="Catalogue number; all when left out.")] = 0, json: Json = False
) -> None:
    """The catalogue, or one object of it."""
    mesh = client.connect()
    if number:
        request = pb.GetObjectRequest(catalogue_number=number)
        found = [mesh.ask("ingest", IngestServiceStub, "GetObject", request).object]
    else:
        found = list(_all(mesh))
    if json:
        show.document([show.fields(one) for one in found])
        return
    show.table(
        ("object", "name", "designator", "sets", "last epoch UTC", "perigee km", "apogee km", "inclination deg"),
        (
            (
                str(one.catalogue_number),
                show.harmless(one.object_name),
                show.harmless(one.international_designator),
                str(one.element_set_count),
                f"{show.epoch(one.last_epoch_jd, one.last_epoch_jd_fraction):%Y-%m-%d %H:%M}",
                f"{one.perigee_altitude_km:.0f}",
                f"{one.apogee_altitude_km:.0f}",
                f"{one.inclination_deg:.2f}",
            )
            for one in found
        ),
    )


def _all(mesh: Mesh) -> Iterator[pb.CatalogueObject]:
    token = ""
    while True:
        request = pb.ListObjectsRequest(page_size=1000, page_token=token, include_gone=True)
        answer = mesh.ask("ingest", IngestServiceStub, "ListObjects", request)
        yield from answer.objects
        token = answer.next_page_token
        if not token:
            return
