"""Kernels that are used by themselves: they never refuse, so each is held to its stated validity."""

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from libs.astro import (
    collocation,
    decay,
    density,
    density_table,
    drag_coefficient,
    equinoctial,
    frames,
    geodesic,
    geodesy,
    gravity,
    nrlmsise00,
    profile,
    time,
    us76,
)
from libs.astro.drag_coefficient import Shape, reference_table
from libs.astro.tests.doors import LATITUDES, LONGITUDES, Door, arrays, edged, within
from libs.astro.tests.doors_air import table, weather_of
from libs.astro.tests.doors_flight import orbits

HALF_KM = 20_100.0  # half a turn
LAT, LON = LATITUDES.map(math.radians), LONGITUDES.map(math.radians)
PAIR = st.fixed_dictionaries({"lat1_rad": LAT, "lon1_rad": LON, "lat2_rad": LAT, "lon2_rad": LON})
POINT = st.fixed_dictionaries({"x": edged(-1.0, 1.0, 0.0), "y": edged(-1.0, 1.0, 0.0), "z": edged(-1.0, 1.0, 0.0)})
RADIUS = edged(6357.0, 400_000.0, 6378.137)


def outside(given: dict[str, float], radius: float) -> dict[str, float]:
    """A point of that distance, on the axis where none was drawn."""
    way = np.array([given["x"], given["y"], given["z"]])
    size = float(np.linalg.norm(way))
    x, y, z = way * (radius / size) if size > 1e-6 else np.array([0.0, 0.0, radius])
    return {"x": float(x), "y": float(y), "z": float(z)}


OUTSIDE = st.builds(outside, POINT, RADIUS)


def distant(course: str) -> Any:
    way, km = edged(-math.pi, math.pi, 0.0), edged(0.0, 20_000.0, 1e-6)
    return st.fixed_dictionaries({"lat_rad": LAT, "lon_rad": LON, course: way, "distance": km})


def segment(law: Any) -> Any:
    """The point off the first end, the second end near it."""
    return lambda lat_rad, lon_rad, lat1_rad, lon1_rad: law(
        lat_rad, lon_rad, lat1_rad, lon1_rad, max(min(lat1_rad + 0.1, math.pi / 2), -math.pi / 2), lon1_rad + 0.1
    )


SEGMENT = st.fixed_dictionaries({"lat_rad": LAT, "lon_rad": LON, "lat1_rad": LAT, "lon1_rad": LON})
GROUND = (
    Door("geodesy.distance_km", geodesy.distance_km, PAIR, lambda _given, found: within(0.0, found, HALF_KM)),
    Door("geodesy.bearing_rad", geodesy.bearing_rad, PAIR, lambda _given, found: within(-math.pi, found, math.pi)),
    Door(
        "geodesy.destination",
        geodesy.destination,
        distant("bearing"),
        lambda _given, found: within(-math.pi / 2, found[0], math.pi / 2) and within(-math.pi, found[1], math.pi),
    ),
    Door(
        "geodesic.inverse",
        geodesic.inverse,
        PAIR,
        lambda _given, found: within(0.0, found[0], HALF_KM) and within(-math.pi, found[1:], math.pi),
        examples=100,
    ),
    Door(
        "geodesic.direct",
        geodesic.direct,
        distant("azimuth"),
        lambda _given, found: within(-math.pi / 2, found[0], math.pi / 2) and within(-math.pi, found[1:], math.pi),
    ),
    *(
        Door(name, segment(law), SEGMENT, lambda _given, found: within(0.0, found, HALF_KM))
        for name, law in (
            ("geodesy.to_segment_km", geodesy.to_segment_km),
            ("geodesic.to_segment", geodesic.to_segment),
        )
    ),
    Door(
        "frames.geodetic",
        frames.geodetic,
        OUTSIDE,
        lambda given, found: np.allclose(frames.geodetic_to_itrf(*found), list(given.values()), rtol=0.0, atol=1e-6),
    ),
    Door(
        "time.gmst82_rad",
        time.gmst82_rad,
        st.fixed_dictionaries({"jd_ut1": edged(2415020.5, 2524593.5), "fraction": edged(-0.1, 1.1, 0.0)}),
        lambda _given, found: 0.0 <= found < 2.0 * math.pi,
    ),
)


def _model(alt_km: float, doy: float, ut_s: float, lat: float, lon: float, f107: float, ap: float) -> np.ndarray:
    work, out = np.empty(nrlmsise00.WORK_SIZE), np.empty(nrlmsise00.OUT_SIZE)
    history, lst_h = True, ut_s / 3600.0 + lon / 15.0
    nrlmsise00.gtd7(doy, ut_s, alt_km, lat, lon, lst_h, f107, f107, np.full(7, ap), history, history, work, out)
    return out


def _drag(since_s: float, lat: float, lon: float, alt_km: float) -> float:
    known = weather_of()
    work = np.empty(density.WORK_SIZE)
    return density.drag_density(known.rows, known.days_of_year(), since_s, lat, lon, alt_km, work)


