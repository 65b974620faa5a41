"""CZ-5B 2022-143B, 2022-11-04 10:01 UTC (GCAT, TIP message), from its last two sets and weather known by then."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.astro import tle, weather, weather_csv
from libs.astro.elements import ElementSet
from libs.astro.time import MJD_0_JD, datetime_to_jd, jd_to_datetime
from services.propagation import codec
from services.propagation.tests.conftest import (
    FIRST,
    FIRST_AT,
    LAST_MJD,
    SECOND,
    SECOND_AT,
    accepted,
    element_set,
)
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.propagation.v1 import propagation_events_pb2 as pb

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
CSSI = DATA / "spaceweather/celestrak_foa/SpaceWeather-All-v1.2_2025-01-10.txt"
TRUTH = datetime(2022, 11, 4, 10, 1, tzinfo=UTC)


NEWER = DATA / "spaceweather/SW-All_celestrak_2025-12.csv"
needs_data = pytest.mark.skipif(not CSSI.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")


def observed() -> ingest.SpaceWeatherRecorded:
    return recorded(weather.read_cssi(CSSI.read_bytes()).observed, LAST_MJD)


def recorded(observed: Sequence[weather.Day], last_mjd: int) -> ingest.SpaceWeatherRecorded:
    days = [
        ingest.SpaceWeatherDay(
            mjd=day.mjd, ap_3h=day.ap_3h, ap_daily=day.ap_daily, f107_observed_sfu=day.f107_observed_sfu
        )
        for day in observed
        if last_mjd - 200 < day.mjd <= last_mjd
    ]
    return ingest.SpaceWeatherRecorded(source="celestrak", days=days, input_sha256="0" * 64)


@needs_data
async def test_one_set_alone_gives_a_window_as_wide_as_it_takes_to_hold_the_true_re_entry(feed):
    """Breaks where the density tables end before the slowest samples come down: it was declined as too high."""
    await feed.give(observed(), FIRST_AT - timedelta(hours=6))
    await feed.give(element_set(FIRST), FIRST_AT)
    await feed.quiet()
    (fact,) = await feed.facts()
    quantiles = {q.probability: codec.epoch_from_wire(q.epoch).instant for q in fact.quantiles}
    assert quantiles[0.05] <= TRUTH <= quantiles[0.95]


@needs_data
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


@needs_data
@pytest.mark.parametrize(
    ("number", "at", "reason", "detail"),
    [
        (34602, datetime(2013, 10, 15, tzinfo=UTC), pb.DECLINE_REASON_THRUSTING, "drag on any object"),
        (41765, datetime(2019, 7, 19, tzinfo=UTC), pb.DECLINE_REASON_CONTROLLED, "changed by -10"),
        (48450, datetime(2025, 12, 1, tzinfo=UTC), pb.DECLINE_REASON_CONTROLLED, "engines lowered the orbit"),
    ],
)
async def test_no_natural_decay_is_claimed_of_what_steers(feed, number, at, reason, detail):
    """GOCE flying free of drag; Tiangong-2 after it came down by 100 km; a Starlink on its way down."""
    mjd = int(sum(datetime_to_jd(at)) - MJD_0_JD)
    await feed.give(recorded(weather_csv.read(NEWER.read_bytes()).observed, mjd - 1), at - timedelta(days=60))
    for one in tle.read((DATA / f"tle_reentry/curated/{number:05d}.tle").read_bytes()):
        if isinstance(one, ElementSet) and (epoch := jd_to_datetime(one.epoch_jd, one.epoch_jd_fraction)) <= at:
            await feed.give(accepted(one), epoch)
    await feed.quiet()
    facts = await feed.facts(number)
    assert [type(fact) for fact in facts] == [pb.PredictionDeclined]
    assert facts[0].reason == reason
    assert detail in facts[0].detail
