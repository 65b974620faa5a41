"""What can be known of an object, and whose word it is."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Any


class ObjectType(Enum):
    UNSPECIFIED = "unspecified"
    PAYLOAD = "payload"
    ROCKET_BODY = "rocket-body"
    DEBRIS = "debris"
    OTHER = "other"


class Basis(Enum):
    """What kind of record states something."""

    OPERATOR = "operator"
    DISCOS = "discos"
    SPACE_TRACK_SATCAT = "space-track-satcat"
    CELESTRAK_SATCAT = "celestrak-satcat"
    DECAY_ROW = "decay-row"
    ELEMENT_SET = "element-set"


@dataclass(frozen=True, slots=True)
class Description:
    """Lengths in m, areas in m2, mass in kg; a field that is empty or None is not known."""

    object_name: bytes = b""
    international_designator: bytes = b""
    type: ObjectType = ObjectType.UNSPECIFIED
    owner: str = ""
    operational_status: str = ""
    launch_mjd: int | None = None
    launch_site: str = ""
    mass_kg: float | None = None
    shape: str = ""
    width_m: float | None = None
    height_m: float | None = None
    depth_m: float | None = None
    diameter_m: float | None = None
    span_m: float | None = None
    cross_section_min_m2: float | None = None
    cross_section_max_m2: float | None = None
    cross_section_mean_m2: float | None = None
    discos_id: str = ""


FIELDS = tuple(field.name for field in fields(Description))
UNKNOWN = Description()


_values = attrgetter(*FIELDS)
_EMPTY = _values(UNKNOWN)


def known_fields(description: Description) -> dict[str, Any]:
    """Values of the fields that are known."""
    stated = zip(FIELDS, _values(description), _EMPTY, strict=True)
    return {name: value for name, value, empty in stated if value != empty}


@dataclass(frozen=True, slots=True)
class Origin:
    """`redistribution` is the class of the source, see libs.redistribution."""

    basis: Basis
    source: str
    stated_at: datetime
    redistribution: str


@dataclass(frozen=True, slots=True, order=True)
class DecayTime:
    """Julian date (UTC) as a pair; `tolerance_min` is the half-width the source's precision leaves."""

    jd: float
    jd_fraction: float
    tolerance_min: float


@dataclass(frozen=True, slots=True)
class Statement:
    """What one record says of one object; number 0 where it names the object by its designator alone.

    `raw`, `line` and `column` are where the record stands, for a refusal.
    """

    catalogue_number: int
    description: Description
    basis: Basis
    stated_at: datetime | None = None
    decay: DecayTime | None = None
    raw: bytes = b""
    line: int = 0
    column: int = 0
