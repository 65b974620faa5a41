"""Doors of element sets and SGP4."""

import functools
import math
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from libs.astro import elements, frames, sgp4, time, tle
from libs.astro.elements import ElementSet, Refused
from libs.astro.sgp4_start import RECORD_SIZE
from libs.astro.tests.doors import NOT_NUMBERS, Door, bad, each, edged
from libs.astro.tests.doors_time import FRACTIONS, ONE, pairs

GOOD = ElementSet(
    25544, b"ISS", b"98067A", 2460000.5, 0.25, 15.5, 0.0005, 51.64, 10.0, 20.0, 30.0, 1e-4, 1e-4, 0.0, "U", 999, 1
)
LINES = (
    b"1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753",
    b"2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
)


@st.composite
def sets(draw) -> ElementSet:
    """From orbits that graze the surface to a month's, round and long; angles at the ends of their ranges."""
    angle = edged(0.0, np.nextafter(360.0, 0.0), 180.0)
    return replace(
        GOOD,
        mean_motion_rev_day=draw(edged(0.05, 17.0, 1.0027, 2.0056)),
        eccentricity=draw(edged(0.0, 0.999, 1e-7, 0.7, 0.9999999)),
        inclination_deg=draw(edged(0.0, 180.0, 63.4349, 90.0)),
        raan_deg=draw(angle),
        arg_of_perigee_deg=draw(angle),
        mean_anomaly_deg=draw(angle),
        bstar_per_earth_radius=draw(edged(-0.1, 0.1, 0.0)),
        epoch_jd=draw(st.integers(36112, 70000)) + time.MJD_0_JD,
        epoch_jd_fraction=draw(FRACTIONS),
    )


@functools.cache
def catalogue() -> sgp4.Catalogue:
    return sgp4.initialise_many([GOOD, replace(GOOD, mean_motion_rev_day=1.0027, eccentricity=0.01)])


def _coded(found: tuple[np.ndarray, ...]) -> bool:
    """A state is a number but where an error says why not, and is none there."""
    *states, errors = found
    told = (errors != sgp4.OK) & (errors != sgp4.DECAYED)
    axis = {2: 1, 3: 1}
    return set(np.unique(errors)) <= {0, *sgp4.ERRORS} and all(
        np.array_equal(np.isfinite(one).all(axis=axis[one.ndim]), ~told) for one in states
    )


