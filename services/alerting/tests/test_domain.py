from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.alerting import domain
from services.alerting.domain import (
    Acknowledge,
    Alert,
    AlertAcknowledged,
    AlertCleared,
    AlertRaised,
    AlertRevised,
    AlertState,
    AlreadyAcknowledged,
    AlreadyCleared,
    Assess,
    Assessment,
    Clear,
    ClearReason,
    EventLinked,
    EventOpened,
    EventState,
    EventStateChanged,
    Reentry,
    Threat,
    UnknownAlert,
    VersionMismatch,
)
from services.alerting.tests.conftest import START, THRESHOLDS

AID, EID = "54217/1/LECB", "54217/1"
SHARE, PASS = THRESHOLDS.share, THRESHOLDS.pass_probability
KEPT, GONE = THRESHOLDS.clear_factor * SHARE, 0.99 * THRESHOLDS.clear_factor * SHARE


def threat(share: float) -> Threat:
    return Threat(share, START, START + timedelta(minutes=6), "assessment", 1)


def assess(share: float, pass_probability: float = 0.0) -> Assess:
    return Assess(AID, EID, 54217, "LECB", "Barcelona", threat(share), pass_probability)


def acknowledge(version: int = 0) -> Acknowledge:
    return Acknowledge(AID, "officer", b"seen", version)


def clear(version: int = 0) -> Clear:
    return Clear(AID, "officer", b"no", version)


def raised(share: float) -> AlertRaised:
    return AlertRaised(AID, EID, 54217, "LECB", "Barcelona", threat(share))


def revised(share: float, *, rearmed: bool = False) -> AlertRevised:
    return AlertRevised(AID, threat(share), rearmed)


GONE_BY_ITSELF = AlertCleared(AID, ClearReason.BELOW_THRESHOLD, "", b"", "assessment")
GONE_BY_PERSON = AlertCleared(AID, ClearReason.OPERATOR, "officer", b"no", "")

ABSENT = Alert()
OPEN = Alert(AlertState.UNACKNOWLEDGED, share=0.1, version=1)
SEEN = Alert(AlertState.ACKNOWLEDGED, share=0.1, share_seen=0.1, version=2)
CLEARED = Alert(AlertState.CLEARED, share=0.1, version=2)
SENT_AWAY = replace(CLEARED, cleared_by_person=True)

TABLE = [
    ("nothing below the threshold", ABSENT, assess(0.99 * SHARE, 0.99 * PASS), []),
    ("raised at the threshold of the share", ABSENT, assess(SHARE), [raised(SHARE)]),
    ("raised at the threshold of a pass", ABSENT, assess(0.0, PASS), [raised(0.0)]),
    ("nobody acknowledges what is not there", ABSENT, acknowledge(), UnknownAlert),
    ("nobody clears what is not there", ABSENT, clear(), UnknownAlert),
    ("an open one is revised", OPEN, assess(0.2), [revised(0.2)]),
    ("an open one is not re-armed however it grows", OPEN, assess(0.9), [revised(0.9)]),
    ("it stands between both thresholds", OPEN, assess(KEPT), [revised(KEPT)]),
    ("it stands for its pass alone", OPEN, assess(0.0, 0.5 * PASS), [revised(0.0)]),
    ("it is cleared below the lower threshold", OPEN, assess(GONE), [GONE_BY_ITSELF]),
    ("it is acknowledged with the share seen", OPEN, acknowledge(), [AlertAcknowledged(AID, "officer", b"seen", 0.1)]),
    ("it is acknowledged at the version seen", OPEN, acknowledge(1), [AlertAcknowledged(AID, "officer", b"seen", 0.1)]),
    ("not at a version that is gone", OPEN, acknowledge(2), VersionMismatch),
    ("it is cleared by a person", OPEN, clear(), [GONE_BY_PERSON]),
    ("not cleared at a version that is gone", OPEN, clear(7), VersionMismatch),
    ("an acknowledged one stays so while it grows little", SEEN, assess(0.19), [revised(0.19)]),
    ("it is armed again when it doubled", SEEN, assess(0.2), [revised(0.2, rearmed=True)]),
    ("an acknowledged one is cleared below the threshold", SEEN, assess(GONE), [GONE_BY_ITSELF]),
    ("it is acknowledged once", SEEN, acknowledge(), AlreadyAcknowledged),
    ("an acknowledged one is cleared by a person", SEEN, clear(), [GONE_BY_PERSON]),
    ("what went by itself comes again", CLEARED, assess(SHARE), [raised(SHARE)]),
    ("and stays away below the threshold", CLEARED, assess(0.99 * SHARE), []),
    ("what a person cleared stays away at its size", SENT_AWAY, assess(0.19), []),
    ("and comes again when it doubled", SENT_AWAY, assess(0.2), [raised(0.2)]),
    ("a cleared one is not acknowledged", CLEARED, acknowledge(), AlreadyCleared),
    ("a cleared one is not cleared", SENT_AWAY, clear(), AlreadyCleared),
    ("the version is told before the state", CLEARED, acknowledge(1), VersionMismatch),
]  # fmt: skip


