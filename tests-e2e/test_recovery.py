"""How soon a killed part is ready again: a figure for the reader, on demand."""

import statistics
import time

import pytest

from infra.local import mesh as parts

pytestmark = pytest.mark.xdist_group("played")

KILLS = 5
PARTS = (*parts.PARTS, "kafka", "postgres")


def ready_again_s(mesh, part: str) -> float:
    """From the kill until every service answers and waits for nothing."""
    mesh.kill(part)
    killed_at = time.monotonic()
    mesh.wait_ready()
    return time.monotonic() - killed_at


@pytest.mark.torture
def test_every_part_comes_back_by_itself(mesh, played, capsys):
    took = {part: [ready_again_s(mesh, part) for _ in range(KILLS)] for part in PARTS}
    every = sorted(second for seconds in took.values() for second in seconds)
    with capsys.disabled():
        print()
        for part, seconds in took.items():
            print(f"{part:<14} ready again after {statistics.median(seconds):5.1f} s, at most {max(seconds):5.1f} s")
        print(f"{len(every)} kills: 99 % within {every[int(0.99 * len(every))]:.1f} s")
