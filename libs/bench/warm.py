"""What a process waits for before its first answer: compiling all kernels once, and starting from the cache after that.

Wall seconds for the first, which a user watches; processor seconds for the second, which do not hang on what else runs.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

from libs.bench.harness import OURS, Outcome

COLD_S, WARM_CPU_S = 180.0, 1.5
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
        subprocess.run([sys.executable, "-m", "libs.astro.warm"], env=_environment(folder), check=True)  # noqa: S603 - own module
        cold_s = time.perf_counter() - began
        warm_s = min(_processor_s(folder) for _ in range(ROUNDS))
    gate = (
        f"all kernels compiled in {cold_s:.0f} s (at most {COLD_S:.0f}); import and first calls from the cache "
        f"{warm_s:.2f} s of processor (at most {WARM_CPU_S})"
    )
    good = cold_s <= COLD_S and warm_s <= WARM_CPU_S
    return Outcome(
        "warm", "compiling once, and starting from the cache", "starts/s", {OURS: 1.0 / warm_s}, (), gate, good, cold_s
    )


def _environment(folder: str) -> dict[str, str]:
    return {**os.environ, "NUMBA_CACHE_DIR": folder}


def _processor_s(folder: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", _FIRST_CALLS], env=_environment(folder), check=True)  # noqa: S603 - own code
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
