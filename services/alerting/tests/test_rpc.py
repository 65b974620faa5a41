"""The server as its callers meet it: who is let in, what they may see, and one effect for each key."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from services.alerting.tests.conftest import OBJECT, acting
from spacecom.alerting.v1 import alerting_service_pb2 as wire

ALERT = f"{OBJECT}/1/LECB"
CALLS = {
    "ListAlerts": wire.ListAlertsRequest(),
    "GetAlert": wire.GetAlertRequest(alert_id=ALERT),
    "AcknowledgeAlert": wire.AcknowledgeAlertRequest(alert_id=ALERT, idempotency_key="k"),
    "ClearAlert": wire.ClearAlertRequest(alert_id=ALERT, idempotency_key="k", note=b"why"),
    "ListReentryEvents": wire.ListReentryEventsRequest(),
    "Explain": wire.ExplainRequest(event_id="00000000-0000-0000-0000-000000000000"),
}
COMMANDS = ("AcknowledgeAlert", "ClearAlert")


async def call(stub, method: str, request=None, *, by: str = "officer"):
    return await getattr(stub, method)(request or CALLS[method], timeout=20, metadata=acting(by) if by else ())


async def refused(stub, method: str, request=None, *, by: str = "officer") -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(stub, method, request, by=by)
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(caught.value)
    assert status.details[0].Unpack(info)
    return caught.value.code(), info.reason


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("by", ["", "stranger"])
async def test_a_stranger_is_let_in_nowhere(stub, method, by):
    assert await refused(stub, method, by=by) == (grpc.StatusCode.UNAUTHENTICATED, "UNKNOWN_TOKEN")


def test_every_method_is_called_by_these_tests():
    assert set(CALLS) == {m.name for m in wire.DESCRIPTOR.services_by_name["AlertingService"].methods}


@pytest.mark.parametrize("method", COMMANDS)
async def test_a_viewer_looks_and_does_not_act(feed, stub, method):
    await feed.give({"LECB": 0.1})
    assert await refused(stub, method, by="viewer") == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
    for reading in set(CALLS) - {*COMMANDS, "Explain"}:
        await call(stub, reading, by="viewer")


async def test_what_the_contract_does_not_cover_does_not_exist_for_the_caller(feed, stub):
    """INVARIANT: refused as if it were not there. Another answer would tell that it is."""
    await feed.give({"LECB": 0.1, "LFFF": 0.2})
    await feed.give({"LECB": 0.3}, number=25544)
    listed = await call(stub, "ListAlerts", by="limited")
    assert [alert.alert_id for alert in listed.alerts] == [ALERT]
    events = await call(stub, "ListReentryEvents", by="limited")
    assert [event.catalogue_number for event in events.events] == [OBJECT]
    unknown = (grpc.StatusCode.NOT_FOUND, "UNKNOWN_ALERT")
    for alert in (f"{OBJECT}/1/LFFF", "25544/1/LECB", f"{OBJECT}/1/XXXX", "", "x" * 5000):
        assert await refused(stub, "GetAlert", wire.GetAlertRequest(alert_id=alert), by="limited") == unknown
        command = wire.AcknowledgeAlertRequest(alert_id=alert, idempotency_key="k")
        assert await refused(stub, "AcknowledgeAlert", command, by="limited") == unknown
    assert await feed.kinds(f"alert/{OBJECT}/1/LFFF") == ["AlertRaised"]


async def test_an_alert_is_acknowledged_in_the_name_of_the_caller(feed, stub):
    await feed.give({"LECB": 0.1})
    answer = (await call(stub, "AcknowledgeAlert")).alert
    assert (answer.state, answer.acknowledged_by, answer.version) == (
        wire.ALERT_STATE_ACKNOWLEDGED,
        "officer",
        2,
    )
    assert (await call(stub, "GetAlert", by="viewer")).alert == answer
    (_, fact) = await feed.facts(f"alert/{ALERT}")
    assert (fact.message().principal_id, fact.message().share_seen) == ("officer", 0.1)


@pytest.mark.parametrize("method", COMMANDS)
async def test_a_hundred_requests_with_one_key_have_one_effect_and_one_answer(feed, stub, method):
    """INVARIANT: idempotent commands. A client that lost its answer asks again, as often as it likes."""
    await feed.give({"LECB": 0.1})
    answers = await asyncio.gather(*(call(stub, method) for _ in range(100)))
    assert {answer.SerializeToString(deterministic=True) for answer in answers} == {
        answers[0].SerializeToString(deterministic=True)
    }
    assert len(await feed.facts(f"alert/{ALERT}")) == 2
    assert await call(stub, method) == answers[0]


async def test_a_key_is_not_to_be_used_for_another_request(feed, stub):
    await feed.give({"LECB": 0.1})
    await call(stub, "AcknowledgeAlert")
    other = wire.AcknowledgeAlertRequest(alert_id=ALERT, idempotency_key="k", note=b"other")
    mismatch = (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_MISMATCH")
    assert await refused(stub, "AcknowledgeAlert", other) == mismatch
    assert len(await feed.facts(f"alert/{ALERT}")) == 2


async def test_a_refused_command_may_be_sent_again_with_its_key_once_it_can_be_done(feed, stub):
    assert await refused(stub, "AcknowledgeAlert") == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_ALERT")
    await feed.give({"LECB": 0.1})
    assert (await call(stub, "AcknowledgeAlert")).alert.acknowledged_by == "officer"


async def test_commands_that_come_too_late_say_so(feed, stub):
    await feed.give({"LECB": 0.1})
    await call(stub, "AcknowledgeAlert")
    again = wire.AcknowledgeAlertRequest(alert_id=ALERT, idempotency_key="k2")
    state = grpc.StatusCode.FAILED_PRECONDITION
    assert await refused(stub, "AcknowledgeAlert", again) == (state, "ALREADY_ACKNOWLEDGED")
    old = wire.ClearAlertRequest(alert_id=ALERT, idempotency_key="k3", note=b"no", expected_version=1)
    assert await refused(stub, "ClearAlert", old) == (grpc.StatusCode.ABORTED, "VERSION_MISMATCH")
    old.expected_version = 2
    assert (await call(stub, "ClearAlert", old)).alert.state == wire.ALERT_STATE_CLEARED
    last = wire.ClearAlertRequest(alert_id=ALERT, idempotency_key="k4", note=b"no")
    assert await refused(stub, "ClearAlert", last) == (state, "ALREADY_CLEARED")


async def test_acknowledging_while_assessments_revise_is_decided_anew(feed, stub):
    """INVARIANT: a conflict is no answer to a person; what they asked is done on what the alert is by then."""
    await feed.give({"LECB": 0.1})

    async def revise() -> None:
        for version in range(2, 12):
            await feed.give({"LECB": 0.1}, version)

    async def acknowledge(n: int) -> None:
        request = wire.AcknowledgeAlertRequest(alert_id=ALERT, idempotency_key=f"k{n}")
        await call(stub, "AcknowledgeAlert", request)

    outcomes = await asyncio.gather(revise(), *(acknowledge(n) for n in range(5)), return_exceptions=True)
    assert outcomes[0] is None
    assert sum(outcome is None for outcome in outcomes[1:]) == 1
    assert (await call(stub, "GetAlert")).alert.acknowledged_by == "officer"


BAD = [
    ("ListAlerts", wire.ListAlertsRequest(page_size=1001)),
    ("ListAlerts", wire.ListAlertsRequest(page_size=-1)),
    ("ListAlerts", wire.ListAlertsRequest(page_token="none of ours")),
    ("ListAlerts", wire.ListAlertsRequest(page_token="0.5 \0")),
    ("ListReentryEvents", wire.ListReentryEventsRequest(page_token="-1")),
    ("ListReentryEvents", wire.ListReentryEventsRequest(page_token="9" * 30)),
    ("GetAlert", wire.GetAlertRequest(alert_id="a\0b")),
    ("AcknowledgeAlert", wire.AcknowledgeAlertRequest(alert_id=ALERT)),
    ("AcknowledgeAlert", wire.AcknowledgeAlertRequest(alert_id=ALERT, idempotency_key="k" * 129)),
    ("AcknowledgeAlert", wire.AcknowledgeAlertRequest(alert_id=ALERT, idempotency_key="k\0")),
    ("AcknowledgeAlert", wire.AcknowledgeAlertRequest(alert_id=ALERT, idempotency_key="k", note=bytes(2001))),
    ("ClearAlert", wire.ClearAlertRequest(alert_id=ALERT, idempotency_key="k")),
]  # fmt: skip


@pytest.mark.parametrize(("method", "request_"), BAD, ids=[f"{n} {method}" for n, (method, _) in enumerate(BAD)])
async def test_a_request_that_is_not_in_order_is_refused_as_the_callers_fault(feed, stub, method, request_):
    await feed.give({"LECB": 0.1})
    assert (await refused(stub, method, request_))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_pages_show_every_alert_once_the_greatest_share_first(feed, stub):
    await feed.give({f"L{n:03d}": 0.01 * (n // 3 + 1) for n in range(25)})
    seen, token = [], ""
    while True:
        page = await call(stub, "ListAlerts", wire.ListAlertsRequest(page_size=4, page_token=token))
        seen += [(alert.threat.share, alert.alert_id) for alert in page.alerts]
        token = page.next_page_token
        if not token:
            break
    assert len(set(seen)) == len(seen) == 25
    assert seen == sorted(seen, key=lambda one: (-one[0], one[1]))


async def test_cleared_alerts_are_listed_when_asked_for(feed, stub):
    await feed.give({"LECB": 0.1, "LECM": 0.1})
    await call(stub, "ClearAlert")
    standing = await call(stub, "ListAlerts")
    assert [alert.fir_designator for alert in standing.alerts] == ["LECM"]
    everything = await call(stub, "ListAlerts", wire.ListAlertsRequest(include_cleared=True))
    assert len(everything.alerts) == 2
