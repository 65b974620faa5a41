"""Density for drag from tables of NRLMSISE-00 gtd7d: slices each 3 h of universal time, driven by sensitivities.

A slice holds the logarithm of the density in kg/m3 over local solar time x latitude x geodetic altitude. It is read
cubic in altitude and linear in latitude, local time and universal time. Slices are made on reference drivers
(density_build.py); sensitivities say what each term of the drivers adds. The terms are of the flux f = F10.7 - F10.7a,
of a = F10.7a - reference, and of x, the magnetic activity: f, f^2, a, a^2, f a, eight hats of x (piecewise linear
between NODES), and x a, x f, x a^2. A whole table is driven once before a flight (density_days.py), and a sample's own
departure from those drivers is added on the way (`ln_departure`).

Kernels take km, degrees, hours and solar flux units, allocate nothing and never validate; the door is Table in
density_days.py.
"""

import math
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]
Array32 = np.ndarray[Any, np.dtype[np.float32]]
Places = np.ndarray[Any, np.dtype[np.uint64]]

SLOT_S = 10800.0
SLOTS = 8  # a day
# The read grid: altitude in three segments of even spacing, each with its own stencils; the last is optional.
BOTTOM_KM, MIDDLE_KM, UPPER_KM, TOP_KM = 60.0, 200.0, 400.0, 1000.0
LOW_STEP_KM, MIDDLE_STEP_KM, UPPER_STEP_KM = 2.0, 10.0, 25.0
LOW, MIDDLE, UPPER = 71, 21, 25
LATITUDES, HOURS = 37, 48
LAT_STEP_DEG, HOUR_STEP = 5.0, 0.5
# The grid of the sensitivities, read linear; latitude and local time as made, altitude in steps of the same segments.
TERMS = 16
SENSE_LATITUDES, SENSE_HOURS = 19, 12
SENSE_LAT_STEP_DEG, SENSE_HOUR_STEP = 10.0, 2.0
SENSE_LOW_STEP_KM, SENSE_MIDDLE_STEP_KM, SENSE_UPPER_STEP_KM = 5.0, 20.0, 50.0
SENSE_LOW, SENSE_MIDDLE, SENSE_UPPER = 29, 11, 13
QUIET_BELOW_KM = 80.0  # flux and ap have no established effect below
QUIET_FLUX_SFU = 150.0
# The activity's nodes but the reference's, as constant ap, and the places of the terms. Beyond the last node, 57 hours
# of a severe storm without a pause, the last piece runs on.
NODES = np.array([0.0, 8.0, 15.0, 30.0, 60.0, 120.0, 200.0, 300.0])
REFERENCE_AP = 4.0
HATS, CROSS = 5, 13

P24, P25 = 0.0866784, 0.158727  # the response of the exospheric temperature to ap, and its fading in 3 h
FADE = 0.6256054613560861

_BLOCK = 256
_ONE, _TWO, _THREE = np.uint64(1), np.uint64(2), np.uint64(3)  # unsigned places are read without a test for below zero


@njit(cache=True, error_model="numpy", nogil=True)
def effect(ap: float) -> float:
    """One ap to its effect x, eq. A24d of Hedin (1987); 0 at ap 4."""
    rise = ap - 4.0
    return rise + (P25 - 1.0) * (rise + (math.exp(-P24 * rise) - 1.0) / P24)


@njit(cache=True, error_model="numpy", nogil=True)
def activity(row: Array) -> float:
    """The effect x of the ap history of a row of weather.Drivers, eq. A24a normed so that constant ap gives its own."""
    f2 = FADE * FADE
    f4 = f2 * f2
    f8 = f4 * f4
    late = (1.0 - f8) / (1.0 - FADE)
    total = effect(row[3]) + FADE * effect(row[4]) + f2 * effect(row[5]) + f2 * FADE * effect(row[6])
    total += late * (f4 * effect(row[7]) + f8 * f4 * effect(row[8]))
    return total * (1.0 - FADE) / (1.0 - f8 * f8 * f4)


EFFECTS = np.array([effect(ap) for ap in NODES])


@njit(cache=True, error_model="numpy", nogil=True)
def cubic(s: float) -> tuple[float, float, float, float]:
    """Lagrange weights of four even nodes at s from the first."""
    a, b, c = s - 1.0, s - 2.0, s - 3.0
    return -a * b * c / 6.0, 0.5 * s * b * c, -0.5 * s * a * c, s * a * b / 6.0


