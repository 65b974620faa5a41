"""Element sets that those beside them contradict, which are left out of a fit.

One of three sets is bad where it contradicts both its neighbours and they agree; the newest or the oldest where it
contradicts its neighbour, and that one agrees with the next. Two sets contradict each other in plane, in place along
the track, or, where they are few, by an axis that their own rates do not explain; in a longer history by a jump that
the next set undoes. Limits and what they were measured on: docs/physics/prediction.md. Units: km, s.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from libs.astro import fit_history, manoeuvre
from libs.astro.decay import Sky
from libs.astro.earth import EGM96_J2, WGS84_RADIUS_KM
from libs.astro.fit_history import History
from libs.astro.fit_sets import DAY_S, NEAR_DAYS, WINDOW_DAYS, PoorFit, Ready, own_rate, ready

Array = np.ndarray[Any, np.dtype[np.float64]]

FEW = 4  # sets, with which no line tells a jump from noise
PLANE_DEG, PLANE_DAYS = 1.0, 10.0  # the sets of objects that fell agree to 0.09 degrees
TRACK_REV, TRACK_DAYS = 0.1, 2.0  # and to 0.015 of a revolution
RISE_KM = 2.0
FALL_KM, FALL_TIMES = 5.0, 3.0  # by the sets' own rates; the last sets of all sink up to 3.3 times faster
_LEAST_LINE = 5  # sets, for the noise of a line
_OFF_KM, _BENT = 3.0, 0.35  # of a set's axis from the line between its neighbours; of their difference
_LOCAL = 10  # sets to either side of which B is sought


def sound(sets: Sequence[Ready]) -> list[Ready]:
    """Without those that the others contradict.

    Raises PoorFit where sets of the last days still contradict each other, so that nobody can tell which is bad.
    """
    kept = list(sets)
    while (odd := _odd(kept)) is not None:
        del kept[odd]
    for one, other in pairwise(kept):
        if other.at_s > -WINDOW_DAYS * DAY_S and (why := _contradiction(one, other, few=len(kept) <= FEW)):
            raise PoorFit(
                f"element sets {(other.at_s - one.at_s) / 3600.0:.1f} hours apart contradict each other: {why}; one is "
                "bad, or the object manoeuvred: wait for the next set"
            )
    return kept if kept[-1] is sets[-1] else ready([one.elements for one in kept])


def _odd(sets: Sequence[Ready]) -> int | None:
    few, last = len(sets) <= FEW, len(sets) - 1
    if last < 2:
        return None
    apart = [bool(_contradiction(one, other, few=few)) for one, other in pairwise(sets)]
    if apart[-1] and not apart[-2]:
        return last
    for k in range(1, last):
        if apart[k - 1] and apart[k] and not _contradiction(sets[k - 1], sets[k + 1], few=few):
            return k
    return 0 if apart[0] and not apart[1] else None


def _contradiction(one: Ready, other: Ready, *, few: bool) -> str:
    """Why no orbit explains both, or nothing."""
    days = (other.at_s - one.at_s) / DAY_S
    angle_deg, track_rev = _apart(one, other)
    if days < PLANE_DAYS and angle_deg > PLANE_DEG:
        return f"their orbital planes lie {angle_deg:.1f} degrees apart"
    if days < TRACK_DAYS and abs(track_rev) > TRACK_REV:
        return f"their places on the orbit lie {abs(track_rev):.2f} of a revolution apart"
    change_km = other.semi_major_axis_km - one.semi_major_axis_km
    if few and days < NEAR_DAYS:
        if change_km > RISE_KM:
            return f"the later orbit is {change_km:.1f} km higher"
        rates = own_rate(one), own_rate(other)
        by_rates_km = 0.5 * sum(rates) * days * DAY_S
        if max(rates) < 0.0 and change_km < FALL_TIMES * by_rates_km - FALL_KM:
            return f"the later orbit is {-change_km:.1f} km lower, by their own rates of decay {-by_rates_km:.1f} km"
    return ""


def _apart(one: Ready, other: Ready) -> tuple[float, float]:
    """Degrees between the planes and revolutions between the places, the earlier set carried to the later's epoch.

    The mean of both sets' rates carries it: J2's of node, perigee and anomaly (D. Vallado, Fundamentals of
    Astrodynamics and Applications, 2013, ch. 9.6).
    """
    seconds = other.at_s - one.at_s
    node_rate, track_rate = (0.5 * (a + b) for a, b in zip(_secular(one), _secular(other), strict=True))
    earlier, later = one.elements, other.elements
    node_deg = earlier.raan_deg + math.degrees(node_rate * seconds)
    cosine = _normal(earlier.inclination_deg, node_deg) @ _normal(later.inclination_deg, later.raan_deg)
    begun, ended = (given.arg_of_perigee_deg + given.mean_anomaly_deg for given in (earlier, later))
    gone = (ended - begun) / 360.0 - track_rate * seconds / (2.0 * math.pi)
    return math.degrees(math.acos(min(float(cosine), 1.0))), (gone + 0.5) % 1.0 - 0.5


def _secular(one: Ready) -> tuple[float, float]:
    """Rates of the node and of perigee and anomaly together, rad/s."""
    flat, cosine = 1.0 - one.elements.eccentricity**2, math.cos(math.radians(one.elements.inclination_deg))
    turn = 1.5 * EGM96_J2 * (WGS84_RADIUS_KM / (one.semi_major_axis_km * flat)) ** 2 * one.mean_motion_rad_s
    perigee = 0.5 * turn * (5.0 * cosine**2 - 1.0)
    return -turn * cosine, one.mean_motion_rad_s + perigee + 0.5 * turn * math.sqrt(flat) * (3.0 * cosine**2 - 1.0)


def _normal(inclination_deg: float, node_deg: float) -> Array:
    i, node = math.radians(inclination_deg), math.radians(node_deg)
    return np.array([math.sin(i) * math.sin(node), -math.sin(i) * math.cos(node), math.cos(i)])


def without_undone(sets: Sequence[Ready], above: Sky, *, stormy: bool) -> tuple[list[Ready], History]:
    """Without sets whose jump of the axis the next one undoes, and the history of those kept."""
    kept, past = list(sets), fit_history.history(sets, above)
    while (odd := _undone(kept, past, above, stormy=stormy)) is not None:
        del kept[odd]
        past = fit_history.history(kept, above)
    return kept, past


def _undone(sets: Sequence[Ready], past: History, above: Sky, *, stormy: bool) -> int | None:
    """The set furthest off the line between its neighbours, where drag explains these."""
    for k in _off_the_line(past):
        part = slice(max(k - _LOCAL, 0), k + _LOCAL + 1)
        found = manoeuvre.steps(History(past.at_s[part], past.axis_km[part], past.integral[part]), stormy=stormy)
        if found is None:
            continue
        change_km = sets[k + 1].semi_major_axis_km - sets[k - 1].semi_major_axis_km
        expected_km = np.array(found.b * fit_history.between(sets[k - 1], sets[k + 1], above))
        if abs(change_km - expected_km) < found.limit_km(expected_km):
            return k
    return None


def _off_the_line(past: History) -> list[int]:
    """Sets whose axis departs from a straight line between the sets beside them, the worst first."""
    if len(past.at_s) < _LEAST_LINE:
        return []
    whole = past.axis_km[2:] - past.axis_km[:-2]
    share = (past.at_s[1:-1] - past.at_s[:-2]) / (past.at_s[2:] - past.at_s[:-2])
    off = past.axis_km[1:-1] - past.axis_km[:-2] - share * whole
    noise = 1.4826 * float(np.median(np.abs(off))) + 0.02
    limit = np.sqrt((5.0 * noise) ** 2 + (_BENT * whole) ** 2 + _OFF_KM**2)
    times = np.abs(off) / limit
    return [int(k) + 1 for k in np.argsort(-times, kind="stable")[: int((times > 1.0).sum())]]
