import asyncio
import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from services.propagation import domain, states
from services.propagation.domain import DeclineReason
from services.propagation.rpc import ERRORS, DeepSpace, NoSpaceWeather, PropagationServicer
from services.propagation.tests.conftest import FIRST, FIRST_AT, SECOND, SECOND_AT, element_set, weather
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_VIEWER
from spacecom.propagation.v1 import propagation_events_pb2 as pb
from spacecom.propagation.v1 import propagation_service_pb2 as wire

WEATHER_AT = FIRST_AT - timedelta(hours=6)


@pytest.fixture
def servicer(feed, acting) -> PropagationServicer:
    acting()
    return PropagationServicer(feed.desk)


def ask(key: str = "k", number: int = 54217) -> wire.PredictRequest:
    return wire.PredictRequest(catalogue_number=number, idempotency_key=key)


async def test_a_viewer_may_not_ask_for_a_prediction(servicer, acting):
    acting(ROLE_VIEWER)
    with pytest.raises(PermissionError):
        await servicer.Predict(ask(), None)


async def test_a_prediction_asked_for_is_recorded_and_answered(servicer, feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    answer = (await servicer.Predict(ask(), None)).prediction
    assert [answer.decay] == await feed.facts()
    got = (await servicer.GetPrediction(wire.GetPredictionRequest(catalogue_number=54217), None)).prediction
    assert got == answer


async def test_one_key_has_one_effect_and_one_answer_however_often_it_is_sent(servicer, feed):
    """INVARIANT: idempotent commands. A client that retries must not add to the record."""
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    answers = await asyncio.gather(*(servicer.Predict(ask(), None) for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert len(await feed.facts()) == 1


async def test_a_refused_prediction_is_recorded_with_its_reason(servicer, feed):
    await feed.give(element_set(SECOND), SECOND_AT)
    with pytest.raises(NoSpaceWeather):
        await servicer.Predict(ask(), None)
    (fact,) = await feed.facts()
    assert fact.reason == pb.DECLINE_REASON_NO_SPACE_WEATHER
    assert ERRORS[NoSpaceWeather][1] == DeclineReason.NO_SPACE_WEATHER.name


async def test_an_object_ruled_by_third_bodies_is_refused(servicer, feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND, mean_motion_rev_day=2.0, eccentricity=0.7), SECOND_AT)
    with pytest.raises(DeepSpace):
        await servicer.Predict(ask(), None)


async def test_an_unknown_object_and_one_outside_the_contract_are_answered_alike(servicer, feed, acting):
    with pytest.raises(domain.UnknownObject):
        await servicer.Predict(ask(number=1), None)
    await feed.give(element_set(SECOND), SECOND_AT)
    acting(ROLE_ANALYST, (7,))
    with pytest.raises(domain.UnknownObject):
        await servicer.Predict(ask(), None)


@pytest.mark.parametrize("key", ["", "x" * 129])
async def test_a_key_has_1_to_128_characters(servicer, key):
    with pytest.raises(domain.BadRequest):
        await servicer.Predict(ask(key), None)


async def test_there_is_no_prediction_before_one_was_made(servicer):
    with pytest.raises(domain.NoPrediction):
        await servicer.GetPrediction(wire.GetPredictionRequest(catalogue_number=54217), None)


async def test_a_prediction_says_that_it_was_declined_since(servicer, feed):
    """INVARIANT: a window that the newest set took back is never shown as the word of the day."""
    request = wire.GetPredictionRequest(catalogue_number=54217)
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(FIRST), FIRST_AT)
    made = (await servicer.Predict(ask("first"), None)).prediction
    assert not (await servicer.GetPrediction(request, None)).HasField("declined")
    await feed.give(element_set(SECOND, mean_motion_rev_day=2.0, eccentricity=0.7), SECOND_AT)
    with pytest.raises(DeepSpace):
        await servicer.Predict(ask("second"), None)
    answer = await servicer.GetPrediction(request, None)
    assert answer.prediction == made
    assert answer.declined.reason == pb.DECLINE_REASON_DEEP_SPACE
    assert answer.declined.known_at.ToDatetime() > made.decay.known_at.ToDatetime()


async def test_an_object_that_was_only_declined_is_answered_with_the_reason(servicer, feed):
    await feed.give(element_set(SECOND), SECOND_AT)
    with pytest.raises(NoSpaceWeather):
        await servicer.Predict(ask(), None)
    with pytest.raises(domain.NoPrediction, match="it is declined: no observed space weather"):
        await servicer.GetPrediction(wire.GetPredictionRequest(catalogue_number=54217), None)


async def test_predictions_are_listed_newest_first_in_pages(servicer, feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    await feed.give(weather(days=2, flux=200.0), SECOND_AT + timedelta(hours=1))
    await feed.quiet()
    request = wire.ListPredictionsRequest(catalogue_number=54217, page_size=1)
    first = await servicer.ListPredictions(request, None)
    request.page_token = first.next_page_token
    second = await servicer.ListPredictions(request, None)
    assert not second.next_page_token
    (newer,), (older,) = first.predictions, second.predictions
    assert newer.decay.known_at.ToDatetime() > older.decay.known_at.ToDatetime()


async def test_states_are_given_for_each_instant_in_the_frame_asked_for(servicer, feed):
    delivery = await feed.give(element_set(SECOND), SECOND_AT)
    fact = delivery.message
    epochs = [pb.Epoch(jd=fact.epoch_jd, jd_fraction=fact.epoch_jd_fraction + i / 1440.0) for i in range(3)]
    request = wire.PropagateRequest(catalogue_number=54217, epochs=epochs, frame=wire.FRAME_TEME)
    answer = await servicer.Propagate(request, None)
    assert [state.epoch for state in answer.states] == epochs
    assert answer.element_set_event_id == str(delivery.event_id)
    assert 6450 < np.linalg.norm(answer.states[0].position_km) < 6620
    assert 100 < answer.states[0].altitude_km < 250


async def test_states_are_given_only_from_sets_that_the_caller_may_have(servicer, feed, acting):
    """INVARIANT: a state at the epoch of a set is the set in other words, so it goes no further than the set."""
    older = dataclasses.replace(feed.delivery(element_set(FIRST), FIRST_AT), redistribution="public")
    newer = dataclasses.replace(feed.delivery(element_set(SECOND), SECOND_AT), redistribution="space-track")
    epoch = pb.Epoch(jd=older.message.epoch_jd, jd_fraction=older.message.epoch_jd_fraction)
    request = wire.PropagateRequest(catalogue_number=54217, epochs=[epoch])
    await feed.hand(newer)
    acting(ROLE_VIEWER, classes=("discos", "internal"))
    with pytest.raises(domain.UnknownObject):
        await servicer.Propagate(request, None)
    await feed.hand(older)
    assert (await servicer.Propagate(request, None)).element_set_event_id == str(older.event_id)
    acting(ROLE_VIEWER, classes=("space-track",))
    assert (await servicer.Propagate(request, None)).element_set_event_id == str(newer.event_id)


async def test_states_of_a_deep_space_object_are_given_though_its_decay_is_declined(servicer, feed):
    delivery = await feed.give(element_set(SECOND, mean_motion_rev_day=2.0, eccentricity=0.7), SECOND_AT)
    epoch = pb.Epoch(jd=delivery.message.epoch_jd, jd_fraction=delivery.message.epoch_jd_fraction)
    answer = await servicer.Propagate(wire.PropagateRequest(catalogue_number=54217, epochs=[epoch]), None)
    assert 7_900 < np.linalg.norm(answer.states[0].position_km) < 45_200  # between perigee and apogee


async def test_too_many_epochs_and_a_decayed_instant_are_refused(servicer, feed):
    delivery = await feed.give(element_set(SECOND), SECOND_AT)
    epoch = pb.Epoch(jd=delivery.message.epoch_jd, jd_fraction=0.0)
    with pytest.raises(domain.BadRequest):
        await servicer.Propagate(wire.PropagateRequest(catalogue_number=54217, epochs=[epoch] * 10_001), None)
    epoch.jd += 300.0
    with pytest.raises(states.CannotPropagate, match="nearer the epoch"):
        await servicer.Propagate(wire.PropagateRequest(catalogue_number=54217, epochs=[epoch]), None)
