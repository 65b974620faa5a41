"""A hazard run whose worker and coordinator are killed gives what it gives undisturbed."""

import time
from typing import Any

import grpc
import pytest

from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub

pytestmark = pytest.mark.xdist_group("played")

OBJECT = "54217"
WAIT_S = 240.0


def test_a_run_whose_worker_and_coordinator_are_killed_gives_the_same_bytes(mesh, played):
    """INVARIANT: what a run gives depends on its inputs and seed. Breaks when an outcome counts twice or is lost."""
    undisturbed = _ended(mesh, mesh.spacecom("hazard-run", OBJECT)["run_id"], ())
    killed = _ended(mesh, mesh.spacecom("hazard-run", OBJECT)["run_id"], ("hazard-worker", "hazard"))
    assert killed.pop("run_id") != undisturbed.pop("run_id")
    assert killed == undisturbed


def _ended(mesh, run_id: str, parts: tuple[str, ...]) -> dict[str, Any]:
    """The hazard of a run of which each part was killed once after a chunk came in."""
    left, deadline = list(parts), time.monotonic() + WAIT_S
    while (run := _run(mesh, run_id)) is None or run.state == hazard.RUN_STATE_RUNNING:
        if run and left and run.completed_chunk_count > len(parts) - len(left):
            mesh.kill(left.pop(0))
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert (run.state, left) == (hazard.RUN_STATE_COMPLETED, [])
    found: dict[str, Any] = mesh.spacecom("hazard", OBJECT, "--run", run_id)["hazard"]
    return found


def _run(mesh, run_id: str) -> hazard.GetRunResponse | None:
    """None while hazard is away."""
    with mesh.channel("hazard") as channel:
        try:
            asked = hazard.GetRunRequest(run_id=run_id)
            return HazardServiceStub(channel).GetRun(asked, timeout=5, metadata=mesh.metadata)
        except grpc.RpcError:
            return None
