"""The deployment and the settings of the code say the same."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from ruamel.yaml import YAML

from infra.declare import TopicSettings
from infra.local.mesh import PARTS, UPSTREAM
from infra.migrate import MigrationSettings
from infra.reference import SERVICES

COMPOSE = Path(__file__).parents[2] / "compose/compose.yaml"
POLLING = COMPOSE.with_name("sources.yaml")
SETTINGS: Mapping[str, type[BaseSettings]] = {
    **{name: SERVICES[name.removesuffix("-worker")] for name in PARTS},
    "databases": MigrationSettings,
    "topics": TopicSettings,
}


def environment(name: str) -> dict[str, str]:
    found = YAML(typ="safe").load(COMPOSE)["services"][name].get("environment", {})
    return {key: str(value) for key, value in found.items()}


def variables(kind: type[BaseSettings], *, required: bool) -> set[str]:
    fields = kind.model_fields.items()
    return {f"SPACECOM_{name.upper()}" for name, field in fields if field.is_required() or not required}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_without_a_default_is_set_and_no_unknown_one(name):
    given = set(environment(name))
    assert variables(SETTINGS[name], required=True) <= given
    assert given <= variables(SETTINGS[name], required=False)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_values_are_accepted(name, monkeypatch):
    for variable, value in environment(name).items():
        monkeypatch.setenv(variable, re.sub(r"\$\{[^}]*\}", "given", value))
    SETTINGS[name]()


def test_the_settings_of_polling_are_those_of_ingest_and_suffice(monkeypatch):
    added = YAML(typ="safe").load(POLLING)["services"]["ingest"]["environment"]
    assert set(added) <= variables(SETTINGS["ingest"], required=False)
    for variable, value in (environment("ingest") | added).items():
        monkeypatch.setenv(variable, re.sub(r"\$\{[^}]*\}", "given", value))
    monkeypatch.setenv("SPACECOM_INGEST_SOURCES", json.dumps(["space-track", "discos", "celestrak", "swpc", "iers"]))
    SETTINGS["ingest"]()


def test_the_deployment_runs_what_the_local_mesh_runs():
    services = YAML(typ="safe").load(COMPOSE)["services"]
    assert set(PARTS) == {name for name, one in services.items() if "SPACECOM_RPC_PORT" in one.get("environment", {})}
    assert len({environment(name)["SPACECOM_RPC_PORT"] for name in PARTS}) == len(PARTS)


def test_services_listen_on_the_loopback_they_share_and_find_those_on_their_left_there():
    services = YAML(typ="safe").load(COMPOSE)["services"]
    ports = {name: environment(name)["SPACECOM_RPC_PORT"] for name in PARTS}
    for name in PARTS:
        assert services[name]["network_mode"] == "service:mesh"
        assert environment(name)["SPACECOM_RPC_HOST"] == "127.0.0.1"
        left = json.loads(environment(name).get("SPACECOM_UPSTREAM_ADDRESSES", "{}"))
        assert left == {one: f"127.0.0.1:{ports[one]}" for one in UPSTREAM.get(name.removesuffix("-worker"), ())}


def test_kernels_are_compiled_once_before_who_uses_them_starts():
    services = YAML(typ="safe").load(COMPOSE)["services"]
    folder = next(iter(services["kernels"]["volumes"]))
    for name in PARTS:
        assert folder in services[name]["volumes"]
        assert services[name]["depends_on"]["kernels"] == {"condition": "service_completed_successfully"}
