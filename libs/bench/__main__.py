"""`python -m libs.bench [CASE…]`: runs cases, prints their tables, keeps build/bench/<case>.json.

Exit status 1 when a case misses its must or its gate.
"""

import importlib
import sys
from collections.abc import Callable, Sequence

from libs.bench import harness
from libs.bench.harness import Outcome

CASES = {  # case: module and function of no argument that returns its Outcome
    "B1": ("libs.bench.sgp4", "leo"),
    "B2": ("libs.bench.sgp4", "mixed"),
    "B3": ("libs.bench.sgp4", "fused"),
    "B4": ("libs.bench.frames", "teme_to_itrs"),
    "B5": ("libs.bench.density", "table"),
    "B6": ("libs.bench.decay", "single"),
    "B7": ("libs.bench.decay", "ensemble"),
    "B8": ("libs.bench.entry", "fragments"),
    "B9": ("libs.bench.airspace", "lookup"),
    "B10": ("services.hazard.bench", "end_to_end"),
    "B10mesh": ("libs.bench.hazard_mesh", "one_thousand"),
    "B10large": ("libs.bench.hazard_mesh", "ten_thousand"),
    "quick": ("services.hazard.bench", "quick_corridor"),
    "B13": ("libs.bench.catalogue", "ingested"),
    "prediction": ("libs.bench.prediction", "window"),
    "warm": ("libs.bench.warm", "start"),
    "log": ("libs.bench.log", "throughput"),
}


def main(names: Sequence[str]) -> int:
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"there is no case {', '.join(unknown)}; there are: {', '.join(CASES)}")
        return 2
    outcomes = [_run(name) for name in names or CASES]
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _run(name: str) -> Outcome:
    module, function = CASES[name]
    case: Callable[[], Outcome] = getattr(importlib.import_module(module), function)
    outcome = case()
    print(harness.table(outcome), flush=True)
    print(f"  kept in {harness.save(outcome)}\n", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
