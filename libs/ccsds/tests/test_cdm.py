"""Conjunction Data Messages: the book's rules, its example, and damage."""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds import cdm
from libs.ccsds.cdm import ConjunctionMessage
from libs.ccsds.tests import message_rows
from libs.ccsds.tests.damage import BYTES
from libs.ccsds.tests.message_rows import CDM, Row

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
EXAMPLE = DATA / "ccsds/ccsds-ndm/ccsds_ndm/tests/data/kvn/cdm_example_section4"
MALFORMED = 10_000 if os.environ.get("CI") else 1_500
READERS = {"kvn": cdm.read_cdm_kvn, "xml": cdm.read_cdm_xml}
WRITERS = {"kvn": message_rows.as_kvn, "xml": message_rows.as_xml}
SECOND = {"kvn": message_rows.kvn_rows, "xml": message_rows.xml_rows}


def written(encoding: str, rows: list[Row] = CDM) -> bytes:
    return WRITERS[encoding]("CDM", "1.0", rows)


def read(encoding: str, rows: list[Row] = CDM) -> ConjunctionMessage | Refused:
    (found,) = READERS[encoding](written(encoding, rows))
    return found


def changed(keyword: str, value: str | None, element: str = "") -> list[Row]:
    """The whole message with another value; None leaves the keyword out."""
    return [
        row if row.keyword != keyword or element not in row.elements else row._replace(value=value)
        for row in CDM
        if value is not None or row.keyword != keyword or element not in row.elements
    ]


def test_a_message_with_every_keyword_reads_the_same_in_both_encodings():
    kvn, xml = read("kvn"), read("xml")
    assert isinstance(kvn, ConjunctionMessage), kvn
    assert kvn == xml
    assert kvn.closest.miss_distance_m == 715.0
    assert kvn.relative_state.velocity_rtn_m_s == (-7.25,) * 3
    first, second = kvn.objects
    assert (first.metadata.international_designator, second.metadata.international_designator) == (
        "2022-143B",
        "UNKNOWN",
    )
    assert len(first.covariance.lower_triangle) == 21
    assert [len(row) for row in (first.covariance.drag, first.covariance.solar_pressure, first.covariance.thrust)] == [
        7,
        8,
        9,
    ]


def test_a_message_with_only_what_is_obligatory_is_read():
    rows = [row for row in CDM if row.need == "M"]
    assert read("kvn", rows) == read("xml", rows)
    assert isinstance(read("kvn", rows), ConjunctionMessage)


@pytest.mark.parametrize("encoding", READERS)
@pytest.mark.parametrize("keyword", sorted({row.keyword for row in CDM if row.need == "M"}))
def test_no_obligatory_keyword_may_lack(encoding, keyword):
    found = read(
        encoding,
        changed(keyword, None, "segment#2" if keyword in {r.keyword for r in CDM if "#2" in r.elements} else ""),
    )
    assert isinstance(found, Refused)
    assert found.reason is RefusalReason.MISSING


@pytest.mark.parametrize("encoding", READERS)
@pytest.mark.parametrize(
    ("keyword", "value", "element", "reason"),
    [
        ("OBJECT", "OBJECT1", "#2", RefusalReason.MISMATCH),
        ("OBJECT", "OBJECT2", "#1", RefusalReason.MISMATCH),
        ("REF_FRAME", "GCRF", "#2", RefusalReason.MISMATCH),
        ("REF_FRAME", "TEME", "", RefusalReason.MISMATCH),
        ("MANEUVERABLE", "PERHAPS", "#1", RefusalReason.MISMATCH),
        ("COVARIANCE_METHOD", "GUESSED", "#1", RefusalReason.MISMATCH),
        ("SCREEN_VOLUME_SHAPE", "SPHERE", "", RefusalReason.MISMATCH),
        ("COLLISION_PROBABILITY", "1.5", "", RefusalReason.RANGE),
        ("RESIDUALS_ACCEPTED", "100.1", "#2", RefusalReason.RANGE),
        ("MISS_DISTANCE", "-1", "", RefusalReason.RANGE),
        ("STOP_SCREEN_PERIOD", "2022-11-02T00:00:00", "", RefusalReason.MISMATCH),
        ("SCREEN_EXIT_TIME", "2022-11-04T07:25:43", "", RefusalReason.MISMATCH),
        ("TIME_LASTOB_END", "2022-11-02T00:00:00", "#2", RefusalReason.MISMATCH),
        ("CSRP_T", None, "#1", RefusalReason.MISSING),
        ("RELATIVE_POSITION_T", None, "", RefusalReason.MISSING),
        ("CT_T", "-4", "#1", RefusalReason.RANGE),
        ("TCA", "2022-11-04T07:37:52:618", "", RefusalReason.CHARACTER),
    ],
)
def test_a_rule_of_the_book_that_is_broken_refuses_the_message(encoding, keyword, value, element, reason):
    found = read(encoding, changed(keyword, value, element))
    assert isinstance(found, Refused)
    assert found.reason is reason, found


