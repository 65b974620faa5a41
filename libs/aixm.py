"""Airspace of AIXM 5.1.1 as GeoJSON, streamed through expat with document types, entities and depth refused.

Taken are the baselines and snapshots of airspace whose volumes are drawn out: rings of geodesics, straight lines, arcs
and circles about a centre, in EPSG:4326 (latitude first) or CRS84. What is put together from other airspace, or refers
to a border drawn elsewhere, is refused, never approximated. Arcs are drawn in steps of 5 degrees of bearing.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from libs.astro.elements import RefusalReason, Refused
from libs.astro.geodesic import direct
from libs.rows.places import excerpt
from libs.rows.values import Unfit, number

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
MAX_TOKEN = 8 * 2**20
MAX_POINTS = 500_000
CHUNK = 64 * 1024
ARC_STEP_DEG = 5.0
_NAMESPACE = re.compile(r"http://www\.aixm\.aero/schema/5\.1(\.1)?(/message)? AIXMBasicMessage")
_KM = {"NM": 1.852, "[NMI_I]": 1.852, "KM": 1.0, "M": 1e-3, "FT": 3.048e-4}
_LATITUDE_FIRST = re.compile(r"urn:ogc:def:crs:EPSG:[\d.]*:4326|EPSG:4326|")
_LONGITUDE_FIRST = re.compile(r"urn:ogc:def:crs:OGC:1\.3:CRS84|http://www\.opengis\.net/def/crs/OGC/1\.3/CRS84")
_NOT_DRAWN = {  # elements that make an airspace of something else than what is drawn out
    "contributorAirspace": "it is put together from other airspace",
    "ArcString": "an arc through points is not read",
    "Arc": "an arc through points is not read",
    "Circle": "a circle through points is not read",
    "OrientableCurve": "a reversed curve is not read",
    "CompositeCurve": "a curve of curves is not read",
    "CubicSpline": "a spline is not read",
}
_ARC_TEXTS = ("radius", "startAngle", "endAngle")
_TEXTS = frozenset(
    (
        "interpretation",
        "type",
        "designator",
        "name",
        "operation",
        "upperLimit",
        "lowerLimit",
        "pos",
        "posList",
        *_ARC_TEXTS,
    )
)
_REFERRING = ("curveMember", "pointProperty", "surfaceMember")
Point = tuple[float, float]  # longitude, latitude


@dataclass(frozen=True, slots=True)
class AixmFile:
    """`geojson` is a FeatureCollection of the volumes that can be used, one feature each."""

    geojson: bytes
    volume_count: int
    rejections: list[Refused] = field(default_factory=list)


class _Unusable(Exception):
    """An airspace cannot be used."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _Stop(_Unusable):
    """Nothing after this place is read."""


@dataclass(slots=True)
class _Volume:
    limits: dict[str, str] = field(default_factory=dict)
    rings: list[list[Point]] = field(default_factory=list)


@dataclass(slots=True)
class _Airspace:
    line: int
    column: int
    at: int
    texts: dict[str, str] = field(default_factory=dict)
    volumes: list[_Volume] = field(default_factory=list)
    refused: Refused | None = None


def read(data: bytes) -> AixmFile:
    """Never raises for content; of a document with an error of syntax nothing is taken, for it may be half a one."""
    if len(data) > MAX_BYTES:
        refused = Refused(0, 0, RefusalReason.TOO_LARGE, f"the file has more than {MAX_BYTES} bytes", data[:80])
        return AixmFile(b"", 0, [refused])
    document = _Document(data)
    try:
        for start in range(0, len(data) or 1, CHUNK):
            document.feed(data[start : start + CHUNK], final=start + CHUNK >= len(data))
    except _Stop as stop:
        document.features.clear()
        document.rejections.append(document.refused(stop.reason, str(stop)))
    except expat.ExpatError as error:
        document.features.clear()
        detail = f"the file is not XML: {expat.ErrorString(error.code)}"
        document.rejections.append(document.refused(RefusalReason.UNREADABLE, detail, error.lineno, error.offset + 1))
    collection = {"type": "FeatureCollection", "features": document.features}
    return AixmFile(json.dumps(collection).encode(), len(document.features), document.rejections)


