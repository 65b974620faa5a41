"""State and ballistic coefficient of a decaying object from its element sets, and the spread of what may be true.

Method "DC": SGP4 positions of the sets of the last 3 days are observations of a numerical trajectory, corrected
differentially with a memory that fades with the growth of the along-track error of drag. Units: km, s, m2/kg;
TEME of date. B = Cd A/m is fitted with this library's density model and absorbs its bias.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
from numba import njit

from libs.astro import decay, density, sgp4
from libs.astro.decay import Sky, place
from libs.astro.density import drag_density
from libs.astro.earth import GMST82_SPIN_RAD_S
from libs.astro.earth import IERS_SPIN_RAD_S as _SPIN_RAD_S
from libs.astro.earth import WGS72_MU_KM3_S2 as _MU_SGP4
from libs.astro.earth import WGS84_MU_KM3_S2 as _MU
from libs.astro.elements import ElementSet
from libs.astro.time import DAY_S as _DAY_S
from libs.astro.time import seconds_between
from libs.astro.weather import Drivers

Array = np.ndarray[Any, np.dtype[np.float64]]

HISTORY_DAYS = 20.0
HISTORY_SETS = 40
WINDOW_DAYS = 3.0
FIRST_WINDOW_DAYS = 0.6
LONG_WINDOW_DAYS = 10.0
LATE_AFTER_S = 1.5 * _DAY_S
OFFSETS = 4  # observations of a set: epoch - j P/4
SIGMA_KM = 1.0
DRAG_ERROR = 0.10
PRIOR_SIGMA_LN_B = 0.3
CREDIBLE_B = (2e-4, 1.0)  # m2/kg: below, thrust is the better explanation; above, no catalogued object is so light
SIGMA_A_KM = 1.0
SIGMA_LN_B, SIGMA_LN_B_STORM, SIGMA_LN_B_TWO_SETS, SIGMA_LN_B_ONE_SET = 0.10, 0.20, 0.20, 0.25
STORM_AP = 80.0
MAX_DAYS = 60.0
_GATE_KM = 15.0  # an object that sinks less than this in max_days is above its last days by far
_B_OF_BSTAR = 12.741621  # m2/kg per 1/earth radius
_SAME_EPOCH_S = 1.0
_EPOCH_AHEAD_DAYS = 1.0 / 24.0  # sets are published for a node soon to come
_ITERATIONS = 8
_LIMITS = (30.0, 0.03, 0.5)  # of one correction: km, km/s, ln B
_ENOUGH = (0.005, 5e-6, 5e-4)  # a correction below these ends the fit
_DIVERGED = (3.0, 3e-3, 0.05)  # a last correction above these is no fit
_STEPS = np.array([0.05, 0.05, 0.05, 5e-5, 5e-5, 5e-5, 0.01])  # of the differences: km, km/s, ln B


class TooHigh(Exception):
    """The object does not re-enter within the horizon."""


class PoorFit(Exception):
    """No trajectory with a credible ballistic coefficient explains the element sets."""


@dataclass(frozen=True, slots=True)
class Fit:
    """State at an epoch and ln B, with ln_b_late to be used from late_after_s on; sigmas are independent normals."""

    state: Array
    jd: float
    fr: float
    ln_b: float
    ln_b_late: float
    late_after_s: float
    sigma_ln_b: float
    sigma_a_km: float
    method: str
    sets_used: int


@dataclass(frozen=True, slots=True)
class Draws:
    ln_b: Array
    ln_b_late: Array
    states: Array


@dataclass(frozen=True, slots=True)
class _Set:
    """An element set ready to use; seconds are from the reference epoch."""

    elements: ElementSet
    record: Array
    at_s: float
    mean_motion_rad_s: float
    semi_major_axis_km: float

    def states(self, seconds: Array) -> tuple[Array, np.ndarray[Any, np.dtype[np.bool_]]]:
        r, v, error = sgp4.propagate(self.record, np.atleast_1d((seconds - self.at_s) / 60.0))
        return np.hstack([r, v]), np.asarray(error) == 0


def predict(elements: Sequence[ElementSet], drivers: Drivers, known_at_jd: float, max_days: float = MAX_DAYS) -> Fit:
    """Fits the sets, in order of publication and all known at known_at_jd, for a prediction of the re-entry.

    The drivers must start a day before the oldest set used (20 days, 40 sets) and end at the horizon.
    Raises TooHigh, PoorFit, and of the newest set sgp4.DeepSpace and sgp4.BadElements.
    """
    if not (known_at_jd < math.inf and max_days > 0.0):
        raise ValueError(
            f"known at JD {known_at_jd} and {max_days} days ahead are no time; give a Julian date and days"
        )
    known = [e for e in elements if e.epoch_jd + e.epoch_jd_fraction <= known_at_jd + _EPOCH_AHEAD_DAYS]
    if not known:
        raise PoorFit("no element set has an epoch before the time of knowledge; submit one that has")
    sets = _ready(known)
    newest = sets[-1].elements
    above = decay.sky(drivers, newest.epoch_jd, newest.epoch_jd_fraction)
    if above.since_s + sets[0].at_s < 0.0:
        raise ValueError("the drivers start after the oldest set used; make them from a day before it")
    horizon_days = min(max_days, above.end_s / _DAY_S)
    _gate(sets[-1], above, horizon_days)
    fit = _fit(sets, above)
    status, _, _ = decay.trajectory(
        fit.state.copy(), math.exp(fit.ln_b), math.exp(fit.ln_b_late), fit.late_after_s, horizon_days * _DAY_S, 80.0,
        decay.STEP_S, above.rows, above.days, above.since_s, above.gmst_rad, np.empty(0), np.empty((0, 6)),
    )  # fmt: skip
    if status == decay.ENDED:
        raise TooHigh(_too_high(horizon_days))
    if status == decay.BROKEN:
        raise PoorFit("the fitted trajectory breaks down numerically; wait for the next element set")
    return fit


def _too_high(days: float) -> str:
    return f"the object does not come down to 80 km within {days:.0f} days; predict again nearer its re-entry"


def _ready(elements: Sequence[ElementSet]) -> list[_Set]:
    """By epoch, of one epoch the last published, the newest 40 of 20 days; an older one SGP4 refuses is left out."""
    newest = max(elements, key=lambda e: e.epoch_jd + e.epoch_jd_fraction)
    jd, fr = newest.epoch_jd, newest.epoch_jd_fraction
    timed = sorted(
        ((seconds_between(jd, fr, e.epoch_jd, e.epoch_jd_fraction), n, e) for n, e in enumerate(elements)),
        key=lambda item: item[:2],
    )
    single: list[tuple[float, ElementSet]] = []
    for at_s, _, one in timed:
        if single and at_s - single[-1][0] < _SAME_EPOCH_S:
            single.pop()
        single.append((at_s, one))
    recent = [(at_s, one) for at_s, one in single if at_s >= -HISTORY_DAYS * _DAY_S][-HISTORY_SETS:]
    older = [ready for at_s, one in recent[:-1] if (ready := _try(one, at_s)) is not None]
    return [*older, _prepared(recent[-1][1], recent[-1][0])]


def _try(elements: ElementSet, at_s: float) -> _Set | None:
    try:
        return _prepared(elements, at_s)
    except (sgp4.DeepSpace, sgp4.BadElements):
        return None


def _prepared(elements: ElementSet, at_s: float) -> _Set:
    sgp4.refuse_deep_space(elements)
    record = sgp4.initialise(elements)
    kozai = elements.mean_motion_rev_day * 2.0 * math.pi / 1440.0
    inclination = math.radians(elements.inclination_deg)
    n = sgp4.unkozai_mean_motion_rad_min(kozai, elements.eccentricity, inclination) / 60.0
    return _Set(elements, record, at_s, n, (_MU_SGP4 / n**2) ** (1.0 / 3.0))


def _gate(last: _Set, above: Sky, horizon_days: float) -> None:
    """Refuses in milliseconds what sinks far too slowly, by its own rate or by its B* in today's atmosphere."""
    sinking = max(-_own_rate(last), 0.0)
    b = min(max(_B_OF_BSTAR * abs(last.elements.bstar_per_earth_radius), 1e-3), 0.1)
    sinking = max(sinking, -b * _mean_rate(last, above)) * _DAY_S
    if sinking * horizon_days < _GATE_KM:
        raise TooHigh(_too_high(horizon_days))


