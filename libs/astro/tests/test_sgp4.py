"""The verification cases of AIAA 2006-6753 as shipped with the sgp4 wheel, and that wheel itself over a catalogue."""

import dataclasses
import math
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgp4 import model
from sgp4.api import WGS72, Satrec

from libs.astro import frames, sgp4, sgp4_general, sgp4_near
from libs.astro.elements import ElementSet

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
CATALOGUE = DATA / "catalogue/spaceTrackTLEs_23_10_2013.txt"
needs_data = pytest.mark.skipif(not CATALOGUE.exists(), reason=f"no {CATALOGUE}; set SPACECOM_VALIDATION_DATA")

VERIFICATION = files("sgp4").joinpath("SGP4-VER.TLE").read_text()
SAME_KM = 1e-6  # a millimetre; the reference's own platforms differ by 1e-7 km


def elements(satellite: Satrec) -> ElementSet:
    """As the reference reads them; its own checks of these old sets are looser than ours."""
    return ElementSet(
        satellite.satnum, b"", b"", satellite.jdsatepoch, satellite.jdsatepochF,
        satellite.no_kozai * (1440.0 / (2.0 * math.pi)), satellite.ecco, math.degrees(satellite.inclo),
        math.degrees(satellite.nodeo), math.degrees(satellite.argpo), math.degrees(satellite.mo), satellite.bstar,
        0.0, 0.0, "U", 0, 0,
    )  # fmt: skip


def satellites(text: str, kind: Any = Satrec) -> list[Satrec]:
    lines = [line for line in text.splitlines() if line[:2] in ("1 ", "2 ")]
    return [kind.twoline2rv(a, b, WGS72) for a, b in zip(lines[::2], lines[1::2], strict=True)]


def published() -> list[tuple[Satrec, np.ndarray]]:
    """Each satellite with its rows: minutes, position, velocity."""
    rows: list[list[list[float]]] = []
    for line in files("sgp4").joinpath("tcppver.out").read_text().splitlines():
        words = line.split()
        if words[1:] == ["xx"]:
            rows.append([])
        elif words:
            rows[-1].append([float(word) for word in words[:7]])
    found = satellites(VERIFICATION)
    return [(one, np.array(table)) for one, table in zip(found, rows, strict=True)]


def test_all_666_published_states_are_reproduced_to_a_millimetre():
    cases = published()
    assert (len(cases), sum(len(table) for _, table in cases)) == (
        33,
        667,
    )  # 666, and one row printed as the satellite fails
    for satellite, table in cases:
        record = sgp4.initialise_many([elements(satellite)]).records[0]
        r, v, error = sgp4.propagate(record, table[:, 0])
        good = error == 0
        assert good.sum() >= len(table) - 1
        np.testing.assert_allclose(r[good], table[good, 1:4], rtol=0, atol=SAME_KM)
        np.testing.assert_allclose(v[good], table[good, 4:7], rtol=0, atol=2e-9)  # printed to 1e-9 km/s


def test_the_errors_of_the_published_sets_are_those_of_the_reference():
    """Past the last printed row many of them decay or leave the model; every code but 5, long unused, occurs."""
    minutes = np.linspace(-3.0e4, 2.0e5, 4001)
    seen: set[int] = set()
    for satellite, _ in published():
        error, _, _ = satellite.sgp4_array(np.full(4001, satellite.jdsatepoch), satellite.jdsatepochF + minutes / 1440)
        record = sgp4.initialise_many([elements(satellite)]).records[0]
        r, _, ours = sgp4.propagate(record, minutes)
        assert np.array_equal(error, ours), satellite.satnum
        assert np.array_equal(np.isnan(r[:, 0]), (ours > 0) & (ours < 6))
        seen |= set(ours.tolist())
    assert {0, 1, 6} <= seen


