"""A caller without the right to a source's facts gets nothing of them, whatever is asked of the real server."""

import hashlib
import json
import struct
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from infra.local.testing import settings_of
from libs import contracts, operations, rpc
from libs.operations import Operations
from libs.relay import Relay
from libs.service import ServiceSettings
from services.ingest import projections
from services.ingest import rpc as ingest_rpc
from services.ingest.tests import cases, rows
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.eventlog.v1 import operations_service_pb2 as ops
from spacecom.identity.v1 import identity_contracts_pb2 as identity
from spacecom.ingest.v1 import ingest_service_pb2 as wire

NUMBER = 54217
NAME = b"CANARY R/B"
# What only Space-Track and DISCOS said, as it would stand in an answer.
CANARIES = {
    "name": NAME,
    "designator": b"2022-143B",
    "mass": struct.pack("<d", 20000.5),
    "mean motion": struct.pack("<d", 16.28127082),
    "node": struct.pack("<d", 88.8611),
    "inclination": struct.pack("<d", 41.4743),
    "decay": struct.pack("<d", 2459887.5),
    "predicted latitude": struct.pack("<d", 41.6328125),
    "predicted latitude refused": b"41.6328125",
    "refused text": b"77106-5",
    "owner": b"PRC",
}
TIP = {
    "NORAD_CAT_ID": "54217", "MSG_EPOCH": "2022-11-04 00:00:00", "INSERT_EPOCH": "2022-11-04 00:11:32",
    "DECAY_EPOCH": "2022-11-04 10:04:00", "WINDOW": "60", "REV": "68", "DIRECTION": "ascending",
    "LAT": "41.6328125", "LON": "350.7", "INCL": "41.5", "NEXT_REPORT": "2", "ID": "1234", "HIGH_INTEREST": "Y",
    "OBJECT_NUMBER": "54217",
}  # fmt: skip
SERVICES = (
    "spacecom.ingest.v1.IngestService",
    "spacecom.eventlog.v1.EventLogService",
    "spacecom.eventlog.v1.OperationsService",
)
# A request for each call, one that could bring the facts out. A new call needs one.
REQUESTS: dict[str, list[Message]] = {
    "Submit": [],  # answers with what its caller sent
    "GetSubmission": [  # and this with what it answered that caller
        wire.GetSubmissionRequest(
            header=wire.SubmitHeader(source="space-track"),
            input_sha256=hashlib.sha256(cases.BAD_CHECKSUM.encode()).hexdigest(),
        )
    ],
    "GetObject": [wire.GetObjectRequest(catalogue_number=NUMBER)],
    "ListObjects": [
        wire.ListObjectsRequest(include_gone=True),
        wire.ListObjectsRequest(text="canary", include_gone=True),
        wire.ListObjectsRequest(owner="PRC", include_gone=True),
        wire.ListObjectsRequest(perigee_below_km=500.0, include_gone=True),
    ],
    "CreateObject": [wire.CreateObjectRequest(catalogue_number=NUMBER, reason=b"x", idempotency_key="c")],
    "UpdateObject": [
        wire.UpdateObjectRequest(
            catalogue_number=NUMBER, fields=["launch_site"], etag="5", reason=b"x", idempotency_key="u"
        )
    ],
    "RetireObject": [wire.RetireObjectRequest(catalogue_number=NUMBER, etag="1", reason=b"x", idempotency_key="r")],
    "ListObjectRevisions": [wire.ListObjectRevisionsRequest(catalogue_number=NUMBER)],
    "ListThirdPartyPredictions": [wire.ListThirdPartyPredictionsRequest(catalogue_number=NUMBER)],
    "GetSpaceWeather": [wire.GetSpaceWeatherRequest(first_mjd=59880, last_mjd=59890)],
    "ListSources": [wire.ListSourcesRequest()],
    "ResumeSource": [wire.ResumeSourceRequest(source="space-track-tip", reason=b"x")],
    "ListRejections": [wire.ListRejectionsRequest()],
    "GetRejectedText": [
        wire.GetRejectedTextRequest(
            source="space-track", input_sha256=hashlib.sha256(cases.BAD_CHECKSUM.encode()).hexdigest(), line=line
        )
        for line in (1, 2)
    ],
    "ListAirspaceVolumes": [  # what of it is restricted: test_volumes.py
        wire.ListAirspaceVolumesRequest(west_deg=-180.0, south_deg=-90.0, east_deg=180.0, north_deg=90.0)
    ],
    "Explain": [],  # of each event: see `explanations`
    "Read": [log_pb.ReadRequest()],
    "GetStatus": [ops.GetStatusRequest()],
    "ListParked": [ops.ListParkedRequest()],
    "Redrive": [ops.RedriveRequest(consumer="x")],
    "RebuildReadModels": [ops.RebuildReadModelsRequest()],
    "RebuildTopics": [],  # answers with names of topics, and only to an operator
    "ApplyRetention": [ops.ApplyRetentionRequest()],
    "GetFlow": [ops.GetFlowRequest()],
    "Import": [],  # answers with counts, and only to an operator
}


def methods() -> list[Any]:
    pool: Any = descriptor_pool.Default()
    return [method for name in SERVICES for method in pool.FindServiceByName(name).methods]


