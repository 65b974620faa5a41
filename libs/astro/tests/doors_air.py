"""Doors of space weather, the atmosphere and its tables, winds and drag."""

import functools
import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from libs.astro import atmosphere, density_days, profile, us76, weather, weather_csv
from libs.astro.density_build import Error
from libs.astro.density_days import OutsideTable, Table
from libs.astro.elements import Refused
from libs.astro.profile import Profile
from libs.astro.tests.doors import LATITUDES, LONGITUDES, NOT_NUMBERS, Door, bad, each, edged, within
from libs.astro.weather import Day, Drivers

MJD = 59884  # 2022-11-01
FLUX_SFU = 150.0


def weather_of(
    f107: float = FLUX_SFU, f107a: float = FLUX_SFU, ap: float = 15.0, days: int = 3, start: int = MJD
) -> Drivers:
    return Drivers(np.tile([f107, f107a, *[ap] * 7], (8 * days, 1)), float(start))


def spoilt(row: int, column: int, value: float) -> Drivers:
    made = weather_of()
    made.rows[row, column] = value
    return made


SPOILT = (
    *(bad("mend the space weather", drivers=spoilt(0, column, value)) for column in (0, 1, 8) for value in NOT_NUMBERS),
    bad("mend the space weather", drivers=weather_of(f107=1.5e-20)),  # W m-2 Hz-1
    bad("mend the space weather", drivers=weather_of(ap=-1.0)),
)


@functools.cache
def table() -> Table:
    return density_days.join(days(), MJD)


@functools.cache
def days() -> list[density_days.Day]:
    return [density_days.make(doy, FLUX_SFU) for doy in (305, 306)]


@st.composite
def drivers(draw) -> Drivers:
    """What the model was made for; 57 hours of ap above 200 break its spline at the poles (test_atmosphere.py)."""
    start = draw(st.sampled_from([MJD, 51543, 51602, 88068]))  # a year's end, a leap day, 2099's last days
    flux = edged(65.0, 300.0)
    return weather_of(draw(flux), draw(flux), draw(edged(0.0, 150.0, 4.0)), start=start)


@st.composite
def places(draw) -> dict[str, Any]:
    known = draw(drivers())
    return {
        "drivers": known,
        "mjd": draw(edged(known.start_mjd, known.end_mjd)),
        "lat_deg": draw(LATITUDES),
        "lon_deg": draw(LONGITUDES),
    }


def _is_air(_given, found: Profile) -> bool:
    return within(100.0, found.rows[:, profile.TEMPERATURE], 3000.0) and within(
        -50.0, found.rows[:, profile.LN_RHO], 1.0
    )


@st.composite
def histories(draw) -> dict[str, Any]:
    count = draw(st.integers(150, 200))
    flux, ap = draw(edged(50.0, 500.0)), draw(edged(0.0, 400.0))
    start = draw(edged(MJD + 85.0, MJD + count - 5.0))
    return {
        "days": [Day(MJD + k, (ap,) * 8 if k % 9 else (), ap, flux) for k in range(count)],
        "start_mjd": start,
        "end_mjd": start + draw(edged(0.1, 60.0, 1.0)),
        "known_until_mjd": draw(edged(start, MJD + count)),
    }


HISTORY: dict[str, Any] = {
    "days": [Day(MJD + k, (7.0,) * 8, 7.0, 150.0) for k in range(150)],
    "start_mjd": MJD + 100.0,
    "end_mjd": MJD + 110.0,
    "known_until_mjd": MJD + 105.0,
}
BYTES = st.binary(max_size=300).map(lambda data: {"data": data})