class _Document:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._fed = 0
        self._open: list[str] = []
        self._airspace: _Airspace | None = None
        self._text: list[str] | None = None
        self._length = 0
        self._attributes: list[dict[str, str]] = []
        self._arc: dict[str, Any] = {}
        self.features: list[dict[str, Any]] = []
        self.rejections: list[Refused] = []
        self._parser = self._strict_parser()

    def feed(self, chunk: bytes, *, final: bool) -> None:
        self._parser.Parse(chunk, final)
        self._fed += len(chunk)
        if self._fed - max(self._parser.CurrentByteIndex, 0) > MAX_TOKEN:
            raise _Stop(RefusalReason.TOO_LARGE, f"a tag or comment has more than {MAX_TOKEN} bytes")

    def refused(self, reason: RefusalReason, detail: str, line: int = 0, column: int = 0) -> Refused:
        at = max(self._parser.CurrentByteIndex, 0)
        line, column = line or self._parser.CurrentLineNumber, column or self._parser.CurrentColumnNumber + 1
        return Refused(line, column, reason, detail, excerpt(self._data[max(0, at - 1024) : at + 3072]))

    def _strict_parser(self) -> Any:
        parser = expat.ParserCreate("UTF-8", " ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._refuse("a document type is declared; it is never read")
        parser.ProcessingInstructionHandler = self._refuse("a processing instruction is there; none belongs here")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        return parser

    @staticmethod
    def _refuse(detail: str) -> Callable[..., None]:
        def stop(*_: object) -> None:
            raise _Stop(RefusalReason.UNREADABLE, detail)

        return stop

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _Stop(RefusalReason.UNREADABLE, f"elements are nested deeper than {MAX_DEPTH}")
        if not self._open and not _NAMESPACE.fullmatch(name):
            raise _Stop(RefusalReason.UNREADABLE, "the document is no AIXMBasicMessage of AIXM 5.1.1")
        tag = name.rpartition(" ")[2]
        self._open.append(tag)
        self._attributes.append(attributes)
        self._text, self._length = ([] if tag in _TEXTS else None), 0
        if tag == "Airspace" and self._airspace is None:
            place = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
            self._airspace = _Airspace(*place, self._parser.CurrentByteIndex)
        elif self._airspace is not None and self._airspace.refused is None:
            self._guarded(self._begin, self._airspace, tag, attributes)

    def _guarded(self, step: Callable[..., None], airspace: _Airspace, *arguments: object) -> None:
        try:
            step(airspace, *arguments)
        except _Stop:
            raise
        except _Unusable as bad:
            airspace.refused = self.refused(bad.reason, str(bad))

    def _begin(self, airspace: _Airspace, tag: str, attributes: dict[str, str]) -> None:
        if tag in _NOT_DRAWN:
            raise _Unusable(RefusalReason.GEOMETRY, f"{_NOT_DRAWN[tag]}; send it with its outline drawn out")
        if any(key.endswith(" href") for key in attributes) and tag in (
            "curveMember",
            "pointProperty",
            "surfaceMember",
        ):
            raise _Unusable(RefusalReason.MISSING, f"<{tag}> refers to what is drawn elsewhere; send it drawn out")
        if tag == "AirspaceTimeSlice":
            if airspace.volumes:
                raise _Unusable(RefusalReason.MISMATCH, "it has several time slices; send a snapshot of one time")
        elif tag == "AirspaceVolume":
            airspace.volumes.append(_Volume())
        elif tag in ("exterior", "interior"):
            self._volume().rings.append([])
        elif tag in ("ArcByCenterPoint", "CircleByCenterPoint"):
            self._arc = {"kind": tag}

    def _volume(self) -> _Volume:
        if self._airspace is None or not self._airspace.volumes:
            raise _Unusable(RefusalReason.GEOMETRY, "an outline stands outside of a volume")
        return self._airspace.volumes[-1]

    def _characters(self, characters: str) -> None:
        if self._text is not None:
            self._length += len(characters)
            if self._length > MAX_TOKEN:
                raise _Stop(RefusalReason.TOO_LARGE, f"a text has more than {MAX_TOKEN} characters")
            self._text.append(characters)

    def _end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        said = "".join(self._text).strip() if self._text is not None else ""
        airspace = self._airspace
        if airspace is not None and airspace.refused is None:
            self._guarded(self._finish, airspace, tag, said)
        self._open.pop()
        self._attributes.pop()
        self._text = None
        if tag == "Airspace" and "Airspace" not in self._open and airspace is not None:
            self._close(airspace)

    def _finish(self, airspace: _Airspace, tag: str, said: str) -> None:
        parent = self._open[-2] if len(self._open) > 1 else ""
        if tag in ("interpretation", "type", "designator", "name") and parent == "AirspaceTimeSlice":
            airspace.texts.setdefault(tag, said)
        elif tag == "operation" and said not in ("BASE", "UNION", ""):
            detail = f"its volume is to be taken as {said[:20]}; only what is drawn out is read"
            raise _Unusable(RefusalReason.GEOMETRY, detail)
        elif tag in ("upperLimit", "lowerLimit"):
            self._volume().limits[tag] = f"{said} {self._attributes[-1].get('uom', '')}".strip()
        elif tag in ("pos", "posList"):
            self._positions(said)
        elif tag in _ARC_TEXTS:
            self._arc[tag] = (_numbers(said)[0] if said else math.nan, self._attributes[-1].get("uom", ""))
        elif tag in ("ArcByCenterPoint", "CircleByCenterPoint"):
            self._add(_arc(self._arc))
            self._arc = {}

    def _positions(self, said: str) -> None:
        values = _numbers(said)
        if len(values) % 2:
            raise _Unusable(RefusalReason.LENGTH, f"{len(values)} coordinates are no pairs; send two for each position")
        pairs = list(zip(values[::2], values[1::2], strict=True))
        points = pairs if self._longitude_first() else [(lon, lat) for lat, lon in pairs]
        if any(abs(lon) > 180.0 or abs(lat) > 90.0 for lon, lat in points):
            raise _Unusable(RefusalReason.RANGE, "a position is outside 180 degrees of longitude and 90 of latitude")
        if self._arc:
            self._arc["centre"] = points[0]
        elif "exterior" in self._open or "interior" in self._open:
            self._add(points)

    def _longitude_first(self) -> bool:
        said = next((one["srsName"] for one in reversed(self._attributes) if "srsName" in one), "")
        if _LATITUDE_FIRST.fullmatch(said):
            return False
        if _LONGITUDE_FIRST.fullmatch(said):
            return True
        raise _Unusable(RefusalReason.MISMATCH, f"the coordinates are in {said[:60]!r}, not EPSG:4326 or CRS84")

    def _add(self, points: list[Point]) -> None:
        rings = self._volume().rings
        if not rings:
            raise _Unusable(RefusalReason.GEOMETRY, "positions stand outside of an outline")
        ring = rings[-1]
        ring.extend(points[1:] if ring and points and ring[-1] == points[0] else points)
        if len(ring) > MAX_POINTS:
            raise _Stop(RefusalReason.TOO_LARGE, f"an outline has more than {MAX_POINTS} positions")

    def _close(self, airspace: _Airspace) -> None:
        self._airspace = None
        self._arc = {}
        raw = excerpt(self._data[airspace.at : self._parser.CurrentByteIndex])
        if airspace.refused is not None:
            self.rejections.append(airspace.refused)
        elif problem := _problem(airspace):
            self.rejections.append(Refused(airspace.line, airspace.column, *problem, raw))
        else:
            self.features += [_feature(airspace.texts, volume) for volume in airspace.volumes]


def _problem(airspace: _Airspace) -> tuple[RefusalReason, str] | None:
    said = airspace.texts
    if said.get("interpretation", "BASELINE") not in ("BASELINE", "SNAPSHOT"):
        return RefusalReason.MISMATCH, f"it is a {said['interpretation'][:20]}; only baselines and snapshots are read"
    if not said.get("designator"):
        return RefusalReason.MISSING, "it has no designator"
    if not airspace.volumes or not all(volume.rings and all(volume.rings) for volume in airspace.volumes):
        return RefusalReason.GEOMETRY, "a volume of it has no outline"
    return None


def _feature(said: dict[str, str], volume: _Volume) -> dict[str, Any]:
    properties = {"ident": said["designator"], "name": said.get("name", ""), "type": said.get("type", "")}
    limits = {"lowerLimit": "lower_fl", "upperLimit": "upper_fl"}
    properties |= {key: volume.limits[name] for name, key in limits.items() if name in volume.limits}
    rings = [[list(point) for point in (ring if ring[0] == ring[-1] else [*ring, ring[0]])] for ring in volume.rings]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": rings},
    }


