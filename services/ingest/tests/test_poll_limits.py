"""Never above 83 % of any limit: over simulated days of all policies, with restarts, and at random."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from libs import consume
from libs.astro.time import datetime_to_jd
from libs.eventlog import Cause, new_id
from services.ingest import ledger, reentries
from services.ingest.policies import POLICIES, PROVIDERS, SPACE_TRACK, Limit
from services.ingest.tests.polled import clock, polling, server
from services.ingest.tests.sources_server import Answer, Asked
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.propagation.v1 import propagation_events_pb2 as propagation

__all__ = ["clock", "polling", "server"]

DAY_BEGINS = datetime(2022, 11, 3, 16, tzinfo=UTC)
REENTRY = datetime(2022, 11, 4, 10, 4, tzinfo=UTC)  # as the TIP of the server says
HOUR = timedelta(hours=1)
QUERY = "/basicspacedata/query/class"
RESTARTS = [timedelta(minutes=1), timedelta(minutes=3), *(n * HOUR for n in (5, 6.2, 7, 13, 20, 32))]


def most_in_window(instants: list[datetime], window: timedelta) -> int:
    return max((sum(start <= at < start + window for at in instants) for start in instants), default=0)


def apart(instants: list[datetime]) -> list[timedelta]:
    return [after - before for before, after in pairwise(instants)]


async def test_a_day_of_all_sources_keeps_within_every_limit_over_restarts(polling, server, clock):
    """INVARIANT: at most 83 % of each limit is used, whatever restarts: owners shut out who uses more."""
    server.pages = 120
    clock.now = DAY_BEGINS
    for run_for in RESTARTS:
        async with polling(*PROVIDERS, ingest_history_objects=(10001, 10002, 10003)) as polled:
            if run_for == 13 * HOUR:
                server.sessions = False
            await polled.run(DAY_BEGINS + run_for)
            states = {name: await polled.states(name) for name in POLICIES}
    assert [name for name, facts in states.items() if not facts or any(fact.halted for fact in facts)] == []
    for name, provider in PROVIDERS.items():
        instants = [one.at for one in server.of_provider(name)]
        assert instants
        for limit in provider.limits:
            assert most_in_window(instants, limit.window) <= 0.83 * limit.requests, (name, limit)
    every = {path: [one.at for one in server.of(f"{QUERY}/{path}/")] for path in ("gp", "satcat", "decay", "tip")}
    assert len(every["gp"]) == 33
    assert min(apart(every["gp"])) >= HOUR
    assert [at.hour for at in every["satcat"]] == [17, 17]
    assert len(every["decay"]) == 1
    assert all(
        near == 10 * timedelta(minutes=1)
        for near in apart([at for at in every["tip"] if at > REENTRY - 12 * HOUR and at < REENTRY + 12 * HOUR])
    )
    far = [at for at in every["tip"] if at < REENTRY - 12 * HOUR or at > REENTRY + 12.2 * HOUR]
    assert min(apart(far)) >= HOUR
    assert min(at for at in every["tip"] if at >= REENTRY - 12 * HOUR) - (REENTRY - 12 * HOUR) < timedelta(minutes=10)
    assert set(Counter(one.path for one in server.of(f"{QUERY}/gp_history")).values()) == {1}
    assert len(server.of(f"{QUERY}/gp_history")) == 4  # three that are named, and the one of the TIP
    assert set(Counter(one.path for one in server.of("/api/objects")).values()) == {1}
    assert len(server.of("/api/objects")) == 120


def of_us(message: Any) -> consume.Delivery[Any]:
    now = DAY_BEGINS
    return consume.Delivery(message, new_id(), "decay/54217", 1, 1, now, now, now, Cause(new_id(), None, ""))


@pytest.mark.parametrize("later", ["", "POOR_FIT", "TOO_HIGH"])
async def test_tips_follow_the_predictions_of_the_mesh_where_others_say_nothing(polling, server, clock, gate, later):
    clock.now = DAY_BEGINS
    server.faults[f"{QUERY}/tip/"] = lambda _: Answer(200, b"[]")
    jd, fraction = datetime_to_jd(REENTRY)
    nominal = propagation.Epoch(jd=jd, jd_fraction=fraction)
    commits = [
        await reentries.predicted(of_us(propagation.DecayPredicted(catalogue_number=54217, nominal_epoch=nominal)))
    ]
    if later:
        reason = propagation.DeclineReason.Value(f"DECLINE_REASON_{later}")
        declined = propagation.PredictionDeclined(catalogue_number=54217, reason=reason)
        commits.append(await reentries.declined(of_us(declined)))
    async with gate.pool.acquire() as conn:
        for commit in filter(None, commits):
            await commit(conn)
    async with polling("space-track-tip") as polled:
        await polled.run(REENTRY + 16 * HOUR)
    asked = [one.at for one in server.of(f"{QUERY}/tip/")]
    near = [at for at in asked if REENTRY - 12 * HOUR <= at <= REENTRY + 12 * HOUR]
    cadence = HOUR if later == "TOO_HIGH" else timedelta(minutes=10)
    assert set(apart(near)) == {cadence}
    assert min(near) - (REENTRY - 12 * HOUR) < cadence
    assert all(gap == HOUR for gap in apart([at for at in asked if at > REENTRY + 12.2 * HOUR]))


@pytest.mark.parametrize("back", [timedelta(0), HOUR], ids=["clock goes on", "clock is put back an hour"])
async def test_the_ledger_lets_our_share_through_and_no_more(gate, back):
    rng, now = random.Random(5), DAY_BEGINS
    made: list[datetime] = []
    policy = POLICIES["space-track-gp"]
    async with gate.pool.acquire() as conn:
        for turn in range(3000):
            now += timedelta(seconds=rng.expovariate(0.4))
            if turn == 1500:
                now -= back
            if await ledger.free_at(conn, SPACE_TRACK.name, SPACE_TRACK.limits, now) is None:
                await ledger.book(conn, policy, now, now)
                made.append(now)
    for limit in SPACE_TRACK.limits:
        assert most_in_window(made, limit.window) <= limit.used
    if not back:
        assert most_in_window(made, HOUR) == 249


async def test_it_says_when_there_is_room_again(gate):
    limit, policy = Limit(4, timedelta(minutes=1)), POLICIES["space-track-gp"]
    async with gate.pool.acquire() as conn:
        for second in (0, 10, 20):
            at = DAY_BEGINS + timedelta(seconds=second)
            assert await ledger.free_at(conn, "space-track", [limit], at) is None
            await ledger.book(conn, policy, at, at)
        full = DAY_BEGINS + timedelta(seconds=30)
        free = await ledger.free_at(conn, "space-track", [limit], full)
        assert free == DAY_BEGINS + timedelta(minutes=1)
        assert await ledger.free_at(conn, "space-track", [limit], free) is None


async def test_a_request_that_was_cut_off_is_not_made_again_before_its_time(polling, server, clock):
    """INVARIANT: whoever dies in the middle of a download does not begin it again at once."""
    clock.now = DAY_BEGINS
    arrived = asyncio.Event()

    def drip(_: Asked) -> Answer:
        arrived.set()
        return Answer(200, b"x" * 1000, drip_s=1.0)

    server.faults["/NORAD"] = drip
    async with polling("celestrak-gp") as polled:
        turn = asyncio.create_task(polled.poller.turn("celestrak"))
        await arrived.wait()
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)
    server.faults.clear()
    async with polling("celestrak-gp") as polled:
        await polled.run(DAY_BEGINS + timedelta(hours=2, minutes=-1))
        assert len(server.asked) == 1
        await polled.run(DAY_BEGINS + timedelta(hours=2, minutes=1))
        assert len(server.asked) == 2
        assert (await polled.last("celestrak-gp")).state == pb.SOURCE_STATE_HEALTHY
