"""A fact beside what its inputs give, field by field."""

import pytest

from libs import recomputed
from libs.compared import Field
from libs.eventlog import EventLog
from libs.recomputed import Recomputed
from libs.tests.facts import cause, fact
from spacecom.hazard.v1 import hazard_events_pb2 as hazard

NAMES: recomputed.Names = {hazard.FirHazard: lambda one: str(one.fir_designator)}


def assessed(**shares: float) -> hazard.HazardAssessed:
    made = hazard.HazardAssessed(unassigned_share=0.1, seed=7, model_version="m")
    made.median_time.FromNanoseconds(1_667_556_060_123_456_789)
    for name, share in shares.items():
        made.firs.add(fir_designator=name, share=share)
    return made


def compared(one: hazard.HazardAssessed, other: hazard.HazardAssessed) -> dict[str, Field]:
    return {field.name: field for field in recomputed.fields(one, other, NAMES, ("model_version",))}


def test_the_same_fact_is_the_same_with_all_digits():
    found = compared(assessed(LECM=0.1 + 0.2), assessed(LECM=0.1 + 0.2))
    assert all(field.identical for field in found.values())
    assert found["firs[LECM].share"].recorded == "0.30000000000000004"
    assert found["median_time"].recorded == "2022-11-04T10:01:00.123456789Z"
    assert found["seed"].recorded == "7"
    assert "model_version" not in found


def test_the_last_digit_is_told():
    found = compared(assessed(LECM=0.3), assessed(LECM=0.1 + 0.2))
    assert [name for name, field in found.items() if not field.identical] == ["firs[LECM].share"]


def test_a_part_that_is_not_there_is_told_and_the_others_are_compared_with_their_own():
    found = compared(assessed(LECB=0.2, LECM=0.3), assessed(LECM=0.3))
    assert (found["firs"].recorded, found["firs"].recomputed) == ("LECB, LECM", "LECM")
    assert (found["firs[LECB].share"].recorded, found["firs[LECB].share"].recomputed) == ("0.2", "")
    assert found["firs[LECM].share"].identical


def test_the_order_of_a_list_counts():
    found = compared(assessed(LECB=0.2, LECM=0.3), assessed(LECM=0.3, LECB=0.2))
    assert [name for name, field in found.items() if not field.identical] == ["firs"]


def test_a_message_that_is_not_set_is_not_one_of_zeros():
    other = assessed()
    other.pieces.SetInParent()
    assert not compared(assessed(), other)["pieces.piece_seconds"].identical


@pytest.mark.parametrize("count", [1, 2500])
def test_fields_that_differ_come_first_in_parts(count):
    same, other = Field("a", "1", "1"), Field("b", "1", "2")
    parts = list(recomputed.batches(Recomputed((*[same] * count, other), ())))
    assert [one.identical for part in parts for one in part] == [False, *[True] * count]
    assert max(map(len, parts)) <= recomputed.BATCH


async def test_an_event_is_found_by_its_identity(service_database):
    pool, one = await service_database("ingest"), fact()
    log = EventLog(pool, "ingest")
    async with pool.acquire() as conn, conn.transaction():
        (made,) = await log.append(conn, "x", [one], after=0, cause=cause())
    assert await log.fact(one.event_id) == made
    assert await log.fact(made.cause.correlation_id) is None
