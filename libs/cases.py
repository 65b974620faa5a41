"""Cases of the past, to demonstrate and to validate with: what was published then, and what happened.

A case is a JSON file. Its input stands in it as typed figures, or in files beside it or in the folder of validation
data, each named with its SHA-256, so that a result says what it rests on. docs/reference/cases.md has the fields.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from libs import case_fields
from libs.case_fields import AP, BadCase, instant

__all__ = ["AP", "BadCase", "Case", "Input", "Published", "SaidOnTheDay", "Truth", "load", "names"]

PACKED = (b"\x1f\x8b", b"PK\x03\x04")  # gzip, zip
FOLDER = Path(__file__).parent / "case_files"


@dataclass(frozen=True, slots=True)
class Input:
    """A file for ingest; `format` is the name of an InputFormat without its prefix."""

    name: str
    source: str
    format: str
    data: bytes
    dataset: str = ""
    available_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """The object passed the altitude not before `first_at` and not after `last_at`, as `source` says."""

    first_at: datetime
    last_at: datetime
    altitude_km: float
    source: str
    latitude_deg: float | None = None
    longitude_deg: float | None = None

    @property
    def middle_at(self) -> datetime:
        return self.first_at + (self.last_at - self.first_at) / 2


@dataclass(frozen=True, slots=True)
class Published:
    """A window that somebody else stated for the same re-entry."""

    by: str
    first_at: datetime
    last_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class SaidOnTheDay:
    """By the network manager and the press."""

    named_firs: frozenset[str]
    closed: tuple[datetime, datetime]
    delayed_aircraft: int
    mean_delay_min: int


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    title: str
    notice: str
    catalogue_number: int
    inputs: tuple[Input, ...]
    truths: tuple[Truth, ...]
    said: SaidOnTheDay | None
    object_class: str = ""
    published: tuple[Published, ...] = ()
    declined_at: tuple[datetime, ...] = ()  # when no natural decay could be claimed


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name: str, data: Path | None = None) -> Case:
    """By name, or by the path of a file of one's own. `data`: the folder of validation data.

    Raises BadCase, with what to do.
    """
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    try:
        raw: dict[str, Any] = json.loads(path.read_text("utf-8-sig"), object_hook=_without_null)
    except OSError as error:
        raise BadCase(f"there is no case {name!r}; there are: {', '.join(names())}, or give a file's path") from error
    except ValueError as error:
        raise BadCase(f"{path} is not JSON: {error}") from error
    data = data or Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
    case_fields.check(raw, path)
    return Case(
        name=raw["name"],
        title=raw["title"],
        notice=raw["notice"],
        catalogue_number=raw["catalogue_number"],
        inputs=(*_typed(raw), *(_file(one, (path.parent, data)) for one in raw.get("files", ()))),
        truths=tuple(map(_truth, raw["truths"])),
        said=_said(raw["said_on_the_day"]) if "said_on_the_day" in raw else None,
        object_class=raw.get("object_class", ""),
        published=tuple(map(_published, raw.get("published_windows", ()))),
        declined_at=tuple(map(instant, raw.get("to_be_declined_utc", ()))),
    )


def _without_null(raw: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in raw.items() if value is not None}


def _truth(raw: dict[str, Any]) -> Truth:
    return Truth(
        *case_fields.span(raw),
        raw["altitude_km"],
        raw["source"],
        raw.get("latitude_deg"),
        raw.get("longitude_deg"),
    )


def _published(raw: dict[str, Any]) -> Published:
    return Published(raw["by"], *case_fields.span(raw), raw["source"])


def _said(raw: dict[str, Any]) -> SaidOnTheDay:
    return SaidOnTheDay(
        frozenset(raw["network_manager_firs"]),
        (instant(raw["closed_from_utc"]), instant(raw["closed_until_utc"])),
        raw["delayed_aircraft"],
        raw["mean_delay_min"],
    )


def _file(raw: dict[str, Any], folders: tuple[Path, ...]) -> Input:
    path = next((folder / raw["path"] for folder in folders if (folder / raw["path"]).is_file()), None)
    if path is None:
        raise BadCase(f"the file {raw['path']} is not there; put it beside the case or into SPACECOM_VALIDATION_DATA")
    data = path.read_bytes()
    if data.startswith(PACKED):
        raise BadCase(f"{path} is compressed; unpack it, and name what is in it with its SHA-256")
    found = hashlib.sha256(data).hexdigest()
    if found != raw["sha256"]:
        raise BadCase(f"{path} is not the file the case was made with: its SHA-256 is {found}, not {raw['sha256']}")
    available_at = instant(raw["available_at"]) if "available_at" in raw else None
    return Input(raw["path"], raw["source"], raw["format"], data, raw.get("dataset", ""), available_at)


def _typed(raw: dict[str, Any]) -> list[Input]:
    found = []
    if "space_weather" in raw:
        at = instant(raw["space_weather_available_at"])
        data = _cssi(raw["space_weather"])
        found.append(Input("space weather", "demo", "CSSI_SPACE_WEATHER", data, "", at))
    if "airspace" in raw:
        at = instant(raw["airspace_available_at"])
        found.append(Input("airspace", "demo", "AIRSPACE_GEOJSON", _geojson(raw), f"demo-{raw['name']}", at))
    for n, pair in enumerate(raw.get("element_sets", ()), 1):
        data = "".join(f"{line}\n" for line in pair).encode()
        found.append(Input(f"element set {n}", "demo", "TLE", data))
    return found


def _cssi(days: list[dict[str, Any]]) -> bytes:
    """The figures in the columns of a CSSI file; columns nobody reads here hold the day's own values."""
    lines = [
        "DATATYPE CssiSpaceWeather",
        "VERSION 1.2",
        f"NUM_OBSERVED_POINTS {len(days)}",
        "BEGIN OBSERVED",
        *(_cssi_day(date.fromisoformat(day["date"]), day["ap_3h"], day["f107_observed_sfu"]) for day in days),
        "END OBSERVED",
        "",
    ]
    return "\n".join(lines).encode()


def _cssi_day(day: date, ap: list[int], flux: float) -> str:
    kp = [round(AP.index(value) * 10 / 3) for value in ap]
    mean = round(sum(ap) / 8)
    return (
        f"{day:%Y %m %d}{0:5d}{0:3d}" + "".join(f"{k:3d}" for k in kp) + f"{sum(kp):4d}"
        + "".join(f"{value:4d}" for value in ap) + f"{mean:4d}{0.0:4.1f}{0:2d}{0:4d}{flux:6.1f}{0:2d}"
        + f"{flux:6.1f}{flux:6.1f}{flux:6.1f}{flux:6.1f}{flux:6.1f}"
    )  # fmt: skip


def _geojson(raw: dict[str, Any]) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"ident": region["ident"], "name": region["name"]},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[*region["outline_lon_lat_deg"], region["outline_lon_lat_deg"][0]]],
            },
        }
        for region in raw["airspace"]
    ]
    return json.dumps({"type": "FeatureCollection", "notice": raw["notice"], "features": features}).encode()
