"""Objects of ESA's DISCOS, as JSON:API documents: one object, or a page of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from libs.astro.elements import MAX_CATALOGUE_NUMBER, RefusalReason, Refused
from libs.rows.json_rows import keys_of, read_json_rows
from libs.rows.values import Bad, amount, calendar_day, field, optional, shown, text, whole, within

_SIZE = within(amount, 0.0, 1e4)
_AREA = within(amount, 0.0, 1e6)


@dataclass(frozen=True, slots=True)
class DiscosObject:
    """Sizes in m, areas in m2, mass in kg; None where DISCOS has none. Its own id is not the catalogue number."""

    discos_id: str
    catalogue_number: int | None
    international_designator: str
    object_name: str
    object_class: str
    mass_kg: float | None
    shape: str
    width_m: float | None
    height_m: float | None
    depth_m: float | None
    diameter_m: float | None
    span_m: float | None
    cross_section_max_m2: float | None
    cross_section_min_m2: float | None
    cross_section_average_m2: float | None
    first_epoch: date | None
    predicted_decay_date: date | None


def read_objects(data: bytes) -> Iterator[DiscosObject | Refused]:
    """The object or the objects of a document's `data`; never raises for content."""
    return read_json_rows(data, _object, "data")


def _object(resource: dict[str, Any]) -> DiscosObject:
    if resource.get("type") != "object":
        raise Bad("type", RefusalReason.MISMATCH, f"the resource is of type {shown(resource.get('type'))}, not object")
    said = keys_of(resource.get("attributes"))
    return DiscosObject(
        discos_id=field(resource, "id", text),
        catalogue_number=optional(said, "satno", within(whole, 1, MAX_CATALOGUE_NUMBER)),
        international_designator=optional(said, "cosparId", text) or "",
        object_name=optional(said, "name", text) or "",
        object_class=optional(said, "objectClass", text) or "",
        mass_kg=optional(said, "mass", within(amount, 0.0, 1e6)),
        shape=optional(said, "shape", text) or "",
        width_m=optional(said, "width", _SIZE),
        height_m=optional(said, "height", _SIZE),
        depth_m=optional(said, "depth", _SIZE),
        diameter_m=optional(said, "diameter", _SIZE),
        span_m=optional(said, "span", _SIZE),
        cross_section_max_m2=optional(said, "xSectMax", _AREA),
        cross_section_min_m2=optional(said, "xSectMin", _AREA),
        cross_section_average_m2=optional(said, "xSectAvg", _AREA),
        first_epoch=optional(said, "firstEpoch", calendar_day),
        predicted_decay_date=optional(said, "predDecayDate", calendar_day),
    )
