"""How many pieces are expected where and when, and how likely any is: sums over samples that are exact.

Contributions are whole numbers (a survival in 2^-32, a piece-second in 2^-28, a probability in 2^-46), so that
the sums are the same in whatever order and parts they are made. Rows are those of `Airspace.stays` by sample and piece.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]
Whole = np.ndarray[Any, np.dtype[np.int64]]

PER_PIECE_SECOND = float(2**28)
PER_PIECE = float(2**32)
PER_CHANCE = float(2**46)  # of up to 100,000 samples
MINUTE_S = 60.0
_LONGEST_S = 7.0 * 86400.0


@dataclass(frozen=True, slots=True)
class Minutes:
    """(m,) each, by region, band and minute: expected piece-seconds over all samples, in 2^-28."""

    region: Whole
    band: Whole
    minute: Whole
    piece_seconds: Whole


@dataclass(frozen=True, slots=True)
class Cells:
    """(m,) each, by region and band (ALL_BANDS for all of them, ALL_REGIONS too).

    `chance`: sum over samples of the chance that any piece is there, in 2^-46; `pieces`: sum of the survival of the
    pieces that come, in 2^-32, each once; first entry and last exit in seconds.
    """

    region: Whole
    band: Whole
    chance: Whole
    pieces: Whole
    first_s: Array
    last_s: Array


ALL_BANDS, ALL_REGIONS = -1, -2


def minutes(region: Whole, band: Whole, entry_s: Array, exit_s: Array, survival: Array, zero_s: float) -> Minutes:
    """Sums the time in each minute of the clock, of which minute 0 starts `zero_s` seconds before the tracks' zero.

    ValueError for rows that no piece can make.
    """
    _check_rows(survival, region, band, entry_s, exit_s)
    if not np.isfinite(zero_s):
        raise ValueError(f"a zero of {zero_s} s is no time; give seconds")
    if not len(region):
        none = np.empty(0, np.int64)
        return Minutes(none, none, none, none)
    first = int(np.floor((entry_s.min() + zero_s) / MINUTE_S))
    last = int(np.floor((exit_s.max() + zero_s) / MINUTE_S))
    known, place = np.unique(region, return_inverse=True)
    bands = int(band.max()) + 1
    sums = np.zeros((len(known), bands, last - first + 1), dtype=np.int64)
    _minutes(place, band.astype(np.int64), entry_s, exit_s, survival.astype(np.float64), zero_s, first, sums)
    at, b, k = np.nonzero(sums)
    return Minutes(known[at].astype(np.int64), b, first + k, sums[at, b, k])


@njit(cache=True, error_model="numpy", nogil=True)
def _minutes(
    place: Whole, band: Whole, entry_s: Array, exit_s: Array, survival: Array, zero_s: float, first: int, sums: Any
) -> None:
    for i in range(entry_s.size):
        at, end = entry_s[i] + zero_s, exit_s[i] + zero_s
        minute = int(np.floor(at / MINUTE_S))
        while at < end:
            until = min(end, (minute + 1) * MINUTE_S)
            sums[place[i], band[i], minute - first] += int(np.rint((until - at) * survival[i] * PER_PIECE_SECOND))
            at = until
            minute += 1


def cells(
    sample: Whole, piece: Whole, region: Whole, band: Whole, entry_s: Array, exit_s: Array, survival: Array
) -> Cells:
    """Sums each region and band, each region over all bands, and each band and everything over all regions.

    NOWHERE counts as a region of its own. ValueError for rows that no piece can make.
    """
    _check_rows(survival, sample, piece, region, band, entry_s, exit_s)
    if not len(sample):
        none = np.empty(0, np.int64)
        return Cells(none, none, none, none, np.empty(0), np.empty(0))
    known, place = np.unique(region, return_inverse=True)
    bands = int(band.max()) + 1
    shape = len(known) + 1, bands + 1  # last of each: all
    chance, pieces = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    first, last = np.full(shape, np.inf), np.full(shape, -np.inf)
    rows = sample.astype(np.int64), piece.astype(np.int64), place.astype(np.int64), band.astype(np.int64)
    _cells(*rows, entry_s, exit_s, survival.astype(np.float64), chance, pieces, first, last)
    at, b = np.nonzero(np.isfinite(first))
    regions = np.append(known.astype(np.int64), ALL_REGIONS)
    numbers = np.append(np.arange(bands), ALL_BANDS)
    return Cells(regions[at], numbers[b], chance[at, b], pieces[at, b], first[at, b], last[at, b])


@njit(cache=True, error_model="numpy", nogil=True)
def _cells(
    sample: Whole, piece: Whole, place: Whole, band: Whole, entry_s: Array, exit_s: Array, survival: Array,
    chance: Any, pieces: Any, first: Any, last: Any,
) -> None:  # fmt: skip
    regions, bands = chance.shape[0] - 1, chance.shape[1] - 1
    escape = np.ones(chance.shape)  # chance that no piece of the sample is there
    seen = np.full(chance.shape, -1, dtype=np.int64)
    begin = 0
    while begin < sample.size:
        end = begin
        while end < sample.size and sample[end] == sample[begin]:
            for r in (place[end], regions):
                for b in (band[end], bands):
                    first[r, b] = min(first[r, b], entry_s[end])
                    last[r, b] = max(last[r, b], exit_s[end])
                    if seen[r, b] != piece[end]:
                        seen[r, b] = piece[end]
                        escape[r, b] *= 1.0 - survival[end]
                        pieces[r, b] += int(np.rint(survival[end] * PER_PIECE))
            end += 1
        for i in range(begin, end):
            for r in (place[i], regions):
                for b in (band[i], bands):
                    if seen[r, b] >= 0:
                        chance[r, b] += int(np.rint((1.0 - escape[r, b]) * PER_CHANCE))
                        seen[r, b], escape[r, b] = -1, 1.0
        begin = end


def any_chance(sample: Whole, piece: Whole, survival: Array, sample_count: int) -> float:
    """1 - mean over samples of prod (1 - s) over the pieces named, each row a visit that counts; rows by both.

    ValueError for fewer samples than are named, and for survivals that are no probabilities.
    """
    _check_rows(survival, sample, piece)
    if len(sample) == 0:
        return 0.0
    if len(np.unique(sample)) > sample_count:
        raise ValueError("more samples are named than there are")
    ordered = sample.astype(np.int64), piece.astype(np.int64)
    return _any_chance(*ordered, survival.astype(np.float64)) / PER_CHANCE / sample_count


@njit(cache=True, error_model="numpy", nogil=True)
def _any_chance(sample: Whole, piece: Whole, survival: Array) -> int:
    total, escape = 0, 1.0
    for i in range(sample.size):
        if i > 0 and sample[i] != sample[i - 1]:
            total += int(np.rint((1.0 - escape) * PER_CHANCE))
            escape = 1.0
        if i == 0 or sample[i] != sample[i - 1] or piece[i] != piece[i - 1]:
            escape *= 1.0 - survival[i]
    return total + int(np.rint((1.0 - escape) * PER_CHANCE))


def _check_rows(survival: Array, *columns: Any) -> None:
    """The last two columns, where they are times, are entry and exit."""
    if any(np.shape(one) != np.shape(survival) or not np.isfinite(one).all() for one in columns):
        raise ValueError("rows need a number in every column, and columns of one length")
    if not ((survival >= 0.0) & (survival <= 1.0)).all():
        raise ValueError("survivals are probabilities, within 0 and 1")
    if len(columns) > 2 and not ((columns[-1] >= columns[-2]) & (columns[-1] - columns[-2] < _LONGEST_S)).all():
        raise ValueError("a piece leaves after it came, within a week")


def merge_minutes(parts: "list[Minutes]") -> Minutes:
    """One of many: exact sums."""
    columns = [np.concatenate([getattr(one, name) for one in parts]) for name in Minutes.__slots__]
    keys, place = np.unique(np.stack(columns[:3], axis=1), axis=0, return_inverse=True)
    sums = np.zeros(len(keys), np.int64)
    np.add.at(sums, place, columns[3])
    return Minutes(keys[:, 0], keys[:, 1], keys[:, 2], sums)


def merge_cells(parts: "list[Cells]") -> Cells:
    """One of many: exact sums, and the outermost times."""
    columns = [np.concatenate([getattr(one, name) for one in parts]) for name in Cells.__slots__]
    keys, place = np.unique(np.stack(columns[:2], axis=1), axis=0, return_inverse=True)
    chance, pieces = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    first, last = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
    np.add.at(chance, place, columns[2])
    np.add.at(pieces, place, columns[3])
    np.minimum.at(first, place, columns[4])
    np.maximum.at(last, place, columns[5])
    return Cells(keys[:, 0], keys[:, 1], chance, pieces, first, last)
