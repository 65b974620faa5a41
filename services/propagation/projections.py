"""Own facts to the rows that answer for them."""

from libs.eventlog import Recorded
from libs.postgres import Connection
from spacecom.propagation.v1 import propagation_events_pb2 as pb

TABLES = ("predictions", "outlooks")
UPSTREAM_TABLES = ("element_sets", "weather_days", "others")


async def project(conn: Connection, recorded: Recorded) -> None:
    fact = recorded.message()
    match fact:
        case pb.DecayPredicted():
            await _prediction(conn, recorded, fact.catalogue_number)
            await _outlook(conn, recorded, fact.catalogue_number)
        case pb.PredictionDeclined():
            await _outlook(conn, recorded, fact.catalogue_number)
        case pb.AgreementChanged():  # read from its stream alone
            return
        case _:
            raise TypeError(f"no projection for {recorded.type}")


async def _prediction(conn: Connection, recorded: Recorded, number: int) -> None:
    await conn.execute(
        "INSERT INTO predictions (position, catalogue_number, event_id, recorded_at, body) VALUES ($1, $2, $3, $4, $5)",
        recorded.position,
        number,
        recorded.event_id,
        recorded.recorded_at,
        recorded.data,
    )


async def _outlook(conn: Connection, recorded: Recorded, number: int) -> None:
    await conn.execute(
        """INSERT INTO outlooks (catalogue_number, event_type, body) VALUES ($1, $2, $3)
           ON CONFLICT (catalogue_number) DO UPDATE SET event_type = EXCLUDED.event_type, body = EXCLUDED.body""",
        number,
        recorded.type,
        recorded.data,
    )
