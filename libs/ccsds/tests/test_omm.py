"""The same mean elements in JSON, CSV, KVN and XML: one answer, and the same strictness."""

import csv
import math
import os
import random
import re
from collections import Counter
from dataclasses import astuple, replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from libs.astro import tle
from libs.astro.elements import ElementSet, RefusalReason, Refused
from libs.astro.time import jd_to_datetime
from libs.ccsds import omm
from libs.ccsds.tests import omm_record
from libs.ccsds.tests.damage import BYTES
from libs.ccsds.tests.omm_record import BLOCKS, ENCODINGS, HEADER, NUMBERS, ORDER, RECORD, TLE, WHOLE

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
FIGURES = DATA / "ccsds/jochimmaene/data"
CATALOGUE = DATA / "catalogue/spaceTrackTLEs_23_10_2013.txt"
MALFORMED = 10_000
READERS = {
    "json": omm.read_omm_json,
    "csv": omm.read_omm_csv,
    "kvn": omm.read_omm_kvn,
    "xml": omm.read_omm_xml,
}


def one(encoding: str, data: bytes) -> ElementSet | Refused:
    (found,) = READERS[encoding](data)
    return found


def test_one_object_reads_the_same_in_four_encodings_and_in_two_lines():
    """INVARIANT: who sends a set, and in which encoding, makes no other set of it, to the last bit."""
    sets = [one(encoding, write()) for encoding, write in ENCODINGS.items()]
    assert all(isinstance(found, ElementSet) for found in sets)
    assert {repr(found) for found in sets} == {repr(next(tle.read(TLE)))}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "changed",
    [
        {"EPOCH": "2022-307T19:58:06.667968"},
        {"EPOCH": "2022-11-03T19:58:06.667968Z"},
        {"MEAN_ELEMENT_THEORY": "SGP/SGP4"},
        {"EPHEMERIS_TYPE": 2},
        {"ELEMENT_SET_NO": "0999"},
        {"MEAN_MOTION_DDOT": "+.75736E-5"},
    ],
)
def test_another_way_of_writing_it_reads_the_same(encoding, changed):
    assert repr(one(encoding, ENCODINGS[encoding](RECORD | changed))) == repr(one("json", omm_record.as_json()))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ECCENTRICITY": 1.0}, RefusalReason.RANGE),
        ({"MEAN_MOTION": "NaN"}, RefusalReason.NOT_FINITE),
        ({"BSTAR": "1e999"}, RefusalReason.NOT_FINITE),
        ({"MEAN_MOTION": "16,3"}, RefusalReason.CHARACTER),
        ({"NORAD_CAT_ID": 0}, RefusalReason.RANGE),
        ({"NORAD_CAT_ID": 1_000_000_000}, RefusalReason.RANGE),
        ({"EPOCH": "2022-02-30T00:00:00"}, RefusalReason.RANGE),
        ({"EPOCH": "2022-366T00:00:00"}, RefusalReason.RANGE),
        ({"EPOCH": "2022-11-03T19:58:60"}, RefusalReason.RANGE),
        ({"EPOCH": "2022-11-03 19:58:06"}, RefusalReason.CHARACTER),
        ({"REF_FRAME": "EME2000"}, RefusalReason.MISMATCH),
        ({"TIME_SYSTEM": "TAI"}, RefusalReason.MISMATCH),
        ({"MEAN_ELEMENT_THEORY": "SGP4-XP"}, RefusalReason.MISMATCH),
        ({"EPHEMERIS_TYPE": 4}, RefusalReason.MISMATCH),
        ({"CLASSIFICATION_TYPE": "X"}, RefusalReason.CHARACTER),
        ({"BSTAR": ""}, RefusalReason.MISSING),
    ],
)
def test_a_wrong_value_is_refused_for_its_reason_at_its_place_with_its_text(encoding, changed, reason):
    data = ENCODINGS[encoding](RECORD | changed)
    found = one(encoding, data)
    assert isinstance(found, Refused), found
    assert found.reason is reason
    (key,) = changed
    line = data.splitlines()[found.line - 1]
    if encoding == "csv":
        assert found.column == 1 + sum(len(v) + 1 for v in line.split(b",")[: list(RECORD).index(key)])
    else:
        assert key.encode() in line
    assert found.raw
    assert found.raw in data.replace(b"\r\n", b"\n") or found.raw in data


