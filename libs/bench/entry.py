"""B8: fragments from break-up to FL390 and the ground, beside scipy."""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from libs.astro import breakup, entry, entry_air
from libs.astro.entry import EARTH
from libs.astro.entry_motion import rate, vertical
from libs.astro.us76 import us76
from libs.bench.harness import OURS, Contender, Must, Outcome, compare, timed

Array = np.ndarray[Any, np.dtype[np.float64]]

SAMPLES, FRAGMENTS = 100, 100
SEED = 8
TOLERANCE = 1e-6  # relative, and absolute in km and km/s, of ours and of RK45
CHECKED = 48  # fragments flown by DOP853 at 1e-10
PEER_EACH = 16  # fragments of each process of a peer: its rate is what counts
GATE_KM = 0.5
_LEVELS = (entry.flight_level_km(390), 0.0)
_CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Case:
    states: Array
    bc_kg_m2: Array


@cache
def case() -> Case:
    """100 break-ups, sigma 100 m/s and 0.1 degrees about 7.6 km/s and -1.2 degrees; BC log-uniform, dv 30 m/s."""
    parts = [_sample(k) for k in range(SAMPLES)]
    return Case(np.concatenate([one.states for one in parts]), np.concatenate([one.bc_kg_m2 for one in parts]))


def _sample(number: int) -> Case:
    rng = breakup.generator(SEED, number)
    alt = float(breakup.break_up_altitude_km(rng.random()))
    speed, angle = 7600.0 + 100.0 * rng.standard_normal(), math.radians(-1.2 + 0.1 * rng.standard_normal())
    along, up, heading = (
        speed * math.cos(angle),
        speed * math.sin(angle),
        math.radians(40.0 + 5.0 * rng.standard_normal()),
    )
    one = np.ones(FRAGMENTS)
    states = entry.earth_fixed(
        35.0 * one, 5.0 * one, alt * one, along * math.sin(heading) * one, along * math.cos(heading) * one, up * one
    )
    kick = rng.standard_normal((FRAGMENTS, 3))
    states[:, 3:] += 0.030 * kick / np.linalg.norm(kick, axis=1)[:, None]
    return Case(states, np.exp(rng.uniform(math.log(5.0), math.log(500.0), FRAGMENTS)))


def ours(threads: int = _CORES) -> entry.Descents:
    given = case()
    return entry.fly(
        given.states, entry.ballistic(given.bc_kg_m2), _LEVELS, _air(), rtol=TOLERANCE, atol=TOLERANCE, threads=threads
    )


def plain_slope(bc: float) -> Callable[[float, Array], Array]:
    """The equations as one writes them for scipy: numpy on 3-vectors, the standard atmosphere compiled."""
    spin = np.array([0.0, 0.0, EARTH.spin_rad_s])
    flattening = np.array([1.0, 1.0, 3.0])

    def slope(_: float, y: Array) -> Array:
        r, v = y[:3], y[3:]
        rho = us76(_altitude_km(y))[0]
        r2 = r @ r
        j2 = 1.5 * EARTH.j2 * EARTH.radius_km**2 / r2
        gravity = -EARTH.mu_km3_s2 / r2**1.5 * r * (1.0 + j2 * (flattening - 5.0 * r[2] ** 2 / r2))
        turning = -2.0 * np.cross(spin, v) - np.cross(spin, np.cross(spin, r))
        drag = -500.0 * rho / bc * np.linalg.norm(v) * v
        return np.concatenate([v, gravity + turning + drag])

    return slope


def compiled_slope(bc: float) -> Callable[[float, Array], Array]:
    """Our own compiled equations handed to scipy: what is left is the cost of its integrator."""
    air, body, cd = _air(), EARTH.row(), np.ones((1, 2, 101))

    def slope(_: float, y: Array) -> Array:
        out = np.empty(6)
        rate(y, out, bc, 1.0, 0, body, air.rows[0], air.step_km, cd)
        return out

    return slope


@cache
def _air() -> entry_air.Air:
    return entry_air.standard_air()


