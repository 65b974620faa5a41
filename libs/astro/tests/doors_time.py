"""Doors of time, Earth orientation, frames and element sets."""

import functools
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import astropy_iers_data
import numpy as np
from hypothesis import strategies as st

from libs.astro import elements, eop, eop_rows, frames, iau2006, sgp4, time, tle
from libs.astro.elements import ElementSet, Refused
from libs.astro.sgp4_start import RECORD_SIZE
from libs.astro.tests.doors import NOT_NUMBERS, Door, bad, each, edged, numbers, within

JD = 2460000.5
FIRST_MJD, LAST_MJD = 41684.0, 60600.0  # of the orientation file; more days are in every newer one
GOOD = ElementSet(
    25544, b"ISS", b"98067A", 2460000.5, 0.25, 15.5, 0.0005, 51.64, 10.0, 20.0, 30.0, 1e-4, 1e-4, 0.0, "U", 999, 1
)
LINES = (
    b"1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753",
    b"2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
)
FRACTIONS = edged(0.0, np.nextafter(1.0, 0.0), 0.5)
DAYS = st.integers(37300, 88069).map(lambda mjd: mjd + time.MJD_0_JD)  # 1961 to 2099
ORIENTED = st.integers(int(FIRST_MJD), int(LAST_MJD) - 1).map(lambda mjd: mjd + time.MJD_0_JD)


@functools.cache
def earth() -> eop.EarthOrientation:
    return eop.read(Path(astropy_iers_data.IERS_A_FILE).read_bytes())


@st.composite
def pairs(draw, days=ORIENTED) -> dict[str, Any]:
    count = draw(st.integers(1, 4))
    jd = np.array([draw(days) for _ in range(count)])
    return {"jd": jd, "fraction": np.array([draw(FRACTIONS) for _ in range(count)])}


@st.composite
def moving(draw) -> dict[str, Any]:
    """States from the ground to beyond the geostationary belt, over both poles and along the axes."""
    when = draw(pairs())
    parts = edged(-1.0, 1.0, 0.0)
    columns = []
    for _ in when["jd"]:
        way = np.array([draw(parts) for _ in range(3)])
        way = way / np.linalg.norm(way) if np.linalg.norm(way) > 0.1 else np.array([0.0, 0.0, 1.0])
        columns.append([*(draw(edged(6356.0, 50_000.0)) * way), *(draw(parts) * 8.0 for _ in range(3))])
    return when | {"states": np.array(columns).T}


@st.composite
def sets(draw) -> ElementSet:
    """From orbits that graze the surface to a month's, round and long; angles at the ends of their ranges."""
    angle = edged(0.0, np.nextafter(360.0, 0.0), 180.0)
    return replace(
        GOOD,
        mean_motion_rev_day=draw(edged(0.05, 17.0, 1.0027, 2.0056)),
        eccentricity=draw(edged(0.0, 0.999, 1e-7, 0.7)),
        inclination_deg=draw(edged(0.0, 180.0, 63.4349, 90.0)),
        raan_deg=draw(angle), arg_of_perigee_deg=draw(angle), mean_anomaly_deg=draw(angle),
        bstar_per_earth_radius=draw(edged(-0.1, 0.1, 0.0)),
        epoch_jd=draw(st.integers(36112, 70000)) + time.MJD_0_JD, epoch_jd_fraction=draw(FRACTIONS),
    )  # fmt: skip


@functools.cache
def catalogue() -> sgp4.Catalogue:
    return sgp4.initialise_many([GOOD, replace(GOOD, mean_motion_rev_day=1.0027, eccentricity=0.01)])


def _coded(found: tuple[np.ndarray, ...]) -> bool:
    """A state is a number but where an error says why not."""
    *states, errors = found
    told = (errors != sgp4.OK) & (errors != sgp4.DECAYED)
    axis = {2: 1, 3: 1}
    return set(np.unique(errors)) <= {0, *sgp4.ERRORS} and all(
        np.isfinite(one).all(axis=axis[one.ndim])[~told].all() for one in states
    )


def _same(given, found) -> bool:
    return found == given["elements"] if isinstance(found, ElementSet) else True


