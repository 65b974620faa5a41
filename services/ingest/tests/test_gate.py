"""What is malformed is refused at the gate, each time with its place and reason, whatever its format."""

import math
import os
import random
from dataclasses import fields, is_dataclass

import pytest

from libs.astro.elements import RefusalReason
from services.ingest import reading
from services.ingest.domain import Format
from services.ingest.reading import Reading
from services.ingest.tests.gate_inputs import GOOD

MALFORMED = 10_000 if os.environ.get("CI") else 500
# No number, date, word or geometry of any format holds one of these.
WRONG = (b"x", b"~", b"#", b"_", b"\x00", b"\x1b", b"\xff", b"\xd9\xa3", b"\xc3\xa9")


def taken(read: Reading) -> int:
    lists = (read.sets, read.messages, read.observed, read.predicted, read.indices, read.orientation, read.statements)
    return sum(map(len, lists)) + read.feature_count + (read.traffic.row_count if read.traffic else 0)


def finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, tuple):
        return all(map(finite, value))
    return not is_dataclass(value) or all(finite(getattr(value, one.name)) for one in fields(value))


def spoilt(chance: random.Random, data: bytes, values: tuple[bytes, ...]) -> bytes:
    """One value of it with a piece overwritten by what cannot be there, or with more in it, or with less."""
    value = chance.choice(values)
    start = data.index(value)
    at, wrong = start + chance.randrange(len(value)), chance.choice(WRONG)
    if data[at : at + 1] in b'<>" ,':  # outside of the value proper
        at = start + len(value) // 2
    return data[:at] + wrong + data[at + chance.choice((0, len(wrong))) :]


@pytest.mark.parametrize("name", [name for name in GOOD if name != "airspace geojson"])
def test_of_ten_thousand_malformed_files_none_is_taken_and_each_is_refused_with_its_place(name):
    """INVARIANT: nothing malformed enters silently, nothing stops the gate, and no number is NaN."""
    found, data, values = GOOD[name]
    before = reading.read(Format.UNKNOWN, data)
    assert (before.format, before.refusals) == (found, ())
    chance = random.Random(name)
    for _ in range(MALFORMED):
        damaged = spoilt(chance, data, values)
        read = reading.read(found, damaged)
        assert taken(read) < taken(before), damaged
        assert read.refusals, damaged
        assert finite(read)
        for refusal in read.refusals:
            assert isinstance(refusal.reason, RefusalReason)
            assert refusal.detail, damaged
            assert refusal.raw, damaged
            assert refusal.line > 0 < refusal.column, (refusal, damaged)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_recognised_and_nothing_of_it_refused(name):
    found, data, _ = GOOD[name]
    read = reading.read(Format.UNKNOWN, data)
    assert (read.format, read.refusals) == (found, ())
    assert taken(read) > 0


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_half_a_file_is_not_taken_for_a_whole_one(name, cut):
    found, data, _ = GOOD[name]
    read = reading.read(found, data[: int(len(data) * cut)])
    whole = reading.read(found, data)
    assert taken(read) <= taken(whole)
    assert read.refusals or taken(read) < taken(whole) or name == "finals2000A", read


def test_every_format_has_a_good_file_here():
    assert {found for found, _, _ in GOOD.values()} == set(Format) - {Format.UNKNOWN}
