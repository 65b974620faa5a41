"""Every consumer of a topic knows every fact that is published there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import symbol_database

from infra import wire_comments
from libs import topics
from services.alerting import handlers as alerting
from services.hazard import handlers as hazard
from services.hazard.working import Worker
from services.ingest import reentries
from services.propagation import handlers as propagation

GOLDEN = Path(__file__).parents[2] / "tests-contract/golden"
NOBODY: Any = None  # a table is made without what its handlers would use
TABLES: Mapping[tuple[str, str], Mapping[Any, Any]] = {
    ("spacecom.ingest.v1", "propagation"): propagation.handlers(propagation.Watch(NOBODY, NOBODY, NOBODY, NOBODY)),
    ("spacecom.ingest.v1", "hazard-airspace"): hazard.of_ingest(hazard.Starter(NOBODY)),
    ("spacecom.propagation.v1", "hazard"): hazard.of_propagation(hazard.Starter(NOBODY)),
    ("spacecom.propagation.v1", "ingest-reentries"): reentries.of_propagation(),
    ("spacecom.hazard.v1", "hazard-runs"): hazard.of_hazard(hazard.Settler(NOBODY)),
    ("spacecom.hazard.v1", "alerting"): alerting.handlers(alerting.Desk(NOBODY, NOBODY)),
    ("spacecom.hazard.work.v1", "hazard-worker"): hazard.of_work(Worker(NOBODY)),
}


def test_the_consumers_of_every_topic_are_those_declared():
    assert set(TABLES) == {(topic.name, consumer) for topic in topics.TOPICS for consumer in topic.consumers}


@pytest.mark.parametrize(("topic", "consumer"), TABLES)
def test_a_consumer_has_a_handler_for_each_type_of_its_topic_and_no_other(topic, consumer):
    """INVARIANT: nothing is parked for being new. A type without an entry would be, in every deployment at once."""
    published = {
        message.full_name
        for message in wire_comments.event_messages()
        if message.is_event and topics.topic_of(message.full_name).name == topic
    }
    assert {kind.DESCRIPTOR.full_name for kind in TABLES[topic, consumer]} == published


@pytest.mark.parametrize(("topic", "consumer"), TABLES)
def test_a_consumer_decodes_the_golden_instance_of_each_type(topic, consumer):
    for kind in TABLES[topic, consumer]:
        wire = bytes.fromhex(json.loads((GOLDEN / f"{kind.DESCRIPTOR.full_name}.json").read_text())["wire"])
        decoded = kind.FromString(wire)
        assert type(decoded) is symbol_database.Default().GetSymbol(kind.DESCRIPTOR.full_name)
        assert decoded.SerializeToString(deterministic=True) == wire
