"""Facts of ingest to the rows that answer for them."""

from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message

from libs.eventlog import Recorded
from libs.postgres import Connection
from services.ingest import catalogue, codec, codec_messages, datasets, last_sets, projections_objects
from spacecom.ingest.v1 import ingest_events_pb2 as pb

TABLES = (
    "objects",
    "element_sets",
    "last_sets",
    "weather_vintages",
    "weather_indices",
    "airspaces",
    "sources",
    "rejections",
    "object_messages",
    "orientation_days",
    "traffic_datasets",
)


async def project(conn: Connection, recorded: Recorded) -> None:
    fact = recorded.message()
    if type(fact) not in PROJECTIONS:
        raise TypeError(f"no projection for {recorded.type}")
    await PROJECTIONS[type(fact)](conn, recorded, fact)


async def _object(conn: Connection, recorded: Recorded, fact: Any) -> None:
    await projections_objects.project_all(conn, [(recorded, fact)])


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
    await last_sets.project(conn, [(recorded, fact)])


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
    conn: Connection, recorded: Recorded, fact: pb.SpaceWeatherRecorded | pb.SpaceWeatherForecastRecorded
) -> None:
    predicted = isinstance(fact, pb.SpaceWeatherForecastRecorded)
    known = (fact.source, predicted, recorded.available_at, recorded.position, recorded.redistribution)
    await conn.executemany(
        """INSERT INTO weather_vintages
             (source, predicted, available_at, position, redistribution, mjd, ap_3h, ap_daily, f107_observed_sfu)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        [(*known, d.mjd, list(d.ap_3h), d.ap_daily, d.f107_observed_sfu) for d in fact.days],
    )


async def _weather_indices(conn: Connection, recorded: Recorded, fact: pb.SpaceWeatherIndicesRecorded) -> None:
    known = (fact.source, recorded.available_at, recorded.position)
    await conn.executemany(
        """INSERT INTO weather_indices (source, available_at, position, mjd, ap_3h, f107_observed_sfu)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        [
            (*known, d.mjd, list(d.ap_3h), d.f107_observed_sfu if d.HasField("f107_observed_sfu") else None)
            for d in fact.days
        ],
    )


async def _airspace(conn: Connection, _: Recorded, fact: pb.AirspaceRecorded) -> None:
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


async def _object_message(conn: Connection, recorded: Recorded, fact: codec_messages.MessageWire) -> None:
    await conn.execute(
        """INSERT INTO object_messages (content_key, kind, catalogue_number, said_at, position, redistribution, body)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        codec_messages.content_key(fact),
        recorded.type,
        fact.catalogue_number,
        recorded.occurred_at,
        recorded.position,
        recorded.redistribution,
        recorded.data,
    )


async def _source(conn: Connection, _: Recorded, fact: pb.SourceStateChanged) -> None:
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


Projection = Callable[[Connection, Recorded, Any], Awaitable[None]]
PROJECTIONS: dict[type[Message], Projection] = {
    pb.ObjectCatalogued: _object,
    pb.ObjectRevised: _object,
    pb.ObjectDecayed: _object,
    pb.ObjectRetired: _object,
    pb.ElementSetAccepted: _element_set,
    pb.InputRejected: _rejection,
    pb.SpaceWeatherRecorded: _weather,
    pb.SpaceWeatherForecastRecorded: _weather,
    pb.SpaceWeatherIndicesRecorded: _weather_indices,
    pb.AirspaceRecorded: _airspace,
    pb.ThirdPartyPredictionRecorded: _object_message,
    pb.EphemerisRecorded: _object_message,
    pb.ConjunctionRecorded: _object_message,
    pb.EarthOrientationRecorded: datasets.project_orientation,
    pb.TrafficDensityRecorded: datasets.project_traffic,
    pb.SourceStateChanged: _source,
}
