"""up, down, status, doctor: the mesh itself."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from grpc import insecure_channel
from grpc_health.v1 import health_pb2, health_pb2_grpc

from infra.local import __main__ as local
from infra.local.mesh import External, Files
from infra.local.places import CannotRun, required
from services.cli import client, show
from services.cli.client import Failed, Mesh, Refused, Unwell
from spacecom.eventlog.v1 import operations_service_pb2 as pb
from spacecom.eventlog.v1.operations_service_pb2_grpc import OperationsServiceStub

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def up(json: Json = False) -> None:
    """Start the mesh on this machine: Postgres, Kafka and every service."""
    try:
        local.up(tell=(lambda _: None) if json else show.line)
    except CannotRun as error:
        raise Refused("CANNOT_RUN", str(error)) from error
    if json:
        show.document({"up": True})
    else:
        show.line("the mesh is up; see it with: spacecom status")


def down(json: Json = False) -> None:
    """Stop the mesh on this machine; its data is kept."""
    try:
        local.down(tell=(lambda _: None) if json else show.line)
    except CannotRun as error:
        raise Refused("CANNOT_RUN", str(error)) from error
    if json:
        show.document({"up": False})


def status(json: Json = False) -> None:
    """Condition of every service, and why one is degraded."""
    mesh = client.connect()
    found = [(name, _status(mesh, name)) for name in mesh.services]
    if json:
        show.document({name: _as_fields(one) for name, one in found})
    else:
        show.table(("service", "condition", "log", "published", "parked"), (_row(name, one) for name, one in found))
        for name, one in found:
            for reason in one.reasons if isinstance(one, pb.GetStatusResponse) else [str(one)]:
                show.line(f"{name}: {reason}", "yellow")
    if any(isinstance(one, Failed) for _, one in found):
        raise Unwell("a service does not answer")


def doctor(json: Json = False) -> None:
    """Look for what keeps the mesh from working, and say what to do."""
    findings = [*_prerequisites(), *_services()]
    if json:
        show.document([{"check": check, "problem": problem} for check, problem in findings])
    else:
        for check, problem in findings:
            show.line(f"{'!!' if problem else 'ok'}  {check}{': ' + problem if problem else ''}")
    if any(problem for _, problem in findings):
        raise Unwell("something needs attention; see above")


def _prerequisites() -> Iterator[tuple[str, str]]:
    external = External()
    if not external.kafka_bootstrap:
        yield "java is installed", _missing(lambda: required("java", "install a Java runtime of version 17 or later"))
        yield "mvn is installed", _missing(lambda: required("mvn", "install Maven 3.8 or later"))
    home = Files().home
    problem = "" if not home.exists() or _writable(home) else f"{home} cannot be written; set SPACECOM_HOME"
    yield "the state folder can be written", problem


def _services() -> Iterator[tuple[str, str]]:
    try:
        mesh = client.connect()
    except Failed as error:
        yield "the mesh is up", str(error)
        return
    yield "the mesh is up", ""
    for name, address in mesh.services.items():
        with insecure_channel(address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                stub.Check(health_pb2.HealthCheckRequest(), timeout=3.0)
            except Exception as error:  # noqa: BLE001  any failure is the finding
                yield f"{name} answers", f"{type(error).__name__}; its log is {Files().log}"
                continue
        found = _status(mesh, name)
        if isinstance(found, Failed):
            yield f"{name} answers", str(found)
        else:
            yield f"{name} does its work", "; ".join(found.reasons)


def _missing(look: Callable[[], str]) -> str:
    try:
        look()
    except CannotRun as error:
        return str(error)
    return ""


def _writable(folder: Path) -> bool:
    probe = folder / ".probe"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _status(mesh: Mesh, name: str) -> pb.GetStatusResponse | Failed:
    try:
        answer: pb.GetStatusResponse = mesh.ask(name, OperationsServiceStub, "GetStatus", pb.GetStatusRequest(), 5.0)
    except Failed as error:
        return error
    return answer


def _as_fields(found: pb.GetStatusResponse | Failed) -> dict[str, object]:
    return {"error": str(found)} if isinstance(found, Failed) else show.fields(found)


def _row(name: str, found: pb.GetStatusResponse | Failed) -> tuple[str, ...]:
    if isinstance(found, Failed):
        return name, "does not answer", "", "", ""
    condition = pb.Condition.Name(found.condition).removeprefix("CONDITION_").lower().replace("_", " ")
    return name, condition, str(found.log_position), str(found.relay_position), str(found.parked_count)
