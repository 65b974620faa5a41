"""Questions from the wire and answers to it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from google.protobuf.timestamp_pb2 import Timestamp

from libs.eventlog import Recorded
from services.hazard.asking import Point, Where
from services.hazard.domain import BadRequest, Run
from services.hazard.tally_files import Expected
from spacecom.hazard.v1 import hazard_service_pb2 as wire

MAX_POINTS = 500
MAX_LATERAL_KM, MAX_VERTICAL_FL = 200.0, 600.0


def progress(run: Run, state: wire.RunState.ValueType, history: Sequence[Recorded]) -> wire.WatchRunResponse:
    """Time left is what is left at the pace since the request, by the times on record."""
    done, total = len(run.completed) + len(run.failed), len(run.chunks)
    percent = 100.0 * done / max(total, 1)
    told = wire.WatchRunResponse(
        state=state, settled_chunk_count=done, chunk_count=total, percent=percent, reason=run.reason
    )
    if done:
        took = (history[total + done].recorded_at - history[0].recorded_at).total_seconds()
        told.left_s = took / done * (total - done)
    return told


def minute(row: Expected, edges: Sequence[float]) -> wire.Minute:
    upper = edges[row.band - 1] if row.band else 0.0
    made = wire.Minute(
        fir_designator=row.fir, lower_fl=edges[row.band], upper_fl=upper, expected_pieces=row.expected_pieces
    )
    made.minute.FromSeconds(60 * row.minute)
    return made


def where(request: wire.GetProbabilityRequest) -> Where:
    if not 0.0 <= request.lower_fl <= 1e4 or not 0.0 <= request.upper_fl <= 1e4:
        raise BadRequest("levels are hundreds of feet, from 0 to 10000; upper_fl 0 is without limit")
    start = _instant(request.from_time) if request.HasField("from_time") else None
    end = _instant(request.until_time) if request.HasField("until_time") else None
    if start and end and end <= start:
        raise BadRequest("until_time must come after from_time")
    return Where(tuple(request.fir_designators), request.lower_fl, request.upper_fl, start, end)


def points(request: wire.GetRouteHazardRequest) -> tuple[Point, ...]:
    if not 2 <= len(request.points) <= MAX_POINTS:
        raise BadRequest(f"a route has 2 to {MAX_POINTS} points; to ask about a place, give it twice, from and until")
    if not 0.0 < request.lateral_km <= MAX_LATERAL_KM or not 0.0 < request.vertical_fl <= MAX_VERTICAL_FL:
        raise BadRequest(f"near is above 0 and at most {MAX_LATERAL_KM:g} km and {MAX_VERTICAL_FL:g} hundreds of feet")
    found = tuple(map(_point, request.points))
    if any(later.at < one.at for one, later in pairwise(found)):
        raise BadRequest("the points of a route come in order of time")
    return found


def _point(one: wire.RoutePoint) -> Point:
    place = abs(one.latitude_deg) <= 90.0 and abs(one.longitude_deg) <= 180.0 and 0.0 <= one.level_fl <= 1e4
    if not place or not one.HasField("time"):
        raise BadRequest("a point has a time, a latitude, a longitude and a level in hundreds of feet")
    return Point(one.latitude_deg, one.longitude_deg, one.level_fl, _instant(one.time))


def _instant(stamp: Timestamp) -> datetime:
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest("a time is none of the calendar") from error
