"""What is assumed of traffic, aircraft, people and the price of closing airspace, each figure with its source.

As JSON of this shape, so that an analyst can change any of them; `SCHEMA` names the version:

    schema, name
    interval_min                                length of the intervals in which airspace is closed, min
    harm                                        what is counted as risk: impact, casualty or catastrophe
    traffic: prefixes, aircraft_per_million_km2, layers_fl, layer_shares, day_hours, day_share, source
    fleet: name, share, top_m2, front_m2, speed_m_s, transport; fleet_source
    ground: prefixes, people_per_km2, source
    cost: eur_per_delay_min, delay_share, spilled_share, source
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from libs.astro.vulnerability import KNOT_M_S, Aircraft
from services.hazard.documents import Kind, text

SCHEMA = "spacecom.hazard.exposure.1"
MAX_BYTES = 100_000


class BadAssumptions(Exception):
    """The assumptions cannot be used; the text says what is out of range and what is allowed."""


_KIND = Kind("assumptions", SCHEMA, MAX_BYTES, BadAssumptions)


class Risk(Enum):
    """What an aircraft suffers. IMPACT: any piece of at least 1 g meets it."""

    IMPACT = "impact"
    CASUALTY = "casualty"
    CATASTROPHE = "catastrophe"


@dataclass(frozen=True, slots=True)
class AverageDay:
    """Aircraft aloft where no density is loaded: a day's mean by designator, shared over layers and hours.

    prefixes: first letters of designators, the longest that fits holds; "" is everywhere else. day_hours: solar hours
    from and until which it is day; day_share: the part of all flight time in them.
    """

    prefixes: tuple[str, ...]
    aircraft_per_million_km2: tuple[float, ...]
    layers_fl: tuple[float, ...]
    layer_shares: tuple[float, ...]
    day_hours: tuple[float, float]
    day_share: float
    source: str


@dataclass(frozen=True, slots=True)
class People:
    """People in the open by the same prefixes."""

    prefixes: tuple[str, ...]
    people_per_km2: tuple[float, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Cost:
    """delay_share: mean delay of a flight a closure meets, as a part of its length; spilled_share: go around it."""

    eur_per_delay_min: float
    delay_share: float
    spilled_share: float
    source: str


@dataclass(frozen=True, slots=True)
class Assumptions:
    name: str
    interval_min: float
    harm: Risk
    traffic: AverageDay
    fleet: tuple[tuple[float, Aircraft], ...]
    fleet_source: str
    ground: People
    cost: Cost


DEFAULT = Assumptions(
    "default",
    5.0,
    Risk.CASUALTY,
    AverageDay(
        ("E", "L", "K", ""),
        (125.0, 125.0, 400.0, 20.0),
        (0.0, 100.0, 245.0, 350.0, 450.0),
        (0.10, 0.15, 0.40, 0.35),
        (6.0, 22.0),
        0.9,
        "assumption: E and L from Spain's 5,484 flights of 2022-11-04 at 1.2 h over 2.2 million km2; K two thirds of "
        "the 5,400 aloft at peak (FAA) over 9 million km2; elsewhere 10,000 aloft over the Earth. No observed density",
    ),
    (
        (0.85, Aircraft("A20N", 35.8 * 37.57, 35.8 * 11.76, 450.0 * KNOT_M_S, transport=True)),
        (0.15, Aircraft("A333", 60.3 * 63.6, 60.3 * 16.85, 475.0 * KNOT_M_S, transport=True)),
    ),
    "assumption: shares of two types; sizes of aviodebris (EUROCONTROL, MIT), top = span x length and front = span x "
    "height, which is more than any aircraft has",
    People(
        ("",),
        (15.7,),
        "assumption: 8.0e9 people over 5.1e8 km2 of land and sea, all in the open; no population grid is loaded",
    ),
    Cost(
        100.0,
        0.725,
        0.5,
        "assumption: 100 EUR per minute of ATFM delay (Cook and Tanner, University of Westminster, 2015); 29 min for "
        "each flight of the 40 min of 2022-11-04; half of the flights go around",
    ),
)


def per_prefix(prefixes: tuple[str, ...], values: tuple[float, ...], ident: str) -> float:
    """Value of the longest prefix that fits the designator, 0 where none does."""
    fitting = [(len(prefix), value) for prefix, value in zip(prefixes, values, strict=True) if ident.startswith(prefix)]
    return max(fitting)[1] if fitting else 0.0


def to_json(one: Assumptions) -> bytes:
    """The same assumptions give the same bytes."""
    fleet = [{"share": share, **asdict(aircraft)} for share, aircraft in one.fleet]
    document = {
        "schema": SCHEMA,
        "name": one.name,
        "interval_min": one.interval_min,
        "harm": one.harm.value,
        "traffic": asdict(one.traffic),
        "fleet": fleet,
        "fleet_source": one.fleet_source,
        "ground": asdict(one.ground),
        "cost": asdict(one.cost),
    }
    return json.dumps(document, indent=1, ensure_ascii=True).encode() + b"\n"


def of_json(data: bytes) -> Assumptions:
    """Raises BadAssumptions for what cannot be used."""
    found = _KIND.read(data, _read)
    _check(found)
    return found


def _read(document: Mapping[str, Any]) -> Assumptions:
    traffic, ground, cost = document["traffic"], document["ground"], document["cost"]
    first, last = _numbers(traffic["day_hours"])
    return Assumptions(
        text(document["name"]),
        float(document["interval_min"]),
        Risk(document["harm"]),
        AverageDay(
            _names(traffic["prefixes"]),
            _numbers(traffic["aircraft_per_million_km2"]),
            _numbers(traffic["layers_fl"]),
            _numbers(traffic["layer_shares"]),
            (first, last),
            float(traffic["day_share"]),
            text(traffic["source"]),
        ),
        tuple((float(one["share"]), _aircraft(one)) for one in document["fleet"]),
        text(document["fleet_source"]),
        People(_names(ground["prefixes"]), _numbers(ground["people_per_km2"]), text(ground["source"])),
        Cost(
            float(cost["eur_per_delay_min"]),
            float(cost["delay_share"]),
            float(cost["spilled_share"]),
            text(cost["source"]),
        ),
    )


def _aircraft(one: Mapping[str, Any]) -> Aircraft:
    top_m2, front_m2, speed_m_s = (float(one[name]) for name in ("top_m2", "front_m2", "speed_m_s"))
    return Aircraft(text(one["name"]), top_m2, front_m2, speed_m_s, one["transport"] is True)


def _numbers(values: object) -> tuple[float, ...]:
    if not isinstance(values, list) or not 1 <= len(values) <= 100:
        raise ValueError("a list has 1 to 100 numbers")
    return tuple(map(float, values))


def _names(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(one, str) and len(one) <= 4 for one in values):
        raise ValueError("prefixes are texts of at most 4 letters")
    return tuple(values)


def _check(one: Assumptions) -> None:
    traffic, layers = one.traffic, one.traffic.layers_fl
    if one.interval_min not in (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0):
        raise BadAssumptions("interval_min must divide an hour: 1, 2, 3, 5, 10, 15, 20, 30 or 60")
    if not (len(traffic.prefixes) == len(traffic.aircraft_per_million_km2)) or not _within(
        traffic.aircraft_per_million_km2, 0.0, 1e5
    ):
        raise BadAssumptions("each prefix of the traffic needs 0 to 100,000 aircraft per million km2")
    if len(layers) != len(traffic.layer_shares) + 1 or list(layers) != sorted(set(layers)) or layers[0] < 0.0:
        raise BadAssumptions("layers_fl must rise from 0 or above, with one more limit than there are layer_shares")
    if not _within(traffic.layer_shares, 0.0, 1.0) or not math.isclose(sum(traffic.layer_shares), 1.0, abs_tol=1e-9):
        raise BadAssumptions("layer_shares must sum to 1")
    if not 0.0 <= traffic.day_hours[0] < traffic.day_hours[1] <= 24.0 or not 0.0 <= traffic.day_share <= 1.0:
        raise BadAssumptions("day_hours must rise within 0 and 24, and day_share lie within 0 and 1")
    shares = [share for share, _ in one.fleet]
    if not shares or not _within(shares, 0.0, 1.0) or not math.isclose(sum(shares), 1.0, abs_tol=1e-9):
        raise BadAssumptions("the shares of the fleet must sum to 1")
    people = one.ground.people_per_km2
    if len(one.ground.prefixes) != len(people) or not _within(people, 0.0, 1e6):
        raise BadAssumptions("each prefix of the ground needs 0 to 1,000,000 people per km2")
    cost = one.cost
    if not (_within([cost.eur_per_delay_min], 0.0, 1e5) and _within([cost.delay_share, cost.spilled_share], 0.0, 1.0)):
        raise BadAssumptions("eur_per_delay_min must lie within 0 and 100,000, the shares of delay and spill within 1")


def _within(values: tuple[float, ...] | list[float], low: float, high: float) -> bool:
    return all(low <= one <= high for one in values)
