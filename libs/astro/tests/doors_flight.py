"""Doors of flights: decay and entry."""

import functools
import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from libs.astro import decay, decay_legs, decay_tables, density_days, entry, entry_air
from libs.astro.density_kept import beside_kernels
from libs.astro.drag_coefficient import Shape
from libs.astro.earth import WGS84_MU_KM3_S2, WGS84_RADIUS_KM
from libs.astro.tests.doors import LATITUDES, LONGITUDES, NOT_NUMBERS, Door, bad, each, edged, within
from libs.astro.tests.doors_air import MJD, SPOILT, table, weather_of
from libs.astro.time import MJD_0_JD

JD = MJD + MJD_0_JD
LN_B = edged(math.log(1e-4), math.log(1.0))
LN_B_ANY = edged(-25.0, math.log(1.0), -math.inf)  # to no drag at all
AIR = entry_air.standard_air()


def orbit(perigee_km: float, apogee_km: float, inclination_deg: float, argument_deg: float) -> np.ndarray:
    """At its perigee, the node on the x axis."""
    r, far = WGS84_RADIUS_KM + perigee_km, WGS84_RADIUS_KM + apogee_km
    v = math.sqrt(WGS84_MU_KM3_S2 * 2.0 * far / (r * (r + far)))
    i, w = math.radians(inclination_deg), math.radians(argument_deg)
    along = np.array([math.cos(w), math.sin(w) * math.cos(i), math.sin(w) * math.sin(i)])
    ahead = np.array([-math.sin(w), math.cos(w) * math.cos(i), math.cos(w) * math.sin(i)])
    return np.concatenate([r * along, v * ahead])


STATE = orbit(160.0, 170.0, 51.6, 0.0)


@st.composite
def orbits(draw, perigee: Any, inclination: Any) -> np.ndarray:
    low = draw(perigee)
    return orbit(low, draw(edged(low, 390.0)), draw(inclination), draw(edged(0.0, 360.0, 90.0, 270.0)))


@st.composite
def falls(draw, inclination: Any, ln_b: Any = LN_B) -> dict[str, Any]:
    count = draw(st.integers(0, 2))
    states = np.array([draw(orbits(edged(130.0, 180.0), inclination)) for _ in range(count)]).reshape(count, 6)
    return {"states": states, "ln_b": np.array([draw(ln_b) for _ in range(count)])}


def _flown(_given: Any, found: Any) -> bool:
    """Not a number just where the stop was not reached."""
    fields = (found.seconds, found.lat_deg, found.lon_deg, found.speed_km_s)
    landed = [one[found.reached] for one in fields]
    ranges = ((0.0, 1e7), (-90.0, 90.0), (-180.0, 180.0), (0.2, 9.0))  # light ones have slowed down by then
    return all(np.isnan(one[~found.reached]).all() for one in fields) and all(
        within(low, one, high) for (low, high), one in zip(ranges, landed, strict=True)
    )


def _unbroken(given: Any, found: Any) -> bool:
    return _flown(given, found) and not found.broken.any() and bool(np.isfinite(found.states).all())


@functools.cache
def _air() -> decay_tables.Air:
    return decay_tables.air(table(), weather_of(), JD, 0.0)


FLIGHT: dict[str, Any] = {
    "states": STATE[None],
    "jd0": JD,
    "fr0": 0.0,
    "ln_b": np.array([-4.0]),
    "drivers": weather_of(),
    "max_days": 0.1,
    "ln_b_late": np.array([-4.0]),
    "late_after_s": 1e9,
}
KEPT = beside_kernels()
LEGS = FLIGHT | {"stop_altitude_km": 120.0, "track_step_s": 20.0, "track_from_s": 600.0}


def _followed(_given: Any, found: list[decay_legs.Leg]) -> bool:
    """Tracks lead without a gap from leg to leg, and no sample breaks."""
    whole = all(not leg.broken.any() and np.isfinite(leg.states).all() and (leg.counts > 1).all() for leg in found)
    tracks = [track[:count] for leg in found for track, count in zip(leg.track, leg.counts, strict=True)]
    return whole and all(
        bool((np.diff(one[:, 0]) > 0.0).all())
        and within(-90.0, one[:, 1], 90.0)
        and within(-180.0, one[:, 2], 180.0)
        and within(119.5, one[:, 3], 450.0)  # foil: tracks pass the end of its flight 0.2 km off
        for one in tracks
    )


