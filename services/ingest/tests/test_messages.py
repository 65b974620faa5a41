"""Predictions of others, ephemerides and conjunctions: from a file to the facts and the answers."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.astro.elements import RefusalReason
from libs.ccsds.tests import test_oem
from libs.ccsds.tests.message_rows import CDM, RDM, as_kvn, as_xml
from libs.providers.tests.test_providers import TIP, as_csv, as_json
from services.ingest import codec_messages, domain, reading
from services.ingest.domain import Format
from services.ingest.rpc import IngestServicer
from services.ingest.tests import cases
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire

LATER = datetime(2022, 11, 6, tzinfo=UTC)
ENCODED = {
    Format.TIP: (as_json(TIP), as_csv(TIP)),
    Format.RDM: (as_kvn("RDM", "1.0", RDM), as_xml("RDM", "1.0", RDM)),
    Format.CDM: (as_kvn("CDM", "1.0", CDM), as_xml("CDM", "1.0", CDM)),
    Format.OEM: (
        test_oem.written("kvn").replace(b"EARTH BARYCENTER", b"EARTH"),
        test_oem.written("xml").replace(b"EARTH BARYCENTER", b"EARTH"),
    ),
}
STREAMS = {Format.TIP: "thirdparty", Format.RDM: "thirdparty", Format.CDM: "conjunction", Format.OEM: "ephemeris"}


async def facts(gate, kind):
    async with gate.pool.acquire() as conn:
        rows = await conn.fetch("SELECT DISTINCT stream FROM events WHERE stream LIKE $1 || '/%' ORDER BY stream", kind)
        return [fact for row in rows for fact in await gate.log.load(conn, row["stream"])]


@pytest.fixture
async def catalogue(submit):
    """The objects that the messages name by designator alone are known."""
    designators = {
        offer.designator
        for encoded in ENCODED.values()
        for data in encoded
        for offer in reading.read(Format.UNKNOWN, data).messages
        if not offer.fact.catalogue_number
    }
    for number, designator in enumerate(sorted(designators), 70001):
        line, rest = cases.renumbered(cases.FIRST, number).splitlines()
        short = designator.decode()[2:].replace("-", "").ljust(8)
        await submit(f"{cases.checksummed(line[:9] + short + line[17:68])}\n{rest}\n".encode())


@pytest.mark.parametrize("found", ENCODED)
def test_a_message_is_recognised_and_states_the_same_in_both_encodings(found):
    first, second = (reading.read(Format.UNKNOWN, data) for data in ENCODED[found])
    assert (first.format, first.refusals, second.refusals) == (found, (), ())
    assert first.messages
    assert [offer.fact for offer in first.messages] == [offer.fact for offer in second.messages]


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("found", ENCODED)
async def test_a_message_is_recorded_once_whatever_its_encoding(gate, submit, found):
    one, other = ENCODED[found]
    first = await submit(one, available_at=LATER)
    assert (first.format, first.duplicate_count, first.rejected_count) == (found, 0, 0)
    recorded = await facts(gate, STREAMS[found])
    assert len(recorded) == first.accepted_count > 0
    again = await submit(one, source="another", available_at=LATER)
    assert (again.accepted_count, again.duplicate_count) == (0, first.accepted_count)
    if found is not Format.OEM:  # the states of an ephemeris are in its file alone, so another file is another fact
        assert (await submit(other, available_at=LATER)).accepted_count == 0
    assert len(await facts(gate, STREAMS[found])) == len(recorded)


async def test_a_tip_is_the_prediction_that_it_prints(gate, submit):
    """The TIP of 48275 of 2021-05-08 20:00 as zarya.info keeps it: 2021-05-09 02:04 +-60 min at 41.6 N 350.7 E."""
    await submit(as_json(TIP), source="space-track")
    (fact,) = await facts(gate, "thirdparty")
    said = fact.message()
    assert (fact.stream, said.kind, said.source) == ("thirdparty/48275", pb.THIRD_PARTY_KIND_TIP, "space-track")
    # 2021-05-09 is MJD 59343; 02:04 is 124 minutes of its 1,440
    assert (said.nominal_jd, said.nominal_jd_fraction) == (2400000.5 + 59343, 124 / 1440)
    assert (said.window_start_min, said.window_end_min, said.reentry_altitude_km) == (-60.0, 60.0, 10.0)
    assert said.latitude_deg == 41.6
    assert said.longitude_deg == pytest.approx(-9.3, abs=1e-12)  # 350.7 - 360 in binary
    assert fact.occurred_at == fact.available_at == datetime(2021, 5, 8, 20, tzinfo=UTC)


async def test_predictions_are_listed_newest_first(gate, submit, acting):
    later = TIP | {"MSG_EPOCH": "2021-05-08 23:42:00", "DECAY_EPOCH": "2021-05-09 02:11:00"}
    await submit(as_csv(later, TIP))
    acting(ROLE_VIEWER)
    answer = await IngestServicer(gate).ListThirdPartyPredictions(
        wire.ListThirdPartyPredictionsRequest(catalogue_number=48275), None
    )
    assert [one.made_at.ToDatetime().hour for one in answer.predictions] == [23, 20]
    acting(ROLE_VIEWER, (1,))
    with pytest.raises(domain.UnknownObject):
        await IngestServicer(gate).ListThirdPartyPredictions(
            wire.ListThirdPartyPredictionsRequest(catalogue_number=48275), None
        )


async def test_a_prediction_goes_only_to_those_with_a_right_to_its_class(gate, submit, acting):
    await submit(as_json(TIP), source="space-track")
    request = wire.ListThirdPartyPredictionsRequest(catalogue_number=48275)
    for classes, count in (((), 0), (("discos",), 0), (("space-track",), 1)):
        acting(ROLE_VIEWER, classes=classes)
        assert len((await IngestServicer(gate).ListThirdPartyPredictions(request, None)).predictions) == count


async def test_a_message_about_an_unknown_object_is_refused_where_it_names_it(gate, submit):
    data = ENCODED[Format.OEM][0]
    receipt = await submit(data, available_at=LATER)
    assert receipt.accepted_count == 0
    refused = receipt.rejections[0]
    assert refused.reason is RefusalReason.MISMATCH
    assert data.splitlines()[refused.line - 1][refused.column - 1 :].startswith(b"2022-143B")
    assert "submit an element set" in refused.detail


@pytest.mark.parametrize(("found", "which"), [(found, which) for found in ENCODED for which in (0, 1)])
async def test_a_message_made_long_after_it_was_published_is_refused_where_it_says_so(submit, found, which):
    data = ENCODED[found][which]
    receipt = await submit(data, available_at=datetime(2000, 4, 1, tzinfo=UTC))
    assert receipt.accepted_count == 0
    assert {refused.reason for refused in receipt.rejections} == {RefusalReason.EPOCH}
    lines = data.splitlines()
    for refused in receipt.rejections:
        there = lines[refused.line - 1][refused.column - 1 :]
        assert there.startswith((b'"MSG_EPOCH"', b'"2021-', b"<CREATION_DATE>2", b"2"))


DAMAGED = {
    "a window without its number": (Format.TIP, as_json(TIP | {"WINDOW": "soon"}), RefusalReason.CHARACTER),
    "a decay years from its message": (
        Format.TIP, as_json(TIP | {"DECAY_EPOCH": "2031-05-09 02:04:00"}), RefusalReason.EPOCH),
    "a year that cannot be": (Format.TIP, as_json(TIP | {"DECAY_EPOCH": "9999-12-31 23:59:59"}), RefusalReason.RANGE),
    "another planet": (
        Format.OEM, ENCODED[Format.OEM][0].replace(b"CENTER_NAME = EARTH", b"CENTER_NAME = MARS"),
        RefusalReason.MISMATCH),
    "another scale of time": (
        Format.RDM, ENCODED[Format.RDM][0].replace(b"TIME_SYSTEM = UTC", b"TIME_SYSTEM = TAI"), RefusalReason.MISMATCH),
    "a lifetime beyond numbers": (
        Format.RDM, b"\n".join(
            b"ORBIT_LIFETIME = 1e300 [d]" if line.startswith(b"ORBIT_LIFETIME =") else line
            for line in ENCODED[Format.RDM][0].splitlines()
            if not line.startswith((b"NOMINAL_REENTRY_EPOCH", b"REENTRY_WINDOW", b"ORBIT_LIFETIME_W"))
        ), RefusalReason.RANGE),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_what_a_message_cannot_mean_is_refused_with_its_place(name):
    found, data, reason = DAMAGED[name]
    read = reading.read(found, data)
    assert [refusal.reason for refusal in read.refusals] == [reason], read
    assert not read.messages
    assert all(refusal.line > 0 < refusal.column and refusal.raw and refusal.detail for refusal in read.refusals)


def test_the_key_of_a_message_is_what_it_says_and_not_who_sent_it():
    (offer,) = reading.read(Format.TIP, as_json(TIP)).messages
    one = codec_messages.to_wire(offer.fact)
    other = codec_messages.to_wire(offer.fact)
    other.source, other.input_sha256 = "another", "0" * 64
    assert codec_messages.content_key(one) == codec_messages.content_key(other)
    other.made_at.FromDatetime(datetime(2021, 5, 8, 20, tzinfo=UTC) + timedelta(seconds=1))
    assert codec_messages.content_key(one) != codec_messages.content_key(other)
