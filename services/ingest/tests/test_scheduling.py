"""When a feed is due next: never sooner than its owner allows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest import policies, scheduling
from services.ingest.policies import POLICIES, PROVIDERS, Rhythm, UnknownFeed
from services.ingest.scheduling import NEAR, NEAR_CADENCE

START = datetime(2022, 11, 4, tzinfo=UTC)
instants = st.timedeltas(timedelta(0), timedelta(days=3)).map(lambda later: START + later)
jitters = st.floats(0.0, 1.0, exclude_max=True)
TIP, SATCAT = POLICIES["space-track-tip"], POLICIES["space-track-satcat"]


@given(st.sampled_from([row for row in POLICIES.values() if row.rhythm is Rhythm.EVERY]), instants, jitters)
def test_a_feed_is_never_due_before_its_cadence_is_over(policy, at, jitter):
    due = scheduling.next_due(policy, at, [], jitter)
    assert policy.cadence <= due - at <= policy.cadence + scheduling.MOST_JITTER


@given(instants, jitters)
def test_satcat_is_asked_for_once_a_day_after_17_utc(at, jitter):
    due = scheduling.next_due(SATCAT, at, [], jitter)
    assert due.date() == at.date() + timedelta(days=1)
    assert due.hour == 17
    assert scheduling.first_due(SATCAT, at, jitter) >= at.replace(hour=0) + timedelta(hours=min(at.hour, 17))


@given(instants, st.lists(instants, max_size=4), jitters)
def test_predictions_are_asked_for_every_ten_minutes_only_within_12_h_of_a_reentry(at, reentries, jitter):
    due = scheduling.next_due(TIP, at, reentries, jitter)
    assert due - at >= NEAR_CADENCE
    if due - at < TIP.cadence:
        assert any(abs(due - reentry) <= NEAR for reentry in reentries)
    elif any(abs(at + NEAR_CADENCE * 1.05 - reentry) <= NEAR for reentry in reentries):
        raise AssertionError("a re-entry is near, and it waits an hour")


@given(st.integers(0, 50), instants)
def test_a_source_that_is_away_is_tried_ever_later_and_at_its_cadence_at_the_latest(failures, at):
    policy = POLICIES["iers-finals2000a"]
    regular = at + policy.cadence
    first, then = (scheduling.after_silence(policy, at, count, regular) for count in (failures, failures + 1))
    assert at + scheduling.FIRST_RETRY <= first <= then <= regular
    assert scheduling.after_silence(POLICIES["celestrak-gp"], at, failures, regular) == regular


@given(st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=4000))), instants)
def test_a_wait_is_kept_within_reason_and_shortens_nothing(wait, at):
    regular = at + timedelta(hours=1)
    due = scheduling.after_wait(at, wait, regular)
    assert due >= regular
    assert due <= max(regular, at + scheduling.MOST_WAIT)
    assert wait is None or due >= at + min(wait, scheduling.MOST_WAIT)


def test_of_each_limit_at_most_83_percent_is_used():
    for provider in PROVIDERS.values():
        for limit in provider.limits:
            assert 1 <= limit.used <= 0.83 * limit.requests


def test_a_provider_stands_for_its_feeds_and_what_is_unknown_is_named():
    assert [row.name for row in policies.enabled(["iers", "swpc"])] == ["swpc", "iers-finals2000a"]
    assert policies.enabled([]) == ()
    with pytest.raises(UnknownFeed, match="nowhere"):
        policies.enabled(["iers", "nowhere"])
