"""Decisions and pages: complete, short, and true about the files they name."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
LONGEST = 60  # lines: one page
DECISIONS = sorted((CHECKOUT / "adr").glob("[0-9]*.md"))
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "AGENTS.md", "CHANGELOG.md")),
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    *sorted((CHECKOUT / "adr").glob("*.md")),
]
IGNORED = {"compose/.env"}  # by git too
TOP = ("libs/", "services/", "infra/", "proto/", "tests-contract/", "tests-e2e/", "compose/", "docs/", "adr/")


def names(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def test_decisions_are_numbered_without_a_gap():
    assert [path.name[:4] for path in DECISIONS] == [f"{n:04d}" for n in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=names)
def test_a_decision_is_one_page_with_its_five_sections(path):
    text = path.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert len(text.splitlines()) <= LONGEST
    assert all(section.strip() for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])


@pytest.mark.parametrize("path", DECISIONS, ids=names)
def test_what_is_said_to_enforce_it_exists(path):
    enforced = path.read_text().partition("## Enforced by\n")[2]
    for file, test in re.findall(r"`([\w./-]+\.py)(?:::(\w+))?`", enforced):
        assert (CHECKOUT / file).exists(), file
        assert not test or f"def {test}(" in (CHECKOUT / file).read_text(), test


@pytest.mark.parametrize("path", PAGES, ids=names)
def test_every_link_and_every_file_named_leads_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert not [link for link in links if link and not (path.parent / link).exists()]
    named = [name for name in re.findall(r"`([\w./-]+)`", text) if name.startswith(TOP) and name not in IGNORED]
    assert not [name for name in named if not (CHECKOUT / name).exists()]


@pytest.mark.parametrize("path", PAGES, ids=names)
def test_every_make_target_and_command_that_is_named_exists(path):
    targets = set(re.findall(r"^([a-z0-9-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    text = path.read_text()
    assert set(re.findall(r"`make ([a-z0-9-]+)", text)) <= targets
    described = (CHECKOUT / "docs/reference/command.md").read_text()
    for command in re.findall(r"`spacecom ([a-z-]+(?: tail)?)", text):
        assert re.search(rf"^## spacecom {command}\b", described, re.MULTILINE), command
