"""What a class of object breaks into: typed reference data, and samples drawn from it.

Each row of `data/fragment_classes.json` is a kind of piece with its share of the dry mass, count, load (mass per
reference area of its shape), survival to the ground, speed of ejection, uncertainty, source, and whether it is an
assumption. Mass not named in a class burns up as dust. Only pieces of at least 1 g are hazardous.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from libs.astro.breakup import Debris
from libs.astro.drag_coefficient import Shape
from libs.astro.entry import Pieces

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

HAZARDOUS_KG = 1e-3
MAX_PIECES = 300
_SLENDER = 10.0  # length over diameter of beams and pipes
_FILE = Path(__file__).parent / "data" / "fragment_classes.json"


class ObjectClass(Enum):
    """What the catalogues tell apart; UNKNOWN where nothing is known of the object."""

    ROCKET_BODY = "rocket_body"
    TANK_HEAVY_STAGE = "tank_heavy_stage"
    PAYLOAD = "payload"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row; uncertainty_ln is 1 sigma of the logarithm of a piece's mass and of its load."""

    name: str
    shape: Shape
    share_of_mass: float
    count: int
    load_kg_m2: float
    survival: float
    dv_m_s: float
    uncertainty_ln: float
    assumption: bool
    source: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The kinds of one class; `survives` bounds the share of mass that is expected to reach the ground."""

    object_class: ObjectClass
    description: str
    survives: tuple[float, float]
    kinds: Sequence[Kind]

    @property
    def count(self) -> int:
        """Pieces of one sample."""
        return sum(kind.count for kind in self.kinds)

    @property
    def surviving_share(self) -> float:
        """Of the dry mass, expected on the ground."""
        return sum(kind.share_of_mass * kind.survival for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Fragments:
    """(N,) each, delta_v_m_s (N, 3) isotropic; `kind` indexes the catalogue, area is the shape's reference area."""

    kind: Ints
    shape: Ints
    mass_kg: Array
    area_m2: Array
    length_m: Array
    survival: Array
    delta_v_m_s: Array

    @property
    def hazardous(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(N,): of at least 1 g when released."""
        return self.mass_kg >= HAZARDOUS_KG

    def pieces(self) -> Pieces:
        """As entry.fly takes them."""
        return Pieces(self.mass_kg / self.area_m2, self.length_m, self.shape)


def read_catalogues(path: Path = _FILE) -> Mapping[ObjectClass, Catalogue]:
    """Reads and checks classes; ValueError names the class or kind that is out of range."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return {one.object_class: one for one in map(catalogue, document["classes"])}


def catalogue(row: Mapping[str, Any]) -> Catalogue:
    """A class from a row of the file; KeyError or ValueError for one that is out of range."""
    low, high = row["survives"]
    found = Catalogue(ObjectClass(row["class"]), row["description"], (low, high), [_kind(one) for one in row["pieces"]])
    if not 1 <= found.count <= MAX_PIECES:
        raise ValueError(f"class {row['class']} has {found.count} pieces; 1 to {MAX_PIECES} can be flown")
    if not sum(kind.share_of_mass for kind in found.kinds) <= 1.0:
        raise ValueError(f"the shares of class {row['class']} make more than the whole")
    if not low <= found.surviving_share <= high:
        raise ValueError(f"of class {row['class']} {found.surviving_share:.0%} survive, outside its own bounds")
    return found


def _kind(row: Mapping[str, Any]) -> Kind:
    kind = Kind(
        row["name"], Shape[row["shape"].upper()], row["share_of_mass"], row["count"], row["load_kg_m2"],
        row["survival"], row["dv_m_s"], row["uncertainty_ln"], row["assumption"], row["source"],
    )  # fmt: skip
    valid = (
        0.0 < kind.share_of_mass <= 1.0
        and kind.count >= 1
        and 0.1 <= kind.load_kg_m2 <= 1e5
        and 0.0 <= kind.survival <= 1.0
        and 0.0 <= kind.dv_m_s <= 500.0
        and 0.0 <= kind.uncertainty_ln <= 2.0
    )
    if not (valid and kind.source):
        raise ValueError(f"the kind of piece {kind.name!r} is out of range or without a source")
    return kind


def draw(catalogue: Catalogue, dry_mass_kg: float, rng: np.random.Generator) -> Fragments:
    """One sample of the pieces of an object; the mass of each kind is its share of dry_mass_kg exactly.

    Masses within a kind and loads spread log-normally; speeds of ejection are Maxwell's with the kind's rms.
    ValueError for a dry mass outside 1 to 1e6 kg.
    """
    if not 1.0 <= dry_mass_kg <= 1e6:
        raise ValueError("the dry mass must lie within 1 and 1e6 kg")
    kind = np.repeat(np.arange(len(catalogue.kinds)), [one.count for one in catalogue.kinds])
    spread = np.array([one.uncertainty_ln for one in catalogue.kinds])[kind]
    weight = np.exp(spread * rng.standard_normal(len(kind)))
    total = np.bincount(kind, weights=weight)
    share = np.array([one.share_of_mass for one in catalogue.kinds])
    mass = dry_mass_kg * (share / total)[kind] * weight
    load = np.array([one.load_kg_m2 for one in catalogue.kinds])[kind] * np.exp(spread * rng.standard_normal(len(kind)))
    shape = np.array([int(one.shape) for one in catalogue.kinds])[kind]
    dv = np.array([one.dv_m_s for one in catalogue.kinds])[kind] / math.sqrt(3.0)
    area = mass / load
    return Fragments(
        kind, shape, mass, area, flow_length_m(shape, area), np.array([one.survival for one in catalogue.kinds])[kind],
        dv[:, None] * rng.standard_normal((len(kind), 3)),
    )  # fmt: skip


def of_explosion(debris: Debris) -> Fragments:
    """Pieces of the break-up model as fragments: tumbling, area a mean over attitudes as a cube's, none demised.

    `kind` is 0 for all; survival is 1, which is conservative.
    """
    count = len(debris.mass_kg)
    shape = np.full(count, int(Shape.CUBE))
    return Fragments(
        np.zeros(count, dtype=np.int64), shape, debris.mass_kg, debris.area_m2, debris.length_m, np.ones(count),
        debris.delta_v_m_s,
    )  # fmt: skip


def flow_length_m(shape: Ints, area_m2: Array) -> Array:
    """Length of the Reynolds number from the reference area: diameter, edge, side or chord of the shape.

    Raises ValueError for areas that are negative or no numbers, and for what is no shape.
    """
    if not (np.isfinite(area_m2) & (np.asarray(area_m2) >= 0.0)).all():
        raise ValueError("a reference area must be a number of m2 and not negative")
    if not ((np.asarray(shape) >= 0) & (np.asarray(shape) < len(Shape))).all():
        raise ValueError(f"a shape must be one of the {len(Shape)} of drag_coefficient.Shape")
    round_ = np.sqrt(4.0 * area_m2 / math.pi)
    side = np.sqrt(area_m2)
    slender = (shape == Shape.BEAM) | (shape == Shape.PIPE)
    conditions = [shape == Shape.CUBE, slender, (shape == Shape.SPHERE) | (shape == Shape.NOZZLE)]
    return np.select(conditions, [side / math.sqrt(1.5), side / math.sqrt(_SLENDER), round_], side)
