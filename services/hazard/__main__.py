"""`python -m services.hazard` answers and settles runs; `python -m services.hazard worker` flies their chunks."""

import sys

from libs import consume, service, topics
from libs.astro.version import model_version
from services.hazard import handlers, projections, rpc
from services.hazard.handlers import Desk, Settler, Starter, Worker
from services.hazard.pool import Pool
from services.hazard.settings import HazardSettings


def desk_of(mesh: service.Mesh, settings: HazardSettings) -> Desk:
    pool = Pool(settings.hazard_worker_memory_gib, settings.hazard_chunk_timeout_s)
    return Desk(mesh.pool, mesh.log, mesh.blobs, pool, settings)


def service_wiring(mesh: service.Mesh, settings: HazardSettings) -> service.Wiring:
    desk = desk_of(mesh, settings)
    starter = Starter(desk)
    sources = (
        ("hazard", "spacecom.propagation.v1", handlers.of_propagation(starter)),
        ("hazard-airspace", "spacecom.ingest.v1", handlers.of_ingest(starter)),
        ("hazard-runs", "spacecom.hazard.v1", handlers.of_hazard(Settler(desk))),
    )
    subscriptions = [
        consume.subscribe(
            mesh.broker,
            mesh.log,
            consumer=consumer,
            topic=topics.topic_name(topic, settings.namespace),
            handlers=table,
            batch=1 if consumer == "hazard-runs" else 100,
        )
        for consumer, topic, table in sources
    ]
    return service.Wiring([rpc.register(desk)], subscriptions, rpc.ERRORS, model_version=model_version)


def worker_wiring(mesh: service.Mesh, settings: HazardSettings) -> service.Wiring:
    work = consume.subscribe(
        mesh.broker,
        mesh.log,
        consumer="hazard-worker",
        topic=topics.topic_name("spacecom.hazard.work.v1", settings.namespace),
        handlers=handlers.of_work(Worker(desk_of(mesh, settings))),
        batch=1,
    )
    return service.Wiring(subscriptions=[work], model_version=model_version)


async def main() -> None:
    settings = HazardSettings()
    working = sys.argv[1:] == ["worker"]
    await service.serve(
        "hazard",
        settings,
        project=projections.project,
        rebuild_tables=() if working else projections.TABLES,
        upstream={} if working else projections.UPSTREAM_TABLES,
        wire=lambda mesh: (worker_wiring if working else service_wiring)(mesh, settings),
    )


if __name__ == "__main__":
    sys.exit(service.run(main))
