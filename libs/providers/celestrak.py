"""The satellite catalogue as CelesTrak publishes it, in CSV and JSON."""

from collections.abc import Iterator
from typing import Any

from libs.astro.elements import MAX_CATALOGUE_NUMBER, Refused
from libs.providers.satellite import SatelliteRow
from libs.rows.csv_rows import read_csv_rows
from libs.rows.json_rows import read_json_rows
from libs.rows.values import amount, calendar_day, field, number, one_of, optional, text, whole, within

_KINDS = {"PAY": "PAYLOAD", "R/B": "ROCKET BODY", "DEB": "DEBRIS", "UNK": "UNKNOWN"}
_STATUSES = ("+", "-", "P", "B", "S", "X", "D", "?")


def read_satcat_csv(data: bytes) -> Iterator[SatelliteRow | Refused]:
    """Each row; never raises for content."""
    return read_csv_rows(data, ("NORAD_CAT_ID", "OBJECT_TYPE"), _satcat)


def read_satcat_json(data: bytes) -> Iterator[SatelliteRow | Refused]:
    """Each row; never raises for content."""
    return read_json_rows(data, _satcat)


def _satcat(row: dict[str, Any]) -> SatelliteRow:
    return SatelliteRow(
        catalogue_number=field(row, "NORAD_CAT_ID", within(whole, 1, MAX_CATALOGUE_NUMBER)),
        object_name=optional(row, "OBJECT_NAME", text) or "",
        international_designator=optional(row, "OBJECT_ID", text) or "",
        object_type=_KINDS[field(row, "OBJECT_TYPE", one_of(_KINDS))],
        owner=optional(row, "OWNER", text) or "",
        operational_status=optional(row, "OPS_STATUS_CODE", one_of(_STATUSES)) or "",
        launch_date=optional(row, "LAUNCH_DATE", calendar_day),
        launch_site=optional(row, "LAUNCH_SITE", text) or "",
        decay_date=optional(row, "DECAY_DATE", calendar_day),
        period_min=optional(row, "PERIOD", amount),
        inclination_deg=optional(row, "INCLINATION", within(number, 0.0, 180.0)),
        apogee_km=optional(row, "APOGEE", number),
        perigee_km=optional(row, "PERIGEE", number),
        radar_cross_section_m2=optional(row, "RCS", amount),
    )