@pytest.mark.parametrize(("alert", "command", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_an_alert_comes_to(alert, command, expected):
    if isinstance(expected, list):
        assert domain.decide_alert(command, alert, THRESHOLDS) == expected
    else:
        with pytest.raises(expected):
            domain.decide_alert(command, alert, THRESHOLDS)


def test_every_state_meets_every_command_in_the_table():
    met = {(alert.state, type(command)) for _, alert, command, _ in TABLE}
    assert met == {(state, command) for state in AlertState for command in (Assess, Acknowledge, Clear)}


def test_a_small_acknowledged_share_is_not_armed_again_by_noise():
    """Twice nearly nothing is still nothing: growth is counted from the threshold."""
    seen = Alert(AlertState.ACKNOWLEDGED, share=0.0, share_seen=0.0, version=2)
    (kept,) = domain.decide_alert(assess(1.9 * SHARE, PASS), seen, THRESHOLDS)
    (armed,) = domain.decide_alert(assess(2.0 * SHARE, PASS), seen, THRESHOLDS)
    assert (kept.rearmed, armed.rearmed) == (False, True)


@pytest.mark.parametrize(
    ("lead_h", "state"),
    [
        (-5.0, EventState.IMMINENT),
        (0.0, EventState.IMMINENT),
        (5.99, EventState.IMMINENT),
        (6.0, EventState.WARNING),
        (47.99, EventState.WARNING),
        (48.0, EventState.WATCH),
        (167.99, EventState.WATCH),
        (168.0, EventState.MONITORING),
    ],
)
def test_the_state_of_an_event_is_that_of_the_time_to_its_window(lead_h, state):
    assert domain.state_at(timedelta(hours=lead_h), THRESHOLDS) is state


def assessment(lead_h: float, version: int = 1) -> Assessment:
    known = START - timedelta(hours=lead_h)
    return Assessment("assessment", 54217, "prediction", version, "run", known, START, START + timedelta(hours=6))


LINKED = EventLinked(EID, "assessment", "prediction", 1, "run", START, START + timedelta(hours=6))
EVENT_TABLE = [
    ("the first opens it", Reentry(), 200.0, EventState.MONITORING, EventOpened),
    ("it is opened in the state it has", Reentry(), 3.0, EventState.IMMINENT, EventOpened),
    ("a nearer window changes it", Reentry(EventState.WATCH, 1), 20.0, EventState.WARNING, EventStateChanged),
    ("a farther one too", Reentry(EventState.IMMINENT, 1), 20.0, EventState.WARNING, EventStateChanged),
    ("the same state is not told again", Reentry(EventState.WARNING, 1), 20.0, EventState.WARNING, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reentry", "lead_h", "state", "kind"), [row[1:] for row in EVENT_TABLE], ids=[row[0] for row in EVENT_TABLE]
)
def test_what_a_re_entry_event_comes_to(reentry, lead_h, state, kind):
    *changes, linked = domain.decide_reentry(EID, assessment(lead_h), reentry, THRESHOLDS)
    assert linked == LINKED
    assert [(type(one), one.state) for one in changes] == ([(kind, state)] if kind else [])
    after = reentry
    for fact in (*changes, linked):
        after = domain.evolve_reentry(after, fact)
    assert after == Reentry(state, 1)


def test_what_rests_on_an_older_prediction_is_ignored_and_on_the_same_one_is_not():
    reentry = Reentry(EventState.WATCH, 5)
    assert domain.decide_reentry(EID, assessment(3.0, version=4), reentry, THRESHOLDS) == []
    assert domain.decide_reentry(EID, assessment(3.0, version=5), reentry, THRESHOLDS)


SHARES = st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, GONE, KEPT, SHARE, 2 * SHARE, 1.0]))


