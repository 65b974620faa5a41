import asyncio
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from libs.astro.tests import test_eop_rows
from libs.ccsds.tests import omm_record
from libs.eventlog import Cause, new_id
from libs.providers.tests import test_traffic
from libs.providers.tests.test_providers import TIP, as_json
from libs.providers.tests.test_swpc import flux
from services.ingest import domain, handlers, projections
from services.ingest.domain import Delivery, Format
from services.ingest.recording import record
from services.ingest.tests import cases
from services.ingest.tests.conftest import NOW
from spacecom.ingest.v1 import ingest_events_pb2 as pb


async def recorded(gate, stream=None):
    async with gate.pool.acquire() as conn:
        if stream:
            return await gate.log.load(conn, stream)
        return await conn.fetch("SELECT stream, type, occurred_at, available_at FROM events ORDER BY position")


async def test_an_element_set_becomes_facts_of_its_object(gate, submit):
    receipt = await submit(cases.NAMED.encode())
    assert (receipt.format, receipt.accepted_count, receipt.duplicate_count) == (Format.TLE, 1, 0)
    assert [row["stream"] for row in await recorded(gate)] == ["object/54217", "elements/54217", "source/test"]
    (fact,) = await recorded(gate, "elements/54217")
    assert fact.occurred_at == fact.available_at
    assert fact.occurred_at.replace(microsecond=0) == datetime(2022, 11, 3, 19, 58, 6, tzinfo=UTC)
    assert fact.message().input_sha256 == receipt.input_sha256
    assert await gate.blobs.get(receipt.input_sha256) == cases.NAMED.encode()


async def test_a_stated_publication_time_is_the_available_time(gate, submit):
    published = datetime(2022, 11, 3, 22, tzinfo=UTC)
    await submit(cases.SECOND.encode(), available_at=published)
    (fact,) = await recorded(gate, "elements/54217")
    assert fact.available_at == published
    assert fact.occurred_at < published


async def test_a_record_s_own_creation_date_is_the_available_time_unless_one_is_stated(gate, submit):
    record = json.loads(omm_record.as_json())
    made = json.dumps(record | {"CREATION_DATE": "2022-11-04T01:02:03"}).encode()
    await submit(made)
    (fact,) = await recorded(gate, "elements/54217")
    assert fact.available_at == datetime(2022, 11, 4, 1, 2, 3, tzinfo=UTC)
    again = json.dumps(record | {"CREATION_DATE": "2022-11-04T01:02:03", "BSTAR": "0.0001"}).encode()
    await submit(again, available_at=datetime(2022, 11, 4, 9, tzinfo=UTC))
    (_, fact) = await recorded(gate, "elements/54217")
    assert fact.available_at == datetime(2022, 11, 4, 9, tzinfo=UTC)
    ahead = json.dumps(record | {"CREATION_DATE": "2031-01-01T00:00:00", "BSTAR": "0.0002"}).encode()
    await submit(ahead)
    (_, _, fact) = await recorded(gate, "elements/54217")
    assert fact.available_at == NOW


async def test_the_same_file_again_records_nothing(gate, submit):
    """INVARIANT: idempotent by content. Otherwise every retry of a client doubles the catalogue."""
    await submit((cases.FIRST + cases.BAD_CHECKSUM + cases.SECOND).encode())
    before = len(await recorded(gate))
    again = await submit((cases.FIRST + cases.BAD_CHECKSUM + cases.SECOND).encode())
    assert (again.accepted_count, again.duplicate_count, again.rejected_count) == (0, 2, 1)
    assert len(await recorded(gate)) == before


async def test_a_bad_checksum_is_refused_with_its_place_and_the_rest_is_kept(gate, submit):
    receipt = await submit((cases.BAD_CHECKSUM + cases.SECOND).encode(), stated=Format.TLE)
    assert (receipt.accepted_count, receipt.rejected_count) == (1, 1)
    (fact,) = await recorded(gate, "rejected/test")
    rejection = fact.message()
    assert (rejection.line, rejection.column, rejection.reason) == (1, 69, pb.REJECTION_REASON_CHECKSUM)
    assert rejection.raw.decode() == cases.BAD_CHECKSUM.rstrip("\n")


async def test_thousands_of_refusals_are_each_recorded_and_once(gate, submit):
    data = (cases.BAD_CHECKSUM * 2100).encode()
    assert (await submit(data, stated=Format.TLE)).rejected_count == 2100
    await submit(data, stated=Format.TLE)
    assert len(await recorded(gate, "rejected/test")) == 2100


async def test_a_file_in_no_known_format_is_refused_whole_and_the_source_failed(gate, submit):
    receipt = await submit(b"<html>come back later</html>")
    assert (receipt.format, receipt.rejected_count) == (Format.UNKNOWN, 1)
    (fact,) = await recorded(gate, "source/test")
    assert fact.message().state == pb.SOURCE_STATE_FAILED
    assert not fact.message().HasField("last_delivery_at")


async def test_one_hundred_concurrent_submissions_of_a_set_record_it_once(gate, submit):
    """INVARIANT: a race between submitters ends in a conflict that is read again, never in a second fact."""
    receipts = await asyncio.gather(*(submit(cases.FIRST.encode(), source=f"s{i % 5}") for i in range(100)))
    assert sum(receipt.accepted_count for receipt in receipts) == 1
    assert sum(receipt.duplicate_count for receipt in receipts) == 99
    assert len(await recorded(gate, "elements/54217")) == 1


