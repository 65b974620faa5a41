"""Files that are one dataset, or a row of days: traffic density and Earth orientation."""

from collections.abc import Callable, Iterator, Sequence

from libs.astro import eop_rows
from libs.astro.elements import Refused
from libs.providers import traffic
from libs.providers.traffic import TrafficRow
from services.ingest.domain import Format, OrientationDay, TrafficCoverage

TRAFFIC: dict[Format, Callable[[bytes], Iterator[TrafficRow | Refused]]] = {
    Format.TRAFFIC_CSV: traffic.read_csv,
    Format.TRAFFIC_GEOJSON: traffic.read_geojson,
}


def read_orientation(data: bytes) -> Iterator[OrientationDay | Refused]:
    """Each day that has values; never raises for content."""
    for found in eop_rows.read(data):
        if isinstance(found, Refused):
            yield found
        else:
            yield OrientationDay(found.mjd, found.pole_x_arcsec, found.pole_y_arcsec, found.ut1_utc_s, found.predicted)


def read_traffic(found: Format, data: bytes) -> tuple[TrafficCoverage | None, list[Refused]]:
    """What the usable rows cover, None where there are none, and the others; never raises for content."""
    rows: list[TrafficRow] = []
    refused: list[Refused] = []
    for row in TRAFFIC[found](data):
        if isinstance(row, Refused):
            refused.append(row)
        else:
            rows.append(row)
    return (_coverage(rows) if rows else None), refused


def _coverage(rows: Sequence[TrafficRow]) -> TrafficCoverage:
    return TrafficCoverage(
        h3_resolution=rows[0].h3_resolution,
        cell_count=len({row.place for row in rows}),
        row_count=len(rows),
        hours=tuple(sorted({row.hour for row in rows})),
        lowest_fl=min(row.lower_fl for row in rows),
        highest_fl=max(row.upper_fl for row in rows),
        aircraft_total=sum(row.aircraft for row in rows),
    )
