"""Making of the tables of density_table.py from the model, in parts that run beside each other."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

from libs.astro import density_table as table
from libs.astro import nrlmsise00

Array = np.ndarray[Any, np.dtype[np.float64]]
Array32 = np.ndarray[Any, np.dtype[np.float32]]

MODEL_LATITUDES, MODEL_HOURS = 19, 24
_LN_SI = math.log(1000.0)  # kg m-3 in a g cm-3


def altitudes_km(top_km: float) -> Array:
    """The altitudes of a slice: 60 to 200 by 2, 200 to 400 by 10, 400 to 1000 by 25 km."""
    low = table.BOTTOM_KM + np.arange(table.LOW) * table.LOW_STEP_KM
    middle = table.MIDDLE_KM + np.arange(table.MIDDLE) * table.MIDDLE_STEP_KM
    upper = table.UPPER_KM + np.arange(table.UPPER) * table.UPPER_STEP_KM
    return np.concatenate([low, middle, upper] if top_km > table.UPPER_KM else [low, middle])


def sense_altitudes_km(top_km: float) -> Array:
    low = table.BOTTOM_KM + np.arange(table.SENSE_LOW) * table.SENSE_LOW_STEP_KM
    middle = table.MIDDLE_KM + np.arange(table.SENSE_MIDDLE) * table.SENSE_MIDDLE_STEP_KM
    upper = table.UPPER_KM + np.arange(table.SENSE_UPPER) * table.SENSE_UPPER_STEP_KM
    return np.concatenate([low, middle, upper] if top_km > table.UPPER_KM else [low, middle])


@njit(cache=True, error_model="numpy", nogil=True)
def ln_model(
    doy: float, ut_s: float, lat_deg: float, lst_h: float, altitudes: Array, f107a: float, f107: float, ap: float,
    work: Array, out: Array,
) -> None:
    """Ln of the density of a column, kg m-3, under constant ap."""
    history = work[: 7]
    history[:] = ap
    state = work[7 : 7 + nrlmsise00.WORK_SIZE]
    found = work[7 + nrlmsise00.WORK_SIZE :]
    for k in range(altitudes.shape[0]):
        nrlmsise00.gtd7(
            doy, ut_s, altitudes[k], lat_deg, 15.0 * lst_h - ut_s / 240.0, lst_h, f107a, f107, history, True, True,
            state, found,
        )  # fmt: skip
        out[k] = math.log(found[nrlmsise00.MASS]) + _LN_SI


WORK_SIZE = 7 + nrlmsise00.WORK_SIZE + nrlmsise00.OUT_SIZE


@njit(cache=True, error_model="numpy", nogil=True)
def _grid(
    doy: float, ut_s: float, hours: int, latitudes: int, altitudes: Array, f107a: float, f107: float, ap: float,
    out: Array,
) -> None:
    work = np.empty(WORK_SIZE)
    for i in range(hours):
        for j in range(latitudes):
            lat = -90.0 + 180.0 / (latitudes - 1) * j
            ln_model(doy, ut_s, lat, 24.0 / hours * i, altitudes, f107a, f107, ap, work, out[i, j])


def _between(count: int) -> Array:
    """Weights that double a grid along one axis: the values, and cubic ones half way, four points of the grid each."""
    weights = np.zeros((2 * count - 1, count))
    weights[::2] = np.eye(count)
    for k in range(count - 1):
        first = min(max(k - 1, 0), count - 4)
        weights[2 * k + 1, first : first + 4] = table._cubic(k + 0.5 - first)  # noqa: SLF001
    return weights


def slice_at(doy: float, ut_s: float, f107a: float, top_km: float) -> Array32:
    """Returns ln density [hour, latitude, altitude] at a universal time, on quiet drivers of a mean flux."""
    altitudes = altitudes_km(top_km)
    coarse = np.empty((MODEL_HOURS, MODEL_LATITUDES, len(altitudes)))
    _grid(doy, ut_s, MODEL_HOURS, MODEL_LATITUDES, altitudes, f107a, f107a, table.REFERENCE_AP, coarse)
    fine = np.einsum("pj,ijk->ipk", _between(MODEL_LATITUDES), coarse)
    whole = np.empty((table.HOURS, table.LATITUDES, len(altitudes)))
    whole[::2] = fine
    around = [np.roll(fine, shift, axis=0) for shift in (1, 0, -1, -2)]
    whole[1::2] = sum(weight * one for weight, one in zip(table._cubic(1.5), around, strict=True))  # noqa: SLF001
    return whole.astype(np.float32)


_FLUX = np.array([
    (40.0, 0.0), (-40.0, 0.0), (20.0, 0.0), (-20.0, 0.0), (0.0, 40.0), (0.0, -40.0), (0.0, 20.0), (0.0, -20.0),
    (25.0, 25.0), (25.0, -25.0), (-25.0, 25.0), (-25.0, -25.0),
])  # fmt: skip
_STORM = 60.0


def sensitivities(doy: float, f107a: float, top_km: float) -> Array32:
    """Returns the terms [hour, latitude, altitude, term] of a day, at its noon."""
    altitudes = sense_altitudes_km(top_km)
    shape = (table.SENSE_HOURS, table.SENSE_LATITUDES, len(altitudes))

    def at(f: float, a: float, ap: float) -> Array:
        out = np.empty(shape)
        _grid(doy, 43200.0, shape[0], shape[1], altitudes, f107a + a, f107a + a + f, ap, out)
        return out

    quiet = at(0.0, 0.0, table.REFERENCE_AP)
    terms = np.zeros((*shape, table.TERMS))
    f, a = _FLUX.T
    design = np.stack([f, f * f, a, a * a, f * a], axis=1)
    moved = np.stack([at(*point, table.REFERENCE_AP) - quiet for point in _FLUX])
    terms[..., : table.HATS] = np.einsum("tp,pijk->ijkt", np.linalg.pinv(design), moved)
    for k, ap in enumerate(table.NODES):
        terms[..., table.HATS + k] = at(0.0, 0.0, float(ap)) - quiet
    x = float(table.effect(_STORM))

    def crossed(f: float, a: float) -> Array:
        return at(f, a, _STORM) - at(f, a, table.REFERENCE_AP) - at(0.0, 0.0, _STORM) + quiet

    up, down, bright, dim = crossed(0.0, 30.0), crossed(0.0, -30.0), crossed(30.0, 0.0), crossed(-30.0, 0.0)
    terms[..., table.CROSS] = (up - down) / (60.0 * x)
    terms[..., table.CROSS + 1] = (bright - dim) / (60.0 * x)
    terms[..., table.CROSS + 2] = (up + down) / (1800.0 * x)
    return terms.astype(np.float32)


def in_threads(jobs: Sequence[Callable[[], Array32]], threads: int) -> list[Array32]:
    """Runs the jobs, whose kernels leave the interpreter free, and returns their results in order."""
    with ThreadPoolExecutor(max(1, threads)) as pool:
        return [done.result() for done in [pool.submit(job) for job in jobs]]
