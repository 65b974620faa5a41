import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.astro import fit_sets, tle
from libs.astro.time import datetime_to_jd
from services.propagation import codec, domain
from services.propagation.domain import (
    QUANTILES,
    DecayPredicted,
    DeclineReason,
    Epoch,
    Inputs,
    KnownSet,
    Outlook,
    PredictionDeclined,
    WeatherDay,
)
from services.propagation.tests.conftest import FIRST, SECOND, SECOND_AT

(one,) = tle.read(FIRST)
(two,) = tle.read(SECOND)
LATER = SECOND_AT + timedelta(hours=6)


def predicted(known_at: datetime = SECOND_AT, **changed) -> DecayPredicted:
    start = Epoch(*datetime_to_jd(SECOND_AT))
    end = Epoch(start.jd + 1.0, start.jd_fraction)
    values: dict[str, Any] = {
        "catalogue_number": 54217,
        "known_at": known_at,
        "start_epoch": start,
        "reentry_altitude_km": 80.0,
        "nominal_epoch": end,
        "quantiles": tuple((p, end) for p in QUANTILES),
        "nominal_latitude_deg": -2.0,
        "nominal_longitude_deg": -114.0,
        "ln_b": -5.0,
        "sigma_ln_b": 0.2,
        "sigma_a_km": 1.0,
        "draws_sha256": "0" * 64,
        "model_version": "m",
        "method": "x",
    }
    cited = Inputs((UUID(int=1),), (UUID(int=2),), "1" * 64, 1000, 7, 60.0)
    of_inputs = {name: changed.pop(name) for name in Inputs.__slots__ if name in changed}
    return DecayPredicted(inputs=replace(cited, **of_inputs), **(values | changed))


def declined(reason: DeclineReason, known_at: datetime = SECOND_AT) -> PredictionDeclined:
    return PredictionDeclined(54217, known_at, reason, "why", "m")


NO_WEATHER, TOO_HIGH = DeclineReason.NO_SPACE_WEATHER, DeclineReason.TOO_HIGH


@pytest.mark.parametrize(
    ("last", "found", "recorded"),
    [
        (None, predicted(), True),
        (None, declined(TOO_HIGH), True),
        (predicted(), predicted(), False),
        (predicted(), predicted(LATER), False),
        (predicted(), predicted(LATER, drivers_sha256="2" * 64), True),
        (predicted(), predicted(LATER, element_set_event_ids=(UUID(int=1), UUID(int=3))), True),
        (predicted(), predicted(LATER, model_version="n"), True),
        (predicted(LATER), predicted(drivers_sha256="2" * 64), False),
        (declined(NO_WEATHER), predicted(), True),
        (declined(NO_WEATHER), declined(NO_WEATHER, LATER), False),
        (declined(NO_WEATHER), declined(TOO_HIGH), True),
        (predicted(), declined(TOO_HIGH, LATER), True),
        (predicted(LATER), declined(TOO_HIGH), False),
    ],
)
def test_a_finding_is_recorded_when_it_says_something_new_from_no_older_knowledge(last, found, recorded):
    assert domain.decide(found, Outlook(last)) == ([found] if recorded else [])


@given(
    st.lists(st.sampled_from([predicted(), predicted(LATER, seed=8), declined(TOO_HIGH), declined(NO_WEATHER, LATER)]))
)
def test_knowledge_never_goes_back_and_a_finding_is_never_said_twice_in_a_row(findings):
    """INVARIANT: consumers take the last fact of a stream as what is known now."""
    outlook, recorded = Outlook(), []
    for found in findings:
        for event in domain.decide(found, outlook):
            outlook = domain.evolve(outlook, event)
            recorded.append(event)
    assert [event.known_at for event in recorded] == sorted(event.known_at for event in recorded)
    assert all(a != b for a, b in itertools.pairwise(recorded))


CITED = Inputs((uuid4(), uuid4()), (uuid4(),), "ab" * 32, 1000, 7, 30.0)


