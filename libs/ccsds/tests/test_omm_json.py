"""OMM records in JSON, damaged, against a second reading.

There is no checksum, so much damage gives another valid record; `is_valid`, written apart from the reader, says which
does not. What it calls malformed must be refused with its place.
"""

import json
import math
import random
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from libs.astro.elements import ElementSet, RefusalReason, Refused
from libs.astro.time import jd_to_datetime
from libs.ccsds import omm
from libs.ccsds.tests import omm_record
from libs.ccsds.tests.damage import BYTES
from libs.ccsds.tests.omm_record import NUMBERS, RECORD, SAID, WHOLE

MALFORMED = 10_000


def written(**changed: object) -> bytes:
    return omm_record.as_json(RECORD | changed)


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def is_valid(data: bytes) -> bool:
    """Whether it is one record in order."""
    try:
        record = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=once,
            parse_int=Decimal,
            parse_float=Decimal,
            parse_constant=Decimal,
        )
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and omm_record.is_valid(record)


def foreign_digit(chance: random.Random, data: bytes) -> bytes:
    """A digit of another script, where Python's own readers of numbers see nothing wrong."""
    key = chance.choice([*NUMBERS, *WHOLE, "EPOCH"])
    text = str(RECORD[key])
    at = chance.choice([i for i, c in enumerate(text) if c.isdigit()])
    zero = chance.choice("\u0660\u06f0\u0966\uff10")
    return written(**{key: text[:at] + chr(ord(zero) + int(text[at])) + text[at + 1 :]})


def out_of_range(chance: random.Random, data: bytes) -> bytes:
    key = chance.choice([*NUMBERS, *WHOLE])
    least, greatest = (NUMBERS | WHOLE)[key][:2]
    beyond = float(greatest) * (1.0 + chance.random()) + 1e-6
    below = float(least) - 1e-6 - chance.random()
    return written(**{key: chance.choice([beyond, below, float("nan"), float("inf"), -float("inf"), "1e999", 1e300])})


def wrong_kind(chance: random.Random, data: bytes) -> bytes:
    key = chance.choice([*NUMBERS, *WHOLE, "EPOCH", *SAID])
    return written(
        **{key: chance.choice([None if key not in SAID else [], [], {}, True, [1.0], {"a": 1}, "", "x", "NaN"])}
    )


def without_a_key(chance: random.Random, data: bytes) -> bytes:
    key = chance.choice([*NUMBERS, *WHOLE, "EPOCH"])
    return json.dumps({k: v for k, v in RECORD.items() if k != key}).encode()


def a_key_twice(chance: random.Random, data: bytes) -> bytes:
    key = chance.choice(list(RECORD))
    return data[:-2] + f', "{key}": {json.dumps(RECORD[key])}'.encode() + b"}"


DAMAGE = BYTES | {one.__name__: one for one in (foreign_digit, out_of_range, wrong_kind, without_a_key, a_key_twice)}


@pytest.mark.parametrize("kind", DAMAGE)
def test_of_ten_thousand_malformed_records_none_is_accepted_and_each_is_refused_with_its_place(kind):
    """INVARIANT: no damage that can be seen passes unseen, and none stops the reader."""
    chance, wanted = random.Random(kind), math.ceil(MALFORMED / len(DAMAGE))
    while wanted:
        damaged = DAMAGE[kind](chance, written())
        if is_valid(damaged):
            continue
        wanted -= 1
        found = list(omm.read_omm_json(damaged))
        if damaged.strip(b" \t\r\n") == b"[]":
            continue
        assert found, damaged
        for one in found[-1:]:
            assert isinstance(one, Refused), damaged
            assert one.line > 0 < one.column
            assert one.detail
            assert isinstance(one.reason, RefusalReason)


def test_what_is_accepted_after_damage_is_what_the_second_reading_calls_valid():
    chance, seen = random.Random(54217), Counter()
    for _ in range(6_000):
        damaged = DAMAGE[chance.choice(["flip", "delete", "insert", "swap", "control"])](chance, written())
        (*before, last) = omm.read_omm_json(damaged)
        accepted = isinstance(last, ElementSet) and not before
        assert accepted == is_valid(damaged), damaged
        if accepted:
            assert all(math.isfinite(v) for v in asdict(last).values() if isinstance(v, float))
        seen[accepted] += 1
    assert min(seen.values()) > 500, seen