def test_a_state_that_is_no_number_always_has_an_error():
    """INVARIANT: not a number never passes for a good state; the reference answers such orbits with 0, 6 or 4.

    A perigee at the Earth's centre, and a drag a thousand times any balloon's, two centuries on.
    """
    good = elements(published()[0][0])
    deep = dataclasses.replace(good, mean_motion_rev_day=7.648150997005408, eccentricity=0.9999999, inclination_deg=0.0)
    light = dataclasses.replace(good, mean_motion_rev_day=14.6678, eccentricity=0.0, bstar_per_earth_radius=0.3526)
    states, errors = sgp4.propagate_minutes(sgp4.initialise_many([good, deep, light]), np.array([0.0, 1440.0, 1e8]))
    finite = np.isfinite(states).all(axis=1)
    assert np.array_equal(finite, (errors == sgp4.OK) | (errors == sgp4.DECAYED))
    assert (errors == sgp4.RUNAWAY).any()
    *_, error = sgp4.propagate(np.full_like(sgp4.initialise(good), np.nan), np.zeros(1))
    assert error[0] == sgp4.RUNAWAY


@needs_data
def test_the_whole_catalogue_agrees_with_the_reference_to_a_millimetre_over_a_week():
    """INVARIANT: 14,917 sets, near Earth and deep space with both resonances, the same states and the same errors."""
    found = satellites(CATALOGUE.read_text())
    catalogue = sgp4.initialise_many([elements(one) for one in found])
    minutes = np.array([0.0, 0.5, 97.3, 719.9, 720.1, 1440.0, 2875.7, 5011.1, 7777.7, 10080.0])
    states, errors = sgp4.propagate_minutes(catalogue, minutes, threads=2)
    worst = 0.0
    for i, one in enumerate(found):
        error, r, v = one.sgp4_array(np.full(10, one.jdsatepoch), one.jdsatepochF + minutes / 1440.0)
        assert np.array_equal(error, errors[i]), one.satnum
        good = error == 0
        worst = max(worst, np.abs(states[i, :3].T - r)[good].max(initial=0.0))
        worst = max(worst, 1e3 * np.abs(states[i, 3:].T - v)[good].max(initial=0.0))
    assert len(found) == 14_917
    assert worst < SAME_KM


@pytest.fixture(scope="module")
def few() -> sgp4.Catalogue:
    return sgp4.initialise_many([elements(one) for one, _ in published()])


