"""Edits of the catalogue by people: once for each key, refused when the object has changed since it was read."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import stamina
from google.protobuf.message import Message

from libs.eventlog import Cause, Conflict, EventLog, RequestKey
from libs.postgres import Connection
from services.ingest import objects, queries_objects
from services.ingest.domain import Delivery, Event
from services.ingest.objects import NOTHING, Edit
from services.ingest.recording import CONFLICT_ATTEMPTS, record_within

A = TypeVar("A", bound=Message)


@dataclass(frozen=True, slots=True)
class Request:
    """A command with the key of its caller and what its facts follow from."""

    command: Edit
    key: RequestKey
    cause: Cause


async def edit(log: EventLog, request: Request, answer: Callable[[Connection], Awaitable[A]], kind: type[A]) -> A:
    """Raises the errors of the domain; a repeat of the key gets the first answer again."""
    command = request.command
    delivery = Delivery(f"operator/{command.by}", "", command.at, None)

    async def decide(conn: Connection) -> Sequence[Event]:
        known = await queries_objects.known(conn, [command.catalogue_number])
        return objects.decide_edit(command, known.get(command.catalogue_number, NOTHING))

    async def handle(conn: Connection) -> A:
        await record_within(conn, log, [f"object/{command.catalogue_number}"], decide, delivery, request.cause)
        return await answer(conn)

    async for attempt in stamina.retry_context(
        on=Conflict, attempts=CONFLICT_ATTEMPTS, wait_initial=0.005, wait_max=0.2, wait_jitter=0.02
    ):
        with attempt:
            return await log.command(request.key, handle, kind)
    raise AssertionError("the last attempt returns or raises")
