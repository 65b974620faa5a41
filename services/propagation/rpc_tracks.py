"""The calls of PropagationService that stream states and tracks: translate, call, translate."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import numpy as np
from asyncpg import Pool

from libs import rpc
from libs.astro import frames
from libs.astro.time import datetime_to_jd
from libs.astro.track import MAX_POINTS, Track
from libs.blobs import Blobs
from libs.eventlog import EventLog
from libs.postgres import Connection
from libs.workers import Workers
from services.propagation import codec, czml, domain, queries, recomputing, states, tracing
from services.propagation.compute import Job, Refusal
from services.propagation.domain import DecayPredicted
from services.propagation.predictor import Predictor
from services.propagation.settings import PropagationSettings
from services.propagation.states import EarthOrientation, Times
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.propagation.v1 import propagation_events_pb2 as pb
from spacecom.propagation.v1 import propagation_service_pb2 as wire
from spacecom.propagation.v1.propagation_service_pb2_grpc import PropagationServiceServicer

MAX_STATES = 100_000
STEP_S, LONGEST_STEP_S, LONGEST_TRACK_STEP_S = 60.0, 86_400.0, 3600.0
WINDOW, INNER = (0.05, 0.95), (0.25, 0.75)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the calls are answered with; `workers` compute for calls alone, so that no prediction waits for them."""

    pool: Pool
    log: EventLog
    blobs: Blobs
    workers: Workers
    predictor: Predictor
    settings: PropagationSettings
    orientation: EarthOrientation


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded prediction, and the job it was."""

    row: queries.PredictionRow
    decay: DecayPredicted
    job: Job


class TracksServicer(PropagationServiceServicer):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def StreamEphemeris(
        self, request: wire.StreamEphemerisRequest, context: object
    ) -> AsyncIterator[wire.StreamEphemerisResponse]:
        """Along a prediction as by its element sets: whoever may not have the sets may not have the states."""
        rpc.require(ROLE_VIEWER)
        entitled(request.catalogue_number)
        seconds = _asked(request)
        start = datetime_to_jd(request.start_time.ToDatetime(UTC))
        if request.source == wire.EPHEMERIS_SOURCE_PREDICTION:
            teme, times, basis = await self._along_prediction(request.catalogue_number, start, seconds)
        else:
            times = states.steps(*start, seconds)
            known = await self.newest_set(request.catalogue_number)
            teme, basis = await asyncio.to_thread(states.by_sgp4, known.elements, times), known.event_id
        frame = request.frame or wire.FRAME_ITRF
        for part in states.batches(len(teme)):
            times_of = Times(times.jd[part], times.fraction[part])
            rows = await asyncio.to_thread(states.shown, teme[part], times_of, frame, self._desk.orientation)
            yield wire.StreamEphemerisResponse(states=rows, frame=frame, basis_event_id=str(basis))

    async def _along_prediction(
        self, number: int, start: tuple[float, float], seconds: states.Array
    ) -> tuple[states.Array, Times, UUID]:
        found = await self.recorded(number, "")
        await self._require_sets(found.decay)
        begins = found.decay.start_epoch
        offset = float(Times(np.array(start[:1]), np.array(start[1:])).since_s(begins.jd, begins.jd_fraction)[0])
        flown = await self.computed(tracing.path, found.job, offset + seconds)
        if not len(flown.seconds):
            raise domain.BadRequest(
                f"the nominal flight lasts from {begins.instant:%Y-%m-%d %H:%M} to "
                f"{found.decay.nominal_epoch.instant:%Y-%m-%d %H:%M} UTC; ask for times between"
            )
        return flown.states, states.steps(begins.jd, begins.jd_fraction, flown.seconds), found.row.event_id

    async def StreamGroundTrack(
        self, request: wire.StreamGroundTrackRequest, context: object
    ) -> AsyncIterator[wire.StreamGroundTrackResponse]:
        rpc.require(ROLE_VIEWER)
        entitled(request.catalogue_number)
        probabilities = (request.first_probability or WINDOW[0], request.last_probability or WINDOW[1])
        step_s = _step(request.step_s, LONGEST_TRACK_STEP_S)
        found = await self.recorded(request.catalogue_number, request.prediction_event_id)
        line = await self._track(found, probabilities, step_s)
        points = _points(line, found.decay)
        for part in states.batches(len(points)):
            yield wire.StreamGroundTrackResponse(
                points=points[part],
                prediction_event_id=str(found.row.event_id),
                altitude_km=found.decay.reentry_altitude_km,
            )

    async def _track(self, found: Recorded, probabilities: tuple[float, float], step_s: float) -> Track:
        try:
            return await self.computed(tracing.window_track, found.job, probabilities, step_s)
        except ValueError as refused:
            raise domain.BadRequest(str(refused)) from refused

    async def GetCzml(self, request: wire.GetCzmlRequest, context: object) -> wire.GetCzmlResponse:
        """Holds the path, so that it is for those who may have the element sets."""
        rpc.require(ROLE_VIEWER)
        entitled(request.catalogue_number)
        found = await self.recorded(request.catalogue_number, request.prediction_event_id)
        await self._require_sets(found.decay)
        step_s = max(STEP_S, _window_s(found.decay) / MAX_POINTS)
        traced = await self.computed(tracing.both, found.job, WINDOW, step_s)
        text = await asyncio.to_thread(self._document, found.decay, traced)
        return wire.GetCzmlResponse(czml=text, prediction_event_id=str(found.row.event_id))

    def _document(self, decay: DecayPredicted, traced: tracing.Traced) -> str:
        start, path, line = decay.start_epoch, traced.path, traced.track
        times = states.steps(start.jd, start.jd_fraction, path.seconds)
        teme = np.ascontiguousarray(path.states.T)
        itrf = frames.teme_to_itrf_each(teme, times.jd, times.fraction, self._desk.orientation)
        places = zip(np.radians(line.lat_deg).tolist(), np.radians(line.lon_deg).tolist(), strict=True)
        line_km = np.array([frames.geodetic_to_itrf(lat, lon, decay.reentry_altitude_km) for lat, lon in places])
        inner = (line.share_down >= INNER[0]) & (line.share_down <= INNER[1])
        tracks = [("90 %", line_km), ("50 %", line_km[inner])]
        end = dict(decay.quantiles)[WINDOW[1]].instant
        return czml.document(decay.catalogue_number, start.instant, path.seconds, itrf[:3].T, tracks, end)

    async def recorded(self, number: int, event_id: str) -> Recorded:
        """The prediction named, of this object; the newest when none is."""
        async with self._desk.pool.acquire() as conn:
            row = await queries.prediction(conn, event_id_of(event_id)) if event_id else await newest_row(conn, number)
            if row is None or codec.decay(row.body).catalogue_number != number:
                raise domain.NoPrediction(f"object {number} has no prediction {event_id[:60]!r}; list them first")
            return await self.with_job(conn, row)

    async def with_job(self, conn: Connection, row: queries.PredictionRow) -> Recorded:
        decay = codec.decay(row.body)
        return Recorded(row, decay, await self.job(conn, decay.known_at, decay.inputs))

    async def job(self, conn: Connection, known_at: datetime, cited: domain.Inputs) -> Job:
        return await recomputing.job_of(conn, self._desk.blobs, known_at, cited, self._desk.settings)

    async def computed(self, work: Callable[..., T | Refusal], *arguments: object) -> T:
        found = await self._desk.workers.run(work, *arguments)
        if isinstance(found, Refusal):
            raise rpc.FailedPrecondition(
                f"the recorded inputs give no prediction with this version of the physics: {found.detail}"
            )
        return found

    async def newest_set(self, number: int) -> domain.KnownSet:
        async with self._desk.pool.acquire() as conn:
            known = await queries.newest_set(conn, number, rpc.rights())
        if known is None:
            raise unknown(number)
        return known

    async def _require_sets(self, decay: DecayPredicted) -> None:
        async with self._desk.pool.acquire() as conn:
            classes = await queries.classes_of(conn, decay.inputs.element_set_event_ids)
        if not classes <= rpc.rights():
            raise unknown(decay.catalogue_number)


async def newest_row(conn: Connection, number: int) -> queries.PredictionRow:
    rows = await queries.predictions_before(conn, number, 0, 1)
    if rows:
        return rows[0]
    declined = await queries.declined(conn, number)
    why = f"it is declined: {declined.detail}" if declined else "ask for one, or wait for the next set"
    raise domain.NoPrediction(f"no prediction of object {number} was made; {why}")


def entitled(number: int) -> None:
    visible = rpc.principal().entitlements.catalogue_numbers
    if visible and number not in visible:
        raise unknown(number)


def unknown(number: int) -> domain.UnknownObject:
    return domain.UnknownObject(
        f"no element set of object {number} is known; submit one to ingest, or check the number"
    )


def _asked(request: wire.StreamEphemerisRequest) -> states.Array:
    """Seconds after the start of the request."""
    step_s = _step(request.step_s, LONGEST_STEP_S)
    if not (request.HasField("start_time") and request.HasField("end_time")):
        raise domain.BadRequest("start_time and end_time must both be given")
    start, end = (one.ToDatetime(UTC) for one in (request.start_time, request.end_time))
    span_s = (end - start).total_seconds()
    if not 0.0 <= span_s <= (MAX_STATES - 1) * step_s:
        raise domain.BadRequest(
            f"{_shown(start)} to {_shown(end)} at {step_s:g} s is no span of 1 to {MAX_STATES} states; "
            "let the end follow the start, and ask for fewer states at a time"
        )
    return np.arange(int(span_s // step_s) + 1, dtype=np.float64) * step_s


def _step(asked_s: float, longest_s: float) -> float:
    step_s = asked_s or STEP_S
    if not 1.0 <= step_s <= longest_s:
        raise domain.BadRequest(f"step_s {asked_s:g} must be 1 to {longest_s:g}, or 0 for {STEP_S:g}")
    return step_s


def _points(line: Track, decay: DecayPredicted) -> list[wire.TrackPoint]:
    times = states.steps(decay.start_epoch.jd, decay.start_epoch.jd_fraction, line.seconds)
    columns = (times.jd, times.fraction, line.lat_deg, line.lon_deg, line.share_down, line.scatter_km)
    return [
        wire.TrackPoint(
            epoch=pb.Epoch(jd=jd, jd_fraction=fraction),
            latitude_deg=lat,
            longitude_deg=(lon + 180.0) % 360.0 - 180.0,
            probability=share,
            scatter_km=scatter,
        )
        for jd, fraction, lat, lon, share, scatter in zip(*(one.tolist() for one in columns), strict=True)
    ]


def _window_s(decay: DecayPredicted) -> float:
    at = dict(decay.quantiles)
    return (at[WINDOW[1]].instant - at[WINDOW[0]].instant).total_seconds()


def event_id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise domain.BadRequest(f"{text[:60]!r} is no event id; give one as it was answered") from None


def _shown(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"
