"""The cases of the product hold typed figures and nothing else, and what they say is consistent."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.astro import airspace, tle, weather
from libs.astro.elements import ElementSet
from libs.astro.time import jd_to_datetime
from services.cli import cases, demo

NAMES = sorted(path.stem for path in cases.FOLDER.glob("*.json"))
MOST_VERTICES = 25


@pytest.fixture(params=NAMES)
def raw(request) -> dict:
    return json.loads((cases.FOLDER / f"{request.param}.json").read_text())


@pytest.fixture
def case(raw) -> cases.Case:
    return cases.load(raw["name"])


def test_there_is_the_case_of_the_demonstration():
    assert "cz5b-2022" in NAMES


def test_a_case_says_that_it_is_not_for_operations(raw, case):
    assert case.notice == "demonstration, not for operations"
    assert json.loads(case.airspace)["notice"] == case.notice
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
    regions = airspace.load_geojson(case.airspace)
    assert 35 <= len(regions.idents) <= 45
    assert len(regions.idents) == len(raw["airspace"])
    assert regions.invalid == ()
    assert all(len(ident) == 4 and ident.isupper() for ident in regions.idents)
    assert all(regions.names)


def test_every_region_that_was_named_is_in_the_airspace(case):
    assert len(case.named_firs) == 10
    assert case.named_firs <= set(airspace.load_geojson(case.airspace).idents)


def test_the_element_sets_are_valid_of_the_object_and_before_its_re_entry(case):
    sets = [one for data in case.element_sets for one in tle.read(data)]
    assert all(isinstance(one, ElementSet) for one in sets)
    assert {one.catalogue_number for one in sets} == {case.catalogue_number}
    epochs = [jd_to_datetime(one.epoch_jd, one.epoch_jd_fraction) for one in sets]
    assert epochs == sorted(epochs)
    assert case.reentry_time - timedelta(days=3) < epochs[0] < epochs[-1] < case.reentry_time


def test_the_weather_is_a_hundred_days_without_a_gap_up_to_the_last_set(raw, case):
    days = weather.read_cssi(case.weather).observed
    assert len(days) == len(raw["space_weather"]) >= 100
    assert [day.mjd for day in days] == list(range(days[0].mjd, days[0].mjd + len(days)))
    last = datetime(1858, 11, 17, tzinfo=UTC) + timedelta(days=days[-1].mjd)
    assert case.weather_available_at - timedelta(days=2) < last <= case.weather_available_at
    assert all(60.0 < day.f107_observed_sfu < 400.0 for day in days)
    given = [ap for day in raw["space_weather"] for ap in day["ap_3h"]]
    assert [ap for day in days for ap in day.ap_3h] == given
    assert set(given) <= set(cases.AP)


def test_what_is_used_was_published_before_the_re_entry(case):
    assert max(case.weather_available_at, case.airspace_available_at) < case.reentry_time
    assert case.closed[0] < case.closed[1]


def test_the_epoch_that_the_demonstration_looks_for_is_that_of_the_set(case):
    for data in case.element_sets:
        (one,) = tle.read(data)
        found = demo._epoch_of(data)
        assert abs((found - jd_to_datetime(one.epoch_jd, one.epoch_jd_fraction)).total_seconds()) < 1e-3


def test_a_demonstration_passes_only_when_all_of_it_holds():
    assert demo.Checks(truth_in_window=True, named_firs_found=9, shares_sum_to_one=True).passed
    for changed in ({"truth_in_window": False}, {"named_firs_found": 8}, {"shares_sum_to_one": False}):
        good = {"truth_in_window": True, "named_firs_found": 10, "shares_sum_to_one": True}
        assert not demo.Checks(**good | changed).passed


def test_the_cases_are_where_the_package_takes_them_along():
    assert Path(cases.FOLDER).is_relative_to(Path(cases.__file__).parent)
