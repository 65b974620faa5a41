"""Messages about one object: whose they are, and which of them say something new. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.ingest.domain import (
    ConjunctionRecorded,
    Delivery,
    EphemerisRecorded,
    ThirdPartyPredictionRecorded,
)

MessageFact = ThirdPartyPredictionRecorded | EphemerisRecorded | ConjunctionRecorded


@dataclass(frozen=True, slots=True)
class OfferMessage:
    """A fact as read; its catalogue number is 0 where the message names its object by designator alone.

    Line and column are those of the object's name in the file.
    """

    fact: MessageFact
    designator: bytes
    line: int
    column: int
    raw: bytes


def without_number(offers: Sequence[OfferMessage]) -> set[bytes]:
    """Designators that only the catalogue can tell the number of."""
    return {offer.designator for offer in offers if not offer.fact.catalogue_number}


def resolved(offer: OfferMessage, numbers: Mapping[bytes, int], delivery: Delivery) -> MessageFact | None:
    """The fact of its object and its delivery; None where the catalogue has no such object."""
    number = offer.fact.catalogue_number or numbers.get(offer.designator, 0)
    if not number:
        return None
    return replace(offer.fact, catalogue_number=number, source=delivery.source, input_sha256=delivery.input_sha256)


def unknown_object(offer: OfferMessage) -> str:
    said = offer.designator.decode("utf-8", "replace")
    return (
        f"no object of the catalogue has the designator {said!r}, and the message gives no catalogue number; "
        "submit an element set of the object first"
    )


def decide_messages(offered: Mapping[bytes, MessageFact], known: set[bytes]) -> list[MessageFact]:
    """Those whose content, by its key, is not recorded yet, whoever sent it."""
    return [fact for key, fact in offered.items() if key not in known]
