"""Files that are one dataset of traffic density."""

from collections.abc import Callable, Iterator, Sequence

from libs.astro.elements import Refused
from libs.providers import traffic
from libs.providers.traffic import TrafficRow
from services.ingest.domain import Format, TrafficCoverage

TRAFFIC: dict[Format, Callable[[bytes], Iterator[TrafficRow | Refused]]] = {
    Format.TRAFFIC_CSV: traffic.read_csv,
    Format.TRAFFIC_GEOJSON: traffic.read_geojson,
}


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
