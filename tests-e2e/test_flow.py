"""The main job, from outside: real element sets in, hazard by region and an alert out, acknowledged by a person."""

import json
from collections import defaultdict

import grpc
import pytest

from spacecom.alerting.v1 import alerting_service_pb2 as alerting
from spacecom.alerting.v1.alerting_service_pb2_grpc import AlertingServiceStub
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.eventlog.v1.eventlog_service_pb2_grpc import EventLogServiceStub

pytestmark = pytest.mark.xdist_group("played")


def test_the_demonstration_shows_what_it_should(played):
    assert played["checks"] == {
        "truth_in_window": True,
        "named_firs_found": played["checks"]["named_firs_found"],
        "shares_sum_to_one": True,
        "passed": True,
    }
    assert played["checks"]["named_firs_found"] >= 9


def test_the_shares_of_all_regions_and_of_none_sum_to_one(played):
    hazard = played["assessment"]["hazard"]
    assert abs(sum(fir["share"] for fir in hazard["firs"]) + hazard["unassigned_share"] - 1.0) < 1e-9


def test_a_second_demonstration_shows_the_recorded_answer(mesh, played):
    again = mesh.spacecom("demo")
    assert not again["fresh"]
    assert again["assessment"] == played["assessment"]


def test_the_same_inputs_and_seed_give_the_same_bytes(mesh, played):
    """INVARIANT: a published number can be computed again. A prediction asked for anew cites the same files."""
    again = mesh.spacecom("predict", "54217")
    first = played["prediction"]["decay"]
    assert (again["decay"]["seed"], again["decay"]["draws_sha256"]) == (first["seed"], first["draws_sha256"])
    assert again["decay"]["quantiles"] == first["quantiles"]


def test_the_prediction_and_its_hazard_computed_again_are_the_same_to_the_last_digit(mesh, played):
    assert mesh.spacecom("explain", played["prediction"]["event_id"])["identical"]
    found = mesh.spacecom("explain", played["assessment"]["event_id"])
    told = found["explanation"]
    assert told["identical"], [one for one in found["fields"] if not one["identical"]]
    assert told["field_count"] == len(found["fields"]) > 500
    assert {"name": "prediction", "event_id": played["prediction"]["event_id"], "sha256": ""} in told["inputs"]


def test_the_element_sets_of_a_prediction_are_read_again_from_the_bytes_that_came(mesh, played):
    for event_id in played["prediction"]["decay"]["element_set_event_ids"]:
        told = mesh.spacecom("explain", event_id)["explanation"]
        assert (told["type"], told["identical"]) == ("spacecom.ingest.v1.ElementSetAccepted", True)


def test_what_an_assessment_brought_about_is_explained_by_the_assessment(mesh, played):
    opened = mesh.spacecom("events", "tail", "alerting", "--limit", "1")
    told = mesh.spacecom("explain", opened["event_id"])["explanation"]
    assert (told["type"], told["identical"]) == ("spacecom.alerting.v1.EventOpened", True)
    assert [one["name"] for one in told["inputs"]] == ["assessment"]


def test_an_event_that_no_service_recorded_is_told_with_where_it_was_looked_for(mesh):
    done = mesh.run("explain", "00000000-0000-0000-0000-000000000000")
    assert done.returncode == 1
    assert "in the logs of propagation, hazard, alerting, ingest" in done.stderr


def test_a_person_acknowledges_an_alert_and_the_record_names_them(mesh, played):
    alert = played["alerts"][0]["alert_id"]
    token = mesh.files.token("duty-officer").read_text()
    request = alerting.AcknowledgeAlertRequest(alert_id=alert, idempotency_key="once", note=b"seen")
    with mesh.channel("alerting") as channel:
        stub = AlertingServiceStub(channel)
        metadata = (("authorization", f"Bearer {token}"),)
        first = stub.AcknowledgeAlert(request, timeout=10, metadata=metadata)
        repeated = stub.AcknowledgeAlert(request, timeout=10, metadata=metadata)
        assert first == repeated
        request.note = b"something else"
        with pytest.raises(grpc.RpcError) as refused:
            stub.AcknowledgeAlert(request, timeout=10, metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert first.alert.acknowledged_by == "duty-officer"


def test_a_stranger_is_let_in_nowhere(mesh):
    for service in mesh.addresses["services"]:
        with mesh.channel(service) as channel:
            stub = EventLogServiceStub(channel)
            for metadata in ((), (("authorization", "Bearer wrong"),)):
                with pytest.raises(grpc.RpcError) as refused:
                    list(stub.Read(log_pb.ReadRequest(), metadata=metadata))
                assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_one_trace_leads_from_the_submission_to_the_alert(mesh, played):
    """The edges between services: what each handled was caused by the one on its left."""
    spans = [json.loads(line) for line in mesh.files.traces.read_text().splitlines()]
    by_id = {span["span_id"]: span for span in spans}
    traces = defaultdict(set)
    for span in spans:
        parent = by_id.get(span["parent_span_id"])
        if parent:
            ends = (one["service"].removeprefix("spacecom-") for one in (parent, span))
            traces[span["trace_id"]].add((*ends, span["name"]))
    wanted = {
        ("ingest", "propagation", "handle ElementSetAccepted"),
        ("propagation", "hazard", "handle DecayPredicted"),
        ("hazard", "hazard", "handle ChunkRequested"),
        ("hazard", "hazard", "handle ChunkCompleted"),
        ("hazard", "alerting", "handle HazardAssessed"),
    }
    assert any(wanted <= edges for edges in traces.values()), max(traces.values(), key=len)


@pytest.mark.parametrize("service", ["ingest", "propagation", "hazard", "alerting"])
async def test_a_read_model_dropped_and_rebuilt_has_identical_rows(mesh, played, service):
    """INVARIANT: the log holds everything. A projection that reads anything else breaks it."""
    before = await mesh.tables(service)
    assert mesh.spacecom("rebuild-read-models", service)["event_count"] != "0"
    assert await mesh.tables(service) == before
    assert any(before.values())


def test_what_was_known_before_is_not_what_is_known_now(mesh, played):
    known = mesh.run("events", "tail", "alerting", "--as-known-at", "2000-01-01T00:00:00")
    assert (known.returncode, known.stdout) == (0, "")
    lines = [json.loads(line) for line in mesh.run("--json", "events", "tail", "alerting").stdout.splitlines()]
    assert next(line["version"] for line in lines if line["stream"] == "event/54217/1") == "1"
