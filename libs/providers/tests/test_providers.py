"""Rows as Space-Track, CelesTrak and DISCOS publish them.

The decay row is a real one that a public repository quotes; the predictions for 48275 are the real ones that zarya.info
keeps; the remaining values are invented.
"""

import json
import os
import random
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from libs.astro.elements import RefusalReason, Refused
from libs.astro.time import jd_to_datetime
from libs.ccsds.tests.damage import BYTES
from libs.providers import celestrak, discos, spacetrack
from libs.providers.spacetrack import ReentryPrediction

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
DISCOS = DATA / "api_samples/discos_object_25544.json"
DECAY = {
    "NORAD_CAT_ID": "4917", "OBJECT_NUMBER": "4917", "OBJECT_NAME": "THORAD AGENA D DEB", "INTLDES": "1970-025FP",
    "OBJECT_ID": "1970-025FP", "RCS": "0", "RCS_SIZE": "SMALL", "COUNTRY": "US", "MSG_EPOCH": "2018-02-07 16:37:02",
    "DECAY_EPOCH": "2019-03-23 0:00:00", "SOURCE": "60day_msg", "MSG_TYPE": "Prediction", "PRECEDENCE": "4",
}  # fmt: skip
TIP = {
    "NORAD_CAT_ID": "48275", "MSG_EPOCH": "2021-05-08 20:00:00", "INSERT_EPOCH": "2021-05-08 20:11:32",
    "DECAY_EPOCH": "2021-05-09 02:04:00", "WINDOW": "60", "REV": "168", "DIRECTION": "ascending", "LAT": "41.6",
    "LON": "350.7", "INCL": "41.5", "NEXT_REPORT": "2", "ID": "1234", "HIGH_INTEREST": "Y", "OBJECT_NUMBER": "48275",
}  # fmt: skip
SATCAT = {
    "NORAD_CAT_ID": "54217", "OBJECT_NUMBER": "54217", "INTLDES": "2022-143B", "OBJECT_TYPE": "ROCKET BODY",
    "SATNAME": "CZ-5B R/B", "COUNTRY": "PRC", "LAUNCH": "2022-10-31", "SITE": "WSC", "DECAY": "2022-11-04",
    "PERIOD": "88.16", "INCLINATION": "41.47", "APOGEE": "246", "PERIGEE": "160", "RCSVALUE": "0", "RCS_SIZE": "LARGE",
}  # fmt: skip
CELESTRAK = (
    b"OBJECT_NAME,OBJECT_ID,NORAD_CAT_ID,OBJECT_TYPE,OPS_STATUS_CODE,OWNER,LAUNCH_DATE,LAUNCH_SITE,DECAY_DATE,PERIOD,"
    b"INCLINATION,APOGEE,PERIGEE,RCS,DATA_STATUS_CODE,ORBIT_CENTER,ORBIT_TYPE\r\n"
    b"CZ-5B R/B,2022-143B,54217,R/B,D,PRC,2022-10-31,WSC,2022-11-04,88.16,41.47,246,160,25.5,,EA,IMP\r\n"
)
ROWS = {
    "tip": (TIP, spacetrack.read_tip_json, spacetrack.read_tip_csv),
    "decay": (DECAY, spacetrack.read_decay_json, spacetrack.read_decay_csv),
    "satcat": (SATCAT, spacetrack.read_satcat_json, spacetrack.read_satcat_csv),
}


def as_json(*rows: dict) -> bytes:
    return json.dumps(rows, indent=0).encode()


def as_csv(*rows: dict) -> bytes:
    quoted = [",".join(f'"{value}"' for value in row.values()) for row in rows]
    return "\r\n".join([",".join(rows[0]), *quoted]).encode()


def tip(**changed: object) -> ReentryPrediction | Refused:
    (found,) = spacetrack.read_tip_json(as_json(TIP | changed))
    return found


@pytest.mark.parametrize("name", ROWS)
def test_a_row_reads_the_same_in_json_and_csv(name):
    row, from_json, from_csv = ROWS[name]
    (one,), (other,) = from_json(as_json(row)), from_csv(as_csv(row))
    assert not isinstance(one, Refused), one
    assert one == other


