"""Coordinates along an orbit's ground track, quantiles in them, and areas on the map."""

import numpy as np
import pytest
from shapely.geometry import Point, Polygon

from libs.astro import corridor


def track(inclination_deg: float, revolutions: float = 3.0, count: int = 200):
    """Points of a circular orbit above a turning sphere of geocentric latitudes, 5250 s a revolution."""
    rate = 2.0 * np.pi / 5250.0
    seconds = np.linspace(0.0, revolutions * 5250.0, count)
    u, i = 0.3 + rate * seconds, np.radians(inclination_deg)
    lon = np.degrees(np.arctan2(np.sin(u) * np.cos(i), np.cos(u)) - 7.2921158553e-5 * seconds + 2.0)
    geocentric = np.arcsin(np.sin(u) * np.sin(i))
    lat = np.degrees(np.arctan(np.tan(geocentric) / corridor._SQUASH))
    heading = np.degrees(np.arctan2(np.cos(i), np.cos(u) * np.sin(i)))
    return seconds, lat, (lon + 180.0) % 360.0 - 180.0, heading


@pytest.mark.parametrize("inclination_deg", [28.5, 51.6, 89.9, 97.8])
def test_points_of_the_orbit_lie_on_the_line_and_come_back(inclination_deg):
    seconds, lat, lon, heading = track(inclination_deg)
    line, along = corridor.line_through(seconds, lat, lon, heading)
    assert np.diff(along) == pytest.approx(np.diff(seconds) * 2.0 * np.pi / 5250.0, abs=1e-6)
    there, left = line.place(lat, lon, along)
    assert there == pytest.approx(along, abs=1e-6)
    assert np.abs(left).max() < 0.01  # km
    for aside in (-150.0, 0.0, 40.0):
        again = line.place(*line.beside(along, aside), along)
        assert again[0] == pytest.approx(along, abs=1e-6)
        assert again[1] == pytest.approx(np.full(len(along), aside), abs=0.01)


def test_a_percentile_holds_its_share_and_hardly_more():
    rng = np.random.default_rng(3)
    along, left, weight = rng.normal(20.0, 5.0, 20_000), rng.normal(0.0, 30.0, 20_000), rng.uniform(0.0, 1.0, 20_000)
    shares = (0.5, 0.9, 0.99)
    boxes = corridor.percentiles(along, left, weight, shares)
    for share, box in zip(shares, boxes, strict=True):
        assert share <= box.share < share + 2e-3
    wide = boxes[-1]
    assert wide.from_rad < 20.0 - 2.0 * 5.0
    assert wide.left_km > 2.0 * 30.0


@pytest.mark.parametrize("inclination_deg", [41.5, 89.9, 97.8])
def test_every_part_is_a_valid_polygon_with_its_own_points_inside(inclination_deg):
    """Over the antimeridian and the poles."""
    seconds, lat, lon, heading = track(inclination_deg)
    line, along = corridor.line_through(seconds, lat, lon, heading)
    box = corridor.Box(float(along[0]), float(along[-1]), -120.0, 120.0, 1.0)
    parts = corridor.polygons(line, box)
    polygons = [Polygon(ring) for _, _, rings in parts for ring in rings]
    assert all(one.is_valid for one in polygons)
    assert all((np.abs(one.exterior.coords) <= (180.0, 90.0)).all() for one in polygons)
    for at, (y, x) in zip(along, np.column_stack([lat, lon]), strict=True):
        here = [one for one, (low, high, _) in _by_part(parts) if low - 1e-9 <= at <= high + 1e-9]
        assert (
            min(one.distance(Point(x, y)) for one in here) < 1e-3
        )  # at the ends an edge of 100 km is straight in degrees


def _by_part(parts):
    return [(Polygon(ring), part) for part in parts for ring in part[2]]
