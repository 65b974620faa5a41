"""Doors of the fit of a decaying object."""

import math
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from libs.astro import fit
from libs.astro.elements import ElementSet
from libs.astro.tests.doors import Door, bad, each, edged, within
from libs.astro.tests.doors_air import MJD, SPOILT, weather_of
from libs.astro.tests.doors_flight import JD, STATE

FITTED = fit.Fit(STATE, JD, 0.0, -4.0, -4.1, 1e5, 0.1, 1.0, "DC", 5)
HIGH = ElementSet(1, b"", b"", JD + 1.0, 0.0, 15.0, 0.001, 51.6, 10.0, 20.0, 30.0, 1e-4, 1e-6, 0.0, "U", 999, 1)
PREDICTION = {"elements": [HIGH], "drivers": weather_of(days=10), "known_at_jd": JD + 2.0}


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
        "fit.draws",
        fit.draws,
        st.fixed_dictionaries({"fit": st.just(FITTED), "count": st.integers(0, 5), "seed": st.integers(0, 2**64)}),
        lambda given, found: len(found.states) == given["count"] and within(-7.0, found.ln_b, -1.0),
        {"fit": FITTED, "count": 1, "seed": 1},
        (bad("0 or more", count=-1),),
        examples=10,
    ),
)

DOORS = FIT