def _own_rate(one: _Set) -> float:
    """da/dt of the set's own mean motion rate, km/s."""
    rate = 2.0 * one.elements.mean_motion_dot_half_rev_day2 * 2.0 * math.pi / _DAY_S**2
    return -2.0 / 3.0 * one.semi_major_axis_km * rate / one.mean_motion_rad_s


def _mean_rate(one: _Set, above: Sky) -> float:
    """da/dt per unit of B over the last revolution before its epoch, km/s per m2/kg."""
    seconds = one.at_s - np.linspace(0.0, 5400.0, 91)
    states, good = one.states(seconds)
    if not good.any():
        raise PoorFit("SGP4 has no positions for the newest element set; wait for the next")
    return float(np.mean(_rates(states[good], seconds[good], above.rows, above.days, above.since_s, above.gmst_rad)))


@njit(cache=True, error_model="numpy", nogil=True)
def _rates(states: Array, seconds: Array, rows: Array, days: Array, since_s: float, gmst_rad: float) -> Array:
    """da/dt per unit of B, km/s per m2/kg, of each state."""
    work = np.empty(density.WORK_SIZE)
    rates = np.empty(states.shape[0])
    for i in range(states.shape[0]):
        x, y, z, vx, vy, vz = states[i]
        lat, lon, alt = place(x, y, z, gmst_rad + GMST82_SPIN_RAD_S * seconds[i])
        rho = drag_density(rows, days, since_s + seconds[i], lat, lon, max(alt, 60.0), work)
        rx, ry = vx + _SPIN_RAD_S * y, vy - _SPIN_RAD_S * x
        speed = math.sqrt(rx * rx + ry * ry + vz * vz)
        a = 1.0 / (2.0 / math.sqrt(x * x + y * y + z * z) - (vx * vx + vy * vy + vz * vz) / _MU)
        rates[i] = -1000.0 * a * a / _MU * rho * speed * (rx * vx + ry * vy + vz * vz)
    return rates


