import math

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from libs.astro import airspace_outline, geodesic, geodesic_area, geodesic_buffer, geodesy

WGS84 = Geodesic.WGS84
latitudes, longitudes = st.floats(-90.0, 90.0), st.floats(-180.0, 180.0)


def inverse(lat1, lon1, lat2, lon2):
    return geodesic.inverse(*(math.radians(angle) for angle in (lat1, lon1, lat2, lon2)))


def direct(lat, lon, azimuth, km):
    return np.degrees(geodesic.direct(math.radians(lat), math.radians(lon), math.radians(azimuth), km))


def turned(degrees):
    return (degrees + 180.0) % 360.0 - 180.0


@settings(max_examples=500, deadline=None)
@given(latitudes, longitudes, latitudes, longitudes)
def test_distances_are_karneys(lat1, lon1, lat2, lon2):
    """To 1 um against his own code."""
    assert inverse(lat1, lon1, lat2, lon2)[0] == pytest.approx(
        WGS84.Inverse(lat1, lon1, lat2, lon2)["s12"] / 1e3, abs=1e-9
    )


@settings(max_examples=500, deadline=None)
@given(latitudes, longitudes, st.floats(-0.7, 0.7), st.floats(-0.7, 0.7))
def test_distances_near_the_antipode_are_karneys(lat, lon, north, east):
    """Where Vincenty's iteration fails."""
    lat2, lon2 = min(max(north - lat, -90.0), 90.0), lon + 180.0 + east
    assert inverse(lat, lon, lat2, lon2)[0] == pytest.approx(WGS84.Inverse(lat, lon, lat2, lon2)["s12"] / 1e3, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(st.floats(-89.9, 89.9), longitudes, st.floats(-180.0, 180.0), st.floats(0.001, 19_000.0))
def test_a_line_followed_by_its_azimuth_arrives(lat, lon, azimuth, km):
    """To 1 um in place; the azimuth there to what a micrometre makes of it."""
    want = WGS84.Direct(lat, lon, azimuth, km * 1e3)
    lat2, lon2, azimuth2 = direct(lat, lon, azimuth, km)
    east_km = turned(lon2 - want["lon2"]) * math.cos(math.radians(lat2)) * 111.3
    assert math.hypot((lat2 - want["lat2"]) * 111.3, east_km) < 1e-9
    if abs(lat2) < 89.0:
        assert turned(azimuth2 - want["azi2"]) == pytest.approx(0.0, abs=1e-9)
        assert inverse(lat, lon, lat2, lon2)[0] <= km + 1e-9


def test_the_classical_line_from_flinders_peak_to_buninyong():
    """GDA94 technical manual, ICSM, with GRS-80, whose flattening differs by 1e-10: 54,972.271 m, 306 52 05.37."""
    lat1, lon1 = -(37 + 57 / 60 + 3.72030 / 3600), 144 + 25 / 60 + 29.52440 / 3600
    lat2, lon2 = -(37 + 39 / 60 + 10.15610 / 3600), 143 + 55 / 60 + 35.38390 / 3600
    km, azimuth, _ = inverse(lat1, lon1, lat2, lon2)
    assert km == pytest.approx(54.972271, abs=1e-6)
    assert math.degrees(azimuth) % 360.0 == pytest.approx(306 + 52 / 60 + 5.37 / 3600, abs=2e-6)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(latitudes, longitudes), min_size=3, max_size=8, unique=True))
@example(corners=[(0.0, 1.0), (0.0, 0.25), (0.015625, 180.0)])
def test_areas_of_polygons_are_karneys(corners):
    """To 2 m2, over half the Earth with the sign turned; whole turns of the Earth's area do not count.

    An edge between nearly opposite corners is itself known to 1 um only, over its length 20 m2.
    """
    edges = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    if any(abs(turned(b[1] - a[1])) > 179.0 and abs(a[0] + b[0]) < 1e-6 for a, b in edges):
        return  # opposite corners have several shortest lines, each may be taken
    if any(abs(abs(turned(b[1] - a[1])) - 180.0) < 1e-6 or abs(a[0] - b[0]) > 179.9 for a, b in edges):
        return  # over a pole, on either side of it
    polygon = WGS84.Polygon()
    for lat, lon in corners:
        polygon.AddPoint(lat, lon)
    whole = 4.0 * math.pi * airspace_outline.AUTHALIC_RADIUS_KM**2
    lat, lon = np.array(corners).T
    difference = geodesic_area.polygon_km2(lat, lon) - polygon.Compute()[2] / 1e6
    opposite = any(abs(turned(b[1] - a[1])) > 179.0 and abs(a[0] + b[0]) < 1.0 for a, b in edges)
    assert abs(math.remainder(difference, whole)) < (2e-5 if opposite else 2e-6)


def test_the_area_around_a_pole_is_that_of_the_cap():
    """The cap north of a parallel has a closed form; 3,600 corners leave 1e-6 of it."""
    lon = np.arange(-180.0, 180.0, 0.1)
    ring = np.column_stack([np.append(lon, 180.0), np.full(lon.size + 1, 70.0)])
    cap = airspace_outline.signed_area_km2(airspace_outline.around_pole(ring, 90.0))
    assert geodesic_area.polygon_km2(np.full(lon.size, 70.0), lon) == pytest.approx(cap, rel=2e-6)
    assert geodesic_area.polygon_km2(np.full(lon.size, -70.0), lon[::-1]) == pytest.approx(cap, rel=2e-6)


