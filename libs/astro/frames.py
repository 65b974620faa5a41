"""Frames of SGP4, the Earth and the sky. Positions in km, velocities in km/s, angles in rad, times UTC.

TEME of date -> PEF by Greenwich mean sidereal time (1982) of UT1 -> ITRF by polar motion: Vallado et al., AIAA
2006-6753, appendix C. GCRF <-> ITRF by IAU 2006/2000A with the origin locators: IERS Conventions (2010), chapter 5.
Geodetic coordinates are those of WGS-84. States of n times are (6, n): x, y, z, then velocities, each in a row.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from libs.astro import iau2006
from libs.astro.earth import IERS_SPIN_RAD_S, WGS84_E2, WGS84_RADIUS_KM
from libs.astro.eop import EarthOrientation
from libs.astro.sincos import FAST, sincos
from libs.astro.time import DAY_S, DAYS_IN_CENTURY, J2000_JD, MJD_0_JD, gmst82_rad, gmst82_turns, utc_to_tt

Array = np.ndarray[Any, np.dtype[np.float64]]

_TILE = 256
_TWO_PI = 2.0 * math.pi


@dataclass(frozen=True, slots=True)
class EarthTurn:
    """The Earth's attitude in TEME at n times: sidereal time of 1982 (n,), pole (n,) and (n,), all rad."""

    gmst_rad: Array
    xp_rad: Array
    yp_rad: Array


def earth_turn(jd: Array, fraction: Array, orientation: EarthOrientation) -> EarthTurn:
    """At n UTC times, to be shared by any number of objects; raises eop.OutsideOrientation."""
    ut1_utc, xp, yp = orientation.at_many(jd, fraction)
    return EarthTurn(_TWO_PI * (gmst82_turns(jd - J2000_JD, fraction + ut1_utc / DAY_S) % 1.0), xp, yp)


@njit(cache=True, error_model="numpy")
def teme_to_pef(r_km: Array, v_km_s: Array, gmst_rad: float) -> tuple[Array, Array]:
    """State (3,), (3,) on the pseudo-Earth-fixed axes, the velocity seen from them (rate taken as constant, 1e-8)."""
    c, s = math.cos(gmst_rad), math.sin(gmst_rad)
    r, v = np.empty(3), np.empty(3)
    r[0], r[1], r[2] = c * r_km[0] + s * r_km[1], -s * r_km[0] + c * r_km[1], r_km[2]
    v[0] = c * v_km_s[0] + s * v_km_s[1] + IERS_SPIN_RAD_S * r[1]
    v[1] = -s * v_km_s[0] + c * v_km_s[1] - IERS_SPIN_RAD_S * r[0]
    v[2] = v_km_s[2]
    return r, v


@njit(cache=True, error_model="numpy")
def teme_to_itrf(
    r_km: Array, v_km_s: Array, jd: float, fraction: float, ut1_utc_s: float, xp_rad: float, yp_rad: float
) -> tuple[Array, Array]:
    """State (3,), (3,) in ITRF at a UTC epoch."""
    r, v = teme_to_pef(r_km, v_km_s, gmst82_rad(jd, fraction + ut1_utc_s / DAY_S))
    xp, yp = np.full(1, xp_rad), np.full(1, yp_rad)
    polar_motion(xp, yp, r[0:1], r[1:2], r[2:3])
    polar_motion(xp, yp, v[0:1], v[1:2], v[2:3])
    return r, v


@njit(cache=True, error_model="numpy", fastmath=FAST)
def polar_motion(xp_rad: Array, yp_rad: Array, x: Array, y: Array, z: Array) -> None:
    """From PEF to ITRF, in place, of n vectors x, y, z with the pole at (xp, yp) (n,): to third order, 1e-15."""
    for j in range(xp_rad.size):
        xp, yp = xp_rad[j], yp_rad[j]
        cx, cy = 1.0 - 0.5 * xp * xp, 1.0 - 0.5 * yp * yp
        tilted = yp * y[j] + cy * z[j]
        x[j], y[j], z[j] = cx * x[j] + xp * tilted, cy * y[j] - yp * z[j], cx * tilted - xp * x[j]


