import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from libs.astro import (
    arcexp,
    collocation,
    decay,
    decay_arcs,
    decay_tables,
    density_days,
    earth,
    equinoctial,
    gravity,
)
from libs.astro.density_days import OutsideTable
from libs.astro.weather import Drivers

MJD = 58909  # 2020-03-01
DAYS = 3
JD = MJD + 2400000.5
B = math.log(0.01)


def orbit(perigee_km: float, apogee_km: float, inclination_deg: float = 51.6) -> np.ndarray:
    low, high, i = earth.WGS84_RADIUS_KM + perigee_km, earth.WGS84_RADIUS_KM + apogee_km, math.radians(inclination_deg)
    v = math.sqrt(2.0 * earth.WGS84_MU_KM3_S2 * high / (low * (low + high)))
    return np.array([low, 0.0, 0.0, 0.0, v * math.cos(i), v * math.sin(i)])


CIRCULAR, LAST_DAY, ELLIPTICAL, RETROGRADE = orbit(185, 185), orbit(150, 150), orbit(140, 380), orbit(170, 175, 98.0)
ALL = np.array([CIRCULAR, LAST_DAY, ELLIPTICAL, RETROGRADE])


@pytest.fixture(scope="module")
def drivers() -> Drivers:
    return Drivers(np.tile([150.0, 150.0, *[15.0] * 7], (8 * (DAYS + 1), 1)), float(MJD))


@pytest.fixture(scope="module")
def air(drivers) -> decay_tables.Air:
    return decay_tables.air(density_days.span(MJD, DAYS, 150.0, threads=2), drivers, JD, 0.1)


def fly(air: decay_tables.Air, states: np.ndarray, **given: Any) -> decay_tables.Lifetimes:
    return decay_tables.lifetimes(states, np.full(len(states), B), air, **given)


def many(count: int) -> np.ndarray:
    return np.tile(LAST_DAY, (count, 1)) * (1.0 + 1e-4 * np.linspace(0.0, 1.0, count))[:, None]


def test_tolerances_halved_and_far_tighter_move_no_lifetime_by_a_thousandth(air):
    """INVARIANT: the step must not decide when an object comes down."""
    usual = fly(air, ALL)
    assert usual.reached.all()
    for part in (0.5, 1e-4):
        finer = fly(air, ALL, rtol=decay_tables.RTOL * part, share=decay_tables.SHARE * part)
        np.testing.assert_allclose(finer.seconds, usual.seconds, rtol=1e-3)


def coasted(air: decay_tables.Air, state: np.ndarray, end_s: float) -> np.ndarray:
    """Without drag, at the usual tolerances: a row of ends."""
    goals = decay_arcs.Goals(80.0, math.inf, end_s, decay_tables.RTOL, decay_tables.SHARE)
    none, ends = np.zeros(1), np.zeros((1, decay_arcs.FIELDS))
    decay_arcs.fly(state[None], none, none, np.empty((1, 0, 16), np.float32), goals, air.world, ends)
    assert ends[0, decay_arcs.STATUS] == decay_arcs.ENDED
    assert ends[0, decay_arcs.SECONDS] == pytest.approx(end_s, abs=2.0 * decay_arcs.MET)
    return ends[0]


@pytest.mark.parametrize("state", [CIRCULAR, ELLIPTICAL, RETROGRADE, orbit(200, 390, 63.4)])
def test_without_drag_energy_stands_still(air, state):
    """INVARIANT: 1e-10 of it in a revolution, or the integrator itself would make orbits decay."""
    revolutions = 15
    end = coasted(air, state, revolutions * 5400.0)[decay_arcs.END :].copy()
    assert gravity.energy(end) == pytest.approx(gravity.energy(state), rel=revolutions * 1e-10)


@pytest.mark.parametrize("state", [ELLIPTICAL, RETROGRADE])
def test_free_flight_is_that_of_the_other_integrator(air, state):
    """Two formulas, one over longitude and one over time: within a centimetre after a day."""
    other, work = state.copy(), np.empty(gravity.WORK_SHAPE)
    for _ in range(2880):
        gravity.coast(other, 30.0, work)
    np.testing.assert_allclose(coasted(air, state, 86400.0)[decay_arcs.END :][:3], other[:3], atol=1e-5)


