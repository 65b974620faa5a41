"""Arrow files that a prediction cites.

Draws, one row a sample in order of the sample's index:
  ln_b, ln_b_late              natural logarithm of Cd A/m in m2/kg, before and after the hand-over
  late_after_s                 seconds after the start at which the second holds, the same in every row
  x_km, y_km, z_km             TEME of date, at the start epoch
  vx_km_s, vy_km_s, vz_km_s
Schema metadata: start_jd, start_jd_fraction.

Drivers, one row each 3 hours from start_mjd (schema metadata), columns of DRIVER_COLUMNS.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from libs.astro.weather import Drivers

DRIVER_COLUMNS = (
    "f107_previous_day",
    "f107a_81_days",
    "ap_daily",
    "ap_now",
    "ap_3h_before",
    "ap_6h_before",
    "ap_9h_before",
    "ap_12h_to_33h_before",
    "ap_36h_to_57h_before",
)
STATE_COLUMNS = ("x_km", "y_km", "z_km", "vx_km_s", "vy_km_s", "vz_km_s")
Array = np.ndarray[Any, np.dtype[np.float64]]


def draws_file(
    ln_b: Array, ln_b_late: Array, late_after_s: float, states: Array, start_jd: float, start_jd_fraction: float
) -> bytes:
    columns = {"ln_b": ln_b, "ln_b_late": ln_b_late, "late_after_s": np.full(len(ln_b), late_after_s)}
    columns |= {name: np.ascontiguousarray(states[:, i]) for i, name in enumerate(STATE_COLUMNS)}
    return _file(columns, {"start_jd": repr(float(start_jd)), "start_jd_fraction": repr(float(start_jd_fraction))})


def drivers_file(rows: Array, start_mjd: float) -> bytes:
    columns = {name: np.ascontiguousarray(rows[:, i]) for i, name in enumerate(DRIVER_COLUMNS)}
    return _file(columns, {"start_mjd": repr(float(start_mjd))})


def read_drivers(data: bytes) -> Drivers:
    """Of a file that drivers_file made."""
    table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    rows = np.stack([table.column(name).to_numpy() for name in DRIVER_COLUMNS], axis=1)
    return Drivers(np.ascontiguousarray(rows), float(table.schema.metadata[b"start_mjd"]))


def _file(columns: dict[str, Array], metadata: dict[str, str]) -> bytes:
    table = pa.table(columns).replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
