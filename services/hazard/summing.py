"""Exact sums over samples to the figures of regions and bands."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from libs.astro.exposure_tally import (
    ALL_BANDS,
    ALL_REGIONS,
    PER_CHANCE,
    PER_PIECE,
    PER_PIECE_SECOND,
    Cells,
    Minutes,
)
from libs.astro.time import add_seconds, jd_to_datetime
from services.hazard.domain import PieceHazard
from services.hazard.flight_files import BadFile

Array = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Sums:
    """`start`: epoch the times of the cells count from; minutes count from its whole Julian date."""

    minutes: Minutes
    cells: Cells
    band_edges_fl: tuple[float, ...]
    sample_count: int
    start: tuple[float, float]

    @cached_property
    def _row(self) -> dict[tuple[int, int], int]:
        keys = zip(self.cells.region.tolist(), self.cells.band.tolist(), strict=True)
        return {key: row for row, key in enumerate(keys)}

    @cached_property
    def _by_region(self) -> dict[int, Array]:
        order = np.argsort(self.minutes.region, kind="stable")
        known, first = np.unique(self.minutes.region[order], return_index=True)
        return dict(zip(known.tolist(), np.split(order, first[1:]), strict=True))

    @property
    def regions(self) -> set[int]:
        return set(self.cells.region.tolist()) - {ALL_REGIONS}

    def whole(self) -> PieceHazard:
        """Raises BadFile when there are no pieces at all."""
        found = self.of(ALL_REGIONS)
        if found is None:
            raise BadFile("no piece of any sample was tallied")
        return found

    def of(self, region: int) -> PieceHazard | None:
        return self._hazard(region, ALL_BANDS, (0.0, 0.0))

    def bands(self, region: int) -> tuple[PieceHazard, ...]:
        """The highest first; those without pieces are left out."""
        edges = (0.0, *self.band_edges_fl)
        limits = enumerate(zip(edges[1:], edges, strict=False))
        found = [self._hazard(region, band, pair) for band, pair in limits]
        return tuple(one for one in found if one is not None)

    def _hazard(self, region: int, band: int, limits: tuple[float, float]) -> PieceHazard | None:
        row = self._row.get((region, band))
        if row is None:
            return None
        count, pieces = self.sample_count, int(self.cells.pieces[row]) / PER_PIECE
        total, peak, minute = self._spent(region, band)
        return PieceHazard(
            *limits,
            int(self.cells.chance[row]) / PER_CHANCE / count,
            pieces / count,
            total / PER_PIECE_SECOND / count,
            peak / PER_PIECE_SECOND / 60.0 / count,
            jd_to_datetime(*add_seconds(self.start[0], 0.0, 60.0 * minute)),
            self._instant(float(self.cells.first_s[row])),
            self._instant(float(self.cells.last_s[row])),
            total / PER_PIECE_SECOND / pieces if pieces else 0.0,
        )

    def _spent(self, region: int, band: int) -> tuple[int, int, int]:
        """Piece-seconds in all and in the fullest minute, and that minute."""
        rows = np.arange(len(self.minutes.region)) if region == ALL_REGIONS else self._by_region[region]
        if band != ALL_BANDS:
            rows = rows[self.minutes.band[rows] == band]
        if not len(rows):
            return 0, 0, 0
        known, place = np.unique(self.minutes.minute[rows], return_inverse=True)
        sums = np.zeros(len(known), np.int64)
        np.add.at(sums, place, self.minutes.piece_seconds[rows])
        fullest = int(sums.argmax())
        return sum(sums.tolist()), int(sums[fullest]), int(known[fullest])

    def _instant(self, seconds: float) -> datetime:
        return jd_to_datetime(*add_seconds(*self.start, seconds))
