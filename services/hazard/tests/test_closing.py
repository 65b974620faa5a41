"""The closing optimiser against every combination there is."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hazard import closing
from services.hazard.closing import Choices

figures = st.integers(0, 40).map(float)
zone = st.lists(st.tuples(figures, figures), max_size=4).map(
    lambda rows: Choices(*np.array(rows, dtype=float).reshape(-1, 2).T)
)


def cheapest(zones: list[Choices], wanted: float) -> float:
    """By trying all."""
    rows = [[(0.0, 0.0), *zip(one.cost.tolist(), one.risk.tolist(), strict=True)] for one in zones]
    sums = (tuple(map(sum, zip(*picked, strict=True))) for picked in product(*rows))
    return min(cost for cost, risk in sums if risk >= wanted - 1e-9)


@given(st.lists(zone, min_size=1, max_size=4), st.floats(0.05, 1.0))
def test_a_plan_takes_away_what_is_wanted_and_no_plan_undercuts_its_bound(zones, share):
    wanted = share * sum(float(one.risk.max(initial=0.0)) for one in zones)
    found = closing.choose(zones, wanted)
    picked = [(one.cost[k], one.risk[k]) for one, k in zip(zones, found.choice, strict=True) if k >= 0]
    assert found.cost == pytest.approx(sum(cost for cost, _ in picked))
    assert found.risk == pytest.approx(sum(risk for _, risk in picked))
    assert found.risk >= wanted * (1.0 - 1e-9)
    assert found.bound - 1e-9 <= cheapest(zones, wanted) <= found.cost + 1e-9


@given(st.lists(zone, min_size=1, max_size=4), st.floats(0.05, 1.0))
def test_a_plan_is_off_the_best_by_no_more_than_one_closure(zones, share):
    wanted = share * sum(float(one.risk.max(initial=0.0)) for one in zones)
    found = closing.choose(zones, wanted)
    dearest = max((float(one.cost.max(initial=0.0)) for one in zones), default=0.0)
    assert found.cost <= cheapest(zones, wanted) + dearest + 1e-9


def test_many_small_zones_come_close_to_the_bound():
    rng = np.random.default_rng(1)
    zones = [Choices(rng.uniform(1, 2, 50), rng.uniform(0, 1, 50)) for _ in range(200)]
    found = closing.choose(zones, 0.9 * sum(one.risk.max() for one in zones))
    assert 0.0 <= found.gap < 0.005


def test_what_closing_all_does_not_reach_is_refused_with_the_amount():
    with pytest.raises(closing.OutOfReach, match="takes 2 away, not 3"):
        closing.choose([Choices(np.array([1.0]), np.array([2.0]))], 3.0)


def test_costs_below_zero_are_refused():
    with pytest.raises(ValueError, match="not negative"):
        closing.choose([Choices(np.array([-1.0]), np.array([2.0]))], 1.0)
