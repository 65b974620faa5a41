import os
from pathlib import Path

import numpy as np
import pytest

from libs.astro.elements import RefusalReason, Refused
from libs.astro.weather import Day, NoSpaceWeather, drivers, read_cssi

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
CSSI = DATA / "spaceweather/celestrak_foa/SpaceWeather-All-v1.2_2025-01-10.txt"
needs_data = pytest.mark.skipif(not CSSI.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")

# Typed in the layout FORMAT(I4,I3,I3,I5,I3,8I3,I4,8I4,I4,F4.1,I2,I4,F6.1,I2,5F6.1) of the file.
FIRST = (
    b"2022 11 01 2581 13  3  3 13  7  7 10 13 20  76   2   2   5   3   3   4"
    b"   5   7   4 0.1 0  90 128.0 0  130.0 131.0 126.0 129.0 130.0 "
)
SECOND = FIRST.replace(b"2022 11 01", b"2022 11 02")
FUTURE = FIRST.replace(b"2022 11 01", b"2022 11 03")


def file(*rows: bytes, stated: int | None = None) -> bytes:
    count = len(rows) if stated is None else stated
    head = [b"DATATYPE CSSISpaceWeather", b"VERSION 1.2", b"#", b"NUM_OBSERVED_POINTS %d" % count, b"BEGIN OBSERVED"]
    tail = [b"END OBSERVED", b"", b"NUM_DAILY_PREDICTED_POINTS 1", b"BEGIN DAILY_PREDICTED", FUTURE]
    return b"\r\n".join([*head, *rows, *tail, b"END DAILY_PREDICTED", b""])


def days(first: int, last: int, flux: float = 120.0, ap: float = 7.0) -> list[Day]:
    return [Day(mjd, (ap,) * 8, ap, flux) for mjd in range(first, last + 1)]


def test_observed_and_predicted_days_are_read():
    found = read_cssi(file(FIRST, SECOND))
    assert [day.mjd for day in found.observed] == [59884, 59885]
    assert found.observed[0] == Day(59884, (2.0, 2.0, 5.0, 3.0, 3.0, 4.0, 5.0, 7.0), 4.0, 126.0)
    assert [day.mjd for day in found.predicted] == [59886]
    assert not found.rejections


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        (SECOND[:60], RefusalReason.LENGTH, 61),
        (SECOND.replace(b"2022 11 02", b"2022 13 02"), RefusalReason.EPOCH, 1),
        (SECOND.replace(b"2022 11 02", b"2022 10 31"), RefusalReason.EPOCH, 1),
        (SECOND.replace(b" 126.0", b" 12x.0"), RefusalReason.CHARACTER, 114),
        (SECOND.replace(b" 126.0", b" 938.6"), RefusalReason.RANGE, 114),
        (SECOND.replace(b" 126.0", b"      "), RefusalReason.MISSING, 114),
        (SECOND.replace(b"   4 0.1", b"  40 0.1"), RefusalReason.MISMATCH, 79),
        (SECOND.replace(b"  76   2", b"  76  -2"), RefusalReason.CHARACTER, 47),
    ],
)
def test_a_row_that_is_not_in_order_is_refused_at_its_place_and_the_rest_is_kept(row, reason, column):
    found = read_cssi(file(FIRST, row))
    assert [(refused.line, refused.column, refused.reason) for refused in found.rejections] == [(7, column, reason)]
    assert [day.mjd for day in found.observed] == [59884]


def test_a_file_that_was_cut_off_says_so():
    whole = file(FIRST, SECOND)
    found = read_cssi(whole[: whole.index(b"2022 11 02")])
    assert RefusalReason.MISSING in {refused.reason for refused in found.rejections}


def test_a_count_that_does_not_match_is_refused():
    (refused,) = read_cssi(file(FIRST, SECOND, stated=3)).rejections
    assert (refused.line, refused.reason) == (4, RefusalReason.MISMATCH)


def test_what_is_no_such_file_is_refused_whole():
    with pytest.raises(Refused):
        read_cssi(b"1 25544U 98067A")


