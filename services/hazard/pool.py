"""Processes that fly and assess; replaced when one of them was killed or took too long."""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from services.hazard import flying

J = TypeVar("J")
R = TypeVar("R")


class Lost(Exception):
    """The process ended, or did not answer in time."""


class Pool:
    def __init__(self, memory_gib: float, timeout_s: float) -> None:
        self._memory_bytes = int(memory_gib * 2**30)
        self._timeout_s = timeout_s
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[[J], R], job: J) -> R:
        """Raises Lost, or what the work raises; MemoryError when it wants more than it may have."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1,
                mp_context=multiprocessing.get_context("spawn"),  # a fork after a parallel kernel breaks OpenMP
                initializer=flying.limit_memory,
                initargs=(self._memory_bytes,),
            )
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, job)
        try:
            return await asyncio.wait_for(future, self._timeout_s)
        except BrokenProcessPool as error:
            self.close()
            raise Lost("the process that did it ended without an answer") from error
        except TimeoutError as error:
            self.close()
            raise Lost(f"it took longer than {self._timeout_s:.0f} s") from error

    def close(self) -> None:
        """Kills what is at work."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001  the only way to end a task
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)
