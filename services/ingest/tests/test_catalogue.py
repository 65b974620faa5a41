"""The catalogue from rows and edits to answers, on a real database."""

import asyncio

import pytest

from libs.eventlog import IdempotencyMismatch
from services.ingest import domain, projections
from services.ingest.rpc import IngestServicer
from services.ingest.tests import cases, rows
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_DATA_PROVIDER, ROLE_VIEWER
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire

NUMBER = 54217


@pytest.fixture
def servicer(gate, acting) -> IngestServicer:
    acting()
    return IngestServicer(gate)


@pytest.fixture
async def delivered(submit):
    """One object as four sources and its element sets know it."""
    await submit(cases.FIRST.encode(), source="celestrak")
    await submit(rows.as_json(rows.SATCAT_ROW), source="space-track")
    await submit(rows.as_csv(rows.CELESTRAK_ROW), source="celestrak")
    await submit(rows.as_json(rows.DECAY_ROW), source="space-track")
    await submit(rows.discos(), source="discos")


async def facts(gate, stream=f"object/{NUMBER}"):
    async with gate.pool.acquire() as conn:
        return await gate.log.load(conn, stream)


async def get(servicer, number=NUMBER) -> wire.CatalogueObject:
    return (await servicer.GetObject(wire.GetObjectRequest(catalogue_number=number), None)).object


async def listed(servicer, **asked) -> list[int]:
    answer = await servicer.ListObjects(wire.ListObjectsRequest(**asked), None)
    return [one.catalogue_number for one in answer.objects]


def creation(number=777, key="k1", **fields) -> wire.CreateObjectRequest:
    described = pb.ObjectDescription(**({"object_name": b"MY SAT", "owner": "ES"} | fields))
    return wire.CreateObjectRequest(
        catalogue_number=number, description=described, reason=b"just launched", idempotency_key=key
    )


def change(etag: str, *names: str, key="u1", number=777, **fields) -> wire.UpdateObjectRequest:
    described = pb.ObjectDescription(**fields)
    return wire.UpdateObjectRequest(
        catalogue_number=number, description=described, fields=names, etag=etag, reason=b"weighed", idempotency_key=key
    )


async def test_an_object_is_described_by_all_its_sources(servicer, delivered):
    found = await get(servicer)
    described = found.description
    assert (found.object_name, described.owner, described.operational_status) == (b"CZ-5B R/B", "PRC", "D")
    assert (described.mass_kg, described.shape, described.discos_id) == (20000.5, "Cyl", "80001")
    sources = {said.field: said.source for said in found.field_sources}
    assert (sources["object_name"], sources["mass_kg"], sources["operational_status"]) == (
        "space-track", "discos", "celestrak",
    )  # fmt: skip
    assert (found.decay.basis, found.decay.tolerance_min) == (pb.FIELD_BASIS_DECAY_ROW, 1.0)
    assert found.element_set_count == 1


async def test_a_delivery_repeated_records_nothing(gate, submit, delivered):
    before = len(await facts(gate))
    receipt = await submit(rows.as_json(rows.SATCAT_ROW, DECAY=None), source="space-track")
    assert (receipt.accepted_count, receipt.duplicate_count) == (0, 1)
    assert len(await facts(gate)) == before


async def test_a_decay_occurred_when_the_object_came_down(gate, submit):
    await submit(rows.as_json(rows.DECAY_ROW), source="space-track")
    fact = (await facts(gate))[-1]
    assert fact.type.endswith("ObjectDecayed")
    assert fact.occurred_at.strftime("%Y-%m-%d %H:%M") == "2022-11-04 10:01"


async def test_a_contradicting_decay_is_refused_with_both_sources(gate, submit, delivered):
    for write, begins in ((rows.as_json, b'"DECAY_DATE"'), (rows.as_csv, b"2022-11-09")):
        data = write(rows.CELESTRAK_ROW, DECAY_DATE="2022-11-09")
        receipt = await submit(data, source="celestrak")
        assert (receipt.accepted_count, receipt.rejected_count) == (0, 1)
        (rejection,) = receipt.rejections
        assert "space-track, which takes precedence" in rejection.detail
        assert data.splitlines()[rejection.line - 1][rejection.column - 1 :].startswith(begins)
        assert b"2022-11-09" in rejection.raw


async def test_discos_finds_an_object_by_its_designator_when_it_has_no_number(gate, submit):
    await submit(cases.FIRST.encode())
    receipt = await submit(rows.discos(satno=None), source="discos")
    assert (receipt.accepted_count, receipt.rejected_count) == (1, 0)
    assert (await facts(gate))[-1].message().description.mass_kg == 20000.5


async def test_an_object_without_a_number_is_refused_with_its_place_and_not_lost(gate, submit):
    receipt = await submit(rows.discos(satno=None), source="discos")
    assert (receipt.accepted_count, receipt.rejected_count) == (0, 1)
    (fact,) = await facts(gate, "rejected/discos")
    rejection = fact.message()
    assert (rejection.reason, rejection.line) == (pb.REJECTION_REASON_MISSING, 1)
    assert rejection.column > 1
    assert b"80001" in rejection.raw


