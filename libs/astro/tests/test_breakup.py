import math

import numpy as np
import pytest

from libs.astro import breakup
from libs.astro.breakup import Cause, Origin


def rng(sample: int = 0) -> np.random.Generator:
    return breakup.generator(2022, sample)


def test_the_numbers_of_a_collision_and_of_an_explosion_are_those_of_the_model():
    """Johnson et al. 2001, eqs. 2 and 4, for M = 1000 kg and S = 1."""
    assert round(breakup.number_from_collision(1000.0, 0.1)) == 912
    assert round(breakup.number_from_collision(1000.0, 0.01)) == 46774
    assert round(breakup.number_from_explosion(1.0, 0.1)) == 239
    assert round(breakup.number_from_explosion(1.0, 0.01)) == 9509


def test_the_area_is_that_of_the_model_and_has_no_great_jump():
    """Eqs. 8 and 9; the two laws meet at 1.67 mm."""
    assert breakup.area_m2(np.array([0.1]))[0] == pytest.approx(5.51e-3, abs=5e-6)
    below, above = breakup.area_m2(np.array([1.6699e-3, 1.6701e-3]))
    assert above == pytest.approx(below, rel=1e-3)


# lambda: alpha, mu1, sigma1, mu2, sigma2 by hand from the printed formulas.
PARAMETERS = {
    Origin.ROCKET_BODY: {
        -2.0: (1.0, -0.45, 0.55, -0.9, 0.28),
        -0.9: (1 - 0.3571 * 0.5, -0.45, 0.55, -0.9, 0.28 - 0.1636 * 0.1),
        -0.25: (1 - 0.3571 * 1.15, -0.45 - 0.9 * 0.25, 0.55, -0.9, 0.28 - 0.1636 * 0.75),
        0.5: (0.5, -0.9, 0.55, -0.9, 0.1),
    },
    Origin.SPACECRAFT: {
        -2.0: (0.0, -0.6, 0.1, -1.2, 0.5),
        -0.6: (0.3 + 0.4 * 0.6, -0.6 - 0.318 * 0.5, 0.1 + 0.2 * 0.7, -1.2 - 1.333 * 0.1, 0.5),
        -0.4: (0.3 + 0.4 * 0.8, -0.6 - 0.318 * 0.7, 0.1 + 0.2 * 0.9, -1.2 - 1.333 * 0.3, 0.4),
        0.7: (1.0, -0.95, 0.3, -2.0, 0.3),
    },
}


@pytest.mark.parametrize(("origin", "lam"), [(o, lam) for o, rows in PARAMETERS.items() for lam in rows])
def test_the_parameters_of_the_two_normals_are_those_printed(origin, lam):
    found = [breakup._between(np.array([lam]), nodes)[0] for nodes in breakup._LARGE[origin]]
    assert found == pytest.approx(PARAMETERS[origin][lam], abs=5e-4)  # slopes are printed to 4 digits


@pytest.mark.parametrize("origin", list(Origin))
def test_every_spread_is_positive_at_every_size(origin):
    """INVARIANT: a sigma of zero or less makes A/M a constant without anyone noticing."""
    lam = np.linspace(-3.0, 2.0, 501)
    assert all(breakup._between(lam, breakup._LARGE[origin][k]).min() > 0.0 for k in (2, 4))


def test_area_to_mass_of_a_spacecraft_has_two_humps():
    """INVARIANT: the two normals are a mixture; a weighted sum of a draw from each leaves one hump between them.

    At lambda -0.1: alpha 0.74, humps at log10 A/M -0.918 and -2.0 with 0.3 each.
    """
    draws = np.log10(breakup.area_to_mass_m2_kg(np.full(200_000, 10**-0.1), Origin.SPACECRAFT, rng()))
    density, _ = np.histogram(draws, bins=np.arange(-3.0, 0.01, 0.05), density=True)
    at = {x: density[round((x + 3.0) / 0.05)] for x in (-2.0, -1.55, -0.95)}
    assert at[-2.0] > 1.5 * at[-1.55]
    assert at[-0.95] > 3.0 * at[-1.55]
    alpha = 0.3 + 0.4 * 1.1
    assert draws.mean() == pytest.approx(alpha * -0.918 + (1 - alpha) * -2.0, abs=0.01)
    between = alpha * (1 - alpha) * (2.0 - 0.918) ** 2
    assert draws.var() == pytest.approx(0.3**2 + between, rel=0.02)


def test_below_8_cm_one_normal_is_drawn():
    """lambda -1.5: mean -0.3 - 1.4 x 0.25, sigma 0.2 + 0.1333 x 2."""
    draws = np.log10(breakup.area_to_mass_m2_kg(np.full(100_000, 10**-1.5), Origin.ROCKET_BODY, rng()))
    assert draws.mean() == pytest.approx(-0.65, abs=0.005)
    assert draws.std() == pytest.approx(0.2 + 0.1333 * 2.0, rel=0.01)


