import dataclasses
import math

import numpy as np
import pytest

from libs.astro import decay_tables, frames, prediction, tle, track, window
from libs.astro.decay import place
from libs.astro.density_kept import beside_kernels
from libs.astro.earth import GMST82_SPIN_RAD_S
from libs.astro.elements import ElementSet
from libs.astro.prediction import REENTRY_ALTITUDE_KM, Prediction
from libs.astro.tests.test_fit import CZ_5B, KNOWN_MJD
from libs.astro.time import gmst82_rad
from libs.astro.weather import Day, drivers

KEPT = beside_kernels()


@pytest.fixture(scope="module")
def found() -> Prediction:
    days = [Day(mjd, (7.0,) * 8, 7.0, 130.0) for mjd in range(59780, 59887)]
    calm = drivers(days, KNOWN_MJD - 30.0, KNOWN_MJD + 40.0, KNOWN_MJD)
    sets = [one for one in tle.read(CZ_5B) if isinstance(one, ElementSet)]
    known_jd = max(one.epoch_jd + one.epoch_jd_fraction for one in sets)
    return prediction.predict(sets, calm, known_jd, KEPT, samples=400, seed=1, horizon_days=20.0)


def where(found: Prediction, seconds: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Latitude, longitude, degrees, and altitude, km."""
    start = gmst82_rad(found.fit.jd, found.fit.fr)
    rows = [
        place(x, y, z, start + GMST82_SPIN_RAD_S * t)
        for t, (x, y, z) in zip(seconds, states[:, :3].tolist(), strict=True)
    ]
    return np.array([[math.degrees(lat), math.degrees(lon), alt] for lat, lon, alt in rows])


def apart_km(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.linalg.norm(at_80_km(one) - at_80_km(other), axis=1)


def at_80_km(points_deg: np.ndarray) -> np.ndarray:
    return np.array([frames.geodetic_to_itrf(lat, lon, 80.0) for lat, lon in np.radians(points_deg)])


def test_the_nominal_path_ends_where_the_prediction_says(found):
    """Two integrators, steps against arcs; a second of the last fall is 8 km along and 0.1 km down."""
    seconds = np.array([0.0, 3600.0, found.nominal_s])
    states = track.path(found, seconds)
    assert np.abs(states[0] - found.fit.state).max() < 1e-6  # by way of equinoctial elements
    lat, lon, altitude_km = where(found, seconds, states)[-1]
    assert altitude_km == pytest.approx(REENTRY_ALTITUDE_KM, abs=0.5)
    assert apart_km(np.array([[lat, lon]]), np.array([[found.lat_deg, found.lon_deg]]))[0] < 10.0


def test_the_path_does_not_hang_on_which_instants_are_asked_for(found):
    """Other instants are other steps, which cross the table's cells elsewhere: 0.1 km along the track in six hours."""
    many = track.path(found, np.linspace(0.0, found.nominal_s, 200))
    one = track.path(found, np.array([found.nominal_s / 199 * 100]))
    assert np.linalg.norm(many[100, :3] - one[0, :3]) < 0.2


def test_a_path_is_flown_on_with_the_late_ballistic_coefficient(found):
    late = dataclasses.replace(found.fit, late_after_s=3600.0, ln_b_late=found.fit.ln_b)
    same = dataclasses.replace(found, fit=late)
    at = np.array([1800.0, 3600.0, 7200.0, 20000.0])
    assert np.abs(track.path(same, at) - track.path(found, at)).max() < 0.2
    heavier = dataclasses.replace(found, fit=dataclasses.replace(late, ln_b_late=found.fit.ln_b - 1.0))
    assert np.abs(track.path(heavier, at) - track.path(found, at))[:2].max() < 0.2
    assert np.abs(track.path(heavier, at) - track.path(found, at))[2:].max() > 0.1


def test_the_track_of_the_window_goes_through_the_nominal_re_entry(found):
    line = track.window_track(found, (0.05, 0.95), 60.0)
    low, high = found.quantiles((0.05, 0.95))
    assert line.seconds[0] == pytest.approx(low, abs=60.0)
    assert line.seconds[-1] == pytest.approx(high, abs=120.0)
    assert np.diff(line.seconds).max() < 90.0
    nearest = int(np.abs(line.seconds - found.nominal_s).argmin())
    place_there = np.array([[line.lat_deg[nearest], line.lon_deg[nearest]]])
    away_s = abs(line.seconds[nearest] - found.nominal_s)
    assert apart_km(place_there, np.array([[found.lat_deg, found.lon_deg]]))[0] < 8.0 * away_s + 5.0
    assert (np.diff(line.share_down) >= 0.0).all()
    assert line.share_down[0] == pytest.approx(0.05, abs=0.02)


def test_the_scatter_is_that_of_the_samples_about_the_track(found):
    """The state's spread of 1 km in the semi-major axis moves an object along its track; none leaves none."""
    line = track.window_track(found, (0.05, 0.95), 60.0)
    assert (line.scatter_km > 0.0).all()
    coarse = track.window_track(found, (0.05, 0.95), 1800.0)
    same = np.abs(line.seconds[:, None] - coarse.seconds).argmin(axis=0)
    assert coarse.scatter_km == pytest.approx(line.scatter_km[same], rel=0.3)  # of the same samples, whatever the step
    still = dataclasses.replace(found.spread, sigma_a_km=0.0)
    draws = window.draws(found.fit, still, 400, 1)
    flown = decay_tables.lifetimes(
        draws.states, draws.ln_b, found.fit.air, ln_b_late=draws.ln_b_late, late_after_s=found.fit.late_after_s
    )
    still_drawn = dataclasses.replace(found, draws=draws, flown=flown, seconds=flown.seconds)
    assert track.window_track(still_drawn, (0.05, 0.95), 600.0).scatter_km.max() < 10.0


@pytest.mark.parametrize("seconds", [[-1.0], [2.0, 1.0], [math.nan], [1e9]])
def test_instants_that_are_none_of_the_path_are_refused(found, seconds):
    with pytest.raises(ValueError, match=r"seconds must|ends after"):
        track.path(found, np.array(seconds))


@pytest.mark.parametrize(("probabilities", "step_s"), [((0.0, 0.9), 60.0), ((0.9, 0.1), 60.0), ((0.1, 0.9), 1e-3)])
def test_a_track_that_cannot_be_drawn_is_refused(found, probabilities, step_s):
    with pytest.raises(ValueError, match=r"probabilities must|longer steps"):
        track.window_track(found, probabilities, step_s)
