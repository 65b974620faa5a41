"""The core stage of Long March 5B Y4 (54217) from its last two sets, held against 4 November 2022.

What happened: re-entry at 10:01 UTC near 2 S 114 W (General Catalog of Artificial Space Objects, whole degrees: 60 km
allowed). What was said: the network manager's ten regions, and a window of 11:20 +- 3 h.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shapely.geometry import Point, shape

from libs import cases
from libs.astro import airspace, geodesy
from services.hazard import assessing, bench, closing_case, flight_files, plan_domain, scenario, summing
from services.hazard.tests.test_assessing import NOTHING

TRUTH = datetime(2022, 11, 4, 10, 1, tzinfo=UTC)
PUBLISHED = datetime(2022, 11, 4, 11, 20, tzinfo=UTC)
SAMPLES = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("blobs")


@pytest.fixture(scope="module")
def whole(folder) -> bench.Whole:
    chosen = bench.thinned(scenario.choose(bench.STAGE))
    return bench.run(bench.inputs_of(), chosen, SAMPLES, folder)


@pytest.fixture(scope="module")
def plans(whole, folder) -> dict[plan_domain.Objective, plan_domain.Plan]:
    """At a residual of 5 %, on the average day."""
    return closing_case.plans(whole, folder)


@pytest.fixture(scope="module")
def plan(plans) -> plan_domain.Plan:
    return plans[plan_domain.Objective.AREA]


@pytest.fixture(scope="module")
def named() -> frozenset[str]:
    said = cases.load(bench.CASE).said
    assert said is not None
    return said.named_firs


def test_the_truth_lies_in_our_90_percent_window(whole):
    assessed = whole.settled.assessed
    assert assessed.window_start_time <= TRUTH <= assessed.window_end_time


def test_our_own_window_brings_nine_of_the_ten_regions(whole, named):
    found = {fir.fir_designator for fir in whole.settled.assessed.firs if fir.passes}
    assert len(found & named) >= 9


def test_the_published_window_brings_all_ten(whole, named):
    regions = airspace.load_geojson(bench.inputs_of().geojson)
    results = [one for part in whole.flown for one in flight_files.read_result(part.result) if one.reached]
    limits = tuple(bench.seconds_of(whole, PUBLISHED + hours) for hours in (-timedelta(hours=3), timedelta(hours=3)))
    nothing = summing.Sums(*NOTHING, (600.0, 0.0), len(results), whole.start)
    found = assessing.hazards(results, regions, whole.start, limits, nothing)
    assert {fir.fir_designator for fir in found if fir.passes} >= named


def test_the_true_point_lies_in_the_99_percent_corridor(whole):
    features = json.loads(whole.corridor)["features"]
    wanted = [one for one in features if one["properties"]["level"] == "80 km" and one["properties"]["percent"] == 99]
    areas = [shape(one["geometry"]) for one in wanted]
    assert all(one.is_valid for one in areas)
    kilometre = 1.0 / (geodesy.MEAN_RADIUS_KM * 3.141592653589793 / 180.0)
    assert min(one.distance(Point(-114.0, -2.0)) for one in areas) <= 60.0 * kilometre


def test_regions_bands_and_what_lies_outside_add_up(whole):
    """Shares to 1, piece-seconds to the whole, within 1e-9."""
    assessed = whole.settled.assessed
    assert abs(sum(fir.share for fir in assessed.firs) + assessed.unassigned_share - 1.0) < 1e-9
    parts = [fir.pieces.piece_seconds for fir in (*assessed.firs, assessed.unassigned) if fir.pieces]
    assert sum(parts) == pytest.approx(assessed.pieces.piece_seconds, rel=1e-9)
    assert sum(one.piece_seconds for one in assessed.bands) == pytest.approx(assessed.pieces.piece_seconds, rel=1e-9)
    for fir in assessed.firs:
        if fir.pieces:
            chances = [band.any_probability for band in fir.bands]
            assert max(chances) <= fir.pieces.any_probability + 1e-12
            assert fir.pieces.any_probability <= sum(chances) + 1e-12


def test_the_plan_closes_half_of_fixed_corridors_and_a_fifth_of_the_whole_window(plan):
    """Wanted of a plan at a residual of 5 %: at most 1/2 of A's area-time and 1/5 of B's; A and B are 100 km wide."""
    ways = {way.name: way for way in plan.ways}
    assert ways["plan"].residual <= 0.05 + 1e-9
    assert ways["plan"].nm2_minutes <= 0.5 * ways["A 100 km"].nm2_minutes
    assert ways["plan"].nm2_minutes <= 0.2 * ways["B 100 km"].nm2_minutes
    assert ways["plan"].nm2_minutes < ways["whole regions"].nm2_minutes
    assert plan.gap < 0.01


def test_the_plan_of_least_cost_costs_less_than_any_other_way(plans):
    """In EUR: the plan of the least area may cost more than A, which takes less of the risk away."""
    plan = plans[plan_domain.Objective.COST]
    ways = {way.name: way for way in plan.ways}
    assert ways["plan"].residual <= 0.05 + 1e-9
    assert all(ways["plan"].cost_eur < way.cost_eur for name, way in ways.items() if name in ("A 100 km", "B 100 km"))
    assert ways["plan"].cost_eur <= 1.01 * plans[plan_domain.Objective.AREA].ways[0].cost_eur
    assert ways["plan"].nm2_minutes <= 0.5 * ways["A 100 km"].nm2_minutes


def test_the_plan_holds_for_samples_it_was_not_made_with(plan):
    """Made with half of the samples it leaves more of the other half's risk than 5 %, for noise, but less than A does.

    A plan that closed the samples it saw, and nothing else, left 18 % with 500 of them.
    """
    fixed = next(way for way in plan.ways if way.name == "A 100 km")
    assert plan.unseen_residual < min(0.15, fixed.residual)
