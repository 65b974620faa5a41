"""Orekit's numerical propagator as a peer of B6 and B7: 8x8 gravity, NRLMSISE-00 itself, from the same TEME state.

Orekit needs data files, which are made here in a folder of their own: leap seconds from our table, Earth orientation
of the astropy-iers-data wheel, EGM2008 to 8x8 as heyoka exposes it. Space weather that never changes is a class of
ours, compiled here; the Sun, which tells Orekit the local time, is its own analytical one.
"""

import shutil
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import astropy_iers_data
import heyoka
import jpype
import numpy as np
import orekit_jpype

from libs.astro.earth import WGS84_FLATTENING, WGS84_RADIUS_KM
from libs.astro.time import LEAP_SECONDS

Array = np.ndarray[Any, np.dtype[np.float64]]

DEGREE = 8
TOLERANCE_M = 1.0
_LEAST_STEP_S, _MOST_STEP_S = 1e-3, 300.0
_MASS_KG, _CD = 200.0, 2.0
_SIMPLE_EOP = True  # without the tides' part in Earth orientation: faster
_MJD_0 = date(1858, 11, 17)
_WEATHER = """
import org.orekit.models.earth.atmosphere.NRLMSISE00InputParameters;
import org.orekit.time.AbsoluteDate;

public class Weather implements NRLMSISE00InputParameters {
    private final double[] ap = {%(ap)s, %(ap)s, %(ap)s, %(ap)s, %(ap)s, %(ap)s, %(ap)s};
    public AbsoluteDate getMinDate() { return AbsoluteDate.PAST_INFINITY; }
    public AbsoluteDate getMaxDate() { return AbsoluteDate.FUTURE_INFINITY; }
    public double getDailyFlux(AbsoluteDate date) { return %(flux)s; }
    public double getAverageFlux(AbsoluteDate date) { return %(flux)s; }
    public double[] getAp(AbsoluteDate date) { return ap; }
}
"""


def _leap_seconds() -> str:
    lines = []
    for mjd, seconds in LEAP_SECONDS:
        day = _MJD_0 + timedelta(days=int(mjd))
        at = f"{day.year:5d} {day:%b} {day.day:2d}".upper()
        lines.append(f"{at} =JD {mjd + 2400000.5:9.1f}  TAI-UTC= {seconds:10.7f} S + (MJD - 41317.) X 0.0      S")
    return "\n".join(lines) + "\n"


def _gravity() -> str:
    """An ICGEM file."""
    head = [
        "product_type gravity_field",
        "modelname EGM2008",
        f"earth_gravity_constant {heyoka.model.get_egm2008_mu():.12e}",
        f"radius {heyoka.model.get_egm2008_a():.12e}",
        f"max_degree {DEGREE}",
        "errors no",
        "norm fully_normalized",
        "tide_system tide_free",
        "end_of_head",
    ]
    known = np.concatenate([[[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]], heyoka.model.get_egm2008_CS()])  # heyoka's from J2 on
    orders = [(n, m) for n in range(DEGREE + 1) for m in range(n + 1)]
    rows = [f"gfc {n} {m} {c:.15e} {s:.15e}" for (n, m), (c, s) in zip(orders, known, strict=False)]
    return "\n".join([*head, *rows]) + "\n"


