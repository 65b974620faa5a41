"""How many aircraft are where: by density as recorded, or by the average day that is assumed where none is.

A density is aircraft per km2 of ground in each layer of levels; layers may overlap, as rows of a dataset do.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from h3.api import basic_int as h3

from libs.astro import airspace
from libs.astro.airspace import Airspace
from libs.providers import traffic
from libs.providers.traffic import TrafficRow
from services.hazard.assumptions import AverageDay, per_prefix
from services.hazard.flight_files import BadFile

Array = np.ndarray[Any, np.dtype[Any]]
FOOT_100_KM = 0.03048


class Traffic(Protocol):
    """layers_fl (l, 2): lower and upper limit of each layer, hundreds of feet; `source` is printed with each result."""

    @property
    def layers_fl(self) -> Array: ...

    @property
    def source(self) -> str: ...

    def per_km2(self, lat_deg: Array, lon_deg: Array, region: Array, hour: Array) -> Array:
        """(n, l) aircraft per km2; region: place in the designators, -1 outside all; hour (UTC) of the day, [0, 24)."""


@dataclass(frozen=True)
class Assumed:
    """The average day, by region and solar hour."""

    day: AverageDay
    idents: tuple[str, ...]

    @property
    def layers_fl(self) -> Array:
        return np.column_stack([self.day.layers_fl[:-1], self.day.layers_fl[1:]])

    @property
    def source(self) -> str:
        return self.day.source

    def per_km2(self, lat_deg: Array, lon_deg: Array, region: Array, hour: Array) -> Array:
        del lat_deg
        names = (*self.idents, "")
        day = self.day
        means = np.array([per_prefix(day.prefixes, day.aircraft_per_million_km2, name) for name in names]) * 1e-6
        first, last = day.day_hours
        solar = (hour + lon_deg / 15.0) % 24.0
        lit = (solar >= first) & (solar < last)
        long = last - first
        factor = np.where(lit, day.day_share * 24.0 / long, (1.0 - day.day_share) * 24.0 / max(24.0 - long, 1e-9))
        return np.asarray((means[region] * factor)[:, None] * np.array(day.layer_shares))


@dataclass(frozen=True)
class Recorded:
    """Rows of a dataset. `cells`: row of `table` by H3 index; or else `outlines`, whose regions are its rows.

    table (places, layers, 24): aircraft per km2, in hours without rows the mean of those with.
    """

    source: str
    layers_fl: Array
    table: Array
    resolution: int
    cells: dict[int, int]
    outlines: Airspace | None

    def per_km2(self, lat_deg: Array, lon_deg: Array, region: Array, hour: Array) -> Array:
        del region
        row = self._places(lat_deg, lon_deg)
        found = self.table[row, :, hour.astype(np.int64) % 24]
        return np.where(row[:, None] >= 0, found, 0.0)

    def _places(self, lat_deg: Array, lon_deg: Array) -> Array:
        if self.outlines is not None:
            return self.outlines.find(lat_deg, lon_deg).astype(np.int64)
        points, back = np.unique(np.round(np.column_stack([lat_deg, lon_deg]), 2), axis=0, return_inverse=True)
        rows = [self.cells.get(h3.latlng_to_cell(*one, self.resolution), -1) for one in points.tolist()]
        return np.array(rows, dtype=np.int64)[back]


@lru_cache(maxsize=2)
def read(data: bytes, source: str) -> Recorded:
    """Raises BadFile for a file without a usable row; rows that ingest refused are left out here, too."""
    is_json = data.lstrip()[:1] == b"{"
    rows = [row for row in (traffic.read_geojson if is_json else traffic.read_csv)(data) if isinstance(row, TrafficRow)]
    if not rows:
        raise BadFile("the dataset of traffic density has no usable row")
    places = sorted({row.place for row in rows})
    layers = sorted({(row.lower_fl, row.upper_fl) for row in rows})
    outlines = _outlines(data) if is_json else None
    if outlines is not None:
        places = list(outlines.idents)
    number, layer = ({one: k for k, one in enumerate(many)} for many in (places, layers))
    table = np.full((len(places), len(layers), 24), np.nan)
    for row in rows:
        if row.place in number:
            table[number[row.place], layer[row.lower_fl, row.upper_fl], row.hour] = row.aircraft
    area = _areas(places, outlines)
    hours = np.flatnonzero(np.isfinite(table).any(axis=(0, 1)))
    filled = np.nan_to_num(table)
    others = np.setdiff1d(np.arange(24), hours)
    filled[:, :, others] = filled[:, :, hours].mean(axis=2)[:, :, None]
    filled /= area[:, None, None]
    cells = {} if is_json else {int(place, 16): k for k, place in enumerate(places)}
    return Recorded(source, np.array(layers, float), filled, rows[0].h3_resolution or 0, cells, outlines)


def _areas(places: list[str], outlines: Airspace | None) -> Array:
    if outlines is None:
        return np.array([h3.cell_area(int(place, 16), unit="km^2") for place in places])
    km2 = {volume.ident: volume.area_km2 for volume in outlines.volumes}
    return np.array([km2[place] for place in places])


def _outlines(data: bytes) -> Airspace:
    """The polygons as regions named by the place of their rows."""
    shapes = {
        row.place: feature["geometry"]
        for row, feature in zip(traffic.read_geojson(data), json.loads(data)["features"], strict=True)
        if isinstance(row, TrafficRow)
    }
    named = [{"type": "Feature", "properties": {"ident": name}, "geometry": one} for name, one in shapes.items()]
    return airspace.load_geojson(json.dumps({"type": "FeatureCollection", "features": named}).encode())


def per_band(density: Array, layers_fl: Array, edges_fl: tuple[float, ...]) -> Array:
    """(n, b + 1) aircraft per km2 in each band, the first above the highest edge, from (n, l) in layers."""
    tops, bottoms = np.r_[np.inf, edges_fl[:-1]], np.array(edges_fl)
    low = np.maximum(layers_fl[:, :1], bottoms)
    high = np.minimum(layers_fl[:, 1:], tops)
    return np.asarray(density @ (np.clip(high - low, 0.0, None) / (layers_fl[:, 1:] - layers_fl[:, :1])))
