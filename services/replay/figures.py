"""The figures of a backcast, from its document alone: PNG to read, SVG to print. One document, one set of bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from services.replay.scoring import RULE

Document = dict[str, Any]

mpl.rcParams.update({"svg.hashsalt": "spacecom", "svg.fonttype": "none", "font.size": 9, "axes.grid": True})
mpl.rcParams.update({"grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False})
# Okabe and Ito's colours, told apart by everybody; a mark each, for print without colour.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")


def write(pack: Document, folder: Path) -> list[Path]:
    """Returns the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    return [path for name, draw in DRAWN.items() for path in _saved(draw(pack), folder / name)]


def _saved(figure: Figure, stem: Path) -> list[Path]:
    paths = [stem.with_suffix(".png"), stem.with_suffix(".svg")]
    figure.savefig(paths[0], dpi=110, metadata={"Software": None})
    figure.savefig(paths[1], metadata={"Date": None})
    return paths


def _axes(width: float = 7.0, height: float = 4.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def scored(pack: Document) -> list[Document]:
    return [row for row in pack["as_known"]["rows"] if row["scored"] and row["truth"] != "day"]


def errors(pack: Document) -> Figure:
    figure, axes = _axes()
    rows = scored(pack)
    for k, name in enumerate(sorted({row["object_class"] for row in rows})):
        some = [row for row in rows if row["object_class"] == name]
        axes.semilogx(
            [row["life_h"] for row in some], [row["error_percent"] for row in some], _MARKS[k % 7],
            color=_COLOURS[k % 7], label=name.replace("_", " "), markersize=5, alpha=0.8,
        )  # fmt: skip
    axes.axhspan(-100.0 * RULE, 100.0 * RULE, color="0.9", zorder=0, label="20 % either side")
    axes.set(xlabel="remaining life, hours", ylabel="nominal less truth, % of the remaining life")
    axes.legend(ncols=2, fontsize=8)
    return figure


def coverage(pack: Document) -> Figure:
    figure, axes = _axes(5.0, 4.5)
    axes.plot([40.0, 100.0], [40.0, 100.0], color="0.6", linewidth=1, label="nominal")
    for k, (name, said) in enumerate((("as_known", "as known then"), ("lagged", "lagged"))):
        levels = pack.get(name, {}).get("headline", {}).get("levels", {})
        if levels:
            _levels(axes, levels, 0.8 * k, _COLOURS[k], _MARKS[k], said)
    axes.set(xlabel="nominal, %", ylabel="windows that hold the truth, %", xlim=(40.0, 100.0), ylim=(20.0, 103.0))
    axes.legend(loc="lower right")
    return figure


def _levels(axes: Axes, levels: Document, shift: float, colour: str, mark: str, said: str) -> None:
    held = [one["held_percent"] for one in levels.values()]
    ends = [one["held_interval_percent"] for one in levels.values()]
    bars = [[max(h - low, 0.0) for h, (low, _) in zip(held, ends, strict=True)],
            [max(high - h, 0.0) for h, (_, high) in zip(held, ends, strict=True)]]  # fmt: skip
    at = [float(name) + shift for name in levels]
    axes.errorbar(at, held, bars, fmt=mark, color=colour, capsize=3, label=f"{said}, 90 % interval")


def pit(pack: Document) -> Figure:
    figure, axes = _axes(5.0, 3.5)
    values = pack["as_known"]["headline"].get("pit", [])
    axes.hist(values, [k / 10.0 for k in range(11)], color=_COLOURS[0], edgecolor="white")
    axes.axhline(len(values) / 10.0, color="0.4", linewidth=1)
    axes.set(xlabel="share of the samples down before the truth", ylabel="predictions", xlim=(0.0, 1.0))
    return figure


def widths(pack: Document) -> Figure:
    figure, axes = _axes()
    cut_offs = {name: one for name, one in pack["as_known"]["by_cut_off"].items() if one}
    at = list(range(len(cut_offs)))
    for k, level in enumerate(("50", "90")):
        figures = [one["levels"][level]["width_mean_percent"] for one in cut_offs.values()]
        axes.bar([x + 0.4 * k - 0.2 for x in at], figures, 0.38, color=_COLOURS[k], label=f"{level} % window")
    axes.axhline(200.0 * RULE, color="0.3", linewidth=1, label="20 % either side")
    axes.set(xlabel="cut-off before the re-entry", ylabel="mean full width, % of the remaining life")
    axes.set_xticks(at, list(cut_offs))
    axes.legend()
    return figure


def windows(pack: Document) -> Figure:
    rows = scored(pack)
    figure, axes = _axes(7.0, 1.5 + 0.14 * len(rows))
    for k, row in enumerate(reversed(rows)):
        for level, width in (("90", 1.5), ("50", 4.0)):
            low, high = (100.0 * (end / row["life_h"] - 1.0) for end in row["windows_h"][level])
            axes.plot([low, high], [k, k], color=_COLOURS[0 if row["held"]["90"] else 1], linewidth=width)
        axes.plot(100.0 * (row["nominal_h"] / row["life_h"] - 1.0), k, "|", color="black", markersize=6)
    axes.axvline(0.0, color="0.3", linewidth=1)
    axes.set_yticks(range(len(rows)), [f"{row['case']} {row['cut_off']}" for row in reversed(rows)], fontsize=6)
    axes.set(xlabel="50 % and 90 % window less truth, % of the remaining life", ylim=(-1, len(rows)))
    return figure


DRAWN: dict[str, Callable[[Document], Figure]] = {
    "errors": errors,
    "coverage": coverage,
    "pit": pit,
    "widths": widths,
    "windows": windows,
}
