"""Sources as they are known: their facts, and for those that are polled when they are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.postgres import Connection
from services.ingest import codec, policies
from services.ingest.freshness import Source
from services.ingest.policies import Kind


@dataclass(frozen=True, slots=True)
class SourceRow:
    """`enabled_at` and `next_due_at` of one that is polled; `kind` is what it delivers."""

    source: str
    known: Source
    kind: Kind
    enabled_at: datetime | None
    next_due_at: datetime | None


async def sources(conn: Connection, polled: Sequence[str]) -> list[SourceRow]:
    """Every source that said something, and the feeds of `polled`, sources or whole providers, that have not yet."""
    rows = await conn.fetch(
        """SELECT coalesce(s.source, p.source) AS source, s.state, s.reason, s.last_delivery_at,
                  s.problem, s.halted, s.failure_count, p.enabled_at, p.due_at, s.next_due_at,
                  CASE WHEN EXISTS (SELECT FROM weather_vintages w WHERE w.source = s.source) THEN 'weather'
                       WHEN EXISTS (SELECT FROM airspaces a WHERE a.source = s.source) THEN 'airspace'
                       WHEN EXISTS (SELECT FROM orientation_days o WHERE o.source = s.source) THEN 'Earth orientation'
                       WHEN EXISTS (SELECT FROM traffic_datasets t WHERE t.source = s.source) THEN 'traffic'
                       ELSE 'elements' END AS kind
           FROM sources s FULL JOIN (SELECT * FROM source_polls WHERE source = ANY ($1)) p ON p.source = s.source
           ORDER BY 1""",
        [policy.name for policy in policies.enabled(polled)],
    )
    found = []
    for row in rows:
        policy = policies.POLICIES.get(row["source"])
        known = Source()
        if row["state"]:
            known = Source(
                codec.health(row["state"]),
                row["reason"],
                row["last_delivery_at"],
                row["next_due_at"],
                codec.problem(row["problem"]),
                row["halted"],
                row["failure_count"],
            )
        due_at = None if known.halted else row["due_at"] or row["next_due_at"]
        kind = policy.kind if policy else Kind(row["kind"])
        found.append(SourceRow(row["source"], known, kind, row["enabled_at"], due_at))
    return found
