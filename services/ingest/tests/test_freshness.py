"""The state of a source: each state and command of the table in docs/reference/sources.md."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ingest import degraded, freshness
from services.ingest.domain import NotHalted, SourceHealth, SourceProblem
from services.ingest.freshness import Delivered, Expected, Failed, Outcome, Repeated, Resumed, Source
from services.ingest.policies import Kind

NOW = datetime(2022, 11, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
EXPECTED = Expected(24 * HOUR, 72 * HOUR)
HEALTHY, LATE, STALE, FAILED, RECOVERED = SourceHealth
NOTHING, NOT_RENEWED, OVERDUE = SourceProblem.NONE, SourceProblem.NOT_RENEWED, SourceProblem.OVERDUE


def decided(command: freshness.Command, source: Source) -> list[SourceHealth]:
    return [event.state for event in freshness.decide_source("a", command, source, EXPECTED)]


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (None, HEALTHY),
        (HEALTHY, HEALTHY),
        (LATE, RECOVERED),
        (STALE, RECOVERED),
        (FAILED, RECOVERED),
        (RECOVERED, HEALTHY),
    ],
)
def test_a_delivery_makes_a_source_healthy_or_recovered(state, after):
    assert decided(Delivered(NOW, None, None), Source(state, "", NOW - HOUR)) == [after]


@pytest.mark.parametrize(("age", "after"), [(1, HEALTHY), (25, LATE), (73, STALE)])
def test_a_delivery_of_old_content_is_late_or_stale_by_its_age(age, after):
    (event,) = freshness.decide_source("a", Delivered(NOW, NOW - age * HOUR, None), Source(), EXPECTED)
    assert event.state is after
    assert event.problem is (NOTHING if after is HEALTHY else NOT_RENEWED)


@pytest.mark.parametrize(
    ("state", "last", "after"),
    [
        (None, None, [HEALTHY]),
        (HEALTHY, 1, []),
        (RECOVERED, 1, [HEALTHY]),
        (LATE, 25, [LATE]),
        (STALE, 73, [STALE]),
        (FAILED, 1, [RECOVERED]),
        (FAILED, 25, [LATE]),
        (FAILED, 73, [STALE]),
        (FAILED, None, [RECOVERED]),
    ],
)
def test_an_answer_without_news_ends_a_failure_but_renews_nothing(state, last, after):
    source = Source(state, "x", NOW - last * HOUR if last else None)
    assert decided(Repeated(NOW, None), source) == after


def test_what_is_late_because_it_is_not_renewed_is_said_once():
    assert decided(Repeated(NOW, None), Source(LATE, "x", NOW - 25 * HOUR, problem=NOT_RENEWED)) == []


@pytest.mark.parametrize("state", [None, HEALTHY, LATE, STALE, FAILED, RECOVERED])
def test_every_failed_attempt_is_counted(state):
    source = Source(state, "", failure_count=2)
    (event,) = freshness.decide_source("a", Failed(NOW, SourceProblem.UNUSABLE, "why"), source, EXPECTED)
    assert (event.state, event.reason, event.failure_count) == (FAILED, "why", 3)


def test_a_useless_submission_that_is_repeated_is_one_fact():
    command = Failed(NOW, SourceProblem.UNUSABLE, "why", attempt=False)
    (failed,) = freshness.decide_source("a", command, Source(), EXPECTED)
    assert decided(command, freshness.evolve_source(Source(), failed)) == []


def test_only_a_person_ends_a_halt():
    halted = Source(FAILED, "it answered 403", NOW - HOUR, problem=SourceProblem.REFUSED, halted=True)
    (event,) = freshness.decide_source("a", Delivered(NOW, None, None, attempt=False), halted, EXPECTED)
    assert (event.state, event.halted, event.last_delivery_at) == (FAILED, True, NOW)
    assert decided(Repeated(NOW, None, attempt=False), halted) == []
    (resumed,) = freshness.decide_source("a", Resumed(NOW, "kim", "asked them"), halted, EXPECTED)
    assert not resumed.halted
    assert "kim" in resumed.reason
    assert "asked them" in resumed.reason


def test_what_is_not_halted_cannot_be_resumed():
    with pytest.raises(NotHalted):
        freshness.decide_source("a", Resumed(NOW, "kim", "x"), Source(HEALTHY), EXPECTED)


@pytest.mark.parametrize(("hours", "state"), [(1, HEALTHY), (25, LATE), (73, STALE)])
def test_silence_makes_a_source_late_then_stale(hours, state):
    source = Source(HEALTHY, "", NOW - timedelta(hours=hours))
    assert freshness.as_of("a", source, EXPECTED, None, NOW).state is state


def test_silence_is_told_from_the_enabling_of_a_source_that_never_delivered():
    events = freshness.silence("a", Source(), EXPECTED, NOW - 80 * HOUR, NOW)
    assert [event.state for event in events] == [LATE, STALE]
    assert events[0].problem is OVERDUE
    assert freshness.silence("a", Source(), EXPECTED, None, NOW) == []


@pytest.mark.parametrize(
    ("outcome", "command"),
    [
        (Outcome(NOW, 1, 0, 0, NOW), Delivered(NOW, NOW, None)),
        (Outcome(NOW, 1, 0, 9, NOW), Delivered(NOW, NOW, None)),
        (Outcome(NOW, 0, 5, 0), Repeated(NOW, None)),
        (Outcome(NOW, 0, 0, 0), Repeated(NOW, None)),
    ],
)
def test_a_poll_is_judged_as_a_whole(outcome, command):
    assert freshness.command_of(outcome, attempt=True) == command


def test_what_is_refused_for_its_epochs_alone_has_a_wrong_clock():
    assert freshness.command_of(Outcome(NOW, 0, 0, 3), attempt=True).problem is SourceProblem.UNUSABLE
    assert freshness.command_of(Outcome(NOW, 0, 0, 3, clock_wrong=True), attempt=True).problem is SourceProblem.CLOCK


def test_the_age_of_what_is_submitted_says_nothing_of_its_source():
    assert freshness.command_of(Outcome(NOW, 1, 0, 0, NOW - 900 * HOUR), attempt=False).content_at is None


def test_every_kind_of_source_does_something_to_a_product():
    assert set(degraded.EFFECTS) == set(Kind)


def test_a_source_that_fails_harms_by_the_age_of_its_last_delivery_and_names_who_stands_in():
    def known(name: str, state: SourceHealth, age: int) -> degraded.Known:
        return degraded.Known(name, Kind.WEATHER, Source(state, "", NOW - age * HOUR), EXPECTED)

    fresh, late, stale = (degraded.degraded([known("a", FAILED, age)], NOW)[0] for age in (1, 25, 73))
    assert fresh[2].startswith("none yet")
    assert "forecast" in late[2]
    assert "storm" in stale[2]
    (both,) = degraded.degraded([known("a", FAILED, 73), known("b", HEALTHY, 1)], NOW)
    assert both[:2] == ("a", "decay prediction")
    assert both[2].endswith("b still delivers the like")
