"""What is assumed of a break-up: the class of the object, where it breaks, into what, under which winds.

A scenario is whole: it carries every figure it is flown with and the source of each, so that an analyst can change
any of them and a run can be done again from it. As JSON of this shape, `SCHEMA` names the version:

    schema, name
    object_class, class_reason                  why this class
    dry_mass_kg, dry_mass_source
    break_up_altitudes_km, break_up_source      lowest, most likely and highest of a triangular distribution
    explosion                                   true: NASA's break-up model instead of the pieces, the sensitivity
    band_edges_fl                               limits of the bands of levels, falling to 0
    wind: alt_km, east_m_s, north_m_s, east_sigma_m_s, north_sigma_m_s, deep_km, source
    pieces: name, shape, share_of_mass, count, load_kg_m2, survival, dv_m_s, uncertainty_ln, assumption, source
    survives                                    bounds of the share of mass expected to reach the ground
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from libs.astro import breakup, fragments, wind
from libs.astro.fragments import Catalogue, Fragments, ObjectClass
from libs.astro.wind import Climate
from libs.redistribution import PUBLIC
from services.hazard.documents import Kind, text

Array = np.ndarray[Any, np.dtype[Any]]

SCHEMA = "spacecom.hazard.scenario.1"
BAND_EDGES_FL = (600.0, 450.0, 350.0, 245.0, 100.0, 0.0)
DEBRIS = "debris of the break-up model"
MAX_BYTES = 1_000_000
_MAX_BANDS = 12
_DRAWS_KEY = 0x46524147  # keeps these draws apart from others of the same seed
_GOLDEN = 0.6180339887498949
_EXPLODED_TO_M = 0.1  # smallest piece of the break-up model: 240 of them at its scale of 1
_TANK_HEAVY_KG = 10_000.0
_ASSUMED_KG = {
    ObjectClass.ROCKET_BODY: 2_000.0,
    ObjectClass.TANK_HEAVY_STAGE: 20_000.0,
    ObjectClass.PAYLOAD: 1_000.0,
    ObjectClass.UNKNOWN: 1_000.0,
}
_WIND_FIELDS = ("alt_km", "east_m_s", "north_m_s", "east_sigma_m_s", "north_sigma_m_s")


class BadScenario(Exception):
    """The scenario cannot be flown; the text says what is out of range and what is allowed."""


_KIND = Kind("scenario", SCHEMA, MAX_BYTES, BadScenario)


@dataclass(frozen=True, slots=True)
class KnownObject:
    """What the catalogue says; 0 and "" where it says nothing. kind: payload, rocket_body, debris, other.

    redistribution: strictest class of what is said here, see libs.redistribution.
    """

    kind: str = ""
    dry_mass_kg: float = 0.0
    shape: str = ""
    redistribution: str = "public"


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    object_class: ObjectClass
    class_reason: str
    dry_mass_kg: float
    dry_mass_source: str
    break_up_altitudes_km: tuple[float, float, float]
    break_up_source: str
    explosion: bool
    band_edges_fl: tuple[float, ...]
    climate: Climate
    catalogue: Catalogue

    @property
    def kinds(self) -> tuple[str, ...]:
        return (DEBRIS,) if self.explosion else tuple(kind.name for kind in self.catalogue.kinds)


def choose(known: KnownObject) -> Scenario:
    """The scenario for an object by what the catalogue says of it; the choice and its reason are part of it."""
    object_class, reason = _class_of(known)
    given = known.dry_mass_kg >= 1.0
    mass_kg = known.dry_mass_kg if given else _ASSUMED_KG[object_class]
    source = "catalogue" if given else "assumption: a usual mass of the class, the catalogue gives none"
    return Scenario(
        "default",
        object_class,
        reason,
        mass_kg,
        source,
        breakup.BREAK_UP_KM,
        "assumption: triangular about the 78 km at which most break-ups were seen",
        explosion=False,
        band_edges_fl=BAND_EDGES_FL,
        climate=wind.ASSUMED,
        catalogue=fragments.read_catalogues()[object_class],
    )


def _class_of(known: KnownObject) -> tuple[ObjectClass, str]:
    """The reason goes where everyone may read it, so it repeats figures of public sources alone."""
    quoted = known.redistribution == PUBLIC
    shape = f", shape {known.shape}" if known.shape and quoted else ""
    exact = f"{known.dry_mass_kg:.0f} kg, " if quoted else ""
    match known.kind:
        case "rocket_body" if known.dry_mass_kg >= _TANK_HEAVY_KG:
            mass = f"{exact}at least {_TANK_HEAVY_KG:.0f} kg"
            return ObjectClass.TANK_HEAVY_STAGE, f"the catalogue has a rocket body of {mass}{shape}"
        case "rocket_body":
            mass = f"{exact}less than {_TANK_HEAVY_KG:.0f} kg" if known.dry_mass_kg else "unknown mass"
            return ObjectClass.ROCKET_BODY, f"the catalogue has a rocket body of {mass}{shape}"
        case "payload":
            return ObjectClass.PAYLOAD, f"the catalogue has a payload{shape}"
        case "":
            return ObjectClass.UNKNOWN, "the catalogue does not say what the object is"
        case kind:
            return ObjectClass.UNKNOWN, f"the catalogue has it as {kind}, for which there is no class{shape}"


def to_json(scenario: Scenario) -> bytes:
    """The same scenario gives the same bytes."""
    pieces = [asdict(kind) | {"shape": kind.shape.name.lower()} for kind in scenario.catalogue.kinds]
    climate = scenario.climate
    document = {
        "schema": SCHEMA,
        "name": scenario.name,
        "object_class": scenario.object_class.value,
        "class_reason": scenario.class_reason,
        "dry_mass_kg": scenario.dry_mass_kg,
        "dry_mass_source": scenario.dry_mass_source,
        "break_up_altitudes_km": list(scenario.break_up_altitudes_km),
        "break_up_source": scenario.break_up_source,
        "explosion": scenario.explosion,
        "band_edges_fl": list(scenario.band_edges_fl),
        "wind": {name: getattr(climate, name).tolist() for name in _WIND_FIELDS}
        | {"deep_km": climate.deep_km, "source": climate.source},
        "pieces_description": scenario.catalogue.description,
        "survives": list(scenario.catalogue.survives),
        "pieces": pieces,
    }
    return json.dumps(document, indent=1, ensure_ascii=True).encode() + b"\n"


def of_json(data: bytes) -> Scenario:
    """Raises BadScenario for what cannot be flown."""
    found = _KIND.read(data, _read)
    _check(found)
    return found


def _read(document: Mapping[str, Any]) -> Scenario:
    low, mode, high = map(float, document["break_up_altitudes_km"])
    air, row = document["wind"], {"class": document["object_class"], "description": document["pieces_description"]}
    columns: list[Any] = [np.array(air[name], dtype=np.float64) for name in _WIND_FIELDS]
    return Scenario(
        text(document["name"]),
        ObjectClass(document["object_class"]),
        text(document["class_reason"]),
        float(document["dry_mass_kg"]),
        text(document["dry_mass_source"]),
        (low, mode, high),
        text(document["break_up_source"]),
        document["explosion"] is True,
        tuple(map(float, document["band_edges_fl"])),
        Climate(columns[0], columns[1], columns[2], columns[3], columns[4], float(air["deep_km"]), text(air["source"])),
        fragments.catalogue(row | {"survives": document["survives"], "pieces": document["pieces"]}),
    )


def _check(one: Scenario) -> None:
    if not 1.0 <= one.dry_mass_kg <= 1e6:
        raise BadScenario("dry_mass_kg must lie within 1 and 1,000,000 kg")
    low, mode, high = one.break_up_altitudes_km
    if not 60.0 <= low < mode < high <= 100.0:
        raise BadScenario("break_up_altitudes_km must rise from lowest to most likely to highest, within 60 and 100 km")
    edges = one.band_edges_fl
    falling = all(above > below for above, below in pairwise(edges))
    if not 2 <= len(edges) <= _MAX_BANDS or not falling or edges[-1] != 0.0 or not edges[0] <= 1500.0:
        raise BadScenario(f"band_edges_fl must be 2 to {_MAX_BANDS} levels falling from at most 1500 to 0")
    if max(np.abs(one.climate.east_m_s).max(), np.abs(one.climate.north_m_s).max()) > 150.0:
        raise BadScenario("mean winds must lie within 150 m/s")


def break_up_km(scenario: Scenario, seed: int, samples: Array) -> Array:
    """Break-up altitude of each sample: stratified by a low-discrepancy sequence whose origin is the seed's."""
    origin = _generator(seed, 0xFFFFFFFFFFFFFFFF).random()
    share = (origin + (samples + 1.0) * _GOLDEN) % 1.0
    return breakup.break_up_altitude_km(share, scenario.break_up_altitudes_km)


def pieces(scenario: Scenario, seed: int, sample: int) -> Fragments:
    """The pieces of one sample, by the seed and its number alone: variants of a run share their random numbers."""
    rng = _generator(seed, sample)
    if not scenario.explosion:
        return fragments.draw(scenario.catalogue, scenario.dry_mass_kg, rng)
    payload = scenario.object_class is ObjectClass.PAYLOAD
    origin = breakup.Origin.SPACECRAFT if payload else breakup.Origin.ROCKET_BODY
    cause = breakup.Cause.EXPLOSION
    return fragments.of_explosion(breakup.break_up(scenario.dry_mass_kg, origin, cause, rng, smallest_m=_EXPLODED_TO_M))


def winds(scenario: Scenario, seed: int, samples: Array) -> tuple[Array, Array]:
    """Winds towards east and north [sample, altitude], m/s."""
    whole = seed & 0xFFFFFFFFFFFFFFFF
    each = [wind.sampled(scenario.climate, whole, int(number), 1) for number in samples]
    return np.concatenate([east for east, _ in each]), np.concatenate([north for _, north in each])


def _generator(seed: int, sample: int) -> np.random.Generator:
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, sample], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=_DRAWS_KEY))
