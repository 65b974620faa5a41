"""Conjunction Data Messages (CCSDS 508.0-B-1, corrigenda 1 and 2) in KVN and XML.

Each dataclass is a table or a logical block of the book, each field a keyword of it in the book's order. All epochs
are UTC. Comments are for people and are not kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Any

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds import kvn, markup
from libs.ccsds.layout import Block, Keyword, Layout, enumeration, group, matching, may, must, read_as, triangle
from libs.ccsds.messages import COMMENT, Entry, Message
from libs.ccsds.orbit_determination import OrbitDetermination
from libs.rows.values import Bad, Instant, amount, instant, number, within

_DATA = ("body", "segment", "data")
_YES_NO = enumeration("YES", "NO")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    creation_date: Instant = must("CREATION_DATE", instant)
    originator: str = must("ORIGINATOR")
    message_for: str | None = may("MESSAGE_FOR")
    message_id: str = must("MESSAGE_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closest:
    """Time of closest approach and the distance then."""

    tca: Instant = must("TCA", instant)
    miss_distance_m: float = must("MISS_DISTANCE", amount, "m")
    relative_speed_m_s: float | None = may("RELATIVE_SPEED", amount, "m/s")


def _rtn(quantity: str, units: str) -> Any:
    return group(Keyword(f"RELATIVE_{quantity}_{axis}", number, units) for axis in "RTN")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeState:
    """Of object 2 to object 1; radial, transverse and normal."""

    position_rtn_m: tuple[float, ...] | None = _rtn("POSITION", "m")
    velocity_rtn_m_s: tuple[float, ...] | None = _rtn("VELOCITY", "m/s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    start: Instant | None = may("START_SCREEN_PERIOD", instant)
    stop: Instant | None = may("STOP_SCREEN_PERIOD", instant)
    volume_frame: str | None = may("SCREEN_VOLUME_FRAME", enumeration("RTN", "TVN"))
    volume_shape: str | None = may("SCREEN_VOLUME_SHAPE", enumeration("ELLIPSOID", "BOX"))
    volume_m: tuple[float, ...] | None = group(Keyword(f"SCREEN_VOLUME_{axis}", amount, "m") for axis in "XYZ")
    entry_time: Instant | None = may("SCREEN_ENTRY_TIME", instant)
    exit_time: Instant | None = may("SCREEN_EXIT_TIME", instant)
    collision_probability: float | None = may("COLLISION_PROBABILITY", within(number, 0.0, 1.0))
    collision_probability_method: str | None = may("COLLISION_PROBABILITY_METHOD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    object: str = must("OBJECT", enumeration("OBJECT1", "OBJECT2"))
    object_designator: str = must("OBJECT_DESIGNATOR")
    catalog_name: str = must("CATALOG_NAME")
    object_name: str = must("OBJECT_NAME")
    international_designator: str = must(
        "INTERNATIONAL_DESIGNATOR", matching(r"\d{4}-\d{3}[A-Z]{1,3}|UNKNOWN", "as 2022-143B, or UNKNOWN")
    )
    object_type: str | None = may("OBJECT_TYPE", enumeration("PAYLOAD", "ROCKET BODY", "DEBRIS", "UNKNOWN", "OTHER"))
    operator_contact_position: str | None = may("OPERATOR_CONTACT_POSITION")
    operator_organization: str | None = may("OPERATOR_ORGANIZATION")
    operator_phone: str | None = may("OPERATOR_PHONE")
    operator_email: str | None = may("OPERATOR_EMAIL")
    ephemeris_name: str = must("EPHEMERIS_NAME")
    covariance_method: str = must("COVARIANCE_METHOD", enumeration("CALCULATED", "DEFAULT"))
    maneuverable: str = must("MANEUVERABLE", enumeration("YES", "NO", "N/A"))
    orbit_center: str | None = may("ORBIT_CENTER")
    ref_frame: str = must("REF_FRAME", enumeration("GCRF", "EME2000", "ITRF"))
    gravity_model: str | None = may("GRAVITY_MODEL")
    atmospheric_model: str | None = may("ATMOSPHERIC_MODEL")
    n_body_perturbations: str | None = may("N_BODY_PERTURBATIONS")
    solar_rad_pressure: str | None = may("SOLAR_RAD_PRESSURE", _YES_NO)
    earth_tides: str | None = may("EARTH_TIDES", _YES_NO)
    intrack_thrust: str | None = may("INTRACK_THRUST", _YES_NO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Additional:
    area_pc_m2: float | None = may("AREA_PC", amount, "m**2")
    area_drag_m2: float | None = may("AREA_DRG", amount, "m**2")
    area_srp_m2: float | None = may("AREA_SRP", amount, "m**2")
    mass_kg: float | None = may("MASS", amount, "kg")
    cd_area_over_mass_m2_kg: float | None = may("CD_AREA_OVER_MASS", number, "m**2/kg")
    cr_area_over_mass_m2_kg: float | None = may("CR_AREA_OVER_MASS", number, "m**2/kg")
    thrust_acceleration_m_s2: float | None = may("THRUST_ACCELERATION", number, "m/s**2")
    sedr_w_kg: float | None = may("SEDR", number, "W/kg")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """At the time of closest approach."""

    position_km: tuple[float, ...] = group((Keyword(k, number, "km") for k in "XYZ"), mandatory=True)
    velocity_km_s: tuple[float, ...] = group((Keyword(f"{k}_DOT", number, "km/s") for k in "XYZ"), mandatory=True)


_AXES = ("R", "T", "N", "RDOT", "TDOT", "NDOT", "DRG", "SRP", "THR")
_OF_POSITION, _OF_VELOCITY = range(3), range(3, 6)
_ROW_UNITS = {  # of a row with position, with velocity, then with drag, pressure and thrust
    "DRG": ("m**3/kg", "m**3/(kg*s)", "m**4/kg**2"),
    "SRP": ("m**3/kg", "m**3/(kg*s)", "m**4/kg**2", "m**4/kg**2"),
    "THR": ("m**2/s**2", "m**2/s**3", "m**3/(kg*s**2)", "m**3/(kg*s**2)", "m**2/s**4"),
}


def _row(axis: str) -> Any:
    units = _ROW_UNITS[axis]
    columns = _AXES[: _AXES.index(axis) + 1]
    return group(
        Keyword(f"C{axis}_{column}", amount if column == axis else number, units[max(0, i // 3 if i < 6 else i - 4)])
        for i, column in enumerate(columns)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Lower triangle by rows of R, T, N, RDOT, TDOT, NDOT, m and s, and the rows of drag, pressure and thrust."""

    lower_triangle: tuple[float, ...] = group(triangle(_AXES[:6], "m", number), mandatory=True)
    drag: tuple[float, ...] | None = _row("DRG")
    solar_pressure: tuple[float, ...] | None = _row("SRP")
    thrust: tuple[float, ...] | None = _row("THR")


