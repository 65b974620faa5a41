"""exposure, closing-plan: who may be struck, and what to close for it at the least cost."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from services.cli import client, figures, pieces, show
from services.cli.pieces import LONG_S, Number, Run
from services.cli.running import Json
from spacecom.hazard.v1 import hazard_events_pb2 as events
from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub

Assumed = Annotated[
    Path | None, typer.Option("--assumptions", exists=True, dir_okay=False, help="JSON of your own assumptions.")
]
Dataset = Annotated[
    str, typer.Option("--traffic", help="Dataset of density; otherwise the newest. assumed: the average day.")
]


class Objective(StrEnum):
    AREA = "area"
    COST = "cost"


def exposure(
    number: Number,
    run: Run = "",
    own: Assumed = None,
    traffic: Dataset = "",
    arrow: Annotated[Path | None, typer.Option(dir_okay=False, help="Write region, band and interval here.")] = None,
    assumptions_to: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the assumptions here.")] = None,
    json: Json = False,
) -> None:
    """Aircraft and people exposed to falling pieces, by region, with nothing closed."""
    asked = hazard.GetExposureRequest(
        catalogue_number=number, run_id=run, assumptions=own.read_bytes() if own else b"", traffic_dataset=traffic
    )
    answer = client.connect().ask("hazard", HazardServiceStub, "GetExposure", asked, LONG_S)
    for path, data in ((arrow, answer.cells), (assumptions_to, answer.assumptions)):
        if path:
            path.write_bytes(data)
    if json:
        show.document(answer)
        return
    rows = [("everywhere", answer.total), *((one.fir_designator, one) for one in answer.firs)]
    show.table(
        ("region", "P(impact)", "P(casualty)", "P(catastrophe)", "aircraft exposed", "casualties on the ground"),
        (
            (
                name,
                *(f"{value:.2e}" for value in (one.impact_probability, one.casualty_probability)),
                f"{one.catastrophe_probability:.2e}",
                f"{one.aircraft_exposed:.3g}",
                f"{one.ground_casualties:.2e}",
            )
            for name, one in rows
        ),
    )
    show.line(f"P: probability that any aircraft suffers it, {answer.condition}")
    show.line(f"traffic: {show.harmless(answer.traffic_source)}")
    for one in answer.thresholds:
        show.line(f"  {one.value:.0e} {one.name}: {one.unit}, {one.condition} ({one.source})")


def closing_plan(
    number: Number,
    run: Run = "",
    residual: Annotated[float, typer.Option(help="Share of the risk that may stay.")] = 0.05,
    objective: Annotated[Objective, typer.Option(help="What to make least.")] = Objective.AREA,
    own: Assumed = None,
    traffic: Dataset = "",
    json: Json = False,
) -> None:
    """Plan what to close at the least cost, beside fixed corridors and whole regions; closes nothing."""
    asked = hazard.PlanClosingRequest(
        catalogue_number=number,
        run_id=run,
        assumptions=own.read_bytes() if own else b"",
        traffic_dataset=traffic,
        residual_share=residual,
        objective=events.ClosingObjective.Value(f"CLOSING_OBJECTIVE_{objective.name}"),
        idempotency_key=str(uuid4()),
    )
    plan = client.connect().ask("hazard", HazardServiceStub, "PlanClosing", asked, LONG_S).plan
    if json:
        show.document(plan)
        return
    show.table(
        ("region", "from UTC", "until UTC", "from level", "km right", "km left", "NM2", "flights", "share of the risk"),
        (_closure(one, plan.risk) for one in plan.closures),
    )
    show.table(
        ("way", "NM2 min", "flights", "delay min", "EUR", "risk left", "most go around through"),
        (_way(one) for one in plan.ways),
    )
    show.line(
        f"risk: {plan.risk:.2e} expected aircraft with {plan.harm} inside regions, {plan.risk_outside:.2e} outside, "
        "per event, given re-entry as predicted, break-up as the scenario has it and nothing closed"
    )
    show.line(
        f"no plan costs less than {1.0 / (1.0 + plan.gap):.2%} of this one; made with half the samples, it leaves "
        f"{plan.unseen_residual_share:.1%} of the risk of the other half"
    )
    show.line(plan.reason)
    show.line(f"traffic: {show.harmless(plan.traffic_source)}")


def _closure(one: events.Closure, risk: float) -> tuple[str, ...]:
    return (
        one.fir_designator,
        show.instant(one.from_time),
        show.instant(one.until_time, "%H:%M"),
        f"FL{one.floor_fl:03.0f}" if one.floor_fl else "ground",
        f"{-one.right_km:.0f}",
        f"{one.left_km:.0f}",
        f"{one.area_nm2:,.0f}",
        f"{one.flights:.1f}",
        show.percent(one.risk / risk if risk else 0.0),
    )


def _way(one: events.ClosingWay) -> tuple[str, ...]:
    around = " ".join(f"{spill.fir_designator} {spill.flights:.0f}" for spill in one.spills[:3])
    figures = (one.nm2_minutes, one.flights, one.delay_min, one.cost_eur)
    return (one.name, *(f"{value:,.0f}" for value in figures), f"{one.residual_share:.1%}", around)


COMMANDS = (*pieces.COMMANDS, exposure, closing_plan, figures.figures)
