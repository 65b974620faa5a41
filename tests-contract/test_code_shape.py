"""What the code looks like as a whole: thin wiring, short functions."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

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
