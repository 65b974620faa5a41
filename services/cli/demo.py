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
from services.cli import cases, client, hazards, show
from services.cli.cases import Case
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
        return cases.load(name)
    except FileNotFoundError as error:
        known = ", ".join(sorted(path.stem for path in cases.FOLDER.glob("*.json")))
        raise Refused("UNKNOWN_CASE", f"there is no case {name!r}; there are: {known}") from error


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
    weather = ingest.SubmitHeader(source="demo", format=ingest.INPUT_FORMAT_CSSI_SPACE_WEATHER)
    weather.available_at.FromDatetime(case.weather_available_at)
    airspace = ingest.SubmitHeader(
        source="demo", format=ingest.INPUT_FORMAT_AIRSPACE_GEOJSON, dataset=f"demo-{case.name}"
    )
    airspace.available_at.FromDatetime(case.airspace_available_at)
    sets = ingest.SubmitHeader(source="demo", format=ingest.INPUT_FORMAT_TLE)
    files = [("space weather", weather, case.weather), ("airspace", airspace, case.airspace)]
    files += [(f"element set {n}", sets, data) for n, data in enumerate(case.element_sets, 1)]
    new = 0
    for what, header, data in files:
        answer = _await(partial(_asked, partial(submit, mesh, header, data)), "ingest", "an answer")
        tell(f"submitted {what}: {answer.accepted_count} new, {answer.duplicate_count} known")
        if answer.rejected_count:
            raise Refused("INPUT_REFUSED", f"{what} was refused: {answer.rejections[0].detail}")
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
    newest = _epoch_of(case.element_sets[-1])
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
    if answer is None or answer.assessment.hazard.prediction_event_id != prediction.event_id:
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
        first <= case.reentry_time <= last,
        len(case.named_firs & {fir.fir_designator for fir in assessed.firs}),
        abs(total - 1.0) < 1e-9,
    )


def _print(case: Case, result: Result, checks: Checks) -> None:
    assessed = result.assessment.hazard
    lat, lon = case.reentry_place
    show.line("")
    hazards.window(result.prediction)
    show.line(
        f"  truth         {case.reentry_time:%Y-%m-%d %H:%M} UTC near {lat:.0f}, {lon:.0f} ({case.reentry_source})"
    )
    show.line("")
    show.line("regions threatened; named: by the network manager on the day")
    hazards.regions(assessed, case.named_firs)
    show.line("")
    hazards.corridors(assessed)
    closed = f"{case.closed[0]:%H:%M} to {case.closed[1]:%H:%M} UTC"
    show.line(
        f"on the day: {' '.join(sorted(case.named_firs))} were named; airspace was closed {closed}; "
        f"{case.delayed_aircraft} aircraft lost {case.mean_delay_min} minutes each"
    )
    show.line("")
    hazards.table(result.alerts)
    if result.alerts:
        show.line(f"acknowledge one with: spacecom ack {result.alerts[0].alert_id} --note 'seen'")
    show.line("")
    for text, good in (
        ("the true re-entry lies in the 90 % window", checks.truth_in_window),
        (f"{checks.named_firs_found} of the {len(case.named_firs)} regions named on the day are in the table",
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
            "reentry_time": case.reentry_time.isoformat(),
            "latitude_deg": case.reentry_place[0],
            "longitude_deg": case.reentry_place[1],
            "named_firs": sorted(case.named_firs),
        },
        "checks": {
            "truth_in_window": checks.truth_in_window,
            "named_firs_found": checks.named_firs_found,
            "shares_sum_to_one": checks.shares_sum_to_one,
            "passed": checks.passed,
        },
    }