def teme_to_itrf_each(
    states: Array,
    jd: Array,
    fraction: Array,
    orientation: EarthOrientation,
    *,
    threads: int = 1,
    out: Array | None = None,
) -> Array:
    """ITRF states (6, n) of TEME states (6, n), each at its own UTC time; fills out where it is given.

    Raises eop.OutsideOrientation for the first time outside the file, ValueError for other shapes and infinite states.
    A state that is not a number, as SGP4 gives beside an error, is none after it either. Within 1e-8 km of erfa's
    gmst82 and pom00.
    """
    orientation.check(jd, fraction)
    states = _columns(states, 6, jd)
    out = _room(states, out)
    since_mjd = orientation.first_mjd + MJD_0_JD

    def run(part: slice) -> None:
        _refuse_infinite(states[:, part])
        _teme_to_itrf_each(states[:, part], jd[part], fraction[part], since_mjd, orientation.days, out[:, part])

    _spread(run, jd.size, threads)
    return out


def _columns(states: Array, rows: int, times: Array | None = None) -> Array:
    """The states as float64; the kernels would read beyond those of another shape."""
    found = np.asarray(states, dtype=np.float64)
    if found.ndim != 2 or len(found) != rows or (times is not None and times.shape != found.shape[1:]):
        wanted = "n" if times is None else f"{np.size(times)}), a column for each of as many times"
        raise ValueError(f"states or positions must be ({rows}, {wanted}), not {found.shape}; transpose rows of them")
    return found


def _refuse_infinite(states: Array) -> None:
    if np.isinf(states).any():
        raise ValueError("a state or position is infinite; mend it, or mark what is not known as not a number")


def _room(states: Array, out: Array | None) -> Array:
    if out is None:
        return np.empty(states.shape)
    if out.shape != states.shape or out.dtype != np.float64 or not out.flags.writeable:
        raise ValueError(f"out must be writable float64 of shape {states.shape}, not {out.dtype} of {out.shape}")
    return out


def _spread(run: Callable[[slice], None], count: int, threads: int) -> None:
    """Parts of whole tiles to as many threads; the kernels hold no lock while they run."""
    size = max(_TILE, math.ceil(count / max(1, threads) / _TILE) * _TILE)
    parts = [slice(first, min(first + size, count)) for first in range(0, count, size)]
    if len(parts) <= 1:
        run(slice(0, count))
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, parts))


@njit(cache=True, error_model="numpy", nogil=True)
def _teme_to_itrf_each(states: Array, jd: Array, fraction: Array, first_jd: float, days: Array, out: Array) -> None:
    found = np.empty(3 * _TILE)
    for first in range(0, jd.size, _TILE):
        last = min(first + _TILE, jd.size)
        _look_up(jd[first:last], fraction[first:last], first_jd, days, found)
        _turn(jd[first:last], fraction[first:last], found, states[:, first:last], out[:, first:last])