def _lengths_kept(given, found) -> bool:
    states = given["states"]
    return bool(np.allclose(np.linalg.norm(found[:3], axis=0), np.linalg.norm(states[:3], axis=0), rtol=1e-9))


def _rotations(_given, found) -> bool:
    return bool(np.allclose(np.einsum("nij,nkj->nik", found, found), np.eye(3), atol=1e-12))


ONE = {"jd": np.array([JD]), "fraction": np.array([0.5])}
STATE = {"states": np.array([[7000.0, 0.0, 0.0, 0.0, 7.5, 0.0]]).T}
OUTSIDE = (
    bad("load a newer", eop.OutsideOrientation, fraction=np.array([np.nan])),
    bad("load a newer", eop.OutsideOrientation, jd=np.array([np.inf])),
    bad("load a newer", eop.OutsideOrientation, jd=np.array([59945.0])),  # a modified Julian date
    bad("load a newer", eop.OutsideOrientation, jd=np.array([2440000.5])),
    bad("pairs", fraction=np.zeros(2)),
)
SHAPES = (
    bad("transpose", states=np.zeros((1, 6))),
    bad("transpose", states=np.zeros((6, 2))),
    bad("transpose", states=np.zeros(6)),
    bad("transpose", states=np.zeros((6, 0))),
)

TIME = (
    Door(
        "time.calendar_to_jd", time.calendar_to_jd,
        st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001  calendar fields alone
            lambda at: {"year": at.year, "month": at.month, "day": at.day, "hour": at.hour, "minute": at.minute,
                        "second": at.second + at.microsecond * 1e-6}
        ),
        lambda _given, found: within(1721425.5, found[0], 5373484.5) and 0.0 <= found[1] < 1.0,
        {"year": 2016, "month": 12, "day": 31, "hour": 23, "minute": 59, "second": 60.0},
        (*each("second", (math.nan, math.inf, -1.0, 61.0), "no time of day"), *each("hour", (24, -1), "no time of day"),
         bad("no time of day", minute=60), bad("month", month=13), bad("day", day=32), bad("year", year=0)),
    ),
    Door(
        "time.datetime_to_jd", time.datetime_to_jd,
        st.datetimes(timezones=st.just(UTC)).map(lambda at: {"instant": at}),
        lambda given, found: abs(time.jd_to_datetime(*found) - given["instant"]) < timedelta(microseconds=1)
        or given["instant"].year == 9999,
        {"instant": datetime(2020, 1, 1, tzinfo=UTC)},
        (bad("no zone", instant=datetime(2020, 1, 1)),),  # noqa: DTZ001  that is what is refused
    ),
    Door(
        "time.jd_to_datetime", time.jd_to_datetime,
        st.fixed_dictionaries({"jd": st.integers(1721426, 5373482).map(lambda day: day + 0.5), "fraction": FRACTIONS}),
        lambda given, found: abs(time.seconds_between(given["jd"], given["fraction"], *time.datetime_to_jd(found))) < 1e-6,
        {"jd": JD, "fraction": 0.0},
        (*each("jd", (math.nan, math.inf, -math.inf, 60000.0, 6e6), "years 1 to 9999"),
         bad("years", fraction=math.nan)),
    ),
    Door(
        "time.seconds_between", time.seconds_between,
        st.fixed_dictionaries({"jd0": DAYS, "fraction0": FRACTIONS, "jd1": DAYS, "fraction1": FRACTIONS}),
        lambda _given, found: within(-5e9, found, 5e9),
        {"jd0": JD, "fraction0": 0.0, "jd1": JD, "fraction1": 0.0},
        (*each("jd0", NOT_NUMBERS, "no instant"), *each("fraction1", NOT_NUMBERS, "no instant")),
    ),
    Door(
        "time.add_seconds", time.add_seconds,
        st.fixed_dictionaries({"jd": DAYS, "fraction": FRACTIONS, "seconds": edged(-1e9, 1e9, 0.0, 86400.0, -1e-9)}),
        lambda _given, found: 0.0 <= found[1] < 1.0,
        {"jd": JD, "fraction": 0.0, "seconds": 1.0},
        (*each("jd", NOT_NUMBERS, "no instant"), *each("seconds", NOT_NUMBERS, "no instant")),
    ),
    Door(
        "time.tai_minus_utc_s", time.tai_minus_utc_s, pairs(DAYS),
        lambda _given, found: within(1.4, found, 37.0), ONE,
        (*each("jd", [np.array([one]) for one in NOT_NUMBERS], "no time"), bad("no time", fraction=np.array([np.nan])),
         bad("before 1961", time.BeforeUtc, jd=np.array([59945.0])), bad("before 1961", time.BeforeUtc, jd=2437299.5)),
    ),
    *(
        Door(
            f"time.{scale.__name__}", scale, pairs(DAYS),
            lambda given, found: bool(np.all((found[1] - given["fraction"]) * time.DAY_S >= 1.4)), ONE,
            (bad("no time", jd=np.array([np.nan])), bad("no time", fraction=np.array([np.inf])),
             bad("before 1961", time.BeforeUtc, jd=np.array([59945.0]))),
        )
        for scale in (time.utc_to_tt, time.utc_to_tai)
    ),
    Door(
        "time.utc_to_ut1", time.utc_to_ut1, st.builds(lambda when, ut1: when | {"ut1_utc_s": ut1}, pairs(DAYS), edged(-0.9, 0.9)),
        lambda given, found: within(-1.1e-5, found[1] - given["fraction"], 1.1e-5),
        ONE | {"ut1_utc_s": 0.1},
        (*each("ut1_utc_s", (*NOT_NUMBERS, -100.0), "within a second"), bad("no number", jd=np.array([np.nan])),
         bad("no number", fraction=np.array([np.inf]))),
    ),
)  # fmt: skip

