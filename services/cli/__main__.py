"""`spacecom`: a client of the mesh.

Exit status: 0 done · 1 refused, with the reason · 2 wrong usage · 3 a service does not answer · 4 the mesh is not well,
or a demonstration did not show what it should.
"""

import sys

import typer

from services.cli import (
    airspace,
    auditing,
    catalogue,
    data,
    demo,
    explaining,
    exposures,
    hazards,
    predictions,
    rejected,
    replaying,
    running,
    show,
    sources,
)
from services.cli.client import Failed

app = typer.Typer(
    help="When and where spacecraft come down, and which airspace that threatens.\n\n"
    + (__doc__ or "").partition("\n\n")[2],
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    *(running.up, running.down, running.status, running.doctor, demo.demo, replaying.replay, replaying.backcast),
    *(data.ingest, rejected.rejected, airspace.airspace, data.objects, *exposures.COMMANDS),
    *(hazards.predict, explaining.explain, predictions.predictions, predictions.track, predictions.ephemeris),
    *(predictions.czml, predictions.others, hazards.hazard_of, hazards.alerts, hazards.ack, hazards.clear),
    *(auditing.parked, auditing.redrive, auditing.rebuild_read_models, auditing.rebuild_topics, auditing.retention),
):
    app.command(command.__name__.removesuffix("_of").replace("_", "-"))(command)
for name, group in (("catalogue", catalogue.catalogue), ("sources", sources.sources), ("events", auditing.events)):
    app.add_typer(group, name=name)


def main() -> int:
    try:
        app(standalone_mode=True)
    except Failed as failed:
        show.complaint(str(failed))
        return failed.status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
