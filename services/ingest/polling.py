"""Asks each enabled source when it is due and hands what comes to the gate, by the same door as a submission.

One process polls, the one that holds the lock of the ledger; what it must not forget is in the ledger, so that
another, or the same after a crash, goes on within the same limits.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Concatenate, ParamSpec

import asyncpg

from libs import telemetry
from libs.astro.elements import RefusalReason
from libs.eventlog import Cause, new_id
from libs.postgres import Connection
from services.ingest import freshness, handlers, ledger, reentries, scheduling, source_states
from services.ingest.domain import Delivery, SourceProblem
from services.ingest.fetching import Client, Condition, Fault, Fetched, NotModified
from services.ingest.freshness import Failed, Outcome
from services.ingest.handlers import Gate, Receipt
from services.ingest.ledger import Poll
from services.ingest.policies import Policy, Provider, Rhythm
from services.ingest.source_states import AWAY

P = ParamSpec("P")
POLL_LOCK = 0x53504F4C
LONGEST_SLEEP_S = 5.0
STAND_BY_S = 5.0
TIP_LOOK_BACK = timedelta(days=30)
FIRST_DAYS = 30.0  # asked of a source that has delivered nothing yet
OVERLAP = timedelta(minutes=5)  # of what is asked with what came before


class Wait(Exception):
    """The limits of the provider leave no room for a request before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(str(until))
        self.until = until


@dataclass(frozen=True, slots=True)
class Feed:
    """A policy with what the settings add: a whole address, which may hold a key, and a name for a dataset."""

    policy: Policy
    url: str = field(default="", repr=False)
    dataset: str = ""

    @property
    def name(self) -> str:
        return self.policy.name