def test_what_both_publishers_leave_empty_may_be_empty():
    for key in HEADER:
        assert isinstance(one("kvn", omm_record.as_kvn(RECORD | {key: ""})), ElementSet)
        assert isinstance(one("xml", omm_record.as_xml(RECORD | {key: ""})), ElementSet)


@pytest.mark.parametrize("said", ["UNKNOWN", None])
def test_an_unknown_name_is_no_name(said):
    found = one("json", omm_record.as_json(RECORD | {"OBJECT_NAME": said, "OBJECT_ID": said}))
    assert (found.object_name, found.international_designator) == (b"", b"")


def test_units_that_are_written_must_be_those_of_the_book():
    good = omm_record.as_kvn(RECORD | {"INCLINATION": "41.4725 [deg]", "BSTAR": "0.00053797 [1/ER]"})
    assert isinstance(one("kvn", good), ElementSet)
    for wrong in ("41.4725 [rad]", "41.4725[deg]", "41.4725 []", "0.7 rad"):
        assert isinstance(one("kvn", omm_record.as_kvn(RECORD | {"INCLINATION": wrong})), Refused)
    marked = omm_record.as_xml().replace(b"<INCLINATION>", b'<INCLINATION units="%s">')
    assert isinstance(one("xml", marked % b"deg"), ElementSet)
    assert isinstance(one("xml", marked % b"rad"), Refused)


def test_a_bad_message_takes_no_other_with_it():
    good, bad = omm_record.as_kvn(), omm_record.as_kvn(RECORD | {"ECCENTRICITY": "x"})
    assert [type(f) for f in omm.read_omm_kvn(good + bad + good)] == [ElementSet, Refused, ElementSet]
    good, bad = omm_record.as_csv(), omm_record.as_csv(RECORD | {"OBJECT_NAME": '"'}).replace(b'""""', b'"')
    rows = good + bad.splitlines(keepends=True)[1] + good.splitlines(keepends=True)[1]
    assert [type(f) for f in omm.read_omm_csv(rows)] == [ElementSet, Refused, ElementSet]
    parts = [omm_record.as_xml(RECORD | {"ECCENTRICITY": e}).partition(b"\n")[2] for e in ("0.1", "x", "0.1")]
    assert [type(f) for f in omm.read_omm_xml(b"<ndm>" + b"".join(parts) + b"</ndm>")] == [
        ElementSet,
        Refused,
        ElementSet,
    ]


def test_other_kinds_of_message_and_other_versions_are_refused():
    for wrong in (b"CCSDS_OPM_VERS = 3.0", b"CCSDS_OMM_VERS = 4.0", b"CCSDS_OMM_VERS = "):
        found = one("kvn", omm_record.as_kvn().replace(b"CCSDS_OMM_VERS = 3.0", wrong))
        assert found.reason is RefusalReason.MISMATCH


# --- the figures of the book, and a catalogue -------------------------------------------------------------------


def figure(name: str) -> list[ElementSet | Refused]:
    encoding = name.rpartition(".")[2]
    return list(READERS[encoding]((FIGURES / encoding / name).read_bytes()))


