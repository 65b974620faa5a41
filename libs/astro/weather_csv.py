"""CelesTrak's space weather as comma-separated values (SW-All.csv): the same days as read_cssi gives.

Flux marked OBS was measured, INT filled in between measurements by its source, as in the other format; PRD days are
predicted, PRM points are expectations of a month and no days.
"""

from dataclasses import replace
from itertools import accumulate

from libs.astro.elements import RefusalReason, Refused
from libs.astro.weather import Day, Place, WeatherFile, add_day, ap_tolerance, day_of, read_cssi, refuse_unprintable

_KIND, _FLUX, _DAILY = b"F10.7_DATA_TYPE", b"F10.7_OBS", b"AP_AVG"
_AP = tuple(b"AP%d" % k for k in range(1, 9))
_NEEDED = (b"DATE", *_AP, _DAILY, _FLUX, _KIND)
_DAYS = {b"OBS": "observed", b"INT": "observed", b"PRD": "predicted"}
_MONTH = b"PRM"
_YMD: tuple[Place, ...] = ((0, 4), (5, 7), (8, 10))


def read(data: bytes) -> WeatherFile:
    """Reads space weather of either format, told by its first line."""
    return read_csv(data) if data.lstrip(b"\xef\xbb\xbf").startswith(b"DATE,") else read_cssi(data)


def read_csv(data: bytes) -> WeatherFile:
    """Reads comma-separated space weather by the names of its columns.

    Raises Refused when the whole is no such file; a line that is not in order is among the rejections.
    """
    head, *lines = data.lstrip(b"\xef\xbb\xbf").splitlines() or [b""]
    names = head.split(b",")
    missing = [name.decode() for name in _NEEDED if name not in names]
    if missing:
        detail = f"no column {', '.join(missing)}: this is no CelesTrak space weather; send SW-All.csv as it is"
        raise Refused(1, 1, RefusalReason.UNREADABLE, detail)
    file, monthly = WeatherFile([], [], []), 0
    order = {name: names.index(name) for name in _NEEDED}
    for number, raw in enumerate(lines, start=2):
        try:
            places = _places(raw, number, len(names))
            kind = raw[slice(*places[order[_KIND]])]
            if kind == _MONTH:
                monthly += 1
            elif raw.strip():
                add_day(
                    file,
                    _attribute(kind, number, places[order[_KIND]][0]),
                    _day(raw, number, kind, places, order),
                    number,
                )
        except Refused as refused:
            file.rejections.append(refused)
    return replace(file, monthly=monthly)


def _places(raw: bytes, line: int, count: int) -> list[Place]:
    refuse_unprintable(raw, line)
    fields = raw.split(b",")
    if len(fields) != count:
        detail = f"{len(fields)} values where {count} are due"
        raise Refused(line, len(raw) + 1, RefusalReason.LENGTH, detail)
    ends = [end - 1 for end in accumulate(len(field) + 1 for field in fields)]
    return [(end - len(field), end) for field, end in zip(fields, ends, strict=True)]


def _attribute(kind: bytes, line: int, start: int) -> str:
    if kind not in _DAYS:
        detail = f"{kind.decode('ascii', 'backslashreplace')} is no kind of flux: OBS, INT, PRD or PRM are"
        raise Refused(line, start + 1, RefusalReason.CHARACTER, detail)
    return _DAYS[kind]


def _day(raw: bytes, line: int, kind: bytes, places: list[Place], order: dict[bytes, int]) -> Day:
    if raw[4:5] != b"-" or raw[7:8] != b"-" or places[order[b"DATE"]] != (0, 10):
        raise Refused(line, 1, RefusalReason.EPOCH, "the date is not written YYYY-MM-DD in the first column")
    ap = [places[order[name]] for name in _AP]
    return day_of(raw, line, _YMD, ap, places[order[_DAILY]], places[order[_FLUX]], ap_tolerance(_DAYS[kind]))
