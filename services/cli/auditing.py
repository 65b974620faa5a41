"""events tail, parked, redrive, rebuild-*: the record, and putting it to rights."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from google.protobuf import symbol_database
from google.protobuf.json_format import MessageToDict

from services.cli import client, show
from services.cli.running import Json
from spacecom.alerting.v1 import alerting_events_pb2 as _alerting  # noqa: F401  registers what the log may hold
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.eventlog.v1 import operations_service_pb2 as pb
from spacecom.eventlog.v1.eventlog_service_pb2_grpc import EventLogServiceStub
from spacecom.eventlog.v1.operations_service_pb2_grpc import OperationsServiceStub
from spacecom.hazard.v1 import hazard_events_pb2 as _hazard  # noqa: F401
from spacecom.ingest.v1 import ingest_events_pb2 as _ingest  # noqa: F401
from spacecom.propagation.v1 import propagation_events_pb2 as _propagation  # noqa: F401

REBUILD_S = 3600.0
Service = Annotated[str, typer.Argument(help="Name of the service.")]

events = typer.Typer(help="The record of a service.", no_args_is_help=True)


@events.command()
def tail(
    service: Service,
    stream: Annotated[str, typer.Option(help="Only this stream, such as decay/54217.")] = "",
    after: Annotated[int, typer.Option(help="Only positions after this one.")] = 0,
    limit: Annotated[int, typer.Option(help="At most so many; 0 for all.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more.")] = False,
    as_known_at: Annotated[datetime | None, typer.Option(help="Only what was recorded by this instant, UTC.")] = None,
    json: Json = False,
) -> None:
    """Print recorded events; with --json one JSON document a line."""
    mesh = client.connect()
    request = log_pb.ReadRequest(stream=stream, after_position=after, limit=limit, follow=follow)
    if as_known_at:
        request.recorded_until.FromDatetime(as_known_at.replace(tzinfo=UTC))
    with mesh.stub(service, EventLogServiceStub) as stub:
        for answer in stub.Read(request, metadata=mesh.metadata):
            for event in answer.events:
                _print(event, json=json)


def _print(event: log_pb.RecordedEvent, *, json: bool) -> None:
    message = symbol_database.Default().GetSymbol(event.type).FromString(event.data)
    if json:
        show.json_line(show.fields(event) | {"message": show.fields(message)})
        return
    recorded = show.instant(event.recorded_at, "%Y-%m-%d %H:%M:%S")
    kind = event.type.rpartition(".")[2]
    show.line(f"{event.position:6d}  {recorded}  {event.stream} v{event.version}  {kind}")
    if event.withheld:
        show.line(f"        withheld: the contract gives no right to {show.harmless(event.redistribution)}", "yellow")
        return
    content = MessageToDict(message, preserving_proto_field_name=True)
    show.line("        " + show.harmless(str(content))[:400])


def parked(service: Service, json: Json = False) -> None:
    """Messages that a service could not handle."""
    mesh = client.connect()
    answer = mesh.ask(service, OperationsServiceStub, "ListParked", pb.ListParkedRequest(page_size=1000))
    if json:
        show.document(answer)
        return
    show.table(
        ("consumer", "stream", "topic", "at", "parked UTC", "why"),
        (
            (
                one.consumer,
                show.harmless(one.stream),
                one.topic,
                f"{one.partition}:{one.offset}",
                show.instant(one.parked_at),
                show.harmless(one.error),
            )
            for one in answer.parked
        ),
    )


def redrive(
    service: Service,
    consumer: Annotated[str, typer.Argument(help="Consumer of the service, as `parked` names it.")],
    stream: Annotated[str, typer.Option(help="Only this stream.")] = "",
    json: Json = False,
) -> None:
    """Handle parked messages again, after their cause was mended."""
    request = pb.RedriveRequest(consumer=consumer, stream=stream)
    answer = client.connect().ask(service, OperationsServiceStub, "Redrive", request, REBUILD_S)
    if json:
        show.document(answer)
    else:
        show.line(f"{answer.handled_count} handled, {answer.remaining_count} still parked")


def rebuild_read_models(service: Service, json: Json = False) -> None:
    """Drop what a service answers from and make it again from the logs."""
    request = pb.RebuildReadModelsRequest()
    answer = client.connect().ask(service, OperationsServiceStub, "RebuildReadModels", request, REBUILD_S)
    if json:
        show.document(answer)
    else:
        show.line(f"{answer.event_count} events applied again")


def rebuild_topics(
    service: Service,
    force: Annotated[list[str] | None, typer.Option(help="Topic to recreate although its consumers run.")] = None,
    json: Json = False,
) -> None:
    """Recreate a service's Kafka topics and publish its whole log again; stop the consumers first."""
    request = pb.RebuildTopicsRequest(force_topics=force or [])
    answer = client.connect().ask(service, OperationsServiceStub, "RebuildTopics", request, REBUILD_S)
    if json:
        show.document(answer)
    else:
        show.line(f"{', '.join(answer.topics)} recreated; {answer.event_count} events are being published again")


def retention(
    service: Service,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; remove nothing.")] = False,
    json: Json = False,
) -> None:
    """Remove what a service's retention policies let go; never a fact or what one cites."""
    request = pb.ApplyRetentionRequest(dry_run=dry_run)
    answer = client.connect().ask(service, OperationsServiceStub, "ApplyRetention", request, REBUILD_S)
    if json:
        show.document(answer)
        return
    for one in answer.removals:
        show.line(f"{one.policy}: {one.note or f'{one.count} ' + ('would be removed' if dry_run else 'removed')}")
    if not answer.removals:
        show.line("no policy is on; see SPACECOM_RETENTION_… in docs/reference/settings.md")
