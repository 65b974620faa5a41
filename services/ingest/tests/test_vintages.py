"""Space weather as it was known at a time, and days that come in parts."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from libs.providers.tests.test_swpc import flux, forecast, planetary
from services.ingest import domain
from services.ingest.domain import Format
from services.ingest.rpc import IngestServicer
from services.ingest.tests import cases
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.ingest.v1 import ingest_service_pb2 as wire

EARLY, LATE = datetime(2020, 12, 4, 23, 59, tzinfo=UTC), datetime(2025, 1, 10, 23, 59, tzinfo=UTC)
FIRST = 59184  # 2020-12-01


@pytest.fixture
def known(gate, acting):
    async def ask(first: int, last: int, known_at: datetime | None = None) -> wire.GetSpaceWeatherResponse:
        acting(ROLE_VIEWER)
        request = wire.GetSpaceWeatherRequest(first_mjd=first, last_mjd=last)
        if known_at:
            request.known_at.FromDatetime(known_at)
        return await IngestServicer(gate).GetSpaceWeather(request, None)

    return ask


def fluxes(answer) -> dict[int, float]:
    return {day.mjd: day.f107_observed_sfu for day in answer.days}


@pytest.mark.parametrize("order", [(EARLY, LATE), (LATE, EARLY)])
async def test_two_vintages_answer_as_they_were_known_in_whatever_order_they_came(submit, known, order):
    """INVARIANT: a backcast sees what was published by its time; a later correction in it would be hindsight."""
    files = {EARLY: cases.cssi(date(2020, 12, 1), 4, flux=108.0), LATE: cases.cssi(date(2020, 12, 1), 6, flux=103.0)}
    for published in order:
        receipt = await submit(files[published], source="celestrak", available_at=published)
        assert receipt.duplicate_count == 0
    early, late = await known(FIRST, FIRST + 9, EARLY), await known(FIRST, FIRST + 9, LATE)
    assert (fluxes(early), early.last_observed_mjd) == (dict.fromkeys(range(FIRST, FIRST + 4), 108.0), FIRST + 3)
    assert (fluxes(late), late.last_observed_mjd) == (dict.fromkeys(range(FIRST, FIRST + 6), 103.0), FIRST + 5)
    assert (await known(FIRST, FIRST + 9)).days == late.days
    assert not (await known(FIRST, FIRST + 9, datetime(2020, 12, 3, tzinfo=UTC))).days
    for published in order:
        assert (await submit(files[published], source="celestrak", available_at=published)).accepted_count == 0


async def test_an_observed_day_is_answered_before_a_newer_prediction_of_it(submit, known):
    await submit(cases.cssi(date(2020, 12, 1), 1, flux=108.0), available_at=EARLY)
    predicted = json.dumps(forecast(("2020-12-01", "ap", 5), ("2020-12-01", "f107", 90))).encode()
    await submit(predicted, source="swpc", available_at=LATE)
    assert fluxes(await known(FIRST, FIRST)) == {FIRST: 108.0}


async def test_weather_of_a_restricted_source_is_unknown_to_those_without_a_right_to_it(gate, submit, acting):
    await submit(cases.cssi(date(2020, 12, 1), 1), source="private", available_at=EARLY)
    await submit(cases.cssi(date(2020, 12, 2), 1), source="celestrak", available_at=EARLY)
    request = wire.GetSpaceWeatherRequest(first_mjd=FIRST, last_mjd=FIRST + 1)
    for classes, days in (((), [FIRST + 1]), (("internal",), [FIRST, FIRST + 1])):
        acting(ROLE_VIEWER, classes=classes)
        answer = await IngestServicer(gate).GetSpaceWeather(request, None)
        assert [day.mjd for day in answer.days] == days


async def test_a_span_that_is_none_is_refused(known):
    for first, last in ((FIRST, FIRST - 1), (FIRST, FIRST + 1001)):
        with pytest.raises(domain.BadSubmission, match="span"):
            await known(first, last)


async def test_a_day_is_whole_once_all_its_parts_are_known(gate, submit, known):
    k_index = json.dumps(planetary("2020-12-01", *[3.0] * 8)).encode()
    noon = json.dumps([flux("2020-12-01", value=108.0)]).encode()
    assert (await submit(k_index, source="swpc", available_at=EARLY)).accepted_count == 1
    assert not (await known(FIRST, FIRST)).days
    receipt = await submit(noon, source="swpc", available_at=LATE)
    assert (receipt.format, receipt.accepted_count) == (Format.SWPC, 1)
    (day,) = (await known(FIRST, FIRST)).days
    assert (list(day.ap_3h), day.ap_daily, day.f107_observed_sfu) == ([15.0] * 8, 15.0, 108.0)
    assert not (await known(FIRST, FIRST, EARLY)).days
    before = await gate.pool.fetchval("SELECT count(*) FROM events WHERE stream = 'weather/swpc'")
    for data in (k_index, noon):
        assert (await submit(data, source="swpc", available_at=LATE)).duplicate_count == 1
    assert await gate.pool.fetchval("SELECT count(*) FROM events WHERE stream = 'weather/swpc'") == before


async def test_a_forecast_of_swpc_is_predicted_days(submit, known):
    data = json.dumps(forecast(("2020-12-01", "ap", 12), ("2020-12-01", "f107", 148))).encode()
    await submit(data, source="swpc", available_at=EARLY)
    answer = await known(FIRST, FIRST)
    assert [(day.ap_daily, list(day.ap_3h)) for day in answer.days] == [(12.0, [])]
    assert answer.last_observed_mjd == 0


DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data")) / "spaceweather"
VINTAGES = {
    EARLY: DATA / "orekit-data/SpaceWeather-All-v1.2_2020.txt",
    LATE: DATA / "celestrak_foa/SpaceWeather-All-v1.2_2025-01-10.txt",
}


@pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}; set SPACECOM_VALIDATION_DATA")
async def test_two_real_files_answer_as_they_were_known(submit, known):
    """F10.7 of 2020-12-03 stands as 108.1 in the file of 2020-12-04 and as 102.9 in that of 2025-01-10."""
    for published, path in VINTAGES.items():
        await submit(path.read_bytes(), source="celestrak", available_at=published)
    early, late = await known(59186, 59230, EARLY), await known(59186, 59230, LATE)
    assert (fluxes(early)[59186], fluxes(late)[59186]) == (108.1, 102.9)
    assert (early.last_observed_mjd, late.last_observed_mjd) == (59187, 60685)
    assert len(early.days) == len(late.days) == 45  # the first has 44 days of prediction after 2020-12-04
    assert {len(day.ap_3h) for day in late.days} == {8}
    # The CSV of December 2025 has the same days; what it says of them now was published then and not before.
    csv = (DATA / "SW-All_celestrak_2025-12.csv").read_bytes()
    receipt = await submit(csv, source="celestrak", available_at=datetime(2025, 12, 25, tzinfo=UTC))
    assert receipt.format is Format.WEATHER_CSV
    assert receipt.duplicate_count > 20_000
    assert (await known(59186, 59230, LATE)).days == late.days
