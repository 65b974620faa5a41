"""ingest, objects: what comes in, and the catalogue."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from services.cli import bulk, client, show
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
    paths: Annotated[list[Path], typer.Argument(help="Files, folders and archives (zip, tar, tar.gz, gz).")],
    source: Annotated[str, typer.Option(help="Name of where they come from.")] = "local-file",
    form: Annotated[Format | None, typer.Option("--format", help="Their kind; recognised when left out.")] = None,
    dataset: Annotated[str, typer.Option(help="Airspace and traffic: name of the dataset.")] = "",
    available_at: Annotated[
        datetime | None,
        typer.Option(
            help="When the source published them, UTC; left out: what manifest.json or a file's name says, "
            "else what its records say."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Submit element sets, catalogue rows, messages, space weather or airspace: all of docs/reference/formats.md.

    Run again after an interruption it goes on where it stopped: what was handled to its end is not sent again.
    """
    mesh = client.connect()
    header = pb.SubmitHeader(source=source, dataset=dataset)
    if form:
        header.format = _WIRE[form]
    answers: list[tuple[str, pb.SubmitResponse]] = []
    with show.progress(bulk.count(paths)) as advance:
        for one in bulk.inputs(paths):
            answers.append((one.name, _submitted(mesh, _stamped(header, available_at or one.available_at), one.data)))
            if not json:
                _tell(*answers[-1])
            advance(one.name)
    if json:
        show.document([{"file": name} | show.fields(answer) for name, answer in answers])
    elif len(answers) > 1:
        _sum_up([answer for _, answer in answers])
    if any(answer.rejected_count for _, answer in answers):
        raise Refused("INPUT_REFUSED", "some of the input was refused; each refusal is recorded with its reason")


def _stamped(header: pb.SubmitHeader, available_at: datetime | None) -> pb.SubmitHeader:
    stamped = pb.SubmitHeader.FromString(header.SerializeToString())
    if available_at:
        stamped.available_at.FromDatetime(available_at if available_at.tzinfo else available_at.replace(tzinfo=UTC))
    return stamped


def _submitted(mesh: Mesh, header: pb.SubmitHeader, data: bytes) -> pb.SubmitResponse:
    """What the service answered before to the same bytes, as the duplicates they are now; else its answer."""
    asked = pb.GetSubmissionRequest(header=header, input_sha256=hashlib.sha256(data).hexdigest())
    try:
        known: pb.SubmitResponse = mesh.ask("ingest", IngestServiceStub, "GetSubmission", asked).submission
    except Refused as refused:
        if refused.reason not in ("UNKNOWN_SUBMISSION", "UNIMPLEMENTED"):
            raise
        return submit(mesh, header, data)
    known.duplicate_count += known.accepted_count
    known.accepted_count = 0
    return known


def _sum_up(answers: Sequence[pb.SubmitResponse]) -> None:
    accepted, duplicate, refused = (
        sum(getattr(answer, f"{kind}_count") for answer in answers) for kind in ("accepted", "duplicate", "rejected")
    )
    show.line(f"{len(answers)} files: {accepted} accepted, {duplicate} known already, {refused} refused")


def _tell(name: str, answer: pb.SubmitResponse) -> None:
    kind = pb.InputFormat.Name(answer.format).removeprefix("INPUT_FORMAT_").lower().replace("_", " ")
    show.line(
        f"{show.harmless(name)}: {kind}: {answer.accepted_count} accepted, {answer.duplicate_count} known already, "
        f"{answer.rejected_count} refused"
    )
    for one in answer.rejections:
        show.line(f"  line {one.line}, column {one.column}: {show.harmless(one.detail)}", "yellow")
    if answer.rejected_count > len(answer.rejections):
        show.line(f"  and {answer.rejected_count - len(answer.rejections)} more")


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
