"""Records of JSON and CSV one by one: a bad one takes no other with it, and its place is its own."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.astro.elements import RefusalReason, Refused
from libs.rows.csv_rows import read_csv_rows
from libs.rows.json_rows import MAX_BYTES, read_json_rows
from libs.rows.values import field, number


def a_of(record: dict) -> float:
    return field(record, "A", number)


def from_json(data: bytes, member: str = "") -> list:
    return list(read_json_rows(data, a_of, member))


def from_csv(data: bytes) -> list:
    return list(read_csv_rows(data, ("A",), a_of))


def places(found: list) -> list:
    return [(one.line, one.column, one.reason.name) if isinstance(one, Refused) else one for one in found]


def test_each_record_of_an_array_stands_alone():
    data = b'[{"A": 1},\n {"B": 2},\n {"A": "x"}, 7,\n {"A": 2, "A": 3}, {"A": "4"}]'
    assert places(from_json(data)) == [
        1.0, (2, 2, "MISSING"), (3, 3, "CHARACTER"), (3, 14, "UNREADABLE"), (4, 3, "UNREADABLE"), 4.0,
    ]  # fmt: skip


def test_the_raw_text_of_a_refusal_is_its_record():
    (found,) = from_json(b'[{"A": "x", "B": 1}]')
    assert found.raw == b'{"A": "x", "B": 1}'
    (long,) = from_json(b'[{"B": "' + b"b" * 10_000 + b'", "A": "x"}]')
    assert len(long.raw) == 4096
    assert long.raw.endswith(b'"A": "x"}')


def test_records_of_a_member_are_read_and_the_rest_is_only_parsed():
    assert from_json(b'{"meta": {"A": 0}, "data": [{"A": 1}, {"A": 2}], "links": {}}', "data") == [1.0, 2.0]
    assert from_json(b'{"data": {"A": 1}}', "data") == [1.0]
    assert places(from_json(b'{"meta": 1}', "data")) == [(1, 1, "MISSING")]


@pytest.mark.parametrize("end", range(len(b'{"a": 5, "data": [{"A": 1}], "b": 2}')))
def test_a_document_that_is_cut_off_ends_in_a_refusal(end):
    found = from_json(b'{"a": 5, "data": [{"A": 1}], "b": 2}'[:end], "data")
    assert isinstance(found[-1], Refused)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[",
        b"[1",
        b'[{"A": 1},]',
        b'[{"A": 1}] x',
        b'[{"A": 1} {"A": 2}]',
        b"\xff",
        b'[{"A": 1},\n{"A": 2',
        b'[{"A": 1},',
        b"{1: 2}",
        b"[" * 200_000,
    ],
)
def test_what_is_no_json_ends_in_a_refusal_and_what_came_before_is_kept(data):
    found = from_json(data)
    assert isinstance(found[-1], Refused)
    assert found[-1].reason is RefusalReason.UNREADABLE
    assert all(one == 1.0 for one in found[:-1] if not isinstance(one, Refused))


@given(st.lists(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)), max_size=8))
def test_json_and_csv_of_the_same_records_agree(values):
    rows = [{"A": value, "B": "b"} for value in values]
    out = io.StringIO()
    table = csv.DictWriter(out, ["A", "B"])
    table.writeheader()
    table.writerows(rows)
    simple = all(not isinstance(v, str) or v.isprintable() for v in values)
    if simple:
        as_json = [one if isinstance(one, float) else None for one in from_json(json.dumps(rows).encode())]
        assert [one if isinstance(one, float) else None for one in from_csv(out.getvalue().encode())] == as_json


def test_the_column_of_a_csv_field_counts_bytes_and_minds_quotes():
    data = 'B,A,C\r\n"Ł,""x""",1,2\r\n"Ł,""x""",y,2\r\n'.encode()
    assert places(from_csv(data)) == [1.0, (3, len('"Ł,""x""",'.encode()) + 1, "CHARACTER")]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (b"1", 2, "LENGTH"),
        (b"1,2,3,4", 7, "LENGTH"),
        (b'1,"2,3', 3, "UNREADABLE"),
        (b'1,2"2,3', 3, "UNREADABLE"),
        (b'1,"2"x,3', 3, "UNREADABLE"),
        (b"1,\xff,3", 3, "UNREADABLE"),
        (b"1,2\r3,3", 3, "UNREADABLE"),
        (b"x\0,2,3", 1, "CHARACTER"),
    ],
)
def test_a_broken_row_is_refused_at_its_field_and_the_others_are_read(row, column, reason):
    found = places(from_csv(b"A,B,C\n1,2,3\n" + row + b"\n\n4,5,6"))
    assert found == [1.0, (3, column, reason), 4.0]


@pytest.mark.parametrize(("header", "reason"), [(b"B,C", "MISSING"), (b"A,B,A", "UNREADABLE"), (b'A,"B', "UNREADABLE")])
def test_without_its_header_nothing_of_a_table_is_read(header, reason):
    assert [one[2] for one in places(from_csv(header + b"\n1,2,3\n"))] == [reason]


def test_a_key_twice_among_many_is_found_at_once():
    """INVARIANT: time grows with the file. Counting each key anew took hours for one object of a million keys."""
    many = ",".join(f'"k{n}": 0' for n in range(300_000))
    (found,) = from_json(f'[{{{many}, "A": 1, "A": 2}}]'.encode())
    assert found.reason is RefusalReason.UNREADABLE


@pytest.mark.parametrize("read", [from_json, from_csv])
def test_a_file_beyond_all_size_is_not_read(read):
    (found,) = read(bytes(MAX_BYTES + 1))
    assert found.reason is RefusalReason.TOO_LARGE
