"""Differential correction of a state and ln B on the positions SGP4 gives for the sets of the last days.

Gauss-Newton with a memory that fades with the growth of drag's along-track error: an error of the drag by a share d
moves an object tau days from the reference by 0.75 x 102 x |da/dt| d tau^2 km along its track, 102 km a day and km
being 1.5 times a low orbit's mean motion. Units: km, s, m2/kg; TEME of date.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro.decay_arc import arc
from libs.astro.decay_arcs import World
from libs.astro.fit_sets import DAY_S, PoorFit, Ready

Array = np.ndarray[Any, np.dtype[np.float64]]

SIGMA_KM = 1.0
DRAG_ERROR = 0.10
PRIOR_SIGMA_LN_B = 0.3
HUBER = 3.0
_ITERATIONS = 12
_LIMITS = (30.0, 0.03, 0.5)  # of one correction: km, km/s, ln B
_ENOUGH = (0.005, 5e-6, 5e-4)  # a correction below these ends the fit
_DIVERGED = (3.0, 3e-3, 0.05)  # a last correction above these is no fit
_STEPS = np.array([0.05, 0.05, 0.05, 5e-5, 5e-5, 5e-5, 0.01])  # of the differences: km, km/s, ln B


@dataclass(frozen=True, slots=True)
class Observations:
    """Positions with radial, transverse and normal axes (n, 3, 3), descending in time from the reference epoch."""

    seconds: Array
    positions: Array
    axes: Array
    per_set: int
    sets: int


@dataclass(frozen=True, slots=True)
class Corrected:
    """state at the reference epoch; rms: of residuals over sigmas.

    covariance (7, 7): formal, of position (km) and velocity (km/s) along the radial, transverse and normal axis of the
    state, and of ln B, whose row and column are zero where it is not fitted.
    """

    state: Array
    ln_b: float
    covariance: Array
    rms: float


def observe(sets: Sequence[Ready], window_days: float, per_set: int) -> Observations:
    """Each set at its epoch and at equal parts of the revolution before it."""
    used = [one for one in sets if one.at_s >= -window_days * DAY_S - 1.0]
    seconds, states = zip(*_positions(used, per_set), strict=True)
    order = np.argsort(-np.array(seconds), kind="stable")
    y = np.array(states)[order]
    return Observations(np.array(seconds)[order], y[:, :3], axes_of(y), per_set, len(used))


def _positions(sets: Sequence[Ready], per_set: int) -> Iterator[tuple[float, Array]]:
    for one in sets:
        seconds = one.at_s - one.period_s * np.arange(per_set) / per_set
        states, good = one.states(seconds)
        yield from ((float(t), y) for t, y, ok in zip(seconds, states, good, strict=True) if ok)


def axes_of(states: Array) -> Array:
    """Radial, transverse and normal unit vectors of each state, (n, 3, 3)."""
    radial = states[:, :3] / np.linalg.norm(states[:, :3], axis=1, keepdims=True)
    normal = np.cross(states[:, :3], states[:, 3:])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return np.stack([radial, np.cross(normal, radial), normal], axis=1)


def sigmas_km(tau_days: Array, sinking_km_day: float, per_set: int) -> Array:
    """Standard deviations (n, 3) of observations tau days before the reference; those of one set share one weight."""
    drift = sinking_km_day * DRAG_ERROR * tau_days
    transverse = np.sqrt(SIGMA_KM**2 + (0.75 * 102.0 * drift * tau_days) ** 2)
    radial = np.sqrt((0.5 * SIGMA_KM) ** 2 + (0.3 * drift) ** 2)
    normal = np.full(len(tau_days), 0.5 * SIGMA_KM)
    return np.asarray(np.stack([radial, transverse, normal], axis=1) * math.sqrt(per_set))


def correct(
    seen: Observations, state: Array, ln_b: float, prior_ln_b: float, world: World, *, sinking_km_day: float,
    window_days: float, fit_b: bool,
) -> Corrected:  # fmt: skip
    """Corrects a state and ln B on the observations of a window; without fit_b the state alone.

    Raises PoorFit when a trajectory breaks down or the correction does not converge.
    """
    use = seen.seconds >= -window_days * DAY_S - 6000.0
    seconds, positions, axes = seen.seconds[use], seen.positions[use], seen.axes[use]
    sigma = sigmas_km(-seconds / DAY_S, sinking_km_day, seen.per_set)
    count = 7 if fit_b else 6
    moved, design, residual = np.full(7, np.inf), np.empty((0, 0)), np.empty(0)
    for _ in range(_ITERATIONS):
        frame = axes_of(state[None])[0]
        flown = _flown(world, state, ln_b, seconds)
        residual = np.einsum("kij,kj->ki", axes, positions - flown) / sigma
        jacobian = np.empty((residual.size, count))
        for p in range(count):
            other, other_b = _moved(state, ln_b, frame, np.eye(7)[p] * _STEPS[p])
            change = _flown(world, other, other_b, seconds) - flown
            jacobian[:, p] = (np.einsum("kij,kj->ki", axes, change) / sigma / _STEPS[p]).ravel()
        root = np.sqrt(np.minimum(1.0, HUBER / np.maximum(np.abs(residual), 1e-9))).ravel()
        design, right = jacobian * root[:, None], residual.ravel() * root
        if fit_b:
            design = np.vstack([design, np.eye(7)[6] / PRIOR_SIGMA_LN_B])
            right = np.append(right, (prior_ln_b - ln_b) / PRIOR_SIGMA_LN_B)
        moved = np.zeros(7)
        moved[:count] = np.linalg.lstsq(design, right, rcond=None)[0]
        moved *= min(1.0, *(limit / max(1e-9, size) for limit, size in zip(_LIMITS, _sizes(moved), strict=True)))
        state, ln_b = _moved(state, ln_b, frame, moved)
        if all(size < enough for size, enough in zip(_sizes(moved), _ENOUGH, strict=True)):
            break
    if any(size > limit for size, limit in zip(_sizes(moved), _DIVERGED, strict=True)):
        raise PoorFit("the correction of the newest state does not converge; wait for the next element set")
    covariance = np.zeros((7, 7))
    covariance[:count, :count] = np.linalg.pinv(design.T @ design)
    return Corrected(state, ln_b, covariance, float(np.sqrt(np.mean(residual**2))))


def _sizes(change: Array) -> tuple[float, float, float]:
    return float(np.abs(change[:3]).max()), float(np.abs(change[3:6]).max()), abs(float(change[6]))


def _moved(state: Array, ln_b: float, frame: Array, change: Array) -> tuple[Array, float]:
    return state + np.concatenate([frame.T @ change[:3], frame.T @ change[3:6]]), ln_b + float(change[6])


def _flown(world: World, state: Array, ln_b: float, seconds: Array) -> Array:
    states = np.empty((len(seconds), 6))
    if arc(state, math.exp(ln_b), seconds, world, states) < len(seconds) or not np.isfinite(states).all():
        raise PoorFit("the trajectory through the newest element set breaks down; wait for the next")
    return states[:, :3]
