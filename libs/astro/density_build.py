"""Making of a day of density_table.py's slices and sensitivities from NRLMSISE-00, and the measure of their error.

A day depends on nothing but its day of the year, the reference flux and the top: it can be kept and used in any year.
What is made here is not checked; the door is density_days.make.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from libs.astro import density_table as table
from libs.astro import nrlmsise00

Array = np.ndarray[Any, np.dtype[np.float64]]
Array32 = np.ndarray[Any, np.dtype[np.float32]]

MODEL, MODEL_DAILY = "NRLMSISE-00 gtd7d, ap history", "NRLMSISE-00 gtd7d, daily ap"
VERSION = "1"  # of the recipe here; a change of any figure below, of the grids or of the model makes the next
MODEL_LATITUDES, MODEL_HOURS = 19, 24
SENSE_TIMES = 4  # of universal time a day, between which sensitivities run as harmonics
ERROR_POINTS = 400
_HISTORY = True  # of the ap, in the reference
_LN_SI = math.log(1000.0)  # kg m-3 in a g cm-3
_WORK_SIZE = nrlmsise00.WORK_SIZE + nrlmsise00.OUT_SIZE
# Drivers at which the terms are fitted: f and a, for a reference of 150 and in proportion to it, and constant ap.
_FLUXES = (
    (30.0, 0.0), (-30.0, 0.0), (60.0, 0.0), (0.0, 30.0), (0.0, -30.0), (0.0, 15.0),
    (20.0, 20.0), (20.0, -20.0), (-20.0, 20.0), (-20.0, -20.0),
)  # fmt: skip
_STORMS = ((0.0, 30.0), (0.0, -30.0), (30.0, 0.0), (-30.0, 0.0))
_DRIVERS = np.array([
    *((f, a, ap) for f, a in _FLUXES for ap in (table.REFERENCE_AP, 60.0)),
    *((0.0, 0.0, ap) for ap in table.NODES),
    *((f, a, 200.0) for f, a in _STORMS),
    (60.0, 30.0, 60.0),
    (60.0, 0.0, 200.0),
])  # fmt: skip
_LEAST_SHARE = 1e-6  # of the greatest singular value: the terms of w nearly follow from the others


@dataclass(frozen=True, slots=True)
class Error:
    """Of ln density, measured at `points` random places and times against the model.

    base: on reference drivers. driven: also with F10.7a within a fifth of the reference, F10.7 a tenth of it (1 sigma)
    about F10.7a, and constant ap 1 to 200, evenly in its logarithm.
    """

    points: int
    base_rms: float
    base_max: float
    driven_rms: float
    driven_max: float


def altitudes_km(top_km: float) -> Array:
    """The altitudes of a slice: 60 to 200 by 2, 200 to 400 by 10, 400 to 1000 by 25 km."""
    return np.concatenate([first + np.arange(count) * step for first, step, count, *_ in _segments(top_km)])


def sense_altitudes_km(top_km: float) -> Array:
    """Those of the sensitivities: by 5, 20 and 50 km."""
    return np.concatenate([first + np.arange(count) * step for first, *_, step, count in _segments(top_km)])


def _segments(top_km: float) -> list[tuple[float, float, int, float, int]]:
    t = table
    low = (t.BOTTOM_KM, t.LOW_STEP_KM, t.LOW, t.SENSE_LOW_STEP_KM, t.SENSE_LOW)
    middle = (t.MIDDLE_KM, t.MIDDLE_STEP_KM, t.MIDDLE, t.SENSE_MIDDLE_STEP_KM, t.SENSE_MIDDLE)
    upper = (t.UPPER_KM, t.UPPER_STEP_KM, t.UPPER, t.SENSE_UPPER_STEP_KM, t.SENSE_UPPER)
    return [low, middle, upper] if top_km > t.UPPER_KM else [low, middle]


@njit(cache=True, error_model="numpy", nogil=True)
def _grid(
    doy: float, ut_s: float, altitudes: Array, f107a: float, f107: float, constant_ap: float, history: bool, out: Array
) -> None:
    """Ln density of the model on a whole grid [hour, latitude, altitude]."""
    work, ap = np.empty(_WORK_SIZE), np.full(7, constant_ap)
    hours, latitudes = out.shape[0], out.shape[1]
    for i in range(hours):
        lst_h = 24.0 / hours * i
        lon_deg = 15.0 * lst_h - ut_s / 240.0
        for j in range(latitudes):
            lat_deg = -90.0 + 180.0 / (latitudes - 1) * j
            nrlmsise00.ln_density_column(
                doy, ut_s, altitudes, lat_deg, lon_deg, lst_h, f107a, f107, ap, history, work, out[i, j]
            )
            out[i, j] += _LN_SI


def around(count: int, made: int) -> Array:
    """Weights [made, count] by which a round of even values runs through `count` of them as harmonics."""
    spectrum = np.fft.rfft(np.eye(count), axis=0)
    return np.fft.irfft(spectrum, made, axis=0) * (made / count)


def along(count: int, step: float) -> Array:
    """Weights by which values along a line run cubic, four points each, to places `step` of their spacing apart."""
    places = np.arange(round((count - 1) / step) + 1) * step
    weights = np.zeros((len(places), count))
    for row, place in zip(weights, places, strict=True):
        first = min(max(int(place) - 1, 0), count - 4)
        row[first : first + 4] = table.cubic(place - first)
    return weights


def up(top_km: float) -> Array:
    """Weights from the altitudes of the sensitivities to those of a slice."""
    blocks = [along(count, fine / coarse) for _, fine, _, coarse, count in _segments(top_km)]
    whole = np.zeros((sum(len(block) for block in blocks), sum(block.shape[1] for block in blocks)))
    row = column = 0
    for block in blocks:
        whole[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    return whole


def slice_at(doy: float, ut_s: float, f107a: float, top_km: float) -> Array32:
    """Returns ln density [hour, latitude, altitude] at a universal time, at F10.7 = F10.7a and ap 4.

    At ap 4 its history and the daily value have no effect alike, so that both kinds of a day share their slices.
    """
    altitudes = altitudes_km(top_km)
    still = int(np.searchsorted(altitudes, table.QUIET_BELOW_KM, side="right"))
    parts = [np.empty((MODEL_HOURS, MODEL_LATITUDES, count)) for count in (still, len(altitudes) - still)]
    quiet = table.QUIET_FLUX_SFU
    _grid(doy, ut_s, altitudes[:still], quiet, quiet, table.REFERENCE_AP, _HISTORY, parts[0])
    _grid(doy, ut_s, altitudes[still:], f107a, f107a, table.REFERENCE_AP, _HISTORY, parts[1])
    coarse = np.concatenate(parts, axis=2)
    return spread(around(MODEL_HOURS, table.HOURS), along(MODEL_LATITUDES, 0.5), coarse).astype(np.float32)


def spread(hours: Array, latitudes: Array, coarse: Array) -> Array:
    """Runs a grid [.., hour, latitude, altitude] through more hours and latitudes by their weights."""
    turned = np.tensordot(coarse, hours, axes=(-3, 1))  # the hours come last
    return np.asarray(latitudes @ np.moveaxis(turned, -1, -3))


def sensitivities(doy: float, ut_s: float, f107a: float, top_km: float, *, daily_ap: bool = False) -> Array32:
    """Returns the terms [hour, latitude, altitude, term] at a universal time; daily_ap: see density_days.Day."""
    altitudes = sense_altitudes_km(top_km)
    still = int(np.searchsorted(altitudes, table.QUIET_BELOW_KM, side="right"))
    shape = (table.SENSE_HOURS, table.SENSE_LATITUDES, len(altitudes))

    def at(f: float, a: float, ap: float) -> Array:
        out = np.zeros(shape)
        above = np.empty((*shape[:2], len(altitudes) - still))
        _grid(doy, ut_s, altitudes[still:], f107a + a, f107a + a + f, ap, not daily_ap, above)
        out[..., still:] = above
        return out

    quiet = at(0.0, 0.0, table.REFERENCE_AP)
    drivers = _DRIVERS * (f107a / table.QUIET_FLUX_SFU, f107a / table.QUIET_FLUX_SFU, 1.0)
    moved = np.stack([at(*driver) - quiet for driver in drivers], axis=-1)
    return (moved @ _fit(drivers, f107a)).astype(np.float32)


def _fit(drivers: Array, reference_sfu: float) -> Array:
    """Weights [driver, term] that give the terms' coefficients from what the drivers do, by least squares."""
    design = np.empty((len(drivers), table.TERMS))
    for (f, a, ap), row in zip(drivers, design, strict=True):
        table.terms(f, a, table.effect(ap), reference_sfu, row)
    scale = np.abs(design).max(axis=0)
    return np.asarray((np.linalg.pinv(design / scale, rcond=_LEAST_SHARE) / scale[:, None]).T)


