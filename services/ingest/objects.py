"""Objects of the catalogue: what sources say is merged field by field, edits by people stand above all sources.

Of two statements of one field the one of the higher basis holds, then that of the source first by name, then the newer.
Which arrived first does not count, as long as a source does not return to a value it has given up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, assert_never

from services.ingest.description import FIELDS, UNKNOWN, Basis, DecayTime, Description, Origin, Statement, known_fields
from services.ingest.domain import (
    AlreadyRetired,
    BadEdit,
    Delivery,
    Event,
    ObjectCatalogued,
    ObjectDecayed,
    ObjectExists,
    ObjectRetired,
    ObjectRevised,
    StaleEtag,
    UnknownObject,
)

_IDENTITY = (
    Basis.OPERATOR,
    Basis.SPACE_TRACK_SATCAT,
    Basis.CELESTRAK_SATCAT,
    Basis.DISCOS,
    Basis.DECAY_ROW,
    Basis.ELEMENT_SET,
)
_BODY = (
    Basis.OPERATOR,
    Basis.DISCOS,
    Basis.SPACE_TRACK_SATCAT,
    Basis.CELESTRAK_SATCAT,
    Basis.DECAY_ROW,
    Basis.ELEMENT_SET,
)
# The catalogues name and date objects; DISCOS measures and weighs them.
PRECEDENCE: Mapping[str, tuple[Basis, ...]] = {
    "object_name": _IDENTITY,
    "international_designator": _IDENTITY,
    "type": _IDENTITY,
    "owner": _IDENTITY,
    "operational_status": _IDENTITY,
    "launch_mjd": _IDENTITY,
    "launch_site": _IDENTITY,
    "mass_kg": _BODY,
    "shape": _BODY,
    "width_m": _BODY,
    "height_m": _BODY,
    "depth_m": _BODY,
    "diameter_m": _BODY,
    "span_m": _BODY,
    "cross_section_min_m2": _BODY,
    "cross_section_max_m2": _BODY,
    "cross_section_mean_m2": _BODY,
    "discos_id": _BODY,
}
DECAY_PRECEDENCE = (
    Basis.OPERATOR,
    Basis.DECAY_ROW,
    Basis.SPACE_TRACK_SATCAT,
    Basis.CELESTRAK_SATCAT,
    Basis.DISCOS,
    Basis.ELEMENT_SET,
)
_POSITIVE = tuple(name for name in FIELDS if name.endswith(("_kg", "_m", "_m2")))
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue holds of one object; a field emptied by a person has an origin and no value."""

    version: int = 0
    catalogued: bool = False
    retired: bool = False
    description: Description = UNKNOWN
    origins: Mapping[str, Origin] = field(default_factory=dict)
    decay: ObjectDecayed | None = None


NOTHING = Known()


@dataclass(frozen=True, slots=True)
class Create:
    catalogue_number: int
    description: Description
    by: str
    at: datetime
    reason: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """Changes the fields named; `version` is the one its caller has seen."""

    catalogue_number: int
    description: Description
    fields: tuple[str, ...]
    version: int
    by: str
    at: datetime
    reason: bytes


@dataclass(frozen=True, slots=True)
class Retire:
    catalogue_number: int
    version: int
    by: str
    at: datetime
    reason: bytes


Edit = Create | Update | Retire


def decide_statement(said: Statement, known: Known, delivery: Delivery) -> list[Event]:
    """Only what changes what is known, or whose word it is."""
    events: list[Event] = []
    stated_at = said.stated_at or delivery.available_at or delivery.received_at
    origin = Origin(said.basis, delivery.source, stated_at, delivery.redistribution)
    stated = known_fields(said.description)
    won = [name for name in stated if _wins(name, said.description, origin, known)]
    number, source, sha256 = said.catalogue_number, delivery.source, delivery.input_sha256
    if won or not known.catalogued:
        first = said.description, dict.fromkeys(stated, origin)
        description, origins = _taken(won, said.description, origin, known) if known.origins else first
        kind = ObjectRevised if known.catalogued else ObjectCatalogued
        events.append(kind(number, description, origins, source, sha256))
    decayed = said.decay and ObjectDecayed(number, said.decay, origin, sha256)
    if decayed and _decay_wins(decayed, known.decay):
        events.append(decayed)
    return events


def decide_edit(command: Edit, known: Known) -> list[Event]:
    number, by = command.catalogue_number, f"operator/{command.by}"
    if not command.reason:
        raise BadEdit("an edit needs its reason; say why in a few words")
    match command:
        case Create(description=description):
            if known.catalogued and not known.retired:
                raise ObjectExists(f"object {number} is in the catalogue already; update it instead")
            return _edited(command, known, list(known_fields(description)), by)
        case Update(fields=names):
            _expect(command, known)
            return _edited(command, known, _editable(names), by)
        case Retire():
            _expect(command, known)
            return [ObjectRetired(number, command.reason, by)]
        case _:
            assert_never(command)


