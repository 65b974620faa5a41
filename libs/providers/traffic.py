"""Air traffic density: the mean number of aircraft present by place, band of flight levels and hour of the day (UTC).

As CSV under `cell,lower_fl,upper_fl,hour,aircraft`, a cell being an H3 index in hexadecimal, all of one resolution. As
GeoJSON, a polygon a feature with the properties lower_fl, upper_fl, hour and aircraft.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from libs.astro import airspace_geojson, h3_cells
from libs.astro.airspace_outline import BadOutline
from libs.astro.elements import RefusalReason, Refused
from libs.rows.csv_rows import read_csv_rows
from libs.rows.json_rows import Pairs, keys_of, read_json_rows
from libs.rows.values import Bad, Unfit, field, number, text, whole, within

COLUMNS = ("cell", "lower_fl", "upper_fl", "hour", "aircraft")
MAX_FL = 999
MAX_AIRCRAFT = 1e5  # at any time about 15,000 are in the air on the whole Earth
_CELL = re.compile(r"[0-9a-fA-F]{15,16}")
_level = within(whole, 0, MAX_FL)
_hour = within(whole, 0, 23)
_aircraft = within(number, 0.0, MAX_AIRCRAFT)


@dataclass(frozen=True, slots=True)
class TrafficRow:
    """One place, band of levels and hour. The place is an H3 index, or a hash of the polygon's coordinates."""

    place: str
    h3_resolution: int | None
    lower_fl: int
    upper_fl: int
    hour: int
    aircraft: float


def read_csv(data: bytes) -> Iterator[TrafficRow | Refused]:
    """Each row; never raises for content."""
    return read_csv_rows(data, COLUMNS, _checked(_cell))


def read_geojson(data: bytes) -> Iterator[TrafficRow | Refused]:
    """Each feature of a FeatureCollection; never raises for content."""
    return read_json_rows(data, _checked(_polygon), "features")


Place = tuple[str, int | None]


def _checked(place: Callable[[dict[str, Any]], tuple[Place, dict[str, Any]]]) -> Callable[[dict[str, Any]], TrafficRow]:
    """A reader of rows of one file: of one resolution, and no place, band and hour twice."""
    seen: set[tuple[str, int, int, int]] = set()
    resolutions: list[int | None] = []

    def convert(row: dict[str, Any]) -> TrafficRow:
        (where, resolution), said = place(row)
        lower, upper = field(said, "lower_fl", _level), field(said, "upper_fl", _level)
        if lower >= upper:
            raise Bad("upper_fl", RefusalReason.MISMATCH, f"upper_fl is {upper}, not above lower_fl {lower}")
        found = TrafficRow(
            where, resolution, lower, upper, field(said, "hour", _hour), field(said, "aircraft", _aircraft)
        )
        if resolutions and resolution != resolutions[0]:
            detail = f"cell has resolution {resolution}; those before it have {resolutions[0]}"
            raise Bad("cell", RefusalReason.MISMATCH, detail)
        key = (where, lower, upper, found.hour)
        if key in seen:
            raise Bad("", RefusalReason.MISMATCH, "the same place, levels and hour were there before")
        seen.add(key)
        resolutions[:] = [resolution]
        return found

    return convert


def _cell(row: dict[str, Any]) -> tuple[Place, dict[str, Any]]:
    index = field(row, "cell", _index)
    return (f"{index:x}", h3_cells.resolution(index)), row


def _index(value: object) -> int:
    said = text(value)
    index = int(said, 16) if _CELL.fullmatch(said) else 0
    if h3_cells.resolution(index) is None:
        raise Unfit(RefusalReason.CHARACTER, f"is {said[:40]!r}, not an H3 cell as 85283473fffffff")
    return index


def _polygon(feature: dict[str, Any]) -> tuple[Place, dict[str, Any]]:
    if feature.get("type") != "Feature":
        raise Bad("type", RefusalReason.MISMATCH, "the row is no GeoJSON Feature")
    geometry = keys_of(feature.get("geometry"))
    try:
        airspace_geojson.polygons_of(geometry | {"coordinates": _numbers(geometry.get("coordinates"))})
    except BadOutline as bad:
        raise Bad("geometry", RefusalReason.GEOMETRY, f"{bad}; draw it as a closed ring") from None
    digest = hashlib.sha256(json.dumps(geometry.get("coordinates")).encode()).hexdigest()[:32]
    return (digest, None), keys_of(feature.get("properties"))


def _numbers(found: Any) -> Any:
    """The texts of numbers in nested arrays, as numbers."""
    if isinstance(found, Pairs):
        raise BadOutline("its coordinates are not pairs of numbers")
    if isinstance(found, list):
        return [_numbers(one) for one in found]
    try:
        value = number(found)
    except Unfit as unfit:
        raise BadOutline(f"a coordinate {unfit}") from None
    return value if math.isfinite(value) else None
