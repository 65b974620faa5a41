"""Flight of pieces from break-up to flight levels and the ground: 3-DOF point masses in turning air.

Equations, validity and measured error: docs/physics/entry.md. Lift is left out: a plate that glides lands elsewhere.
Each piece is flown alone, so that the result depends neither on how pieces are grouped nor on the threads.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import us76
from libs.astro.drag_coefficient import DragTable, Shape, reference_table
from libs.astro.earth import EGM96_J2, IERS_SPIN_RAD_S, WGS84_FLATTENING, WGS84_MU_KM3_S2, WGS84_RADIUS_KM
from libs.astro.entry_air import Air
from libs.astro.entry_flight import EAST, FIELDS, LAT, LON, NORTH, SECONDS, UP, Goals, Limits, Loads, Sky, descend
from libs.astro.entry_motion import altitudes_km

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

FOOT_KM = 0.0003048
RTOL = 1e-6
ATOL = 1e-6  # km and km/s
MAX_S = 6 * 3600.0
_SETTLE_KM_S = 0.35  # faster pieces are not looked at for a settled fall
_MASS_PER_AREA = (1e-3, 1e6)  # kg/m2
_SPEED_MAX_KM_S = 20.0
_ALTITUDE_MAX_KM = 2000.0
_LEVEL_MAX = 2000.0  # 61 km; with 999 for no limit files of airspace stay below


@dataclass(frozen=True, slots=True)
class Body:
    """What the pieces fall on. EARTH unless a check case asks for another."""

    radius_km: float
    flattening: float
    mu_km3_s2: float
    j2: float
    spin_rad_s: float

    def row(self) -> Array:
        e2 = self.flattening * (2.0 - self.flattening)
        polar = self.radius_km * (1.0 - self.flattening)
        return np.array([self.radius_km, e2, self.mu_km3_s2, self.j2, self.spin_rad_s, polar])


EARTH = Body(WGS84_RADIUS_KM, WGS84_FLATTENING, WGS84_MU_KM3_S2, EGM96_J2, IERS_SPIN_RAD_S)
SPHERE = Body(6371.0, 0.0, WGS84_MU_KM3_S2, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Pieces:
    """(N,) each: mass over reference area (kg/m2), length for the Reynolds number (m), Shape."""

    mass_per_area_kg_m2: Array
    length_m: Array
    shape: Ints


@dataclass(frozen=True, slots=True)
class Descents:
    """(pieces, levels) each, at the first downward crossing of a level; not a number where `reached` is false.

    Altitude above WGS-84 in km, seconds after release, degrees, velocity over the ground in m/s. `broken` (N,) marks
    pieces whose integration failed; those not reached and not broken were still aloft after max_s.
    """

    levels_km: Array
    reached: np.ndarray[Any, np.dtype[np.bool_]]
    broken: np.ndarray[Any, np.dtype[np.bool_]]
    seconds: Array
    lat_deg: Array
    lon_deg: Array
    east_m_s: Array
    north_m_s: Array
    up_m_s: Array

    @property
    def speed_m_s(self) -> Array:
        return np.sqrt(self.east_m_s**2 + self.north_m_s**2 + self.up_m_s**2)

    @property
    def dwell_s(self) -> Array:
        """(pieces, levels - 1): time from each level to the next lower one."""
        return np.diff(self.seconds, axis=1)

    def states(self, level: int) -> Array:
        """(N, 6) Earth-fixed km, km/s at a level: where fragments of a parent are released.

        Not numbers for a piece that did not reach it; ValueError for a level that was not flown through.
        """
        if not 0 <= level < self.levels_km.shape[1]:
            raise ValueError(f"there is no level {level}; {self.levels_km.shape[1]} were flown through, from 0 on")
        return _earth_fixed(
            self.lat_deg[:, level], self.lon_deg[:, level], self.levels_km[:, level], self.east_m_s[:, level],
            self.north_m_s[:, level], self.up_m_s[:, level], EARTH,
        )  # fmt: skip


def flight_level_km(level: float) -> float:
    """Geometric altitude of a flight level (hundreds of feet) in the standard atmosphere.

    Flight levels are pressure surfaces: on a day they lie up to some 0.5 km off. ValueError outside FL0 to FL2000.
    """
    if not 0.0 <= level <= _LEVEL_MAX:
        raise ValueError(f"there is no flight level {level}; give hundreds of feet, 0 to {_LEVEL_MAX:g}")
    height = level * 100.0 * FOOT_KM
    return us76.RADIUS_KM * height / (us76.RADIUS_KM - height)


def earth_fixed(
    lat_deg: Array, lon_deg: Array, alt_km: Array, east_m_s: Array, north_m_s: Array, up_m_s: Array,
    body: Body = EARTH,
) -> Array:  # fmt: skip
    """(N, 6) Earth-fixed states (km, km/s) from geodetic places and velocities over the ground, (N,) each.

    Raises ValueError for what is no place and for speeds beyond 20 km/s.
    """
    if not ((np.abs(lat_deg) <= 90.0) & (np.abs(lon_deg) <= 720.0) & (np.abs(alt_km) <= _ALTITUDE_MAX_KM)).all():
        raise ValueError("a latitude, longitude or altitude is no place; give degrees and km")
    limit = 1e3 * _SPEED_MAX_KM_S
    if not ((np.abs(east_m_s) <= limit) & (np.abs(north_m_s) <= limit) & (np.abs(up_m_s) <= limit)).all():
        raise ValueError(f"a velocity is no number or beyond {limit:g} m/s; give m/s over the ground")
    return _earth_fixed(lat_deg, lon_deg, alt_km, east_m_s, north_m_s, up_m_s, body)


def _earth_fixed(
    lat_deg: Array, lon_deg: Array, alt_km: Array, east_m_s: Array, north_m_s: Array, up_m_s: Array, body: Body
) -> Array:
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    s, c, sl, cl = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    e2 = body.flattening * (2.0 - body.flattening)
    n = body.radius_km / np.sqrt(1.0 - e2 * s * s)
    outward = 1e-3 * (c * up_m_s - s * north_m_s)
    east = 1e-3 * np.asarray(east_m_s)
    return np.stack([
        (n + alt_km) * c * cl, (n + alt_km) * c * sl, (n * (1.0 - e2) + alt_km) * s,
        outward * cl - east * sl, outward * sl + east * cl, 1e-3 * (s * up_m_s + c * north_m_s),
    ], axis=-1)  # fmt: skip


def ballistic(bc_kg_m2: Array) -> Pieces:
    """Pieces of constant ballistic coefficient m / (CD A), 0.001 to 1e6 kg/m2; ValueError for others."""
    bc = np.asarray(bc_kg_m2, dtype=np.float64)
    low, high = _MASS_PER_AREA
    if not ((bc >= low) & (bc <= high)).all():
        raise ValueError(f"a ballistic coefficient is not within {low} and {high} kg/m2; it is mass over CD and area")
    return Pieces(bc, np.ones_like(bc), np.full(bc.shape, int(Shape.CONSTANT)))


def fly(
    states: Array,
    pieces: Pieces,
    levels_km: Array | Sequence[float],
    air: Air,
    *,
    profile: Ints | None = None,
    drag: DragTable | None = None,
    body: Body = EARTH,
    rtol: float = RTOL,
    atol: float = ATOL,
    max_s: float = MAX_S,
    settle: bool = True,
    threads: int = 1,
) -> Descents:
    """Flies pieces from Earth-fixed states (N, 6) in km, km/s down through levels (L,) or (N, L), km, none rising.

    The ground is a level like others, commonly the last, 0. `profile` (N,) picks each piece's air. `settle` lets pieces
    whose fall has settled go on by it (quasi-steady); without it light pieces take many short steps. Refuses with
    ValueError what is not finite, not below the release, above the air, or out of range.
    """
    count = len(states)
    starts = _own(states, np.float64)
    if np.ndim(levels_km) not in (1, 2) or (np.ndim(levels_km) == 2 and len(levels_km) not in (1, count)):
        raise ValueError(f"levels must be (L,) or ({count}, L), not {np.shape(levels_km)}")
    levels = _own(np.broadcast_to(levels_km, (count, np.shape(levels_km)[-1])), np.float64)
    chosen = np.zeros(count, dtype=np.int64) if profile is None else profile
    if not (1e-13 <= rtol <= 1e-2 and 1e-13 <= atol <= 1e-2 and 0.0 < max_s < math.inf):
        raise ValueError("tolerances must lie within 1e-13 and 1e-2, and the longest flight be positive seconds")
    _check_states(starts, levels, air, body)
    _check_pieces(pieces, count, air, chosen)
    given = pieces.mass_per_area_kg_m2, pieces.length_m, pieces.shape, chosen
    kinds = np.float64, np.float64, np.int64, np.int64
    loads = Loads(*(_own(values, kind) for values, kind in zip(given, kinds, strict=True)))
    sky = Sky(body.row(), _own(air.rows, np.float64), air.step_km, (drag or reference_table()).values)
    limits = Limits(rtol, atol, max_s, _SETTLE_KM_S if settle else 0.0)
    out = np.full((count, FIELDS, levels.shape[1]), np.nan)
    status, reached = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)

    def run(part: slice) -> None:
        goals = Goals(levels[part], out[part], status[part], reached[part])
        some = Loads(loads.mass_per_area[part], loads.length_m[part], loads.shape[part], loads.profile[part])
        descend(starts[part], some, goals, limits, sky)

    _spread(run, count, threads)
    fields = [np.ascontiguousarray(out[:, field]) for field in (SECONDS, LAT, LON, EAST, NORTH, UP)]
    return Descents(
        levels, np.arange(levels.shape[1]) < reached[:, None], status < 0, fields[0], np.degrees(fields[1]),
        np.degrees(fields[2]), 1e3 * fields[3], 1e3 * fields[4], 1e3 * fields[5],
    )  # fmt: skip


def _own(values: Any, kind: type) -> Any:
    """Contiguous and writable: numba would compile anew for each other layout."""
    return np.require(values, dtype=kind, requirements=["C", "W"])


def _check_states(starts: Array, levels: Array, air: Air, body: Body) -> None:
    if starts.ndim != 2 or starts.shape[1:] != (6,) or not np.isfinite(starts).all():
        raise ValueError("states must be finite, one row of x, y, z (km) and vx, vy, vz (km/s) for each piece")
    if not (np.linalg.norm(starts[:, 3:], axis=1) <= _SPEED_MAX_KM_S).all():
        raise ValueError(f"speeds must be at most {_SPEED_MAX_KM_S} km/s; are the states in km/s?")
    alt = altitudes_km(starts, body.row())
    if not (alt <= air.top_km).all():
        raise ValueError(f"a piece starts above the air, which ends at {air.top_km} km")
    if levels.shape[1] == 0 or not (np.isfinite(levels).all() and (np.diff(levels, axis=1) <= 0.0).all()):
        raise ValueError("levels must be finite and must not rise from one to the next")
    if not ((levels[:, 0] < alt).all() and (levels[:, -1] >= -0.5).all()):
        raise ValueError("levels must lie below the release and not below -0.5 km")


def _check_pieces(pieces: Pieces, count: int, air: Air, profile: Ints) -> None:
    fields = (pieces.mass_per_area_kg_m2, pieces.length_m, pieces.shape, profile)
    if any(np.shape(one) != (count,) for one in fields):
        raise ValueError(f"each of {count} pieces needs its mass per area, length, shape and profile")
    low, high = _MASS_PER_AREA
    if not ((pieces.mass_per_area_kg_m2 >= low) & (pieces.mass_per_area_kg_m2 <= high)).all():
        raise ValueError(f"mass per area must lie within {low} and {high} kg/m2")
    if not ((pieces.length_m > 0.0) & (pieces.length_m < 1e3)).all():
        raise ValueError("lengths must be positive and below 1 km")
    if not ((pieces.shape >= 0) & (pieces.shape < len(Shape))).all():
        raise ValueError("there is no such shape; give those of drag_coefficient.Shape")
    if np.asarray(profile).dtype.kind not in "iu":
        raise ValueError(f"the profiles of pieces are rows of the air, whole numbers, not {np.asarray(profile).dtype}")
    if not ((profile >= 0) & (profile < len(air.rows))).all():
        raise ValueError(f"there are {len(air.rows)} profiles of air")


def _spread(run: Callable[[slice], None], count: int, threads: int) -> None:
    size = max(1, math.ceil(count / max(1, threads * 4)))  # long enough to keep all lanes busy
    parts = [slice(k, min(k + size, count)) for k in range(0, count, size)]
    if threads <= 1 or len(parts) <= 1:
        for part in parts:
            run(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, parts))