ORIENTATION = (
    Door(
        "eop.EarthOrientation.at", lambda **given: earth().at(**given),
        st.fixed_dictionaries({"jd": ORIENTED, "fraction": FRACTIONS}),
        lambda _given, found: within(-0.9, found.ut1_utc_s, 0.9) and within(-5e-6, (found.xp_rad, found.yp_rad), 5e-6),
        {"jd": JD, "fraction": 0.0},
        (*each("jd", (*NOT_NUMBERS, 59945.0, 2440000.5, 2500000.5), "load a newer", eop.OutsideOrientation),
         bad("load a newer", eop.OutsideOrientation, fraction=math.nan)),
    ),
    Door(
        "eop.EarthOrientation.at_many", lambda **given: earth().at_many(**given), pairs(),
        lambda _given, found: within(-0.9, found[0], 0.9) and within(-5e-6, found[1:], 5e-6), ONE, OUTSIDE,
    ),
    Door(
        "eop.EarthOrientation.offsets_at", lambda **given: earth().offsets_at(**given), pairs(),
        lambda _given, found: within(-1e-6, found, 1e-6), ONE, OUTSIDE,
    ),
    Door("eop.EarthOrientation.check", lambda **given: earth().check(**given), pairs(), lambda *_: True, ONE, OUTSIDE),
    *(
        Door(
            f"eop.{read.__name__}", read, st.just({"data": Path(astropy_iers_data.IERS_A_FILE).read_bytes()[: 188 * 20]})
            if read is not eop.read_celestrak else st.just({"data": b"BEGIN OBSERVED\n" + b"".join(
                b"2020 01 %02d %d 0.1 0.3 -0.1 0 0 0 0 0 37\n" % (day, 58848 + day) for day in (1, 2, 3)) + b"END OBSERVED\n"}),
            lambda _given, found: within(-1.0, found.days[:, 0], 1.0), {},
            (*each("data", (b"", b"\xff" * 300, b"VERSION 1.1\nBEGIN OBSERVED\n2020 01 01 58849 nan 0 0 0 0 0 0 0 37\n"
                            b"2020 01 02 58850 0 0 0 0 0 0 0 0 37\nEND OBSERVED\n"), "", eop.BadOrientationFile),),
            examples=1,
        )
        for read in (eop.read, eop.read_finals2000a, eop.read_celestrak)
    ),
    Door("eop_rows.is_finals", eop_rows.is_finals, st.binary(max_size=300).map(lambda data: {"data": data}), lambda *_: True),
    Door(
        "eop_rows.read", lambda data: list(eop_rows.read(data)), st.binary(max_size=600).map(lambda data: {"data": data}),
        lambda _given, found: all(isinstance(one, Refused | eop_rows.OrientationDay) for one in found), finite=False,
    ),
    Door("iau2006.pole", lambda jd, fraction: iau2006.pole(jd, fraction), pairs(DAYS),
         lambda _given, found: within(-0.02, found, 0.02), ONE,
         (*each("jd", [np.array([one]) for one in (*NOT_NUMBERS, 59945.0)], "Julian dates"),
          bad("Julian dates", fraction=np.array([np.nan])))),
    Door("iau2006.pole_between", lambda jd, fraction: iau2006.pole_between(jd, fraction),
         st.builds(lambda day, part: {"jd": np.full(3, day), "fraction": np.linspace(0.0, part, 3)}, DAYS, FRACTIONS),
         lambda _given, found: within(-0.02, found, 0.02), ONE,
         (*each("jd", [np.array([one]) for one in (*NOT_NUMBERS, 59945.0)], "Julian dates"),
          bad("Julian dates", jd=np.empty(0), fraction=np.empty(0))), examples=10),
)  # fmt: skip

