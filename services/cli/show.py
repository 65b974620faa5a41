"""What commands print: one JSON document, or text and tables for people. Text from outside is made harmless first."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.markup import escape
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