def test_the_lifetime_is_that_of_the_model_read_directly(air, drivers):
    """Two integrators, and the table beside its model: 1 % is the table's own bound when driven."""
    direct = decay.fly(
        ALL, JD, 0.1, np.full(4, B), drivers, ln_b_late=np.full(4, B), late_after_s=1e9, max_days=2.9, step_s=30.0
    )
    np.testing.assert_allclose(fly(air, ALL).seconds, direct.seconds, rtol=1e-2)


def test_a_flight_ends_at_the_stop_altitude(air):
    """1e-6 km at 0.1 km/s or more of descent is 0.01 ms."""
    for stop in (80.0, 110.0):
        flown = fly(air, ALL, stop_altitude_km=stop)
        for state, seconds in zip(flown.states, flown.seconds, strict=True):
            at = decay.place(*state[:3], air.world.gmst_rad + earth.GMST82_SPIN_RAD_S * seconds)
            assert at[2] == pytest.approx(stop, abs=2e-6)


@pytest.mark.parametrize("b", [1e-3, 0.2, 1.0, 5.0, 50.0])
def test_from_the_heaviest_to_foil_all_come_down(air, b):
    """INVARIANT: light objects nearly fall, and the air that turns with the Earth turns their plane; no arc fails."""
    flown = decay_tables.lifetimes(LAST_DAY[None], np.array([math.log(b)]), air)
    tight = decay_tables.lifetimes(LAST_DAY[None], np.array([math.log(b)]), air, rtol=1e-11, share=1e-4)
    assert flown.reached.all()
    np.testing.assert_allclose(flown.seconds, tight.seconds, rtol=1e-4)


def test_the_crossing_does_not_hang_on_where_the_search_began(air):
    """A stop met by steps of other lengths: within a millisecond, at tolerances that leave the path itself no say."""
    tight = {"rtol": 1e-13, "share": 1e-8}
    high, low = fly(air, LAST_DAY[None], **tight), fly(air, LAST_DAY[None], rtol=3e-14, share=1e-9)
    assert high.seconds[0] == pytest.approx(low.seconds[0], abs=1e-3)


def test_results_depend_neither_on_threads_nor_on_the_other_samples(air):
    """INVARIANT: same inputs give the same bytes, however the samples are spread."""
    states = many(70)
    one, two, three = (fly(air, states, threads=n) for n in (1, 2, 3))
    assert one.states.tobytes() == two.states.tobytes() == three.states.tobytes()
    assert one.seconds.tobytes() == two.seconds.tobytes() == three.seconds.tobytes()
    for rows in (slice(7, 8), slice(30, 50)):
        assert fly(air, states[rows]).states.tobytes() == one.states[rows].tobytes()


def test_the_later_coefficient_holds_from_its_time_on(air):
    usual = fly(air, LAST_DAY[None]).seconds[0]
    half = {"ln_b_late": np.array([B - 0.7])}
    late = fly(air, LAST_DAY[None], late_after_s=usual / 2, **half).seconds[0]
    assert usual < late < fly(air, LAST_DAY[None], late_after_s=0.0, **half).seconds[0]
    assert fly(air, LAST_DAY[None], late_after_s=usual + 1.0, **half).seconds[0] == pytest.approx(usual, rel=1e-4)


def test_other_drivers_of_a_sample_do_what_driving_the_whole_by_them_does(air, drivers):
    """The sensitivities are added on the way or before: 0.3 % for their coarser grid."""
    rows = drivers.rows.copy()
    rows[:, :2] += 20.0
    other = replace(drivers, rows=rows)
    own = decay_tables.departures(air.table, drivers, [drivers, other])
    usual, departed = fly(air, np.array([CIRCULAR, CIRCULAR]), departures=own).seconds
    driven = fly(decay_tables.air(air.table, other, JD, 0.1), CIRCULAR[None]).seconds[0]
    assert usual == pytest.approx(fly(air, CIRCULAR[None]).seconds[0], rel=1e-6)
    assert departed < usual * 0.97
    assert departed == pytest.approx(driven, rel=3e-3)


