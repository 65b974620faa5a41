import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from libs.astro import decay, earth, gravity
from libs.astro.weather import Day, Drivers, drivers

MJD = 59886  # 2022-11-03
JD, FR = 2459887.0, 0.25  # that day at 18 h UTC
STATE = np.array([6568.0, 0.0, 0.0, 0.0, 5.8800, 5.1110])  # km, km/s: about 190 km up, 41 degrees
B = 0.012


@pytest.fixture(scope="module")
def calm() -> Drivers:
    days = [Day(mjd, (7.0,) * 8, 7.0, 130.0) for mjd in range(MJD - 80, MJD + 1)]
    return drivers(days, MJD - 5.0, MJD + 20.0, MJD + 0.75)


def fly(drivers: Drivers, ln_b: np.ndarray, **given) -> decay.Flights:
    options: dict[str, Any] = {"ln_b_late": ln_b, "late_after_s": 1e9, "max_days": 10.0} | given
    return decay.fly(np.tile(STATE, (len(ln_b), 1)), JD, FR, ln_b, drivers, **options)


def spread(count: int) -> np.ndarray:
    return math.log(B) + np.linspace(-0.2, 0.2, count)


def test_free_flight_keeps_its_energy_to_1e_10_a_revolution():
    """INVARIANT: an integrator that loses energy by itself makes every re-entry early."""
    state, work = STATE.copy(), np.empty(gravity.WORK_SHAPE)
    before = gravity.energy(state)
    for _ in range(90):
        gravity.coast(state, 60.0, work)
    assert abs(gravity.energy(state) / before - 1.0) < 1e-10


def test_gravity_is_the_gradient_of_the_energy():
    r, h = STATE[:3], 0.01
    for axis in range(3):
        ahead, behind = STATE.copy(), STATE.copy()
        ahead[axis] += h
        behind[axis] -= h
        slope = (gravity.energy(ahead) - gravity.energy(behind)) / (2 * h)
        assert gravity.acceleration(*r)[axis] == pytest.approx(-slope, abs=1e-9)


def test_with_tesseral_terms_a_day_of_free_flight_is_that_of_scipy_to_second_order_in_the_step(calm):
    """They move it by hundreds of metres, and the steps err by three: a kick at a wrong longitude or of half shows."""
    gmst = decay.sky(calm, JD, FR).gmst_rad

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        turned = gmst + earth.GMST82_SPIN_RAD_S * t
        return np.concatenate((y[3:], np.add(gravity.acceleration(*y[:3]), gravity.tesseral(y[0], y[1], y[2], turned))))

    there = solve_ivp(slope, (0.0, 86400.0), STATE, method="DOP853", rtol=1e-12, atol=1e-10).y[:, -1]

    def error_km(**given: Any) -> float:
        flown = fly(calm, np.array([-math.inf]), max_days=1.0, **given)
        return float(np.linalg.norm(flown.states[0, :3] - there[:3]))

    whole, half = (error_km(tesseral_terms=True, step_s=step_s) for step_s in (60.0, 30.0))
    assert whole < 4e-3
    assert half == pytest.approx(whole / 4.0, rel=0.05)
    assert error_km() > 0.1


def test_the_oblateness_turns_the_node_as_theory_says():
    """Secular J2 rate -3/2 J2 (R/p)^2 n cos i of a circular orbit of 7000 km at 50 degrees, over 10 revolutions."""
    a, i = 7000.0, math.radians(50.0)
    v = math.sqrt(earth.WGS84_MU_KM3_S2 / a)
    state = np.array([a, 0.0, 0.0, 0.0, v * math.cos(i), v * math.sin(i)])
    work, n = np.empty(gravity.WORK_SHAPE), v / a
    steps = round(10 * 2 * math.pi / n / 50.0)
    for _ in range(steps):
        gravity.coast(state, 50.0, work)
    normal = np.cross(state[:3], state[3:])
    turned = math.atan2(normal[0], -normal[1])
    expected = -1.5 * earth.EGM96_J2 * (earth.WGS84_RADIUS_KM / a) ** 2 * n * math.cos(i) * steps * 50.0
    assert turned == pytest.approx(expected, rel=0.01)


def test_a_flight_ends_at_the_stop_altitude(calm):
    (height,) = {round(float(point[3]), 6) for point in [_last(fly(calm, spread(1), track_step_s=30.0), 0)]}
    assert height == 80.0


def _last(flights: decay.Flights, sample: int) -> np.ndarray:
    return flights.track[sample, flights.track_counts[sample] - 1]


