"""Density for drag from tables of NRLMSISE-00 gtd7d: one slice for each 3 h of universal time, driven by sensitivities.

A slice holds ln of the density in kg/m3 on reference drivers over local solar time x latitude x geodetic altitude. It is
read cubic in altitude and linear in latitude, local time and universal time. Beside the slices stand the
sensitivities, one block a day on a coarser grid: what each term of the drivers adds to the logarithm. The terms are of
the flux f = F10.7 - F10.7a, a = F10.7a - reference, and of x, the magnetic activity (`activity`): f, f^2, a, a^2, f a,
eight hats of x (piecewise linear between NODES), and x a, x f, x a^2.

Kernels take km, degrees, hours and solar flux units, allocate nothing and never validate; `Table.check` is the door.
"""

import math
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]
Array32 = np.ndarray[Any, np.dtype[np.float32]]

SLOT_S = 10800.0
SLOTS = 8  # a day
# The read grid: altitude in three segments of even spacing, each with its own stencils; the last is optional.
BOTTOM_KM, MIDDLE_KM, UPPER_KM, TOP_KM = 60.0, 200.0, 400.0, 1000.0
LOW_STEP_KM, MIDDLE_STEP_KM, UPPER_STEP_KM = 2.0, 10.0, 25.0
LOW, MIDDLE, UPPER = 71, 21, 25
LATITUDES, HOURS = 37, 48
LAT_STEP_DEG, HOUR_STEP = 5.0, 0.5
# The grid of the sensitivities.
TERMS = 16
SENSE_LOW_STEP_KM, SENSE_MIDDLE_STEP_KM, SENSE_UPPER_STEP_KM = 10.0, 20.0, 50.0
SENSE_LOW, SENSE_MIDDLE, SENSE_UPPER = 15, 11, 13
SENSE_LATITUDES, SENSE_HOURS = 19, 24
SENSE_LAT_STEP_DEG, SENSE_HOUR_STEP = 10.0, 1.0
# The activity's nodes but the reference's, as constant ap, and the places of the terms.
NODES = np.array([0.0, 8.0, 15.0, 30.0, 60.0, 120.0, 200.0, 300.0])
REFERENCE_AP = 4.0
HATS, CROSS = 5, 13

P24, P25 = 0.0866784, 0.158727  # the response of the exospheric temperature to ap, and its fading in 3 h
FADE = 0.6256054613560861


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
def _cubic(s: float) -> tuple[float, float, float, float]:
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


@njit(cache=True, error_model="numpy", nogil=True)
def _column(slice_: Array32, hour: int, lat: int, k: int, w0: float, w1: float, w2: float, w3: float) -> float:
    column = slice_[hour, lat]
    return w0 * column[k] + w1 * column[k + 1] + w2 * column[k + 2] + w3 * column[k + 3]


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
    w0, w1, w2, w3 = _cubic(s)
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
def _hat(x: float) -> tuple[int, float, int, float]:
    """Places of the two hats about x and their weights; the reference, which has no place, weighs nothing."""
    if x < 0.0:
        return HATS, min(x / EFFECTS[0], 1.0), HATS, 0.0
    if x < EFFECTS[1]:
        return HATS + 1, x / EFFECTS[1], HATS, 0.0
    q = 1
    while q < EFFECTS.shape[0] - 2 and x >= EFFECTS[q + 1]:
        q += 1
    s = (x - EFFECTS[q]) / (EFFECTS[q + 1] - EFFECTS[q])
    return HATS + q, 1.0 - s, HATS + q + 1, s


@njit(cache=True, error_model="numpy", nogil=True)
def _response(
    at: Array32, f: float, a: float, x: float, p: int, wp: float, q: int, wq: float
) -> float:
    """What the drivers add to ln density at one node."""
    flux = f * (at[0] + f * at[1] + a * at[4]) + a * (at[2] + a * at[3])
    return flux + wp * at[p] + wq * at[q] + x * (a * (at[CROSS] + a * at[CROSS + 2]) + f * at[CROSS + 1])


@njit(cache=True, error_model="numpy", nogil=True)
def ln_driven(
    sense: Array32, slot: float, lat_deg: float, lst_h: float, alt_km: float, f: float, a: float, x: float
) -> float:
    """What the drivers add to ln density.

    sense: [day, hour, latitude, altitude, term]. f = F10.7 - F10.7a, a = F10.7a - the table's reference, sfu; x: see
    `activity`.
    """
    day = sense[min(max(int(slot) // SLOTS, 0), sense.shape[0] - 1)]
    y = (lat_deg + 90.0) / SENSE_LAT_STEP_DEG
    j = min(max(int(y), 0), SENSE_LATITUDES - 2)
    north = y - j
    turn = lst_h / SENSE_HOUR_STEP
    whole = math.floor(turn)
    east = turn - whole
    i = int(whole) % SENSE_HOURS
    k, up = _sense_altitude(alt_km)
    p, wp, q, wq = _hat(x)
    total = 0.0
    for m in range(2):
        hour = day[i if m == 0 else (i + 1 if i + 1 < SENSE_HOURS else 0)]
        for n in range(2):
            column = hour[j + n]
            low = _response(column[k], f, a, x, p, wp, q, wq)
            high = _response(column[k + 1], f, a, x, p, wp, q, wq)
            total += (east if m else 1.0 - east) * (north if n else 1.0 - north) * (low + up * (high - low))
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def ln_density(
    base: Array32,
    sense: Array32,
    slot: float,
    lat_deg: float,
    lst_h: float,
    alt_km: float,
    f: float,
    a: float,
    x: float,
) -> float:
    """Ln of the density, kg m-3; arguments as of ln_base and ln_driven."""
    found = ln_base(base, slot, lat_deg, lst_h, alt_km)
    if f == 0.0 and a == 0.0 and x == 0.0:
        return found
    return found + ln_driven(sense, slot, lat_deg, lst_h, alt_km, f, a, x)


@njit(cache=True, error_model="numpy", nogil=True)
def ln_density_many(
    base: Array32,
    sense: Array32,
    slot: Array,
    lat_deg: Array,
    lst_h: Array,
    alt_km: Array,
    f: Array,
    a: Array,
    x: Array,
    out: Array,
) -> None:
    for n in range(out.shape[0]):
        out[n] = ln_density(base, sense, slot[n], lat_deg[n], lst_h[n], alt_km[n], f[n], a[n], x[n])
