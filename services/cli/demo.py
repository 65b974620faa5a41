"""demo: a case of the past played through the running mesh, and the answer held against what happened."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, TypeVar

import typer

from infra.local import __main__ as local
from infra.local.mesh import Files
from infra.local.places import CannotRun
from libs import cases
from libs.cases import Case, SaidOnTheDay, Truth
from services.cli import client, hazards, show
from services.cli.client import Mesh, Refused, Unreachable, Unwell
from services.cli.data import submit
from services.cli.running import Json
from spacecom.alerting.v1 import alerting_service_pb2 as alerting
from spacecom.alerting.v1.alerting_service_pb2_grpc import AlertingServiceStub
from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub
from spacecom.ingest.v1 import ingest_service_pb2 as ingest
from spacecom.propagation.v1 import propagation_service_pb2 as propagation
from spacecom.propagation.v1.propagation_service_pb2_grpc import PropagationServiceStub

WAIT_S = 240.0
POLL_S = 0.2
NAMED_OF_TEN = 9
T = TypeVar("T")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    prediction: propagation.Prediction
    assessment: hazard.Assessment
    alerts: list[alerting.Alert]
    fresh: bool


@dataclass(frozen=True, slots=True)
class Checks:
    """What must hold for the demonstration to have worked."""

    truth_in_window: bool
    named_firs_found: int
    shares_sum_to_one: bool

    @property
    def passed(self) -> bool:
        return self.truth_in_window and self.named_firs_found >= NAMED_OF_TEN and self.shares_sum_to_one


def demo(
    case_name: Annotated[str, typer.Option("--case", help="Name of the case.")] = "cz5b-2022", json: Json = False
) -> None:
    """Play a case of the past through the mesh, which is started when it is not up."""
    tell: Tell = (lambda _: None) if json else show.line
    case = _case(case_name)
    tell(case.title)
    try:
        local.up(tell)
    except CannotRun as error:
        raise Refused("CANNOT_RUN", str(error)) from error
    mesh = client.connect()
    started = time.monotonic()
    result = play(mesh, case, tell)
    tell(f"answered {time.monotonic() - started:.1f} s after the first submission")
    checks = check(case, result)
    if json:
        show.document(_document(case, result, checks))
    else:
        _print(case, result, checks)
    if not checks.passed:
        raise Unwell("the demonstration does not show what it should; see the checks above")


def _case(name: str) -> Case:
    try:
        case = cases.load(name)
    except cases.BadCase as error:
        raise Refused("UNKNOWN_CASE", str(error)) from error
    if case.said is None:
        raise Refused("NO_COMPARISON", f"{name} names no regions to compare with; play it with: spacecom replay {name}")
    return case


def play(mesh: Mesh, case: Case, tell: Tell) -> Result:
    fresh = _submit(mesh, case, tell)
    if not fresh:
        tell("all of it is on record already: this is the recorded answer")
    tell("waiting for the decay prediction")
    prediction = _await(lambda: _prediction(mesh, case), "propagation", "a prediction")
    tell("waiting for the hazard assessment: every sample is flown to 80 km")
    assessment = _await(lambda: _assessment(mesh, case, prediction), "hazard", "an assessment")
    tell("waiting for the alerts")
    _await(lambda: _event(mesh, assessment), "alerting", "an event")
    return Result(prediction, assessment, list(hazards.all_alerts(mesh, case.catalogue_number)), fresh)


def _submit(mesh: Mesh, case: Case, tell: Tell) -> bool:
    """Whether anything of it was new."""
    new = 0
    for one in case.inputs:
        header = ingest.SubmitHeader(
            source=one.source, format=ingest.InputFormat.Value(f"INPUT_FORMAT_{one.format}"), dataset=one.dataset
        )
        if one.available_at:
            header.available_at.FromDatetime(one.available_at)
        answer = _await(partial(_asked, partial(submit, mesh, header, one.data)), "ingest", "an answer")
        tell(f"submitted {one.name}: {answer.accepted_count} new, {answer.duplicate_count} known")
        if answer.rejected_count:
            raise Refused("INPUT_REFUSED", f"{one.name} was refused: {answer.rejections[0].detail}")
        new += answer.accepted_count
    return new > 0


def _await(look: Callable[[], T | None], service: str, what: str) -> T:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(POLL_S)
    raise Unreachable(f"{service} did not give {what} within {WAIT_S:.0f} s; look with: spacecom status")


def _asked(ask: Callable[[], T], *missing: str) -> T | None:
    """None while there is nothing yet; a service that is starting again is waited for."""
    try:
        return ask()
    except Unreachable:
        return None
    except Refused as refused:
        if refused.reason in missing:
            return None
        raise


def _prediction(mesh: Mesh, case: Case) -> propagation.Prediction | None:
    """The one that rests on the last of the element sets."""
    request = propagation.GetPredictionRequest(catalogue_number=case.catalogue_number)
    answer = _asked(lambda: mesh.ask("propagation", PropagationServiceStub, "GetPrediction", request), "NO_PREDICTION")
    if answer is None:
        return None
    start = answer.prediction.decay.start_epoch
    newest = _epoch_of(case.inputs[-1].data)
    late = abs((show.epoch(start.jd, start.jd_fraction) - newest).total_seconds()) < 1.0
    return answer.prediction if late else None


def _epoch_of(element_set: bytes) -> datetime:
    text = element_set[18:32].decode()
    new_year = datetime(2000 + int(text[:2]), 1, 1, tzinfo=UTC).timestamp()
    return datetime.fromtimestamp(new_year + (float(text[2:]) - 1.0) * 86400.0, UTC)


def _assessment(mesh: Mesh, case: Case, prediction: propagation.Prediction) -> hazard.Assessment | None:
    request = hazard.GetAssessmentRequest(catalogue_number=case.catalogue_number)
    answer = _asked(
        lambda: mesh.ask("hazard", HazardServiceStub, "GetAssessment", request), "NO_ASSESSMENT", "NO_AIRSPACE"
    )
    if answer is None or answer.assessment.quick or answer.assessment.hazard.prediction_event_id != prediction.event_id:
        return None
    found: hazard.Assessment = answer.assessment
    return found


def _event(mesh: Mesh, assessment: hazard.Assessment) -> alerting.ReentryEvent | None:
    request = alerting.ListReentryEventsRequest(page_size=1000)
    answer = _asked(lambda: mesh.ask("alerting", AlertingServiceStub, "ListReentryEvents", request))
    events = answer.events if answer else ()
    return next((event for event in events if event.assessment_event_id == assessment.event_id), None)


def check(case: Case, result: Result) -> Checks:
    assessed = result.assessment.hazard
    first, last = assessed.window_start_time.ToDatetime(UTC), assessed.window_end_time.ToDatetime(UTC)
    total = sum(fir.share for fir in assessed.firs) + assessed.unassigned_share
    return Checks(
        first <= case.truths[0].middle_at <= last,
        len(_said(case).named_firs & {fir.fir_designator for fir in assessed.firs}),
        abs(total - 1.0) < 1e-9,
    )


def _said(case: Case) -> SaidOnTheDay:
    if case.said is None:
        raise Refused("NO_COMPARISON", f"{case.name} names no regions to compare with")
    return case.said


def _near(truth: Truth) -> str:
    if truth.latitude_deg is None or truth.longitude_deg is None:
        return ""
    return f" near {truth.latitude_deg:.0f}, {truth.longitude_deg:.0f}"


def _print(case: Case, result: Result, checks: Checks) -> None:
    assessed = result.assessment.hazard
    truth, said = case.truths[0], _said(case)
    show.line("")
    hazards.window(result.prediction)
    show.line(f"  truth         {truth.middle_at:%Y-%m-%d %H:%M} UTC{_near(truth)} ({truth.source})")
    show.line("")
    show.line("regions threatened; named: by the network manager on the day")
    hazards.regions(assessed, said.named_firs)
    show.line("")
    hazards.corridors(assessed)
    closed = f"{said.closed[0]:%H:%M} to {said.closed[1]:%H:%M} UTC"
    show.line(
        f"on the day: {' '.join(sorted(said.named_firs))} were named; airspace was closed {closed}; "
        f"{said.delayed_aircraft} aircraft lost {said.mean_delay_min} minutes each"
    )
    show.line("")
    hazards.table(result.alerts)
    if result.alerts:
        show.line(f"acknowledge one with: spacecom ack {result.alerts[0].alert_id} --note 'seen'")
    show.line("")
    for text, good in (
        ("the true re-entry lies in the 90 % window", checks.truth_in_window),
        (f"{checks.named_firs_found} of the {len(said.named_firs)} regions named on the day are in the table",
         checks.named_firs_found >= NAMED_OF_TEN),
        ("the shares of all regions and of none sum to 1", checks.shares_sum_to_one),
    ):  # fmt: skip
        show.line(f"{'ok' if good else '!!'}  {text}", "" if good else "red")
    show.line(f"the mesh stays up until: make down; its log is {Files().log}")


def _document(case: Case, result: Result, checks: Checks) -> dict[str, Any]:
    return {
        "case": case.name,
        "notice": case.notice,
        "fresh": result.fresh,
        "prediction": show.fields(result.prediction),
        "assessment": show.fields(result.assessment),
        "alerts": [show.fields(alert) for alert in result.alerts],
        "truth": {
            "reentry_time": case.truths[0].middle_at.isoformat(),
            "latitude_deg": case.truths[0].latitude_deg,
            "longitude_deg": case.truths[0].longitude_deg,
            "named_firs": sorted(_said(case).named_firs),
        },
        "checks": {
            "truth_in_window": checks.truth_in_window,
            "named_firs_found": checks.named_firs_found,
            "shares_sum_to_one": checks.shares_sum_to_one,
            "passed": checks.passed,
        },
    }
