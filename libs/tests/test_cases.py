"""The cases of the product hold typed figures and nothing else, and what they say is consistent."""

import gzip
import hashlib
import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs import cases
from libs.astro import airspace, tle, weather
from libs.astro.elements import ElementSet
from libs.astro.time import jd_to_datetime

TYPED = [name for name in cases.names() if '"files"' not in (cases.FOLDER / f"{name}.json").read_text()]
MOST_VERTICES = 25


@pytest.fixture(params=TYPED)
def raw(request) -> dict:
    return json.loads((cases.FOLDER / f"{request.param}.json").read_text())


@pytest.fixture
def case(raw) -> cases.Case:
    return cases.load(raw["name"])


def given(case: cases.Case, form: str) -> list[cases.Input]:
    return [one for one in case.inputs if one.format == form]


def test_there_is_the_case_of_the_demonstration():
    assert "cz5b-2022" in TYPED


def test_a_case_says_that_it_is_not_for_operations(raw, case):
    assert case.notice == "demonstration, not for operations"
    assert json.loads(given(case, "AIRSPACE_GEOJSON")[0].data)["notice"] == case.notice
    assert raw["name"] == case.name


def test_a_case_holds_only_typed_figures(raw):
    """No file of another's licence: numbers and short texts, small enough to have been typed."""
    assert len(json.dumps(raw)) < 40_000

    def leaves(value):
        if isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from leaves(one)
        else:
            yield value

    assert all(isinstance(leaf, int | float) or len(leaf) <= 100 for leaf in leaves(raw))


def test_outlines_are_simplified_closed_and_on_the_globe(raw):
    for region in raw["airspace"]:
        outline = region["outline_lon_lat_deg"]
        assert 3 <= len(outline) <= MOST_VERTICES, region["ident"]
        assert all(-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0 for lon, lat in outline)
        assert len({tuple(point) for point in outline}) == len(outline), region["ident"]
        assert all(round(lon, 2) == lon and round(lat, 2) == lat for lon, lat in outline)  # a kilometre, as typed


def test_the_airspace_is_one_of_about_forty_regions_that_can_be_used(raw, case):
    regions = airspace.load_geojson(given(case, "AIRSPACE_GEOJSON")[0].data)
    assert 35 <= len(regions.idents) <= 45
    assert len(regions.idents) == len(raw["airspace"])
    assert regions.invalid == ()
    assert all(len(ident) == 4 and ident.isupper() for ident in regions.idents)
    assert all(regions.names)


def test_every_region_that_was_named_is_in_the_airspace(case):
    assert len(case.said.named_firs) == 10
    assert case.said.named_firs <= set(airspace.load_geojson(given(case, "AIRSPACE_GEOJSON")[0].data).idents)


def test_the_element_sets_are_valid_of_the_object_and_before_its_re_entry(case):
    sets = [one for given_set in given(case, "TLE") for one in tle.read(given_set.data)]
    assert all(isinstance(one, ElementSet) for one in sets)
    assert {one.catalogue_number for one in sets} == {case.catalogue_number}
    epochs = [jd_to_datetime(one.epoch_jd, one.epoch_jd_fraction) for one in sets]
    assert epochs == sorted(epochs)
    assert case.truths[0].first_at - timedelta(days=3) < epochs[0] < epochs[-1] < case.truths[0].first_at


def test_the_weather_is_a_hundred_days_without_a_gap_up_to_the_last_set(raw, case):
    days = weather.read_cssi(given(case, "CSSI_SPACE_WEATHER")[0].data).observed
    assert len(days) == len(raw["space_weather"]) >= 100
    assert [day.mjd for day in days] == list(range(days[0].mjd, days[0].mjd + len(days)))
    last = datetime(1858, 11, 17, tzinfo=UTC) + timedelta(days=days[-1].mjd)
    published = given(case, "CSSI_SPACE_WEATHER")[0].available_at
    assert published - timedelta(days=2) < last <= published
    assert all(60.0 < day.f107_observed_sfu < 400.0 for day in days)
    typed = [ap for day in raw["space_weather"] for ap in day["ap_3h"]]
    assert [ap for day in days for ap in day.ap_3h] == typed
    assert set(typed) <= set(cases.AP)


def test_what_is_used_was_published_before_the_re_entry(case):
    assert max(one.available_at for one in case.inputs if one.available_at) < case.truths[0].first_at
    assert case.said.closed[0] < case.said.closed[1]


def test_the_cases_are_where_the_package_takes_them_along():
    assert Path(cases.FOLDER).is_relative_to(Path(cases.__file__).parent)


FILED = [name for name in cases.names() if name not in TYPED]
DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")


@needs_data
@pytest.mark.parametrize("name", FILED)
def test_a_case_in_files_is_of_one_object_and_ends_before_its_truth(name):
    case = cases.load(name)
    (history,) = given(case, "TLE")
    sets = [one for one in tle.read(history.data) if isinstance(one, ElementSet)]
    assert {one.catalogue_number for one in sets} == {case.catalogue_number}
    last = max(jd_to_datetime(one.epoch_jd, one.epoch_jd_fraction) for one in sets)
    assert all(last < truth.last_at and truth.first_at <= truth.last_at for truth in case.truths)


