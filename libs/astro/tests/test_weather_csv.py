import os
from pathlib import Path

import pytest

from libs.astro.elements import RefusalReason, Refused
from libs.astro.weather import Day, read_cssi
from libs.astro.weather_csv import read, read_csv

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
CSV = DATA / "spaceweather/SW-All_celestrak_2025-12.csv"
CSSI = DATA / "spaceweather/celestrak_foa/SpaceWeather-All-v1.2_2025-01-10.txt"
needs_data = pytest.mark.skipif(not CSV.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")

HEAD = (
    b"DATE,BSRN,ND,KP1,KP2,KP3,KP4,KP5,KP6,KP7,KP8,KP_SUM,AP1,AP2,AP3,AP4,AP5,AP6,AP7,AP8,AP_AVG,CP,C9,ISN,"
    b"F10.7_OBS,F10.7_ADJ,F10.7_DATA_TYPE,F10.7_OBS_CENTER81,F10.7_OBS_LAST81,F10.7_ADJ_CENTER81,F10.7_ADJ_LAST81"
)
FIRST = (
    b"2022-11-01,2581,13,3.0,3.0,13.0,7.0,7.0,10.0,13.0,20.0,76.0,2.0,2.0,5.0,3.0,3.0,4.0,5.0,7.0,4.0,0.1,0.0,90,"
    b"126.0,128.0,OBS,130.0,131.0,129.0,130.0"
)
DAILY, FLUX = FIRST.index(b"4.0,0.1") + 1, FIRST.index(b"126.0") + 1
SECOND = FIRST.replace(b"2022-11-01", b"2022-11-02")
FUTURE = FIRST.replace(b"2022-11-01", b"2022-11-03").replace(b"OBS,", b"PRD,")
MONTH = b"2022-12-01,2582,7,,,,,,,,,,,,,,,,,,,,,126,132.4,130.4,PRM,132.9,132.4,131.1,133.3"

CSSI_OF_FIRST = (
    b"NUM_OBSERVED_POINTS 1\nBEGIN OBSERVED\n2022 11 01 2581 13  3  3 13  7  7 10 13 20  76   2   2   5   3   3   4"
    b"   5   7   4 0.1 0  90 128.0 0  130.0 131.0 126.0 129.0 130.0\nEND OBSERVED\n"
)


def file(*rows: bytes) -> bytes:
    return b"\r\n".join([HEAD, *rows, b""])


def test_observed_and_predicted_days_are_kept_apart_and_months_counted():
    found = read_csv(file(FIRST, SECOND.replace(b"OBS", b"INT"), FUTURE, MONTH))
    assert found.observed[0] == Day(59884, (2.0, 2.0, 5.0, 3.0, 3.0, 4.0, 5.0, 7.0), 4.0, 126.0)
    assert ([day.mjd for day in found.observed], [day.mjd for day in found.predicted]) == ([59884, 59885], [59886])
    assert (found.monthly, found.rejections) == (1, [])


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        (SECOND[:60], RefusalReason.LENGTH, 61),
        (SECOND.replace(b"2022-11-02", b"2022-13-02"), RefusalReason.EPOCH, 1),
        (SECOND.replace(b"2022-11-02", b"2022-10-31"), RefusalReason.EPOCH, 1),
        (SECOND.replace(b"2022-11-02", b"02.11.2022"), RefusalReason.EPOCH, 1),
        (SECOND.replace(b",126.0,", b",12x.0,"), RefusalReason.CHARACTER, FLUX),
        (SECOND.replace(b",126.0,", b",938.6,"), RefusalReason.RANGE, FLUX),
        (SECOND.replace(b",126.0,", b",,"), RefusalReason.MISSING, FLUX),
        (SECOND.replace(b",7.0,4.0,", b",7.0,40.0,"), RefusalReason.MISMATCH, DAILY),
        (SECOND.replace(b",OBS,", b",GUESS,"), RefusalReason.CHARACTER, FLUX + 12),
    ],
)
def test_a_row_that_is_not_in_order_is_refused_at_its_place_and_the_rest_is_kept(row, reason, column):
    found = read_csv(file(FIRST, row))
    assert [(refused.line, refused.column, refused.reason) for refused in found.rejections] == [(3, column, reason)]
    assert [day.mjd for day in found.observed] == [59884]


@pytest.mark.parametrize("data", [b"", b"1 25544U 98067A", HEAD.replace(b"AP8", b"APX")])
def test_what_is_no_such_file_is_refused_whole(data):
    with pytest.raises(Refused):
        read_csv(data)


@needs_data
def test_either_format_is_told_by_its_first_line():
    assert len(read(CSV.read_bytes()).observed) > len(read(CSSI.read_bytes()).observed) > 24_000


@needs_data
def test_the_published_values_of_known_days_are_read():
    """Values of the source's own web page, written down independently of the file."""
    found = read_csv(CSV.read_bytes())
    by_mjd = {day.mjd: day for day in found.observed}
    assert by_mjd[58209].ap_3h == (5.0, 4.0, 4.0, 5.0, 4.0, 5.0, 4.0, 4.0)
    assert by_mjd[60441].ap_3h == (400.0, 236.0, 236.0, 400.0, 300.0, 236.0, 179.0, 179.0)
    fluxes = {58209: 69.0, 59342: 75.9, 56606: 154.1, 60441: 213.7, 60804: 136.2}
    assert {mjd: by_mjd[mjd].f107_observed_sfu for mjd in fluxes} == fluxes
    assert [by_mjd[mjd].ap_daily for mjd in (58209, 59342, 56606, 60441, 60804)] == [4.0, 3.0, 12.0, 271.0, 16.0]
    assert (len(found.predicted), found.monthly) == (45, 188)


def test_the_same_day_is_the_same_in_either_format():
    """2022-11-01 as its source wrote it in both, but for its flux, as in test_weather.py."""
    (day,) = read_csv(file(FIRST)).observed
    assert read_cssi(CSSI_OF_FIRST).observed == [day]


@needs_data
def test_two_files_of_either_format_agree_but_for_what_their_source_revised():
    """A year lies between them: 2 % of the days were revised since, most by 0.1 sfu, and ap of three weeks in all."""
    newer = {day.mjd: day for day in read_csv(CSV.read_bytes()).observed}
    pairs = [(day, newer[day.mjd]) for day in read_cssi(CSSI.read_bytes()).observed if day.mjd in newer]
    assert len(pairs) > 24_500
    assert sum(older == later for older, later in pairs) > 0.975 * len(pairs)
    assert sum(older.ap_3h != later.ap_3h for older, later in pairs) < 60