ORBIT = {"mean_motion_rad_min": 0.067, "eccentricity": 0.001, "inclination_rad": 0.9}
SETS = (
    Door(
        "elements.problem",
        elements.problem,
        sets().map(lambda one: {"elements": one}),
        lambda _given, found: found is None,
    ),
    Door(
        "elements.validate",
        elements.validate,
        sets().map(lambda one: {"elements": one}),
        lambda *_: True,
        {"elements": GOOD},
        [
            bad(name, Refused, elements=replace(GOOD, **{name: value}))
            for name in (
                "mean_motion_rev_day",
                "eccentricity",
                "inclination_deg",
                "raan_deg",
                "bstar_per_earth_radius",
                "epoch_jd",
            )
            for value in (*NOT_NUMBERS, -1e3, 1e9)
        ],
    ),
    Door(
        "tle.checksum",
        tle.checksum,
        st.binary(max_size=80).map(lambda line: {"line": line}),
        lambda _given, found: 0 <= found <= 9,
    ),
    Door(
        "tle.parse",
        tle.parse,
        st.just({"line1": LINES[0], "line2": LINES[1]}),
        lambda _given, found: elements.problem(found) is None,
        {"line1": LINES[0], "line2": LINES[1]},
        (*each("line1", (b"", b"\xff" * 69, LINES[1]), "", Refused), *each("line2", (b"", LINES[0]), "", Refused)),
        examples=1,
    ),
    Door(
        "tle.read",
        lambda data: list(tle.read(data)),
        st.binary(max_size=300).map(lambda data: {"data": data}),
        lambda _given, found: all(isinstance(one, Refused | ElementSet) for one in found),
        finite=False,
    ),
    Door(
        "tle.alpha_5",
        tle.alpha_5,
        edged(1, 339_999, 99_999, 100_000).map(lambda at: {"catalogue_number": int(at)}),
        lambda _given, found: len(found) == 5,
        {"catalogue_number": 5},
        each("catalogue_number", (-1, 0, 340_000, 10**9), "use OMM"),
    ),
    Door(
        "sgp4.unkozai_mean_motion_rad_min",
        sgp4.unkozai_mean_motion_rad_min,
        st.fixed_dictionaries(
            {
                "mean_motion_rad_min": edged(1e-4, 0.0745),
                "eccentricity": edged(0.0, 0.9),
                "inclination_rad": edged(0.0, math.pi),
            }
        ),
        lambda _given, found: found > 0.0,
        ORBIT,
        (
            *each("mean_motion_rad_min", (*NOT_NUMBERS, 0.0, -0.06), "units"),
            *each("eccentricity", (math.nan, -0.1, 1.0), "units"),
            *each("inclination_rad", (math.nan, -0.1, 51.6), "units"),
        ),
    ),
    Door(
        "sgp4.refuse_deep_space",
        sgp4.refuse_deep_space,
        sets().map(lambda one: {"elements": one}),
        lambda *_: True,
        allowed=(sgp4.DeepSpace,),
    ),
    Door(
        "sgp4.initialise",
        sgp4.initialise,
        sets().map(lambda one: {"elements": one}),
        lambda _given, found: found.shape == (RECORD_SIZE,),
        {"elements": GOOD},
        [
            bad("check", sgp4.BadElements, elements=replace(GOOD, **{name: value}))
            for name, value in (
                ("mean_motion_rev_day", math.nan),
                ("mean_motion_rev_day", 0.0),
                ("eccentricity", -0.1),
                ("eccentricity", 1.0),
                ("inclination_deg", math.inf),
                ("epoch_jd", math.nan),
                ("bstar_per_earth_radius", math.nan),
            )
        ],
        finite=False,
        allowed=(sgp4.BadElements,),
    ),
    Door(
        "sgp4.initialise_many",
        sgp4.initialise_many,
        st.lists(sets(), max_size=3).map(lambda some: {"elements": some}),
        lambda given, found: len(found.records) == len(given["elements"]),
        {"elements": [GOOD]},
        (bad("check the set", sgp4.BadElements, elements=[GOOD, replace(GOOD, raan_deg=math.nan)]),),
        finite=False,
    ),
    Door(
        "sgp4.propagate",
        lambda elements, minutes, record=None: sgp4.propagate(
            sgp4.initialise(elements) if record is None else record, minutes
        ),
        st.fixed_dictionaries(
            {"elements": sets(), "minutes": st.lists(edged(-1e8, 1e8, 0.0, 1e6), max_size=5).map(np.array)}
        ),
        lambda _given, found: _coded(found),
        {"elements": GOOD, "minutes": np.zeros(2)},
        (
            *each("minutes", [np.array([0.0, one]) for one in NOT_NUMBERS], "no number"),
            bad("years from", minutes=np.array([1e9])),
            bad("one row", minutes=np.zeros((2, 2))),
            bad("initialise", record=np.zeros(3)),
        ),
        finite=False,
        allowed=(sgp4.BadElements,),
    ),
    Door(
        "sgp4.propagate_many",
        lambda **given: sgp4.propagate_many(catalogue(), **given),
        pairs(),
        lambda _given, found: _coded(found),
        ONE,
        (
            *each("jd", [np.array([one]) for one in NOT_NUMBERS], "no number"),
            bad("no number", fraction=np.array([np.nan])),
            bad("Julian dates", jd=np.array([59945.0])),
            bad("pairs in one row", fraction=np.zeros(2)),
            bad("pairs in one row", jd=np.full((2, 2), time.J2000_JD), fraction=np.zeros((2, 2))),
            bad("Earth's turn", turn=frames.EarthTurn(np.zeros(1), np.zeros(2), np.zeros(1))),
        ),
        finite=False,
    ),
    Door(
        "sgp4.propagate_minutes",
        lambda **given: sgp4.propagate_minutes(catalogue(), **given),
        st.fixed_dictionaries({"minutes": st.lists(edged(-1e6, 1e6, 0.0), max_size=5).map(np.array)}),
        lambda _given, found: _coded(found),
        {"minutes": np.zeros(2)},
        (
            *each("minutes", [np.array([0.0, one]) for one in NOT_NUMBERS], "no number"),
            bad("years from", minutes=np.array([1e9])),
            bad("one for each", offsets=np.zeros(3)),
            bad("no number", offsets=np.array([0.0, np.nan])),
            bad("out must be", out=np.empty((2, 6, 5))),
            bad("out must be", out=np.broadcast_to(np.zeros(1), (2, 6, 2))),
            bad("errors must be", errors=np.empty((2, 2))),
        ),
        finite=False,
    ),
)

DOORS = SETS
