"""Against erfa, and Vallado's worked example (AIAA 2006-6753, appendix C; 2004-04-06 07:51:28.386009 UTC)."""

import math
import os
from pathlib import Path

import astropy_iers_data
import erfa
import numpy as np
import pytest

from libs.astro import eop, frames, iau2006
from libs.astro.sincos import nudged, sincos, sincos_of_half
from libs.astro.time import DAY_S, calendar_to_jd, gmst82_rad, utc_to_tt

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
EOP_ALL = DATA / "eop/celestrak_foa/EOP-All-v1.1_2025-01-10.txt"
SAME_KM = 1e-6

TEME_R, TEME_V = (5094.18016210, 6127.64465950, 6380.34453270), (-4.7461314870, 0.7858180410, 5.5319312880)
PEF_R, PEF_V = (-1033.47503120, 7901.30558560, 6380.34453270), (-3.2256327470, -2.8724425110, 5.5319312880)
ITRF_R, ITRF_V = (-1033.4793830, 7901.2952754, 6380.3565958), (-3.225636520, -2.872451450, 5.531924446)
GCRF_R = (5102.50895790, 6123.01140070, 6378.13692820)
EPOCH = calendar_to_jd(2004, 4, 6, 7, 51, 28.386009)
UT1_UTC_S, XP, YP = -0.4399619, -0.140682 * eop.ARCSECOND, 0.333309 * eop.ARCSECOND


@pytest.fixture(scope="module", params=["wheel", "celestrak"])
def earth(request) -> eop.EarthOrientation:
    if request.param == "wheel":
        return eop.read(Path(astropy_iers_data.IERS_A_FILE).read_bytes())
    if not EOP_ALL.exists():
        pytest.skip(f"no {EOP_ALL}; set SPACECOM_VALIDATION_DATA")
    return eop.read(EOP_ALL.read_bytes())


