"""Re-entry Data Messages (CCSDS 508.1-B-1, corrigendum 1) in KVN and XML.

Each dataclass is a table or a logical block of the book, each field a keyword of it in the book's order. Epochs are in
the message's time system. User-defined keywords are kept as written: what they mean is in an agreement with their
originator. Comments are for people and are not kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Any, NamedTuple

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds import kvn, markup
from libs.ccsds.layout import (
    CARTESIAN,
    Arranged,
    Block,
    Keyword,
    Layout,
    chosen,
    enumeration,
    group,
    matching,
    may,
    must,
    read_as,
    time_system,
)
from libs.ccsds.messages import Message
from libs.ccsds.orbit_determination import OrbitDetermination
from libs.rows.values import Bad, Instant, amount, instant, number, within

_DATA = ("body", "segment", "data")
_BODY_FIXED = r"ITRF(-?\d{2,4})?|WGS-?84|EFG|GRC|TDR|GTOD|FIXED[_ ](EARTH|CB)"
_METHOD = enumeration("NONE", "ANALYTICAL", "STOCHASTIC", "EMPIRICAL")
_DISINTEGRATION = chosen(
    {name: name for name in ("NONE", "MASS-LOSS", "BREAK-UP", "MASS-LOSS + BREAK-UP")}
    | {"BREAKUP": "BREAK-UP", "MASS-LOSS + BREAKUP": "MASS-LOSS + BREAK-UP"}  # as figure C-4 of the book has it
)
_probability = within(number, 0.0, 1.0)
_percentage = within(number, 0.0, 100.0)
_longitude = within(number, -180.0, 180.0)
_latitude = within(number, -90.0, 90.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    creation_date: Instant = must("CREATION_DATE", instant)
    originator: str = must("ORIGINATOR")
    message_id: str = must("MESSAGE_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    object_name: str = must("OBJECT_NAME")
    international_designator: str = must(
        "INTERNATIONAL_DESIGNATOR", matching(r"\d{4}-\d{3}[A-Z]{1,3}|UNKNOWN", "as 2022-143B, or UNKNOWN")
    )
    catalog_name: str | None = may("CATALOG_NAME")
    object_designator: str | None = may("OBJECT_DESIGNATOR")
    object_type: str | None = may("OBJECT_TYPE", enumeration("PAYLOAD", "ROCKET BODY", "DEBRIS", "OTHER", "UNKNOWN"))
    object_owner: str | None = may("OBJECT_OWNER")
    object_operator: str | None = may("OBJECT_OPERATOR")
    controlled_reentry: str = must("CONTROLLED_REENTRY", enumeration("YES", "NO", "UNKNOWN"))
    center_name: str = must("CENTER_NAME")
    time_system: str = must("TIME_SYSTEM", time_system)
    epoch_tzero: Instant = must("EPOCH_TZERO", instant)
    ref_frame: str | None = may("REF_FRAME")
    ref_frame_epoch: Instant | None = may("REF_FRAME_EPOCH", instant)
    ephemeris_name: str | None = may("EPHEMERIS_NAME")
    gravity_model: str | None = may("GRAVITY_MODEL")
    atmospheric_model: str | None = may("ATMOSPHERIC_MODEL")
    solar_flux_prediction: str | None = may("SOLAR_FLUX_PREDICTION")
    n_body_perturbations: str | None = may("N_BODY_PERTURBATIONS")
    solar_rad_pressure: str | None = may("SOLAR_RAD_PRESSURE")
    earth_tides: str | None = may("EARTH_TIDES")
    intrack_thrust: str | None = may("INTRACK_THRUST", enumeration("YES", "NO"))
    drag_parameters_source: str | None = may("DRAG_PARAMETERS_SOURCE")
    drag_parameters_altitude_km: float | None = may("DRAG_PARAMETERS_ALTITUDE", number, "km")
    reentry_uncertainty_method: str | None = may("REENTRY_UNCERTAINTY_METHOD", _METHOD)
    reentry_disintegration: str | None = may("REENTRY_DISINTEGRATION", _DISINTEGRATION)
    impact_uncertainty_method: str | None = may("IMPACT_UNCERTAINTY_METHOD", _METHOD)
    previous_message_id: str | None = may("PREVIOUS_MESSAGE_ID")
    previous_message_epoch: Instant | None = may("PREVIOUS_MESSAGE_EPOCH", instant)
    next_message_epoch: Instant | str | None = may(
        "NEXT_MESSAGE_EPOCH", lambda said: said if said == "N/A" else instant(said)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AtmosphericReentry:
    orbit_lifetime_d: float = must("ORBIT_LIFETIME", number, "d")
    reentry_altitude_km: float = must("REENTRY_ALTITUDE", amount, "km")
    orbit_lifetime_window_start_d: float | None = may("ORBIT_LIFETIME_WINDOW_START", number, "d")
    orbit_lifetime_window_end_d: float | None = may("ORBIT_LIFETIME_WINDOW_END", number, "d")
    nominal_reentry_epoch: Instant | None = may("NOMINAL_REENTRY_EPOCH", instant)
    reentry_window_start: Instant | None = may("REENTRY_WINDOW_START", instant)
    reentry_window_end: Instant | None = may("REENTRY_WINDOW_END", instant)
    orbit_lifetime_confidence_percent: float | None = may("ORBIT_LIFETIME_CONFIDENCE_LEVEL", _percentage, "%")


class ConfidenceInterval(NamedTuple):
    """Of the impact location, along the ground track; degrees east and north."""

    confidence_percent: float
    start_longitude_deg: float
    start_latitude_deg: float
    stop_longitude_deg: float
    stop_latitude_deg: float
    cross_track_km: float


def _interval(n: int) -> Any:
    parts = (
        ("CONFIDENCE", _percentage, "%"),
        ("START_LON", _longitude, "deg"),
        ("START_LAT", _latitude, "deg"),
        ("STOP_LON", _longitude, "deg"),
        ("STOP_LAT", _latitude, "deg"),
        ("CROSS_TRACK", amount, "km"),
    )
    return group((Keyword(f"IMPACT_{n}_{name}", read, units) for name, read, units in parts), ConfidenceInterval._make)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundImpact:
    probability_of_impact: float | None = may("PROBABILITY_OF_IMPACT", _probability)
    probability_of_burn_up: float | None = may("PROBABILITY_OF_BURN_UP", _probability)
    probability_of_break_up: float | None = may("PROBABILITY_OF_BREAK_UP", _probability)
    probability_of_land_impact: float | None = may("PROBABILITY_OF_LAND_IMPACT", _probability)
    probability_of_casualty: float | None = may("PROBABILITY_OF_CASUALTY", _probability)
    nominal_impact_epoch: Instant | None = may("NOMINAL_IMPACT_EPOCH", instant)
    impact_window_start: Instant | None = may("IMPACT_WINDOW_START", instant)
    impact_window_end: Instant | None = may("IMPACT_WINDOW_END", instant)
    impact_ref_frame: str | None = may("IMPACT_REF_FRAME", matching(_BODY_FIXED, "a body-fixed frame such as ITRF-97"))
    nominal_impact_longitude_deg: float | None = may("NOMINAL_IMPACT_LON", _longitude, "deg")
    nominal_impact_latitude_deg: float | None = may("NOMINAL_IMPACT_LAT", _latitude, "deg")
    nominal_impact_altitude_m: float | None = may("NOMINAL_IMPACT_ALT", number, "m")
    interval_1: ConfidenceInterval | None = _interval(1)
    interval_2: ConfidenceInterval | None = _interval(2)
    interval_3: ConfidenceInterval | None = _interval(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    epoch: Instant = must("EPOCH", instant)
    position_km: tuple[float, ...] = group((Keyword(k, number, "km") for k in "XYZ"), mandatory=True)
    velocity_km_s: tuple[float, ...] = group((Keyword(f"{k}_DOT", number, "km/s") for k in "XYZ"), mandatory=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Lower triangle by rows of X, Y, Z, X_DOT, Y_DOT, Z_DOT; km and s. No frame: that of the state."""

    ref_frame: str | None = may("COV_REF_FRAME")
    lower_triangle: tuple[float, ...] = group(CARTESIAN, mandatory=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectProperties:
    wet_mass_kg: float | None = may("WET_MASS", amount, "kg")
    dry_mass_kg: float | None = may("DRY_MASS", amount, "kg")
    hazardous_substances: str | None = may("HAZARDOUS_SUBSTANCES")
    solar_rad_area_m2: float | None = may("SOLAR_RAD_AREA", amount, "m**2")
    solar_rad_coeff: float | None = may("SOLAR_RAD_COEFF", amount)
    drag_area_m2: float | None = may("DRAG_AREA", amount, "m**2")
    drag_coeff: float | None = may("DRAG_COEFF", amount)
    radar_cross_section_m2: float | None = may("RCS", amount, "m**2")
    ballistic_coeff_kg_m2: float | None = may("BALLISTIC_COEFF", amount, "kg/m**2")
    thrust_acceleration_m_s2: float | None = may("THRUST_ACCELERATION", number, "m/s**2")


@dataclass(frozen=True, slots=True)
class ReentryMessage:
    header: Header
    metadata: Metadata
    reentry: AtmosphericReentry
    impact: GroundImpact | None
    state: State | None
    covariance: Covariance | None
    properties: ObjectProperties | None
    orbit_determination: OrbitDetermination | None
    user_defined: tuple[tuple[str, str], ...]


_TABLES: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (Header, ("header",)),
    (Metadata, ("body", "segment", "metadata")),
    (AtmosphericReentry, (*_DATA, "atmosphericReentryParameters")),
    (GroundImpact, (*_DATA, "groundImpactParameters")),
    (State, (*_DATA, "stateVector")),
    (Covariance, (*_DATA, "covarianceMatrix")),
    (ObjectProperties, (*_DATA, "spacecraftParameters")),
    (OrbitDetermination, (*_DATA, "odParameters")),
)
_LAYOUT = Layout(starmap(Block, _TABLES), units_required=True)


