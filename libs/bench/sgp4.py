"""SGP4 over a day of minutes: near Earth, mixed with deep space, and in the Earth's frame, beside its peers."""

import functools
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import astropy_iers_data
import astroz
import erfa
import heyoka
import numpy as np
from sgp4.api import Satrec, SatrecArray

from libs.astro import eop, frames, sgp4
from libs.astro.elements import ElementSet
from libs.astro.time import datetime_to_jd
from libs.bench.harness import OURS, Contender, Must, Outcome, compare

Array = np.ndarray[Any, np.dtype[np.float64]]
Pairs = list[tuple[str, str]]

CATALOGUE = (
    Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data")) / "catalogue/spaceTrackTLEs_23_10_2013.txt"
)
START = datetime(2013, 10, 24, tzinfo=UTC)
OBJECTS, MINUTES, SLOW_OBJECTS = 10_000, 1440, 100
CORES = len(os.sched_getaffinity(0))
TIMES = np.arange(MINUTES, dtype=np.float64)
GATE_KM = 1e-6
ALONE, PER_CORE = "spacecom, one thread", "sgp4 SatrecArray, per core"


def leo() -> Outcome:
    ours, pairs, peers = _sides(deep_share=0.0)
    rates = _per_core(compare([ours.contender(), ours.alone(), *peers, _heyoka(pairs), _satrec_array(pairs)]))
    must = (Must("astroz", 1.5, 2.0), Must("heyoka fast_math", 2.0), Must(PER_CORE, 25.0))
    return _outcome(
        "B1", "10,000 near-Earth objects x 1,440 min, position and velocity", rates, must, ours.gate(pairs), ours
    )


