"""Whatever bytes come in, a reader ends, and says of each record what it is or why not.

About 60 s where `CI` is set, a tenth elsewhere.
"""

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds import cdm, oem, omm, rdm
from libs.ccsds.tests import omm_record, test_oem
from libs.ccsds.tests.message_rows import CDM, RDM, as_kvn, as_xml
from libs.providers import celestrak, discos, spacetrack
from libs.providers.tests.test_providers import CELESTRAK, DECAY, SATCAT, TIP, as_csv, as_json

Reader = Callable[[bytes], Iterator[Any]]
EXAMPLES = 1_500 if os.environ.get("CI") else 100
DISCOS = b'{"data":[{"type":"object","id":"1","attributes":{"satno":54217,"mass":21600.0,"firstEpoch":"2022-10-31"}}]}'
CASES: dict[str, tuple[Reader, bytes]] = {
    "omm json": (omm.read_omm_json, omm_record.as_json()),
    "omm csv": (omm.read_omm_csv, omm_record.as_csv()),
    "omm kvn": (omm.read_omm_kvn, omm_record.as_kvn()),
    "omm xml": (omm.read_omm_xml, omm_record.as_xml()),
    "rdm kvn": (rdm.read_rdm_kvn, as_kvn("RDM", "1.0", RDM)),
    "rdm xml": (rdm.read_rdm_xml, as_xml("RDM", "1.0", RDM)),
    "cdm kvn": (cdm.read_cdm_kvn, as_kvn("CDM", "1.0", CDM)),
    "cdm xml": (cdm.read_cdm_xml, as_xml("CDM", "1.0", CDM)),
    "oem kvn": (oem.read_oem_kvn, test_oem.written("kvn")),
    "oem xml": (oem.read_oem_xml, test_oem.written("xml")),
    "tip json": (spacetrack.read_tip_json, as_json(TIP)),
    "tip csv": (spacetrack.read_tip_csv, as_csv(TIP)),
    "decay json": (spacetrack.read_decay_json, as_json(DECAY)),
    "satcat json": (spacetrack.read_satcat_json, as_json(SATCAT)),
    "celestrak csv": (celestrak.read_satcat_csv, CELESTRAK),
    "discos json": (discos.read_objects, DISCOS),
}
TOKENS = (
    b"", b"\0", b"\n", b"\r\n", b" ", b"=", b",", b'"', b"{", b"}", b"[", b"]", b":", b"<", b">", b"&", b"</", b"<!--",
    b"-->", b"<![CDATA[", b"]]>", b"<?", b"<!DOCTYPE a []>", b"&#0;", b"&#x41;", b"\xef\xbb\xbf", b"\xff",
    b"\xed\xa0\x80",
    b"NaN", b"1e999", b"-0", b"9" * 400, b"null", b"true", b"[m]", b"COMMENT ", b"META_START", b"COVARIANCE_START",
    b"CCSDS_OMM_VERS = 3.0\n", b"<omm>", b"<ndm>", b"USER_DEFINED_ = 1\n", b"2022-366T23:59:60Z", b"\xd9\xa3",
)  # fmt: skip


@st.composite
def edited(draw: st.DrawFn, base: bytes) -> bytes:
    """A whole document after a few edits: bytes overwritten, cut, repeated, moved, or a token put in."""
    data = base
    for _ in range(draw(st.integers(1, 6))):
        a, b = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        b = min(b, a + draw(st.sampled_from([0, 1, 4, 60, 100_000])))
        put = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=6), st.just(data[a:b] * 2)))
        data = data[:a] + put + data[b:]
    return data


def finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, tuple):
        return all(map(finite, value))
    return not is_dataclass(value) or all(finite(getattr(value, one.name)) for one in fields(value))


@pytest.mark.parametrize("name", CASES)
def test_no_bytes_stop_a_reader_and_none_gives_it_a_number_that_is_none(name):
    reader, base = CASES[name]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(edited(base), edited(base), st.binary(max_size=300)))
    def holds(data):
        for one in reader(data):
            if isinstance(one, Refused):
                assert isinstance(one.reason, RefusalReason)
                assert one.detail
                assert one.line >= 0 <= one.column
                assert len(one.raw) <= 4096
            else:
                assert finite(one), one

    holds()