@njit(cache=True, error_model="numpy")
def _look_up(jd: Array, fraction: Array, first_jd: float, days: Array, found: Array) -> None:
    """UT1 - UTC in days and the pole of up to _TILE times, one after the other in found."""
    last = days.shape[0] - 1
    for j in range(jd.size):
        since = (jd[j] - first_jd) + fraction[j]
        k = min(int(since), last)
        part = since - k
        found[j] = (days[k, 0] + part * days[k, 1]) * (1.0 / DAY_S)
        found[_TILE + j] = days[k, 2] + part * days[k, 3]
        found[2 * _TILE + j] = days[k, 4] + part * days[k, 5]


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _turn(jd: Array, fraction: Array, found: Array, states: Array, out: Array) -> None:
    x, y, z, vx, vy, vz = states[0], states[1], states[2], states[3], states[4], states[5]
    o0, o1, o2, o3, o4, o5 = out[0], out[1], out[2], out[3], out[4], out[5]
    for j in range(min(jd.size, _TILE)):
        turns = gmst82_turns(jd[j] - J2000_JD, fraction[j] + found[j])
        s, c = sincos(_TWO_PI * (turns - math.floor(turns)))
        xp, yp = found[_TILE + j], found[2 * _TILE + j]
        cx, cy = 1.0 - 0.5 * xp * xp, 1.0 - 0.5 * yp * yp
        px, py = c * x[j] + s * y[j], c * y[j] - s * x[j]
        ux = c * vx[j] + s * vy[j] + IERS_SPIN_RAD_S * py
        uy = c * vy[j] - s * vx[j] - IERS_SPIN_RAD_S * px
        tilted, leaning = yp * py + cy * z[j], yp * uy + cy * vz[j]
        o0[j], o1[j], o2[j] = cx * px + xp * tilted, cy * py - yp * z[j], cx * tilted - xp * px
        o3[j], o4[j], o5[j] = cx * ux + xp * leaning, cy * uy - yp * vz[j], cx * leaning - xp * ux


def gcrf_to_tirf(jd: Array, fraction: Array, orientation: EarthOrientation) -> Array:
    """Rotations (n, 3, 3) from GCRF to the terrestrial intermediate frame at n UTC times (eq. 5.5 to 5.15).

    The frame turns about its z axis with the Earth; polar motion is what it lacks to ITRF.
    """
    ut1_utc, _, _ = orientation.at_many(jd, fraction)
    _, tt = utc_to_tt(jd, fraction)
    x, y, s = iau2006.pole_between(jd, tt)
    dx, dy = orientation.offsets_at(jd, fraction)
    x, y = x + dx, y + dy
    a = 1.0 / (1.0 + np.sqrt(1.0 - x * x - y * y))
    to_pole = _rows(
        (1.0 - a * x * x, -a * x * y, -x), (-a * x * y, 1.0 - a * y * y, -y), (x, y, 1.0 - a * (x * x + y * y))
    )
    return _about_z(_earth_rotation_angle(jd, fraction + ut1_utc / DAY_S) - s) @ to_pole


def _earth_rotation_angle(jd_ut1: Array, fraction: Array) -> Array:
    days = (jd_ut1 - J2000_JD) + fraction
    turns = (jd_ut1 - J2000_JD) % 1.0 + fraction + 0.7790572732640 + 0.00273781191135448 * days
    angle: Array = _TWO_PI * (turns % 1.0)
    return angle


def tirf_to_itrf(jd: Array, fraction: Array, orientation: EarthOrientation) -> Array:
    """Rotations (n, 3, 3) of polar motion, with the terrestrial origin locator s' (-47 microarcseconds a century)."""
    _, xp, yp = orientation.at_many(jd, fraction)
    sp = -47e-6 * math.pi / 648_000.0 * ((jd - J2000_JD) + fraction) / DAYS_IN_CENTURY
    cx, sx, cy, sy, zero = np.cos(xp), np.sin(xp), np.cos(yp), np.sin(yp), np.zeros_like(xp)
    return _rows((cx, sx * sy, sx * cy), (zero, cy, -sy), (-sx, cx * sy, cx * cy)) @ _about_z(sp)


def gcrf_to_itrf(states: Array, jd: Array, fraction: Array, orientation: EarthOrientation) -> Array:
    """ITRF states (6, n) of GCRF states (6, n), each at its own UTC time; the velocity is that seen from the Earth.

    Raises as teme_to_itrf_each does.
    """
    orientation.check(jd, fraction)
    states = _columns(states, 6, jd)
    _refuse_infinite(states)
    turn, pole = gcrf_to_tirf(jd, fraction, orientation), tirf_to_itrf(jd, fraction, orientation)
    r, v = _turned(turn, states[:3]), _turned(turn, states[3:])
    v[0] += IERS_SPIN_RAD_S * r[1]
    v[1] -= IERS_SPIN_RAD_S * r[0]
    return np.vstack([_turned(pole, r), _turned(pole, v)])


