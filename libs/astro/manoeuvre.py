"""Signs of thrust in a history of element sets: a natural decay is not claimed for an object that steers.

Six tests on the semi-major axis a and the integral S of (da/dt)/B (fit_history.py); limits and what they were
measured on: docs/physics/prediction.md.
  JUMP      between two sets a changes otherwise than drag does on a line of 5 days
  THRUST    over four days B is credible for no object, or negative: something holds the orbit up
  UNSTEADY  B of two days differs from that of other two days by more than the density model ever errs
  LOWERED   B of two days was more than twice the middle one: engines brought it down, and may do so again
  PULL      over weeks a part of the decay grew with time and not with drag: a steady thrust against the motion
  DRIFT     B of two days runs one way for weeks, further than that of any object that only falls
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from libs.astro import fit_history
from libs.astro.fit_history import History
from libs.astro.fit_sets import DAY_S

Array = np.ndarray[Any, np.dtype[np.float64]]

LEAST_B = 2e-4  # m2/kg
LINE_DAYS = 5.0
BLOCK_DAYS = 2.0
HELD_DAYS = 4.0
RECENT_DAYS = 8.0  # a manoeuvre further back does not speak against the sets used since
CALM_RATIO, STORM_RATIO = 1.7, 2.2  # of B of two blocks; density models err more in storms
DRIFT, LEAST_DRIFT_DAYS = 0.45, 6.0  # of ln B over the history
PULL, LEAST_PULL_DAYS = 0.25, 20.0  # share of the decay
_PULL_CLEAR = 3.0  # standard deviations
_PULL_STEP_DAYS, _MODEL_ERROR = 1.0, 0.12  # of a day's drag
_AXIS_NOISE_KM = 0.15  # of a mean semi-major axis; a set in fifty is worse
_FAST_KM = 5.0  # of decay between two sets: so near the end a bad set is likelier than thrust within the whole decay
_LEAST_SPAN = 0.6  # of a block, that its sets must span
_CLEAR = 4.0  # standard deviations


class Sign(Enum):
    JUMP = "jump"
    THRUST = "thrust"
    UNSTEADY = "unsteady"
    LOWERED = "lowered"
    PULL = "pull"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """at_s: of the later set, from the epoch of the newest; change_km: of a; expected_km: by drag."""

    sign: Sign
    at_s: float
    change_km: float
    expected_km: float

    def __str__(self) -> str:
        days = abs(self.at_s) / DAY_S
        return {
            Sign.JUMP: f"the semi-major axis changed by {self.change_km:+.2f} km where drag gives"
            f" {self.expected_km:+.2f} km, {days:.1f} days before the newest element set",
            Sign.THRUST: f"the orbit changed by {self.change_km:+.2f} km in four days where drag on any object gives"
            f" {self.expected_km:+.2f} km or more, {days:.1f} days before the newest element set",
            Sign.UNSTEADY: f"the drag changed more than the atmosphere explains: {self.change_km:+.2f} km in two days"
            f" where other days give {self.expected_km:+.2f} km, {days:.1f} days before the newest element set",
            Sign.LOWERED: f"engines lowered the orbit: {self.change_km:+.2f} km in two days where drag of other days"
            f" gives {self.expected_km:+.2f} km, {days:.1f} days before the newest element set",
            Sign.PULL: f"a steady pull lowered the orbit by {-self.change_km:.1f} km in weeks in which it sank by"
            f" {-self.expected_km:.1f} km in all",
            Sign.DRIFT: f"drag has run one way for weeks: {self.change_km:+.2f} km in the two days before the newest"
            f" element set where drag as it began gives {self.expected_km:+.2f} km",
        }[self.sign]

    @property
    def lowers(self) -> bool:
        """Whether the object is brought down on purpose."""
        return self.sign in (Sign.LOWERED, Sign.PULL) or (self.sign is Sign.JUMP and self.change_km < self.expected_km)


class Thrusting(Exception):
    """The object manoeuvres or did in the days that a prediction would rest on."""


class Controlled(Thrusting):
    """Engines bring the object down: when and where it comes down is its operator's choice."""


