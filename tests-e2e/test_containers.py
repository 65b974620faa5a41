"""The same flow on servers of others: a test's own, and the images of the deployment where a Docker engine is found."""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from ruamel.yaml import YAML
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from infra.local.places import port

pytestmark = pytest.mark.xdist_group("apart")

COMPOSE = Path(__file__).parents[1] / "compose/compose.yaml"
BROKER_PORT, DATABASE_PORT = 9092, 5432
STARTS_S = 180


def needs_engine() -> None:
    place = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    local = place.scheme == "unix"
    with socket.socket(socket.AF_UNIX if local else socket.AF_INET) as probe:
        probe.settimeout(2.0)
        if probe.connect_ex(place.path if local else (place.hostname, place.port)):
            pytest.skip("no Docker engine: the images of the deployment were not run")


def deployed(name: str, changed: Mapping[str, Any]) -> DockerContainer:
    """The container of the deployment's own description, with what differs here."""
    described = YAML(typ="safe").load(COMPOSE)["services"][name]
    container = DockerContainer(described["image"])
    for variable, value in (described["environment"] | changed).items():
        container.with_env(variable, str(value))
    return container


@pytest.fixture(scope="module")
def database() -> Iterator[tuple[str, str]]:
    needs_engine()
    password = secrets.token_urlsafe(16)
    container = deployed("postgres", {"POSTGRES_PASSWORD": password}).with_exposed_ports(DATABASE_PORT)
    with container as running:
        place = f"{running.get_container_host_ip()}:{running.get_exposed_port(DATABASE_PORT)}"
        admin_url = f"postgresql://spacecom_owner:{password}@{place}/postgres"
        asyncio.run(wait_for(admin_url))
        yield f"postgresql://{place}", admin_url


async def wait_for(admin_url: str) -> None:
    """While it is being made it says it is ready too, to itself: only a connection from outside tells."""
    async with asyncio.timeout(STARTS_S):
        while True:
            try:
                conn = await asyncpg.connect(admin_url, timeout=5.0)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.5)
            else:
                await conn.close()
                return


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    needs_engine()
    outside = f"{DockerClient().host()}:{port()}"
    listening = {
        "KAFKA_LISTENERS": f"BROKER://:{BROKER_PORT},CONTROLLER://localhost:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"BROKER://{outside}",
    }
    container = deployed("kafka", listening).with_bind_ports(BROKER_PORT, int(outside.rpartition(":")[2]))
    ready = LogMessageWaitStrategy("Kafka Server started")
    with container.waiting_for(ready.with_startup_timeout(STARTS_S)):
        yield outside


@pytest.fixture(scope="module", params=["of the test", "in containers"])
def external(request) -> dict[str, str]:
    if request.param == "in containers":
        (url, admin_url), bootstrap = request.getfixturevalue("database"), request.getfixturevalue("broker")
    else:
        server = request.getfixturevalue("postgres_server")
        url, admin_url, bootstrap = server.url, server.admin_url, request.getfixturevalue("kafka").bootstrap
    return {
        "SPACECOM_POSTGRES_URL": url,
        "SPACECOM_POSTGRES_ADMIN_URL": admin_url,
        "SPACECOM_KAFKA_BOOTSTRAP": bootstrap,
    }


async def test_the_flow_runs_on_servers_of_others(external, start_mesh, tmp_path_factory):
    home = tmp_path_factory.mktemp("external")
    with start_mesh(home, **external) as mesh:
        assert mesh.spacecom("demo")["checks"]["passed"]
        assert mesh.addresses["kafka"] == external["SPACECOM_KAFKA_BOOTSTRAP"]
        assert not [path for path in (home / "postgres", home / "kafka") if path.exists()]
    owner = external["SPACECOM_POSTGRES_ADMIN_URL"].removesuffix("/postgres")
    conn = await asyncpg.connect(f"{owner}/spacecom_alerting")
    try:
        assert await conn.fetchval("SELECT count(*) FROM events") > 0
    finally:
        await conn.close()


async def test_the_deployments_postgres_offers_what_later_tables_use(database):
    conn = await asyncpg.connect(database[1])
    try:
        offered = {row["name"] for row in await conn.fetch("SELECT name FROM pg_available_extensions")}
    finally:
        await conn.close()
    assert {"postgis", "timescaledb"} <= offered
