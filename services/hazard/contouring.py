"""Where pieces come down along and across the object's line, level by level: contours and travelling boxes."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from libs.astro import corridor
from libs.astro.corridor import Box, Line
from libs.astro.geodesy import MEAN_RADIUS_KM
from libs.astro.time import add_seconds, jd_to_datetime
from services.hazard.domain import TravellingBox
from services.hazard.flight_files import SampleResult
from services.hazard.scenario import Scenario
from services.hazard.visit_files import Visits

Array = np.ndarray[Any, np.dtype[Any]]

PERCENTS = (50, 90, 99)
MOST_SAMPLES = 1000  # the draws fill their space evenly, so that the first ones stand for all
TAIL = 0.05
_TIME_TAIL = 0.005


@dataclass(frozen=True, slots=True)
class Ways:
    """(m,) each, one row for a piece in a band: where and when it comes in and goes out, in the line's coordinates.

    ahead, aside and after: angle, km to the left and s since its object passed the re-entry point, going out.
    """

    kind: Array
    band: Array
    weight: Array
    in_s: Array
    in_rad: Array
    in_km: Array
    out_s: Array
    out_rad: Array
    out_km: Array
    object_s: Array
    object_rad: Array
    object_km: Array


@dataclass(frozen=True, slots=True)
class Ends:
    """Points of re-entry of the samples in the line's coordinates, by number."""

    line: Line
    sample: Array
    seconds: Array
    along_rad: Array
    left_km: Array


def ends_of(results: Sequence[SampleResult]) -> Ends:
    """`results`: of the samples that came down, in order."""
    columns = ("sample", "seconds", "lat_deg", "lon_deg", "heading_deg")
    sample, seconds, lat, lon, heading = (np.array([getattr(one, name) for one in results]) for name in columns)
    line, along = corridor.line_through(seconds, lat, lon, heading)
    return Ends(line, sample, seconds, *line.place(lat, lon, along))


def ways(visits: Visits, ends: Ends, threads: int = 1) -> Ways:
    """Of the first MOST_SAMPLES samples."""
    some = visits.of_samples(0, MOST_SAMPLES)
    new = np.flatnonzero(
        np.r_[True, (np.diff(some.sample) != 0) | (np.diff(some.piece) != 0) | (np.diff(some.band) != 0)]
    ) if len(some.sample) else np.empty(0, np.int64)  # fmt: skip
    last = np.r_[new[1:], len(some.sample)][: len(new)] - 1
    of = np.searchsorted(ends.sample, some.sample[new])
    near = ends.along_rad[of]
    went = _placed(ends.line, some.exit_lat_deg[last], some.exit_lon_deg[last], near, threads)
    released = np.r_[True, (np.diff(some.sample[new]) != 0) | (np.diff(some.piece[new]) != 0)][: len(new)]
    first = new[released]
    top = _placed(ends.line, some.entry_lat_deg[first], some.entry_lon_deg[first], near[released], threads)
    came = _from_above(went[0], released, top[0]), _from_above(went[1], released, top[1])
    return Ways(
        some.kind[new], some.band[new], some.survival[new].astype(np.float64), some.entry_s[new], *came,
        some.exit_s[last], *went, ends.seconds[of], ends.along_rad[of], ends.left_km[of],
    )  # fmt: skip


def _from_above(out: Array, released: Array, top: Array) -> Array:
    """Where a piece comes into each band: where it went out of the one above, or at its release."""
    came = np.empty_like(out)
    came[1:], came[released] = out[:-1], top
    return came


def _placed(line: Line, lat_deg: Array, lon_deg: Array, near_rad: Array, threads: int) -> tuple[Array, Array]:
    """Each place by itself, so that how they are split changes nothing."""
    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(line.place, *(np.array_split(one, threads) for one in (lat_deg, lon_deg, near_rad)))
        along, left = zip(*parts, strict=True)
    return np.concatenate(along), np.concatenate(left)


def joined(parts: Sequence[Ways]) -> Ways:
    return Ways(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Ways)))


