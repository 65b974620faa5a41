"""Scores on cases that are known by hand."""

from datetime import UTC, datetime

import numpy as np
import pytest

from services.replay import scoring
from services.replay.scoring import Row


def a_row(samples, life_h=10.0, error_h=0.0, number=1, **more) -> Row:
    nominal = more.pop("nominal_h", life_h + error_h)
    at = datetime(2024, 1, 1, tzinfo=UTC)
    return Row(number, "1 d", False, life_h, error_h, np.asarray(samples, float), nominal, newest_set_at=at, **more)


def test_the_crps_of_a_step_is_its_distance_from_the_truth():
    assert scoring.crps(np.full(50, 7.0), 10.0, 10.0) == pytest.approx(3.0)
    assert scoring.crps(np.full(50, 10.0), 10.0, 10.0) == 0.0


def test_the_crps_of_a_normal_is_the_closed_form():
    """Gneiting and Raftery 2007, eq. 5 of the text: at its mean a normal scores sigma (sqrt(2) - 1)/sqrt(pi)."""
    from statistics import NormalDist

    samples = [NormalDist(10.0, 2.0).inv_cdf((k + 0.5) / 4000.0) for k in range(4000)]
    expected = 2.0 * (np.sqrt(2.0) - 1.0) / np.sqrt(np.pi)
    assert scoring.crps(np.array(samples), 10.0, 10.0) == pytest.approx(expected, rel=2e-3)  # 4,000 steps for a curve


def test_the_crps_is_mean_distance_less_half_the_mean_distance_among_samples():
    """The other form of the same score, Gneiting and Raftery 2007, eq. 21."""
    samples = np.random.default_rng(3).gamma(3.0, 2.0, 200)
    apart = np.mean(np.abs(samples[:, None] - samples[None, :]))
    other = np.mean(np.abs(samples - 5.0)) - 0.5 * apart
    assert scoring.crps(samples, 5.0, 5.0) == pytest.approx(other)


def test_a_forecast_within_an_interval_of_truth_scores_nothing_and_outside_by_its_nearer_end():
    assert scoring.crps(np.array([9.0, 10.0, 11.0]), 8.0, 12.0) == 0.0
    assert scoring.crps(np.full(10, 15.0), 8.0, 12.0) == pytest.approx(3.0)
    samples = np.random.default_rng(4).normal(10.0, 2.0, 300)
    points = [scoring.crps(samples, at, at) for at in np.linspace(9.0, 11.0, 21)]
    assert scoring.crps(samples, 9.0, 11.0) <= min(points)


def test_pit_and_windows_of_even_samples():
    row = a_row(np.linspace(0.1, 20.0, 200))
    assert row.pit == pytest.approx(0.5)
    assert row.window_h(0.9) == pytest.approx((1.0, 19.0))
    assert row.width(0.9) == pytest.approx(1.8)


def test_truths_drawn_from_the_forecast_are_held_as_often_as_it_says():
    generator = np.random.default_rng(5)
    samples = np.sort(generator.normal(100.0, 5.0, 2000))
    rows = [a_row(samples, truth, number=k) for k, truth in enumerate(generator.normal(100.0, 5.0, 3000))]
    pits = np.histogram([row.pit for row in rows], 10, (0.0, 1.0))[0]
    assert np.all(np.abs(pits - 300) < 5.0 * np.sqrt(300))  # five sigma of a count
    for level in scoring.LEVELS:
        assert scoring.level_of(rows, level)["held_percent"] == pytest.approx(100.0 * level, abs=5.0)


@pytest.mark.parametrize(("samples", "held"), [(np.full(9, 8.5), True), (np.full(9, 5.0), False)])
def test_a_window_holds_an_interval_when_it_meets_it(samples, held):
    assert a_row(samples, interval_h=(8.0, 12.0)).holds(0.9) is held


def test_the_usual_rule_is_twenty_percent_of_the_predicted_life():
    assert a_row([10.0], life_h=10.0, nominal_h=8.4).rule_holds
    assert not a_row([10.0], life_h=10.0, nominal_h=8.3).rule_holds
    assert a_row([10.0], life_h=10.0, nominal_h=8.0).rule_h == pytest.approx((6.4, 9.6))


def test_an_interval_over_objects_is_the_same_each_time_and_holds_the_mean():
    rows = [a_row([10.0], number=k % 4) for k in range(20)]
    values = [float(k % 4) for k in range(20)]
    first = scoring.interval_of_mean(rows, values)
    assert first == scoring.interval_of_mean(rows, values)
    assert first[0] <= 1.5 <= first[1]


def test_rows_of_one_object_count_as_one():
    """INVARIANT: a level's interval is over objects; were it over rows, many rows of a few would feign certainty."""
    few = [a_row([10.0], number=k) for k in range(4)]
    many = [a_row([10.0], number=k) for k in range(4) for _ in range(25)]
    narrow = scoring.interval_of_mean(few, [0.0, 0.0, 1.0, 1.0])
    assert scoring.interval_of_mean(many, [0.0] * 50 + [1.0] * 50) == narrow


def test_errors_are_shares_of_the_remaining_life_and_minutes():
    rows = [a_row([10.0], 10.0, 1.0), a_row([10.0], 10.0, -3.0, number=2), a_row([0.5], 0.5, 0.4, number=3)]
    found = scoring.kpis(rows)
    assert found["rows"] == 2  # the third has too little left for a share
    assert found["error_mean_percent"] == pytest.approx(20.0)
    assert found["error_mean_min"] == pytest.approx(120.0)
    assert found["within_20_percent"] == pytest.approx(50.0)
    assert found["bias_mean_percent"] == pytest.approx(-10.0)
    assert scoring.kpis([]) == {}
