import math

import numpy as np
import pytest

from libs.astro.airspace import NOWHERE
from libs.astro.tests.airspace_files import box, ead, feature, loaded, needs_data


def at_level(regions, lat, lon, level):
    found, strict = regions.find_at(np.array([lat]), np.array([lon]), np.array([level]))
    return (regions.volumes[found[0]].name if found[0] != NOWHERE else ""), bool(strict[0])


@pytest.fixture(scope="module")
def stack():
    return loaded(
        feature("LOWR", [box(0, 0, 4, 4)], name="low", upper_fl=195),
        feature("UPPR", [box(0, 0, 9, 9)], name="upper", lower_fl=195, upper_fl=600),
        feature("OCEA", [box(20, 0, 29, 9)], name="ocean", upper_fl=55),
        feature("HIGH", [box(20, 0, 24, 4)], name="high", lower_fl=400),
    )


@pytest.mark.parametrize(
    ("lon", "level", "expected"),
    [
        (2.0, 0.0, ("low", True)),
        (2.0, 194.9, ("low", True)),
        (2.0, 195.0, ("upper", True)),  # the lower limit is within, the upper one is not
        (2.0, 600.0, ("upper", False)),  # none reaches it: the nearest top below
        (8.0, 100.0, ("upper", False)),  # nothing below: the nearest floor above
        (22.0, 100.0, ("ocean", False)),  # below goes before above
        (22.0, 400.0, ("high", True)),
        (26.0, 350.0, ("ocean", False)),
        (15.0, 100.0, ("", False)),
    ],
)
def test_points_go_to_the_volume_of_their_level_or_the_nearest(stack, lon, level, expected):
    assert at_level(stack, 2.0, lon, level) == expected


def test_regions_know_what_lies_above_them(stack):
    """Of 4 by 4 degrees all lie under the upper region; of 9 by 9 over the ocean nothing continues at FL55."""
    above = stack.above()
    assert above["LOWR"] == {"UPPR": pytest.approx(1.0)}
    assert above["OCEA"] == {}
    assert "HIGH" not in above


def test_levels_are_numbers(stack):
    with pytest.raises(ValueError, match="point 0"):
        stack.find_at(np.array([2.0]), np.array([2.0]), np.array([math.nan]))


@needs_data
def test_strict_levels_alone_would_give_shanwick_and_marseille_nothing_at_cruise():
    """EGGX tops at FL55 with nothing above it in the set; LFMM tops at FL195 under the France UIR."""
    assert at_level(ead(), 53.0, -25.0, 350.0) == ("SHANWICK FIR", False)
    assert at_level(ead(), 43.3, 5.4, 350.0) == ("FRANCE UIR", True)
    assert at_level(ead(), 43.3, 5.4, 100.0) == ("MARSEILLE FIR", True)
    assert ead().above()["LFMM"]["LFFF"] > 0.99
    found = ead().find(np.array([53.0, 43.3]), np.array([-25.0, 5.4]))
    assert [ead().idents[region] for region in found] == ["EGGX", "LFMM"]


@needs_data
@pytest.mark.parametrize("level", [100.0, 350.0, 600.0])
def test_every_point_with_airspace_has_a_volume_at_every_level(level):
    rng = np.random.default_rng(3)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, 50_000))), rng.uniform(-180.0, 180.0, 50_000)
    found, strict = ead().find_at(lat, lon, np.full(lat.size, level))
    np.testing.assert_array_equal(found == NOWHERE, ead().find_volumes(lat, lon) == NOWHERE)
    reached = [ead().volumes[volume] for volume in found[strict]]
    assert all(volume.lower_fl <= level < volume.upper_fl for volume in reached)


def test_a_moving_point_enters_and_leaves_at_the_borders():
    """Along the equator at a degree a minute: borders at whole degrees are crossed on whole minutes."""
    regions = loaded(feature("WEST", [box(2, -5, 6, 5)]), feature("EAST", [box(6, -5, 7, 5)]))
    visits = regions.visits(np.array([0.0, 600.0]), np.zeros(2), np.array([0.0, 10.0]))
    assert [regions.idents[visit.region] for visit in visits] == ["WEST", "EAST"]
    times = [(visit.entry_s, visit.exit_s) for visit in visits]
    assert times == [pytest.approx((120.0, 360.0), abs=1e-9), pytest.approx((360.0, 420.0), abs=1e-9)]


