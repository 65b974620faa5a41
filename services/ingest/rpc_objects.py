"""The calls of IngestService about the catalogue: translate, call, translate."""

from datetime import UTC, datetime
from typing import TypeVar

from libs import rpc, telemetry
from libs.astro.elements import MAX_CATALOGUE_NUMBER
from libs.eventlog import Cause, RequestKey, new_id
from libs.postgres import Connection
from services.ingest import codec_objects, domain, editing, queries_objects, shown
from services.ingest.description import Description
from services.ingest.handlers import Gate
from services.ingest.objects import Create, Edit, Retire, Update
from services.ingest.paging import page_size, page_start
from services.ingest.queries_objects import Search
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_VIEWER
from spacecom.ingest.v1 import ingest_service_pb2 as wire
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceServicer

MAX_KEY, MAX_REASON, MAX_SEARCH = 128, 500, 200
EditRequest = wire.CreateObjectRequest | wire.UpdateObjectRequest | wire.RetireObjectRequest
A = TypeVar("A", wire.CreateObjectResponse, wire.UpdateObjectResponse, wire.RetireObjectResponse)


class ObjectsServicer(IngestServiceServicer):
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def GetObject(self, request: wire.GetObjectRequest, context: object) -> wire.GetObjectResponse:
        rpc.require(ROLE_VIEWER)
        async with self._gate.pool.acquire() as conn:
            return wire.GetObjectResponse(object=await _shown(conn, request.catalogue_number))

    async def ListObjects(self, request: wire.ListObjectsRequest, context: object) -> wire.ListObjectsResponse:
        rpc.require(ROLE_VIEWER)
        size = page_size(request.page_size)
        search = _search(request)
        async with self._gate.pool.acquire() as conn:
            after = page_start(request.page_token)
            rows = await queries_objects.objects_after(conn, after, size + 1, search)
        token = str(rows[size - 1].catalogue_number) if len(rows) > size else ""
        found = [shown.catalogue_object(row, search.rights) for row in rows[:size]]
        return wire.ListObjectsResponse(objects=found, next_page_token=token)

    async def ListObjectRevisions(
        self, request: wire.ListObjectRevisionsRequest, context: object
    ) -> wire.ListObjectRevisionsResponse:
        rpc.require(ROLE_VIEWER)
        held = rpc.rights()
        async with self._gate.pool.acquire() as conn:
            await _shown(conn, request.catalogue_number)
            facts = await self._gate.log.load(conn, f"object/{request.catalogue_number}")
        answer = wire.ListObjectRevisionsResponse()
        for recorded in facts:
            change = answer.revisions.add(etag=str(recorded.version))
            change.recorded_at.FromDatetime(recorded.recorded_at)
            shown.revision(change, recorded.message(), recorded.redistribution, held)
        return answer

    async def CreateObject(self, request: wire.CreateObjectRequest, context: object) -> wire.CreateObjectResponse:
        by, at, number = _editor(request), datetime.now(UTC), request.catalogue_number
        if not 1 <= number <= MAX_CATALOGUE_NUMBER:
            raise domain.BadEdit(f"catalogue number {number} is not 1 to {MAX_CATALOGUE_NUMBER}")
        command = Create(number, _description(request), by, at, request.reason)
        return await self._edit(request, command, wire.CreateObjectResponse)

    async def UpdateObject(self, request: wire.UpdateObjectRequest, context: object) -> wire.UpdateObjectResponse:
        by, at, version = _editor(request), datetime.now(UTC), _version(request.etag)
        said, names = _description(request), tuple(request.fields)
        command = Update(request.catalogue_number, said, names, version, by, at, request.reason)
        return await self._edit(request, command, wire.UpdateObjectResponse)

    async def RetireObject(self, request: wire.RetireObjectRequest, context: object) -> wire.RetireObjectResponse:
        by, at, version = _editor(request), datetime.now(UTC), _version(request.etag)
        command = Retire(request.catalogue_number, version, by, at, request.reason)
        return await self._edit(request, command, wire.RetireObjectResponse)

    async def _edit(self, request: EditRequest, command: Edit, kind: type[A]) -> A:
        key = RequestKey(
            command.by, type(command).__name__ + "Object", request.idempotency_key, request.SerializeToString()
        )
        cause = Cause(new_id(), None, telemetry.current_traceparent())

        async def answer(conn: Connection) -> A:
            return kind(object=await _shown(conn, command.catalogue_number))

        return await editing.edit(self._gate.log, editing.Request(command, key, cause), answer, kind)


async def _shown(conn: Connection, number: int) -> wire.CatalogueObject:
    search = Search(rpc.rights(), _visible())
    row = await queries_objects.object_by_number(conn, number, search)
    if row is None:
        raise domain.UnknownObject(
            f"object {number} is not in the catalogue; submit an element set of it, or check the number"
        )
    return shown.catalogue_object(row, search.rights)


def _visible() -> tuple[int, ...]:
    return tuple(rpc.principal().entitlements.catalogue_numbers)


def _search(request: wire.ListObjectsRequest) -> Search:
    if max(len(request.text), len(request.owner)) > MAX_SEARCH:
        raise domain.BadSubmission(f"a text to search for has at most {MAX_SEARCH} characters")
    return Search(
        rpc.rights(),
        _visible(),
        request.text,
        request.owner,
        request.type,
        request.perigee_below_km,
        request.include_gone,
    )


def _editor(request: EditRequest) -> str:
    """Whoever may run analyses may correct what they rest on; every edit is on record with its reason."""
    rpc.require(ROLE_ANALYST)
    visible = _visible()
    if visible and request.catalogue_number not in visible:
        raise domain.UnknownObject(f"object {request.catalogue_number} is not in the catalogue; check the number")
    if not 1 <= len(request.idempotency_key) <= MAX_KEY:
        raise domain.BadEdit(f"idempotency_key must have 1 to {MAX_KEY} characters; send a new one for each edit")
    if len(request.reason) > MAX_REASON:
        raise domain.BadEdit(f"the reason has {len(request.reason)} bytes; at most {MAX_REASON} are kept")
    return rpc.principal().principal_id


def _description(request: wire.CreateObjectRequest | wire.UpdateObjectRequest) -> Description:
    if request.description.type not in codec_objects.TYPES.values():
        raise domain.BadEdit(f"type {request.description.type} is no kind of object known here")
    return codec_objects.description_from_wire(request.description)


def _version(etag: str) -> int:
    if not (etag.isascii() and etag.isdigit() and len(etag) < 19):
        raise domain.BadEdit("etag is none of this service; pass the etag of the object as it was read")
    return int(etag)
