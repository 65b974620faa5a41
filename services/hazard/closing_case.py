"""`make closing`: closing plans of the named case beside fixed corridors, as the table of docs/how-to/close.md."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from libs.blobs import Blobs
from services.hazard import bench, exposure, planning, scenario
from services.hazard.assumptions import DEFAULT, to_json
from services.hazard.plan_domain import RESIDUAL, Objective, Plan, Way

SAMPLES = 1000


def flown(samples: int, folder: Path) -> bench.Whole:
    return bench.run(bench.inputs_of(), bench.thinned(scenario.choose(bench.STAGE)), samples, folder)


def plans(whole: bench.Whole, folder: Path, residual: float = RESIDUAL) -> dict[Objective, Plan]:
    """By what each makes least, on the average day."""
    blobs, geojson = Blobs(folder.as_uri()), bench.inputs_of().geojson
    job = exposure.Job(blobs, whole.settled.visits_sha256, geojson, to_json(DEFAULT), b"", "")
    points = asyncio.run(blobs.get(whole.settled.points_sha256))
    return {objective: planning.plan(job, points, residual, objective) for objective in Objective}


def lines(found: dict[Objective, Plan]) -> Iterator[str]:
    yield "| way | million NM2 min | flights | delay min | million EUR | risk left |"
    yield "|---|---|---|---|---|---|"
    for objective, plan in found.items():
        yield _row(f"plan, least {objective.value}", plan.ways[0])
    for way in found[Objective.AREA].ways[1:]:
        yield _row(way.name, way)
    yield ""
    for objective, plan in found.items():
        yield _beside(objective.value, plan)


def _row(name: str, way: Way) -> str:
    figures: Sequence[str] = (
        f"{way.nm2_minutes / 1e6:,.1f}", f"{way.flights:,.0f}", f"{way.delay_min:,.0f}", f"{way.cost_eur / 1e6:,.1f}",
        f"{way.residual:.1%}",
    )  # fmt: skip
    return f"| {name} | {' | '.join(figures)} |"


def _beside(name: str, plan: Plan) -> str:
    ways = {way.name: way for way in plan.ways}
    ours, a, b = ways["plan"], ways["A 100 km"], ways["B 100 km"]
    area = [ours.nm2_minutes / other.nm2_minutes for other in (a, b)]
    cost = [ours.cost_eur / other.cost_eur for other in (a, b)]
    return (
        f"least {name}: {area[0]:.2f} of A's and {area[1]:.2f} of B's area-time, {cost[0]:.2f} and {cost[1]:.3f} of "
        f"their cost; within {plan.gap:.1%} of what no plan undercuts; made with half the samples, it leaves "
        f"{plan.unseen_residual:.1%} of the risk of the other half"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sys.stdout.writelines(f"{line}\n" for line in lines(plans(flown(SAMPLES, folder), folder)))


if __name__ == "__main__":
    main()