def _numbers(said: str) -> list[float]:
    try:
        return [number(word) for word in said.split()]
    except Unfit as unfit:
        raise _Unusable(unfit.reason, f"a coordinate {unfit}") from None


def _arc(said: dict[str, Any]) -> list[Point]:
    """Bearings clockwise from north, as axes with latitude first have it (OGC 12-028r1); rising to the right."""
    if "centre" not in said or "radius" not in said:
        raise _Unusable(RefusalReason.MISSING, "an arc lacks its centre or its radius")
    radius, unit = said["radius"]
    if unit.upper() not in _KM or not 0.0 < radius * _KM[unit.upper()] < 2000.0:
        raise _Unusable(RefusalReason.RANGE, f"{radius:g} {unit[:20]} is no radius of an arc that is known")
    start, end = said.get("startAngle", (0.0, "deg"))[0], said.get("endAngle", (360.0, "deg"))[0]
    if said["kind"] == "CircleByCenterPoint":
        start, end = 0.0, 360.0
    if not (abs(start) <= 720.0 and abs(end) <= 720.0):
        raise _Unusable(RefusalReason.RANGE, "an angle of an arc is outside two turns")
    steps = max(1, math.ceil(abs(end - start) / ARC_STEP_DEG))
    lon, lat = said["centre"]
    bearings = [start + (end - start) * step / steps for step in range(steps + 1)]
    return [_at(lon, lat, bearing, radius * _KM[unit.upper()]) for bearing in bearings]


def _at(lon_deg: float, lat_deg: float, bearing_deg: float, km: float) -> Point:
    lat, lon, _ = direct(math.radians(lat_deg), math.radians(lon_deg), math.radians(bearing_deg), km)
    return math.degrees(lon), math.degrees(lat)
