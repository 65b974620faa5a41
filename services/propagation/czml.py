"""A prediction as CZML, in the Earth-fixed frame: no viewer then needs to know of TEME or of Earth orientation."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Packet = dict[str, Any]

M_PER_KM = 1000.0
TAIL_S = 5400.0  # a revolution
MULTIPLIER = 60  # of the clock: a revolution in a minute and a half
_ORANGE, _RED, _WHITE = [255, 140, 0, 255], [220, 20, 60, 255], [255, 255, 255, 255]


def document(
    number: int, start: datetime, seconds: Array, path_km: Array, tracks: Iterable[tuple[str, Array]], end: datetime
) -> str:
    """Seconds (N,) after the start, path_km (N, 3) and each track (M, 3) ITRF; the end is that of the window."""
    down = start + timedelta(seconds=float(seconds[-1]))
    packets = [
        _clock(number, start, max(end, down)),
        _object(number, start, down, seconds, path_km),
        _point(number, down, max(end, down), path_km[-1]),
        *(_line(number, name, line_km) for name, line_km in tracks),
    ]
    return json.dumps(packets, separators=(",", ":"))


def _clock(number: int, start: datetime, end: datetime) -> Packet:
    clock = {
        "interval": f"{_iso(start)}/{_iso(end)}",
        "currentTime": _iso(start),
        "multiplier": MULTIPLIER,
        "range": "LOOP_STOP",
        "step": "SYSTEM_CLOCK_MULTIPLIER",
    }
    return {"id": "document", "name": f"Re-entry of object {number}", "version": "1.0", "clock": clock}


def _object(number: int, start: datetime, down: datetime, seconds: Array, path_km: Array) -> Packet:
    samples = np.column_stack([np.round(seconds, 3), np.round(path_km * M_PER_KM, 1)])
    return {
        "id": f"object/{number}",
        "name": f"Object {number}, nominal flight",
        "availability": f"{_iso(start)}/{_iso(down)}",
        "position": {
            "epoch": _iso(start),
            "referenceFrame": "FIXED",
            "interpolationAlgorithm": "LAGRANGE",
            "interpolationDegree": 7,
            "cartesian": samples.ravel().tolist(),
        },
        "point": {"pixelSize": 8, "color": {"rgba": _WHITE}},
        "label": {"text": str(number), "font": "12pt sans-serif", "pixelOffset": {"cartesian2": [0, -18]}},
        "path": {
            "leadTime": 0,
            "trailTime": TAIL_S,
            "resolution": 60,
            "width": 1,
            "material": {"solidColor": {"color": {"rgba": _WHITE}}},
        },
    }


def _point(number: int, down: datetime, end: datetime, place_km: Array) -> Packet:
    return {
        "id": f"re-entry/{number}",
        "name": f"Object {number}, nominal re-entry at 80 km, {_iso(down)}",
        "availability": f"{_iso(down)}/{_iso(end)}",
        "position": {"referenceFrame": "FIXED", "cartesian": np.round(place_km * M_PER_KM, 1).tolist()},
        "point": {"pixelSize": 10, "color": {"rgba": _RED}},
    }


def _line(number: int, name: str, line_km: Array) -> Packet:
    """Straight between its points, which are near enough for it."""
    return {
        "id": f"track/{number}/{name}",
        "name": f"Object {number}, re-entry at 80 km, {name} window",
        "polyline": {
            "positions": {"referenceFrame": "FIXED", "cartesian": np.round(line_km * M_PER_KM, 1).ravel().tolist()},
            "arcType": "NONE",
            "width": 4 if name == "50 %" else 2,
            "material": {"solidColor": {"color": {"rgba": _RED if name == "50 %" else _ORANGE}}},
        },
    }


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