@dataclass(slots=True)
class Poller:
    """`clock` tells the time, `jitter` a number in [0, 1)."""

    gate: Gate
    feeds: Mapping[str, Feed]
    clients: Mapping[str, Client]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random
    histories: tuple[int, ...] = ()
    _full: dict[str, datetime] = field(default_factory=dict)
    _holding: asyncio.Lock = field(default_factory=asyncio.Lock)
    _lock: Connection | None = None

    async def keep_polling(self) -> None:
        """Never ends; with Postgres away it waits, and whoever finds it back first goes on."""
        if not self.feeds:
            await asyncio.Event().wait()
        while True:
            try:
                async with self.sole() as alone:
                    if alone:
                        await self._poll_all()
            except* AWAY as error:
                telemetry.log.warning("polling_waits", error=type(error.exceptions[0]).__name__)
            _stop_when_told()
            await asyncio.sleep(STAND_BY_S)

    @asynccontextmanager
    async def sole(self) -> AsyncIterator[bool]:
        """Whether this process is the one that polls; the lock goes with its connection."""
        async with self.gate.pool.acquire() as conn:
            if not await conn.fetchval("SELECT pg_try_advisory_lock($1)", POLL_LOCK):
                yield False
                return
            self._lock = conn
            try:
                feeds = [feed.policy for feed in self.feeds.values()]
                await ledger.enable(conn, feeds, self.clock(), self.jitter())
                yield True
            finally:
                self._lock = None
                if not conn.is_closed():
                    await conn.execute("SELECT pg_advisory_unlock($1)", POLL_LOCK)

    async def _poll_all(self) -> None:
        telemetry.log.info("polling", sources=sorted(self.feeds))
        async with asyncio.TaskGroup() as tasks:
            for provider in self.clients:
                tasks.create_task(self._poll_provider(provider))

    async def _poll_provider(self, provider: str) -> None:
        while True:
            due_at = await self.turn(provider)
            left_s = (due_at - self.clock()).total_seconds() if due_at else LONGEST_SLEEP_S
            await asyncio.sleep(min(max(left_s, 0.0), LONGEST_SLEEP_S))

    async def turn(self, provider: str) -> datetime | None:
        """One step of each feed of the provider that is due; returns when one is due next, None when all are halted."""
        for name in self._names(provider):
            poll = (await self._polls(provider))[name]  # again: the feed before may have halted it
            if not poll.halted and poll.due_at <= self.clock():
                await self._step(self.feeds[name], poll)
        waiting = [poll.due_at for poll in (await self._polls(provider)).values() if not poll.halted]
        return max(min(waiting), self._full.get(provider, min(waiting))) if waiting else None

    def _names(self, provider: str) -> list[str]:
        return [name for name, feed in self.feeds.items() if feed.policy.provider.name == provider]

    async def _polls(self, provider: str) -> dict[str, Poll]:
        async with self.gate.pool.acquire() as conn:
            return await ledger.polls(conn, self._names(provider))

    async def _step(self, feed: Feed, poll: Poll) -> None:
        policy, began = feed.policy, self.clock()
        regular = await self._regular(policy, began)
        number = await self._next_history() if policy.rhythm is Rhythm.ONCE_EACH else None
        if policy.rhythm is Rhythm.ONCE_EACH and number is None:
            await self._note(ledger.put_off, feed.name, regular, 0)
            return
        path = _path(feed, poll, number, began)
        try:
            came = await self._fetch(feed, poll, path, regular)
        except Wait as wait:
            self._full[policy.provider.name] = wait.until
        except Fault as fault:
            await self._failed(feed, poll, fault, regular)
        else:
            if number is not None:
                await self._note(ledger.history_fetched, number, began)
            await self._go_on(feed, poll, came, path, regular)

    async def _regular(self, policy: Policy, now: datetime) -> datetime:
        near: list[datetime] = []
        if policy.rhythm is Rhythm.NEAR_REENTRY:
            async with self.gate.pool.acquire() as conn:
                near = await reentries.reentries(conn, now - TIP_LOOK_BACK)
        return scheduling.next_due(policy, now, near, self.jitter())

    async def _next_history(self) -> int | None:
        async with self.gate.pool.acquire() as conn:
            return await ledger.next_history(conn, self.histories)

    async def _fetch(self, feed: Feed, poll: Poll, path: str, regular: datetime) -> "Taken":
        async def permit() -> None:
            await self._permit(feed.policy, regular)

        client = self.clients[feed.policy.provider.name]
        known = Condition()
        if not feed.policy.paged and "{" not in feed.policy.paths[poll.part]:
            async with self.gate.pool.acquire() as conn:
                known = await ledger.condition(conn, feed.name, _key(feed, poll))
        answer = await client.get(feed.policy, path, known, permit)
        if isinstance(answer, NotModified):
            return Taken(Outcome(self.clock(), 0, 0, 0), pause=answer.pause)
        return await self._take(feed, answer)

    async def _permit(self, policy: Policy, regular: datetime) -> None:
        """Raises Wait; the request is on record before it is made, by the connection that holds the lock."""
        provider = policy.provider
        async with self._holding:
            if self._lock is None:
                raise asyncpg.InterfaceError("the lock of the ledger is gone")
            now = self.clock()
            async with self._lock.transaction():
                if until := await ledger.free_at(self._lock, provider.name, provider.limits, now):
                    raise Wait(until)
                await ledger.book(self._lock, policy, now, regular)
        telemetry.source_requests.add(1, {"source": policy.name})

    async def _take(self, feed: Feed, answer: Fetched) -> "Taken":
        now = self.clock()
        if feed.policy.may_be_empty and answer.body.strip() == b"[]":
            return Taken(Outcome(now, 0, 0, 0), pause=answer.pause)
        delivery = Delivery(feed.name, "", now, answer.published_at, feed.dataset, polled=True)
        cause = Cause(new_id(), None, telemetry.current_traceparent())
        try:
            receipt = await handlers.submit(self.gate, delivery, feed.policy.format, answer.body, cause)
        except AWAY:
            raise
        except Exception as error:
            telemetry.log.exception("not_recorded", source=feed.name)
            said = f"what it delivered could not be recorded: {type(error).__name__}; see the log"
            raise Fault(SourceProblem.UNUSABLE, said) from error
        usable = receipt.accepted_count or receipt.duplicate_count
        return Taken(
            _outcome(receipt, now), answer.condition if usable else Condition(), answer.next_page, answer.pause
        )

    async def _go_on(self, feed: Feed, poll: Poll, taken: "Taken", path: str, regular: datetime) -> None:
        """To the next page, the next path, or the end of this poll."""
        if taken.condition.headers and not feed.policy.paged:
            await self._note(ledger.keep_condition, feed.name, _key(feed, poll), taken.condition)
        part, page = (poll.part, taken.next_page) if taken.next_page else (poll.part + 1, "")
        if part < len(feed.policy.paths) and taken.next_page != path:
            due_at = self.clock() + taken.pause
            await self._note(ledger.go_on, feed.name, part, page, taken.outcome, due_at)
            return
        whole = _together(poll, taken.outcome)
        if feed.policy.rhythm is Rhythm.NEAR_REENTRY:  # what came may predict one
            regular = await self._regular(feed.policy, self.clock())
        due_at = max(regular, self.clock() + taken.pause)
        command = freshness.command_of(replace(whole, next_due_at=due_at), attempt=True)
        halted = isinstance(command, Failed) and feed.policy.provider.halts(command.problem, None)
        if isinstance(command, Failed):
            command = replace(command, halted=halted)
        await self._change(feed.policy, command)
        await self._note(ledger.finish, feed.name, due_at)

    async def _failed(self, feed: Feed, poll: Poll, fault: Fault, regular: datetime) -> None:
        now, provider = self.clock(), feed.policy.provider
        halted = provider.halts(fault.problem, fault.status)
        due_at, silences = scheduling.after_wait(now, fault.wait, regular), 0
        if not fault.reached:
            due_at, silences = scheduling.after_silence(feed.policy, now, poll.silences, regular), poll.silences + 1
        said = f"{fault.reason}; polling has stopped until a person resumes it" if halted else fault.reason
        await self._note(ledger.put_off, feed.name, due_at, silences)
        await self._change(feed.policy, Failed(now, fault.problem, said, halted, due_at))
        if halted and provider.halts_all(fault.problem, fault.status):
            await self._halt_others(provider, feed.name, fault, now)
        elif fault.wait:
            until = scheduling.after_wait(now, fault.wait, now)
            await self._note(ledger.put_off_all, self._names(provider.name), until)

    async def _halt_others(self, provider: Provider, failed: str, fault: Fault, now: datetime) -> None:
        for name, poll in (await self._polls(provider.name)).items():
            if name != failed and not poll.halted:
                said = f"{failed} was halted: {fault.reason}; no feed of {provider.name} is polled until it is resumed"
                await self._change(self.feeds[name].policy, Failed(now, fault.problem, said, halted=True))

    async def _change(self, policy: Policy, command: freshness.Command) -> None:
        cause = Cause(new_id(), None, telemetry.current_traceparent())
        await source_states.change(self.gate.pool, self.gate.log, policy.name, command, policy.expected, cause)

    async def _note(
        self, write: Callable[Concatenate[Connection, P], Awaitable[None]], *what: P.args, **named: P.kwargs
    ) -> None:
        async with self.gate.pool.acquire() as conn:
            await write(conn, *what, **named)


