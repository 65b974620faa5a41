"""Own facts to the rows that answer for them."""

from uuid import UUID

from libs.eventlog import Recorded
from libs.postgres import Connection
from services.hazard.domain import RunState
from spacecom.hazard.v1 import hazard_events_pb2 as pb

TABLES = ("runs", "assessments")
UPSTREAM_TABLES = {"propagation": ("predictions",), "ingest": ("airspaces", "objects", "traffic")}


async def project(conn: Connection, recorded: Recorded) -> None:
    fact = recorded.message()
    match fact:
        case pb.RunRequested():
            await conn.execute(
                "INSERT INTO runs VALUES ($1, $2, $3, $4, 0, $5, '', $6, $7)",
                UUID(fact.run_id),
                fact.catalogue_number,
                UUID(fact.prediction_event_id),
                RunState.RUNNING.value,
                fact.chunk_count,
                fact.variant,
                fact.prediction_version,
            )
        case pb.ChunkCompleted():
            await conn.execute(
                "UPDATE runs SET completed_chunk_count = completed_chunk_count + 1 WHERE run_id = $1", UUID(fact.run_id)
            )
        case pb.RunCompleted():
            await _settle(conn, fact.run_id, RunState.COMPLETED, "")
        case pb.RunFailed():
            await _settle(conn, fact.run_id, RunState.FAILED, fact.reason)
        case pb.RunCancelled():
            await _settle(conn, fact.run_id, RunState.CANCELLED, fact.reason)
        case pb.HazardAssessed():
            await _assessed(conn, recorded, fact)
        case pb.QuickAssessed():
            await _assessed(conn, recorded, fact.hazard, quick=True)
        case pb.VariantAssessed():
            await _assessed(conn, recorded, fact.hazard, variant=True)
        case pb.ChunkRequested() | pb.ChunkFailed() | pb.ClosingPlanned():
            pass
        case _:
            raise TypeError(f"no projection for {recorded.type}")


async def _settle(conn: Connection, run_id: str, state: RunState, reason: str) -> None:
    await conn.execute("UPDATE runs SET state = $2, reason = $3 WHERE run_id = $1", UUID(run_id), state.value, reason)


async def _assessed(
    conn: Connection, recorded: Recorded, hazard: pb.HazardAssessed, *, variant: bool = False, quick: bool = False
) -> None:
    await conn.execute(
        "INSERT INTO assessments VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        recorded.position,
        hazard.catalogue_number,
        recorded.event_id,
        recorded.recorded_at,
        hazard.SerializeToString(deterministic=True),
        UUID(hazard.run_id),
        variant,
        quick,
        hazard.prediction_version,
    )
