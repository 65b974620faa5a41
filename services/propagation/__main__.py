import sys

from libs import consume, service, topics
from libs.astro.version import model_version
from libs.workers import Workers
from services.propagation import compute, handlers, projections, rpc
from services.propagation.predictor import Predictor
from services.propagation.rpc_tracks import Desk
from services.propagation.settings import PropagationSettings
from services.propagation.states import load_orientation


async def main() -> None:
    settings = PropagationSettings()

    def wire(mesh: service.Mesh) -> service.Wiring:
        workers = Workers(settings.propagation_workers)
        predictor = Predictor(mesh.pool, mesh.log, mesh.blobs, workers, settings)
        watch = handlers.Watch(mesh.pool, mesh.log, predictor, settings)
        ingest = consume.subscribe(
            mesh.broker,
            mesh.log,
            consumer="propagation",
            topic=topics.topic_name("spacecom.ingest.v1", settings.namespace),
            handlers=handlers.handlers(watch),
        )
        desk = Desk(mesh.pool, mesh.log, mesh.blobs, Workers(), predictor, settings, load_orientation())
        return service.Wiring(
            add_rpc=[rpc.register(desk)],
            subscriptions=[ingest],
            errors=rpc.ERRORS,
            on_start=[predictor.run],
            warm_up=lambda: workers.run(compute.warm_up),
            degraded=[predictor.degraded],
            open_work=[predictor.due_count],
            model_version=model_version,
        )

    await service.serve(
        "propagation",
        settings,
        project=projections.project,
        rebuild_tables=projections.TABLES,
        upstream={"ingest": projections.UPSTREAM_TABLES},
        wire=wire,
    )


if __name__ == "__main__":
    sys.exit(service.run(main))