def _pairs(sets: Sequence[_Set], above: Sky, window_days: float) -> float | None:
    """B by a robust line of the semi-major axis over the drag integral; None from fewer than 3 sets."""
    chosen = [one for one in sets if one.at_s >= -window_days * _DAY_S]
    chosen = chosen if len(chosen) >= 3 else list(sets[-3:])
    if len(chosen) < 3:
        return None
    integral = np.concatenate([[0.0], np.cumsum([_between(*pair, above) for pair in pairwise(chosen)])])
    a = np.array([one.semi_major_axis_km for one in chosen])
    design = np.column_stack([np.ones_like(integral), integral])
    weight = np.ones(len(a))
    for _ in range(5):
        root = np.sqrt(weight)
        line = np.linalg.lstsq(design * root[:, None], a * root, rcond=None)[0]
        residual = np.abs(a - design @ line)
        scale = 1.4826 * np.median(residual) + 1e-3
        weight = np.minimum(1.0, 2.5 * scale / np.maximum(residual, 1e-9))
    return float(line[1])


def _between(one: _Set, other: _Set, above: Sky) -> float:
    """Integral of da/dt per unit of B between two epochs, along both ephemerides blended; km per m2/kg."""
    count = max(3, int((other.at_s - one.at_s) / 60.0) + 2)
    seconds = np.linspace(one.at_s, other.at_s, count)
    total, weights = np.zeros(count), np.zeros(count)
    for this, blend in ((one, np.linspace(1.0, 0.0, count)), (other, np.linspace(0.0, 1.0, count))):
        states, good = this.states(seconds)
        share = np.where(good, np.maximum(blend, 1e-9), 0.0)
        rates = _rates(
            np.where(good[:, None], states, states[np.argmax(good)]), seconds,
            above.rows, above.days, above.since_s, above.gmst_rad,
        )  # fmt: skip
        total += np.where(good, share * rates, 0.0)
        weights += share
    return float(np.trapezoid(total / np.maximum(weights, 1e-12), seconds))


@dataclass(slots=True)
class _Correction:
    """Observations and the state being corrected."""

    above: Sky
    seconds: Array  # descending
    positions: Array
    axes: Array  # radial, transverse, normal of each observation
    state: Array
    ln_b: float
    prior_ln_b: float
    fit_b: bool
    used: int = 0
    moved: Array = field(default_factory=lambda: np.full(7, np.inf))


