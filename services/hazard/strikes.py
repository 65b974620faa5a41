"""Expected strikes on aircraft by pieces: density of aircraft x swept volume x time, along each piece's way.

A piece that falls through n aircraft per m3 meets n (A_front v_ac + A_top v_d) of them in a second; harm replaces
that volume by the vulnerable area x sqrt(v_ac^2 + v_d^2). Survival counts as a weight. The horizontal speed of pieces
is left out: below FL600 they fall within a few degrees of the vertical but for the wind.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro.vulnerability import Aircraft, Harm, strike_area_m2, swept_m3_s
from services.hazard import traffic
from services.hazard.assumptions import Assumptions, Risk
from services.hazard.traffic import FOOT_100_KM, Traffic
from services.hazard.visit_files import Visits

Array = np.ndarray[Any, np.dtype[Any]]
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Parts:
    """(m,) each: visits split where an interval of the clock ends. `row`: the visit.

    interval: counted from 0 h or 12 h UTC at the start epoch's whole Julian date, as minutes of an assessment are.
    """

    row: Array
    interval: Array
    entry_s: Array
    exit_s: Array
    lat_deg: Array
    lon_deg: Array


@dataclass(frozen=True, slots=True)
class Strikes:
    """Expected strikes of each part (m,), by kind of harm; summed over layers and the fleet.

    near_per_km2: aircraft in its band, where it is.
    """

    impact: Array
    casualty: Array
    catastrophe: Array
    near_per_km2: Array

    def of(self, risk: Risk) -> Array:
        found: Array = getattr(self, risk.value)
        return found


def split(visits: Visits, start_fraction: float, interval_s: float) -> Parts:
    """Places are those of the middle of each part; hardly any is longer than the wind carries it."""
    zero = start_fraction * DAY_S
    first = np.floor((visits.entry_s + zero) / interval_s).astype(np.int64)
    last = np.maximum(np.ceil((visits.exit_s + zero) / interval_s).astype(np.int64) - 1, first)
    count = last - first + 1
    row = np.repeat(np.arange(len(count)), count)
    interval = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    entry = np.maximum(visits.entry_s[row], interval * interval_s - zero)
    leave = np.minimum(visits.exit_s[row], (interval + 1) * interval_s - zero)
    lat, lon = _place(visits, row, 0.5 * (entry + leave))
    return Parts(row, interval, entry, leave, lat, lon)


def _place(visits: Visits, row: Array, at_s: Array) -> tuple[Array, Array]:
    share = (at_s - visits.entry_s[row]) / (visits.exit_s[row] - visits.entry_s[row])
    lat0, lat1, lon0, lon1 = (
        one[row].astype(np.float64)
        for one in (visits.entry_lat_deg, visits.exit_lat_deg, visits.entry_lon_deg, visits.exit_lon_deg)
    )
    east = (lon1 - lon0 + 180.0) % 360.0 - 180.0
    return lat0 + share * (lat1 - lat0), (lon0 + share * east + 180.0) % 360.0 - 180.0


def strikes(
    visits: Visits, parts: Parts, where: Traffic, given: Assumptions, zero_hour: float, edges_fl: tuple[float, ...]
) -> Strikes:
    """zero_hour: hour of the day (UTC) at the start epoch."""
    row = parts.row
    hour = (zero_hour + 0.5 * (parts.entry_s + parts.exit_s) / 3600.0) % 24.0
    density = where.per_km2(parts.lat_deg, parts.lon_deg, visits.region[row].astype(np.int64), hour)
    km_s = _within_layers(visits, parts, where.layers_fl)
    per_m3_s = 1e-9 * (density * km_s).sum(axis=1) * visits.survival[row]
    rates = {risk: _rate(visits, given, risk)[row] for risk in Risk}
    near = traffic.per_band(density, where.layers_fl, edges_fl)[np.arange(len(row)), visits.band[row]]
    impact, casualty, catastrophe = (per_m3_s * rates[risk] for risk in (Risk.IMPACT, Risk.CASUALTY, Risk.CATASTROPHE))
    return Strikes(impact, casualty, catastrophe, near)


def weights(visits: Visits, parts: Parts, given: Assumptions, edges_fl: tuple[float, ...]) -> Array:
    """(m,) expected harm of each part where one aircraft flies over each km2 in its band, evenly; 0 above all edges."""
    row, edges = parts.row, np.array(edges_fl)
    tall = np.r_[np.inf, edges[:-1] - edges[1:]] * FOOT_100_KM
    spent = (parts.exit_s - parts.entry_s) / tall[visits.band[row]]
    return np.asarray(1e-9 * spent * visits.survival[row] * _rate(visits, given, given.harm)[row])


def _within_layers(visits: Visits, parts: Parts, layers_fl: Array) -> Array:
    """(m, l) seconds of each part in each layer over its height in km: times density, aircraft s / km3."""
    row, height = parts.row, visits.entry_fl.astype(np.float64) - visits.exit_fl
    span = visits.exit_s - visits.entry_s
    levels = [visits.entry_fl[row] - height[row] * (at - visits.entry_s[row]) / span[row] for at in
              (parts.entry_s, parts.exit_s)]  # fmt: skip
    top, bottom = np.maximum(*levels), np.minimum(*levels)
    share = np.clip(
        np.minimum(top[:, None], layers_fl[:, 1]) - np.maximum(bottom[:, None], layers_fl[:, 0]), 0.0, None
    ) / np.maximum(top - bottom, 1e-9)[:, None]  # fmt: skip
    tall = (layers_fl[:, 1] - layers_fl[:, 0]) * FOOT_100_KM
    return np.asarray(share * (parts.exit_s - parts.entry_s)[:, None] / tall)


def _rate(visits: Visits, given: Assumptions, risk: Risk) -> Array:
    """(n,) m3/s: what the fleet's mean aircraft sweeps of the piece of each visit."""
    fall = np.maximum(visits.descent_m_s.astype(np.float64), 0.1)
    mass, area = 1e3 * visits.mass_kg.astype(np.float64), visits.area_m2.astype(np.float64)
    return np.asarray(sum(share * swept(aircraft, mass, area, fall, risk) for share, aircraft in given.fleet))


def swept(aircraft: Aircraft, mass_g: Array, area_m2: Array, fall_m_s: Array, risk: Risk) -> Array:
    """m3/s for pieces of at least 1 g. The vulnerable area replaces the projected one and is never multiplied with it.

    A piece has a size itself, so that any of it meets an area of (sqrt(aircraft) + sqrt(piece))^2, as from 300 g on.
    """
    if risk is Risk.IMPACT:
        relative = np.hypot(aircraft.speed_m_s, fall_m_s)
        exposed = swept_m3_s(aircraft.top_m2, aircraft.front_m2, aircraft.speed_m_s, fall_m_s) / relative
        return np.asarray((np.sqrt(exposed) + np.sqrt(area_m2)) ** 2 * relative)
    found = strike_area_m2(aircraft, mass_g, area_m2, fall_m_s, Harm(risk.value))
    return np.asarray(found.area_m2 * fall_m_s)
