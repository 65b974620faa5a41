"""Facts of ingest to the rows that answer for them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from google.protobuf.message import Message

from libs.eventlog import Recorded
from libs.postgres import Connection
from services.ingest import catalogue, codec, codec_messages, datasets, last_sets, projections_objects, volumes
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


async def project_all(conn: Connection, events: Sequence[Recorded]) -> None:
    """Element sets and objects, which come by the thousand, together; what they write of an object does not meet."""
    facts = [(one, one.message()) for one in events]
    of_objects = [(one, fact) for one, fact in facts if isinstance(fact, projections_objects.ObjectFact)]
    await projections_objects.project_all(conn, of_objects)
    await _element_sets(conn, [(one, fact) for one, fact in facts if isinstance(fact, pb.ElementSetAccepted)])
    for one, fact in facts:
        if not isinstance(fact, projections_objects.ObjectFact | pb.ElementSetAccepted):
            await _project(conn, one, fact)


async def _project(conn: Connection, recorded: Recorded, fact: Message) -> None:
    if type(fact) not in PROJECTIONS:
        raise TypeError(f"no projection for {recorded.type}")
    await PROJECTIONS[type(fact)](conn, recorded, fact)


async def _element_sets(conn: Connection, facts: Sequence[tuple[Recorded, pb.ElementSetAccepted]]) -> None:
    """Of sets with one epoch the later recorded counts as the newer."""
    if not facts:
        return
    rows = [_element_set_row(recorded, fact) for recorded, fact in facts]
    await conn.execute(
        """WITH given AS MATERIALIZED (
               SELECT * FROM unnest($1::int[], $2::float8[], $3::float8[], $4::bytea[], $5::uuid[], $6::float8[],
                                    $7::float8[], $8::float8[], $9::text[]) WITH ORDINALITY
               AS g (number, jd, fraction, fingerprint, event_id, perigee, apogee, inclination, class, place)
           ), accepted AS (
               INSERT INTO element_sets (catalogue_number, epoch_jd, epoch_jd_fraction, fingerprint, event_id)
               SELECT number, jd, fraction, fingerprint, event_id FROM given
           ), newest AS (
               SELECT DISTINCT ON (number) *, count(*) OVER (PARTITION BY number) AS sets FROM given
               ORDER BY number ASC, jd DESC, fraction DESC, place DESC
           )
           INSERT INTO objects AS o (catalogue_number, object_name, international_designator, element_set_count,
                                     last_epoch_jd, last_epoch_jd_fraction,
                                     perigee_altitude_km, apogee_altitude_km, inclination_deg, elements_class)
           SELECT number, '', '', sets, jd, fraction, perigee, apogee, inclination, class FROM newest
           ON CONFLICT (catalogue_number) DO UPDATE SET
             element_set_count = o.element_set_count + EXCLUDED.element_set_count,
             (last_epoch_jd, last_epoch_jd_fraction, perigee_altitude_km, apogee_altitude_km, inclination_deg,
              elements_class) =
               (SELECT n.jd, n.fraction, n.perigee, n.apogee, n.inclination, n.class FROM (VALUES
                  (EXCLUDED.last_epoch_jd, EXCLUDED.last_epoch_jd_fraction, EXCLUDED.perigee_altitude_km,
                   EXCLUDED.apogee_altitude_km, EXCLUDED.inclination_deg, EXCLUDED.elements_class, 1),
                  (o.last_epoch_jd, o.last_epoch_jd_fraction, o.perigee_altitude_km,
                   o.apogee_altitude_km, o.inclination_deg, o.elements_class, 0)
                ) AS n (jd, fraction, perigee, apogee, inclination, class, later)
                ORDER BY n.jd DESC, n.fraction DESC, n.later DESC LIMIT 1)""",
        *(list(column) for column in zip(*rows, strict=True)),
    )
    await last_sets.project(conn, facts)


def _element_set_row(recorded: Recorded, fact: pb.ElementSetAccepted) -> tuple[object, ...]:
    elements = codec.elements_from_wire(fact)
    perigee_km, apogee_km = catalogue.altitudes_km(elements)
    return (
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
        """INSERT INTO rejections (position, source, input_sha256, line, body, redistribution, reason)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        recorded.position,
        fact.source,
        fact.input_sha256,
        fact.line,
        recorded.data,
        recorded.redistribution,
        int(fact.reason),
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


async def _airspace(conn: Connection, recorded: Recorded, fact: pb.AirspaceRecorded) -> None:
    await conn.execute(
        """INSERT INTO airspaces (dataset, geojson_sha256, source, feature_count, redistribution)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (dataset) DO UPDATE SET
             geojson_sha256 = EXCLUDED.geojson_sha256, source = EXCLUDED.source,
             feature_count = EXCLUDED.feature_count, redistribution = EXCLUDED.redistribution""",
        fact.dataset,
        fact.geojson_sha256,
        fact.source,
        fact.feature_count,
        recorded.redistribution,
    )
    await volumes.forget_replaced(conn)


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
    known = codec.source_from_wire(fact)
    await conn.execute(
        """INSERT INTO sources
             (source, state, reason, last_delivery_at, next_due_at, problem, halted, failure_count)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (source) DO UPDATE SET
             state = EXCLUDED.state, reason = EXCLUDED.reason, last_delivery_at = EXCLUDED.last_delivery_at,
             next_due_at = EXCLUDED.next_due_at, problem = EXCLUDED.problem, halted = EXCLUDED.halted,
             failure_count = EXCLUDED.failure_count""",
        fact.source,
        int(fact.state),
        known.reason,
        known.last_delivery_at,
        known.next_due_at,
        int(fact.problem),
        known.halted,
        known.failure_count,
    )


Projection = Callable[[Connection, Recorded, Any], Awaitable[None]]
PROJECTIONS: dict[type[Message], Projection] = {
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
