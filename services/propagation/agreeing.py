"""Records when predictions of others and ours come to disagree, or to agree again."""

from datetime import datetime
from uuid import UUID

from libs.eventlog import Cause, EventLog, Fact, derived_id
from libs.postgres import Connection
from services.propagation import codec, queries
from services.propagation.comparing import Agreement, changes
from services.propagation.domain import DecayPredicted


async def weigh(
    conn: Connection, log: EventLog, ours: tuple[UUID, DecayPredicted], known_at: datetime, cause: Cause
) -> None:
    """Compares with the newest of every source; in the transaction that made either side known."""
    prediction, decay = ours
    number = decay.catalogue_number
    others = await queries.others(conn, number)
    if not others:
        return
    stream = f"agreement/{number}"
    history = await log.load(conn, stream)
    said = [codec.agreement_from_wire(recorded.message()) for recorded in history]
    last: dict[str, Agreement] = {fact.source: fact.agreement for fact in said}
    done = {recorded.event_id for recorded in history}
    facts = [
        Fact(codec.agreement_to_wire(fact), known_at, event_id)
        for fact in changes(decay, prediction, others, last, known_at)
        if (event_id := _identity(fact.other_event_id, prediction)) not in done
    ]
    if facts:
        await log.append(conn, stream, facts, after=len(history), cause=cause)


async def weigh_newest(conn: Connection, log: EventLog, number: int, available_at: datetime, cause: Cause) -> None:
    """For a prediction of somebody else that came now; one older than our newest was weighed with that."""
    rows = await queries.predictions_before(conn, number, 0, 1)
    if not rows:
        return
    decay = codec.decay(rows[0].body)
    if available_at >= decay.known_at:
        await weigh(conn, log, (rows[0].event_id, decay), available_at, cause)


def _identity(other: UUID, prediction: UUID) -> UUID:
    return derived_id(other, f"agreement/{prediction}", 0)
