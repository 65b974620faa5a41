"""`python -m libs.astro.warm`: compiles every kernel into the cache of this version, with a line for each step.

Does nothing where that was done before.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from libs.astro import (
    airspace,
    atmosphere,
    decay_legs,
    decay_tables,
    entry,
    entry_air,
    exposure_tally,
    frames,
    geodesic_buffer,
    geodesy,
    prediction,
    sgp4,
)
from libs.astro.density_kept import beside_kernels
from libs.astro.elements import ElementSet
from libs.astro.weather import Drivers

_SQUARE = b"""{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"ident": "XXXX"},
 "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]]}}]}"""
_DECAYING = ElementSet(1, b"", b"", 2459886.5, 0.5, 16.45, 0.001, 42.0, 0.0, 0.0, 0.0, 1e-3, 0.1, 0.0, "U", 0, 0)
_DRIVERS = Drivers(np.tile([120.0, 120.0, *[7.0] * 7], (8 * 70, 1)), 59880.0)


def _flight() -> None:
    tables = beside_kernels()  # made once for a version; each process that warms up reads them
    found = prediction.predict((_DECAYING,), _DRIVERS, 2459887.0, tables, samples=2, seed=1, horizon_days=60.0)
    list(decay_legs.fly(
        found.draws.states, found.fit.jd, found.fit.fr, found.draws.ln_b, _DRIVERS, tables,
        ln_b_late=found.draws.ln_b_late, late_after_s=found.fit.late_after_s, stop_altitude_km=120.0, max_days=60.0,
        track_step_s=60.0,
    ))  # fmt: skip


def _frames() -> None:
    r, v, _ = sgp4.propagate(sgp4.initialise(_DECAYING), np.zeros(1))
    fixed, _ = frames.teme_to_itrf(r[0], v[0], 2459886.5, 0.5, 0.0, 0.0, 0.0)
    frames.itrf_to_geodetic(fixed)


def _airspace() -> None:
    airspace.load_geojson(_SQUARE).find(np.zeros(1), np.zeros(1))
    geodesy.destination(0.0, 0.0, geodesy.bearing_rad(0.0, 0.0, 0.1, 0.1), geodesy.distance_km(0.0, 0.0, 0.1, 0.1))


def _stays() -> None:
    square, falling = airspace.load_geojson(_SQUARE), np.array([[10.0, 5.0, 1.0]])
    seconds, lon = falling[:, ::-1] * 60.0, falling - 2.0
    square.stays(seconds, falling, lon, falling * 30.0, np.array([3]), np.array([0, 1, 2]))
    square.visits(seconds[0], falling[0], lon[0])
    square.find_at(falling[0], lon[0], falling[0])
    row, begin, end, sure = np.zeros(1, np.int64), np.zeros(1), np.ones(1), np.ones(1)
    exposure_tally.minutes(row, row, begin, end, sure, 0.0)
    exposure_tally.cells(row, row, row, row, begin, end, sure)
    exposure_tally.any_chance(row, row, sure, 1)
    geodesic_buffer.within(falling[0], lon[0], falling[0], falling[0], 100.0)


def _entry() -> None:
    still = np.zeros(1)
    released = entry.earth_fixed(still, still, still + 78.0, still + 7400.0, still, still - 130.0)
    entry.fly(released, entry.ballistic(still + 50.0), [0.0], entry_air.standard_air())
    frames.itrf_to_geodetic_each(np.ascontiguousarray(released[:, :3].T))
    way_km = np.array([0.0, 120.0])
    atmosphere.air_along(_DRIVERS, way_km, np.full(2, 59887.0), np.zeros(2), np.zeros(2))


STEPS: Mapping[str, Callable[[], None]] = {
    "element sets and frames": _frames,
    "fit, atmosphere and decay": _flight,
    "density tables and lifetimes on them": decay_tables.warm,
    "airspace": _airspace,
    "stays in regions, their sums, and buffers": _stays,
    "flight of fragments": _entry,
}


def main() -> int:
    done = Path(os.environ["NUMBA_CACHE_DIR"]) / "complete"
    if done.exists():
        return 0
    for number, (name, compiled) in enumerate(STEPS.items(), 1):
        print(f"compiling kernels, once for this version: {name} ({number} of {len(STEPS)})", flush=True)
        compiled()
    done.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
