"""What a mesh on this machine is made of: its processes, their settings, its file of addresses."""

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.places import CHECKOUT, folder, home, port
from libs.redistribution import CLASSES

# name -> arguments of the interpreter
PARTS: Mapping[str, tuple[str, ...]] = {
    "ingest": ("-m", "services.ingest"),
    "propagation": ("-m", "services.propagation"),
    "hazard": ("-m", "services.hazard"),
    "hazard-worker": ("-m", "services.hazard", "worker"),
    "alerting": ("-m", "services.alerting"),
}
UPSTREAM = {"propagation": ("ingest",), "hazard": ("ingest", "propagation"), "alerting": ("hazard",)}
PRINCIPALS = {"operator": "ROLE_OPERATOR", "duty-officer": "ROLE_DUTY_OFFICER"}


class NotRunning(Exception):
    """No mesh of this checkout is up."""


@dataclass(frozen=True, slots=True)
class External:
    """Servers that are used instead of embedded ones."""

    postgres_url: str = field(default_factory=lambda: os.environ.get("SPACECOM_POSTGRES_URL", ""))
    postgres_admin_url: str = field(default_factory=lambda: os.environ.get("SPACECOM_POSTGRES_ADMIN_URL", ""))
    kafka_bootstrap: str = field(default_factory=lambda: os.environ.get("SPACECOM_KAFKA_BOOTSTRAP", ""))


@dataclass(frozen=True, slots=True)
class Files:
    """Of one mesh, under its home."""

    home: Path = field(default_factory=home)

    @property
    def addresses(self) -> Path:
        return self.home / "mesh.json"

    @property
    def log(self) -> Path:
        return self.home / "mesh.log"

    @property
    def contracts(self) -> Path:
        return self.home / "contracts.json"

    @property
    def traces(self) -> Path:
        return self.home / "traces.jsonl"

    def token(self, principal: str) -> Path:
        return self.home / f"{principal}.token"


def read(files: Files) -> dict[str, Any]:
    """The file of addresses; raises NotRunning when there is none or its supervisor is gone."""
    try:
        found: dict[str, Any] = json.loads(files.addresses.read_text())
        os.kill(int(found["pid"]), 0)
    except (OSError, ValueError, KeyError) as error:
        raise NotRunning("the mesh is not up; start it with: make up") from error
    return found


def kept(path: Path, make: str) -> str:
    """The secret in a file, made on first use and readable by its owner only."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make)
    return path.read_text()


def ports(files: Files) -> dict[str, int]:
    """The same from run to run as long as nobody else takes them."""
    path = files.home / "ports.json"
    known: dict[str, int] = {}
    with suppress(OSError, ValueError):  # none yet, or cut short
        known = json.loads(path.read_text())
    taken: dict[str, int] = {}
    for name in ("postgres", "kafka", "kafka-controller", *PARTS):
        taken[name] = port(known.get(name, 0))
        while list(taken.values()).count(taken[name]) > 1:
            taken[name] = port()
    path.write_text(json.dumps(taken, indent=2))
    return taken


def write_contracts(files: Files) -> None:
    """One organisation that may see everything, with a token for each principal."""
    principals = [
        {
            "principalId": principal,
            "tokenSha256": hashlib.sha256(kept(files.token(principal), secrets.token_urlsafe(32)).encode()).hexdigest(),
            "roles": [role],
        }
        for principal, role in PRINCIPALS.items()
    ]
    contract = {
        "organisationId": "local",
        "displayName": "This machine",
        "principals": principals,
        "entitlements": {"redistributionClasses": list(CLASSES)},
    }
    files.contracts.write_text(json.dumps({"contracts": [contract]}, indent=2))


def environment(
    files: Files, name: str, taken: Mapping[str, int], postgres_url: str, kafka_bootstrap: str
) -> dict[str, str]:
    """Of one process."""
    service = name.removesuffix("-worker")
    upstream = {one: f"127.0.0.1:{taken[one]}" for one in UPSTREAM.get(service, ())}
    others = {one: f"127.0.0.1:{taken[one]}" for one in PARTS if one not in (name, "hazard-worker")}
    return os.environ | {
        "PYTHONUNBUFFERED": "1",
        "SPACECOM_POSTGRES_URL": postgres_url,
        "SPACECOM_POSTGRES_PASSWORD": service_password(files),
        "SPACECOM_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "SPACECOM_RPC_PORT": str(taken[name]),
        "SPACECOM_CONTRACTS_FILE": str(files.contracts),
        "SPACECOM_BLOBS_URL": os.environ.get("SPACECOM_BLOBS_URL") or folder(files.home / "blobs").as_uri(),
        "SPACECOM_TRACES_FILE": os.environ.get("SPACECOM_TRACES_FILE") or str(files.traces),
        "SPACECOM_UPSTREAM_ADDRESSES": json.dumps(upstream),
        "SPACECOM_RETENTION_LOG_ADDRESSES": json.dumps(others if name == "ingest" else {}),
    }


def service_password(files: Files) -> str:
    return os.environ.get("SPACECOM_POSTGRES_PASSWORD") or kept(
        files.home / "service-password", secrets.token_urlsafe(24)
    )


def command(name: str) -> list[str]:
    return [sys.executable, *PARTS[name]]


def checkout() -> Path:
    return CHECKOUT
