"""SGP4 states in the frame asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import degrees
from pathlib import Path

import astropy_iers_data
import numpy as np

from libs.astro import eop, frames, sgp4
from libs.astro.elements import ElementSet
from libs.astro.eop import EarthOrientation
from libs.astro.time import seconds_between
from spacecom.propagation.v1 import propagation_events_pb2 as pb
from spacecom.propagation.v1 import propagation_service_pb2 as wire

__all__ = ["CannotPropagate", "EarthOrientation", "load_orientation", "propagate"]


class CannotPropagate(Exception):
    """SGP4 has no answer for this set or instant."""


@dataclass(frozen=True, slots=True)
class Flight:
    position_km: "np.ndarray[tuple[int, int], np.dtype[np.float64]]"
    velocity_km_s: "np.ndarray[tuple[int, int], np.dtype[np.float64]]"


def load_orientation() -> EarthOrientation:
    return eop.read_finals2000a(Path(astropy_iers_data.IERS_A_FILE).read_bytes())


def propagate(
    elements: ElementSet, epochs: Sequence[pb.Epoch], frame: wire.Frame.ValueType, orientation: EarthOrientation
) -> list[wire.State]:
    flight = _flight(elements, epochs)
    return [
        _state(epoch, r, v, frame, orientation)
        for epoch, r, v in zip(epochs, flight.position_km, flight.velocity_km_s, strict=True)
    ]


def _flight(elements: ElementSet, epochs: Sequence[pb.Epoch]) -> Flight:
    start = (elements.epoch_jd, elements.epoch_jd_fraction)
    minutes = np.array([seconds_between(*start, epoch.jd, epoch.jd_fraction) / 60.0 for epoch in epochs])
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
    return Flight(position, velocity)


def _state(
    epoch: pb.Epoch,
    teme_r: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    teme_v: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    frame: wire.Frame.ValueType,
    orientation: EarthOrientation,
) -> wire.State:
    turned = orientation.at(epoch.jd, epoch.jd_fraction)
    r, v = frames.teme_to_itrf(
        teme_r, teme_v, epoch.jd, epoch.jd_fraction, turned.ut1_utc_s, turned.xp_rad, turned.yp_rad
    )
    lat_rad, lon_rad, altitude_km = frames.itrf_to_geodetic(r)
    shown = (teme_r, teme_v) if frame == wire.FRAME_TEME else (r, v)
    return wire.State(
        epoch=epoch,
        position_km=shown[0].tolist(),
        velocity_km_s=shown[1].tolist(),
        latitude_deg=degrees(lat_rad),
        longitude_deg=(degrees(lon_rad) + 180.0) % 360.0 - 180.0,
        altitude_km=altitude_km,
    )
