"""The corridor on a map, and expected pieces by region and time."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from services.cli.pieces import CONDITION
from spacecom.hazard.v1 import hazard_service_pb2 as hazard

SHADES = {"99": "#c6dbef", "90": "#6baed6", "50": "#08519c"}
MOST_REGIONS = 30
BIN_S = 300
UNDATED: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


def save(figure: Figure, path: Path) -> None:
    """The same figure gives the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "spacecom"}):
        figure.savefig(path, dpi=150, metadata=UNDATED[path.suffix[1:]])


def corridor(document: dict[str, Any], title: str) -> Figure:
    """Contours of 99, 90 and 50 % on the ground, and of the 80 km points as lines."""
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots()
    for percent, shade in SHADES.items():
        for ring in _rings(document, "ground", percent):
            axes.fill(*zip(*ring, strict=True), color=shade, linewidth=0)
    for ring in _rings(document, "80 km", "99"):
        axes.plot(*zip(*ring, strict=True), color="black", linewidth=0.4)
    axes.set(xlim=(-180, 180), ylim=(-90, 90), xlabel="longitude, degrees", ylabel="latitude, degrees")
    axes.set_title(f"{title}: where pieces come down (99, 90, 50 %), line: re-entry at 80 km (99 %)")
    axes.grid(linewidth=0.2)
    figure.supxlabel(CONDITION, fontsize=7)
    return figure


def _rings(document: dict[str, Any], level: str, percent: str) -> Iterator[list[list[float]]]:
    for feature in document["features"]:
        said, shape = feature["properties"], feature["geometry"]
        if said["level"] == level and str(said["percent"]) == percent:
            polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
            yield from (polygon[0] for polygon in polygons)


def heat_map(minutes: list[hazard.Minute], title: str) -> Figure:
    """Expected pieces, mean over five minutes, of the regions with the most; all bands together."""
    sums: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for one in minutes:
        if one.fir_designator:
            sums[one.fir_designator][one.minute.seconds // BIN_S] += one.expected_pieces * 60.0 / BIN_S
    names = sorted(sums, key=lambda name: (-sum(sums[name].values()), name))[:MOST_REGIONS]
    bins = [at for name in names for at in sums[name]] or [0]
    first, last = min(bins), max(bins)
    table = [[sums[name].get(at, 0.0) or float("nan") for at in range(first, last + 1)] for name in names]
    figure = Figure(figsize=(11, 7), layout="constrained")
    axes = figure.subplots()
    limits = [at * BIN_S / 86400.0 for at in (first, last + 1)]
    if names:
        extent = (limits[0], limits[1], len(names) - 0.5, -0.5)
        image = axes.imshow(
            table, aspect="auto", interpolation="nearest", extent=extent, norm=LogNorm(), cmap="viridis"
        )
        figure.colorbar(image, label="expected pieces in the region, mean over 5 min")
    axes.set_yticks(range(len(names)), names)
    axes.xaxis_date()
    axes.set(xlabel="UTC", title=f"{title}: expected pieces by region and time")
    figure.supxlabel(CONDITION, fontsize=7)
    return figure
