"""Doors of distances, areas and airspace."""

import functools
import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from libs.astro import airspace, airspace_boxes, airspace_geojson, geodesic_area, geodesic_buffer, h3_cells
from libs.astro.airspace_outline import AUTHALIC_RADIUS_KM, BadOutline
from libs.astro.elements import Refused
from libs.astro.tests.airspace_files import box, collection, feature, loaded
from libs.astro.tests.doors import LATITUDES, LONGITUDES, NOT_NUMBERS, Door, bad, each, edged, within

HALF_KM = 20_100.0  # half a turn
HALF_KM2 = 2.0 * math.pi * AUTHALIC_RADIUS_KM**2


@functools.cache
def regions() -> airspace.Airspace:
    """On the antimeridian, about a pole, one low and one high over the same ground."""
    return loaded(
        feature("AAAA", [box(170.0, -10.0, 190.0, 10.0)]),
        feature("NNNN", [[[0.0, 80.0], [120.0, 80.0], [240.0, 80.0], [360.0, 80.0]]]),
        feature("LLLL", [box(0.0, 40.0, 10.0, 50.0)], lower_fl=0, upper_fl=245),
        feature("HHHH", [box(0.0, 40.0, 10.0, 50.0)], lower_fl=245, upper_fl=660),
    )


@st.composite
def points(draw, count: int | None = None, names: tuple[str, str] = ("lat_deg", "lon_deg")) -> dict[str, Any]:
    size = draw(st.integers(0, 4)) if count is None else count
    lat = np.array([draw(LATITUDES) for _ in range(size)])
    return {names[0]: lat, names[1]: np.array([draw(LONGITUDES) for _ in range(size)])}


@st.composite
def lines(draw, most_km: float) -> dict[str, Any]:
    """Steps of at most so many km from anywhere, over poles and the antimeridian too."""
    lat, lon = [draw(LATITUDES)], [draw(LONGITUDES)]
    for _ in range(draw(st.integers(0, 3))):
        step = draw(edged(0.0, most_km / 160.0, 0.5))
        lat.append(float(np.clip(lat[-1] + draw(st.sampled_from([-1.0, 0.0, 1.0])) * step, -90.0, 90.0)))
        lon.append(lon[-1] + draw(st.sampled_from([-1.0, 1.0])) * step)
    return {"line_lat_deg": np.array(lat), "line_lon_deg": np.array(lon)}


@st.composite
def tracks(draw) -> dict[str, Any]:
    line = draw(lines(3000.0))
    lat, lon = line["line_lat_deg"], line["line_lon_deg"]
    seconds = np.cumsum([draw(edged(0.0, 600.0)) for _ in lat])
    level = draw(st.sampled_from([None, np.linspace(0.0, 600.0, len(lat))]))
    return {"seconds": seconds, "lat_deg": lat, "lon_deg": lon, "level_fl": level}


def _in_order(given: Any, found: list[airspace.Visit]) -> bool:
    times = [one for visit in found for one in (visit.entry_s, visit.exit_s)]
    return all(given["seconds"][0] - 1e-6 <= one <= given["seconds"][-1] + 1e-6 for one in times)


@st.composite
def polygons(draw) -> dict[str, Any]:
    count, turn = draw(st.integers(3, 8)), draw(edged(0.0, 360.0))
    middle, wide = draw(edged(-90.0, 90.0, 0.0)), draw(edged(0.01, 40.0))
    angle = np.arange(count) / count * 2.0 * math.pi
    return {"lat_deg": np.clip(middle + wide * np.sin(angle), -90.0, 90.0), "lon_deg": turn + wide * np.cos(angle)}


