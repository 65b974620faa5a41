"""`python -m services.hazard` answers and settles runs; `python -m services.hazard worker` flies their chunks."""

import sys
from functools import partial

from libs import consume, service, topics
from libs.astro.version import model_version
from libs.workers import Workers
from services.hazard import handlers, projections, rpc
from services.hazard.handlers import Settler, Starter
from services.hazard.running import Desk, warm_up
from services.hazard.settings import HazardSettings
from services.hazard.working import Worker


def desk_of(mesh: service.Mesh, settings: HazardSettings, processes: int, memory_gib: float) -> Desk:
    memory_bytes, timeout_s = int(memory_gib * 2**30), settings.hazard_chunk_timeout_s
    workers = Workers(processes, memory_bytes=memory_bytes, timeout_s=timeout_s)
    return Desk(mesh.pool, mesh.log, mesh.blobs, workers, settings)


def subscription(
    mesh: service.Mesh, settings: HazardSettings, consumer: str, topic: str, table: handlers.Handlers, batch: int
) -> consume.Subscription:
    name = topics.topic_name(topic, settings.namespace)
    return consume.subscribe(mesh.broker, mesh.log, consumer=consumer, topic=name, handlers=table, batch=batch)


def service_wiring(mesh: service.Mesh, settings: HazardSettings) -> service.Wiring:
    desk = desk_of(mesh, settings, 2, settings.hazard_settling_memory_gib)
    starter, settler, subscribe = Starter(desk), Settler(desk), partial(subscription, mesh, settings)
    read = [
        subscribe("hazard", "spacecom.propagation.v1", handlers.of_propagation(starter), 1),
        subscribe("hazard-airspace", "spacecom.ingest.v1", handlers.of_ingest(starter), 100),
        subscribe("hazard-runs", "spacecom.hazard.v1", handlers.of_hazard(settler), 1),
    ]
    warm = partial(warm_up, desk, 2)
    return service.Wiring([rpc.register(desk)], read, rpc.ERRORS, warm_up=warm, model_version=model_version)


def worker_wiring(mesh: service.Mesh, settings: HazardSettings) -> service.Wiring:
    desk = desk_of(mesh, settings, 1, settings.hazard_worker_memory_gib)
    work = subscription(mesh, settings, "hazard-worker", "spacecom.hazard.work.v1", handlers.of_work(Worker(desk)), 1)
    return service.Wiring(subscriptions=[work], warm_up=partial(warm_up, desk, 1), model_version=model_version)


async def main() -> None:
    settings, working = HazardSettings(), sys.argv[1:] == ["worker"]
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
