import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.astro import airspace_outline
from libs.astro.airspace import NOWHERE, Airspace, load_geojson
from libs.astro.elements import Refused
from libs.astro.tests.airspace_files import box, collection, ead, feature, loaded, needs_data, simulator, whole_regions


def at(regions: Airspace, lat: float, lon: float) -> str:
    found = int(regions.find(np.array([lat]), np.array([lon]))[0])
    return "" if found == NOWHERE else regions.idents[found]


def over_the_globe(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count))), rng.uniform(-180.0, 180.0, count)


def by_shapely(regions: Airspace, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """The first volume whose dense rings hold each point an odd number of times, on any turn of the Earth."""
    shapes = [
        (rank, shapely.Polygon(ring - (360.0 * turn, 0.0)))
        for rank, volume in enumerate(regions.volumes)
        for ring in volume.rings
        for turn in (-1, 0, 1)
        if ring[:, 0].min() - 360.0 * turn <= 180.0 and ring[:, 0].max() - 360.0 * turn >= -180.0
    ]
    polygons = [shape for _, shape in shapes]
    shapely.prepare(polygons)
    places, points = shapely.STRtree(shapely.points(lon, lat)).query(polygons, predicate="contains")
    ranks = np.array([rank for rank, _ in shapes])[places]
    keys, times = np.unique(points * np.int64(len(regions.volumes)) + ranks, return_counts=True)
    first = np.full(lat.size, len(regions.volumes))
    held = keys[times % 2 == 1]
    np.minimum.at(first, held // len(regions.volumes), held % len(regions.volumes))
    return np.where(first == len(regions.volumes), NOWHERE, first)


@needs_data
@pytest.mark.parametrize(("regions", "count"), [(ead, 1_000_000), (simulator, 200_000)])
def test_ids_are_those_of_shapely_on_random_points(regions, count):
    """INVARIANT: raster and edge lists change nothing; invalid outlines too are held by the even-odd rule."""
    lat, lon = over_the_globe(count, 1)
    found = regions().find_volumes(lat, lon, threads=2)
    np.testing.assert_array_equal(found, by_shapely(regions(), lat, lon))
    assert np.mean(found != NOWHERE) > 0.8  # the EAD set leaves out much of the oceans


@needs_data
@pytest.mark.parametrize("regions", [ead, simulator])
def test_ids_are_those_of_shapely_near_borders_the_antimeridian_and_the_poles(regions):
    rng = np.random.default_rng(2)
    rings = [ring for volume in regions().volumes for ring in volume.rings]
    corners = np.vstack(rings)[rng.integers(0, sum(map(len, rings)), 100_000)] + rng.normal(0.0, 0.01, (100_000, 2))
    lat = np.r_[corners[:, 1], rng.uniform(-90.0, 90.0, 20_000), 90.0 - rng.exponential(0.5, 10_000)]
    lon = np.r_[corners[:, 0], 180.0 + rng.normal(0.0, 0.2, 20_000), rng.uniform(-180.0, 180.0, 10_000)]
    lat, lon = np.clip(lat, -89.999, 89.999), (lon + 180.0) % 360.0 - 180.0
    np.testing.assert_array_equal(regions().find_volumes(lat, lon), by_shapely(regions(), lat, lon))


@needs_data
@pytest.mark.parametrize("regions", [ead, whole_regions])
@pytest.mark.parametrize(
    ("lat", "lon", "ident"),
    [
        (22.2, 50.0, "OEJD"),
        (2.65, 72.47, "VRMF"),
        (-56.0, -60.0, "SAVF"),
        (0.77, 110.47, "WIIF"),
        (40.4, -3.7, "LECM"),
        (41.3, 2.1, "LECB"),
        (53.0, -25.0, "EGGX"),
    ],
)
def test_known_places_lie_in_their_regions(regions, lat, lon, ident):
    """Places on which both sets agree, written down with the data."""
    assert at(regions(), lat, lon) == ident


@needs_data
@pytest.mark.parametrize(
    ("regions", "lat", "ident"),
    [
        (ead, 70.0, "UHMM"),
        (ead, 56.0, "PAZA"),
        (whole_regions, -41.0, "NZZO"),
        (whole_regions, -15.0, "NFFF"),
        (whole_regions, 25.0, "KZAK"),
        (whole_regions, -75.0, "NZCM"),
    ],
)
def test_regions_on_the_antimeridian_are_found_from_both_sides(regions, lat, ident):
    """Magadan, Anchorage, Auckland, Nadi, Oakland and McMurdo: the published regions lie on both sides."""
    assert {at(regions(), lat, lon) for lon in (179.9, 180.0, -180.0, -179.9, 180.1, 540.0)} == {ident}


def test_the_smallest_of_overlapping_regions_answers():
    regions = loaded(feature("WIDE", [box(0, 0, 20, 20)]), feature("SLIM", [box(5, 5, 8, 8)]))
    assert (at(regions, 6.0, 6.0), at(regions, 10.0, 10.0), at(regions, 30.0, 10.0)) == ("SLIM", "WIDE", "")
    assert [volume.ident for volume in regions.over(6.0, 6.0)] == ["SLIM", "WIDE"]


def test_equal_areas_go_by_designator():
    regions = loaded(feature("BBBB", [box(0, 0, 5, 5)]), feature("AAAA", [box(0, 0, 5, 5)]))
    assert at(regions, 2.0, 2.0) == "AAAA"


def test_an_upper_region_of_the_same_outline_and_designator_does_not_cancel_the_lower():
    """INVARIANT: the even-odd rule holds within a feature; features of one designator add up."""
    low, high = feature("LECM", [box(0, 0, 5, 5)], upper_fl=245), feature("LECM", [box(0, 0, 5, 5)], lower_fl=245)
    regions = loaded(low, high)
    assert (regions.idents, at(regions, 2.0, 2.0)) == (("LECM",), "LECM")


def test_holes_are_outside_and_islands_in_them_inside():
    regions = loaded(feature("HOLE", [box(0, 0, 9, 9), box(2, 2, 7, 7)], [box(4, 4, 5, 5)]))
    assert [at(regions, y, y) for y in (1.0, 3.0, 4.5, 8.0)] == ["HOLE", "", "HOLE", "HOLE"]


@pytest.mark.parametrize(
    "rings",
    [
        [[[170, -10], [-170, -10], [-170, 10], [170, 10], [170, -10]]],
        [[[170, -10], [190, -10], [190, 10], [170, 10], [170, -10]]],
        [[[-190, -10], [-170, -10], [-170, 10], [-190, 10], [-190, -10]]],
    ],
)
def test_an_outline_over_the_antimeridian_is_the_same_however_it_is_written(rings):
    regions = loaded(feature("NZZO", rings))
    assert [at(regions, 0.0, lon) for lon in (169.0, 171.0, 180.0, -180.0, -171.0, -169.0, 189.0)] == [
        "", "NZZO", "NZZO", "NZZO", "NZZO", "", "NZZO",
    ]  # fmt: skip
    assert not regions.invalid


def test_a_hole_over_the_antimeridian_lies_in_its_outline():
    outline = [[160, -20], [-160, -20], [-160, 20], [160, 20], [160, -20]]
    hole = [[-178, -5], [-178, 5], [178, 5], [178, -5], [-178, -5]]
    regions = loaded(feature("NZZO", [outline, hole]))
    assert [at(regions, 0.0, lon) for lon in (-180.0, 179.0, 177.0, -177.0)] == ["", "", "NZZO", "NZZO"]
    assert not regions.invalid


def test_halves_on_both_sides_of_the_antimeridian_leave_no_gap():
    regions = loaded(feature("NZZO", [box(170, -10, 180, 10)], [box(-180, -10, -170, 10)]))
    assert [at(regions, 0.0, lon) for lon in (179.9999999, 180.0, -180.0, -179.9999999)] == ["NZZO"] * 4


@pytest.mark.parametrize("pole", [1.0, -1.0])
def test_a_ring_around_a_pole_holds_it(pole):
    ring = [[lon, 70.0 * pole] for lon in range(-180, 180, 30)]
    regions = loaded(feature("POLE", [ring]))
    assert [at(regions, lat * pole, 77.0) for lat in (90.0, 80.0, 60.0, -80.0)] == ["POLE", "POLE", "", ""]
    assert "pole" in " ".join(finding.problem for finding in regions.findings)


def test_a_pole_drawn_in_the_plane_of_longitude_and_latitude_is_the_same():
    corners = [[lon, -70.0] for lon in range(-180, 181, 30)]
    regions = loaded(feature("POLE", [[*corners, [180, -90], [-180, -90], [-180, -70]]]))
    assert [at(regions, lat, 77.0) for lat in (-90.0, -80.0, -60.0)] == ["POLE", "POLE", ""]
    assert [at(regions, -80.0, lon) for lon in (-180.0, 179.999)] == ["POLE", "POLE"]


def test_a_band_around_the_earth_has_neither_pole():
    north = [[lon, 60.0] for lon in range(-180, 180, 30)]
    south = [[lon, -60.0] for lon in range(-180, 180, 30)]
    regions = loaded(feature("BAND", [north, south]))
    assert [at(regions, lat, 77.0) for lat in (80.0, 0.0, -80.0)] == ["", "BAND", ""]


def test_an_edge_of_half_a_turn_passes_over_the_pole():
    regions = loaded(feature("HALF", [[[0, 60], [90, 60], [180, 60], [0, 60]]]))
    assert [at(regions, 80.0, lon) for lon in (90.0, -90.0)] == ["HALF", ""]


def test_edges_are_great_circles():
    """Half-way between 60N 0E and 60N 90E a great circle is at atan(tan 60 / cos 45) = 67.7923 N."""
    regions = loaded(feature("ARCS", [[[0, 60], [90, 60], [45, 10], [0, 60]]]))
    middle = math.degrees(math.atan(math.tan(math.radians(60.0)) * math.sqrt(2.0)))
    assert [at(regions, middle + d, 45.0) for d in (-0.001, 0.001)] == ["ARCS", ""]


@pytest.mark.parametrize(
    "ends", [((0, 60), (89, 75)), ((-170, 80), (5, 85)), ((10, -10), (20, 10)), ((30, 5), (30.2, 85))]
)
def test_dense_edges_lie_on_the_great_circle_and_near_it_in_between(ends):
    """20 m between points half a degree apart, which is what the chord of a great circle at 60 degrees keeps."""
    ring = np.array([*ends, (0.0, -80.0), ends[0]], dtype=np.float64)
    dense = airspace_outline.densify(ring)
    edge = dense[: int(np.flatnonzero(np.all(dense == ring[1], axis=1))[0]) + 1]
    normal = np.cross(_unit(ring[0]), _unit(ring[1]))
    normal /= np.linalg.norm(normal)
    off_m = [abs(float(_unit(point) @ normal)) * 6371e3 for point in (edge[:-1] + edge[1:]) / 2.0]
    assert max(abs(float(_unit(point) @ normal)) for point in edge) < 1e-12
    assert max(off_m) < (20.0 if np.all(np.abs(edge[:, 1]) <= 60.0) else 120.0)


def _unit(point: np.ndarray) -> np.ndarray:
    lon, lat = np.radians(point)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def test_neighbours_who_share_a_border_leave_no_gap():
    shared = [[10.0, 40.0], [55.0, 61.0]]
    west = feature("WEST", [[*shared, [0.0, 60.0]]])
    east = feature("EAST", [[*shared[::-1], [60.0, 40.0]]])
    rings = [volume.rings[0] for volume in loaded(west, east).volumes]
    points = [{tuple(point) for point in ring if 10.0 <= point[0] <= 55.0} for ring in rings]
    assert len(points[0] & points[1]) > 80


corner = st.tuples(st.floats(-185.0, 185.0), st.floats(-89.0, 89.0))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(corner, min_size=3, max_size=7, unique=True), min_size=1, max_size=3), st.integers(0, 2**32 - 1)
)
def test_ids_are_those_of_shapely_on_any_outlines(outlines, seed):
    """Mostly invalid, crossing the antimeridian and overlapping; what is left out is left out of both."""
    try:
        regions = load_geojson(collection(*(feature(f"F{i}", [ring]) for i, ring in enumerate(outlines))))
    except Refused:
        return
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-90.0, 90.0, 500), rng.uniform(-180.0, 180.0, 500)
    found = regions.find_volumes(lat, lon)
    for i in range(lat.size):
        held = [rank for rank, volume in enumerate(regions.volumes) if _held(volume.rings, lat[i], lon[i])]
        assert found[i] == (held[0] if held else NOWHERE)


