"""Element sets that may enter the catalogue: pure decisions over what is known of an object already."""

import hashlib
import re
import struct
from dataclasses import dataclass
from datetime import datetime

from libs.astro.earth import WGS72_RADIUS_KM
from libs.astro.elements import ElementSet
from libs.astro.time import MJD_0_JD, jd_to_datetime
from libs.astro.tle import FIRST_YEAR
from services.ingest import jumps, objects
from services.ingest.description import Basis, Description, Statement
from services.ingest.domain import Delivery, ElementSetAccepted, Event
from services.ingest.objects import NOTHING, Known

DAY_MIN = 1440.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue holds of one object and its element sets."""

    known: Known = NOTHING
    fingerprints: frozenset[bytes] = frozenset()


NEW = Entry()


@dataclass(frozen=True, slots=True)
class OfferElements:
    """Element sets of one object, in the order of the file."""

    sets: tuple[ElementSet, ...]
    delivery: Delivery
    last: jumps.LastPublished | None = None


def decide_entry(command: OfferElements, entry: Entry) -> list[Event]:
    events: list[Event] = []
    known, recorded, last, delivery = entry.known, set(entry.fingerprints), command.last, command.delivery
    for elements in command.sets:
        named = objects.decide_statement(naming(elements, delivery), known, delivery)
        for event in named:
            known = objects.evolve(known, event)
        events += named
        identity = fingerprint(elements)
        if identity in recorded:
            continue  # known, but perhaps not under this name
        recorded.add(identity)
        jump = jumps.compare(last.orbit if last else None, elements, life_of(known))
        events.append(
            ElementSetAccepted(elements, delivery.source, delivery.input_sha256, jump.flags, jump.semi_major_axis_km)
        )
        last = jumps.later(last, elements, published_at(elements, delivery))
    return events


def life_of(known: Known) -> jumps.Life:
    """Between launch and decay, each to the end of what its source leaves open."""
    launch, decay = known.description.launch_mjd, known.decay.time if known.decay else None
    return jumps.Life(
        None if launch is None else launch + MJD_0_JD,
        None if decay is None else decay.jd + decay.jd_fraction + decay.tolerance_min / DAY_MIN,
    )


def published_at(elements: ElementSet, delivery: Delivery) -> datetime:
    return delivery.available_at or created_at(elements, delivery) or epoch_of(elements)


def naming(elements: ElementSet, delivery: Delivery) -> Statement:
    """What a set says of its object beside the orbit; stated at a time that every encoding of the set gives."""
    said = Description(elements.object_name.strip(), long_designator(elements.international_designator))
    return Statement(
        elements.catalogue_number, said, Basis.ELEMENT_SET, stated_at=delivery.available_at or epoch_of(elements)
    )


def fingerprint(elements: ElementSet) -> bytes:
    """Identifies a set by what it says of the orbit; who sent it and under which name does not matter."""
    packed = struct.pack(
        "<q11d",
        elements.catalogue_number,
        elements.epoch_jd,
        elements.epoch_jd_fraction,
        elements.mean_motion_rev_day,
        elements.eccentricity,
        elements.inclination_deg,
        elements.raan_deg,
        elements.arg_of_perigee_deg,
        elements.mean_anomaly_deg,
        elements.bstar_per_earth_radius,
        elements.mean_motion_dot_half_rev_day2,
        elements.mean_motion_ddot_sixth_rev_day3,
    )
    return hashlib.sha256(packed).digest()[:16]


def long_designator(designator: bytes) -> bytes:
    """b"22143B" of a TLE as the b"2022-143B" that OMM writes; anything else as it is."""
    text = designator.strip()
    short = re.fullmatch(rb"(\d\d)(\d{3}[A-Z]{1,3})", text)
    if not short:
        return text
    century = b"19" if int(short[1]) >= FIRST_YEAR else b"20"
    return century + short[1] + b"-" + short[2]


def altitudes_km(elements: ElementSet) -> tuple[float, float]:
    """Perigee and apogee altitude from the Kozai mean motion."""
    semi_major_km = jumps.semi_major_axis_km(elements)
    return (
        semi_major_km * (1.0 - elements.eccentricity) - WGS72_RADIUS_KM,
        semi_major_km * (1.0 + elements.eccentricity) - WGS72_RADIUS_KM,
    )


def epoch_of(elements: ElementSet) -> datetime:
    return jd_to_datetime(elements.epoch_jd, elements.epoch_jd_fraction)


def created_at(elements: ElementSet, delivery: Delivery) -> datetime | None:
    """When its publisher made it, if the record says so; a clock that is ahead of ours is not believed."""
    if elements.created is None:
        return None
    return min(jd_to_datetime(*elements.created), delivery.received_at)
