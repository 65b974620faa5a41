"""Doors of the fit of a decaying object."""

import functools
import math
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from libs.astro import fit, prediction, track, window
from libs.astro.elements import ElementSet
from libs.astro.tests.doors import Door, bad, each, edged, within
from libs.astro.tests.doors_air import MJD, SPOILT, weather_of
from libs.astro.tests.doors_flight import JD, KEPT

HIGH = ElementSet(1, b"", b"", JD + 1.0, 0.0, 15.0, 0.001, 51.6, 10.0, 20.0, 30.0, 1e-4, 1e-6, 0.0, "U", 999, 1)
PREDICTION = {"elements": [HIGH], "drivers": weather_of(days=10), "known_at_jd": JD + 2.0, "tables": KEPT}
LOW = replace(HIGH, mean_motion_rev_day=16.4, bstar_per_earth_radius=1e-3, mean_motion_dot_half_rev_day2=0.05)
PREDICTED = PREDICTION | {"elements": [LOW], "known_at_jd": JD + 1.1, "samples": 3, "seed": 1, "horizon_days": 5.0}
SPREAD = window.Spread(0.1, 0.5, 10.0, "test")


@functools.cache
def fitted() -> fit.Fit:
    return fit.predict(**(PREDICTION | {"elements": [LOW]}))


@functools.cache
def predicted() -> prediction.Prediction:
    return prediction.predict(**(PREDICTED | {"samples": 100}))


def lengths(states: np.ndarray) -> np.ndarray:
    return np.linalg.norm(states[:, :3], axis=1)


@st.composite
def decaying(draw) -> dict[str, Any]:
    """A set of an object that comes down in days."""
    low = replace(
        HIGH,
        mean_motion_rev_day=draw(edged(16.3, 16.5)),
        inclination_deg=draw(edged(0.0, 178.0, 90.0)),
        bstar_per_earth_radius=draw(edged(1e-4, 1e-2)),
        mean_motion_dot_half_rev_day2=draw(edged(0.01, 0.2)),
    )
    return {"elements": [low]}


FIT = (
    Door(
        "fit.predict",
        lambda **given: fit.predict(**(PREDICTION | given)),
        decaying(),
        lambda _given, found: 2e-4 <= math.exp(found.ln_b) <= 1.0,
        {},
        (
            *each("known_at_jd", (math.nan, math.inf), "give a Julian date"),
            *each("max_days", (math.nan, 0.0, -1.0), "give a Julian date"),
            bad("submit one", fit.PoorFit, elements=[]),
            bad("submit one", fit.PoorFit, known_at_jd=float(MJD)),
            bad("nearer its re-entry", fit.TooHigh),
            *SPOILT,
            bad("from a day before", drivers=weather_of(start=MJD + 5, days=10)),
        ),
        allowed=(fit.TooHigh, fit.PoorFit),
        examples=4,
    ),
    Door(
        "prediction.predict",
        lambda **given: prediction.predict(**(PREDICTED | given)),
        st.fixed_dictionaries({"samples": st.integers(1, 5), "seed": st.integers(0, 2**64)}),
        lambda given, found: len(found.seconds) == given["samples"] and within(3600.0, found.seconds, 5 * 86400.0),
        {},
        (
            *each("known_at_jd", (math.nan, math.inf), "give a Julian date"),
            *each("horizon_days", (math.nan, 0.0, -1.0), "give a Julian date"),
            *each("samples", (0, -1), "give 1 or more"),
            bad("nearer its re-entry", fit.TooHigh, horizon_days=0.1),
            *SPOILT,
        ),
        allowed=(fit.TooHigh,),
        examples=4,
    ),
    Door(
        "window.draws",
        lambda **given: window.draws(fit=fitted(), spread=SPREAD, **given),
        st.fixed_dictionaries({"count": st.integers(0, 5), "seed": st.integers(0, 2**64)}),
        lambda given, found: len(found.states) == given["count"] and within(-9.0, found.ln_b, 1.0),
        {"count": 1, "seed": 1},
        (bad("0 or more", count=-1),),
        examples=10,
    ),
    Door(
        "window.student",
        window.student,
        st.fixed_dictionaries({"p": edged(0.001, 0.999, 0.5), "degrees_of_freedom": edged(5.0, 1e6, math.inf)}),
        lambda given, found: (found >= 0.0) == (given["p"] >= 0.5) and within(-6.0, found, 6.0),
    ),
)

TRACK = (
    Door(
        "track.path",
        lambda shares: track.path(predicted(), np.array(shares) * predicted().nominal_s),
        st.fixed_dictionaries({"shares": st.lists(edged(0.0, 1.0), max_size=5).map(sorted)}),
        lambda given, found: found.shape == (len(given["shares"]), 6) and within(6400.0, lengths(found), 6900.0),
        {},
        (
            *each("shares", ([math.nan], [-1.0], [0.5, 0.4]), "must be finite, rise"),
            bad("ask for times before", shares=[1.1]),
        ),
        examples=10,
    ),
    Door(
        "track.window_track",
        lambda **given: track.window_track(predicted(), **given),
        st.fixed_dictionaries(
            {"probabilities": st.tuples(edged(0.01, 0.5), edged(0.6, 0.99)), "step_s": edged(60.0, 3600.0)}
        ),
        lambda _given, found: within(-90.0, found.lat_deg, 90.0) and within(0.0, found.share_down, 1.0),
        {"probabilities": (0.1, 0.9), "step_s": 600.0},
        (
            *each("probabilities", ((0.0, 0.9), (0.9, 0.1), (0.5, 1.0), (math.nan, 0.9)), "must rise within 0 to 1"),
            *each("step_s", (0.0, -1.0, 1e-6, math.nan), "take longer steps"),
        ),
        examples=6,
    ),
)

DOORS = (*FIT, *TRACK)