def in_threads(jobs: Sequence[Callable[[], Array32]], threads: int) -> list[Array32]:
    """Runs the jobs, whose kernels leave the interpreter free, and returns their results in order."""
    if threads <= 1:
        return [job() for job in jobs]
    with ThreadPoolExecutor(threads) as pool:
        return [done.result() for done in [pool.submit(job) for job in jobs]]


def by_slots(sense: Array32) -> Array32:
    """Sensitivities each 3 h from those at SENSE_TIMES of the day."""
    found: Array = np.einsum("st,t...->s...", around(SENSE_TIMES, table.SLOTS), sense)
    return found.astype(np.float32)


def measured(
    doy: float, f107a: float, top_km: float, base: Array32, sense: Array32, *, daily_ap: bool = False
) -> Error:
    """Returns the error of a day, slices and sensitivities [slot] as `table` reads them, between its first and last."""
    rng = np.random.default_rng(int(doy))
    count = ERROR_POINTS
    slot, alt = rng.uniform(0.0, len(base) - 1.0, count), rng.uniform(table.BOTTOM_KM, top_km, count)
    lat, lst = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count))), rng.uniform(0.0, 24.0, count)
    a, f = 0.2 * f107a * rng.uniform(-1.0, 1.0, count), 0.1 * f107a * np.clip(rng.normal(0.0, 1.0, count), -4.0, 4.0)
    ap = np.exp(rng.uniform(0.0, math.log(200.0), count))
    errors = np.empty((2, count))
    _errors(doy, f107a, not daily_ap, base, sense, slot, alt, lat, lst, a, f, ap, errors)
    (base_rms, driven_rms), (base_max, driven_max) = np.sqrt(np.mean(errors**2, axis=1)), np.abs(errors).max(axis=1)
    return Error(count, float(base_rms), float(base_max), float(driven_rms), float(driven_max))