COEFFICIENTS = [np.array([one]) for one in (math.nan, math.inf, math.log(300.0))]
SMALL_COEFFICIENTS = [np.array([one]) for one in (-math.inf, math.log(1e-7))]  # decay.fly takes them: no drag
STATES = (
    *(bad("no number", states=np.full((1, 6), one)) for one in (np.nan,)),
    bad("(N, 6)", states=STATE[None, :5]),
    bad("(N", ln_b=np.zeros(2)),
    bad("(N", ln_b_late=np.zeros(2)),
)
DECAY = (
    Door(
        "decay.sky",
        decay.sky,
        st.fixed_dictionaries({"drivers": st.just(weather_of()), "jd": edged(JD, JD + 3.0), "fr": edged(0.0, 1.0)}),
        lambda _given, found: within(0.0, found.gmst_rad, 2 * math.pi),
        {"drivers": weather_of(), "jd": JD, "fr": 0.0},
        (*SPOILT, *each("jd", (*NOT_NUMBERS, float(MJD)), "Julian dates"), bad("Julian dates", fr=math.nan)),
    ),
    Door(
        "decay.fly",
        decay.fly,
        falls(edged(0.0, 180.0, 90.0), LN_B_ANY).map(
            lambda fall: FLIGHT | fall | {"ln_b_late": fall["ln_b"], "max_days": 0.2}
        ),
        _flown,
        FLIGHT,
        (
            *SPOILT,
            *STATES,
            bad("km and km/s", states=STATE[None] * 1e3),
            bad("km and km/s", states=np.zeros((1, 6))),
            *each("jd0", (*NOT_NUMBERS, float(MJD)), "Julian dates"),
            bad("start after", jd0=JD - 5.0),
            *each("ln_b", COEFFICIENTS, "ballistic coefficient"),
            *each("ln_b_late", COEFFICIENTS, "ballistic coefficient"),
            *each("max_days", (math.nan, 0.0, -1.0), "above 0"),
            *each("step_s", (*NOT_NUMBERS, 0.0, -60.0, 1e4), "step_s"),
            *each("stop_altitude_km", (*NOT_NUMBERS, -1.0, 80_000.0), "stop altitude"),
            bad("seconds", late_after_s=math.nan),
            *each("track_step_s", (*NOT_NUMBERS, -1.0), "seconds"),
            *each("track_from_s", (*NOT_NUMBERS, -1.0), "seconds"),
        ),
        finite=False,
        examples=10,
    ),
    Door(
        "decay_legs.fly",
        lambda **given: list(decay_legs.fly(**given, tables=KEPT)),
        falls(edged(0.0, 178.9, 90.0)).map(lambda fall: LEGS | fall | {"ln_b_late": fall["ln_b"], "max_days": 0.2}),
        _followed,
        LEGS,
        (
            *SPOILT,
            bad("finite", states=np.full((1, 6), np.nan)),
            bad("no orbit", states=STATE[None] * 1e3),
            bad("finite", states=STATE[None, :5]),
            bad("(N", ln_b=np.zeros(2)),
            bad("(N", ln_b_late=np.zeros(2)),
            bad("179 degrees", states=orbit(160.0, 170.0, 180.0, 0.0)[None]),
            bad("the model itself", density_days.OutsideTable, states=orbit(160.0, 4000.0, 50.0, 0.0)[None]),
            *each("jd0", (*NOT_NUMBERS, float(MJD)), "Julian dates"),
            bad("start after", jd0=JD - 5.0),
            *each("ln_b", [*COEFFICIENTS, *SMALL_COEFFICIENTS], "ballistic coefficient"),
            *each("ln_b_late", COEFFICIENTS, "ballistic coefficient"),
            *each("max_days", (math.nan, 0.0, -1.0), "above 0"),
            *each("stop_altitude_km", (*NOT_NUMBERS, 60.0, 500.0), "stop altitude"),
            bad("seconds", late_after_s=math.nan),
            *each("track_step_s", (*NOT_NUMBERS, 0.0, -1.0), "seconds"),
            *each("track_from_s", (*NOT_NUMBERS, -1.0), "seconds"),
        ),
        finite=False,
        examples=10,
    ),
    Door(
        "decay_tables.apogee_km",
        decay_tables.apogee_km,
        st.fixed_dictionaries({"states": orbits(edged(130.0, 380.0), edged(0.0, 178.9)).map(lambda one: one[None])}),
        lambda _given, found: within(129.0, found, 391.0),
        {"states": STATE[None]},
        (
            bad("finite", states=np.full((1, 6), np.nan)),
            bad("finite", states=STATE[None, :5]),
            bad("finite", states=np.empty((0, 6))),
            bad("no orbit", states=STATE[None] * 1e3),
        ),
    ),
    Door(
        "decay_tables.air",
        lambda drivers=weather_of(), jd0=JD, fr0=0.0: decay_tables.air(table(), drivers, jd0, fr0),  # noqa: B008
        st.fixed_dictionaries({"fr0": edged(0.0, 0.9)}),
        lambda _given, found: found.start_mjd < MJD + 1.0,
        {},
        (
            *each("jd0", (*NOT_NUMBERS, float(MJD), JD + 5.0), "join more days", density_days.OutsideTable),
            bad("join more days", density_days.OutsideTable, fr0=math.nan),
            bad("make the days at", density_days.OutsideTable, drivers=weather_of(250.0, 250.0)),
        ),
        examples=5,
    ),
    Door(
        "decay_tables.departures",
        lambda others: decay_tables.departures(table(), weather_of(), others),
        st.builds(weather_of, edged(140.0, 160.0), edged(140.0, 160.0), edged(0.0, 100.0)).map(
            lambda one: {"others": [one]}
        ),
        lambda _given, found: found.shape == (1, 9, 16),
        {"others": [weather_of()]},
        (bad("make the days at", density_days.OutsideTable, others=[weather_of(250.0, 250.0)]),),
        examples=10,
    ),
    Door(
        "decay_tables.lifetimes",
        lambda **given: decay_tables.lifetimes(**given, air=_air()),
        falls(edged(0.0, 178.9, 90.0)),
        _unbroken,
        {"states": STATE[None], "ln_b": np.array([-4.0])},
        (
            bad("no number", states=np.full((1, 6), np.nan)),
            bad("no orbit", states=STATE[None] * 1e3),
            bad("(N, 6)", states=STATE[None, :5]),
            bad("179 degrees", states=orbit(160.0, 170.0, 180.0, 0.0)[None]),
            bad("start higher", states=orbit(75.0, 80.0, 50.0, 0.0)[None]),
            bad("the model itself", density_days.OutsideTable, states=orbit(160.0, 4000.0, 50.0, 0.0)[None]),
            *each("ln_b", [*COEFFICIENTS, *SMALL_COEFFICIENTS], "ballistic coefficient"),
            *each("ln_b_late", COEFFICIENTS, "ballistic coefficient"),
            *each("max_days", (math.nan, 0.0, -1.0), "above 0"),
            *each("rtol", (math.nan, 0.0), "above 0"),
            *each("share", (math.nan, -1.0), "above 0"),
            *each("stop_altitude_km", (*NOT_NUMBERS, 60.0, 500.0), "stop altitude"),
            bad("late_after_s", late_after_s=math.nan),
            bad("departures must be", departures=np.zeros((1, 2, 3), np.float32)),
        ),
        finite=False,
        examples=10,
    ),
)


