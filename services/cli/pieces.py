"""scenario, hazard-run, corridor, minutes, probability, route, compare: what pieces do, and under which assumptions."""

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from services.cli import client, show
from services.cli.client import Mesh
from services.cli.running import Json
from spacecom.hazard.v1 import hazard_events_pb2 as hazard_events
from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub

LONG_S = 120.0
Number = Annotated[int, typer.Argument(help="Catalogue number.")]
Run = Annotated[str, typer.Option("--run", help="Run, such as one of your own scenario; otherwise the newest.")]
Regions = Annotated[list[str] | None, typer.Option("--fir", help="Designator; may be repeated. Otherwise all.")]
CONDITION = "given re-entry as predicted and break-up as the scenario has it; no probability of a strike"


def scenario(number: Number, run: Run = "") -> None:
    """The scenario as JSON, to be edited: what is assumed of break-up, pieces and winds."""
    asked = hazard.GetScenarioRequest(catalogue_number=number, run_id=run)
    answer = client.connect().ask("hazard", HazardServiceStub, "GetScenario", asked)
    sys.stdout.write(answer.scenario.decode())


def hazard_run(
    number: Number,
    file: Annotated[Path | None, typer.Option("--scenario", exists=True, dir_okay=False, help="JSON to fly.")] = None,
    json: Json = False,
) -> None:
    """Fly the newest prediction again; with a scenario of your own beside the hazard of record, which stays."""
    asked = hazard.RequestRunRequest(
        catalogue_number=number, idempotency_key=str(uuid4()), scenario=file.read_bytes() if file else b""
    )
    answer = client.connect().ask("hazard", HazardServiceStub, "RequestRun", asked)
    if json:
        show.document(answer)
    else:
        show.line(f"run {answer.run_id} requested; ask with: spacecom hazard {number} --run {answer.run_id}")


def watch_run(run: Annotated[str, typer.Argument(help="Run.")], json: Json = False) -> None:
    """Follow a run until it ends."""
    asked = hazard.WatchRunRequest(run_id=run)
    mesh = client.connect()
    with mesh.stub("hazard", HazardServiceStub) as stub:
        for one in stub.WatchRun(asked, metadata=mesh.metadata):
            if json:
                show.document(one)
            else:
                _progress(one)


def _progress(one: hazard.WatchRunResponse) -> None:
    state = hazard.RunState.Name(one.state).removeprefix("RUN_STATE_").lower()
    left = f", about {one.left_s:.0f} s left" if one.left_s else ""
    show.line(f"{state}: {one.percent:.0f} % of {one.chunk_count} chunks{left} {show.harmless(one.reason)}".rstrip())