def read_rdm_kvn(data: bytes) -> Iterator[ReentryMessage | Refused]:
    """Each message of a file in keyword = value notation; never raises for content."""
    return read_as("RDM", kvn.read_messages(data), build)


def read_rdm_xml(data: bytes) -> Iterator[ReentryMessage | Refused]:
    """Each <rdm> of a document, alone or in <ndm>; never raises for content."""
    return read_as("RDM", markup.read_messages(data), build)


def build(message: Message) -> ReentryMessage:
    """A message as lexed, held to the book; raises Bad."""
    arranged = _LAYOUT.arrange(message.entries)
    read = ReentryMessage(
        header=arranged.block(Header),
        metadata=arranged.block(Metadata),
        reentry=arranged.block(AtmosphericReentry),
        impact=arranged.optional_block(GroundImpact),
        state=arranged.optional_block(State),
        covariance=arranged.optional_block(Covariance),
        properties=arranged.optional_block(ObjectProperties),
        orbit_determination=arranged.optional_block(OrbitDetermination),
        user_defined=tuple(arranged.user_defined.items()),
    )
    for rule in _RULES:
        rule(read, arranged)
    return read


# --- what holds between fields (508.1-B-1, 3.5) ----------------------------------------------------------------


def _state_has_a_frame(read: ReentryMessage, _: Arranged) -> None:
    if read.state and not read.metadata.ref_frame:
        raise Bad("EPOCH", RefusalReason.MISSING, "REF_FRAME is missing; a state vector needs it")


