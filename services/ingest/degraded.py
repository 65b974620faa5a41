"""What a source that does not deliver does to each product: the table, and the sentence for a state. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from services.ingest.domain import SourceHealth
from services.ingest.freshness import WELL, Expected, Source, overdue
from services.ingest.policies import Kind


@dataclass(frozen=True, slots=True)
class Effect:
    """On one product, when what it rests on is late, and when it is stale."""

    product: str
    late: str
    stale: str


@dataclass(frozen=True, slots=True)
class Known:
    name: str
    kind: Kind
    source: Source
    expected: Expected


EFFECTS: Mapping[Kind, Sequence[Effect]] = MappingProxyType(
    {
        Kind.ELEMENTS: (
            Effect(
                "decay prediction",
                "windows rest on older sets and are wider; a manoeuvre since is not seen",
                "windows are too wide to act on, and objects new since are not predicted",
            ),
            Effect(
                "hazard assessment",
                "corridors rest on older windows",
                "assessments are not renewed: treat the last as out of date",
            ),
        ),
        Kind.PREDICTIONS: (
            Effect(
                "comparison with others",
                "the predictions of others that are shown may have been replaced",
                "our windows are not checked against those of others",
            ),
        ),
        Kind.DECAYS: (
            Effect(
                "catalogue of objects",
                "objects that came down lately are listed as in orbit",
                "objects that came down are listed, predicted and alerted on",
            ),
        ),
        Kind.OBJECTS: (
            Effect(
                "catalogue of objects",
                "objects new since have no name, owner or size",
                "sizes and masses of new objects are assumed from their type, so that risk is rougher",
            ),
        ),
        Kind.WEATHER: (
            Effect(
                "decay prediction",
                "density rests on the forecast where it was observed since",
                "density rests on long-term means: a storm is not seen, windows are off by more than they say",
            ),
        ),
        Kind.ORIENTATION: (
            Effect(
                "ground track",
                "predicted orientation is used: good to 2 m on the ground",
                "orientation is extrapolated: wrong by up to 15 m on the ground for each month",
            ),
        ),
        Kind.AIRSPACE: (
            Effect(
                "affected regions",
                "borders may be those of the cycle before",
                "borders are several cycles old: check those of every region named",
            ),
        ),
        Kind.TRAFFIC: (
            Effect(
                "risk to aircraft",
                "traffic is that of another season",
                "traffic is that of another year: compare the risk of regions, do not use the figures",
            ),
        ),
    }
)


def degraded(sources: Sequence[Known], now: datetime) -> list[tuple[str, str, str]]:
    """(source, product, effect) for each source that is not well, as old as what it delivered last is."""
    found: list[tuple[str, str, str]] = []
    for one in sources:
        if one.source.state in WELL:
            continue
        others = [o.name for o in sources if o.kind is one.kind and o.name != one.name and _delivers(o)]
        found += [(one.name, effect.product, _sentence(one, effect, others, now)) for effect in EFFECTS[one.kind]]
    return found


def _delivers(one: Known) -> bool:
    return one.source.state in (SourceHealth.HEALTHY, SourceHealth.RECOVERED)


def _sentence(one: Known, effect: Effect, others: Sequence[str], now: datetime) -> str:
    match overdue(one.source.last_delivery_at, now, one.expected):
        case SourceHealth.HEALTHY:
            said = "none yet: what it delivered last is fresh enough"
        case SourceHealth.LATE:
            said = effect.late
        case _:
            said = effect.stale
    return f"{said}; {', '.join(others)} still delivers the like" if others else said
