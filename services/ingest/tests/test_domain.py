from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.astro import tle
from services.ingest import catalogue, domain, objects, weather
from services.ingest.catalogue import Entry, OfferElements
from services.ingest.description import Description
from services.ingest.domain import (
    Delivery,
    ElementSetAccepted,
    ObjectCatalogued,
    ObjectRevised,
    WeatherDay,
)
from services.ingest.objects import NOTHING
from services.ingest.publication import Publication
from services.ingest.tests.cases import FIRST, NAMED, SECOND
from services.ingest.weather import KnownWeather, OfferWeather

NOW = datetime(2022, 11, 5, tzinfo=UTC)
DELIVERY = Delivery("test", "0" * 64, NOW, None)
(one,) = tle.read(FIRST.encode())
(two,) = tle.read(SECOND.encode())
(named,) = tle.read(NAMED.encode())


def offered(entry: Entry, *sets) -> list[str]:
    return [type(event).__name__ for event in catalogue.decide_entry(OfferElements(sets, DELIVERY), entry)]


def after(*sets) -> Entry:
    events = catalogue.decide_entry(OfferElements(sets, DELIVERY), Entry())
    recorded = (event.elements for event in events if isinstance(event, ElementSetAccepted))
    return Entry(reduce(objects.evolve, events, NOTHING), frozenset(map(catalogue.fingerprint, recorded)))


@pytest.mark.parametrize(
    ("known", "sets", "expected"),
    [
        ((), (one,), ["ObjectCatalogued", "ElementSetAccepted"]),
        ((one,), (one,), []),
        ((one,), (two,), ["ElementSetAccepted"]),
        ((), (one, one), ["ObjectCatalogued", "ElementSetAccepted"]),
        ((one,), (named,), ["ObjectRevised", "ElementSetAccepted"]),
        ((named,), (one,), ["ElementSetAccepted"]),
        ((named,), (two,), []),
        ((one, named), (replace(named, bstar_per_earth_radius=1e-3),), ["ElementSetAccepted"]),
        ((one,), (replace(two, international_designator=b"22143C"),), ["ObjectRevised", "ElementSetAccepted"]),
    ],
)
def test_an_element_set_is_recorded_once_and_a_name_when_it_changes(known, sets, expected):
    assert offered(after(*known), *sets) == expected


def test_a_set_is_the_same_whoever_sends_it_and_under_whatever_name():
    assert catalogue.fingerprint(two) == catalogue.fingerprint(replace(named, element_set_number=1))


@given(st.sampled_from(["mean_motion_rev_day", "eccentricity", "bstar_per_earth_radius", "epoch_jd_fraction"]))
def test_a_set_with_any_other_value_is_another_set(name):
    other = replace(one, **{name: getattr(one, name) * 1.0000001})
    assert catalogue.fingerprint(one) != catalogue.fingerprint(other)


@given(st.lists(st.sampled_from([one, two, named]), max_size=6))
def test_offering_everything_again_changes_nothing(sets):
    """INVARIANT: ingest is idempotent by content. A set recorded twice would be fitted twice."""
    assert offered(after(*sets), *sets[:1]) == []


@pytest.mark.parametrize(
    ("printed", "kept"),
    [(b"22143B  ", b"2022-143B"), (b"57001A", b"1957-001A"), (b"2022-143B", b"2022-143B"), (b"", b""), (b"x", b"x")],
)
def test_designators_are_kept_in_their_long_form(printed, kept):
    assert catalogue.long_designator(printed) == kept


def test_the_altitudes_are_those_of_the_orbit():
    perigee_km, apogee_km = catalogue.altitudes_km(two)
    assert 120 < perigee_km < apogee_km < 240


def test_an_epoch_far_after_its_publication_is_not_credible():
    lead = timedelta(days=7)
    assert Publication(NOW, lead).epoch_problem(one) == ""
    assert "2022-11-03" in Publication(NOW - timedelta(days=10), lead).epoch_problem(one)


def day(mjd: int, ap: float = 4.0) -> WeatherDay:
    return WeatherDay(mjd, (ap,) * 8, ap, 130.0)


def test_only_new_and_changed_days_are_recorded():
    known = KnownWeather(observed={day_.mjd: day_ for day_ in map(day, range(59800, 59810))})
    command = OfferWeather((day(59809, 9.0), day(59810)), (), DELIVERY)
    (event,) = weather.decide_weather(command, known)
    assert [d.mjd for d in event.days] == [59809, 59810]


def test_many_years_of_weather_are_facts_of_at_most_400_days():
    events = weather.decide_weather(OfferWeather(tuple(map(day, range(36112, 60000))), (), DELIVERY), KnownWeather())
    assert sum(len(event.days) for event in events) == 60000 - 36112
    assert max(len(event.days) for event in events) <= 400


@pytest.mark.parametrize(
    ("event", "stream"),
    [
        (ObjectCatalogued(5, Description(), {}, "s", ""), "object/5"),
        (ObjectRevised(5, Description(), {}, "s", ""), "object/5"),
        (domain.ObjectRetired(5, b"", "operator/a"), "object/5"),
        (ElementSetAccepted(one, "s", ""), "elements/54217"),
    ],
)
def test_facts_go_to_the_stream_of_their_object(event, stream):
    assert domain.stream_of(event) == stream


def test_every_fact_has_a_stream():
    assert set(domain.STREAMS) == set(get_args(domain.Event))