def _altitude_km(y: Array) -> float:
    return float(vertical(y[0], y[1], y[2], _body())[2])


@cache
def _body() -> Array:
    return EARTH.row()


def by_scipy(state: Array, slope: Callable[[float, Array], Array], method: str, tolerance: float) -> Array:
    """Seconds and Earth-fixed place at FL390 and on the ground: (2, 4)."""

    def level(_: float, y: Array) -> float:
        return _altitude_km(y) - _LEVELS[0]

    def ground(_: float, y: Array) -> float:
        return _altitude_km(y)

    ground.terminal = True  # type: ignore[attr-defined]
    flight = solve_ivp(slope, (0.0, 2e4), state, method, rtol=tolerance, atol=tolerance, events=[level, ground])
    return np.array(
        [[times[0], *states[0][:3]] for times, states in zip(flight.t_events, flight.y_events, strict=True)]
    )


def peer_part(arguments: tuple[str, Sequence[int]]) -> int:
    """One process's share of a peer; also warms it up."""
    kind, numbers = arguments
    make = {"plain": plain_slope, "compiled": compiled_slope}[kind]
    for i in numbers:
        by_scipy(case().states[i], make(float(case().bc_kg_m2[i])), "RK45", TOLERANCE)
    return len(numbers)


def fragments() -> Outcome:
    compile_s = timed(ours)
    gate, gate_ok = _gate(ours())
    total = SAMPLES * FRAGMENTS
    chosen = np.linspace(0, total - 1, _CORES * PEER_EACH, dtype=int)
    shares = [chosen[k::_CORES].tolist() for k in range(_CORES)]
    with ProcessPoolExecutor(_CORES, mp_context=get_context("spawn")) as pool:

        def peer(kind: str) -> Callable[[], object]:
            return lambda: list(pool.map(peer_part, [(kind, share) for share in shares]))

        for kind in ("plain", "compiled"):  # start the processes, load the kernels
            list(pool.map(peer_part, [(kind, share[:1]) for share in shares]))
        rates = compare(
            [
                Contender(OURS, ours, total),
                Contender("scipy RK45", peer("compiled"), len(chosen)),
                Contender("scipy RK45, numpy equations", peer("plain"), len(chosen)),
            ]
        )
    return Outcome(
        "B8",
        f"{SAMPLES} samples x {FRAGMENTS} fragments to FL390 and the ground, tolerance {TOLERANCE:g}, {_CORES} cores",
        "fragments/s",
        rates,
        [Must("scipy RK45", 100.0, 500.0)],
        gate,
        gate_ok,
        compile_s,
        notes=[
            f"the peers fly {len(chosen)} of the fragments in {_CORES} processes; their rate is what is compared",
            "scipy RK45 is handed our compiled equations, so that integrator stands against integrator",
        ],
    )


def _gate(found: entry.Descents) -> tuple[str, bool]:
    """Distance and time from DOP853 at 1e-10 on the standard atmosphere itself, over a sample of all."""
    given = case()
    at = np.linspace(0, len(given.states) - 1, CHECKED, dtype=int)
    worst_km, worst_s = np.zeros(2), np.zeros(2)
    for i in at:
        truth = by_scipy(given.states[i], plain_slope(float(given.bc_kg_m2[i])), "DOP853", 1e-10)
        for level in range(2):
            place = found.states(level)[i, :3]
            worst_km[level] = max(worst_km[level], float(np.linalg.norm(place - truth[level, 1:])))
            worst_s[level] = max(worst_s[level], abs(float(found.seconds[i, level] - truth[level, 0])))
    words = (
        f"{CHECKED} fragments against scipy DOP853 at 1e-10: impact {1e3 * worst_km[1]:.0f} m and {worst_s[1]:.2f} s, "
        f"FL390 {1e3 * worst_km[0]:.0f} m and {worst_s[0]:.2f} s at worst (must {1e3 * GATE_KM:.0f} m)"
    )
    return words, bool(found.reached.all() and (worst_km <= GATE_KM).all())
