"""IngestService: translate, call, translate."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from math import isfinite

import grpc

from libs import rpc, telemetry
from libs.blobs import BlobMissing
from libs.eventlog import Cause, new_id
from libs.redistribution import allows
from libs.rpc import ErrorTable
from services.ingest import (
    codec,
    codec_weather,
    domain,
    handlers,
    queries,
    recording,
    rejected_text,
    volumes,
    weather_queries,
)
from services.ingest.domain import Delivery
from services.ingest.handlers import Gate, Receipt
from services.ingest.paging import page_size, page_start
from services.ingest.rpc_explaining import ExplainingServicer
from services.ingest.rpc_objects import ObjectsServicer
from services.ingest.rpc_sources import SourcesServicer
from services.ingest.volumes import Box, VolumeRow
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_DATA_PROVIDER, ROLE_VIEWER
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire
from spacecom.ingest.v1.ingest_service_pb2_grpc import add_IngestServiceServicer_to_server

ERRORS: ErrorTable = {
    domain.BadSubmission: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_SUBMISSION"),
    domain.UnknownSubmission: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_SUBMISSION"),
    domain.UnknownRejection: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_REJECTION"),
    domain.UnknownObject: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_OBJECT"),
    domain.ObjectExists: (grpc.StatusCode.ALREADY_EXISTS, "OBJECT_EXISTS"),
    domain.StaleEtag: (grpc.StatusCode.ABORTED, "STALE_ETAG"),
    domain.AlreadyRetired: (grpc.StatusCode.FAILED_PRECONDITION, "ALREADY_RETIRED"),
    domain.BadEdit: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_EDIT"),
    domain.UnknownEvent: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_EVENT"),
    domain.NothingRead: (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_READ"),
    domain.UnknownSource: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_SOURCE"),
    domain.NotHalted: (grpc.StatusCode.FAILED_PRECONDITION, "NOT_HALTED"),
}
MAX_CHUNK = 2**20
MAX_WEATHER_DAYS = 1001
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class IngestServicer(ObjectsServicer, SourcesServicer, ExplainingServicer):
    async def Submit(self, request_iterator: AsyncIterator[wire.SubmitRequest], context: object) -> wire.SubmitResponse:
        rpc.require(ROLE_DATA_PROVIDER)
        received_at = datetime.now(UTC)
        header = await _header(request_iterator)
        delivery = _delivery(header, received_at)
        cause = Cause(new_id(), None, telemetry.current_traceparent())
        stated = codec.FORMATS_BACK[header.format]
        limit = self._gate.settings.ingest_max_input_bytes
        body = await _body(request_iterator, limit)
        if body.tell() > limit:
            return _receipt(await handlers.refuse_oversize(self._gate, delivery, stated, body.getvalue(), cause))
        answer = _receipt(await handlers.submit(self._gate, delivery, stated, _taken(body), cause))
        key = _submission_key(header, answer.input_sha256)
        await recording.remember(self._gate.pool, rpc.principal().principal_id, key, answer)
        return answer

    async def GetSubmission(self, request: wire.GetSubmissionRequest, context: object) -> wire.GetSubmissionResponse:
        rpc.require(ROLE_DATA_PROVIDER)
        key = _submission_key(request.header, request.input_sha256)
        answer = await self._gate.log.answer(rpc.principal().principal_id, recording.SUBMIT, key)
        if answer is None:
            raise domain.UnknownSubmission("no submission of these bytes under this header has ended; submit them")
        return wire.GetSubmissionResponse(submission=wire.SubmitResponse.FromString(answer))

    async def ListThirdPartyPredictions(
        self, request: wire.ListThirdPartyPredictionsRequest, context: object
    ) -> wire.ListThirdPartyPredictionsResponse:
        rpc.require(ROLE_VIEWER)
        visible = rpc.principal().entitlements.catalogue_numbers
        number = request.catalogue_number
        if visible and number not in visible:
            raise domain.UnknownObject(f"object {number} is not in the catalogue; check the number")
        async with self._gate.pool.acquire() as conn:
            bodies = await queries.third_party_predictions(conn, number, rpc.rights(), page_size(request.page_size))
        return wire.ListThirdPartyPredictionsResponse(
            predictions=map(pb.ThirdPartyPredictionRecorded.FromString, bodies)
        )

    async def GetSpaceWeather(
        self, request: wire.GetSpaceWeatherRequest, context: object
    ) -> wire.GetSpaceWeatherResponse:
        rpc.require(ROLE_VIEWER)
        first, last = request.first_mjd, request.last_mjd
        if not 0 <= last - first < MAX_WEATHER_DAYS:
            raise domain.BadSubmission(
                f"MJD {first} to {last} is no span of at most {MAX_WEATHER_DAYS} days; ask in parts"
            )
        known_at = request.known_at.ToDatetime(UTC) if request.HasField("known_at") else datetime.now(UTC)
        async with self._gate.pool.acquire() as conn:
            known = await weather_queries.weather(conn, first, last, known_at, rpc.rights())
        return wire.GetSpaceWeatherResponse(
            days=map(codec_weather.day_to_wire, known.days), last_observed_mjd=known.last_observed_mjd
        )

    async def ListRejections(self, request: wire.ListRejectionsRequest, context: object) -> wire.ListRejectionsResponse:
        rpc.require(ROLE_VIEWER)
        size = page_size(request.page_size)
        async with self._gate.pool.acquire() as conn:
            before = page_start(request.page_token)
            rows = await queries.rejections_before(conn, request.source, int(request.reason), before, size + 1)
        token = str(rows[size - 1].position) if len(rows) > size else ""
        rejections = [_rejection(row, rpc.rights()) for row in rows[:size]]
        return wire.ListRejectionsResponse(rejections=rejections, next_page_token=token)

    async def GetRejectedText(
        self, request: wire.GetRejectedTextRequest, context: object
    ) -> wire.GetRejectedTextResponse:
        rpc.require(ROLE_VIEWER)
        async with self._gate.pool.acquire() as conn:
            held = await queries.rejection_class(conn, request.source, request.input_sha256, request.line)
        if held is None or not allows(rpc.rights(), held):
            raise domain.UnknownRejection("nothing that you have a right to was refused there; see ListRejections")
        try:
            data = await self._gate.blobs.get(request.input_sha256)
        except BlobMissing as missing:
            raise domain.UnknownRejection(f"the input is no longer kept: {missing}") from missing
        found = await asyncio.to_thread(rejected_text.around, data, request.line, request.column)
        return wire.GetRejectedTextResponse(
            first_line=found.first_line, lines=found.lines, first_column=found.first_column
        )

    async def ListAirspaceVolumes(
        self, request: wire.ListAirspaceVolumesRequest, context: object
    ) -> wire.ListAirspaceVolumesResponse:
        rpc.require(ROLE_VIEWER)
        gate = self._gate
        found = await volumes.meeting(gate.pool, gate.blobs, request.dataset, rpc.rights(), _box(request))
        if request.HasField("level_fl"):
            found = [one for one in found if one.lower_fl <= request.level_fl < one.upper_fl]
        return wire.ListAirspaceVolumesResponse(volumes=map(_volume, found))


def register(gate: Gate) -> Callable[[grpc.aio.Server], None]:
    return lambda server: add_IngestServiceServicer_to_server(IngestServicer(gate), server)


async def _header(parts: AsyncIterator[wire.SubmitRequest]) -> wire.SubmitHeader:
    async for part in parts:
        if part.WhichOneof("part") == "header":
            return part.header
        break
    raise domain.BadSubmission("the first message of a submission must be its header; send the header, then the bytes")


def _submission_key(header: wire.SubmitHeader, input_sha256: str) -> str:
    return f"{input_sha256}/{header.SerializeToString(deterministic=True).hex()}"


def _delivery(header: wire.SubmitHeader, received_at: datetime) -> Delivery:
    if header.format not in codec.FORMATS_BACK:
        raise domain.BadSubmission(f"format {header.format} is unknown; leave it unset to have it recognised")
    if not _NAME.fullmatch(header.source):
        raise domain.BadSubmission(f"source {header.source!r} must be 1 to 64 lower-case letters, digits and hyphens")
    if header.dataset and not _NAME.fullmatch(header.dataset):
        raise domain.BadSubmission(f"dataset {header.dataset!r} must be 1 to 64 lower-case letters, digits and hyphens")
    available = header.available_at.ToDatetime(UTC) if header.HasField("available_at") else None
    if available and available > received_at + timedelta(minutes=5):
        raise domain.BadSubmission(f"available_at {available:%Y-%m-%d %H:%M} UTC lies in the future; check the clock")
    return Delivery(header.source, "", received_at, available, header.dataset)


async def _body(parts: AsyncIterator[wire.SubmitRequest], limit: int) -> BytesIO:
    """At most a little more than `limit`, so that a file of any size costs bounded memory."""
    body = BytesIO()
    async for part in parts:
        if part.WhichOneof("part") != "chunk" or len(part.chunk) > MAX_CHUNK:
            raise domain.BadSubmission(f"after the header come only chunks of at most {MAX_CHUNK} bytes")
        body.write(part.chunk)
        if body.tell() > limit:
            break
    return body


def _taken(body: BytesIO) -> bytes:
    """The bytes, held by nobody but the caller: whoever uses them frees them."""
    with body:
        return body.getvalue()


def _rejection(row: queries.RejectionRow, rights: frozenset[str]) -> pb.InputRejected:
    """The refused text is its source's; the place and the kind of the refusal are ours."""
    rejection = pb.InputRejected.FromString(row.body)
    if not allows(rights, row.redistribution):
        rejection.raw, rejection.detail = b"", f"withheld: the contract gives no right to class {row.redistribution}"
    return rejection


