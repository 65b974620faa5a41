"""What corridors of fixed width along the track would close: the regions that lie within a distance of it, exactly."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from libs.astro import geodesic_buffer
from libs.astro.airspace import NOWHERE, Airspace
from libs.astro.weather import Drivers
from services.hazard import flying
from services.hazard.domain import HALF_WIDTHS_KM, Baseline
from services.hazard.flight_files import Array, SampleResult, Samples

Flags = np.ndarray[Any, np.dtype[np.bool_]]

_LEG_POINTS = 20  # of a leg of the track: 400 s, a twelfth of a revolution
_CELL_KM = 112.0  # a degree, and what a chord of the track lies off it


def baselines(
    samples: Samples, drivers: Drivers, re_entry_km: float, regions: Airspace, results: Sequence[SampleResult],
    window: tuple[float, float],
) -> Iterator[Baseline]:  # fmt: skip
    """Along the track of the first sample that flies the whole window, its last minutes by the decay alone."""
    longest = min((one for one in results if one.seconds >= window[1]), key=lambda one: one.seconds)
    track = track_of(samples, longest.sample, drivers, re_entry_km, window)
    for half_width_km in HALF_WIDTHS_KM:
        touched = corridor(track, regions, half_width_km)
        yield Baseline(half_width_km, tuple(regions.idents[fir] for fir in sorted(touched)))


def track_of(samples: Samples, sample: int, drivers: Drivers, re_entry_km: float, window: tuple[float, float]) -> Array:
    """Latitude and longitude in degrees (k, 2) of one sample within the window, a point every TRACK_STEP_S."""
    legs = flying.legs(samples.part(sample, 1), drivers, window[0], 1, re_entry_km)
    track = np.concatenate([leg.track[0, : leg.counts[0]][int(n > 0) :] for n, leg in enumerate(legs)])
    return track[(track[:, 0] >= window[0]) & (track[:, 0] <= window[1]), 1:3]


def corridor(track: Array, regions: Airspace, half_width_km: float) -> set[int]:
    """Regions with a point within half_width_km of the track (k, 2), on the ellipsoid.

    A region that the track does not enter is nearest to it at a corner of its outline or of the track.
    """
    seconds = np.arange(len(track), dtype=np.float64)
    touched = {visit.region for visit in regions.visits(seconds, track[:, 0], track[:, 1])}
    outlines = _Outlines(regions)
    for first in range(0, max(len(track) - 1, 1), _LEG_POINTS):
        touched |= outlines.near(track[first : first + _LEG_POINTS + 1], half_width_km, touched)
    return touched - {NOWHERE}


class _Outlines:
    """Edges of all outlines by region, for looking up those near a leg of the track."""

    def __init__(self, regions: Airspace) -> None:
        rings = [
            (int(regions.region_of_volume[rank]), ring)
            for rank, volume in enumerate(regions.volumes)
            for ring in volume.rings
        ]
        self.ends = np.concatenate([np.column_stack([ring[:-1], ring[1:]]) for _, ring in rings])
        self.region = np.concatenate([np.full(len(ring) - 1, region) for region, ring in rings])

    def near(self, leg: Array, km: float, known: set[int]) -> set[int]:
        close = np.flatnonzero(self._box(leg, km) & ~np.isin(self.region, list(known)))
        lon, lat = self.ends[close, 0], self.ends[close, 1]
        inside = geodesic_buffer.within(lat, lon, leg[:, 0], leg[:, 1], km)
        found = set(self.region[close[inside]].tolist())
        left = close[~np.isin(self.region[close], list(found))]
        for edge in left:  # of those without a corner near, the few whose edges pass a corner of the track
            west, south, east, north = self.ends[edge]
            if (
                self.region[edge] not in found
                and geodesic_buffer.within(
                    leg[:, 0], leg[:, 1], np.array([south, north]), np.array([west, east]), km
                ).any()
            ):
                found.add(int(self.region[edge]))
        return found

    def _box(self, leg: Array, km: float) -> Flags:
        """Edges that may come near: within the box of latitudes and longitudes about the leg."""
        margin = (km + _CELL_KM) / 111.0
        lats = self.ends[:, [1, 3]]
        rows = (lats.max(axis=1) >= leg[:, 0].min() - margin) & (lats.min(axis=1) <= leg[:, 0].max() + margin)
        highest = np.abs(leg[:, 0]).max() + margin
        if highest >= 88.0:
            return np.asarray(rows)
        lon = np.unwrap(leg[:, 1], period=360.0)
        wide = margin / np.cos(np.radians(highest))
        middle, half = 0.5 * (lon.min() + lon.max()), 0.5 * float(np.ptp(lon)) + wide
        off = np.abs((self.ends[:, [0, 2]] - middle + 180.0) % 360.0 - 180.0)
        return np.asarray(rows & (off.min(axis=1) <= half + 1.0))