def problem(earth: eop.EarthOrientation, count: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low orbits at times all over the file: 1962 to 2027, predictions included."""
    rng = np.random.default_rng(0)
    mjd = rng.uniform(earth.first_mjd, earth.last_mjd, count)
    states = rng.normal(size=(6, count))
    states[:3] *= 7000.0 / np.linalg.norm(states[:3], axis=0)
    return np.floor(mjd) + 2400000.5, mjd % 1.0, states


def test_the_worked_example_gives_the_printed_pseudo_earth_fixed_and_earth_fixed_states():
    gmst = gmst82_rad(EPOCH[0], EPOCH[1] + UT1_UTC_S / DAY_S)
    r, v = frames.teme_to_pef(np.array(TEME_R), np.array(TEME_V), gmst)
    np.testing.assert_allclose(r, PEF_R, rtol=0, atol=3e-4)
    np.testing.assert_allclose(v, PEF_V, rtol=0, atol=3e-7)
    r, v = frames.teme_to_itrf(np.array(TEME_R), np.array(TEME_V), *EPOCH, UT1_UTC_S, XP, YP)
    np.testing.assert_allclose(r, ITRF_R, rtol=0, atol=3e-4)
    np.testing.assert_allclose(v, ITRF_V, rtol=0, atol=3e-7)


def test_the_worked_example_reaches_the_printed_celestial_position_to_the_books_accuracy(earth):
    """0.3 m: the book goes by the older IAU 1976/1980 theory with corrections, and its own Earth orientation."""
    jd, fraction = np.array([EPOCH[0]]), np.array([EPOCH[1]])
    itrf = np.array([*ITRF_R, *ITRF_V]).reshape(6, 1)
    np.testing.assert_allclose(frames.itrf_to_gcrf(itrf, jd, fraction, earth)[:3, 0], GCRF_R, rtol=0, atol=3e-4)


def test_teme_to_itrf_agrees_with_erfa_to_a_millimetre(earth):
    jd, fraction, states = problem(earth)
    ut1, xp, yp = earth.at_many(jd, fraction)
    turn = erfa.c2tcio(np.eye(3), erfa.gmst82(jd, fraction + ut1 / 86400.0), erfa.pom00(xp, yp, 0.0))
    ours = frames.teme_to_itrf_each(states, jd, fraction, earth, threads=3)
    np.testing.assert_allclose(ours[:3], np.einsum("nij,jn->in", turn, states[:3]), rtol=0, atol=SAME_KM)


def test_gcrf_to_itrf_agrees_with_erfa_to_a_millimetre_and_comes_back(earth):
    jd, fraction, states = problem(earth)
    ut1, xp, yp = earth.at_many(jd, fraction)
    _, tt = utc_to_tt(jd, fraction)
    x, y, s = erfa.xys06a(jd, tt)
    dx, dy = earth.offsets_at(jd, fraction)
    era, pole = erfa.era00(jd, fraction + ut1 / 86400.0), erfa.pom00(xp, yp, erfa.sp00(jd, tt))
    turn = erfa.c2tcio(erfa.c2ixys(x + dx, y + dy, s), era, pole)
    ours = frames.gcrf_to_itrf(states, jd, fraction, earth)
    np.testing.assert_allclose(ours[:3], np.einsum("nij,jn->in", turn, states[:3]), rtol=0, atol=SAME_KM)
    np.testing.assert_allclose(frames.itrf_to_gcrf(ours, jd, fraction, earth), states, rtol=0, atol=1e-10)


def test_teme_to_gcrf_agrees_with_erfa_to_a_millimetre(earth):
    jd, fraction, states = problem(earth)
    ut1, xp, yp = earth.at_many(jd, fraction)
    _, tt = utc_to_tt(jd, fraction)
    x, y, s = erfa.xys06a(jd, tt)
    dx, dy = earth.offsets_at(jd, fraction)
    to_itrf = erfa.c2tcio(np.eye(3), erfa.gmst82(jd, fraction + ut1 / 86400.0), erfa.pom00(xp, yp, 0.0))
    era, pole = erfa.era00(jd, fraction + ut1 / 86400.0), erfa.pom00(xp, yp, erfa.sp00(jd, tt))
    from_gcrf = erfa.c2tcio(erfa.c2ixys(x + dx, y + dy, s), era, pole)
    ours = frames.teme_to_gcrf_each(states, jd, fraction, earth)
    turned = np.einsum("nji,njk,kn->in", from_gcrf, to_itrf, states[:3])
    np.testing.assert_allclose(ours[:3], turned, rtol=0, atol=SAME_KM)
    still = 2.0 * 7.3e-5 * np.linalg.norm(states[:3], axis=0)  # of the turning: what the frames do not share
    assert (np.abs(np.linalg.norm(ours[3:], axis=0) - np.linalg.norm(states[3:], axis=0)) < 1e-8 * still).all()


def test_velocities_are_the_rates_of_the_positions(earth):
    """A point that moves straight in GCRF, seen one second apart from the Earth."""
    jd, fraction, states = problem(earth, 50)
    step = 0.5 / 86400.0
    later, sooner = states.copy(), states.copy()
    later[:3] += 0.5 * states[3:]
    sooner[:3] -= 0.5 * states[3:]
    inside = (jd - 2400000.5 > earth.first_mjd + 1) & (jd - 2400000.5 < earth.last_mjd - 2)
    jd, fraction, states, later, sooner = (
        jd[inside],
        fraction[inside],
        states[:, inside],
        later[:, inside],
        sooner[:, inside],
    )
    ours = frames.gcrf_to_itrf(states, jd, fraction, earth)[3:]
    seen = frames.gcrf_to_itrf(later, jd, fraction + step, earth) - frames.gcrf_to_itrf(
        sooner, jd, fraction - step, earth
    )
    np.testing.assert_allclose(
        ours, seen[:3], rtol=0, atol=2e-6
    )  # curvature: (w dt)^2 / 24 of 0.5 km/s, and UT1's rate


def test_one_state_alone_is_turned_as_among_many(earth):
    jd, fraction, states = problem(earth, 5)
    each = frames.teme_to_itrf_each(states, jd, fraction, earth)
    turn = frames.earth_turn(jd, fraction, earth)
    for j in range(5):
        now = earth.at(jd[j], fraction[j])
        one = frames.teme_to_itrf(
            states[:3, j].copy(), states[3:, j].copy(), jd[j], fraction[j], now.ut1_utc_s, now.xp_rad, now.yp_rad
        )
        np.testing.assert_allclose(np.hstack(one), each[:, j], rtol=0, atol=1e-7)
        r, _ = frames.teme_to_pef(states[:3, j].copy(), states[3:, j].copy(), turn.gmst_rad[j])
        assert r[2] == states[2, j]


def test_the_pole_of_iau_2006_agrees_with_erfa_to_three_microarcseconds():
    """xys06a goes by matrices, the series by the published developments: they differ by 2 microarcseconds."""
    days = np.linspace(-14_000.0, 14_800.0, 200)
    ours = iau2006.pole(np.full(200, 2451545.0), days)
    theirs = np.array(erfa.xys06a(2451545.0, days))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=3e-6 * eop.ARCSECOND)
    near = np.random.default_rng(2).uniform(9_000.0, 9_040.0, 500)
    jd = np.full(500, 2451545.0)
    np.testing.assert_allclose(
        iau2006.pole_between(jd, near), iau2006.pole(jd, near), rtol=0, atol=2e-6 * eop.ARCSECOND
    )


def test_geodetic_coordinates_agree_with_erfa():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(3, 2000))
    points *= rng.uniform(6400.0, 50_000.0, 2000) / np.linalg.norm(points, axis=0)
    ours = frames.itrf_to_geodetic_each(points, threads=2)
    lon, lat, height = erfa.gc2gd(1, points.T * 1e3)
    np.testing.assert_allclose(ours[0], lat, rtol=0, atol=1e-10)  # 0.6 mm on the ground
    np.testing.assert_allclose(ours[1], lon, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours[2], height * 1e-3, rtol=0, atol=1e-8)


def test_sine_and_cosine_are_those_of_the_c_library():
    for x in np.random.default_rng(5).uniform(-1e5, 1e5, 20_000):
        s, c = sincos(x)
        assert abs(s - math.sin(x)) < 4e-16
        assert abs(c - math.cos(x)) < 4e-16


def test_the_cheaper_sine_and_cosine_keep_the_bounds_they_state():
    for x in np.random.default_rng(6).uniform(-1e4, 1e4, 5000):
        s, c = sincos_of_half(0.5 * x)
        assert max(abs(s - math.sin(x)), abs(c - math.cos(x))) < 1e-13
        s, c = nudged(math.sin(x), math.cos(x), 1e-3)
        assert max(abs(s - math.sin(x + 1e-3)), abs(c - math.cos(x + 1e-3))) < 1e-13 + math.ulp(x)
