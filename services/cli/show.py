"""What commands print: one JSON document, or text and tables for people. Text from outside is made harmless first."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

out = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True, highlight=False)


def document(content: Message | dict[str, Any] | list[Any]) -> None:
    """One JSON document on standard output."""
    if isinstance(content, Message):
        content = fields(content)
    print(json.dumps(content, indent=2))  # noqa: T201  the command's result


def json_line(content: dict[str, Any]) -> None:
    """One of a stream of JSON documents, each on its line."""
    print(json.dumps(content), flush=True)  # noqa: T201  the command's result


def json_lines(file: Path, contents: Iterable[dict[str, Any]]) -> int:
    """Writes one JSON document on each line of a file; returns how many."""
    count = 0
    with file.open("w") as lines:
        for content in contents:
            lines.write(json.dumps(content) + "\n")
            count += 1
    return count


def fields(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return found


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    made = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    out.print(made)


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, nothing elsewhere; what is yielded takes one step, named for people."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=total)

        def advance(name: str) -> None:
            completed = bar.tasks[task].completed + 1
            longest = max(completed, bar.tasks[task].total or 0)  # an archive has more files than one
            bar.update(task, completed=completed, total=longest, description=escape(harmless(name)[-40:]))

        yield advance


def line(text: str, style: str = "") -> None:
    out.print(escape(text), style=style or None, soft_wrap=True)


def complaint(text: str) -> None:
    err.print(escape(text), style="red", soft_wrap=True)


def harmless(raw: bytes | str) -> str:
    """Printable whatever a source wrote: control characters cannot reach the terminal."""
    text = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def instant(stamp: Timestamp, form: str = "%Y-%m-%d %H:%M") -> str:
    """UTC."""
    return stamp.ToDatetime(UTC).strftime(form)


def epoch(jd: float, fraction: float) -> datetime:
    """UTC."""
    return datetime.fromtimestamp((jd - 2440587.5) * 86400.0 + fraction * 86400.0, UTC)


def percent(share: float) -> str:
    return f"{100.0 * share:.1f} %"
