"""What a process waits for before its first answer: compiling all kernels once, and starting from the cache after that.

In processor seconds, which do not hang on what else runs: each runs in one thread, so they are what a quiet core takes.
The table's "compile" is the wall time of the first.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

from libs.bench.harness import OURS, Outcome

COLD_S, WARM_S = 180.0, 1.5
ROUNDS = 3
_FIRST_CALLS = """
import numpy as np
from libs.astro import airspace, decay, entry, fit, frames, sgp4, warm
warm.STEPS["element sets and frames"]()
warm.STEPS["airspace"]()
warm.STEPS["flight of fragments"]()
"""


def start() -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        cold_s = _processor_s(folder, "-m", "libs.astro.warm")
        waited_s = time.perf_counter() - began
        warm_s = min(_processor_s(folder, "-c", _FIRST_CALLS) for _ in range(ROUNDS))
    gate = (
        f"all kernels compiled in {cold_s:.0f} s of processor (at most {COLD_S:.0f}); import and first calls from the "
        f"cache {warm_s:.2f} s (at most {WARM_S})"
    )
    good = cold_s <= COLD_S and warm_s <= WARM_S
    return Outcome(
        "warm",
        "compiling once, and starting from the cache",
        "starts/s",
        {OURS: 1.0 / warm_s},
        (),
        gate,
        good,
        waited_s,
    )


def _environment(folder: str) -> dict[str, str]:
    return {**os.environ, "NUMBA_CACHE_DIR": folder}


def _processor_s(folder: str, *how: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *how], env=_environment(folder), check=True)  # noqa: S603 - own code
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
