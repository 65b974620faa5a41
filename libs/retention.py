"""What a service may forget, and when: answers to commands, and blobs that no fact of any service cites.

Never a fact, what a fact cites, or by what a repeat is told: fingerprints, progress, refusals. A policy of 0 days is
off.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import grpc
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs import rpc, telemetry, topics
from libs.blobs import Blobs
from libs.eventlog import EventLog
from libs.logwire import read_log

BATCH = 5000
ANSWERS, BLOBS = "answers", "blobs"
_SHA256 = re.compile(rb"(?=([0-9a-f]{64}))")  # every place a hash can begin: one too many is kept, none is missed


class RetentionSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    retention_answers_days: float = Field(
        0.0, ge=0, description="Age at which the answer to a command is forgotten; a repeat then acts again. 0: never."
    )
    retention_blobs_days: float = Field(
        0.0, ge=0, description="Age at which a blob that no fact of any service cites is removed. 0: never."
    )
    retention_log_addresses: dict[str, str] = Field(
        {}, description="gRPC addresses of all other services, by name, as JSON: a blob goes only if no log cites it."
    )
    retention_every_hours: float = Field(0.0, ge=0, description="How often the policies are applied. 0: when asked.")
    retention_token: SecretStr = Field(
        SecretStr(""), description="Token to read the other logs with when nobody asks; none: no blob goes by itself."
    )


@dataclass(frozen=True, slots=True)
class Removal:
    """What one policy removed or would; `note` says why it removed nothing where it could not."""

    policy: str
    count: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Retention:
    log: EventLog
    blobs: Blobs
    settings: RetentionSettings
    applying: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def apply(self, token: str, now: datetime, *, dry_run: bool) -> list[Removal]:
        """Each policy that is on. Raises FailedPrecondition or grpc.RpcError where not all logs can be read."""
        async with self.applying:
            return [
                *([await self._answers(now, dry_run=dry_run)] if self.settings.retention_answers_days else []),
                *([await self._blobs(token, now, dry_run=dry_run)] if self.settings.retention_blobs_days else []),
            ]

    async def keep_applying(self) -> None:
        while self.settings.retention_every_hours:
            await asyncio.sleep(self.settings.retention_every_hours * 3600.0)
            try:
                removals = await self.apply(
                    self.settings.retention_token.get_secret_value(), datetime.now(UTC), dry_run=False
                )
                telemetry.log.info("retention", removed={one.policy: one.count for one in removals})
            except (OSError, grpc.RpcError, rpc.FailedPrecondition) as error:
                telemetry.log.warning("retention_waits", error=str(error))
        await asyncio.Event().wait()

    async def _answers(self, now: datetime, *, dry_run: bool) -> Removal:
        before = now - timedelta(days=self.settings.retention_answers_days)
        pool = self.log.pool
        if dry_run:
            found = await pool.fetchval("SELECT count(*) FROM requests WHERE answered_at < $1", before)
            return Removal(ANSWERS, int(found))
        count = 0
        while removed := await self._some_answers(before):
            count += removed
        return Removal(ANSWERS, count)

    async def _some_answers(self, before: datetime) -> int:
        """The audit's row goes with them in one transaction."""
        removed: int = await self.log.pool.fetchval(
            """WITH gone AS (
                   DELETE FROM requests WHERE ctid = ANY (ARRAY(
                       SELECT ctid FROM requests WHERE answered_at < $1 ORDER BY answered_at LIMIT $2))
                   RETURNING answered_at
               ), audit AS (
                   INSERT INTO removals (policy, item, count)
                   SELECT $3, 'answered ' || min(answered_at) || ' to ' || max(answered_at), count(*)
                   FROM gone HAVING count(*) > 0
               )
               SELECT count(*) FROM gone""",
            before,
            BATCH,
            ANSWERS,
        )
        return removed

    async def _blobs(self, token: str, now: datetime, *, dry_run: bool) -> Removal:
        """Listed before the logs are read: what is cited meanwhile is seen, and what is put again is young."""
        before = now - timedelta(days=self.settings.retention_blobs_days)
        if not self.settings.retention_log_addresses:
            return Removal(BLOBS, note="not from here: SPACECOM_RETENTION_LOG_ADDRESSES is not set")
        old = {sha256 async for sha256, put_at in self.blobs.stored() if put_at < before}
        if old:
            async for data in _all_facts(self.log, self.settings.retention_log_addresses, token):
                old -= {found.decode() for found in _SHA256.findall(data)}
        if not dry_run:
            for sha256 in sorted(old):
                await self._remove(sha256, before)
        return Removal(BLOBS, len(old))

    async def _remove(self, sha256: str, before: datetime) -> None:
        if not await self.blobs.is_older(sha256, before):  # put again since
            return
        await self.log.pool.execute("INSERT INTO removals (policy, item, count) VALUES ($1, $2, 1)", BLOBS, sha256)
        await self.blobs.remove(sha256)


async def _all_facts(log: EventLog, addresses: Mapping[str, str], token: str) -> AsyncIterator[bytes]:
    missing = {topic.writer for topic in topics.TOPICS} - {log.service, *addresses}
    if missing:
        raise rpc.FailedPrecondition(
            f"the log of {', '.join(sorted(missing))} cannot be read, and may cite any blob; "
            "name its address in SPACECOM_RETENTION_LOG_ADDRESSES"
        )
    async for event in _own(log):
        yield event
    for service, address in addresses.items():
        if service != log.service:
            async for recorded in read_log(address, token):
                yield recorded.data


async def _own(log: EventLog) -> AsyncIterator[bytes]:
    after = 0
    while events := await log.read(after=after, limit=BATCH):
        for event in events:
            yield event.data
        after = events[-1].position