def _expect(command: Update | Retire, known: Known) -> None:
    number = command.catalogue_number
    if not known.catalogued:
        raise UnknownObject(f"object {number} is not in the catalogue; create it, or check the number")
    if command.version != known.version:
        raise StaleEtag(
            f"object {number} is at version {known.version}, not {command.version}; read it again and decide anew"
        )
    if known.retired:
        raise AlreadyRetired(f"object {number} was taken out of the catalogue; create it again to bring it back")


def _editable(names: Iterable[str]) -> list[str]:
    chosen = list(dict.fromkeys(names))
    unknown = [name for name in chosen if name not in FIELDS]
    if unknown or not chosen:
        raise BadEdit(f"fields must name at least one of {', '.join(FIELDS)}" + f"; not {unknown[:3]}" * bool(unknown))
    return chosen


def _edited(command: Create | Update, known: Known, names: list[str], by: str) -> list[Event]:
    for problem in (_field_problem(name, command.description) for name in names):
        if problem:
            raise BadEdit(problem)
    origin = Origin(Basis.OPERATOR, by, command.at, "internal")
    description, origins = _taken(names, command.description, origin, known)
    kind = ObjectCatalogued if isinstance(command, Create) else ObjectRevised
    return [kind(command.catalogue_number, description, origins, by, "", command.reason)]


def _field_problem(name: str, description: Description) -> str:
    value = getattr(description, name)
    if name in _POSITIVE and value is not None and not 0.0 < value < 1e7:
        return f"{name} is {value}; it must be above 0 and below 1e7, or left out when not known"
    if isinstance(value, str | bytes) and len(value) > MAX_TEXT:
        return f"{name} has {len(value)} characters; at most {MAX_TEXT} are kept"
    return ""


def evolve(known: Known, event: Event) -> Known:
    said: dict[str, Any]
    match event:
        case ObjectCatalogued(description=description, origins=origins):
            said = {"catalogued": True, "retired": False, "description": description, "origins": origins}
        case ObjectRevised(description=description, origins=origins):
            said = {"description": description, "origins": origins}
        case ObjectDecayed():
            said = {"decay": event}
        case ObjectRetired():
            said = {"retired": True}
        case _:
            return known
    return replace(known, version=known.version + 1, **said)


def decay_conflict(said: Statement, known: Known, source: str) -> str:
    """How a decay contradicts one of higher precedence by more than both times are good for; empty when it does not."""
    if said.decay is None or known.decay is None or _decay_rank(said.basis) < _decay_rank(known.decay.origin.basis):
        return ""
    if (said.basis, source) == (known.decay.origin.basis, known.decay.origin.source):
        return ""
    theirs = known.decay.time
    apart_min = abs((said.decay.jd - theirs.jd) + (said.decay.jd_fraction - theirs.jd_fraction)) * 1440.0
    if apart_min <= said.decay.tolerance_min + theirs.tolerance_min:
        return ""
    return (
        f"its decay is {apart_min / 1440.0:.1f} days from that of {known.decay.origin.source}, which takes precedence"
    )


def _taken(
    names: Iterable[str], description: Description, origin: Origin, known: Known
) -> tuple[Description, dict[str, Origin]]:
    chosen = list(names)
    values = {name: getattr(description, name) for name in chosen}
    return replace(known.description, **values), {**known.origins, **dict.fromkeys(chosen, origin)}


def _wins(name: str, said: Description, origin: Origin, known: Known) -> bool:
    held = known.origins.get(name)
    if held is None:
        return True
    value, current = getattr(said, name), getattr(known.description, name)
    if (value, origin.basis, origin.source) == (current, held.basis, held.source):
        return False
    rank = PRECEDENCE[name].index
    return (*_order(rank(origin.basis), origin), repr(value)) < (*_order(rank(held.basis), held), repr(current))


def _decay_wins(said: ObjectDecayed, held: ObjectDecayed | None) -> bool:
    if held is None:
        return True
    if (said.time, said.origin.basis, said.origin.source) == (held.time, held.origin.basis, held.origin.source):
        return False
    return _decay_order(said) < _decay_order(held)


def _decay_order(decayed: ObjectDecayed) -> tuple[int, str, float, DecayTime]:
    return (*_order(_decay_rank(decayed.origin.basis), decayed.origin), decayed.time)


def _decay_rank(basis: Basis) -> int:
    return DECAY_PRECEDENCE.index(basis)


def _order(rank: int, origin: Origin) -> tuple[int, str, float]:
    """The least one holds; between people the newest edit does, whoever made it."""
    source = "" if origin.basis is Basis.OPERATOR else origin.source
    return rank, source, -origin.stated_at.timestamp()