def _fit(sets: Sequence[_Set], above: Sky) -> Fit:
    last = sets[-1]
    states, good = last.states(np.zeros(1))
    if not good[0]:
        raise PoorFit("SGP4 has no position at the epoch of the newest element set; wait for the next")
    b, source = _start_b(sets, above)
    sinking = abs(_mean_rate(last, above)) * b * _DAY_S
    single = len(sets) == 1
    correction = _observe(sets, above, states[0], math.log(b), 0.1 if single else WINDOW_DAYS, 8 if single else OFFSETS)
    correction.fit_b = not single
    windows = (0.1,) if single else (FIRST_WINDOW_DAYS, WINDOW_DAYS)
    for window in windows:
        _correct(correction, window, sinking, 8 if single else OFFSETS)
    b = math.exp(correction.ln_b)
    if not CREDIBLE_B[0] <= b <= CREDIBLE_B[1]:
        raise PoorFit(
            f"the sets give B = {b:.2e} m2/kg, outside {CREDIBLE_B[0]:g} to {CREDIBLE_B[1]:g}: "
            "a manoeuvre or a bad set is likelier; wait for the next sets"
        )
    long_b = _pairs(sets, above, LONG_WINDOW_DAYS) if len(sets) > 4 else None
    late = 0.5 * (correction.ln_b + math.log(long_b)) if long_b and long_b > CREDIBLE_B[0] else correction.ln_b
    return Fit(
        correction.state, last.elements.epoch_jd, last.elements.epoch_jd_fraction, correction.ln_b, late, LATE_AFTER_S,
        _sigma_ln_b(len(sets), above), SIGMA_A_KM, f"DC, B from {source}, {density.MODEL}", correction.used,
    )  # fmt: skip


def _start_b(sets: Sequence[_Set], above: Sky) -> tuple[float, str]:
    b = _pairs(sets, above, WINDOW_DAYS)
    if b is not None and 1e-4 < b < 0.5:
        return b, "pairs of sets"
    rate = _own_rate(sets[-1])
    b = rate / _mean_rate(sets[-1], above) if rate < 0.0 else 0.0
    if 1e-4 < b < 0.5:
        return b, "the newest set's mean motion rate"
    b = _B_OF_BSTAR * abs(sets[-1].elements.bstar_per_earth_radius)
    return min(max(b, 1e-3), 0.5), "B* of the newest set"


