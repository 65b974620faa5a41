"""State and ballistic coefficient of a decaying object from its element sets.

Method "DC": docs/physics/prediction.md. Units: km, s, m2/kg; TEME of date. B = Cd A/m is fitted with this library's
density model and absorbs its bias.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from libs.astro import (
    decay,
    decay_tables,
    density,
    density_days,
    density_table,
    fit_bad_sets,
    fit_correction,
    fit_long_arc,
    manoeuvre,
    window,
)
from libs.astro import fit_history as past
from libs.astro.decay import Sky
from libs.astro.decay_tables import Air
from libs.astro.density_kept import Kept
from libs.astro.earth import WGS84_MU_KM3_S2, WGS84_RADIUS_KM
from libs.astro.elements import ElementSet
from libs.astro.fit_history import History
from libs.astro.fit_sets import (
    DAY_S,
    HISTORY_DAYS,
    NEAR_DAYS,
    WINDOW_DAYS,
    NotSinking,
    PoorFit,
    Ready,
    TooFewSets,
    independent,
    known,
    own_rate,
    ready,
)
from libs.astro.time import seconds_between
from libs.astro.weather import Drivers

__all__ = ["MAX_DAYS", "Fit", "NotSinking", "PoorFit", "TooFewSets", "TooHigh", "predict"]

Array = np.ndarray[Any, np.dtype[np.float64]]

FIRST_WINDOW_DAYS = 0.6
LONG_WINDOW_DAYS = 10.0
LATE_AFTER_S = 1.5 * DAY_S
OBSERVATIONS = 4  # of a set
OBSERVATIONS_ALONE = 8  # of a set that is the only one
_START_B = (1e-4, 1.0)
LONG_ARC = "the decay since a set of months before"
CREDIBLE_B = (2e-4, 1.0)  # m2/kg: below, thrust is the better explanation; above, no catalogued object is so light
MAX_DAYS = 60.0
_MARGIN = 1.25  # of a table's span over the life of the slowest samples, for a rough life and weather to come
_GATE_KM = 15.0  # an object that sinks less than this in max_days is above its last days by far
_APOGEE_KM = 30.0  # of flights above the highest apogee of the sets
_STEP_KM = 1.0  # of the axis between two sets: more than drag does to what sinks slowly
_HEAVY_B = 2e-3  # m2/kg: few objects are heavier for their size
_B_OF_BSTAR = 12.741621  # m2/kg per 1/earth radius; for the gate alone
_ROUGH_STEP_S = 120.0
_LIGHTER = 1.3  # B of the rough flight over the B of the start, so that the gate lets rather too much through
_LEAST = 3  # sets, of which the newest can be left out
_ABSURD_RMS = 2.5  # of a fit with a bad set; of objects that fell, 1.8
_PLAIN_KM, _RISE_KM = 3.0, 1.0  # of the axis between the last two sets: from there on a bad newest is told from drag
_BAD, _BAD_KM, _BAD_SHARE = 3.0, 1.0, 0.15  # sigmas; of a set's axis, and of what drag does to it since the set before
_BAD_SHARE_FEW = 0.3  # where the sets before are fit_bad_sets.FEW or fewer


class TooHigh(Exception):
    """The object does not re-enter within the horizon."""


@dataclass(frozen=True, slots=True)
class Fit:
    """State at an epoch and ln B, with ln_b_late to be used from late_after_s on.

    set_count: sets of 20 days, half a revolution or more apart; left_out: sets that the others contradict.
    long_arc: B is that of the decay since a set months before; history: of the sets in which steering is sought; air:
    the density flown through; covariance: that of fit_correction.Corrected; sunk_km: by which the axis sank in the
    revolution before the epoch.
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
    long_arc: bool
    rms: float
    history: History
    above: Sky
    air: Air
    covariance: Array
    sunk_km: float
    left_out: int = 0


