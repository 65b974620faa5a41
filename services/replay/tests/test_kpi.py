"""The document of a backcast: its figures, what must hold, the tables and the figures drawn from it."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from services.replay import figures, kpi, kpi_run, kpi_table
from services.replay.backcast import Claimed, Declined
from services.replay.scoring import Row


def a_row(number: int, cut_off: str, error_h: float, *, kind: str = "point", life_h: float = 20.0) -> Row:
    nominal = life_h + error_h
    samples = nominal * np.linspace(0.8, 1.2, 201)
    truths = ((life_h, life_h), (life_h + 30.0, life_h + 54.0)) if number == 1 else ((life_h, life_h),)
    return Row(
        number, cut_off, kind == "aftercast", life_h, error_h, samples, nominal, None, kind, f"case {number}",
        "rocket_body" if number % 2 else "cubesat", truths, newest_set_at=datetime(2024, 1, 14, 12, tzinfo=UTC),
    )  # fmt: skip


@pytest.fixture
def pack() -> kpi.Document:
    rows = [a_row(k, name, 0.4 * (k - 2)) for k in range(1, 5) for name in ("1 d", "12 h")]
    rows += [a_row(5, "6 h", 1.0, kind="aftercast", life_h=5.0), a_row(6, "1 d", 15.0, kind="day")]
    declined = [Declined("case 7", 7, "10 d", "TooHigh: it stays up")]
    stood = [Declined("case 8", 8, "2019-07-19T00:00Z", "Thrusting: it climbed", expected=True)]
    as_known = kpi.pack(rows, declined, stood)
    return {
        "as_known": as_known,
        "lagged": kpi.pack(rows[:4], [], []),
        "published": {"windows": [], "figures": list(kpi.PUBLISHED)},
        "musts": kpi.musts(as_known),
    }


def test_kinds_of_truth_are_told_apart_and_a_day_is_in_no_headline(pack):
    one = pack["as_known"]
    assert one["headline"]["objects"] == 5
    assert {kind: found.get("rows", 0) for kind, found in one["by_truth"].items()} == {
        "point": 8, "aftercast": 1, "interval": 0, "day": 1,
    }  # fmt: skip
    assert {name: found["objects"] for name, found in one["by_object_class"].items()} == {
        "cubesat": 2,
        "rocket_body": 3,
    }
    assert one["by_cut_off"]["3 h"] == {}


def test_a_window_is_held_against_each_truth_that_sources_give(pack):
    assert [one["met"] for one in pack["as_known"]["several_truths"]] == [[True, False]] * 2


def test_what_must_hold_is_told_with_what_was_found(pack):
    by = {one["must"]: one for one in pack["musts"]}
    mean = by["mean error, percent of the remaining life"]
    assert mean["found"] == pytest.approx(np.mean([2.0, 2.0, 0.0, 0.0, 2.0, 2.0, 4.0, 4.0, 20.0]))
    assert mean["holds"]
    assert by["last 6 h: mean error, 20 percent or 30 minutes"]["holds"]
    assert by["instants to be declined that are, percent"]["holds"]


def test_what_few_objects_cannot_tell_is_left_open():
    found = {one["must"]: one["holds"] for one in kpi.musts(kpi.pack([a_row(1, "1 d", 0.0)], [], []))}
    assert found["90 percent inside the interval of what the 90 % window holds"] is None
    assert found["instants to be declined that are, percent"] is None
    assert found["mean error, percent of the remaining life"] is True


def test_a_natural_decay_claimed_for_what_is_steered_fails(pack):
    rows = [a_row(1, "1 d", 0.0)]
    claimed = kpi.pack(rows, [], [Claimed("case 8", 8, "2019-07-19T00:00Z")])
    assert not {one["must"]: one["holds"] for one in kpi.musts(claimed)}["instants to be declined that are, percent"]


def test_the_document_is_json_and_every_figure_names_its_unit(pack):
    text = json.dumps(pack, allow_nan=False)
    assert "NaN" not in text
    units = ("percent", "min", "rows", "objects", "pit", "last_6h", "levels", "rule_20")
    assert all(key.endswith(units) for key in pack["as_known"]["headline"])


def test_tables_say_all_groups_and_declines(pack):
    screen, page = kpi_table.screen(pack), kpi_table.markdown(pack)
    for text in (screen, page):
        assert "truth a day: own aftercast" in text
        assert "case 8 at 2019-07-19T00:00Z (must be): Thrusting: it climbed" in text
        assert "usual: 20 % either side" in text
    assert all(line.count("|") == line.replace("\\|", "").count("|") for line in page.splitlines())


def test_the_matrix_has_a_line_for_each_case_and_a_column_for_each_cut_off(pack):
    head, lines = kpi_table.matrix(pack["as_known"]["rows"])
    assert head == ("case", "1 d", "12 h", "6 h")
    assert lines[0] == ("case 1", "-24 (-2.0)", "-24 (-2.0)", "")
    assert kpi_table.matrix([pack["as_known"]["rows"][0] | {"scored": False}])[1] == [("case 1", "-24 (-)")]


def test_the_same_document_gives_the_same_figures(pack, tmp_path):
    first, second = (figures.write(pack, tmp_path / name) for name in ("a", "b"))
    assert [one.name for one in first] == [one.name for one in second]
    assert len(first) == 2 * len(figures.DRAWN)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_run_without_rows_says_so_and_does_not_fail(tmp_path):
    empty = {"as_known": kpi.pack([], [], []), "published": {"windows": []}}
    empty["musts"] = kpi.musts(empty["as_known"])
    assert "must" in kpi_table.screen(empty)
    assert figures.write(empty, tmp_path)


def test_a_wrong_cut_off_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        kpi_run.main(["--cut-offs", "7d"])
    assert "10d, 5d, 3d" in capsys.readouterr().err


def test_a_case_that_is_not_there_is_refused(capsys):
    assert kpi_run.main(["--cases", "none.json"]) == 1
    assert "there is no case" in capsys.readouterr().err


def test_each_prediction_stands_on_the_screen_in_utc_beside_what_it_missed_by(pack):
    (line,) = [one for one in kpi_table.screen(pack).splitlines() if one.startswith("case 6 ")]
    assert line.split() == [
        *("case", "6", "1", "d", "01-14", "12:00", "01-15", "23:00"),
        *("01-15", "16:42", "to", "01-16", "05:18", "missed", "+900", "(+75.0)"),
    ]
