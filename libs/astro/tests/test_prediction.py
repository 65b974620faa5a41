"""Predictions of objects of the past whose fate is known, and what is not predicted."""

import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from libs.astro import fit, fit_sets, manoeuvre, prediction, tle, weather_csv, window
from libs.astro.density_kept import beside_kernels
from libs.astro.elements import ElementSet
from libs.astro.time import datetime_to_jd, seconds_between
from libs.astro.weather import Day, drivers

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
WEATHER = DATA / "spaceweather/SW-All_celestrak_2025-12.csv"
needs_data = pytest.mark.skipif(
    not WEATHER.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA"
)
KEPT = beside_kernels()
TIANGONG_2, GOCE = 41765, 34602


@pytest.fixture(scope="module")
def days() -> list[Day]:
    return weather_csv.read(WEATHER.read_bytes()).observed


def predicted(number: int, at: datetime, days: list[Day]) -> prediction.Prediction:
    jd, fr = datetime_to_jd(at)
    mjd = jd - 2400000.5 + fr
    read = tle.read((DATA / f"tle_reentry/curated/{number:05d}.tle").read_bytes())
    known = [
        one
        for one in read
        if isinstance(one, ElementSet) and seconds_between(jd, fr, one.epoch_jd, one.epoch_jd_fraction) <= 0.0
    ]
    first = fit_sets.oldest_mjd(known, jd + fr)
    given = drivers([day for day in days if mjd - 260.0 < day.mjd <= mjd], first - 1.0, mjd + 32.0, mjd)
    return prediction.predict(known, given, jd + fr, KEPT, samples=60, seed=1, horizon_days=32.0)


@needs_data
def test_the_deorbit_of_a_station_is_flagged_and_no_natural_decay_is_claimed(days):
    """Tiangong-2 lowered its orbit by 100 km on 2019-07-18 and was brought down on the next day (CMSA)."""
    with pytest.raises(manoeuvre.Controlled, match=r"changed by -10\d\.\d\d km where drag gives -0\."):
        predicted(TIANGONG_2, datetime(2019, 7, 19, tzinfo=UTC), days)


@needs_data
@pytest.mark.parametrize("days_back", range(1, 40, 6))
def test_a_station_that_still_flies_is_not_predicted(days, days_back):
    with pytest.raises((fit.TooHigh, manoeuvre.Thrusting)):
        predicted(TIANGONG_2, datetime(2019, 7, 18, 12, tzinfo=UTC) - timedelta(days=days_back), days)


@needs_data
@pytest.mark.parametrize("day", [datetime(2013, 9, 25, tzinfo=UTC), datetime(2013, 10, 15, tzinfo=UTC)])
def test_an_object_that_thrust_holds_up_is_declined_as_thrusting(days, day):
    """GOCE flew free of drag at 230 km until 2013-10-21 (ESA)."""
    with pytest.raises(manoeuvre.Thrusting):
        predicted(GOCE, day, days)


@needs_data
def test_an_object_whose_thrust_has_ended_is_predicted(days):
    """GOCE came down on 2013-11-11, 00:16 UTC."""
    found = predicted(GOCE, datetime(2013, 11, 6, tzinfo=UTC), days)
    true_s = seconds_between(found.fit.jd, found.fit.fr, *datetime_to_jd(datetime(2013, 11, 11, 0, 16, tzinfo=UTC)))
    low, high = found.quantiles((0.05, 0.95))
    assert low <= true_s <= high


@needs_data
@pytest.mark.parametrize(
    ("number", "day"),
    [
        (48450, datetime(2025, 12, 1, tzinfo=UTC)),
        (48450, datetime(2025, 12, 15, tzinfo=UTC)),
        (48450, datetime(2025, 12, 18, tzinfo=UTC)),
        (46719, datetime(2025, 8, 5, tzinfo=UTC)),
        (46719, datetime(2025, 8, 28, tzinfo=UTC)),
    ],
)
def test_a_slow_electric_thrust_is_declined(days, number, day):
    """Starlinks on their way down: drag trebles for days (2660), or falls by a third in a month (1822)."""
    with pytest.raises(manoeuvre.Thrusting):
        predicted(number, day, days)


def test_students_quantiles_are_those_of_the_tables():
    """Abramowitz and Stegun, table 26.10."""
    assert window.student(0.975, 3.0) == pytest.approx(3.1824, abs=1e-4)
    assert window.student(0.001, 3.0) == pytest.approx(-10.2145, abs=1e-4)
    assert window.student(0.5, 3.0) == pytest.approx(0.0, abs=1e-12)
    assert window.student(0.975, 4.0) == pytest.approx(2.7764, abs=1e-4)
    assert window.student(0.95, 10.0) == pytest.approx(1.8125, abs=1e-3)
    assert window.student(0.75, 8.0) == pytest.approx(0.7064, abs=1e-3)
    assert np.isclose(window.student(0.5, 5.0), 0.0)


@needs_data
def test_one_set_is_predicted_from_the_decay_since_one_of_months_before(days):
    """Kosmos 482: seen at 06:04 UTC, gone at 07:32; another program found B = 0.00346 m2/kg."""
    found = predicted(6073, datetime(2025, 5, 10, 0, 45, tzinfo=UTC), days)
    first, last = (datetime(2025, 5, 10, 6, 4, tzinfo=UTC), datetime(2025, 5, 10, 7, 32, tzinfo=UTC))
    seconds = [seconds_between(found.fit.jd, found.fit.fr, *datetime_to_jd(one)) for one in (first, last)]
    assert math.exp(found.fit.ln_b) == pytest.approx(0.00346, rel=0.04)
    assert seconds[0] <= found.nominal_s <= seconds[1]


@needs_data
def test_a_newest_set_far_from_where_the_others_bring_the_object_is_left_out(days):
    """The last set of 64963 lies 7 km above the orbit that those of the days before lead to."""
    found = predicted(64963, datetime(2025, 12, 25, 23, 30, tzinfo=UTC), days)
    before_last = datetime_to_jd(datetime(2025, 12, 25, 20, 0, 35, tzinfo=UTC))
    assert abs(seconds_between(found.fit.jd, found.fit.fr, *before_last)) < 1.0
    assert found.nominal_s < 5.0 * 3600.0