@dataclass(frozen=True, slots=True)
class ConjunctionObject:
    metadata: Metadata
    orbit_determination: OrbitDetermination | None
    additional: Additional | None
    state: State
    covariance: Covariance


@dataclass(frozen=True, slots=True)
class ConjunctionMessage:
    header: Header
    closest: Closest
    relative_state: RelativeState | None
    screening: Screening | None
    objects: tuple[ConjunctionObject, ConjunctionObject]


_RELATIVE = ("body", "relativeMetadataData")
_RELATIVE_TABLES: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (Header, ("header",)),
    (Closest, _RELATIVE),
    (RelativeState, (*_RELATIVE, "relativeStateVector")),
    (Screening, _RELATIVE),
)
_OBJECT_TABLES: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (Metadata, ("body", "segment", "metadata")),
    (OrbitDetermination, (*_DATA, "odParameters")),
    (Additional, (*_DATA, "additionalParameters")),
    (State, (*_DATA, "stateVector")),
    (Covariance, (*_DATA, "covarianceMatrix")),
)
_RELATIVE_LAYOUT = Layout(starmap(Block, _RELATIVE_TABLES), units_required=True, user_defined=False)
_OBJECT_LAYOUT = Layout(starmap(Block, _OBJECT_TABLES), units_required=True, user_defined=False)


