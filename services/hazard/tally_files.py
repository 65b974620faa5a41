"""Arrow files of the exact sums of a chunk, and of the expected pieces by region, band and minute of an assessment.

Expected pieces, one row for each region, band and minute with any: fir (designator, empty outside every region), band
(0 above the highest edge), minute (start, UTC, whole minutes since 1970), expected_pieces (mean over the minute).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libs.astro.exposure_tally import PER_PIECE_SECOND, Cells, Minutes
from services.hazard import flight_files
from services.hazard.flight_files import BadFile

Sums = TypeVar("Sums", Minutes, Cells)

_KEYS = ("region", "band", "minute")
MINUTES_OF_JD_0 = -3514446000  # Julian date 0, in minutes since 1970


@dataclass(frozen=True, slots=True)
class Expected:
    fir: str
    band: int
    minute: int
    expected_pieces: float


def expected(data: bytes, firs: Sequence[str], most: int) -> list[Expected]:
    """Rows of an assessment's file, of the regions named or of all."""
    found = flight_files.table(data, ("fir", "band", "minute", "expected_pieces"))
    if firs:
        found = found.filter(pc.is_in(found["fir"], pa.array(list(firs), pa.string())))
    return [Expected(**row) for row in found.slice(0, most).to_pylist()]


def write(sums: Minutes | Cells) -> bytes:
    return flight_files.file({name: pa.array(getattr(sums, name)) for name in type(sums).__slots__})


def read(data: bytes, kind: type[Sums]) -> Sums:
    """Raises BadFile for sums that no chunk can have."""
    found = flight_files.table(data, kind.__slots__)
    columns = {name: found[name].to_numpy() for name in kind.__slots__}
    if not all(np.isfinite(column).all() for column in columns.values()):
        raise BadFile("a sum is no number")
    if any((column < 0).any() for name, column in columns.items() if name not in _KEYS):
        raise BadFile("a sum is below 0")
    return kind(**columns)


def expected_file(minutes: Minutes, start_jd: float, sample_count: int, idents: Sequence[str]) -> bytes:
    zero = round(start_jd * 1440.0) + MINUTES_OF_JD_0
    firs = [idents[region] if region >= 0 else "" for region in minutes.region]
    columns: dict[str, Any] = {
        "fir": pa.array(firs, pa.string()),
        "band": pa.array(minutes.band, pa.int8()),
        "minute": pa.array(zero + minutes.minute, pa.int64()),
        "expected_pieces": pa.array(minutes.piece_seconds / (PER_PIECE_SECOND * 60.0 * sample_count), pa.float64()),
    }
    return flight_files.file(columns)
