import json

import pytest

from libs.astro import h3_cells
from libs.astro.elements import RefusalReason, Refused
from libs.providers import traffic

# Cells from the documentation of H3 (h3geo.org): resolution 5 and 9 near San Francisco, and a pentagon of resolution 0.
CELL, FINE, PENTAGON = "85283473fffffff", "8928308280fffff", "8009fffffffffff"
CSV = f"cell,lower_fl,upper_fl,hour,aircraft\n{CELL},290,330,14,2.5\n{CELL},330,370,14,0\n".encode()


def square(west: float, **properties: object) -> dict[str, object]:
    ring = [[west, 0], [west + 1, 0], [west + 1, 1], [west, 1], [west, 0]]
    said = {"lower_fl": 290, "upper_fl": 330, "hour": 14, "aircraft": 2.5} | properties
    return {"type": "Feature", "properties": said, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def collection(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=0).encode()


@pytest.mark.parametrize(
    ("index", "expected"),
    [(CELL, 5), (FINE, 9), (PENTAGON, 0), ("85283473ffffff7", None), ("0", None), ("ffffffffffffffff", None),
     ("81083ffffffffff", 1), ("81087ffffffffff", None), ("80f5fffffffffff", None)],
)  # fmt: skip
def test_a_cell_is_told_from_a_number_that_is_none(index, expected):
    assert h3_cells.resolution(int(index, 16)) == expected


def test_rows_are_read_from_both_encodings():
    first, second = traffic.read_csv(CSV)
    assert first == traffic.TrafficRow(CELL, 5, 290, 330, 14, 2.5)
    assert second == traffic.TrafficRow(CELL, 5, 330, 370, 14, 0.0)
    first, second = traffic.read_geojson(collection(square(0), square(5)))
    assert (first.h3_resolution, first.aircraft, first.place != second.place) == (None, 2.5, True)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"290,330,14,2.5", b"330,290,14,2.5", RefusalReason.MISMATCH),
        (b"290,330,14,2.5", b"290,330,24,2.5", RefusalReason.RANGE),
        (b"290,330,14,2.5", b"290,330,14,-1", RefusalReason.RANGE),
        (b"290,330,14,2.5", b"290,330,14,nan", RefusalReason.NOT_FINITE),
        (b"330,370,14,0", b"290,330,14,0", RefusalReason.MISMATCH),
        (b"330,370,14,0", b"330,370,14", RefusalReason.LENGTH),
        (CELL.encode() + b",330", FINE.encode() + b",330", RefusalReason.MISMATCH),
        (CELL.encode() + b",330", b"85283473ffffff0,330", RefusalReason.CHARACTER),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_place(before, after, reason):
    found = list(traffic.read_csv(CSV.replace(before, after)))
    (refused,) = (one for one in found if isinstance(one, Refused))
    assert (len(found), refused.reason) == (2, reason)
    assert refused.line > 1 <= refused.column
    assert refused.raw


@pytest.mark.parametrize(
    "geometry",
    [{"type": "Point", "coordinates": [0, 0]}, {"type": "Polygon", "coordinates": [[["x", 0]]]},
     {"type": "Polygon", "coordinates": {"a": 1}}, {"type": "Polygon", "coordinates": [[[0, 99], [1, 0], [1, 1]]]}],
)  # fmt: skip
def test_a_feature_without_a_usable_polygon_is_refused(geometry):
    (refused,) = traffic.read_geojson(collection(square(0) | {"geometry": geometry}))
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.GEOMETRY
