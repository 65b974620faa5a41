"""Airspace with what is hard in it, made up: a hole, the antimeridian, a pole, an outline that crosses itself."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

OUTLINES: dict[str, list[list[list[float]]]] = {
    "RING": [
        [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]],
        [[3, 3], [7, 3], [7, 7], [3, 7], [3, 3]],
    ],
    "DATE": [[[170, -10], [-170, -10], [-170, 10], [170, 10], [170, -10]]],
    "POLE": [[[-180, 80], [-90, 80], [0, 80], [90, 80], [180, 80], [180, 90], [-180, 90], [-180, 80]]],
    "BOWS": [[[40, -2], [40, 2], [45, -2], [45, 2], [40, -2]]],
}


def feature(ident: str, outline: list[list[list[float]]]) -> dict[str, Any]:
    properties = {"ident": ident, "name": ident.title(), "lower_fl": 0, "upper_fl": 195}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": outline}}


FILE = json.dumps(
    {"type": "FeatureCollection", "features": [feature(ident, outline) for ident, outline in OUTLINES.items()]}
).encode()


def many(rows: int, columns: int) -> bytes:
    """Squares of half a degree side by side."""
    corners = [(column / 2.0, row / 2.0) for row in range(rows) for column in range(columns)]
    outlines = [[[[x, y], [x + 0.5, y], [x + 0.5, y + 0.5], [x, y + 0.5], [x, y]]] for x, y in corners]
    features = [feature(f"S{number}", outline) for number, outline in enumerate(outlines)]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def boxes(count: int) -> Iterator[tuple[float, float, float, float]]:
    """West, south, east, north: large and small ones, points, and such as go over the antimeridian."""
    rng = np.random.default_rng(8)
    for number in range(count):
        size = 0.0 if number % 4 == 0 else 10.0 ** rng.uniform(-3.0, 2.0)
        lon, lat = rng.uniform(-180.0, 180.0), rng.uniform(-30.0, 90.0 - size)
        east = lon + size
        yield float(lon), float(lat), float(east - 360.0 if east > 180.0 else east), float(lat + size)
