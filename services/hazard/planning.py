"""A closing plan beside what would be closed without it, on the same regions, traffic and posterior."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from libs.astro.airspace import NOWHERE
from services.hazard import closing
from services.hazard.closing import Chosen
from services.hazard.closing_fixed import TOUCHING_KM, corridor_of, fixed
from services.hazard.closing_options import Options, Shut
from services.hazard.closing_table import Table, instant, table_of
from services.hazard.exposure import Job
from services.hazard.plan_domain import Closure, Objective, Plan, Way
from services.hazard.zones import CELL_KM, STRIPS

Array = np.ndarray[Any, np.dtype[Any]]


def plan(job: Job, points: bytes, residual: float, objective: Objective) -> Plan:
    """Raises BadFile, BadAssumptions and OutOfReach; residual: the share of the risk that may stay, in (0, 1)."""
    table = table_of(job, points)
    inside = table.rows.region >= 0
    risk = float(table.rows.risk[inside].sum())
    chosen, picked = _picked(table, residual, objective)
    ours = _way(table, "plan", picked, 1.0 - chosen.risk / risk if risk else 0.0)
    others = [_way(table, *one) for one in fixed(table, risk)]
    return Plan(
        tuple(sorted((_closure(table, one) for one in picked), key=lambda one: (one.from_time, one.fir_designator))),
        (ours, *others),
        chosen.bound,
        chosen.gap,
        risk,
        float(table.rows.risk[~inside].sum()),
        _reason(table, picked, ours, others),
        table.where.source,
        _unseen(table, residual, objective),
    )


def _picked(table: Table, residual: float, objective: Objective) -> tuple[Chosen, list[Shut]]:
    options = [Options.of(table, number, objective) for number in range(len(table.zones))]
    risk = float(table.rows.risk[table.rows.region >= 0].sum())
    chosen = closing.choose([one.choices for one in options], (1.0 - residual) * risk)
    picked = [one.of_choice(pick) for one, pick in zip(options, chosen.choice, strict=True) if pick >= 0]
    return chosen, picked


def _unseen(table: Table, residual: float, objective: Objective) -> float:
    """What a plan made with every other sample leaves of the risk of the rest."""
    made = table.rows.sample % 2 == 0
    _, picked = _picked(replace(table, rows=table.rows.of(made)), residual, objective)
    rest = table.rows.of(~made)
    covered = sum(float(rest.risk[one.covers(rest, table)].sum()) for one in picked)
    risk = float(rest.risk[rest.region >= 0].sum())
    return max(1.0 - covered / risk, 0.0) if risk else 0.0


def _way(table: Table, name: str, shut: Sequence[Shut], residual: float) -> Way:
    cost = table.given.cost
    flights = sum(one.flights for one in shut)
    delay = sum(one.flights * cost.delay_share * one.minutes for one in shut)
    return Way(
        name, sum(one.nm2 * one.minutes for one in shut), flights, delay, delay * cost.eur_per_delay_min,
        max(residual, 0.0), _spilled(table, shut),
    )  # fmt: skip


def _spilled(table: Table, shut: Sequence[Shut]) -> tuple[tuple[str, float], ...]:
    """Flights that go around through neighbours, shared by the length of the border to each."""
    given, borders = table.given, _borders(table.over.owner)
    found: dict[int, float] = {}
    for one in shut:
        near = borders.get(one.region, {})
        for region, cells in near.items():
            share = one.flights * given.cost.spilled_share * cells / sum(near.values())
            found[region] = found.get(region, 0.0) + share
    named = ((table.regions.idents[region], flights) for region, flights in found.items())
    return tuple(sorted(named, key=lambda pair: (-pair[1], pair[0])))


def _borders(owner: Array) -> dict[int, dict[int, int]]:
    """Cells of each region along the line that lie beside each other region."""
    pairs = [(owner[1:], owner[:-1]), (owner[:, 1:], owner[:, :-1])]
    one = np.concatenate([np.r_[a.ravel(), b.ravel()] for a, b in pairs])
    other = np.concatenate([np.r_[b.ravel(), a.ravel()] for a, b in pairs])
    meets = (one != other) & (one != NOWHERE) & (other != NOWHERE)
    keys, counts = np.unique(np.column_stack([one[meets], other[meets]]), axis=0, return_counts=True)
    found: dict[int, dict[int, int]] = {}
    for (region, near), count in zip(keys.tolist(), counts.tolist(), strict=True):
        found.setdefault(region, {})[near] = count
    return found


def _closure(table: Table, one: Shut) -> Closure:
    zone, over, edges = table.zones[one.zone], table.over, table.told.bands_fl
    side = min(max((one.right + one.left) // 2, 0), STRIPS - 1)
    return Closure(
        table.regions.idents[one.region],
        instant(table, one.first_s),
        instant(table, one.last_s),
        (one.right - STRIPS / 2) * CELL_KM,
        (one.left - STRIPS / 2) * CELL_KM,
        float(over.lat_deg[zone.first, side]),
        float(over.lon_deg[zone.first, side]),
        float(over.lat_deg[zone.last, side]),
        float(over.lon_deg[zone.last, side]),
        edges[one.floor],
        one.nm2,
        one.flights,
        one.risk,
    )


def _reason(table: Table, picked: Sequence[Shut], ours: Way, others: Sequence[Way]) -> str:
    """Where the difference to A of 100 km lies."""
    a = next(one for one in others if one.name == "A 100 km")
    kept = {one.zone for one in picked}
    spared = sum(one.nm2 * one.minutes for one in corridor_of(table, "A", TOUCHING_KM) if one.zone not in kept)
    less = a.nm2_minutes - ours.nm2_minutes
    if less <= 0.0:
        return "the plan closes no less than A of 100 km: the pieces are spread as widely as the corridor"
    wide = _mean(picked, lambda one: (one.left - one.right) * CELL_KM)
    return (
        f"of the {less:.3g} NM2 min that the plan closes less than A of 100 km, {min(spared / less, 1.0):.0%} lie in "
        f"zones it leaves open, where little traffic meets few pieces; the rest is {wide:.0f} km wide instead of 200 "
        f"and {_mean(picked, lambda one: one.minutes):.0f} min long instead of 40"
    )


def _mean(picked: Sequence[Shut], of: Callable[[Shut], float]) -> float:
    return float(np.average([of(one) for one in picked], weights=[one.nm2 for one in picked])) if picked else 0.0
