"""What operators and auditors ask of a service, over its server."""

import asyncio
import hashlib
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import grpc
import pytest

from infra.local.testing import settings_of
from libs import contracts, logwire, operations, rpc
from libs.consume import Rejected
from libs.eventlog import EventLog, derived_id
from libs.operations import Operations
from libs.service import ServiceSettings
from libs.tests.facts import cause, eventually, fact
from libs.tests.test_consume import GOOD, good_headers
from libs.tests.test_relay import all_published
from spacecom.eventlog.v1 import eventlog_service_pb2 as log_pb
from spacecom.eventlog.v1 import operations_service_pb2 as pb
from spacecom.eventlog.v1.eventlog_service_pb2_grpc import EventLogServiceStub
from spacecom.eventlog.v1.operations_service_pb2_grpc import OperationsServiceStub
from spacecom.identity.v1 import identity_contracts_pb2 as identity

METHODS = {
    "GetStatus": pb.GetStatusRequest(),
    "ListParked": pb.ListParkedRequest(),
    "Redrive": pb.RedriveRequest(consumer="propagation"),
    "RebuildReadModels": pb.RebuildReadModelsRequest(),
    "RebuildTopics": pb.RebuildTopicsRequest(),
    "ApplyRetention": pb.ApplyRetentionRequest(dry_run=True),
    "GetFlow": pb.GetFlowRequest(),
    "Import": iter(()),
}
OF_OPERATORS = set(METHODS) - {"GetStatus", "GetFlow"}
TABLE = "CREATE TABLE counted (stream text PRIMARY KEY, events bigint NOT NULL)"


def directory() -> contracts.Directory:
    def contract(
        name: str, role: identity.Role.ValueType, firs: tuple[str, ...] = (), classes: tuple[str, ...] = ()
    ) -> identity.Contract:
        token = hashlib.sha256(name.encode()).hexdigest()
        return identity.Contract(
            organisation_id=name,
            principals=[identity.Principal(principal_id=name, token_sha256=token, roles=[role])],
            entitlements=identity.Entitlements(fir_designators=firs, redistribution_classes=classes),
        )

    viewer, operator = identity.ROLE_VIEWER, identity.ROLE_OPERATOR
    made = [contract("viewer", viewer), contract("operator", operator), contract("limited", viewer, ("LECB",))]
    made.append(contract("partner", viewer, classes=("space-track",)))
    return contracts.directory(identity.Contracts(contracts=made))


