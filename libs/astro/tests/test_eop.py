import os
from pathlib import Path

import astropy_iers_data
import erfa
import numpy as np
import pytest
from astropy.time import Time
from astropy.utils import iers

from libs.astro import eop
from libs.astro.time import (
    DRIFTING_SECONDS,
    LEAP_SECONDS,
    BeforeUtc,
    calendar_to_jd,
    tai_minus_utc_s,
    utc_to_tai,
    utc_to_tt,
    utc_to_ut1,
)  # fmt: skip

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
EOP_ALL = DATA / "eop/celestrak_foa/EOP-All-v1.1_2025-01-10.txt"
needs_data = pytest.mark.skipif(not EOP_ALL.exists(), reason=f"no {EOP_ALL}; set SPACECOM_VALIDATION_DATA")
FINALS = Path(astropy_iers_data.IERS_A_FILE)


@pytest.fixture(scope="module")
def finals() -> eop.EarthOrientation:
    return eop.read(FINALS.read_bytes())


@needs_data
@pytest.mark.parametrize(
    ("mjd", "x", "y", "ut1"), [(58210, 0.033146, 0.396252, 0.1327191), (59343, 0.120411, 0.443446, -0.1830554)]
)
def test_the_values_of_the_celestrak_file_are_read_as_printed(mjd, x, y, ut1):
    now = eop.read(EOP_ALL.read_bytes()).at(mjd + 2400000.5, 0.0)
    assert now.xp_rad / eop.ARCSECOND == pytest.approx(x, abs=1e-12)
    assert now.yp_rad / eop.ARCSECOND == pytest.approx(y, abs=1e-12)
    assert now.ut1_utc_s == pytest.approx(ut1, abs=1e-12)
    assert not now.predicted


@needs_data
def test_observed_and_predicted_days_are_kept_apart():
    earth = eop.read(EOP_ALL.read_bytes())
    assert (earth.first_mjd, earth.last_observed_mjd, earth.last_mjd) == (37665.0, 60684.0, 60866.0)
    assert earth.at(60684.0 + 2400000.5, 0.9).predicted is False
    assert earth.at(60685.0 + 2400000.5, 0.1).predicted is True


def test_ut1_agrees_with_astropy_between_days(finals):
    rng = np.random.default_rng(0)
    mjd = rng.uniform(51544.0, finals.last_observed_mjd, 2000)
    jd, fraction = np.floor(mjd) + 2400000.5, mjd % 1.0
    table = iers.IERS_A.open(str(FINALS))
    ours, _, _ = finals.at_many(jd, fraction)
    theirs = table.ut1_utc(jd, fraction).value
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-4)  # bulletin B in astropy, A in ours: 0.16 ms
    assert np.median(np.abs(ours - theirs)) < 1e-5


def test_a_leap_second_does_not_leak_into_the_day_before_it(finals):
    """UT1 - UTC jumps by a second at the end of 2016-12-31 and not before."""
    jd, _ = calendar_to_jd(2016, 12, 31)
    before, after = finals.at(jd, 1.0 - 1e-9).ut1_utc_s, finals.at(jd + 1.0, 0.0).ut1_utc_s
    assert after - before == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("shift", [-1e-6, 1e-6])
def test_an_instant_outside_the_file_is_refused(finals, shift):
    edge = finals.first_mjd if shift < 0.0 else finals.last_mjd
    assert finals.at(edge + 2400000.5, 0.0)
    with pytest.raises(eop.OutsideOrientation, match="load a newer file"):
        finals.at(edge + 2400000.5, shift)
    with pytest.raises(eop.OutsideOrientation):
        finals.at_many(np.array([edge + 2400000.5]), np.array([np.nan]))


@pytest.mark.parametrize("data", [b"", b"VERSION 1.1\n", b"<html>\n", b"VERSION 1.1\nBEGIN OBSERVED\n1 2 3\n"])
def test_what_is_no_orientation_file_is_refused(data):
    with pytest.raises(eop.BadOrientationFile):
        eop.read(data)


def test_a_gap_between_days_is_refused():
    lines = FINALS.read_bytes().splitlines()
    with pytest.raises(eop.BadOrientationFile, match="follow each other"):
        eop.read(b"\n".join([*lines[:100], *lines[101:200]]))


def test_time_scales_agree_with_astropy_from_1962_on():
    rng = np.random.default_rng(1)
    mjd = np.floor(rng.uniform(37665.0, 60000.0, 500))
    jd, fraction = mjd + 2400000.5, rng.uniform(0.0, 0.9999, 500)
    instants = Time(jd, fraction, format="jd", scale="utc")
    for ours, scale in ((utc_to_tai, instants.tai), (utc_to_tt, instants.tt)):
        whole, part = ours(jd, fraction)
        seconds = ((whole - scale.jd1) + (part - scale.jd2)) * 86400.0
        stretched = np.isin(mjd + 1.0, [day for day, _ in LEAP_SECONDS])  # astropy spreads it over 86,401 s
        drifting = (mjd < 41317.0) & np.isin(mjd + 1.0, [row[0] for row in DRIFTING_SECONDS])
        np.testing.assert_allclose(seconds[~stretched & ~drifting], 0.0, atol=2e-9)


def test_the_leap_seconds_are_those_of_erfa_on_both_sides_of_each():
    for first in (41499, 44239, 50083, 57204, 57754):
        assert float(tai_minus_utc_s(first - 1 + 2400000.5, 0.5)) + 1.0 == float(tai_minus_utc_s(first + 2400000.5))
    assert float(tai_minus_utc_s(2438335.0 - 0.5, 0.5)) == pytest.approx(erfa.dat(1963, 11, 1, 0.5), abs=1e-12)


def test_ut1_is_utc_and_its_difference():
    jd, fraction = utc_to_ut1(2460000.5, 0.25, 0.4)
    assert (jd, float(fraction) * 86400.0) == (2460000.5, pytest.approx(21600.4))


def test_before_1961_there_was_no_utc():
    with pytest.raises(BeforeUtc):
        tai_minus_utc_s(2437300.0)
