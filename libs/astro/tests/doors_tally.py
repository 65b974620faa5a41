"""Doors of what pieces do: where they stay, what that adds up to, whom they come near."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from libs.astro import encounter, exposure_tally
from libs.astro.airspace import Airspace
from libs.astro.tests.doors import LATITUDES, NOT_NUMBERS, Door, bad, each, edged, within
from libs.astro.tests.doors_ground import regions


@st.composite
def rows(draw, *names: str) -> dict[str, Any]:
    """Visits of pieces, ordered by sample and piece."""
    count = draw(st.integers(0, 6))
    entry = np.array([draw(edged(0.0, 1e6)) for _ in range(count)])
    made = {
        "sample": np.sort(np.array([draw(st.integers(0, 3)) for _ in range(count)], np.int64)),
        "piece": np.zeros(count, np.int64),
        "region": np.array([draw(st.integers(-1, 3)) for _ in range(count)], np.int64),
        "band": np.array([draw(st.integers(0, 5)) for _ in range(count)], np.int64),
        "entry_s": entry,
        "exit_s": entry + np.array([draw(edged(0.0, 86400.0)) for _ in range(count)]),
        "survival": np.array([draw(edged(0.0, 1.0)) for _ in range(count)]),
        "zero_s": draw(edged(0.0, 86400.0)),
        "sample_count": 4,
    }
    return {name: made[name] for name in names}


ROW = {
    "sample": np.zeros(1, np.int64),
    "piece": np.zeros(1, np.int64),
    "region": np.zeros(1, np.int64),
    "band": np.zeros(1, np.int64),
    "entry_s": np.zeros(1),
    "exit_s": np.ones(1),
    "survival": np.ones(1),
}
BAD_SURVIVALS = (
    *each("survival", [np.array([one]) for one in (*NOT_NUMBERS, -0.1, 1.1)], "probabilities"),
    bad("one length", survival=np.ones(2)),
)
BAD_TIMES = (
    *each("entry_s", [np.array([one]) for one in NOT_NUMBERS], "a number"),
    *each("exit_s", [np.array([one]) for one in NOT_NUMBERS], "a number"),
    *each("exit_s", [np.array([one]) for one in (-1.0, 1e7)], "leaves after"),
)
TIMES = ("region", "band", "entry_s", "exit_s", "survival")


def _adds_up(given: Any, found: exposure_tally.Minutes) -> bool:
    """A contribution is rounded to 2^-28 piece-seconds, a row has one for each of at most 1441 minutes."""
    spent = float(((given["exit_s"] - given["entry_s"]) * given["survival"]).sum())
    total = float(found.piece_seconds.sum()) / exposure_tally.PER_PIECE_SECOND
    return abs(total - spent) <= 1e-5 * max(len(given["region"]), 1)


NODES = {
    "self": regions(),
    "seconds": np.array([[0.0, 60.0, 120.0]]),
    "lat_deg": np.array([[45.0, 45.1, 45.2]]),
    "lon_deg": np.array([[5.0, 5.1, 5.2]]),
    "level_fl": np.array([[600.0, 300.0, 0.0]]),
    "counts": np.array([3], np.int32),
    "bands": np.array([0, 1, 2], np.int32),
}


@st.composite
def falls(draw) -> dict[str, Any]:
    lat, step = draw(LATITUDES), draw(edged(0.0, 600.0))
    return NODES | {
        "seconds": np.array([[0.0, step, 2.0 * step]]),
        "lat_deg": np.array([[lat, lat, lat]]),
        "lon_deg": draw(edged(-180.0, 180.0)) + np.array([[0.0, 1.0, 2.0]]),
        "counts": np.array([draw(st.integers(1, 3))], np.int32),
    }


def _no_gap(given: Any, found: Any) -> bool:
    spent = float((found.exit_s - found.entry_s).sum())
    return abs(spent - given["seconds"][0, given["counts"][0] - 1]) <= 1e-6


ROUTE = np.array([[0.0, 45.0, 5.0, 350.0], [600.0, 45.0, 6.0, 350.0]])
PIECE = np.array([[100.0, 200.0, 45.0, 5.2, 400.0, 45.0, 5.3, 300.0]])
NORTH, EAST = np.eye(8)[2] + np.eye(8)[5], np.eye(8)[3] + np.eye(8)[6]
NEAR = {"pieces": PIECE, "route": ROUTE, "lateral_km": 20.0, "vertical_fl": 20.0}
DOORS = (
    Door(
        "airspace.Airspace.stays",
        Airspace.stays,
        falls(),
        _no_gap,
        NODES,
        (
            *each("seconds", [np.array([[0.0, one, 120.0]]) for one in (*NOT_NUMBERS, 130.0)], "do not fall"),
            *each("level_fl", [np.array([[600.0, one, 0.0]]) for one in NOT_NUMBERS], "levels are numbers"),
            *each("lat_deg", [np.array([[45.0, one, 45.0]]) for one in (*NOT_NUMBERS, 90.1)], "has no latitude"),
        ),
    ),
    Door(
        "exposure_tally.minutes",
        exposure_tally.minutes,
        rows(*TIMES, "zero_s"),
        _adds_up,
        {name: ROW[name] for name in TIMES} | {"zero_s": 0.0},
        (*BAD_SURVIVALS, *BAD_TIMES, *each("zero_s", NOT_NUMBERS, "no time")),
    ),
    Door(
        "exposure_tally.cells",
        exposure_tally.cells,
        rows("sample", "piece", *TIMES),
        lambda _given, found: within(0.0, found.chance, 4.0 * exposure_tally.PER_CHANCE),
        ROW,
        (*BAD_SURVIVALS, *BAD_TIMES),
    ),
    Door(
        "exposure_tally.any_chance",
        exposure_tally.any_chance,
        rows("sample", "piece", "survival", "sample_count"),
        lambda _given, found: within(0.0, found, 1.0),
        {name: ROW[name] for name in ("sample", "piece", "survival")} | {"sample_count": 1},
        (*BAD_SURVIVALS, bad("more samples are named", sample_count=0)),
    ),
    Door(
        "encounter.near",
        encounter.near,
        st.builds(
            lambda lat, lon, km: NEAR | {"pieces": PIECE + lat * NORTH + lon * EAST, "lateral_km": km},
            edged(-45.0, 45.0),
            edged(-180.0, 180.0),
            edged(1e-3, 200.0),
        ),
        lambda _given, found: len(found) == 1,
        NEAR,
        (
            *each("pieces", [np.full((1, 8), one) for one in NOT_NUMBERS], "a piece has two times"),
            bad("a piece has two times", pieces=PIECE[:, :7]),
            *each("route", [np.full((2, 4), one) for one in NOT_NUMBERS], "two points or more"),
            bad("two points or more", route=ROUTE[:1]),
            bad("back in time", route=ROUTE[::-1]),
            *each("lateral_km", (np.nan, 0.0, -1.0), "above 0"),
            *each("vertical_fl", (np.nan, 0.0, -1.0), "above 0"),
        ),
    ),
)
