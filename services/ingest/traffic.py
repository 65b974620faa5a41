"""Whether a dataset of air traffic density is new. Pure."""

from dataclasses import dataclass

from services.ingest.domain import Delivery, TrafficCoverage, TrafficDensityRecorded

MAX_NAMED = 200  # rows left out that the fact names; each is also recorded as refused


@dataclass(frozen=True, slots=True)
class OfferTraffic:
    coverage: TrafficCoverage
    invalid_rows: tuple[tuple[str, str], ...]
    notice: str
    delivery: Delivery


def decide_traffic(command: OfferTraffic, recorded_sha256: str) -> list[TrafficDensityRecorded]:
    delivery = command.delivery
    if delivery.input_sha256 == recorded_sha256:
        return []
    return [
        TrafficDensityRecorded(
            delivery.dataset,
            delivery.source,
            command.coverage,
            _named(command.invalid_rows),
            command.notice,
            delivery.input_sha256,
        )
    ]


def _named(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    more = len(rows) - MAX_NAMED
    return (*rows[:MAX_NAMED], ("further rows", f"{more} more are left out")) if more > 0 else rows
