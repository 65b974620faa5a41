import sys
from functools import partial

from libs import consume, service, topics
from services.ingest import projections, reentries, rpc, source_states, sources
from services.ingest.handlers import Gate
from services.ingest.reading import Reader
from services.ingest.settings import IngestSettings


def wire(mesh: service.Mesh, settings: IngestSettings) -> service.Wiring:
    gate = Gate(mesh.pool, mesh.log, mesh.blobs, Reader(), settings)
    watch = source_states.Watch(mesh.pool, mesh.log, settings)
    predictions = consume.subscribe(
        mesh.broker,
        mesh.log,
        consumer="ingest-reentries",
        topic=topics.topic_name("spacecom.propagation.v1", settings.namespace),
        handlers=reentries.of_propagation(),
    )
    return service.Wiring(
        add_rpc=[rpc.register(gate)],
        subscriptions=[predictions],
        errors=rpc.ERRORS,
        on_start=[watch.keep_watching, partial(sources.keep_polling, gate)],
        degraded=[watch.reasons],
    )


async def main() -> None:
    settings = IngestSettings()
    await service.serve(
        "ingest",
        settings,
        project_all=projections.project_all,
        rebuild_tables=projections.TABLES,
        upstream={},
        wire=lambda mesh: wire(mesh, settings),
    )


if __name__ == "__main__":
    sys.exit(service.run(main))
