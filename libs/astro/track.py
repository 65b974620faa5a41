"""Where a predicted object flies until it comes down, and where it would come down at each instant of its window.

Units: km, km/s, degrees; seconds from the epoch of the newest element set. TEME of date.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import decay_arc, decay_tables
from libs.astro.decay_arcs import World
from libs.astro.decay_tables import Lifetimes
from libs.astro.earth import GMST82_SPIN_RAD_S, WGS84_RADIUS_KM
from libs.astro.fit import Fit
from libs.astro.prediction import REENTRY_ALTITUDE_KM, Prediction

Array = np.ndarray[Any, np.dtype[np.float64]]

MAX_POINTS = 5000
_COARSE = 96  # flights by which the ballistic coefficient of an instant is found; ln of the life is smooth in ln B
_APART_S = 30.0  # 2 degrees of the track on either side
_NEAREST_SHARE, _NEAREST_LEAST = 0.05, 20  # of the samples, by which the scatter about a point is told


@dataclass(frozen=True, slots=True)
class Track:
    """(N,) each, by rising time: where the object crosses 80 km if it does so after `seconds`.

    share_down: of the samples, that come down no later. scatter_km: root mean square distance from the track of the
    samples that come down about then, for samples differ in their orbit and not only in their drag.
    """

    seconds: Array
    lat_deg: Array
    lon_deg: Array
    share_down: Array
    scatter_km: Array


def path(found: Prediction, seconds: Array) -> Array:
    """States (N, 6) of the nominal flight at rising seconds from 0 on, to some 0.1 km of position.

    Raises ValueError for seconds that do not rise or come after its end.
    """
    times = np.asarray(seconds, dtype=np.float64)
    if times.ndim != 1 or not np.isfinite(times).all() or (times < 0.0).any() or (np.diff(times) < 0.0).any():
        raise ValueError("seconds must be finite, rise, and start at 0 or later")
    if len(times) and times[-1] > found.nominal_s:
        raise ValueError(f"the nominal flight ends after {found.nominal_s:.0f} s; ask for times before")
    fit, states = found.fit, np.empty((len(times), 6))
    split = int(np.searchsorted(times, fit.late_after_s, side="right"))
    early = times[:split] if split == len(times) else np.append(times[:split], fit.late_after_s)
    flown = np.empty((len(early), 6))
    sound = decay_arc.arc(fit.state, math.exp(fit.ln_b), early, fit.air.world, flown) == len(early)
    states[:split] = flown[:split]
    if split < len(times):
        after = _later(fit.air.world, fit.late_after_s)
        late = times[split:] - fit.late_after_s
        sound = sound and decay_arc.arc(flown[-1], math.exp(fit.ln_b_late), late, after, states[split:]) == len(late)
    if not sound:
        raise ArithmeticError("the nominal flight breaks down between its start and its end")
    return states


def _later(world: World, seconds: float) -> World:
    """The air as of a start that lies later."""
    return world._replace(since_s=world.since_s + seconds, gmst_rad=world.gmst_rad + GMST82_SPIN_RAD_S * seconds)


def window_track(found: Prediction, probabilities: tuple[float, float], step_s: float) -> Track:
    """The track from one quantile of the re-entry time to another, about step_s seconds apart.

    Each point is the crossing of 80 km by the nominal state under the ballistic coefficient that brings it down then.
    Raises ValueError when the probabilities do not rise in (0, 1) or the step makes more than MAX_POINTS points.
    """
    low, high = probabilities
    if not 0.0 < low < high < 1.0:
        raise ValueError(f"the probabilities must rise within 0 to 1, not {low} to {high}")
    first_s, last_s = found.quantiles(probabilities)
    if not step_s > 0.0 or (last_s - first_s) / step_s > MAX_POINTS:
        raise ValueError(f"{step_s} s between points make more than {MAX_POINTS} of them, or none; take longer steps")
    wanted = np.arange(first_s, last_s + step_s, step_s)
    flown = _fan(found.fit, _changes(found, wanted))
    kept = np.flatnonzero(flown.reached)
    order = kept[np.argsort(flown.seconds[kept], kind="stable")]
    seconds, lat_deg, lon_deg = flown.seconds[order], flown.lat_deg[order], flown.lon_deg[order]
    down = np.searchsorted(np.sort(found.seconds), seconds, side="right") / len(found.seconds)
    return Track(seconds, lat_deg, lon_deg, down, _scatter_km(found, seconds))


def _changes(found: Prediction, wanted: Array) -> Array:
    """Of ln B, that bring the nominal state down at the wanted seconds."""
    drawn = found.draws.ln_b - found.fit.ln_b
    widest = np.linspace(drawn.min() - 0.1, drawn.max() + 0.1, _COARSE)
    flown = _fan(found.fit, widest)
    down = flown.reached
    return np.interp(-np.log(wanted), -np.log(flown.seconds[down]), widest[down])


def _fan(fit: Fit, changes: Array) -> Lifetimes:
    return decay_tables.lifetimes(
        np.repeat(fit.state[None], len(changes), axis=0), fit.ln_b + changes, fit.air,
        ln_b_late=fit.ln_b_late + changes, late_after_s=fit.late_after_s, stop_altitude_km=REENTRY_ALTITUDE_KM,
    )  # fmt: skip


def _scatter_km(found: Prediction, seconds: Array) -> Array:
    order = np.argsort(found.seconds, kind="stable")
    order = order[(found.seconds[order] >= seconds[0]) & (found.seconds[order] <= seconds[-1])]
    if not len(order):
        raise ValueError("no sample comes down along the track; draw more samples, or ask for more of the window")
    at, places = found.seconds[order], _unit(found.flown.lat_deg[order], found.flown.lon_deg[order])
    apart = 2.0 * np.arcsin(np.minimum(np.linalg.norm(places - _line(found, at), axis=1) / 2.0, 1.0))
    apart_km = apart * (WGS84_RADIUS_KM + REENTRY_ALTITUDE_KM)
    size = min(len(at), max(_NEAREST_LEAST, round(_NEAREST_SHARE * len(at))))
    first = np.clip(np.searchsorted(at, seconds) - size // 2, 0, len(at) - size)
    sums = np.append(0.0, np.cumsum(apart_km**2))
    scatter: Array = np.sqrt((sums[first + size] - sums[first]) / size)
    return scatter


def _line(found: Prediction, at: Array) -> Array:
    """Unit vectors (N, 3) to the track at any seconds: between a flight that comes down before and one after."""
    ends = _fan(found.fit, _changes(found, np.concatenate([at - _APART_S, at + _APART_S])))
    places, seconds = _unit(ends.lat_deg, ends.lon_deg), ends.seconds
    before, after = places[: len(at)], places[len(at) :]
    share = (at - seconds[: len(at)]) / (seconds[len(at) :] - seconds[: len(at)])
    between = before + share[:, None] * (after - before)
    line: Array = between / np.linalg.norm(between, axis=1)[:, None]
    return line


def _unit(lat_deg: Array, lon_deg: Array) -> Array:
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
