import sys
from functools import partial

from libs import service
from services.ingest import projections, rpc, source_states, sources
from services.ingest.handlers import Gate
from services.ingest.reading import Reader
from services.ingest.settings import IngestSettings


def wire(mesh: service.Mesh, settings: IngestSettings) -> service.Wiring:
    gate = Gate(mesh.pool, mesh.log, mesh.blobs, Reader(), settings)
    watch = source_states.Watch(mesh.pool, mesh.log, settings)
    return service.Wiring(
        add_rpc=[rpc.register(gate)],
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
