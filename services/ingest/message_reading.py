"""Messages about one object, as their providers write them, to the facts they state."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from libs.astro.elements import MAX_CATALOGUE_NUMBER, RefusalReason, Refused
from libs.astro.time import jd_to_datetime
from libs.ccsds import cdm, kvn, markup, oem, rdm
from libs.ccsds.layout import read_as
from libs.ccsds.messages import Entry, Message
from libs.providers import spacetrack
from libs.rows.csv_rows import read_csv_rows
from libs.rows.json_rows import read_json_rows
from libs.rows.places import excerpt
from libs.rows.values import Bad, Instant
from services.ingest.domain import (
    ConjunctionRecorded,
    EphemerisRecorded,
    ThirdPartyKind,
    ThirdPartyPredictionRecorded,
)
from services.ingest.messages import OfferMessage
from services.ingest.publication import Publication

TIP_ALTITUDE_KM = 10.0  # what the time and place of a TIP are for
TIP_BEFORE, TIP_AFTER = timedelta(days=30), timedelta(days=120)  # of its decay to the time it was made
_MINUTE_S = 60.0
_MOST_DAYS = 100_000.0
FIRST_JD, END_JD = 2435839.5, 2524593.5  # 1957-01-01 and 2200-01-01
Offered = Iterator[OfferMessage | Refused]


def read_tip(data: bytes, published: Publication | None) -> Offered:
    """Each row of Space-Track's class `tip`, JSON or CSV; never raises for content."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return read_json_rows(data, partial(_tip, published))
    return read_csv_rows(data, ("NORAD_CAT_ID", "MSG_EPOCH", "DECAY_EPOCH", "WINDOW"), partial(_tip, published))


def read_rdm(data: bytes, published: Publication | None) -> Offered:
    """Each re-entry data message, KVN or XML; never raises for content."""
    return read_as("RDM", _lexed(data), partial(_prediction, published))


def read_cdm(data: bytes, published: Publication | None) -> Offered:
    """Each conjunction data message, KVN or XML; never raises for content."""
    return read_as("CDM", _lexed(data), partial(_conjunction, published))


def read_oem(data: bytes, published: Publication | None) -> Offered:
    """Each segment of each ephemeris message, KVN or XML; never raises for content."""
    build = oem.build_xml if _is_xml(data) else oem.build_kvn
    for found in read_as("OEM", _lexed(data), lambda message: _segments(published, message, build(message))):
        if isinstance(found, Refused):
            yield found
        else:
            yield from found


def _is_xml(data: bytes) -> bool:
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def _lexed(data: bytes) -> Iterator[Message | Refused]:
    return markup.read_messages(data) if _is_xml(data) else kvn.read_messages(data)


def _tip(published: Publication | None, row: dict[str, Any]) -> OfferMessage:
    read = spacetrack.tip(row)
    made_at = _made_at("MSG_EPOCH", read.message_epoch, published)
    decay_at = _datetime("DECAY_EPOCH", read.decay_epoch)
    if not made_at - TIP_BEFORE <= decay_at <= made_at + TIP_AFTER:
        detail = f"DECAY_EPOCH is {decay_at:%Y-%m-%d}, too far from MSG_EPOCH {made_at:%Y-%m-%d} for a TIP"
        raise Bad("DECAY_EPOCH", RefusalReason.EPOCH, detail)
    fact = ThirdPartyPredictionRecorded(
        catalogue_number=read.catalogue_number,
        source="",
        kind=ThirdPartyKind.TIP,
        originator=b"",
        message_id=b"",
        nominal_jd=read.decay_epoch.jd,
        nominal_jd_fraction=read.decay_epoch.jd_fraction,
        window_start_min=-read.window_min,
        window_end_min=read.window_min,
        reentry_altitude_km=TIP_ALTITUDE_KM,
        latitude_deg=read.latitude_deg,
        longitude_deg=read.longitude_deg,
        confidence_percent=None,
        controlled=None,
        made_at=made_at,
        input_sha256="",
    )
    return OfferMessage(fact, b"", 0, 0, b"")


_CONTROLLED = {"YES": True, "NO": False, "UNKNOWN": None}


def _prediction(published: Publication | None, message: Message) -> OfferMessage:
    read = rdm.build(message)
    said = read.metadata
    _only("CENTER_NAME", said.center_name, "EARTH")
    _only("TIME_SYSTEM", said.time_system, "UTC")
    nominal = read.reentry.nominal_reentry_epoch or _after(said.epoch_tzero, read.reentry.orbit_lifetime_d)
    _in_the_space_age("ORBIT_LIFETIME", nominal)
    start_min, end_min = _window_min(read, nominal)
    confidence = read.reentry.orbit_lifetime_confidence_percent
    fact = ThirdPartyPredictionRecorded(
        catalogue_number=_number(said.catalog_name, said.object_designator),
        source="",
        kind=ThirdPartyKind.RDM,
        originator=read.header.originator.encode(),
        message_id=read.header.message_id.encode(),
        nominal_jd=nominal.jd,
        nominal_jd_fraction=nominal.jd_fraction,
        window_start_min=start_min,
        window_end_min=end_min,
        reentry_altitude_km=read.reentry.reentry_altitude_km,
        latitude_deg=None,  # the message places the impact, not the object at its nominal time
        longitude_deg=None,
        confidence_percent=confidence if confidence and confidence < 100.0 else None,
        controlled=_CONTROLLED[said.controlled_reentry],
        made_at=_made_at("CREATION_DATE", read.header.creation_date, published),
        input_sha256="",
    )
    return _offer(fact, said.international_designator, message, "INTERNATIONAL_DESIGNATOR")


