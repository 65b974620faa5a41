"""What the code looks like as a whole: thin wiring, short functions."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[1]
MAIN_LINES = 60
MEDIAN_LINES = 10


def sources() -> Iterator[Path]:
    for folder in ("libs", "services", "infra"):
        for path in (CHECKOUT / folder).rglob("*.py"):
            if not {"wire", "tests", "node_modules"} & set(path.relative_to(CHECKOUT).parts):
                yield path


def functions() -> Iterator[int]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1


def test_a_services_main_only_wires():
    for path in (CHECKOUT / "services").glob("*/__main__.py"):
        assert len(path.read_text().splitlines()) <= MAIN_LINES, path


def test_half_of_all_functions_have_ten_lines_at_most():
    assert statistics.median(functions()) <= MEDIAN_LINES


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_tests_from_outside_know_no_service():
    """INVARIANT: contracts and flows are tested by what others see. Import-linter does not look into these folders."""
    for folder in ("tests-contract", "tests-e2e"):
        for path in (CHECKOUT / folder).rglob("*.py"):
            own = [name for name in imported(path) if name.split(".")[0] in ("services", "infra")]
            assert all(name.startswith(("infra.local", "infra.wire_comments")) for name in own), path


def test_whoever_adds_a_dependency_adds_it_to_the_lock():
    locked = (CHECKOUT / "requirements.lock").read_text() + (CHECKOUT / "bench.lock").read_text()
    for entries in tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["dependency-groups"].values():
        for entry in entries:
            if isinstance(entry, str):
                assert f"\n{canonicalize_name(Requirement(entry).name)}==" in f"\n{locked}", entry


def test_no_committed_file_names_a_package_registry():
    """INVARIANT: a lock resolves wherever it is installed from. A registry's host in it ties it to one place."""
    tracked = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in (name for name in tracked.splitlines() if name.endswith((".lock", ".npmrc", "package-lock.json"))):
        assert not re.search(r"https?://", (CHECKOUT / name).read_text()), name


def test_kafka_is_consumed_through_one_function():
    """INVARIANT: what is consumed is committed only when handled or parked. The broker's own decorator does neither."""
    users = [path for path in sources() if re.search(r"\.subscriber\(|AIOKafkaConsumer\(", path.read_text())]
    assert [path.relative_to(CHECKOUT).as_posix() for path in users] == ["libs/consume.py"]


def test_no_catalogue_of_others_is_in_the_repository():
    """INVARIANT: element sets are not ours to pass on. A case names the few it is about."""
    tracked = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in (name for name in tracked.splitlines() if "tests" not in name):
        content = (CHECKOUT / name).read_bytes() if (CHECKOUT / name).exists() else b""
        assert len(re.findall(rb"1 [0-9A-Z]\d{4}[UCS] \d{5}\w* +\d{5}\.\d{8} ", content)) <= 10, name


def test_migrations_work_with_the_code_that_runs_while_they_do():
    files = sorted([*CHECKOUT.glob("libs/migrations/*.sql"), *CHECKOUT.glob("services/*/migrations/*.sql")])
    squawk = Path(sys.executable).parent / "squawk"
    done = subprocess.run([squawk, *files], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
