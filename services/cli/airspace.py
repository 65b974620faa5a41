"""airspace: which volumes of the recorded airspace lie over a place."""

from typing import Annotated

import typer

from services.cli import client, show
from services.cli.client import Refused
from services.cli.running import Json
from spacecom.ingest.v1 import ingest_service_pb2 as pb
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub


def airspace(
    at: Annotated[str, typer.Option(help="A place, as LATITUDE,LONGITUDE in degrees.")] = "",
    box: Annotated[str, typer.Option(help="WEST,SOUTH,EAST,NORTH in degrees; east below west goes over 180.")] = "",
    level: Annotated[float | None, typer.Option(help="Only what reaches this flight level.")] = None,
    dataset: Annotated[str, typer.Option(help="Only of this dataset.")] = "",
    json: Json = False,
) -> None:
    """Volumes of the recorded airspace over a place or in a box, the smallest first."""
    west, south, east, north = _sides(at, box)
    request = pb.ListAirspaceVolumesRequest(
        dataset=dataset, west_deg=west, south_deg=south, east_deg=east, north_deg=north, level_fl=level
    )
    found = client.connect().ask("ingest", IngestServiceStub, "ListAirspaceVolumes", request).volumes
    if json:
        show.document([show.fields(one) for one in found])
        return
    show.table(
        ("designator", "name", "kind", "from FL", "to FL", "area km2", "dataset"),
        (
            (
                show.harmless(one.ident),
                show.harmless(one.name),
                show.harmless(one.kind),
                f"{one.lower_fl:.0f}",
                f"{one.upper_fl:.0f}" if one.HasField("upper_fl") else "no limit",
                f"{one.area_km2:.0f}",
                one.dataset,
            )
            for one in found
        ),
    )


def _sides(at: str, box: str) -> tuple[float, float, float, float]:
    if bool(at) == bool(box):
        raise Refused("BAD_PLACE", "say either a place, --at LATITUDE,LONGITUDE, or a box, --box WEST,SOUTH,EAST,NORTH")
    if at:
        lat, lon = _numbers(at, 2)
        return lon, lat, lon, lat
    west, south, east, north = _numbers(box, 4)
    return west, south, east, north


def _numbers(text: str, count: int) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count:
        raise Refused("BAD_PLACE", f"{text!r} is not {count} numbers with commas between; such as 48.35,11.79")
    return found