WEATHER = (
    Door(
        "weather.Drivers",
        Drivers,
        drivers().map(lambda one: {"rows": one.rows, "start_mjd": one.start_mjd}),
        lambda given, found: (
            within(1.0, found.days_of_year(), 366.0) and len(found.days_of_year()) == len(given["rows"])
        ),
        {"rows": np.ones((8, 9)), "start_mjd": 59884.0},
        (
            *each("rows", (np.ones((8, 7)), np.ones(9), np.ones((0, 9))), "not of the shape"),
            *each("start_mjd", (*NOT_NUMBERS, 59884.5, 2459884.5, -1.0), "0 h UTC"),
        ),
    ),
    Door(
        "weather.drivers",
        weather.drivers,
        histories(),
        lambda _given, found: within(50.0, found.rows[:, :2], 500.001) and within(-1e-9, found.rows[:, 2:], 400.001),
        HISTORY,
        (
            *each("start_mjd", (*NOT_NUMBERS, 2459984.5), "no span"),
            *each("end_mjd", (*NOT_NUMBERS, MJD), "no span"),
            *each("known_until_mjd", NOT_NUMBERS, "no span"),
            bad("known at all", weather.NoSpaceWeather, days=[]),
            bad("submit a CSSI file", weather.NoSpaceWeather, days=HISTORY["days"][::2]),
        ),
    ),
    *(
        Door(
            f"{name}.{read.__name__}",
            read,
            BYTES,
            lambda *_: True,
            {},
            each("data", (b"", b"\xff" * 200, b"DATES,AP1\n"), "send SW-All", Refused),
            allowed=(Refused,),
            finite=False,
        )
        for name, read in (
            ("weather", weather.read_cssi),
            ("weather_csv", weather_csv.read),
            ("weather_csv", weather_csv.read_csv),
        )
    ),
)

PLACE = {"drivers": weather_of(), "mjd": MJD + 0.5, "lat_deg": 41.0, "lon_deg": 2.0}
ALONG = {
    "drivers": weather_of(),
    "alt_km": np.array([80.0, 120.0]),
    "mjd": np.full(2, MJD + 0.5),
    "lat_deg": np.zeros(2),
    "lon_deg": np.zeros(2),
}
GRID: dict[str, Any] = {
    "rows": np.array([[0.0, 288.0, 29.0, 0.0, 0.0], [-1.0, 250.0, 29.0, 0.0, 0.0]]),
    "bottom_km": 0.0,
    "step_km": 1.0,
    "model": "mine",
}


def row(column: int, value: float) -> np.ndarray:
    rows = GRID["rows"].copy()
    rows[1, column] = value
    return rows