def _held(rings: tuple[np.ndarray, ...], lat: float, lon: float) -> bool:
    """Even-odd by a ray to the north, written apart from the kernels."""
    crossings = 0
    for ring in rings:
        for x in (lon - 720.0, lon - 360.0, lon, lon + 360.0, lon + 720.0):
            spans = (ring[:-1, 0] > x) != (ring[1:, 0] > x)
            a, b = ring[:-1][spans], ring[1:][spans]
            crossings += int(np.sum(a[:, 1] + (x - a[:, 0]) / (b[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) > lat))
    return crossings % 2 == 1


def test_what_is_no_point_is_refused():
    regions = loaded(feature("LECM", [box(0, 0, 5, 5)]))
    for lat, lon in ((91.0, 0.0), (math.nan, 0.0), (0.0, math.inf)):
        with pytest.raises(ValueError, match="point 1"):
            regions.find(np.array([1.0, lat]), np.array([1.0, lon]))
    with pytest.raises(ValueError, match="2, 1"):
        regions.find(np.array([1.0, 2.0]), np.array([1.0]))


def test_no_regions_hold_nothing():
    assert at(loaded(), 0.0, 0.0) == ""


def test_cut_parts_cover_what_the_ring_covers():
    wave = 185.0 + 10.0 * np.sin(np.linspace(0.0, 6.0 * np.pi, 40))
    lat = np.linspace(-40.0, 40.0, 40)
    ring = np.vstack([np.c_[wave, lat], np.c_[wave[::-1] + 3.0, lat[::-1]], [[wave[0], lat[0]]]])
    parts = [shapely.Polygon(part) for part in airspace_outline.cut(ring)]
    assert all(part.is_valid and part.bounds[0] >= -180.0 and part.bounds[2] <= 180.0 for part in parts)
    assert sum(part.area for part in parts) == pytest.approx(shapely.Polygon(ring).area, rel=1e-12)
    assert len(parts) > 2
