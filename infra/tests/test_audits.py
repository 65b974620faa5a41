import subprocess

import pytest

from infra import audit, leaks, licences
from infra.audit import Findings


@pytest.mark.parametrize(
    ("stated", "in_images", "as_tool"),
    [
        ("MIT", True, True),
        ("Apache Software License; MIT License", True, True),
        ("Apache-2.0 OR BSD-2-Clause", True, True),
        ("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", True, True),
        ("DFSG approved; MIT License", True, True),
        ("MIT OR GPL-3.0-only", True, True),
        ("Mozilla Public License 2.0 (MPL 2.0)", False, True),
        ("MIT AND GPL-2.0-or-later", False, False),
        ("GNU General Public License v3 (GPLv3)", False, False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False, False),
        ("MIT License; GNU General Public License v2 (GPLv2)", False, False),
        ("CC-BY-NC-4.0", False, False),
        ("UNKNOWN", False, False),
        ("", False, False),
    ],
)
def test_a_licence_is_allowed_where_it_asks_for_nothing_we_do_not_give(stated, in_images, as_tool):
    assert licences.allowed(stated, licences.RUN) is in_images
    assert licences.allowed(stated, licences.TOOL) is as_tool


def test_what_may_be_a_tool_may_not_go_into_an_image():
    assert not licences.refused([("hypothesis", "MPL-2.0")], run_time=set())
    assert licences.refused([("hypothesis", "MPL-2.0")], run_time={"hypothesis"})


def test_what_an_image_requires_is_followed_to_its_end():
    held = licences.shipped({name: ["pytest"] if name == "cli" else [] for name in licences.IMAGES})
    assert {"pytest", "pluggy", "iniconfig"} <= held
    assert "ruff" not in held


def test_a_known_hole_fails_and_what_was_not_looked_up_is_said():
    report = {
        "dependencies": [
            {"name": "one", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1"}]},
            {"name": "two", "version": "2.0", "vulns": []},
            {"name": "three", "skip_reason": "not found"},
        ]
    }
    found = audit.of_pip_audit(report, "a.lock")
    assert found.holes == ["a.lock: one 1.0: PYSEC-2026-1"]
    assert found.unchecked == ["a.lock: 1 of 3 packages; not found, and so on"]


def test_an_answer_of_npm_without_a_report_is_no_clean_bill():
    assert audit.of_npm_audit({"message": "405"}, "x").unchecked == ["x: 405"]
    assert audit.of_npm_audit({"vulnerabilities": {"y": {"severity": "high"}}}, "x").holes == ["x: y: high"]


@pytest.mark.parametrize(
    ("found", "in_ci", "status"),
    [
        (Findings(), True, 0),
        (Findings(holes=["one"]), False, 1),
        (Findings(unchecked=["one"]), False, 0),
        (Findings(unchecked=["one"]), True, 1),
    ],
)
def test_where_it_counts_what_was_not_checked_is_not_passed(found, in_ci, status):
    """INVARIANT: no green pipeline without a look-up."""
    assert audit.status([found], in_ci=in_ci) == status


def test_a_secret_is_found_until_it_is_noted_wherever_its_line_moves(tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    file = tmp_path / "settings.py"
    file.write_text(f'password = "{"hunter" + "2-of-nobody"}"\n')
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    found = leaks.scan(tmp_path)
    assert len(leaks.unknown(found, {"results": {}})) == 1
    file.write_text(f"# a line more\n{file.read_text()}")
    assert not leaks.unknown(leaks.scan(tmp_path), leaks.accepted(found))
