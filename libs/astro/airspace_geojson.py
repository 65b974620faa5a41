"""Volumes of airspace from GeoJSON: what is usable, and what is wrong with the rest.

Levels are flight levels above standard pressure; heights in feet and metres are taken as such. Properties are those in
use: `lower_fl` and `upper_fl` in flight levels, or LOWERLIMIT, LOWERUNIT, UPPERLIMIT and UPPERUNIT of the European AIS
Database, with FL, FT and M, UNL, GND and SFC, and 999 for no limit.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import airspace_outline, airspace_validity
from libs.astro.airspace_outline import Array, BadOutline
from libs.astro.elements import RefusalReason, Refused

_IDENT_KEYS = ("ident", "id", "icao", "IDENT", "ICAO", "ID", "designator")
_NAME_KEYS = ("name", "NAME", "label")
_KIND_KEYS = ("type", "TYPE")
_LOWER_KEYS, _UPPER_KEYS = ("lower_fl", "LOWER_FL", "LOWERLIMIT"), ("upper_fl", "UPPER_FL", "UPPERLIMIT")
_LOWER_UNIT_KEYS, _UPPER_UNIT_KEYS = ("LOWERUNIT",), ("UPPERUNIT",)
_FL = {"FL": 1.0, "FT": 0.01, "M": 1.0 / 30.48}
_LIMIT = re.compile(r"(FL)? *([0-9]+(?:\.[0-9]+)?) *(FL|FT|M)?")
UNLIMITED_FL = 999.0


@dataclass(frozen=True, slots=True)
class Volume:
    """One feature: an outline between two levels, the lower one within, the upper one not.

    `rings` are closed, unwrapped and dense, (n, 2) of longitude and latitude in degrees; a point is inside by the
    even-odd rule over all of them. The area is on the ellipsoid.
    """

    ident: str
    name: str
    kind: str
    lower_fl: float
    upper_fl: float
    rings: tuple[Array, ...]
    area_km2: float


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a feature of the file, counted from 1.

    `invalid` when the outline is no valid polygon, whether it is used or left out; else it was repaired.
    """

    feature: int
    ident: str
    problem: str
    invalid: bool


def read(data: bytes) -> tuple[list[Volume], list[Finding]]:
    """Volumes of a FeatureCollection of polygons in the file's order; raises Refused for a file that is none.

    A feature needs a designator in one of its usual properties. One without a usable outline is left out and found.
    """
    findings: list[Finding] = []
    volumes = [_volume(at, raw, findings) for at, raw in enumerate(_features(data), start=1)]
    return [volume for volume in volumes if volume is not None], findings


def _features(data: bytes) -> list[Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Refused(1, error.start + 1, RefusalReason.UNREADABLE, f"the file is not UTF-8: {error.reason}") from error
    except json.JSONDecodeError as error:
        detail = f"the file is not JSON: {error.msg}"
        raise Refused(error.lineno, error.colno, RefusalReason.UNREADABLE, detail) from error
    except RecursionError as error:
        raise Refused(1, 1, RefusalReason.UNREADABLE, "the file is nested deeper than any GeoJSON") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise Refused(1, 1, RefusalReason.UNREADABLE, "the file is not a GeoJSON FeatureCollection")
    features = document.get("features")
    if not isinstance(features, list):
        raise Refused(1, 1, RefusalReason.MISSING, "the FeatureCollection has no list of features")
    return features


def _no_constant(text: str) -> float:
    raise Refused(1, 1, RefusalReason.NOT_FINITE, f"the file holds {text}, which is no number of JSON")


def _volume(at: int, raw: Any, findings: list[Finding]) -> Volume | None:
    found = raw.get("properties") if isinstance(raw, dict) else None
    properties: dict[str, Any] = found if isinstance(found, dict) else {}
    ident = _text(properties, _IDENT_KEYS)
    if not ident:
        findings.append(Finding(at, f"feature {at}", "it has no designator; it is left out", invalid=True))
        return None
    try:
        polygons, repairs = polygons_of(raw.get("geometry"))
    except BadOutline as bad:
        findings.append(Finding(at, ident, f"{bad}; it is left out", invalid=True))
        return None
    findings += [Finding(at, ident, repair, invalid=False) for repair in repairs]
    if problem := airspace_validity.problem(polygons):
        detail = f"{problem}; points are inside by the even-odd rule"
        findings.append(Finding(at, ident, detail, invalid=True))
    lower, upper = _levels(at, ident, properties, findings)
    polygons = [[airspace_outline.densify(ring) for ring in polygon] for polygon in polygons]
    return Volume(
        ident,
        _text(properties, _NAME_KEYS) or ident,
        _text(properties, _KIND_KEYS),
        lower,
        upper,
        tuple(ring for polygon in polygons for ring in polygon),
        sum(_area_km2(polygon) for polygon in polygons),
    )


def _area_km2(polygon: Sequence[Array]) -> float:
    outer, *holes = (abs(airspace_outline.signed_area_km2(ring)) for ring in polygon)
    return max(outer - sum(holes), 0.0)


def _text(properties: dict[str, Any], keys: Sequence[str]) -> str:
    for key in keys:
        value = properties.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:64]
    return ""


