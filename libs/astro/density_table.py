"""Density for drag from tables of NRLMSISE-00 gtd7d: slices each 3 h of universal time, driven by sensitivities.

A slice holds the logarithm of the density in kg/m3 over local solar time x latitude x geodetic altitude. It is read
cubic in altitude and linear in latitude, local time and universal time. Slices are made on reference drivers
(density_build.py); sensitivities say what each term of the drivers adds. The terms are of the flux f = F10.7 - F10.7a,
of a = F10.7a - reference and of x, the magnetic activity: f, f^2, a, a^2, f a, eight hats of x (piecewise linear
between NODES), and w, w^2, w^3 of w = 1/T - 1/T(reference), T the mean exospheric temperature of the drivers, which
holds most of what they do together. A whole table is driven once before a flight (density_days.py), and a sample's own
departure from those drivers is added on the way (`ln_departure`).

Kernels take km, degrees, hours and solar flux units, allocate nothing and never validate; the door is Table in
density_days.py.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.nrlmsise00_variation import PT
from libs.astro.sincos import FAST

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
HATS, HEAT = 5, 13

# The exospheric temperature's response to ap, its fading in 3 h, and its mean over the globe.
P24, P25 = float(PT[24]), float(PT[25])
FADE = math.exp(-SLOT_S * abs(float(PT[51])))
_OF_FLUX, _OF_FLUX_BRIGHT, _OF_FLUX_2 = float(PT[19]), float(PT[19] * PT[59]), float(PT[20])
_OF_MEAN, _OF_MEAN_2 = float(PT[21]), float(PT[29])
_OF_ACTIVITY = float(PT[50]) * (1.0 - FADE**20) / (1.0 - FADE + (1.0 - FADE**19) * math.sqrt(FADE))

_BLOCK = 1024


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


EFFECTS = np.array([effect.py_func(ap) for ap in NODES])


@njit(cache=True, error_model="numpy", nogil=True)
def cubic(s: float) -> tuple[float, float, float, float]:
    """Lagrange weights of four even nodes at s from the first."""
    a, b, c = s - 1.0, s - 2.0, s - 3.0
    return -a * b * c / 6.0, 0.5 * s * b * c, -0.5 * s * a * c, s * a * b / 6.0


@njit(inline="always")
def _altitude(alt_km: float, altitudes: int) -> tuple[int, float]:
    """First node of the stencil of four, and the place from it in steps; without a branch."""
    low, middle = alt_km < MIDDLE_KM, alt_km < UPPER_KM or altitudes <= LOW + MIDDLE
    below = (alt_km - BOTTOM_KM) * (1.0 / LOW_STEP_KM)
    between = (alt_km - MIDDLE_KM) * (1.0 / MIDDLE_STEP_KM)
    above = (alt_km - UPPER_KM) * (1.0 / UPPER_STEP_KM)
    x = below if low else (between if middle else above)
    first = 0 if low else (LOW if middle else LOW + MIDDLE)
    count = LOW if low else (MIDDLE if middle else UPPER)
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
    k, s = _altitude(alt_km, base.shape[3])
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
def _heat(f: float, mean: float, x: float) -> float:
    """Mean exospheric temperature over its constant; mean = F10.7a."""
    bright = mean - QUIET_FLUX_SFU
    flux = f * (_OF_FLUX + _OF_FLUX_BRIGHT * bright + _OF_FLUX_2 * f)
    return 1.0 + flux + bright * (_OF_MEAN + _OF_MEAN_2 * bright) + _OF_ACTIVITY * x


@njit(cache=True, error_model="numpy", nogil=True)
def terms(f: float, a: float, x: float, reference_sfu: float, out: Array) -> None:
    """The terms of drivers; f = F10.7 - F10.7a and a = F10.7a - the table's reference in sfu, x: see `activity`."""
    out[:] = 0.0
    w = 1.0 / _heat(f, reference_sfu + a, x) - 1.0 / _heat(0.0, reference_sfu, 0.0)
    out[0], out[1], out[2], out[3], out[4] = f, f * f, a, a * a, f * a
    out[HEAT], out[HEAT + 1], out[HEAT + 2] = w, w * w, w * w * w
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


@njit(inline="always")
def locate(
    n: int,
    count: int,
    sizes: tuple[int, int],
    slot: float,
    lat_deg: float,
    lst_h: float,
    alt_km: float,
    places: Places,
    shares: Array,
) -> None:
    """Where point n of `count` is read by `read_located`: arguments as of ln_base; sizes: slices and altitudes.

    places (2 count,): of the stencils west and east, in a flat table, unsigned so that they are read without a test
    for below zero. shares (7 count,): how far late, north and east it is, and the weights of its four altitudes.
    """
    m = min(max(int(slot), 0), sizes[0] - 2)
    y = (lat_deg + 90.0) * (1.0 / LAT_STEP_DEG)
    j = min(max(int(y), 0), LATITUDES - 2)
    turn = lst_h * (1.0 / 24.0)
    x = (turn - math.floor(turn)) * HOURS
    i = min(max(int(x), 0), HOURS - 1)  # no number at all must not read beyond the table
    k, s = _altitude(alt_km, sizes[1])
    first = (m * HOURS * LATITUDES + j) * sizes[1] + k
    places[n] = np.uint64(first + i * LATITUDES * sizes[1])
    places[count + n] = np.uint64(first + (i + 1 if i + 1 < HOURS else 0) * LATITUDES * sizes[1])
    shares[n], shares[count + n], shares[2 * count + n] = slot - m, y - j, x - i
    shares[3 * count + n], shares[4 * count + n], shares[5 * count + n], shares[6 * count + n] = cubic(s)


@njit(inline="always")
def read_located(n: int, count: int, flat: Array32, row: np.uint64, places: Places, shares: Array) -> float:
    """Ln density at point n of `count` located: eight columns of four about it. row: number of altitudes."""
    late, north, far = shares[n], shares[count + n], shares[2 * count + n]
    early, south, near = 1.0 - late, 1.0 - north, 1.0 - far
    after = np.uint64(HOURS * LATITUDES) * row
    i, j = places[n], places[count + n]
    m, o = i + after, j + after
    p, q, r, s = early * south * near, early * north * near, early * south * far, early * north * far
    t, u, v, w = late * south * near, late * north * near, late * south * far, late * north * far
    total = 0.0
    for k in range(4):
        first = p * flat[i] + q * flat[i + row] + r * flat[j] + s * flat[j + row]
        second = t * flat[m] + u * flat[m + row] + v * flat[o] + w * flat[o + row]
        total += shares[(3 + k) * count + n] * (first + second)
        i, j, m, o = i + np.uint64(1), j + np.uint64(1), m + np.uint64(1), o + np.uint64(1)
    return total


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FAST)
def ln_base_many(base: Array32, slot: Array, lat_deg: Array, lst_h: Array, alt_km: Array, out: Array) -> None:
    """ln_base of each point: places and weights of a block in loops without branches, then the reading."""
    flat, sizes = base.reshape(-1), (base.shape[0], base.shape[3])
    places, shares = np.empty(2 * _BLOCK, np.uint64), np.empty(7 * _BLOCK)
    for start in range(0, out.shape[0], _BLOCK):
        count = min(_BLOCK, out.shape[0] - start)
        for n in range(count):
            p = start + n
            locate(n, _BLOCK, sizes, slot[p], lat_deg[p], lst_h[p], alt_km[p], places, shares)
        for n in range(count):
            out[start + n] = read_located(n, _BLOCK, flat, np.uint64(sizes[1]), places, shares)