def test_a_decay_with_an_hour_of_one_digit_is_read():
    (found,) = spacetrack.read_decay_json(as_json(DECAY))
    assert jd_to_datetime(*found.decay_epoch).replace(tzinfo=None) == datetime(2019, 3, 23)  # noqa: DTZ001
    assert not found.historical
    (later,) = spacetrack.read_decay_json(as_json(DECAY | {"DECAY_EPOCH": "2019-03-23 9:05:00"}))
    assert later.decay_epoch.jd_fraction == pytest.approx((9 * 60 + 5) / 1440)


def test_a_prediction_has_its_window_place_and_direction():
    found = tip()
    assert (found.window_min, found.ascending, found.high_interest, found.next_report_h) == (60.0, True, True, 2.0)
    assert (found.latitude_deg, found.longitude_deg) == (41.6, pytest.approx(-9.3))
    assert found.decay_epoch.seconds_since(found.message_epoch) == pytest.approx(6 * 3600 + 4 * 60, abs=1e-4)


@pytest.mark.parametrize(
    "changed",
    [
        {"LAT": None, "LON": None, "DIRECTION": None, "REV": None, "INCL": "", "NEXT_REPORT": None, "INSERT_EPOCH": ""},
        {"LON": "-9.3"}, {"LON": "360"}, {"NORAD_CAT_ID": "999999999", "OBJECT_NUMBER": None},
        {"DIRECTION": "DESCENDING"},
        {"SOMETHING_NEW": "x"},
    ],
)  # fmt: skip
def test_a_valid_prediction_is_accepted(changed):
    assert isinstance(tip(**changed), ReentryPrediction)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"DECAY_EPOCH": "2021-05-09 25:04:00"}, RefusalReason.RANGE),
        ({"DECAY_EPOCH": "2021-02-30 02:04:00"}, RefusalReason.RANGE),
        ({"DECAY_EPOCH": "09.05.2021 02:04"}, RefusalReason.CHARACTER),
        ({"DECAY_EPOCH": None}, RefusalReason.MISSING),
        ({"WINDOW": "-1"}, RefusalReason.RANGE),
        ({"WINDOW": ""}, RefusalReason.MISSING),
        ({"LAT": "90.1"}, RefusalReason.RANGE),
        ({"LON": "360.1"}, RefusalReason.RANGE),
        ({"LON": None}, RefusalReason.MISSING),
        ({"DIRECTION": "sideways"}, RefusalReason.MISMATCH),
        ({"HIGH_INTEREST": "perhaps"}, RefusalReason.MISMATCH),
        ({"OBJECT_NUMBER": "48276"}, RefusalReason.MISMATCH),
        ({"NORAD_CAT_ID": "0", "OBJECT_NUMBER": "0"}, RefusalReason.RANGE),
        ({"INCL": "NaN"}, RefusalReason.NOT_FINITE),
    ],
)
def test_a_bad_prediction_is_refused_for_its_reason(changed, reason):
    found = tip(**changed)
    assert isinstance(found, Refused)
    assert found.reason is reason, found


def test_the_two_catalogues_tell_the_same_of_one_object():
    (theirs,), (ours,) = celestrak.read_satcat_csv(CELESTRAK), spacetrack.read_satcat_json(as_json(SATCAT))
    assert (theirs.object_type, theirs.launch_date, theirs.decay_date) == (
        "ROCKET BODY",
        date(2022, 10, 31),
        date(2022, 11, 4),
    )
    assert (theirs.radar_cross_section_m2, theirs.operational_status) == (25.5, "D")
    for name in ("catalogue_number", "object_name", "international_designator", "object_type", "owner", "perigee_km"):
        assert getattr(theirs, name) == getattr(ours, name)


