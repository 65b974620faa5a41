"""Ephemerides, tracks, CZML, explanations and comparisons, by the calls that answer for them."""

import itertools
import json
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest

from libs.astro.earth import WGS84_RADIUS_KM
from libs.eventlog import Cause
from libs.redistribution import PUBLIC
from libs.rpc import FailedPrecondition
from services.propagation import codec, domain
from services.propagation.rpc import PropagationServicer
from services.propagation.tests.conftest import FIRST, FIRST_AT, SECOND, SECOND_AT, element_set, tip, weather
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.propagation.v1 import propagation_events_pb2 as pb
from spacecom.propagation.v1 import propagation_service_pb2 as wire

WEATHER_AT = FIRST_AT - timedelta(hours=6)
NUMBER = 54217


@pytest.fixture
async def servicer(feed, acting) -> PropagationServicer:
    acting()
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(FIRST), FIRST_AT)
    await feed.quiet()
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    return PropagationServicer(feed.desk)


async def newest(servicer) -> wire.Prediction:
    asked = wire.GetPredictionRequest(catalogue_number=NUMBER)
    return (await servicer.GetPrediction(asked, None)).prediction


def ephemeris(source: int, hours: float = 1.0, step_s: float = 60.0) -> wire.StreamEphemerisRequest:
    request = wire.StreamEphemerisRequest(catalogue_number=NUMBER, source=source, step_s=step_s)
    request.start_time.FromDatetime(SECOND_AT)
    request.end_time.FromDatetime(SECOND_AT + timedelta(hours=hours))
    return request


async def gathered(batches) -> list:
    return [batch async for batch in batches]


async def test_an_ephemeris_comes_in_batches_at_even_steps(servicer):
    batches = await gathered(servicer.StreamEphemeris(ephemeris(wire.EPHEMERIS_SOURCE_ELEMENT_SET, 2.0, 6.0), None))
    states = [state for batch in batches for state in batch.states]
    assert [len(batch.states) for batch in batches] == [1000, 201]
    days = np.array([one.epoch.jd - states[0].epoch.jd + one.epoch.jd_fraction for one in states])
    assert np.diff(days) * 86400.0 == pytest.approx(6.0, abs=1e-5)
    (same,) = (
        await servicer.Propagate(wire.PropagateRequest(catalogue_number=NUMBER, epochs=[states[700].epoch]), None)
    ).states
    assert same == states[700]


async def test_the_flight_of_a_prediction_starts_with_its_set_and_ends_with_its_re_entry(servicer):
    flown = await gathered(servicer.StreamEphemeris(ephemeris(wire.EPHEMERIS_SOURCE_PREDICTION, 48.0), None))
    by_set = await gathered(servicer.StreamEphemeris(ephemeris(wire.EPHEMERIS_SOURCE_ELEMENT_SET, 0.1), None))
    first, last = flown[0].states[0], flown[-1].states[-1]
    apart_km = np.linalg.norm(np.subtract(first.position_km, by_set[0].states[0].position_km))
    assert apart_km < 20.0  # the fit's state is not the newest set's, but near it
    decay = (await newest(servicer)).decay
    end = decay.nominal_epoch
    left_s = ((end.jd - last.epoch.jd) + (end.jd_fraction - last.epoch.jd_fraction)) * 86400.0
    assert 0.0 <= left_s < 60.0
    assert 80.0 <= last.altitude_km < 90.0


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"step_s": 0.5}, "step_s"), ({"step_s": -1.0}, "step_s"), ({"hours": -1.0}, "span"), ({"hours": 1e5}, "span")],
)
async def test_an_ephemeris_that_cannot_be_is_refused_with_the_reason(servicer, changed, said):
    with pytest.raises(domain.BadRequest, match=said):
        await gathered(servicer.StreamEphemeris(ephemeris(wire.EPHEMERIS_SOURCE_ELEMENT_SET, **changed), None))


async def test_who_may_not_have_the_sets_may_not_have_states_in_other_words(servicer, acting):
    """INVARIANT: the sets of the test are internal; path and CZML are those sets in other words, the track is not."""
    acting(ROLE_VIEWER, classes=(PUBLIC,))
    for source in (wire.EPHEMERIS_SOURCE_ELEMENT_SET, wire.EPHEMERIS_SOURCE_PREDICTION):
        with pytest.raises(domain.UnknownObject):
            await gathered(servicer.StreamEphemeris(ephemeris(source), None))
    with pytest.raises(domain.UnknownObject):
        await servicer.GetCzml(wire.GetCzmlRequest(catalogue_number=NUMBER), None)
    asked = wire.StreamGroundTrackRequest(catalogue_number=NUMBER)
    assert (await gathered(servicer.StreamGroundTrack(asked, None)))[0].points


