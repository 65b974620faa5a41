"""From 120 km to the ground: the object in one piece to its break-up, then its pieces through the bands of levels."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from libs.astro import atmosphere, entry, entry_air, us76
from libs.astro.airspace import Airspace, Stays
from libs.astro.earth import GMST82_SPIN_RAD_S, IERS_SPIN_RAD_S, WGS84_RADIUS_KM
from libs.astro.entry_air import Air
from libs.astro.fragments import Fragments
from libs.astro.frames import itrf_to_geodetic_each
from libs.astro.time import DAY_S, MJD_0_JD, gmst82_rad
from libs.astro.weather import Drivers
from services.hazard import scenario as scenarios
from services.hazard import visit_files
from services.hazard.scenario import Scenario
from services.hazard.visit_files import Visits

Array = np.ndarray[Any, np.dtype[Any]]
HANDOVER_KM = 120.0
AIR_TOP_KM = 125.0
AIR_STEP_KM = 1.0  # ln of the density bends by 1e-3 between rows
TOLERANCE = 1e-5  # of a step, km and km/s: pieces land within 0.1 km of where 1e-10 puts them
LONGEST_S = 86400.0  # a flake of 0.3 kg/m2 falls for six hours
_ROUGH_STEP_KM = 5.0
_WAY_KM = (119.0, 118.0, 117.0, 116.0, 115.0, 113.0, 111.0, 108.0, 105.0, 100.0, 95.0, 90.0, 80.0)  # 1-2 minutes apart
_NODES_KM = (70.0, 60.0, 50.0, 45.0, 40.0, 35.0, 30.0, 25.0)  # a node every few seconds of the fast flight
_CLEARANCE_KM = 1e-3  # the first node lies below the release


@dataclass(frozen=True, slots=True)
class Entering:
    """Samples at the handover: numbers, seconds after the start epoch (N,), states in TEME (N, 6), B in m2/kg (N,)."""

    start_jd: float
    start_jd_fraction: float
    samples: Array
    seconds: Array
    states: Array
    b_m2_kg: Array


@dataclass(frozen=True, slots=True)
class Parents:
    """(N,) each: the object at re_entry_km, continued where it breaks higher, and at its break-up, states (N, 6).

    heading_deg: of the velocity at re_entry_km on axes that do not turn, clockwise from north.
    track (N, k, 4) leads from the handover to re-entry: seconds, latitude, longitude, altitude in km.
    """

    reached: Array
    seconds: Array
    lat_deg: Array
    lon_deg: Array
    heading_deg: Array
    break_up_km: Array
    break_up_s: Array
    states: Array
    track: Array


@dataclass(frozen=True, slots=True)
class Fallen:
    """What became of the samples: `down` (N,) where all pieces were flown, visits of these alone."""

    parents: Parents
    down: Array
    visits: Visits


def fall(
    entering: Entering, drivers: Drivers, scenario: Scenario, regions: Airspace, *,
    seed: int, re_entry_km: float, threads: int = 1,
) -> Fallen:  # fmt: skip
    """A sample draws from the seed and its own number alone, so that chunks may be cut anywhere."""
    if not len(entering.samples):
        return _nobody()
    states = earth_fixed(entering)
    air = air_of(entering, states, drivers, scenario, seed, threads)
    altitudes = scenarios.break_up_km(scenario, seed, entering.samples)
    parents = break_up(entering, states, altitudes, air, re_entry_km, threads)
    drawn = [scenarios.pieces(scenario, seed, int(number)) for number in entering.samples]
    down, visits = descend(parents, drawn, air, scenario, regions, threads)
    return Fallen(parents, down, replace(visits, sample=entering.samples[visits.sample].astype(np.int32)))


def earth_fixed(entering: Entering) -> Array:
    """(N, 6) on axes that turn with the Earth, the velocity seen from them."""
    turned = gmst82_rad(entering.start_jd, entering.start_jd_fraction) + GMST82_SPIN_RAD_S * entering.seconds
    c, s = np.cos(turned), np.sin(turned)
    x, y, z, vx, vy, vz = entering.states.T
    px, py = c * x + s * y, c * y - s * x
    east, north = c * vx + s * vy, c * vy - s * vx
    return np.stack([px, py, z, east + IERS_SPIN_RAD_S * py, north - IERS_SPIN_RAD_S * px, vz], axis=1)


def air_of(entering: Entering, states: Array, drivers: Drivers, scenario: Scenario, seed: int, threads: int = 1) -> Air:
    """The day's air along each sample's way down, under its own draw of the wind.

    The way is found by a first flight through the air over the handover.
    """
    lat, lon = _places(states)
    mjd = (entering.start_jd - MJD_0_JD) + entering.start_jd_fraction + entering.seconds / DAY_S
    with ThreadPoolExecutor(threads) as pool:
        over = entry_air.air_of(list(pool.map(
            lambda *where: atmosphere.air_over(drivers, *where, top_km=AIR_TOP_KM, step_km=_ROUGH_STEP_KM),
            *(one.tolist() for one in (mjd, lat, lon)),
        )))  # fmt: skip
    bodies = entry.ballistic(1.0 / entering.b_m2_kg)
    way = entry.fly(states, bodies, _WAY_KM, over, profile=np.arange(len(lat)), max_s=LONGEST_S, threads=threads)
    alt = np.array([*reversed(_WAY_KM), HANDOVER_KM])
    columns = (mjd[:, None] + way.seconds / DAY_S, mjd), (way.lat_deg, lat), (way.lon_deg, lon)
    times, lats, lons = (np.column_stack([late[:, ::-1], first]) for late, first in columns)
    with ThreadPoolExecutor(threads) as pool:
        along = list(pool.map(
            lambda *flight: atmosphere.air_along(drivers, alt, *flight, top_km=AIR_TOP_KM, step_km=AIR_STEP_KM),
            times, lats, lons,
        ))  # fmt: skip
    winds = scenarios.winds(scenario, seed, entering.samples)
    return entry_air.with_wind(entry_air.air_of(along), scenario.climate.alt_km, *winds)


def break_up(
    entering: Entering, states: Array, altitudes_km: Array, air: Air, re_entry_km: float, threads: int
) -> Parents:
    count = len(states)
    rows = np.arange(count)
    wanted = np.column_stack([np.tile([*_WAY_KM[:-1], re_entry_km], (count, 1)), altitudes_km])
    levels = -np.sort(-wanted, axis=1)
    flown = entry.fly(
        states, entry.ballistic(1.0 / entering.b_m2_kg), levels, air, profile=rows, max_s=LONGEST_S, threads=threads
    )
    at, broken = (levels == re_entry_km).argmax(axis=1), (levels == altitudes_km[:, None]).argmax(axis=1)
    seconds = entering.seconds[:, None] + flown.seconds
    places = flown.lat_deg[rows, broken], flown.lon_deg[rows, broken], altitudes_km
    speeds = (one[rows, broken] for one in (flown.east_m_s, flown.north_m_s, flown.up_m_s))
    radius_m = 1e3 * (WGS84_RADIUS_KM + re_entry_km) * np.cos(np.radians(flown.lat_deg[rows, at]))
    east = flown.east_m_s[rows, at] + IERS_SPIN_RAD_S * radius_m
    return Parents(
        np.asarray(flown.reached.all(axis=1)),
        seconds[rows, at],
        flown.lat_deg[rows, at],
        flown.lon_deg[rows, at],
        np.degrees(np.arctan2(east, flown.north_m_s[rows, at])),
        altitudes_km,
        seconds[rows, broken],
        entry.earth_fixed(*places, *speeds),
        np.stack([seconds, flown.lat_deg, flown.lon_deg, levels], axis=-1),
    )


def descend(
    parents: Parents, drawn: list[Fragments], air: Air, scenario: Scenario, regions: Airspace, threads: int
) -> tuple[Array, Visits]:  # fmt: skip
    """Flies the hazardous pieces of all samples that broke up; a sample one of whose pieces fails is not down."""
    some = [Some.of(i, one) for i, one in enumerate(drawn) if parents.reached[i]]
    if not some:
        return np.zeros(len(drawn), bool), visit_files.joined([])
    flying = Some(*(np.concatenate([getattr(one, each.name) for one in some]) for each in fields(Some)))
    released = parents.states[flying.row]
    released[:, 3:] += 1e-3 * flying.delta_v_m_s
    nodes, bands = nodes_of(scenario)
    top = parents.break_up_km[flying.row]
    levels = np.minimum(nodes, top[:, None] - _CLEARANCE_KM)
    flown = entry.fly(
        released, flying.pieces(), levels, air, profile=flying.row, rtol=TOLERANCE, atol=TOLERANCE, max_s=LONGEST_S,
        threads=threads,
    )  # fmt: skip
    lat, lon = _places(released)
    start_s = parents.break_up_s[flying.row][:, None]
    stays = regions.stays(
        start_s + np.column_stack([np.zeros(len(top)), flown.seconds]),
        np.column_stack([lat, flown.lat_deg]),
        np.column_stack([lon, flown.lon_deg]),
        level_fl(np.column_stack([top, levels])),
        1 + flown.reached.sum(axis=1, dtype=np.int32),
        bands,
        threads,
    )
    down = parents.reached.copy()
    down[flying.row[flown.broken]] = False
    return down, _visits(flying, stays, down)


@dataclass(frozen=True, slots=True)
class Some:
    """Hazardous pieces that may come through, of many samples: row of the sample and number within it."""

    row: Array
    piece: Array
    kind: Array
    shape: Array
    mass_kg: Array
    area_m2: Array
    length_m: Array
    survival: Array
    delta_v_m_s: Array

    @staticmethod
    def of(row: int, drawn: Fragments) -> "Some":
        kept = np.flatnonzero(drawn.hazardous & (drawn.survival > 0.0))
        return Some(
            np.full(len(kept), row), kept, drawn.kind[kept], drawn.shape[kept], drawn.mass_kg[kept],
            drawn.area_m2[kept], drawn.length_m[kept], drawn.survival[kept], drawn.delta_v_m_s[kept],
        )  # fmt: skip

    def pieces(self) -> entry.Pieces:
        return entry.Pieces(self.mass_kg / self.area_m2, self.length_m, self.shape)


def nodes_of(scenario: Scenario) -> tuple[Array, Array]:
    """Altitudes of the nodes below the release, km, and the node at which each band starts, the release being 0."""
    edges = np.array([entry.flight_level_km(level) for level in scenario.band_edges_fl])
    above = np.array([alt for alt in _NODES_KM if alt > edges[0]])
    return np.concatenate([above, edges]), np.r_[0, 1 + len(above) + np.arange(len(edges))].astype(np.int32)


def level_fl(alt_km: Array) -> Array:
    """Undoes entry.flight_level_km."""
    return us76.RADIUS_KM * alt_km / (us76.RADIUS_KM + alt_km) / entry.FOOT_KM / 100.0


def _places(states: Array) -> tuple[Array, Array]:
    lat, lon, _ = itrf_to_geodetic_each(np.ascontiguousarray(states[:, :3].T))
    return np.degrees(lat), np.degrees(lon)


def _visits(flying: Some, stays: Stays, down: Array) -> Visits:
    kept = down[flying.row[stays.piece]]
    of = flying.piece, flying.kind, flying.survival, flying.mass_kg, flying.area_m2
    stay = {name.name: getattr(stays, name.name)[kept] for name in fields(stays)}
    at = stay["piece"]
    piece, kind, survival, mass, area = (one[at] for one in of)
    seconds = stay["exit_s"] - stay["entry_s"]
    descent = (_alt_m(stay["entry_fl"]) - _alt_m(stay["exit_fl"])) / seconds
    return Visits(
        flying.row[at],
        piece.astype(np.int16),
        kind.astype(np.int16),
        stay["region"].astype(np.int16),
        stay["band"].astype(np.int8),
        stay["entry_s"],
        stay["exit_s"],
        *(stay[name].astype(np.float32) for name in ("entry_lat_deg", "entry_lon_deg", "exit_lat_deg", "exit_lon_deg")),
        *(stay[name].astype(np.float32) for name in ("entry_fl", "exit_fl")),
        *(one.astype(np.float32) for one in (descent, survival, mass, area)),
    )


def _alt_m(level: Array) -> Array:
    height = level * 100.0 * entry.FOOT_KM
    return 1e3 * us76.RADIUS_KM * height / (us76.RADIUS_KM - height)


def _nobody() -> Fallen:
    none = np.empty(0)
    parents = Parents(none.astype(bool), none, none, none, none, none, none, np.empty((0, 6)), np.empty((0, 0, 4)))
    return Fallen(parents, parents.reached, visit_files.joined([]))
