"""When a feed is due next. Pure; `jitter` is a number in [0, 1) and only ever puts a poll off."""

from datetime import datetime, timedelta

from services.ingest.policies import Policy, Rhythm

NEAR = timedelta(hours=12)  # of a re-entry
NEAR_CADENCE = timedelta(minutes=10)
SATCAT_HOUR = 17
FIRST_RETRY = timedelta(minutes=5)
LEAST_WAIT = timedelta(minutes=1)
MOST_WAIT = timedelta(days=1)
JITTER_SHARE = 0.05
MOST_JITTER = timedelta(minutes=15)


def first_due(policy: Policy, now: datetime, jitter: float) -> datetime:
    """Of a feed that was just enabled: within a minute, where the hour allows it."""
    if policy.rhythm is Rhythm.AFTER_17_UTC and now.hour < SATCAT_HOUR:
        return _at_17(now) + jitter * MOST_JITTER
    return now + jitter * timedelta(minutes=1)


def next_due(policy: Policy, polled_at: datetime, reentries: list[datetime], jitter: float) -> datetime:
    """After a poll, whether it went well or not. `reentries` are those that anyone predicts."""
    put_off: timedelta = jitter * min(JITTER_SHARE * policy.cadence, MOST_JITTER)
    match policy.rhythm:
        case Rhythm.AFTER_17_UTC:
            return _at_17(polled_at + timedelta(days=1)) + put_off
        case Rhythm.NEAR_REENTRY:
            return min([polled_at + policy.cadence + put_off, *(_near(at, polled_at, jitter) for at in reentries)])
        case Rhythm.EVERY | Rhythm.ONCE_EACH:
            return polled_at + policy.cadence + put_off


def _near(reentry: datetime, polled_at: datetime, jitter: float) -> datetime:
    """Ten minutes on while within 12 h of it, else when that begins."""
    soon = polled_at + NEAR_CADENCE + jitter * JITTER_SHARE * NEAR_CADENCE
    if soon > reentry + NEAR:
        return datetime.max.replace(tzinfo=reentry.tzinfo)
    return max(soon, reentry - NEAR)


def after_silence(policy: Policy, failed_at: datetime, failures: int, regular: datetime) -> datetime:
    """The source gave no answer at all, so that no request counted: sooner than its cadence, and later each time."""
    if policy.provider.stop_at_first_error:
        return regular
    return min(failed_at + FIRST_RETRY * int(2 ** min(failures, 10)), regular)


def after_wait(asked_at: datetime, wait: timedelta | None, regular: datetime) -> datetime:
    """The source said how long to wait: that, within reason, and not before the feed is due anyway."""
    if wait is None:
        return regular
    return max(asked_at + min(max(wait, LEAST_WAIT), MOST_WAIT), regular)


def _at_17(day: datetime) -> datetime:
    return day.replace(hour=SATCAT_HOUR, minute=0, second=0, microsecond=0)
