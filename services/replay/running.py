"""Runs a replay from the case to its answer."""

import argparse
import json
import tempfile
from datetime import timedelta
from pathlib import Path

from libs import cases
from libs.cases import Case
from libs.eventlog import Recorded
from services.replay import answers, playing, submitting, temporary
from services.replay.playing import Step
from services.replay.recording import Recording


async def run(given: argparse.Namespace) -> int:
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
        async with temporary.mesh_of(f"the gate of {case.name}", _tell(given), parts=("ingest",)) as running:
            return await submitting.record(case, running, folder, _tell(given))
    return Recording(folder)


async def _played(case: Case, recording: Recording, given: argparse.Namespace) -> dict[str, list[Recorded]]:
    tell = _tell(given)

    def step(one: Step) -> None:
        tell(f"{one.known_at:%Y-%m-%d %H:%M} UTC  {len(one.facts)} facts")

    start = case.truths[0].middle_at - timedelta(hours=given.from_hours) if case.truths else None
    async with temporary.mesh_of(case.name, tell, workers=given.workers) as running:
        await playing.play(recording, running, start, step)
        return await playing.facts_of(running)


def _tell(given: argparse.Namespace) -> temporary.Tell:
    return (lambda _: None) if given.json else (lambda line: print(line, flush=True))