@njit(cache=True, error_model="numpy", nogil=True)
def _errors(
    doy: float,
    reference: float,
    known_history: bool,
    base: Array32,
    sense: Array32,
    slot: Array,
    alt: Array,
    lat: Array,
    lst: Array,
    a: Array,
    f: Array,
    ap: Array,
    errors: Array,
) -> None:
    """Table less model, ln, on reference drivers and on others, into errors[0] and [1]."""
    work, history, column, found = np.empty(_WORK_SIZE), np.empty(7), np.empty(1), np.empty(1)
    terms, departure = np.empty(table.TERMS), np.empty(table.TERMS, np.float32)
    for n in range(slot.shape[0]):
        ut_s = slot[n] * table.SLOT_S
        lon = 15.0 * lst[n] - ut_s / 240.0
        column[0] = alt[n]
        read = table.ln_base(base, slot[n], lat[n], lst[n], alt[n])
        for driven in range(2):
            mean, flux, activity = reference + driven * a[n], reference + driven * (a[n] + f[n]), table.REFERENCE_AP
            if driven:
                activity = ap[n]
                table.terms(f[n], a[n], table.effect(ap[n]), reference, terms)
                for k in range(table.TERMS):
                    departure[k] = terms[k]
                read += table.ln_departure(sense, slot[n], lat[n], lst[n], alt[n], departure)
            if alt[n] < table.QUIET_BELOW_KM:
                mean, flux, activity = table.QUIET_FLUX_SFU, table.QUIET_FLUX_SFU, table.REFERENCE_AP
            history[:] = activity
            nrlmsise00.ln_density_column(
                doy, ut_s, column, lat[n], lon, lst[n], mean, flux, history, known_history, work, found
            )
            errors[driven, n] = read - found[0] - _LN_SI
