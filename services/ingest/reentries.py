"""When objects come down, as anyone predicts it: what the polling of predictions follows."""

from collections.abc import Mapping
from datetime import datetime

from google.protobuf.message import Message

from libs.astro.time import jd_to_datetime
from libs.consume import Commit, Delivery, Handler
from libs.postgres import Connection
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.propagation.v1 import propagation_events_pb2 as propagation

OF_OTHERS = pb.ThirdPartyPredictionRecorded.DESCRIPTOR.full_name


async def reentries(conn: Connection, since: datetime) -> list[datetime]:
    """What others, by the newest of each object that was made since, and what the mesh says, later than that."""
    of_others = await conn.fetch(
        """SELECT DISTINCT ON (catalogue_number) body FROM object_messages
           WHERE kind = $1 AND said_at >= $2 ORDER BY catalogue_number, said_at DESC, position DESC""",
        OF_OTHERS,
        since,
    )
    ours = await conn.fetch("SELECT nominal_at FROM predicted_reentries WHERE nominal_at >= $1", since)
    said = (pb.ThirdPartyPredictionRecorded.FromString(row["body"]) for row in of_others)
    return [
        *(jd_to_datetime(one.nominal_jd, one.nominal_jd_fraction) for one in said),
        *(row["nominal_at"] for row in ours),
    ]


async def predicted(delivery: Delivery[propagation.DecayPredicted]) -> Commit:
    fact = delivery.message
    nominal_at = jd_to_datetime(fact.nominal_epoch.jd, fact.nominal_epoch.jd_fraction)

    async def commit(conn: Connection) -> None:
        await conn.execute(
            """INSERT INTO predicted_reentries (catalogue_number, nominal_at) VALUES ($1, $2)
               ON CONFLICT (catalogue_number) DO UPDATE SET nominal_at = EXCLUDED.nominal_at""",
            fact.catalogue_number,
            nominal_at,
        )

    return commit


async def declined(delivery: Delivery[propagation.PredictionDeclined]) -> Commit | None:
    """Of one that does not come down soon the last word no longer counts; of one that cannot be told it does."""
    fact = delivery.message
    if fact.reason != propagation.DECLINE_REASON_TOO_HIGH:
        return None

    async def commit(conn: Connection) -> None:
        await conn.execute("DELETE FROM predicted_reentries WHERE catalogue_number = $1", fact.catalogue_number)

    return commit


async def nothing(_: Delivery[Message]) -> None:
    return None


def of_propagation() -> Mapping[type[Message], Handler]:
    return {
        propagation.DecayPredicted: predicted,
        propagation.PredictionDeclined: declined,
        propagation.AgreementChanged: nothing,
    }