def _levels(at: int, ident: str, properties: dict[str, Any], findings: list[Finding]) -> tuple[float, float]:
    lower = _limit_fl(properties, _LOWER_KEYS, _LOWER_UNIT_KEYS, 0.0)
    upper = _limit_fl(properties, _UPPER_KEYS, _UPPER_UNIT_KEYS, math.inf)
    if upper >= UNLIMITED_FL:
        upper = math.inf
    if lower < upper:
        return lower, upper
    problem = f"its lower level FL{lower:g} is not below its upper one, FL{upper:g}; it is taken from ground up"
    findings.append(Finding(at, ident, problem, invalid=False))
    return 0.0, math.inf


def _limit_fl(properties: dict[str, Any], keys: Sequence[str], unit_keys: Sequence[str], default: float) -> float:
    for key in keys:
        value = properties.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value) * _FL.get(_text(properties, unit_keys).upper() or "FL", 1.0)
        if isinstance(value, str) and (level := level_fl(value, _text(properties, unit_keys))) is not None:
            return level
    return default


def level_fl(limit: str, unit: str = "") -> float | None:
    """Flight level of a limit such as 195, FL195, 2500 FT, GND or UNL, a bare number in `unit`; None for no limit."""
    text = limit.strip().upper()
    if text in ("GND", "SFC"):
        return 0.0
    if text in ("UNL", "UNLIMITED"):
        return math.inf
    found = _LIMIT.fullmatch(text)
    if not found:
        return None
    return float(found[2]) * _FL.get(found[1] or found[3] or unit.strip().upper() or "FL", 1.0)


def polygons_of(geometry: Any) -> tuple[list[list[Array]], list[str]]:
    """Unwrapped rings of each polygon of a GeoJSON geometry, the outline first, and what had to be repaired.

    Raises BadOutline.
    """
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise BadOutline("its geometry is no polygon")
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons:
        raise BadOutline("it has no coordinates")
    repairs: dict[str, None] = {}
    return [_rings(polygon, repairs) for polygon in polygons], list(repairs)


def _rings(polygon: Any, repairs: dict[str, None]) -> list[Array]:
    if not isinstance(polygon, list) or not polygon:
        raise BadOutline("it has no coordinates")
    rings: list[Array] = []
    pole = 0.0
    for ring in _aligned(polygon, repairs):
        unwrapped, around = ring
        if around:
            pole = pole or airspace_outline.nearer_pole_deg(unwrapped)  # holes are closed as their outline is
            repairs[f"it goes around the Earth; it is taken to hold the {'north' if pole > 0 else 'south'} pole"] = None
            unwrapped = airspace_outline.around_pole(unwrapped, pole)
        rings.append(unwrapped)
    return rings


def _aligned(polygon: list[Any], repairs: dict[str, None]) -> Iterator[tuple[Array, int]]:
    """Rings of one polygon, holes on the same turn as their outline."""
    middle: float | None = None
    for points in polygon:
        ring = _ring(points)
        if not np.array_equal(ring[0], ring[-1]):
            repairs["its outline is not closed; it is closed"] = None
        if np.any(np.all(np.diff(ring, axis=0) == 0.0, axis=1)):
            repairs["its outline has a corner twice in a row; it is taken once"] = None
        unwrapped, around = airspace_outline.unwrap(ring)
        if np.any(np.abs(np.diff(ring[:, 0])) > 180.0):
            repairs["its outline jumps over the antimeridian; it is taken the shorter way"] = None
        centre = float(unwrapped[:, 0].min() + unwrapped[:, 0].max()) / 2.0
        middle = centre if middle is None else middle
        unwrapped[:, 0] += 360.0 * round((middle - centre) / 360.0)
        yield unwrapped, around


def _ring(points: Any) -> Array:
    try:
        ring = np.array([(point[0], point[1]) for point in points], dtype=np.float64)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise BadOutline("its coordinates are not pairs of numbers") from error
    if ring.ndim != 2 or not np.all(np.isfinite(ring)) or np.any(np.abs(ring) > (720.0, 90.0)):
        raise BadOutline("its coordinates are not degrees of longitude and latitude")
    return ring
