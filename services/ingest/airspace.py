"""Whether a dataset of airspace is new."""

from dataclasses import dataclass

from services.ingest.domain import AirspaceRecorded, Delivery, Event


@dataclass(frozen=True, slots=True)
class OfferAirspace:
    feature_count: int
    invalid_features: tuple[tuple[str, str], ...]
    notice: str
    delivery: Delivery


def decide_airspace(command: OfferAirspace, recorded_sha256: str) -> list[Event]:
    delivery = command.delivery
    if delivery.input_sha256 == recorded_sha256:
        return []
    return [
        AirspaceRecorded(
            delivery.dataset,
            delivery.input_sha256,
            command.feature_count,
            command.invalid_features,
            command.notice,
            delivery.source,
        )
    ]