def _covariance_has_a_state(read: ReentryMessage, _: Arranged) -> None:
    if read.covariance and not read.state:
        raise Bad("CX_X", RefusalReason.MISSING, "the covariance has no state vector")


def _impact_has_a_place(_: ReentryMessage, arranged: Arranged) -> None:
    located = [
        name
        for name in arranged.entries
        if name.startswith(("IMPACT_REF_FRAME", "NOMINAL_IMPACT_L", "NOMINAL_IMPACT_A", "IMPACT_1"))
    ]
    for name in ("IMPACT_REF_FRAME", "NOMINAL_IMPACT_LON", "NOMINAL_IMPACT_LAT"):
        if located and name not in arranged.entries:
            raise Bad(located[0], RefusalReason.MISSING, f"{name} is missing; an impact location needs it")


def _intervals_rise(read: ReentryMessage, _: Arranged) -> None:
    if not read.impact:
        return
    intervals = (read.impact.interval_1, read.impact.interval_2, read.impact.interval_3)
    for n, (lower, higher) in enumerate(pairwise(intervals), 2):
        if higher and not lower:
            raise Bad(f"IMPACT_{n}_CONFIDENCE", RefusalReason.MISSING, f"IMPACT_{n}_ is there without IMPACT_{n - 1}_")
        if higher and lower and not lower.confidence_percent < higher.confidence_percent:
            detail = f"IMPACT_{n}_CONFIDENCE is not greater than IMPACT_{n - 1}_CONFIDENCE"
            raise Bad(f"IMPACT_{n}_CONFIDENCE", RefusalReason.MISMATCH, detail)


