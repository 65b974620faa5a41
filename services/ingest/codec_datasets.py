"""Datasets and Earth orientation to the wire."""

from libs.astro.eop_rows import OrientationDay
from services.ingest import domain
from spacecom.ingest.v1 import ingest_events_pb2 as pb

DatasetFact = domain.AirspaceRecorded | domain.EarthOrientationRecorded | domain.TrafficDensityRecorded
DatasetWire = pb.AirspaceRecorded | pb.EarthOrientationRecorded | pb.TrafficDensityRecorded


def to_wire(event: DatasetFact) -> DatasetWire:
    match event:
        case domain.AirspaceRecorded():
            return _airspace(event)
        case domain.EarthOrientationRecorded(source, days, sha256):
            return pb.EarthOrientationRecorded(source=source, days=map(_orientation_day, days), input_sha256=sha256)
        case domain.TrafficDensityRecorded():
            return _traffic(event)


def _airspace(event: domain.AirspaceRecorded) -> pb.AirspaceRecorded:
    return pb.AirspaceRecorded(
        dataset=event.dataset,
        geojson_sha256=event.geojson_sha256,
        feature_count=event.feature_count,
        invalid_features=_invalid(event.invalid_features),
        notice=event.notice,
        source=event.source,
    )


def _traffic(event: domain.TrafficDensityRecorded) -> pb.TrafficDensityRecorded:
    said = event.coverage
    cells = said.h3_resolution is not None
    return pb.TrafficDensityRecorded(
        dataset=event.dataset,
        source=event.source,
        grid=pb.TRAFFIC_GRID_H3 if cells else pb.TRAFFIC_GRID_POLYGONS,
        h3_resolution=said.h3_resolution or 0,
        cell_count=said.cell_count,
        row_count=said.row_count,
        hours=said.hours,
        lowest_fl=said.lowest_fl,
        highest_fl=said.highest_fl,
        aircraft_total=said.aircraft_total,
        invalid_rows=_invalid(event.invalid_rows),
        notice=event.notice,
        input_sha256=event.input_sha256,
    )


def _orientation_day(day: OrientationDay) -> pb.EarthOrientationDay:
    return pb.EarthOrientationDay(
        mjd=day.mjd,
        pole_x_arcsec=day.pole_x_arcsec,
        pole_y_arcsec=day.pole_y_arcsec,
        ut1_utc_s=day.ut1_utc_s,
        predicted=day.predicted,
    )


def _invalid(named: tuple[tuple[str, str], ...]) -> list[pb.InvalidFeature]:
    return [pb.InvalidFeature(name=name, problem=problem) for name, problem in named]
