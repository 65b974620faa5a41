"""Lookup of flight information regions beside shapely, on the simulator's set of the validation data."""

import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from libs.astro.airspace import NOWHERE, Airspace, load_geojson
from libs.bench.harness import OURS, Contender, Must, Outcome, compare

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
SET = DATA / "fir/vatspy/Boundaries.geojson"
POINTS, PEER_POINTS = 1_000_000, 200_000
TREE, THREADS, OF_POINTS = "shapely STRtree", "shapely STRtree, threads", "shapely STRtree of points"
Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int32]]


def lookup() -> Outcome:
    """B9: 1 M points over the globe, evenly by area, in the regions of the simulator's set without its sectors."""
    data = _firs(SET.read_bytes())
    cores = os.cpu_count() or 1
    started = time.perf_counter()
    regions = load_geojson(data)
    regions.find(np.zeros(1), np.zeros(1))
    compile_s = time.perf_counter() - started
    started = time.perf_counter()
    load_geojson(data)
    load_s = time.perf_counter() - started
    rng = np.random.default_rng(9)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, POINTS))), rng.uniform(-180.0, 180.0, POINTS)
    peer = Tree(regions)
    made = peer.points(lat, lon)[:PEER_POINTS]
    rates = compare(
        [
            Contender(OURS, lambda: regions.find_volumes(lat, lon, threads=cores), POINTS),
            Contender(f"{OURS}, 1 thread", lambda: regions.find_volumes(lat, lon), POINTS),
            Contender(TREE, lambda: peer.query(made), PEER_POINTS),
            Contender(THREADS, lambda: peer.query_in_threads(made, cores), PEER_POINTS),
            Contender(OF_POINTS, lambda: peer.query_by_region(made), PEER_POINTS),
        ]
    )
    theirs = peer.first(peer.query_in_threads(peer.points(lat, lon), cores), POINTS)
    differing = int(np.count_nonzero(regions.find_volumes(lat, lon) != theirs))
    return Outcome(
        "B9",
        f"FIR lookup, 1 M points, {len(regions.idents)} FIRs, {cores} threads",
        "points/s",
        rates,
        [Must(TREE, 50.0, 200.0), Must(OF_POINTS, 50.0, 200.0)],
        f"{differing} of {POINTS} ids differ from shapely's",
        differing == 0,
        compile_s,
        notes=[
            f"shapely has {PEER_POINTS} points a round, made beforehand, and need not choose where regions overlap",
            f"our reading and indexing takes {load_s:.2f} s",
        ],
    )


def _firs(data: bytes) -> bytes:
    """Whole regions with valid outlines, without the simulator's sectors, whose designators have a hyphen."""
    bad = {finding.feature for finding in load_geojson(data).findings if finding.invalid}
    document = json.loads(data)
    document["features"] = [
        feature
        for at, feature in enumerate(document["features"], start=1)
        if "-" not in feature["properties"]["id"] and at not in bad
    ]
    return json.dumps(document).encode()


class Tree:
    """The peer: the same dense outlines as polygons in a tree, each on the turns of the Earth that it needs."""

    def __init__(self, regions: Airspace) -> None:
        import shapely

        self._shapely = shapely
        placed = [
            (rank, polygon)
            for rank, volume in enumerate(regions.volumes)
            for ring in volume.rings
            for polygon in self._turned(ring)
        ]
        self._rank = np.array([rank for rank, _ in placed])
        polygons = [polygon for _, polygon in placed]
        shapely.prepare(polygons)
        self._polygons = polygons
        self._tree = shapely.STRtree(polygons)

    def _turned(self, ring: Array) -> Sequence[object]:
        first, last = np.floor((ring[:, 0].min() + 180.0) / 360.0), np.ceil((ring[:, 0].max() + 180.0) / 360.0)
        return [self._shapely.Polygon(ring - (360.0 * turn, 0.0)) for turn in np.arange(first, last)]

    def points(self, lat: Array, lon: Array) -> Any:
        return self._shapely.points(lon, lat)

    def query(self, points: Any) -> Indices:
        """Pairs (2, n) of points and polygons that hold them."""
        pairs: Indices = self._tree.query(points, predicate="within")
        return pairs

    def query_in_threads(self, points: Any, threads: int) -> Indices:
        parts = np.array_split(points, threads)
        with ThreadPoolExecutor(threads) as pool:
            pairs = list(pool.map(self.query, parts))
        begins = np.cumsum([0, *(len(part) for part in parts)])
        return np.hstack([found + np.array([[begin], [0]]) for found, begin in zip(pairs, begins, strict=False)])

    def query_by_region(self, points: Any) -> Indices:
        """The same the other way round, which lets the prepared polygons help; the tree is of this call's points."""
        pairs: Indices = self._shapely.STRtree(points).query(self._polygons, predicate="contains")
        return pairs[::-1]

    def first(self, pairs: Indices, count: int) -> Indices:
        """The smallest volume that holds each point; of sets without holes only."""
        found = np.full(count, len(self._rank), dtype=np.int32)
        np.minimum.at(found, pairs[0], self._rank[pairs[1]])
        found[found == len(self._rank)] = NOWHERE
        return found
