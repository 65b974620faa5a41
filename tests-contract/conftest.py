"""What the contracts speak of: golden facts, and the wire as its files have it."""

import importlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import symbol_database

from infra import wire_comments

for package in ("ingest", "propagation", "hazard", "alerting"):
    importlib.import_module(f"spacecom.{package}.v1.{package}_events_pb2")


@dataclass(frozen=True)
class Golden:
    full_name: str
    name: str
    message: dict[str, Any]
    wire: bytes

    @property
    def kind(self) -> Any:
        return symbol_database.Default().GetSymbol(self.full_name)


def goldens() -> list[Golden]:
    found = []
    for path in sorted((Path(__file__).parent / "golden").glob("*.json")):
        content = json.loads(path.read_text())
        found.append(
            Golden(re.sub(r"\.\d+$", "", path.stem), path.stem, content["message"], bytes.fromhex(content["wire"]))
        )
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "golden" in metafunc.fixturenames:
        metafunc.parametrize("golden", goldens(), ids=lambda golden: golden.name)


@pytest.fixture(scope="session")
def messages() -> list[wire_comments.Message]:
    return wire_comments.event_messages()


@pytest.fixture(scope="session")
def event_types(messages) -> set[str]:
    return {message.full_name for message in messages if message.is_event}


@pytest.fixture(scope="session")
def golden_types() -> set[str]:
    return {golden.full_name for golden in goldens()}


@pytest.fixture(scope="session")
def newest_goldens() -> dict[str, Golden]:
    """Of each type the file with the highest number: what is recorded today."""
    found = sorted(goldens(), key=lambda one: (len(one.name), one.name))
    return {one.full_name: one for one in found}
