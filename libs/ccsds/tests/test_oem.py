"""Orbit Ephemeris Messages: the book's rules, its figures, and damage."""

import os
import random
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds import oem
from libs.ccsds.oem import EphemerisMessage
from libs.ccsds.tests import message_rows
from libs.ccsds.tests.damage import BYTES
from libs.ccsds.tests.message_rows import CARTESIAN, Row, as_xml, covariance, number_within

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
FIGURES = DATA / "ccsds/jochimmaene/data"
MALFORMED = 10_000 if os.environ.get("CI") else 3_000
READERS = {"kvn": oem.read_oem_kvn, "xml": oem.read_oem_xml}
METADATA = {
    "OBJECT_NAME": "CZ-5B R/B",
    "OBJECT_ID": "2022-143B",
    "CENTER_NAME": "EARTH",
    "REF_FRAME": "TEME",
    "TIME_SYSTEM": "UTC",
    "START_TIME": "2022-11-03T12:00:00",
    "USEABLE_START_TIME": "2022-11-03T12:01:00",
    "USEABLE_STOP_TIME": "2022-11-03T12:02:00",
    "STOP_TIME": "2022-11-03T12:03:00",
    "INTERPOLATION": "HERMITE",
    "INTERPOLATION_DEGREE": "7",
}
STATES = [f"2022-11-03T12:0{minute}:00.5 -3034.625 5813.{minute} 1.5E-03 -6.25 -3.25 1.5" for minute in range(3)]
STATES += ["2022-11-03T12:03:00 -3034.625 5813.3 1.5E-03 -6.25 -3.25 1.5 0.001 -0.002 +.003"]
HEADER = {"CREATION_DATE": "2022-11-03T11:00:00", "ORIGINATOR": "ESA", "MESSAGE_ID": "OEM 1"}
TRIANGLE = [row.value for row in covariance("", CARTESIAN, "km")]