async def test_a_catalogue_of_thousands_is_recorded_once(gate, submit):
    header, row = rows.as_csv(rows.SATCAT_ROW, NORAD_CAT_ID="#", OBJECT_NUMBER="#").splitlines()
    data = b"\n".join([header, *(row.replace(b"#", str(n).encode()) for n in range(100_000_000, 100_005_000))])
    receipt = await submit(data, source="space-track")
    assert (receipt.accepted_count, receipt.rejected_count) == (5000, 0)
    again = await submit(data + b"\n", source="space-track")
    assert (again.accepted_count, again.duplicate_count) == (0, 5000)
    assert await gate.pool.fetchval("SELECT count(*) FROM events WHERE type LIKE '%ObjectCatalogued'") == 5000


async def test_an_object_that_came_back_is_there_however_its_facts_are_grouped(servicer, submit, gate):
    """INVARIANT: of one object the facts count in their order, also where those of many are written together."""
    await servicer.CreateObject(creation(), None)
    gone = wire.RetireObjectRequest(catalogue_number=777, etag="1", reason=b"gone", idempotency_key="r1")
    await servicer.RetireObject(gone, None)
    await submit(rows.as_json(rows.SATCAT_ROW), source="space-track")
    await servicer.CreateObject(creation(key="k2"), None)
    await submit(rows.as_json(rows.DECAY_ROW), source="space-track")
    before = await gate.pool.fetch("SELECT * FROM objects ORDER BY catalogue_number")
    assert [one["retired"] for one in before] == [False, False]
    for size in (1, 2, 100):
        async with gate.pool.acquire() as conn, conn.transaction():
            await conn.execute("DELETE FROM objects")
            recorded = await gate.log.read(limit=100)
            for start in range(0, len(recorded), size):
                await projections.project_all(conn, recorded[start : start + size])
        assert await gate.pool.fetch("SELECT * FROM objects ORDER BY catalogue_number") == before, size


async def test_a_person_enters_changes_and_takes_out_an_object(servicer):
    made = (await servicer.CreateObject(creation(), None)).object
    assert (made.etag, made.description.owner) == ("1", "ES")
    changed = (await servicer.UpdateObject(change(made.etag, "mass_kg", mass_kg=950.0), None)).object
    assert (changed.etag, changed.description.mass_kg, changed.object_name) == ("2", 950.0, b"MY SAT")
    request = wire.RetireObjectRequest(catalogue_number=777, etag="2", reason=b"gone", idempotency_key="r1")
    assert (await servicer.RetireObject(request, None)).object.retired
    history = await servicer.ListObjectRevisions(wire.ListObjectRevisionsRequest(catalogue_number=777), None)
    assert [one.WhichOneof("change") for one in history.revisions] == ["catalogued", "revised", "retired"]
    assert [one.etag for one in history.revisions] == ["1", "2", "3"]
    assert history.revisions[1].revised.source == "operator/tester"
    assert history.revisions[1].revised.reason == b"weighed"


async def test_a_change_to_an_object_that_has_changed_is_refused(servicer):
    """INVARIANT: an edit rests on what its maker saw. Otherwise the second of two silently undoes the first."""
    etag = (await servicer.CreateObject(creation(), None)).object.etag
    await servicer.UpdateObject(change(etag, "mass_kg", mass_kg=950.0), None)
    with pytest.raises(domain.StaleEtag, match="version 2, not 1"):
        await servicer.UpdateObject(change(etag, "mass_kg", key="u2", mass_kg=1.0), None)


async def test_of_edits_at_one_moment_one_succeeds(servicer, gate):
    etag = (await servicer.CreateObject(creation(), None)).object.etag
    requests = [change(etag, "mass_kg", key=f"u{i}", mass_kg=1.0 + i) for i in range(20)]
    done = await asyncio.gather(*(servicer.UpdateObject(one, None) for one in requests), return_exceptions=True)
    assert sum(isinstance(one, wire.UpdateObjectResponse) for one in done) == 1
    assert sum(isinstance(one, domain.StaleEtag) for one in done) == 19
    assert len(await facts(gate, "object/777")) == 2


async def test_an_edit_repeated_with_its_key_is_answered_again_and_done_once(servicer, gate):
    first = await servicer.CreateObject(creation(), None)
    assert await servicer.CreateObject(creation(), None) == first
    assert len(await facts(gate, "object/777")) == 1
    with pytest.raises(IdempotencyMismatch):
        await servicer.CreateObject(creation(owner="FR"), None)


@pytest.mark.parametrize("role", [ROLE_VIEWER, ROLE_DATA_PROVIDER])
async def test_who_may_not_analyse_may_not_edit(servicer, acting, role):
    acting(role)
    for call in (
        servicer.CreateObject(creation(), None),
        servicer.UpdateObject(change("1", "owner"), None),
        servicer.RetireObject(wire.RetireObjectRequest(), None),
    ):
        with pytest.raises(PermissionError):
            await call


