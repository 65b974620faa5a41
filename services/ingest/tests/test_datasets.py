"""Traffic density and Earth orientation: from a file to the facts."""

import pytest

from libs.astro import airspace
from libs.astro.tests import test_eop_rows
from libs.providers.tests import test_traffic
from libs.tests import test_aixm
from services.ingest import domain
from services.ingest.domain import Format
from spacecom.ingest.v1 import ingest_events_pb2 as pb


async def facts(gate, stream):
    async with gate.pool.acquire() as conn:
        return [fact.message() for fact in await gate.log.load(conn, stream)]


async def test_traffic_density_is_one_fact_that_says_what_it_covers(gate, submit):
    receipt = await submit(test_traffic.CSV, dataset="summer")
    assert (receipt.format, receipt.accepted_count) == (Format.TRAFFIC_CSV, 2)
    (fact,) = await facts(gate, "traffic/summer")
    assert (fact.grid, fact.h3_resolution, fact.cell_count, fact.row_count) == (pb.TRAFFIC_GRID_H3, 5, 1, 2)
    assert (list(fact.hours), fact.lowest_fl, fact.highest_fl, fact.aircraft_total) == ([14], 290, 370, 2.5)
    assert fact.input_sha256 == receipt.input_sha256
    assert (await submit(test_traffic.CSV, dataset="summer")).duplicate_count == 2
    assert len(await facts(gate, "traffic/summer")) == 1


async def test_rows_that_are_left_out_are_refused_and_named(gate, submit):
    features = (test_traffic.square(0), test_traffic.square(5, hour=24), test_traffic.square(9))
    receipt = await submit(test_traffic.collection(*features), dataset="summer")
    assert (receipt.format, receipt.accepted_count, receipt.rejected_count) == (Format.TRAFFIC_GEOJSON, 2, 1)
    (fact,) = await facts(gate, "traffic/summer")
    assert (fact.grid, fact.cell_count) == (pb.TRAFFIC_GRID_POLYGONS, 2)
    assert [row.name for row in fact.invalid_rows] == [f"line {receipt.rejections[0].line}"]


async def test_traffic_density_needs_the_name_of_its_dataset(submit):
    with pytest.raises(domain.BadSubmission, match="name of its dataset"):
        await submit(test_traffic.CSV)


async def test_only_changed_days_of_earth_orientation_are_recorded(gate, submit):
    first = await submit(test_eop_rows.LINES, source="iers")
    assert (first.format, first.accepted_count, first.rejected_count) == (Format.ORIENTATION, 3, 0)
    observed = test_eop_rows.LINES.replace(b"41686.00 P", b"41686.00 I").replace(b" P 0.8027895", b" I 0.8027895")
    second = await submit(observed, source="iers")
    assert (second.accepted_count, second.duplicate_count) == (1, 2)
    assert [day.predicted for day in (await facts(gate, "eop/iers"))[-1].days] == [False]


async def test_airspace_of_aixm_is_recorded_as_the_geojson_that_it_makes(gate, submit):
    data = test_aixm.document(test_aixm.member(), test_aixm.member(ident=""))
    receipt = await submit(data, dataset="aip")
    assert (receipt.format, receipt.accepted_count, receipt.rejected_count) == (Format.AIXM, 1, 1)
    (fact,) = await facts(gate, "airspace/aip")
    (volume,) = airspace.load_geojson(await gate.blobs.get(fact.geojson_sha256)).volumes
    assert (volume.ident, volume.upper_fl) == ("LEXX", 245.0)
    assert await gate.blobs.get(receipt.input_sha256) == data
    assert [feature.name for feature in fact.invalid_features] == ["line 4"]
    assert (await submit(data, dataset="aip")).duplicate_count == 1
