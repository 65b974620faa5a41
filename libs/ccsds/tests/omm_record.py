"""One record of mean elements, what its values may be, and the record in each encoding.

`is_valid` and what it rests on are written apart from the readers.
"""

import csv
import io
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from xml.sax.saxutils import escape

RECORD = {
    "CCSDS_OMM_VERS": "2.0",
    "OBJECT_NAME": "CZ-5B R/B",
    "OBJECT_ID": "2022-143B",
    "CENTER_NAME": "EARTH",
    "REF_FRAME": "TEME",
    "TIME_SYSTEM": "UTC",
    "MEAN_ELEMENT_THEORY": "SGP4",
    "EPOCH": "2022-11-03T19:58:06.667968",
    "MEAN_MOTION": 16.33819495,
    "ECCENTRICITY": 0.0049889,
    "INCLINATION": 41.4725,
    "RA_OF_ASC_NODE": 86.2946,
    "ARG_OF_PERICENTER": 204.7631,
    "MEAN_ANOMALY": 283.9192,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 54217,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 56,
    "BSTAR": 0.00053797,
    "MEAN_MOTION_DOT": 0.07541702,
    "MEAN_MOTION_DDOT": 7.5736e-06,
}
TLE = (
    b"CZ-5B R/B\n"
    b"1 54217U 22143B   22307.83202162  .07541702  75736-5  53797-3 0  9992\n"
    b"2 54217  41.4725  86.2946 0049889 204.7631 283.9192 16.33819495   564\n"
)
NUMBERS = {  # the least, the greatest, and whether the greatest is allowed
    "MEAN_MOTION": (Decimal("0.001"), 18, True),
    "ECCENTRICITY": (0, 1, False),
    "INCLINATION": (0, 180, True),
    "RA_OF_ASC_NODE": (0, 360, False),
    "ARG_OF_PERICENTER": (0, 360, False),
    "MEAN_ANOMALY": (0, 360, False),
    "BSTAR": (-10, 10, True),
    "MEAN_MOTION_DOT": (-10, 10, True),
    "MEAN_MOTION_DDOT": (-10, 10, True),
}
WHOLE = {"NORAD_CAT_ID": (1, 999_999_999), "ELEMENT_SET_NO": (0, 9999), "REV_AT_EPOCH": (0, 99_999)}
SAID = {
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),
}
HEADER = {"CREATION_DATE": "2022-11-03T20:00:00", "ORIGINATOR": "TEST"}
METADATA = ("OBJECT_NAME", "OBJECT_ID", "CENTER_NAME", "REF_FRAME", "TIME_SYSTEM", "MEAN_ELEMENT_THEORY")
ELEMENTS = (
    "EPOCH",
    "MEAN_MOTION",
    "ECCENTRICITY",
    "INCLINATION",
    "RA_OF_ASC_NODE",
    "ARG_OF_PERICENTER",
    "MEAN_ANOMALY",
)
PARAMETERS = (
    "EPHEMERIS_TYPE", "CLASSIFICATION_TYPE", "NORAD_CAT_ID", "ELEMENT_SET_NO", "REV_AT_EPOCH", "BSTAR",
    "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT",
)  # fmt: skip
BLOCKS = {"metadata": METADATA, "meanElements": ELEMENTS, "tleParameters": PARAMETERS}
ORDER = (*HEADER, *METADATA, *ELEMENTS, *PARAMETERS)
Record = Mapping[str, object]


def as_json(record: Record = RECORD) -> bytes:
    """One record to a line of each key, as CelesTrak's pretty print."""
    return json.dumps(record, indent=1).encode()


def as_csv(record: Record = RECORD) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(record)
    rows.writerow(record.values())
    return out.getvalue().encode()


def as_kvn(record: Record = RECORD) -> bytes:
    said = HEADER | dict(record)
    lines = ["CCSDS_OMM_VERS = 3.0", "COMMENT of the tests"]
    return "\n".join([*lines, *(f"{key} = {said[key]}" for key in ORDER if key in said)]).encode() + b"\n"


def as_xml(record: Record = RECORD) -> bytes:
    said = HEADER | dict(record)

    def part(tag: str, keys: tuple[str, ...]) -> str:
        inside = "".join(f"<{key}>{escape(str(said[key]))}</{key}>\n" for key in keys if key in said)
        return f"<{tag}>\n{inside}</{tag}>\n"

    data = "".join(part(tag, keys) for tag, keys in BLOCKS.items() if tag != "metadata")
    segment = f"<segment>\n{part('metadata', METADATA)}<data>\n{data}</data>\n</segment>\n"
    body = f"{part('header', tuple(HEADER))}<body>\n{segment}</body>\n"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<omm id="CCSDS_OMM_VERS" version="3.0">\n{body}</omm>\n'.encode()


ENCODINGS = {"json": as_json, "csv": as_csv, "kvn": as_kvn, "xml": as_xml}


# --- the second reading ----------------------------------------------------------------------------------------


def is_valid(record: Record) -> bool:
    """Whether the values, texts or Decimals, are those of a set of elements; a missing key is not."""
    try:
        return all(
            (
                all(_within(record[key], *limits) for key, limits in NUMBERS.items()),
                all(_whole(record[key], *limits) for key, limits in WHOLE.items()),
                all(record.get(key) in (None, "", *said) for key, said in SAID.items()),
                str(record.get("EPHEMERIS_TYPE")) in ("None", "", "0", "2"),
                all(_is_text(record.get(key)) for key in ("OBJECT_NAME", "OBJECT_ID")),
                record.get("CLASSIFICATION_TYPE") in (None, "", "U", "C", "S"),
                _is_instant(record["EPOCH"]) and "1957" <= str(record["EPOCH"])[:4] < "2200",  # of the space age
            )
        )
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return False


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | str):
        raise TypeError
    text = str(value)
    if isinstance(value, str) and not re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?", text):
        raise ValueError
    return Decimal(text)


def _within(value: object, least: Decimal, greatest: Decimal, inclusive: object) -> bool:
    number = float(_decimal(value))
    return math.isfinite(number) and least <= number and (number < greatest or bool(inclusive and number == greatest))


def _whole(value: object, least: int, greatest: int) -> bool:
    text = str(value)
    return bool(re.fullmatch("[+-]?[0-9]{1,12}", text)) and least <= int(text) <= greatest


def _is_text(value: object) -> bool:
    if value is None or isinstance(value, Decimal):
        return True
    return isinstance(value, str) and len(value) <= 200 and not re.search("[\x00-\x1f\x7f]", value)


def _is_instant(value: object) -> bool:
    parts = re.fullmatch(
        r"([0-9]{4})-([0-9]{2}-[0-9]{2}|[0-9]{3})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,12})?Z?", str(value)
    )
    if not parts or not isinstance(value, str):
        return False
    year, day, *clock = parts.groups()[:5]
    month_day = tuple(map(int, day.split("-"))) if "-" in day else (1, 1)
    if "-" not in day and not 1 <= int(day) <= (date(int(year) + 1, 1, 1) - date(int(year), 1, 1)).days:
        return False
    return bool(datetime(int(year), *month_day, *map(int, clock), tzinfo=UTC))