@njit(cache=True, error_model="numpy", nogil=True)
def _altitude(alt_km: float) -> tuple[int, float]:
    """First node of the stencil of four, and the place from it in steps."""
    if alt_km < MIDDLE_KM:
        x, first, count = (alt_km - BOTTOM_KM) / LOW_STEP_KM, 0, LOW
    elif alt_km < UPPER_KM:
        x, first, count = (alt_km - MIDDLE_KM) / MIDDLE_STEP_KM, LOW, MIDDLE
    else:
        x, first, count = (alt_km - UPPER_KM) / UPPER_STEP_KM, LOW + MIDDLE, UPPER
    k = min(max(int(x) - 1, 0), count - 4)
    return first + k, x - k


@njit(cache=True, error_model="numpy", nogil=True)
def _column(slice_: Array32, hour: int, lat: int, k: int, w0: float, w1: float, w2: float, w3: float) -> float:
    column = slice_[hour, lat]
    return float(w0 * column[k] + w1 * column[k + 1] + w2 * column[k + 2] + w3 * column[k + 3])


@njit(cache=True, error_model="numpy", nogil=True)
def ln_base(base: Array32, slot: float, lat_deg: float, lst_h: float, alt_km: float) -> float:
    """Ln of the density, kg m-3, on the reference drivers.

    base: [slice, hour, latitude, altitude]. slot: 3-hour steps since the first slice, a fraction included.
    lst_h: local solar time, any turn. alt_km: geodetic, 60 to the table's top.
    """
    n = min(max(int(slot), 0), base.shape[0] - 2)
    late = slot - n
    y = (lat_deg + 90.0) / LAT_STEP_DEG
    j = min(max(int(y), 0), LATITUDES - 2)
    north = y - j
    x = lst_h / HOUR_STEP
    whole = math.floor(x)
    east = x - whole
    i = int(whole) % HOURS
    i1 = i + 1 if i + 1 < HOURS else 0
    k, s = _altitude(alt_km)
    w0, w1, w2, w3 = cubic(s)
    total = 0.0
    for m in range(2):
        one = base[n + m]
        west = _column(one, i, j, k, w0, w1, w2, w3) * (1.0 - north) + _column(one, i, j + 1, k, w0, w1, w2, w3) * north
        far = (
            _column(one, i1, j, k, w0, w1, w2, w3) * (1.0 - north) + _column(one, i1, j + 1, k, w0, w1, w2, w3) * north
        )
        total += (late if m else 1.0 - late) * (west + east * (far - west))
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def terms(f: float, a: float, x: float, out: Array) -> None:
    """The terms of drivers; f = F10.7 - F10.7a and a = F10.7a - the table's reference in sfu, x: see `activity`."""
    out[:] = 0.0
    out[0], out[1], out[2], out[3], out[4] = f, f * f, a, a * a, f * a
    out[CROSS], out[CROSS + 1], out[CROSS + 2] = x * a, x * f, x * a * a
    if x < 0.0:
        out[HATS] = x / EFFECTS[0]
    elif x < EFFECTS[1]:
        out[HATS + 1] = x / EFFECTS[1]
    else:
        q = 1
        while q < EFFECTS.shape[0] - 2 and x >= EFFECTS[q + 1]:
            q += 1
        s = (x - EFFECTS[q]) / (EFFECTS[q + 1] - EFFECTS[q])
        out[HATS + q], out[HATS + q + 1] = 1.0 - s, s


@njit(cache=True, error_model="numpy", nogil=True)
def _sense_altitude(alt_km: float) -> tuple[int, float]:
    """Node below and the fraction of the way to the next."""
    if alt_km < MIDDLE_KM:
        x, first, count = (alt_km - BOTTOM_KM) / SENSE_LOW_STEP_KM, 0, SENSE_LOW
    elif alt_km < UPPER_KM:
        x, first, count = (alt_km - MIDDLE_KM) / SENSE_MIDDLE_STEP_KM, SENSE_LOW, SENSE_MIDDLE
    else:
        x, first, count = (alt_km - UPPER_KM) / SENSE_UPPER_STEP_KM, SENSE_LOW + SENSE_MIDDLE, SENSE_UPPER
    k = min(max(int(x), 0), count - 2)
    return first + k, x - k


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc"})
def _dot(one: Array32, departure: Array32) -> float:
    total = np.float32(0.0)
    for k in range(TERMS):
        total += one[k] * departure[k]
    return float(total)


