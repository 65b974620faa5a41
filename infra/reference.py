"""Generated pages of docs/reference: `python -m infra.reference` writes them, `--check` says which are not current."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from infra import reference_sources, wire_comments
from infra.declare import TopicSettings
from infra.migrate import MigrationSettings
from infra.wire_comments import Message
from libs import topics
from libs.service import ServiceSettings
from services.alerting.settings import AlertingSettings
from services.cli import __main__ as command
from services.hazard.settings import HazardSettings
from services.ingest.settings import IngestSettings
from services.propagation.settings import PropagationSettings

FOLDER = Path(__file__).parents[1] / "docs/reference"
HEAD = "<!-- made by `make docs`; edit {source} instead -->\n\n"
SERVICES: Mapping[str, type[ServiceSettings]] = {
    "ingest": IngestSettings,
    "propagation": PropagationSettings,
    "hazard": HazardSettings,
    "alerting": AlertingSettings,
}
JOBS: Mapping[str, type[BaseSettings]] = {"infra.migrate": MigrationSettings, "infra.declare": TopicSettings}
DAY_MS = 86_400_000
EXIT_STATUS = {
    0: "done",
    1: "refused, with the reason",
    2: "wrong usage",
    3: "a service does not answer, or no mesh is up",
    4: "the mesh is not well, or a demonstration did not show what it should",
    130: "interrupted",
}
SETTINGS = """# Settings

Every setting is an environment variable, read once when a process starts. One without a default must be set; the local
mesh (`make up`) sets them all, `compose/compose.yaml` is an example for a deployment.

## Of every service

"""
LOCAL = """
## Of the local mesh and the command

| variable | meaning |
|---|---|
| `SPACECOM_HOME` | Folder of the mesh's state; one of its own for each checkout when left out. |
| `SPACECOM_POSTGRES_URL` | An existing Postgres server. |
| `SPACECOM_POSTGRES_ADMIN_URL` | Address of its owner with password, set together with the one above. |
| `SPACECOM_KAFKA_BOOTSTRAP` | An existing Kafka; then neither Java nor Maven is needed. |
| `SPACECOM_BLOBS_URL` | An existing store of large results. |
| `SPACECOM_TOKEN` | Bearer token the command calls with; the local operator's when left out. |
| `SPACECOM_<SERVICE>_ADDRESS` | Where the command finds a service, such as `SPACECOM_HAZARD_ADDRESS`. |
"""
EVENTS = """# Events

A fact is published once it is in the log of the service that owns it, as a CloudEvents 1.0 message in binary mode: the
value is the protobuf message, `ce_type` its full name, `ce_subject` its stream, `ce_sequence` the version of the
stream. The key is the stream, so that the facts of one stream are in order. Delivery is at least once: **drop a message
whose `ce_sequence` is not greater than the last you saw of its stream.**

## Topics

A message's `ce_redistribution` says how far it may travel: `public`, or what the reader needs a right to, several with
commas. Partners may be given a topic that is public as a whole; the others are read by the mesh's own consumers only.

| topic | written by | read by | partitions | kept | redistribution |
|---|---|---|---|---|---|
"""
COMMAND = """# The `spacecom` command

`.venv/bin/spacecom`, a client of the mesh. Every command takes `--json` and prints one JSON document then,
`events tail` one on each line. Refusals go to standard error.

| exit status | meaning |
|---|---|
"""


def settings_page() -> str:
    lines = [
        HEAD.format(source="the settings of the code"),
        SETTINGS,
        *_settings_table(ServiceSettings.model_fields),
    ]
    for service, kind in SERVICES.items():
        own = {name: field for name, field in kind.model_fields.items() if name not in ServiceSettings.model_fields}
        lines += [f"\n## Of {service}\n\n", *_settings_table(own)]
    for job, jobs_kind in JOBS.items():
        lines += [f"\n## Of the job `python -m {job}`\n\n", *_settings_table(jobs_kind.model_fields)]
    return "".join([*lines, LOCAL])


def _settings_table(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    yield "| variable | default | range | meaning |\n|---|---|---|---|\n"
    for name, field in fields.items():
        default = "must be set" if field.is_required() else f"`{_shown(field.default)}`"
        meaning = _cell(field.description or "")
        yield f"| `SPACECOM_{name.upper()}` | {default} | {_cell(_range(field))} | {meaning} |\n"


def _shown(default: object) -> str:
    return '""' if default == "" else str(default)


def _range(field: FieldInfo) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    found = [
        f"{sign} {getattr(rule, name)}"
        for rule in field.metadata
        for name, sign in signs.items()
        if hasattr(rule, name)
    ]
    found += [f"`{rule.pattern}`" for rule in field.metadata if getattr(rule, "pattern", None)]
    return ", ".join(found)


def events_page() -> str:
    messages = wire_comments.event_messages()
    lines = [
        HEAD.format(source="the comments in proto/ and libs/topics.py"),
        EVENTS,
        *(
            f"| `{one.name}` | {one.writer} | {', '.join(one.consumers) or 'none of the mesh'} | {one.partitions} | "
            f"{one.retention_ms // DAY_MS} days | {one.redistribution} |\n"
            for one in topics.TOPICS
        ),
    ]
    for message in messages:
        lines += _message(message)
    return "".join(lines)


def _message(message: Message) -> Iterator[str]:
    short = message.full_name.removeprefix("spacecom.")
    yield f"\n## {short}\n\n{message.comment}\n\n"
    if message.is_event:
        yield f"Topic `{topics.topic_of(message.full_name).name}`.\n\n"
    yield f"| {'value | number' if message.is_enum else 'field | type'} | meaning |\n|---|---|---|\n"
    for field in message.fields:
        yield f"| `{field.name}` | {field.kind} | {_cell(field.comment)} |\n"


def command_page() -> str:
    found: Any = typer.main.get_command(command.app)
    lines = [
        HEAD.format(source="the functions of services/cli"),
        COMMAND,
        *(f"| {status} | {meaning} |\n" for status, meaning in EXIT_STATUS.items()),
    ]
    for name, one in _commands(found, "spacecom"):
        lines += _command(name, one)
    return "".join(lines)


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from _commands(one, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", one


def _command(name: str, one: Any) -> Iterator[str]:
    arguments = [_placeholder(param) for param in one.params if param.param_type_name == "argument"]
    yield f"\n## {' '.join([name, *arguments])}\n\n{' '.join((one.help or '').split())}\n"
    described = [param for param in one.params if param.name not in ("help", "json")]
    if described:
        yield "\n| | meaning |\n|---|---|\n"
    for param in described:
        label = _placeholder(param) if param.param_type_name == "argument" else ", ".join(param.opts)
        yield f"| `{label}` | {_cell(param.help or '')} |\n"


def _placeholder(param: Any) -> str:
    return f"{param.name.upper()}{'…' if param.nargs == -1 else ''}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def sources_page() -> str:
    return HEAD.format(source="the tables of services/ingest") + reference_sources.page()


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "events.md": events_page,
    "command.md": command_page,
    "sources.md": sources_page,
}


def outdated() -> Iterable[str]:
    for name, make in PAGES.items():
        path = FOLDER / name
        if not path.exists() or path.read_text() != make():
            yield name


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        old = list(outdated())
        print(f"not current: {', '.join(old)}; run: make docs" if old else "docs/reference is current")
        return 1 if old else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())
    return 0


if __name__ == "__main__":
    sys.exit(main())
