"""`spacecom`: a client of the mesh.

Exit status: 0 done · 1 refused, with the reason · 2 wrong usage · 3 a service does not answer · 4 the mesh is not well,
or a demonstration did not show what it should.
"""

import sys

import typer

from services.cli import airspace, auditing, catalogue, data, demo, hazards, rejected, replaying, running, show, sources
from services.cli.client import Failed

app = typer.Typer(
    help="When and where spacecraft come down, and which airspace that threatens.\n\n"
    + (__doc__ or "").partition("\n\n")[2],
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(running.up)
app.command()(running.down)
app.command()(running.status)
app.command()(running.doctor)
app.command()(demo.demo)
app.command()(replaying.replay)
app.command()(data.ingest)
app.command()(rejected.rejected)
app.command()(airspace.airspace)
app.command()(data.objects)
for name, command in hazards.COMMANDS.items():
    app.command(name)(command)
app.add_typer(catalogue.catalogue, name="catalogue")
app.add_typer(sources.sources, name="sources")
app.add_typer(auditing.events, name="events")
app.command()(auditing.parked)
app.command()(auditing.redrive)
app.command("rebuild-read-models")(auditing.rebuild_read_models)
app.command("rebuild-topics")(auditing.rebuild_topics)
app.command()(auditing.retention)


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
