"""How good predictions were: pure functions of what was predicted and what came true.

A row is one prediction of one object. Shares are of the life that remained, counted from the newest element set used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

LEVELS = (0.5, 0.8, 0.9, 0.95)
RESAMPLES = 2000
LEAST_LIFE_H = 0.6  # below, a share of the life says nothing: errors are minutes


@dataclass(frozen=True, slots=True)
class Row:
    """life_h: from the newest set to the truth; error_h: nominal less truth; samples_h: crossings after that set."""

    catalogue_number: int
    cut_off: str
    pseudo: bool
    life_h: float
    error_h: float
    samples_h: Array

    @property
    def share(self) -> float:
        return self.error_h / self.life_h

    @property
    def pit(self) -> float:
        """Share of the samples that came down before the truth."""
        return float(np.mean(self.samples_h <= self.life_h))

    def width(self, level: float) -> float:
        """Full width of the central window, as a share of the life."""
        low, high = np.quantile(self.samples_h, [0.5 - 0.5 * level, 0.5 + 0.5 * level], method="inverted_cdf")
        return float(high - low) / self.life_h

    def holds(self, level: float) -> bool:
        return abs(self.pit - 0.5) <= 0.5 * level

    @property
    def crps(self) -> float:
        """Continuous ranked probability score as a share of the life (Gneiting and Raftery 2007, eq. 21)."""
        x = np.sort(self.samples_h)
        n = len(x)
        apart = float(np.sum((2.0 * np.arange(1, n + 1) - n - 1.0) * x)) / n**2
        return (float(np.mean(np.abs(x - self.life_h))) - apart) / self.life_h


def interval(rows: Sequence[Row], of: Callable[[Sequence[Row]], float]) -> tuple[float, float]:
    """90 % interval by resampling whole objects, whose rows are not independent; the same for the same rows."""
    by_object: dict[int, list[Row]] = {}
    for row in rows:
        by_object.setdefault(row.catalogue_number, []).append(row)
    clusters = list(by_object.values())
    generator = np.random.Generator(np.random.Philox(key=1))
    found = []
    for _ in range(RESAMPLES):
        chosen = generator.integers(0, len(clusters), len(clusters))
        found.append(of([row for k in chosen for row in clusters[k]]))
    low, high = np.quantile(found, [0.05, 0.95])
    return float(low), float(high)


def kpis(rows: Sequence[Row]) -> dict[str, Any]:
    """Figures in percent of the remaining life, over rows with at least LEAST_LIFE_H left; empty without any."""
    kept = [row for row in rows if row.life_h >= LEAST_LIFE_H]
    if not kept:
        return {}
    errors = 100.0 * np.abs([row.share for row in kept])
    last = [row for row in kept if row.life_h <= 6.0]
    return {
        "rows": len(kept),
        "objects": len({row.catalogue_number for row in kept}),
        "mean": float(errors.mean()),
        "mean_interval": interval(kept, _mean),
        "median": float(np.median(errors)),
        "p90": float(np.quantile(errors, 0.9)),
        "within_20": 100.0 * float(np.mean(errors <= 20.0)),
        "last_6h_mean": _mean(last) if last else None,
        "last_6h_minutes": float(np.mean([60.0 * abs(row.error_h) for row in last])) if last else None,
        "crps": 100.0 * float(np.mean([row.crps for row in kept])),
        "pit": [round(row.pit, 3) for row in kept],
        "levels": {str(level): _level(kept, level) for level in LEVELS},
    }


def _mean(rows: Sequence[Row]) -> float:
    return 100.0 * float(np.mean([abs(row.share) for row in rows]))


def _level(rows: Sequence[Row], level: float) -> dict[str, Any]:
    def held(some: Sequence[Row]) -> float:
        return 100.0 * float(np.mean([row.holds(level) for row in some]))

    return {
        "held": held(rows),
        "held_interval": interval(rows, held),
        "width": 100.0 * float(np.mean([row.width(level) for row in rows])),
    }