async def test_the_track_runs_from_quantile_to_quantile_through_the_nominal_re_entry(servicer):
    asked = wire.StreamGroundTrackRequest(catalogue_number=NUMBER, first_probability=0.1, last_probability=0.9)
    batches = await gathered(servicer.StreamGroundTrack(asked, None))
    points = [point for batch in batches for point in batch.points]
    found = await newest(servicer)
    assert {batch.prediction_event_id for batch in batches} == {found.event_id}
    assert points[0].probability == pytest.approx(0.1, abs=0.03)
    assert points[-1].probability == pytest.approx(0.9, abs=0.03)
    assert all(a.probability <= b.probability for a, b in itertools.pairwise(points))
    assert all(-180.0 <= one.longitude_deg < 180.0 and abs(one.latitude_deg) < 42.0 for one in points)


async def test_a_track_of_another_object_or_no_event_is_refused(servicer):
    found = await newest(servicer)
    for number, event_id in ((7, found.event_id), (NUMBER, "x"), (NUMBER, "00000000-0000-0000-0000-000000000000")):
        asked = wire.StreamGroundTrackRequest(catalogue_number=number, prediction_event_id=event_id)
        with pytest.raises((domain.NoPrediction, domain.BadRequest)):
            await gathered(servicer.StreamGroundTrack(asked, None))


async def test_czml_is_in_the_earth_fixed_frame_and_ends_at_80_km(servicer):
    packets = json.loads((await servicer.GetCzml(wire.GetCzmlRequest(catalogue_number=NUMBER), None)).czml)
    by_id = {packet["id"]: packet for packet in packets}
    assert packets[0]["id"] == "document"
    assert packets[0]["version"] == "1.0"
    position = by_id[f"object/{NUMBER}"]["position"]
    assert position["referenceFrame"] == "FIXED"
    samples = np.array(position["cartesian"]).reshape(-1, 4)
    assert (np.diff(samples[:, 0]) > 0.0).all()
    assert np.linalg.norm(samples[-1, 1:]) / 1000.0 == pytest.approx(WGS84_RADIUS_KM + 80.0, abs=22.0)  # flattening
    for name in ("90 %", "50 %"):
        line = np.array(by_id[f"track/{NUMBER}/{name}"]["polyline"]["positions"]["cartesian"]).reshape(-1, 3)
        assert len(line) > 10
        assert np.isfinite(line).all()


async def test_a_prediction_computed_again_is_the_same_to_the_last_digit(servicer):
    """INVARIANT: what is published can be recomputed from what it cites."""
    found = await newest(servicer)
    answer = await servicer.Explain(wire.ExplainRequest(event_id=found.event_id), None)
    assert answer.identical, [one for one in answer.fields if not one.identical]
    assert len(answer.fields) >= 18
    assert answer.prediction == found
    assert answer.model_version == found.decay.model_version


async def test_a_refusal_computed_again_is_the_same(servicer, feed):
    """INVARIANT: what was declined is shown to follow from what it cites, as a prediction is."""
    await feed.give(element_set(SECOND, mean_motion_rev_day=2.0, eccentricity=0.7), SECOND_AT + timedelta(hours=1))
    await feed.quiet()
    (fact,) = [one for one in await feed.log.read() if isinstance(one.message(), pb.PredictionDeclined)]
    answer = await servicer.Explain(wire.ExplainRequest(event_id=str(fact.event_id)), None)
    assert answer.declined == fact.message()
    assert answer.declined.inputs.element_set_event_ids
    assert [(one.field, one.identical) for one in answer.fields] == [("reason", True), ("detail", True)]
    assert not answer.HasField("prediction")


async def test_a_refusal_that_does_not_follow_from_what_it_cites_is_told(servicer, feed):
    decay = codec.decay((await newest(servicer)).decay.SerializeToString())
    reason = domain.DeclineReason.TOO_HIGH
    refusal = domain.PredictionDeclined(
        NUMBER, decay.known_at, reason, "it stays up", decay.model_version, decay.inputs
    )
    (fact,) = await feed.predictor.record(refusal, uuid4(), Cause(uuid4(), uuid4(), ""))
    answer = await servicer.Explain(wire.ExplainRequest(event_id=str(fact.event_id)), None)
    assert [(one.recorded, one.recomputed) for one in answer.fields] == [
        ("TOO_HIGH", "none: it is predicted"),
        ("it stays up", ""),
    ]
    assert not answer.identical


async def test_without_what_was_computed_a_refusal_is_told_as_it_was(servicer, feed):
    with pytest.raises(domain.NoPrediction):
        await servicer.Explain(wire.ExplainRequest(event_id=str(uuid4())), None)
    await feed.give(element_set(SECOND, catalogue_number=7, epoch_jd=2451545.5), SECOND_AT + timedelta(hours=1))
    await feed.quiet()
    (fact,) = [one for one in await feed.log.read() if isinstance(one.message(), pb.PredictionDeclined)]
    with pytest.raises(FailedPrecondition, match="declined: no observed space weather"):
        await servicer.Explain(wire.ExplainRequest(event_id=str(fact.event_id)), None)


