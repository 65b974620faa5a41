"""Predictions of re-entries of the past from what was known at a cut-off, each beside the truth."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np

from libs.astro import fit, manoeuvre, prediction, sgp4
from libs.astro.density_kept import Kept
from libs.astro.prediction import Prediction
from libs.astro.time import datetime_to_jd, jd_to_datetime, seconds_between
from libs.astro.weather import NoSpaceWeather
from libs.astro.window import Calibration
from services.replay.corpus import Cut
from services.replay.scoring import Row

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
OUT, TABLES = Path("build/backcast"), Path("build/density")
SAMPLES, SEED = 400, 1
HORIZON_DAYS = 32.0
PROCESSES = 2
DECLINED = (fit.TooHigh, fit.PoorFit, manoeuvre.Thrusting, sgp4.DeepSpace, sgp4.BadElements, NoSpaceWeather)


@cache
def tables() -> Kept:
    """One to a process."""
    return Kept(TABLES)


@dataclass(frozen=True, slots=True)
class Declined:
    """No prediction, and why; expected: a natural decay could not be claimed then."""

    case: str
    catalogue_number: int
    cut_off: str
    reason: str
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A natural decay predicted where none could be claimed."""

    case: str
    catalogue_number: int
    cut_off: str


def score(cut: Cut, tables: Kept, by: Calibration | None = None) -> Row | Declined:
    """One prediction from what was known at its cut-off, beside the truth; by: the shipped calibration if not given."""
    found = predicted(cut, tables, by)
    return found if isinstance(found, Declined) else row(cut, found)


def stand(cut: Cut, tables: Kept) -> Declined | Claimed:
    """What is said at an instant at which no natural decay can be claimed."""
    found = predicted(cut, tables, None)
    subject = cut.subject
    if isinstance(found, Declined):
        return Declined(subject.case, subject.catalogue_number, cut.name, found.reason, expected=True)
    return Claimed(subject.case, subject.catalogue_number, cut.name)


def predicted(cut: Cut, tables: Kept, by: Calibration | None) -> Prediction | Declined:
    jd, fr = cut.at
    try:
        given = cut.drivers(HORIZON_DAYS)
        return prediction.predict(
            cut.known, given, jd + fr, tables, samples=SAMPLES, seed=SEED, horizon_days=HORIZON_DAYS, by=by
        )
    except DECLINED as declined:
        reason = f"{type(declined).__name__}: {declined}"
        return Declined(cut.subject.case, cut.subject.catalogue_number, cut.name, reason)


def row(cut: Cut, found: Prediction) -> Row:
    subject = cut.subject

    def hours(at: datetime) -> float:
        return seconds_between(found.fit.jd, found.fit.fr, *datetime_to_jd(at)) / 3600.0

    nominal_h, life_h = found.nominal_s / 3600.0, hours(subject.truth)
    ends = (hours(subject.interval.first_at), hours(subject.interval.last_at)) if subject.interval else None
    return Row(
        subject.catalogue_number,
        cut.name,
        subject.pseudo,
        life_h,
        error(nominal_h, ends or (life_h, life_h)),
        np.minimum(found.seconds, HORIZON_DAYS * 86400.0) / 3600.0,
        nominal_h,
        ends,
        subject.kind,
        subject.case,
        subject.object_class,
        tuple((hours(one.first_at), hours(one.last_at)) for one in subject.truths),
        newest_set_at=jd_to_datetime(found.fit.jd, found.fit.fr),
    )


def error(nominal: float, ends: Sequence[float]) -> float:
    """The way from the nearer end of an interval to the nominal, none inside."""
    low, high = ends
    return min(nominal - low, 0.0) + max(nominal - high, 0.0)
