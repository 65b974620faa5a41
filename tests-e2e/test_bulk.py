"""A whole catalogue at once, through ingest alone: its process is killed in the middle."""

import asyncio
import os
import signal
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

import grpc
import pytest

from libs.bench import catalogue

pytestmark = pytest.mark.xdist_group("apart")

OBJECTS = 12_000
DATA = catalogue.as_json(catalogue.records(OBJECTS, datetime(2025, 3, 1)))  # noqa: DTZ001  as the publisher writes it


def kill_in_the_middle(service) -> None:
    """As soon as some of it is recorded."""
    while not asyncio.run(service.stored())["facts"]:
        time.sleep(0.02)
    os.kill(service.pid, signal.SIGKILL)


def test_a_catalogue_cut_off_by_a_kill_is_whole_when_it_is_sent_again():
    """INVARIANT: none lost, none doubled. A part is recorded whole or not at all, and known by its fingerprints."""
    with (
        tempfile.TemporaryDirectory(prefix="spacecom-bulk-", ignore_cleanup_errors=True) as home,
        catalogue.servers(Path(home)) as servers,
    ):
        with servers.serving() as service:
            killer = threading.Thread(target=kill_in_the_middle, args=(service,))
            killer.start()
            with pytest.raises(grpc.RpcError):
                service.submit(DATA)
            killer.join()
            recorded = asyncio.run(service.stored())["facts"]
        assert 0 < recorded < OBJECTS
        with servers.serving() as service:
            answer = service.submit(DATA).answer
            assert (answer.accepted_count, answer.duplicate_count) == (OBJECTS - recorded, recorded)
            again = service.submit(DATA).answer
            assert (again.accepted_count, again.duplicate_count) == (0, OBJECTS)
            stored = asyncio.run(service.stored())
        assert stored == {"facts": OBJECTS, "rows": OBJECTS, "twice": 0}