ONE = np.ones(1)
PLACE = {
    "lat_deg": 41.0 * ONE,
    "lon_deg": 2.0 * ONE,
    "alt_km": 78.0 * ONE,
    "east_m_s": 7400.0 * ONE,
    "north_m_s": 0.0 * ONE,
    "up_m_s": -130.0 * ONE,
}
RELEASED = entry.earth_fixed(**PLACE)
DESCENT = {"states": RELEASED, "pieces": entry.ballistic(50.0 * ONE), "levels_km": [12.0, 0.0], "air": AIR}


@st.composite
def places(draw) -> dict[str, Any]:
    speed, course, down = draw(edged(0.0, 7900.0)), draw(edged(0.0, 2.0 * math.pi)), draw(edged(0.0, 300.0))
    return {
        "lat_deg": draw(LATITUDES) * ONE,
        "lon_deg": draw(LONGITUDES) * ONE,
        "alt_km": draw(edged(15.0, 130.0)) * ONE,
        "east_m_s": speed * math.sin(course) * ONE,
        "north_m_s": speed * math.cos(course) * ONE,
        "up_m_s": -down * ONE,
    }


@st.composite
def descents(draw) -> dict[str, Any]:
    piece = entry.Pieces(
        draw(edged(0.1, 1e4)) * ONE, draw(edged(1e-3, 10.0)) * ONE, np.array([draw(st.sampled_from(Shape))])
    )
    return {"states": entry.earth_fixed(**draw(places())), "pieces": piece, "levels_km": [12.0, 3.0, 0.0], "air": AIR}