def itrf_to_gcrf(states: Array, jd: Array, fraction: Array, orientation: EarthOrientation) -> Array:
    """Undoes gcrf_to_itrf."""
    orientation.check(jd, fraction)
    states = _columns(states, 6, jd)
    _refuse_infinite(states)
    turn = gcrf_to_tirf(jd, fraction, orientation).transpose(0, 2, 1)
    pole = tirf_to_itrf(jd, fraction, orientation).transpose(0, 2, 1)
    r, v = _turned(pole, states[:3]), _turned(pole, states[3:])
    v[0] -= IERS_SPIN_RAD_S * r[1]
    v[1] += IERS_SPIN_RAD_S * r[0]
    return np.vstack([_turned(turn, r), _turned(turn, v)])


def teme_to_gcrf_each(states: Array, jd: Array, fraction: Array, orientation: EarthOrientation) -> Array:
    """GCRF states (6, n) of TEME states (6, n), each at its own UTC time, by way of ITRF."""
    return itrf_to_gcrf(teme_to_itrf_each(states, jd, fraction, orientation), jd, fraction, orientation)


def _rows(*rows: tuple[Array, Array, Array]) -> Array:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _about_z(angle: Array) -> Array:
    c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return _rows((c, s, zero), (-s, c, zero), (zero, zero, one))


def _turned(rotations: Array, vectors: Array) -> Array:
    turned: Array = np.einsum("nij,jn->in", rotations, vectors)
    return turned


@njit(cache=True, error_model="numpy")
def geodetic(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Latitude and longitude in rad, height in km, of an Earth-fixed point; good to 1e-9 km from -1000 km up."""
    p = math.sqrt(x * x + y * y)
    lat = math.atan2(z, p * (1.0 - WGS84_E2))
    n = WGS84_RADIUS_KM
    for _ in range(4):
        s = math.sin(lat)
        n = WGS84_RADIUS_KM / math.sqrt(1.0 - WGS84_E2 * s * s)
        lat = math.atan2(z + WGS84_E2 * n * s, p)
    s, c = math.sin(lat), math.cos(lat)
    n = WGS84_RADIUS_KM / math.sqrt(1.0 - WGS84_E2 * s * s)
    height = p * c + z * s - WGS84_RADIUS_KM * math.sqrt(1.0 - WGS84_E2 * s * s)
    return lat, math.atan2(y, x), height


@njit(cache=True, error_model="numpy")
def itrf_to_geodetic(r_km: Array) -> tuple[float, float, float]:
    """(latitude rad, longitude rad in (-pi, pi], height km) above WGS-84."""
    return geodetic(r_km[0], r_km[1], r_km[2])


@njit(cache=True, error_model="numpy")
def geodetic_to_itrf(lat_rad: float, lon_rad: float, height_km: float) -> Array:
    """Position (3,), km."""
    s, c = math.sin(lat_rad), math.cos(lat_rad)
    n = WGS84_RADIUS_KM / math.sqrt(1.0 - WGS84_E2 * s * s)
    r = np.empty(3)
    r[0] = (n + height_km) * c * math.cos(lon_rad)
    r[1] = (n + height_km) * c * math.sin(lon_rad)
    r[2] = (n * (1.0 - WGS84_E2) + height_km) * s
    return r


def itrf_to_geodetic_each(positions: Array, *, threads: int = 1, out: Array | None = None) -> Array:
    """Latitude and longitude in rad, height in km (3, n) above WGS-84 of positions (3, n); fills out where given.

    Raises ValueError for other shapes and infinite positions; one that is not a number has no place.
    """
    positions = _columns(positions, 3)
    out = _room(positions, out)

    def run(part: slice) -> None:
        _refuse_infinite(positions[:, part])
        _geodetic_each(positions[:, part], out[:, part])

    _spread(run, positions.shape[1], threads)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _geodetic_each(positions: Array, out: Array) -> None:
    for j in range(positions.shape[1]):
        out[0, j], out[1, j], out[2, j] = geodetic(positions[0, j], positions[1, j], positions[2, j])
