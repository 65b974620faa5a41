"""explain: a recorded fact computed again from its recorded inputs, by the service that recorded it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer
from google.protobuf.message import Message

from services.cli import client, show
from services.cli.client import Mesh, Refused
from services.cli.hazards import window
from services.cli.running import Json
from spacecom.alerting.v1 import alerting_service_pb2 as alerting
from spacecom.alerting.v1.alerting_service_pb2_grpc import AlertingServiceStub
from spacecom.eventlog.v1 import explanation_pb2 as explained
from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub
from spacecom.ingest.v1 import ingest_service_pb2 as ingest
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from spacecom.propagation.v1 import propagation_service_pb2 as propagation
from spacecom.propagation.v1.propagation_service_pb2_grpc import PropagationServiceStub

COMPUTING_S = 3600.0
NOT_HERE = ("NO_PREDICTION", "UNKNOWN_EVENT")
MOST_ROWS = 40
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """As JSON, and as it is told to people."""

    document: Message | dict[str, Any]
    tell: Callable[[], None]


def explain(
    event_id: Annotated[str, typer.Argument(help="Event id of a recorded fact.", metavar="EVENT")], json: Json = False
) -> None:
    """Compute a recorded fact again from its recorded inputs, and show each number as recorded and as it is now."""
    answer = _answered(client.connect(), event_id)
    if json:
        show.document(answer.document)
    else:
        answer.tell()


def _answered(mesh: Mesh, event_id: str) -> Answer:
    """Of the service that recorded it; they are asked in turn."""
    asked = [name for name in SERVICES if name in mesh.services]
    for name in asked:
        try:
            return SERVICES[name](mesh, event_id)
        except Refused as refused:
            if refused.reason not in NOT_HERE:
                raise
    raise Refused(
        "UNKNOWN_EVENT",
        f"no fact with computed numbers has the event id {show.harmless(event_id[:60])} in the logs of "
        f"{', '.join(asked)}; see event ids with: spacecom events tail SERVICE --json",
    )


def _propagation(mesh: Mesh, event_id: str) -> Answer:
    asked = propagation.ExplainRequest(event_id=event_id)
    answer = mesh.ask("propagation", PropagationServiceStub, "Explain", asked, COMPUTING_S)
    return Answer(answer, partial(_prediction, answer))


def _prediction(answer: propagation.ExplainResponse) -> None:
    if answer.HasField("declined"):
        show.line(f"no prediction of object {answer.declined.catalogue_number}: {answer.declined.detail}")
    else:
        window(answer.prediction)
    rows = [(one.field, one.recorded, "same" if one.identical else one.recomputed) for one in answer.fields]
    show.table(("field", "recorded", "computed now"), rows)
    recorded = answer.declined if answer.HasField("declined") else answer.prediction.decay
    _verdict(answer, recorded.model_version)
    if answer.HasField("prediction"):
        _fit(answer.fit)
        _shifts(answer)


def _hazard(mesh: Mesh, event_id: str) -> Answer:
    with mesh.stub("hazard", HazardServiceStub) as stub:
        asked = hazard.ExplainRequest(event_id=event_id)
        return _in_parts(list(stub.Explain(asked, timeout=COMPUTING_S, metadata=mesh.metadata)))


def _alerting(mesh: Mesh, event_id: str) -> Answer:
    asked = alerting.ExplainRequest(event_id=event_id)
    return _in_parts([mesh.ask("alerting", AlertingServiceStub, "Explain", asked)])


def _ingest(mesh: Mesh, event_id: str) -> Answer:
    asked = ingest.ExplainRequest(event_id=event_id)
    return _in_parts([mesh.ask("ingest", IngestServiceStub, "Explain", asked, COMPUTING_S)])


SERVICES: dict[str, Callable[[Mesh, str], Answer]] = {
    "propagation": _propagation,
    "hazard": _hazard,
    "alerting": _alerting,
    "ingest": _ingest,
}


def _in_parts(parts: Sequence[hazard.ExplainResponse | alerting.ExplainResponse | ingest.ExplainResponse]) -> Answer:
    """The whole in short, then fields."""
    told, fields = parts[0].explanation, [one for part in parts for one in part.fields]
    document = {"explanation": show.fields(told), "fields": [show.fields(one) for one in fields]}
    return Answer(document, partial(_fact, told, fields))


def _fact(told: explained.Explanation, fields: Sequence[explained.ComparedField]) -> None:
    show.line(f"{told.type.rpartition('.')[2]} {told.event_id}, recorded {show.instant(told.recorded_at)} UTC")
    _table(fields)
    show.table(("made from", "event id or SHA-256"), [(one.name, one.event_id or one.sha256) for one in told.inputs])
    facts = [one for one in told.inputs if one.event_id]
    if facts:
        show.line(f"the facts among them can be explained in turn, such as: spacecom explain {facts[0].event_id}")
    show.line(f"{told.field_count} fields compared, {told.differing_count} differ")
    _verdict(told, told.recorded_model_version)


def _table(fields: Sequence[explained.ComparedField]) -> None:
    """All that differ, and the first of the others."""
    differing = sum(not one.identical for one in fields)
    shown = fields[: max(differing, MOST_ROWS)]
    show.table(
        ("field", "recorded", "computed now"),
        (
            (show.harmless(one.path), _cut(one.recorded), "same" if one.identical else _cut(one.recomputed))
            for one in shown
        ),
    )
    if len(fields) > len(shown):
        show.line(f"{len(fields) - len(shown)} more are the same; --json shows them")


def _cut(text: str) -> str:
    return show.harmless(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def _verdict(answer: propagation.ExplainResponse | explained.Explanation, recorded: str) -> None:
    if answer.identical:
        show.line("all of it is the same to the last digit", "green")
    else:
        other = "" if recorded == answer.model_version else f"; it was made by model {recorded}, this is another one"
        show.line(f"not all of it is the same{other}", "red")


def _fit(fit: propagation.FitDiagnostics) -> None:
    sigma = [max(fit.covariance[row * (row + 3) // 2], 0.0) ** 0.5 for row in range(7)]
    show.line(
        f"fitted to {fit.sets_used} element sets, of {fit.sets_known} of the last 20 days; residuals {fit.rms:.2f} of "
        f"their sigmas; formal sigma {sigma[0]:.2f}, {sigma[1]:.2f}, {sigma[2]:.2f} km radial, transverse, normal, "
        + (f"{sigma[6]:.3f} of ln B" if sigma[6] else "B is not fitted")
    )
    rows = [
        (
            f"{show.epoch(one.epoch.jd, one.epoch.jd_fraction):%Y-%m-%d %H:%M}",
            f"{one.b_m2_kg:.5f}",
            f"{one.sigma_m2_kg:.5f}",
        )
        for one in fit.b_history
    ]
    if rows:
        show.table(("two days up to UTC", "B m2/kg", "sigma"), rows, "ballistic coefficient over time")


def _shifts(answer: propagation.ExplainResponse) -> None:
    if not answer.previous_event_id:
        show.line("there is no prediction before it")
        return
    rows = [
        (
            propagation.ShiftCause.Name(one.cause).removeprefix("SHIFT_CAUSE_").replace("_", " ").lower(),
            *(f"{minutes:+.1f}" for minutes in (one.start_min, one.median_min, one.end_min)),
            str(len(one.event_ids)),
        )
        for one in answer.shifts
    ]
    title = f"minutes moved since {answer.previous_event_id}"
    show.table(("by", "5 %", "median", "95 %", "new facts"), rows, title)
