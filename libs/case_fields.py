"""What may stand in a case file, and the sentence that says what is wrong with one."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from spacecom.ingest.v1 import ingest_service_pb2 as wire

Object = Mapping[str, Any]

# Values of ap for Kp 0o, 0+, 1-, ... 9o (Bartels).
AP = (0, 2, 3, 4, 5, 6, 7, 9, 12, 15, 18, 22, 27, 32, 39, 48, 56, 67, 80, 94, 111, 132, 154, 179, 207, 236, 300, 400)
FORMATS = tuple(sorted(name.removeprefix("INPUT_FORMAT_") for name in wire.InputFormat.keys()[1:]))
_NUMBER = (int, float)
_TIMES = {"at_utc": str, "tolerance_min": _NUMBER, "not_before_utc": str, "not_after_utc": str, "source": str}
# The fields of a case and of each object in it, and their kinds.
_FIELDS: dict[str, dict[str, Any]] = {
    "case": {
        "name": str, "title": str, "notice": str, "catalogue_number": int, "object_class": str,
        "files": list, "truths": list, "published_windows": list, "to_be_declined_utc": list,
        "element_sets": list, "space_weather": list, "space_weather_available_at": str,
        "airspace": list, "airspace_available_at": str, "said_on_the_day": dict,
    },
    "files": {"path": str, "sha256": str, "source": str, "format": str, "dataset": str, "available_at": str},
    "truths": _TIMES | {"altitude_km": _NUMBER, "latitude_deg": _NUMBER, "longitude_deg": _NUMBER},
    "published_windows": _TIMES | {"by": str},
    "space_weather": {"date": str, "ap_3h": list, "f107_observed_sfu": _NUMBER},
    "airspace": {"ident": str, "name": str, "outline_lon_lat_deg": list},
    "said_on_the_day": {
        "network_manager_firs": list, "closed_from_utc": str, "closed_until_utc": str,
        "delayed_aircraft": int, "mean_delay_min": int,
    },
}  # fmt: skip
_NEEDED = {
    "case": ("name", "title", "notice", "catalogue_number", "truths"),
    "files": ("path", "sha256", "source", "format"),
    "truths": ("altitude_km", "source"),
    "published_windows": ("by", "source"),
    **{name: tuple(_FIELDS[name]) for name in ("space_weather", "airspace", "said_on_the_day")},
}
_KINDS = {str: "a text", int: "a whole number", _NUMBER: "a number", list: "a list", dict: "an object"}
_INSTANTS = (
    "space_weather_available_at",
    "airspace_available_at",
    "available_at",
    "closed_from_utc",
    "closed_until_utc",
)


class BadCase(Exception):
    """The case cannot be played as it stands."""


def check(raw: object, path: Path) -> None:
    """Raises BadCase for the first thing that no case has, that is missing, or of another kind, and says where."""
    try:
        case = _checked("case", "the case", raw)
        for name in _FIELDS:
            given = case.get(name, ())
            if isinstance(given, dict):
                _checked(name, name, given)
                continue
            for n, one in enumerate(given, 1):
                _checked(name, f"{name}, number {n}", one)
    except BadCase as error:
        raise BadCase(f"{path}: {error}; docs/reference/cases.md has the fields") from None


def _checked(name: str, where: str, raw: object) -> Object:
    if not isinstance(raw, dict):
        raise BadCase(f"{where} is no JSON object")
    fields = _FIELDS[name]
    for field, value in raw.items():
        if field not in fields:
            raise BadCase(f"{where} has {field!r}, which is no field of it; there are: {', '.join(fields)}")
        if not isinstance(value, fields[field]) or isinstance(value, bool):
            raise BadCase(f"{where}: {field} is {str(value)[:60]!r}; it must be {_KINDS[fields[field]]}")
    missing = [field for field in _NEEDED[name] if field not in raw]
    if missing:
        raise BadCase(f"{where} lacks {', '.join(missing)}")
    for field in _INSTANTS:
        if field in raw:
            instant(raw[field])
    if name in _RULES:
        _RULES[name](where, raw)
    return raw


def _case(where: str, raw: Object) -> None:
    for name in ("space_weather", "airspace"):
        if name in raw and f"{name}_available_at" not in raw:
            raise BadCase(f"{where} lacks {name}_available_at, when {name} was published")
    for one in raw.get("to_be_declined_utc", ()):
        instant(one)
    for n, pair in enumerate(raw.get("element_sets", ()), 1):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(line, str) for line in pair)):
            raise BadCase(f"element_sets, number {n} must be a list of the two lines of a set")


def _file(where: str, raw: Object) -> None:
    if raw["format"] not in FORMATS:
        raise BadCase(f"{where}: format {raw['format']!r} is none; there are: {', '.join(FORMATS)}")


def _times(where: str, raw: Object) -> None:
    if ("at_utc" in raw) == ("not_before_utc" in raw and "not_after_utc" in raw):
        raise BadCase(f"{where} needs at_utc, with tolerance_min, or else not_before_utc and not_after_utc")
    first, last = span(raw)
    if last < first:
        raise BadCase(f"{where} ends at {last:%Y-%m-%d %H:%M}, before it starts at {first:%Y-%m-%d %H:%M} UTC")


def _day(where: str, raw: Object) -> None:
    try:
        date.fromisoformat(raw["date"])
    except ValueError:
        raise BadCase(f"{where}: date is {raw['date']!r}; write it as 2024-01-15") from None
    if len(raw["ap_3h"]) != 8 or not set(map(str, raw["ap_3h"])) <= set(map(str, AP)):
        raise BadCase(f"{where}: ap_3h is {raw['ap_3h']}; it must be eight values of ap, such as 0, 2, 3 to 400")


_RULES: dict[str, Callable[[str, Object], None]] = {
    "case": _case, "files": _file, "truths": _times, "published_windows": _times, "space_weather": _day,
}  # fmt: skip


def span(raw: Object) -> tuple[datetime, datetime]:
    if "at_utc" not in raw:
        return instant(raw["not_before_utc"]), instant(raw["not_after_utc"])
    at, tolerance = instant(raw["at_utc"]), timedelta(minutes=raw.get("tolerance_min", 0))
    return at - tolerance, at + tolerance


def instant(text: object) -> datetime:
    """A time without a zone is UTC; a date alone is no instant."""
    said = str(text)
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        found = None
    if found is None or ":" not in said:
        raise BadCase(f"{said[:60]!r} is no instant; write it as 2024-01-15T23:13:00Z, a whole day as two of them")
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