async def test_a_prediction_tells_how_it_was_fitted(servicer):
    found = await newest(servicer)
    fit = (await servicer.Explain(wire.ExplainRequest(event_id=found.event_id), None)).fit
    assert (fit.sets_used, fit.sets_known) == (2, 2)
    assert 0.0 < fit.rms < 5.0
    lower = np.zeros((7, 7))
    lower[np.tril_indices(7)] = fit.covariance
    whole = lower + np.tril(lower, -1).T
    sigmas = np.sqrt(np.diag(whole))
    assert (sigmas > 0.0).all()
    assert sigmas[:3].max() < 5.0  # km; four positions to a set, each good to a kilometre
    assert sigmas[6] < 0.3  # no wider than what was assumed of ln B before
    assert np.linalg.eigvalsh(whole / np.outer(sigmas, sigmas)).min() > -1e-6
    assert not fit.b_history  # the sets span no two days


async def test_the_shifts_add_up_to_what_the_window_moved(servicer):
    pages = await servicer.ListPredictions(wire.ListPredictionsRequest(catalogue_number=NUMBER), None)
    after, before = pages.predictions
    answer = await servicer.Explain(wire.ExplainRequest(event_id=after.event_id), None)
    assert answer.previous_event_id == before.event_id
    by_cause = {one.cause: one for one in answer.shifts}
    for p, name in ((0.5, "median_min"), (0.05, "start_min"), (0.95, "end_min")):
        moved = minutes(after.decay, p) - minutes(before.decay, p)
        assert sum(getattr(one, name) for one in answer.shifts) == pytest.approx(moved, abs=1e-3)
    assert by_cause[wire.SHIFT_CAUSE_MODEL].median_min == 0.0
    assert by_cause[wire.SHIFT_CAUSE_WEATHER].median_min == pytest.approx(0.0, abs=1.0)
    assert by_cause[wire.SHIFT_CAUSE_ELEMENT_SETS].event_ids
    assert not by_cause[wire.SHIFT_CAUSE_WEATHER].event_ids


async def test_weather_that_moved_a_window_is_named(servicer, feed):
    await feed.give(weather(flux=220.0), SECOND_AT + timedelta(hours=1))
    await feed.quiet()
    found = await newest(servicer)
    answer = await servicer.Explain(wire.ExplainRequest(event_id=found.event_id), None)
    by_cause = {one.cause: one for one in answer.shifts}
    assert abs(by_cause[wire.SHIFT_CAUSE_WEATHER].median_min) > 0.1
    assert by_cause[wire.SHIFT_CAUSE_WEATHER].event_ids
    assert by_cause[wire.SHIFT_CAUSE_ELEMENT_SETS].median_min == 0.0


def minutes(decay: pb.DecayPredicted, p: float) -> float:
    (epoch,) = (one.epoch for one in decay.quantiles if one.probability == p)
    return ((epoch.jd - 2459887.5) + epoch.jd_fraction) * 1440.0


async def agreements(feed) -> list[pb.AgreementChanged]:
    async with feed.pool.acquire() as conn:
        return [recorded.message() for recorded in await feed.log.load(conn, f"agreement/{NUMBER}")]


async def test_disagreement_is_recorded_when_it_comes_and_when_it_ends(servicer, feed, acting):
    at = SECOND_AT + timedelta(hours=1)
    first = await feed.give(tip(60.0), at)
    await feed.hand(first)  # delivered twice
    (raised,) = await agreements(feed)
    assert raised.agreement == pb.AGREEMENT_WINDOWS_APART
    assert raised.prediction_event_id == (await newest(servicer)).event_id
    compared = await servicer.CompareWithOthers(wire.CompareWithOthersRequest(catalogue_number=NUMBER), None)
    assert compared.others[0].our_probability == 1.0
    median_h = (minutes((await newest(servicer)).decay, 0.5) + 1440.0) / 60.0 - 0.83202162 * 24.0
    later = tip(median_h)
    later.made_at.FromDatetime(at)
    await feed.give(later, at + timedelta(minutes=1))
    assert [one.agreement for one in await agreements(feed)] == [pb.AGREEMENT_WINDOWS_APART, pb.AGREEMENT_AGREES]
    acting(ROLE_VIEWER, classes=(PUBLIC,))
    hidden = await servicer.CompareWithOthers(wire.CompareWithOthersRequest(catalogue_number=NUMBER), None)
    assert not hidden.others


async def test_a_new_prediction_is_weighed_against_what_others_said_before(servicer, feed):
    await feed.give(tip(60.0), FIRST_AT)  # came late: our newest is younger, and weighs it at its next turn
    assert not await agreements(feed)
    await feed.give(weather(flux=140.0), SECOND_AT + timedelta(hours=1))
    await feed.quiet()
    (raised,) = await agreements(feed)
    assert raised.prediction_event_id == (await newest(servicer)).event_id
