"""Rows of catalogues, as their sources write them, to what they state of an object."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from libs.astro.elements import RefusalReason, Refused
from libs.astro.time import jd_to_datetime
from libs.providers import celestrak, discos, spacetrack
from libs.providers.discos import DiscosObject
from libs.providers.satellite import SatelliteRow
from libs.rows.csv_rows import read_csv_rows
from libs.rows.json_rows import read_json_rows
from libs.rows.places import place_after
from libs.rows.values import Bad
from services.ingest.description import Basis, DecayTime, Description, ObjectType, Statement
from services.ingest.domain import Format

_DECAY_KEYS = ("DECAY_EPOCH", "DECAY_DATE", "DECAY")
HALF_DAY_MIN = 720.0
MINUTE = 1.0  # decay rows give whole minutes
_MJD_OF_ORDINAL_0 = -678576
_JD_OF_ORDINAL_0 = 1721424.5
_TYPES = {
    "PAYLOAD": ObjectType.PAYLOAD,
    "ROCKET BODY": ObjectType.ROCKET_BODY,
    "DEBRIS": ObjectType.DEBRIS,
    "UNKNOWN": ObjectType.UNSPECIFIED,
}


def recognise(head: bytes) -> Format | None:
    """By the keys of the first record, whether JSON or the header of a CSV."""
    if b"DECAY_EPOCH" in head and b"MSG_TYPE" in head:
        return Format.DECAY
    if b"NORAD_CAT_ID" in head and b"OBJECT_TYPE" in head and b"MEAN_MOTION" not in head:
        return Format.SATCAT
    if head.startswith(b"{") and b'"attributes"' in head and re.search(rb'"(satno|cosparId)"', head):
        return Format.DISCOS
    return None


def read(found: Format, data: bytes) -> Iterator[Statement | Refused]:
    """What each row states; never raises for content."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    as_json = head[:1] in (b"{", b"[")
    if found is Format.DISCOS:
        return _each_discos(data)
    if found is Format.DECAY:
        return _each_decay(spacetrack.read_decay_json(data) if as_json else spacetrack.read_decay_csv(data))
    if b"SATNAME" in head or (b"COUNTRY" in head and b"OWNER" not in head):
        rows = spacetrack.read_satcat_json(data) if as_json else spacetrack.read_satcat_csv(data)
        return _each_satellite(rows, Basis.SPACE_TRACK_SATCAT)
    rows = celestrak.read_satcat_json(data) if as_json else celestrak.read_satcat_csv(data)
    return _each_satellite(rows, Basis.CELESTRAK_SATCAT)


Decayed = tuple[str, str]  # catalogue number and date, as rows write them


def decayed(said: Statement) -> Decayed:
    on = f"{jd_to_datetime(said.decay.jd, said.decay.jd_fraction):%Y-%m-%d}" if said.decay else ""
    return str(said.catalogue_number), on


def refused_decays(data: bytes, problems: Mapping[Decayed, str]) -> Iterator[Refused]:
    """Rows that state these decays, each refused where it does."""

    def check(row: dict[str, Any]) -> None:
        key = next((key for key in _DECAY_KEYS if key in row), "")
        said = str(row.get("NORAD_CAT_ID", "")).strip().lstrip("0"), str(row.get(key, ""))[:10]
        if said in problems and row.get("MSG_TYPE") != "Prediction":
            raise Bad(key, RefusalReason.MISMATCH, problems[said])

    told = set(problems.values())
    as_json = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    rows = read_json_rows(data, check) if as_json else read_csv_rows(data, ("NORAD_CAT_ID",), check)
    return (row for row in rows if row is not None and row.detail in told)


def _each_satellite(rows: Iterator[SatelliteRow | Refused], basis: Basis) -> Iterator[Statement | Refused]:
    for row in rows:
        yield row if isinstance(row, Refused) else _satellite(row, basis)


def _satellite(row: SatelliteRow, basis: Basis) -> Statement:
    said = Description(
        object_name=row.object_name.encode(),
        international_designator=row.international_designator.encode(),
        type=_TYPES[row.object_type],
        owner=row.owner,
        operational_status=row.operational_status,
        launch_mjd=row.launch_date.toordinal() + _MJD_OF_ORDINAL_0 if row.launch_date else None,
        launch_site=row.launch_site,
    )
    return Statement(row.catalogue_number, said, basis, decay=_on(row.decay_date) if row.decay_date else None)


def _on(day: date) -> DecayTime:
    return DecayTime(day.toordinal() + _JD_OF_ORDINAL_0, 0.5, HALF_DAY_MIN)


def _each_decay(rows: Iterator[spacetrack.Decay | Refused]) -> Iterator[Statement | Refused]:
    for row in rows:
        yield row if isinstance(row, Refused) else _decay(row)


def _decay(row: spacetrack.Decay) -> Statement:
    """A row of type Prediction says who the object is, not that it came down."""
    said = Description(
        object_name=row.object_name.encode(),
        international_designator=row.international_designator.encode(),
        owner=row.country,
    )
    jd, fraction = row.decay_epoch
    time = DecayTime(jd, fraction, MINUTE) if fraction else DecayTime(jd, 0.5, HALF_DAY_MIN)
    return Statement(
        row.catalogue_number,
        said,
        Basis.DECAY_ROW,
        stated_at=jd_to_datetime(*row.message_epoch) if row.message_epoch else None,
        decay=time if row.historical else None,
    )


def _each_discos(data: bytes) -> Iterator[Statement | Refused]:
    for row in discos.read_objects(data):
        yield row if isinstance(row, Refused) else _discos(row, data)


def _discos(row: DiscosObject, data: bytes) -> Statement:
    said = Description(
        object_name=row.object_name.encode(),
        international_designator=row.international_designator.encode(),
        type=_class(row.object_class),
        launch_mjd=row.first_epoch.toordinal() + _MJD_OF_ORDINAL_0 if row.first_epoch else None,
        mass_kg=row.mass_kg or None,
        shape=row.shape,
        width_m=row.width_m or None,
        height_m=row.height_m or None,
        depth_m=row.depth_m or None,
        diameter_m=row.diameter_m or None,
        span_m=row.span_m or None,
        cross_section_min_m2=row.cross_section_min_m2 or None,
        cross_section_max_m2=row.cross_section_max_m2 or None,
        cross_section_mean_m2=row.cross_section_average_m2 or None,
        discos_id=row.discos_id,
    )
    if row.catalogue_number is not None:
        return Statement(row.catalogue_number, said, Basis.DISCOS)
    line, column = _place(row.discos_id, data)
    raw = f"DISCOS object {row.discos_id}, {row.international_designator or 'no designator'}, {row.object_name}"
    return Statement(0, said, Basis.DISCOS, raw=raw.encode(), line=line, column=column)


def _place(discos_id: str, data: bytes) -> tuple[int, int]:
    found = re.search(rb'"id"\s*:\s*"' + re.escape(discos_id.encode()) + rb'"', data)
    return place_after(data[: found.start()]) if found else (0, 0)


def _class(said: str) -> ObjectType:
    if said in ("Payload", "Rocket Body"):
        return _TYPES[said.upper()]
    if said.endswith("Debris"):
        return ObjectType.DEBRIS
    return ObjectType.UNSPECIFIED if said in ("", "Unknown") else ObjectType.OTHER