def test_what_does_not_come_down_in_time_is_not_a_re_entry(air):
    flown = fly(air, CIRCULAR[None], max_days=0.1)
    assert not flown.reached[0]
    assert not flown.broken[0]
    assert np.isnan([flown.seconds[0], flown.lat_deg[0], flown.lon_deg[0], flown.speed_km_s[0]]).all()
    assert not fly(air, orbit(300, 300)[None]).reached[0]  # the table ends before


def test_after_warming_no_kernel_of_a_flight_is_compiled_anew(air):
    """INVARIANT: warm() takes the signatures a flight takes, or a first flight waits for the compiler."""
    decay_tables.warm()
    known = len(decay_arcs.fly.signatures)
    own = np.zeros((2, len(air.table.base), 16), np.float32)
    fly(air, many(2))
    fly(air, many(2), threads=2, departures=own)
    assert len(decay_arcs.fly.signatures) == known


def test_without_samples_there_are_no_lifetimes(air):
    assert len(fly(air, np.empty((0, 6))).seconds) == 0


@pytest.mark.parametrize(
    ("state", "given", "error", "text"),
    [
        (orbit(200, 900), {}, OutsideTable, "60 to 400 km"),
        (orbit(60, 200), {}, ValueError, "below the stop"),
        (orbit(200, 200, 180.0), {}, ValueError, "inclination"),
        (np.array([7000.0, 0.0, 0.0, 0.0, 12.0, 0.0]), {}, ValueError, "no orbit"),
        (CIRCULAR * np.nan, {}, ValueError, "no number"),
        (CIRCULAR, {"stop_altitude_km": 60.0}, ValueError, "stop altitude"),
        (CIRCULAR, {"max_days": 0.0}, ValueError, "above 0"),
        (CIRCULAR, {"ln_b_late": np.array([np.nan])}, ValueError, "ballistic"),
        (CIRCULAR, {"ln_b_late": np.zeros(2)}, ValueError, r"\(N,\)"),
        (CIRCULAR, {"departures": np.zeros((1, 3, 16), np.float32)}, ValueError, "departures"),
    ],
)
def test_bad_input_is_refused_at_the_door(air, state, given, error, text):
    with pytest.raises(error, match=text):
        fly(air, state[None], **given)


def test_a_start_outside_the_table_is_refused(air, drivers):
    with pytest.raises(OutsideTable, match="spans MJD"):
        decay_tables.air(air.table, drivers, JD + 30.0, 0.0)


@pytest.mark.parametrize("state", ALL)
def test_elements_give_back_their_state(state):
    found, turned = np.empty(6), state + np.array([10.0, 900.0, -300.0, 0.1, 0.2, -0.3])
    equinoctial.to_state(np.array(equinoctial.from_state(*turned)), found)
    np.testing.assert_allclose(found, turned, rtol=1e-13, atol=1e-11)


def test_collocation_integrates_polynomials_to_its_degree_exactly():
    """Radau's points: to every point up to degree NODES - 1, to the end up to 2 NODES - 2."""
    n, x = collocation.NODES, collocation.PLACES
    weights = collocation.INTEGRALS.reshape(n, n)
    for degree in range(2 * n - 1):
        found = x**degree @ weights
        assert found[-1] == pytest.approx(1.0 / (degree + 1), abs=1e-14)
        if degree < n:
            np.testing.assert_allclose(found, x ** (degree + 1) / (degree + 1), atol=1e-14)


def test_between_the_points_an_arc_is_the_same_polynomial():
    series, rates = np.empty(collocation.NODES), np.cos(3.0 * collocation.PLACES)
    collocation.spectrum(rates, 0, series)
    for place in np.linspace(0.0, 1.0, 33):
        assert collocation.between(series, place) == pytest.approx(math.sin(3.0 * place) / 3.0, abs=1e-14)


def test_arc_tangent_and_exponential_are_those_of_the_library():
    angles = np.linspace(-3.14159, 3.14159, 999)
    for angle in angles:
        assert arcexp.atan2(math.sin(angle), math.cos(angle)) == pytest.approx(angle, abs=1e-9)
    for x in np.linspace(-40.0, 0.0, 999):
        assert arcexp.exp(x) == pytest.approx(math.exp(x), rel=1e-10)
