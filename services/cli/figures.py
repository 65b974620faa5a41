"""figures: the corridor on a map, and expected pieces by region and time, as PNG, SVG or PDF."""

import json
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from services.cli import client, show
from services.cli.pieces import LONG_S, Number, Run
from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub


def figures(
    number: Number,
    folder: Annotated[Path, typer.Option("--to", file_okay=False, help="Folder to write to.")] = Path(),
    run: Run = "",
    kind: Annotated[str, typer.Option(help="png, svg or pdf.")] = "png",
) -> None:
    """Draw the corridor and the expected pieces by region and time."""
    if kind not in ("png", "svg", "pdf"):
        raise typer.BadParameter("figures are png, svg or pdf", param_hint="--kind")
    drawing = import_module("services.cli.drawing")  # matplotlib takes a second, which no other command should wait for
    mesh = client.connect()
    asked = hazard.GetCorridorRequest(catalogue_number=number, run_id=run)
    answer = mesh.ask("hazard", HazardServiceStub, "GetCorridor", asked, LONG_S)
    rows = hazard.ListMinutesRequest(catalogue_number=number, run_id=run)
    minutes = list(mesh.ask("hazard", HazardServiceStub, "ListMinutes", rows, LONG_S).minutes)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        f"corridor-{number}": drawing.corridor(json.loads(answer.geojson), f"object {number}"),
        f"fir-time-{number}": drawing.heat_map(minutes, f"object {number}"),
    }
    for name, figure in drawn.items():
        drawing.save(figure, folder / f"{name}.{kind}")
        show.line(str(folder / f"{name}.{kind}"))
