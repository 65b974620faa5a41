"""ClosingPlanned to the wire, and what was asked for back."""

from uuid import UUID

from services.hazard.plan_domain import ClosingPlanned, Closure, Objective, PlanAsked, Way
from spacecom.hazard.v1 import hazard_events_pb2 as pb

_OBJECTIVES = {Objective.AREA: pb.CLOSING_OBJECTIVE_AREA, Objective.COST: pb.CLOSING_OBJECTIVE_COST}
_OBJECTIVES_BACK = {int(number): objective for objective, number in _OBJECTIVES.items()}


def to_wire(event: ClosingPlanned) -> pb.ClosingPlanned:
    asked, plan = event.asked, event.plan
    return pb.ClosingPlanned(
        plan_id=str(asked.plan_id),
        catalogue_number=asked.catalogue_number,
        run_id=str(asked.run_id),
        principal_id=asked.principal_id,
        objective=_OBJECTIVES[asked.objective],
        residual_share=asked.residual,
        assumptions_sha256=asked.assumptions_sha256,
        traffic_dataset=asked.traffic_dataset,
        traffic_sha256=asked.traffic_sha256,
        traffic_source=plan.traffic_source,
        closures=map(_closure, plan.closures),
        ways=map(_way, plan.ways),
        bound=plan.bound,
        gap=plan.gap,
        risk=plan.risk,
        risk_outside=plan.outside,
        reason=plan.reason,
        harm=asked.harm,
        unseen_residual_share=plan.unseen_residual,
    )


def asked(message: pb.ClosingPlanned) -> PlanAsked:
    return PlanAsked(
        UUID(message.plan_id),
        message.catalogue_number,
        UUID(message.run_id),
        message.principal_id,
        _OBJECTIVES_BACK[message.objective],
        message.residual_share,
        message.assumptions_sha256,
        message.harm,
        message.traffic_dataset,
        message.traffic_sha256,
    )


def _closure(one: Closure) -> pb.Closure:
    told = pb.Closure(
        fir_designator=one.fir_designator,
        floor_fl=one.floor_fl,
        right_km=one.right_km,
        left_km=one.left_km,
        from_latitude_deg=one.from_lat_deg,
        from_longitude_deg=one.from_lon_deg,
        until_latitude_deg=one.until_lat_deg,
        until_longitude_deg=one.until_lon_deg,
        area_nm2=one.nm2,
        flights=one.flights,
        risk=one.risk,
    )
    told.from_time.FromDatetime(one.from_time)
    told.until_time.FromDatetime(one.until_time)
    return told


def _way(one: Way) -> pb.ClosingWay:
    return pb.ClosingWay(
        name=one.name,
        nm2_minutes=one.nm2_minutes,
        flights=one.flights,
        delay_min=one.delay_min,
        cost_eur=one.cost_eur,
        residual_share=one.residual,
        spills=[pb.Spill(fir_designator=name, flights=flights) for name, flights in one.spilled],
    )