def _stop_when_told() -> None:
    """A stop that meets a failure of a task is shown by its group as the failure alone."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


@dataclass(frozen=True, slots=True)
class Taken:
    """What one request brought."""

    outcome: Outcome
    condition: Condition = field(default_factory=Condition)
    next_page: str = ""
    pause: timedelta = timedelta(0)


def _path(feed: Feed, poll: Poll, number: int | None, now: datetime) -> str:
    if poll.page:
        return poll.page
    if feed.url:
        return feed.url
    days = FIRST_DAYS
    if poll.last_delivery_at:
        days = min(days, (now - poll.last_delivery_at + OVERLAP) / timedelta(days=1))
    return feed.policy.paths[poll.part].format(days=f"{ceil(days * 1000) / 1000:.3f}", number=number)


def _key(feed: Feed, poll: Poll) -> str:
    """Of a condition: never the address of a dataset, which may hold a secret."""
    return feed.policy.paths[poll.part]


def _outcome(receipt: Receipt, now: datetime) -> Outcome:
    said = {one.reason for one in receipt.rejections}
    return Outcome(
        now,
        receipt.accepted_count,
        receipt.duplicate_count,
        receipt.rejected_count,
        receipt.newest_at,
        clock_wrong=said == {RefusalReason.EPOCH},
    )


def _together(poll: Poll, last: Outcome) -> Outcome:
    newest = [at for at in (poll.newest_at, last.newest_at) if at]
    return replace(
        last,
        accepted_count=poll.accepted + last.accepted_count,
        duplicate_count=poll.duplicates + last.duplicate_count,
        rejected_count=poll.rejected + last.rejected_count,
        newest_at=max(newest, default=None),
    )
