"""Closing plans: what is asked for, what a plan says, and the fact that it was made. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from services.hazard.domain import BadRequest

RESIDUAL, LEAST_RESIDUAL, MOST_RESIDUAL = 0.05, 0.001, 0.999
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Closure:
    """A part of a region closed from floor_fl up, between two distances to the left of the line."""

    fir_designator: str
    from_time: datetime
    until_time: datetime
    right_km: float
    left_km: float
    from_lat_deg: float
    from_lon_deg: float
    until_lat_deg: float
    until_lon_deg: float
    floor_fl: float
    nm2: float
    flights: float
    risk: float


@dataclass(frozen=True, slots=True)
class Way:
    """One way to close, in all. residual: share of the risk inside regions that it leaves."""

    name: str
    nm2_minutes: float
    flights: float
    delay_min: float
    cost_eur: float
    residual: float
    spilled: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """risk: expected aircraft harmed inside regions with nothing closed; outside: the same outside all regions.

    unseen_residual: share that a plan made with half the samples leaves of the risk of the other half.
    """

    closures: tuple[Closure, ...]
    ways: tuple[Way, ...]
    bound: float
    gap: float
    risk: float
    outside: float
    reason: str
    traffic_source: str
    unseen_residual: float


class Objective(Enum):
    AREA = "area"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """residual: the share of the risk inside regions that may stay. An empty dataset: the average day."""

    plan_id: UUID
    catalogue_number: int
    run_id: UUID
    principal_id: str
    objective: Objective
    residual: float
    assumptions_sha256: str
    harm: str
    traffic_dataset: str
    traffic_sha256: str


@dataclass(frozen=True, slots=True)
class ClosingPlanned:
    asked: PlanAsked
    plan: Plan


def residual_of(asked: float) -> float:
    """The share of the risk that a plan may leave; 0 asks for the default. Raises BadRequest for what is no share."""
    residual = asked or RESIDUAL
    if not LEAST_RESIDUAL <= residual <= MOST_RESIDUAL:
        raise BadRequest(f"residual_share lies within {LEAST_RESIDUAL} and {MOST_RESIDUAL}")
    return residual


def record_plan(asked: PlanAsked, plan: Plan) -> list[ClosingPlanned]:
    """A plan on record closes nothing. Raises BadRequest for one that leaves more than was asked for."""
    ours = plan.ways[0]
    if not ours.residual <= asked.residual + _ROUNDING:
        raise BadRequest(f"the plan leaves {ours.residual:.3%} of the risk, more than {asked.residual:.3%}")
    return [ClosingPlanned(asked, plan)]
