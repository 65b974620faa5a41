"""Work in processes of their own: what it answers, what it may not take, how it ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from libs.workers import Lost, Workers

PARENT = """
import asyncio, os, signal
from libs.workers import Workers

async def main():
    print(await Workers().run(os.getpid), flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""
INHERITED: list[int] = []


@pytest.fixture
def workers():
    made = Workers(timeout_s=60.0)
    yield made
    made.close()


def sleep_long() -> None:
    signal.pause()


def start_threads_without_end() -> None:
    while True:
        threading.Thread(target=threading.Event().wait, daemon=True).start()


def inherited() -> int:
    return len(INHERITED)


async def test_a_killed_process_is_lost_and_the_next_work_gets_another(workers):
    with pytest.raises(Lost, match="ended without an answer"):
        await workers.run(os.kill, await workers.run(os.getpid), signal.SIGKILL)
    assert await workers.run(os.path.basename, "a/b") == "b"


async def test_work_that_takes_too_long_is_ended(workers):
    await workers.run(os.getpid)
    workers._timeout_s = 0.5
    with pytest.raises(Lost, match="longer than"):
        await workers.run(sleep_long)


async def test_a_process_that_wants_too_much_memory_says_so():
    """Of what it may write: libraries and tables of gigabytes that are mapped are nobody's burden."""
    workers = Workers(memory_bytes=2**29)
    try:
        assert len(await workers.run(bytes, 2**26)) == 2**26
        with pytest.raises(MemoryError):
            await workers.run(bytes, 2**30)
    finally:
        workers.close()


async def test_a_process_without_memory_for_threads_says_so_and_is_replaced():
    """A stack is memory too. What used it up would refuse the next work as well."""
    workers = Workers(memory_bytes=2**29)
    try:
        first = await workers.run(os.getpid)
        with pytest.raises(MemoryError, match="another thread"):
            await workers.run(start_threads_without_end)
        assert await workers.run(os.getpid) != first
    finally:
        workers.close()


async def test_processes_are_spawned_not_forked(workers):
    """INVARIANT: a fork after a parallel kernel breaks OpenMP, so a process starts from nothing."""
    INHERITED.append(1)
    assert await workers.run(inherited) == 0


def test_a_process_ends_with_the_service_that_started_it(tmp_path):
    """INVARIANT: kill -9 of a service leaves no worker. Without the death signal it waits for work for ever."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(Path.cwd())}
    )
    assert parent.stdout
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert _gone(worker)


def _gone(process: int) -> bool:
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