def _make_data(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tai-utc.dat").write_text(_leap_seconds())
    (folder / "egm2008.gfc").write_text(_gravity())
    shutil.copy(astropy_iers_data.IERS_A_FILE, folder / "finals2000A.all")


def _compile(folder: Path, flux_sfu: float, ap: float) -> None:
    compiler = shutil.which("javac")
    if compiler is None:
        raise RuntimeError("there is no javac, which makes its constant space weather")
    source, jars = folder / "Weather.java", Path(orekit_jpype.__file__).parent / "jars"
    source.write_text(_WEATHER % {"flux": flux_sfu, "ap": ap})
    subprocess.run([compiler, "-cp", f"{jars}/*", "-d", folder, source], check=True)  # noqa: S603 - our own source


def start(folder: Path, flux_sfu: float, ap: float) -> None:
    """Starts Java with what Orekit reads, made in the folder; raises RuntimeError, which says what is missing."""
    _make_data(folder)
    _compile(folder, flux_sfu, ap)
    try:
        orekit_jpype.initVM(additional_classpaths=[str(folder)])
    except (OSError, RuntimeError, ValueError) as why:
        raise RuntimeError(f"Java does not start: {why}") from why
    crawler = _class("data.DirectoryCrawler")(jpype.JClass("java.io.File")(str(folder)))
    _class("data.DataContext").getDefault().getDataProvidersManager().addProvider(crawler)


def _class(name: str) -> Any:
    return jpype.JClass(f"org.orekit.{name}")


def _orbit(state: Array, start_mjd: int, mu: float) -> Any:
    vector = jpype.JClass("org.hipparchus.geometry.euclidean.threed.Vector3D")
    x, y, z, vx, vy, vz = (float(1000.0 * one) for one in state)
    pv = _class("utils.PVCoordinates")(vector(x, y, z), vector(vx, vy, vz))
    return _class("orbits.CartesianOrbit")(pv, _class("frames.FramesFactory").getTEME(), _date(start_mjd), mu)


def _date(mjd: int) -> Any:
    day = _MJD_0 + timedelta(days=mjd)
    utc = _class("time.TimeScalesFactory").getUTC()
    return _class("time.AbsoluteDate")(day.year, day.month, day.day, 0, 0, 0.0, utc)


def flights(state: Array, start_mjd: int, days: int, stop_km: float) -> Callable[[float], float]:
    """Returns what flies Orekit once, at a B = Cd A/m in m2/kg, from a TEME state (km, km/s) at 0 h UTC, after start.

    It returns the days to the stop.
    """
    turning = _class("frames.FramesFactory").getITRF(_class("utils.IERSConventions").IERS_2010, _SIMPLE_EOP)
    earth = _class("bodies.OneAxisEllipsoid")(1000.0 * WGS84_RADIUS_KM, WGS84_FLATTENING, turning)
    fields = _class("forces.gravity.potential.GravityFieldFactory")
    field = fields.getConstantNormalizedProvider(DEGREE, DEGREE, _date(start_mjd))
    orbit, kind = _orbit(state, start_mjd, field.getMu()), _class("orbits.OrbitType").CARTESIAN
    tolerances = _class("propagation.ToleranceProvider").getDefaultToleranceProvider(TOLERANCE_M)
    absolute, relative = tolerances.getTolerances(orbit, kind)
    sun, weather = _class("bodies.AnalyticalSolarPositionProvider")(), jpype.JClass("Weather")()
    stepper = jpype.JClass("org.hipparchus.ode.nonstiff.DormandPrince853Integrator")

    def run(b: float) -> float:
        flight = _class("propagation.numerical.NumericalPropagator")(
            stepper(_LEAST_STEP_S, _MOST_STEP_S, absolute, relative)
        )
        flight.setOrbitType(kind)
        flight.addForceModel(_class("forces.gravity.HolmesFeatherstoneAttractionModel")(turning, field))
        air = _class("models.earth.atmosphere.NRLMSISE00")(weather, sun, earth)
        shape = _class("forces.drag.IsotropicDrag")(float(b) * _MASS_KG / _CD, _CD)
        flight.addForceModel(_class("forces.drag.DragForce")(air, shape))
        flight.addEventDetector(_class("propagation.events.AltitudeDetector")(1000.0 * stop_km, earth))
        flight.setInitialState(_class("propagation.SpacecraftState")(orbit).withMass(_MASS_KG))
        end = flight.propagate(orbit.getDate().shiftedBy(86400.0 * days))
        return float(end.getDate().durationFrom(orbit.getDate())) / 86400.0

    return run
