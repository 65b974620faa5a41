"""Doors of break-up, fragments, and what they can hit."""

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from libs.astro import breakup, fragments, vulnerability
from libs.astro.breakup import Cause, Origin
from libs.astro.drag_coefficient import Shape
from libs.astro.fragments import ObjectClass
from libs.astro.tests.doors import NOT_NUMBERS, Door, arrays, bad, each, edged, within
from libs.astro.vulnerability import BOEING_747, Harm

CLASSES = fragments.read_catalogues()
SMALL, NEGATIVE = (*NOT_NUMBERS, 0.0, -1.0), (*NOT_NUMBERS, -1.0)


def rng() -> np.random.Generator:
    return breakup.generator(1, 2)


def of(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(strategies)


BROKEN = {"mass_kg": 1000.0, "origin": Origin.ROCKET_BODY, "cause": Cause.EXPLOSION, "rng": rng()}
ORIGINS, CAUSES = st.sampled_from(Origin), st.sampled_from(Cause)
LENGTHS = arrays(1e-3, 10.0)


def _whole(given: Any, found: breakup.Debris) -> bool:
    return abs(float(found.mass_kg.sum()) / given["mass_kg"] - 1.0) < 1e-9 and all(
        bool((one > 0.0).all()) for one in (found.length_m, found.area_m2, found.mass_kg, found.area_to_mass_m2_kg)
    )


BREAKUP = (
    Door(
        "breakup.generator",
        breakup.generator,
        of(seed=st.integers(0, 2**64 - 1), sample=st.integers(0, 2**64 - 1)),
        lambda *_: True,
        {"seed": 1, "sample": 1},
        (*each("seed", (-1, 0.5, 2**64), "64 bits"), *each("sample", (-1, 0.5, 2**64), "64 bits")),
    ),
    Door(
        "breakup.break_up_altitude_km",
        breakup.break_up_altitude_km,
        of(share=arrays(0.0, 1.0)),
        lambda _given, found: within(72.0, found, 84.0),
        {"share": 0.5},
        (
            *each("share", (*NOT_NUMBERS, -0.1, 1.1), "shares"),
            *each("altitudes_km", ((80.0, 78.0, 84.0), (72.0, math.nan, 84.0), (72e3, 78e3, 84e3)), "must rise"),
        ),
    ),
    Door(
        "breakup.number_from_collision",
        breakup.number_from_collision,
        of(mass_kg=edged(1.0, 1e6), length_m=edged(1e-3, 1.0)),
        lambda _given, found: found > 0.0,
        {"mass_kg": 1.0, "length_m": 1.0},
        (*each("mass_kg", SMALL, "positive number"), *each("length_m", SMALL, "positive number")),
    ),
    Door(
        "breakup.number_from_explosion",
        breakup.number_from_explosion,
        of(scale=edged(0.01, 10.0), length_m=edged(1e-3, 1.0)),
        lambda _given, found: found > 0.0,
        {"scale": 1.0, "length_m": 1.0},
        (*each("scale", SMALL, "positive number"), *each("length_m", SMALL, "positive number")),
    ),
    Door(
        "breakup.area_m2",
        breakup.area_m2,
        of(length_m=LENGTHS),
        lambda _given, found: within(0.0, found, 100.0),
        {"length_m": 1.0},
        each("length_m", SMALL, "positive number"),
    ),
    Door(
        "breakup.area_to_mass_m2_kg",
        breakup.area_to_mass_m2_kg,
        of(length_m=LENGTHS, origin=ORIGINS, rng=st.builds(rng)),
        lambda _given, found: within(1e-6, found, 1e3),
        {"length_m": np.ones(1), "origin": Origin.SPACECRAFT, "rng": rng()},
        each("length_m", [np.array([one]) for one in SMALL], "positive number"),
    ),
    Door(
        "breakup.delta_v_m_s",
        breakup.delta_v_m_s,
        of(area_to_mass=arrays(1e-4, 1e2), cause=CAUSES, rng=st.builds(rng)),
        lambda _given, found: within(1e-3, found, 1e7),
        {"area_to_mass": np.ones(1), "cause": Cause.COLLISION, "rng": rng()},
        each("area_to_mass", [np.array([one]) for one in SMALL], "positive number"),
    ),
    Door(
        "breakup.break_up",
        breakup.break_up,
        of(
            mass_kg=edged(1.0, 1e4),
            origin=ORIGINS,
            cause=CAUSES,
            rng=st.builds(rng),
            smallest_m=edged(0.02, 0.9),
            scale=edged(0.01, 10.0),
        ),
        _whole,
        BROKEN,
        (
            *each("mass_kg", (*SMALL, 1e7), "must lie within"),
            *each("smallest_m", (*SMALL, 1.0), "must lie within"),
            *each("scale", (*SMALL, 11.0), "must lie within"),
        ),
    ),
    Door(
        "fragments.draw",
        fragments.draw,
        of(catalogue=st.sampled_from(list(CLASSES.values())), dry_mass_kg=edged(1.0, 1e6), rng=st.builds(rng)),
        lambda given, found: (
            0.0 < found.mass_kg.sum() <= given["dry_mass_kg"] * (1 + 1e-9) and bool((found.area_m2 > 0.0).all())
        ),
        {"catalogue": CLASSES[ObjectClass.UNKNOWN], "dry_mass_kg": 1000.0, "rng": rng()},
        each("dry_mass_kg", (*SMALL, 1e7), "must lie within"),
    ),
    Door(
        "fragments.of_explosion",
        fragments.of_explosion,
        st.just({"debris": breakup.break_up(**BROKEN)}),
        lambda given, found: len(found.mass_kg) == len(given["debris"].mass_kg),
        examples=1,
    ),
    Door(
        "fragments.flow_length_m",
        fragments.flow_length_m,
        st.builds(
            lambda shape, area: {"shape": np.full(len(area), int(shape)), "area_m2": area},
            st.sampled_from(Shape),
            arrays(0.0, 100.0),
        ),
        lambda _given, found: within(0.0, found, 12.0),
        {"shape": np.ones(1, dtype=np.int64), "area_m2": np.ones(1)},
        (
            *each("area_m2", [np.array([one]) for one in NEGATIVE], "not negative"),
            *each("shape", [np.array([one]) for one in (-1, 8)], "must be one of"),
        ),
    ),
)


def _apart(given: dict[str, float]) -> bool:
    """At a latitude that is the inclination the density has no value."""
    latitude, inclination = (math.sin(math.radians(one)) for one in given.values())
    return abs(latitude**2 - inclination**2) > 1e-9


AREAS, SPEEDS = edged(0.1, 5000.0), edged(0.1, 300.0)
AIRCRAFT = {"name": "A", "top_m2": 100.0, "front_m2": 10.0, "speed_m_s": 250.0, "transport": True}
SEEN = {"top_m2": 100.0, "front_m2": 10.0, "aircraft_m_s": 250.0, "fall_m_s": 60.0}
SEEN_WRONG = (
    *(one for name in ("top_m2", "front_m2", "fall_m_s") for one in each(name, SMALL, "must be a positive number")),
    *each("aircraft_m_s", NEGATIVE, "not negative"),
)
MASSES, HARMS = edged(0.01, 1e6, 1.0, 300.0), st.sampled_from(Harm)
HIT = {"mass_g": 500.0, "harm": Harm.CASUALTY, "projected_m2": 100.0, "fragment_m2": 0.1}
STRIKE = {"aircraft": BOEING_747, "mass_g": 500.0, "fragment_m2": 0.1, "fall_m_s": 60.0, "harm": Harm.CASUALTY}
TYPE = {"span_m": 60.0, "length_m": 70.0, "height_m": 19.0, "cruise_kt": 490.0}
BAND = {"south_deg": -10.0, "north_deg": 10.0, "inclination_deg": 51.6}
VULNERABILITY = (
    Door(
        "vulnerability.Aircraft",
        vulnerability.Aircraft,
        of(name=st.just("A"), top_m2=AREAS, front_m2=AREAS, speed_m_s=edged(0.0, 999.0), transport=st.booleans()),
        lambda *_: True,
        AIRCRAFT,
        (
            *each("top_m2", (*SMALL, 1e5), "needs areas"),
            *each("front_m2", SMALL, "needs areas"),
            *each("speed_m_s", (*NEGATIVE, 1000.0), "a speed below"),
        ),
    ),
    *(
        Door(
            f"vulnerability.{law.__name__}",
            law,
            of(top_m2=AREAS, front_m2=AREAS, aircraft_m_s=edged(0.0, 300.0), fall_m_s=SPEEDS),
            lambda _given, found: found > 0.0,
            SEEN,
            SEEN_WRONG,
        )
        for law in (vulnerability.swept_m3_s, vulnerability.effective_exposed_area_m2)
    ),
    Door(
        "vulnerability.vulnerable_area_m2",
        vulnerability.vulnerable_area_m2,
        of(mass_g=MASSES, harm=HARMS, projected_m2=AREAS, fragment_m2=edged(0.0, 50.0)),
        lambda _given, found: found >= 0.0,
        HIT,
        (
            *each("mass_g", SMALL, "must be a positive number"),
            *each("projected_m2", (math.nan, 0.0, -1.0), "must be given"),
            *each("fragment_m2", (math.nan, -1.0), "must be given"),
            bad("must be given", projected_m2=math.inf),
            bad("must be given", fragment_m2=math.inf),
        ),
    ),
    Door(
        "vulnerability.as_vertical_flux_m2",
        vulnerability.as_vertical_flux_m2,
        of(vulnerable_m2=edged(0.0, 1e4), aircraft_m_s=edged(0.0, 300.0), fall_m_s=SPEEDS),
        lambda _given, found: found >= 0.0,
        {"vulnerable_m2": 1.0, "aircraft_m_s": 250.0, "fall_m_s": 60.0},
        (
            *each("vulnerable_m2", NEGATIVE, "not negative"),
            *each("aircraft_m_s", NEGATIVE, "not negative"),
            *each("fall_m_s", SMALL, "positive"),
        ),
    ),
    Door(
        "vulnerability.strike_area_m2",
        vulnerability.strike_area_m2,
        of(
            aircraft=st.sampled_from([BOEING_747, vulnerability.Aircraft("C172", 30.0, 5.0, 60.0, transport=False)]),
            mass_g=MASSES,
            fragment_m2=edged(0.0, 50.0),
            fall_m_s=SPEEDS,
            harm=HARMS,
        ),
        lambda _given, found: found.area_m2 >= 0.0,
        STRIKE,
        (
            *each("mass_g", SMALL, "positive number"),
            *each("fall_m_s", SMALL, "positive number"),
            bad("must be given", fragment_m2=math.nan),
        ),
    ),
    Door(
        "vulnerability.strike_rate_per_s",
        vulnerability.strike_rate_per_s,
        of(pieces_per_m3=edged(0.0, 1.0), area_of_vertical_flux_m2=edged(0.0, 1e5), fall_m_s=SPEEDS),
        lambda _given, found: found >= 0.0,
        {"pieces_per_m3": 1e-9, "area_of_vertical_flux_m2": 1.0, "fall_m_s": 60.0},
        (
            *each("pieces_per_m3", NEGATIVE, "not negative"),
            *each("area_of_vertical_flux_m2", NEGATIVE, "not negative"),
            *each("fall_m_s", SMALL, "positive number"),
        ),
    ),
    Door(
        "vulnerability.eurocontrol_area_m2",
        vulnerability.eurocontrol_area_m2,
        of(span_m=edged(0.0, 90.0), length_m=edged(0.0, 90.0), height_m=edged(0.0, 30.0), cruise_kt=edged(0.0, 600.0)),
        lambda _given, found: found > 0.0,
        TYPE,
        [one for name in TYPE for one in each(name, (-1.0, math.inf, -math.inf), "must not be negative")],
    ),
    Door(
        "vulnerability.exposure_density_m2",
        vulnerability.exposure_density_m2,
        of(latitude_deg=edged(-90.0, 90.0, 0.0), inclination_deg=edged(0.0, 180.0, 45.5)).filter(_apart),
        lambda _given, found: found >= 0.0,
        {"latitude_deg": 0.0, "inclination_deg": 51.6},
        (
            *each("latitude_deg", (*NOT_NUMBERS, 91.0, 120.0), "must lie within"),
            *each("inclination_deg", (*NOT_NUMBERS, 181.0), "must lie within"),
            *each("radius_m", SMALL, "be positive"),
            bad("diverges", latitude_deg=51.6),
        ),
    ),
    Door(
        "vulnerability.band_share",
        vulnerability.band_share,
        st.builds(
            lambda a, b, i: {"south_deg": min(a, b), "north_deg": max(a, b), "inclination_deg": i},
            edged(-90.0, 90.0),
            edged(-90.0, 90.0),
            edged(-180.0, 180.0, 0.0),
        ),
        lambda _given, found: within(0.0, found, 1.0),
        BAND,
        (
            *each("south_deg", (*NOT_NUMBERS, -91.0, 20.0), "within the poles"),
            *each("north_deg", (*NOT_NUMBERS, 91.0), "within the poles"),
            *each("inclination_deg", (*NOT_NUMBERS, 181.0), "must lie within"),
        ),
    ),
    Door(
        "vulnerability.hourly_cell_weight",
        vulnerability.hourly_cell_weight,
        of(share_of_band=edged(0.0, 1.0), cells_in_band=st.integers(1, 720)),
        lambda _given, found: 0.0 <= found <= 1.0,
        {"share_of_band": 0.1},
        (*each("share_of_band", (*NEGATIVE, 1.1), "within 0 and 1"), *each("cells_in_band", (0, -1), "1 or more")),
    ),
    Door(
        "vulnerability.casualty_area_m2",
        vulnerability.casualty_area_m2,
        st.builds(
            lambda area, energy: {"fragment_m2": area, "energy_j": np.full(len(area), energy)},
            arrays(0.0, 50.0),
            edged(0.0, 1e9, 15.0),
        ),
        lambda _given, found: found >= 0.0,
        {"fragment_m2": np.ones(1), "energy_j": np.ones(1)},
        (
            *each("fragment_m2", [np.array([one]) for one in NEGATIVE], "neither negative"),
            *each("energy_j", [np.array([one]) for one in NEGATIVE], "neither negative"),
            bad("needs an area", energy_j=np.ones(2)),
        ),
    ),
)

DOORS = (*BREAKUP, *VULNERABILITY)