@pytest.mark.parametrize("event", [predicted(), declined(TOO_HIGH), replace(declined(TOO_HIGH), inputs=CITED)])
def test_a_fact_survives_the_wire(event):
    assert codec.from_wire(codec.to_wire(event)) == event


def known(number: int, elements, available_at: datetime) -> KnownSet:
    return KnownSet(UUID(int=number), available_at, elements)


def test_the_history_is_what_was_published_by_then_oldest_epoch_first():
    first, second = known(1, one, SECOND_AT - timedelta(hours=9)), known(2, two, SECOND_AT)
    assert domain.history([second, first], SECOND_AT) == [first, second]
    assert domain.history([second, first], SECOND_AT - timedelta(seconds=1)) == [first]
    assert domain.history([], SECOND_AT) == []


def test_of_several_sets_for_one_epoch_the_one_published_last_is_used():
    first, again = known(1, two, SECOND_AT), known(2, replace(two, bstar_per_earth_radius=1e-3), LATER)
    assert domain.history([again, first], LATER) == [again]


def test_sets_of_long_ago_and_more_than_a_fit_can_use_are_left_out():
    old = known(9, replace(one, epoch_jd=two.epoch_jd - 60), SECOND_AT - timedelta(days=60))
    many = [known(i, replace(two, epoch_jd_fraction=two.epoch_jd_fraction - i / 1000.0), SECOND_AT) for i in range(150)]
    used = domain.history([old, *many], SECOND_AT)
    assert len(used) == fit_sets.HISTORY_SETS
    assert used[-1].elements == two


def test_a_set_that_is_alone_is_used_with_the_one_of_months_before_if_the_weather_reaches_so_far_back():
    old = known(9, replace(one, epoch_jd=two.epoch_jd - 150), SECOND_AT - timedelta(days=150))
    older, newest = known(8, replace(one, epoch_jd=two.epoch_jd - 250), SECOND_AT), known(1, two, SECOND_AT)
    used = domain.history([older, old, newest], SECOND_AT)
    assert used == [old, newest]
    first, _ = domain.weather_span_mjd(used, 60.0)
    days = [WeatherDay(UUID(int=2), SECOND_AT, mjd, (), 7.0, 130.0) for mjd in range(first, first + 300)]
    assert domain.covered(used, days) == used
    assert domain.covered(used, days[5:]) == [newest]
    assert domain.covered(used, []) == used


def test_a_low_or_fast_shrinking_orbit_is_watched_and_a_high_one_is_not():
    assert domain.watched(two, 300.0, 60.0)
    high = replace(two, mean_motion_rev_day=14.0, mean_motion_dot_half_rev_day2=1e-6)
    assert not domain.watched(high, 300.0, 60.0)
    assert domain.watched(replace(high, mean_motion_dot_half_rev_day2=0.05), 300.0, 60.0)
    assert not domain.watched(replace(high, mean_motion_dot_half_rev_day2=-0.05), 300.0, 60.0)


@pytest.mark.parametrize(
    ("last", "available_at", "mjds", "expected"),
    [
        (declined(NO_WEATHER), SECOND_AT, (50000, 50001), True),
        (declined(TOO_HIGH), SECOND_AT, (59886, 59886), False),
        (predicted(), LATER, (59886, 59886), True),
        (predicted(), LATER, (59000, 59100), False),
        (predicted(), datetime(2024, 1, 1, tzinfo=UTC), (59886, 59886), False),
    ],
)
def test_weather_concerns_what_waits_for_it_and_what_still_flies(last, available_at, mjds, expected):
    assert domain.concerns(available_at, mjds, last) is expected


def test_the_seed_is_a_stable_function_of_the_newest_set():
    assert domain.seed_of(UUID(int=1)) == domain.seed_of(UUID(int=1)) != domain.seed_of(UUID(int=2))
    assert 0 <= domain.seed_of(UUID(int=3)) < 2**63
