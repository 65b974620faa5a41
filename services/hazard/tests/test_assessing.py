import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.astro import airspace, decay_legs, exposure_tally
from libs.astro.time import add_seconds, jd_to_datetime
from services.hazard import assessing, falling, flight_files, flying, scenario, summing
from services.hazard.domain import HALF_WIDTHS_KM, ChunkRequested, Epoch
from services.hazard.flight_files import BadFile, Crossing, SampleResult
from services.hazard.flying import Overflown
from services.hazard.tests.conftest import START, box, draws, drivers, geojson

COUNT = 60
SCENARIO = scenario.to_json(scenario.choose(scenario.KnownObject("payload")))
NO = np.empty(0)
NOTHING = exposure_tally.minutes(NO, NO, NO, NO, NO, 0.0), exposure_tally.cells(NO, NO, NO, NO, NO, NO, NO)
NO_PIECES = summing.Sums(*NOTHING, (600.0, 0.0), 1, START)
WINDOW_START = Epoch(START[0], START[1] + 0.01)


def flown(first: int, count: int, threads: int = 1) -> flying.Flown:
    chunk = ChunkRequested(UUID(int=1), 0, first, count, "", "", "", 80.0, "m", WINDOW_START, "", 7)
    return flying.fly(flying.Job(chunk, draws(COUNT), drivers(), geojson(), SCENARIO, threads))


def job(*results: bytes, flown: tuple[flying.Flown, ...] = (), flown_count: int = COUNT) -> assessing.Job:
    minutes, cells = tuple(one.minutes for one in flown), tuple(one.cells for one in flown)
    given = draws(COUNT), drivers(), geojson()
    return assessing.Job(results, minutes, cells, SCENARIO, COUNT, flown_count, *given, 80.0)


@pytest.fixture(scope="module")
def whole() -> flying.Flown:
    return flown(0, COUNT)


@pytest.fixture(scope="module")
def assessed(whole) -> assessing.Assessed:
    return assessing.assess(job(whole.result, flown=(whole,)))


def test_every_sample_comes_down_within_hours(whole):
    """Physics of these tests: at 145 km with 0.0075 m2/kg a stage lives for a few hours."""
    results = flight_files.read_result(whole.result)
    assert [one.sample for one in results] == list(range(COUNT))
    assert whole.completed_sample_count == COUNT
    assert all(3600.0 < one.seconds < 86400.0 for one in results)
    lives = [one.seconds for one in results][::6]  # 3 % apart: each has a wind of its own, worth some seconds
    assert lives == sorted(lives, reverse=True)  # the greater the ballistic coefficient, the shorter


def test_the_shares_of_all_regions_and_of_none_sum_to_one(assessed):
    assert abs(sum(fir.share for fir in assessed.firs) + assessed.unassigned_share - 1.0) < 1e-9
    assert all(0.0 <= fir.share <= 1.0 for fir in assessed.firs)


@pytest.mark.parametrize("sizes", [[60], [25, 25, 10], [1] * 60, [59, 1]], ids=str)
def test_the_result_does_not_depend_on_chunks_or_threads(assessed, sizes):
    """INVARIANT: chunking changes no byte. A sample that knew of its neighbours would break it."""
    firsts = np.cumsum([0, *sizes[:-1]])
    parts = [flown(int(first), size, 1 + n % 2) for n, (first, size) in enumerate(zip(firsts, sizes, strict=True))]
    assert assessing.assess(job(*(part.result for part in reversed(parts)), flown=tuple(parts))) == assessed


def test_halving_every_step_changes_nothing_that_matters(assessed, monkeypatch):
    """No share or probability moves by more than the greater of 2 % and 2/N: of decay, track, air and the way down."""
    nodes = falling._NODES_KM
    between = [0.5 * (above + below) for above, below in pairwise(nodes)]
    monkeypatch.setattr(decay_legs, "SHARE", decay_legs.SHARE / 32.0)  # arcs of half the length err by this less
    monkeypatch.setattr(decay_legs, "NODE_S", decay_legs.NODE_S / 2.0)
    monkeypatch.setattr(flying, "TRACK_STEP_S", flying.TRACK_STEP_S / 2.0)
    monkeypatch.setattr(falling, "TOLERANCE", falling.TOLERANCE / 32.0)
    monkeypatch.setattr(falling, "AIR_STEP_KM", falling.AIR_STEP_KM / 2.0)
    monkeypatch.setattr(falling, "_NODES_KM", tuple(sorted([*nodes, *between], reverse=True)))
    part = flown(0, COUNT)
    finer = assessing.assess(job(part.result, flown=(part,)))
    before, changed = figures(assessed), figures(finer)
    assert before.keys() == changed.keys()
    for name, value in before.items():
        assert abs(changed[name] - value) <= max(0.02 * value, 2.0 / COUNT), name
    assert finer.pieces.piece_seconds == pytest.approx(assessed.pieces.piece_seconds, rel=0.02)


def figures(assessed: assessing.Assessed) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {("share", fir.fir_designator): fir.share for fir in assessed.firs}
    for fir in assessed.firs:
        for one in (fir.pieces, *fir.bands):
            if one:
                found["any", fir.fir_designator, f"{one.lower_fl:g}"] = one.any_probability
    return found


def test_the_window_is_that_of_the_quantiles_of_the_samples(whole, assessed):
    lives = sorted(one.seconds for one in flight_files.read_result(whole.result))
    for quantile, at in (
        (0.05, assessed.window_start_time),
        (0.5, assessed.median_time),
        (0.95, assessed.window_end_time),
    ):
        rank = math.ceil(quantile * COUNT) - 1
        assert abs((at - jd_to_datetime(*add_seconds(*START, lives[rank]))).total_seconds()) < 1e-3


