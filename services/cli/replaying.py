"""replay: the past, played through a mesh of its own."""

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
