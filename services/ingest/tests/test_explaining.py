"""Recorded facts beside what the present reader finds in the input they were read from."""

import pytest
from google.protobuf.message import Message

from libs.eventlog import Cause, EventLog, Fact, Recorded, new_id
from libs.rpc import BadArgument, FailedPrecondition
from services.ingest import domain, rereading
from services.ingest import rpc as ingest_rpc
from services.ingest.tests import cases, gate_inputs
from services.ingest.tests.conftest import NOW
from spacecom.ingest.v1 import ingest_events_pb2 as pb
from spacecom.ingest.v1 import ingest_service_pb2 as wire

MERGED = {domain.Format.DECAY, domain.Format.SATCAT, domain.Format.DISCOS}
READ = [name for name, (found, _, _) in gate_inputs.GOOD.items() if found not in MERGED]
NUMBERS = {
    pb.ElementSetAccepted: "eccentricity",
    pb.ThirdPartyPredictionRecorded: "window_end_min",
    pb.EphemerisRecorded: "state_count",
    pb.ConjunctionRecorded: "miss_distance_m",
    pb.AirspaceRecorded: "feature_count",
    pb.TrafficDensityRecorded: "aircraft_total",
    pb.SpaceWeatherDay: "ap_daily",
    pb.EarthOrientationDay: "ut1_utc_s",
}


@pytest.fixture
def servicer(gate, acting) -> ingest_rpc.IngestServicer:
    acting()
    return ingest_rpc.IngestServicer(gate)


async def explain(servicer, event_id: object) -> wire.ExplainResponse:
    return await servicer.Explain(wire.ExplainRequest(event_id=str(event_id)), None)


async def facts_of(gate) -> list[Recorded]:
    return [fact for fact in await gate.log.read() if type(fact.message()) in rereading.FOUND]


def changed(message: Message) -> list[str]:
    """One number of it, the one of its first day where it has days; its path."""
    if isinstance(message, pb.SpaceWeatherIndicesRecorded):
        day, name = message.days[0], "ap_3h" if message.days[0].ap_3h else "f107_observed_sfu"
        if day.ap_3h:
            day.ap_3h[0] += 1.0
        else:
            day.f107_observed_sfu += 1.0
        return [f"days[{day.mjd}].{name}"]
    holder = message.days[0] if hasattr(message, "days") else message
    name = NUMBERS[type(holder)]
    setattr(holder, name, getattr(holder, name) + 1)
    return [f"days[{holder.mjd}].{name}" if holder is not message else name]


async def forged(gate, fact: Recorded) -> tuple[object, list[str]]:
    """A copy with another number in it, as somebody would have to write it into the log; and the path of the number."""
    message = fact.message()
    paths = changed(message)
    async with gate.pool.acquire() as conn, conn.transaction():
        copy = Fact(message, NOW, new_id(), redistribution=fact.redistribution)
        log, after = EventLog(gate.pool, "ingest"), len(await gate.log.load(conn, fact.stream))
        await log.append(conn, fact.stream, [copy], after=after, cause=Cause(new_id(), None, ""))
    return copy.event_id, paths


@pytest.mark.parametrize("name", READ)
async def test_each_format_read_again_is_the_same_and_a_changed_number_is_told(gate, submit, servicer, name):
    """INVARIANT: what a source said can be read again from its bytes."""
    if name != "tle":
        await submit(cases.FIRST.encode())  # names the object that messages call by its designator
    before = {fact.event_id for fact in await facts_of(gate)}
    stated, data, _ = gate_inputs.GOOD[name]
    await submit(data, stated=stated, dataset="demo")
    facts = [fact for fact in await facts_of(gate) if fact.event_id not in before]
    assert facts
    for fact in facts:
        answer = await explain(servicer, fact.event_id)
        assert answer.explanation.identical, answer.fields
        assert answer.explanation.field_count == len(answer.fields) > 2
        other, paths = await forged(gate, fact)
        told = await explain(servicer, other)
        assert [one.path for one in told.fields if not one.identical] == paths


async def test_of_many_sets_of_an_object_its_own_is_read(gate, submit, servicer):
    await submit((cases.FIRST + cases.SECOND + cases.renumbered(cases.FIRST, 7)).encode())
    for fact in await facts_of(gate):
        assert (await explain(servicer, fact.event_id)).explanation.identical


async def test_a_set_that_is_not_in_the_input_differs_in_all_that_it_says(gate, submit, servicer):
    await submit(cases.FIRST.encode())
    (fact,) = await facts_of(gate)
    message = fact.message()
    message.catalogue_number = 7
    async with gate.pool.acquire() as conn, conn.transaction():
        copy = Fact(message, NOW, new_id(), redistribution=fact.redistribution)
        cause = Cause(new_id(), None, "")
        await EventLog(gate.pool, "ingest").append(conn, "elements/7", [copy], after=0, cause=cause)
    answer = await explain(servicer, copy.event_id)
    told = {one.path for one in answer.fields if not one.identical}
    assert {"catalogue_number", "eccentricity", "mean_motion_rev_day"} <= told


async def test_what_was_not_read_from_one_input_is_gone_or_unknown_is_refused(gate, submit, servicer):
    stated, data, _ = gate_inputs.GOOD["satcat json"]
    await submit(data, stated=stated)
    catalogued = next(fact for fact in await gate.log.read() if fact.type.endswith(".ObjectCatalogued"))
    with pytest.raises(domain.NothingRead, match="merged from what several sources say"):
        await explain(servicer, catalogued.event_id)
    receipt = await submit(cases.FIRST.encode())
    await gate.blobs.remove(receipt.input_sha256)
    (fact,) = await facts_of(gate)
    with pytest.raises(FailedPrecondition, match="its input cannot be read again"):
        await explain(servicer, fact.event_id)
    with pytest.raises(domain.UnknownEvent):
        await explain(servicer, new_id())
    with pytest.raises(BadArgument):
        await explain(servicer, "x")


async def test_a_fact_that_the_caller_has_no_right_to_is_unknown(gate, submit, servicer, acting):
    await submit(cases.FIRST.encode(), source="space-track")
    (fact,) = await facts_of(gate)
    assert (await explain(servicer, fact.event_id)).explanation.identical
    for rights in ({"classes": ()}, {"catalogue_numbers": (7,)}):
        acting(1, **rights)
        with pytest.raises(domain.UnknownEvent):
            await explain(servicer, fact.event_id)
