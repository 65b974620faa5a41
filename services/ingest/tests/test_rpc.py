from datetime import UTC, datetime, timedelta

import pytest

from services.ingest import domain
from services.ingest.rpc import IngestServicer
from services.ingest.tests import cases
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire


async def parts(data: bytes, header: wire.SubmitHeader | None = None, size: int = 1000):
    yield wire.SubmitRequest(header=header or wire.SubmitHeader(source="test"))
    for start in range(0, len(data), size):
        yield wire.SubmitRequest(chunk=data[start : start + size])


@pytest.fixture
def servicer(gate, acting) -> IngestServicer:
    acting()
    return IngestServicer(gate)


async def test_a_viewer_may_not_submit(servicer, acting):
    acting(ROLE_VIEWER)
    with pytest.raises(PermissionError):
        await servicer.Submit(parts(cases.FIRST.encode()), None)


async def test_a_submission_in_chunks_is_answered_with_what_became_of_it(servicer):
    response = await servicer.Submit(parts((cases.FIRST + cases.SECOND).encode(), size=7), None)
    assert (response.format, response.accepted_count) == (wire.INPUT_FORMAT_TLE, 2)
    again = await servicer.Submit(parts((cases.FIRST + cases.SECOND).encode()), None)
    assert (again.accepted_count, again.duplicate_count) == (0, 2)


async def test_what_was_submitted_to_its_end_is_known_by_header_and_content(servicer, acting):
    """INVARIANT: only the same bytes under the same header, by the same caller, count as submitted."""
    header = wire.SubmitHeader(source="test", format=wire.INPUT_FORMAT_TLE)
    answer = await servicer.Submit(parts(cases.FIRST.encode(), header), None)
    asked = wire.GetSubmissionRequest(header=header, input_sha256=answer.input_sha256)
    assert (await servicer.GetSubmission(asked, None)).submission == answer
    acting(by="another")
    with pytest.raises(domain.UnknownSubmission):
        await servicer.GetSubmission(asked, None)
    acting()
    asked.header.source = "other"
    with pytest.raises(domain.UnknownSubmission):
        await servicer.GetSubmission(asked, None)
    acting(ROLE_VIEWER)
    with pytest.raises(PermissionError):
        await servicer.GetSubmission(asked, None)


async def test_bytes_without_a_header_are_refused(servicer):
    async def headless():
        yield wire.SubmitRequest(chunk=b"x")

    with pytest.raises(domain.BadSubmission, match="header"):
        await servicer.Submit(headless(), None)


@pytest.mark.parametrize("source", ["", "UPPER", "a" * 65, "../etc", "a b"])
def test_a_source_has_a_plain_name(source):
    from services.ingest.rpc import _delivery

    with pytest.raises(domain.BadSubmission, match="lower-case"):
        _delivery(wire.SubmitHeader(source=source), datetime.now(UTC))


async def test_a_publication_time_in_the_future_is_refused(servicer):
    header = wire.SubmitHeader(source="test")
    header.available_at.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(domain.BadSubmission, match="future"):
        await servicer.Submit(parts(b"", header), None)


async def test_an_oversize_submission_is_read_no_further_than_its_limit(servicer, gate):
    limit = gate.settings.ingest_max_input_bytes
    sent = 0

    async def endless():
        nonlocal sent
        yield wire.SubmitRequest(header=wire.SubmitHeader(source="test"))
        while True:
            sent += 2**20
            yield wire.SubmitRequest(chunk=b"1" * 2**20)

    response = await servicer.Submit(endless(), None)
    assert response.rejections[0].reason == pb.REJECTION_REASON_TOO_LARGE
    assert sent <= limit + 2 * 2**20


async def test_an_object_is_answered_for_and_an_unknown_one_is_not_found(servicer):
    await servicer.Submit(parts(cases.NAMED.encode()), None)
    found = (await servicer.GetObject(wire.GetObjectRequest(catalogue_number=54217), None)).object
    assert (found.object_name, found.international_designator) == (b"CZ-5B R/B", b"2022-143B")
    assert found.element_set_count == 1
    with pytest.raises(domain.UnknownObject):
        await servicer.GetObject(wire.GetObjectRequest(catalogue_number=1), None)


async def test_objects_outside_the_contract_do_not_exist_for_the_caller(servicer, acting):
    both = cases.FIRST + cases.renumbered(cases.FIRST, 10001)
    await servicer.Submit(parts(both.encode()), None)
    acting(ROLE_VIEWER, (10001,))
    listed = await servicer.ListObjects(wire.ListObjectsRequest(), None)
    assert [o.catalogue_number for o in listed.objects] == [10001]
    with pytest.raises(domain.UnknownObject):
        await servicer.GetObject(wire.GetObjectRequest(catalogue_number=54217), None)


async def test_paging_visits_every_object_once(servicer):
    pairs = "".join(cases.renumbered(cases.FIRST, number) for number in range(10000, 10007))
    await servicer.Submit(parts(pairs.encode()), None)
    seen, token = [], ""
    while True:
        page = await servicer.ListObjects(wire.ListObjectsRequest(page_size=3, page_token=token), None)
        seen += [o.catalogue_number for o in page.objects]
        token = page.next_page_token
        if not token:
            break
    assert seen == list(range(10000, 10007))


@pytest.mark.parametrize(("size", "token"), [(-1, ""), (1001, ""), (1, "abc"), (1, "-5"), (1, "9" * 30)])
async def test_a_page_that_cannot_be_is_refused(servicer, size, token):
    with pytest.raises(domain.BadSubmission):
        await servicer.ListObjects(wire.ListObjectsRequest(page_size=size, page_token=token), None)


async def test_sources_and_rejections_are_listed(servicer):
    await servicer.Submit(parts(b"rubbish", wire.SubmitHeader(source="broken")), None)
    await servicer.Submit(parts(cases.FIRST.encode()), None)
    states = {s.source: s.state for s in (await servicer.ListSources(wire.ListSourcesRequest(), None)).sources}
    assert states == {"broken": pb.SOURCE_STATE_FAILED, "test": pb.SOURCE_STATE_HEALTHY}
    listed = await servicer.ListRejections(wire.ListRejectionsRequest(source="broken"), None)
    assert [r.raw for r in listed.rejections] == [b"rubbish"]
