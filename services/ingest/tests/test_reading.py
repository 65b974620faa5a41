"""What a submitted file is taken for, and that its encoding leaves no trace in the facts."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.astro.elements import RefusalReason
from libs.ccsds.tests import omm_record
from services.ingest import catalogue, codec, handlers, reading, recognising
from services.ingest.catalogue import Entry, OfferElements
from services.ingest.domain import Delivery, Format
from services.ingest.publication import Publication
from services.ingest.tests import cases

ENCODED = {
    Format.OMM_JSON: omm_record.as_json(),
    Format.OMM_CSV: omm_record.as_csv(),
    Format.OMM_KVN: omm_record.as_kvn(),
    Format.OMM_XML: omm_record.as_xml(),
    Format.TLE: omm_record.TLE,
}
EPOCH_BEGINS = {
    Format.OMM_JSON: b'"EPOCH"',
    Format.OMM_CSV: b"2022-11-0",
    Format.OMM_KVN: b"2022-11-0",
    Format.OMM_XML: b"<EPOCH>2022-11-0",
    Format.TLE: b"22307.",
}
LISTS = {
    Format.OMM_JSON: b"[" + omm_record.as_json() + b"]",
    Format.OMM_XML: b"<ndm>" + omm_record.as_xml().partition(b"\n")[2] * 2 + b"</ndm>",
    Format.OMM_KVN: b"\xef\xbb\xbf\r\n" + omm_record.as_kvn() * 2,
    Format.CSSI: cases.cssi(datetime(2022, 11, 1, tzinfo=UTC).date(), 3),
    Format.AIRSPACE: cases.airspace("AAAA"),
}


@pytest.mark.parametrize("found", ENCODED)
def test_a_set_makes_the_same_facts_in_every_encoding(found):
    """INVARIANT: deduplication and replay compare facts, so an encoding must not show in them, to the last byte."""
    delivery = Delivery("test", "0" * 64, datetime(2022, 11, 4, tzinfo=UTC), None)

    def facts(data: bytes) -> list[bytes]:
        read = reading.read(Format.UNKNOWN, data)
        events = catalogue.decide_entry(OfferElements(read.sets, delivery), Entry())
        return [codec.to_wire(event).SerializeToString(deterministic=True) for event in events]

    assert len(facts(ENCODED[found])) == 2
    assert facts(ENCODED[found]) == facts(ENCODED[Format.TLE])


@pytest.mark.parametrize(("expected", "data"), [*ENCODED.items(), *LISTS.items()])
def test_a_file_is_recognised_by_its_content(expected, data):
    assert recognising.recognise(data) is expected
    assert not reading.read(Format.UNKNOWN, data).refusals


@pytest.mark.parametrize(
    "data", [b"", b"rubbish", b"<html><body>omm</body></html>", b"CCSDS_TDM_VERS = 1.0\n", b"a,b\n1,2\n"]
)
def test_what_is_none_of_the_formats_is_refused_as_a_whole(data):
    read = reading.read(Format.UNKNOWN, data)
    assert read.format is Format.UNKNOWN
    assert [refusal.reason for refusal in read.refusals] == [RefusalReason.UNREADABLE]


@pytest.mark.parametrize("found", [Format.OMM_JSON, Format.OMM_CSV, Format.OMM_KVN, Format.OMM_XML])
def test_a_refusal_keeps_the_record_and_its_place(found):
    data = ENCODED[found].replace(b"0.0049889", b"1.0049889")
    read = reading.read(found, data)
    (refusal,) = read.refusals
    assert (refusal.reason, read.sets) == (RefusalReason.RANGE, ())
    assert b"1.0049889" in refusal.raw
    assert refusal.line > 0 < refusal.column


@pytest.mark.parametrize("found", ENCODED)
def test_an_epoch_that_cannot_have_been_published_is_refused_where_it_stands(found):
    published = Publication(datetime(2022, 10, 20, tzinfo=UTC), timedelta(days=7))
    data = ENCODED[found]
    (refusal,) = reading.read(found, data, published).refusals
    assert refusal.reason is RefusalReason.EPOCH
    there = data.splitlines()[refusal.line - 1][refusal.column - 1 :]
    assert there.startswith(EPOCH_BEGINS[found]), there
    assert refusal.raw
    assert "check its year and day" in refusal.detail


def test_every_format_has_a_name_on_the_wire():
    assert set(codec.FORMATS) == set(Format)
    assert len(set(codec.FORMATS.values())) == len(Format)


def test_every_format_has_its_reader_and_its_handler():
    readers = [*reading.READERS, *reading.SETS, *reading.MESSAGES, *reading.STATEMENTS]
    assert sorted(readers, key=str) == sorted(Format, key=str)
    assert set(handlers.HANDLERS) == set(Format)
