import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from libs.eventlog import Cause, new_id
from libs.operations import Operations
from libs.relay import Relay
from services.alerting import domain, handlers, projections
from services.alerting.tests.conftest import OBJECT, START
from spacecom.alerting.v1 import alerting_events_pb2 as pb
from spacecom.hazard.v1 import hazard_events_pb2 as hazard

EVENT, ALERT = f"event/{OBJECT}/1", f"alert/{OBJECT}/1/LECB"
DAY = timedelta(days=1)


async def act(feed, command: domain.Acknowledge | domain.Clear) -> None:
    async with feed.pool.acquire() as conn, conn.transaction():
        await feed.desk.act(conn, command, datetime.now(UTC), Cause(new_id(), None, ""))


async def rows(feed) -> dict[str, list[tuple]]:
    return {
        table: sorted(map(tuple, await feed.pool.fetch(f"SELECT * FROM {table}")), key=repr)
        for table in projections.TABLES
    }


async def test_an_assessment_opens_an_event_and_raises_an_alert_for_each_region_over_a_threshold(feed):
    delivery = await feed.give({"LECB": 0.1, "LECM": 0.05, "LFFF": 0.0001})
    opened, linked = (fact.message() for fact in await feed.facts(EVENT))
    assert (opened.state, opened.catalogue_number) == (pb.EVENT_STATE_WARNING, OBJECT)
    assert linked.assessment_event_id == opened.assessment_event_id == str(delivery.event_id)
    (raised,) = (fact.message() for fact in await feed.facts(ALERT))
    assert (raised.fir_name, raised.threat.share) == ("FIR LECB", 0.1)
    assert raised.threat.first_entry_time.ToDatetime(UTC) == START + timedelta(hours=1)
    assert await feed.kinds(f"alert/{OBJECT}/1/LECM") == ["AlertRaised"]
    assert await feed.kinds(f"alert/{OBJECT}/1/LFFF") == []


async def test_facts_occurred_when_what_they_rest_on_was_known_and_name_their_cause(feed):
    delivery = await feed.give({"LECB": 0.1})
    for fact in [*await feed.facts(EVENT), *await feed.facts(ALERT)]:
        assert fact.occurred_at == START - timedelta(hours=12)
        assert fact.cause == delivery.cause


async def test_later_assessments_revise_and_the_state_follows_the_time_to_the_window(feed):
    for version, lead in enumerate((8 * DAY, 3 * DAY, DAY, DAY / 12), 1):
        await feed.give({"LECB": 0.1}, version, lead)
    states = [fact.message().state for fact in await feed.facts(EVENT) if not fact.type.endswith("EventLinked")]
    assert states == [
        pb.EVENT_STATE_MONITORING,
        pb.EVENT_STATE_WATCH,
        pb.EVENT_STATE_WARNING,
        pb.EVENT_STATE_IMMINENT,
    ]
    assert await feed.kinds(ALERT) == ["AlertRaised", *["AlertRevised"] * 3]


async def test_a_region_that_is_named_no_more_is_cleared(feed):
    await feed.give({"LECB": 0.1, "LECM": 0.1})
    await feed.give({"LECM": 0.2}, version=2)
    assert await feed.kinds(ALERT) == ["AlertRaised", "AlertCleared"]
    assert await feed.kinds(f"alert/{OBJECT}/1/LECM") == ["AlertRaised", "AlertRevised"]


async def test_a_later_assessment_of_an_older_prediction_changes_nothing(feed):
    """INVARIANT: the newest prediction stands. Assessments of long runs may arrive after those of newer predictions."""
    await feed.give({"LECB": 0.1}, version=2)
    before = await rows(feed)
    await feed.give({"LECB": 0.9, "LECM": 0.9}, version=1)
    assert await rows(feed) == before
    assert await feed.log.head() == 3


async def test_another_assessment_of_the_same_prediction_revises(feed):
    await feed.give({"LECB": 0.1})
    await feed.give({"LECB": 0.2})
    assert await feed.kinds(ALERT) == ["AlertRaised", "AlertRevised"]


