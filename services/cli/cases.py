"""Cases of the past, kept as typed figures: what was published then, and what happened."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "cases"
# Values of ap for Kp 0o, 0+, 1-, ... 9o (Bartels).
AP = (0, 2, 3, 4, 5, 6, 7, 9, 12, 15, 18, 22, 27, 32, 39, 48, 56, 67, 80, 94, 111, 132, 154, 179, 207, 236, 300, 400)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    title: str
    notice: str
    catalogue_number: int
    element_sets: tuple[bytes, ...]
    weather: bytes
    weather_available_at: datetime
    airspace: bytes
    airspace_available_at: datetime
    reentry_time: datetime
    reentry_place: tuple[float, float]
    reentry_source: str
    named_firs: frozenset[str]
    closed: tuple[datetime, datetime]
    delayed_aircraft: int
    mean_delay_min: int


def load(name: str) -> Case:
    raw: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    said = raw["said_by_authorities"]
    return Case(
        name=raw["name"],
        title=raw["title"],
        notice=raw["notice"],
        catalogue_number=raw["catalogue_number"],
        element_sets=tuple("".join(f"{line}\n" for line in pair).encode() for pair in raw["element_sets"]),
        weather=_cssi(raw["space_weather"]),
        weather_available_at=_instant(raw["space_weather_available_at"]),
        airspace=_geojson(raw),
        airspace_available_at=_instant(raw["airspace_available_at"]),
        reentry_time=_instant(said["reentry_time_utc"]),
        reentry_place=(said["reentry_latitude_deg"], said["reentry_longitude_deg"]),
        reentry_source=said["reentry_source"],
        named_firs=frozenset(said["network_manager_firs"]),
        closed=(_instant(said["closed_from_utc"]), _instant(said["closed_until_utc"])),
        delayed_aircraft=said["delayed_aircraft"],
        mean_delay_min=said["mean_delay_min"],
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


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
