import asyncio
import io
import multiprocessing
from datetime import timedelta

import pyarrow as pa
import pytest

from services.propagation import projections
from services.propagation.domain import QUANTILES
from services.propagation.tests.conftest import (
    FIRST,
    FIRST_AT,
    LAST_MJD,
    SECOND,
    SECOND_AT,
    element_set,
    tip,
    weather,
)
from spacecom.propagation.v1 import propagation_events_pb2 as pb

WEATHER_AT = FIRST_AT - timedelta(hours=6)


async def test_a_watched_object_is_predicted_from_what_was_published_by_then(feed):
    sky = await feed.give(weather(), WEATHER_AT)
    one = await feed.give(element_set(FIRST), FIRST_AT)
    await feed.quiet()
    two = await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    first, second = await feed.facts()
    assert first.known_at.ToDatetime() == FIRST_AT.replace(tzinfo=None)
    assert list(first.element_set_event_ids) == [str(one.event_id)]
    assert list(second.element_set_event_ids) == [str(one.event_id), str(two.event_id)]
    assert list(second.weather_event_ids) == [str(sky.event_id)]
    assert [q.probability for q in second.quantiles] == list(QUANTILES)
    epochs = [q.epoch.jd + q.epoch.jd_fraction for q in second.quantiles]
    assert epochs == sorted(epochs)


async def test_a_prediction_cites_draws_and_drivers_that_are_kept(feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    (fact,) = await feed.facts()
    draws = pa.ipc.open_file(io.BytesIO(await feed.blobs.get(fact.draws_sha256))).read_all()
    assert draws.num_rows == fact.sample_count == 100
    assert draws.column_names[:3] == ["ln_b", "ln_b_late", "late_after_s"]
    drivers = pa.ipc.open_file(io.BytesIO(await feed.blobs.get(fact.drivers_sha256))).read_all()
    assert drivers.num_columns == 9


async def test_the_same_inputs_give_the_same_bytes(feed):
    """INVARIANT: same inputs and seed, same result. Otherwise no prediction can be recomputed and checked."""
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    one = await feed.predictor.predict(54217, SECOND_AT)
    two = await feed.predictor.predict(54217, SECOND_AT)
    assert one == two


async def test_a_delivery_handled_twice_has_one_effect(feed):
    await feed.give(weather(), WEATHER_AT)
    delivery = await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    await feed.hand(delivery)
    await feed.quiet()
    assert len(await feed.facts()) == 1


async def test_sets_that_arrive_together_are_answered_by_one_prediction(feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(FIRST), FIRST_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    (fact,) = await feed.facts()
    assert len(fact.element_set_event_ids) == 2


async def test_sets_out_of_order_give_the_prediction_of_the_newest(feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    await feed.give(element_set(FIRST), FIRST_AT)
    await feed.quiet()
    alone, both = await feed.facts()
    assert alone.start_epoch == both.start_epoch
    assert both.known_at == alone.known_at
    assert (len(alone.element_set_event_ids), len(both.element_set_event_ids)) == (1, 2)


async def test_without_weather_a_prediction_is_declined_and_made_once_weather_comes(feed):
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    (declined,) = await feed.facts()
    assert declined.reason == pb.DECLINE_REASON_NO_SPACE_WEATHER
    late = SECOND_AT + timedelta(hours=1)
    await feed.give(weather(), late)
    await feed.quiet()
    _, predicted = await feed.facts()
    assert predicted.known_at.ToDatetime() == late.replace(tzinfo=None)


async def test_weather_published_after_the_set_moves_the_knowledge_to_its_publication(feed):
    late = SECOND_AT + timedelta(hours=1)
    await feed.give(weather(), late)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    (fact,) = await feed.facts()
    assert fact.known_at.ToDatetime() == late.replace(tzinfo=None)


async def test_later_weather_is_not_used_for_what_was_known_before_it(feed):
    """INVARIANT: nothing published after known_at is used. Otherwise every backcast is flattered."""
    await feed.give(weather(flux=100.0), WEATHER_AT)
    await feed.give(weather(flux=200.0), SECOND_AT + timedelta(hours=1))
    await feed.give(element_set(SECOND), SECOND_AT)
    before = await feed.predictor.predict(54217, SECOND_AT)
    after = await feed.predictor.predict(54217, SECOND_AT + timedelta(hours=1))
    assert before.inputs.weather_event_ids != after.inputs.weather_event_ids
    assert before.inputs.drivers_sha256 != after.inputs.drivers_sha256


async def test_new_weather_predicts_a_flying_object_again_and_old_weather_does_not(feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    await feed.give(weather(last_mjd=40000, days=3), SECOND_AT + timedelta(hours=1))
    await feed.quiet()
    assert len(await feed.facts()) == 1
    await feed.give(weather(last_mjd=LAST_MJD, days=2, flux=180.0), SECOND_AT + timedelta(hours=2))
    await feed.quiet()
    assert len(await feed.facts()) == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"mean_motion_rev_day": 2.3, "eccentricity": 0.73}, pb.DECLINE_REASON_DEEP_SPACE),
        ({"mean_motion_rev_day": 15.9, "mean_motion_dot_half_rev_day2": 1e-6}, pb.DECLINE_REASON_TOO_HIGH),
    ],
)
async def test_an_object_that_cannot_be_predicted_is_declined_with_the_reason(feed, changed, reason):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND, bstar_per_earth_radius=1e-6, **changed), SECOND_AT)
    await feed.quiet()
    (fact,) = await feed.facts()
    assert fact.reason == reason
    assert fact.detail