async def test_an_analyst_may_edit_only_what_the_contract_shows(servicer, acting):
    await servicer.CreateObject(creation(), None)
    acting(ROLE_ANALYST, (5,))
    with pytest.raises(domain.UnknownObject):
        await servicer.UpdateObject(change("1", "owner", owner="FR"), None)


@pytest.mark.parametrize(
    "request_",
    [
        creation(0),
        creation(10**9),
        creation(key=""),
        creation(key="x" * 129),
        creation(mass_kg=-1.0),
        creation(type=77),
        wire.CreateObjectRequest(catalogue_number=5, idempotency_key="k"),
        wire.CreateObjectRequest(catalogue_number=5, idempotency_key="k", reason=b"x" * 501),
    ],
)
async def test_an_edit_that_is_not_in_order_is_refused(servicer, request_):
    with pytest.raises(domain.BadEdit):
        await servicer.CreateObject(request_, None)


@pytest.mark.parametrize("etag", ["", "x", "-1", "9" * 30])
async def test_an_etag_of_another_kind_is_refused(servicer, etag):
    with pytest.raises(domain.BadEdit, match="etag"):
        await servicer.UpdateObject(change(etag, "owner"), None)


SEARCHES = [
    ({"text": "cz-5b"}, [NUMBER]),
    ({"text": "2022-143"}, [NUMBER]),
    ({"text": "421"}, [NUMBER]),
    ({"text": "%"}, []),
    ({"text": "_"}, []),
    ({"text": "\\"}, []),
    ({"owner": "ES"}, [777]),
    ({"type": pb.OBJECT_TYPE_ROCKET_BODY}, [NUMBER]),
    ({"perigee_below_km": 1000.0}, [NUMBER]),
    ({"perigee_below_km": 100.0}, []),
    ({"owner": "PRC", "text": "my sat"}, []),
    ({}, [777, NUMBER]),
]


@pytest.mark.parametrize(("asked", "found"), SEARCHES)
async def test_objects_are_found_by_what_is_known_of_them(servicer, delivered, asked, found):
    await servicer.CreateObject(creation(), None)
    assert await listed(servicer, include_gone=True, **asked) == found


async def test_what_has_come_down_or_was_taken_out_is_listed_on_demand(servicer, delivered):
    await servicer.CreateObject(creation(), None)
    await servicer.CreateObject(creation(778, "k2"), None)
    request = wire.RetireObjectRequest(catalogue_number=778, etag="1", reason=b"gone", idempotency_key="r1")
    await servicer.RetireObject(request, None)
    assert await listed(servicer) == [777]
    assert await listed(servicer, include_gone=True) == [777, 778, NUMBER]


async def test_pages_of_a_search_visit_each_object_once(servicer):
    for number in range(1, 8):
        await servicer.CreateObject(creation(number, f"k{number}"), None)
    seen, token = [], ""
    while True:
        asked = wire.ListObjectsRequest(text="my", page_size=3, page_token=token)
        page = await servicer.ListObjects(asked, None)
        seen += [one.catalogue_number for one in page.objects]
        if not (token := page.next_page_token):
            break
    assert seen == list(range(1, 8))


async def test_the_catalogue_can_be_dropped_and_made_again_row_by_row(gate, servicer, delivered):
    """INVARIANT: the event log is the truth; the catalogue holds nothing that is not in it."""
    await servicer.CreateObject(creation(), None)
    await servicer.UpdateObject(change("1", "mass_kg", mass_kg=3.0), None)
    request = wire.RetireObjectRequest(catalogue_number=777, etag="2", reason=b"gone", idempotency_key="r1")
    await servicer.RetireObject(request, None)
    before = await gate.pool.fetch("SELECT * FROM objects ORDER BY catalogue_number")
    assert len(before) == 2
    async with gate.pool.acquire() as conn, conn.transaction():
        for table in projections.TABLES:
            await conn.execute(f"DELETE FROM {table}")
        for fact in await gate.log.read():
            await projections.project_all(conn, [fact])
    assert await gate.pool.fetch("SELECT * FROM objects ORDER BY catalogue_number") == before


async def test_what_was_recorded_before_facts_named_their_sources_is_still_known(gate, servicer):
    from libs.eventlog import Cause, Fact, new_id
    from services.ingest.tests.conftest import NOW

    old = pb.ObjectCatalogued(catalogue_number=5, object_name=b"OLD", source="test")
    await gate.log.commit("object/5", [Fact(old, NOW, new_id())], after=0, cause=Cause(new_id(), None, ""))
    found = await get(servicer, 5)
    assert (found.object_name, found.etag) == (b"OLD", "1")
    changed = (await servicer.UpdateObject(change("1", "owner", number=5, owner="ES"), None)).object
    assert (changed.object_name, changed.description.owner) == (b"OLD", "ES")