def _came_down(_given: Any, found: entry.Descents) -> bool:
    down = found.reached
    if found.broken.any():
        return False
    return (
        within(0.0, found.seconds[down], 86400.0)
        and within(-90.0, found.lat_deg[down], 90.0)
        and within(-180.0, found.lon_deg[down], 180.0)
        and within(0.0, found.speed_m_s[down], 12_000.0)
        and bool(np.isnan(found.seconds[~down]).all())
    )


def piece(mass: float = 50.0, length: float = 1.0, shape: int = 0) -> entry.Pieces:
    return entry.Pieces(mass * ONE, length * ONE, np.array([shape]))


@functools.cache
def _landed() -> entry.Descents:
    return entry.fly(**DESCENT)


ENTRY = (
    Door(
        "entry.flight_level_km",
        entry.flight_level_km,
        edged(0.0, 999.0, 245.0).map(lambda one: {"level": one}),
        lambda _given, found: 0.0 <= found < 31.0,
        {"level": 245.0},
        each("level", (*NOT_NUMBERS, -1.0, 24_500.0), "hundreds of feet"),
    ),
    Door(
        "entry.earth_fixed",
        entry.earth_fixed,
        places(),
        lambda _given, found: within(6350.0, np.linalg.norm(found[:, :3], axis=1), 6520.0),
        PLACE,
        (
            *each("lat_deg", [one * ONE for one in (*NOT_NUMBERS, 90.1)], "degrees and km"),
            bad("degrees and km", lon_deg=np.nan * ONE),
            *each("alt_km", [one * ONE for one in (*NOT_NUMBERS, 78_000.0)], "degrees and km"),
            *each("up_m_s", [one * ONE for one in (*NOT_NUMBERS, 1e6)], "m/s over the ground"),
            bad("m/s", east_m_s=np.nan * ONE),
        ),
    ),
    Door(
        "entry.ballistic",
        entry.ballistic,
        edged(1e-3, 1e6).map(lambda one: {"bc_kg_m2": one * ONE}),
        lambda *_: True,
        {"bc_kg_m2": ONE},
        each("bc_kg_m2", [one * ONE for one in (*NOT_NUMBERS, 0.0, -50.0, 1e7)], "mass over CD"),
    ),
    Door(
        "entry.Descents.states",
        lambda level: _landed().states(level),
        st.fixed_dictionaries({"level": st.integers(0, 1)}),
        lambda _given, found: found.shape == (1, 6),
        {"level": 0},
        each("level", (-1, 2), "flown through"),
    ),
    Door(
        "entry.fly",
        entry.fly,
        descents(),
        _came_down,
        DESCENT,
        (
            bad("finite", states=np.full((1, 6), np.nan)),
            bad("finite", states=RELEASED[:, :5]),
            bad("km/s", states=RELEASED * 1e3),
            bad("above the air", states=np.zeros((1, 6))),
            *each("levels_km", ([np.nan], [0.0, 12.0], [np.inf, 0.0]), "levels must"),
            bad("below the release", levels_km=[12_000.0, 0.0]),
            bad("levels must", levels_km=[]),
            bad("(L,)", levels_km=0.0),
            bad("(L,)", levels_km=np.zeros((3, 2))),
            *each("pieces", (piece(mass=math.nan), piece(mass=-1.0), piece(mass=math.inf)), "mass per area"),
            *each("pieces", (piece(length=math.nan), piece(length=0.0), piece(length=1e4)), "below 1 km"),
            *each("pieces", (piece(shape=-1), piece(shape=99)), "no such shape"),
            bad("each of 1", pieces=entry.ballistic(np.ones(2))),
            *each("rtol", (*NOT_NUMBERS, 0.0, 1.0), "tolerances"),
            *each("atol", (math.nan, -1.0), "tolerances"),
            *each("max_s", (*NOT_NUMBERS, 0.0, -1.0), "positive seconds"),
            bad("whole numbers", profile=np.array([0.5])),
            bad("profiles of air", profile=np.array([1])),
            bad("profiles of air", profile=np.array([-1])),
        ),
        finite=False,
        examples=15,
    ),
)

DOORS = (*DECAY, *ENTRY)
