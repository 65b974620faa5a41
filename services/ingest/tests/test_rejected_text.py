"""The lines around a refusal, out of the input as it was kept."""

import pytest

from services.ingest import domain
from services.ingest.rejected_text import WIDTH, Excerpt, around
from services.ingest.rpc import IngestServicer
from services.ingest.tests import cases
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire


@pytest.mark.parametrize(
    ("line", "first", "lines"),
    [
        (0, 1, (b"one", b"two")),
        (1, 1, (b"one", b"two")),
        (3, 1, (b"one", b"two", b"three", b"four")),
        (5, 3, (b"three", b"four", b"five")),
        (9, 3, (b"three", b"four", b"five")),  # the file has no such line: its last ones
    ],
)
def test_a_line_comes_with_its_neighbours(line, first, lines):
    assert around(b"one\r\ntwo\nthree\nfour\nfive", line, 0) == Excerpt(first, lines, 1)


def test_of_a_long_line_what_surrounds_the_column_is_shown():
    data = b"[" + b"x" * 100_000 + b"!" + b"y" * 100_000 + b"]"
    found = around(data, 1, 100_002)
    (shown,) = found.lines
    assert len(shown) == WIDTH
    assert shown[100_002 - found.first_column : 100_003 - found.first_column] == b"!"


@pytest.fixture
def servicer(gate, acting) -> IngestServicer:
    acting()
    return IngestServicer(gate)


async def refusals(servicer, **asked) -> list[pb.InputRejected]:
    return list((await servicer.ListRejections(wire.ListRejectionsRequest(**asked), None)).rejections)


def place_of(one: pb.InputRejected) -> wire.GetRejectedTextRequest:
    return wire.GetRejectedTextRequest(
        source=one.source, input_sha256=one.input_sha256, line=one.line, column=one.column
    )


async def test_refusals_are_listed_by_their_reason(servicer, submit):
    await submit(cases.BAD_CHECKSUM.encode())
    await submit(b"not a format")
    assert len(await refusals(servicer)) == 2
    (checksum,) = await refusals(servicer, reason=pb.REJECTION_REASON_CHECKSUM)
    assert checksum.reason == pb.REJECTION_REASON_CHECKSUM
    assert await refusals(servicer, reason=pb.REJECTION_REASON_CHECKSUM, source="other") == []


async def test_the_refused_line_is_given_with_its_place(servicer, submit):
    await submit((cases.FIRST + cases.BAD_CHECKSUM).encode())
    (one,) = await refusals(servicer)
    text = await servicer.GetRejectedText(place_of(one), None)
    refused = (cases.FIRST + cases.BAD_CHECKSUM).splitlines()[one.line - 1]
    assert text.lines[one.line - text.first_line].decode() == refused
    assert text.first_column == 1


async def test_the_text_of_a_source_stays_with_who_has_a_right_to_it(servicer, submit, acting):
    """INVARIANT: what a source restricts leaves by no edge."""
    await submit(cases.BAD_CHECKSUM.encode(), source="space-track")
    (one,) = await refusals(servicer)
    acting(ROLE_VIEWER, classes=("public",))
    with pytest.raises(domain.UnknownRejection):
        await servicer.GetRejectedText(place_of(one), None)


async def test_no_text_is_given_of_an_input_of_which_nothing_was_refused(servicer, submit):
    receipt = await submit(cases.FIRST.encode())
    asked = wire.GetRejectedTextRequest(source="test", input_sha256=receipt.input_sha256, line=1)
    with pytest.raises(domain.UnknownRejection):
        await servicer.GetRejectedText(asked, None)


async def test_a_text_that_is_no_longer_kept_is_said_to_be(servicer, submit, gate):
    await submit(cases.BAD_CHECKSUM.encode())
    (one,) = await refusals(servicer)
    await gate.blobs.remove(one.input_sha256)
    with pytest.raises(domain.UnknownRejection, match="no longer kept"):
        await servicer.GetRejectedText(place_of(one), None)