@needs_data
def test_the_published_values_of_known_days_are_read():
    """Values of the file's own web page, written down independently of it."""
    found = read_cssi(CSSI.read_bytes())
    by_mjd = {day.mjd: day for day in found.observed}
    assert by_mjd[58209].ap_3h == (5.0, 4.0, 4.0, 5.0, 4.0, 5.0, 4.0, 4.0)
    assert (by_mjd[58209].f107_observed_sfu, by_mjd[59342].f107_observed_sfu) == (69.0, 75.9)
    assert by_mjd[60441].ap_3h == (400.0, 236.0, 236.0, 400.0, 300.0, 236.0, 179.0, 179.0)
    assert (len(found.observed), len(found.predicted)) == (24573, 44)
    (flare,) = found.rejections  # 2011-03-07: the flux was measured in a flare
    assert flare.reason is RefusalReason.RANGE


def test_observed_drivers_have_the_models_meaning():
    """INVARIANT: the flux is the previous day's; ap runs from now back to 57 h, the daily one is its day's mean."""
    known = [Day(mjd, tuple(float(mjd * 8 + k - 800) for k in range(8)), 0.0, float(mjd)) for mjd in range(100, 300)]
    rows = drivers(known, 200.0, 202.0, 299.0).rows
    assert len(rows) == 16
    now = 200 * 8 + 3 - 800
    expected = [199.0, 200.0, now + 0.5, now, now - 1, now - 2, now - 3, now - 7.5, now - 15.5]
    assert rows[3] == pytest.approx(expected)


def test_nothing_measured_after_the_cut_off_moves_the_drivers():
    """INVARIANT: a backcast knows no future; F10.7 of the cut-off's day is measured at 20 h and is not known either."""
    cut_off = 200.4
    calm = drivers(days(100, 199) + days(200, 260), 190.0, 230.0, cut_off)
    after = [Day(200, (7.0,) * 3 + (400.0,) * 5, 7.0, 300.0), *days(201, 260, 300.0, 400.0)]
    storm = drivers([*days(100, 199), *after], 190.0, 230.0, cut_off)
    np.testing.assert_array_equal(calm.rows, storm.rows)


def test_forecasts_relax_to_the_mean_of_the_last_27_days():
    known = days(50, 198, 100.0, 10.0) + days(199, 199, 154.0, 37.0)
    rows = drivers(known, 195.0, 260.0, 200.0).rows
    mean_flux, mean_ap = (26 * 100.0 + 154.0) / 27, (26 * 10.0 + 37.0) / 27
    assert rows[5 * 8, 0] == 154.0  # the day after the last measurement has it as the previous day's
    assert rows[16 * 8, 0] == pytest.approx(mean_flux + (154.0 - mean_flux) * np.exp(-1.0))
    assert rows[5 * 8 + 8, 3] == pytest.approx(mean_ap + (37.0 - mean_ap) * np.exp(-1.0))
    assert rows[-1, 3] == pytest.approx(mean_ap, abs=0.01)


def test_the_81_day_mean_at_the_cut_off_takes_relaxed_values_for_its_later_half():
    constant = drivers(days(50, 199, 100.0), 195.0, 210.0, 200.0)
    np.testing.assert_allclose(constant.rows[:, 1], 100.0)


def test_missing_days_are_named():
    holes = [day for day in days(59700, 59885) if day.mjd not in (59880, 59882)]
    with pytest.raises(NoSpaceWeather, match="2022-10-28, 2022-10-30"):
        drivers(holes, 59884.0, 59890.0, 59886.0)


def test_weather_of_long_ago_is_refused_and_of_yesterday_bridged():
    with pytest.raises(NoSpaceWeather):
        drivers(days(59700, 59879), 59884.0, 59890.0, 59886.0)
    assert len(drivers(days(59700, 59883), 59884.0, 59890.0, 59886.0).rows) == 48


def test_without_any_weather_there_are_no_drivers():
    with pytest.raises(NoSpaceWeather):
        drivers([], 59884.0, 59890.0, 59886.0)


def test_the_day_of_the_year_follows_the_calendar():
    found = drivers(days(59800, 59950), 59943.0, 59946.0, 59944.0)  # 2022-12-30 to 2023-01-01
    assert found.days_of_year()[[0, 8, 16]].tolist() == [364.0, 365.0, 1.0]
