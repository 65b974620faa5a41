"""Ingest's facts: remember what predictions need, and mark the objects whose outlook they may change."""

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from asyncpg import Pool

from libs.consume import Commit, Delivery, Handler
from libs.eventlog import EventLog
from libs.postgres import Connection
from services.propagation import agreeing, codec, domain, queries
from services.propagation.predictor import Predictor
from services.propagation.settings import PropagationSettings
from spacecom.ingest.v1 import ingest_events_pb2 as ingest


@dataclasses.dataclass(frozen=True, slots=True)
class Watch:
    pool: Pool
    log: EventLog
    predictor: Predictor
    settings: PropagationSettings

    async def element_set(self, delivery: Delivery[ingest.ElementSetAccepted]) -> Commit:
        fact = delivery.message
        elements = codec.elements_from_wire(fact)
        settings = self.settings
        watched = domain.watched(elements, settings.propagation_watch_below_km, settings.propagation_horizon_days)

        async def commit(conn: Connection) -> None:
            await conn.execute(
                """INSERT INTO element_sets
                   (event_id, catalogue_number, available_at, epoch_jd, epoch_jd_fraction, body, redistribution)
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event_id) DO NOTHING""",
                delivery.event_id,
                fact.catalogue_number,
                delivery.available_at,
                fact.epoch_jd,
                fact.epoch_jd_fraction,
                fact.SerializeToString(deterministic=True),
                delivery.redistribution,
            )
            if watched:
                await self._mark(conn, fact.catalogue_number, delivery)

        return commit

    async def weather(self, delivery: Delivery[ingest.SpaceWeatherRecorded]) -> Commit:
        days = delivery.message.days
        rows = [(day.mjd, delivery.available_at, delivery.position, delivery.event_id, *_values(day)) for day in days]
        mjds = (days[0].mjd, days[-1].mjd)

        async def commit(conn: Connection) -> None:
            await conn.executemany(
                """INSERT INTO weather_days
                   (mjd, available_at, position, event_id, ap_3h, ap_daily, f107_observed_sfu)
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING""",
                rows,
            )
            for number in _concerned(await queries.outlooks(conn), delivery.available_at, mjds):
                await self._mark(conn, number, delivery)

        return commit

    async def other(self, delivery: Delivery[ingest.ThirdPartyPredictionRecorded]) -> Commit:
        fact = delivery.message

        async def commit(conn: Connection) -> None:
            await conn.execute(
                """INSERT INTO others
                   (event_id, catalogue_number, source, made_at, available_at, redistribution, body)
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event_id) DO NOTHING""",
                delivery.event_id,
                fact.catalogue_number,
                fact.source,
                fact.made_at.ToDatetime(UTC),
                delivery.available_at,
                delivery.redistribution,
                fact.SerializeToString(deterministic=True),
            )
            cause = delivery.cause
            await agreeing.weigh_newest(conn, self.log, fact.catalogue_number, delivery.available_at, cause)

        return commit

    async def _mark(self, conn: Connection, number: int, delivery: Delivery[Any]) -> None:
        """The latest cause of several is kept: one prediction answers them all."""
        newest = await conn.fetchval("SELECT max(available_at) FROM element_sets WHERE catalogue_number = $1", number)
        if newest is None:  # a rebuild that has come to the weather first; the sets will mark the object
            return
        await conn.execute(
            """INSERT INTO due AS d (catalogue_number, cause_event_id, known_at, correlation_id, traceparent)
               VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (catalogue_number) DO UPDATE SET
                 cause_event_id = EXCLUDED.cause_event_id, known_at = greatest(d.known_at, EXCLUDED.known_at),
                 correlation_id = EXCLUDED.correlation_id, traceparent = EXCLUDED.traceparent,
                 attempts = 0, error = ''""",
            number,
            delivery.event_id,
            max(newest, delivery.available_at),
            delivery.cause.correlation_id,
            delivery.cause.traceparent,
        )
        self.predictor.wake()

    async def nothing(self, _delivery: Delivery[Any]) -> None:
        return None


def _values(day: ingest.SpaceWeatherDay) -> tuple[list[float], float, float]:
    return list(day.ap_3h), day.ap_daily, day.f107_observed_sfu


def _concerned(outlooks: Iterable[domain.Event], available_at: datetime, mjds: tuple[int, int]) -> list[int]:
    return [last.catalogue_number for last in outlooks if domain.concerns(available_at, mjds, last)]


def handlers(watch: Watch) -> dict[type[Any], Handler]:
    return {
        ingest.ElementSetAccepted: watch.element_set,
        ingest.SpaceWeatherRecorded: watch.weather,
        ingest.SpaceWeatherForecastRecorded: watch.nothing,  # the drivers relax to the mean of what was observed
        ingest.ObjectCatalogued: watch.nothing,
        ingest.ObjectRevised: watch.nothing,
        ingest.InputRejected: watch.nothing,
        ingest.AirspaceRecorded: watch.nothing,
        ingest.SourceStateChanged: watch.nothing,
        ingest.ObjectDecayed: watch.nothing,
        ingest.ObjectRetired: watch.nothing,
        ingest.SpaceWeatherIndicesRecorded: watch.nothing,
        ingest.ThirdPartyPredictionRecorded: watch.other,
        ingest.EphemerisRecorded: watch.nothing,
        ingest.ConjunctionRecorded: watch.nothing,
        ingest.EarthOrientationRecorded: watch.nothing,
        ingest.TrafficDensityRecorded: watch.nothing,
    }
