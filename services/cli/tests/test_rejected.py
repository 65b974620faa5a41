"""Where in its file something was refused, and the file that all refusals are written to."""

import json

import pytest

from services.cli import airspace, rejected, show
from services.cli.client import Refused
from spacecom.ingest.v1 import ingest_service_pb2 as pb


def test_the_refused_line_is_named_and_its_column_marked_below_it():
    text = pb.GetRejectedTextResponse(first_line=4, first_column=1, lines=[b"good", b"ba\x1bd!", b"good"])
    assert rejected.marked(text, 5, 5) == [
        "        4  good",
        "        5> ba\\x1bd!",
        "                  ^",
        "        6  good",
    ]


def test_of_a_long_line_the_mark_stands_under_the_part_that_is_shown():
    text = pb.GetRejectedTextResponse(first_line=1, first_column=101, lines=[b"abc"])
    assert rejected.marked(text, 1, 102) == ["        1> abc", "            ^"]


def test_without_a_column_the_line_alone_is_named():
    assert rejected.marked(pb.GetRejectedTextResponse(first_line=1, lines=[b"a", b"b"]), 1, 0) == [
        "        1> a",
        "        2  b",
    ]


def test_a_file_of_documents_has_one_on_each_line(tmp_path):
    assert show.json_lines(tmp_path / "out.jsonl", iter([{"a": 1}, {"a": "\n"}])) == 2
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [{"a": 1}, {"a": "\n"}]


@pytest.mark.parametrize("place", [("", ""), ("1,2", "1,2,3,4"), ("1", ""), ("1,x", ""), ("", "1,2,3")])
def test_a_place_is_two_numbers_or_a_box_of_four(place):
    with pytest.raises(Refused):
        airspace.airspace(*place)
