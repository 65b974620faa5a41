"""Which volumes a box meets, as the index of this server and the rule for all of them find it."""

import json

import numpy as np
import pytest

from libs.astro import airspace
from services.ingest import domain
from services.ingest.rpc import IngestServicer
from services.ingest.tests.volumes import FILE, OUTLINES, boxes, feature
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.ingest.v1 import ingest_service_pb2 as wire


@pytest.fixture
async def servicer(gate, submit, acting) -> IngestServicer:
    await submit(FILE, source="public-file", dataset="firs")
    acting()
    return IngestServicer(gate)


async def found(servicer, west, south, east, north, **more) -> set[str]:
    request = wire.ListAirspaceVolumesRequest(west_deg=west, south_deg=south, east_deg=east, north_deg=north, **more)
    return {one.ident for one in (await servicer.ListAirspaceVolumes(request, None)).volumes}


async def test_a_point_meets_the_volumes_that_a_lookup_of_the_file_finds(servicer):
    """The rule of libs.astro.airspace is the other way to the same answer: points on no edge have one only."""
    regions = airspace.load_geojson(FILE)
    rng = np.random.default_rng(5)
    for lon, lat in rng.uniform((-180.0, -90.0), (180.0, 90.0), (300, 2)).tolist():
        assert await found(servicer, lon, lat, lon, lat) == {one.ident for one in regions.over(lat, lon)}, (lon, lat)


@pytest.mark.parametrize(
    ("box", "idents"),
    [
        ((4.0, 4.0, 6.0, 6.0), set()),  # in the hole
        ((4.0, 4.0, 8.0, 6.0), {"RING"}),  # over the edge of the hole, no corner of either in the other
        ((-1.0, -1.0, 11.0, 11.0), {"RING"}),  # all of it
        ((0.5, 0.5, 0.6, 0.6), {"RING"}),  # within it
        ((179.0, 0.0, -179.0, 1.0), {"DATE"}),  # over the antimeridian, as the volume
        ((-179.5, 0.0, -179.0, 1.0), {"DATE"}),  # east of it
        ((100.0, 85.0, 101.0, 86.0), {"POLE"}),
        ((41.0, 0.5, 41.0, 0.5), {"BOWS"}),  # in a half of an outline that crosses itself
        ((42.5, 0.1, 42.6, 0.2), set()),  # beside where it crosses
        ((-60.0, -60.0, -50.0, -50.0), set()),
    ],
)
async def test_a_box_meets_what_it_touches(servicer, box, idents):
    assert await found(servicer, *box) == idents


async def test_only_volumes_that_reach_the_level_are_given(servicer):
    inside = (0.5, 0.5, 0.6, 0.6)
    assert await found(servicer, *inside, level_fl=100.0) == {"RING"}
    assert await found(servicer, *inside, level_fl=300.0) == set()  # its top is not part of it


async def test_a_replaced_file_leaves_no_volume_behind(servicer, submit, gate):
    assert await found(servicer, -1.0, -1.0, 11.0, 11.0) == {"RING"}
    other = json.dumps({"type": "FeatureCollection", "features": [feature("NEW", OUTLINES["RING"])]}).encode()
    await submit(other, source="public-file", dataset="firs")
    assert await found(servicer, -1.0, -1.0, 11.0, 11.0) == {"NEW"}
    assert await gate.pool.fetchval("SELECT count(*) FROM airspace_volumes") == 1


async def test_the_rows_may_go_and_come_back_of_the_kept_file(servicer, gate):
    before = await found(servicer, -180.0, -90.0, 180.0, 90.0)
    await gate.pool.execute("TRUNCATE airspace_volumes")
    assert await found(servicer, -180.0, -90.0, 180.0, 90.0) == before == set(OUTLINES)


async def test_volumes_of_a_file_without_a_right_to_it_are_not_given(servicer, acting):
    """INVARIANT: what a source restricts leaves by no edge."""
    acting(ROLE_VIEWER, classes=("public",))
    assert await found(servicer, -180.0, -90.0, 180.0, 90.0) == set()


@pytest.mark.parametrize(
    "box", [(0.0, 10.0, 1.0, 9.0), (-181.0, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 91.0), (float("nan"), 0.0, 1.0, 1.0)]
)
async def test_a_box_that_is_none_is_refused(servicer, box):
    with pytest.raises(domain.BadSubmission, match="degrees"):
        await found(servicer, *box)


def test_boxes_of_the_comparison_are_of_all_kinds():
    kinds = {(west == east, west > east) for west, _, east, _ in boxes(500)}
    assert len(kinds) == 3