def acting(name: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {name}"),)


@pytest.fixture
def condition(bench, relay) -> Operations:
    """Of ingest as its process has it."""
    return Operations("ingest", bench.log, relay, bench.bootstrap, bench.namespace, model_version=lambda: "m")


@pytest.fixture
async def channel(condition):
    server = rpc.Server(settings_of(ServiceSettings), directory(), add=[operations.register(condition)], errors={})
    await server.start()
    condition.upstream_addresses = {"ingest": f"127.0.0.1:{server.port}"}
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as made:
        yield made
    await server.stop()


async def ask(channel, method: str, request=None, *, by: str = "operator", timeout_s: float = 60.0):
    stub = OperationsServiceStub(channel)
    return await getattr(stub, method)(request or METHODS[method], timeout=timeout_s, metadata=acting(by))


async def refusal(channel, method: str, request=None, *, by: str = "operator") -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(channel, method, request, by=by)
    return caught.value.code()


async def read(channel, *, by: str = "operator", **asked) -> list[log_pb.RecordedEvent]:
    answers = EventLogServiceStub(channel).Read(log_pb.ReadRequest(**asked), timeout=20, metadata=acting(by))
    return [event async for answer in answers for event in answer.events]


@pytest.mark.parametrize("method", METHODS)
async def test_operating_is_for_operators_and_for_nobody_unknown(channel, method):
    assert await refusal(channel, method, by="stranger") is grpc.StatusCode.UNAUTHENTICATED
    if method in OF_OPERATORS:
        assert await refusal(channel, method, by="viewer") is grpc.StatusCode.PERMISSION_DENIED
    else:
        await ask(channel, method, by="viewer")


def test_every_method_is_called_by_these_tests():
    assert set(METHODS) == {m.name for m in pb.DESCRIPTOR.services_by_name["OperationsService"].methods}


async def test_the_condition_is_told_with_its_reasons(bench, condition, channel):
    assert (await ask(channel, "GetStatus")).condition == pb.CONDITION_NOT_READY
    condition.ready.set()
    await bench.write("rejected/a", 3)
    await condition.relay.drain()
    told = await ask(channel, "GetStatus")
    assert (told.condition, told.log_position, told.relay_position) == (pb.CONDITION_HEALTHY, 3, 3)
    assert (told.service, told.model_version) == ("ingest", "m")
    condition.broker_problem = "Kafka is away"
    told = await ask(channel, "GetStatus")
    assert (told.condition, list(told.reasons)) == (pb.CONDITION_DEGRADED, ["Kafka is away"])


async def test_a_relay_that_lags_is_told(bench, condition, channel):
    condition.ready.set()
    async with condition.relay.hold():
        await bench.write("rejected/a", operations.LAG_EVENTS + 1)
        (reason,) = (await ask(channel, "GetStatus")).reasons
    assert f"{operations.LAG_EVENTS + 1} events wait" in reason


async def test_parked_messages_are_told_listed_in_pages_and_redriven(bench, condition, channel):
    broken = True

    async def handler(delivery):
        if broken:
            raise Rejected("not yet")
        return await bench.note(delivery)

    condition.log, condition.subscriptions = bench.consumer_log, ()
    condition.ready.set()
    async with bench.consuming(handler, consumer="propagation") as subscription:
        condition.subscriptions = [subscription]
        for n in range(1, 8):
            await bench.send(good_headers(sequence=n), GOOD)
        await eventually(lambda: _parked(bench, 7))
        assert any("7 messages are parked" in one for one in (await ask(channel, "GetStatus")).reasons)
        seen, token = [], ""
        while True:
            page = await ask(channel, "ListParked", pb.ListParkedRequest(page_size=3, page_token=token))
            seen += [(one.offset, one.error) for one in page.parked]
            token = page.next_page_token
            if not token:
                break
        assert len(set(seen)) == 7
        broken = False
        answers = await asyncio.gather(*(ask(channel, "Redrive") for _ in range(5)))
        assert all(answer.remaining_count == 0 for answer in answers)
    assert sorted(bench.handled) == [("rejected/a", n) for n in range(1, 8)]


async def test_a_consumer_that_does_not_run_here_cannot_be_redriven(channel):
    assert await refusal(channel, "Redrive", pb.RedriveRequest(consumer="x")) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "request_",
    [
        pb.ListParkedRequest(page_size=-1),
        pb.ListParkedRequest(page_size=1001),
        pb.ListParkedRequest(page_token="x"),
        pb.ListParkedRequest(page_token="9" * 30),
        pb.ListParkedRequest(consumer="\0"),
    ],
    ids=str,
)
async def test_a_page_that_cannot_be_is_refused(channel, request_):
    assert await refusal(channel, "ListParked", request_) is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_log_is_read_by_stream_position_and_time(bench, channel):
    await bench.write("rejected/a", 3)
    await bench.write("rejected/b", 3)
    events = await bench.log.read()
    assert [logwire.from_wire(event) for event in await read(channel)] == events
    assert [event.version for event in await read(channel, stream="rejected/b")] == [1, 2, 3]
    assert [event.position for event in await read(channel, after_position=2, limit=3)] == [3, 4, 5]
    request = log_pb.ReadRequest()
    request.recorded_until.FromDatetime(events[2].recorded_at)
    assert len(await read(channel, recorded_until=request.recorded_until)) == 3
    request.recorded_until.FromDatetime(events[0].recorded_at - timedelta(seconds=1))
    assert await read(channel, recorded_until=request.recorded_until) == []


async def test_the_log_withholds_what_the_contract_gives_no_right_to(bench, channel):
    """INVARIANT: a fact reaches only who has a right to its class. Its place stays visible: the record has no holes."""
    for version, held in enumerate(["public", "space-track", "discos,space-track", ""]):
        one = replace(fact(raw=b"canary"), redistribution=held)
        await bench.log.commit("rejected/a", [one], after=version, cause=cause())
    classes = ["public", "space-track", "discos,space-track", "internal"]
    for by, seen in (
        ("viewer", [True] + 3 * [False]),
        ("partner", [True, True, False, False]),
        ("operator", [True] * 4),
    ):
        events = await read(channel, by=by)
        assert [b"canary" in event.data for event in events] == seen
        assert [event.withheld for event in events] == [not one for one in seen]
        assert [event.redistribution for event in events] == classes
        assert [event.position for event in events] == [1, 2, 3, 4]


async def test_a_rebuild_stops_at_what_is_withheld_from_it(bench, channel, condition):
    await bench.write("rejected/a", 1)
    address = condition.upstream_addresses["ingest"]
    with pytest.raises(rpc.FailedPrecondition, match="withheld"):
        [event async for event in logwire.read_log(address, "viewer")]


async def test_a_long_log_comes_in_parts_that_any_client_takes(bench, channel):
    for n in range(3):
        await bench.log.commit("rejected/a", [fact(raw=bytes(800_000)) for _ in range(4)], after=4 * n, cause=cause())
    assert [event.version for event in await read(channel)] == list(range(1, 13))


