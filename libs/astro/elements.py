"""Mean elements of SGP4 as published, and why a record that claims to hold some is refused."""

import math
from dataclasses import dataclass, field
from enum import Enum, auto


class RefusalReason(Enum):
    """What a refused record breaks: its form (UNREADABLE to CHECKSUM), itself (MISMATCH) or what can be."""

    UNREADABLE = auto()
    LENGTH = auto()
    CHARACTER = auto()
    CHECKSUM = auto()
    MISMATCH = auto()
    RANGE = auto()
    MISSING = auto()
    EPOCH = auto()
    TOO_LARGE = auto()
    NOT_FINITE = auto()
    GEOMETRY = auto()


class Refused(Exception):
    """A record that cannot be used; line and column count from 1 in what was read, 0 where there is none.

    `raw` is the record, or of a long one the part around the place; empty where the reader leaves that to its caller.
    """

    def __init__(self, line: int, column: int, reason: RefusalReason, detail: str, raw: bytes = b"") -> None:
        super().__init__(line, column, reason, detail, raw)
        self.line = line
        self.column = column
        self.reason = reason
        self.detail = detail
        self.raw = raw

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.detail}"


@dataclass(frozen=True, slots=True)
class ElementSet:
    """One set. Angles in degrees, epoch as a UTC Julian date pair; name and designator as the source wrote them.

    `created` is when the publisher made the record, as a UTC Julian date pair, None where it does not say; it is no
    part of what the set says, so two that differ only there are equal.
    """

    catalogue_number: int
    object_name: bytes
    international_designator: bytes
    epoch_jd: float
    epoch_jd_fraction: float
    mean_motion_rev_day: float
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    arg_of_perigee_deg: float
    mean_anomaly_deg: float
    bstar_per_earth_radius: float
    mean_motion_dot_half_rev_day2: float
    mean_motion_ddot_sixth_rev_day3: float
    classification: str
    element_set_number: int
    revolution_number: int
    created: tuple[float, float] | None = field(default=None, compare=False, repr=False)


MAX_CATALOGUE_NUMBER = 999_999_999
MAX_MEAN_MOTION_REV_DAY = 18.0  # a circular orbit at the surface makes 17.05

# field, least, greatest, whether the greatest itself is allowed
_RANGES = (
    ("catalogue_number", 1, MAX_CATALOGUE_NUMBER, True),
    ("epoch_jd", 2_435_839.5, 2_524_593.5, False),  # 1957 to 2199: those that a time of the mesh can hold
    ("mean_motion_rev_day", 1e-3, MAX_MEAN_MOTION_REV_DAY, True),
    ("eccentricity", 0.0, 1.0, False),
    ("inclination_deg", 0.0, 180.0, True),
    ("raan_deg", 0.0, 360.0, False),
    ("arg_of_perigee_deg", 0.0, 360.0, False),
    ("mean_anomaly_deg", 0.0, 360.0, False),
    ("bstar_per_earth_radius", -10.0, 10.0, True),
    ("mean_motion_dot_half_rev_day2", -10.0, 10.0, True),
    ("mean_motion_ddot_sixth_rev_day3", -10.0, 10.0, True),
    ("element_set_number", 0, 9999, True),
    ("revolution_number", 0, 99_999, True),
)


def problem(elements: ElementSet) -> tuple[str, RefusalReason, str] | None:
    """The first field that no real set can have, why, and what is wrong with it."""
    for name, least, greatest, inclusive in _RANGES:
        value = getattr(elements, name)
        if not math.isfinite(value):
            return name, RefusalReason.NOT_FINITE, f"{name} is {value}, not a finite number"
        if value < least or value > greatest or (value == greatest and not inclusive):
            bracket = "]" if inclusive else ")"
            return name, RefusalReason.RANGE, f"{name} {value} is outside [{least}, {greatest}{bracket}"
    if elements.classification not in ("U", "C", "S"):
        return "classification", RefusalReason.CHARACTER, f"classification {elements.classification!r} is not U, C or S"
    return None


def validate(elements: ElementSet) -> None:
    """Raises Refused, at line 0, for a set with a value that no real one can have."""
    found = problem(elements)
    if found:
        raise Refused(0, 0, found[1], found[2])