async def test_what_is_derived_again_has_the_same_ids_and_cannot_be_recorded_twice(feed):
    """INVARIANT: a fact that follows from another has one id. The progress row is the first guard, this the last."""
    delivery = await feed.give({"LECB": 0.1})
    before = await rows(feed)
    with pytest.raises(asyncpg.UniqueViolationError):
        await feed.hand(delivery)
    assert await rows(feed) == before


async def test_an_acknowledgement_is_kept_until_the_threat_doubles(feed):
    await feed.give({"LECB": 0.1})
    await act(feed, domain.Acknowledge(f"{OBJECT}/1/LECB", "officer", b"seen"))
    await feed.give({"LECB": 0.15}, version=2)
    assert await feed.pool.fetchval("SELECT state FROM alerts") == "acknowledged"
    await feed.give({"LECB": 0.2}, version=3)
    row = await feed.pool.fetchrow("SELECT state, acknowledged_by, acknowledged_at FROM alerts")
    assert tuple(row) == ("unacknowledged", "", None)


async def test_a_person_and_an_assessment_at_the_same_moment_both_count(feed):
    """INVARIANT: a decision on an alert that changed meanwhile conflicts. Otherwise the second overwrites the first."""
    await feed.give({"LECB": 0.1})
    outcomes = await asyncio.gather(
        *(act(feed, domain.Acknowledge(f"{OBJECT}/1/LECB", f"officer {n}", b"")) for n in range(8)),
        return_exceptions=True,
    )
    assert sum(outcome is None for outcome in outcomes) == 1
    assert await feed.kinds(ALERT) == ["AlertRaised", "AlertAcknowledged"]


async def test_two_objects_have_events_of_their_own(feed):
    await feed.give({"LECB": 0.1})
    await feed.give({"LECB": 0.3}, number=25544)
    alerts = await feed.pool.fetch("SELECT alert_id, share FROM alerts ORDER BY 1")
    assert [tuple(row) for row in alerts] == [("25544/1/LECB", 0.3), ("54217/1/LECB", 0.1)]


async def test_every_fact_of_hazard_has_a_handler(feed):
    parts = {"FirHazard", "FirPass", "PieceHazard", "TravellingBox", "ConservativeBaseline"}
    parts |= {"ClosingWay", "Closure", "Spill", "QuickInputs"}
    facts = set(hazard.DESCRIPTOR.message_types_by_name) - parts
    handled = {kind.DESCRIPTOR.name for kind in handlers.handlers(feed.desk)}
    assert facts - handled == {"ChunkRequested"}  # one of another topic


async def test_dropping_and_rebuilding_every_read_model_gives_identical_rows(feed, namespace):
    """INVARIANT: the event log is the truth; a read model holds nothing that is not in it."""
    await feed.give({"LECB": 0.1, "LECM": 0.1, "LPPC": 0.1, "LFFF": 0.1}, lead=3 * DAY)
    await act(feed, domain.Acknowledge(f"{OBJECT}/1/LECB", "officer", b"seen"))
    await act(feed, domain.Acknowledge(f"{OBJECT}/1/LPPC", "officer", b"seen"))
    await act(feed, domain.Clear(f"{OBJECT}/1/LECM", "officer", b"no"))
    await feed.give({"LECB": 0.15, "LECM": 0.4, "LPPC": 0.3}, version=2)
    before = await rows(feed)
    assert {row[5] for row in before["alerts"]} == {"acknowledged", "unacknowledged", "cleared"}
    relay = Relay(feed.log, "127.0.0.1:1", namespace)
    operations = Operations("alerting", feed.log, relay, "", namespace, tables=projections.TABLES)
    await feed.pool.execute("UPDATE alerts SET share = 0; DELETE FROM reentry_events")
    assert await operations.rebuild_read_models("") == await feed.log.head()
    assert await rows(feed) == before