@njit(cache=True, error_model="numpy", nogil=True)
def ln_departure(sense: Array32, slot: float, lat_deg: float, lst_h: float, alt_km: float, departure: Array32) -> float:
    """What other drivers than those a table was driven by add to ln density.

    sense: [slice, hour, latitude, altitude, term] of density_days.Table.sense. departure: `terms` of the drivers less
    those driven by. Other arguments as of ln_base.
    """
    n = min(max(int(slot), 0), sense.shape[0] - 2)
    late = slot - n
    y = (lat_deg + 90.0) / SENSE_LAT_STEP_DEG
    j = min(max(int(y), 0), SENSE_LATITUDES - 2)
    north = y - j
    turn = lst_h / SENSE_HOUR_STEP
    whole = math.floor(turn)
    east = turn - whole
    i = int(whole) % SENSE_HOURS
    i1 = i + 1 if i + 1 < SENSE_HOURS else 0
    k, up = _sense_altitude(alt_km)
    total = 0.0
    for m in range(2):
        for e in range(2):
            hour = sense[n + m, i1 if e else i]
            share = (late if m else 1.0 - late) * (east if e else 1.0 - east)
            south = _dot(hour[j, k], departure) * (1.0 - up) + _dot(hour[j, k + 1], departure) * up
            far = _dot(hour[j + 1, k], departure) * (1.0 - up) + _dot(hour[j + 1, k + 1], departure) * up
            total += share * (south + north * (far - south))
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def ln_base_many(base: Array32, slot: Array, lat_deg: Array, lst_h: Array, alt_km: Array, out: Array) -> None:
    """ln_base of each point: places and weights of a block in loops without branches, then the reading."""
    flat, altitudes = base.reshape(-1), base.shape[3]
    west, east = np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64)
    weights, shares = np.empty((4, _BLOCK)), np.empty((3, _BLOCK))
    for start in range(0, out.shape[0], _BLOCK):
        count = min(_BLOCK, out.shape[0] - start)
        for n in range(count):
            p = start + n
            _placed(n, base.shape[0], altitudes, slot[p], lat_deg[p], lst_h[p], alt_km[p], west, east, weights, shares)
        for n in range(count):
            out[start + n] = _read(n, flat, np.uint64(altitudes), west, east, weights, shares)


@njit(cache=True, error_model="numpy", nogil=True)
def _placed(
    n: int,
    slices: int,
    altitudes: int,
    slot: float,
    lat_deg: float,
    lst_h: float,
    alt_km: float,
    west: Places,
    east: Places,
    weights: Array,
    shares: Array,
) -> None:
    """Places in the flat table of the stencil west and east of a point, weights of its four, shares of its sides."""
    m = min(max(int(slot), 0), slices - 2)
    y = (lat_deg + 90.0) * (1.0 / LAT_STEP_DEG)
    j = min(max(int(y), 0), LATITUDES - 2)
    turn = lst_h * (1.0 / 24.0)
    x = (turn - math.floor(turn)) * HOURS
    i = min(int(x), HOURS - 1)
    k, s = _altitude(alt_km)
    weights[0, n], weights[1, n], weights[2, n], weights[3, n] = cubic(s)
    shares[0, n], shares[1, n], shares[2, n] = slot - m, y - j, x - i
    first = (m * HOURS * LATITUDES + j) * altitudes + k
    west[n] = first + i * LATITUDES * altitudes
    east[n] = first + (i + 1 if i + 1 < HOURS else 0) * LATITUDES * altitudes


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _read(n: int, flat: Array32, row: Any, west: Places, east: Places, weights: Array, shares: Array) -> float:
    w0, w1, w2, w3 = weights[0, n], weights[1, n], weights[2, n], weights[3, n]
    late, north, far = shares[0, n], shares[1, n], shares[2, n]
    total = 0.0
    for m in range(2):
        a = west[n] + np.uint64(m * HOURS * LATITUDES) * row
        b = east[n] + np.uint64(m * HOURS * LATITUDES) * row
        sw = w0 * flat[a] + w1 * flat[a + _ONE] + w2 * flat[a + _TWO] + w3 * flat[a + _THREE]
        se = w0 * flat[b] + w1 * flat[b + _ONE] + w2 * flat[b + _TWO] + w3 * flat[b + _THREE]
        a += row
        b += row
        nw = w0 * flat[a] + w1 * flat[a + _ONE] + w2 * flat[a + _TWO] + w3 * flat[a + _THREE]
        ne = w0 * flat[b] + w1 * flat[b + _ONE] + w2 * flat[b + _TWO] + w3 * flat[b + _THREE]
        left, right = sw + north * (nw - sw), se + north * (ne - se)
        total += (late if m else 1.0 - late) * (left + far * (right - left))
    return total
