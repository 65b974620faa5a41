import json
import math

import numpy as np
import pytest

from libs.astro import breakup, entry, entry_air, fragments
from libs.astro.drag_coefficient import Shape
from libs.astro.fragments import ObjectClass

CATALOGUES = fragments.read_catalogues()
EVERY_CLASS = pytest.mark.parametrize("object_class", list(ObjectClass))


@EVERY_CLASS
def test_between_a_tenth_and_two_fifths_of_the_mass_survives(object_class):
    assert 0.10 <= CATALOGUES[object_class].surviving_share <= 0.40


@EVERY_CLASS
def test_at_most_300_pieces_are_made_and_each_kind_says_where_it_comes_from(object_class):
    catalogue = CATALOGUES[object_class]
    assert 20 <= catalogue.count <= fragments.MAX_PIECES
    assert all(kind.source and kind.uncertainty_ln > 0.0 for kind in catalogue.kinds)
    assert any(kind.assumption for kind in catalogue.kinds)


@EVERY_CLASS
def test_the_mass_of_every_kind_is_its_share(object_class):
    catalogue = CATALOGUES[object_class]
    found = fragments.draw(catalogue, 2000.0, breakup.generator(1, 0))
    for k, kind in enumerate(catalogue.kinds):
        assert found.mass_kg[found.kind == k].sum() == pytest.approx(2000.0 * kind.share_of_mass, rel=1e-12)
        assert (found.kind == k).sum() == kind.count


def test_loads_and_speeds_have_the_stated_spread():
    catalogue = CATALOGUES[ObjectClass.ROCKET_BODY]
    draws = [fragments.draw(catalogue, 900.0, breakup.generator(1, sample)) for sample in range(400)]
    for k, kind in enumerate(catalogue.kinds):
        load = np.concatenate([(one.mass_kg / one.area_m2)[one.kind == k] for one in draws])
        speed = np.concatenate([one.delta_v_m_s[one.kind == k] for one in draws])
        noise = 5.0 / math.sqrt(len(load))
        assert np.log(load).mean() == pytest.approx(math.log(kind.load_kg_m2), abs=noise * kind.uncertainty_ln)
        assert np.log(load).std() == pytest.approx(kind.uncertainty_ln, rel=noise)
        assert math.sqrt((speed**2).sum(axis=1).mean()) == pytest.approx(kind.dv_m_s, rel=noise)


@EVERY_CLASS
def test_every_piece_of_every_class_flies_to_the_ground(object_class):
    found = fragments.draw(CATALOGUES[object_class], 1500.0, breakup.generator(3, 5))
    same = np.ones(len(found.kind))
    states = entry.earth_fixed(40 * same, 5 * same, 78 * same, 5000 * same, 5400 * same, -130 * same)
    states[:, 3:] += 1e-3 * found.delta_v_m_s
    landed = entry.fly(states, found.pieces(), [entry.flight_level_km(600), 0.0], entry_air.standard_air())
    assert landed.reached.all()
    assert found.hazardous.any()


def test_what_an_explosion_makes_flies_to_the_ground():
    debris = breakup.break_up(900.0, breakup.Origin.ROCKET_BODY, breakup.Cause.EXPLOSION, breakup.generator(1, 1))
    found = fragments.of_explosion(debris)
    same = np.ones(len(found.kind))
    states = entry.earth_fixed(40 * same, 5 * same, 78 * same, 5000 * same, 5000 * same, -130 * same)
    states[:, 3:] += 1e-3 * found.delta_v_m_s
    assert entry.fly(states, found.pieces(), [0.0], entry_air.standard_air(), max_s=48 * 3600.0).reached.all()
    assert found.mass_kg.sum() == pytest.approx(900.0)


def test_the_length_of_the_flow_follows_from_the_area_of_the_shape():
    shapes = np.array([Shape.SPHERE, Shape.CUBE, Shape.BEAM, Shape.PLATE])
    areas = np.array([math.pi / 4, 1.5, 10.0, 4.0])
    assert fragments.flow_length_m(shapes, areas) == pytest.approx([1.0, 1.0, 1.0, 2.0])


def test_a_dry_mass_out_of_range_is_refused():
    with pytest.raises(ValueError, match="dry mass"):
        fragments.draw(CATALOGUES[ObjectClass.PAYLOAD], math.nan, breakup.generator(1, 0))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"share_of_mass": 0.95}, "more than the whole"),
        ({"count": 301}, "pieces"),
        ({"survival": 1.5}, "out of range"),
        ({"source": ""}, "without a source"),
        ({"survival": 0.0, "share_of_mass": 0.5}, "outside its own bounds"),
    ],
)
def test_a_users_class_that_cannot_be_is_refused(tmp_path, change, reason):
    kind = {
        "name": "part", "shape": "cube", "share_of_mass": 0.5, "count": 10, "load_kg_m2": 50, "survival": 0.5,
        "dv_m_s": 5, "uncertainty_ln": 0.3, "assumption": True, "source": "a test",
    }  # fmt: skip
    both = [kind | {"share_of_mass": 0.3}, kind | change] if "share_of_mass" in change else [kind | change]
    if change.get("survival") == 0.0:
        both = both[1:]
    row = {"class": "payload", "description": "a test", "survives": [0.1, 0.6], "pieces": both}
    path = tmp_path / "classes.json"
    path.write_text(json.dumps({"classes": [row]}))
    with pytest.raises(ValueError, match=reason):
        fragments.read_catalogues(path)
