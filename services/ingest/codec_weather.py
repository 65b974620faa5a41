"""Space weather to the wire."""

from services.ingest import domain
from spacecom.ingest.v1 import ingest_events_pb2 as pb

WeatherFact = domain.SpaceWeatherRecorded | domain.SpaceWeatherForecastRecorded | domain.SpaceWeatherIndicesRecorded
WeatherWire = pb.SpaceWeatherRecorded | pb.SpaceWeatherForecastRecorded | pb.SpaceWeatherIndicesRecorded


def to_wire(event: WeatherFact) -> WeatherWire:
    match event:
        case domain.SpaceWeatherRecorded(source, days, sha256):
            return pb.SpaceWeatherRecorded(source=source, days=map(day_to_wire, days), input_sha256=sha256)
        case domain.SpaceWeatherForecastRecorded(source, days, sha256):
            return pb.SpaceWeatherForecastRecorded(source=source, days=map(day_to_wire, days), input_sha256=sha256)
        case domain.SpaceWeatherIndicesRecorded(source, indices, sha256):
            return pb.SpaceWeatherIndicesRecorded(source=source, days=map(_index, indices), input_sha256=sha256)


def day_to_wire(day: domain.WeatherDay) -> pb.SpaceWeatherDay:
    return pb.SpaceWeatherDay(
        mjd=day.mjd, ap_3h=day.ap_3h, ap_daily=day.ap_daily, f107_observed_sfu=day.f107_observed_sfu
    )


def _index(day: domain.WeatherIndex) -> pb.SpaceWeatherIndexDay:
    return pb.SpaceWeatherIndexDay(mjd=day.mjd, ap_3h=day.ap_3h, f107_observed_sfu=day.f107_observed_sfu)
