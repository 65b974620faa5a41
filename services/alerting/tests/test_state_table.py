"""The tables of docs/reference/reentry-event.md, cell by cell."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.alerting import domain
from services.alerting.domain import (
    Acknowledge,
    Alert,
    AlertState,
    Assess,
    Assessment,
    Clear,
    EventState,
    Reentry,
    Threat,
    Thresholds,
)

PAGE = Path(__file__).parents[3] / "docs/reference/reentry-event.md"
NOW = datetime(2022, 11, 3, 12, tzinfo=UTC)
LIMITS = Thresholds(0.002, 0.5, 0.5, 2.0, timedelta(days=7), timedelta(hours=48), timedelta(hours=6))
SEEN = 0.01  # share last seen of an alert that exists
VERSION = 3

LEADS = {
    "lead >= 7 d": timedelta(days=7),
    "lead < 7 d": timedelta(days=7) - timedelta(seconds=1),
    "lead < 48 h": timedelta(hours=48) - timedelta(seconds=1),
    "lead < 6 h": timedelta(hours=6) - timedelta(seconds=1),
}
ALERTS = {
    "absent": Alert(),
    "unacknowledged": Alert(AlertState.UNACKNOWLEDGED, SEEN, 0.0, version=VERSION),
    "acknowledged": Alert(AlertState.ACKNOWLEDGED, SEEN, SEEN, version=VERSION),
    "cleared": Alert(AlertState.CLEARED, SEEN, SEEN, version=VERSION),
    "cleared by a person": Alert(AlertState.CLEARED, SEEN, SEEN, cleared_by_person=True, version=VERSION),
}


def assess(share: float) -> Assess:
    return Assess("1/1/LECB", "1/1", 1, "LECB", "Barcelona", Threat(share, None, None, "", 2), 0.0)


COMMANDS = {
    "grown": assess(2.0 * SEEN),
    "over": assess(0.002),
    "between": assess(0.0015),
    "under": assess(0.0009),
    "acknowledge": Acknowledge("1/1/LECB", "officer", b""),
    "clear": Clear("1/1/LECB", "officer", b"gone"),
    "command on an old version": Clear("1/1/LECB", "officer", b"gone", expected_version=VERSION - 1),
}


def cells(heading: str) -> list[tuple[str, str, str]]:
    """(state, column, what the cell says) of the table under a heading."""
    section = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    columns, _, *body = rows
    return [(row[0], column, said) for row in body for column, said in zip(columns[1:], row[1:], strict=True)]


def reentry_facts(state: str, column: str) -> str:
    before = Reentry() if state == "none" else Reentry(EventState(state), prediction_version=2)
    old = column == "older prediction"
    if old and state == "none":
        before = Reentry(None, prediction_version=2)
    start = NOW + LEADS.get(column, timedelta(days=1))
    made = Assessment("a", 1, "p", 1 if old else 2, "r", NOW, start, start + timedelta(hours=5))
    return ", ".join(map(_name, domain.decide_reentry("1/1", made, before, LIMITS))) or "-"


def _name(fact) -> str:
    match fact:
        case domain.EventOpened():
            return f"Opened {fact.state.value}"
        case domain.EventStateChanged():
            return f"Changed {fact.state.value}"
        case domain.AlertRevised():
            return "Revised rearmed" if fact.rearmed else "Revised"
        case _:
            return type(fact).__name__.removeprefix("Event").removeprefix("Alert")


def alert_facts(state: str, column: str) -> str:
    try:
        facts = domain.decide_alert(COMMANDS[column], ALERTS[state], LIMITS)
    except Exception as refusal:  # noqa: BLE001  its name is what the cell holds
        return f"*{type(refusal).__name__}*"
    return ", ".join(map(_name, facts)) or "-"


@pytest.mark.parametrize(("state", "column", "said"), cells("The re-entry event"))
def test_a_re_entry_event_does_what_its_table_says(state, column, said):
    assert reentry_facts(state, column) == said


@pytest.mark.parametrize(("state", "column", "said"), cells("The alert of a region"))
def test_an_alert_does_what_its_table_says(state, column, said):
    assert alert_facts(state, column) == said


def test_the_tables_are_complete():
    assert {state for state, _, _ in cells("The re-entry event")} == {"none", *(one.value for one in EventState)}
    assert {column for _, column, _ in cells("The re-entry event")} == {*LEADS, "older prediction"}
    assert {state for state, _, _ in cells("The alert of a region")} == set(ALERTS)
    assert {alert.state for alert in ALERTS.values()} == set(AlertState)
    assert {column for _, column, _ in cells("The alert of a region")} == set(COMMANDS)


@pytest.mark.parametrize(("state", "column", "said"), cells("The re-entry event"))
def test_what_is_decided_leads_to_the_state_that_is_named(state, column, said):
    if said == "-":
        return
    start = NOW + LEADS[column]
    before = Reentry() if state == "none" else Reentry(EventState(state), prediction_version=1)
    after = before
    made = Assessment("a", 1, "p", 2, "r", NOW, start, start + timedelta(hours=5))
    for fact in domain.decide_reentry("1/1", made, before, LIMITS):
        after = domain.evolve_reentry(after, fact)
    assert after.state is domain.state_at(LEADS[column], LIMITS)
    assert after.prediction_version == 2
