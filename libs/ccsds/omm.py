"""Orbit Mean-Elements Messages of SGP4 (CCSDS 502.0-B-3) in JSON, CSV, KVN and XML, one validation for the four.

JSON and CSV are as CelesTrak and Space-Track publish them: the keywords of the book as keys, what says that the theory
is SGP4 may be left out, and further keys are let pass. KVN and XML hold only what the book allows, except that both
publishers leave CREATION_DATE and ORIGINATOR empty. MEAN_MOTION_DOT and MEAN_MOTION_DDOT are what a TLE carries, a half
and a sixth of the derivatives. As with a TLE, `epoch_problem` says why the epoch of a good set cannot be right; such a
set is refused where its EPOCH stands.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import Any, TypeVar

from libs.astro.elements import ElementSet, RefusalReason, Refused, problem
from libs.astro.tle import EpochProblem
from libs.ccsds import kvn, markup
from libs.ccsds.layout import CARTESIAN, Block, Layout, group, may, must, read_as
from libs.ccsds.messages import Message
from libs.rows.csv_rows import read_csv_rows
from libs.rows.json_rows import read_json_rows
from libs.rows.values import Bad, Instant, amount, field, instant, number, optional, text, whole, within

_NUMBERS = {
    "mean_motion_rev_day": "MEAN_MOTION",
    "eccentricity": "ECCENTRICITY",
    "inclination_deg": "INCLINATION",
    "raan_deg": "RA_OF_ASC_NODE",
    "arg_of_perigee_deg": "ARG_OF_PERICENTER",
    "mean_anomaly_deg": "MEAN_ANOMALY",
    "bstar_per_earth_radius": "BSTAR",
    "mean_motion_dot_half_rev_day2": "MEAN_MOTION_DOT",
    "mean_motion_ddot_sixth_rev_day3": "MEAN_MOTION_DDOT",
}
_INTEGERS = {
    "catalogue_number": "NORAD_CAT_ID",
    "element_set_number": "ELEMENT_SET_NO",
    "revolution_number": "REV_AT_EPOCH",
}
_KEYS = _NUMBERS | _INTEGERS | {"classification": "CLASSIFICATION_TYPE", "epoch_jd": "EPOCH"}
_NEEDED = ("EPOCH", *_NUMBERS.values(), *_INTEGERS.values())
_ONLY = {
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),
    "EPHEMERIS_TYPE": ("0", "2"),  # SGP4 both ways of counting; 4 is SGP4-XP, which SGP4 must not propagate
}
_DESIGNATOR = re.compile(r"(\d\d)(\d\d)-(\d{3})([A-Z]{1,3})", re.ASCII)
UNKNOWN = "UNKNOWN"
R = TypeVar("R")


def read_omm_json(data: bytes, epoch_problem: EpochProblem | None = None) -> Iterator[ElementSet | Refused]:
    """Each record of a JSON array, or the one of a JSON object; never raises for content."""
    return read_json_rows(data, _checked(element_set, epoch_problem))


def read_omm_csv(data: bytes, epoch_problem: EpochProblem | None = None) -> Iterator[ElementSet | Refused]:
    """Each row under a header of keywords; never raises for content."""
    return read_csv_rows(data, _NEEDED, _checked(element_set, epoch_problem))


def read_omm_kvn(data: bytes, epoch_problem: EpochProblem | None = None) -> Iterator[ElementSet | Refused]:
    """Each message of a file in keyword = value notation; never raises for content."""
    return read_as("OMM", kvn.read_messages(data), _checked(_from_entries, epoch_problem))


def read_omm_xml(data: bytes, epoch_problem: EpochProblem | None = None) -> Iterator[ElementSet | Refused]:
    """Each <omm> of a document, alone or in <ndm>; never raises for content."""
    return read_as("OMM", markup.read_messages(data), _checked(_from_entries, epoch_problem))


def _checked(build: Callable[[R], ElementSet], epoch_problem: EpochProblem | None) -> Callable[[R], ElementSet]:
    if epoch_problem is None:
        return build

    def checked(record: R) -> ElementSet:
        elements = build(record)
        if detail := epoch_problem(elements):
            raise Bad("EPOCH", RefusalReason.EPOCH, detail)
        return elements

    return checked


def element_set(record: dict[str, Any]) -> ElementSet:
    """The set of a record whose values are the texts written; raises Bad."""
    for key, allowed in _ONLY.items():
        said = record.get(key)
        if said is not None and said != "" and said not in allowed:
            raise Bad(key, RefusalReason.MISMATCH, f"{key} is {repr(said)[:80]}; only {' or '.join(allowed)} is read")
    epoch = field(record, "EPOCH", instant)
    elements = ElementSet(
        object_name=_known(optional(record, "OBJECT_NAME", text)).encode(),
        international_designator=_designator(_known(optional(record, "OBJECT_ID", text))),
        epoch_jd=epoch.jd,
        epoch_jd_fraction=epoch.jd_fraction,
        classification=optional(record, "CLASSIFICATION_TYPE", text) or "U",
        **_values(record, _NUMBERS, number),
        **_values(record, _INTEGERS, whole),
        created=_created(record),
    )
    found = problem(elements)
    if found:
        name, reason, detail = found
        raise Bad(_KEYS[name], reason, detail)
    return elements


def _created(record: dict[str, Any]) -> Instant | None:
    """Publishers write it in more ways than the book has; one not read is as if not there, the set being good."""
    try:
        return optional(record, "CREATION_DATE", instant)
    except Bad:
        return None


def _values(record: dict[str, Any], keys: dict[str, str], read: Callable[[object], Any]) -> dict[str, Any]:
    return {name: field(record, key, read) for name, key in keys.items()}


def _known(said: str | None) -> str:
    """UNKNOWN is how the book writes that there is none."""
    return "" if said is None or said == UNKNOWN else said


def _designator(said: str) -> bytes:
    """As in a TLE: 2022-143B is 22143B."""
    match = _DESIGNATOR.fullmatch(said)
    return "".join(match.group(2, 3, 4)).encode() if match else said.encode()


# --- the tables of the book ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    classification: str | None = may("CLASSIFICATION")
    creation_date: object = may("CREATION_DATE", instant)
    originator: str | None = may("ORIGINATOR")
    message_id: str | None = may("MESSAGE_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    object_name: str = must("OBJECT_NAME")
    object_id: str = must("OBJECT_ID")
    center_name: str = must("CENTER_NAME")
    ref_frame: str = must("REF_FRAME")
    ref_frame_epoch: object = may("REF_FRAME_EPOCH", instant)
    time_system: str = must("TIME_SYSTEM")
    mean_element_theory: str = must("MEAN_ELEMENT_THEORY")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Elements:
    epoch: object = must("EPOCH", instant)
    mean_motion: float = must("MEAN_MOTION", number, "rev/day")
    eccentricity: float = must("ECCENTRICITY", number)
    inclination: float = must("INCLINATION", number, "deg")
    ra_of_asc_node: float = must("RA_OF_ASC_NODE", number, "deg")
    arg_of_pericenter: float = must("ARG_OF_PERICENTER", number, "deg")
    mean_anomaly: float = must("MEAN_ANOMALY", number, "deg")
    gm: float | None = may("GM", within(number, 398_600.0, 398_601.0), "km**3/s**2")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spacecraft:
    mass: float | None = may("MASS", amount, "kg")
    solar_rad_area: float | None = may("SOLAR_RAD_AREA", amount, "m**2")
    solar_rad_coeff: float | None = may("SOLAR_RAD_COEFF", amount)
    drag_area: float | None = may("DRAG_AREA", amount, "m**2")
    drag_coeff: float | None = may("DRAG_COEFF", amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tle:
    ephemeris_type: int | None = may("EPHEMERIS_TYPE", whole)
    classification_type: str | None = may("CLASSIFICATION_TYPE")
    norad_cat_id: int = must("NORAD_CAT_ID", whole)
    element_set_no: int = must("ELEMENT_SET_NO", whole)
    rev_at_epoch: int = must("REV_AT_EPOCH", whole)
    bstar: float = must("BSTAR", number, "1/ER")
    mean_motion_dot: float = must("MEAN_MOTION_DOT", number, "rev/day**2")
    mean_motion_ddot: float = must("MEAN_MOTION_DDOT", number, "rev/day**3")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Covariance:
    cov_ref_frame: str | None = may("COV_REF_FRAME")
    lower_triangle: tuple[float, ...] = group(CARTESIAN, mandatory=True)


_TABLES: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (_Header, ("header",)),
    (_Metadata, ("body", "segment", "metadata")),
    (_Elements, ("body", "segment", "data", "meanElements")),
    (_Spacecraft, ("body", "segment", "data", "spacecraftParameters")),
    (_Tle, ("body", "segment", "data", "tleParameters")),
    (_Covariance, ("body", "segment", "data", "covarianceMatrix")),
)
_MANDATORY: tuple[type[Any], ...] = (_Metadata, _Elements, _Tle)
_OPTIONAL: tuple[type[Any], ...] = (_Header, _Spacecraft, _Covariance)
_LAYOUT = Layout(starmap(Block, _TABLES), units_required=False)


def _from_entries(message: Message) -> ElementSet:
    arranged = _LAYOUT.arrange(message.entries)
    arranged.drop_empty("CREATION_DATE", "ORIGINATOR")
    for made in _MANDATORY:
        arranged.block(made)
    for made in _OPTIONAL:
        arranged.optional_block(made)
    return element_set(arranged.texts())
