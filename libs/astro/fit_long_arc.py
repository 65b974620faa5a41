"""B from the decay between two element sets months apart, for an object of which one recent set is known.

Mean elements are carried from the earlier set by the secular rates of J2 and by drag averaged over a revolution
(Gauss's equations for a force along the track; D. King-Hele, Satellite Orbits in an Atmosphere, 1987, ch. 3). J3 moves
the perigee by some kilometres as it turns: its long-period term is added where the density is asked. B is that which
brings the axis to that of the newest set at its epoch. Units: km, s, m2/kg.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import fit_history
from libs.astro.decay import Sky
from libs.astro.earth import EGM96_J2, EGM96_J3, WGS84_MU_KM3_S2, WGS84_RADIUS_KM
from libs.astro.fit_sets import DAY_S, Ready

Array = np.ndarray[Any, np.dtype[np.float64]]

_STEP_S, _STEP_KM = 0.5 * DAY_S, 2.0  # the shorter
_ITERATIONS = 15
_ENOUGH = 1e-5  # of the length of the arc
_FIRST_B = 5e-3
_LEAST_SHARE = 0.3  # of the arc: an orbit that B would end sooner is slowed by no more at once
_NODES = 2.0 * math.pi * np.arange(48) / 48.0  # of the eccentric anomaly
_COS, _SIN = np.cos(_NODES), np.sin(_NODES)


@dataclass(frozen=True, slots=True)
class Mean:
    at_s: float
    axis_km: float
    eccentricity: float
    inclination_rad: float
    node_rad: float
    perigee_rad: float


def ballistic_coefficient(earlier: Ready, newest: Ready, above: Sky) -> float:
    """B that explains the decay from the earlier set to the newest; not a number where none does."""
    length_s, goal_km = newest.at_s - earlier.at_s, newest.semi_major_axis_km
    if not (length_s > 0.0 and goal_km < earlier.semi_major_axis_km):
        return math.nan
    b = _FIRST_B
    for _ in range(_ITERATIONS):
        share = (_time_to(goal_km, b, mean_of(earlier), above, newest.at_s + length_s) - earlier.at_s) / length_s
        b *= max(share, _LEAST_SHARE)
        if abs(share - 1.0) < _ENOUGH:
            return b
    return math.nan


def mean_of(one: Ready) -> Mean:
    given = one.elements
    angles = map(math.radians, (given.inclination_deg, given.raan_deg, given.arg_of_perigee_deg))
    return Mean(one.at_s, one.semi_major_axis_km, given.eccentricity, *angles)


def _time_to(goal_km: float, b: float, start: Mean, above: Sky, latest_s: float) -> float:
    """When the axis has sunk to the goal, by Heun's method; past the latest time as if it sank on as it does then."""
    one = start
    while True:
        first = rates(one, above)
        step_s = min(_STEP_S, _STEP_KM / max(-b * first[0], 1e-12))
        second = rates(_moved(one, b * first[0] * step_s, b * first[1] * step_s, step_s), above)
        sinking = 0.5 * b * (first[0] + second[0])
        left_s = (goal_km - one.axis_km) / min(sinking, -1e-12)
        if left_s <= step_s or one.at_s > latest_s or one.at_s + step_s > above.end_s:
            return one.at_s + left_s
        one = _moved(one, sinking * step_s, 0.5 * b * (first[1] + second[1]) * step_s, step_s)


def _moved(one: Mean, axis_km: float, eccentricity: float, step_s: float) -> Mean:
    p = one.axis_km * (1.0 - one.eccentricity**2)
    turn = 1.5 * EGM96_J2 * (WGS84_RADIUS_KM / p) ** 2 * math.sqrt(WGS84_MU_KM3_S2 / one.axis_km**3) * step_s
    return Mean(
        one.at_s + step_s,
        one.axis_km + axis_km,
        max(one.eccentricity + eccentricity, 0.0),
        one.inclination_rad,
        one.node_rad - turn * math.cos(one.inclination_rad),
        one.perigee_rad + turn * (2.0 - 2.5 * math.sin(one.inclination_rad) ** 2),
    )


def rates(one: Mean, above: Sky) -> tuple[float, float]:
    """Mean rates of axis (km/s) and eccentricity (1/s) per unit of B over the revolution that begins at its time."""
    a = one.axis_km
    lift = -0.5 * EGM96_J3 / EGM96_J2 * WGS84_RADIUS_KM / a * math.sin(one.inclination_rad)
    x = one.eccentricity * math.cos(one.perigee_rad)
    y = one.eccentricity * math.sin(one.perigee_rad) + lift
    e, perigee = math.hypot(x, y), math.atan2(y, x)
    motion, flat = math.sqrt(WGS84_MU_KM3_S2 / a**3), math.sqrt(1.0 - e * e)
    r = a * (1.0 - e * _COS)
    along, across = _axes(perigee, one.inclination_rad, one.node_rad)
    position = np.outer(a * (_COS - e), along) + np.outer(a * flat * _SIN, across)
    speed = a * a * motion / r
    velocity = np.outer(-speed * _SIN, along) + np.outer(speed * flat * _COS, across)
    seconds = one.at_s + (_NODES - e * _SIN) / motion
    sinking = fit_history.rates(np.hstack([position, velocity]), seconds, above) * r / (a * len(_NODES))
    cos_true = (_COS - e) / (1.0 - e * _COS)
    speed_squared = WGS84_MU_KM3_S2 * (2.0 / r - 1.0 / a)
    rounder = sinking * (e + cos_true) * WGS84_MU_KM3_S2 / (a * a * speed_squared)
    return float(sinking.sum()), float(rounder.sum())


def _axes(perigee: float, inclination: float, node: float) -> tuple[Array, Array]:
    """Unit vectors to the perigee and a quarter of a revolution on."""
    cw, sw = math.cos(perigee), math.sin(perigee)
    ci, si = math.cos(inclination), math.sin(inclination)
    cn, sn = math.cos(node), math.sin(node)
    return (
        np.array([cn * cw - sn * sw * ci, sn * cw + cn * sw * ci, sw * si]),
        np.array([-cn * sw - sn * cw * ci, -sn * sw + cn * cw * ci, cw * si]),
    )