STEPS = (
    *each("step_km", (*NOT_NUMBERS, 0.0, -0.25), "positive step"),
    *each("top_km", (*NOT_NUMBERS, 0.0, -1.0, 150_000.0), "a top from it"),
)
NOWHERE = (
    *each("lat_deg", (*NOT_NUMBERS, 90.1, -200.0), "no place"),
    *each("lon_deg", (*NOT_NUMBERS, 361.0), "no place"),
)
ATMOSPHERE = (
    Door(
        "atmosphere.air_over",
        atmosphere.air_over,
        places(),
        _is_air,
        PLACE,
        (*SPOILT, *NOWHERE, *STEPS, *each("mjd", (*NOT_NUMBERS, 2459884.5), "drivers span")),
    ),
    Door(
        "atmosphere.air_along",
        atmosphere.air_along,
        st.builds(
            lambda lat, lon, until: ALONG | {"lat_deg": np.array([lat, 0.0]), "lon_deg": np.array([lon, until])},
            edged(-90.0, 90.0, 0.0),
            edged(-180.0, 180.0),
            edged(-180.0, 180.0),
        ),
        _is_air,
        ALONG,
        (
            *each("alt_km", [np.array([80.0, one]) for one in (*NOT_NUMBERS[:1], 80.0, 70.0)], "rising altitudes"),
            *each("mjd", [np.array([MJD, one]) for one in (*NOT_NUMBERS, 2459884.5)], "leaves the drivers"),
            *each("lat_deg", [np.array([0.0, one]) for one in (*NOT_NUMBERS, 90.1)], "in degrees"),
            *each("lon_deg", [np.array([0.0, one]) for one in NOT_NUMBERS], "in degrees"),
            *each("mjd", (np.full(3, MJD), np.empty(0)), "at each"),
            bad("or more", **{name: np.empty(0) for name in ("alt_km", "mjd", "lat_deg", "lon_deg")}),
            *SPOILT,
            *STEPS,
        ),
    ),
    Door(
        "atmosphere.air",
        atmosphere.air,
        st.one_of(places(), places().map(lambda given: given | {"drivers": None})),
        _is_air,
        PLACE,
        (*NOWHERE, bad("no place", drivers=None, lat_deg=math.nan), bad("a top from it", top_km=math.nan)),
    ),
    Door(
        "atmosphere.departure",
        atmosphere.departure,
        st.just({"made": profile.standard()}),
        lambda _given, found: within(-0.01, found, 0.01),
        examples=1,
    ),
    Door(
        "atmosphere.refuse_absurd",
        atmosphere.refuse_absurd,
        st.just({"made": profile.standard()}),
        lambda *_: True,
        {"made": profile.standard()},
        (
            bad(
                "check units",
                atmosphere.AbsurdAir,
                made=Profile(
                    profile.standard().rows - np.array([math.log(1000.0), 0.0, 0.0, 0.0, 0.0]), 0.0, 0.25, "in g/cm3"
                ),
            ),
        ),
        examples=1,
    ),
    Door(
        "profile.Profile",
        Profile,
        edged(-5.0, 100.0).map(lambda low: GRID | {"bottom_km": low}),
        lambda given, found: found.top_km == given["bottom_km"] + 1.0,
        GRID,
        (
            *each("rows", (np.ones((2, 4)), np.ones((1, 5)), np.ones(5)), "not the shape"),
            *each("rows", [row(column, value) for column in range(5) for value in NOT_NUMBERS], "no number"),
            *each("rows", (row(1, 0.0), row(2, -1.0)), "K and kg/kmol"),
            *each("step_km", (*NOT_NUMBERS, 0.0, -1.0), "positive step"),
            *each("bottom_km", NOT_NUMBERS, "no altitude"),
        ),
    ),
    Door(
        "profile.standard",
        profile.standard,
        st.fixed_dictionaries({"step_km": edged(0.25, 5.0), "top_km": edged(5.0, 1000.0)}),
        lambda _given, found: within(150.0, found.rows[:, 1], 1100.0),
        {},
        STEPS,
        examples=10,
    ),
    Door(
        "profile.tabulated",
        profile.tabulated,
        st.just({"model": us76.us76, "name": "US76", "step_km": 1.0, "top_km": 86.0}),
        lambda _given, found: within(150.0, found.rows[:, 1], 300.0),
        {"model": us76.us76, "name": "US76", "step_km": 1.0, "top_km": 86.0},
        (*STEPS, bad("no number", model=lambda _alt: (1.0, math.nan, 340.0, 1e-5))),
        examples=1,
    ),
)