def geojson(all_ways: Ways, ends: Ends, scenario: Scenario, start: tuple[float, float], threads: int = 1) -> bytes:
    """Contours as features: one for each percentage, level and part of the line, with its times.

    A box of a percentage holds that share of the pieces expected to fall through the level, or of the re-entry points
    where level is "80 km". Parts of one contour share edges.
    """
    levels = [(level, points) for level, points in _levels(all_ways, ends, scenario) if len(points[0])]
    with ThreadPoolExecutor(threads) as pool:
        each = pool.map(lambda one: list(_features(one[0], one[1], ends.line, start)), levels)
        features = [feature for found in each for feature in found]
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")).encode()


def _levels(all_ways: Ways, ends: Ends, scenario: Scenario) -> Iterator[tuple[str, tuple[Array, Array, Array, Array]]]:
    yield "80 km", (ends.along_rad, ends.left_km, np.ones(len(ends.sample)), ends.seconds)
    for band, edge in enumerate(scenario.band_edges_fl):
        out = all_ways.band == band
        columns = (all_ways.out_rad, all_ways.out_km, all_ways.weight, all_ways.out_s)
        along, left, weight, seconds = (one[out] for one in columns)
        yield ("ground" if edge == 0.0 else f"FL{edge:03.0f}"), (along, left, weight, seconds)


def _features(
    level: str, points: tuple[Array, Array, Array, Array], line: Line, start: tuple[float, float]
) -> Iterator[dict[str, Any]]:
    found = corridor.percentiles(*points[:3], [percent / 100.0 for percent in PERCENTS])
    for percent, box in zip(PERCENTS, found, strict=True):
        yield from _parts(level, percent, box, points, line, start)


def _parts(
    level: str, percent: int, box: Box, points: tuple[Array, Array, Array, Array], line: Line,
    start: tuple[float, float],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    along, left, _, seconds = points
    inside = (along >= box.from_rad) & (along <= box.until_rad) & (left >= box.right_km) & (left <= box.left_km)
    for number, (low, high, rings) in enumerate(corridor.polygons(line, box)):
        here = seconds[inside & (along >= low) & (along <= high)]
        times = np.quantile(here, (_TIME_TAIL, 1.0 - _TIME_TAIL)) if len(here) else (np.nan, np.nan)
        yield {
            "type": "Feature",
            "geometry": _geometry(rings),
            "properties": {
                "percent": percent,
                "level": level,
                "part": number,
                "width_km": round(box.left_km - box.right_km, 1),
                "from_utc": _stamp(start, times[0]),
                "until_utc": _stamp(start, times[1]),
            },
        }


def _geometry(rings: Sequence[Array]) -> dict[str, Any]:
    coordinates = [[np.round(ring, 6).tolist()] for ring in rings]
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def _stamp(start: tuple[float, float], seconds: float) -> str | None:
    if not np.isfinite(seconds):
        return None
    moment = jd_to_datetime(*add_seconds(*start, float(seconds)))
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def boxes(all_ways: Ways, scenario: Scenario, sample_count: int) -> Iterator[TravellingBox]:
    """By kind, then band from the highest that has limits on both sides."""
    edges = scenario.band_edges_fl
    for kind, name in enumerate(scenario.kinds):
        for band in range(1, len(edges)):
            here = np.flatnonzero((all_ways.kind == kind) & (all_ways.band == band))
            if len(here):
                yield _box(all_ways, here, name, edges[band], edges[band - 1], sample_count)


def _box(w: Ways, here: Array, name: str, lower: float, upper: float, sample_count: int) -> TravellingBox:
    since = w.object_s[here]
    ahead = [(one[here] - w.object_rad[here]) * MEAN_RADIUS_KM for one in (w.in_rad, w.out_rad)]
    aside = np.maximum(np.abs(w.in_km[here] - w.object_km[here]), np.abs(w.out_km[here] - w.object_km[here]))
    return TravellingBox(
        name,
        lower,
        upper,
        float(np.quantile(w.in_s[here] - since, TAIL)),
        float(np.quantile(w.out_s[here] - since, 1.0 - TAIL)),
        float(np.quantile(np.minimum(*ahead), TAIL)),
        float(np.quantile(np.maximum(*ahead), 1.0 - TAIL)),
        float(np.quantile(aside, 1.0 - TAIL)),
        float(np.average(w.out_s[here] - w.in_s[here], weights=np.maximum(w.weight[here], 1e-12))),
        float(w.weight[here].sum()) / min(sample_count, MOST_SAMPLES),
    )
