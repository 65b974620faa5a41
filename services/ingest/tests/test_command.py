"""The commands `spacecom catalogue` and `spacecom sources` against the real server."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from infra.local.testing import settings_of
from libs import contracts, rpc
from libs.eventlog import Cause, new_id
from libs.service import ServiceSettings
from services.ingest import freshness, source_states
from services.ingest import rpc as ingest_rpc
from services.ingest.domain import SourceProblem
from services.ingest.policies import POLICIES
from services.ingest.tests import cases, rows
from spacecom.identity.v1 import identity_contracts_pb2 as identity

SPACECOM = Path(sys.executable).parent / "spacecom"


@pytest.fixture
async def spacecom(gate, submit):
    await submit(cases.FIRST.encode(), source="celestrak")
    await submit(rows.discos(), source="discos")
    token = hashlib.sha256(b"secret").hexdigest()
    principal = identity.Principal(principal_id="anna", token_sha256=token, roles=[identity.ROLE_OPERATOR])
    known = contracts.directory(identity.Contracts(contracts=[identity.Contract(principals=[principal])]))
    settings = settings_of(ServiceSettings)
    server = rpc.Server(settings, known, add=[ingest_rpc.register(gate)], errors=ingest_rpc.ERRORS)
    await server.start()
    environment = os.environ | {
        "SPACECOM_INGEST_ADDRESS": f"127.0.0.1:{server.port}",
        "SPACECOM_TOKEN": "secret",
    }

    async def run(*arguments: str, status: int = 0, group: str = "catalogue") -> str:
        command = [SPACECOM, group, *arguments]
        done = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    yield run
    await server.stop()


async def test_objects_are_found_and_shown_with_their_sources(spacecom):
    assert [one["catalogue_number"] for one in json.loads(await spacecom("list", "cz-5b", "--json"))] == [54217]
    assert json.loads(await spacecom("list", "nothing", "--json")) == []
    assert "20000" in await spacecom("list", "--type", "rocket-body")
    shown = await spacecom("show", "54217")
    assert "20000.5" in shown
    assert "discos" in shown


async def test_an_object_is_entered_corrected_taken_out_and_its_history_kept(spacecom):
    reason = ("--reason", "ours")
    made = json.loads(
        await spacecom("create", "7", *reason, "--set", "object_name=MY SAT", "--set", "mass_kg=5", "--json")
    )
    assert (made["etag"], made["description"]["mass_kg"]) == ("1", 5.0)
    changed = json.loads(await spacecom("edit", "7", *reason, "--set", "type=debris", "--set", "mass_kg=", "--json"))
    assert changed["description"]["type"] == "OBJECT_TYPE_DEBRIS"
    assert "mass_kg" not in changed["description"]
    assert "not known" in await spacecom("show", "7")
    await spacecom("retire", "7", *reason)
    assert "taken out" in await spacecom("show", "7")
    history = json.loads(await spacecom("history", "7", "--json"))
    assert [one["etag"] for one in history["revisions"]] == ["1", "2", "3"]
    assert "operator/anna" in await spacecom("history", "7")


async def test_refusals_say_what_to_do(spacecom):
    assert "read it again" in await spacecom(
        "edit", "54217", "--reason", "x", "--etag", "1", "--set", "owner=X", status=1
    )
    assert "field=value" in await spacecom("create", "7", "--reason", "x", "--set", "colour=red", status=1)
    assert "cannot be read" in await spacecom("create", "7", "--reason", "x", "--set", "mass_kg=heavy", status=1)
    assert "not in the catalogue" in await spacecom("show", "8", status=1)


async def test_sources_are_shown_with_their_age_and_what_they_harm_and_resumed(spacecom, gate, submit):
    sources = partial(spacecom, group="sources")
    await submit(b"<html>", source="broken")
    failed = freshness.Failed(datetime.now(UTC), SourceProblem.REFUSED, "it answered 403 Forbidden", halted=True)
    policy = POLICIES["celestrak-gp"]
    cause = Cause(new_id(), None, "")
    await source_states.change(gate.pool, gate.log, policy.name, failed, policy.expected, cause)
    shown = await sources()
    assert shown == await sources("list")
    assert "halted" in next(line for line in shown.splitlines() if line.startswith("celestrak-gp"))
    assert "decay prediction" in shown
    listed = {one["source"]: one for one in json.loads(await sources("list", "--json"))["sources"]}
    assert listed["broken"]["state"] == "SOURCE_STATE_FAILED"
    assert "not halted" in await sources("resume", "broken", "--reason", "x", status=1)
    assert "no source of this name" in await sources("resume", "nobody", "--reason", "x", status=1)
    assert "polled again" in await sources("resume", "celestrak-gp", "--reason", "wrote to them")
    listed = {one["source"]: one for one in json.loads(await sources("list", "--json"))["sources"]}
    assert not listed["celestrak-gp"]["halted"]
    assert listed["celestrak-gp"]["reason"] == "resumed by anna: wrote to them; it is polled at once"