def test_a_record_is_read_as_it_was_written():
    (one,) = omm.read_omm_json(written())
    assert (one.catalogue_number, one.object_name, one.international_designator) == (54217, b"CZ-5B R/B", b"22143B")
    assert (one.mean_motion_rev_day, one.bstar_per_earth_radius) == (16.33819495, 0.00053797)
    epoch = jd_to_datetime(one.epoch_jd, one.epoch_jd_fraction)
    assert abs((epoch - datetime(2022, 11, 3, 19, 58, 6, 667968, tzinfo=UTC)).total_seconds()) < 1e-5


@pytest.mark.parametrize(
    "changed",
    [
        {"MEAN_MOTION": "16.33819495", "NORAD_CAT_ID": "54217"},
        {"OBJECT_NAME": None, "OBJECT_ID": None, "CLASSIFICATION_TYPE": None},
        {"NORAD_CAT_ID": 999_999_999},
        {"EPOCH": "2022-11-03T19:58:06Z"},
        {"MEAN_MOTION_DDOT": "0E0"},
        {"SOMETHING_NEW": [{"a": 1}]},
        {"OBJECT_NAME": "ŁÓDŹ-1"},
    ],
    ids=[
        "texts as Space-Track has them",
        "nothing optional",
        "nine digits",
        "a zone",
        "a bare power",
        "more",
        "a name",
    ],
)
def test_a_valid_record_is_accepted(changed):
    (one,) = omm.read_omm_json(written(**changed))
    assert isinstance(one, ElementSet)


def test_good_records_around_a_bad_one_are_kept_and_its_place_is_that_of_the_bad_value():
    good, bad = written(), written(ECCENTRICITY=1.5)
    found = list(omm.read_omm_json(b"[\n" + good + b",\n" + bad + b",\n" + good + b"\n]"))
    assert [type(one) for one in found] == [ElementSet, Refused, ElementSet]
    lines = (b"[\n" + good + b",\n").count(b"\n") + 1 + list(RECORD).index("ECCENTRICITY") + 1
    assert (found[1].line, found[1].column, found[1].reason) == (lines, 2, RefusalReason.RANGE)


def test_the_place_is_sought_in_the_bad_record_and_counts_bytes():
    bad = '[{"OBJECT_NAME":"ŁŁ","\\u0045POCH":"x"},{"EPOCH":1}]'.encode()
    first, second = omm.read_omm_json(bad)
    assert (first.line, first.column) == (1, 2)
    assert second.column == bad.rindex(b'"EPOCH"') + 1


@pytest.mark.parametrize("key", ["OBJECT_NAME", "OBJECT_ID", "CLASSIFICATION_TYPE", "EPOCH", "BSTAR"])
def test_half_a_surrogate_pair_is_refused(key):
    """JSON can spell it, UTF-8 cannot."""
    data = written(**{key: "@@"}).replace(b"@@", b"\\ud800")
    (one,) = omm.read_omm_json(data)
    assert (one.reason, one.line) == (RefusalReason.CHARACTER, list(RECORD).index(key) + 2)


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 100_000, b"", b"[", b"[1]", b'"x"', b"[{},]", b"[{}] x"])
def test_what_is_no_list_of_records_is_refused(data):
    assert isinstance(list(omm.read_omm_json(data))[-1], Refused)


def test_many_refusals_on_one_line_take_time_in_proportion():
    """INVARIANT: a file is walked once. Counting lines from its beginning for each refusal took minutes for 10 MB."""
    bad = json.dumps({"OBJECT_NAME": "x" * 150, "EPOCH": "y"}).encode()
    data = b"[" + b",".join([bad] * 50_000) + b"]"
    found = list(omm.read_omm_json(data))
    assert [one.column for one in found[:2]] == [bad.index(b'"EPOCH"') + 2, len(bad) + 1 + bad.index(b'"EPOCH"') + 2]
    assert len(found) == 50_000
