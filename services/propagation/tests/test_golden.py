"""CZ-5B 2022-143B, 2022-11-04 10:01 UTC (GCAT, TIP message), from its last two sets and weather known by then."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.astro import weather
from services.propagation import codec
from services.propagation.tests.conftest import (
    FIRST,
    FIRST_AT,
    LAST_MJD,
    SECOND,
    SECOND_AT,
    element_set,
)
from spacecom.ingest.v1 import ingest_events_pb2 as ingest

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
CSSI = DATA / "spaceweather/celestrak_foa/SpaceWeather-All-v1.2_2025-01-10.txt"
TRUTH = datetime(2022, 11, 4, 10, 1, tzinfo=UTC)


def observed() -> ingest.SpaceWeatherRecorded:
    days = [
        ingest.SpaceWeatherDay(
            mjd=day.mjd, ap_3h=day.ap_3h, ap_daily=day.ap_daily, f107_observed_sfu=day.f107_observed_sfu
        )
        for day in weather.read_cssi(CSSI.read_bytes()).observed
        if LAST_MJD - 200 < day.mjd <= LAST_MJD
    ]
    return ingest.SpaceWeatherRecorded(source="celestrak", days=days, input_sha256="0" * 64)


@pytest.mark.skipif(not CSSI.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")
async def test_the_true_re_entry_lies_in_the_90_percent_window(feed):
    await feed.give(observed(), FIRST_AT - timedelta(hours=6))
    await feed.give(element_set(FIRST), FIRST_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    (fact,) = await feed.facts()
    quantiles = {q.probability: codec.epoch_from_wire(q.epoch).instant for q in fact.quantiles}
    assert quantiles[0.05] <= TRUTH <= quantiles[0.95]
    assert fact.reentry_altitude_km == 80.0
    newest = codec.epoch_from_wire(fact.start_epoch).instant
    assert quantiles[0.95] - quantiles[0.05] <= 0.4 * (quantiles[0.5] - newest)  # the rule of thumb, 20 % each way
