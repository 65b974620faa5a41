"""The cheapest set of closures that leaves no more than a share of the risk: one choice or none for each zone. Pure.

A multiple-choice knapsack. The upper hull of each zone's choices, taken in order of risk per cost, gives the optimum of
its linear relaxation, which no plan can undercut (Sinha and Zoltners, Operations Research 27 (3), 503-515, 1979); the
plan rounds the one choice that is split, by the cheapest single choice of any zone that does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
_ROUNDING = 1e-12


class OutOfReach(Exception):
    """Closing all that may be closed leaves more risk than was asked for; the text says how much."""


@dataclass(frozen=True, slots=True)
class Choices:
    """(k,) each: what closing a zone in one way costs, and the risk it takes away."""

    cost: Array
    risk: Array


@dataclass(frozen=True, slots=True)
class Chosen:
    """choice: place in each zone's choices, -1 for none. No plan costs less than `bound`."""

    choice: tuple[int, ...]
    cost: float
    risk: float
    bound: float

    @property
    def gap(self) -> float:
        """How far the plan may be from the best, as a part of the bound."""
        return self.cost / self.bound - 1.0 if self.bound > 0.0 else 0.0


def choose(zones: Sequence[Choices], wanted_risk: float) -> Chosen:
    """Takes away at least wanted_risk. Raises OutOfReach, and ValueError for costs and risks that are negative."""
    if any((one.cost < 0.0).any() or (one.risk < 0.0).any() for one in zones) or not wanted_risk >= 0.0:
        raise ValueError("costs and risks of closures are numbers and not negative")
    reach = sum(float(one.risk.max(initial=0.0)) for one in zones)
    if reach < wanted_risk:
        raise OutOfReach(f"closing every zone in full takes {reach:.3g} away, not {wanted_risk:.3g}")
    hulls = [hull(one) for one in zones]
    steps = [
        (zone, int(before), int(after))
        for zone, corners in enumerate(hulls)
        for before, after in pairwise([-1, *corners])
    ]
    gains = np.array([_of(zones[z], after) - _of(zones[z], before) for z, before, after in steps]).reshape(-1, 2)
    order = np.argsort(-gains[:, 1] / np.maximum(gains[:, 0], 1e-300), kind="stable")
    choice, cost, risk = [-1] * len(zones), 0.0, 0.0
    for k in order.tolist():
        zone, _, after = steps[k]
        missing = wanted_risk - risk
        if missing <= 0.0:
            break
        if gains[k, 1] >= missing:
            bound = cost + gains[k, 0] * missing / gains[k, 1]
            return _rounded(zones, choice, risk, wanted_risk, bound)
        choice[zone] = after
        cost, risk = cost + gains[k, 0], risk + gains[k, 1]
    return _rounded(zones, choice, risk, wanted_risk, cost)


def _of(zone: Choices, choice: int) -> Array:
    return np.array([zone.cost[choice], zone.risk[choice]]) if choice >= 0 else np.zeros(2)


def _rounded(zones: Sequence[Choices], choice: list[int], risk: float, wanted: float, bound: float) -> Chosen:
    """With the cheapest change of one zone that takes away what is missing; of the last zone the next corner does."""
    best, found = np.inf, (-1, -1)
    for zone, one in enumerate(zones if risk < wanted else ()):
        cost_now, risk_now = _of(one, choice[zone])
        enough = np.flatnonzero(one.risk >= (wanted - risk + risk_now) * (1.0 - _ROUNDING))
        if len(enough):
            pick = int(enough[one.cost[enough].argmin()])
            if one.cost[pick] - cost_now < best:
                best, found = float(one.cost[pick] - cost_now), (zone, pick)
    if found[0] >= 0:
        choice[found[0]] = found[1]
    total = sum((_of(one, pick) for one, pick in zip(zones, choice, strict=True)), np.zeros(2))
    return Chosen(tuple(choice), float(total[0]), float(total[1]), bound)


def hull(zone: Choices) -> list[int]:
    """Corners of the upper hull from nothing at no cost on: risk per cost falls from one to the next."""
    order = np.lexsort((-zone.risk, zone.cost))
    rising = order[zone.risk[order] > np.maximum.accumulate(np.r_[0.0, zone.risk[order]])[:-1]]
    corners: list[int] = []
    for pick in rising.tolist():
        while corners and _slope(zone, corners[-2] if len(corners) > 1 else -1, corners[-1]) <= _slope(
            zone, corners[-1], pick
        ):
            corners.pop()
        corners.append(pick)
    return corners


def _slope(zone: Choices, before: int, after: int) -> float:
    cost, risk = _of(zone, after) - _of(zone, before)
    return float(risk / cost) if cost > 0.0 else np.inf
