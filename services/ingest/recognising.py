"""What a submitted file is, by its first bytes."""

import re

from libs.astro import eop_rows
from services.ingest import statements
from services.ingest.domain import Format

_CCSDS = {"OMM": (Format.OMM_KVN, Format.OMM_XML)} | {
    form.name: (form, form) for form in (Format.OEM, Format.RDM, Format.CDM)
}
_KVN = re.compile(rb"CCSDS_(OMM|OEM|RDM|CDM)_VERS *=")
_XML = re.compile(rb"<(?:ndm:)?(omm|oem|rdm|cdm)[\s>]")
_JSON = (  # the keys that a record of it has, the most telling first
    ((b"DECAY_EPOCH", b"WINDOW"), Format.TIP),
    ((b"time_tag", b"Kp"), Format.SWPC),
    ((b"time_tag", b"flux", b"reporting_schedule"), Format.SWPC),
    ((b"metric", b"value", b"time"), Format.SWPC),
)
_CSV = (  # the columns that its header has
    ((b"DATE", b"F10.7_OBS", b"AP_AVG"), Format.WEATHER_CSV),
    ((b"DECAY_EPOCH", b"WINDOW"), Format.TIP),
    ((b"NORAD_CAT_ID", b"MEAN_MOTION"), Format.OMM_CSV),
    ((b"cell", b"hour", b"aircraft"), Format.TRAFFIC_CSV),
)


def recognise(data: bytes) -> Format:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if listed := statements.recognise(head):
        return listed
    if head[:1] in (b"{", b"["):
        return _json(data[:65536])
    if head.startswith(b"<"):
        if b"AIXMBasicMessage" in head:
            return Format.AIXM
        found = _XML.search(head)
        return _CCSDS[found[1].decode().upper()][1] if found else Format.UNKNOWN
    if match := _KVN.match(head):
        return _CCSDS[match[1].decode()][0]
    return _columns(data[:4096], head) or _csv(head.partition(b"\n")[0])


def _columns(data: bytes, head: bytes) -> Format | None:
    """Formats of fixed columns; the blanks that a file begins with may be one."""
    if head.startswith(b"DATATYPE CssiSpaceWeather") or b"BEGIN OBSERVED" in head or b"NUM_OBSERVED_POINTS" in head:
        return Format.CSSI
    if eop_rows.is_finals(data):
        return Format.ORIENTATION
    return Format.TLE if any(line[:2] == b"1 " for line in head.splitlines()[:3]) else None


def _json(head: bytes) -> Format:
    if b'"FeatureCollection"' in head:
        traffic = all(b'"%s"' % key in head for key in (b"aircraft", b"hour"))
        return Format.TRAFFIC_GEOJSON if traffic else Format.AIRSPACE
    return next((form for keys, form in _JSON if all(b'"%s"' % key in head for key in keys)), Format.OMM_JSON)


def _csv(header: bytes) -> Format:
    columns = {name.strip(b' "\r') for name in header.split(b",")}
    return next((form for names, form in _CSV if columns.issuperset(names)), Format.UNKNOWN)