LINE = {"line_lat_deg": np.array([0.0, 1.0]), "line_lon_deg": np.array([0.0, 1.0])}
POINT = {"lat_deg": np.zeros(1), "lon_deg": np.zeros(1)}
BAD_POINTS = (
    *each("lat_deg", [np.array([one]) for one in (*NOT_NUMBERS, 90.1, -91.0)], "latitudes in [-90, 90]"),
    *each("lon_deg", [np.array([one]) for one in NOT_NUMBERS], "longitudes"),
    bad("longitudes", lon_deg=np.zeros(2)),
)
BAD_LINES = (
    *each("line_lat_deg", [np.array([0.0, one]) for one in (*NOT_NUMBERS, 90.1)], "latitudes in [-90, 90]"),
    *each("line_lon_deg", [np.array([0.0, one]) for one in NOT_NUMBERS], "longitudes"),
    bad("5,000 km", line_lat_deg=np.empty(0), line_lon_deg=np.empty(0)),
    bad("5,000 km", line_lat_deg=np.array([0.0, 89.0])),
)
GEODESY = (
    Door(
        "geodesic_area.polygon_km2",
        geodesic_area.polygon_km2,
        polygons(),
        lambda _given, found: within(-HALF_KM2, found, HALF_KM2),
        {"lat_deg": np.array([0.0, 0.0, 1.0]), "lon_deg": np.array([0.0, 1.0, 0.0])},
        (
            *each("lat_deg", [np.array([0.0, 0.0, one]) for one in (*NOT_NUMBERS, 91.0)], "three corners"),
            *each("lon_deg", [np.array([0.0, 0.0, one]) for one in NOT_NUMBERS], "three corners"),
            bad("three corners", lat_deg=np.zeros(2), lon_deg=np.zeros(2)),
            bad("three corners", lon_deg=np.zeros(4)),
        ),
    ),
    Door(
        "geodesic_buffer.distances_km",
        geodesic_buffer.distances_km,
        st.builds(lambda a, b: a | b, points(), lines(4000.0)),
        lambda _given, found: within(0.0, found, HALF_KM),
        POINT | LINE,
        (*BAD_POINTS, *BAD_LINES),
    ),
    Door(
        "geodesic_buffer.within",
        geodesic_buffer.within,
        st.builds(lambda a, b, km: a | b | {"km": km}, points(), lines(4000.0), edged(0.0, 20_000.0, 1.0)),
        lambda given, found: len(found) == len(given["lat_deg"]),
        POINT | LINE | {"km": 1.0},
        (*BAD_POINTS, *BAD_LINES, *each("km", (*NOT_NUMBERS, -1.0), "0 or more")),
    ),
    Door(
        "geodesic_buffer.outline",
        geodesic_buffer.outline,
        st.builds(
            lambda at, km: {
                "line_lat_deg": np.array([at, at + 3.0]),
                "line_lon_deg": np.array([179.0, 182.0]),
                "km": km,
            },
            edged(-90.0, 87.0),
            edged(0.01, 100.0),
        ),
        lambda _given, found: within(-90.0, found[:, 1], 90.0) and len(found) > 30,
        LINE | {"km": 1.0},
        (
            *BAD_LINES,
            *each("km", (*NOT_NUMBERS, 0.0, -1.0, 1000.0), "a width between"),
            bad("two points", line_lat_deg=np.zeros(1), line_lon_deg=np.zeros(1)),
        ),
    ),
    Door(
        "h3_cells.resolution",
        h3_cells.resolution,
        st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, -1, 2**70, 0x8928308280FFFFF])).map(
            lambda one: {"index": one}
        ),
        lambda _given, found: found is None or 0 <= found <= 15,
    ),
)

NO_PLACE = (
    *each("lat_deg", [np.array([one]) for one in (*NOT_NUMBERS, 90.1)], "point 0 has no latitude"),
    *each("lon_deg", [np.array([one]) for one in (*NOT_NUMBERS, 1e6)], "point 0 has no latitude"),
    bad("values of the same points", lon_deg=np.zeros(2)),
)
TRACK = {"seconds": np.array([0.0, 60.0]), "lat_deg": np.zeros(2), "lon_deg": np.array([165.0, 172.0])}


def _known(count: int):
    return lambda given, found: within(-1, found, count - 1) and len(found) == len(given["lat_deg"])


