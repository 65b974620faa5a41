"""Own facts to the rows that answer for them."""

from datetime import UTC

from libs.eventlog import Recorded
from libs.postgres import Connection
from services.alerting.domain import AlertState
from spacecom.alerting.v1 import alerting_events_pb2 as pb

TABLES = ("reentry_events", "alerts")


async def project(conn: Connection, recorded: Recorded) -> None:
    fact = recorded.message()
    match fact:
        case pb.EventOpened():
            await conn.execute(
                "INSERT INTO reentry_events VALUES ($1, $2, $3, $4, $5, $6)",
                fact.reentry_event_id,
                fact.catalogue_number,
                fact.state,
                fact.window_start_time.ToDatetime(UTC),
                fact.window_end_time.ToDatetime(UTC),
                fact.assessment_event_id,
            )
        case pb.EventStateChanged():
            await conn.execute(
                "UPDATE reentry_events SET state = $2 WHERE reentry_event_id = $1", fact.reentry_event_id, fact.state
            )
        case pb.EventLinked():
            await conn.execute(
                """UPDATE reentry_events SET window_start_time = $2, window_end_time = $3, assessment_event_id = $4
                   WHERE reentry_event_id = $1""",
                fact.reentry_event_id,
                fact.window_start_time.ToDatetime(UTC),
                fact.window_end_time.ToDatetime(UTC),
                fact.assessment_event_id,
            )
        case pb.AlertRaised():
            await _raised(conn, recorded, fact)
        case pb.AlertRevised():
            await _revised(conn, recorded, fact)
        case pb.AlertAcknowledged():
            await conn.execute(
                """UPDATE alerts SET state = $2, acknowledged_by = $3, acknowledged_at = $4, version = $5
                   WHERE alert_id = $1""",
                fact.alert_id,
                AlertState.ACKNOWLEDGED.value,
                fact.principal_id,
                recorded.occurred_at,
                recorded.version,
            )
        case pb.AlertCleared():
            await conn.execute(
                "UPDATE alerts SET state = $2, version = $3 WHERE alert_id = $1",
                fact.alert_id,
                AlertState.CLEARED.value,
                recorded.version,
            )
        case _:
            raise TypeError(f"no projection for {recorded.type}")


async def _raised(conn: Connection, recorded: Recorded, fact: pb.AlertRaised) -> None:
    await conn.execute(
        """INSERT INTO alerts VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', NULL, $9, $10)
           ON CONFLICT (alert_id) DO UPDATE SET fir_name = EXCLUDED.fir_name, state = EXCLUDED.state,
             share = EXCLUDED.share, threat = EXCLUDED.threat, acknowledged_by = '', acknowledged_at = NULL,
             raised_at = EXCLUDED.raised_at, version = EXCLUDED.version""",
        fact.alert_id,
        fact.reentry_event_id,
        fact.catalogue_number,
        fact.fir_designator,
        fact.fir_name,
        AlertState.UNACKNOWLEDGED.value,
        fact.threat.share,
        fact.threat.SerializeToString(deterministic=True),
        recorded.occurred_at,
        recorded.version,
    )


async def _revised(conn: Connection, recorded: Recorded, fact: pb.AlertRevised) -> None:
    await conn.execute(
        """UPDATE alerts SET share = $2, threat = $3, version = $4,
             state = CASE WHEN $5 THEN $6 ELSE state END,
             acknowledged_by = CASE WHEN $5 THEN '' ELSE acknowledged_by END,
             acknowledged_at = CASE WHEN $5 THEN NULL ELSE acknowledged_at END
           WHERE alert_id = $1""",
        fact.alert_id,
        fact.threat.share,
        fact.threat.SerializeToString(deterministic=True),
        recorded.version,
        fact.rearmed,
        AlertState.UNACKNOWLEDGED.value,
    )
