"""INVARIANT: every edge of the mesh says what it does with facts that may not go to everyone.

What a call `withholds` is proved against the real server in services/ingest/tests/test_edges.py, in
services/propagation/tests/test_rpc.py and test_tracks.py, in services/hazard/tests/test_rpc.py and in
libs/tests/test_operations.py.
"""

import re
from pathlib import Path

import pytest

from libs import topics
from libs.redistribution import CLASSES, INTERNAL, PUBLIC
from libs.topics import PER_FACT

CHECKOUT = Path(__file__).parents[1]
WITHHOLDS = "leaves out what the caller has no right to"
DERIVED = "holds results of our own only, which are public"
OPERATORS = "is for the operator, who may see all"
OWN = "answers with what the caller sent, or with no fact of a source"

CALLS = {
    "eventlog.EventLogService.Read": WITHHOLDS,
    "eventlog.OperationsService.GetStatus": OWN,
    "eventlog.OperationsService.ListParked": OPERATORS,
    "eventlog.OperationsService.Redrive": OPERATORS,
    "eventlog.OperationsService.RebuildReadModels": OPERATORS,
    "eventlog.OperationsService.RebuildTopics": OPERATORS,
    "eventlog.OperationsService.ApplyRetention": OPERATORS,
    "eventlog.OperationsService.GetFlow": OWN,
    "eventlog.OperationsService.Import": OPERATORS,
    "ingest.IngestService.Submit": OWN,
    "ingest.IngestService.GetSubmission": OWN,
    "ingest.IngestService.GetObject": WITHHOLDS,
    "ingest.IngestService.ListObjects": WITHHOLDS,
    "ingest.IngestService.CreateObject": WITHHOLDS,
    "ingest.IngestService.UpdateObject": WITHHOLDS,
    "ingest.IngestService.RetireObject": WITHHOLDS,
    "ingest.IngestService.ListObjectRevisions": WITHHOLDS,
    "ingest.IngestService.ListThirdPartyPredictions": WITHHOLDS,
    "ingest.IngestService.GetSpaceWeather": WITHHOLDS,
    "ingest.IngestService.ListSources": OWN,
    "ingest.IngestService.ResumeSource": OWN,
    "ingest.IngestService.ListRejections": WITHHOLDS,
    "ingest.IngestService.GetRejectedText": WITHHOLDS,
    "ingest.IngestService.ListAirspaceVolumes": WITHHOLDS,
    "ingest.IngestService.Explain": WITHHOLDS,
    "propagation.PropagationService.Propagate": WITHHOLDS,
    "propagation.PropagationService.Predict": DERIVED,
    "propagation.PropagationService.GetPrediction": DERIVED,
    "propagation.PropagationService.ListPredictions": DERIVED,
    "propagation.PropagationService.StreamEphemeris": WITHHOLDS,
    "propagation.PropagationService.StreamGroundTrack": DERIVED,
    "propagation.PropagationService.GetCzml": WITHHOLDS,
    "propagation.PropagationService.Explain": DERIVED,
    "propagation.PropagationService.CompareWithOthers": WITHHOLDS,
    "hazard.HazardService.GetAssessment": DERIVED,
    "hazard.HazardService.ListAssessments": DERIVED,
    "hazard.HazardService.GetRun": DERIVED,
    "hazard.HazardService.RequestRun": DERIVED,
    "hazard.HazardService.WatchRun": DERIVED,
    "hazard.HazardService.CancelRun": OWN,
    "hazard.HazardService.GetScenario": WITHHOLDS,
    "hazard.HazardService.GetCorridor": DERIVED,
    "hazard.HazardService.ListMinutes": DERIVED,
    "hazard.HazardService.GetProbability": DERIVED,
    "hazard.HazardService.GetRouteHazard": DERIVED,
    "hazard.HazardService.GetExposure": DERIVED,
    "hazard.HazardService.PlanClosing": DERIVED,
    "hazard.HazardService.Explain": DERIVED,
    "alerting.AlertingService.ListAlerts": DERIVED,
    "alerting.AlertingService.GetAlert": DERIVED,
    "alerting.AlertingService.AcknowledgeAlert": DERIVED,
    "alerting.AlertingService.ClearAlert": DERIVED,
    "alerting.AlertingService.ListReentryEvents": DERIVED,
    "alerting.AlertingService.Explain": DERIVED,
}
# Whether a partner may be given an ACL: of PER_FACT and internal topics none, whatever the contract.
TOPICS = {
    "spacecom.ingest.v1": PER_FACT,
    "spacecom.propagation.v1": PUBLIC,
    "spacecom.hazard.v1": PUBLIC,
    "spacecom.hazard.work.v1": INTERNAL,
    "spacecom.alerting.v1": PUBLIC,
}


def calls() -> set[str]:
    found = set()
    for path in sorted((CHECKOUT / "proto").rglob("*.proto")):
        package = path.relative_to(CHECKOUT / "proto/spacecom").parts[0]
        for service, body in re.findall(r"^service (\w+) \{(.*?)^\}", path.read_text(), re.DOTALL | re.MULTILINE):
            found |= {f"{package}.{service}.{call}" for call in re.findall(r"^  rpc (\w+)\(", body, re.MULTILINE)}
    return found


def test_every_call_of_the_mesh_says_what_it_does_with_restricted_facts():
    assert calls() == set(CALLS)


def test_every_topic_of_the_mesh_says_how_far_it_may_be_read():
    assert {topic.name: topic.redistribution for topic in topics.TOPICS} == TOPICS


def test_every_type_of_fact_has_a_class_whatever_its_writer_says(event_types):
    assert all(topics.redistribution_of(kind, "") in CLASSES for kind in event_types)


@pytest.mark.parametrize("topic", topics.TOPICS, ids=lambda topic: topic.name)
def test_a_partner_reads_only_topics_of_which_all_is_theirs(topic):
    partner = frozenset({PUBLIC, "space-track", "discos"})
    assert topics.open_to(topic, partner) is (topic.redistribution == PUBLIC)
    assert topics.open_to(topic, frozenset(CLASSES))


def test_only_facts_of_sources_say_their_own_class(event_types):
    """Every type on a public topic is a result of ours; that of a source would be public by its place alone."""
    restricted = {kind for kind in event_types if topics.topic_of(kind).redistribution != PUBLIC}
    assert {kind.split(".")[1] for kind in restricted} == {"ingest", "hazard"}
    assert {kind for kind in restricted if kind.startswith("spacecom.hazard")} == {"spacecom.hazard.v1.ChunkRequested"}