def test_passes_lie_within_the_window_and_their_regions_are_in_order(assessed):
    for fir in assessed.firs:
        assert fir.share > 0.0 or fir.passes or fir.pieces
        for one in fir.passes:
            assert assessed.window_start_time - timedelta(seconds=1) <= one.entry_time < one.exit_time
            assert one.exit_time <= assessed.window_end_time + timedelta(seconds=1)
            assert 0.0 < one.pass_probability <= 1.0
    shares = [(-fir.share, fir.fir_designator) for fir in assessed.firs]
    assert shares == sorted(shares)


def test_wider_corridors_touch_no_fewer_regions(assessed):
    assert tuple(one.half_width_km for one in assessed.baselines) == HALF_WIDTHS_KM
    touched = [set(one.fir_designators) for one in assessed.baselines]
    assert touched[0] <= touched[1] <= touched[2]
    assert touched[0]


def test_the_points_are_those_of_all_samples(assessed):
    table = pa.ipc.open_file(assessed.points).read_all()
    assert table["sample"].to_pylist() == list(range(COUNT))
    counted = {fir.fir_designator: table["fir"].to_pylist().count(fir.fir_designator) / COUNT for fir in assessed.firs}
    assert counted == {fir.fir_designator: fir.share for fir in assessed.firs}


def test_results_that_do_not_make_a_run_are_refused(whole):
    """INVARIANT: what is published rests on every sample once, as many as were told of."""
    results = flight_files.read_result(whole.result)
    for wrong in (
        [*results, results[0]],
        [*results[:-1], replace(results[-1], sample=COUNT)],
        results[:-1],
        [*results[:-1], replace(results[-1], fir=3)],
        [*results[:-1], replace(results[-1], crossings=(Crossing(3, 0, 1.0, 2.0),))],
        [replace(one, reached=False) for one in results],
    ):
        with pytest.raises(BadFile):
            assessing.assess(job(flight_files.result_file(wrong)))


def test_an_empty_run_is_refused_not_divided_by():
    with pytest.raises(BadFile):
        assessing.assess(job(flight_files.result_file([]), flown_count=0))


PLACES = st.tuples(st.integers(-1, 2), st.integers(0, 3), st.floats(0.0, 900.0), st.floats(1.0, 400.0))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.floats(500.0, 1500.0), st.integers(-1, 2), st.lists(PLACES, max_size=3)), min_size=1, max_size=40
    )
)
def test_whatever_the_samples_did_probabilities_are_probabilities(made):
    regions = airspace.load_geojson(geojson())
    results = [
        SampleResult(
            n, reached=True, seconds=seconds, lat_deg=0.0, lon_deg=0.0, heading_deg=90.0, fir=fir,
            crossings=tuple(Crossing(f, r, at, at + length) for f, r, at, length in places if f >= 0),
        )
        for n, (seconds, fir, places) in enumerate(made)
    ]  # fmt: skip
    found = assessing.hazards(results, regions, START, (600.0, 1400.0), NO_PIECES)
    nowhere = sum(one.fir < 0 for one in results) / len(results)
    assert abs(sum(fir.share for fir in found) + nowhere - 1.0) < 1e-9
    assert all(0.0 < one.pass_probability <= 1.0 for fir in found for one in fir.passes)
    assert len({fir.fir_designator for fir in found}) == len(found)


def test_crossings_are_found_where_the_track_goes_from_region_to_region():
    regions = airspace.load_geojson(geojson(box("AAAA", 0, 10), box("BBBB", 10, 20)))
    seconds = np.arange(0.0, 320.0, 20.0)
    lon = -2.0 + seconds * 0.08  # 24 degrees in 300 s
    track = np.column_stack([seconds, np.full_like(lon, 5.0), lon, np.full_like(lon, 100.0)])
    a, b = flying.onward(Overflown(), track, regions, 0.0).crossings
    assert (regions.idents[a.fir], regions.idents[b.fir]) == ("AAAA", "BBBB")
    assert (a.entry_s, a.exit_s) == pytest.approx((25.0, 150.0), abs=2.0)  # the fine step
    assert (b.entry_s, b.exit_s) == pytest.approx((150.0, 275.0), abs=2.0)
    late = flying.onward(Overflown(), track, regions, 160.0).crossings
    assert [regions.idents[one.fir] for one in late] == ["BBBB"]
    assert flying.onward(Overflown(), track, regions, 310.0).crossings == ()


def test_a_way_flown_in_parts_is_that_flown_at_once():
    """A day of the table may end anywhere: no crossing is cut in two there, no ascending node lost or counted twice."""
    regions = airspace.load_geojson(geojson(box("AAAA", -5, 5)))
    angle = np.linspace(0.0, 6.5 * math.pi, 400)
    track = np.column_stack([angle * 860.0, 70.0 * np.sin(angle - 0.1), np.zeros(400), np.zeros(400)])
    whole = flying.onward(Overflown(), track, regions, 0.0)
    revolutions = [one.revolution for one in whole.crossings]
    assert len(revolutions) >= 6
    assert revolutions == sorted(revolutions)
    assert (revolutions[0], revolutions[-1], whole.revolutions) == (0, 3, 4)
    for cut in (1, 7, 8, 61, 200, 398):
        parts = flying.onward(flying.onward(Overflown(), track[: cut + 1], regions, 0.0), track[cut:], regions, 0.0)
        assert [one.revolution for one in parts.crossings] == revolutions
        np.testing.assert_allclose([one.exit_s for one in parts.crossings], [one.exit_s for one in whole.crossings])
        assert parts.revolutions == whole.revolutions