def test_the_area_of_a_small_square_is_kept():
    """A square metre at 45 N, to the 1e-3 m2 that double precision leaves of degrees."""
    lat, lon = np.array([45.0, 45.0, 45.0 + 8.9982e-6, 45.0 + 8.9982e-6]), np.array([7.0, 7.0 + 1.26828e-5] * 2)
    area_m2 = geodesic_area.polygon_km2(lat, lon[[0, 1, 1, 0]]) * 1e6
    assert area_m2 == pytest.approx(1.0, abs=2e-3)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-89.0, 89.0), longitudes, st.floats(-180.0, 180.0), st.floats(10.0, 4_000.0),
    st.floats(-0.3, 1.3), st.floats(0.0, 360.0), st.floats(0.0, 800.0),
)  # fmt: skip
def test_the_distance_to_a_line_is_the_least_along_it(lat, lon, azimuth, km, along, aside, off_km):
    """Against a search along Karney's line, to the centimetre that the search finds; the sphere's within 0.7 %."""
    line = WGS84.Line(lat, lon, azimuth)
    foot, end = line.Position(along * km * 1e3), line.Position(km * 1e3)
    point = WGS84.Direct(foot["lat2"], foot["lon2"], aside, off_km * 1e3)

    def far(metres):
        here = line.Position(metres)
        return WGS84.Inverse(here["lat2"], here["lon2"], point["lat2"], point["lon2"])["s12"] / 1e3

    found = minimize_scalar(far, bounds=(0.0, km * 1e3), method="bounded", options={"xatol": 1e-2})
    least = min(found.fun, far(0.0), far(km * 1e3))
    angles = [math.radians(a) for a in (point["lat2"], point["lon2"], lat, lon, end["lat2"], end["lon2"])]
    assert geodesic.to_segment(*angles)[0] == pytest.approx(least, abs=3e-5)
    assert geodesy.to_segment_km(*angles)[0] == pytest.approx(least, rel=0.007, abs=0.003 * km)


def track(lat, lon, azimuth, legs, step_km):
    """A line that winds a degree to either side."""
    rng, points = np.random.default_rng(4), [(lat, lon)]
    for _ in range(legs):
        lat, lon, azimuth = direct(lat, lon, azimuth, step_km)
        azimuth += rng.uniform(-1.0, 1.0)
        points.append((lat, lon))
    return np.array(points).T


@pytest.mark.parametrize(
    ("start", "around"),
    [
        ((40.0, 0.0, 60.0, 20, 100.0), 0),
        ((0.0, 170.0, 80.0, 20, 100.0), 0),
        ((82.0, 0.0, 2.0, 20, 100.0), 1),
        ((-88.0, 40.0, 190.0, 10, 60.0), 1),
        ((-60.0, 100.0, 170.0, 40, 100.0), 0),
    ],
)
def test_a_buffer_is_what_lies_within_its_width(start, around):
    """INVARIANT: valid across antimeridian and poles; the border is the width off, to the chords of the round ends."""
    lat, lon = track(*start)
    ring = geodesic_buffer.outline(lat, lon, 100.0)
    assert abs(round((ring[-1, 0] - ring[0, 0]) / 360.0)) == around
    if around:
        ring = airspace_outline.around_pole(ring, airspace_outline.nearer_pole_deg(ring))
    parts = [shapely.Polygon(part) for part in airspace_outline.cut(airspace_outline.densify(ring))]
    assert all(part.is_valid for part in parts)
    rng = np.random.default_rng(5)
    near = rng.integers(0, lat.size, 3_000)
    points = np.array([direct(lat[i], lon[i], rng.uniform(0.0, 360.0), rng.uniform(0.0, 250.0))[:2] for i in near])
    inside = np.any([shapely.contains_xy(part, points[:, 1], points[:, 0]) for part in parts], axis=0)
    far = geodesic_buffer.distances_km(points[:, 0], points[:, 1], lat, lon)
    clear = np.abs(far - 100.0) > 0.4
    np.testing.assert_array_equal(inside[clear], far[clear] < 100.0)
    np.testing.assert_array_equal(geodesic_buffer.within(points[:, 0], points[:, 1], lat, lon, 100.0), far <= 100.0)


def test_the_area_of_a_buffer_is_that_of_a_strip_with_round_ends():
    """2 w L + pi w^2, less the 0.5 % of the round ends' chords; the curvature of the Earth takes 4e-5."""
    lat, lon = track(40.0, 0.0, 60.0, 20, 100.0)
    ring = geodesic_buffer.outline(lat, lon, 100.0)
    area = geodesic_area.polygon_km2(ring[:-1, 1], ring[:-1, 0])
    assert area == pytest.approx(2.0 * 100.0 * 2_000.0 + math.pi * 100.0**2, rel=6e-4)


def test_a_line_of_one_point_has_distances_too():
    km = geodesic_buffer.distances_km(np.array([1.0]), np.array([0.0]), np.array([0.0]), np.array([0.0]))
    assert km[0] == pytest.approx(WGS84.Inverse(0, 0, 1, 0)["s12"] / 1e3, abs=1e-9)


def test_what_are_no_points_or_lines_is_refused():
    nothing, one, two = np.array([]), np.array([0.0]), np.array([0.0, 1.0])
    for lat, lon in ((nothing, nothing), (np.array([91.0]), one), (one, np.array([math.nan])), (two, one)):
        with pytest.raises(ValueError, match=r"latitudes|line"):
            geodesic_buffer.distances_km(one, one, lat, lon)
    with pytest.raises(ValueError, match=r"5,000 km"):
        geodesic_buffer.distances_km(one, one, np.zeros(2), np.array([0.0, 90.0]))
    for km in (0.0, math.nan, 1_000.0):
        with pytest.raises(ValueError, match="buffer"):
            geodesic_buffer.outline(two, two, km)
    with pytest.raises(ValueError, match="corners"):
        geodesic_area.polygon_km2(two, two)