AIR = (
    Door(
        "us76.us76",
        us76.us76,
        edged(-5.0, 1000.0, 0.0, 80.0, 86.0, 91.0, 110.0, 120.0, 150.0).map(lambda alt: {"alt_km": alt}),
        lambda _given, found: all(one > 0.0 for one in found) and within(150.0, found[1], 1100.0),
        examples=60,
    ),
    Door(
        "nrlmsise00.gtd7",
        _model,
        st.fixed_dictionaries(
            {
                "alt_km": edged(0.0, 2500.0, 10.0, 32.5, 62.5, 72.5, 80.0, 123.435, 160.0, 300.0),
                "doy": edged(1.0, 366.0, 60.0),
                "ut_s": edged(0.0, 86400.0),
                "lat": LATITUDES,
                "lon": LONGITUDES,
                "f107": edged(65.0, 300.0),
                "ap": edged(0.0, 150.0, 4.0),
            }
        ),
        lambda _given, found: (
            found[nrlmsise00.MASS] > 0.0 and within(100.0, found[[nrlmsise00.T_ALT, nrlmsise00.T_EXO]], 3500.0)
        ),
        examples=150,
    ),
    Door(
        "density.drag_density",
        _drag,
        st.fixed_dictionaries(
            {"since_s": edged(-1e6, 1e6, 0.0), "lat": LAT, "lon": LON, "alt_km": edged(0.0, 1000.0, 80.0)}
        ),
        lambda _given, found: 0.0 < found < 1.6,
    ),
    Door(
        "density_table.ln_base",
        lambda **given: density_table.ln_base(table().base, **given),
        st.fixed_dictionaries(
            {
                "slot": edged(0.0, 8.0),
                "lat_deg": LATITUDES,
                "lst_h": edged(-48.0, 48.0, 24.0),
                "alt_km": edged(60.0, 400.0, 200.0),
            }
        ),
        lambda _given, found: -35.0 < found < -7.0,
    ),
    Door(
        "profile.air",
        lambda alt_km: profile.air(alt_km, 0.0, 1.0, profile.standard(1.0, 100.0).rows),
        edged(-10.0, 200.0, 0.0, 100.0).map(lambda alt: {"alt_km": alt}),
        lambda _given, found: all(one > 0.0 for one in found),
        examples=10,
    ),
    Door(
        "drag_coefficient.drag_coefficient",
        lambda **given: drag_coefficient.drag_coefficient(reference_table().values, **given),
        st.fixed_dictionaries(
            {
                "shape": st.sampled_from(Shape).map(int),
                "mach": edged(0.0, 40.0, 1.0, 5.0),
                "reynolds": edged(0.0, 1e9, 2e5, 4e5),
            }
        ),
        lambda _given, found: 0.0 < found < 5.0,
        examples=60,
    ),
)

MU_PER_R2 = (398600.4418 / 6357.0**2) * 1.01  # at the pole, oblateness allowed for
MOTION = (
    Door("gravity.acceleration", gravity.acceleration, OUTSIDE, lambda _given, found: math.hypot(*found) < MU_PER_R2),
    Door(
        "gravity.tesseral",
        lambda **given: gravity.tesseral(**given, turned_rad=1.0),
        OUTSIDE,
        lambda _given, found: math.hypot(*found) < 1e-6,
    ),
    Door(
        "gravity.energy",
        gravity.energy,
        orbits(edged(100.0, 390.0), edged(0.0, 180.0, 90.0)).map(lambda one: {"state": one}),
        lambda _given, found: -31.0 < found < 0.0,
    ),
    Door(
        "equinoctial.from_state",
        lambda state: equinoctial.from_state(*state),
        orbits(edged(100.0, 390.0), edged(0.0, 179.0, 90.0)).map(lambda one: {"state": one}),
        lambda given, found: np.allclose(_back(found), given["state"], rtol=0.0, atol=1e-7),
    ),
    Door(
        "decay.place",
        lambda **given: decay.place(**given, gmst_rad=6.2),
        OUTSIDE,
        lambda _given, found: within(-math.pi / 2, found[0], math.pi / 2) and within(-math.pi, found[1], math.pi),
    ),
    Door(
        "collocation.between",
        lambda values, place: collocation.between(_spectrum(values), place),
        st.fixed_dictionaries(
            {"values": arrays(-10.0, 10.0, collocation.NODES), "place": edged(0.0, 1.0, 0.5)},
        ),
        lambda given, found: given["place"] < 1.0 or abs(found - float(collocation.WEIGHTS @ given["values"])) < 1e-10,
    ),
)


def _back(elements: tuple[float, ...]) -> np.ndarray:
    state = np.empty(6)
    equinoctial.to_state(np.array(elements), state)
    return state


def _spectrum(values: np.ndarray) -> np.ndarray:
    out = np.empty(collocation.NODES)
    collocation.spectrum(values, 0, out)
    return out


DOORS = (*GROUND, *AIR, *MOTION)