@pytest.mark.parametrize("encoding", READERS)
def test_a_row_of_the_covariance_needs_the_row_before_it(encoding):
    rows = [row for row in CDM if row.need != "SRP" or "#1" not in row.elements]
    assert isinstance(read(encoding, rows), Refused)


@pytest.mark.parametrize("encoding", READERS)
def test_a_third_object_or_only_one_is_refused(encoding):
    second = [row for row in CDM if "#2" in row.elements]
    third = [row._replace(elements=row.elements.replace("#2", "#3")) for row in second]
    for rows in ([*CDM, *third], [row for row in CDM if row not in second]):
        assert isinstance(read(encoding, rows), Refused)


@pytest.mark.skipif(not DATA.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")
def test_the_example_of_the_book_reads_the_same_in_both_encodings():
    (kvn,), (xml,) = (READERS[e](EXAMPLE.with_suffix(f".{e}").read_bytes()) for e in READERS)
    assert isinstance(kvn, ConjunctionMessage), kvn
    assert kvn == xml
    assert (kvn.closest.miss_distance_m, kvn.screening.collision_probability) == (715.0, 4.835e-05)
    assert kvn.objects[1].metadata.object_name == "FENGYUN 1C DEB"


def is_valid(encoding: str, data: bytes) -> bool:
    try:
        values = message_rows.values_in_order(CDM, SECOND[encoding]("CDM", data))
    except (ValueError, IndexError, KeyError, SyntaxError):
        return False
    return values is not None and rules_hold([(CDM[at], value) for at, value in values])


def rules_hold(found: list[tuple[Row, str]]) -> bool:
    said = {(row.elements.partition("#")[2][:1], row.keyword): value for row, value in found}
    for start, end in (
        ("START_SCREEN_PERIOD", "STOP_SCREEN_PERIOD"),
        ("SCREEN_ENTRY_TIME", "SCREEN_EXIT_TIME"),
        ("TIME_LASTOB_START", "TIME_LASTOB_END"),
    ):
        for n in ("", "1", "2"):
            clocks = [message_rows.epoch(said[n, key]) for key in (start, end) if (n, key) in said]
            if len(clocks) == 2 and clocks[1] < clocks[0]:
                return False
    for n in ("1", "2"):
        rows = [(n, f"C{axis}_R") in said for axis in ("DRG", "SRP", "THR")]
        if rows != sorted(rows, reverse=True):
            return False
    return True


@pytest.mark.parametrize("encoding", READERS)
def test_of_thousands_of_malformed_messages_none_is_accepted_and_none_stops_the_reader(encoding):
    """INVARIANT: no damage that can be seen passes unseen, and what the second reading accepts is not refused."""
    chance, base, seen = random.Random(encoding), written(encoding), Counter()
    while seen[False] < MALFORMED:
        damaged = BYTES[chance.choice([*BYTES])](chance, base)
        found = list(READERS[encoding](damaged))
        valid = is_valid(encoding, damaged)
        seen[valid] += 1
        accepted = [one for one in found if isinstance(one, ConjunctionMessage)]
        assert len(accepted) == valid, (damaged, found)
        assert len(found) > len(accepted) or valid or not damaged.strip(), damaged
        assert all(one.detail and one.raw and one.line > 0 < one.column for one in found if isinstance(one, Refused))
    assert seen[True] > 30, seen
