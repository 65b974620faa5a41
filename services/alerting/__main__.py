import sys
from datetime import timedelta

from libs import consume, service, topics
from services.alerting import handlers, projections, rpc
from services.alerting.domain import Thresholds
from services.alerting.handlers import Desk
from services.alerting.settings import AlertingSettings


def thresholds(settings: AlertingSettings) -> Thresholds:
    return Thresholds(
        share=settings.alerting_share,
        pass_probability=settings.alerting_pass_probability,
        clear_factor=settings.alerting_clear_factor,
        rearm_factor=settings.alerting_rearm_factor,
        watch=timedelta(days=settings.alerting_watch_days),
        warning=timedelta(hours=settings.alerting_warning_hours),
        imminent=timedelta(hours=settings.alerting_imminent_hours),
    )


def wire(mesh: service.Mesh, settings: AlertingSettings) -> service.Wiring:
    desk = Desk(mesh.log, thresholds(settings))
    assessments = consume.subscribe(
        mesh.broker,
        mesh.log,
        consumer="alerting",
        topic=topics.topic_name("spacecom.hazard.v1", settings.namespace),
        handlers=handlers.handlers(desk),
        ordered=True,
    )
    answers = rpc.register(mesh.pool, mesh.log, desk, settings.upstream_addresses.get("hazard", ""))
    return service.Wiring([answers], [assessments], rpc.ERRORS)


async def main() -> None:
    settings = AlertingSettings()
    await service.serve(
        "alerting",
        settings,
        project=projections.project,
        rebuild_tables=projections.TABLES,
        upstream={},
        wire=lambda mesh: wire(mesh, settings),
    )


if __name__ == "__main__":
    sys.exit(service.run(main))