def _window_min(read: rdm.ReentryMessage, nominal: Instant) -> tuple[float, float]:
    """Minutes from the nominal time; 0 where the message gives no window."""
    said, tzero = read.reentry, read.metadata.epoch_tzero
    start = said.reentry_window_start or _after(tzero, said.orbit_lifetime_window_start_d)
    end = said.reentry_window_end or _after(tzero, said.orbit_lifetime_window_end_d)
    start_min = start.seconds_since(nominal) / _MINUTE_S if start else 0.0
    end_min = end.seconds_since(nominal) / _MINUTE_S if end else 0.0
    if start_min > 0.0 or end_min < 0.0:
        raise Bad("ORBIT_LIFETIME", RefusalReason.MISMATCH, "the nominal re-entry lies outside its own window")
    return start_min, end_min


def _after(tzero: Instant, days: Any) -> Any:
    if days is None:
        return None
    if abs(days) > _MOST_DAYS:
        raise Bad("ORBIT_LIFETIME", RefusalReason.RANGE, f"{days:g} days from EPOCH_TZERO is no time of this kind")
    whole, rest = divmod(tzero.jd_fraction + days, 1.0)
    return Instant(tzero.jd + whole, rest)


def _conjunction(published: Publication | None, message: Message) -> OfferMessage:
    read = cdm.build(message)
    _made_at("CREATION_DATE", read.header.creation_date, published)
    first, second = (one.metadata for one in read.objects)
    for one in (first, second):
        if one.orbit_center is not None:
            _only("ORBIT_CENTER", one.orbit_center, "EARTH")
    _in_the_space_age("TCA", read.closest.tca)
    screening = read.screening
    fact = ConjunctionRecorded(
        catalogue_number=_number(first.catalog_name, first.object_designator),
        other_catalogue_number=_number(second.catalog_name, second.object_designator),
        source="",
        originator=read.header.originator.encode(),
        message_id=read.header.message_id.encode(),
        closest_jd=read.closest.tca.jd,
        closest_jd_fraction=read.closest.tca.jd_fraction,
        miss_distance_m=read.closest.miss_distance_m,
        relative_speed_m_s=read.closest.relative_speed_m_s,
        collision_probability=screening.collision_probability if screening else None,
        input_sha256="",
    )
    return _offer(fact, first.international_designator, message, "INTERNATIONAL_DESIGNATOR")


def _segments(published: Publication | None, message: Message, read: oem.EphemerisMessage) -> list[OfferMessage]:
    _made_at("CREATION_DATE", read.header.creation_date, published)
    offers = []
    for n, segment in enumerate(read.segments, 1):
        said = segment.metadata
        _only("CENTER_NAME", said.center_name, "EARTH")
        start, stop = said.useable_start_time or said.start_time, said.useable_stop_time or said.stop_time
        for keyword, instant in (("START_TIME", start), ("STOP_TIME", stop)):
            _in_the_space_age(keyword, instant)
        fact = EphemerisRecorded(
            catalogue_number=_number("SATCAT", said.object_id),
            source="",
            originator=read.header.originator.encode(),
            reference_frame=said.ref_frame,
            time_system=said.time_system,
            start_jd=start.jd,
            start_jd_fraction=start.jd_fraction,
            stop_jd=stop.jd,
            stop_jd_fraction=stop.jd_fraction,
            state_count=len(segment.states),
            input_sha256="",
            segment=n,
        )
        offers.append(_offer(fact, said.object_id, message, "OBJECT_ID"))
    return offers


def _only(keyword: str, said: str, allowed: str) -> None:
    if said.upper() != allowed:
        raise Bad(keyword, RefusalReason.MISMATCH, f"{keyword} is {said[:80]!r}; only {allowed} is taken")


def _number(catalogue: str | None, designator: str | None) -> int:
    """The catalogue number where the designator is one; 0 where it is not."""
    said = (designator or "").strip()
    if (catalogue or "").upper() != "SATCAT" or not (said.isascii() and said.isdigit()) or len(said) > 9:
        return 0
    return int(said) if int(said) <= MAX_CATALOGUE_NUMBER else 0


def _offer(fact: Any, designator: str, message: Message, keyword: str) -> OfferMessage:
    entry = _entry(message, keyword)
    return OfferMessage(fact, designator.encode(), entry.line, entry.column, excerpt(message.raw))


def _entry(message: Message, keyword: str) -> Entry:
    return next(entry for entry in message.entries if entry.keyword == keyword)


def _in_the_space_age(keyword: str, instant: Instant) -> Instant:
    if not FIRST_JD <= instant.jd < END_JD:
        raise Bad(keyword, RefusalReason.RANGE, f"{keyword} is Julian date {instant.jd:.1f}, not of 1957 to 2199")
    return instant


def _made_at(keyword: str, instant: Instant, published: Publication | None) -> datetime:
    made_at = _datetime(keyword, instant)
    if published and (detail := published.making_problem(made_at)):
        raise Bad(keyword, RefusalReason.EPOCH, detail)
    return made_at


def _datetime(keyword: str, instant: Instant) -> datetime:
    return jd_to_datetime(*_in_the_space_age(keyword, instant))
