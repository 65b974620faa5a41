"""The physics of one prediction, run in a process of its own: a fit, its draws, their flights, the window."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np

from libs.astro import density_days, density_kept, fit, manoeuvre, prediction, sgp4, warm
from libs.astro.density_kept import Kept
from libs.astro.elements import ElementSet
from libs.astro.prediction import Prediction
from libs.astro.time import add_seconds
from libs.astro.weather import Drivers
from services.propagation.domain import QUANTILES, DeclineReason, Epoch
from services.propagation.flight_files import draws_file

T = TypeVar("T")
REENTRY_ALTITUDE_KM = prediction.REENTRY_ALTITUDE_KM


@dataclass(frozen=True, slots=True)
class Job:
    elements: tuple[ElementSet, ...]
    drivers: Drivers
    known_at_jd: float
    seed: int
    samples: int
    horizon_days: float
    threads: int


@dataclass(frozen=True, slots=True)
class Drag:
    """B of two days, which end at the epoch."""

    epoch: Epoch
    b: float
    sigma_b: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """How state and B were fitted; rms and lower triangle of the covariance: fit_correction.Corrected.

    b_history: oldest first.
    """

    sets_used: int
    sets_known: int
    rms: float
    covariance: tuple[float, ...]
    b_history: tuple[Drag, ...]


@dataclass(frozen=True, slots=True)
class Flown:
    start_epoch: Epoch
    nominal_epoch: Epoch
    quantiles: tuple[tuple[float, Epoch], ...]
    nominal_latitude_deg: float
    nominal_longitude_deg: float
    ln_b: float
    sigma_ln_b: float
    sigma_a_km: float
    method: str
    draws: bytes
    fitted: Fitted


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: DeclineReason
    detail: str


_REASONS: dict[type[Exception], DeclineReason] = {
    fit.TooHigh: DeclineReason.TOO_HIGH,
    fit.PoorFit: DeclineReason.POOR_FIT,
    fit.NotSinking: DeclineReason.NOT_SINKING,
    fit.TooFewSets: DeclineReason.TOO_FEW_SETS,
    prediction.ComeDown: DeclineReason.COME_DOWN,
    manoeuvre.Thrusting: DeclineReason.THRUSTING,
    manoeuvre.Controlled: DeclineReason.CONTROLLED,
    sgp4.DeepSpace: DeclineReason.DEEP_SPACE,
    sgp4.BadElements: DeclineReason.BAD_ELEMENTS,
    density_days.OutsideTable: DeclineReason.POOR_FIT,
}


@cache
def tables() -> Kept:
    """One to a process."""
    return density_kept.beside_kernels()


def compute(job: Job) -> Flown | Refusal:
    return refusing(lambda: told(predicted(job)))


def predicted(job: Job) -> Prediction:
    return prediction.predict(
        job.elements, job.drivers, job.known_at_jd, tables(), samples=job.samples, seed=job.seed,
        horizon_days=job.horizon_days, threads=job.threads,
    )  # fmt: skip


def refusing(work: Callable[[], T]) -> T | Refusal:
    """What the physics refuses, as a reason that crosses processes."""
    try:
        return work()
    except tuple(_REASONS) as refused:
        return Refusal(_REASONS[type(refused)], str(refused))


def told(found: Prediction) -> Flown:
    fitted, draws = found.fit, found.draws
    window = found.quantiles(QUANTILES)
    return Flown(
        Epoch(fitted.jd, fitted.fr),
        _after(fitted, found.nominal_s),
        tuple((p, _after(fitted, s)) for p, s in zip(QUANTILES, window, strict=True)),
        found.lat_deg,
        found.lon_deg,
        float(fitted.ln_b),
        float(found.spread.sigma_ln_b),
        float(found.spread.sigma_a_km),
        f"{fitted.method}, spread {found.spread.version}, density table {found.table_id}",
        draws_file(draws.ln_b, draws.ln_b_late, float(fitted.late_after_s), draws.states, fitted.jd, fitted.fr),
        _fitted(fitted),
    )


def _fitted(found: fit.Fit) -> Fitted:
    blocks = reversed(manoeuvre.blocks(found.history))
    return Fitted(
        found.sets_used,
        found.set_count,
        float(found.rms),
        tuple(found.covariance[np.tril_indices(7)].tolist()),
        tuple(Drag(_after(found, one.at_s), one.b, one.sigma_b) for one in blocks),
    )


def _after(fitted: fit.Fit, seconds: float) -> Epoch:
    return Epoch(*map(float, add_seconds(fitted.jd, fitted.fr, float(seconds))))


def warm_up() -> None:
    """Loads the kernels of a prediction, by that of a made-up object that is about to come down."""
    warm.STEPS["fit, atmosphere and decay"]()
