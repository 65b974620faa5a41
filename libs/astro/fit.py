"""State and ballistic coefficient of a decaying object from its element sets.

Method "DC": docs/physics/prediction.md. Units: km, s, m2/kg; TEME of date. B = Cd A/m is fitted with this library's
density model and absorbs its bias.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import decay, decay_tables, density, density_days, density_table, fit_correction, manoeuvre
from libs.astro import fit_history as past
from libs.astro.decay import Sky
from libs.astro.decay_tables import Air
from libs.astro.density_kept import Kept
from libs.astro.earth import WGS84_RADIUS_KM
from libs.astro.elements import ElementSet
from libs.astro.fit_history import History
from libs.astro.fit_sets import DAY_S, HISTORY_DAYS, HISTORY_SETS, PoorFit, Ready, known, own_rate, ready
from libs.astro.weather import Drivers

__all__ = ["HISTORY_DAYS", "HISTORY_SETS", "MAX_DAYS", "Fit", "PoorFit", "TooHigh", "predict"]

Array = np.ndarray[Any, np.dtype[np.float64]]

WINDOW_DAYS = 3.0
FIRST_WINDOW_DAYS = 0.6
LONG_WINDOW_DAYS = 10.0
LATE_AFTER_S = 1.5 * DAY_S
OBSERVATIONS = 4  # of a set
OBSERVATIONS_ALONE = 8  # of a set that is the only one
CREDIBLE_B = (2e-4, 1.0)  # m2/kg: below, thrust is the better explanation; above, no catalogued object is so light
MAX_DAYS = 60.0
STORM_AP = 80.0
TABLE_SHARE = 1.6  # of the rough remaining life, that a table spans
_GATE_KM = 15.0  # an object that sinks less than this in max_days is above its last days by far
_STEP_KM = 1.0  # of the axis between two sets: more than drag does to what sinks slowly
_HEAVY_B = 2e-3  # m2/kg: few objects are heavier for their size
_B_OF_BSTAR = 12.741621  # m2/kg per 1/earth radius
_ROUGH_STEP_S = 120.0
_LIGHTER = 1.3  # B of the rough flight over the B of the start, so that the gate lets rather too much through


class TooHigh(Exception):
    """The object does not re-enter within the horizon."""


@dataclass(frozen=True, slots=True)
class Fit:
    """State at an epoch and ln B, with ln_b_late to be used from late_after_s on.

    history: of the sets used for B; air: the density flown through; life_s: rough, to 80 km.
    """

    state: Array
    jd: float
    fr: float
    ln_b: float
    ln_b_late: float
    late_after_s: float
    method: str
    sets_used: int
    set_count: int
    rms: float
    history: History
    above: Sky
    air: Air


def predict(
    elements: Sequence[ElementSet], drivers: Drivers, known_at_jd: float, tables: Kept, max_days: float = MAX_DAYS
) -> Fit:
    """Fits the sets, in order of publication and all known at known_at_jd, for a prediction of the re-entry.

    The drivers must start a day before the oldest set used (20 days, 40 sets) and end at the horizon.
    Raises TooHigh, PoorFit, manoeuvre.Thrusting, and of the newest set sgp4.DeepSpace and sgp4.BadElements.
    """
    if not (known_at_jd < math.inf and max_days > 0.0):
        raise ValueError(
            f"known at JD {known_at_jd} and {max_days} days ahead are no time; give a Julian date and days"
        )
    sets = ready(known(elements, known_at_jd))
    newest = sets[-1].elements
    above = decay.sky(drivers, newest.epoch_jd, newest.epoch_jd_fraction)
    if above.since_s + sets[0].at_s < 0.0:
        raise ValueError("the drivers start after the oldest set used; make them from a day before it")
    horizon_days = min(max_days, above.end_s / DAY_S)
    history = _sinking(sets, above, horizon_days)
    b, source = _start_b(sets, history, above)
    life_s = _rough_life_s(sets[-1], b, above, horizon_days)
    air = _air(sets, drivers, life_s, horizon_days, tables)
    return _fit(sets, history, above, air, b, source)


def stormy(above: Sky) -> bool:
    """Whether a 3-hour ap above 80 lies in the days of the fit, or is forecast."""
    first = max(0, int((above.since_s - WINDOW_DAYS * DAY_S) // density.ROW_S))
    return float(above.rows[first:, 3].max()) > STORM_AP


def too_high(days: float) -> str:
    return f"the object does not come down to 80 km within {days:.0f} days; predict again nearer its re-entry"


def _sinking(sets: Sequence[Ready], above: Sky, horizon_days: float) -> History:
    """The history of what sinks and does not steer.

    Refuses in milliseconds what sinks far too slowly, by its own rate or by its B* in today's atmosphere; but where
    the air would bring any object down, one that stays up is held up, and one that steps steers.
    """
    last, drag = sets[-1], -past.mean_rate(sets[-1], above) * DAY_S * horizon_days
    own = -own_rate(last) * DAY_S * horizon_days
    b = min(max(_B_OF_BSTAR * abs(last.elements.bstar_per_earth_radius), 1e-3), 0.1)
    slow = max(own, b * drag) < _GATE_KM
    steps = np.abs(np.diff([one.semi_major_axis_km for one in sets if one.at_s > -manoeuvre.LINE_DAYS * DAY_S]))
    if slow and _HEAVY_B * drag < _GATE_KM and not (steps > _STEP_KM).any():
        raise TooHigh(too_high(horizon_days))
    history = past.history(sets, above)
    manoeuvre.refuse(history, stormy=stormy(above))
    if slow:
        raise TooHigh(too_high(horizon_days))
    return history


def _start_b(sets: Sequence[Ready], history: History, above: Sky) -> tuple[float, str]:
    b = past.pairs(history, WINDOW_DAYS)
    if b is not None and 1e-4 < b < 0.5:
        return b, "pairs of sets"
    rate = own_rate(sets[-1])
    b = rate / past.mean_rate(sets[-1], above) if rate < 0.0 else 0.0
    if 1e-4 < b < 0.5:
        return b, "the newest set's mean motion rate"
    b = _B_OF_BSTAR * abs(sets[-1].elements.bstar_per_earth_radius)
    return min(max(b, 1e-3), 0.5), "B* of the newest set"


def _rough_life_s(last: Ready, b: float, above: Sky, horizon_days: float) -> float:
    states, good = last.states(np.zeros(1))
    if not good[0]:
        raise PoorFit("SGP4 has no position at the epoch of the newest element set; wait for the next")
    status, seconds, _ = decay.trajectory(
        states[0].copy(), _LIGHTER * b, _LIGHTER * b, math.inf, horizon_days * DAY_S, 80.0, _ROUGH_STEP_S, above.rows,
        above.days, above.since_s, above.gmst_rad, np.empty(0), np.empty((0, 6)),
    )  # fmt: skip
    if status == decay.ENDED:
        raise TooHigh(too_high(horizon_days))
    if status == decay.BROKEN:
        raise PoorFit("the trajectory of the newest set breaks down numerically; wait for the next element set")
    return seconds


def _air(sets: Sequence[Ready], drivers: Drivers, life_s: float, horizon_days: float, tables: Kept) -> Air:
    newest = sets[-1].elements
    mjd = (newest.epoch_jd - 2400000.5) + newest.epoch_jd_fraction
    used = [one for one in sets if one.at_s >= -WINDOW_DAYS * DAY_S - 1.0]
    first = math.floor(mjd + (used[0].at_s - used[0].period_s) / DAY_S)
    last = mjd + min(TABLE_SHARE * _LIGHTER * life_s / DAY_S + 0.3, horizon_days)
    apogee_km = max(one.semi_major_axis_km * (1.0 + one.elements.eccentricity) for one in used) - WGS84_RADIUS_KM + 30.0
    top_km = density_table.UPPER_KM if apogee_km < density_table.UPPER_KM else density_table.TOP_KM
    row = round((mjd - drivers.start_mjd) * 8.0)
    reference = density_days.reference_sfu(float(drivers.rows[min(max(row, 0), len(drivers.rows) - 1), 1]))
    table = tables.table(first, math.ceil(last) - first, reference, top_km)
    return decay_tables.air(table, drivers, newest.epoch_jd, newest.epoch_jd_fraction)


def _fit(sets: Sequence[Ready], history: History, above: Sky, air: Air, b: float, source: str) -> Fit:
    last = sets[-1]
    state, ln_b = last.states(np.zeros(1))[0][0], math.log(b)
    alone = len(sets) == 1
    sinking = abs(past.mean_rate(last, above)) * b * DAY_S
    seen = fit_correction.observe(sets, 0.1 if alone else WINDOW_DAYS, OBSERVATIONS_ALONE if alone else OBSERVATIONS)
    rms = 0.0
    for window in (0.1,) if alone else (FIRST_WINDOW_DAYS, WINDOW_DAYS):
        found = fit_correction.correct(
            seen, state, ln_b, math.log(b), air.world, sinking_km_day=sinking, window_days=window, fit_b=not alone
        )
        state, ln_b, rms = found.state, found.ln_b, found.rms
    if not CREDIBLE_B[0] <= math.exp(ln_b) <= CREDIBLE_B[1]:
        raise PoorFit(
            f"the sets give B = {math.exp(ln_b):.2e} m2/kg, outside {CREDIBLE_B[0]:g} to {CREDIBLE_B[1]:g}: "
            "a manoeuvre or a bad set is likelier; wait for the next sets"
        )
    long_b = past.pairs(history, LONG_WINDOW_DAYS) if len(sets) > 4 else None
    late = 0.5 * (ln_b + math.log(long_b)) if long_b and long_b > CREDIBLE_B[0] else ln_b
    return Fit(
        state, last.elements.epoch_jd, last.elements.epoch_jd_fraction, ln_b, late, LATE_AFTER_S,
        f"DC, B from {source}, {density.MODEL}", seen.sets, len(sets), rms, history, above, air,
    )  # fmt: skip
