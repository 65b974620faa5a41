"""Element sets made ready for a fit: deduplicated, in order of epoch, with SGP4 started. Units: km, s."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import sgp4
from libs.astro.earth import WGS72_MU_KM3_S2
from libs.astro.elements import ElementSet
from libs.astro.time import MJD_0_JD, seconds_between

Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

WINDOW_DAYS = 3.0  # of the sets that state and B are fitted to
NEAR_DAYS = 20.0  # that B is sought in: older sets tell more of past weather than of the object
HISTORY_DAYS = 45.0  # in which signs of steering are sought
HISTORY_SETS = 120
ARC_DAYS = 200.0  # how far back a single set reaches for one before it
EPOCH_AHEAD_DAYS = 1.0 / 24.0  # sets are published for a node soon to come
DAY_S = 86400.0
_SAME_EPOCH_S = 1.0
_APART_S = 2600.0  # half a revolution of a low orbit: sets nearer to each other tell one rate
MAX_INCLINATION_DEG = 178.0  # the elements of the flight end at 179


class PoorFit(Exception):
    """No trajectory with a credible ballistic coefficient explains the element sets."""


class NotSinking(PoorFit):
    """B is zero, negative, or below that of any object: drag does not explain the orbit."""


class TooFewSets(PoorFit):
    """One or two sets are known, and nothing in them or before them tells how fast the orbit sinks."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An element set ready to use; at_s: its epoch, seconds from that of the newest set."""

    elements: ElementSet
    record: Array
    at_s: float
    mean_motion_rad_s: float
    semi_major_axis_km: float

    @property
    def period_s(self) -> float:
        return 2.0 * math.pi / self.mean_motion_rad_s

    def states(self, seconds: Array) -> tuple[Array, Flags]:
        """TEME states (n, 6) at seconds from the newest set's epoch, and which of them SGP4 could give."""
        r, v, error = sgp4.propagate(self.record, np.atleast_1d((seconds - self.at_s) / 60.0))
        return np.hstack([r, v]), np.asarray(error) == 0


def known(elements: Sequence[ElementSet], known_at_jd: float) -> list[ElementSet]:
    """Those with an epoch not after the time of knowledge; raises PoorFit when there is none."""
    found = [e for e in elements if e.epoch_jd + e.epoch_jd_fraction <= known_at_jd + EPOCH_AHEAD_DAYS]
    if not found:
        raise PoorFit("no element set has an epoch before the time of knowledge; submit one that has")
    return found


def ready(elements: Sequence[ElementSet]) -> list[Ready]:
    """By epoch, of one epoch the last published, those of `chosen`; an older one that SGP4 refuses is left out.

    Raises of the newest sgp4.DeepSpace and sgp4.BadElements.
    """
    single = _by_epoch(elements)
    recent = single[-chosen([at_s / DAY_S for at_s, _ in single]) :]
    older = [done for at_s, one in recent[:-1] if (done := _try(one, at_s)) is not None]
    return [*older, prepared(recent[-1][1], recent[-1][0])]


def _by_epoch(elements: Sequence[ElementSet]) -> list[tuple[float, ElementSet]]:
    """Seconds from the newest epoch, ascending, and of each epoch the set published last."""
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
    return single


def oldest_mjd(elements: Sequence[ElementSet], known_at_jd: float) -> float:
    """Epoch of the oldest set that a fit uses; drivers must start a day before it."""
    single = _by_epoch(known(elements, known_at_jd))
    oldest = single[-chosen([at_s / DAY_S for at_s, _ in single])][1]
    return (oldest.epoch_jd - MJD_0_JD) + oldest.epoch_jd_fraction


def chosen(days: Sequence[float]) -> int:
    """How many of the newest sets are used; days: their epochs from the newest, ascending.

    Those of 45 days, 120 at most; of one that has none in the 20 days before it also the last of 200 days.
    """
    near, whole = (sum(one >= -limit for one in days) for limit in (NEAR_DAYS, HISTORY_DAYS))
    alone = near == whole < len(days) and independent([one * DAY_S for one in days[-near:]]) == 1
    if alone and days[-near - 1] >= -ARC_DAYS:
        return near + 1
    return min(whole, HISTORY_SETS)


def independent(at_s: Sequence[float]) -> int:
    """How many sets, of epochs ascending, lie half a revolution or more apart, from the newest back."""
    count, next_s = 0, math.inf
    for one_s in reversed(at_s):
        if next_s - one_s >= _APART_S:
            count, next_s = count + 1, one_s
    return count


def _try(elements: ElementSet, at_s: float) -> Ready | None:
    try:
        return prepared(elements, at_s)
    except (sgp4.DeepSpace, sgp4.BadElements):
        return None


def prepared(elements: ElementSet, at_s: float) -> Ready:
    sgp4.refuse_deep_space(elements)
    if elements.inclination_deg > MAX_INCLINATION_DEG:
        raise sgp4.BadElements(
            f"object {elements.catalogue_number}: an inclination of {elements.inclination_deg:g} degrees is that of no "
            f"object; only those up to {MAX_INCLINATION_DEG:g} are flown"
        )
    record = sgp4.initialise(elements)
    kozai = elements.mean_motion_rev_day * 2.0 * math.pi / 1440.0
    inclination = math.radians(elements.inclination_deg)
    n = sgp4.unkozai_mean_motion_rad_min(kozai, elements.eccentricity, inclination) / 60.0
    return Ready(elements, record, at_s, n, (WGS72_MU_KM3_S2 / n**2) ** (1.0 / 3.0))


def own_rate(one: Ready) -> float:
    """da/dt of the set's own mean motion rate, km/s."""
    rate = 2.0 * one.elements.mean_motion_dot_half_rev_day2 * 2.0 * math.pi / DAY_S**2
    return -2.0 / 3.0 * one.semi_major_axis_km * rate / one.mean_motion_rad_s
