"""`python -m services.replay CASE`: the mesh on the facts of the past, as known then, in a namespace of its own."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local.places import CannotRun
from libs import cases
from libs.cases import BadCase
from services.replay import running
from services.replay.playing import Stuck
from services.replay.recording import BadRecording


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="spacecom replay", description=__doc__.partition(": ")[2] if __doc__ else "")
    parser.add_argument("case", help=f"name of a case ({', '.join(cases.names())}) or the path of a case file")
    parser.add_argument("--from-hours", type=float, default=24.0, help="start so long before the re-entry")
    parser.add_argument("--workers", type=int, default=1, help="processes that fly hazard runs")
    parser.add_argument("--recording", type=Path, help="folder of the recording; made there when it is not")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    try:
        return asyncio.run(running.run(given))
    except (BadCase, BadRecording, CannotRun, Stuck) as error:
        print(f"spacecom replay: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
