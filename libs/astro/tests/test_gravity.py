import math

import numpy as np
import pytest
from scipy.special import lpmv

from libs.astro import earth, gravity

POINTS = np.array([[6600.0, 100.0, 50.0], [-3000.0, 4000.0, 4300.0], [2000.0, -6000.0, -2500.0], [10.0, 5.0, 6500.0]])
TURNED_RAD = 1.234


def tesseral_potential(place: np.ndarray) -> float:
    """In spherical coordinates, by scipy's associated Legendre functions, which carry (-1)^m."""
    x, y, z = place
    r = math.sqrt(x * x + y * y + z * z)
    lon = math.atan2(y, x) - TURNED_RAD
    total = 0.0
    for n in range(2, 5):
        for m in range(1, n + 1):
            legendre = (-1.0) ** m * lpmv(m, n, z / r)
            wave = gravity.C[n, m] * math.cos(m * lon) + gravity.S[n, m] * math.sin(m * lon)
            total += (earth.WGS84_RADIUS_KM / r) ** n * legendre * wave
    return float(earth.WGS84_MU_KM3_S2 / r * total)


@pytest.mark.parametrize("place", POINTS)
def test_the_tesseral_pull_is_the_gradient_of_its_potential(place):
    """Central differences of 1 km: 1e-12 km/s2 of their own, where the pull is 1e-8 to 1e-7."""
    found = gravity.tesseral(*place, TURNED_RAD)
    for axis in range(3):
        h = np.zeros(3)
        h[axis] = 1.0
        slope = (tesseral_potential(place + h) - tesseral_potential(place - h)) / 2.0
        assert found[axis] == pytest.approx(slope, abs=1e-12)


@pytest.mark.parametrize("place", POINTS)
def test_the_zonal_pull_in_closed_form_is_that_of_the_recurrence(place):
    r = float(np.linalg.norm(place))
    radial, polar = gravity.zonal(place[2] / r, earth.WGS84_RADIUS_KM / r)
    pull = earth.WGS84_MU_KM3_S2 / r**2
    expected = pull * ((radial - 1.0) * place / r + np.array([0.0, 0.0, polar]))
    np.testing.assert_allclose(gravity.acceleration(*place), expected, rtol=1e-13, atol=1e-17)


def test_unnormalised_coefficients_are_those_of_the_plain_convention():
    """C22 and S22 of EGM96 unnormalised: 1.5745e-6 and -0.9039e-6 (Vallado, 4th ed., table D-1)."""
    assert gravity.C[2, 2] == pytest.approx(1.5745e-6, rel=1e-3)
    assert gravity.S[2, 2] == pytest.approx(-0.9039e-6, rel=1e-3)


def test_the_tesseral_pull_turns_with_the_earth():
    place = POINTS[1]
    c, s = math.cos(0.5), math.sin(0.5)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(
        gravity.tesseral(*(turn @ place), 0.5), turn @ np.array(gravity.tesseral(*place, 0.0)), atol=1e-18
    )
