"""States in the frame asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy_iers_data
import numpy as np

from libs.astro import eop, frames, sgp4
from libs.astro.elements import ElementSet
from libs.astro.eop import EarthOrientation
from libs.astro.time import DAY_S
from spacecom.propagation.v1 import propagation_events_pb2 as pb
from spacecom.propagation.v1 import propagation_service_pb2 as wire

__all__ = ["CannotPropagate", "EarthOrientation", "Times", "batches", "by_sgp4", "load_orientation", "shown", "steps"]

Array = np.ndarray[Any, np.dtype[np.float64]]

BATCH = 1000


class CannotPropagate(Exception):
    """SGP4 has no answer for this set or instant."""


@dataclass(frozen=True, slots=True)
class Times:
    """UTC Julian dates (N,), whole parts and the rest in days."""

    jd: Array
    fraction: Array

    @classmethod
    def of(cls, epochs: Sequence[pb.Epoch]) -> "Times":
        return cls(np.array([one.jd for one in epochs]), np.array([one.jd_fraction for one in epochs]))

    def since_s(self, jd: float, fraction: float) -> Array:
        return ((self.jd - jd) + (self.fraction - fraction)) * DAY_S


def steps(jd: float, fraction: float, seconds: Array) -> Times:
    """Seconds (N,) after an epoch; fractions are kept in [0, 1)."""
    days = fraction + seconds / DAY_S
    whole = np.floor(days)
    return Times(jd + whole, days - whole)


def load_orientation() -> EarthOrientation:
    return eop.read_finals2000a(Path(astropy_iers_data.IERS_A_FILE).read_bytes())


def by_sgp4(elements: ElementSet, times: Times) -> Array:
    """TEME states (N, 6), km, km/s."""
    minutes = times.since_s(elements.epoch_jd, elements.epoch_jd_fraction) / 60.0
    try:
        position, velocity, error = sgp4.propagate(sgp4.initialise(elements), minutes)
    except sgp4.BadElements as refused:
        raise CannotPropagate(str(refused)) from refused
    failed = np.flatnonzero(error)
    if failed.size:
        at = minutes[failed[0]] / 1440.0
        raise CannotPropagate(
            f"SGP4 gives no state {at:.2f} days from the set's epoch (its error {error[failed[0]]}); "
            "ask for instants nearer the epoch"
        )
    return np.hstack([position, velocity])


def shown(teme: Array, times: Times, frame: wire.Frame.ValueType, orientation: EarthOrientation) -> list[wire.State]:
    """On the wire; raises eop.OutsideOrientation for instants without Earth orientation."""
    itrf = frames.teme_to_itrf_each(np.ascontiguousarray(teme.T), times.jd, times.fraction, orientation)
    lat, lon, altitude = frames.itrf_to_geodetic_each(itrf[:3])
    lat_deg, lon_deg = np.degrees(lat), (np.degrees(lon) + 180.0) % 360.0 - 180.0
    rows = teme if frame == wire.FRAME_TEME else itrf.T
    return [
        wire.State(
            epoch=pb.Epoch(jd=times.jd[i], jd_fraction=times.fraction[i]),
            position_km=row[:3],
            velocity_km_s=row[3:],
            latitude_deg=lat_deg[i],
            longitude_deg=lon_deg[i],
            altitude_km=altitude[i],
        )
        for i, row in enumerate(rows.tolist())
    ]


def batches(count: int) -> Iterator[slice]:
    return (slice(first, first + BATCH) for first in range(0, count, BATCH))