async def test_who_follows_the_log_sees_what_comes(bench, channel):
    await bench.write("rejected/a", 2)
    seen = []
    request = log_pb.ReadRequest(follow=True)
    answers = EventLogServiceStub(channel).Read(request, metadata=acting("viewer"))

    async def follow() -> None:
        async for answer in answers:
            seen.extend(event.version for event in answer.events)

    following = asyncio.create_task(follow())
    await eventually(lambda: seen == [1, 2])
    await bench.write("rejected/a", 1, after=2)
    await eventually(lambda: seen == [1, 2, 3])
    answers.cancel()
    with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
        await following


@pytest.mark.parametrize("asked", [{"after_position": -1}, {"limit": -1}, {"stream": "\0"}], ids=str)
async def test_a_read_that_cannot_be_is_refused(channel, asked):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read(channel, **asked)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_who_may_not_see_everything_may_not_read_the_log(bench, channel):
    await bench.write("rejected/a", 1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read(channel, by="limited")
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def count(conn, recorded) -> None:
    """A read model: events of each stream."""
    await conn.execute(
        """INSERT INTO counted VALUES ($1, 1) ON CONFLICT (stream) DO UPDATE SET events = counted.events + 1""",
        recorded.stream,
    )


async def test_what_is_appended_while_a_read_model_is_made_again_is_in_it_once(bench, condition, channel, owner):
    """INVARIANT: appends wait for a rebuild. One that came between the emptying and the reading would be there twice,
    by its own hand and by the rebuild's."""
    await owner.execute(TABLE + "; GRANT ALL ON counted TO spacecom_ingest")
    log = EventLog(bench.log.pool, "ingest", count)
    condition.log, condition.tables = log, ("counted", "requests")
    await asyncio.gather(*(log.commit(f"rejected/{n}", [fact()], after=0, cause=cause()) for n in range(200)))
    await owner.execute("UPDATE counted SET events = 99")
    async with owner.transaction():
        await owner.execute("LOCK TABLE requests IN ACCESS EXCLUSIVE MODE")  # the second table cannot be emptied yet
        rebuilding = asyncio.create_task(ask(channel, "RebuildReadModels"))
        await eventually(lambda: _waits_to_empty(owner))
        appending = asyncio.create_task(log.commit("rejected/new", [fact()], after=0, cause=cause()))
        await asyncio.sleep(0.3)
    await asyncio.gather(rebuilding, appending)
    rows = await log.pool.fetch("SELECT stream, events FROM counted")
    assert sorted(map(tuple, rows)) == sorted([(f"rejected/{n}", 1) for n in range(200)] + [("rejected/new", 1)])


async def _waits_to_empty(owner) -> bool:
    return await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'requests'::regclass")


@pytest.fixture
async def owner(postgres_server, namespace, bench):
    conn = await asyncpg.connect(f"{postgres_server.admin_url.removesuffix('/postgres')}/{namespace}_spacecom_ingest")
    yield conn
    await conn.close()


def first_of_each(records) -> dict[int, list[tuple]]:
    """By partition, what was published without repeats."""
    seen, kept = set(), defaultdict(list)
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        headers = dict(record.headers)
        if headers["ce_id"] not in seen:
            seen.add(headers["ce_id"])
            kept[record.partition].append((record.key, record.value, tuple(record.headers)))
    return dict(kept)


async def test_topics_rebuilt_from_the_log_hold_what_they_held_and_nobody_does_it_again(bench, condition, channel):
    """INVARIANT: a topic is a cache. All of it can be deleted, and who starts over has no doubled effect."""
    for n in range(9):
        await bench.write(f"rejected/{n}", 30)
    async with bench.consuming(consumer="propagation"):
        await eventually(lambda: len(bench.handled) == 270)
    before = first_of_each(await all_published(bench))
    answer = await ask(channel, "RebuildTopics")
    assert (list(answer.topics), answer.event_count) == ([bench.topic], 270)
    await bench.write("rejected/0", 5, after=30)
    await condition.relay.drain()
    after = first_of_each(await all_published(bench))
    assert {partition: rows[: len(before[partition])] for partition, rows in after.items()} == before
    assert sum(map(len, after.values())) == 275
    async with bench.consuming(consumer="propagation"):
        await eventually(lambda: len(bench.handled) >= 275)
        await asyncio.sleep(0.5)
    assert len(bench.handled) == len(set(bench.handled)) == 275


async def test_while_topics_are_rebuilt_relays_of_other_processes_publish_nothing(bench, condition, channel):
    """INVARIANT: the cursor itself is held. A second relay that went on would put the newest events before the oldest
    into the new topic, and consumers would drop all that came after as older than what they saw."""
    await bench.write("rejected/a", 100)
    others = [bench.relay() for _ in range(2)]
    for other in others:
        other.start()
    stop = asyncio.Event()

    async def append() -> int:
        n = 100
        while not stop.is_set():
            await bench.write("rejected/a", 1, after=n)
            n += 1
            await asyncio.sleep(0.002)
        return n

    appending = asyncio.create_task(append())
    await ask(channel, "RebuildTopics")
    await asyncio.sleep(0.3)
    stop.set()
    total = await appending
    await condition.relay.drain()
    for other in others:
        await other.stop()
    async with bench.consuming(consumer="propagation"):
        await eventually(lambda: ("rejected/a", total) in bench.handled)
    assert bench.handled == [("rejected/a", n) for n in range(1, total + 1)]


async def test_topics_are_not_rebuilt_under_a_consumer_that_runs_unless_it_is_asked_for(bench, condition, channel):
    """INVARIANT: a topic made anew under a live consumer can leave it silent."""
    await bench.write("rejected/a", 10)
    async with bench.consuming(consumer="propagation") as subscription:
        await eventually(lambda: len(bench.handled) == 10)
        assert subscription.joined.is_set()
        assert await refusal(channel, "RebuildTopics") is grpc.StatusCode.FAILED_PRECONDITION
        assert len(await all_published(bench)) == 10
    forced = pb.RebuildTopicsRequest(force_topics=["spacecom.ingest.v1"])
    assert (await ask(channel, "RebuildTopics", forced)).event_count == 10


async def test_a_model_of_upstream_facts_is_made_again_from_its_owners_log(bench, condition, channel):
    """INVARIANT: a rebuild passes the dedupe by, else it would find everything handled and make nothing."""
    await bench.write("rejected/a", 5)
    async with bench.consuming(consumer="propagation") as subscription:
        await eventually(lambda: len(bench.handled) == 5)
        bench.handled.clear()
        mine = replace(
            condition,
            service="propagation",
            log=bench.consumer_log,
            subscriptions=[subscription],
            upstream={"ingest": ()},
            upstream_addresses={},
        )
        with pytest.raises(rpc.FailedPrecondition, match="SPACECOM_UPSTREAM_ADDRESSES"):
            await mine.rebuild_read_models("operator")
        mine.upstream_addresses = condition.upstream_addresses
        assert await mine.rebuild_read_models("operator") == 5
    assert sorted(bench.handled) == [("rejected/a", n) for n in range(1, 6)]


async def _parked(bench, count: int) -> bool:
    return len(await bench.parked()) == count


async def test_the_flow_is_at_rest_when_a_consumer_has_handled_or_parked_all_there_is(bench, condition, channel):
    async def handler(delivery):
        if delivery.stream == "rejected/b":
            raise Rejected("not this one")
        return await bench.note(delivery)

    async def at_rest() -> bool:
        flow = await ask(channel, "GetFlow")
        (topic,) = flow.topics
        condition.log, condition.subscriptions = bench.consumer_log, [subscription]
        (consumer,) = (await ask(channel, "GetFlow")).consumers
        condition.log, condition.subscriptions = bench.log, []
        assert topic.topic == consumer.topic == "spacecom.ingest.v1"
        assert consumer.reach <= topic.reach == 5
        return consumer.reach == topic.reach and consumer.parked_count == 2

    async with bench.consuming(handler, consumer="propagation") as subscription:
        await bench.write("rejected/a", 3)
        await bench.write("rejected/b", 2)
        await eventually(at_rest)


async def test_open_work_counts_as_flow(condition, channel):
    async def two() -> int:
        return 2

    condition.open_work = [two, two]
    assert (await ask(channel, "GetFlow")).open_work_count == 4


async def test_a_fact_is_imported_once_as_it_was(bench, condition, channel):
    await bench.write("rejected/a", 2)
    events = await read(channel)
    other = [log_pb.RecordedEvent.FromString(event.SerializeToString()) for event in events]
    for event in other:
        event.event_id, event.stream = str(derived_id(UUID(event.event_id), "ingest", 0)), "rejected/b"
    requests = [pb.ImportRequest(event=event) for event in other]
    answer = await ask(channel, "Import", iter(requests))
    assert (answer.imported_count, answer.known_count) == (2, 0)
    again = await ask(channel, "Import", iter(requests))
    assert (again.imported_count, again.known_count) == (0, 2)
    imported = (await read(channel))[2:]
    assert [(event.event_id, event.data, event.available_at) for event in imported] == [
        (event.event_id, event.data, event.available_at) for event in other
    ]
    assert [event.version for event in imported] == [1, 2]


async def test_nothing_is_imported_into_operations(condition, channel):
    """INVARIANT: the record of operations holds what came through the gate; a replay has a namespace of its own."""
    condition.namespace = ""
    assert await refusal(channel, "Import", iter(())) is grpc.StatusCode.FAILED_PRECONDITION
