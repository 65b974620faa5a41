"""Bytes of a submission to records: CPU work, run in a process of its own when the file is large."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from tempfile import NamedTemporaryFile

from libs import aixm
from libs.astro import airspace, eop_rows, tle, weather, weather_csv
from libs.astro.elements import ElementSet, RefusalReason, Refused
from libs.astro.eop_rows import OrientationDay
from libs.ccsds import omm
from libs.providers import swpc
from libs.rows.places import excerpt
from libs.workers import Lost, Workers
from services.ingest import dataset_reading, message_reading, statements
from services.ingest.description import Statement
from services.ingest.domain import MAX_RAW, Format, TrafficCoverage, WeatherDay, WeatherIndex
from services.ingest.messages import OfferMessage
from services.ingest.publication import Publication
from services.ingest.recognising import recognise

SMALL_BYTES = 64 * 1024  # parsed in a thread within milliseconds; the round trip to a process costs more
READ_HERE = (
    "TLE, OMM (JSON, XML, KVN, CSV), OEM, RDM or CDM (KVN, XML), TIP, SATCAT or decay rows (JSON, CSV), DISCOS JSON, "
    "space weather (CSSI, CelesTrak CSV, SWPC JSON), finals2000A, airspace (GeoJSON, AIXM) or traffic density (CSV, "
    "GeoJSON)"
)
NOTICE_KEYS = ("notice", "attribution", "disclaimer")
SETS: dict[Format, Callable[[bytes, tle.EpochProblem | None], Iterator[ElementSet | Refused]]] = {
    Format.TLE: tle.read,
    Format.OMM_JSON: omm.read_omm_json,
    Format.OMM_XML: omm.read_omm_xml,
    Format.OMM_KVN: omm.read_omm_kvn,
    Format.OMM_CSV: omm.read_omm_csv,
}
MESSAGES: dict[Format, Callable[[bytes, Publication | None], Iterator[OfferMessage | Refused]]] = {
    Format.TIP: message_reading.read_tip,
    Format.RDM: message_reading.read_rdm,
    Format.CDM: message_reading.read_cdm,
    Format.OEM: message_reading.read_oem,
}
WEATHER: dict[Format, Callable[[bytes], weather.WeatherFile]] = {
    Format.CSSI: weather.read_cssi,
    Format.WEATHER_CSV: weather_csv.read_csv,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    raw: bytes
    line: int
    column: int
    reason: RefusalReason
    detail: str


@dataclass(frozen=True, slots=True)
class Reading:
    format: Format
    sets: tuple[ElementSet, ...] = ()
    statements: tuple[Statement, ...] = ()
    observed: tuple[WeatherDay, ...] = ()
    predicted: tuple[WeatherDay, ...] = ()
    indices: tuple[WeatherIndex, ...] = ()
    messages: tuple[OfferMessage, ...] = ()
    orientation: tuple[OrientationDay, ...] = ()
    traffic: TrafficCoverage | None = None
    feature_count: int = 0
    invalid_features: tuple[tuple[str, str], ...] = ()
    notice: str = ""
    geojson: bytes = b""
    refusals: tuple[Refusal, ...] = ()


def read(stated: Format, data: bytes, published: Publication | None = None) -> Reading:
    """Everything usable in the file and every refusal of the rest; never raises for content.

    What cannot have been said by the time it was `published` is refused; without that any time is taken.
    """
    return next(parts(stated, data, sys.maxsize, published))


def parts(stated: Format, data: bytes, size: int, published: Publication | None = None) -> Iterator[Reading]:
    """As `read`, but what comes by the thousand in parts of at most `size` records, read as they are asked for."""
    found = recognise(data) if stated is Format.UNKNOWN else stated
    if found in SETS:
        return _read_sets(found, data, size, published)
    if found in STATEMENTS:
        return _read_statements(found, data, size)
    if found in MESSAGES:
        return iter((_read_messages(found, data, published),))
    return iter((READERS[found](found, data),))


def _all_parts(stated: Format, data: bytes, size: int, published: Publication | None) -> list[Reading]:
    return list(parts(stated, data, size, published))


def _read_sets(found: Format, data: bytes, size: int, published: Publication | None) -> Iterator[Reading]:
    lines = data.splitlines() if found is Format.TLE else []  # the other readers give the record with its refusal
    records = SETS[found](data, published.epoch_problem if published else None)
    some = list(islice(records, size))
    if not some:
        yield Reading(found, refusals=(_whole(data, "holds no element set"),))
    while some:
        sets = tuple(record for record in some if isinstance(record, ElementSet))
        refusals = tuple(_refusal(record, lines) for record in some if not isinstance(record, ElementSet))
        yield Reading(found, sets=sets, refusals=refusals)
        some = list(islice(records, size))


def _read_messages(found: Format, data: bytes, published: Publication | None) -> Reading:
    offers: list[OfferMessage] = []
    refusals: list[Refusal] = []
    for record in MESSAGES[found](data, published):
        if isinstance(record, OfferMessage):
            offers.append(record)
        else:
            refusals.append(_refusal(record, []))
    if not offers and not refusals:
        refusals.append(_whole(data, f"holds no {found.name}"))
    return Reading(found, messages=tuple(offers), refusals=tuple(refusals))


def _read_statements(found: Format, data: bytes, size: int) -> Iterator[Reading]:
    records = statements.read(found, data)
    some = list(islice(records, size))
    if not some:
        yield Reading(found, refusals=(_whole(data, "holds no object"),))
    while some:
        said = tuple(record for record in some if not isinstance(record, Refused))
        refusals = tuple(_refusal(record, []) for record in some if isinstance(record, Refused))
        yield Reading(found, statements=said, refusals=refusals)
        some = list(islice(records, size))


def _read_weather(found: Format, data: bytes) -> Reading:
    try:
        file = WEATHER[found](data)
    except Refused as refused:
        return Reading(found, refusals=(_refusal(refused, data.splitlines()),))
    lines = data.splitlines()
    refusals = [_refusal(refused, lines) for refused in file.rejections]
    if not file.observed and not file.predicted and not refusals:
        refusals.append(_whole(data, "holds no day of space weather"))
    return Reading(found, observed=_days(file.observed), predicted=_days(file.predicted), refusals=tuple(refusals))


def _read_swpc(_: Format, data: bytes) -> Reading:
    file = swpc.read(data)
    refusals = [_refusal(refused, data.splitlines()) for refused in file.rejections]
    if not file.indices and not file.forecast and not refusals:
        refusals.append(_whole(data, "holds no whole day of space weather"))
    indices = tuple(WeatherIndex(day.mjd, day.ap_3h, day.f107_observed_sfu) for day in file.indices)
    return Reading(Format.SWPC, indices=indices, predicted=_days(file.forecast), refusals=tuple(refusals))


def _days(days: Iterable[weather.Day]) -> tuple[WeatherDay, ...]:
    return tuple(WeatherDay(day.mjd, tuple(day.ap_3h), day.ap_daily, day.f107_observed_sfu) for day in days)


def _read_airspace(found: Format, data: bytes) -> Reading:
    try:
        regions = airspace.load_geojson(data)
    except Refused as refused:
        return Reading(found, refusals=(_refusal(refused, data.splitlines()),))
    if not regions.idents:
        return Reading(found, refusals=(_whole(data, "holds no usable flight information region"),))
    return Reading(
        found,
        feature_count=len(regions.idents),
        invalid_features=tuple((str(name), str(problem)) for name, problem in regions.invalid),
        notice=_notice(data) or "",
    )


def _read_aixm(found: Format, data: bytes) -> Reading:
    """As the GeoJSON that its airspace makes, which is what is kept for those who use it."""
    file = aixm.read(data)
    refusals = tuple(_refusal(refused, []) for refused in file.rejections)
    if not file.volume_count:
        return Reading(found, refusals=refusals or (_whole(data, "holds no usable airspace"),))
    read = _read_airspace(found, file.geojson)
    named = tuple((f"line {refused.line}", refused.detail) for refused in file.rejections)
    return replace(
        read, invalid_features=read.invalid_features + named, geojson=file.geojson, refusals=read.refusals + refusals
    )


def _read_orientation(_: Format, data: bytes) -> Reading:
    lines = data.splitlines()
    records = list(eop_rows.read(data))
    refusals = [_refusal(record, lines) for record in records if isinstance(record, Refused)]
    if not records:
        refusals.append(_whole(data, "holds no day of Earth orientation"))
    days = tuple(record for record in records if not isinstance(record, Refused))
    return Reading(Format.ORIENTATION, orientation=days, refusals=tuple(refusals))


def _read_traffic(found: Format, data: bytes) -> Reading:
    covered, refused = dataset_reading.read_traffic(found, data)
    refusals = [_refusal(one, []) for one in refused]
    if covered is None and not refusals:
        refusals.append(_whole(data, "holds no row of traffic density"))
    named = tuple((f"line {one.line}", one.detail) for one in refused)
    notice = _notice(data) if found is Format.TRAFFIC_GEOJSON else ""
    if notice is None:  # not JSON to its end: half a file would stand for the whole dataset
        return Reading(found, refusals=tuple(refusals))
    return Reading(found, traffic=covered, invalid_features=named, notice=notice, refusals=tuple(refusals))


def _notice(data: bytes) -> str | None:
    """None where the document is no JSON."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return ""
    return next((str(document[key]) for key in NOTICE_KEYS if document.get(key)), "")