@dataclass(frozen=True, slots=True)
class Block:
    at_s: float
    b: float
    sigma_b: float
    change_km: float


@dataclass(frozen=True, slots=True)
class Steps:
    """Of the axis between sets, beside what drag by b does to it."""

    b: float
    change_km: Array
    expected_km: Array
    noise_km: float
    stormy: bool

    @property
    def apart_km(self) -> Array:
        return self.change_km - self.expected_km

    def limit_km(self, expected_km: Array) -> Array:
        """From drag, of jumps: five times the noise, half the decay and 0.3 km; see _FAST_KM."""
        share = np.where((np.abs(expected_km) > _FAST_KM) | self.stormy, 1.0, 0.5)
        return np.asarray(np.sqrt((5.0 * self.noise_km) ** 2 + (share * expected_km) ** 2 + 0.3**2))


def suspicions(past: History, *, stormy: bool) -> list[Suspicion]:
    """Signs in the last days, oldest first; stormy: whether a magnetic storm lay in them."""
    ratio = STORM_RATIO if stormy else CALM_RATIO
    found = [
        *_jumps(past.last(LINE_DAYS, 3), stormy=stormy),
        *_held_up(past),
        *_unsteady(past, ratio),
        *_pulled(past),
        *_drifting(past),
    ]
    return sorted(found, key=lambda one: one.at_s)


def refuse(past: History, *, stormy: bool) -> None:
    """Raises Controlled for a sign that engines lower the orbit, Thrusting for another in the last 8 days."""
    found = suspicions(past, stormy=stormy)
    recent = [one for one in found if one.lowers or one.at_s > -RECENT_DAYS * DAY_S]
    if recent:
        kind = Controlled if any(one.lowers for one in recent) else Thrusting
        told = [one for one in recent if one.lowers] or recent
        raise kind(f"{told[-1]}; a manoeuvre is likelier than drag: ask its operator, or wait for later sets")


def steps(part: History, *, stormy: bool) -> Steps | None:
    """None with fewer than three steps by drag. B is the middle one: one jump would bend a line."""
    change, integral = np.diff(part.axis_km), np.diff(part.integral)
    sinking = integral < 0.0
    if sinking.sum() < 3:
        return None
    b = float(np.median(change[sinking] / integral[sinking]))
    return Steps(b, change, b * integral, _noise_km(change - b * integral), stormy)


def _jumps(part: History, *, stormy: bool) -> Iterator[Suspicion]:
    found = steps(part, stormy=stormy)
    if found is None:
        return
    apart, limit = found.apart_km, found.limit_km(found.expected_km)
    for k in np.flatnonzero(np.abs(apart) > limit):
        undone = [apart[k] + apart[m] for m in (k - 1, k + 1) if 0 <= m < len(apart)]
        if any(abs(one) < limit[k] for one in undone):  # one bad set, not a manoeuvre
            continue
        yield Suspicion(Sign.JUMP, float(part.at_s[k + 1]), float(found.change_km[k]), float(found.expected_km[k]))


def _noise_km(residual: Array) -> float:
    return 1.4826 * float(np.median(np.abs(residual - np.median(residual)))) + 0.02


def _held_up(past: History) -> Iterator[Suspicion]:
    """Whether over the last four days the orbit sank less than with the least B there is."""
    part = past.last(HELD_DAYS, 3)
    b, residual, _ = fit_history.line(part)
    integral = float(part.integral[-1] - part.integral[0])
    if not math.isfinite(b) or integral >= 0.0:
        return
    if b + _CLEAR * math.sqrt(2.0) * _noise_km(residual) / -integral < LEAST_B:
        change = float(part.axis_km[-1] - part.axis_km[0])
        yield Suspicion(Sign.THRUST, float(part.at_s[-1]), change, LEAST_B * integral)


