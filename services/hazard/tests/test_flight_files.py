import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hazard import flight_files, flying
from services.hazard.flight_files import BadFile, Crossing, SampleResult
from services.hazard.tests.conftest import DRIVERS, START, draws, drivers

CROSSED = (Crossing(0, 2, 4000.0, 4100.0), Crossing(1, 2, 4100.0, 4300.0))
GOOD = SampleResult(
    3, reached=True, seconds=5000.0, lat_deg=10.0, lon_deg=20.0, heading_deg=60.0, fir=1, crossings=CROSSED
)
LOST = flying.lost(4)

crossings = st.builds(
    lambda fir, revolution, entry, length: Crossing(fir, revolution, entry, entry + length),
    st.integers(0, 50),
    st.integers(0, 900),
    st.floats(0.0, 5e6),
    st.floats(0.0, 1e3),
)
flown = st.builds(
    SampleResult,
    st.integers(0, 10_000),
    st.sampled_from([True]),
    st.floats(1e-3, 5e6),
    st.floats(-90.0, 90.0),
    st.floats(-180.0, 180.0),
    st.floats(-180.0, 180.0),
    st.integers(-1, 50),
    st.lists(crossings, max_size=4).map(tuple),
)


@given(st.lists(flown, max_size=20))
def test_a_result_is_read_as_it_was_written(results):
    data = flight_files.result_file(results)
    assert flight_files.read_result(data) == results
    assert flight_files.result_file(results) == data


def test_a_sample_that_did_not_come_down_has_no_place():
    (one,) = flight_files.read_result(flight_files.result_file([LOST]))
    assert not one.reached
    assert math.isnan(one.seconds)


IMPOSSIBLE = {
    "time not a number": {"seconds": math.nan},
    "endless": {"seconds": math.inf},
    "before the start": {"seconds": -1.0},
    "latitude not a number": {"lat_deg": math.nan},
    "beyond the pole": {"lat_deg": 90.1},
    "longitude not a number": {"lon_deg": math.nan},
    "once around": {"lon_deg": 180.1},
    "a region below none": {"fir": -2},
    "a crossing not a number": {"crossings": (Crossing(0, 1, math.nan, 10.0),)},
    "an endless crossing": {"crossings": (Crossing(0, 1, 0.0, math.inf),)},
    "a crossing that leaves before it enters": {"crossings": (Crossing(0, 1, 10.0, 9.0),)},
    "a crossing of nowhere": {"crossings": (Crossing(-1, 1, 1.0, 9.0),)},
    "a crossing before the first revolution": {"crossings": (Crossing(0, -1, 1.0, 9.0),)},
    "a sample below the first": {"sample": -1},
}


@pytest.mark.parametrize("changed", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_result_that_no_flight_can_have_is_refused(changed):
    """INVARIANT: nothing impossible becomes a published probability."""
    with pytest.raises(BadFile):
        flight_files.read_result(flight_files.result_file([GOOD, replace(GOOD, **changed)]))


def without(data: bytes, column: str) -> bytes:
    table = pa.ipc.open_file(data).read_all().drop_columns([column])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (flight_files.result_file([GOOD]), flight_files.read_result),
        (draws(3), flight_files.read_draws),
        (drivers(), flight_files.read_drivers),
    ],
    ids=["result", "draws", "drivers"],
)
def test_what_is_no_file_of_its_kind_is_refused_as_such(data, read):
    """INVARIANT: whatever is wrong with a file, it is BadFile: nothing that would be tried again for ever."""
    names = pa.ipc.open_file(data).read_all().column_names
    broken = [b"", b"x" * 100, *(data[:n] for n in range(0, len(data), 97)), without(data, names[0])]
    broken += [without(data, names[-1])]
    for one in broken:
        with pytest.raises(BadFile):
            read(one)


def test_draws_are_read_in_parts():
    samples = flight_files.read_draws(draws(60))
    assert (samples.start_jd, samples.start_jd_fraction) == START
    assert samples.states.shape == (60, 6)
    part = samples.part(25, 10)
    assert np.array_equal(part.ln_b, samples.ln_b[25:35])
    assert np.array_equal(part.states, samples.states[25:35])
    assert len(samples.part(50, 25).ln_b) == 10


def test_drivers_are_read_row_by_row():
    found = flight_files.read_drivers(drivers())
    assert found.rows.shape == (72, len(DRIVERS))
    assert found.start_mjd == 59880.0


def test_the_points_name_the_region_or_none():
    data = flight_files.points_file([GOOD, replace(GOOD, sample=4, fir=-1)], ("AAAA", "BBBB"))
    table = pa.ipc.open_file(data).read_all()
    assert table["fir"].to_pylist() == ["BBBB", ""]
    assert table["sample"].to_pylist() == [3, 4]