def cancel_run(
    run: Annotated[str, typer.Argument(help="Run.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    json: Json = False,
) -> None:
    """End a run that is being flown; its results are dropped."""
    asked = hazard.CancelRunRequest(run_id=run, reason=reason, idempotency_key=str(uuid4()))
    answer = client.connect().ask("hazard", HazardServiceStub, "CancelRun", asked)
    if json:
        show.document(answer)
    else:
        show.line(f"run {run} is cancelled")


def corridor(number: Number, run: Run = "") -> None:
    """Contours of where pieces come down, by level, as GeoJSON."""
    asked = hazard.GetCorridorRequest(catalogue_number=number, run_id=run)
    answer = client.connect().ask("hazard", HazardServiceStub, "GetCorridor", asked)
    sys.stdout.write(answer.geojson.decode() + "\n")


def minutes(number: Number, run: Run = "", fir: Regions = None, json: Json = False) -> None:
    """Expected pieces by region, band and minute, as CSV."""
    asked = hazard.ListMinutesRequest(catalogue_number=number, run_id=run, fir_designators=fir or [])
    answer = client.connect().ask("hazard", HazardServiceStub, "ListMinutes", asked)
    if json:
        show.document(answer)
        return
    table = csv.writer(sys.stdout)
    table.writerow(("fir", "lower_fl", "upper_fl", "minute_utc", "expected_pieces"))
    for one in answer.minutes:
        name = show.harmless(one.fir_designator)
        table.writerow((name, one.lower_fl, one.upper_fl or "", show.instant(one.minute), one.expected_pieces))
    if answer.truncated:
        show.complaint("there are more minutes; name regions with --fir")


def probability(
    number: Number,
    run: Run = "",
    fir: Regions = None,
    lower_fl: Annotated[float, typer.Option(help="Lower limit, hundreds of feet.")] = 0.0,
    upper_fl: Annotated[float, typer.Option(help="Upper limit, hundreds of feet; 0: none.")] = 0.0,
    start: Annotated[datetime | None, typer.Option("--from", help="From when, UTC.")] = None,
    end: Annotated[datetime | None, typer.Option("--until", help="Until when, UTC.")] = None,
    json: Json = False,
) -> None:
    """How likely any piece comes into a set of regions, levels and times."""
    asked = hazard.GetProbabilityRequest(
        catalogue_number=number, run_id=run, fir_designators=fir or [], lower_fl=lower_fl, upper_fl=upper_fl
    )
    if start:
        asked.from_time.FromDatetime(start)
    if end:
        asked.until_time.FromDatetime(end)
    answer = client.connect().ask("hazard", HazardServiceStub, "GetProbability", asked, LONG_S)
    if json:
        show.document(answer)
        return
    show.line(f"probability that any piece of at least 1 g comes there: {show.percent(answer.any_probability)}")
    show.line(f"expected time of pieces there: {answer.piece_seconds:.3g} piece-seconds")
    show.line(CONDITION)


def route(
    number: Number,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: time, lat, lon, level_fl.")],
    run: Run = "",
    lateral_km: Annotated[float, typer.Option(help="Near to the side, km.")] = 20.0,
    vertical_fl: Annotated[float, typer.Option(help="Near above and below, hundreds of feet.")] = 20.0,
    json: Json = False,
) -> None:
    """How likely any piece comes near an aircraft on its way; a place given twice asks about the place."""
    asked = hazard.GetRouteHazardRequest(
        catalogue_number=number, run_id=run, lateral_km=lateral_km, vertical_fl=vertical_fl, points=_points(file)
    )
    answer = client.connect().ask("hazard", HazardServiceStub, "GetRouteHazard", asked, LONG_S)
    if json:
        show.document(answer)
        return
    show.line(
        f"probability that any piece of at least 1 g comes within {lateral_km:g} km and {100 * vertical_fl:.0f} ft: "
        f"{show.percent(answer.any_probability)}; expected pieces {answer.expected_pieces:.3g}"
    )
    show.line(CONDITION)


def _points(file: Path) -> list[hazard.RoutePoint]:
    found = []
    with file.open(newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            try:
                lat, lon, level = (float(row[name]) for name in ("lat", "lon", "level_fl"))
                point = hazard.RoutePoint(latitude_deg=lat, longitude_deg=lon, level_fl=level)
                point.time.FromDatetime(datetime.fromisoformat(row["time"]))
            except (KeyError, TypeError, ValueError) as error:
                raise typer.BadParameter(
                    f"line {number} of {file.name} is not a time, lat, lon and level_fl: {error}"
                ) from error
            found.append(point)
    return found


def compare(
    run: Annotated[str, typer.Argument(help="Run.")], other: Annotated[str, typer.Argument(help="Another run.")]
) -> None:
    """Two runs side by side, region by region."""
    mesh = client.connect()
    one, two = _of(mesh, run), _of(mesh, other)
    show.line(f"{show.harmless(one.scenario_name)} ({one.object_class}) against {show.harmless(two.scenario_name)}")
    chances = [{fir.fir_designator: fir.pieces.any_probability for fir in each.firs} for each in (one, two)]
    names = sorted(set(chances[0]) | set(chances[1]), key=lambda name: -max(each.get(name, 0.0) for each in chances))
    rows = ((name, *(show.percent(each.get(name, 0.0)) for each in chances)) for name in names)
    show.table(("FIR", "any piece, first", "any piece, second"), rows)
    show.line(CONDITION)


def _of(mesh: Mesh, run: str) -> hazard_events.HazardAssessed:
    asked = hazard.GetAssessmentRequest(run_id=run)
    found: hazard_events.HazardAssessed = mesh.ask(
        "hazard", HazardServiceStub, "GetAssessment", asked
    ).assessment.hazard
    return found


COMMANDS = (scenario, hazard_run, watch_run, cancel_run, corridor, minutes, probability, route, compare)