def test_a_moving_point_may_start_and_end_inside_and_pass_the_antimeridian():
    regions = loaded(feature("NZZO", [box(170, -10, 190, 10)]))
    (visit,) = regions.visits(np.array([5.0, 10.0, 15.0]), np.zeros(3), np.array([175.0, 180.0, -175.0]))
    assert (visit.entry_s, visit.exit_s) == (5.0, 15.0)


def test_a_moving_point_over_the_pole_stays_in_the_region_around_it():
    regions = loaded(feature("POLE", [[[lon, 70] for lon in range(0, 360, 10)]]))
    (visit,) = regions.visits(np.array([0.0, 10.0, 20.0]), np.array([60.0, 90.0, 60.0]), np.array([10.0, 10.0, 190.0]))
    assert (visit.entry_s, visit.exit_s) == (pytest.approx(20.0 / 6.0, rel=1e-6), pytest.approx(50.0 / 3.0, rel=1e-6))


def test_a_falling_point_changes_volumes_at_their_limits(stack):
    """From FL700 to the ground in 700 s, above the corner where the lower region lies under the upper one."""
    visits = stack.visits(np.array([0.0, 700.0]), np.array([2.0, 2.0]), np.array([2.0, 2.1]), np.array([700.0, 0.0]))
    stays = [(stack.idents[visit.region], round(visit.entry_s, 6), round(visit.exit_s, 6)) for visit in visits]
    assert stays == [("UPPR", 0.0, 505.0), ("LOWR", 505.0, 700.0)]


@needs_data
def test_crossings_of_a_ground_track_are_those_found_by_halving():
    """An orbit's track over both sets of edges; between instants 1 ms either side the region changes just so."""
    seconds = np.arange(0.0, 5_400.0, 20.0)
    angle = 2.0 * np.pi * seconds / 5_400.0
    lat = np.degrees(np.arcsin(np.sin(np.radians(51.6)) * np.sin(angle)))
    lon = np.degrees(np.arctan2(np.cos(np.radians(51.6)) * np.sin(angle), np.cos(angle)) - 7.29e-5 * seconds)
    lon = (lon + 180.0) % 360.0 - 180.0
    visits = ead().visits(seconds, lat, lon)
    assert len(visits) > 20
    for visit in visits:
        inside = [visit.entry_s + 0.001, visit.exit_s - 0.001]
        if visit.exit_s - visit.entry_s > 0.002:
            assert _regions_at(inside, seconds, lat, lon).tolist() == [visit.region] * 2
        outside = [t for t in (visit.entry_s - 0.001, visit.exit_s + 0.001) if 0.0 < t < seconds[-1]]
        others = [other for other in visits if other is not visit and other.exit_s - other.entry_s < 0.002]
        if not others:
            assert visit.region not in _regions_at(outside, seconds, lat, lon).tolist()


def _regions_at(times, seconds, lat, lon):
    """By the great circle between the track's points, apart from the kernel."""
    a, b = np.radians(lat), np.radians(lon)
    points = np.column_stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)])
    found = []
    for t in times:
        k = min(int(np.searchsorted(seconds, t, side="right")) - 1, len(seconds) - 2)
        f = (t - seconds[k]) / (seconds[k + 1] - seconds[k])
        angle = np.arccos(points[k] @ points[k + 1])
        x, y, z = np.sin((1.0 - f) * angle) * points[k] + np.sin(f * angle) * points[k + 1]
        found.append((np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))))
    where = np.array(found).reshape(-1, 2)
    return ead().find(where[:, 0], where[:, 1])


def test_seconds_of_a_track_do_not_fall(stack):
    with pytest.raises(ValueError, match="do not fall"):
        stack.visits(np.array([0.0, -1.0]), np.zeros(2), np.zeros(2))


def test_a_track_of_one_point_or_none_visits_nothing(stack):
    assert stack.visits(np.zeros(1), np.ones(1), np.ones(1)) == []
    assert stack.visits(np.empty(0), np.empty(0), np.empty(0)) == []
