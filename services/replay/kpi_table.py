"""The key figures of a backcast as lines for a screen and as tables in Markdown for the docs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.replay.corpus import CUT_OFFS_H

Document = dict[str, Any]

_SAID = {
    "point": "truth to minutes",
    "aftercast": "truth a day: own aftercast",
    "interval": "truth an interval",
    "day": "truth a day",
}
_HEAD = ("", "rows", "objects", "mean %", "median %", "p90 %", "in 20 %", "mean min", "CRPS %", "90 % held", "width %")


def screen(pack: Document) -> str:
    """Everything a person wants at once, in lines of text."""
    lines = []
    for name, title in (("as_known", "as known then"), ("lagged", "lagged: without the newest set")):
        if name in pack:
            lines += [title, *aligned((_HEAD, *groups(pack[name]))), ""]
            lines += [*aligned((_LEVEL_HEAD, *levels(pack[name]["headline"]))), ""]
    if pack["as_known"]["rows"]:
        lines += ["prediction", *aligned((_EACH_HEAD, *each(pack["as_known"]["rows"]))), ""]
    lines += ["must", *aligned(must_rows(pack["musts"])), ""]
    lines += [f"declined: {text}" for text in declines(pack["as_known"])]
    return "\n".join(lines)


def markdown(pack: Document) -> str:
    """The tables of the page in the docs."""
    parts = [_grid(("what", "must", "found", "holds"), must_rows(pack["musts"]))]
    for name, title in (("as_known", "As known then"), ("lagged", "Lagged: the newest set dropped")):
        if name not in pack:
            continue
        one = pack[name]
        parts += [f"### {title}", _grid(_HEAD, groups(one)), _grid(_LEVEL_HEAD, levels(one["headline"]))]
        parts += [f"### {title}: minutes of error, and % of the remaining life", _grid(*matrix(one["rows"]))]
    parts += [
        "### Truths of which sources give several",
        _grid(("case", "cut-off", "90 % window meets"), _several(pack)),
    ]
    parts += ["### Declined", "\n".join(f"- {text}" for text in declines(pack["as_known"])) or "None."]
    parts += [
        "### Windows of others for the same re-entries",
        _grid(("case", "by", "window UTC", "held"), _others(pack)),
    ]
    return "\n\n".join(parts) + "\n"


def matrix(rows: Sequence[Document]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A line for each case, a column for each cut-off; late is positive; (-) where too little life is left."""
    cut_offs = [name for name in CUT_OFFS_H if any(row["cut_off"] == name for row in rows)]
    said = {(row["case"], row["cut_off"]): _error(row) for row in rows}
    cases = list(dict.fromkeys(row["case"] for row in rows))
    return ("case", *cut_offs), [(case, *(said.get((case, name), "") for name in cut_offs)) for case in cases]


_EACH_HEAD = ("case", "cut-off", "newest set UTC", "nominal UTC", "90 % window UTC", "truth", "min (%) off")


def each(rows: Sequence[Document]) -> list[tuple[str, ...]]:
    """Every prediction; late is positive, (-) where too little life is left."""
    return [
        (
            row["case"],
            row["cut_off"],
            _instant(row, 0.0),
            _instant(row, row["nominal_h"]),
            " to ".join(_instant(row, end) for end in row["windows_h"]["90"]),
            "held" if row["held"]["90"] else "missed",
            _error(row),
        )
        for row in rows
    ]


def _instant(row: Document, hours: float) -> str:
    return f"{datetime.fromisoformat(row['newest_set_at']) + timedelta(hours=hours):%m-%d %H:%M}"


def _error(row: Document) -> str:
    share = f"{row['error_percent']:+.1f}" if row["scored"] else "-"
    return f"{row['error_min']:+.0f} ({share})"


def _several(pack: Document) -> list[tuple[str, ...]]:
    return [
        (one["case"], one["cut_off"], ", ".join(_said(met) for met in one["met"]))
        for one in pack["as_known"]["several_truths"]
    ]


def groups(one: Document) -> list[tuple[str, ...]]:
    found = [("all", one["headline"])]
    found += [(_SAID[kind], figures) for kind, figures in one["by_truth"].items()]
    found += [(f"cut-off {name}", figures) for name, figures in one["by_cut_off"].items()]
    found += [(name.replace("_", " "), figures) for name, figures in one["by_object_class"].items()]
    return [_line(name, figures) for name, figures in found if figures]


def _line(name: str, one: Document) -> tuple[str, ...]:
    ninety = one["levels"]["90"]
    figures = (
        *(one["error_mean_percent"], one["error_median_percent"], one["error_p90_percent"], one["within_20_percent"]),
        *(one["error_mean_min"], one["crps_percent"], ninety["held_percent"], ninety["width_mean_percent"]),
    )
    return name, str(one["rows"]), str(one["objects"]), *(f"{figure:.1f}" for figure in figures)


_LEVEL_HEAD = ("window", "held %", "90 % interval", "mean width %", "median width %")


def levels(one: Document) -> list[tuple[str, ...]]:
    if not one:
        return []
    rule = one["rule_20"]
    return [
        *(_level(f"{name} %", level) for name, level in one["levels"].items()),
        _level("usual: 20 % either side", rule),
    ]


def _level(name: str, level: Document) -> tuple[str, ...]:
    low, high = level["held_interval_percent"]
    median = f"{level['width_median_percent']:.1f}" if "width_median_percent" in level else ""
    return (
        name,
        f"{level['held_percent']:.1f}",
        f"{low:.0f} to {high:.0f}",
        f"{level['width_mean_percent']:.1f}",
        median,
    )


def must_rows(musts: Sequence[Document]) -> list[tuple[str, ...]]:
    return [
        (one["must"], f"{one['sign']} {one['limit']:g}", _found(one["found"]), _said(one["holds"])) for one in musts
    ]


def _found(found: float | Sequence[float] | None) -> str:
    if found is None:
        return "no row"
    return f"{found:.1f}" if isinstance(found, int | float) else f"{found[0]:.0f} to {found[1]:.0f}"


def _said(holds: bool | None) -> str:  # noqa: FBT001  a value of three, not a switch
    return {True: "yes", False: "NO", None: "-"}[holds]


def declines(one: Document) -> Iterator[str]:
    for row in one["to_be_declined"]:
        said = row["reason"] if row["declined"] else "A NATURAL DECAY WAS CLAIMED"
        yield f"{row['case']} at {row['at']} (must be): {said}"
    for row in one["declined"]:
        yield f"{row['case']} at {row['cut_off']}: {row['reason']}"


def _others(pack: Document) -> list[tuple[str, ...]]:
    return [
        (one["case"], one["by"], f"{one['first_at'][:16]} to {one['last_at'][:16]}", _said(one["held"]))
        for one in pack["published"]["windows"]
    ]


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    kept = list(rows)
    widths = [max(len(row[k]) for row in kept) for k in range(len(kept[0]))] if kept else []
    return ["  ".join(_cell(k, cell, widths[k]) for k, cell in enumerate(row)).rstrip() for row in kept]


def _cell(column: int, text: str, width: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])
