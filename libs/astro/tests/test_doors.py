"""Every public function of the library that takes numbers: sound for what is valid, shut to what is not.

One row a function (doors_*.py). A new one without a row fails here.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from numba.core.dispatcher import Dispatcher

import libs.astro
from libs.astro.tests import (
    doors_air,
    doors_fit,
    doors_flight,
    doors_ground,
    doors_kernels,
    doors_pieces,
    doors_sets,
    doors_tally,
    doors_time,
    doors_winds,
)
from libs.astro.tests.doors import Bad, Door, numbers

GROUPS = (
    doors_time,
    doors_sets,
    doors_air,
    doors_winds,
    doors_flight,
    doors_fit,
    doors_ground,
    doors_pieces,
    doors_tally,
)
DOORS = {door.name: door for group in GROUPS for door in group.DOORS}
# What is within: it takes only what a door before it has let in, and its module says so.
WITHIN = {
    "airspace_index": "takes the rings of airspace_geojson",
    "airspace_outline": "takes the rings of airspace_geojson",
    "airspace_validity": "takes the rings of airspace_geojson",
    "corridor": "takes places and weights of samples and pieces that decay and entry have flown",
    "decay.check_options": "a step of decay.fly and decay_legs.fly",
    "decay.sky_from_start": "the same, after decay.sky",
    "density_build": "the door is density_days.make",
    "density_days.Table.driven": "its first step is Table.terms",
    "density_days.name": "names what density_days.make has made",
    "drag_coefficient.read_drag_table": "reads this library's own file; test_drag_coefficient.py refuses bad ones",
    "density_kept": "keeps what density_days.make made",
    "exposure_tally.merge_cells": "adds up what exposure_tally.cells has made",
    "exposure_tally.merge_minutes": "adds up what exposure_tally.minutes has made",
    "fit.too_high": "words",
    "fit_bad_sets": "a step of fit.predict",
    "fit_correction": "a step of fit.predict",
    "fit_long_arc": "a step of fit.predict",
    "fit_history": "a step of fit.predict",
    "fit_sets": "a step of fit.predict",
    "fragments.catalogue": "of a scenario as JSON, whose refusals test_fragments.py tries",
    "fragments.read_catalogues": "reads this library's own file; test_fragments.py refuses bad ones",
    "iau2006.arguments": "of iau2006.pole, whose times are checked",
    "manoeuvre": "takes the history of a fit",
    "nrlmsise00_variation": "takes the model's own tables, once",
    "prediction.Prediction.quantiles": "of samples that prediction.predict has flown",
    "time.gmst82_turns": "part of kernels",
    "vulnerability.read_thresholds": "reads this library's own file",
    "weather.add_day": "a step of the readers",
    "weather.ap_tolerance": "a step of the readers",
    "weather.day_of": "a step of the readers, fuzzed in test_weather_csv.py",
    "weather.refuse_unprintable": "a step of the readers",
    "window.longest": "of a spread",
    "window.normals": "of window.draws",
    "window.spread_of": "of window.spread",
    "window.spread": "takes a fit and a calibration of this library's own file",
}


def modules() -> Iterator[Any]:
    for found in pkgutil.iter_modules(libs.astro.__path__):
        if not found.ispkg:
            yield importlib.import_module(f"libs.astro.{found.name}")


def takes_something(function: Any) -> bool:
    return any(name != "self" for name in inspect.signature(function).parameters)


def public() -> Iterator[str]:
    """Names of functions and methods that take something, and of classes that check what they are made of."""
    for module in modules():
        short = module.__name__.removeprefix("libs.astro.")
        for name, thing in vars(module).items():
            if (
                name.startswith("_")
                or getattr(thing, "__module__", "") != module.__name__
                or isinstance(thing, Dispatcher)
            ):
                continue
            if inspect.isclass(thing):
                yield from (f"{short}.{one}" for one in _of_class(thing))
            elif inspect.isfunction(inspect.unwrap(thing)) and takes_something(thing):
                yield f"{short}.{name}"


def _of_class(kind: type) -> Iterator[str]:
    if "__post_init__" in vars(kind):
        yield kind.__name__
    for name, thing in vars(kind).items():
        function = thing.__func__ if isinstance(thing, staticmethod) else thing
        if not name.startswith("_") and inspect.isfunction(function) and takes_something(function):
            yield f"{kind.__name__}.{name}"


def is_within(name: str) -> bool:
    return name in WITHIN or name.partition(".")[0] in WITHIN


def test_every_public_function_has_its_row_and_every_row_its_function():
    """INVARIANT: a door that nobody tried lets anything in."""
    known = set(public())
    assert {name for name in known if not is_within(name)} - set(DOORS) == set()
    assert set(DOORS) - known == set()
    assert {name for name in WITHIN if not any(one == name or one.startswith(f"{name}.") for one in known)} == set()


EVERY = [*DOORS.values(), *doors_kernels.DOORS]


@pytest.mark.parametrize("door", EVERY, ids=lambda door: door.name)
def test_valid_input_gives_numbers_within_their_range(door: Door):
    @settings(
        max_examples=door.examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(door.valid)
    def tried(arguments: dict[str, Any]) -> None:
        try:
            found = door.opened(**arguments)
        except door.allowed:
            return
        if door.finite:
            assert all(np.isfinite(one).all() for one in numbers(found)), (arguments, found)
        assert door.holds(arguments, found), (arguments, found)

    tried()


WRONG = [(door, wrong) for door in DOORS.values() for wrong in door.wrong]


@pytest.mark.parametrize(
    ("door", "wrong"), WRONG, ids=[f"{door.name}-{'-'.join(wrong.changed)}" for door, wrong in WRONG]
)
def test_invalid_input_is_refused_with_words(door: Door, wrong: Bad):
    """The message names what is wrong; a bare error of numpy or Python tells a user nothing."""
    with pytest.raises(wrong.error, match=re.escape(wrong.says) or ".") as refused:
        door.opened(**{**door.usual, **wrong.changed})
    assert len(str(refused.value)) >= 20


@pytest.mark.parametrize(
    "door", [door for door in DOORS.values() if door.wrong and door.examples > 1], ids=lambda door: door.name
)
def test_what_the_invalid_input_was_changed_from_is_let_in(door: Door):
    if door.usual:
        door.opened(**door.usual)
