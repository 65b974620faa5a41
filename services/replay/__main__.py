"""`python -m services.replay CASE`: the mesh on the facts of the past, as known then, in a namespace of its own."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from infra.local.places import CannotRun
from libs import cases
from libs.cases import BadCase, Case
from libs.eventlog import Recorded
from services.replay import answers, playing, submitting, temporary
from services.replay.playing import Step, Stuck
from services.replay.recording import BadRecording, Recording


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="spacecom replay", description=__doc__.partition(": ")[2] if __doc__ else "")
    parser.add_argument("case", help=f"name of a case ({', '.join(cases.names())}) or the path of a case file")
    parser.add_argument("--from-hours", type=float, default=24.0, help="start so long before the re-entry")
    parser.add_argument("--workers", type=int, default=1, help="processes that fly hazard runs")
    parser.add_argument("--recording", type=Path, help="folder of the recording; made there when it is not")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    try:
        return asyncio.run(_run(given))
    except (BadCase, BadRecording, CannotRun, Stuck) as error:
        print(f"spacecom replay: {error}", file=sys.stderr)
        return 1


async def _run(given: argparse.Namespace) -> int:
    case = cases.load(given.case)
    with tempfile.TemporaryDirectory(prefix="spacecom-replay-") as folder:
        recording = await _recording(case, given.recording or Path(folder), given)
        made = await _played(case, recording, given)
    table = answers.table(made, case)
    if given.json:
        print(json.dumps(answers.document(case, table, made), indent=2))
    else:
        print(answers.text(case, table, made))
    return 0


async def _recording(case: Case, folder: Path, given: argparse.Namespace) -> Recording:
    if not (folder / "facts.binpb").exists():
        async with temporary.mesh_of(f"the gate of {case.name}", 1, _tell(given)) as running:
            return await submitting.record(case, running, folder)
    return Recording(folder)


async def _played(case: Case, recording: Recording, given: argparse.Namespace) -> dict[str, list[Recorded]]:
    tell = _tell(given)

    def step(one: Step) -> None:
        tell(f"{one.known_at:%Y-%m-%d %H:%M} UTC  {len(one.facts)} facts")

    start = case.truths[0].middle_at - timedelta(hours=given.from_hours) if case.truths else None
    async with temporary.mesh_of(case.name, given.workers, tell) as running:
        await playing.play(recording, running, start, step)
        return await playing.facts_of(running)


def _tell(given: argparse.Namespace) -> temporary.Tell:
    return (lambda _: None) if given.json else (lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
