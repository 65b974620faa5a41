import dataclasses
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from libs.astro import decay, fit, manoeuvre, sgp4, tle, window
from libs.astro.density_kept import beside_kernels
from libs.astro.elements import ElementSet
from libs.astro.time import datetime_to_jd, seconds_between
from libs.astro.weather import Day, Drivers, drivers, read_cssi

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
CSSI = DATA / "spaceweather/celestrak_foa/SpaceWeather-All-v1.2_2025-01-10.txt"
needs_data = pytest.mark.skipif(not CSSI.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")

# The element sets of CZ-5B 2022-143B before its re-entry on 2022-11-04, typed.
CZ_5B = (
    b"1 54217U 22143B   22307.45026049  .04306496  77106-5  57383-3 0  9992\n"
    b"2 54217  41.4743  88.8611 0062797 197.7556 206.2843 16.28127082   504\n"
    b"1 54217U 22143B   22307.83202162  .07541702  75736-5  53797-3 0  9992\n"
    b"2 54217  41.4725  86.2946 0049889 204.7631 283.9192 16.33819495   564\n"
)
KNOWN_MJD = 59886.8321
KEPT = beside_kernels()
NORMAL = window.Spread(0.2, 1.0, math.inf, "test")
SPREAD = window.Spread(0.2, 1.0, 10.0, "test")


def sets(data: bytes = CZ_5B) -> list[ElementSet]:
    return [one for one in tle.read(data) if isinstance(one, ElementSet)]


@pytest.fixture(scope="module")
def calm() -> Drivers:
    days = [Day(mjd, (7.0,) * 8, 7.0, 130.0) for mjd in range(59780, 59887)]
    return drivers(days, KNOWN_MJD - 30.0, KNOWN_MJD + 40.0, KNOWN_MJD)


def known_jd(elements: list[ElementSet]) -> float:
    return max(one.epoch_jd + one.epoch_jd_fraction for one in elements)


@pytest.fixture(scope="module")
def fitted(calm) -> fit.Fit:
    return fit.predict(sets(), calm, known_jd(sets()), KEPT)


def lifetimes(found: fit.Fit, draws: window.Draws, given: Drivers) -> np.ndarray:
    """Seconds to 80 km of each draw, the nominal last."""
    states, late = np.vstack([draws.states, found.state]), np.append(draws.ln_b_late, found.ln_b_late)
    ln_b = np.append(draws.ln_b, found.ln_b)
    return decay.fly(
        states, found.jd, found.fr, ln_b, given, ln_b_late=late, late_after_s=found.late_after_s,
        max_days=40.0, threads=2,
    ).seconds  # fmt: skip


def test_two_sets_give_a_state_near_the_newest_and_a_credible_coefficient(fitted):
    r, v, _ = sgp4.propagate(sgp4.initialise(sets()[1]), np.zeros(1))
    assert np.linalg.norm(fitted.state[:3] - r[0]) < 10.0
    assert np.linalg.norm(fitted.state[3:] - v[0]) < 0.01
    assert 0.01 < math.exp(fitted.ln_b) < 0.03
    assert (fitted.sets_used, fitted.set_count) == (2, 2)
    assert "mean motion rate" in fitted.method


def test_one_set_is_fitted_with_the_widest_spread(calm):
    found = fit.predict(sets()[1:], calm, known_jd(sets()), KEPT)
    assert (found.sets_used, found.set_count) == (1, 1)
    by = window.calibration()
    alone, calm_one = (window.spread(one, 36000.0, by) for one in (found, dataclasses.replace(found, set_count=20)))
    assert alone.sigma_ln_b == pytest.approx(math.hypot(by.one_set_ln_b, calm_one.sigma_ln_b))


def test_the_covariance_leaves_out_a_coefficient_that_is_not_fitted(calm, fitted):
    alone = fit.predict(sets()[1:], calm, known_jd(sets()), KEPT)
    assert (np.diag(fitted.covariance) > 0.0).all()
    assert (np.diag(alone.covariance)[:6] > 0.0).all()
    assert not alone.covariance[6].any()


def test_one_set_without_a_rate_of_decay_gives_no_prediction(calm):
    still = dataclasses.replace(sets()[1], mean_motion_dot_half_rev_day2=0.0)
    with pytest.raises(fit.TooFewSets, match="1 element set is known"):
        fit.predict([still], calm, known_jd(sets()), KEPT)


def test_a_repeated_set_changes_nothing(calm, fitted):
    twice = fit.predict([sets()[0], *sets()], calm, known_jd(sets()), KEPT)
    assert twice.state.tobytes() == fitted.state.tobytes()
    assert twice.sets_used == 2


def test_a_set_from_after_the_time_of_knowledge_is_not_used(calm):
    """INVARIANT: a backcast knows no future."""
    first = sets()[0]
    found = fit.predict(sets(), calm, first.epoch_jd + first.epoch_jd_fraction, KEPT)
    assert (found.jd, found.fr) == (first.epoch_jd, first.epoch_jd_fraction)


def test_the_same_inputs_give_the_same_bytes(calm, fitted):
    again = fit.predict(sets(), calm, known_jd(sets()), KEPT)
    assert again.state.tobytes() == fitted.state.tobytes()
    assert again.ln_b == fitted.ln_b


def test_an_object_far_above_its_last_days_is_refused(calm):
    """An orbit of 500 km sinks a few hundred metres a day at most."""
    high = dataclasses.replace(
        sets()[1], mean_motion_rev_day=15.22, mean_motion_dot_half_rev_day2=1e-5, bstar_per_earth_radius=5e-5
    )
    with pytest.raises(fit.TooHigh, match="predict again nearer"):
        fit.predict([high], calm, known_jd(sets()), KEPT)


def test_an_object_that_stays_up_past_the_horizon_is_refused(calm):
    with pytest.raises(fit.TooHigh):
        fit.predict(sets(), calm, known_jd(sets()), KEPT, max_days=0.2)


def test_a_deep_space_orbit_is_refused_as_such(calm):
    with pytest.raises(sgp4.DeepSpace):
        fit.predict([dataclasses.replace(sets()[1], mean_motion_rev_day=2.0)], calm, known_jd(sets()), KEPT)


def test_an_apogee_above_the_table_of_density_is_refused_at_once(calm):
    """A table up to 1000 km takes minutes; what flies higher would find that out after it was made."""
    high = [dataclasses.replace(one, mean_motion_rev_day=10.4, eccentricity=0.25) for one in sets()[1:]]
    with pytest.raises(fit.TooHigh, match=r"its apogee of 4[0-9]{3} km lies above the 970 km"):
        fit.predict(high, calm, known_jd(high), KEPT)


def test_an_inclination_past_the_elements_of_the_flight_is_refused(calm):
    over = [dataclasses.replace(one, inclination_deg=179.5) for one in sets()]
    with pytest.raises(sgp4.BadElements, match=r"an inclination of 179.5 degrees is that of no object"):
        fit.predict(over, calm, known_jd(over), KEPT)


def test_a_rate_that_no_drag_explains_is_not_called_no_drag(calm):
    (one,) = sets()[-1:]
    light = dataclasses.replace(one, mean_motion_dot_half_rev_day2=9.0)
    with pytest.raises(fit.PoorFit, match=r"B = [0-9.]+ m2/kg, more than that of any object"):
        fit.predict([light], calm, known_jd([light]), KEPT)


def test_an_orbit_that_rises_has_no_credible_coefficient(calm):
    """Five sets over a day, each 3 km above the one before: thrust, not drag."""
    rising = [
        dataclasses.replace(
            sets()[1],
            epoch_jd_fraction=sets()[1].epoch_jd_fraction - 0.2 * (4 - k),
            mean_motion_rev_day=16.33819495 + 0.011 * (4 - k),
            mean_anomaly_deg=(283.9192 - 0.2 * (4 - k) * 16.36 * 360.0) % 360.0,
        )
        for k in range(5)
    ]
    with pytest.raises((fit.PoorFit, manoeuvre.Thrusting)):
        fit.predict(rising, calm, known_jd(rising), KEPT)


def test_no_set_known_yet_is_said(calm):
    with pytest.raises(fit.PoorFit, match="time of knowledge"):
        fit.predict(sets(), calm, 2459000.0, KEPT)


def test_drivers_that_start_after_the_oldest_set_are_refused(calm):
    late = Drivers(calm.rows[31 * 8 :], calm.start_mjd + 31.0)
    with pytest.raises(ValueError, match="a day before"):
        fit.predict(sets(), late, known_jd(sets()), KEPT)


def test_sample_i_does_not_depend_on_the_number_of_samples(fitted):
    """INVARIANT: sample i is drawn from (seed, i), so that chunks and counts change nothing."""
    few, many = window.draws(fitted, SPREAD, 10, seed=7), window.draws(fitted, SPREAD, 200, seed=7)
    assert few.ln_b.tobytes() == many.ln_b[:10].tobytes()
    assert few.states.tobytes() == many.states[:10].tobytes()


def test_another_seed_draws_other_samples(fitted):
    assert not np.isclose(
        window.draws(fitted, SPREAD, 50, seed=1).ln_b, window.draws(fitted, SPREAD, 50, seed=2).ln_b
    ).any()


@pytest.mark.parametrize("seed", [0, 1, 12345678901234567890])
def test_draws_have_the_stated_spread(fitted, seed):
    """1,000 stratified samples: mean and deviation within 1 % of a sigma; plain ones have 3 %, as the correlation."""
    found = window.draws(fitted, NORMAL, 1000, seed)
    z = (found.ln_b - fitted.ln_b) / NORMAL.sigma_ln_b
    r = np.linalg.norm(found.states[:, :3], axis=1)
    a = 1.0 / (2.0 / r - (found.states[:, 3:] ** 2).sum(axis=1) / 398600.4418)
    da = (a - a.mean()) / NORMAL.sigma_a_km
    assert abs(z.mean()) < 0.01
    assert z.std() == pytest.approx(1.0, abs=0.01)
    assert da.std() == pytest.approx(1.0, abs=0.01)
    assert abs((z * da).mean()) < 1.0 / math.sqrt(1000.0)
    np.testing.assert_allclose(found.ln_b_late - found.ln_b, fitted.ln_b_late - fitted.ln_b, atol=1e-12)


# object, hours before the re-entry, its time, minutes of error of the same method in an independent C program
REPLAYED = [
    (54217, 12.0, datetime(2022, 11, 4, 10, 1, tzinfo=UTC), -104.0),
    (45601, 24.0, datetime(2020, 5, 11, 15, 34, tzinfo=UTC), 7.0),
    (34602, 24.0, datetime(2013, 11, 11, 0, 16, tzinfo=UTC), -44.0),
    (37820, 24.0, datetime(2018, 4, 2, 0, 16, tzinfo=UTC), -40.0),
]


@needs_data
@pytest.mark.parametrize(("number", "hours", "truth", "error_min"), REPLAYED)
def test_a_known_re_entry_is_predicted_from_what_was_known(number, hours, truth, error_min):
    """The C program used its own integrator and the C release of the model; ours is within minutes of it."""
    cut_off = truth - timedelta(hours=hours)
    jd, fr = datetime_to_jd(cut_off)
    read = sets((DATA / f"tle_reentry/curated/{number:05d}.tle").read_bytes())
    known = [one for one in read if seconds_between(jd, fr, one.epoch_jd, one.epoch_jd_fraction) <= 0.0]
    mjd = jd - 2400000.5 + fr
    days = [day for day in read_cssi(CSSI.read_bytes()).observed if mjd - 130 < day.mjd <= mjd]
    given = drivers(days, mjd - 47.0, mjd + 41.0, mjd)
    found = fit.predict(known, given, jd + fr, KEPT)
    true_s = seconds_between(found.jd, found.fr, *datetime_to_jd(truth))
    seconds = lifetimes(
        found, window.draws(found, window.spread(found, true_s, window.calibration()), 200, seed=1), given
    )
    assert (seconds[-1] - true_s) / 60.0 == pytest.approx(error_min, abs=10.0)
    low, high = np.quantile(seconds[:-1], [0.05, 0.95])
    assert low <= true_s <= high
