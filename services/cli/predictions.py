"""predictions, ephemeris, track, czml, others: what was predicted, in full."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from services.cli import client, show
from services.cli.client import Mesh
from services.cli.hazards import Number, window
from services.cli.running import Json
from spacecom.propagation.v1 import propagation_events_pb2 as events
from spacecom.propagation.v1 import propagation_service_pb2 as wire
from spacecom.propagation.v1.propagation_service_pb2_grpc import PropagationServiceStub

COMPUTING_S = 300.0
INSTANTS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]
Event = Annotated[str, typer.Option("--event", help="Event id of a prediction; the newest by default.")]
Step = Annotated[float, typer.Option("--step", help="Seconds between points.")]


def predictions(
    number: Number,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most rows.")] = 20,
    json: Json = False,
) -> None:
    """The recorded predictions of an object, newest first: how its window moved."""
    asked = wire.ListPredictionsRequest(catalogue_number=number, page_size=limit)
    answer = client.connect().ask("propagation", PropagationServiceStub, "ListPredictions", asked)
    if json:
        show.document([show.fields(one) for one in answer.predictions])
        return
    if not answer.predictions:
        show.line(f"no prediction of object {number} was made; spacecom predict {number} says why")
        return
    show.table(("event", "known at UTC", "90 % window UTC", "width h", "median UTC"), map(_told, answer.predictions))


def _told(one: wire.Prediction) -> tuple[str, ...]:
    at = {round(q.probability, 3): show.epoch(q.epoch.jd, q.epoch.jd_fraction) for q in one.decay.quantiles}
    return (
        one.event_id,
        show.instant(one.decay.known_at),
        f"{at[0.05]:%Y-%m-%d %H:%M} to {at[0.95]:%Y-%m-%d %H:%M}",
        f"{(at[0.95] - at[0.05]).total_seconds() / 3600.0:.1f}",
        f"{at[0.5]:%Y-%m-%d %H:%M}",
    )


def ephemeris(
    number: Number,
    start: Annotated[datetime, typer.Option("--from", help="First instant, UTC.", formats=INSTANTS)],
    end: Annotated[datetime, typer.Option("--to", help="Last instant, UTC.", formats=INSTANTS)],
    step: Step = 60.0,
    predicted: Annotated[bool, typer.Option("--predicted", help="Along the newest prediction, to its end.")] = False,
    teme: Annotated[bool, typer.Option("--teme", help="In TEME of date; in ITRF by default.")] = False,
    json: Json = False,
) -> None:
    """States of an object at even steps, by SGP4 or along its prediction."""
    request = wire.StreamEphemerisRequest(
        catalogue_number=number,
        start_time=_stamp(start),
        end_time=_stamp(end),
        step_s=step,
        frame=wire.FRAME_TEME if teme else wire.FRAME_ITRF,
        source=wire.EPHEMERIS_SOURCE_PREDICTION if predicted else wire.EPHEMERIS_SOURCE_ELEMENT_SET,
    )
    states = [one for batch in _stream(client.connect(), "StreamEphemeris", request) for one in batch.states]
    if json:
        show.document([show.fields(one) for one in states])
        return
    rows = [
        (
            _epoch(one.epoch),
            *(f"{value:.3f}" for value in one.position_km),
            *(f"{value:.6f}" for value in one.velocity_km_s),
            f"{one.latitude_deg:.3f}",
            f"{one.longitude_deg:.3f}",
            f"{one.altitude_km:.2f}",
        )
        for one in states
    ]
    show.table(("UTC", "x km", "y km", "z km", "vx km/s", "vy km/s", "vz km/s", "lat", "lon", "alt km"), rows)


def track(
    number: Number,
    event: Event = "",
    first: Annotated[float, typer.Option("--first", help="Quantile where it starts.")] = 0.05,
    last: Annotated[float, typer.Option("--last", help="Quantile where it ends.")] = 0.95,
    step: Step = 60.0,
    json: Json = False,
) -> None:
    """Where an object would come down at each instant of its window."""
    request = wire.StreamGroundTrackRequest(
        catalogue_number=number, prediction_event_id=event, first_probability=first, last_probability=last, step_s=step
    )
    points = [one for batch in _stream(client.connect(), "StreamGroundTrack", request) for one in batch.points]
    if json:
        show.document([show.fields(one) for one in points])
        return
    rows = [
        (
            _epoch(one.epoch),
            f"{one.latitude_deg:.2f}",
            f"{one.longitude_deg:.2f}",
            show.percent(one.probability),
            f"{one.scatter_km:.0f}",
        )
        for one in points
    ]
    show.table(("UTC", "lat", "lon", "down by then", "scatter km"), rows)


def czml(
    number: Number,
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    event: Event = "",
) -> None:
    """Write path, window and track of a prediction as CZML, for Cesium and other globes."""
    asked = wire.GetCzmlRequest(catalogue_number=number, prediction_event_id=event)
    answer = client.connect().ask("propagation", PropagationServiceStub, "GetCzml", asked, COMPUTING_S)
    try:
        out.write_text(answer.czml, encoding="utf-8")
    except OSError as error:
        raise client.Failed(f"{out} cannot be written: {error.strerror}; name another file") from error
    show.line(f"{out}: {len(answer.czml) / 1e3:.0f} kB, prediction {answer.prediction_event_id}")


def others(number: Number, json: Json = False) -> None:
    """The newest prediction of an object beside those of others."""
    asked = wire.CompareWithOthersRequest(catalogue_number=number)
    answer = client.connect().ask("propagation", PropagationServiceStub, "CompareWithOthers", asked)
    if json:
        show.document(answer)
        return
    window(answer.prediction)
    if not answer.others:
        show.line("no prediction of others is known that you have a right to")
        return
    rows = [
        (
            show.harmless(one.source),
            _epoch(one.nominal_epoch),
            f"{_epoch(one.window_start)} to {_epoch(one.window_end)}",
            f"{one.reentry_altitude_km:.0f}",
            f"{one.difference_min:+.0f}",
            show.percent(one.our_probability),
            events.Agreement.Name(one.agreement).removeprefix("AGREEMENT_").replace("_", " ").lower(),
        )
        for one in answer.others
    ]
    show.table(("source", "nominal UTC", "window", "at km", "from our median, min", "ours by then", "verdict"), rows)


def _stream(mesh: Mesh, method: str, request: Any) -> Iterator[Any]:
    with mesh.stub("propagation", PropagationServiceStub) as stub:
        call: Callable[..., Iterator[Any]] = getattr(stub, method)
        yield from call(request, timeout=COMPUTING_S, metadata=mesh.metadata)


def _stamp(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant.replace(tzinfo=UTC))
    return stamp


def _epoch(epoch: events.Epoch) -> str:
    return f"{show.epoch(epoch.jd, epoch.jd_fraction):%Y-%m-%d %H:%M:%S}"
