import numpy as np
import pytest

from libs.astro import decay, decay_legs, decay_tables, density_days
from libs.astro.density_kept import beside_kernels
from libs.astro.tests.doors_air import MJD, weather_of
from libs.astro.tests.doors_flight import orbit
from libs.astro.time import DAY_S, MJD_0_JD

KEPT = beside_kernels()
JD, FR = MJD + MJD_0_JD, 0.4
STATES = np.array([orbit(170.0, 175.0, 51.6, 0.0), orbit(165.0, 180.0, 97.0, 40.0), orbit(150.0, 155.0, 30.0, 0.0)])
LN_B = np.log([0.008, 0.01, 0.012])
LATE = {"ln_b_late": LN_B + 0.1, "late_after_s": 30_000.0}
FROM_S = 10_000.0


def legs(**options) -> list[decay_legs.Leg]:
    given = {"stop_altitude_km": 120.0, "max_days": 2.5, "track_step_s": 20.0, "track_from_s": FROM_S} | LATE | options
    return list(decay_legs.fly(STATES, JD, FR, LN_B, weather_of(), KEPT, **given))


def tracks(found: list[decay_legs.Leg]) -> dict[int, np.ndarray]:
    """Of each sample, the start of each leg but the first left out: it is the end of the one before."""
    whole: dict[int, list[np.ndarray]] = {}
    for leg in found:
        for row, track, count in zip(leg.rows, leg.track, leg.counts, strict=True):
            known = whole.setdefault(int(row), [])
            known.append(track[int(bool(known)) : count])
    return {row: np.concatenate(parts) for row, parts in whole.items()}


@pytest.fixture(scope="module")
def found() -> list[decay_legs.Leg]:
    return legs()


def test_ends_are_those_of_one_flight_on_one_table(found):
    """INVARIANT: that memory holds a day at a time changes no lifetime: a sample would come down elsewhere."""
    table = density_days.join([KEPT.day(doy, 150.0, 400.0) for doy in density_days.days_of_year(MJD, 3)], MJD)
    air = decay_tables.air(table, weather_of(), JD, FR)
    whole = decay_tables.lifetimes(STATES, LN_B, air, stop_altitude_km=120.0, **LATE)
    seconds = {
        int(row): at for leg in found for row, at in zip(leg.rows[leg.reached], leg.seconds[leg.reached], strict=True)
    }
    assert len(found) > 1
    np.testing.assert_allclose([seconds[row] for row in range(3)], whole.seconds, rtol=1e-5)


def test_a_track_is_that_of_the_model_read_directly(found):
    """A tenth of a kilometre of the path, and what 0.5 % of density does: 30 km along the track after half a day."""
    direct = decay.fly(
        STATES, JD, FR, LN_B, weather_of(), stop_altitude_km=120.0, max_days=2.5, track_step_s=20.0,
        track_from_s=FROM_S, **LATE,
    )  # fmt: skip
    for row, track in tracks(found).items():
        other = direct.track[row, : direct.track_counts[row]]
        both = min(len(track), len(other)) - 1
        steady = track[:both, 0] < 0.5 * direct.seconds[row]
        np.testing.assert_allclose(track[:both, 0], other[:both, 0])
        np.testing.assert_allclose(track[:both][steady, 1], other[:both][steady, 1], atol=0.3)
        np.testing.assert_allclose(track[:both][steady, 3], other[:both][steady, 3], atol=0.5)


def test_a_track_rises_in_time_without_a_gap_and_ends_with_its_sample(found):
    for row, track in tracks(found).items():
        last = next(leg for leg in found if row in leg.rows[leg.reached])
        steps = np.diff(track[track[:, 0] >= FROM_S, 0])
        assert track[0, 0] == 0.0
        assert (steps > 0.0).all()
        assert steps.max(initial=0.0) <= 20.0 + 1e-6  # an epoch has a microsecond
        assert track[-1, 0] == last.seconds[last.rows == row][0]
        assert track[-1, 3] == pytest.approx(120.0, abs=0.2)


def test_a_leg_ends_at_midnight(found):
    np.testing.assert_allclose(found[0].seconds[~found[0].reached], 0.6 * DAY_S)


def test_results_depend_neither_on_threads_nor_on_the_other_samples(found):
    one = tracks(legs(threads=3))
    assert all(np.array_equal(one[row], track) for row, track in tracks(found).items())
    alone = list(decay_legs.fly(
        STATES[1:2], JD, FR, LN_B[1:2], weather_of(), KEPT, ln_b_late=LATE["ln_b_late"][1:2],
        late_after_s=LATE["late_after_s"], stop_altitude_km=120.0, max_days=2.5, track_step_s=20.0, track_from_s=FROM_S,
    ))  # fmt: skip
    assert np.array_equal(tracks(alone)[0], tracks(found)[1])


def test_what_stays_up_ends_with_the_days_given():
    (leg,) = legs(max_days=0.05)
    assert not leg.reached.any()
    assert not leg.broken.any()
    np.testing.assert_allclose(leg.seconds, 0.05 * DAY_S)
