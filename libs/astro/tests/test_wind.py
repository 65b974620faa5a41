from dataclasses import replace

import numpy as np
import pytest

from libs.astro.wind import ASSUMED, Climate, sampled


def test_samples_have_the_mean_and_spread_of_the_climate():
    """Of 4,000 samples the mean is good to 1.6 % of a sigma, the sigma to 1.1 %; the cut at 3 takes 1.3 % of it."""
    east, north = sampled(ASSUMED, 1, 0, 4000)
    np.testing.assert_allclose(east.mean(axis=0), ASSUMED.east_m_s, atol=4.0 * 50.0 / np.sqrt(4000.0))
    np.testing.assert_allclose(east.std(axis=0), ASSUMED.east_sigma_m_s, rtol=0.06)
    np.testing.assert_allclose(north.std(axis=0), ASSUMED.north_sigma_m_s, rtol=0.06)
    assert abs(np.corrcoef(east[:, 4], north[:, 4])[0, 1]) < 0.07


def test_near_levels_blow_alike_and_far_ones_do_not():
    east, _ = sampled(ASSUMED, 1, 0, 4000)
    likeness = np.corrcoef(east.T)
    assert likeness[3, 4] == pytest.approx(np.exp(-3.0 / 8.0), abs=0.05)
    assert abs(likeness[0, 9]) < 0.06


def test_a_sample_depends_on_its_number_alone():
    """INVARIANT: the split of samples among workers must not show in any result."""
    whole = np.stack(sampled(ASSUMED, 7, 0, 10))
    parts = [np.stack(sampled(ASSUMED, 7, first, count)) for first, count in ((0, 3), (3, 6), (9, 1))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    assert not np.array_equal(np.stack(sampled(ASSUMED, 8, 0, 10)), whole)


def test_no_wind_is_beyond_three_standard_deviations():
    east, _ = sampled(ASSUMED, 3, 0, 4000)
    assert (np.abs(east - ASSUMED.east_m_s) <= 3.0 * ASSUMED.east_sigma_m_s + 1e-9).all()


def test_a_users_own_profile_of_no_spread_is_flown_as_it_is():
    still = np.zeros(3)
    own = Climate(np.array([0.0, 10.0, 20.0]), np.array([2.0, 45.0, 9.0]), still, still, still, 8.0, "sounding 08221")
    east, north = sampled(own, 1, 0, 2)
    np.testing.assert_array_equal(east, [[2.0, 45.0, 9.0]] * 2)
    assert not north.any()


def test_the_default_says_that_it_is_an_assumption():
    assert "assumption" in ASSUMED.source


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"alt_km": ASSUMED.alt_km[::-1]}, "rising"),
        ({"east_m_s": ASSUMED.east_m_s[:-1]}, "four values"),
        ({"north_m_s": np.full(14, np.nan)}, "no number"),
        ({"east_sigma_m_s": -ASSUMED.east_sigma_m_s}, "negative"),
        ({"deep_km": 0.0}, "positive depth"),
    ],
)
def test_a_climate_that_cannot_be_sampled_is_refused(change, text):
    with pytest.raises(ValueError, match=text):
        replace(ASSUMED, **change)