def kvn_segment(metadata: dict[str, str], states: list[str], epochs: tuple[str, ...] = ()) -> list[str]:
    rows = [" ".join(TRIANGLE[n * (n + 1) // 2 :][: n + 1]) for n in range(6)]
    matrices = [line for epoch in epochs for line in (f"EPOCH = {epoch}", "COV_REF_FRAME = RTN", *rows)]
    return [
        "META_START", "COMMENT of the segment", *(f"{key} = {value}" for key, value in metadata.items()), "META_STOP",
        "COMMENT of the states", *states,
        *(["COVARIANCE_START", "COMMENT of the covariance", *matrices, "COVARIANCE_STOP"] if epochs else []),
    ]  # fmt: skip


def xml_segment(n: int, metadata: dict[str, str], states: list[str], epochs: tuple[str, ...] = ()) -> list[Row]:
    s = f"body/segment#{n}/"
    axes = ("EPOCH", *CARTESIAN, "X_DDOT", "Y_DDOT", "Z_DDOT")
    return [
        *(Row(s + "metadata", key, value) for key, value in metadata.items()),
        *(Row(f"{s}data/stateVector#{i}", key, value)
          for i, line in enumerate(states) for key, value in zip(axes, line.split(), strict=False)),
        *(row._replace(units="") for i, epoch in enumerate(epochs) for row in (
            Row(f"{s}data/covarianceMatrix#{i}", "EPOCH", epoch),
            Row(f"{s}data/covarianceMatrix#{i}", "COV_REF_FRAME", "RTN"),
            *covariance(f"{s}data/covarianceMatrix#{i}", CARTESIAN, "km"))),
    ]  # fmt: skip


COVARIANCES = ("2022-11-03T12:00:00.5", "2022-11-03T12:02:00")
LATER = METADATA | {key: value.replace("12:0", "13:0") for key, value in METADATA.items() if key.endswith("TIME")}
LATER_STATES = [line.replace("T12:", "T13:") for line in STATES]


def written(encoding: str, *segments: tuple) -> bytes:
    segments = segments or ((METADATA, STATES, COVARIANCES), (LATER, LATER_STATES))
    if encoding == "kvn":
        lines = ["CCSDS_OEM_VERS = 3.0", "COMMENT all", *(f"{key} = {value}" for key, value in HEADER.items())]
        return "\n".join([*lines, *(line for one in segments for line in kvn_segment(*one))]).encode() + b"\n"
    rows = [Row("header", key, value) for key, value in HEADER.items()]
    return as_xml("OEM", "3.0", [*rows, *(row for n, one in enumerate(segments) for row in xml_segment(n, *one))])


def read(encoding: str, *segments: tuple) -> EphemerisMessage | Refused:
    (found,) = READERS[encoding](written(encoding, *segments))
    return found


def test_a_message_of_two_segments_reads_the_same_in_both_encodings():
    kvn, xml = read("kvn"), read("xml")
    assert isinstance(kvn, EphemerisMessage), kvn
    assert kvn == xml
    first = kvn.segments[0]
    assert [len(first.states), len(first.covariances)] == [4, 2]
    assert first.states[3].acceleration_km_s2 == (0.001, -0.002, 0.003)
    assert first.states[0].acceleration_km_s2 is None
    assert first.covariances[1].lower_triangle[:3] == (0.25, -0.0015, 0.25)


@pytest.mark.parametrize("encoding", READERS)
@pytest.mark.parametrize(
    ("metadata", "states", "epochs", "detail"),
    [
        (METADATA, [], (), "no states"),
        (METADATA, [*STATES[:2], STATES[1], *STATES[2:]], (), "not later"),
        (METADATA, [*STATES, "2022-11-03T12:04:00 1 1 1 1 1 1"], (), "outside"),
        (METADATA, ["2022-11-03T11:59:59 1 1 1 1 1 1", *STATES], (), "outside"),
        (METADATA, ["2022-11-03T12:00:00 0 0 0 1 1 1", *STATES], (), "centre"),
        (METADATA, ["2022-11-03T12:00:00 NaN 0 0 1 1 1", *STATES], (), "finite"),
        (METADATA, STATES, COVARIANCES[::-1], "not later"),
        (METADATA | {"STOP_TIME": "2022-11-03T12:01:30"}, STATES, (), "order"),
        (METADATA | {"INTERPOLATION_DEGREE": "8"}, STATES, (), "too few"),
        ({k: v for k, v in METADATA.items() if k != "INTERPOLATION_DEGREE"}, STATES, (), "DEGREE is missing"),
        ({k: v for k, v in METADATA.items() if k != "START_TIME"}, STATES, (), "START_TIME is missing"),
    ],
)
def test_a_rule_of_the_book_that_is_broken_refuses_the_message(encoding, metadata, states, epochs, detail):
    found = read(encoding, (metadata, states, epochs))
    assert isinstance(found, Refused)
    assert detail in found.detail


@pytest.mark.parametrize("encoding", READERS)
def test_segments_are_of_one_object_and_one_time_system_and_do_not_overlap(encoding):
    for other in ({"OBJECT_ID": "2022-143C"}, {"TIME_SYSTEM": "TAI"}):
        assert isinstance(read(encoding, (METADATA, STATES), (LATER | other, LATER_STATES)), Refused)
    assert isinstance(read(encoding, (METADATA, STATES), (METADATA, STATES)), Refused)


def test_the_place_of_a_bad_state_is_its_value():
    found = read("kvn", (METADATA, [*STATES[:2], STATES[2].replace("5813.2", "5813,2"), STATES[3]]))
    line = written("kvn", (METADATA, [*STATES[:2], STATES[2].replace("5813.2", "5813,2"), STATES[3]])).splitlines()
    assert found.column == line[found.line - 1].index(b"5813,2") + 1
    assert found.reason is RefusalReason.CHARACTER


def test_a_comment_among_states_or_a_line_of_another_kind_is_refused():
    for line in ("COMMENT here", "X = 1", "COVARIANCE_STOP", "2022-11-03T12:01:30 1 2 3", "hello"):
        assert isinstance(read("kvn", (METADATA, [*STATES[:1], line, *STATES[1:]])), Refused)


needs_figures = pytest.mark.skipif(
    not FIGURES.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA"
)


@needs_figures
def test_the_books_figures_are_accepted_and_agree_between_encodings():
    """G-14 is G-12 in XML with another designator and a covariance that G-12 has not."""
    found = {}
    for name in ("oem_g11.kvn", "oem_g12.kvn", "oem_g13.kvn", "oem_g14.xml"):
        encoding = name.rpartition(".")[2]
        (found[name],) = READERS[encoding]((FIGURES / encoding / name).read_bytes())
        assert isinstance(found[name], EphemerisMessage), found[name]
    assert len(found["oem_g11.kvn"].segments) == 2
    assert len(found["oem_g13.kvn"].segments[0].covariances) == 2
    assert found["oem_g12.kvn"].segments[0].states == found["oem_g14.xml"].segments[0].states


# --- damage ----------------------------------------------------------------------------------------------------


def state_of(line: str) -> tuple | None:
    parts = line.split()
    epoch = message_rows.epoch(parts[0]) if len(parts) in (7, 10) else None
    numbers = parts[1:]
    if (
        not epoch
        or not all(map(number_within(float("-inf"), float("inf")), numbers))
        or not any(map(float, numbers[:3]))
    ):
        return None
    return epoch, tuple(map(float, numbers))


def lines_of(data: bytes) -> Any:
    lines = [line.strip(" ") for line in data.decode("ascii").replace("\r", "\n").split("\n") if line.strip(" ")]
    if any(not " " <= c <= "~" for line in lines for c in line) or any(len(line) > 254 for line in lines):
        return None
    return lines if re.fullmatch(r"CCSDS_OEM_VERS *= *[123]\.[0-9]", lines[0]) else None


def is_valid(data: bytes) -> bool:
    """Of the KVN of two segments; a sequence that no damage of one byte or cut can make is not foreseen."""
    try:
        lines = lines_of(data)
        starts = [i for i, line in enumerate(lines) if line == "META_START"]
        header = metadata_fits(HEADER, without_comments(lines[1 : starts[0]]), ("CREATION_DATE", "ORIGINATOR"))
        parts = [segment_of(lines[a:b]) for a, b in pairwise([*starts, len(lines)])]
    except (ValueError, IndexError, TypeError, KeyError):
        return False
    if not starts or None in parts or not header:
        return False
    same = {(said["OBJECT_ID"], said["TIME_SYSTEM"]) for said in parts}
    epoch = message_rows.epoch
    spans = [(epoch(s["USEABLE_START_TIME"]), epoch(s["USEABLE_STOP_TIME"])) for s in parts if "USEABLE_STOP_TIME" in s]
    return len(same) == 1 and all(b[0] >= a[1] for a, b in pairwise(spans))


def is_comment(line: str) -> bool:
    return bool(re.match("COMMENT( *=| |$)", line))


def without_comments(lines: list[str]) -> list[str]:
    at = next((i for i, line in enumerate(lines) if not is_comment(line)), len(lines))
    if any(map(is_comment, lines[at:])):
        raise ValueError("a comment inside")
    return lines[at:]


def metadata_fits(model: dict[str, str], lines: list[str], needed: tuple[str, ...]) -> Any:
    pairs = [[part.strip(" ") for part in line.split("=", 1)] for line in lines]
    said = dict(pairs)
    order = [list(model).index(key) for key, _ in pairs]
    times = [key for key in said if key.endswith(("TIME", "DATE"))]
    fits = (
        order == sorted(set(order))
        and set(needed) <= set(said)
        and all(said.values())
        and all(message_rows.epoch(said[key]) for key in times)
    )
    return said if fits else None


def segment_of(lines: list[str]) -> Any:
    stop = lines.index("META_STOP")
    end = lines.index("COVARIANCE_START") if "COVARIANCE_START" in lines else len(lines)
    needed = tuple(key for key in METADATA if not key.startswith(("USEABLE", "INTERP")))
    said = metadata_fits(METADATA, without_comments(lines[1:stop]), needed)
    states = [state_of(line) for line in without_comments(lines[stop + 1 : end])]
    if not said or not states or None in states:
        return None
    system = " ".join(said["TIME_SYSTEM"].replace("_", " ").split())
    if (system.upper() if system.islower() else system) not in ("UTC", "TAI", "TT", "GPS", "TDB", "TCB", "TCG", "UT1"):
        return None
    epochs = [epoch for epoch, _ in states]
    clocks = [message_rows.epoch(said[k]) for k in METADATA if k.endswith("TIME") and k in said]
    nodes = {"HERMITE": 2, "LAGRANGE": 1, "LINEAR": 1}.get(said.get("INTERPOLATION", ""), 0) * len(states)
    degree = said.get("INTERPOLATION_DEGREE", "0" if "INTERPOLATION" not in said else "x")
    fits = (
        clocks == sorted(clocks)
        and all(b > a for a, b in pairwise(epochs))
        and clocks[0] <= epochs[0] <= epochs[-1] <= clocks[-1]
        and re.fullmatch("[+-]?[0-9]{1,12}", degree)
        and int(degree) >= 0
        and (not nodes or nodes > int(degree))
        and (end == len(lines) or covariances_fit(lines[end + 1 :]))
    )
    return said if fits else None


def covariances_fit(lines: list[str]) -> bool:
    if not lines or lines[-1] != "COVARIANCE_STOP":
        return False
    rows = without_comments(lines[:-1])
    starts = [i for i, line in enumerate(rows) if re.match("EPOCH *=", line)]
    if rows and starts[:1] != [0]:
        return False
    epochs = []
    for a, b in pairwise([*starts, len(rows)] if starts else []):
        framed = re.fullmatch("COV_REF_FRAME *= *(.*)", rows[a + 1])
        matrix = [line.split() for line in rows[a + 1 + bool(framed) : b]]
        real, variance = number_within(float("-inf"), float("inf")), number_within(0.0, float("inf"))
        epochs.append(message_rows.epoch(rows[a].partition("=")[2].strip(" ")))
        if [len(row) for row in matrix] != [1, 2, 3, 4, 5, 6] or not epochs[-1] or (framed and not framed[1]):
            return False
        if not all(all(map(real, row)) and variance(row[-1]) for row in matrix):
            return False
    return all(b > a for a, b in pairwise(epochs))


def test_of_thousands_of_malformed_messages_none_is_accepted_and_none_stops_the_reader():
    """INVARIANT: no damage that can be seen passes unseen, and what the second reading accepts is not refused."""
    chance, base, seen = random.Random("oem"), written("kvn"), Counter()
    while seen[False] < MALFORMED:
        damaged = BYTES[chance.choice([*BYTES])](chance, base)
        found = list(oem.read_oem_kvn(damaged))
        valid = is_valid(damaged)
        seen[valid] += 1
        accepted = [one for one in found if isinstance(one, EphemerisMessage)]
        assert len(accepted) == valid, (damaged, found)
        assert len(found) > len(accepted) or valid or not damaged.strip(), damaged
        assert all(one.detail and one.raw and one.line > 0 < one.column for one in found if isinstance(one, Refused))
    assert seen[True] > 100, seen


def test_damaged_markup_gives_a_message_only_where_it_says_what_a_whole_one_may():
    """Damage of a byte cannot take an element out whole, so what is accepted has every one of them."""
    chance, base, seen = random.Random("oem"), written("xml"), Counter()
    (whole,) = oem.read_oem_xml(base)
    for _ in range(MALFORMED):
        found = list(oem.read_oem_xml(BYTES[chance.choice([*BYTES])](chance, base)))
        assert found
        seen[type(found[0])] += 1
        for one in found:
            if isinstance(one, EphemerisMessage):
                assert [len(s.states) for s in one.segments] == [len(s.states) for s in whole.segments]
                assert [len(s.covariances) for s in one.segments] == [len(s.covariances) for s in whole.segments]
    assert min(seen.values()) > 100, seen
