import os
from pathlib import Path

import pytest

from libs.astro import eop_rows
from libs.astro.elements import RefusalReason, Refused

FILE = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data")) / "eop/orekit-data/finals2000A.all"
# The first days of the file as the IERS publishes it.
LINES = (
    b"73 1 2 41684.00 I  0.120733 0.009786  0.136966 0.015902  I 0.8084178 0.0002710  0.0000 0.1916  P    -0.766\n"
    b"73 1 3 41685.00 I  0.118980 0.011039  0.135656 0.013616  I 0.8056163 0.0002710  3.5563 0.1916  P    -0.751\n"
    b"73 1 4 41686.00 P  0.117227 0.011039  0.134348 0.013616  P 0.8027895 0.0002710  2.6599 0.1916  P    -0.738\n"
    b"22 130 59609.00\n"
)


def test_days_with_values_are_read_and_those_without_passed_over():
    assert list(eop_rows.read(LINES)) == [
        eop_rows.OrientationDay(41684, 0.120733, 0.136966, 0.8084178, predicted=False),
        eop_rows.OrientationDay(41685, 0.118980, 0.135656, 0.8056163, predicted=False),
        eop_rows.OrientationDay(41686, 0.117227, 0.134348, 0.8027895, predicted=True),
    ]
    assert eop_rows.is_finals(LINES)


@pytest.mark.parametrize(
    ("before", "after", "reason", "column"),
    [
        (b"73 1 3 41685", b"73 1 3 41686", RefusalReason.MISMATCH, 8),
        (b"73 1 3 41685", b"73 231 41685", RefusalReason.RANGE, 1),
        (b"73 1 3 41685.00", b"73 1 3 4x685.00", RefusalReason.CHARACTER, 1),
        (b"41685.00 I", b"41685.00 Q", RefusalReason.CHARACTER, 17),
        (b" 0.118980", b" 0,118980", RefusalReason.CHARACTER, 19),
        (b" 0.118980", b"         ", RefusalReason.MISSING, 19),
        (b" 0.118980", b" 5.118980", RefusalReason.RANGE, 19),
        (b" 0.118980", b" 0.218980", RefusalReason.RANGE, 19),
        (b" 0.135656", b"-0.135656", RefusalReason.RANGE, 38),
        (b" 0.8056163", b" 0.9056163", RefusalReason.RANGE, 59),
    ],
)
def test_a_damaged_day_is_refused_with_its_place_and_the_others_stay(before, after, reason, column):
    found = list(eop_rows.read(LINES.replace(before, after, 1)))
    (refused,) = (one for one in found if isinstance(one, Refused))
    assert (len(found), refused.line, refused.column, refused.reason) == (3, 2, column, reason)


@pytest.mark.skipif(not FILE.exists(), reason=f"no {FILE}; set SPACECOM_VALIDATION_DATA")
def test_no_day_of_a_real_file_is_refused():
    """2018-04-02, MJD 58210, in Bulletin A; the C04 series has x 0.033146, y 0.396252, UT1-UTC 0.1327191."""
    found = list(eop_rows.read(FILE.read_bytes()))
    assert not [one for one in found if isinstance(one, Refused)]
    (day,) = (one for one in found if one.mjd == 58210)
    assert (day.pole_x_arcsec, day.pole_y_arcsec, day.ut1_utc_s) == (0.033137, 0.39627, 0.1327638)
