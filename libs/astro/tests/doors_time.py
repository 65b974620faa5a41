"""Doors of time, Earth orientation, frames and element sets."""

import functools
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import astropy_iers_data
import numpy as np
from hypothesis import strategies as st

from libs.astro import eop, eop_rows, frames, iau2006, time
from libs.astro.elements import Refused
from libs.astro.tests.doors import NOT_NUMBERS, Door, bad, each, edged, within

JD = 2460000.5
FIRST_MJD, LAST_MJD = 41684.0, 60600.0  # of the orientation file; more days are in every newer one
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
    bad("make arrays", jd=[JD], fraction=[0.5]),
    bad("make arrays", jd=JD, fraction=0.5),
    bad("make arrays", jd=np.full((1, 1), JD), fraction=np.zeros((1, 1))),
)
SHAPES = (
    bad("transpose", states=np.zeros((1, 6))),
    bad("transpose", states=np.zeros((6, 2))),
    bad("transpose", states=np.zeros(6)),
    bad("transpose", states=np.zeros((6, 0))),
    *each("states", [np.insert(np.zeros(5), k, far)[:, None] for k in (0, 5) for far in NOT_NUMBERS[1:]], "infinite"),
)

TIME = (
    Door(
        "time.calendar_to_jd",
        time.calendar_to_jd,
        st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001  calendar fields alone
            lambda at: {
                "year": at.year,
                "month": at.month,
                "day": at.day,
                "hour": at.hour,
                "minute": at.minute,
                "second": at.second + at.microsecond * 1e-6,
            }
        ),
        lambda _given, found: within(1721425.5, found[0], 5373484.5) and 0.0 <= found[1] < 1.0,
        {"year": 2016, "month": 12, "day": 31, "hour": 23, "minute": 59, "second": 60.0},
        (
            *each("second", (math.nan, math.inf, -1.0, 61.0), "no time of day"),
            *each("hour", (24, -1), "no time of day"),
            bad("no time of day", minute=60),
            bad("month", month=13),
            bad("day", day=32),
            bad("year", year=0),
        ),
    ),
    Door(
        "time.datetime_to_jd",
        time.datetime_to_jd,
        st.datetimes(timezones=st.just(UTC)).map(lambda at: {"instant": at}),
        lambda given, found: (
            abs(time.jd_to_datetime(*found) - given["instant"]) < timedelta(microseconds=1)
            or given["instant"].year == 9999
        ),
        {"instant": datetime(2020, 1, 1, tzinfo=UTC)},
        (bad("no zone", instant=datetime(2020, 1, 1)),),  # noqa: DTZ001  that is what is refused
    ),
    Door(
        "time.jd_to_datetime",
        time.jd_to_datetime,
        st.fixed_dictionaries({"jd": st.integers(1721426, 5373482).map(lambda day: day + 0.5), "fraction": FRACTIONS}),
        lambda given, found: (
            abs(time.seconds_between(given["jd"], given["fraction"], *time.datetime_to_jd(found))) < 1e-6
        ),
        {"jd": JD, "fraction": 0.0},
        (
            *each("jd", (math.nan, math.inf, -math.inf, 60000.0, 6e6), "years 1 to 9999"),
            bad("years", fraction=math.nan),
        ),
    ),
    Door(
        "time.seconds_between",
        time.seconds_between,
        st.fixed_dictionaries({"jd0": DAYS, "fraction0": FRACTIONS, "jd1": DAYS, "fraction1": FRACTIONS}),
        lambda _given, found: within(-5e9, found, 5e9),
        {"jd0": JD, "fraction0": 0.0, "jd1": JD, "fraction1": 0.0},
        (*each("jd0", NOT_NUMBERS, "no instant"), *each("fraction1", NOT_NUMBERS, "no instant")),
    ),
    Door(
        "time.add_seconds",
        time.add_seconds,
        st.fixed_dictionaries({"jd": DAYS, "fraction": FRACTIONS, "seconds": edged(-1e9, 1e9, 0.0, 86400.0, -1e-9)}),
        lambda _given, found: 0.0 <= found[1] < 1.0,
        {"jd": JD, "fraction": 0.0, "seconds": 1.0},
        (*each("jd", NOT_NUMBERS, "no instant"), *each("seconds", NOT_NUMBERS, "no instant")),
    ),
    Door(
        "time.tai_minus_utc_s",
        time.tai_minus_utc_s,
        pairs(DAYS),
        lambda _given, found: within(1.4, found, 37.0),
        ONE,
        (
            *each("jd", [np.array([one]) for one in NOT_NUMBERS], "no time"),
            bad("no time", fraction=np.array([np.nan])),
            bad("before 1961", time.BeforeUtc, jd=np.array([59945.0])),
            bad("before 1961", time.BeforeUtc, jd=2437299.5),
        ),
    ),
    *(
        Door(
            f"time.{scale.__name__}",
            scale,
            pairs(DAYS),
            lambda given, found: bool(np.all((found[1] - given["fraction"]) * time.DAY_S >= 1.4)),
            ONE,
            (
                bad("no time", jd=np.array([np.nan])),
                bad("no time", fraction=np.array([np.inf])),
                bad("before 1961", time.BeforeUtc, jd=np.array([59945.0])),
            ),
        )
        for scale in (time.utc_to_tt, time.utc_to_tai)
    ),
    Door(
        "time.utc_to_ut1",
        time.utc_to_ut1,
        st.builds(lambda when, ut1: when | {"ut1_utc_s": ut1}, pairs(DAYS), edged(-0.9, 0.9)),
        lambda given, found: within(-1.1e-5, found[1] - given["fraction"], 1.1e-5),
        ONE | {"ut1_utc_s": 0.1},
        (
            *each("ut1_utc_s", (*NOT_NUMBERS, -100.0), "within a second"),
            bad("no number", jd=np.array([np.nan])),
            bad("no number", fraction=np.array([np.inf])),
        ),
    ),
)

