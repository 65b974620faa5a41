import itertools
import json
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from libs.astro import airspace_geojson, airspace_validity
from libs.astro.airspace import load_geojson
from libs.astro.airspace_geojson import level_fl
from libs.astro.elements import RefusalReason, Refused
from libs.astro.tests.airspace_files import (
    box,
    collection,
    ead,
    ead_file,
    feature,
    loaded,
    needs_data,
    simulator,
    simulator_file,
)


@needs_data
@pytest.mark.parametrize(("regions", "file", "count"), [(simulator, simulator_file, 16), (ead, ead_file, 1)])
def test_the_invalid_outlines_are_those_of_shapely(regions, file, count):
    features = json.loads(file())["features"]
    invalid = [at for at, one in enumerate(features, start=1) if not shape(one["geometry"]).is_valid]
    found = [finding.feature for finding in regions().findings if finding.invalid]
    assert (found, len(found)) == (invalid, count)


@needs_data
def test_the_invalid_outlines_of_the_simulator_are_named():
    """Names by shapely 2.2's is_valid."""
    assert [ident for ident, _ in simulator().invalid] == [
        "DAAA-SW", "EDWW-FLG", "ENBD", "ENBD-C", "ENBD-S", "GMAC", "GMMM", "GMMM-NE", "LDZO", "LDZO-N", "LDZO-S",
        "RJTG-T35", "UWWW-E", "UWWW-N", "VAAH", "VYYF",
    ]  # fmt: skip


@needs_data
def test_the_ead_set_loads_whole():
    """279 designators over 336 polygons, 32 floors in metres, as counted in the file's table."""
    assert (len(ead().idents), len(ead().volumes)) == (279, 336)
    levels = {(one.ident, one.kind): (one.lower_fl, one.upper_fl) for one in ead().volumes}
    assert (levels["EGGX", "FIR"], levels["LFMM", "FIR"]) == ((0.0, 55.0), (0.0, 195.0))
    assert levels["UHPM", "FIR"] == (pytest.approx(2450.0 / 30.48), 260.0)
    assert levels["BIRD", "FIR"] == (10.0, math.inf)


@pytest.mark.parametrize(
    ("limit", "unit", "expected"),
    [
        ("195", "FL", 195.0),
        ("195", "", 195.0),
        ("FL195", "", 195.0),
        ("2500", "FT", 25.0),
        ("2500 ft", "", 25.0),
        ("1500", "M", 49.21259842519685),  # 1,500 m / 30.48 m a level
        ("GND", "", 0.0),
        ("SFC", "FT", 0.0),
        ("UNL", "FL", math.inf),
        ("", "FL", None),
        ("by notice", "", None),
    ],
)
def test_limits_become_flight_levels(limit, unit, expected):
    assert level_fl(limit, unit) == (expected if expected is None else pytest.approx(expected))


def test_limits_come_under_both_names_and_999_is_none():
    ead_like = {"IDENT": "AAAA", "LOWERLIMIT": "3048", "LOWERUNIT": "M", "UPPERLIMIT": "999", "UPPERUNIT": "FL"}
    volumes, _ = airspace_geojson.read(
        collection(
            {**feature("", [box(0, 0, 1, 1)]), "properties": ead_like},
            feature("BBBB", [box(0, 0, 1, 1)], lower_fl=100, upper_fl=245.0),
            feature("CCCC", [box(0, 0, 1, 1)]),
        )
    )
    levels = [(volume.lower_fl, volume.upper_fl) for volume in volumes]
    assert levels == [(pytest.approx(100.0), math.inf), (100.0, 245.0), (0.0, math.inf)]


def test_limits_the_wrong_way_round_are_found_and_not_used():
    regions = loaded(feature("LECM", [box(0, 0, 1, 1)], lower_fl=245, upper_fl=195))
    assert (regions.volumes[0].lower_fl, regions.volumes[0].upper_fl) == (0.0, math.inf)
    (finding,) = regions.findings
    assert "FL245 is not below" in finding.problem
    assert not finding.invalid


@pytest.mark.parametrize(
    ("ring", "problem"),
    [
        ([[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]], "crosses itself at 1.0000N 1.0000E"),
        ([[0, 0], [4, 0], [4, 6], [4, 4], [0, 4], [0, 0]], "spike"),
        ([[0, 0], [2, 2], [4, 0], [4, 4], [2, 2], [0, 4], [0, 0]], "touches itself at 2.0000N 2.0000E"),
        ([[0, 0], [1, 0], [0, 0]], "fewer than three corners"),
        ([[0, 0], [1, 0], [0, 99], [0, 0]], "not degrees"),
        ([[0, 0], [1, "x"], [0, 9], [0, 0]], "not pairs of numbers"),
        ([[0, 0], [120, 5], [240, 0], [360, 5], [480, 0], [600, 5], [720, 0]], "more than once"),
    ],
)
def test_what_is_wrong_with_an_outline_is_said(ring, problem):
    ((ident, said),) = loaded(feature("LECM", [ring])).invalid
    assert ident == "LECM"
    assert problem in said


