"""Whole messages, keyword by keyword, and a second reading of them.

A row holds the XML elements around a keyword, the keyword, a value, its units, what the value must be and whether the
keyword must be there: M mandatory, blank optional, any other name a group that is there whole or not at all. The
figures are invented about CZ-5B (2022-143B).
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape


class Row(NamedTuple):
    elements: str
    keyword: str
    value: str
    units: str = ""
    kind: str = "text"
    need: str = ""


_D = "body/segment/data/"
_TRIANGLE = [(r, c) for r in range(6) for c in range(r + 1)]


def covariance(elements: str, axes: list[str], length: str) -> list[Row]:
    units = [f"{length}**2", f"{length}**2/s", f"{length}**2/s**2"]
    return [
        Row(elements, f"C{axes[r]}_{axes[c]}", "0.25" if r == c else "-1.5E-03", units[(r > 2) + (c > 2)],
            "amount" if r == c else "number", "covariance")
        for r, c in _TRIANGLE
    ]  # fmt: skip


CARTESIAN = ["X", "Y", "Z", "X_DOT", "Y_DOT", "Z_DOT"]
RTN = ["R", "T", "N", "RDOT", "TDOT", "NDOT"]


def state(elements: str, need: str) -> list[Row]:
    values = ("-3034.625", "5813.5", "0.000001", "-6.25", "-3.25", "1.5")
    return [
        Row(elements, key, value, "km/s" if "DOT" in key else "km", "number", need)
        for key, value in zip(CARTESIAN, values, strict=True)
    ]


def interval(n: int, confidence: str) -> list[Row]:
    parts = (
        ("CONFIDENCE", confidence, "%", "percent"), ("START_LON", "-179.5", "deg", "longitude"),
        ("START_LAT", "-41.25", "deg", "latitude"), ("STOP_LON", "180.0", "deg", "longitude"),
        ("STOP_LAT", "41.25", "deg", "latitude"), ("CROSS_TRACK", "200", "km", "amount"),
    )  # fmt: skip
    at = _D + "groundImpactParameters"
    return [Row(at, f"IMPACT_{n}_{name}", value, units, kind, f"i{n}") for name, value, units, kind in parts]


DISINTEGRATION = "NONE|MASS-LOSS|BREAK-UP|MASS-LOSS + BREAK-UP|BREAKUP|MASS-LOSS + BREAKUP"
METHOD = "NONE|ANALYTICAL|STOCHASTIC|EMPIRICAL"
RDM = [
    Row("header", "COMMENT", "for the tests"),
    Row("header", "CREATION_DATE", "2022-11-03T09:31:34.00", kind="epoch", need="M"),
    Row("header", "ORIGINATOR", "ESA", need="M"),
    Row("header", "MESSAGE_ID", "ESA/20221103-001", need="M"),
    *[Row("body/segment/metadata", *row) for row in (
        ("OBJECT_NAME", "CZ-5B R/B", "", "text", "M"),
        ("INTERNATIONAL_DESIGNATOR", "2022-143B", "", "designator", "M"),
        ("CATALOG_NAME", "SATCAT"), ("OBJECT_DESIGNATOR", "54217"),
        ("OBJECT_TYPE", "ROCKET BODY", "", "PAYLOAD|ROCKET BODY|DEBRIS|OTHER|UNKNOWN"),
        ("OBJECT_OWNER", "PRC"), ("OBJECT_OPERATOR", "CASC"),
        ("CONTROLLED_REENTRY", "NO", "", "YES|NO|UNKNOWN", "M"),
        ("CENTER_NAME", "EARTH", "", "text", "M"),
        ("TIME_SYSTEM", "UTC", "", "UTC|TAI|TT|GPS|TDB|TCB|TCG|UT1", "M"),
        ("EPOCH_TZERO", "2022-11-03T00:00:00", "", "epoch", "M"),
        ("REF_FRAME", "EME2000"), ("REF_FRAME_EPOCH", "2022-307T00:00:00Z", "", "epoch"),
        ("EPHEMERIS_NAME", "NONE"), ("GRAVITY_MODEL", "EGM-96: 36D 36O"), ("ATMOSPHERIC_MODEL", "NRLMSISE-00"),
        ("SOLAR_FLUX_PREDICTION", "STOCHASTIC"), ("N_BODY_PERTURBATIONS", "MOON, SUN"), ("SOLAR_RAD_PRESSURE", "NO"),
        ("EARTH_TIDES", "ESR"), ("INTRACK_THRUST", "NO", "", "YES|NO"), ("DRAG_PARAMETERS_SOURCE", "OD"),
        ("DRAG_PARAMETERS_ALTITUDE", "175", "km", "number"),
        ("REENTRY_UNCERTAINTY_METHOD", "STOCHASTIC", "", METHOD),
        ("REENTRY_DISINTEGRATION", "MASS-LOSS + BREAK-UP", "", DISINTEGRATION),
        ("IMPACT_UNCERTAINTY_METHOD", "EMPIRICAL", "", METHOD),
        ("PREVIOUS_MESSAGE_ID", "ESA/20221102-007"), ("PREVIOUS_MESSAGE_EPOCH", "2022-11-02T09:00:00", "", "epoch"),
        ("NEXT_MESSAGE_EPOCH", "N/A", "", "epoch or N/A"),
    )],
    *[Row(_D + "atmosphericReentryParameters", *row) for row in (
        ("COMMENT", "short term"),
        ("ORBIT_LIFETIME", "1.4175", "d", "number", "M"), ("REENTRY_ALTITUDE", "80.0", "km", "amount", "M"),
        ("ORBIT_LIFETIME_WINDOW_START", "1.3", "d", "number"), ("ORBIT_LIFETIME_WINDOW_END", "1.5", "d", "number"),
        ("NOMINAL_REENTRY_EPOCH", "2022-11-04T10:01:12", "", "epoch"),
        ("REENTRY_WINDOW_START", "2022-11-04T07:12:00", "", "epoch"),
        ("REENTRY_WINDOW_END", "2022-11-04T12:00:00", "", "epoch"),
        ("ORBIT_LIFETIME_CONFIDENCE_LEVEL", "90", "%", "percent"),
    )],
    *[Row(_D + "groundImpactParameters", *row) for row in (
        ("PROBABILITY_OF_IMPACT", "1.0", "", "probability"), ("PROBABILITY_OF_BURN_UP", "0", "", "probability"),
        ("PROBABILITY_OF_BREAK_UP", "0.99", "", "probability"),
        ("PROBABILITY_OF_LAND_IMPACT", "0.25", "", "probability"),
        ("PROBABILITY_OF_CASUALTY", "1.1E-03", "", "probability"),
        ("NOMINAL_IMPACT_EPOCH", "2022-11-04T10:20:00", "", "epoch"),
        ("IMPACT_WINDOW_START", "2022-11-04T07:30:00", "", "epoch"),
        ("IMPACT_WINDOW_END", "2022-11-04T12:30:00", "", "epoch"),
        ("IMPACT_REF_FRAME", "ITRF-97", "", "body-fixed", "place"),
        ("NOMINAL_IMPACT_LON", "-105.5", "deg", "longitude", "place"),
        ("NOMINAL_IMPACT_LAT", "9.75", "deg", "latitude", "place"),
        ("NOMINAL_IMPACT_ALT", "0.0", "m", "number"),
    )],
    *interval(1, "68"), *interval(2, "95.0"), *interval(3, "99.7"),
    Row(_D + "stateVector", "COMMENT", "at the last orbit determination"),
    Row(_D + "stateVector", "EPOCH", "2022-11-03T09:30:12", "", "epoch", "state"),
    *state(_D + "stateVector", "state"),
    Row(_D + "covarianceMatrix", "COV_REF_FRAME", "RTN"),
    *covariance(_D + "covarianceMatrix", CARTESIAN, "km"),
    *[Row(_D + "spacecraftParameters", *row) for row in (
        ("WET_MASS", "21600", "kg", "amount"), ("DRY_MASS", "21000.5", "kg", "amount"),
        ("HAZARDOUS_SUBSTANCES", "NONE"), ("SOLAR_RAD_AREA", "120.5", "m**2", "amount"),
        ("SOLAR_RAD_COEFF", "1.3", "", "amount"), ("DRAG_AREA", "118.0", "m**2", "amount"),
        ("DRAG_COEFF", "2.2", "", "amount"), ("RCS", "25.5", "m**2", "amount"),
        ("BALLISTIC_COEFF", "83.2", "kg/m**2", "amount"), ("THRUST_ACCELERATION", "0.0", "m/s**2", "number"),
    )],
    *[Row(_D + "odParameters", *row) for row in (
        ("TIME_LASTOB_START", "2022-11-03T08:00:00", "", "epoch"),
        ("TIME_LASTOB_END", "2022-11-03T09:00:00", "", "epoch"),
        ("RECOMMENDED_OD_SPAN", "1.5", "d", "amount"), ("ACTUAL_OD_SPAN", "1.25", "d", "amount"),
        ("OBS_AVAILABLE", "592", "", "count"), ("OBS_USED", "579", "", "count"),
        ("TRACKS_AVAILABLE", "18", "", "count"), ("TRACKS_USED", "017", "", "count"),
        ("RESIDUALS_ACCEPTED", "97.8", "%", "percent"), ("WEIGHTED_RMS", "0.864", "", "amount"),
    )],
    Row(_D + "userDefinedParameters", "USER_DEFINED_FIR", "MPZL 0.02"),
]  # fmt: skip


def conjunction_object(n: int, designator: str) -> list[Row]:
    s = f"body/segment#{n}/"
    yes_no = "YES|NO"
    return [
        *[Row(s + "metadata", *row) for row in (
            ("OBJECT", f"OBJECT{n}", "", f"OBJECT{n}", "M"), ("OBJECT_DESIGNATOR", "54217", "", "text", "M"),
            ("CATALOG_NAME", "SATCAT", "", "text", "M"), ("OBJECT_NAME", "CZ-5B R/B", "", "text", "M"),
            ("INTERNATIONAL_DESIGNATOR", designator, "", "designator", "M"),
            ("OBJECT_TYPE", "ROCKET BODY", "", "PAYLOAD|ROCKET BODY|DEBRIS|UNKNOWN|OTHER"),
            ("OPERATOR_CONTACT_POSITION", "OSA"), ("OPERATOR_ORGANIZATION", "CMSA"), ("OPERATOR_PHONE", "+86555"),
            ("OPERATOR_EMAIL", "A.B@EXAMPLE.ORG"), ("EPHEMERIS_NAME", "NONE", "", "text", "M"),
            ("COVARIANCE_METHOD", "CALCULATED", "", "CALCULATED|DEFAULT", "M"),
            ("MANEUVERABLE", "N/A", "", "YES|NO|N/A", "M"), ("ORBIT_CENTER", "EARTH"),
            ("REF_FRAME", "EME2000", "", "EME2000", "M"), ("GRAVITY_MODEL", "EGM-96: 36D 36O"),
            ("ATMOSPHERIC_MODEL", "JACCHIA 70 DCA"), ("N_BODY_PERTURBATIONS", "MOON, SUN"),
            ("SOLAR_RAD_PRESSURE", "NO", "", yes_no), ("EARTH_TIDES", "NO", "", yes_no),
            ("INTRACK_THRUST", "NO", "", yes_no),
        )],
        *[Row(s + "data/odParameters", *row) for row in (
            ("COMMENT", "of the object"),
            ("TIME_LASTOB_START", "2022-11-03T01:14:12.746", "", "epoch"),
            ("TIME_LASTOB_END", "2022-11-03T03:14:12.746", "", "epoch"),
            ("RECOMMENDED_OD_SPAN", "2.63", "d", "amount"), ("ACTUAL_OD_SPAN", "2.63", "d", "amount"),
            ("OBS_AVAILABLE", "59", "", "count"), ("OBS_USED", "58", "", "count"),
            ("TRACKS_AVAILABLE", "15", "", "count"), ("TRACKS_USED", "15", "", "count"),
            ("RESIDUALS_ACCEPTED", "97.8", "%", "percent"), ("WEIGHTED_RMS", "0.864", "", "amount"),
        )],
        *[Row(s + "data/additionalParameters", *row) for row in (
            ("AREA_PC", "0.9", "m**2", "amount"), ("AREA_DRG", "0.9", "m**2", "amount"),
            ("AREA_SRP", "0.9", "m**2", "amount"), ("MASS", "251.6", "kg", "amount"),
            ("CD_AREA_OVER_MASS", "0.118668", "m**2/kg", "number"),
            ("CR_AREA_OVER_MASS", "0.075204", "m**2/kg", "number"),
            ("THRUST_ACCELERATION", "0.0", "m/s**2", "number"), ("SEDR", "5.40900E-03", "W/kg", "number"),
        )],
        *state(s + "data/stateVector", "M"),
        *[row._replace(need="M") for row in covariance(s + "data/covarianceMatrix", RTN, "m")],
        *_rows(s + "data/covarianceMatrix"),
    ]  # fmt: skip


def _rows(elements: str) -> list[Row]:
    units = {
        "DRG": ["m**3/kg"] * 3 + ["m**3/(kg*s)"] * 3 + ["m**4/kg**2"],
        "SRP": ["m**3/kg"] * 3 + ["m**3/(kg*s)"] * 3 + ["m**4/kg**2"] * 2,
        "THR": ["m**2/s**2"] * 3 + ["m**2/s**3"] * 3 + ["m**3/(kg*s**2)"] * 2 + ["m**2/s**4"],
    }
    axes = [*RTN, "DRG", "SRP", "THR"]
    return [
        Row(elements, f"C{axis}_{column}", "3.5E-06", unit, "amount" if column == axis else "number", axis)
        for axis, of in units.items()
        for column, unit in zip(axes, of, strict=False)
    ]


_R = "body/relativeMetadataData"
CDM = [
    Row("header", "CREATION_DATE", "2022-11-03T09:31:34.000", "", "epoch", "M"),
    Row("header", "ORIGINATOR", "JSPOC", need="M"), Row("header", "MESSAGE_FOR", "TIANHE"),
    Row("header", "MESSAGE_ID", "201113719185", need="M"),
    Row(_R, "COMMENT", "relative"),
    Row(_R, "TCA", "2022-11-04T07:37:52.618", "", "epoch", "M"),
    Row(_R, "MISS_DISTANCE", "715", "m", "amount", "M"), Row(_R, "RELATIVE_SPEED", "14762", "m/s", "amount"),
    *[Row(_R + "/relativeStateVector", f"RELATIVE_{q}_{a}", "-7.25", u, "number", q)
      for q, u in (("POSITION", "m"), ("VELOCITY", "m/s")) for a in "RTN"],
    Row(_R, "START_SCREEN_PERIOD", "2022-11-03T18:29:32.212", "", "epoch"),
    Row(_R, "STOP_SCREEN_PERIOD", "2022-11-06T18:29:32.212", "", "epoch"),
    Row(_R, "SCREEN_VOLUME_FRAME", "RTN", "", "RTN|TVN"), Row(_R, "SCREEN_VOLUME_SHAPE", "BOX", "", "ELLIPSOID|BOX"),
    *[Row(_R, f"SCREEN_VOLUME_{a}", "200", "m", "amount", "volume") for a in "XYZ"],
    Row(_R, "SCREEN_ENTRY_TIME", "2022-11-04T07:25:43.222", "", "epoch"),
    Row(_R, "SCREEN_EXIT_TIME", "2022-11-04T07:44:29.324", "", "epoch"),
    Row(_R, "COLLISION_PROBABILITY", "4.835E-05", "", "probability"),
    Row(_R, "COLLISION_PROBABILITY_METHOD", "FOSTER-1992"),
    *conjunction_object(1, "2022-143B"), *conjunction_object(2, "UNKNOWN"),
]  # fmt: skip


# --- writing ---------------------------------------------------------------------------------------------------


def as_kvn(kind: str, version: str, rows: Iterable[Row]) -> bytes:
    lines = [f"CCSDS_{kind}_VERS = {version}"]
    for row in rows:
        units = f" [{row.units}]" if row.units else ""
        lines.append(f"COMMENT {row.value}" if row.keyword == "COMMENT" else f"{row.keyword} = {row.value}{units}")
    return "\n".join(lines).encode() + b"\n"


def as_xml(kind: str, version: str, rows: Iterable[Row]) -> bytes:
    out = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind.lower()} id="CCSDS_{kind}_VERS" version="{version}">']
    open_: list[str] = []
    for elements, inside in groupby(rows, lambda row: row.elements.split("/")):
        common = next(
            (i for i, (a, b) in enumerate(zip(open_, elements, strict=False)) if a != b), min(len(open_), len(elements))
        )
        out += [f"</{name.partition('#')[0]}>" for name in reversed(open_[common:])]
        out += [f"<{name.partition('#')[0]}>" for name in elements[common:]]
        open_ = elements
        out += map(_leaf, inside)
    out += [f"</{name.partition('#')[0]}>" for name in reversed(open_)]
    return "\n".join([*out, f"</{kind.lower()}>"]).encode() + b"\n"


def _leaf(row: Row) -> str:
    if row.keyword.startswith("USER_DEFINED_"):
        return (
            f'<USER_DEFINED parameter="{row.keyword.removeprefix("USER_DEFINED_")}">{escape(row.value)}</USER_DEFINED>'
        )
    units = f' units="{row.units}"' if row.units else ""
    return f"<{row.keyword}{units}>{escape(row.value)}</{row.keyword}>"


# --- the second reading ----------------------------------------------------------------------------------------


def number_within(least: float, greatest: float) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        if not re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?", value):
            return False
        return math.isfinite(float(value)) and least <= float(value) <= greatest

    return check


def epoch(value: str) -> Any:
    """A datetime, or None where it is no instant."""
    parts = re.fullmatch(
        r"([0-9]{4})-([0-9]{2}-[0-9]{2}|[0-9]{3})T([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,12})?Z?", value
    )
    if not parts:
        return None
    day = "%m-%d" if "-" in parts[2] else "%j"
    try:
        found = datetime.strptime(f"{parts[1]}-{parts[2]}T{parts[3]}", f"%Y-{day}T%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    known = found.year == int(parts[1]) and ":60" not in value and ":61" not in value
    return found.replace(microsecond=int(float(parts[4] or 0) * 1e6)) if known else None


def _text(value: str) -> bool:
    return 0 < len(value) <= 200 and not re.search("[\x00-\x1f\x7f]", value)


KINDS: dict[str, Callable[[str], object]] = {
    "text": _text,
    "number": number_within(-math.inf, math.inf),
    "amount": number_within(0.0, math.inf),
    "probability": number_within(0.0, 1.0),
    "percent": number_within(0.0, 100.0),
    "longitude": number_within(-180.0, 180.0),
    "latitude": number_within(-90.0, 90.0),
    "count": lambda value: re.fullmatch("[+-]?[0-9]{1,12}", value) and int(value) >= 0,
    "epoch": epoch,
    "epoch or N/A": lambda value: value == "N/A" or epoch(value),
    "designator": lambda value: re.fullmatch("[0-9]{4}-[0-9]{3}[A-Z]{1,3}|UNKNOWN", value),
    "body-fixed": lambda value: re.fullmatch("ITRF-?([0-9]{2}|[0-9]{3}|[0-9]{4})|ITRF", value),
}
Found = tuple[str, str, str, str | None]  # elements ("" in KVN), keyword, value, units


def kvn_rows(kind: str, data: bytes) -> list[Found] | None:
    lines = data.decode("ascii").replace("\r", "\n").split("\n")
    lines = [line for line in lines if line.strip(" ")]
    if not re.fullmatch(rf" *CCSDS_{kind}_VERS *= *1\.[0-9] *", lines[0]) or any(len(line) > 254 for line in lines):
        return None
    if any(not " " <= c <= "~" for line in lines for c in line):
        return None
    found: list[Found] = []
    for line in lines[1:]:
        comment = re.match(" *COMMENT( *=| |$)", line)
        if comment:
            found.append(("", "COMMENT", line[comment.end() :], None))
            continue
        keyword, equals, value = (part.strip(" ") for part in line.partition("="))
        if not equals:
            return None
        found.append(("", keyword, value, None))
    return found


def xml_rows(kind: str, data: bytes) -> list[Found] | None:
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([^\"']*)", data)
    if declared and declared[1].upper() not in (b"UTF-8", b"UTF8", b"ASCII", b"US-ASCII"):
        return None
    if re.search(rb"<\?(?!xml\s)", data):
        return None
    root = ET.fromstring(data)
    if root.tag != kind.lower() or root.attrib.get("id") != f"CCSDS_{kind}_VERS":
        return None
    if not re.fullmatch(r"1\.[0-9]", root.attrib.get("version", "")) or (root.text or "").strip():
        return None
    found: list[Found] = []
    _walk(root, "", found)
    return found


def _walk(element: ET.Element, path: str, found: list[Found]) -> None:
    for child in element:
        if (child.tail or "").strip():
            raise ValueError("text between elements")
        if child.tag.isupper():
            if len(child):
                raise ValueError("elements in a value")
            name = f"USER_DEFINED_{child.attrib['parameter']}" if child.tag == "USER_DEFINED" else child.tag
            found.append((path, name, (child.text or "").strip(), child.attrib.get("units")))
        else:
            if (child.text or "").strip():
                raise ValueError("text between elements")
            _walk(child, f"{path}/{child.tag}".strip("/"), found)


def values_in_order(table: list[Row], found: list[Found] | None) -> list[tuple[int, str]] | None:
    """The index in the table and the value of each keyword, or None where a message breaks it."""
    at, block, comment, values, users = -1, "", False, [], set()
    for elements, keyword, said, shown in found or ():
        if keyword == "COMMENT":
            comment = True
            continue
        if keyword in users or " " in keyword:
            return None
        user = (
            keyword.startswith("USER_DEFINED_") and len(keyword) > 13 and table[-1].keyword.startswith("USER_DEFINED_")
        )
        indices = (i for i, row in enumerate(table) if i > at and row.keyword == keyword)
        users |= {keyword} if user else set()
        at = len(table) - 1 if user else next(indices, -1)
        if at < 0:
            return None
        row = table[at]
        if (elements and elements != re.sub("#.", "", row.elements)) or (comment and row.elements == block):
            return None
        comment, block = False, row.elements
        value, units = split_units(said, shown, row) if not user else (said, None)
        if not user and not _fits(row, value, units):
            return None
        values.append((at, value))
    return values if found is not None and _complete(table, {at for at, _ in values}) else None


def split_units(said: str, units: str | None, row: Row) -> tuple[str, str | None]:
    match = re.fullmatch(r"(.*) \[([^\[\]]*)\]", said)
    return (match[1].strip(" "), match[2]) if match and units is None and row.kind != "text" else (said, units)


def _fits(row: Row, value: str, units: str | None) -> bool:
    if units != (row.units or None):
        return False
    if row.kind in KINDS:
        return bool(KINDS[row.kind](value))
    plain = " ".join(value.replace("_", " ").split())
    return (plain.upper() if plain.islower() else plain) in row.kind.split("|")


def _complete(table: list[Row], present: set[int]) -> bool:
    there: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for i, row in enumerate(table):
        there[row.elements, row.need].add(i in present)
    return all(seen == {True} if need == "M" else len(seen) == 1 or not need for (_, need), seen in there.items())
