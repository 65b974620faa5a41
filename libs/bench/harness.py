"""Contenders side by side in one run: interleaved rounds, medians, ratios, and a correctness gate beside them."""

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

OURS = "spacecom"
FOLDER = Path("build/bench")
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Contender:
    """`run` does `work` units of work; a peer that had less to do is compared by its rate."""

    name: str
    run: Callable[[], object]
    work: float


@dataclass(frozen=True, slots=True)
class Must:
    """Our rate over the peer's must reach `ratio`; `stretch` is the aim beyond it."""

    peer: str
    ratio: float
    stretch: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case showed. `gate` says in words and figures what was checked, `missing` why a peer did not run."""

    case: str
    title: str
    unit: str  # of the rates, such as "states/s"
    rates: Mapping[str, float]
    must: Sequence[Must]
    gate: str
    gate_ok: bool
    compile_s: float
    missing: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def ratio(self, peer: str) -> float | None:
        return self.rates[OURS] / self.rates[peer] if {OURS, peer} <= set(self.rates) else None

    @property
    def passed(self) -> bool:
        reached = [(self.ratio(one.peer), one.ratio) for one in self.must]
        return self.gate_ok and all(ratio is not None and ratio >= least for ratio, least in reached)


def compare(contenders: Sequence[Contender], rounds: int = ROUNDS) -> dict[str, float]:
    """Median rate of each, taken in turns so that a slower minute of the machine slows all of them."""
    seconds: dict[str, list[float]] = {one.name: [] for one in contenders}
    for _ in range(rounds):
        for one in contenders:
            seconds[one.name].append(timed(one.run))
    return {one.name: one.work / statistics.median(seconds[one.name]) for one in contenders}


def timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def save(outcome: Outcome) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{outcome.case}.json"
    path.write_text(json.dumps(_document(outcome), indent=2) + "\n")
    return path


def _document(outcome: Outcome) -> dict[str, object]:
    first = outcome.must[0].peer if outcome.must else ""
    return {
        "case": outcome.case,
        "title": outcome.title,
        "peer": first,
        "ratio": outcome.ratio(first) if first else None,
        "gate": outcome.gate,
        "gate_ok": outcome.gate_ok,
        "passed": outcome.passed,
        "unit": outcome.unit,
        "rates": dict(outcome.rates),
        "ratios": {one.peer: outcome.ratio(one.peer) for one in outcome.must},
        "must": {one.peer: one.ratio for one in outcome.must},
        "stretch": {one.peer: one.stretch for one in outcome.must if one.stretch},
        "compile_s": outcome.compile_s,
        "missing": dict(outcome.missing),
        "notes": list(outcome.notes),
    }


def table(outcome: Outcome) -> str:
    lines = [f"{outcome.case}  {outcome.title}   (compile {outcome.compile_s:.1f} s, apart)"]
    wanted = {one.peer: one for one in outcome.must}
    for name, rate in sorted(outcome.rates.items(), key=lambda item: -item[1]):
        line = f"  {name:<28} {rate:12.4g} {outcome.unit}"
        ratio = outcome.ratio(name)
        if name != OURS and ratio is not None:
            line += f"   ours is {ratio:8.2f}x"
        if one := wanted.get(name):
            aim = f", stretch {one.stretch:g}x" if one.stretch else ""
            line += f"   (must {one.ratio:g}x{aim})"
        lines.append(line)
    lines += [f"  {name:<28} not run: {why}" for name, why in outcome.missing.items()]
    lines.append(f"  {'ok' if outcome.gate_ok else '!!'}  {outcome.gate}")
    lines += [f"  {note}" for note in outcome.notes]
    return "\n".join(lines)