def _box(request: wire.ListAirspaceVolumesRequest) -> Box:
    box = Box(request.west_deg, request.south_deg, request.east_deg, request.north_deg)
    turns = abs(box.west_deg) <= 180.0 and abs(box.east_deg) <= 180.0
    if not (turns and -90.0 <= box.south_deg <= box.north_deg <= 90.0):
        raise domain.BadSubmission(
            "a box has longitudes of -180 to 180 degrees, and latitudes of -90 to 90 degrees of which the northern is "
            "not the lower one"
        )
    return box


def _volume(row: VolumeRow) -> wire.AirspaceVolume:
    return wire.AirspaceVolume(
        dataset=row.dataset,
        ident=row.ident,
        name=row.name,
        kind=row.kind,
        lower_fl=row.lower_fl,
        upper_fl=row.upper_fl if isfinite(row.upper_fl) else None,
        area_km2=row.area_km2,
    )


def _receipt(receipt: Receipt) -> wire.SubmitResponse:
    return wire.SubmitResponse(
        format=codec.FORMATS[receipt.format],
        accepted_count=receipt.accepted_count,
        duplicate_count=receipt.duplicate_count,
        rejected_count=receipt.rejected_count,
        rejections=map(codec.rejection_to_wire, receipt.rejections),
        input_sha256=receipt.input_sha256,
    )
