"""What a process waits for before its first answer: compiling all kernels once, and starting from the cache after that.

In wall seconds, so it is meant for a quiet machine. Bytecode is kept, as installed packages and the images have it.
"""

import os
import subprocess
import sys
import tempfile
import time

from libs.bench.harness import OURS, Outcome

COLD_S, WARM_S = 180.0, 1.5
ROUNDS = 5
_FIRST_CALLS = """
import numpy as np
from libs.astro import airspace, decay, entry, fit, frames, sgp4, warm
warm.STEPS["element sets and frames"]()
warm.STEPS["airspace"]()
warm.STEPS["flight of fragments"]()
"""


def start() -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        cold_s = _waited_s(folder, "-m", "libs.astro.warm")
        warm_s = min(_waited_s(folder, "-c", _FIRST_CALLS) for _ in range(ROUNDS))
    gate = (
        f"all kernels compiled in {cold_s:.0f} s (at most {COLD_S:.0f}); import and first calls from the cache "
        f"{warm_s:.2f} s (at most {WARM_S})"
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
        cold_s,
    )


def _waited_s(folder: str, *how: str) -> float:
    kept = {"NUMBA_CACHE_DIR": folder, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *how], env=inherited | kept, check=True)  # noqa: S603 - own code
    return time.perf_counter() - began