def test_half_the_step_moves_the_lifetime_by_less_than_a_thousandth(calm):
    """INVARIANT: the step must not decide when an object comes down."""
    whole = fly(calm, spread(5))
    half = fly(calm, spread(5), step_s=30.0)
    assert whole.reached.all()
    np.testing.assert_allclose(half.seconds, whole.seconds, rtol=1e-4)


def test_a_stop_altitude_higher_up_is_passed_earlier(calm):
    high = fly(calm, spread(1), stop_altitude_km=120.0)
    low = fly(calm, spread(1))
    assert 120.0 < low.seconds[0] - high.seconds[0] < 5400.0


def test_results_do_not_depend_on_threads_or_on_the_other_samples(calm):
    """INVARIANT: same inputs give the same bytes, however the samples are spread."""
    one, two, again = (fly(calm, spread(24), threads=n) for n in (1, 2, 2))
    alone = fly(calm, spread(24)[7:8])
    for name in ("reached", "seconds", "lat_deg", "lon_deg", "speed_km_s"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes() == getattr(again, name).tobytes()
        assert getattr(one, name)[7] == getattr(alone, name)[0]


def test_a_heavier_object_stays_up_longer(calm):
    seconds = fly(calm, spread(9)).seconds
    assert (np.diff(seconds) < 0.0).all()


def test_the_later_coefficient_holds_from_its_time_on(calm):
    early, late = np.array([math.log(B)]), np.array([math.log(B / 2)])
    never = fly(calm, early).seconds[0]
    half_way = fly(calm, early, ln_b_late=late, late_after_s=never / 2).seconds[0]
    from_start = fly(calm, late).seconds[0]
    assert never < half_way < from_start
    assert fly(calm, early, ln_b_late=late, late_after_s=never + 1.0).seconds[0] == never


def test_what_does_not_come_down_in_time_is_not_a_re_entry(calm):
    flights = fly(calm, spread(1), max_days=0.1)
    assert not flights.reached[0]
    assert np.isnan([flights.seconds[0], flights.lat_deg[0], flights.lon_deg[0]]).all()


def test_a_flight_ends_with_its_drivers(calm):
    short = Drivers(calm.rows[: (5 + 1) * 8], calm.start_mjd)  # six hours past the start of the flight
    assert not fly(short, spread(1)).reached[0]


def test_drivers_that_start_after_the_flight_are_refused(calm):
    with pytest.raises(ValueError, match="start after"):
        fly(Drivers(calm.rows[80:], calm.start_mjd + 10.0), spread(1))


def test_a_track_has_a_point_at_each_step_and_one_at_the_stop(calm):
    flights = fly(calm, spread(3), track_step_s=60.0)
    untracked = fly(calm, spread(3))
    np.testing.assert_array_equal(flights.seconds, untracked.seconds)
    for sample in range(3):
        points = flights.track[sample, : flights.track_counts[sample]]
        assert np.isfinite(points).all()
        np.testing.assert_array_equal(points[:-1, 0], 60.0 * np.arange(len(points) - 1))
        assert points[-1, 0] == flights.seconds[sample]
        assert (points[-1, 1], points[-1, 2]) == (flights.lat_deg[sample], flights.lon_deg[sample])


def test_a_track_from_later_on_has_the_same_points_there(calm):
    whole = fly(calm, spread(2), track_step_s=20.0)
    late = fly(calm, spread(2), track_step_s=20.0, track_from_s=4000.0)
    for sample in range(2):
        points = late.track[sample, : late.track_counts[sample]]
        known = whole.track[sample, : whole.track_counts[sample]]
        np.testing.assert_array_equal(points[points[:, 0] >= 4000.0], known[known[:, 0] >= 4000.0])
        np.testing.assert_array_equal(points[points[:, 0] < 4000.0, 0], [0.0, 1200.0, 2400.0, 3600.0])


def test_the_point_of_a_track_does_not_depend_on_its_spacing(calm):
    """Cubic between the steps of 60 s, within a metre; the steps themselves differ by some 10 m after 100 minutes."""
    fine = fly(calm, spread(1), track_step_s=20.0).track[0]
    coarse = fly(calm, spread(1), track_step_s=60.0).track[0]
    stepped = fly(calm, spread(1), track_step_s=20.0, step_s=20.0).track[0]
    np.testing.assert_allclose(fine[:600:3], coarse[:200], atol=1e-9)
    np.testing.assert_allclose(fine[:300, 1:3], stepped[:300, 1:3], atol=2e-4)


def test_without_samples_there_are_no_flights(calm):
    assert len(fly(calm, np.empty(0)).seconds) == 0