def mixed() -> Outcome:
    ours, pairs, peers = _sides(deep_share=0.13)
    few = pairs[:: OBJECTS // SLOW_OBJECTS]
    rates = _per_core(compare([ours.contender(), ours.alone(), *peers, _satrec_array(few)]))
    title = "10,000 objects, 13 % of them in deep space, x 1,440 min"
    missing = {"heyoka fast_math": "has no deep space"}
    return _outcome("B2", title, rates, (Must("astroz", 1.2, 1.5),), ours.gate(pairs), ours, missing)


def fused() -> Outcome:
    ours, pairs, _ = _sides(deep_share=0.0)
    jd, fraction = _instants()
    earth = eop.read(Path(astropy_iers_data.IERS_A_FILE).read_bytes())
    fixed = _Ours(ours.catalogue, frames.earth_turn(jd, fraction, earth))
    rates = compare(
        [
            fixed.contender(),
            Contender("spacecom in TEME (B1)", ours.run, ours.work),
            _astroz(pairs, "ecef"),
            _astropy(pairs),
        ],
    )
    worst = _fixed_gate(fixed, pairs, earth)
    gate = f"{worst * 1e6:.3f} mm from sgp4 turned by erfa's gmst82 and pom00, {SLOW_OBJECTS} objects"
    must = (Must("sgp4 + astropy", 100.0), Must("spacecom in TEME (B1)", 0.9))
    title = "B1 in ITRS with polar motion, fused"
    return _outcome("B3", title, rates, must, (gate, worst <= GATE_KM), fixed)


class _Ours:
    def __init__(self, catalogue: sgp4.Catalogue, turn: frames.EarthTurn | None = None) -> None:
        self.catalogue, self.turn = catalogue, turn
        self.out = np.zeros((len(catalogue.records), 6, MINUTES))
        self.errors = np.zeros((len(catalogue.records), MINUTES), dtype=np.uint8)
        self.work = float(len(catalogue.records) * MINUTES)
        started = time.perf_counter()
        self.run()
        self.first_s = time.perf_counter() - started

    def run(self, threads: int = CORES) -> None:
        sgp4.propagate_many(
            self.catalogue, *_instants(), turn=self.turn, threads=threads, out=self.out, errors=self.errors
        )

    def alone(self) -> Contender:
        return Contender(ALONE, lambda: self.run(1), self.work)

    def contender(self) -> Contender:
        return Contender(OURS, self.run, self.work)

    def gate(self, pairs: Pairs) -> tuple[str, bool]:
        """Against PyPI sgp4 on every 50th object."""
        worst, alike = 0.0, True
        for i in range(0, len(pairs), 50):
            error, r, _ = Satrec.twoline2rv(*pairs[i]).sgp4_array(*_instants())
            alike &= bool(np.array_equal(error, self.errors[i]))
            worst = max(worst, float(np.abs(self.out[i, :3].T - r)[error == 0].max(initial=0.0)))
        return (
            f"{worst * 1e6:.3f} mm from PyPI sgp4, errors {'alike' if alike else 'differ'}",
            worst <= GATE_KM and alike,
        )


@functools.cache
def _instants() -> tuple[Array, Array]:
    jd, _ = datetime_to_jd(START)
    return np.full(MINUTES, jd), TIMES / 1440.0


def _sides(deep_share: float) -> tuple[_Ours, Pairs, list[Contender]]:
    """Ours, the sets used, and astroz. Sets that fail within the day are left out for all."""
    near, deep = _split(_pairs())
    count = round(OBJECTS * deep_share)
    pairs = near[: OBJECTS - count] + (deep * 10)[:count]
    ours = _Ours(sgp4.initialise_many([_elements(Satrec.twoline2rv(*pair)) for pair in pairs]))
    return ours, pairs, [_astroz(pairs, "teme", near=OBJECTS - count)]


def _pairs() -> Pairs:
    lines = [line for line in CATALOGUE.read_text().splitlines() if line[:2] in ("1 ", "2 ")]
    return list(zip(lines[::2], lines[1::2], strict=True))


def _split(pairs: Pairs) -> tuple[Pairs, Pairs]:
    catalogue = sgp4.initialise_many([_elements(Satrec.twoline2rv(*pair)) for pair in pairs])
    jd, fraction = _instants()
    _, errors = sgp4.propagate_many(catalogue, jd[::10], fraction[::10], threads=CORES)
    good, deep = errors.max(axis=1) == 0, 2.0 * np.pi / catalogue.mean_motion_rad_min >= 225.0
    return (
        [pair for pair, one in zip(pairs, good & ~deep, strict=True) if one],
        [pair for pair, one in zip(pairs, good & deep, strict=True) if one],
    )


def _elements(one: Satrec) -> ElementSet:
    incl, node, perigee, anomaly = np.degrees([one.inclo, one.nodeo, one.argpo, one.mo]).tolist()
    return ElementSet(
        one.satnum, b"", b"", one.jdsatepoch, one.jdsatepochF, one.no_kozai * (720.0 / np.pi), one.ecco,
        incl, node, perigee, anomaly, one.bstar, 0.0, 0.0, "U", 0, 0,
    )  # fmt: skip


def _astroz(pairs: Pairs, frame: str, near: int | None = None) -> Contender:
    """The kernels beneath its public call, which allocates, into buffers made once as ours are."""
    peer: Any = astroz
    count = len(pairs) if near is None else near
    close = peer.Constellation("\n".join(line for pair in pairs[:count] for line in pair))._zig  # noqa: SLF001
    start = float(_instants()[0][0])
    offsets = (start - np.array(close.epochs, dtype=np.float64)) * 1440.0
    r, v = np.zeros((count, MINUTES, 3)), np.zeros((count, MINUTES, 3))
    far = [peer._Satrec.twoline2rv(*pair, peer._WGS72) for pair in pairs[count:]]  # noqa: SLF001
    far_r, far_v = np.zeros((MINUTES, len(far), 3)), np.zeros((MINUTES, len(far), 3))
    fly_far, instants = peer._sdp4_batch_propagate_into, np.full(MINUTES, start)  # noqa: SLF001

    def run() -> None:
        close.propagate_into(TIMES, r, v, epoch_offsets=offsets, output=frame, reference_jd=start)
        if far:
            fly_far(far, instants, TIMES / 1440.0, far_r, far_v, output_stride=len(far), sat_offset=0)

    run()
    return Contender("astroz" if frame == "teme" else f"astroz {frame}", run, float(len(pairs) * MINUTES))


def _heyoka(pairs: Pairs) -> Contender:
    satellites = [Satrec.twoline2rv(*pair) for pair in pairs]
    propagator = heyoka.model.sgp4_propagator(satellites, fast_math=True)
    start = float(_instants()[0][0])
    offsets = np.array([(start - one.jdsatepoch - one.jdsatepochF) * 1440.0 for one in satellites])
    times, out = TIMES[:, None] + offsets, np.zeros((MINUTES, propagator.nouts, len(pairs)))
    propagator(times, out=out)
    return Contender("heyoka fast_math", lambda: propagator(times, out=out), float(len(pairs) * MINUTES))


def _satrec_array(pairs: Pairs) -> Contender:
    """It knows one thread only."""
    some = SatrecArray([Satrec.twoline2rv(*pair) for pair in pairs[:SLOW_OBJECTS]])
    return Contender(PER_CORE, lambda: some.sgp4(*_instants()), float(SLOW_OBJECTS * MINUTES))


def _per_core(rates: dict[str, float]) -> dict[str, float]:
    """Scales the one-thread peer as we ourselves scale, so that its ratio is that of one thread to one thread."""
    return rates | {PER_CORE: rates[PER_CORE] * rates[OURS] / rates[ALONE]}


def _astropy(pairs: Pairs) -> Contender:
    from astropy import units
    from astropy.coordinates import ITRS, TEME, CartesianDifferential, CartesianRepresentation
    from astropy.time import Time
    from astropy.utils import iers

    iers.conf.auto_download = False
    few = pairs[:10]
    some, instants = SatrecArray([Satrec.twoline2rv(*pair) for pair in few]), Time(*_instants(), format="jd")

    def run() -> None:
        _, r, v = some.sgp4(*_instants())
        speed = CartesianDifferential(np.moveaxis(v, -1, 0) * (units.km / units.s))
        place = CartesianRepresentation(np.moveaxis(r, -1, 0) * units.km, differentials=speed)
        TEME(place, obstime=instants).transform_to(ITRS(obstime=instants))

    run()
    return Contender("sgp4 + astropy", run, float(len(few) * MINUTES))


def _fixed_gate(fixed: _Ours, pairs: Pairs, earth: eop.EarthOrientation) -> float:
    jd, fraction = _instants()
    ut1, xp, yp = earth.at_many(jd, fraction)
    turn = erfa.c2tcio(np.eye(3), erfa.gmst82(jd, fraction + ut1 / 86400.0), erfa.pom00(xp, yp, 0.0))
    worst = 0.0
    for i in range(0, len(pairs), len(pairs) // SLOW_OBJECTS):
        _, r, _ = Satrec.twoline2rv(*pairs[i]).sgp4_array(jd, fraction)
        worst = max(worst, float(np.abs(np.einsum("nij,nj->in", turn, r) - fixed.out[i, :3]).max()))
    return worst


def _outcome(
    case: str, title: str, rates: dict[str, float], must: tuple[Must, ...], gate: tuple[str, bool], ours: _Ours,
    missing: dict[str, str] | None = None,
) -> Outcome:  # fmt: skip
    notes = (
        f"{CORES} cores; every contender fills buffers it made before; sets of {CATALOGUE.name}",
        f"fewer objects: {SLOW_OBJECTS} for SatrecArray, 10 for astropy",
    )
    return Outcome(case, title, "states/s", rates, must, *gate, ours.first_s, missing or {}, notes)