ORIENTATION = (
    Door(
        "eop.EarthOrientation.at",
        lambda **given: earth().at(**given),
        st.fixed_dictionaries({"jd": ORIENTED, "fraction": FRACTIONS}),
        lambda _given, found: within(-0.9, found.ut1_utc_s, 0.9) and within(-5e-6, (found.xp_rad, found.yp_rad), 5e-6),
        {"jd": JD, "fraction": 0.0},
        (
            *each("jd", (*NOT_NUMBERS, 59945.0, 2440000.5, 2500000.5), "load a newer", eop.OutsideOrientation),
            bad("load a newer", eop.OutsideOrientation, fraction=math.nan),
        ),
    ),
    Door(
        "eop.EarthOrientation.at_many",
        lambda **given: earth().at_many(**given),
        pairs(),
        lambda _given, found: within(-0.9, found[0], 0.9) and within(-5e-6, found[1:], 5e-6),
        ONE,
        OUTSIDE,
    ),
    Door(
        "eop.EarthOrientation.offsets_at",
        lambda **given: earth().offsets_at(**given),
        pairs(),
        lambda _given, found: within(-1e-6, found, 1e-6),
        ONE,
        OUTSIDE,
    ),
    Door("eop.EarthOrientation.check", lambda **given: earth().check(**given), pairs(), lambda *_: True, ONE, OUTSIDE),
    *(
        Door(
            f"eop.{read.__name__}",
            read,
            st.just({"data": Path(astropy_iers_data.IERS_A_FILE).read_bytes()[: 188 * 20]})
            if read is not eop.read_celestrak
            else st.just(
                {
                    "data": b"BEGIN OBSERVED\n"
                    + b"".join(b"2020 01 %02d %d 0.1 0.3 -0.1 0 0 0 0 0 37\n" % (day, 58848 + day) for day in (1, 2, 3))
                    + b"END OBSERVED\n"
                }
            ),
            lambda _given, found: within(-1.0, found.days[:, 0], 1.0),
            {},
            (
                *each(
                    "data",
                    (
                        b"",
                        b"\xff" * 300,
                        b"VERSION 1.1\nBEGIN OBSERVED\n2020 01 01 58849 nan 0 0 0 0 0 0 0 37\nEND OBSERVED\n",
                    ),
                    "",
                    eop.BadOrientationFile,
                ),
            ),
            examples=1,
        )
        for read in (eop.read, eop.read_finals2000a, eop.read_celestrak)
    ),
    Door(
        "eop_rows.is_finals",
        eop_rows.is_finals,
        st.binary(max_size=300).map(lambda data: {"data": data}),
        lambda *_: True,
    ),
    Door(
        "eop_rows.read",
        lambda data: list(eop_rows.read(data)),
        st.binary(max_size=600).map(lambda data: {"data": data}),
        lambda _given, found: all(isinstance(one, Refused | eop_rows.OrientationDay) for one in found),
        finite=False,
    ),
    Door(
        "iau2006.pole",
        lambda jd, fraction: iau2006.pole(jd_tt=jd, fraction=fraction),
        pairs(DAYS),
        lambda _given, found: within(-0.02, found, 0.02),
        ONE,
        (
            *each("jd", [np.array([one]) for one in (*NOT_NUMBERS, 59945.0)], "Julian dates"),
            bad("Julian dates", fraction=np.array([np.nan])),
            bad("pairs in one row", fraction=np.zeros(2)),
            bad("pairs in one row", jd=np.full((1, 1), JD), fraction=np.zeros((1, 1))),
        ),
    ),
    Door(
        "iau2006.pole_between",
        lambda jd, fraction: iau2006.pole_between(jd_tt=jd, fraction=fraction),
        st.builds(lambda day, part: {"jd": np.full(3, day), "fraction": np.linspace(0.0, part, 3)}, DAYS, FRACTIONS),
        lambda _given, found: within(-0.02, found, 0.02),
        ONE,
        (
            *each("jd", [np.array([one]) for one in (*NOT_NUMBERS, 59945.0)], "Julian dates"),
            bad("Julian dates", jd=np.empty(0), fraction=np.empty(0)),
        ),
        examples=10,
    ),
)