BYTES = st.binary(max_size=200).map(lambda data: {"data": data})
NO_FILES = each(
    "data", (b"", b"\xff", b"[]", b'{"type": "FeatureCollection"}', b'{"type": NaN}', b"[" * 5000), "", Refused
)
AIRSPACE = (
    Door("airspace.Airspace.find", lambda **given: regions().find(**given), points(), _known(4), POINT, NO_PLACE),
    Door(
        "airspace.Airspace.find_volumes",
        lambda **given: regions().find_volumes(**given),
        points(),
        _known(4),
        POINT,
        NO_PLACE,
    ),
    Door(
        "airspace.Airspace.find_at",
        lambda **given: regions().find_at(**given),
        st.builds(
            lambda at, level: at | {"level_fl": np.full(len(at["lat_deg"]), level)},
            points(),
            edged(-10.0, 999.0, 245.0),
        ),
        lambda given, found: _known(4)(given, found[0]),
        POINT | {"level_fl": np.zeros(1)},
        (*NO_PLACE, *each("level_fl", [np.array([one]) for one in NOT_NUMBERS], "or no level")),
    ),
    Door(
        "airspace.Airspace.over",
        lambda **given: regions().over(**given),
        st.fixed_dictionaries({"lat_deg": LATITUDES, "lon_deg": LONGITUDES}),
        lambda _given, found: len(found) <= 2,
        {"lat_deg": 0.0, "lon_deg": 0.0},
        (
            *each("lat_deg", (*NOT_NUMBERS, 91.0), "point 0 has no latitude"),
            *each("lon_deg", NOT_NUMBERS, "point 0 has no latitude"),
        ),
        finite=False,
    ),
    Door(
        "airspace.Airspace.visits",
        lambda **given: regions().visits(**given),
        tracks(),
        _in_order,
        TRACK,
        (
            *each("seconds", [np.array([0.0, one]) for one in (*NOT_NUMBERS, -1.0)], "do not fall"),
            *each("lat_deg", [np.array([0.0, one]) for one in (*NOT_NUMBERS, 91.0)], "point 1 has no latitude"),
            bad("values of the same", lon_deg=np.zeros(3)),
            bad("its levels are", level_fl=np.array([0.0, np.nan])),
            bad("values of the same", level_fl=np.zeros(1)),
        ),
    ),
    *(
        Door(
            f"{name}.{read.__name__}",
            read,
            st.one_of(BYTES, st.just({"data": collection(feature("AAAA", [box(0.0, 0.0, 1.0, 1.0)]))})),
            lambda *_: True,
            {},
            NO_FILES,
            finite=False,
            allowed=(Refused,),
        )
        for name, read in (("airspace", airspace.load_geojson), ("airspace_geojson", airspace_geojson.read))
    ),
    Door(
        "airspace_geojson.level_fl",
        airspace_geojson.level_fl,
        st.fixed_dictionaries(
            {"limit": st.one_of(st.text(max_size=8), st.sampled_from(["FL195", "GND", "UNL", "2500 FT", "nan"]))}
        ),
        lambda _given, found: found is None or found >= 0.0,
        finite=False,
    ),
    Door(
        "airspace_geojson.polygons_of",
        airspace_geojson.polygons_of,
        st.just({"geometry": {"type": "Polygon", "coordinates": [box(170.0, -10.0, 190.0, 10.0)]}}),
        lambda _given, found: len(found[0]) == 1,
        {},
        each(
            "geometry",
            [
                None,
                {},
                {"type": "Point"},
                *(
                    {"type": "Polygon", "coordinates": one}
                    for one in (
                        None,
                        [],
                        [[]],
                        [[[0.0]]],
                        [[[math.nan, 0.0]] * 4],
                        [box(0.0, 0.0, 1.0, 91.0)],
                        [box(0.0, 0.0, 1e9, 1.0)],
                        [[[0.0, 0.0], [1.0, 1.0]]],
                    )
                ),
            ],
            "it",
            BadOutline,
        ),
        examples=1,
    ),
)

SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]])
BOX = {"rings": [SQUARE], "west_deg": 5.0, "south_deg": 5.0, "east_deg": 6.0, "north_deg": 6.0}


@st.composite
def boxes(draw) -> dict[str, Any]:
    """On and beside the corners and edges of the square, with extent or none."""
    west, south = draw(edged(-20.0, 20.0, 0.0, 10.0)), draw(edged(-20.0, 20.0, 0.0, 10.0))
    east, north = west + draw(edged(0.0, 20.0, 10.0)), south + draw(edged(0.0, 20.0, 10.0))
    return {"rings": [SQUARE], "west_deg": west, "south_deg": south, "east_deg": east, "north_deg": north}


def _meets(given: dict[str, Any], found: object) -> bool:
    lon, lat = (given["west_deg"], given["east_deg"]), (given["south_deg"], given["north_deg"])
    return found == all(low <= 10.0 and high >= 0.0 for low, high in (lon, lat))


BOXES = (
    Door(
        "airspace_boxes.meets",
        airspace_boxes.meets,
        boxes(),
        _meets,
        BOX,
        [
            *each("west_deg", (math.nan, 7.0), "a box has its west"),
            *each("south_deg", (math.nan, 7.0), "a box has its west"),
            *each("east_deg", (math.nan, 4.0), "a box has its west"),
            *each("north_deg", (math.nan, 4.0), "a box has its west"),
        ],
        examples=100,
    ),
)

DOORS = (*GEODESY, *AIRSPACE, *BOXES)
