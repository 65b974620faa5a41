"""Products of SWPC in the shapes they have; the values are invented."""

import json

import pytest

from libs.astro.elements import RefusalReason
from libs.astro.weather import Day
from libs.providers import swpc
from libs.providers.swpc import IndexDay

MJD = 61173  # 2026-05-13


def flux(day: str, schedule: str = "Noon", value: object = 125.0, **more: object) -> dict[str, object]:
    hour = {"Morning": 17, "Noon": 20, "Afternoon": 22}.get(schedule, 20)
    row = {"time_tag": f"{day}T{hour}:00:00", "frequency": 2800, "flux": value, "reporting_schedule": schedule}
    return row | {"avg_begin_date": None, "ninety_day_mean": None, "rec_count": None} | more


def planetary(day: str, *kp: object) -> list[dict[str, object]]:
    return [
        {"time_tag": f"{day}T{3 * n:02d}:00:00", "Kp": one, "a_running": 9, "station_count": 8}
        for n, one in enumerate(kp)
    ]


def forecast(*rows: tuple[str, str, object]) -> dict[str, object]:
    return {
        "issued": "2026-05-12T00:00:00Z",
        "data": [{"time": f"{day}T00:00:00Z", "metric": metric, "value": value} for day, metric, value in rows],
    }


def read(document: object) -> swpc.SwpcFile:
    return swpc.read(json.dumps(document, indent=0).encode())


def test_the_flux_of_a_day_is_the_one_of_noon():
    rows = [flux("2026-05-13", s, v) for s, v in (("Afternoon", 121.0), ("Noon", 125.0), ("Morning", 123.0))]
    assert read(rows) == swpc.SwpcFile([IndexDay(MJD, (), 125.0)])


def test_numbers_are_read_as_swpc_writes_them():
    data = json.dumps([flux("2026-05-13")]).replace("125.0", "1.250000000000000e+002").encode()
    assert swpc.read(data).indices == [IndexDay(MJD, (), 125.0)]


def test_a_day_of_k_is_the_ap_of_its_eight_thirds():
    """Kp 0o 0+ 1- 2- 3- 3o 9- 9o is ap 0 2 3 6 12 15 300 400 in the table of Bartels."""
    kp = (0.0, 0.33, 0.67, 1.67, 2.67, 3, 8.67, 9.0)
    expected = [IndexDay(MJD, (0.0, 2.0, 3.0, 6.0, 12.0, 15.0, 300.0, 400.0))]
    objects = planetary("2026-05-13", *kp)
    arrays = [list(objects[0]), *([str(value) for value in row.values()] for row in objects)]
    assert read(objects).indices == read(arrays).indices == expected


def test_a_day_that_is_not_over_is_no_day_yet():
    assert read(planetary("2026-05-13", *[3.0] * 7)) == swpc.SwpcFile()
    assert read(planetary("2026-05-13", *[3.0] * 7, None)) == swpc.SwpcFile()


def test_a_forecast_day_needs_both_of_its_values():
    file = read(forecast(("2026-05-13", "ap", 12), ("2026-05-13", "f107", 148), ("2026-05-14", "ap", 9)))
    assert file.forecast == [Day(MJD, (), 12.0, 148.0)]
    (refused,) = file.rejections
    assert (refused.reason, "no f107" in refused.detail) == (RefusalReason.MISSING, True)
    assert refused.line > 1


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([flux("2026-05-13", value="NaN")], RefusalReason.NOT_FINITE),
        ([flux("2026-05-13", value=938.6)], RefusalReason.RANGE),
        ([flux("2026-05-13", frequency=1415)], RefusalReason.MISMATCH),
        ([flux("2026-05-13", "Midnight")], RefusalReason.MISMATCH),
        ([flux("2026-02-30")], RefusalReason.RANGE),
        ([flux("2026-05-13"), flux("2026-05-13", value=126.0)], RefusalReason.MISMATCH),
        (planetary("2026-05-13", 3.5), RefusalReason.RANGE),
        (planetary("2026-05-13", 9.33), RefusalReason.RANGE),
        (planetary("2026-05-13", "calm"), RefusalReason.CHARACTER),
        ([{"time_tag": "2026-05-13T01:30:00", "Kp": 3}], RefusalReason.RANGE),
        ([{"time_tag": "2026-05-13T00:00:00", "kp": 3, "observed": "predicted"}], RefusalReason.MISSING),
        ([["time_tag", "Kp"], ["2026-05-13 00:00:00"]], RefusalReason.LENGTH),
        ([["time_tag", "time_tag"], ["2026-05-13 00:00:00", "1"]], RefusalReason.UNREADABLE),
        ([[None, 2]], RefusalReason.UNREADABLE),
        (forecast(("2026-05-13", "kp", 3)), RefusalReason.MISMATCH),
        ({"data": 5}, RefusalReason.UNREADABLE),
        ({"issued": "2026-05-12"}, RefusalReason.MISSING),
    ],
)
def test_what_is_no_such_value_is_refused_with_its_place(document, reason):
    file = read(document)
    assert (file.indices, file.forecast) == ([], [])
    assert [refused.reason for refused in file.rejections][:1] == [reason], file
    assert all(refused.line > 0 < refused.column and refused.detail for refused in file.rejections)