class LifeOfAnAlert(RuleBasedStateMachine):
    """Whatever happens to it, in whatever order, an alert keeps its promises."""

    def __init__(self) -> None:
        super().__init__()
        self.alert = Alert()
        self.history: list[domain.AlertFact] = []
        self.over = False  # whether the newest assessment is over the threshold

    def apply(self, command: domain.Command) -> list[domain.AlertFact]:
        facts = domain.decide_alert(command, self.alert, THRESHOLDS)
        for fact in facts:
            self.alert = domain.evolve_alert(self.alert, fact)
        self.history += facts
        return facts

    @rule(share=SHARES, pass_probability=st.sampled_from([0.0, 0.2, 0.3, 0.5, 1.0]))
    def assessed(self, share: float, pass_probability: float) -> None:
        before = self.alert
        facts = self.apply(assess(share, pass_probability))
        self.over = share >= SHARE or pass_probability >= PASS
        low = share < KEPT and pass_probability < THRESHOLDS.clear_factor * PASS
        if low:
            assert self.alert.state in (AlertState.ABSENT, AlertState.CLEARED)
        if self.over and not before.cleared_by_person:
            assert self.alert.state in (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)
        assert len(facts) <= 1

    @precondition(lambda self: self.alert.state is AlertState.UNACKNOWLEDGED)
    @rule()
    def acknowledged(self) -> None:
        self.apply(acknowledge(self.alert.version))
        assert self.alert.share_seen == self.alert.share

    @precondition(lambda self: self.alert.state in (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED))
    @rule()
    def cleared(self) -> None:
        self.apply(clear())
        assert self.alert.cleared_by_person

    @precondition(lambda self: self.alert.state in (AlertState.ABSENT, AlertState.CLEARED))
    @rule(command=st.sampled_from([acknowledge(), clear()]))
    def acted_on_in_vain(self, command) -> None:
        with pytest.raises((UnknownAlert, AlreadyCleared)):
            self.apply(command)

    @precondition(lambda self: self.alert.version > 0)
    @rule(command=st.sampled_from([Acknowledge, Clear]), off=st.integers(1, 3))
    def acted_on_at_another_version(self, command, off) -> None:
        with pytest.raises(VersionMismatch):
            self.apply(command(AID, "officer", b"x", self.alert.version + off))

    @invariant()
    def the_history_alone_gives_the_state(self) -> None:
        again = Alert()
        for fact in self.history:
            again = domain.evolve_alert(again, fact)
        assert again == self.alert
        assert self.alert.version == len(self.history)

    @invariant()
    def nobody_is_believed_to_have_seen_twice_of_what_they_saw(self) -> None:
        if self.alert.state is AlertState.ACKNOWLEDGED:
            assert self.alert.share < THRESHOLDS.rearm_factor * max(self.alert.share_seen, SHARE)

    @invariant()
    def raising_and_clearing_alternate(self) -> None:
        ends = [fact for fact in self.history if isinstance(fact, AlertRaised | AlertCleared)]
        assert all(isinstance(fact, AlertRaised) == (n % 2 == 0) for n, fact in enumerate(ends))


TestLifeOfAnAlert = LifeOfAnAlert.TestCase
TestLifeOfAnAlert.settings = settings(max_examples=100, stateful_step_count=30, deadline=None, derandomize=True)


def test_an_assessment_of_few_samples_raises_an_alert_and_clears_none():
    """INVARIANT: a region with a share near the threshold does not flap with every quick corridor."""
    rough = replace(assess(0.0), rough=True)
    standing = domain.evolve_alert(Alert(), raised(SHARE))
    assert domain.decide_alert(rough, standing, THRESHOLDS) == []
    assert isinstance(domain.decide_alert(assess(0.0), standing, THRESHOLDS)[0], AlertCleared)
    assert isinstance(domain.decide_alert(replace(assess(SHARE), rough=True), Alert(), THRESHOLDS)[0], AlertRaised)