FRAMES = (
    Door("frames.earth_turn", lambda jd, fraction: frames.earth_turn(jd, fraction, earth()), pairs(),
         lambda _given, found: within(0.0, found.gmst_rad, 2.0 * math.pi), ONE, OUTSIDE),
    *(
        Door(f"frames.{turn.__name__}", lambda jd, fraction, turn=turn: turn(jd, fraction, earth()), pairs(), _rotations, ONE, OUTSIDE, examples=10)
        for turn in (frames.gcrf_to_tirf, frames.tirf_to_itrf)
    ),
    *(
        Door(f"frames.{turn.__name__}", lambda turn=turn, **given: turn(**given, orientation=earth()), moving(),
             _lengths_kept, ONE | STATE, (*OUTSIDE, *SHAPES), examples=15)
        for turn in (frames.teme_to_itrf_each, frames.gcrf_to_itrf, frames.itrf_to_gcrf, frames.teme_to_gcrf_each)
    ),
    Door(
        "frames.itrf_to_geodetic_each", frames.itrf_to_geodetic_each,
        moving().map(lambda given: {"positions": given["states"][:3].copy()}),
        lambda given, found: within(-math.pi / 2, found[0], math.pi / 2) and within(-math.pi, found[1], math.pi)
        and within(-23.0, found[2], 44_000.0), {"positions": np.array([[7000.0, 0.0, 0.0]]).T},
        (bad("transpose", positions=np.zeros((1, 3))), bad("transpose", positions=np.zeros(3)),
         bad("out must be", out=np.empty((3, 2))), bad("out must be", out=np.empty((3, 1), dtype=np.int64))),
    ),
)  # fmt: skip

