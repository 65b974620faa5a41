"""Facts and causes for tests of the mechanisms."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from libs.eventlog import Cause, Fact, new_id
from spacecom.ingest.v1 import ingest_events_pb2 as pb

WHEN = datetime(2022, 11, 4, 10, 1, tzinfo=UTC)


def fact(name: str = "x", raw: bytes = b"") -> Fact:
    return Fact(pb.InputRejected(source=name, raw=raw), WHEN, new_id())


def cause() -> Cause:
    return Cause(new_id(), None, "")


async def eventually(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.02)
