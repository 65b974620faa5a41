from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs import envelope
from libs.envelope import BadEnvelope
from libs.eventlog import Cause, Recorded, new_id
from libs.tests.facts import WHEN

CAUSE = Cause(new_id(), new_id(), "t")
EVENT = Recorded(7, new_id(), "object/1", 3, "spacecom.ingest.v1.ObjectCatalogued", b"", WHEN, WHEN, WHEN, CAUSE)
instants = st.datetimes(datetime(1957, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
events = st.builds(
    Recorded,
    st.integers(1, 2**63 - 1),
    st.uuids(),
    texts,
    st.integers(1, 2**63 - 1),
    texts,
    st.binary(max_size=5),
    instants,
    instants,
    instants,
    st.builds(Cause, st.uuids(), st.none() | st.uuids(), texts | st.just("")),
    st.sampled_from(["public", "space-track", "discos,space-track", "internal"]),
)


@given(events)
def test_headers_are_read_as_they_were_written(event):
    meta = envelope.meta(envelope.headers(event, "ingest"))
    assert (meta.event_id, meta.stream, meta.sequence, meta.position) == (
        event.event_id,
        event.stream,
        event.version,
        event.position,
    )
    assert (meta.type, meta.source, meta.cause) == (event.type, "/spacecom/ingest", event.cause)
    assert meta.redistribution == event.redistribution
    assert (meta.occurred_at, meta.available_at, meta.recorded_at) == (
        event.occurred_at,
        event.available_at,
        event.recorded_at,
    )


def test_the_headers_are_those_of_cloudevents_in_binary_mode():
    found = dict(envelope.headers(EVENT, "ingest"))
    assert found["ce_specversion"] == b"1.0"
    assert found["ce_sequence"] == b"00000000000000000003"
    assert found["content-type"] == b"application/protobuf"
    assert all(name.startswith("ce_") for name in found if name != "content-type")


def test_a_message_that_names_no_redistribution_class_is_internal():
    headers = [(name, value) for name, value in envelope.headers(EVENT, "ingest") if name != "ce_redistribution"]
    assert envelope.meta(headers).redistribution == "internal"


def test_a_time_in_another_zone_is_the_same_instant():
    east = WHEN.astimezone(timezone(timedelta(hours=9)))
    assert envelope.meta(envelope.headers(replace(EVENT, occurred_at=east), "ingest")).occurred_at == WHEN


HEADERS = envelope.headers(EVENT, "ingest")
NAMES = [name for name, _ in HEADERS if name not in ("content-type", "ce_traceparent", "ce_causationid", "ce_source")]
WORST = [
    b"",
    b"\0",
    b"\xff",
    b"9" * 5000,  # more digits than an interpreter turns into a number
    "٣".encode(),
    b"-1",
    b"0",
    b"1e3",
    b"0001-01-01T00:00:00+14:00",  # before the first instant there is
    b"9999-12-31T23:59:59-14:00",
    b"2022-11-04T10:01:00",
    b"x" * 100_000,
]


def changed(name: str, value: bytes):
    return [(key, value if key == name else old) for key, old in HEADERS]


@pytest.mark.parametrize("value", WORST, ids=lambda value: repr(value[:30]))
@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_header_holds_it_is_read_or_refused_as_an_envelope(name, value):
    """INVARIANT: nothing else is raised. The consumer reads stream and sequence before it can set a message aside."""
    envelope.readable_stream(changed(name, value))
    told = ""
    try:
        envelope.meta(changed(name, value))
    except BadEnvelope as error:
        told = str(error)
    assert not told or (name in told and len(told) < 1000)


@given(st.lists(st.tuples(st.sampled_from([name for name, _ in HEADERS] + ["x"]), st.binary(max_size=40))))
def test_no_headers_at_all_break_the_reader(raw):
    stream, sequence = envelope.readable_stream(raw)
    assert isinstance(stream, str)
    assert isinstance(sequence, int)
    with suppress(BadEnvelope):
        envelope.meta(raw)


def test_stream_and_sequence_are_read_together_or_not_at_all():
    assert envelope.readable_stream(HEADERS) == ("object/1", 3)
    assert envelope.readable_stream(changed("ce_sequence", b"x")) == ("", 0)
    assert envelope.readable_stream(changed("ce_subject", b"\xff")) == ("", 0)
    assert envelope.readable_stream([]) == ("", 0)