def _refusal(refused: Refused, lines: list[bytes]) -> Refusal:
    raw = refused.raw or excerpt(_record(lines, refused.line), refused.column - 1)
    return Refusal(raw, refused.line, refused.column, refused.reason, refused.detail)


def _record(lines: list[bytes], line: int) -> bytes:
    """The refused line, with the other line of its pair where there is one."""
    if not 1 <= line <= len(lines):
        return b"\n".join(lines[:400])
    first, last = line - 1, line
    if lines[first][:2] == b"2 " and first and lines[first - 1][:2] == b"1 ":
        first -= 1
    elif lines[first][:2] == b"1 " and last < len(lines) and lines[last][:2] == b"2 ":
        last += 1
    return b"\n".join(lines[first:last])


def _whole(data: bytes, problem: str) -> Refusal:
    detail = f"the input {problem}; send {READ_HERE}, or state its format"
    return Refusal(data[:MAX_RAW], 0, 0, RefusalReason.UNREADABLE, detail)


def _read_nothing(found: Format, data: bytes) -> Reading:
    return Reading(found, refusals=(_whole(data, "is in none of the formats read here"),))


STATEMENTS = (Format.SATCAT, Format.DECAY, Format.DISCOS)
READERS: dict[Format, Callable[[Format, bytes], Reading]] = {  # of what is neither sets nor messages nor statements
    **dict.fromkeys(WEATHER, _read_weather),
    **dict.fromkeys(dataset_reading.TRAFFIC, _read_traffic),
    Format.SWPC: _read_swpc,
    Format.AIRSPACE: _read_airspace,
    Format.AIXM: _read_aixm,
    Format.ORIENTATION: _read_orientation,
    Format.UNKNOWN: _read_nothing,
}


