"""rejected: what did not come in, why, and where in its file."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from services.cli import client, show
from services.cli.client import Mesh, Refused
from services.cli.running import Json
from spacecom.ingest.v1 import ingest_events_pb2 as events
from spacecom.ingest.v1 import ingest_service_pb2 as pb
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub


def rejected(
    source: Annotated[str, typer.Option(help="Only what came from there.")] = "",
    reason: Annotated[str, typer.Option(help="Only what was refused for it, such as checksum.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 100,
    raw: Annotated[
        bool, typer.Option("--raw", help="With the lines around each place, control characters made harmless.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write all that match to this file, a JSON document on each line.")
    ] = None,
    json: Json = False,
) -> None:
    """What was refused and why, newest first."""
    mesh = client.connect()
    every = _rejections(mesh, pb.ListRejectionsRequest(source=source, reason=_reason(reason), page_size=1000))
    if export:
        show.document({"file": str(export), "count": show.json_lines(export, map(show.fields, every))})
        return
    found = list(islice(every, limit))
    if json:
        show.document([show.fields(one) for one in found])
    elif raw:
        for one in found:
            _tell(mesh, one)
    else:
        _table(found)


def _table(found: Iterable[events.InputRejected]) -> None:
    show.table(
        ("source", "reason", "line", "column", "why", "file"),
        (
            (one.source, _word(one.reason), str(one.line), str(one.column), show.harmless(one.detail), digest)
            for one in found
            for digest in [one.input_sha256[:12]]
        ),
    )


def _tell(mesh: Mesh, one: events.InputRejected) -> None:
    show.line(f"{one.source}, line {one.line}, column {one.column}: {show.harmless(one.detail)}", "yellow")
    asked = pb.GetRejectedTextRequest(
        source=one.source, input_sha256=one.input_sha256, line=one.line, column=one.column
    )
    try:
        lines = marked(mesh.ask("ingest", IngestServiceStub, "GetRejectedText", asked), one.line, one.column)
    except Refused:  # the input is not kept, or the place is not one in it
        lines = [f"  {show.harmless(line)}" for line in one.raw.splitlines()]
    for line in lines:
        show.line(line)


def marked(text: pb.GetRejectedTextResponse, line: int, column: int) -> list[str]:
    """The lines with their numbers, and under the refused one a mark at its column."""
    told: list[str] = []
    for number, raw in enumerate(text.lines, text.first_line):
        told.append(f"{number:>9}{'>' if number == line else ' '} {show.harmless(raw)}")
        if number == line and column:
            told.append(" " * (11 + len(show.harmless(raw[: column - text.first_column]))) + "^")
    return told


def _word(reason: "events.RejectionReason.ValueType") -> str:
    return events.RejectionReason.Name(reason).removeprefix("REJECTION_REASON_").lower()


def _reason(word: str) -> "events.RejectionReason.ValueType":
    known = {_word(one): one for one in events.RejectionReason.values() if one}
    if word and word.lower() not in known:
        raise Refused("UNKNOWN_REASON", f"there is no reason {word!r}; there are {', '.join(sorted(known))}")
    return known.get(word.lower(), events.REJECTION_REASON_UNSPECIFIED)


def _rejections(mesh: Mesh, request: pb.ListRejectionsRequest) -> Iterator[events.InputRejected]:
    while True:
        answer = mesh.ask("ingest", IngestServiceStub, "ListRejections", request)
        yield from answer.rejections
        request.page_token = answer.next_page_token
        if not request.page_token:
            return