@pytest.mark.parametrize(
    ("ring", "problem"),
    [
        ([[0, 0], [1, 0], [1, 1], [0, 1]], "not closed"),
        ([[0, 0], [1, 0], [1, 0], [1, 1], [0, 1], [0, 0]], "twice in a row"),
        ([[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]], "antimeridian"),
        ([[0, 80], [120, 80], [-120, 80], [0, 80]], "north pole"),
    ],
)
def test_what_was_repaired_in_an_outline_is_said_too(ring, problem):
    regions = loaded(feature("LECM", [ring]))
    assert any(problem in finding.problem for finding in regions.findings)
    assert not regions.invalid


def test_features_that_cannot_be_used_are_left_out_by_name():
    nameless = {**feature("", [box(0, 0, 1, 1)]), "properties": {}}
    point = {"type": "Feature", "properties": {"ident": "PPPP"}, "geometry": {"type": "Point", "coordinates": [0, 0]}}
    regions = load_geojson(collection(nameless, point, feature("LECM", [box(0, 0, 1, 1)])))
    assert [finding.ident for finding in regions.findings] == ["feature 1", "PPPP"]
    assert regions.idents == ("LECM",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe", RefusalReason.UNREADABLE),
        (b"[1, ", RefusalReason.UNREADABLE),
        (b"[" * 100_000, RefusalReason.UNREADABLE),
        (b"[]", RefusalReason.UNREADABLE),
        (b'{"type": "FeatureCollection"}', RefusalReason.MISSING),
        (b'{"type": "FeatureCollection", "features": [NaN]}', RefusalReason.NOT_FINITE),
    ],
)
def test_what_is_no_collection_of_features_is_refused(data, reason):
    with pytest.raises(Refused) as refused:
        load_geojson(data)
    assert refused.value.reason is reason


grid_ring = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=7).map(
    lambda corners: [corner for corner, _ in itertools.groupby([*corners, corners[0]])]
)


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.lists(grid_ring.filter(lambda ring: len(ring) >= 4), min_size=1, max_size=2), min_size=1, max_size=2)
)
def test_validity_is_that_of_shapely_on_rings_that_touch_and_overlap(polygons):
    """On a coarse grid corners, edges and touches coincide all the time."""
    arrays = [[np.array(ring, dtype=np.float64) for ring in polygon] for polygon in polygons]
    expected = shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in polygons]).is_valid
    assert (airspace_validity.problem(arrays) == "") == expected


@pytest.mark.parametrize(
    ("polygons", "valid"),
    [
        ([[box(0, 0, 9, 9), box(1, 1, 3, 3), box(5, 5, 7, 7)]], True),
        ([[box(0, 0, 9, 9), box(1, 1, 5, 5), box(2, 2, 3, 3)]], False),
        ([[box(0, 0, 9, 9), box(20, 1, 30, 5)]], False),
        ([[box(0, 0, 9, 9), box(2, 2, 7, 7)], [box(3, 3, 6, 6)]], True),
        ([[box(0, 0, 9, 9)], [box(3, 3, 6, 6)]], False),
        ([[box(0, 0, 9, 9)], [box(9, 9, 12, 12)]], True),
        ([[box(0, 0, 9, 9)], [box(9, 0, 12, 9)]], False),
        ([[box(0, 0, 9, 9), [[0, 0], [3, 5], [9, 9], [5, 3], [0, 0]]]], False),
        ([[box(0, 0, 9, 9), [[0, 0], [3, 5], [5, 3], [0, 0]]]], True),
    ],
)
def test_rings_are_valid_where_simple_features_say_so(polygons, valid):
    arrays = [[np.array(ring, dtype=np.float64) for ring in polygon] for polygon in polygons]
    assert shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in polygons]).is_valid == valid
    assert (airspace_validity.problem(arrays) == "") == valid


def test_orientation_is_exact_where_rounding_hides_it():
    """Points on the line through (0.5, 0.5) and (12, 12) a bit apart: plain arithmetic calls many of them collinear."""
    bit = 2.0**-53
    for i, j in itertools.product(range(16), repeat=2):
        x, y = 0.5 + i * bit * 2.0, 0.5 + j * bit * 2.0
        assert airspace_validity.orientation(12.0, 12.0, 24.0, 24.0, x, y) == (j > i) - (j < i)