def read_cdm_kvn(data: bytes) -> Iterator[ConjunctionMessage | Refused]:
    """Each message of a file in keyword = value notation; never raises for content."""
    return read_as("CDM", kvn.read_messages(data), build)


def read_cdm_xml(data: bytes) -> Iterator[ConjunctionMessage | Refused]:
    """Each <cdm> of a document, alone or in <ndm>; never raises for content."""
    return read_as("CDM", markup.read_messages(data), build)


def build(message: Message) -> ConjunctionMessage:
    """A message as lexed, held to the book; raises Bad."""
    relative, first, second = _parts(message.entries)
    arranged = _RELATIVE_LAYOUT.arrange(relative)
    read = ConjunctionMessage(
        header=arranged.block(Header),
        closest=arranged.block(Closest),
        relative_state=arranged.optional_block(RelativeState),
        screening=arranged.optional_block(Screening),
        objects=(_object(first), _object(second)),
    )
    for rule in _RULES:
        rule(read)
    return read


def _parts(entries: tuple[Entry, ...]) -> tuple[tuple[Entry, ...], ...]:
    """What comes before the two objects, and each of them with the comments that open it; raises Bad."""
    starts = [at for at, entry in enumerate(entries) if entry.keyword == "OBJECT"]
    if len(starts) != 2:
        raise Bad("OBJECT", RefusalReason.MISSING, f"the message is of {len(starts)} objects, not of 2")
    begin, middle = (_with_comments(entries, at) for at in starts)
    return entries[:begin], entries[begin:middle], entries[middle:]


def _with_comments(entries: tuple[Entry, ...], at: int) -> int:
    while at and entries[at - 1].keyword == COMMENT:
        at -= 1
    return at


def _object(entries: tuple[Entry, ...]) -> ConjunctionObject:
    arranged = _OBJECT_LAYOUT.arrange(entries)
    return ConjunctionObject(
        metadata=arranged.block(Metadata),
        orbit_determination=arranged.optional_block(OrbitDetermination),
        additional=arranged.optional_block(Additional),
        state=arranged.block(State),
        covariance=arranged.block(Covariance),
    )


# --- what holds between fields ---------------------------------------------------------------------------------


def _objects_are_first_and_second(read: ConjunctionMessage) -> None:
    names = tuple(one.metadata.object for one in read.objects)
    if names != ("OBJECT1", "OBJECT2"):
        raise Bad("OBJECT", RefusalReason.MISMATCH, f"the objects are {' and '.join(names)}, not OBJECT1 and OBJECT2")


def _objects_share_their_frame(read: ConjunctionMessage) -> None:
    first, second = (one.metadata.ref_frame for one in read.objects)
    if first != second:
        raise Bad("REF_FRAME", RefusalReason.MISMATCH, f"REF_FRAME is {first} for one object, {second} for the other")


def _rows_follow_each_other(read: ConjunctionMessage) -> None:
    for one in read.objects:
        rows = (one.covariance.drag, one.covariance.solar_pressure, one.covariance.thrust)
        if any(later and not earlier for earlier, later in pairwise(rows)):
            raise Bad("", RefusalReason.MISSING, "a row of the covariance is there without the row before it")


def _times_are_in_order(read: ConjunctionMessage) -> None:
    spans = [("STOP_SCREEN_PERIOD", read.screening.start, read.screening.stop)] if read.screening else []
    if read.screening:
        spans.append(("SCREEN_EXIT_TIME", read.screening.entry_time, read.screening.exit_time))
    for one in read.objects:
        if one.orbit_determination:
            od = one.orbit_determination
            spans.append(("TIME_LASTOB_END", od.time_lastob_start, od.time_lastob_end))
    for key, start, end in spans:
        if start and end and end < start:
            raise Bad(key, RefusalReason.MISMATCH, f"{key} lies before its start")


_RULES: tuple[Callable[[ConjunctionMessage], None], ...] = (
    _objects_are_first_and_second,
    _objects_share_their_frame,
    _rows_follow_each_other,
    _times_are_in_order,
)