ORBIT = {"mean_motion_rad_min": 0.067, "eccentricity": 0.001, "inclination_rad": 0.9}
SETS = (
    Door("elements.problem", elements.problem, sets().map(lambda one: {"elements": one}), lambda _given, found: found is None),
    Door("elements.validate", elements.validate, sets().map(lambda one: {"elements": one}), lambda *_: True,
         {"elements": GOOD},
         [bad(name, Refused, elements=replace(GOOD, **{name: value}))
          for name in ("mean_motion_rev_day", "eccentricity", "inclination_deg", "raan_deg", "bstar_per_earth_radius", "epoch_jd")
          for value in (*NOT_NUMBERS, -1e3, 1e9)]),
    Door("tle.checksum", tle.checksum, st.binary(max_size=80).map(lambda line: {"line": line}),
         lambda _given, found: 0 <= found <= 9),
    Door("tle.parse", tle.parse, st.just({"line1": LINES[0], "line2": LINES[1]}),
         lambda _given, found: elements.problem(found) is None, {"line1": LINES[0], "line2": LINES[1]},
         (*each("line1", (b"", b"\xff" * 69, LINES[1]), "", Refused), *each("line2", (b"", LINES[0]), "", Refused)), examples=1),
    Door("tle.read", lambda data: list(tle.read(data)), st.binary(max_size=300).map(lambda data: {"data": data}),
         lambda _given, found: all(isinstance(one, Refused | ElementSet) for one in found), finite=False),
    Door("tle.alpha_5", tle.alpha_5, edged(1, 339_999, 99_999, 100_000).map(lambda at: {"catalogue_number": int(at)}),
         lambda _given, found: len(found) == 5, {"catalogue_number": 5},
         each("catalogue_number", (-1, 0, 340_000, 10**9), "use OMM")),
    Door(
        "sgp4.unkozai_mean_motion_rad_min", sgp4.unkozai_mean_motion_rad_min,
        st.fixed_dictionaries({"mean_motion_rad_min": edged(1e-4, 0.0745), "eccentricity": edged(0.0, 0.9),
                               "inclination_rad": edged(0.0, math.pi)}),
        lambda _given, found: found > 0.0, ORBIT,
        (*each("mean_motion_rad_min", (*NOT_NUMBERS, 0.0, -0.06), "units"), *each("eccentricity", (math.nan, -0.1, 1.0), "units"),
         *each("inclination_rad", (math.nan, -0.1, 51.6), "units")),
    ),
    Door("sgp4.refuse_deep_space", sgp4.refuse_deep_space, sets().map(lambda one: {"elements": one}), lambda *_: True,
         allowed=(sgp4.DeepSpace,)),
    Door("sgp4.initialise", sgp4.initialise, sets().map(lambda one: {"elements": one}),
         lambda _given, found: found.shape == (RECORD_SIZE,), {"elements": GOOD},
         [bad("check", sgp4.BadElements, elements=replace(GOOD, **{name: value})) for name, value in (
             ("mean_motion_rev_day", math.nan), ("mean_motion_rev_day", 0.0), ("eccentricity", -0.1), ("eccentricity", 1.0),
             ("inclination_deg", math.inf), ("epoch_jd", math.nan), ("bstar_per_earth_radius", math.nan))],
         finite=False, allowed=(sgp4.BadElements,)),
    Door("sgp4.initialise_many", sgp4.initialise_many, st.lists(sets(), max_size=3).map(lambda some: {"elements": some}),
         lambda given, found: len(found.records) == len(given["elements"]), {"elements": [GOOD]},
         (bad("check the set", sgp4.BadElements, elements=[GOOD, replace(GOOD, raan_deg=math.nan)]),), finite=False),
    Door(
        "sgp4.propagate", lambda elements, minutes, record=None: sgp4.propagate(
            sgp4.initialise(elements) if record is None else record, minutes),
        st.fixed_dictionaries({"elements": sets(), "minutes": st.lists(edged(-1e6, 1e6, 0.0), max_size=5).map(np.array)}),
        lambda _given, found: _coded(found), {"elements": GOOD, "minutes": np.zeros(2)},
        (*each("minutes", [np.array([0.0, one]) for one in NOT_NUMBERS], "no number"), bad("years from", minutes=np.array([1e9])), bad("one row", minutes=np.zeros((2, 2))), bad("initialise", record=np.zeros(3))),
        finite=False, allowed=(sgp4.BadElements,),
    ),
    Door(
        "sgp4.propagate_many", lambda **given: sgp4.propagate_many(catalogue(), **given), pairs(),
        lambda _given, found: _coded(found), ONE,
        (*each("jd", [np.array([one]) for one in NOT_NUMBERS], "no number"), bad("no number", fraction=np.array([np.nan])),
         bad("Julian dates", jd=np.array([59945.0])),
         bad("Earth's turn", turn=frames.EarthTurn(np.zeros(1), np.zeros(2), np.zeros(1)))),
        finite=False,
    ),
    Door(
        "sgp4.propagate_minutes", lambda **given: sgp4.propagate_minutes(catalogue(), **given),
        st.fixed_dictionaries({"minutes": st.lists(edged(-1e6, 1e6, 0.0), max_size=5).map(np.array)}),
        lambda _given, found: _coded(found), {"minutes": np.zeros(2)},
        (*each("minutes", [np.array([0.0, one]) for one in NOT_NUMBERS], "no number"), bad("years from", minutes=np.array([1e9])),
         bad("one for each", offsets=np.zeros(3)), bad("no number", offsets=np.array([0.0, np.nan])),
         bad("out must be", out=np.empty((2, 6, 5))), bad("errors must be", errors=np.empty((2, 2)))),
        finite=False,
    ),
)  # fmt: skip

DOORS = (*TIME, *ORIENTATION, *FRAMES, *SETS)