@pytest.mark.skipif(not FIGURES.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")
def test_the_books_figures_are_accepted_and_agree_between_encodings():
    """G-10 writes the name of G-7 to G-9 with a hyphen."""
    (g7,), (g8,), (g9,), (g10,) = (figure(f"omm_g{n}.{'kvn' if n < 10 else 'xml'}") for n in (7, 8, 9, 10))
    assert isinstance(g7, ElementSet), g7
    assert g7 == g8 == g9 == replace(g10, object_name=b"GOES 9")
    assert (g7.catalogue_number, g7.element_set_number, g7.bstar_per_earth_radius) == (23581, 925, 0.0001)


@pytest.mark.skipif(not FIGURES.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")
def test_messages_of_other_kinds_in_one_document_are_refused_beside_the_mean_elements():
    assert [type(found) for found in figure("ndm_g21.xml")] == [ElementSet] * 3
    found = figure("ndm_g22.xml")
    assert [type(one) for one in found] == [Refused, ElementSet, Refused, Refused]
    assert {one.reason for one in found if isinstance(one, Refused)} == {RefusalReason.MISMATCH}


@pytest.mark.skipif(not CATALOGUE.exists(), reason=f"no {CATALOGUE}; set SPACECOM_VALIDATION_DATA")
def test_every_set_of_a_catalogue_reads_the_same_in_every_encoding():
    """INVARIANT: no valid set is refused, and none changes by the encoding. Every seventh of 14,917."""
    sets = [one for one in tle.read(CATALOGUE.read_bytes()) if isinstance(one, ElementSet)][::7]
    for n, given in enumerate(sets):
        for encoding in ENCODINGS if n % 10 == 0 else ("json", "csv"):
            assert repr(one(encoding, ENCODINGS[encoding](record_of(given)))) == repr(given)


def record_of(given: ElementSet) -> dict[str, object]:
    """As a publisher writes it, from the same digits as the lines have."""
    day = jd_to_datetime(given.epoch_jd, 0.0)
    microseconds = round(given.epoch_jd_fraction * 86_400_000_000)
    return RECORD | {
        "OBJECT_NAME": given.object_name.decode() or "UNKNOWN",
        "OBJECT_ID": given.international_designator.decode() or "UNKNOWN",
        "EPOCH": (day + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "CLASSIFICATION_TYPE": given.classification,
        **{key: getattr(given, name) for name, key in (omm._NUMBERS | omm._INTEGERS).items()},
    }


# --- ten thousand malformed documents of each encoding ---------------------------------------------------------


def csv_rows(data: bytes) -> list[bool]:
    """Whether each row under the header is in order; a bad header is one refusal."""
    lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    header, *rows = [split(line) for line in lines if line.strip()] or [None]
    if not header or len(set(header)) < len(header) or not {"EPOCH", *NUMBERS, *WHOLE} <= set(header):
        return [False]
    return [
        bool(row and len(row) == len(header) and omm_record.is_valid(dict(zip(header, row, strict=False))))
        for row in rows
    ]


def split(line: bytes) -> list[str] | None:
    try:
        text = line.decode()
        if "\r" in text or re.search(r'(^|,)[^",]+"', re.sub(r'"[^"]*"', "", text)) or re.search(r'[^,"]"[^,"]', text):
            return None
        return next(csv.reader([text], strict=True))
    except (ValueError, csv.Error):
        return None


def kvn_record(data: bytes) -> dict[str, str] | None:
    first, *lines = [line for line in data.decode("ascii").replace("\r", "\n").split("\n") if line.strip(" ")]
    if not re.fullmatch(r" *CCSDS_OMM_VERS *= *[123]\.[0-9] *", first):
        return None
    if any(not " " <= c <= "~" for line in lines for c in line):
        return None
    comments = [re.match(r" *COMMENT( *=| |$)", line) for line in lines]
    if any(c and i > 0 for i, c in enumerate(comments)):
        return None
    pairs = [[part.strip(" ") for part in line.split("=", 1)] for line in lines[bool(comments[0]) :]]
    return in_order([(key, value) for key, value in pairs])


def xml_record(data: bytes) -> dict[str, str] | None:
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([^\"']*)", data)
    if declared and declared[1].upper() not in (b"UTF-8", b"UTF8", b"ASCII", b"US-ASCII"):
        return None
    if re.search(rb"<\?(?!xml )", data):
        return None
    root = ET.fromstring(data)
    version = root.attrib.get("version", "")
    if root.tag != "omm" or root.attrib.get("id") != "CCSDS_OMM_VERS" or not re.fullmatch(r"[123]\.[0-9]", version):
        return None
    if [e.tag for e in root] != ["header", "body"] or [e.tag for e in root[1]] != ["segment"]:
        return None
    if [e.tag for e in root[1][0]] != ["metadata", "data"]:
        return None
    blocks = [("header", root[0]), ("metadata", root[1][0][0]), *((e.tag, e) for e in root[1][0][1])]
    if [name for name, _ in blocks] != ["header", *BLOCKS]:
        return None
    if any("units" in e.attrib or len(e) for _, block in blocks for e in block):
        return None
    if any((e.tail or "").strip() for e in root.iter()) or any((e.text or "").strip() for e in root.iter() if len(e)):
        return None
    allowed = {"header": tuple(HEADER)} | BLOCKS
    if any(e.tag not in allowed[name] for name, block in blocks for e in block):
        return None
    return in_order([(e.tag, (e.text or "").strip()) for _, block in blocks for e in block])


def in_order(pairs: list[tuple[str, str]]) -> dict[str, str] | None:
    keys = [key for key, _ in pairs]
    if any(key not in ORDER for key in keys) or [*map(ORDER.index, keys)] != sorted({*map(ORDER.index, keys)}):
        return None
    record = dict(pairs)
    metadata = all(record.get(key) for key in BLOCKS["metadata"])
    optional = all(record.get(key, "U") for key in ("EPHEMERIS_TYPE", "CLASSIFICATION_TYPE"))
    clocks = [value for key in ("CREATION_DATE",) if (value := record.get(key))]
    header = all(omm_record._is_instant(value) for value in clocks)
    return record if metadata and optional and header and omm_record._is_text(record.get("ORIGINATOR")) else None


SECOND = {"kvn": kvn_record, "xml": xml_record}


def verdicts(encoding: str, data: bytes) -> list[bool]:
    """Of the second reading, on each record."""
    if encoding == "csv":
        return csv_rows(data) if data.strip() else []
    try:
        record = SECOND[encoding](data)
        return [record is not None and omm_record.is_valid(record)]
    except (ValueError, IndexError, TypeError, ET.ParseError):
        return [False]


def spoilt(chance: random.Random, encoding: str) -> bytes:
    """Well-formed, with one value that none can have."""
    key = chance.choice([*NUMBERS, *WHOLE, "EPOCH"])
    text = str(RECORD[key])
    at = chance.choice([i for i, c in enumerate(text) if c.isdigit()])
    foreign = text[:at] + chr(ord(chance.choice("\u0660\u06f0\u0966\uff10")) + int(text[at])) + text[at + 1 :]
    wrong = chance.choice(["", "x", "NaN", "inf", "1e999", "-1e9", "1e9", "0x1", "1_0", "1,0", "--1", foreign])
    return ENCODINGS[encoding](RECORD | {key: wrong})


@pytest.mark.parametrize("encoding", ["csv", "kvn", "xml"])
def test_of_ten_thousand_malformed_documents_none_is_accepted_and_none_stops_the_reader(encoding):
    """INVARIANT: no damage that can be seen passes unseen, and what the second reading accepts is not refused."""
    chance, base, seen = random.Random(encoding), ENCODINGS[encoding](), Counter()
    while seen["malformed"] < MALFORMED:
        kind = chance.choice([*BYTES, "spoilt"])
        damaged = spoilt(chance, encoding) if kind == "spoilt" else BYTES[kind](chance, base)
        found, expected = list(READERS[encoding](damaged)), verdicts(encoding, damaged)
        seen["malformed" if False in expected else "valid"] += 1
        accepted = [one for one in found if isinstance(one, ElementSet)]
        assert len(accepted) == sum(expected), (damaged, found)
        assert len(found) > len(accepted) or False not in expected or not damaged.strip(), damaged
        assert all(math.isfinite(v) for one in accepted for v in astuple(one) if isinstance(v, float))
        assert all(one.detail and one.line > 0 < one.column for one in found if isinstance(one, Refused)), damaged
    assert seen["valid"] > 100, seen