def filed(tmp_path, **changed) -> Path:
    (tmp_path / "own.tle").write_bytes(b"1\n")
    sha256 = hashlib.sha256(b"1\n").hexdigest()
    file = {"path": "own.tle", "sha256": sha256, "source": "own", "format": "TLE"} | changed
    return written(tmp_path, files=[file])


def written(tmp_path, **changed) -> Path:
    raw = {"name": "own", "title": "", "notice": "", "catalogue_number": 5, "truths": []} | changed
    (tmp_path / "own.json").write_text(json.dumps(raw))
    return tmp_path / "own.json"


def test_a_case_of_ones_own_finds_its_files_beside_it(tmp_path):
    (found,) = cases.load(str(filed(tmp_path))).inputs
    assert (found.data, found.source, found.format) == (b"1\n", "own", "TLE")


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"sha256": "0" * 64}, "is not the file the case was made with"), ({"path": "gone"}, "SPACECOM_VALIDATION_DATA")],
)
def test_a_case_whose_files_are_others_or_missing_is_refused(tmp_path, changed, said):
    with pytest.raises(cases.BadCase, match=said):
        cases.load(str(filed(tmp_path, **changed)))


@pytest.mark.parametrize("text", ["{", "{}", '{"name": "a"}'])
def test_a_case_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(cases.BadCase):
        cases.load(str(tmp_path / "a.json"))


AT = {"at_utc": "2024-01-15T23:13:00Z", "altitude_km": 80.0, "source": "own"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"truth": []}, "the case has 'truth', which is no field of it; there are: name, title"),
        ({"truths": [AT | {"tolerance_mins": 10}]}, "truths, number 1 has 'tolerance_mins'"),
        ({"truths": [AT | {"tolerance_min": "10"}]}, "tolerance_min is '10'; it must be a number"),
        ({"truths": [AT | {"tolerance_min": -10}]}, "ends at 2024-01-15 23:03, before it starts at 2024-01-15 23:23"),
        ({"truths": [AT | {"at_utc": "2024-01-15"}]}, "'2024-01-15' is no instant; write it as"),
        ({"truths": [AT | {"at_utc": "15 Jan 2024"}]}, "'15 Jan 2024' is no instant"),
        ({"truths": [{"altitude_km": 80.0, "source": "own"}]}, "needs at_utc, with tolerance_min, or else"),
        ({"truths": ["2024"]}, "truths, number 1 is no JSON object"),
        ({"truths": [{"at_utc": "2024-01-15T23:13:00Z"}]}, "truths, number 1 lacks altitude_km, source"),
        ({"catalogue_number": "5"}, "catalogue_number is '5'; it must be a whole number"),
        ({"to_be_declined_utc": ["soon"]}, "'soon' is no instant"),
        ({"element_sets": ["1 5U"]}, "element_sets, number 1 must be a list of the two lines of a set"),
        ({"space_weather": []}, "lacks space_weather_available_at"),
        (
            {
                "space_weather": [{"date": "2024-01-15", "ap_3h": [1] * 8, "f107_observed_sfu": 100}],
                "space_weather_available_at": AT["at_utc"],
            },
            "it must be eight values of ap",
        ),
    ],
)
def test_what_is_wrong_with_a_case_is_said_with_its_place(tmp_path, changed, said):
    with pytest.raises(cases.BadCase, match=re.escape(said)):
        cases.load(str(written(tmp_path, **changed)))


@pytest.mark.parametrize(("changed", "said"), [({"format": "tle"}, "format 'tle' is none; there are: AIRSPACE")])
def test_a_file_of_no_known_format_is_refused(tmp_path, changed, said):
    with pytest.raises(cases.BadCase, match=said):
        cases.load(str(filed(tmp_path, **changed)))


def test_a_file_that_is_compressed_is_to_be_unpacked(tmp_path):
    packed = gzip.compress(b"1\n")
    path = filed(tmp_path, sha256=hashlib.sha256(packed).hexdigest())
    (tmp_path / "own.tle").write_bytes(packed)
    with pytest.raises(cases.BadCase, match="is compressed; unpack it"):
        cases.load(str(path))


def test_a_time_without_a_zone_is_utc_wherever_the_case_is_read(tmp_path, monkeypatch):
    path = written(tmp_path, truths=[AT | {"at_utc": "2024-01-15T23:13:00", "tolerance_min": 10, "latitude_deg": None}])
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        (truth,) = cases.load(str(path)).truths
    finally:
        monkeypatch.undo()
        time.tzset()
    assert truth.middle_at == datetime(2024, 1, 15, 23, 13, tzinfo=UTC)
    assert truth.latitude_deg is None


def test_an_unknown_case_names_those_there_are():
    with pytest.raises(cases.BadCase, match="cz5b-2022"):
        cases.load("nothing")