class Reader:
    """Keeps parsing off the event loop; a process that a file has killed is replaced."""

    def __init__(self) -> None:
        self._workers = Workers()
        self._keys = count()

    async def parts(
        self, stated: Format, data: bytes, size: int, published: Publication | None
    ) -> AsyncGenerator[Reading, None]:
        """As `parts` of this module; the next is read while the one before is used. Close it with `aclosing`."""
        if len(data) <= SMALL_BYTES:
            for part in await asyncio.to_thread(_all_parts, stated, data, size, published):
                yield part
            return
        with NamedTemporaryFile(prefix="spacecom-ingest-") as file:  # a pipe would hold the whole of it twice
            await asyncio.to_thread(_write, Path(file.name), data)
            beginning = data[:MAX_RAW]
            del data
            begin = partial(_begin, next(self._keys), stated, Path(file.name), size, published)
            async for part in self._from_worker(stated, begin, beginning):
                yield part

    async def _from_worker(
        self, stated: Format, begin: "partial[Reading | None]", beginning: bytes
    ) -> AsyncGenerator[Reading, None]:
        key = begin.args[0]
        ahead = asyncio.ensure_future(self._workers.run(begin))
        try:
            while part := await ahead:
                ahead = asyncio.ensure_future(self._workers.run(_more, key))
                yield part
        except (Lost, _Gone):
            detail = "the input ended the process that read it; it is kept, and nothing more of it is recorded"
            yield Reading(stated, refusals=(Refusal(beginning, 0, 0, RefusalReason.UNREADABLE, detail),))
        finally:
            if not ahead.done():
                ahead.cancel()
                await asyncio.gather(ahead, self._workers.run(_end, key), return_exceptions=True)

    def close(self) -> None:
        self._workers.close()


# --- in the worker ----------------------------------------------------------------------------------------------

_readings: dict[int, Iterator[Reading]] = {}


class _Gone(Exception):
    """The process that began this reading was replaced."""


def _begin(key: int, stated: Format, file: Path, size: int, published: Publication | None) -> Reading | None:
    _readings[key] = parts(stated, file.read_bytes(), size, published)
    return _more(key)


def _more(key: int) -> Reading | None:
    if key not in _readings:
        raise _Gone
    part = next(_readings[key], None)
    if part is None:
        del _readings[key]
    return part


def _end(key: int) -> None:
    _readings.pop(key, None)


def _write(file: Path, data: bytes) -> None:
    file.write_bytes(data)
