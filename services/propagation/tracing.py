"""Path and track of a prediction, computed again from what it was made from, in a process of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import track
from libs.astro.track import Track
from services.propagation import compute
from services.propagation.compute import Job, Refusal

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Path:
    """Of the nominal flight: seconds (N,) after its start, states (N, 6) TEME of date, km, km/s."""

    seconds: Array
    states: Array


@dataclass(frozen=True, slots=True)
class Traced:
    path: Path
    track: Track


def path(job: Job, seconds: Array) -> Path | Refusal:
    """At those of the seconds that lie within the flight."""

    def fly() -> Path:
        found = compute.predicted(job)
        flown = seconds[(seconds >= 0.0) & (seconds <= found.nominal_s)]
        return Path(flown, track.path(found, flown))

    return compute.refusing(fly)


def window_track(job: Job, probabilities: tuple[float, float], step_s: float) -> Track | Refusal:
    return compute.refusing(lambda: track.window_track(compute.predicted(job), probabilities, step_s))


def both(job: Job, probabilities: tuple[float, float], step_s: float) -> Traced | Refusal:
    """Steps of the track, and of the path from its start to its re-entry."""

    def fly() -> Traced:
        found = compute.predicted(job)
        seconds = np.append(np.arange(0.0, found.nominal_s, step_s), found.nominal_s)
        flown = Path(seconds, track.path(found, seconds))
        return Traced(flown, track.window_track(found, probabilities, step_s))

    return compute.refusing(fly)
