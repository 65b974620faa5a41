"""How long a fit's object flies against changes of ln B and of the semi-major axis: what a calibration is fitted on.

A surface stands for the flights of samples in calibrating only; a prediction flies every sample.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import decay_tables, fit, fit_history, prediction
from libs.astro.density_kept import Kept
from libs.astro.earth import WGS84_MU_KM3_S2
from libs.astro.time import datetime_to_jd, seconds_between
from services.replay.corpus import Cut

Array = np.ndarray[Any, np.dtype[np.float64]]

CHANGES_LN_B = np.linspace(-0.8, 0.8, 33)
CHANGES_AXIS_KM = np.linspace(-1.5, 1.5, 5)
HORIZON_DAYS = 60.0


@dataclass(frozen=True, slots=True)
class Surface:
    """ln_life (axis, ln B): logarithm of the hours to 80 km, not a number where the sample stays up.

    stormy, set_count, long_arc: what the strata of a calibration ask.
    """

    catalogue_number: int
    cut_off: str
    pseudo: bool
    stormy: bool
    set_count: int
    long_arc: bool
    life_h: float
    nominal_h: float
    ln_life: Array


def surface(cut: Cut, tables: Kept) -> Surface:
    """Raises what fit.predict raises."""
    jd, fr = cut.at
    found = fit.predict(cut.known, cut.drivers(HORIZON_DAYS), jd + fr, tables)
    hours = np.array([_hours(found, change) for change in CHANGES_AXIS_KM])
    subject = cut.subject
    life_h = seconds_between(found.jd, found.fr, *datetime_to_jd(subject.truth)) / 3600.0
    middle = len(CHANGES_AXIS_KM) // 2, len(CHANGES_LN_B) // 2
    return Surface(
        subject.catalogue_number, cut.name, subject.pseudo, fit_history.stormy(found.above), found.set_count,
        found.long_arc, life_h, float(hours[middle]), np.log(hours),
    )  # fmt: skip


def _hours(found: fit.Fit, change_km: float) -> Array:
    r, v = float(np.linalg.norm(found.state[:3])), float(np.linalg.norm(found.state[3:]))
    a = 1.0 / (2.0 / r - v * v / WGS84_MU_KM3_S2)
    state = found.state.copy()
    state[3:] *= 1.0 + WGS84_MU_KM3_S2 * change_km / (2.0 * a * a * v * v)
    flown = decay_tables.lifetimes(
        np.repeat(state[None], len(CHANGES_LN_B), axis=0), found.ln_b + CHANGES_LN_B, found.air,
        ln_b_late=found.ln_b_late + CHANGES_LN_B, late_after_s=found.late_after_s,
        stop_altitude_km=prediction.REENTRY_ALTITUDE_KM, max_days=HORIZON_DAYS,
    )  # fmt: skip
    return np.where(flown.reached, flown.seconds, np.nan) / 3600.0


def of_life(one: Surface, life_h: float) -> tuple[Array, Array]:
    """For each change of axis the change of ln B that gives this life, and how far ln B moves with ln life.

    Beyond the surface straight on by the slope of its edge.
    """
    change, slope = np.empty(len(CHANGES_AXIS_KM)), np.empty(len(CHANGES_AXIS_KM))
    for k, row in enumerate(one.ln_life):
        lives, changes = row[::-1], CHANGES_LN_B[::-1]
        good = np.isfinite(lives)
        lives, changes = lives[good], changes[good]
        steep = -np.gradient(changes, lives)
        wanted = math.log(life_h)
        inside = min(max(wanted, float(lives[0])), float(lives[-1]))
        slope[k] = np.interp(wanted, lives, steep)
        change[k] = np.interp(inside, lives, changes) - slope[k] * (wanted - inside)
    return change, slope
