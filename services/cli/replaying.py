"""replay and backcast: the past, played through a mesh of its own; predicted as known then, and scored."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.cli.running import Json


def replay(
    case: Annotated[str, typer.Argument(help="Name of a case, or the path of a case file.")],
    from_hours: Annotated[float, typer.Option(min=0.0, help="Start so long before the re-entry.")] = 24.0,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processes that fly hazard runs.")] = 1,
    recording: Annotated[Path | None, typer.Option(help="Folder of the recording; made there when it is not.")] = None,
    json: Json = False,
) -> None:
    """Play the facts of a case in the order in which they became known, and hold each answer against what happened."""
    words = [case, "--from-hours", str(from_hours), "--workers", str(workers)]
    words += ["--recording", str(recording)] if recording else []
    words += ["--json"] if json else []
    played = subprocess.run([sys.executable, "-m", "services.replay", *words], check=False)  # noqa: S603  its own user's words
    raise typer.Exit(played.returncode)


def backcast(
    case: Annotated[list[str] | None, typer.Option("--cases", help="Name of a case or path of a case file.")] = None,
    cut_off: Annotated[list[str] | None, typer.Option("--cut-offs", help="10d 5d 3d 2d 1d 12h 6h 3h or last.")] = None,
    lagged: Annotated[bool, typer.Option("--lagged", help="Also without the newest element set of each.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File for the document, - for standard output.")
    ] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for figures (PNG, SVG) and tables.")] = None,
) -> None:
    """Predict the re-entries of the past from what was known then, and score the predictions; needs no mesh."""
    words = ["--cases", *case] if case else []
    words += ["--cut-offs", *cut_off] if cut_off else []
    words += ["--lagged"] if lagged else []
    words += ["--json", str(json_file)] if json_file else []
    words += ["--figures", str(figures)] if figures else []
    program = [sys.executable, "-m", "services.replay.kpi_run"]
    scored = subprocess.run([*program, *words], check=False)  # noqa: S603  its own user's words
    raise typer.Exit(scored.returncode)