def test_a_row_of_celestraks_catalogue_in_json_is_that_in_csv():
    names, values = (line.split(",") for line in CELESTRAK.decode().splitlines())
    assert [*celestrak.read_satcat_json(as_json(dict(zip(names, values, strict=True))))] == [
        *celestrak.read_satcat_csv(CELESTRAK)
    ]


@pytest.mark.parametrize("changed", [b"R/X", b""])
def test_a_kind_that_celestrak_does_not_have_is_refused(changed):
    (found,) = celestrak.read_satcat_csv(CELESTRAK.replace(b",R/B,", b"," + changed + b","))
    assert isinstance(found, Refused)


@pytest.mark.skipif(not DISCOS.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")
def test_an_object_of_discos_has_its_own_id_and_a_catalogue_number():
    data = DISCOS.read_bytes()
    (found,) = discos.read_objects(data)
    assert (found.discos_id, found.catalogue_number, found.international_designator) == ("25544", 25547, "1998-068B")
    assert (found.mass_kg, found.shape, found.first_epoch) == (942.52, "Cyl + Cone", date(1998, 11, 22))
    document = json.loads(data)
    bad = document["data"] | {"attributes": document["data"]["attributes"] | {"mass": -1}}
    page = json.dumps({"links": {}, "data": [document["data"], bad, document["data"] | {"type": "launch"}]}).encode()
    assert [type(one) for one in discos.read_objects(page)] == [type(found), Refused, Refused]


# --- damage ----------------------------------------------------------------------------------------------------


def is_valid_tip(data: bytes) -> bool:
    """By another way than the reader's."""
    try:
        row = json.loads(data, object_pairs_hook=once)
        number = int(row["NORAD_CAT_ID"])
        clocks = [row["MSG_EPOCH"], row["DECAY_EPOCH"], row.get("INSERT_EPOCH") or row["MSG_EPOCH"]]
        if not all(map(is_clock, clocks)):
            return False
        spans = {
            "WINDOW": (0, 43200),
            "LAT": (-90, 90),
            "LON": (-180, 360),
            "INCL": (0, 180),
            "NEXT_REPORT": (0, 1e300),
            "REV": (0, 10**12),
        }
        numbers = {key: float(row[key]) for key in spans if row.get(key)}
        whole_texts = all(c in "0123456789.+-eE" for key in numbers for c in row[key])
        return (
            0 < number < 10**9 and row["NORAD_CAT_ID"].lstrip("+").isdigit() and bool(row["WINDOW"]) and whole_texts
            and all(spans[key][0] <= value <= spans[key][1] for key, value in numbers.items())
            and ("LAT" in numbers) == ("LON" in numbers)
            and "." not in row.get("REV", "") and "e" not in row.get("REV", "").lower()
            and row.get("OBJECT_NUMBER") in (None, "", row["NORAD_CAT_ID"])
            and row.get("DIRECTION", "").lower() in ("", "ascending", "descending")
            and row.get("HIGH_INTEREST") in (None, "", "Y", "N")
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def is_clock(said: str) -> bool:
    parts = re.fullmatch("([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{1,2}):([0-9]{2}):([0-9]{2})([.][0-9]{1,6})?", said)
    return bool(parts) and bool(datetime(*map(int, parts.groups()[:6])))  # noqa: DTZ001


def once(pairs: list) -> dict:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def test_of_thousands_of_malformed_predictions_none_is_accepted_and_none_stops_the_reader():
    """INVARIANT: no damage that can be seen passes unseen, and what the second reading accepts is not refused."""
    chance, base, seen = random.Random("tip"), json.dumps(TIP, indent=0).encode(), Counter()
    while seen[False] < (10_000 if os.environ.get("CI") else 5_000):
        damaged = BYTES[chance.choice([*BYTES])](chance, base)
        found = list(spacetrack.read_tip_json(damaged))
        valid = is_valid_tip(damaged)
        seen[valid] += 1
        assert [type(one) for one in found if not isinstance(one, Refused)] == [ReentryPrediction] * valid, (
            damaged,
            found,
        )
        assert all(one.detail and one.line > 0 < one.column for one in found if isinstance(one, Refused))
    assert seen[True] > 100, seen
