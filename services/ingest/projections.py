"""Facts of ingest to the rows that answer for them."""

from libs.eventlog import Recorded
from libs.postgres import Connection
from services.ingest import catalogue, codec, projections_objects
from spacecom.ingest.v1 import ingest_events_pb2 as pb

TABLES = ("objects", "element_sets", "weather_days", "airspaces", "sources", "rejections")


async def project(conn: Connection, recorded: Recorded) -> None:
    fact = recorded.message()
    match fact:
        case pb.ObjectCatalogued() | pb.ObjectRevised() | pb.ObjectDecayed() | pb.ObjectRetired():
            await projections_objects.project_all(conn, [(recorded, fact)])
        case pb.ElementSetAccepted():
            await _element_set(conn, recorded, fact)
        case pb.InputRejected():
            await _rejection(conn, recorded, fact)
        case pb.SpaceWeatherRecorded():
            await _weather(conn, fact, predicted=False)
        case pb.SpaceWeatherForecastRecorded():
            await _weather(conn, fact, predicted=True)
        case pb.AirspaceRecorded():
            await _airspace(conn, fact)
        case pb.SourceStateChanged():
            await _source(conn, fact)
        case _:
            raise TypeError(f"no projection for {recorded.type}")


async def _element_set(conn: Connection, recorded: Recorded, fact: pb.ElementSetAccepted) -> None:
    elements = codec.elements_from_wire(fact)
    perigee_km, apogee_km = catalogue.altitudes_km(elements)
    await conn.execute(
        """WITH accepted AS (
               INSERT INTO element_sets (catalogue_number, epoch_jd, epoch_jd_fraction, fingerprint, event_id)
               VALUES ($1, $2, $3, $4, $5)
           )
           INSERT INTO objects AS o (catalogue_number, object_name, international_designator, element_set_count,
                                     last_epoch_jd, last_epoch_jd_fraction,
                                     perigee_altitude_km, apogee_altitude_km, inclination_deg, elements_class)
           VALUES ($1, '', '', 1, $2, $3, $6, $7, $8, $9)
           ON CONFLICT (catalogue_number) DO UPDATE SET
             element_set_count = o.element_set_count + 1,
             (last_epoch_jd, last_epoch_jd_fraction, perigee_altitude_km, apogee_altitude_km, inclination_deg,
              elements_class) =
               (SELECT n.* FROM (VALUES
                  (EXCLUDED.last_epoch_jd, EXCLUDED.last_epoch_jd_fraction, EXCLUDED.perigee_altitude_km,
                   EXCLUDED.apogee_altitude_km, EXCLUDED.inclination_deg, EXCLUDED.elements_class),
                  (o.last_epoch_jd, o.last_epoch_jd_fraction, o.perigee_altitude_km,
                   o.apogee_altitude_km, o.inclination_deg, o.elements_class)
                ) AS n (jd, fraction, perigee, apogee, inclination, class)
                ORDER BY n.jd DESC, n.fraction DESC LIMIT 1)""",
        fact.catalogue_number,
        fact.epoch_jd,
        fact.epoch_jd_fraction,
        catalogue.fingerprint(elements),
        recorded.event_id,
        perigee_km,
        apogee_km,
        fact.inclination_deg,
        recorded.redistribution,
    )


async def _rejection(conn: Connection, recorded: Recorded, fact: pb.InputRejected) -> None:
    await conn.execute(
        """INSERT INTO rejections (position, source, input_sha256, line, body, redistribution)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        recorded.position,
        fact.source,
        fact.input_sha256,
        fact.line,
        recorded.data,
        recorded.redistribution,
    )


async def _weather(
    conn: Connection, fact: pb.SpaceWeatherRecorded | pb.SpaceWeatherForecastRecorded, *, predicted: bool
) -> None:
    await conn.executemany(
        """INSERT INTO weather_days (source, predicted, mjd, ap_3h, ap_daily, f107_observed_sfu)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (source, predicted, mjd) DO UPDATE SET
             ap_3h = EXCLUDED.ap_3h, ap_daily = EXCLUDED.ap_daily, f107_observed_sfu = EXCLUDED.f107_observed_sfu""",
        [(fact.source, predicted, d.mjd, list(d.ap_3h), d.ap_daily, d.f107_observed_sfu) for d in fact.days],
    )


async def _airspace(conn: Connection, fact: pb.AirspaceRecorded) -> None:
    await conn.execute(
        """INSERT INTO airspaces (dataset, geojson_sha256, source, feature_count) VALUES ($1, $2, $3, $4)
           ON CONFLICT (dataset) DO UPDATE SET
             geojson_sha256 = EXCLUDED.geojson_sha256, source = EXCLUDED.source,
             feature_count = EXCLUDED.feature_count""",
        fact.dataset,
        fact.geojson_sha256,
        fact.source,
        fact.feature_count,
    )


async def _source(conn: Connection, fact: pb.SourceStateChanged) -> None:
    state = codec.source_from_wire(fact)
    await conn.execute(
        """INSERT INTO sources (source, state, reason, last_delivery_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (source) DO UPDATE SET
             state = EXCLUDED.state, reason = EXCLUDED.reason, last_delivery_at = EXCLUDED.last_delivery_at""",
        fact.source,
        int(fact.state),
        state.reason,
        state.last_delivery_at,
    )
