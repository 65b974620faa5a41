import math

import numpy as np
import pytest

from libs.astro import density, profile, us76
from libs.astro.atmosphere import MODELS, TOP_KM, AbsurdAir, air, air_over, departure, refuse_absurd
from libs.astro.density import drag_density
from libs.astro.weather import Drivers

START = 59884.0  # 2022-11-01


def weather(f107: float = 130.0, f107a: float = 130.0, ap: float = 7.0) -> Drivers:
    return Drivers(np.tile([f107, f107a, *[ap] * 7], (16, 1)), START)


def test_the_air_over_a_place_is_the_density_that_drag_feels():
    known = weather()
    made = air_over(known, START + 0.4, 41.0, 2.0)
    for alt_km in (0.0, 30.0, 79.0, 90.0, 120.0, 149.0):
        rho = drag_density(
            known.rows, known.days_of_year(), 0.4 * 86400.0, math.radians(41.0), math.radians(2.0), alt_km,
            np.empty(density.WORK_SIZE),
        )  # fmt: skip
        assert profile.air(alt_km, made.bottom_km, made.step_km, made.rows)[0] == pytest.approx(rho, rel=1e-9)


def test_temperature_sound_and_viscosity_are_those_of_air():
    """A November day at 41 N: the ground near 16 C, the tropopause near -55 C; hydrostatic to 1 % but at its joints.

    The model joins two fits at 72.5 km, and its drivers step at 80 km.
    """
    made = air_over(weather(), START + 0.5, 41.0, 2.0)
    ground = profile.air(0.0, 0.0, made.step_km, made.rows)
    assert ground == pytest.approx((1.23, 289.0, 341.0, 1.79e-5), rel=0.01)
    assert profile.air(12.0, 0.0, made.step_km, made.rows)[1] == pytest.approx(218.0, abs=3.0)
    rho, t = np.exp(made.rows[:, profile.LN_RHO]), made.rows[:, profile.TEMPERATURE]
    pressure = rho * us76.GAS / made.rows[:, profile.MOLAR] * t
    fall = -np.diff(np.log(pressure[:321])) / (1000.0 * made.step_km)
    weight = (
        (rho / pressure)[:320] * us76.GRAVITY_M_S2 * (us76.RADIUS_KM / (us76.RADIUS_KM + np.arange(320) / 4.0)) ** 2
    )
    joints = [290, 319]
    np.testing.assert_allclose(np.delete(fall, joints), np.delete(weight, joints), rtol=0.01)


def test_molar_mass_is_that_of_mixed_air_below_the_turbopause_and_falls_above():
    molar = air_over(weather(), START + 0.5, 41.0, 2.0).rows[:, profile.MOLAR]
    assert molar[: 4 * 80] == pytest.approx(us76.MOLAR_MASS, rel=2e-3)
    assert molar[-1] < 25.0


@pytest.mark.parametrize("driven", [weather(70.0, 68.0, 0.0), weather(), weather(250.0, 230.0, 150.0)])
@pytest.mark.parametrize("lat_deg", [-90.0, -60.0, 0.0, 60.0, 90.0])
def test_no_weather_or_place_is_taken_for_absurd(driven, lat_deg):
    for part in (0.1, 0.5, 0.9):
        apart = departure(air_over(driven, START + part, lat_deg, 120.0))
        assert np.abs(apart[:320]).max() < 0.9


def test_density_in_the_wrong_unit_is_taken_for_absurd():
    rows = profile.standard().rows.copy()
    refuse_absurd(profile.Profile(rows, 0.0, profile.STEP_KM, "mine"))
    rows[:, profile.LN_RHO] -= math.log(1000.0)
    with pytest.raises(AbsurdAir, match="check units"):
        refuse_absurd(profile.Profile(rows, 0.0, profile.STEP_KM, "mine"))


def test_a_storm_that_the_model_was_not_made_for_is_taken_for_absurd():
    """57 hours of ap 400 break the model's spline at the poles: a factor of a thousand at 108 km."""
    with pytest.raises(AbsurdAir, match="at 107"):
        air_over(weather(300.0, 300.0, 400.0), START + 0.5, 90.0, 0.0)


def test_the_standard_stands_in_where_no_weather_is_known_and_says_so():
    assert air(None, START, 41.0, 2.0).model == "US76"
    assert air(weather(), START, 41.0, 2.0).model == density.MODEL
    assert air(None, START, 41.0, 2.0).top_km == air(weather(), START, 41.0, 2.0).top_km == TOP_KM


@pytest.mark.parametrize(
    ("mjd", "lat_deg", "lon_deg", "text"),
    [
        (START + 2.1, 41.0, 2.0, "drivers span"),
        (START, 91.0, 2.0, "no place"),
        (START, 41.0, math.nan, "no place"),
        (math.nan, 41.0, 2.0, "drivers span"),
    ],
)
def test_a_place_or_time_that_is_none_is_refused(mjd, lat_deg, lon_deg, text):
    with pytest.raises(ValueError, match=text):
        air_over(weather(), mjd, lat_deg, lon_deg)


def test_each_model_says_what_it_is_and_how_good():
    assert len({(model.id, model.version) for model in MODELS}) == len(MODELS) == 4
    assert all(model.error and model.source and model.valid_km[0] < model.valid_km[1] for model in MODELS)