_PAIRS = (  # a time from T0 in days, and the epoch that it must resolve to
    ("ORBIT_LIFETIME", "orbit_lifetime_d", "NOMINAL_REENTRY_EPOCH", "nominal_reentry_epoch"),
    ("ORBIT_LIFETIME_WINDOW_START", "orbit_lifetime_window_start_d", "REENTRY_WINDOW_START", "reentry_window_start"),
    ("ORBIT_LIFETIME_WINDOW_END", "orbit_lifetime_window_end_d", "REENTRY_WINDOW_END", "reentry_window_end"),
)


def _epochs_agree(read: ReentryMessage, arranged: Arranged) -> None:
    """To one unit of the last digit of the days as written: figure C-2 has 5.5 d for 5.448 d."""
    for days_key, days_name, epoch_key, epoch_name in _PAIRS:
        days, epoch = getattr(read.reentry, days_name), getattr(read.reentry, epoch_name)
        if days is None or epoch is None:
            continue
        apart_d = abs(epoch.seconds_since(read.metadata.epoch_tzero) / 86400.0 - days)
        if apart_d > _last_digit_d(arranged.entries[days_key].value) + _SECOND_D:
            detail = f"{epoch_key} is {apart_d:.6g} d away from EPOCH_TZERO plus {days_key}"
            raise Bad(epoch_key, RefusalReason.MISMATCH, detail)


_SECOND_D = 1.0 / 86400.0  # epochs are written to a second, or finer


def _last_digit_d(value: str) -> float:
    """Whole days stand for .0 in the book."""
    mantissa, _, power = value.partition(" ")[0].lower().partition("e")
    decimals = len(mantissa.partition(".")[2]) or 1
    return float(10.0 ** (int(power or 0) - decimals))


_ORDERED = (
    ("reentry", "orbit_lifetime_window_start_d", "orbit_lifetime_window_end_d", "ORBIT_LIFETIME_WINDOW_END"),
    ("reentry", "reentry_window_start", "reentry_window_end", "REENTRY_WINDOW_END"),
    ("impact", "impact_window_start", "impact_window_end", "IMPACT_WINDOW_END"),
    ("orbit_determination", "time_lastob_start", "time_lastob_end", "TIME_LASTOB_END"),
)


def _windows_do_not_end_before_they_start(read: ReentryMessage, _: Arranged) -> None:
    for block_name, start_name, end_name, key in _ORDERED:
        block = getattr(read, block_name)
        start, end = getattr(block, start_name, None), getattr(block, end_name, None)
        if start is not None and end is not None and end < start:
            raise Bad(key, RefusalReason.MISMATCH, f"{key} lies before its start")


_RULES: tuple[Callable[[ReentryMessage, Arranged], None], ...] = (
    _state_has_a_frame,
    _covariance_has_a_state,
    _impact_has_a_place,
    _intervals_rise,
    _epochs_agree,
    _windows_do_not_end_before_they_start,
)
