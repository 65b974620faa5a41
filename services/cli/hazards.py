"""predict, hazard, alerts, ack, clear: what threatens whom, and what was done about it."""

from collections.abc import Iterator
from typing import Annotated
from uuid import uuid4

import typer

from services.cli import client, show
from services.cli.client import Mesh
from services.cli.running import Json
from spacecom.alerting.v1 import alerting_service_pb2 as alerting
from spacecom.alerting.v1.alerting_service_pb2_grpc import AlertingServiceStub
from spacecom.hazard.v1 import hazard_events_pb2 as hazard_events
from spacecom.hazard.v1 import hazard_service_pb2 as hazard
from spacecom.hazard.v1.hazard_service_pb2_grpc import HazardServiceStub
from spacecom.propagation.v1 import propagation_service_pb2 as propagation
from spacecom.propagation.v1.propagation_service_pb2_grpc import PropagationServiceStub

PREDICT_S = 300.0
Number = Annotated[int, typer.Argument(help="Catalogue number.")]
AlertId = Annotated[str, typer.Argument(help="Identifier, such as 54217/1/LECB.")]


def predict(
    number: Number,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Show the newest recorded one; predict nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Predict an object's re-entry now, from what is known, and record it."""
    mesh = client.connect()
    declined = None
    if recorded:
        asked = propagation.GetPredictionRequest(catalogue_number=number)
        answer = mesh.ask("propagation", PropagationServiceStub, "GetPrediction", asked)
        declined = answer.declined if answer.HasField("declined") else None
    else:
        made = propagation.PredictRequest(catalogue_number=number, idempotency_key=str(uuid4()))
        answer = mesh.ask("propagation", PropagationServiceStub, "Predict", made, PREDICT_S)
    if json:
        show.document(show.fields(answer.prediction) | ({"declined": show.fields(declined)} if declined else {}))
        return
    window(answer.prediction)
    if declined:
        known = show.instant(declined.known_at)
        show.line(f"  DECLINED since, from what was known at {known} UTC: {declined.detail}", "red")


def window(prediction: propagation.Prediction) -> None:
    decay = prediction.decay
    quantiles = {round(one.probability, 3): show.epoch(one.epoch.jd, one.epoch.jd_fraction) for one in decay.quantiles}
    show.line(
        f"object {decay.catalogue_number}: re-entry at {decay.reentry_altitude_km:.0f} km, "
        f"from what was known at {show.instant(decay.known_at)} UTC"
    )
    show.line(f"  90 % window   {quantiles[0.05]:%Y-%m-%d %H:%M} to {quantiles[0.95]:%Y-%m-%d %H:%M} UTC")
    show.line(f"  median        {quantiles[0.5]:%Y-%m-%d %H:%M} UTC")
    show.line(
        f"  ballistic coefficient {2.718281828459045**decay.ln_b:.5f} m2/kg (sigma of its logarithm "
        f"{decay.sigma_ln_b:.2f}); {decay.method}; {decay.sample_count} samples; model {decay.model_version}"
    )


def hazard_of(
    number: Number,
    run: Annotated[str, typer.Option("--run", help="Run, such as one of your own scenario.")] = "",
    json: Json = False,
) -> None:
    """The newest hazard assessment of an object, by flight information region."""
    mesh = client.connect()
    asked = hazard.GetAssessmentRequest(catalogue_number=number, run_id=run)
    answer = mesh.ask("hazard", HazardServiceStub, "GetAssessment", asked)
    if json:
        show.document(answer.assessment)
        return
    assessed = answer.assessment.hazard
    show.line(
        f"object {number}: 90 % window {show.instant(assessed.window_start_time)} to "
        f"{show.instant(assessed.window_end_time)} UTC, median {show.instant(assessed.median_time)}"
    )
    if answer.assessment.quick:
        show.line(f"first corridor of {assessed.sample_count} samples; pieces are being flown in run {assessed.run_id}")
    regions(assessed)
    corridors(assessed)


def regions(assessed: hazard_events.HazardAssessed, named: frozenset[str] = frozenset()) -> None:
    """`named`: regions marked as named by somebody else."""
    show.table(
        ("FIR", "name", "share", "any piece", "highest pass probability", "passes UTC", *(("named",) if named else ())),
        (
            (
                fir.fir_designator,
                show.harmless(fir.fir_name),
                show.percent(fir.share),
                show.percent(fir.pieces.any_probability) if assessed.HasField("pieces") else "-",
                show.percent(max((one.pass_probability for one in fir.passes), default=0.0)),
                ", ".join(_pass(one) for one in fir.passes),
                *(("yes" if fir.fir_designator in named else "",) if named else ()),
            )
            for fir in assessed.firs
        ),
    )
    show.line(f"outside every region of this dataset: {show.percent(assessed.unassigned_share)}")
    show.line(f"airspace {assessed.airspace_dataset}: {show.harmless(assessed.airspace_notice) or 'no notice'}")


def _pass(one: hazard_events.FirPass) -> str:
    return f"{show.instant(one.entry_time, '%H:%M')}-{show.instant(one.exit_time, '%H:%M')}"


def corridors(assessed: hazard_events.HazardAssessed) -> None:
    show.line("fixed corridors along the nominal track over the whole 90 % window would touch")
    for baseline in assessed.baselines:
        firs = baseline.fir_designators
        show.line(f"  {baseline.half_width_km:3.0f} km each side: {len(firs)} regions: {' '.join(firs)}")


def alerts(
    cleared: Annotated[bool, typer.Option("--cleared", help="Also those that were cleared.")] = False,
    number: Annotated[int, typer.Option("--object", help="Only of this object.")] = 0,
    json: Json = False,
) -> None:
    """Alerts, the greatest share first."""
    found = list(all_alerts(client.connect(), number, cleared=cleared))
    if json:
        show.document([show.fields(one) for one in found])
    else:
        table(found)


def all_alerts(mesh: Mesh, number: int = 0, *, cleared: bool = False) -> Iterator[alerting.Alert]:
    token = ""
    while True:
        request = alerting.ListAlertsRequest(
            include_cleared=cleared, catalogue_number=number, page_size=1000, page_token=token
        )
        answer = mesh.ask("alerting", AlertingServiceStub, "ListAlerts", request)
        yield from answer.alerts
        token = answer.next_page_token
        if not token:
            return


def table(found: list[alerting.Alert]) -> None:
    show.table(
        ("alert", "region", "state", "share", "first entry UTC", "last exit UTC", "acknowledged by"),
        (
            (
                one.alert_id,
                show.harmless(one.fir_name),
                alerting.AlertState.Name(one.state).removeprefix("ALERT_STATE_").lower(),
                show.percent(one.threat.share),
                show.instant(one.threat.first_entry_time) if one.threat.HasField("first_entry_time") else "",
                show.instant(one.threat.last_exit_time) if one.threat.HasField("last_exit_time") else "",
                show.harmless(one.acknowledged_by),
            )
            for one in found
        ),
    )


def ack(
    alert: AlertId,
    note: Annotated[str, typer.Option(help="What you want remembered.")] = "",
    version: Annotated[int, typer.Option(help="Version you saw; refused when it changed since.")] = 0,
    json: Json = False,
) -> None:
    """Acknowledge an alert in your name."""
    request = alerting.AcknowledgeAlertRequest(
        alert_id=alert, idempotency_key=str(uuid4()), note=note.encode(), expected_version=version
    )
    answer = client.connect().ask("alerting", AlertingServiceStub, "AcknowledgeAlert", request)
    _done(answer.alert, json=json)


def clear(
    alert: AlertId,
    note: Annotated[str, typer.Option(help="Why; kept with the alert.")],
    version: Annotated[int, typer.Option(help="Version you saw; refused when it changed since.")] = 0,
    json: Json = False,
) -> None:
    """Clear an alert in your name."""
    request = alerting.ClearAlertRequest(
        alert_id=alert, idempotency_key=str(uuid4()), note=note.encode(), expected_version=version
    )
    answer = client.connect().ask("alerting", AlertingServiceStub, "ClearAlert", request)
    _done(answer.alert, json=json)


def _done(alert: alerting.Alert, *, json: bool) -> None:
    if json:
        show.document(alert)
    else:
        table([alert])
