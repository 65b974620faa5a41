"""The page of sources: their policies, states and what they do to products, as the code of ingest has them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from services.ingest import degraded, freshness, policies, redistribution
from services.ingest.domain import SourceHealth, SourceProblem
from services.ingest.freshness import Command, Expected, Source
from services.ingest.policies import SHARE_PERCENT, Policy, Provider

NOW, HOUR, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1), timedelta(days=1)
EXPECTED = Expected(24 * HOUR, 72 * HOUR)
INTRODUCTION = f"""# Sources

None is polled unless it is [enabled](../how-to/sources.md). At most {SHARE_PERCENT} % of each limit is used.
Every request is on record before it is made, so that a restart forgets none, and at most one process polls.

## Providers

| provider | address | access | limits | of which used | whose limits | halted by |
|---|---|---|---|---|---|---|
"""
FEEDS = """
A provider is halted as a whole by refused credentials; CelesTrak by any answer but 200 and 304.

## Feeds

Late and stale count from the last delivery of something new; a first delivery is judged by the newest date it carries.

| feed | what is asked for | format | class | asked | late after | stale after | because |
|---|---|---|---|---|---|---|---|
"""
STATES = """
## States

What a poll, a submission or a deadline makes of each state; the same decision that ingest takes. The age of the last
delivery is in the first column where it matters. A source that was never heard of begins at `none`.

"""
PRODUCTS = """
A halted source stays failed and halted, whatever is submitted for it, until an operator resumes it.

## What a source that does not deliver does to each product

By the age of its last delivery, whatever its state: fresh enough, late or stale.

| kind of source | product | late | stale |
|---|---|---|---|
"""
COMMANDS: tuple[tuple[str, Command], ...] = (
    ("delivers something new", freshness.Delivered(NOW, None, None)),
    ("delivers old content", freshness.Delivered(NOW, NOW - 25 * HOUR, None)),
    ("answers without news", freshness.Repeated(NOW, None)),
    ("fails", freshness.Failed(NOW, SourceProblem.UNUSABLE, "x")),
    ("late deadline", freshness.Due(NOW, SourceHealth.LATE, answering=False, next_due_at=None)),
    ("stale deadline", freshness.Due(NOW, SourceHealth.STALE, answering=False, next_due_at=None)),
)
BEFORE: tuple[tuple[str, Source], ...] = (
    ("none", Source()),
    ("healthy", Source(SourceHealth.HEALTHY, "", NOW - HOUR)),
    ("late", Source(SourceHealth.LATE, "", NOW - 25 * HOUR)),
    ("stale", Source(SourceHealth.STALE, "", NOW - 73 * HOUR)),
    ("failed, delivered lately", Source(SourceHealth.FAILED, "", NOW - HOUR)),
    ("failed, late by age", Source(SourceHealth.FAILED, "", NOW - 25 * HOUR)),
    ("failed, stale by age", Source(SourceHealth.FAILED, "", NOW - 73 * HOUR)),
    ("recovered", Source(SourceHealth.RECOVERED, "", NOW - HOUR)),
)


def page() -> str:
    lines = [INTRODUCTION, *map(_provider, policies.PROVIDERS.values())]
    lines += [FEEDS, *map(_feed, policies.POLICIES.values())]
    lines += [STATES, *_states(), PRODUCTS]
    lines += [
        f"| {kind.value} | {one.product} | {one.late} | {one.stale} |\n"
        for kind, effects in degraded.EFFECTS.items()
        for one in effects
    ]
    return "".join(lines)


def _provider(one: Provider) -> str:
    limits = ", ".join(f"{limit.requests} {_window(limit.window)}" for limit in one.limits)
    used = ", ".join(f"{limit.used} {_window(limit.window)}" for limit in one.limits)
    stop = sorted(problem.value for problem in one.stop if one.halts(problem, None) and problem in ANSWERS)
    said = "any other answer" if one.stop_at_first_error else ", ".join(stop)
    whose = f"ours: {one.ours}" if one.ours else "the owner's"
    place = one.base_url or "set for each"
    return f"| {one.name} | {place} | {one.access.value} | {limits} | {used} | {whose} | {said} |\n"


ANSWERS = {SourceProblem.REFUSED, SourceProblem.CREDENTIALS, SourceProblem.UNUSABLE, SourceProblem.CLOCK}


def _feed(one: Policy) -> str:
    paths = "<br>".join(f"`{path}`" for path in one.paths) if not one.dataset else "the address that is set"
    late, stale = _span(one.expected.late_after), _span(one.expected.stale_after)
    asked = f"{_every(one)}{', page by page' if one.paged else ''}"
    said = redistribution.class_of(one.name, {})
    return f"| {one.name} | {paths} | {one.format.value} | {said} | {asked} | {late} | {stale} | {one.why} |\n"


def _every(one: Policy) -> str:
    rhythm = one.rhythm.value.removeprefix("at its cadence").removeprefix(", ")
    return f"every {_span(one.cadence)}{', ' + rhythm if rhythm else ''}"


def _window(window: timedelta) -> str:
    return {timedelta(minutes=1): "in a minute", HOUR: "in an hour"}[window]


def _span(span: timedelta) -> str:
    if span > 3650 * DAY:
        return "never"
    if span % DAY == timedelta(0):
        return f"{span // DAY} d"
    return f"{span // HOUR} h" if span >= HOUR else f"{span // timedelta(minutes=1)} min"


def _states() -> Iterator[str]:
    yield f"| | {' | '.join(name for name, _ in COMMANDS)} |\n|---|{'---|' * len(COMMANDS)}\n"
    for name, source in BEFORE:
        yield f"| {name} | {' | '.join(_after(command, source) for _, command in COMMANDS)} |\n"


def _after(command: Command, source: Source) -> str:
    after = source
    for event in freshness.decide_source("a", command, source, EXPECTED):
        after = freshness.evolve_source(source, event)
    return after.state.value if after.state and after is not source else "-"
