"""sources: how fresh each is, what one that fails does to each product, and its resuming."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli import client, show
from services.cli.running import Json
from spacecom.ingest.v1 import ingest_events_pb2 as events
from spacecom.ingest.v1 import ingest_service_pb2 as pb
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub

sources = typer.Typer(help="Where data comes from, and how fresh it is.", invoke_without_command=True)


@sources.callback()
def by_default(context: typer.Context, json: Json = False) -> None:
    """How fresh each source is; `spacecom sources` alone is `spacecom sources list`."""
    if context.invoked_subcommand is None:
        list_sources(json=json)


@sources.command("list")
def list_sources(json: Json = False) -> None:
    """How fresh each source is, when it is due next, and what one that fails does to each product."""
    answer = client.connect().ask("ingest", IngestServiceStub, "ListSources", pb.ListSourcesRequest())
    if json:
        show.document(answer)
        return
    _print(answer)


@sources.command()
def resume(
    source: Annotated[str, typer.Argument(help="A halted source, or a provider: then all of its.")],
    reason: Annotated[str, typer.Option(help="What was done about it; it is recorded.")],
    json: Json = False,
) -> None:
    """Poll a source again that was halted."""
    request = pb.ResumeSourceRequest(source=source, reason=reason.encode())
    answer = client.connect().ask("ingest", IngestServiceStub, "ResumeSource", request)
    if json:
        show.document(answer)
        return
    for one in answer.sources:
        show.line(f"{show.harmless(one.source)} is polled again at once")


def _print(answer: pb.ListSourcesResponse) -> None:
    now = datetime.now(UTC)
    show.table(
        ("source", "state", "last delivery UTC", "age", "next due UTC", "why"),
        (_row(one, now) for one in answer.sources),
    )
    if answer.degraded_products:
        show.table(
            ("product", "because of", "effect"),
            ((one.product, show.harmless(one.source), one.effect) for one in answer.degraded_products),
        )


def _row(one: events.SourceStateChanged, now: datetime) -> tuple[str, ...]:
    last = one.last_delivery_at.ToDatetime(UTC) if one.HasField("last_delivery_at") else None
    return (
        show.harmless(one.source),
        _state(one),
        f"{last:%Y-%m-%d %H:%M}" if last else "never",
        _age((now - last).total_seconds()) if last else "",
        "resume it" if one.halted else show.instant(one.next_due_at) if one.HasField("next_due_at") else "",
        show.harmless(one.reason),
    )


def _state(one: events.SourceStateChanged) -> str:
    if not one.state:
        return "waiting"
    name: str = events.SourceState.Name(one.state)
    return "halted" if one.halted else name.removeprefix("SOURCE_STATE_").lower()


def _age(seconds: float) -> str:
    hours = seconds / 3600.0
    return f"{hours:.1f} h" if hours < 48.0 else f"{hours / 24.0:.0f} d"
