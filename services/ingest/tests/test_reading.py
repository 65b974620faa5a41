"""What a submitted file is taken for, and that its encoding leaves no trace in the facts."""

from datetime import UTC, datetime

import pytest

from libs.astro.elements import RefusalReason
from libs.ccsds.tests import omm_record
from services.ingest import catalogue, codec, handlers, reading, recognising
from services.ingest.catalogue import Entry, OfferElements
from services.ingest.domain import Delivery, Format
from services.ingest.tests import cases

ENCODED = {
    Format.OMM_JSON: omm_record.as_json(),
    Format.OMM_CSV: omm_record.as_csv(),
    Format.OMM_KVN: omm_record.as_kvn(),
    Format.OMM_XML: omm_record.as_xml(),
    Format.TLE: omm_record.TLE,
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


def test_every_format_has_a_name_on_the_wire():
    assert set(codec.FORMATS) == set(Format)
    assert len(set(codec.FORMATS.values())) == len(Format)


def test_every_format_has_its_reader_and_its_handler():
    assert set(reading.READERS) == set(handlers.HANDLERS) == set(Format)