def predict(
    elements: Sequence[ElementSet], drivers: Drivers, known_at_jd: float, tables: Kept, max_days: float = MAX_DAYS
) -> Fit:
    """Fits the sets, in order of publication and all known at known_at_jd, for a prediction of the re-entry.

    The drivers must start a day before the oldest set used (fit_sets.chosen) and end at the horizon. A newest set that
    lies far from where the others bring the object is left out.
    Raises TooHigh, PoorFit, manoeuvre.Thrusting, and of the newest set sgp4.DeepSpace and sgp4.BadElements.
    """
    if not (known_at_jd < math.inf and max_days > 0.0):
        raise ValueError(
            f"known at JD {known_at_jd} and {max_days} days ahead are no time; give a Julian date and days"
        )
    every = ready(known(elements, known_at_jd))
    sets = fit_bad_sets.sound(every)
    found = _best(sets, drivers, tables, max_days)
    left_out = found.left_out + len(every) - len(sets)
    if left_out == 0:
        return found
    last = every[-1].elements
    newest = (found.jd, found.fr) == (last.epoch_jd, last.epoch_jd_fraction)
    told = f", {left_out} of {len(every)} sets left out{'' if newest else ', the newest among them'}"
    return replace(found, left_out=left_out, method=found.method + told)


def _best(sets: Sequence[Ready], drivers: Drivers, tables: Kept, max_days: float) -> Fit:
    """The fit to all, or to those before the newest where no fit explains it with them or it is astray from them."""
    if independent([one.at_s for one in sets]) < _LEAST:
        return _predict(sets, drivers, tables, max_days)
    try:
        found = _predict(sets, drivers, tables, max_days)
    except (NotSinking, TooFewSets):
        raise
    except PoorFit as poor:
        try:
            return _without_newest(sets, drivers, tables, max_days)
        except (TooHigh, PoorFit, manoeuvre.Thrusting):
            raise poor from None
    sunk_km = sets[-2].semi_major_axis_km - sets[-1].semi_major_axis_km
    if found.rms < _ABSURD_RMS and -_RISE_KM < sunk_km < _PLAIN_KM:
        return found
    try:
        before = _without_newest(sets, drivers, tables, max_days)
    except (TooHigh, PoorFit, manoeuvre.Thrusting):
        return found
    apart = found.rms > max(_ABSURD_RMS, 2.0 * before.rms)
    return before if apart or _astray(before, found, sets[-1]) else found


def _without_newest(sets: Sequence[Ready], drivers: Drivers, tables: Kept, max_days: float) -> Fit:
    found = _predict(ready([one.elements for one in sets[:-1]]), drivers, tables, max_days)
    return replace(found, left_out=found.left_out + 1)


def _astray(before: Fit, found: Fit, newest: Ready) -> bool:
    """Whether the newest set is higher or lower than the sets before it explain, by far more than they err."""
    days = seconds_between(before.jd, before.fr, found.jd, found.fr) / DAY_S
    flown = decay_tables.lifetimes(
        before.state[None], np.array([before.ln_b]), before.air, stop_altitude_km=80.0, max_days=days
    )
    if flown.reached[0] or flown.broken[0]:  # the newest set shows that it still flies
        return False
    there = newest.states(np.zeros(1))[0][0]
    sunk_km = _axis_km(before.state) - _axis_km(flown.states[0])
    share = _BAD_SHARE if before.set_count > fit_bad_sets.FEW else _BAD_SHARE_FEW
    sigma_km = math.hypot(_BAD_KM, share * sunk_km)
    return abs(_axis_km(there) - _axis_km(flown.states[0])) > _BAD * sigma_km


def _axis_km(state: Array) -> float:
    return float(1.0 / (2.0 / np.linalg.norm(state[:3]) - state[3:] @ state[3:] / WGS84_MU_KM3_S2))


