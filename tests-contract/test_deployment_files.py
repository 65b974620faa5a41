"""The files that others read: GitLab's pipeline, the compose file, hooks, the list of targets."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

CHECKOUT = Path(__file__).parents[1]
SCHEMA = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema"]
ONE_SHOT = {"databases", "topics", "kernels", "cli"}
NO_SHELL = {"otel"}  # its image holds nothing that could probe it


def checked(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*SCHEMA, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)


def load(name: str):
    return YAML(typ="safe").load(CHECKOUT / name)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))


def test_the_pipeline_fits_gitlabs_schema():
    done = checked("vendor.gitlab-ci", "--data-transform", "gitlab-ci", ".gitlab-ci.yml")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", ["compose/compose.yaml", "compose/sources.yaml"])
def test_the_deployment_fits_the_compose_schema(file):
    done = checked("vendor.compose-spec", file)
    assert done.returncode == 0, done.stdout


def test_every_job_of_the_pipeline_calls_make_targets_that_exist():
    pipeline = load(".gitlab-ci.yml")
    jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "stage" in job}
    assert {job["stage"] for job in jobs.values()} == set(pipeline["stages"])
    for name, job in jobs.items():
        called = [line.split()[1] for line in job["script"] if line.startswith("make ")]
        assert called, name
        assert set(called) <= targets()


def test_hooks_fetch_nothing():
    assert [repo["repo"] for repo in load(".pre-commit-config.yaml")["repos"]] == ["local"]


def test_every_target_that_is_listed_exists_and_says_what_it_does():
    done = subprocess.run(["make", "-s", "help"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert listed <= targets()
    assert {"demo", "test", "check", "unit", "contract", "e2e", "audit", "docs", "images", "up", "down"} <= listed


@pytest.mark.parametrize("name", sorted(load("compose/compose.yaml")["services"]))
def test_a_container_has_an_exact_tag_a_memory_limit_a_restart_policy_and_a_health_check(name):
    one = load("compose/compose.yaml")["services"][name]
    assert re.search(r":[\w.-]*\d+\.\d+[\w.-]*$", one["image"])
    assert "mem_limit" in one
    assert "restart" in one
    assert "healthcheck" in one or name in ONE_SHOT | NO_SHELL


def test_no_port_is_published_and_no_secret_has_a_default():
    """INVARIANT: servers are reached over loopback only. A published port or a default password would open the mesh."""
    content = load("compose/compose.yaml")
    assert not [name for name, one in content["services"].items() if "ports" in one]
    assert content["networks"]["inside"]["internal"] is True
    text = (CHECKOUT / "compose/compose.yaml").read_text()
    for secret in re.findall(r"\$\{(\w*(?:PASSWORD|CONTRACTS)\w*)([^}]*)\}", text):
        assert secret[1].startswith(":?"), secret


def test_polling_adds_a_way_out_and_no_way_in():
    """INVARIANT: with the file for polling, too, nothing outside reaches a server, Postgres or Kafka."""
    base, polling = load("compose/compose.yaml"), load("compose/sources.yaml")
    assert base["services"]["ingest"]["network_mode"] == "service:mesh"
    assert polling["services"]["mesh"] == {"networks": ["inside", "outside"]}
    assert set(polling["services"]) == {"mesh", "ingest"}
    assert set(polling["services"]["ingest"]) == {"environment"}
    assert polling["networks"] == {"outside": {}}
    assert [name for name, one in base["services"].items() if "outside" in one.get("networks", [])] == []
