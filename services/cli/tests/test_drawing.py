"""Figures of a hazard, from the answers they are drawn of."""

import pytest

from services.cli import drawing
from spacecom.hazard.v1 import hazard_service_pb2 as hazard

RING = [[0.0, 40.0], [5.0, 40.0], [5.0, 42.0], [0.0, 42.0], [0.0, 40.0]]


def corridor() -> dict:
    def feature(level: str, percent: int) -> dict:
        shape = {"type": "Polygon", "coordinates": [RING]}
        return {"type": "Feature", "geometry": shape, "properties": {"level": level, "percent": percent}}

    return {"features": [feature("ground", 50), feature("ground", 99), feature("80 km", 99), feature("FL450", 99)]}


def minutes() -> list[hazard.Minute]:
    rows = []
    for name, first, pieces in (("LECB", 100, 2.0), ("LFMM", 105, 8.0), ("", 100, 9.0)):
        one = hazard.Minute(fir_designator=name, expected_pieces=pieces)
        one.minute.FromSeconds(60 * first)
        rows.append(one)
    return rows


def test_the_corridor_has_its_contours_on_the_ground_and_the_line_of_re_entry():
    (axes,) = drawing.corridor(corridor(), "object 1").axes
    assert len(axes.patches) == 2
    assert len(axes.lines) == 1


def test_the_heat_map_names_regions_by_their_pieces_and_averages_over_five_minutes():
    figure = drawing.heat_map(minutes(), "object 1")
    axes = figure.axes[0]
    assert [one.get_text() for one in axes.get_yticklabels()] == ["LFMM", "LECB"]
    table = axes.images[0].get_array()
    assert table[0, 1] == pytest.approx(8.0 / 5.0)
    assert table[1, 0] == pytest.approx(2.0 / 5.0)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_figure_is_the_same_bytes_each_time(tmp_path, kind):
    for name in ("one", "two"):
        drawing.save(drawing.heat_map(minutes(), "object 1"), tmp_path / f"{name}.{kind}")
    assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_nothing_to_draw_is_an_empty_map(tmp_path):
    drawing.save(drawing.heat_map([], "object 1"), tmp_path / "none.png")
    assert (tmp_path / "none.png").stat().st_size > 0
