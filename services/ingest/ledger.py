"""What the poller must not forget: requests made, when each feed is due, how far a poll has come, what was fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.postgres import Connection
from services.ingest.fetching import Condition
from services.ingest.freshness import Outcome
from services.ingest.policies import Limit, Policy
from services.ingest.reentries import OF_OTHERS
from services.ingest.scheduling import first_due

KEPT = timedelta(days=8)  # longer than the window of any limit


@dataclass(frozen=True, slots=True)
class Poll:
    """`part` counts the paths of the feed, `page` is where the next page of that path is; both say where to go on."""

    source: str
    due_at: datetime
    enabled_at: datetime
    silences: int
    part: int
    page: str
    accepted: int
    duplicates: int
    rejected: int
    newest_at: datetime | None
    last_delivery_at: datetime | None
    halted: bool


async def enable(conn: Connection, feeds: Sequence[Policy], now: datetime, jitter: float) -> None:
    await conn.executemany(
        """INSERT INTO source_polls (source, enabled_at, due_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING""",
        [(policy.name, now, first_due(policy, now, jitter)) for policy in feeds],
    )


async def polls(conn: Connection, names: Sequence[str]) -> dict[str, Poll]:
    rows = await conn.fetch(
        """SELECT p.*, s.last_delivery_at, coalesce(s.halted, false) AS halted
           FROM source_polls p LEFT JOIN sources s USING (source) WHERE source = ANY ($1)""",
        names,
    )
    return {row["source"]: Poll(**row) for row in rows}


async def free_at(conn: Connection, provider: str, limits: Sequence[Limit], now: datetime) -> datetime | None:
    """When the next request to the provider keeps within our share of each limit; None for at once.

    A request that lies ahead of `now` counts too: the clock was put back since.
    """
    waits = [await _free_at(conn, provider, limit, now) for limit in limits]
    return max((at for at in waits if at), default=None)


async def _free_at(conn: Connection, provider: str, limit: Limit, now: datetime) -> datetime | None:
    """Full when the `used`-th newest request is still in the window."""
    at: datetime | None = await conn.fetchval(
        "SELECT at FROM source_requests WHERE provider = $1 ORDER BY at DESC OFFSET $2 LIMIT 1",
        provider,
        limit.used - 1,
    )
    if at is None or at + limit.window <= now:
        return None
    return min(at, now) + limit.window


async def book(conn: Connection, policy: Policy, now: datetime, due_at: datetime) -> None:
    """Before a request is sent: whoever dies after it does not send it again."""
    await conn.execute(
        "INSERT INTO source_requests (provider, source, at) VALUES ($1, $2, $3)", policy.provider.name, policy.name, now
    )
    await conn.execute("UPDATE source_polls SET due_at = $2 WHERE source = $1", policy.name, due_at)
    await conn.execute("DELETE FROM source_requests WHERE at < $1", now - KEPT)


async def go_on(conn: Connection, source: str, part: int, page: str, came: Outcome, due_at: datetime) -> None:
    """A part of a poll is in; the next is asked for at `due_at`."""
    await conn.execute(
        """UPDATE source_polls SET part = $2, page = $3, due_at = $4, silences = 0, accepted = accepted + $5,
             duplicates = duplicates + $6, rejected = rejected + $7, newest_at = greatest(newest_at, $8)
           WHERE source = $1""",
        source,
        part,
        page,
        due_at,
        came.accepted_count,
        came.duplicate_count,
        came.rejected_count,
        came.newest_at,
    )


async def finish(conn: Connection, source: str, due_at: datetime) -> None:
    """The poll is at its end; the next begins at its beginning."""
    await conn.execute(
        """UPDATE source_polls SET part = 0, page = '', due_at = $2, silences = 0, accepted = 0, duplicates = 0,
             rejected = 0, newest_at = NULL
           WHERE source = $1""",
        source,
        due_at,
    )


async def put_off(conn: Connection, source: str, due_at: datetime, silences: int) -> None:
    await conn.execute("UPDATE source_polls SET due_at = $2, silences = $3 WHERE source = $1", source, due_at, silences)


async def put_off_all(conn: Connection, sources: Sequence[str], until: datetime) -> None:
    await conn.execute("UPDATE source_polls SET due_at = greatest(due_at, $2) WHERE source = ANY ($1)", sources, until)


async def condition(conn: Connection, source: str, path: str) -> Condition:
    row = await conn.fetchrow(
        "SELECT etag, last_modified FROM source_conditions WHERE source = $1 AND path = $2", source, path
    )
    return Condition(row["etag"], row["last_modified"]) if row else Condition()


async def keep_condition(conn: Connection, source: str, path: str, known: Condition) -> None:
    await conn.execute(
        """INSERT INTO source_conditions (source, path, etag, last_modified) VALUES ($1, $2, $3, $4)
           ON CONFLICT (source, path) DO UPDATE SET
             etag = EXCLUDED.etag, last_modified = EXCLUDED.last_modified""",
        source,
        path,
        known.etag,
        known.last_modified,
    )


async def next_history(conn: Connection, asked: Sequence[int]) -> int | None:
    """An object that others predict to come down, or that is asked for, whose history was never fetched."""
    found: int | None = await conn.fetchval(
        """SELECT catalogue_number
           FROM (SELECT catalogue_number FROM object_messages WHERE kind = $1 UNION SELECT unnest($2::int[])) AS wanted
           WHERE NOT EXISTS (SELECT FROM source_histories h WHERE h.catalogue_number = wanted.catalogue_number)
           ORDER BY 1 LIMIT 1""",
        OF_OTHERS,
        asked,
    )
    return found


async def history_fetched(conn: Connection, number: int, now: datetime) -> None:
    await conn.execute("INSERT INTO source_histories VALUES ($1, $2) ON CONFLICT DO NOTHING", number, now)