def _predict(sets: Sequence[Ready], drivers: Drivers, tables: Kept, max_days: float) -> Fit:
    newest = sets[-1].elements
    above = decay.sky(drivers, newest.epoch_jd, newest.epoch_jd_fraction)
    if above.since_s + sets[0].at_s < 0.0:
        raise ValueError("the drivers start after the oldest set used; make them from a day before it")
    horizon_days = min(max_days, above.end_s / DAY_S)
    every = len(sets)
    sets, history = _sinking(sets, above, horizon_days)
    apogee_km, highest_km = _apogee_km(sets[-1]), density_table.TOP_KM - _APOGEE_KM
    if apogee_km > highest_km:
        raise TooHigh(
            f"its apogee of {apogee_km:.0f} km lies above the {highest_km:.0f} km up to which flights are computed; "
            "predict again when it has come down"
        )
    near = [one for one in sets if one.at_s >= -NEAR_DAYS * DAY_S]
    count = independent([one.at_s for one in near])
    b, source = _start_b(sets, near, history, above)
    life_s = _LIGHTER * _rough_life_s(sets[-1], b, above, horizon_days)
    wide = window.spread_of(window.calibration(), life_s, count, long_arc=source == LONG_ARC, stormy=past.stormy(above))
    air = _air(sets, drivers, _MARGIN * window.longest(wide) * life_s, horizon_days, tables)
    return replace(_fit(near, history, above, air, b, source), left_out=every - len(sets))


def _apogee_km(one: Ready) -> float:
    return one.semi_major_axis_km * (1.0 + one.elements.eccentricity) - WGS84_RADIUS_KM


def too_high(days: float) -> str:
    return f"the object does not come down to 80 km within {days:.0f} days; predict again nearer its re-entry"


