"""How good predictions were: pure functions of what was predicted and what came true.

A row is one prediction of one object. Shares are of the life that remained, counted from the newest element set used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

LEVELS = (0.5, 0.8, 0.9, 0.95)
RESAMPLES, SEED = 2000, 1
LEAST_LIFE_H = 0.6  # below, a share of the life says nothing: errors are minutes
LAST_H = 6.0
RULE = 0.2  # the usual window: 20 % of the remaining life either side


@dataclass(frozen=True, slots=True)
class Row:
    """life_h: from the newest set to the truth; error_h: nominal less truth; samples_h: crossings after that set.

    Where the truth is an interval, life_h is that of its middle, error_h the way to its nearer end (none inside) and
    interval_h its ends. truths_h: ends of every truth that a source gives. newest_set_at: from which all hours count.
    """

    catalogue_number: int
    cut_off: str
    pseudo: bool
    life_h: float
    error_h: float
    samples_h: Array
    nominal_h: float = 0.0
    interval_h: tuple[float, float] | None = None
    kind: str = "point"
    case: str = ""
    object_class: str = "unknown"
    truths_h: tuple[tuple[float, float], ...] = field(default=())
    newest_set_at: datetime = field(kw_only=True)

    @property
    def share(self) -> float:
        return self.error_h / self.life_h

    @property
    def ends_h(self) -> tuple[float, float]:
        return self.interval_h or (self.life_h, self.life_h)

    @property
    def pits(self) -> tuple[float, float]:
        """Shares of the samples down before the truth: at both ends of an interval, twice the same at a point."""
        low, high = self.ends_h
        return float(np.mean(self.samples_h <= low)), float(np.mean(self.samples_h <= high))

    @property
    def pit(self) -> float:
        return 0.5 * sum(self.pits)

    def window_h(self, level: float) -> tuple[float, float]:
        ends = [0.5 - 0.5 * level, 0.5 + 0.5 * level]
        low, high = np.quantile(self.samples_h, ends, method="inverted_cdf")
        return float(low), float(high)

    def width(self, level: float) -> float:
        """Full width of the central window, as a share of the life."""
        low, high = self.window_h(level)
        return (high - low) / self.life_h

    def holds(self, level: float) -> bool:
        """Whether the central window holds the truth, of an interval any of it."""
        low, high = self.pits
        return low <= 0.5 + 0.5 * level and high >= 0.5 - 0.5 * level

    @property
    def rule_h(self) -> tuple[float, float]:
        return (1.0 - RULE) * self.nominal_h, (1.0 + RULE) * self.nominal_h

    @property
    def rule_holds(self) -> bool:
        return self.rule_h[0] <= self.ends_h[1] and self.ends_h[0] <= self.rule_h[1]

    @property
    def crps(self) -> float:
        """As a share of the life."""
        return crps(self.samples_h, *self.ends_h) / self.life_h


def crps(samples: Array, low: float, high: float) -> float:
    """Continuous ranked probability score of samples (N,) for a truth in [low, high], in their unit.

    The integral of (F(x) - 1{x >= truth})^2 (Gneiting and Raftery 2007, eq. 20) over all x outside the interval: at a
    point the score itself, else its least value for any truth inside.
    """
    x = np.sort(samples)
    edges = np.unique(np.concatenate((x, (low, high))))
    share = np.searchsorted(x, edges[:-1], side="right") / len(x)
    height = np.where(edges[:-1] < low, share**2, np.where(edges[:-1] >= high, (1.0 - share) ** 2, 0.0))
    return float(np.sum(height * np.diff(edges)))


def interval_of_mean(rows: Sequence[Row], values: Sequence[float]) -> tuple[float, float]:
    """90 % interval of a mean over rows, by resampling whole objects; the same for the same rows."""
    numbers = np.array([row.catalogue_number for row in rows])
    objects = np.unique(numbers)
    sums = np.array([np.sum(np.asarray(values)[numbers == one]) for one in objects])
    counts = np.array([np.sum(numbers == one) for one in objects])
    generator = np.random.Generator(np.random.Philox(key=SEED))
    chosen = generator.integers(0, len(objects), (RESAMPLES, len(objects)))
    low, high = np.quantile(sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1), [0.05, 0.95])
    return float(low), float(high)


def scored(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.life_h >= LEAST_LIFE_H]


def kpis(rows: Sequence[Row]) -> dict[str, Any]:
    """Figures over rows with at least LEAST_LIFE_H left, in percent of the remaining life; empty without any."""
    kept = scored(rows)
    if not kept:
        return {}
    errors = [100.0 * abs(row.share) for row in kept]
    minutes = [60.0 * abs(row.error_h) for row in kept]
    last = [row for row in kept if row.life_h <= LAST_H]
    return {
        "rows": len(kept),
        "objects": len({row.catalogue_number for row in kept}),
        "error_mean_percent": float(np.mean(errors)),
        "error_mean_interval_percent": interval_of_mean(kept, errors),
        "error_median_percent": float(np.median(errors)),
        "error_p90_percent": float(np.quantile(errors, 0.9)),
        "within_20_percent": 100.0 * float(np.mean(np.array(errors) <= 20.0)),
        "bias_mean_percent": 100.0 * float(np.mean([row.share for row in kept])),
        "error_mean_min": float(np.mean(minutes)),
        "error_median_min": float(np.median(minutes)),
        "last_6h": _last(last),
        "crps_percent": 100.0 * float(np.mean([row.crps for row in kept])),
        "pit": [round(row.pit, 4) for row in kept],
        "levels": {f"{100.0 * level:g}": level_of(kept, level) for level in LEVELS},
        "rule_20": rule_of(kept),
    }


def _last(rows: Sequence[Row]) -> dict[str, Any]:
    """Of the last six hours: mean error both ways, and the share within 20 % or 30 minutes."""
    if not rows:
        return {"rows": 0, "error_mean_percent": None, "error_mean_min": None, "within_20_or_30_min_percent": None}
    near = [abs(row.share) <= 0.2 or abs(row.error_h) <= 0.5 for row in rows]
    return {
        "rows": len(rows),
        "error_mean_percent": 100.0 * float(np.mean([abs(row.share) for row in rows])),
        "error_mean_min": 60.0 * float(np.mean([abs(row.error_h) for row in rows])),
        "within_20_or_30_min_percent": 100.0 * float(np.mean(near)),
    }


def level_of(rows: Sequence[Row], level: float) -> dict[str, Any]:
    held = [100.0 * row.holds(level) for row in rows]
    widths = [100.0 * row.width(level) for row in rows]
    return {
        "held_percent": float(np.mean(held)),
        "held_interval_percent": interval_of_mean(rows, held),
        "width_mean_percent": float(np.mean(widths)),
        "width_median_percent": float(np.median(widths)),
    }


def rule_of(rows: Sequence[Row]) -> dict[str, Any]:
    """The window of 20 % of the predicted life either side, over the same rows."""
    held = [100.0 * row.rule_holds for row in rows]
    widths = [100.0 * (row.rule_h[1] - row.rule_h[0]) / row.life_h for row in rows]
    return {
        "held_percent": float(np.mean(held)),
        "held_interval_percent": interval_of_mean(rows, held),
        "width_mean_percent": float(np.mean(widths)),
    }