def test_between_8_and_11_cm_the_laws_are_mixed_from_one_to_the_other():
    size = math.sqrt(0.08 * 0.11)
    ends = [
        np.log10(breakup.area_to_mass_m2_kg(np.full(100_000, one), Origin.SPACECRAFT, rng())).mean()
        for one in (0.0799, size, 0.1101)
    ]
    assert ends[1] == pytest.approx(0.5 * (ends[0] + ends[2]), abs=0.03)


def test_lighter_pieces_are_thrown_faster():
    """Explosion: median 10^(0.2 chi + 1.85) m/s."""
    for ratio in (0.01, 1.0):
        speeds = breakup.delta_v_m_s(np.full(50_000, ratio), Cause.EXPLOSION, rng())
        assert np.log10(speeds).mean() == pytest.approx(0.2 * math.log10(ratio) + 1.85, abs=0.01)
        assert np.log10(speeds).std() == pytest.approx(0.4, rel=0.02)


@pytest.mark.parametrize("origin", list(Origin))
@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("mass", [3.0, 900.0, 21_000.0])
def test_mass_is_conserved(origin, cause, mass):
    for sample in range(20):
        debris = breakup.break_up(mass, origin, cause, rng(sample))
        assert debris.mass_kg.sum() == pytest.approx(mass, rel=1e-12)
        assert (debris.mass_kg > 0.0).all()
        assert debris.area_m2 == pytest.approx(debris.area_to_mass_m2_kg * debris.mass_kg, rel=1e-9)
        assert np.isfinite(debris.delta_v_m_s).all()


def test_the_number_drawn_is_that_of_the_law_where_the_mass_suffices():
    debris = breakup.break_up(4000.0, Origin.ROCKET_BODY, Cause.EXPLOSION, rng(), smallest_m=0.1)
    assert abs((debris.length_m < 1.0).sum() - (239 - 6)) <= 8  # and up to eight of the few that carry the rest


def test_pieces_fly_apart_in_every_direction():
    dv = np.concatenate(
        [breakup.break_up(1000.0, Origin.ROCKET_BODY, Cause.EXPLOSION, rng(s)).delta_v_m_s for s in range(20)]
    )
    unit = dv / np.linalg.norm(dv, axis=1)[:, None]
    assert np.abs(unit.mean(axis=0)).max() < 4.0 / math.sqrt(len(unit))
    assert (unit**2).mean(axis=0) == pytest.approx([1 / 3] * 3, abs=0.02)


def test_a_sample_draws_the_same_whoever_draws_it():
    """INVARIANT: random numbers are keyed by (seed, sample), so that a run does not depend on its chunks."""
    alone = breakup.break_up(1000.0, Origin.SPACECRAFT, Cause.EXPLOSION, rng(7))
    after = [breakup.break_up(1000.0, Origin.SPACECRAFT, Cause.EXPLOSION, rng(s)) for s in range(8)][7]
    assert alone.delta_v_m_s.tobytes() == after.delta_v_m_s.tobytes()
    assert rng(7).random() != rng(8).random()


def test_break_up_altitudes_follow_the_triangle():
    """Mean (72 + 78 + 84)/3, sigma sqrt of (a^2 + b^2 + c^2 - ab - ac - bc)/18."""
    assert breakup.break_up_altitude_km(np.array([0.0, 0.5, 1.0])).tolist() == [72.0, 78.0, 84.0]
    drawn = breakup.break_up_altitude_km(rng().random(200_000), (70.0, 75.0, 86.0))
    assert drawn.mean() == pytest.approx(77.0, abs=0.03)
    assert drawn.std() == pytest.approx(math.sqrt((70**2 + 75**2 + 86**2 - 70 * 75 - 70 * 86 - 75 * 86) / 18), rel=0.01)


def test_what_is_no_break_up_is_refused():
    with pytest.raises(ValueError, match="rise"):
        breakup.break_up_altitude_km(np.array([0.5]), (80.0, 78.0, 84.0))
    with pytest.raises(ValueError, match="shares"):
        breakup.break_up_altitude_km(np.array([math.nan]))
    for wrong in ({"mass_kg": math.nan}, {"smallest_m": 0.0}, {"scale": 100.0}):
        given = {"mass_kg": 1000.0, "origin": Origin.ROCKET_BODY, "cause": Cause.EXPLOSION, "rng": rng()} | wrong
        with pytest.raises(ValueError, match="must lie within"):
            breakup.break_up(**given)
