"""IngestService: translate, call, translate."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import grpc

from libs import rpc, telemetry
from libs.eventlog import Cause, new_id
from libs.redistribution import allows
from libs.rpc import ErrorTable
from services.ingest import codec, codec_weather, domain, freshness, handlers, queries, weather_queries
from services.ingest.domain import Delivery, SourceHealth
from services.ingest.handlers import Gate, Receipt
from services.ingest.paging import page_size, page_start
from services.ingest.rpc_objects import ObjectsServicer
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_DATA_PROVIDER, ROLE_VIEWER
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire
from spacecom.ingest.v1.ingest_service_pb2_grpc import add_IngestServiceServicer_to_server

ERRORS: ErrorTable = {
    domain.BadSubmission: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_SUBMISSION"),
    domain.UnknownObject: (grpc.StatusCode.NOT_FOUND, "UNKNOWN_OBJECT"),
    domain.ObjectExists: (grpc.StatusCode.ALREADY_EXISTS, "OBJECT_EXISTS"),
    domain.StaleEtag: (grpc.StatusCode.ABORTED, "STALE_ETAG"),
    domain.AlreadyRetired: (grpc.StatusCode.FAILED_PRECONDITION, "ALREADY_RETIRED"),
    domain.BadEdit: (grpc.StatusCode.INVALID_ARGUMENT, "BAD_EDIT"),
}
MAX_CHUNK = 2**20
MAX_WEATHER_DAYS = 1001
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class IngestServicer(ObjectsServicer):
    async def Submit(self, request_iterator: AsyncIterator[wire.SubmitRequest], context: object) -> wire.SubmitResponse:
        rpc.require(ROLE_DATA_PROVIDER)
        received_at = datetime.now(UTC)
        header = await _header(request_iterator)
        delivery = _delivery(header, received_at)
        cause = Cause(new_id(), None, telemetry.current_traceparent())
        data = await _body(request_iterator, self._gate.settings.ingest_max_input_bytes)
        stated = codec.FORMATS_BACK[header.format]
        if len(data) > self._gate.settings.ingest_max_input_bytes:
            return _receipt(await handlers.refuse_oversize(self._gate, delivery, stated, data, cause))
        return _receipt(await handlers.submit(self._gate, delivery, stated, data, cause))

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

    async def ListSources(self, request: wire.ListSourcesRequest, context: object) -> wire.ListSourcesResponse:
        rpc.require(ROLE_VIEWER)
        now = datetime.now(UTC)
        async with self._gate.pool.acquire() as conn:
            rows = await queries.sources(conn)
        return wire.ListSourcesResponse(sources=[self._source(row, now) for row in rows])

    def _source(self, row: queries.SourceRow, now: datetime) -> pb.SourceStateChanged:
        settings = self._gate.settings
        late_hours, stale_hours = {
            "elements": (settings.ingest_elements_late_hours, settings.ingest_elements_stale_hours),
            "weather": (settings.ingest_weather_late_hours, settings.ingest_weather_stale_hours),
            "airspace": (settings.ingest_airspace_late_hours, settings.ingest_airspace_stale_hours),
        }[row.delivers]
        recorded = freshness.Source(codec.health(row.state), row.reason, row.last_delivery_at)
        source = freshness.freshness(recorded, now, timedelta(hours=late_hours), timedelta(hours=stale_hours))
        state = source.state or SourceHealth.FAILED
        return codec.source_to_wire(
            domain.SourceStateChanged(row.source, state, source.reason, source.last_delivery_at)
        )

    async def ListRejections(self, request: wire.ListRejectionsRequest, context: object) -> wire.ListRejectionsResponse:
        rpc.require(ROLE_VIEWER)
        size = page_size(request.page_size)
        async with self._gate.pool.acquire() as conn:
            before = page_start(request.page_token)
            rows = await queries.rejections_before(conn, request.source, before, size + 1)
        token = str(rows[size - 1].position) if len(rows) > size else ""
        rejections = [_rejection(row, rpc.rights()) for row in rows[:size]]
        return wire.ListRejectionsResponse(rejections=rejections, next_page_token=token)


def register(gate: Gate) -> Callable[[grpc.aio.Server], None]:
    return lambda server: add_IngestServiceServicer_to_server(IngestServicer(gate), server)


async def _header(parts: AsyncIterator[wire.SubmitRequest]) -> wire.SubmitHeader:
    async for part in parts:
        if part.WhichOneof("part") == "header":
            return part.header
        break
    raise domain.BadSubmission("the first message of a submission must be its header; send the header, then the bytes")


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


async def _body(parts: AsyncIterator[wire.SubmitRequest], limit: int) -> bytes:
    """At most a little more than `limit`, so that a file of any size costs bounded memory."""
    body = bytearray()
    async for part in parts:
        if part.WhichOneof("part") != "chunk" or len(part.chunk) > MAX_CHUNK:
            raise domain.BadSubmission(f"after the header come only chunks of at most {MAX_CHUNK} bytes")
        body += part.chunk
        if len(body) > limit:
            break
    return bytes(body)


def _rejection(row: queries.RejectionRow, rights: frozenset[str]) -> pb.InputRejected:
    """The refused text is its source's; the place and the kind of the refusal are ours."""
    rejection = pb.InputRejected.FromString(row.body)
    if not allows(rights, row.redistribution):
        rejection.raw, rejection.detail = b"", f"withheld: the contract gives no right to class {row.redistribution}"
    return rejection


def _receipt(receipt: Receipt) -> wire.SubmitResponse:
    return wire.SubmitResponse(
        format=codec.FORMATS[receipt.format],
        accepted_count=receipt.accepted_count,
        duplicate_count=receipt.duplicate_count,
        rejected_count=receipt.rejected_count,
        rejections=map(codec.rejection_to_wire, receipt.rejections),
        input_sha256=receipt.input_sha256,
    )