def blocks(past: History) -> list[Block]:
    """B over every two days, newest first, where the sets span most of them and drag did more than their noise."""
    days, found = past.at_s / DAY_S, []
    for end in np.arange(0.0, days[0] - BLOCK_DAYS, -0.5 * BLOCK_DAYS):
        inside = np.flatnonzero((days >= end - 1.1 * BLOCK_DAYS) & (days <= end + 1e-9))
        if len(inside) < 2 or days[inside[-1]] - days[inside[0]] < _LEAST_SPAN * BLOCK_DAYS:
            continue
        first, last = inside[0], inside[-1]
        change = float(past.axis_km[last] - past.axis_km[first])
        integral = float(past.integral[last] - past.integral[first])
        if integral < 0.0:
            noise = math.sqrt(2.0) * _AXIS_NOISE_KM / -integral
            found.append(Block(float(past.at_s[last]), change / integral, noise, change))
    return found


def _unsteady(past: History, ratio: float) -> Iterator[Suspicion]:
    found = blocks(past)
    sound = [one for one in found if one.b > _CLEAR * one.sigma_b]
    if len(sound) < 3:
        return
    middle = float(np.median([one.b for one in sound]))
    for one in sound:
        most, least = one.b + _CLEAR * one.sigma_b, one.b - _CLEAR * one.sigma_b
        if least > ratio * middle or most * ratio < middle:
            sign = Sign.LOWERED if least > STORM_RATIO * middle else Sign.UNSTEADY
            yield Suspicion(sign, one.at_s, one.change_km, one.change_km * middle / one.b)


def _drifting(past: History) -> Iterator[Suspicion]:
    """A straight line of ln B over the blocks that falls or rises by far more than their scatter."""
    sound = [one for one in blocks(past) if one.b > _CLEAR * one.sigma_b]
    if len(sound) < 5 or sound[0].at_s - sound[-1].at_s < LEAST_DRIFT_DAYS * DAY_S:
        return
    at_s, ln_b = np.array([one.at_s for one in sound]), np.log([one.b for one in sound])
    slope, start = np.polyfit(at_s, ln_b, 1)
    change = float(slope) * (sound[0].at_s - sound[-1].at_s)
    scatter = float(np.std(ln_b - slope * at_s - start))
    if abs(change) > max(DRIFT, _CLEAR * scatter):
        newest = sound[0]
        yield Suspicion(Sign.DRIFT, newest.at_s, newest.change_km, newest.change_km * math.exp(-change))


def _pulled(past: History) -> Iterator[Suspicion]:
    """Changes of about a day as B times the drag integral and a steady rate; Huber's weights at 2 sigma."""
    rows = _days_apart(past.at_s)
    days = past.at_s[rows] / DAY_S
    if days[-1] - days[0] < LEAST_PULL_DAYS:
        return
    change, drag, length = np.diff(past.axis_km[rows]), np.diff(past.integral[rows]), np.diff(days)
    if (drag >= 0.0).any():
        return
    sigma = np.hypot(math.sqrt(2.0) * _AXIS_NOISE_KM, _MODEL_ERROR * float(np.median(change / drag)) * drag)
    design, wanted = np.column_stack([drag, length]) / sigma[:, None], change / sigma
    weight = np.ones(len(change))
    for _ in range(6):
        root = np.sqrt(weight)
        normal = np.linalg.pinv((design * root[:, None]).T @ (design * root[:, None]))
        _, rate = fitted = normal @ ((design * root[:, None]).T @ (wanted * root))
        weight = np.minimum(1.0, 2.0 / np.maximum(np.abs(wanted - design @ fitted), 1e-9))
    pulled_km, whole_km = float(rate * length.sum()), float(change.sum())
    clear = rate < -_PULL_CLEAR * math.sqrt(normal[1, 1])
    if clear and whole_km <= pulled_km < PULL * whole_km:  # more than the whole is no steady pull
        yield Suspicion(Sign.PULL, float(past.at_s[-1]), pulled_km, whole_km)


def _days_apart(at_s: Array) -> list[int]:
    """The newest set, and back from it each that is a day or more before the one chosen last; ascending."""
    rows = [len(at_s) - 1]
    for k in range(len(at_s) - 2, -1, -1):
        if at_s[rows[-1]] - at_s[k] >= _PULL_STEP_DAYS * DAY_S:
            rows.append(k)
    return rows[::-1]
