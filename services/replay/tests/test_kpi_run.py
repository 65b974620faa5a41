"""A backcast of a case of one's own, from the file to the document."""

import json

import pytest

from libs import cases
from services.replay import kpi_run


@pytest.fixture
def own_case(tmp_path):
    """The case whose figures are in the product, under a name that no calibration was fitted on."""
    path = tmp_path / "own.json"
    path.write_text(json.dumps(json.loads((cases.FOLDER / "cz5b-2022.json").read_text()) | {"name": "own"}))
    return path


def test_a_case_of_ones_own_is_predicted_scored_and_drawn(own_case, tmp_path, capsys):
    words = ["--cases", str(own_case), "--cut-offs", "12h", "--lagged", "--figures", str(tmp_path / "figures")]
    # A kernel that was just compiled differs in the last digit from the same one out of numba's cache.
    assert kpi_run.main([*words[:4], "--lagged"]) == 0
    capsys.readouterr()
    assert kpi_run.main([*words, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    (row,) = found["as_known"]["rows"]
    assert (row["case"], row["cut_off"], row["truth"]) == ("own", "12 h", "point")
    assert row["held"]["95"]  # two sets of 2022-143B: 12 % of error, a window of half the life
    assert found["calibration"]["left_out_in_turn"] == []
    assert found["published"]["windows"][0]["held"]
    (lagged,) = found["lagged"]["rows"]
    assert lagged["life_h"] > row["life_h"]
    assert (tmp_path / "figures" / "tables.md").read_text().startswith("| what |")
    assert kpi_run.main([*words[:4], "--lagged", "--json", str(tmp_path / "again.json")]) == 0
    assert json.loads((tmp_path / "again.json").read_text()) == found
