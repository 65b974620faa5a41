"""A re-entry predicted from what was known: fit, spread, samples flown, window. Service and backcasts call it alike.

Times are seconds from the epoch of the newest element set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro import decay_tables, fit, window
from libs.astro.decay_tables import Lifetimes
from libs.astro.density_kept import Kept
from libs.astro.elements import ElementSet
from libs.astro.fit import Fit, PoorFit, TooHigh
from libs.astro.fit_sets import DAY_S
from libs.astro.time import add_seconds, jd_to_datetime
from libs.astro.weather import Drivers
from libs.astro.window import Calibration, Draws, Spread

Array = np.ndarray[Any, np.dtype[np.float64]]

REENTRY_ALTITUDE_KM = 80.0
WINDOW_90 = (0.05, 0.95)
SHARE_DOWN = 0.975  # of the samples must come down within the horizon, for the last quantile told


class ComeDown(PoorFit):
    """By the sets known the object has come down already."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """seconds (N,): when each sample crosses 80 km, infinite where it stays up past the horizon; flown: where, and how.

    nominal_s, lat_deg, lon_deg: of the flight with the fit's own values.
    """

    fit: Fit
    spread: Spread
    draws: Draws
    seconds: Array
    flown: Lifetimes
    nominal_s: float
    lat_deg: float
    lon_deg: float

    @property
    def table_id(self) -> str:
        return self.fit.air.table.id

    def quantiles(self, probabilities: Sequence[float]) -> Array:
        return np.quantile(self.seconds, probabilities, method="inverted_cdf")


def predict(
    elements: Sequence[ElementSet],
    drivers: Drivers,
    known_at_jd: float,
    tables: Kept,
    *,
    samples: int,
    seed: int,
    horizon_days: float,
    threads: int = 1,
    by: Calibration | None = None,
) -> Prediction:
    """Predicts from sets in order of publication and drivers, both as known at known_at_jd.

    Raises ComeDown, fit.TooHigh, fit.PoorFit, manoeuvre.Thrusting, sgp4.DeepSpace, sgp4.BadElements, and ValueError for
    a time, a horizon or a number of samples that is none.
    """
    if samples < 1:
        raise ValueError(f"{samples} samples make no window; give 1 or more")
    found = fit.predict(elements, drivers, known_at_jd, tables, min(horizon_days, fit.MAX_DAYS))
    nominal = _fly(found, found.state[None], np.array([found.ln_b]), np.array([found.ln_b_late]), horizon_days, 1)
    if not nominal.reached[0]:
        raise TooHigh(fit.too_high(horizon_days))
    life_s = float(nominal.seconds[0])
    wide = window.spread(found, life_s, by or window.calibration())
    drawn = window.draws(found, wide, samples, seed)
    flown = _fly(found, drawn.states, drawn.ln_b, drawn.ln_b_late, horizon_days, threads)
    seconds = np.where(flown.reached, flown.seconds, np.inf)
    share = float(np.mean(np.isfinite(seconds)))
    if share < SHARE_DOWN:
        raise TooHigh(
            f"only {100.0 * share:.1f} % of the samples re-enter within {horizon_days:.0f} days; "
            "predict again with element sets from nearer the re-entry"
        )
    _refuse_past(found, seconds, known_at_jd)
    place = (float(nominal.lat_deg[0]), float(nominal.lon_deg[0]))
    return Prediction(found, wide, drawn, seconds, flown, life_s, *place)


def _refuse_past(found: Fit, seconds: Array, known_at_jd: float) -> None:
    """A window that ended before what is known now is no news: the object has come down, or its sets are bad."""
    first, last = (float(one) for one in np.quantile(seconds, WINDOW_90, method="inverted_cdf"))
    if last < ((known_at_jd - found.jd) - found.fr) * DAY_S:
        epoch, begun, ended = (
            f"{jd_to_datetime(*add_seconds(found.jd, found.fr, one)):%Y-%m-%d %H:%M} UTC" for one in (0.0, first, last)
        )
        raise ComeDown(
            f"no usable set since {epoch} is known: by those before, it has come down already, between {begun} and "
            f"{ended} (90 %); submit a newer set, or the message of its decay"
        )


def _fly(found: Fit, states: Array, ln_b: Array, ln_b_late: Array, horizon_days: float, threads: int) -> Lifetimes:
    return decay_tables.lifetimes(
        states, ln_b, found.air, ln_b_late=ln_b_late, late_after_s=found.late_after_s,
        stop_altitude_km=REENTRY_ALTITUDE_KM, max_days=horizon_days, threads=threads,
    )  # fmt: skip
