"""`python -m services.replay.kpi_run`: predicts the re-entries of the corpus as known then, and scores that.

Every object of the corpus is predicted under a calibration of windows that was fitted without it.
"""

import argparse
import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from libs import cases
from libs.astro import version, window
from libs.astro.window import Calibration
from libs.cases import BadCase
from services.replay import backcast, calibrate, corpus, kpi, kpi_table
from services.replay.backcast import Claimed, Declined
from services.replay.corpus import Subject
from services.replay.scoring import Row

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Work:
    subject: Subject
    cut_offs: tuple[str, ...]
    lagged: bool
    by: Calibration | None


@dataclass(frozen=True, slots=True)
class Done:
    as_known: list[Row | Declined]
    lagged: list[Row | Declined]
    stood: list[Declined | Claimed]


def done(work: Work) -> Done:
    def scored(*, lagged: bool) -> list[Row | Declined]:
        chosen = corpus.cuts(work.subject, work.cut_offs, lagged=lagged)
        return [backcast.score(cut, backcast.tables(), work.by) for cut in chosen]

    stood = [backcast.stand(cut, backcast.tables()) for cut in corpus.declining(work.subject)]
    return Done(scored(lagged=False), scored(lagged=True) if work.lagged else [], stood)


def calibrating(chosen: Sequence[Subject]) -> list[Subject]:
    """Those to calibrate on where one of the chosen is among them, to be left out. BadCase where an input is absent."""
    own = {one.case for one in chosen if one.calibrates} & set(cases.names())
    return corpus.subjects(backcast.DATA) if own else []


def without_each(subjects: Sequence[Subject], step: Step) -> tuple[Calibration | None, dict[str, Calibration]]:
    """The calibration on all, and for each case the one fitted without it."""
    if not subjects:
        return None, {}
    found, without = calibrate.calibrated(calibrate.flown(subjects, step))
    return found, {one.case: without(one.catalogue_number) for one in subjects}


def run(
    chosen: Sequence[Subject], subjects: Sequence[Subject], cut_offs: Sequence[str], step: Step, *, lagged: bool
) -> kpi.Document:
    """The whole document; subjects: what to calibrate on."""
    fitted, by = without_each(subjects, step)
    work = [Work(one, tuple(cut_offs), lagged, by.get(one.case)) for one in chosen]
    with get_context("spawn").Pool(backcast.PROCESSES) as pool:
        found = list(_told(pool.imap(done, work), work, step))
    stood = [one for some in found for one in some.stood]
    pack: kpi.Document = {
        "schema": kpi.SCHEMA,
        "model_version": version.model_version(),
        "calibration": {
            "version": window.calibration().version,
            "left_out_in_turn": sorted({one.case for one in chosen} & set(by)),
            "shipped_is_that_of_this_corpus": fitted == window.calibration() if fitted else None,
        },
        "samples": backcast.SAMPLES,
        "seed": backcast.SEED,
        "cut_offs": list(cut_offs),
        "cases": [_case(one) for one in chosen],
        "as_known": _packed([one for some in found for one in some.as_known], stood),
    }
    if lagged:
        pack["lagged"] = _packed([one for some in found for one in some.lagged], [])
    pack["published"] = {"windows": kpi.published(chosen), "figures": list(kpi.PUBLISHED)}
    pack["musts"] = kpi.musts(pack["as_known"])
    return pack


def _packed(found: Sequence[Row | Declined], stood: Sequence[Declined | Claimed]) -> kpi.Document:
    rows = [one for one in found if isinstance(one, Row)]
    return kpi.pack(rows, [one for one in found if isinstance(one, Declined)], stood)


def _told(found: Iterable[Done], work: Sequence[Work], step: Step) -> Iterator[Done]:
    for one, of in zip(found, work, strict=True):
        step(of.subject.case)
        yield one


def _case(subject: Subject) -> kpi.Document:
    return {
        "case": subject.case,
        "catalogue_number": subject.catalogue_number,
        "object_class": subject.object_class,
        "truth": subject.kind,
        "truths": [[one.first_at.isoformat(), one.last_at.isoformat(), one.source] for one in subject.truths],
        "element_sets": len(subject.known),
        "element_sets_sha256": _sha256(subject),
        "left_out": list(subject.refused),
    }


def _sha256(subject: Subject) -> str:
    return hashlib.sha256("\n".join(map(repr, subject.known)).encode()).hexdigest()


@contextmanager
def progress(total: int) -> Iterator[Step]:
    """A bar on a terminal, a line for each object elsewhere."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)

        def step(name: str) -> None:
            bar.update(task, advance=1, description=name)
            if not console.is_terminal:
                console.print(f"{bar.tasks[task].completed:.0f} of {total}: {name}", markup=False)

        yield step


def _cut_off(text: str) -> str:
    names = {name.replace(" ", ""): name for name in corpus.CUT_OFFS_H}
    if text.replace(" ", "") not in names:
        raise argparse.ArgumentTypeError(f"{text!r} is no cut-off; there are: {', '.join(names)}")
    return names[text.replace(" ", "")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="spacecom backcast", description=__doc__.partition(": ")[2] if __doc__ else ""
    )
    parser.add_argument("--cases", nargs="+", default=[], help="names of cases or paths of case files; else all")
    parser.add_argument(
        "--cut-offs", nargs="+", type=_cut_off, default=list(corpus.CUT_OFFS_H), help="such as 1d 6h last"
    )
    parser.add_argument("--lagged", action="store_true", help="also without the newest element set of each cut-off")
    parser.add_argument("--json", type=Path, help="file for the whole document, - for standard output")
    parser.add_argument("--figures", type=Path, help="folder for figures (PNG, SVG) and tables (Markdown)")
    return parser


def main(arguments: Sequence[str]) -> int:
    given = _parser().parse_args(arguments)
    began = time.monotonic()
    chosen, absent = corpus.load(given.cases or cases.names(), backcast.DATA)
    for name, reason in absent.items():
        print(f"{name} is left out: {reason}", file=sys.stderr)
    if not chosen or (given.cases and absent):
        return 1
    cut_offs = [name for name in corpus.CUT_OFFS_H if name in given.cut_offs]
    for one in chosen:
        for said in (*one.refused, *filter(None, [corpus.unscored(one, cut_offs)])):
            print(f"{one.case}: {said}", file=sys.stderr)
    try:
        subjects = calibrating(chosen)
    except BadCase as error:
        print(f"spacecom backcast: windows cannot be calibrated: {error}", file=sys.stderr)
        return 1
    with progress(len(subjects) + len(chosen)) as step:
        pack = run(chosen, subjects, cut_offs, step, lagged=given.lagged)
    _write(pack, given)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_utime + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    print(f"{time.monotonic() - began:.0f} s on {backcast.PROCESSES} processes, {used:.0f} s of CPU", file=sys.stderr)
    return 0


def _write(pack: kpi.Document, given: argparse.Namespace) -> None:
    text = json.dumps(pack, indent=1) + "\n"
    if given.json and str(given.json) == "-":
        sys.stdout.write(text)
    else:
        print(kpi_table.screen(pack))
    if given.json and str(given.json) != "-":
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(text)
    if given.figures:
        from services.replay import figures  # matplotlib, which only those who validate have

        figures.write(pack, given.figures)
        (given.figures / "tables.md").write_text(kpi_table.markdown(pack))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
