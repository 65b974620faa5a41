"""Doors of the air that pieces fall through, its winds and their drag."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from libs.astro import drag_coefficient, entry_air, profile, wind
from libs.astro.entry_motion import AIR_COLUMNS
from libs.astro.tests.doors import NOT_NUMBERS, Door, bad, each, edged, within

CLIMATE = {"climate": wind.ASSUMED, "seed": 1, "first": 0, "count": 2}
WINDS = {
    "air": entry_air.standard_air(),
    "alt_km": np.array([0.0, 10.0]),
    "east_m_s": np.zeros(2),
    "north_m_s": np.zeros(2),
}
AIR = {"rows": np.zeros((1, 4, AIR_COLUMNS)), "step_km": 1.0}
SPEEDS = edged(-200.0, 200.0, 0.0)
AIRS = (
    Door(
        "entry_air.Air",
        entry_air.Air,
        edged(0.1, 50.0).map(lambda step: AIR | {"step_km": step}),
        lambda given, found: abs(found.top_km - 3.0 * given["step_km"]) < 1e-9,
        AIR,
        (
            *each(
                "rows", (np.zeros((0, 4, 5)), np.zeros((1, 3, 5)), np.zeros((1, 4, 4)), np.zeros(4)), "air needs rows"
            ),
            bad("no number", rows=np.full((1, 4, 5), np.nan)),
            *each("step_km", (*NOT_NUMBERS, 0.0, -1.0), "positive step"),
        ),
    ),
    Door(
        "entry_air.air_of",
        entry_air.air_of,
        st.just({"profiles": [profile.standard(1.0)] * 2}),
        lambda _given, found: len(found.rows) == 2,
        {"profiles": [profile.standard(1.0)]},
        (
            bad("same altitudes", profiles=[]),
            bad("same altitudes", profiles=[profile.standard(1.0), profile.standard(0.5)]),
        ),
        examples=1,
    ),
    Door(
        "entry_air.exponential_air",
        entry_air.exponential_air,
        st.fixed_dictionaries({"surface_kg_m3": edged(1e-3, 10.0, 1.225), "scale_height_km": edged(1.0, 50.0, 7.2)}),
        lambda _given, found: found.top_km == entry_air.TOP_KM,
        {"surface_kg_m3": 1.225, "scale_height_km": 7.2},
        (
            *each("surface_kg_m3", (*NOT_NUMBERS, 0.0, -1.0), "above 0"),
            *each("scale_height_km", (*NOT_NUMBERS, 0.0, -7.2, 0.1), "km above"),
        ),
        examples=10,
    ),
    Door(
        "entry_air.with_wind",
        entry_air.with_wind,
        st.builds(
            lambda east, north: WINDS | {"east_m_s": np.array([east, north]), "north_m_s": np.array([north, east])},
            SPEEDS,
            SPEEDS,
        ),
        lambda _given, found: within(-200.0, found.rows[:, :, 3:], 200.0),
        WINDS,
        (
            *each("east_m_s", [np.array([0.0, one]) for one in (*NOT_NUMBERS, 201.0)], "200 m/s"),
            bad("200 m/s", north_m_s=np.array([0.0, np.nan])),
            *each("alt_km", (np.array([0.0, np.nan]), np.array([10.0, 0.0])), "rising"),
            bad("for each", alt_km=np.zeros((1, 2))),
            bad("for each", north_m_s=np.zeros(3)),
            bad("for each", alt_km=np.empty(0), east_m_s=np.empty(0), north_m_s=np.empty(0)),
            bad("rising", alt_km=np.array([np.nan]), east_m_s=np.zeros(1), north_m_s=np.zeros(1)),
        ),
    ),
    Door(
        "wind.Climate",
        lambda **changed: replace(wind.ASSUMED, **changed),
        edged(0.1, 100.0).map(lambda deep: {"deep_km": deep}),
        lambda *_: True,
        {},
        (
            *each("deep_km", (math.nan, 0.0, -1.0), "positive depth"),
            bad("four values", north_m_s=np.zeros(3)),
            bad("no number", east_m_s=np.full(14, np.nan)),
            bad("negative", east_sigma_m_s=np.full(14, -1.0)),
            bad("rising", alt_km=np.zeros(14)),
        ),
        finite=False,
    ),
    Door(
        "wind.sampled",
        wind.sampled,
        st.fixed_dictionaries(
            {
                "climate": st.just(wind.ASSUMED),
                "seed": st.integers(0, 2**64 - 1),
                "first": st.integers(0, 2**63),
                "count": st.integers(0, 3),
            }
        ),
        lambda given, found: within(-170.0, found, 170.0) and len(found[0]) == given["count"],
        CLIMATE,
        (*each("seed", (-1, 0.5, 2**64), "64 bits"), *each("first", (-1, 2**64), "64 bits"), bad("64 bits", count=-1)),
    ),
    Door(
        "drag_coefficient.sphere_below_transition",
        drag_coefficient.sphere_below_transition,
        edged(0.0, 50.0, 0.722).map(lambda mach: {"mach": mach}),
        lambda _given, found: 0.4 <= found <= 1.1,
        {"mach": 1.0},
        each("mach", (*NOT_NUMBERS, -1.0), "no Mach number"),
    ),
)

DOORS = AIRS
