"""Sums over samples: exact whatever the order, and equal to what the definitions give piece by piece."""

import numpy as np
import pytest

from libs.astro import exposure_tally
from libs.astro.exposure_tally import ALL_BANDS, ALL_REGIONS, PER_CHANCE, PER_PIECE_SECOND

SAMPLES = 40


@pytest.fixture(scope="module")
def rows():
    """Rows of pieces in ten regions and three bands, sample by sample."""
    rng = np.random.default_rng(5)
    sample = np.sort(rng.integers(0, SAMPLES, 3000))
    piece = rng.integers(0, 12, 3000)
    order = np.lexsort((piece, sample))
    sample, piece = sample[order], piece[order]
    survival = np.round(((sample * 7 + piece * 13) % 11) / 11.0, 3)
    entry = rng.uniform(5000.0, 9000.0, 3000)
    return sample, piece, rng.integers(-1, 9, 3000), rng.integers(0, 3, 3000), entry, entry + 200.0, survival


def test_parts_in_any_order_merge_to_the_same_sums(rows):
    """INVARIANT: chunking changes no byte. A sum of floating-point numbers would break it."""
    sample, _, region, band, entry, leave, survival = rows
    whole = exposure_tally.cells(*rows), exposure_tally.minutes(region, band, entry, leave, survival, 77.0)
    parts = []
    for low, high in ((25, 40), (0, 3), (3, 25)):
        kept = (sample >= low) & (sample < high)
        some = tuple(one[kept] for one in rows)
        parts.append((exposure_tally.cells(*some), exposure_tally.minutes(*some[2:], 77.0)))
    cells = exposure_tally.merge_cells([one for one, _ in parts])
    minutes = exposure_tally.merge_minutes([one for _, one in parts])
    for merged, once in ((cells, whole[0]), (minutes, whole[1])):
        keys = np.lexsort([getattr(once, name) for name in ("band", "region")] if merged is cells else _keys(once))
        for name in type(once).__slots__:
            assert (getattr(merged, name) == getattr(once, name)[keys]).all()


def _keys(minutes):
    return [minutes.minute, minutes.band, minutes.region]


def test_minutes_add_up_to_the_whole_time_of_pieces(rows):
    """1e-9 of the whole: a contribution is rounded to 2^-28 piece-seconds."""
    _, _, region, band, entry, leave, survival = rows
    minutes = exposure_tally.minutes(region, band, entry, leave, survival, 0.0)
    spent = float(((leave - entry) * survival).sum())
    assert minutes.piece_seconds.sum() / PER_PIECE_SECOND == pytest.approx(spent, rel=1e-9)


def test_the_chance_of_any_is_one_less_the_product_of_escapes(rows):
    """1 - mean over samples of prod (1 - s), each piece once (2^-46 is 1.4e-14)."""
    sample, piece, region, band, *_, survival = rows
    cells = exposure_tally.cells(*rows)
    row = {(r, b): k for k, (r, b) in enumerate(zip(cells.region.tolist(), cells.band.tolist(), strict=True))}
    for where, inside in (
        ((4, 1), (region == 4) & (band == 1)),
        ((4, ALL_BANDS), region == 4),
        ((-1, ALL_BANDS), region == -1),
        ((ALL_REGIONS, 2), band == 2),
        ((ALL_REGIONS, ALL_BANDS), region >= -1),
    ):
        pairs = {(s, p): w for s, p, w in zip(sample[inside], piece[inside], survival[inside], strict=True)}
        escapes = [np.prod([1.0 - w for (s, _), w in pairs.items() if s == n]) for n in range(SAMPLES)]
        expected = 1.0 - float(np.mean(escapes))
        assert cells.chance[row[where]] / PER_CHANCE / SAMPLES == pytest.approx(expected, abs=1e-12)
        found = exposure_tally.any_chance(sample[inside], piece[inside], survival[inside], SAMPLES)
        assert found == pytest.approx(expected, abs=1e-12)


def test_nothing_is_there_with_no_chance():
    none = np.empty(0)
    assert exposure_tally.any_chance(none, none, none, 10) == 0.0
    assert len(exposure_tally.minutes(none, none, none, none, none, 0.0).minute) == 0
