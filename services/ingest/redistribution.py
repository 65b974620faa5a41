"""What the agreement with each source allows: the one table of source to redistribution class."""

from collections.abc import Mapping
from types import MappingProxyType

from libs.redistribution import DISCOS, INTERNAL, PUBLIC, SPACE_TRACK, combined
from services.ingest import domain
from services.ingest.domain import Delivery, Event

# CelesTrak passes on Space-Track's sets and catalogue under an arrangement that lets anyone have them.
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "space-track": SPACE_TRACK,
        "celestrak": PUBLIC,
        "swpc": PUBLIC,
        "iers": PUBLIC,
        "discos": DISCOS,
    }
)


def class_of(source: str, stated: Mapping[str, str]) -> str:
    """Of all that comes from a source, or from one of its feeds as `space-track-tip`; `stated` goes before the table.

    A source that is not named is internal.
    """
    known = {**SOURCES, **stated}
    feeds = [name for name in known if source == name or source.startswith(f"{name}-")]
    return known[max(feeds, key=len)] if feeds else INTERNAL


def class_of_fact(event: Event, delivery: Delivery) -> str:
    """A description merged from several sources is of the classes of all of them."""
    match event:
        case domain.ObjectCatalogued(origins=origins) | domain.ObjectRevised(origins=origins):
            return combined({origin.redistribution for origin in origins.values()})
        case domain.ObjectDecayed(origin=origin):
            return origin.redistribution
        case domain.SourceStateChanged():
            return PUBLIC  # says how the source does, and nothing of what it delivers
        case _:
            return delivery.redistribution
