"""B10mesh, B10large: a hazard run through the mesh as `spacecom up` starts it, with about 100 pieces a sample.

B10mesh is B10 with all that lies between: 1,000 samples, timed from the last element set and from the request of a run.
B10large: 10,000 samples to the end, and the most memory that any process of hazard held.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import grpc

from infra.local import __main__ as local
from infra.local import mesh
from libs import cases
from libs.bench.harness import OURS, Outcome
from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub
from spacecom.ingest.v1 import ingest_service_pb2 as ingest
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub

CASE, SAMPLES, MANY, PIECES = "cz5b-2022", 1000, 10_000, 100
WANTED_S, QUICK_S, WANTED_MIB = 15.0, 2.0, 1024.0
ROUNDS, WAIT_S, POLL_S = 3, 900.0, 0.05
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answers:
    """The services of a mesh that is up."""

    found: Mapping[str, Any]

    def ask(self, service: str, kind: Callable[[grpc.Channel], Any], method: str, request: object) -> Any:
        token = Path(self.found["tokens"]["operator"]).read_text()
        with grpc.insecure_channel(self.found["services"][service]) as channel:
            call = getattr(kind(channel), method)
            return call(request, timeout=60.0, metadata=(("authorization", f"Bearer {token}"),))

    def hazard(self, method: str, request: object) -> Any:
        return self.ask("hazard", HazardServiceStub, method, request)

    def submit(self, one: cases.Input) -> None:
        header = ingest.SubmitHeader(
            source=one.source, format=ingest.InputFormat.Value(f"INPUT_FORMAT_{one.format}"), dataset=one.dataset
        )
        if one.available_at:
            header.available_at.FromDatetime(one.available_at)
        parts = [ingest.SubmitRequest(header=header), ingest.SubmitRequest(chunk=one.data)]
        self.ask("ingest", IngestServiceStub, "Submit", iter(parts))


def one_thousand() -> Outcome:
    case = cases.load(CASE)
    with _up(SAMPLES) as answers:
        quick_s, whole_s = _played(answers, case)
        flown = [_timed(answers, case.catalogue_number, SAMPLES) for _ in range(ROUNDS)]
        memory = _most_mib(answers)
    slowest = max(flown)
    return Outcome(
        case="B10mesh",
        title=f"{SAMPLES} samples of about {PIECES} pieces through the mesh, from request to assessment",
        unit="samples/s",
        rates={OURS: SAMPLES / slowest},
        must=(),
        gate=f"{', '.join(f'{one:.1f}' for one in flown)} s (each <= {WANTED_S:g}), {memory:.0f} MiB in a process",
        gate_ok=slowest <= WANTED_S and memory <= WANTED_MIB,
        compile_s=0.0,
        notes=[
            "by processes that have just started and make their density tables, after the last element set came:",
            f"quick corridor in {quick_s:.1f} s, assessment with all pieces of the object's class in {whole_s:.1f} s",
        ],
    )


def ten_thousand() -> Outcome:
    case = cases.load(CASE)
    with _up(MANY) as answers:
        _played(answers, case)
        seconds = _timed(answers, case.catalogue_number, MANY)
        memory = _most_mib(answers)
    return Outcome(
        case="B10large",
        title=f"{MANY} samples of about {PIECES} pieces through the mesh, to the end",
        unit="samples/s",
        rates={OURS: MANY / seconds},
        must=(),
        gate=f"{seconds:.0f} s, {memory:.0f} MiB at most in a process (<= {WANTED_MIB:.0f})",
        gate_ok=memory <= WANTED_MIB,
        compile_s=0.0,
    )


@contextmanager
def _up(samples: int) -> Iterator[Answers]:
    """A mesh of its own, in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="spacecom-bench-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o711)  # the unprivileged user of Postgres passes through
        changed = {"SPACECOM_HOME": home, "SPACECOM_PROPAGATION_SAMPLES": str(samples)}
        os.environ.update(changed)
        local.up(lambda _: None)
        try:
            yield Answers(mesh.read(mesh.Files()))
        finally:
            local.down(lambda _: None)
            for name in changed:
                del os.environ[name]


def _played(answers: Answers, case: cases.Case) -> tuple[float, float]:
    """Seconds from the last element set to the quick corridor, and to the assessment by the run of record."""
    *before, last = case.inputs
    for one in before:
        answers.submit(one)
    started = time.perf_counter()
    answers.submit(last)
    asked = hazard.GetAssessmentRequest(catalogue_number=case.catalogue_number)

    def assessment() -> hazard.Assessment | None:
        try:
            return answers.hazard("GetAssessment", asked).assessment  # type: ignore[no-any-return]  # of a stub by name
        except grpc.RpcError:
            return None

    _await(assessment)
    quick_s = time.perf_counter() - started
    _await(lambda: (found := assessment()) is not None and not found.quick)
    return quick_s, time.perf_counter() - started


def _timed(answers: Answers, number: int, samples: int) -> float:
    """Seconds from the request of a run to its end."""
    document = json.loads(answers.hazard("GetScenario", hazard.GetScenarioRequest(catalogue_number=number)).scenario)
    share = PIECES / sum(kind["count"] for kind in document["pieces"])
    for kind in document["pieces"]:
        kind["count"] = max(1, round(share * kind["count"]))
    asked = hazard.RequestRunRequest(
        catalogue_number=number, idempotency_key=str(uuid4()), scenario=json.dumps(document).encode()
    )
    started = time.perf_counter()
    run_id = answers.hazard("RequestRun", asked).run_id
    request = hazard.GetRunRequest(run_id=run_id)
    _await(lambda: answers.hazard("GetRun", request).state != hazard.RUN_STATE_RUNNING)
    seconds = time.perf_counter() - started
    found = answers.hazard("GetAssessment", hazard.GetAssessmentRequest(run_id=run_id)).assessment.hazard
    if found.sample_count < 0.95 * samples:
        raise RuntimeError(f"{found.sample_count} samples were flown, not {samples}")
    return seconds


def _await(look: Callable[[], T | None]) -> T:
    deadline = time.perf_counter() + WAIT_S
    while time.perf_counter() < deadline:
        if found := look():
            return found
        time.sleep(POLL_S)
    raise TimeoutError(f"the mesh gave no answer within {WAIT_S:.0f} s")


def _most_mib(answers: Answers) -> float:
    """The most that any process of hazard had resident at any time."""
    return max(_peak_mib(pid) for pid in _below(int(answers.found["pid"])) if _is_hazard(pid))


def _below(pid: int) -> list[int]:
    own: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):  # a supervisor starts them from several threads
        own += map(int, children.read_text().split())
    return own + [further for one in own for further in _below(one)]


def _is_hazard(pid: int) -> bool:
    """It, or its parent."""
    status = Path(f"/proc/{pid}/status").read_text()
    parent = next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:"))
    return any(b"services.hazard" in Path(f"/proc/{one}/cmdline").read_bytes() for one in (pid, parent))


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024.0