WITHIN_TABLE = {"from_mjd": MJD + 0.1, "to_mjd": MJD + 0.9, "lowest_km": 80.0, "highest_km": 300.0}
NOUGHT = np.zeros((1, 1, 1, 1), np.float32)
DAY = density_days.Day(1, 150.0, 400.0, NOUGHT, NOUGHT, Error(1, 0.0, 0.0, 0.0, 0.0))
BEYOND = (
    *(bad("no number", OutsideTable, drivers=spoilt(3, column, math.nan)) for column in (0, 1, 5)),
    bad("make the days at", OutsideTable, drivers=weather_of(250.0, 250.0)),
    bad("further than", OutsideTable, drivers=weather_of(400.0, 150.0)),
)
TABLES = (
    Door(
        "density_days.Day.from_bytes",
        density_days.Day.from_bytes,
        st.just({"data": DAY.to_bytes()}),
        lambda _given, found: found.doy == 1,
        {"data": DAY.to_bytes()},
        (
            *each(
                "data",
                (b"", b"density-day {}\n", b"density-day []\n", b"density-day 7\n", b"density-day {"),
                "",
                ValueError,
            ),
            bad("make it anew", data=b"density-day {}\n"),
            bad("make it anew", data=b"density-day null\n"),
            bad("make it anew", data=DAY.to_bytes()[:-1]),
            bad("no number", data=DAY.to_bytes()[:-4] + b"\0\0\xc0\x7f"),
        ),
        examples=1,
    ),
    Door(
        "density_days.reference_sfu",
        density_days.reference_sfu,
        edged(50.0, 500.0, 87.5).map(lambda one: {"f107a": one}),
        lambda _given, found: 75.0 <= found <= 250.0,
        {"f107a": 150.0},
        each("f107a", (*NOT_NUMBERS, 0.0, -1.0), "no flux"),
    ),
    Door(
        "density_days.days_of_year",
        density_days.days_of_year,
        st.fixed_dictionaries({"start_mjd": st.integers(0, 88069), "days": st.integers(0, 400)}),
        lambda given, found: len(found) == given["days"] + 1 and within(1, found, 366),
        {"start_mjd": MJD, "days": 1},
        (*each("start_mjd", (-1, 2459884, 59884.5), "no span"), *each("days", (-1, 10**7, 0.5), "no span")),
    ),
    Door(
        "density_days.make",
        density_days.make,
        st.just({"doy": 305, "reference_sfu": FLUX_SFU}),
        lambda _given, found: within(-40.0, found.base, -7.0),
        {"doy": 305, "reference_sfu": FLUX_SFU},
        (
            *each("doy", (0, 367, 1.5, math.nan), "day of a year"),
            *each("reference_sfu", (*NOT_NUMBERS, 0.0, -150.0, 1e4), "50 to 500"),
            *each("top_km", (math.nan, 500.0), "400 or 1000"),
        ),
        examples=1,
    ),
    Door(
        "density_days.join",
        lambda start_mjd=MJD, count=2: density_days.join(days()[:count], start_mjd),
        st.just({}),
        lambda _given, found: found.end_mjd == MJD + 1,
        {},
        (
            bad("in order", count=1),
            bad("in order", start_mjd=MJD + 1),
            bad("no span", start_mjd=2459884),
            bad("no span", count=0),
        ),
        examples=1,
    ),
    Door(
        "density_days.span",
        density_days.span,
        st.just({"start_mjd": MJD, "days": 1, "reference_sfu": FLUX_SFU}),
        lambda _given, found: found.end_mjd == MJD + 1,
        {"start_mjd": MJD, "days": 1, "reference_sfu": FLUX_SFU},
        (
            *each("reference_sfu", (*NOT_NUMBERS, 0.0), "50 to 500"),
            bad("no span", start_mjd=2459884),
            bad("no span", days=-1),
            bad("two days", days=0),
        ),
        examples=1,
    ),
    Door(
        "density_days.Table.terms",
        lambda drivers: table().terms(drivers),
        st.builds(weather_of, edged(120.0, 180.0), edged(120.0, 180.0), edged(0.0, 200.0)).map(
            lambda one: {"drivers": one}
        ),
        lambda _given, found: found.shape == (9, 16),
        {"drivers": weather_of()},
        BEYOND,
    ),
    Door(
        "density_days.Table.check",
        lambda **given: table().check(**given),
        st.builds(
            lambda a, b, low, high: {
                "from_mjd": min(a, b),
                "to_mjd": max(a, b),
                "lowest_km": min(low, high),
                "highest_km": max(low, high),
            },
            edged(MJD, MJD + 1.0),
            edged(MJD, MJD + 1.0),
            edged(60.0, 400.0),
            edged(60.0, 400.0),
        ),
        lambda *_: True,
        WITHIN_TABLE,
        [
            *each("from_mjd", (*NOT_NUMBERS, 2459884.5), "join more days", OutsideTable),
            *each("to_mjd", (*NOT_NUMBERS, MJD + 2.0), "join more days", OutsideTable),
            *each("lowest_km", (*NOT_NUMBERS, 50.0), "the model itself", OutsideTable),
            *each("highest_km", (*NOT_NUMBERS, 300_000.0), "the model itself", OutsideTable),
        ],
    ),
)

DOORS = (*WEATHER, *ATMOSPHERE, *TABLES)
