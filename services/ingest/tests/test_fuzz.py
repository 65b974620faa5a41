"""Whatever bytes come in, the gate says what they are, takes or refuses, and ends.

A second or two as part of the suite, the same examples each time. `make fuzz` draws new ones for
SPACECOM_FUZZ_SECONDS and keeps what it finds in build/fuzz, from where every later run, of either kind, tries it first.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

from libs.astro.elements import RefusalReason
from libs.ccsds.tests.test_fuzz import edited
from services.ingest import catalogue, codec, messages, reading
from services.ingest.domain import Delivery, Format
from services.ingest.publication import Publication
from services.ingest.tests.gate_inputs import GOOD
from services.ingest.tests.test_gate import finite

SECONDS = float(os.environ.get("SPACECOM_FUZZ_SECONDS", "0"))
KEPT = DirectoryBasedExampleDatabase(Path("build/fuzz"))
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
DELIVERY = Delivery("fuzz", "0" * 64, datetime(2026, 1, 1, tzinfo=UTC), None)
PUBLISHED = Publication(DELIVERY.known_at, timedelta(days=7))


def holds(stated: Format, data: bytes) -> None:
    read = reading.read(stated, data, PUBLISHED)
    assert finite(read)
    assert (
        read.refusals
        or any(
            (
                read.sets,
                read.messages,
                read.observed,
                read.predicted,
                read.indices,
                read.orientation,
                read.traffic,
                read.statements,
            )
        )
        or read.feature_count
    )
    for refusal in read.refusals:
        assert isinstance(refusal.reason, RefusalReason)
        assert refusal.detail
        assert refusal.line >= 0 <= refusal.column
        assert len(refusal.raw) <= 64 * 1024
    # what is decided on them may not stop the gate either
    for event in catalogue.decide_entry(catalogue.OfferElements(read.sets, DELIVERY), catalogue.Entry()):
        codec.to_wire(event).SerializeToString()
    for offer in read.messages:
        fact = messages.resolved(offer, {offer.designator: 1}, DELIVERY)
        assert fact is not None
        codec.to_wire(fact).SerializeToString()


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("name", GOOD)
def test_no_bytes_stop_the_gate_and_none_gives_it_a_number_that_is_none(name):
    """INVARIANT: a stranger's file ends as facts and refusals, never as an exception."""
    found, data, _ = GOOD[name]

    @settings(
        max_examples=100 if SECONDS else 40, deadline=None, derandomize=not SECONDS,
        database=KEPT if SECONDS else None, phases=PHASES, suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip
    @given(st.sampled_from((found, Format.UNKNOWN)), st.one_of(edited(data), edited(data), st.binary(max_size=200)))
    def drawn(stated, damaged):
        holds(stated, damaged)

    drawn()
    end = time.monotonic() + SECONDS / len(GOOD)
    while time.monotonic() < end:
        drawn()


FOUND = {  # by this and the tests beside it
    "half a feature collection": (Format.TRAFFIC_GEOJSON, GOOD["traffic geojson"][1][:-60]),
    "an epoch at the end of the calendar": (
        Format.OMM_JSON, GOOD["omm json"][1].replace(b"2022-11-03T19:58:06.667968", b"9999-12-31T23:59:59.9999999")),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_what_once_stopped_the_gate_does_so_no_more(name):
    stated, data = FOUND[name]
    holds(stated, data)
    assert reading.read(stated, data).refusals
