"""Arrow files of a run: what a prediction cites, what a chunk results in, what an assessment cites.

Result of a chunk, one row a sample: sample, reached, seconds after the start epoch, lat_deg, lon_deg, heading_deg
(of the velocity on axes that do not turn, clockwise from north), fir (index in order of designator, -1 for none), and
lists of the crossings of regions after the window's start: crossing_fir, crossing_revolution, crossing_entry_s,
crossing_exit_s.

Points of an assessment, one row a sample that came down: sample, seconds, lat_deg, lon_deg, fir (designator or empty).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from libs.astro.airspace import NOWHERE
from libs.astro.weather import Drivers

Array = np.ndarray[Any, np.dtype[np.float64]]
STATE_COLUMNS = ("x_km", "y_km", "z_km", "vx_km_s", "vy_km_s", "vz_km_s")
DRAW_COLUMNS = ("ln_b", "ln_b_late", "late_after_s", *STATE_COLUMNS)
DRIVER_COLUMN_COUNT = 9
RESULT_COLUMNS = (
    "sample",
    "reached",
    "seconds",
    "lat_deg",
    "lon_deg",
    "heading_deg",
    "fir",
    "crossing_fir",
    "crossing_revolution",
    "crossing_entry_s",
    "crossing_exit_s",
)


class BadFile(Exception):
    """A file does not hold what its kind holds."""


@dataclass(frozen=True, slots=True)
class Samples:
    start_jd: float
    start_jd_fraction: float
    ln_b: Array
    ln_b_late: Array
    late_after_s: float
    states: Array

    def part(self, first: int, count: int) -> "Samples":
        chosen = slice(first, first + count)
        return Samples(
            self.start_jd,
            self.start_jd_fraction,
            self.ln_b[chosen],
            self.ln_b_late[chosen],
            self.late_after_s,
            self.states[chosen],
        )


@dataclass(frozen=True, slots=True)
class Crossing:
    fir: int
    revolution: int
    entry_s: float
    exit_s: float


@dataclass(frozen=True, slots=True)
class SampleResult:
    sample: int
    reached: bool
    seconds: float
    lat_deg: float
    lon_deg: float
    heading_deg: float
    fir: int
    crossings: tuple[Crossing, ...]


def read_draws(data: bytes) -> Samples:
    found = table(data, DRAW_COLUMNS)
    columns = {name: found[name].to_numpy() for name in DRAW_COLUMNS}
    return Samples(
        _metadata(found, "start_jd"),
        _metadata(found, "start_jd_fraction"),
        columns["ln_b"],
        columns["ln_b_late"],
        float(columns["late_after_s"][0]),
        np.column_stack([columns[name] for name in STATE_COLUMNS]),
    )


def read_drivers(data: bytes) -> Drivers:
    found = table(data)
    if found.num_columns != DRIVER_COLUMN_COUNT:
        raise BadFile(f"the file has {found.num_columns} columns of drivers, not {DRIVER_COLUMN_COUNT}")
    rows = np.column_stack([column.to_numpy() for column in found.columns])
    return Drivers(np.ascontiguousarray(rows), _metadata(found, "start_mjd"))


def result_file(results: Sequence[SampleResult]) -> bytes:
    lists = {
        "crossing_fir": pa.array([[c.fir for c in one.crossings] for one in results], pa.list_(pa.int32())),
        "crossing_revolution": pa.array(
            [[c.revolution for c in one.crossings] for one in results], pa.list_(pa.int32())
        ),
        "crossing_entry_s": pa.array([[c.entry_s for c in one.crossings] for one in results], pa.list_(pa.float64())),
        "crossing_exit_s": pa.array([[c.exit_s for c in one.crossings] for one in results], pa.list_(pa.float64())),
    }
    return file(
        {
            "sample": pa.array([one.sample for one in results], pa.int32()),
            "reached": pa.array([one.reached for one in results], pa.bool_()),
            "seconds": pa.array([one.seconds for one in results], pa.float64()),
            "lat_deg": pa.array([one.lat_deg for one in results], pa.float64()),
            "lon_deg": pa.array([one.lon_deg for one in results], pa.float64()),
            "heading_deg": pa.array([one.heading_deg for one in results], pa.float64()),
            "fir": pa.array([one.fir for one in results], pa.int32()),
            **lists,
        }
    )


def read_result(data: bytes) -> list[SampleResult]:
    """Raises BadFile for a result that no flight can have."""
    results = [
        SampleResult(
            row["sample"],
            row["reached"],
            row["seconds"],
            row["lat_deg"],
            row["lon_deg"],
            row["heading_deg"],
            row["fir"],
            tuple(
                Crossing(*crossing)
                for crossing in zip(
                    row["crossing_fir"],
                    row["crossing_revolution"],
                    row["crossing_entry_s"],
                    row["crossing_exit_s"],
                    strict=True,
                )
            ),
        )
        for row in table(data, RESULT_COLUMNS).to_pylist()
    ]
    for one in results:
        if not _is_possible(one):
            raise BadFile(f"no flight can have the result {one}"[:500])
    return results


def _is_possible(one: SampleResult) -> bool:
    """False for a value that is not a number, too: every comparison with it is."""
    down = 0.0 < one.seconds < np.inf and abs(one.lat_deg) <= 90.0 and abs(one.lon_deg) <= 180.0
    down = down and abs(one.heading_deg) <= 180.0
    crossed = all(c.fir >= 0 <= c.revolution and 0.0 <= c.entry_s <= c.exit_s < np.inf for c in one.crossings)
    return one.sample >= 0 and one.fir >= NOWHERE and crossed and (down or not one.reached)


def points_file(results: Sequence[SampleResult], idents: Sequence[str]) -> bytes:
    return file(
        {
            "sample": pa.array([one.sample for one in results], pa.int32()),
            "seconds": pa.array([one.seconds for one in results], pa.float64()),
            "lat_deg": pa.array([one.lat_deg for one in results], pa.float64()),
            "lon_deg": pa.array([one.lon_deg for one in results], pa.float64()),
            "heading_deg": pa.array([one.heading_deg for one in results], pa.float64()),
            "fir": pa.array([idents[one.fir] if one.fir >= 0 else "" for one in results], pa.string()),
        }
    )


def table(data: bytes, columns: Sequence[str] = ()) -> Any:
    """Raises BadFile for what is no Arrow file or lacks a column."""
    try:
        found = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    except (pa.ArrowException, OSError) as error:  # of a file that was cut short Arrow says that it cannot be read
        raise BadFile(f"the file is not an Arrow file: {error}") from error
    missing = set(columns) - set(found.column_names)
    if missing:
        raise BadFile(f"the file lacks the columns {', '.join(sorted(missing))}")
    return found


def _metadata(table: Any, key: str) -> float:
    try:
        return float(table.schema.metadata[key.encode()])
    except (TypeError, KeyError, ValueError) as error:
        raise BadFile(f"the file does not say its {key}") from error


def file(columns: dict[str, Any]) -> bytes:
    made = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, made.schema) as writer:
        writer.write_table(made)
    return bytes(sink.getvalue())
