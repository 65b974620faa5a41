"""Recorded facts decided again on the assessments they cite, over the server."""

from dataclasses import replace
from datetime import timedelta

import grpc
import pytest

from libs.eventlog import Fact, Recorded, new_id
from services.alerting.tests.conftest import OBJECT, START, Feed
from services.alerting.tests.test_rpc import ALERT, call, refused
from spacecom.alerting.v1 import alerting_service_pb2 as wire

STATE = grpc.StatusCode.FAILED_PRECONDITION
STREAMS = (f"event/{OBJECT}/1", f"alert/{ALERT}", f"alert/{OBJECT}/1/LFFF")


@pytest.fixture
async def lived(feed, stub) -> dict[str, Recorded]:
    """An event and its alerts: raised, acknowledged, revised so that it is armed again, cleared. The last of a kind."""
    await feed.give({"LECB": 0.1, "LFFF": 0.1}, lead=timedelta(hours=60))
    await call(stub, "AcknowledgeAlert")
    await feed.give({"LECB": 0.3, "LFFF": 0.2}, version=2, lead=timedelta(hours=12))
    await feed.give({"LECB": 0.2}, version=3, lead=timedelta(hours=10))
    found = [fact for stream in STREAMS for fact in await feed.facts(stream)]
    return {fact.type.rpartition(".")[2]: fact for fact in found}


async def explain(stub, fact: Recorded, by: str = "viewer") -> wire.ExplainResponse:
    return await call(stub, "Explain", wire.ExplainRequest(event_id=str(fact.event_id)), by=by)


async def recorded(feed: Feed, fact: Recorded, message) -> Recorded:
    """What somebody else wrote into the log after the fact."""
    async with feed.pool.acquire() as conn, conn.transaction():
        after = len(await feed.log.load(conn, fact.stream))
        other = Fact(message, START, new_id())
        (made,) = await feed.log.append(conn, fact.stream, [other], after=after, cause=fact.cause)
        return made


def differing(answer: wire.ExplainResponse) -> dict[str, tuple[str, str]]:
    return {one.path: (one.recorded, one.recomputed) for one in answer.fields if not one.identical}


async def test_every_fact_that_an_assessment_brought_about_is_the_same_when_decided_again(feed, stub, lived):
    """INVARIANT: what is alerted is what hazard has on record."""
    kinds = {"EventOpened", "EventStateChanged", "EventLinked", "AlertRaised", "AlertRevised", "AlertAcknowledged"}
    assert lived.keys() == {*kinds, "AlertCleared"}
    for fact in lived.values():
        answer = await explain(stub, fact)
        assert answer.explanation.identical, (fact.type, differing(answer))
        assert answer.explanation.field_count == len(answer.fields) > 0
        (cited,) = answer.explanation.inputs
        assert cited.event_id in feed.assessments.known or cited.name == "alert"


async def test_a_number_that_is_not_the_assessments_is_told(feed, stub, lived):
    forged = lived["EventLinked"].message()
    forged.window_end_time.nanos += 1
    answer = await explain(stub, await recorded(feed, lived["EventLinked"], forged))
    end = lived["EventLinked"].message().window_end_time.ToJsonString()
    assert differing(answer) == {"window_end_time": (forged.window_end_time.ToJsonString(), end)}
    raised = lived["AlertRaised"].message()
    raised.threat.share = 0.9
    answer = await explain(
        stub, await recorded(feed, replace(lived["AlertRaised"], stream="alert/54217/1/LFFF"), raised)
    )
    assert differing(answer)["threat.share"] == ("0.9", "0.1")


async def test_what_is_gone_or_was_decided_by_other_settings_is_told(feed, stub, lived):
    asked = wire.ExplainRequest(event_id=str(lived["AlertRevised"].event_id))
    known = feed.assessments.known.copy()
    feed.assessments.known.clear()
    with pytest.raises(grpc.aio.AioRpcError, match="hazard does not give assessment"):
        await call(stub, "Explain", asked)
    feed.assessments.known.update(known)
    cleared = lived["AlertCleared"].message()
    cleared.assessment_event_id = lived["AlertRevised"].message().threat.assessment_event_id
    other = await recorded(feed, replace(lived["AlertRevised"], stream=f"alert/{ALERT}"), cleared)
    assert await refused(stub, "Explain", wire.ExplainRequest(event_id=str(other.event_id))) == (
        STATE,
        "FAILED_PRECONDITION",
    )


async def test_the_act_of_a_person_was_not_computed(feed, stub):
    await feed.give({"LECB": 0.1})
    await call(stub, "ClearAlert")
    (_, fact) = await feed.facts(f"alert/{ALERT}")
    asked = wire.ExplainRequest(event_id=str(fact.event_id))
    assert await refused(stub, "Explain", asked) == (STATE, "NOTHING_COMPUTED")


async def test_what_the_contract_does_not_cover_is_not_explained(feed, stub):
    await feed.give({"LECB": 0.1, "LFFF": 0.2})
    await feed.give({"LECB": 0.3}, number=25544)
    missing = grpc.StatusCode.NOT_FOUND, "UNKNOWN_EVENT"
    assert await refused(stub, "Explain") == missing
    for stream in (f"alert/{OBJECT}/1/LFFF", "alert/25544/1/LECB", "event/25544/1"):
        (fact, *_) = await feed.facts(stream)
        asked = wire.ExplainRequest(event_id=str(fact.event_id))
        assert await refused(stub, "Explain", asked, by="limited") == missing
    (mine,) = await feed.facts(f"alert/{ALERT}")
    assert await explain(stub, mine, by="limited") == await explain(stub, mine)
    assert await refused(stub, "Explain", wire.ExplainRequest(event_id="x")) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "BAD_REQUEST",
    )