def _sigma_ln_b(count: int, above: Sky) -> float:
    if count < 3:
        return SIGMA_LN_B_ONE_SET if count == 1 else SIGMA_LN_B_TWO_SETS
    first = max(0, int((above.since_s - WINDOW_DAYS * _DAY_S) // density.ROW_S))
    return SIGMA_LN_B_STORM if float(above.rows[first:, 3].max()) > STORM_AP else SIGMA_LN_B


def _observe(
    sets: Sequence[_Set], above: Sky, state: Array, ln_b: float, window_days: float, offsets: int
) -> _Correction:
    seconds, states = zip(*_observations(sets, window_days, offsets), strict=True)
    order = np.argsort(-np.array(seconds), kind="stable")
    y = np.array(states)[order]
    used = sum(1 for one in sets if one.at_s >= -window_days * _DAY_S - 1.0)
    return _Correction(above, np.array(seconds)[order], y[:, :3], _axes(y), state, ln_b, ln_b, fit_b=True, used=used)


def _observations(sets: Sequence[_Set], window_days: float, offsets: int) -> Iterator[tuple[float, Array]]:
    for one in sets:
        if one.at_s < -window_days * _DAY_S - 1.0:
            continue
        period = 2.0 * math.pi / one.mean_motion_rad_s
        seconds = one.at_s - period * np.arange(offsets) / offsets
        states, good = one.states(seconds)
        yield from ((float(t), y) for t, y, ok in zip(seconds, states, good, strict=True) if ok)


def _axes(states: Array) -> Array:
    """Radial, transverse and normal unit vectors of each state, (n, 3, 3)."""
    radial = states[:, :3] / np.linalg.norm(states[:, :3], axis=1, keepdims=True)
    normal = np.cross(states[:, :3], states[:, 3:])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return np.stack([radial, np.cross(normal, radial), normal], axis=1)


def _correct(c: _Correction, window_days: float, sinking_km_day: float, offsets: int) -> None:
    """Gauss-Newton on the observations of the window (physics: sigma grows with tau as drag's error does)."""
    use = c.seconds >= -window_days * _DAY_S - 6000.0
    seconds, positions, axes = c.seconds[use], c.positions[use], c.axes[use]
    tau = -seconds / _DAY_S
    drift = sinking_km_day * DRAG_ERROR * tau
    sigma_t = np.sqrt(SIGMA_KM**2 + (0.75 * 102.0 * drift * tau) ** 2)
    sigma_r = np.sqrt((0.5 * SIGMA_KM) ** 2 + (0.3 * drift) ** 2)
    sigma = np.stack([sigma_r, sigma_t, np.full(len(tau), 0.5 * SIGMA_KM)], axis=1) * math.sqrt(offsets)
    count = 7 if c.fit_b else 6
    for _ in range(_ITERATIONS):
        flown = _flown(c.above, c.state, c.ln_b, seconds)
        residual = np.einsum("kij,kj->ki", axes, positions - flown) / sigma
        frame = _axes(c.state[None])[0]
        jacobian = np.empty((residual.size, count))
        for p in range(count):
            moved, ln_b = _moved(c.state, c.ln_b, frame, np.eye(7)[p] * _STEPS[p])
            change = _flown(c.above, moved, ln_b, seconds) - flown
            jacobian[:, p] = (np.einsum("kij,kj->ki", axes, change) / sigma / _STEPS[p]).ravel()
        root = np.sqrt(np.minimum(1.0, 3.0 / np.maximum(np.abs(residual), 1e-9))).ravel()
        design, right = jacobian * root[:, None], residual.ravel() * root
        if c.fit_b:
            design = np.vstack([design, np.eye(7)[6] / PRIOR_SIGMA_LN_B])
            right = np.append(right, (c.prior_ln_b - c.ln_b) / PRIOR_SIGMA_LN_B)
        c.moved = np.zeros(7)
        c.moved[:count] = np.linalg.lstsq(design, right, rcond=None)[0]
        c.moved *= min(1.0, *(limit / max(1e-9, size) for limit, size in zip(_LIMITS, _sizes(c.moved), strict=True)))
        c.state, c.ln_b = _moved(c.state, c.ln_b, frame, c.moved)
        if all(size < enough for size, enough in zip(_sizes(c.moved), _ENOUGH, strict=True)):
            return
    if any(size > limit for size, limit in zip(_sizes(c.moved), _DIVERGED, strict=True)):
        raise PoorFit("the correction of the newest state does not converge; wait for the next element set")


def _sizes(change: Array) -> tuple[float, float, float]:
    return float(np.abs(change[:3]).max()), float(np.abs(change[3:6]).max()), abs(float(change[6]))


def _moved(state: Array, ln_b: float, frame: Array, change: Array) -> tuple[Array, float]:
    return state + np.concatenate([frame.T @ change[:3], frame.T @ change[3:6]]), ln_b + float(change[6])


def _flown(above: Sky, state: Array, ln_b: float, seconds: Array) -> Array:
    """Positions of the trajectory through the state at the reference epoch, at earlier times."""
    b = math.exp(ln_b)
    states = np.full((len(seconds), 6), np.nan)
    _, _, written = decay.trajectory(
        state.copy(), b, b, math.inf, min(float(seconds[-1]), 0.0) - 1.0, 0.0, decay.STEP_S, above.rows, above.days,
        above.since_s, above.gmst_rad, seconds, states,
    )  # fmt: skip
    if written < len(seconds) or not np.isfinite(states).all():
        raise PoorFit("the trajectory through the newest element set breaks down; wait for the next")
    return states[:, :3]


_PLASTIC = 1.32471795724474602596  # of the R2 sequence: additive recurrence of low discrepancy in two dimensions


def draws(fit: Fit, count: int, seed: int) -> Draws:
    """Samples of the fit's normals; sample i depends on (seed, i) alone and not on count.

    ln B and the along-track spread are stratified by a low-discrepancy sequence whose origin is drawn from Philox
    keyed by the seed. The spread of the semi-major axis acts as a speed change mu da / (2 a^2 v). ValueError for a
    negative count.
    """
    if count < 0:
        raise ValueError(f"{count} samples cannot be drawn; give 0 or more")
    origin = np.random.Generator(np.random.Philox(key=seed & 0xFFFFFFFFFFFFFFFF)).random(2)
    steps = np.arange(1, count + 1)[:, None] * np.array([1.0 / _PLASTIC, 1.0 / _PLASTIC**2])
    normal = NormalDist().inv_cdf
    tiny = 2.0**-53
    z = np.array([[normal(min(max(u, tiny), 1.0 - tiny)) for u in pair] for pair in ((origin + steps) % 1.0).tolist()])
    z = z.reshape(count, 2)
    r, v = float(np.linalg.norm(fit.state[:3])), float(np.linalg.norm(fit.state[3:]))
    a = 1.0 / (2.0 / r - v * v / _MU)
    faster = _MU * fit.sigma_a_km * z[:, 1] / (2.0 * a * a * v)
    states = np.repeat(fit.state[None], count, axis=0)
    states[:, 3:] *= (1.0 + faster / v)[:, None]
    return Draws(fit.ln_b + fit.sigma_ln_b * z[:, 0], fit.ln_b_late + fit.sigma_ln_b * z[:, 0], states)
