"""Arrow file of visits: where and when each piece of each sample is in a region and a band of levels.

An assessment cites them as `visits_sha256`, each file holding PART_SAMPLES samples in order (the last the rest), so
that how a run was split into chunks shows nowhere. Compressed with zstd; rows by sample, piece and time. The rows of a
piece follow each other from its release to the ground without gap or overlap; samples that did not come down have none.

    sample             int32    number of the sample in the run, from 0
    piece              int16    number of the piece in its sample, from 0
    kind               int16    index in the scenario's `pieces` (0 for an explosion's debris)
    region             int16    index in `regions` of the file's metadata, -1: outside every region
    band               int8     0: above the highest edge, b: from edge b - 1 down to edge b of the scenario
    entry_s, exit_s    float64  seconds after the start epoch (metadata start_jd, start_jd_fraction, UTC)
    entry_lat_deg, entry_lon_deg, exit_lat_deg, exit_lon_deg    float32  WGS-84; in between, a great circle
    entry_fl, exit_fl  float32  level in hundreds of feet, standard atmosphere; in between, straight in time
    descent_m_s        float32  mean speed of descent within the row
    survival           float32  probability that the piece reaches the ground, [0, 1]
    mass_kg, area_m2   float32  of the piece; area is the reference area of its shape

Metadata (bytes): regions, bands_fl and kinds as JSON lists, sample_count of the run, start_jd, start_jd_fraction,
scenario_sha256. All pieces have at least 1 g. A sample's weight is 1 / sample_count of the samples that came down.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa

from services.hazard.flight_files import BadFile

Array = np.ndarray[Any, np.dtype[Any]]

PART_SAMPLES = 500
_TYPES = {
    "sample": pa.int32(),
    "piece": pa.int16(),
    "kind": pa.int16(),
    "region": pa.int16(),
    "band": pa.int8(),
    "entry_s": pa.float64(),
    "exit_s": pa.float64(),
} | dict.fromkeys(
    ("entry_lat_deg", "entry_lon_deg", "exit_lat_deg", "exit_lon_deg", "entry_fl", "exit_fl", "descent_m_s",
     "survival", "mass_kg", "area_m2"),
    pa.float32(),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visits:
    """(m,) each, as above."""

    sample: Array
    piece: Array
    kind: Array
    region: Array
    band: Array
    entry_s: Array
    exit_s: Array
    entry_lat_deg: Array
    entry_lon_deg: Array
    exit_lat_deg: Array
    exit_lon_deg: Array
    entry_fl: Array
    exit_fl: Array
    descent_m_s: Array
    survival: Array
    mass_kg: Array
    area_m2: Array

    def of_samples(self, first: int, count: int) -> "Visits":
        low, high = np.searchsorted(self.sample, (first, first + count))
        return Visits(*(getattr(self, one.name)[low:high] for one in fields(self)))


def joined(parts: Sequence[Visits]) -> Visits:
    if not parts:
        return Visits(*(np.empty(0, kind.to_pandas_dtype()) for kind in _TYPES.values()))
    return Visits(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Visits)))


def write(visits: Visits, told: Mapping[str, object]) -> bytes:
    """`told`: the metadata, values as JSON."""
    arrays = [pa.array(getattr(visits, name), kind) for name, kind in _TYPES.items()]
    metadata = {key: json.dumps(value) for key, value in sorted(told.items())}
    schema = pa.schema(list(_TYPES.items()), metadata=metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(sink.getvalue())


def read(data: bytes) -> tuple[Visits, dict[str, Any]]:
    """The visits and their metadata; raises BadFile for rows that no piece can have."""
    try:
        options = pa.ipc.IpcReadOptions(use_threads=False)
        table = pa.ipc.open_file(pa.BufferReader(data), options=options).read_all()
    except (pa.ArrowException, OSError) as error:
        raise BadFile(f"the file of visits is not an Arrow file: {error}") from error
    if table.column_names != list(_TYPES) or table.schema.metadata is None:
        raise BadFile("the file of visits lacks columns or its metadata")
    visits = Visits(*(column.to_numpy() for column in table.columns))
    _check(visits)
    return visits, {key.decode(): json.loads(value) for key, value in table.schema.metadata.items()}


def _check(visits: Visits) -> None:
    numbers = [getattr(visits, name) for name, kind in _TYPES.items() if pa.types.is_floating(kind)]
    if not all(np.isfinite(one).all() for one in numbers):
        raise BadFile("a visit holds a value that is no number")
    possible = (
        (np.diff(visits.sample) >= 0).all()
        and (visits.exit_s > visits.entry_s).all()
        and (visits.entry_s >= 0.0).all()
        and ((visits.survival >= 0.0) & (visits.survival <= 1.0)).all()
        and (visits.region >= -1).all()
        and (visits.band >= 0).all()
        and (visits.mass_kg > 0.0).all()
    )
    if not possible:
        raise BadFile("a visit is one that no piece can make")
