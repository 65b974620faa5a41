import sys

from infra import reference
from services.cli import __main__ as command
from services.cli import client


def test_the_generated_pages_are_current():
    assert not list(reference.outdated()), "run: make docs"


def test_a_page_that_was_edited_is_not_current(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "reference")
    monkeypatch.setattr(sys, "argv", ["reference"])
    assert reference.main() == 0
    assert not list(reference.outdated())
    (tmp_path / "reference/events.md").write_text("something else")
    monkeypatch.setattr(sys, "argv", ["reference", "--check"])
    assert list(reference.outdated()) == ["events.md"]
    assert reference.main() == 1


def test_every_exit_status_of_the_command_is_described():
    kinds = (client.Failed, client.Refused, client.Unreachable, client.Unwell)
    assert {kind.status for kind in kinds} <= set(reference.EXIT_STATUS)


def test_every_command_is_described():
    page = (reference.FOLDER / "command.md").read_text()
    for one in command.app.registered_commands:
        assert f"## spacecom {one.name or one.callback.__name__}" in page


def test_every_setting_and_event_says_what_it_means():
    for page in ("settings.md", "events.md"):
        rows = [line for line in (reference.FOLDER / page).read_text().splitlines() if line.startswith("| `")]
        assert rows
        assert not [row for row in rows if row.rstrip("| ").count("|") < 2]
