"""Files of airspace for the tests: small ones typed here, the large ones read from the validation data."""

import itertools
import json
import os
import struct
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from libs.astro.airspace import Airspace, load_geojson

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data")) / "fir"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")


def box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(ident: str, *polygons: list, **properties: object) -> dict:
    """Each polygon is a list of rings, the outline first."""
    geometry = {"type": "MultiPolygon", "coordinates": list(polygons)}
    return {"type": "Feature", "properties": {"ident": ident, **properties}, "geometry": geometry}


def collection(*features: dict) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def loaded(*features: dict) -> Airspace:
    return load_geojson(collection(*features))


@cache
def simulator_file() -> bytes:
    return (DATA / "vatspy/Boundaries.geojson").read_bytes()


@cache
def simulator() -> Airspace:
    return load_geojson(simulator_file())


@cache
def whole_regions() -> Airspace:
    """The simulator's set without its sectors, whose designators have a hyphen."""
    document = json.loads(simulator_file())
    return loaded(*(one for one in document["features"] if "-" not in one["properties"]["id"]))


@cache
def ead_file() -> bytes:
    """The EAD set of 2015 made from its shapefile; outlines run clockwise there, holes the other way."""
    with zipfile.ZipFile(DATA / "eurocontrol-atlas/FirUir_EAD.zip") as archive:
        rows = _dbf(archive.read("FirUir_EAD/FirUir_EAD.dbf"))
        shapes = _shp(archive.read("FirUir_EAD/FirUir_EAD.shp"))
    return collection(
        *(
            {
                "type": "Feature",
                "properties": row,
                "geometry": {"type": "MultiPolygon", "coordinates": _polygons(rings)},
            }
            for row, rings in zip(rows, shapes, strict=True)
        )
    )


@cache
def ead() -> Airspace:
    return load_geojson(ead_file())


def _dbf(data: bytes) -> list[dict[str, str]]:
    count, head, length = struct.unpack("<IHH", data[4:12])
    fields = [(data[at : at + 11].split(b"\0")[0].decode(), data[at + 16]) for at in range(32, head - 1, 32)]
    rows = []
    for start in range(head + 1, head + count * length, length):
        ends = np.cumsum([0, *(width for _, width in fields)])
        texts = [data[start + a : start + b].decode("latin-1").strip() for a, b in itertools.pairwise(ends)]
        rows.append({name: text for (name, _), text in zip(fields, texts, strict=True)})
    return rows


def _shp(data: bytes) -> list[list[np.ndarray]]:
    shapes, at = [], 100
    while at < len(data):
        size = 2 * struct.unpack(">i", data[at + 4 : at + 8])[0]
        body = data[at + 8 : at + 8 + size]
        parts, count = struct.unpack("<2i", body[36:44])
        starts = [*struct.unpack(f"<{parts}i", body[44 : 44 + 4 * parts]), count]
        points = np.frombuffer(body, "<f8", 2 * count, 44 + 4 * parts).reshape(-1, 2)
        shapes.append([points[a:b] for a, b in itertools.pairwise(starts)])
        at += 8 + size
    return shapes


def _polygons(rings: list[np.ndarray]) -> list[list[list[list[float]]]]:
    polygons: list[list[list[list[float]]]] = []
    for ring in rings:
        x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
        clockwise = np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) < 0.0
        if clockwise:
            polygons.append([ring.tolist()])
        else:
            polygons[-1].append(ring.tolist())
    return polygons