async def test_only_changed_weather_is_recorded(gate, submit):
    first = await submit(cases.cssi(date(2022, 7, 1), 120))
    assert (first.format, first.accepted_count) == (Format.CSSI, 120)
    grown = cases.cssi(date(2022, 7, 1), 121)
    second = await submit(grown)
    assert (second.accepted_count, second.duplicate_count) == (1, 120)
    facts = await recorded(gate, "weather/test")
    assert [day.mjd for day in facts[-1].message().days] == [59761 + 120]


async def test_an_airspace_is_one_fact_that_cites_its_file(gate, submit):
    receipt = await submit(cases.airspace("LECM", "LECB"), dataset="demo")
    (fact,) = await recorded(gate, "airspace/demo")
    message = fact.message()
    assert (message.feature_count, message.geojson_sha256) == (2, receipt.input_sha256)
    assert message.notice == "demonstration, not for operations"
    again = await submit(cases.airspace("LECM", "LECB"), dataset="demo")
    assert (again.accepted_count, again.duplicate_count) == (0, 2)


async def test_an_airspace_without_a_dataset_is_refused_as_a_submission(submit):
    with pytest.raises(domain.BadSubmission, match="name of its dataset"):
        await submit(cases.airspace("LECM"))


async def test_a_set_from_the_future_is_refused_for_its_epoch(gate, submit):
    receipt = await submit(cases.SECOND.encode(), available_at=datetime(2022, 10, 1, tzinfo=UTC))
    assert (receipt.accepted_count, receipt.rejected_count) == (0, 1)
    (fact,) = await recorded(gate, "rejected/test")
    assert fact.message().reason == pb.REJECTION_REASON_EPOCH


async def test_an_oversize_input_is_refused_and_its_beginning_kept(gate):
    cause = Cause(new_id(), None, "")
    delivery = Delivery("test", "", NOW, None)
    receipt = await handlers.refuse_oversize(gate, delivery, Format.TLE, b"1" * 100_000, cause)
    (fact,) = await recorded(gate, "rejected/test")
    assert fact.message().reason == pb.REJECTION_REASON_TOO_LARGE
    assert len(await gate.blobs.get(receipt.input_sha256)) == domain.MAX_RAW


async def test_a_large_file_is_read_in_a_process_of_its_own(gate, submit):
    pairs = "".join(cases.renumbered(cases.FIRST, number) for number in range(10000, 10600))
    receipt = await submit(pairs.encode())
    assert (receipt.accepted_count, receipt.rejected_count) == (600, 0)


async def test_a_fact_committed_after_the_read_makes_the_append_conflict(gate):
    """INVARIANT: versions are read before what is decided on. The other way round, a set committed between the
    two reads was recorded twice, and only the read model's key noticed."""
    delivery, cause = Delivery("test", "", NOW, None), Cause(new_id(), None, "")
    seen = []

    async def decide(conn):
        source = await gate.log.load(conn, "source/test")
        seen.append(len(source))
        if len(seen) == 1:
            await record(gate.pool, gate.log, ["source/test"], healthy, delivery, cause)
        return await healthy(conn)

    async def healthy(_conn):
        return [domain.SourceStateChanged("test", domain.SourceHealth.HEALTHY, "", NOW)]

    await record(gate.pool, gate.log, ["source/test"], decide, delivery, cause)
    assert seen == [0, 1]


async def dump(pool):
    async with pool.acquire() as conn:
        return {
            table: sorted(map(tuple, await conn.fetch(f"SELECT * FROM {table}")), key=repr)
            for table in projections.TABLES
        }


@pytest.mark.parametrize("batch", [1, 3, 1000])
async def test_dropping_and_rebuilding_every_read_model_gives_identical_rows(gate, submit, batch):
    """INVARIANT: the event log is the truth; a read model holds nothing that is not in it, however it is made."""
    await submit((cases.NAMED + cases.BAD_CHECKSUM + cases.FIRST).encode())
    await submit(cases.cssi(date(2022, 7, 1), 30))
    await submit(cases.cssi(date(2022, 7, 1), 31, ap=9), source="other")
    await submit(cases.airspace("LECM"), dataset="demo")
    await submit(b"nothing usable", source="broken")
    await submit(as_json(TIP))
    await submit(json.dumps([flux("2020-12-01")]).encode(), source="swpc")
    await submit(test_traffic.CSV, dataset="density")
    await submit(test_eop_rows.LINES, source="iers")
    before = await dump(gate.pool)
    assert all(before.values())
    async with gate.pool.acquire() as conn, conn.transaction():
        for table in projections.TABLES:
            await conn.execute(f"DELETE FROM {table}")
        facts = await gate.log.read(limit=10_000)
        for start in range(0, len(facts), batch):
            await projections.project_all(conn, facts[start : start + batch])
    assert await dump(gate.pool) == before


async def test_the_newest_epoch_leads_whatever_order_sets_arrive_in(gate, submit):
    await submit(cases.SECOND.encode())
    newest = await gate.pool.fetchrow("SELECT * FROM objects")
    await submit(cases.FIRST.encode())
    after = await gate.pool.fetchrow("SELECT * FROM objects")
    assert after["element_set_count"] == 2
    assert (after["last_epoch_jd"], after["perigee_altitude_km"]) == (
        newest["last_epoch_jd"],
        newest["perigee_altitude_km"],
    )


CATALOGUE = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data")) / (
    "catalogue/spaceTrackTLEs_23_10_2013.txt"
)


@pytest.mark.skipif(not CATALOGUE.exists(), reason=f"no {CATALOGUE}; set SPACECOM_VALIDATION_DATA")
async def test_no_set_of_a_whole_catalogue_is_refused_or_recorded_twice(submit):
    data = CATALOGUE.read_bytes()
    receipt = await submit(data)
    assert (receipt.accepted_count, receipt.rejected_count) == (14917, 0)
    assert (await submit(data)).duplicate_count == 14917