async def test_sets_by_which_an_object_has_come_down_already_give_no_window(feed):
    await feed.give(weather(last_mjd=LAST_MJD + 5), SECOND_AT + timedelta(days=5))
    await feed.give(element_set(SECOND), SECOND_AT + timedelta(days=5))
    await feed.quiet()
    (fact,) = await feed.facts()
    assert fact.reason == pb.DECLINE_REASON_COME_DOWN
    assert "submit a newer set" in fact.detail


async def test_an_object_that_is_not_watched_is_not_predicted(feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND, mean_motion_rev_day=14.2, mean_motion_dot_half_rev_day2=1e-6), SECOND_AT)
    await feed.quiet()
    assert await feed.facts() == []


async def test_a_prediction_that_was_interrupted_is_made_after_the_restart(feed):
    """INVARIANT: work that is due survives the process; a kill between consuming and predicting loses nothing."""
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    async with feed.pool.acquire() as conn, conn.transaction():
        await conn.execute("SELECT FROM due FOR UPDATE")
        task = asyncio.create_task(feed.predictor.work_off())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await feed.facts() == []
    await feed.quiet()
    assert len(await feed.facts()) == 1


async def test_a_killed_computation_is_made_again_in_a_new_process(feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.predictor.predict(54217, SECOND_AT)
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
    await feed.quiet()
    assert len(await feed.facts()) == 1


async def test_an_object_whose_prediction_keeps_dying_is_given_up_and_shown(feed):
    await feed.give(weather(), WEATHER_AT)
    await feed.give(element_set(SECOND), SECOND_AT)
    await feed.pool.execute("UPDATE due SET attempts = 3, error = 'killed'")
    await feed.quiet()
    assert await feed.facts() == []
    assert await feed.predictor.degraded() == ["object 54217 is not predicted: killed"]


async def test_a_rebuild_that_comes_to_the_weather_first_makes_nothing_anew(feed):
    sky = await feed.give(weather(), WEATHER_AT)
    one = await feed.give(element_set(SECOND), SECOND_AT)
    await feed.quiet()
    for table in projections.UPSTREAM_TABLES:
        await feed.pool.execute(f"DELETE FROM {table}")
    await feed.hand(sky)
    await feed.hand(one)
    await feed.quiet()
    assert len(await feed.facts()) == 1
    assert await feed.predictor.degraded() == []


async def dump(pool):
    tables = projections.TABLES + projections.UPSTREAM_TABLES
    return {t: sorted(map(tuple, await pool.fetch(f"SELECT * FROM {t}")), key=repr) for t in tables}


async def test_dropping_and_rebuilding_every_read_model_gives_identical_rows(feed):
    """INVARIANT: the event logs are the truth; a read model holds nothing that is not in them."""
    upstream = [
        await feed.give(element_set(FIRST), FIRST_AT),
        await feed.give(weather(), FIRST_AT + timedelta(hours=1)),
        await feed.give(element_set(SECOND), SECOND_AT),
        await feed.give(tip(60.0), SECOND_AT + timedelta(hours=1)),
    ]
    await feed.quiet()
    before = await dump(feed.pool)
    assert all(before.values())
    for table in projections.TABLES + projections.UPSTREAM_TABLES:
        await feed.pool.execute(f"DELETE FROM {table}")
    async with feed.pool.acquire() as conn, conn.transaction():
        for recorded in await feed.log.load(conn, "decay/54217"):
            await projections.project(conn, recorded)
    for delivery in upstream:
        await feed.hand(delivery)
    await feed.quiet()
    assert await dump(feed.pool) == before