def instants(few: sgp4.Catalogue, count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(count, few.epoch_jd[0]), few.epoch_jd_fraction[0] + np.linspace(0.0, 0.2, count)


def test_one_object_alone_has_the_bytes_it_has_among_many_on_any_number_of_threads(few):
    """INVARIANT: a result does not depend on how the work was shared out."""
    jd, fraction = instants(few, 700)
    many, errors = sgp4.propagate_many(few, jd, fraction, threads=3)
    for i in range(len(few.records)):
        alone = sgp4.Catalogue(
            few.records[i : i + 1], few.epoch_jd[i : i + 1], few.epoch_jd_fraction[i : i + 1],
            few.catalogue_numbers[i : i + 1],
        )  # fmt: skip
        states, error = sgp4.propagate_many(alone, jd, fraction)
        assert states.tobytes() == many[i : i + 1].tobytes()
        assert np.array_equal(error[0], errors[i])


def test_times_out_of_order_give_the_same_states(few):
    minutes = np.linspace(-5000.0, 5000.0, 300)
    shuffled = np.random.default_rng(1).permutation(300)
    states, _ = sgp4.propagate_minutes(few, minutes)
    mixed, _ = sgp4.propagate_minutes(few, minutes[shuffled])
    # vector lanes and their tail round apart
    np.testing.assert_allclose(mixed, states[:, :, shuffled], rtol=0, atol=1e-8)


def test_the_fused_earth_fixed_states_are_those_of_the_frames(few):
    jd, fraction = instants(few, 50)
    turn = frames.EarthTurn(np.linspace(0.0, 6.0, 50), np.full(50, 1.6e-6), np.full(50, -2.5e-6))
    teme, _ = sgp4.propagate_many(few, jd, fraction)
    fixed, _ = sgp4.propagate_many(few, jd, fraction, turn=turn)
    for i in range(0, len(few.records), 5):
        for j in range(0, 50, 7):
            r, v = frames.teme_to_pef(teme[i, :3, j], teme[i, 3:, j], turn.gmst_rad[j])
            xp, yp = turn.xp_rad[j : j + 1], turn.yp_rad[j : j + 1]
            frames.polar_motion(xp, yp, r[0:1], r[1:2], r[2:3])
            frames.polar_motion(xp, yp, v[0:1], v[1:2], v[2:3])
            np.testing.assert_allclose(fixed[i, :3, j], r, rtol=0, atol=1e-9)
            np.testing.assert_allclose(fixed[i, 3:, j], v, rtol=0, atol=1e-12)


@settings(deadline=None)  # the first case compiles
@given(
    mean_motion=st.floats(11.3, 16.3), eccentricity=st.floats(0.0, 0.095), inclination=st.floats(0.0, 180.0),
    angle=st.floats(0.0, 360.0, exclude_max=True), bstar=st.floats(-1e-3, 1e-3),
)  # fmt: skip
def test_the_series_for_small_eccentricities_agree_with_the_general_stages(
    mean_motion, eccentricity, inclination, angle, bstar
):
    one = ElementSet(
        1, b"", b"", 2460310.5, 0.25, mean_motion, eccentricity, inclination, angle, 360.0 - angle, angle / 2.0, bstar,
        0.0, 0.0, "U", 0, 0,
    )  # fmt: skip
    record = sgp4.initialise_many([one]).records[0]
    count = sgp4_near.BLOCK + 100  # goes on in a second block
    minutes, still = np.linspace(-1440.0, 1440.0, count), np.zeros(count)
    if not sgp4_near.holds(record, 1440.0):
        return
    near, general = np.empty((6, count)), np.empty((6, count))
    codes, others = np.empty(count, np.uint8), np.empty(count, np.uint8)
    work = np.empty(max(sgp4_near.ROWS * sgp4_near.BLOCK, sgp4_general.ROWS * sgp4_general.BLOCK))
    sgp4_near.fly(record, minutes, 0.0, still, 0.0, still, still, near, 0, codes, work)
    sgp4_general.fly(record, minutes, 0.0, still, 0.0, general, 0, others, work)
    assert np.array_equal(codes, others)
    good = codes == 0
    np.testing.assert_allclose(near[:3, good], general[:3, good], rtol=0, atol=1e-7)
    np.testing.assert_allclose(near[3:, good], general[3:, good], rtol=0, atol=1e-10)


def test_the_brouwer_mean_motion_is_the_reference_s(few):
    found = np.array([one.no_unkozai for one in satellites(VERIFICATION, model.Satrec)])
    np.testing.assert_allclose(few.mean_motion_rad_min, found, rtol=1e-13)


def test_a_set_that_is_no_orbit_is_refused():
    good = elements(published()[0][0])
    for field, value in (("mean_motion_rev_day", 0.0), ("eccentricity", 1.0), ("raan_deg", math.nan)):
        with pytest.raises(sgp4.BadElements, match="check the set"):
            sgp4.initialise_many([dataclasses.replace(good, **{field: value})])


def test_deep_space_is_refused_only_where_asked(few):
    deep = next(elements(one) for one, _ in published() if one.no_kozai < 0.02)
    assert sgp4.initialise(deep).shape == (sgp4.RECORD_SIZE,)
    with pytest.raises(sgp4.DeepSpace, match="ruled by the Sun"):
        sgp4.refuse_deep_space(deep)


def test_buffers_of_another_shape_are_refused(few):
    with pytest.raises(ValueError, match="out must be"):
        sgp4.propagate_minutes(few, np.zeros(3), out=np.empty((len(few.records), 6, 4)))
    with pytest.raises(ValueError, match="errors must be"):
        sgp4.propagate_minutes(few, np.zeros(3), errors=np.empty((len(few.records), 3), np.int64))
    with pytest.raises(ValueError, match="the Earth's turn"):
        sgp4.propagate_minutes(few, np.zeros(3), turn=frames.EarthTurn(np.zeros(2), np.zeros(2), np.zeros(2)))
