"""Space weather as it was known at a time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from libs.postgres import Connection
from services.ingest.domain import WeatherDay, WeatherIndex
from services.ingest.weather import KnownWeather


@dataclass(frozen=True, slots=True)
class WeatherAsKnown:
    days: list[WeatherDay]
    last_observed_mjd: int


async def known_weather(conn: Connection, source: str, known_at: datetime | None) -> KnownWeather:
    """What one source had published by then; all of it without a time."""
    known = KnownWeather()
    for row in await conn.fetch(
        """SELECT DISTINCT ON (predicted, mjd) predicted, mjd, ap_3h, ap_daily, f107_observed_sfu
           FROM weather_vintages WHERE source = $1 AND available_at <= coalesce($2, 'infinity'::timestamptz)
           ORDER BY predicted, mjd, available_at DESC, position DESC""",
        source,
        known_at,
    ):
        days = known.predicted if row["predicted"] else known.observed
        days[row["mjd"]] = WeatherDay(row["mjd"], tuple(row["ap_3h"]), row["ap_daily"], row["f107_observed_sfu"])
    for row in await conn.fetch(
        """SELECT DISTINCT ON (mjd) mjd, ap_3h, f107_observed_sfu
           FROM weather_indices WHERE source = $1 AND available_at <= coalesce($2, 'infinity'::timestamptz)
           ORDER BY mjd, available_at DESC, position DESC""",
        source,
        known_at,
    ):
        known.indices[row["mjd"]] = WeatherIndex(row["mjd"], tuple(row["ap_3h"]), row["f107_observed_sfu"])
    return known


async def weather(
    conn: Connection, first_mjd: int, last_mjd: int, known_at: datetime, rights: Collection[str]
) -> WeatherAsKnown:
    """For each day what was published last by then, observed where it was; of any source the caller may have."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (mjd) mjd, ap_3h, ap_daily, f107_observed_sfu FROM weather_vintages
           WHERE mjd BETWEEN $1 AND $2 AND available_at <= $3
             AND string_to_array(redistribution, ',') <@ $4::text[]
           ORDER BY mjd, predicted, available_at DESC, position DESC""",
        first_mjd,
        last_mjd,
        known_at,
        list(rights),
    )
    last = await conn.fetchval(
        """SELECT max(mjd) FROM weather_vintages
           WHERE NOT predicted AND available_at <= $1 AND string_to_array(redistribution, ',') <@ $2::text[]""",
        known_at,
        list(rights),
    )
    return WeatherAsKnown([WeatherDay(**{**row, "ap_3h": tuple(row["ap_3h"])}) for row in map(dict, rows)], last or 0)