def directory() -> contracts.Directory:
    def contract(name: str, classes: list[str]) -> identity.Contract:
        token = hashlib.sha256(name.encode()).hexdigest()
        return identity.Contract(
            organisation_id=name,
            principals=[identity.Principal(principal_id=name, token_sha256=token, roles=[identity.ROLE_ANALYST])],
            entitlements=identity.Entitlements(redistribution_classes=classes),
        )

    made = [contract("outsider", []), contract("entitled", ["space-track", "discos", "internal"])]
    return contracts.directory(identity.Contracts(contracts=made))


@pytest.fixture
async def channel(gate, submit):
    await submit(cases.FIRST.encode(), source="space-track")
    await submit(rows.as_json(rows.SATCAT_ROW, SATNAME=NAME.decode()), source="space-track")
    await submit(rows.as_json(rows.DECAY_ROW), source="space-track-decay")
    await submit(rows.discos(), source="discos")
    await submit(cases.BAD_CHECKSUM.encode(), source="space-track")
    await submit(json.dumps([TIP]).encode(), source="space-track-tip")
    condition = Operations(
        "ingest",
        gate.log,
        Relay(gate.log, "127.0.0.1:1", ""),
        "127.0.0.1:1",
        "",
        tables=projections.TABLES,
    )
    add = [ingest_rpc.register(gate), operations.register(condition)]
    server = rpc.Server(settings_of(ServiceSettings), directory(), add=add, errors=ingest_rpc.ERRORS)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as made:
        yield made
    await server.stop()


async def said(channel, method: Any, request: Message, by: str) -> bytes:
    """All that comes back: answers as they are on the wire, or the refusal's text."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    kind = message_factory.GetMessageClass(method.output_type)
    codec = (type(request).SerializeToString, kind.FromString)
    call = {"metadata": (("authorization", f"Bearer {by}"),), "timeout": 20}
    try:
        if method.server_streaming:
            return b"".join(
                [one.SerializeToString() async for one in channel.unary_stream(path, *codec)(request, **call)]
            )
        answer = await channel.unary_unary(path, *codec)(request, **call)
        return answer.SerializeToString()
    except grpc.aio.AioRpcError as error:
        return (error.details() or "").encode()


async def explanations(channel, gate, by: str) -> bytes:
    """Of each event of the log."""
    explain = next(method for method in methods() if method.name == "Explain")
    asked = [wire.ExplainRequest(event_id=str(fact.event_id)) for fact in await gate.log.read()]
    return b"".join([await said(channel, explain, one, by) for one in asked])


async def everything(channel, by: str) -> dict[str, bytes]:
    return {
        method.name: b"".join([await said(channel, method, request, by) for request in REQUESTS[method.name]])
        for method in methods()
    }


def test_every_call_of_the_server_is_asked():
    assert {method.name for method in methods()} == set(REQUESTS)


async def test_nothing_of_a_restricted_fact_leaves_to_who_has_no_right_to_it(channel):
    """INVARIANT: a fact of Space-Track or DISCOS reaches only who has a right to it: we keep their agreements."""
    leaks = [
        (name, what)
        for name, answer in (await everything(channel, "outsider")).items()
        for what, canary in CANARIES.items()
        if canary in answer
    ]
    assert leaks == []


async def test_each_of_them_reaches_who_has_the_right(channel):
    answers = await everything(channel, "entitled")
    for what in ("name", "designator", "mass", "mean motion", "node", "inclination", "decay", "refused text", "owner"):
        assert CANARIES[what] in answers["Read"], what
    for what in ("name", "mass", "inclination", "decay"):
        assert CANARIES[what] in answers["GetObject"], what
    assert NAME in answers["ListObjectRevisions"]
    assert CANARIES["refused text"] in answers["ListRejections"]
    assert CANARIES["refused text"] in answers["GetRejectedText"]


async def test_the_same_holds_of_explanations(channel, gate):
    held, shown = await explanations(channel, gate, "outsider"), await explanations(channel, gate, "entitled")
    assert [what for what in CANARIES if CANARIES[what] in held or repr_of(what) in held] == []
    assert all(repr_of(what) in shown for what in ("mean motion", "node", "inclination", "predicted latitude"))


def repr_of(what: str) -> bytes:
    """A number as an explanation writes it."""
    return repr(struct.unpack("<d", CANARIES[what])[0]).encode() if len(CANARIES[what]) == 8 else CANARIES[what]


async def test_an_object_of_which_nothing_may_be_shown_is_unknown(channel):
    answers = await everything(channel, "outsider")
    assert b"not in the catalogue" in answers["GetObject"]
    assert answers["ListObjects"] == b""


async def test_what_is_public_of_an_object_is_shown_and_the_rest_named(gate, submit, acting):
    await submit(rows.discos(), source="discos")
    await submit(rows.as_json(rows.CELESTRAK_ROW), source="celestrak")
    acting(identity.ROLE_VIEWER, classes=())
    servicer = ingest_rpc.IngestServicer(gate)
    found = (await servicer.GetObject(wire.GetObjectRequest(catalogue_number=NUMBER), None)).object
    assert (found.object_name, found.description.owner) == (b"CZ-5B R/B", "PRC")
    assert not found.description.HasField("mass_kg")
    assert {"mass_kg", "shape", "discos_id"} <= set(found.withheld)
    assert found.decay.source == "celestrak"
    history = await servicer.ListObjectRevisions(wire.ListObjectRevisionsRequest(catalogue_number=NUMBER), None)
    assert len(history.revisions) == 3
    assert not any(one.revised.description.HasField("mass_kg") for one in history.revisions)
