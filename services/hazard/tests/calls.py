"""Calls to the server as people and programs with contracts make them."""

import hashlib

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from libs import contracts
from spacecom.hazard.v1 import hazard_service_pb2 as wire
from spacecom.identity.v1 import identity_contracts_pb2 as identity

OBJECT = 54217
CALLS = {
    "GetAssessment": wire.GetAssessmentRequest(catalogue_number=OBJECT),
    "ListAssessments": wire.ListAssessmentsRequest(catalogue_number=OBJECT),
    "GetRun": wire.GetRunRequest(run_id="00000000-0000-0000-0000-000000000000"),
    "RequestRun": wire.RequestRunRequest(catalogue_number=OBJECT, idempotency_key="k"),
    "WatchRun": wire.WatchRunRequest(run_id="00000000-0000-0000-0000-000000000000"),
    "CancelRun": wire.CancelRunRequest(run_id="00000000-0000-0000-0000-000000000000", idempotency_key="c"),
    "GetScenario": wire.GetScenarioRequest(catalogue_number=OBJECT),
    "GetCorridor": wire.GetCorridorRequest(catalogue_number=OBJECT),
    "ListMinutes": wire.ListMinutesRequest(catalogue_number=OBJECT),
    "GetProbability": wire.GetProbabilityRequest(catalogue_number=OBJECT),
    "GetRouteHazard": wire.GetRouteHazardRequest(catalogue_number=OBJECT),
    "GetExposure": wire.GetExposureRequest(catalogue_number=OBJECT),
    "PlanClosing": wire.PlanClosingRequest(catalogue_number=OBJECT, idempotency_key="p"),
    "Explain": wire.ExplainRequest(event_id="00000000-0000-0000-0000-000000000000"),
}
STREAMS = ("WatchRun", "Explain")


def directory() -> contracts.Directory:
    def contract(
        name: str,
        role: identity.Role.ValueType,
        numbers: tuple[int, ...] = (),
        most: int = 0,
        classes: tuple[str, ...] = (),
    ) -> identity.Contract:
        token = hashlib.sha256(name.encode()).hexdigest()
        return identity.Contract(
            organisation_id=name,
            principals=[identity.Principal(principal_id=name, token_sha256=token, roles=[role])],
            entitlements=identity.Entitlements(
                catalogue_numbers=numbers, max_sample_count=most, redistribution_classes=classes
            ),
        )

    return contracts.directory(
        identity.Contracts(
            contracts=[
                contract("viewer", identity.ROLE_VIEWER),
                contract("analyst", identity.ROLE_ANALYST),
                contract("elsewhere", identity.ROLE_ANALYST, (25544,)),
                contract("small", identity.ROLE_ANALYST, (), 20),
                contract("entitled", identity.ROLE_ANALYST, classes=("discos",)),
            ]
        )
    )


async def call(stub, method: str, request=None, *, by: str = "analyst"):
    metadata = (("authorization", f"Bearer {by}"),) if by else ()
    called = getattr(stub, method)(request or CALLS[method], timeout=120, metadata=metadata)
    return [one async for one in called] if method in STREAMS else await called


async def refused(stub, method: str, request=None, *, by: str = "analyst") -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(stub, method, request, by=by)
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(caught.value).details[0].Unpack(info)
    return caught.value.code(), info.reason
