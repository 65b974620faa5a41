"""`python -m services.replay.calibrate`: fits the calibration of windows on the re-entries of the corpus.

Writes libs/astro/data/window_calibration.json from all objects. What each scores under a calibration fitted without
it: `spacecom backcast`. Needs SPACECOM_VALIDATION_DATA.
"""

import itertools
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np

from libs.astro import window
from libs.astro.elements import ElementSet
from libs.astro.window import Calibration, Spread
from libs.cases import BadCase
from services.replay import backcast, corpus, scoring, surfaces
from services.replay.corpus import Cut, Subject
from services.replay.surfaces import Surface

Array = np.ndarray[Any, np.dtype[np.float64]]

VERSION = "3"
LIVES_H = (24.0, 120.0)  # the weather of days ahead is forecast, that of hours is known
SIGMAS = (0.025, 0.03, 0.035, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1)
DEGREES = (3.0, 4.0, 6.0, 10.0)  # 3: the least of a finite variance
SIGMAS_AXIS_KM = (0.25, 0.5, 0.75)
TWO_SETS = (0.06, 0.08, 0.1, 0.13)  # no less: sets of an object new to its trackers are poorer than thinned ones
LONG_ARC = (0.08, 0.1, 0.13, 0.16, 0.2, 0.25)
STORM, ONE_SET = 2.5, 0.22  # one object each: chosen beforehand, not fitted
THINNED = ("1 d", "12 h", "6 h")
_APART_DAYS, _ARC_DAYS = 0.2, 20.1
_ASTRAY = 0.02  # of predictions rest on a set so bad that the spread does not speak of it
_ASTRAY_DENSITY = 0.5  # of those, a unit of the logarithm of the life
_AXIS_NODES = np.linspace(-2.5, 2.5, 21)  # standard deviations


@dataclass(frozen=True, slots=True)
class Flown:
    """Surfaces of both runs, for how late a set is known differs from user to user; and of histories thinned to two.

    few: the newest set and one of some hours before, or one of three weeks before and more.
    """

    whole: list[Surface]
    few: list[Surface]


def of_subject(subject: Subject) -> Flown:
    as_known = list(corpus.cuts(subject))
    lagged = corpus.cuts(subject, lagged=True)
    few = (*thinned(as_known, _APART_DAYS), *thinned(as_known, _ARC_DAYS))
    return Flown(_surfaces((*as_known, *lagged)), _surfaces(few))


def _surfaces(cuts: Iterable[Cut]) -> list[Surface]:
    found = []
    for cut in cuts:
        try:
            found.append(surfaces.surface(cut, backcast.tables()))
        except backcast.DECLINED:
            continue
    return [one for one in found if one.life_h >= scoring.LEAST_LIFE_H]


def thinned(some: Sequence[Cut], days: float) -> Iterator[Cut]:
    """Cuts of objects with many sets as if but two were known: the newest, and the last that is days older."""
    for cut in some:
        ordered = sorted(cut.known, key=_epoch)
        older = [one for one in ordered if _epoch(ordered[-1]) - _epoch(one) > days]
        if cut.name in THINNED and len(ordered) > 2 and older:
            yield replace(cut, known=(older[-1], ordered[-1]))


def _epoch(one: ElementSet) -> float:
    return one.epoch_jd + one.epoch_jd_fraction


def flown(subjects: Sequence[Subject], step: Callable[[str], None] = lambda _: None) -> Flown:
    """The surfaces of all subjects, on two processes; step is told each subject that is done."""
    found = Flown([], [])
    with get_context("spawn").Pool(backcast.PROCESSES) as pool:
        for subject, some in zip(subjects, pool.imap(of_subject, subjects), strict=True):
            found.whole.extend(some.whole)
            found.few.extend(some.few)
            step(subject.case)
    return found


def candidates() -> Iterator[Calibration]:
    for short, long, degrees, axis_km in itertools.product(SIGMAS, SIGMAS, DEGREES, SIGMAS_AXIS_KM):
        yield Calibration(VERSION, LIVES_H, (short, long), axis_km, degrees, STORM, 0.0, 0.0, ONE_SET)


def spread_of(one: Surface, by: Calibration) -> Spread:
    return window.spread_of(by, one.nominal_h * 3600.0, one.set_count, long_arc=one.long_arc, stormy=one.stormy)


def ln_score(one: Surface, spreads: Sequence[Spread]) -> list[float]:
    """Logarithm of the density that each spread gives the truth, in the logarithm of the life."""
    change, slope = surfaces.of_life(one, one.life_h)
    found = []
    for spread in spreads:
        axis_km = spread.sigma_a_km * _AXIS_NODES
        weight = np.exp(-0.5 * _AXIS_NODES**2)
        z = np.interp(axis_km, surfaces.CHANGES_AXIS_KM, change) / spread.sigma_ln_b
        steep = np.interp(axis_km, surfaces.CHANGES_AXIS_KM, slope) / spread.sigma_ln_b
        density = float(np.sum(weight * student_density(z, spread.degrees_of_freedom) * steep) / np.sum(weight))
        found.append(math.log((1.0 - _ASTRAY) * density + _ASTRAY * _ASTRAY_DENSITY))
    return found


def student_density(z: Array, degrees: float) -> Array:
    scale = math.exp(math.lgamma(0.5 * (degrees + 1.0)) - math.lgamma(0.5 * degrees)) / math.sqrt(degrees * math.pi)
    return np.asarray(scale * (1.0 + z * z / degrees) ** (-0.5 * (degrees + 1.0)))


def best(rows: Sequence[Surface], tried: Sequence[Calibration]) -> Calibration:
    return likeliest(np.array([ln_score(one, [spread_of(one, by) for by in tried]) for one in rows]), tried)


def likeliest(scores: Array, tried: Sequence[Calibration]) -> Calibration:
    return tried[int(np.argmax(scores.sum(axis=0)))]


def with_few_sets(by: Calibration, few: Sequence[Surface]) -> Calibration:
    """With what two sets, and a long arc, add to the spread."""
    calm = [one for one in few if not one.stormy]
    by = best([one for one in calm if not one.long_arc], [replace(by, two_sets_ln_b=one) for one in TWO_SETS])
    return best([one for one in calm if one.long_arc], [replace(by, long_arc_ln_b=one) for one in LONG_ARC])


def calibrated(flights: Flown) -> tuple[Calibration, Callable[[int], Calibration]]:
    """The calibration on all, and for each object the one fitted without it."""
    found, few = flights.whole, flights.few
    tried = list(candidates())
    scores = np.array([ln_score(one, [spread_of(one, by) for by in tried]) for one in found])
    plain = np.array([not one.stormy and one.set_count > 2 for one in found])
    numbers = np.array([one.catalogue_number for one in found])

    def without(number: int) -> Calibration:
        others = [one for one in few if one.catalogue_number != number]
        return with_few_sets(likeliest(scores[plain & (numbers != number)], tried), others)

    return with_few_sets(likeliest(scores[plain], tried), few), without


def main() -> None:
    try:
        subjects = corpus.subjects(backcast.DATA)
    except BadCase as error:
        sys.exit(f"windows cannot be calibrated: {error}")
    found, _ = calibrated(flown(subjects))
    window.CALIBRATION.write_text(json.dumps(asdict(found), indent=2) + "\n")
    sys.stdout.write(f"{found}\n")


if __name__ == "__main__":
    main()
