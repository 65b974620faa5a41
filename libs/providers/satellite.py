"""One object as a satellite catalogue lists it, whoever keeps the catalogue."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class SatelliteRow:
    """Texts are empty and values None where the catalogue has none. Designator as 2022-143B.

    `object_type` is PAYLOAD, ROCKET BODY, DEBRIS or UNKNOWN. `operational_status` is the source's own letter.
    """

    catalogue_number: int
    object_name: str
    international_designator: str
    object_type: str
    owner: str
    operational_status: str
    launch_date: date | None
    launch_site: str
    decay_date: date | None
    period_min: float | None
    inclination_deg: float | None
    apogee_km: float | None
    perigee_km: float | None
    radar_cross_section_m2: float | None
