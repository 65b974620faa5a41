"""What retention removes, and what it must never touch."""

import hashlib
import os
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import asyncpg
import pytest

from infra.local.testing import settings_of
from libs import contracts, operations, rpc
from libs.blobs import BlobMissing, Blobs
from libs.eventlog import EventLog, Fact, RequestKey, new_id
from libs.operations import Operations
from libs.relay import Relay
from libs.retention import Removal, Retention, RetentionSettings
from libs.service import ServiceSettings
from libs.tests.facts import cause
from spacecom.eventlog.v1.operations_service_pb2 import RedriveResponse
from spacecom.identity.v1 import identity_contracts_pb2 as identity
from spacecom.ingest.v1 import ingest_events_pb2 as ingest_pb
from spacecom.propagation.v1 import propagation_events_pb2 as propagation_pb

NOW = datetime.now(UTC)
DAY_S = 86400.0
TOKEN = "secret"


@pytest.fixture
def blobs(tmp_path) -> Blobs:
    return Blobs(tmp_path.as_uri())


@pytest.fixture
async def logs(service_database) -> SimpleNamespace:
    made = {name: EventLog(await service_database(name), name) for name in ("ingest", "propagation", "hazard")}
    return SimpleNamespace(**made, alerting=EventLog(await service_database("alerting"), "alerting"))


@pytest.fixture
async def addresses(logs, namespace):
    """The other services, as far as their logs are read."""
    principal = identity.Principal(
        principal_id="p", token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(), roles=[identity.ROLE_OPERATOR]
    )
    known = contracts.directory(identity.Contracts(contracts=[identity.Contract(principals=[principal])]))
    servers = {}
    for log in (logs.propagation, logs.hazard, logs.alerting):
        condition = Operations(log.service, log, Relay(log, "127.0.0.1:1", namespace), "", namespace)
        server = rpc.Server(settings_of(ServiceSettings), known, add=[operations.register(condition)], errors={})
        await server.start()
        servers[log.service] = server
    yield {name: f"127.0.0.1:{server.port}" for name, server in servers.items()}
    for server in servers.values():
        await server.stop()


def retention(logs, blobs, addresses=None, **settings) -> Retention:
    return Retention(logs.ingest, blobs, RetentionSettings(retention_log_addresses=addresses or {}, **settings))


async def put(blobs, tmp_path, data: bytes, *, days_ago: float) -> str:
    sha256 = await blobs.put(data)
    put_at = time.time() - days_ago * DAY_S
    os.utime(tmp_path / sha256[:2] / sha256, (put_at, put_at))
    return sha256


async def record(log: EventLog, stream: str, message) -> None:
    await log.commit(stream, [Fact(message, NOW, new_id())], after=0, cause=cause())


async def stored(blobs) -> set[str]:
    return {sha256 async for sha256, _ in blobs.stored()}


async def audited(logs):
    return [
        tuple(row) for row in await logs.ingest.pool.fetch("SELECT policy, item, count FROM removals ORDER BY place")
    ]


async def test_a_blob_goes_only_when_it_is_old_and_no_fact_of_any_service_cites_it(logs, blobs, addresses, tmp_path):
    """INVARIANT: what a fact cites is kept, whoever recorded the fact. A window could not be recomputed without."""
    own, others, gone = [await put(blobs, tmp_path, data, days_ago=40) for data in (b"own", b"others", b"gone")]
    young = await put(blobs, tmp_path, b"young", days_ago=20)
    await record(logs.ingest, "elements/1", ingest_pb.ElementSetAccepted(catalogue_number=1, input_sha256=own))
    await record(logs.propagation, "decay/1", propagation_pb.DecayPredicted(catalogue_number=1, draws_sha256=others))
    policy = retention(logs, blobs, addresses, retention_blobs_days=30)
    assert await policy.apply(TOKEN, NOW, dry_run=True) == [Removal("blobs", 1)]
    assert await stored(blobs) == {own, others, young, gone}
    assert await audited(logs) == []
    assert await policy.apply(TOKEN, NOW, dry_run=False) == [Removal("blobs", 1)]
    assert await stored(blobs) == {own, others, young}
    assert await audited(logs) == [("blobs", gone, 1)]
    with pytest.raises(BlobMissing):
        await blobs.get(gone)


async def test_no_blob_goes_while_a_log_that_may_cite_it_cannot_be_read(logs, blobs, addresses, tmp_path):
    """INVARIANT: absence of a citation is known only from every log."""
    kept = await put(blobs, tmp_path, b"x", days_ago=40)
    del addresses["hazard"]
    with pytest.raises(rpc.FailedPrecondition, match="hazard"):
        await retention(logs, blobs, addresses, retention_blobs_days=30).apply(TOKEN, NOW, dry_run=False)
    (removal,) = await retention(logs, blobs, retention_blobs_days=30).apply(TOKEN, NOW, dry_run=False)
    assert (removal.count, bool(removal.note)) == (0, True)
    assert await stored(blobs) == {kept}


async def test_a_blob_that_is_put_again_is_young_again(logs, blobs, tmp_path):
    sha256 = await put(blobs, tmp_path, b"x", days_ago=40)
    await blobs.put(b"x")
    await retention(logs, blobs)._remove(sha256, datetime.fromtimestamp(time.time() - 30 * DAY_S, UTC))
    assert await stored(blobs) == {sha256}


async def test_blobs_of_another_namespace_are_not_seen(tmp_path):
    await Blobs(tmp_path.as_uri(), "other").put(b"x")
    assert await stored(Blobs(tmp_path.as_uri())) == set()
    assert len(await stored(Blobs(tmp_path.as_uri(), "other"))) == 1


async def test_old_answers_are_forgotten_and_that_is_written_down(logs, blobs):
    async def handle(_conn) -> RedriveResponse:
        return RedriveResponse(handled_count=1)

    for name in ("old", "new"):
        await logs.ingest.command(RequestKey("p", "M", name, b""), handle, RedriveResponse)
    await logs.ingest.pool.execute("UPDATE requests SET answered_at = now() - interval '91 days' WHERE key = 'old'")
    policy = retention(logs, blobs, retention_answers_days=90)
    assert await policy.apply("", NOW, dry_run=True) == [Removal("answers", 1)]
    assert await policy.apply("", NOW, dry_run=False) == [Removal("answers", 1)]
    assert [row["key"] for row in await logs.ingest.pool.fetch("SELECT key FROM requests")] == ["new"]
    ((kind, item, count),) = await audited(logs)
    assert (kind, item[:8], count) == ("answers", "answered", 1)
    assert await policy.apply("", NOW, dry_run=False) == [Removal("answers", 0)]


async def test_without_a_policy_nothing_is_removed(logs, blobs, tmp_path):
    await put(blobs, tmp_path, b"x", days_ago=4000)
    assert await retention(logs, blobs).apply("", NOW, dry_run=False) == []
    assert len(await stored(blobs)) == 1


@pytest.mark.parametrize("statement", ["UPDATE removals SET count = 0", "DELETE FROM removals", "TRUNCATE removals"])
async def test_a_service_cannot_change_what_it_removed(logs, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await logs.ingest.pool.execute(statement)
