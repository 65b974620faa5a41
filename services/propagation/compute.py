"""The physics of one prediction, run in a process of its own: a fit, its draws, their flights, the window."""

from dataclasses import dataclass

import numpy as np

from libs.astro import decay, fit, sgp4
from libs.astro.elements import ElementSet
from libs.astro.time import add_seconds
from libs.astro.weather import Drivers
from services.propagation.domain import QUANTILES, DeclineReason, Epoch
from services.propagation.flight_files import draws_file

REENTRY_ALTITUDE_KM = 80.0


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


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: DeclineReason
    detail: str


_REASONS: dict[type[Exception], DeclineReason] = {
    fit.TooHigh: DeclineReason.TOO_HIGH,
    fit.PoorFit: DeclineReason.POOR_FIT,
    sgp4.DeepSpace: DeclineReason.DEEP_SPACE,
    sgp4.BadElements: DeclineReason.BAD_ELEMENTS,
}


def compute(job: Job) -> Flown | Refusal:
    try:
        return _fly(job, fit.predict(job.elements, job.drivers, job.known_at_jd))
    except tuple(_REASONS) as refused:
        return Refusal(_REASONS[type(refused)], str(refused))


def _fly(job: Job, fitted: fit.Fit) -> Flown | Refusal:
    draws = fit.draws(fitted, job.samples, job.seed)
    flights = decay.fly(  # the nominal flight is the last row, so that one call flies all
        np.vstack([draws.states, fitted.state]),
        fitted.jd,
        fitted.fr,
        np.append(draws.ln_b, fitted.ln_b),
        job.drivers,
        ln_b_late=np.append(draws.ln_b_late, fitted.ln_b_late),
        late_after_s=fitted.late_after_s,
        stop_altitude_km=REENTRY_ALTITUDE_KM,
        max_days=job.horizon_days,
        threads=job.threads,
    )
    seconds = np.where(flights.reached, flights.seconds, np.inf)
    window = np.quantile(seconds[:-1], QUANTILES, method="inverted_cdf")
    if not np.isfinite(seconds[-1]) or not np.isfinite(window[-1]):
        return Refusal(DeclineReason.TOO_HIGH, _too_high(seconds, job.horizon_days))
    return Flown(
        Epoch(fitted.jd, fitted.fr),
        _after(fitted, seconds[-1]),
        tuple((p, _after(fitted, s)) for p, s in zip(QUANTILES, window, strict=True)),
        float(flights.lat_deg[-1]),
        float(flights.lon_deg[-1]),
        float(fitted.ln_b),
        float(fitted.sigma_ln_b),
        float(fitted.sigma_a_km),
        fitted.method,
        draws_file(draws.ln_b, draws.ln_b_late, float(fitted.late_after_s), draws.states, fitted.jd, fitted.fr),
    )


def _after(fitted: fit.Fit, seconds: float) -> Epoch:
    return Epoch(*map(float, add_seconds(fitted.jd, fitted.fr, float(seconds))))


def _too_high(seconds: "np.ndarray[tuple[int], np.dtype[np.float64]]", horizon_days: float) -> str:
    share = float(np.mean(np.isfinite(seconds[:-1])))
    return (
        f"only {100.0 * share:.1f} % of the samples re-enter within {horizon_days:.0f} days; "
        "predict again with element sets from nearer the re-entry"
    )


def warm_up() -> None:
    """Compiles the kernels, or loads them: one flight of a made-up object that is about to come down."""
    elements = ElementSet(1, b"", b"", 2459886.5, 0.5, 16.45, 0.001, 42.0, 0.0, 0.0, 0.0, 1e-3, 0.1, 0.0, "U", 0, 0)
    drivers = Drivers(np.tile([120.0, 120.0, *[7.0] * 7], (8 * 70, 1)), 59880.0)
    compute(Job((elements,), drivers, 2459887.0, 1, 2, 60.0, 1))