def _sinking(sets: Sequence[Ready], above: Sky, horizon_days: float) -> tuple[Sequence[Ready], History]:
    """The sets of what sinks and does not steer, without bad ones, and their history.

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
    stormy = past.stormy(above)
    older = [one for one in sets if one.at_s < -HISTORY_DAYS * DAY_S]
    recent, history = fit_bad_sets.without_undone(sets[len(older) :], above, stormy=stormy)
    manoeuvre.refuse(history, stormy=stormy)
    if slow:
        raise TooHigh(too_high(horizon_days))
    return [*older, *recent], history


def _start_b(sets: Sequence[Ready], near: Sequence[Ready], history: History, above: Sky) -> tuple[float, str]:
    count = independent([one.at_s for one in near])
    b = past.pairs(history, WINDOW_DAYS) if count > 2 else None
    if b is not None and _START_B[0] < b < _START_B[1]:
        return b, "pairs of sets"
    if count == 1 and len(sets) > len(near):
        b = fit_long_arc.ballistic_coefficient(sets[0], sets[-1], above)
        if _START_B[0] < b < _START_B[1]:
            return b, LONG_ARC
    rate = own_rate(sets[-1])
    b = rate / past.mean_rate(sets[-1], above) if rate < 0.0 else 0.0
    if _START_B[0] < b < _START_B[1]:
        return b, "the newest set's mean motion rate"
    if b >= _START_B[1]:
        raise PoorFit(
            f"the newest set gives B = {b:.2f} m2/kg, more than that of any object: "
            "a manoeuvre or a bad set is likelier; wait for the next sets"
        )
    if count < 3:  # B* alone errs by more than the life
        raise TooFewSets(
            f"{count} element {'set is' if count == 1 else 'sets are'} known of the last {NEAR_DAYS:.0f} days, "
            "and no rate of decay by which to predict; wait for the next"
        )
    raise NotSinking(
        "the element sets of the last days give no drag at all, so nothing brings the object down by itself"
    )


def _rough_life_s(last: Ready, b: float, above: Sky, horizon_days: float) -> float:
    states, good = last.states(np.zeros(1))
    if not good[0]:
        raise PoorFit("SGP4 has no position at the epoch of the newest element set; wait for the next")
    status, seconds, _ = decay.trajectory(
        states[0].copy(), _LIGHTER * b, _LIGHTER * b, math.inf, horizon_days * DAY_S, 80.0, _ROUGH_STEP_S,
        above.rows, above.days, above.since_s, above.gmst_rad, np.empty(0), np.empty((0, 6)), turning=False,
    )  # fmt: skip
    if status == decay.ENDED:
        raise TooHigh(too_high(horizon_days))
    if status == decay.BROKEN:
        raise PoorFit("the trajectory of the newest set breaks down numerically; wait for the next element set")
    return seconds


def _air(sets: Sequence[Ready], drivers: Drivers, reach_s: float, horizon_days: float, tables: Kept) -> Air:
    """Density from the oldest set that is fitted to until reach_s after the newest."""
    newest = sets[-1].elements
    mjd = (newest.epoch_jd - 2400000.5) + newest.epoch_jd_fraction
    used = [one for one in sets if one.at_s >= -WINDOW_DAYS * DAY_S - 1.0]
    first = math.floor(mjd + (used[0].at_s - used[0].period_s) / DAY_S)
    last = mjd + min(reach_s / DAY_S + 0.3, horizon_days)
    apogee_km = max(map(_apogee_km, used)) + _APOGEE_KM
    top_km = density_table.UPPER_KM if apogee_km < density_table.UPPER_KM else density_table.TOP_KM
    row = round((mjd - drivers.start_mjd) * 8.0)
    reference = density_days.reference_sfu(float(drivers.rows[min(max(row, 0), len(drivers.rows) - 1), 1]))
    table = tables.table(first, math.ceil(last) - first, reference, top_km)
    return decay_tables.air(table, drivers, newest.epoch_jd, newest.epoch_jd_fraction)


def _fit(sets: Sequence[Ready], history: History, above: Sky, air: Air, b: float, source: str) -> Fit:
    last = sets[-1]
    state, ln_b = last.states(np.zeros(1))[0][0], math.log(b)
    count = independent([one.at_s for one in sets])
    alone = count == 1
    rate = abs(past.mean_rate(last, above))
    sinking = rate * b * DAY_S
    seen = fit_correction.observe(sets, 0.1 if alone else WINDOW_DAYS, OBSERVATIONS_ALONE if alone else OBSERVATIONS)
    rms, covariance = 0.0, np.zeros((7, 7))
    for days in (0.1,) if alone else (FIRST_WINDOW_DAYS, WINDOW_DAYS):
        found = fit_correction.correct(
            seen, state, ln_b, math.log(b), air.world, sinking_km_day=sinking, window_days=days, fit_b=not alone
        )
        state, ln_b, rms, covariance = found.state, found.ln_b, found.rms, found.covariance
    if math.exp(ln_b) < CREDIBLE_B[0]:
        raise NotSinking(
            f"the sets give B = {math.exp(ln_b):.2e} m2/kg, less than that of any object: something holds it up, or a "
            "set is bad; wait for the next sets"
        )
    if math.exp(ln_b) > CREDIBLE_B[1]:
        raise PoorFit(
            f"the sets give B = {math.exp(ln_b):.2e} m2/kg, more than that of any object: "
            "a manoeuvre or a bad set is likelier; wait for the next sets"
        )
    long_b = past.pairs(history, LONG_WINDOW_DAYS) if count > 4 else None
    late = 0.5 * (ln_b + math.log(long_b)) if long_b and long_b > CREDIBLE_B[0] else ln_b
    return Fit(
        state, last.elements.epoch_jd, last.elements.epoch_jd_fraction, ln_b, late, LATE_AFTER_S,
        f"DC, B from {source}, {density.MODEL}", seen.sets, count, source == LONG_ARC, rms, history, above, air,
        covariance, rate * math.exp(ln_b) * last.period_s,
    )  # fmt: skip
