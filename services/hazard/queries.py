"""Questions to the read models; rows become frozen dataclasses."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.postgres import Connection
from services.hazard import codec
from services.hazard.domain import AirspaceSet, Prediction
from services.hazard.scenario import KnownObject
from spacecom.propagation.v1 import propagation_events_pb2 as propagation


@dataclass(frozen=True, slots=True)
class RunRow:
    run_id: UUID
    catalogue_number: int
    state: str
    completed_chunk_count: int
    chunk_count: int
    reason: str


@dataclass(frozen=True, slots=True)
class AssessmentRow:
    position: int
    event_id: UUID
    recorded_at: datetime
    body: bytes
    quick: bool


@dataclass(frozen=True, slots=True)
class TrafficRow:
    dataset: str
    input_sha256: str
    source: str


async def prediction(conn: Connection, number: int) -> Prediction | None:
    """The newest of an object."""
    row = await conn.fetchrow("SELECT version, event_id, body FROM predictions WHERE catalogue_number = $1", number)
    return _prediction(row["event_id"], row["version"], row["body"]) if row else None


async def waiting(conn: Connection, number: int = 0) -> list[Prediction]:
    """Newest predictions of which neither they nor a newer one was ever flown, of one object or of all."""
    rows = await conn.fetch(
        """SELECT version, event_id, body FROM predictions p
           WHERE $1 IN (0, catalogue_number) AND NOT EXISTS (
             SELECT FROM runs r WHERE r.catalogue_number = p.catalogue_number AND NOT r.variant
             AND r.prediction_version >= p.version)
           ORDER BY catalogue_number""",
        number,
    )
    return [_prediction(row["event_id"], row["version"], row["body"]) for row in rows]


def _prediction(event_id: UUID, version: int, body: bytes) -> Prediction:
    return codec.prediction(propagation.DecayPredicted.FromString(body), UUID(str(event_id)), version)


async def airspace(conn: Connection, dataset: str) -> AirspaceSet | None:
    """The named one, or the one recorded last when no name is given."""
    row = await conn.fetchrow(
        """SELECT dataset, geojson_sha256, notice FROM airspaces WHERE $1 = '' OR dataset = $1
           ORDER BY position DESC LIMIT 1""",
        dataset,
    )
    return AirspaceSet(**row) if row else None


async def traffic(conn: Connection, dataset: str) -> TrafficRow | None:
    """The named density, or the one recorded last when no name is given."""
    row = await conn.fetchrow(
        """SELECT dataset, input_sha256, source FROM traffic WHERE $1 = '' OR dataset = $1
           ORDER BY position DESC LIMIT 1""",
        dataset,
    )
    return TrafficRow(**row) if row else None


async def known_object(conn: Connection, number: int) -> KnownObject:
    row = await conn.fetchrow(
        "SELECT kind, dry_mass_kg, shape, redistribution FROM objects WHERE catalogue_number = $1", number
    )
    return KnownObject(**row) if row else KnownObject()


async def run(conn: Connection, run_id: UUID) -> RunRow | None:
    row = await conn.fetchrow(
        """SELECT run_id, catalogue_number, state, completed_chunk_count, chunk_count, reason
           FROM runs WHERE run_id = $1""",
        run_id,
    )
    return RunRow(**row) if row else None


async def runs_of_record(conn: Connection, number: int) -> list[UUID]:
    """Those of the object that are being flown: one, or none."""
    query = "SELECT run_id FROM runs WHERE catalogue_number = $1 AND state = 'running' AND NOT variant"
    return [UUID(str(row["run_id"])) for row in await conn.fetch(query, number)]


async def is_assessed(conn: Connection, prediction: Prediction) -> bool:
    """Whether this prediction or a newer one has an assessment, a quick one too."""
    query = """SELECT EXISTS (SELECT FROM assessments WHERE catalogue_number = $1 AND NOT variant
               AND prediction_version >= $2)"""
    return bool(await conn.fetchval(query, prediction.catalogue_number, prediction.version))


async def running_count(conn: Connection) -> int:
    return int(await conn.fetchval("SELECT count(*) FROM runs WHERE state = 'running'"))


async def newest_assessment(conn: Connection, number: int) -> AssessmentRow | None:
    """Of the newest prediction; a run that ends after a newer prediction came does not stand before it."""
    row = await conn.fetchrow(
        """SELECT position, event_id, recorded_at, body, quick FROM assessments
           WHERE catalogue_number = $1 AND NOT variant ORDER BY prediction_version DESC, position DESC LIMIT 1""",
        number,
    )
    return AssessmentRow(**row) if row else None


async def assessments_before(conn: Connection, number: int, before: int, limit: int) -> list[AssessmentRow]:
    """Newest first; 0 is before none."""
    rows = await conn.fetch(
        """SELECT position, event_id, recorded_at, body, quick FROM assessments
           WHERE catalogue_number = $1 AND NOT variant AND ($2 = 0 OR position < $2) ORDER BY position DESC LIMIT $3""",
        number,
        before,
        limit,
    )
    return [AssessmentRow(**row) for row in rows]


async def assessment_of_run(conn: Connection, run_id: UUID) -> AssessmentRow | None:
    """An analyst's variant, too."""
    row = await conn.fetchrow(
        """SELECT position, event_id, recorded_at, body, quick FROM assessments
           WHERE run_id = $1 AND NOT quick ORDER BY position LIMIT 1""",
        run_id,
    )
    return AssessmentRow(**row) if row else None
