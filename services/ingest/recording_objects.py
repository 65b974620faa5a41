"""What catalogues state of objects: whom it is about, and what of it is new."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from asyncpg import Pool

from libs.astro.elements import RefusalReason
from libs.blobs import Blobs
from libs.eventlog import Cause, EventLog
from libs.postgres import Connection
from services.ingest import objects, queries_objects, statements
from services.ingest.description import Statement
from services.ingest.domain import Delivery, Event
from services.ingest.objects import NOTHING
from services.ingest.reading import Reading, Refusal
from services.ingest.recording import by_objects, record

Group = dict[int, tuple[Statement, ...]]


async def identify(pool: Pool, blobs: Blobs, read: Reading, delivery: Delivery) -> Reading:
    """Numbers for objects named by designator alone; refuses those that have none, and decays that contradict."""
    if not read.statements:
        return read
    async with pool.acquire() as conn:
        designators = [
            said.description.international_designator for said in read.statements if not said.catalogue_number
        ]
        numbers = await queries_objects.numbers_of(conn, designators)
        said = [_numbered(one, numbers) for one in read.statements]
        known = await queries_objects.known(conn, [one.catalogue_number for one in said if one.decay])
    conflicts = {
        statements.decayed(one): f"object {one.catalogue_number}: {conflict}"
        for one in said
        if (conflict := objects.decay_conflict(one, known.get(one.catalogue_number, NOTHING), delivery.source))
    }
    refusals = [_unknown(one) for one in said if not one.catalogue_number]
    kept = [one for one in said if one.catalogue_number]
    if conflicts:
        kept = [one for one in kept if statements.decayed(one) not in conflicts]
        data = await blobs.get(delivery.input_sha256)
        refusals += await asyncio.to_thread(_refused_decays, data, conflicts)
    return replace(read, statements=tuple(kept), refusals=(*read.refusals, *refusals))


def _refused_decays(data: bytes, conflicts: dict[statements.Decayed, str]) -> list[Refusal]:
    """The file is read again: that is rare, and keeping the place of every row is not cheap."""
    refused = statements.refused_decays(data, conflicts)
    return [Refusal(one.raw, one.line, one.column, one.reason, one.detail) for one in refused]


def _numbered(said: Statement, numbers: dict[bytes, int]) -> Statement:
    if said.catalogue_number:
        return said
    return replace(said, catalogue_number=numbers.get(said.description.international_designator, 0))


def _unknown(said: Statement) -> Refusal:
    designator = said.description.international_designator.decode() or "no designator"
    detail = (
        f"the object has no catalogue number, and its designator ({designator}) is not that of one object of the "
        "catalogue; submit it again once its elements or a SATCAT row are known"
    )
    return Refusal(said.raw, said.line, said.column, RefusalReason.MISSING, detail)


async def record_statements(
    pool: Pool, log: EventLog, said: Sequence[Statement], delivery: Delivery, cause: Cause, size: int
) -> int:
    """How many of the statements brought something new; `size` objects share a transaction."""
    accepted = 0
    for batch in by_objects(said, size):
        streams = [f"object/{number}" for number in batch]
        counted: list[int] = []
        await record(pool, log, streams, partial(_decide, batch, delivery, counted), delivery, cause)
        accepted += counted[-1]  # of the attempt that was recorded
    return accepted


async def _decide(batch: Group, delivery: Delivery, counted: list[int], conn: Connection) -> list[Event]:
    known = await queries_objects.known(conn, list(batch))
    events: list[Event] = []
    accepted = 0
    for number, group in batch.items():
        entry = known.get(number, NOTHING)
        for said in group:
            new = objects.decide_statement(said, entry, delivery)
            for event in new:
                entry = objects.evolve(entry, event)
            events += new
            accepted += bool(new)
    counted.append(accepted)
    return events
