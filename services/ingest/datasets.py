"""Rows of datasets and of Earth orientation: written from facts, read to tell what is new."""

from libs.astro.eop_rows import OrientationDay
from libs.eventlog import Recorded
from libs.postgres import Connection
from spacecom.ingest.v1 import ingest_events_pb2 as pb


async def known_orientation(conn: Connection, source: str) -> dict[int, OrientationDay]:
    rows = await conn.fetch(
        "SELECT mjd, pole_x_arcsec, pole_y_arcsec, ut1_utc_s, predicted FROM orientation_days WHERE source = $1", source
    )
    return {row["mjd"]: OrientationDay(**row) for row in rows}


async def traffic_sha256(conn: Connection, dataset: str) -> str:
    return await conn.fetchval("SELECT input_sha256 FROM traffic_datasets WHERE dataset = $1", dataset) or ""


async def project_orientation(conn: Connection, _: Recorded, fact: pb.EarthOrientationRecorded) -> None:
    await conn.executemany(
        """INSERT INTO orientation_days (source, mjd, pole_x_arcsec, pole_y_arcsec, ut1_utc_s, predicted)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (source, mjd) DO UPDATE SET
             pole_x_arcsec = EXCLUDED.pole_x_arcsec, pole_y_arcsec = EXCLUDED.pole_y_arcsec,
             ut1_utc_s = EXCLUDED.ut1_utc_s, predicted = EXCLUDED.predicted""",
        [
            (fact.source, day.mjd, day.pole_x_arcsec, day.pole_y_arcsec, day.ut1_utc_s, day.predicted)
            for day in fact.days
        ],
    )


async def project_traffic(conn: Connection, _: Recorded, fact: pb.TrafficDensityRecorded) -> None:
    await conn.execute(
        """INSERT INTO traffic_datasets (dataset, input_sha256, source, row_count) VALUES ($1, $2, $3, $4)
           ON CONFLICT (dataset) DO UPDATE SET
             input_sha256 = EXCLUDED.input_sha256, source = EXCLUDED.source, row_count = EXCLUDED.row_count""",
        fact.dataset,
        fact.input_sha256,
        fact.source,
        fact.row_count,
    )
