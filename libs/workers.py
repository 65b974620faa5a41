"""CPU work in processes of their own, off the event loop; replaced when killed or too slow, ended with their parent."""

import asyncio
import ctypes
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

PR_SET_PDEATHSIG = 1
NO_STACK = "can't start new thread"  # what Python says where the memory of a stack is refused
R = TypeVar("R")


class Lost(Exception):
    """The process ended, or did not answer in time."""


class Workers:
    """`memory_bytes` bounds the private memory of each process, `timeout_s` one piece of work; 0: unbounded.

    Private memory is what may be written and is shared with nobody; pages never touched count too, so that what is
    resident stays below. Libraries and files that are mapped do not count.
    """

    def __init__(self, count: int = 1, *, memory_bytes: int = 0, timeout_s: float = 0.0) -> None:
        self._count = count
        self._memory_bytes = memory_bytes
        self._timeout_s = timeout_s
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[..., R], *arguments: object) -> R:
        """Raises Lost, or what the work raises; MemoryError when it wants more than it may have, thread stacks too.

        What held so much is not trusted with the next work: that gets another process.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._count,
                mp_context=multiprocessing.get_context("spawn"),  # a fork after a parallel kernel breaks OpenMP
                initializer=_confine,
                initargs=(os.getpid(), self._memory_bytes),
            )
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
            return await asyncio.wait_for(future, self._timeout_s or None)
        except BrokenProcessPool as error:
            self.close()
            raise Lost("the process that did it ended without an answer") from error
        except TimeoutError as error:
            self.close()
            raise Lost(f"it took longer than {self._timeout_s:.0f} s") from error
        except MemoryError:
            self.close()
            raise
        except RuntimeError as error:
            if str(error) != NO_STACK:
                raise
            self.close()
            raise MemoryError("it wanted more memory than it may have: there was none for another thread") from error

    def close(self) -> None:
        """Kills what is at work."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001  the only way to end a task
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)


def _confine(parent: int, memory_bytes: int) -> None:
    """A service killed with -9 stops nobody: the kernel must end its workers, or each kill leaves one for ever."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
