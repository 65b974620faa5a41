"""What a recorded prediction is made of, to the last digit, and what moved it since the one before. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from uuid import UUID

import numpy as np

from libs.astro.time import DAY_S
from libs.astro.weather import Drivers
from libs.compared import Field
from services.propagation.compute import Flown, Job, Refusal
from services.propagation.domain import DecayPredicted, Epoch, PredictionDeclined

SHOWN = (0.5, 0.05, 0.95)
ROWS_A_DAY = 8


class Cause(Enum):
    MODEL = "model"
    WEATHER = "weather"
    ELEMENT_SETS = "element sets"


@dataclass(frozen=True, slots=True)
class Shift:
    """Of the median, the 5 % and the 95 % quantile, later positive."""

    cause: Cause
    by: tuple[timedelta, timedelta, timedelta]
    event_ids: tuple[UUID, ...]


Told = DecayPredicted | Flown


def fields(recorded: DecayPredicted, flown: Flown) -> list[Field]:
    """With all digits, so that equal texts are equal numbers."""
    draws = hashlib.sha256(flown.draws).hexdigest()
    pairs = [
        (f"quantile {p}", _epoch(a), _epoch(b))
        for (p, a), (_, b) in zip(recorded.quantiles, flown.quantiles, strict=True)
    ]
    pairs += [
        (name, _epoch(getattr(recorded, name)), _epoch(getattr(flown, name)))
        for name in ("start_epoch", "nominal_epoch")
    ]
    numbers = ("nominal_latitude_deg", "nominal_longitude_deg", "ln_b", "sigma_ln_b", "sigma_a_km")
    pairs += [(name, repr(getattr(recorded, name)), repr(getattr(flown, name))) for name in numbers]
    pairs += [("method", recorded.method, flown.method), ("draws_sha256", recorded.draws_sha256, draws)]
    return [Field(*pair) for pair in pairs]


def fields_of_refusal(recorded: PredictionDeclined, found: Flown | Refusal) -> list[Field]:
    reason, detail = (found.reason.name, found.detail) if isinstance(found, Refusal) else ("none: it is predicted", "")
    return [Field("reason", recorded.reason.name, reason), Field("detail", recorded.detail, detail)]


def between(before: Job, after: Job) -> Job:
    """The inputs before, under the weather known after."""
    return replace(before, drivers=joined(before.drivers, after.drivers), known_at_jd=after.known_at_jd)


def joined(before: Drivers, after: Drivers) -> Drivers:
    """The later drivers, and before their start those before."""
    missing = round((after.start_mjd - before.start_mjd) * ROWS_A_DAY)
    if missing <= 0:
        return after
    return Drivers(np.vstack([before.rows[:missing], after.rows]), before.start_mjd)


def shifts(recorded: tuple[DecayPredicted, DecayPredicted], computed: tuple[Flown, Flown, Flown]) -> list[Shift]:
    """From before to after: recorded both, and computed with the inputs before, those under later weather, and after.

    Whatever the computing of today gives otherwise than was recorded is the model's share, so that all add up.
    """
    old, new = recorded
    first, weathered, last = computed
    then, cited = old.inputs, new.inputs
    now = tuple(a - b for a, b in zip(_minus(first, old), _minus(last, new), strict=True))
    return [
        Shift(Cause.MODEL, (now[0], now[1], now[2]), ()),
        Shift(Cause.WEATHER, _minus(weathered, first), _new(cited.weather_event_ids, then.weather_event_ids)),
        Shift(
            Cause.ELEMENT_SETS,
            _minus(last, weathered),
            _new(cited.element_set_event_ids, then.element_set_event_ids),
        ),
    ]


def _minus(after: Told, before: Told) -> tuple[timedelta, timedelta, timedelta]:
    a, b = dict(after.quantiles), dict(before.quantiles)
    median, start, end = (timedelta(seconds=_seconds(b[p], a[p])) for p in SHOWN)
    return median, start, end


def _seconds(start: Epoch, end: Epoch) -> float:
    return ((end.jd - start.jd) + (end.jd_fraction - start.jd_fraction)) * DAY_S


def _new(after: Sequence[UUID], before: Sequence[UUID]) -> tuple[UUID, ...]:
    known = set(before)
    return tuple(one for one in after if one not in known)


def _epoch(epoch: Epoch) -> str:
    return f"{epoch.jd!r} + {epoch.jd_fraction!r}"
