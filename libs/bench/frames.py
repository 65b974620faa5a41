"""From TEME to ITRS, a million states each at its own time, beside its peers."""

import os
import time
from pathlib import Path
from typing import Any

import astropy_iers_data
import erfa
import heyoka
import numpy as np

from libs.astro import eop, frames
from libs.astro.earth import IERS_SPIN_RAD_S
from libs.astro.time import utc_to_tt
from libs.bench.harness import OURS, Contender, Must, Outcome, compare

Array = np.ndarray[Any, np.dtype[np.float64]]

STATES, SLOW_STATES = 1_000_000, 100_000
CORES = len(os.sched_getaffinity(0))
FIRST_JD, DAYS = 2459580.5, 365.0  # the year 2022, for which every contender has observed Earth orientation
GATE_KM = 1e-6


def teme_to_itrs() -> Outcome:
    earth = eop.read(Path(astropy_iers_data.IERS_A_FILE).read_bytes())
    jd, fraction, states = _problem()
    out = np.zeros_like(states)

    def ours() -> None:
        frames.teme_to_itrf_each(states, jd, fraction, earth, threads=CORES, out=out)

    started = time.perf_counter()
    ours()
    first_s = time.perf_counter() - started
    rates = compare(
        [
            Contender(OURS, ours, STATES),
            _heyoka(jd, fraction, states),
            _astropy(jd, fraction, states),
            _erfa(jd, fraction, states, earth),
        ],
    )
    worst = float(np.abs(_by_erfa(jd, fraction, states, earth) - out[:3, :SLOW_STATES]).max())
    return Outcome(
        "B4", "1 M TEME states, position and velocity, each its own time, to ITRS", "states/s", rates,
        (Must("astropy", 10.0), Must("heyoka rot_teme_itrs", 1.0, 2.0)),
        f"{worst * 1e6:.3f} mm from erfa's gmst82 and pom00 on {SLOW_STATES} states", worst <= GATE_KM, first_s,
        notes=(f"{CORES} cores; erfa and astropy take {SLOW_STATES} states on one core, erfa positions only",),
    )  # fmt: skip


def _problem() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(4)
    days = rng.uniform(0.0, DAYS, STATES)
    states = rng.normal(size=(6, STATES))
    states[:3] *= 7000.0 / np.linalg.norm(states[:3], axis=0)
    states[3:] *= 7.5 / np.linalg.norm(states[3:], axis=0)
    return FIRST_JD + np.floor(days), days % 1.0, states


def _heyoka(jd: Array, fraction: Array, states: Array) -> Contender:
    x, y, z, vx, vy, vz = heyoka.make_vars("x", "y", "z", "vx", "vy", "vz")
    data, spin = heyoka.eop_data(), IERS_SPIN_RAD_S
    turned = [
        *heyoka.model.rot_teme_itrs([x, y, z], eop_data=data),
        *heyoka.model.rot_teme_itrs([vx + spin * y, vy - spin * x, vz], eop_data=data),
    ]
    function = heyoka.cfunc(turned, [x, y, z, vx, vy, vz], fast_math=True)
    _, tt = utc_to_tt(jd, fraction)
    centuries, out = ((jd - 2451545.0) + tt) / 36525.0, np.zeros_like(states)
    function(states, time=centuries, outputs=out)
    return Contender("heyoka rot_teme_itrs", lambda: function(states, time=centuries, outputs=out), STATES)


def _astropy(jd: Array, fraction: Array, states: Array) -> Contender:
    from astropy import units
    from astropy.coordinates import ITRS, TEME, CartesianDifferential, CartesianRepresentation
    from astropy.time import Time
    from astropy.utils import iers

    iers.conf.auto_download = False
    some = states[:, :SLOW_STATES]

    def run() -> None:
        instants = Time(jd[:SLOW_STATES], fraction[:SLOW_STATES], format="jd")
        speed = CartesianDifferential(some[3:] * (units.km / units.s))
        place = CartesianRepresentation(some[:3] * units.km, differentials=speed)
        TEME(place, obstime=instants).transform_to(ITRS(obstime=instants))

    run()
    return Contender("astropy", run, SLOW_STATES)


def _erfa(jd: Array, fraction: Array, states: Array, earth: eop.EarthOrientation) -> Contender:
    return Contender("erfa", lambda: _by_erfa(jd, fraction, states, earth), SLOW_STATES)


def _by_erfa(jd: Array, fraction: Array, states: Array, earth: eop.EarthOrientation) -> Array:
    jd, fraction = jd[:SLOW_STATES], fraction[:SLOW_STATES]
    ut1, xp, yp = earth.at_many(jd, fraction)
    turn = erfa.c2tcio(np.eye(3), erfa.gmst82(jd, fraction + ut1 / 86400.0), erfa.pom00(xp, yp, 0.0))
    turned: Array = np.einsum("nij,jn->in", turn, states[:3, :SLOW_STATES])
    return turned