FRAMES = (
    Door(
        "frames.earth_turn",
        lambda jd, fraction: frames.earth_turn(jd, fraction, earth()),
        pairs(),
        lambda _given, found: within(0.0, found.gmst_rad, 2.0 * math.pi),
        ONE,
        OUTSIDE,
    ),
    *(
        Door(
            f"frames.{turn.__name__}",
            lambda jd, fraction, turn=turn: turn(jd, fraction, earth()),
            pairs(),
            _rotations,
            ONE,
            OUTSIDE,
            examples=10,
        )
        for turn in (frames.gcrf_to_tirf, frames.tirf_to_itrf)
    ),
    *(
        Door(
            f"frames.{turn.__name__}",
            lambda turn=turn, **given: turn(**given, orientation=earth()),
            moving(),
            _lengths_kept,
            ONE | STATE,
            (*OUTSIDE, *SHAPES),
            examples=15,
        )
        for turn in (frames.teme_to_itrf_each, frames.gcrf_to_itrf, frames.itrf_to_gcrf, frames.teme_to_gcrf_each)
    ),
    Door(
        "frames.itrf_to_geodetic_each",
        frames.itrf_to_geodetic_each,
        moving().map(lambda given: {"positions": given["states"][:3].copy()}),
        lambda _given, found: (
            within(-math.pi / 2, found[0], math.pi / 2)
            and within(-math.pi, found[1], math.pi)
            and within(-23.0, found[2], 44_000.0)
        ),
        {"positions": np.array([[7000.0, 0.0, 0.0]]).T},
        (
            bad("transpose", positions=np.zeros((1, 3))),
            bad("transpose", positions=np.zeros(3)),
            *each("positions", [np.array([[one], [0.0], [np.nan]]) for one in NOT_NUMBERS[1:]], "infinite"),
            bad("out must be", out=np.empty((3, 2))),
            bad("out must be", out=np.empty((3, 1), dtype=np.int64)),
            bad("writable", out=np.broadcast_to(np.zeros(1), (3, 1))),
        ),
    ),
)

DOORS = (*TIME, *ORIENTATION, *FRAMES)
