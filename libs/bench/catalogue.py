"""B13: a whole catalogue through ingest as it runs: gRPC, gate, log, read models, relay; a process, Postgres and Kafka.

The records are made up, as Space-Track writes them: of distinct objects, valid, with the two lines beside the numbers.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL, check_call

import asyncpg
import grpc
import numpy as np

from infra.local import mesh, processes
from infra.local.kafka import Kafka
from infra.local.places import CHECKOUT, folder
from infra.local.postgres import Postgres
from libs.bench.harness import OURS, Outcome
from spacecom.ingest.v1 import ingest_service_pb2 as pb
from spacecom.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub

OBJECTS = 70_000
FIRST_NUMBER = 100_000
LIMIT_S, AIM_S = 60.0, 20.0
LIMIT_MIB = 500.0
CHUNK = 2**19
SAMPLE_S = 0.05
PUBLISHED_S = 300.0
_DEAD = ("CREATION_DATE", "TLE_LINE0", "TLE_LINE1", "TLE_LINE2")


@dataclass(frozen=True, slots=True)
class Round:
    """One submission: what was answered, how long it took, the most memory that service and worker held."""

    answer: pb.SubmitResponse
    seconds: float
    peak_mib: float


def ingested() -> Outcome:
    epoch = datetime(2025, 3, 1)  # noqa: DTZ001  written without a zone, as the publisher does
    first = as_json(records(OBJECTS, epoch))
    files = {
        "JSON": first,
        "JSON again": first,
        "CSV, a day on": as_csv(records(OBJECTS, epoch + timedelta(days=1))),
    }
    with (
        tempfile.TemporaryDirectory(prefix="spacecom-bench-", ignore_cleanup_errors=True) as place,
        servers(Path(place)) as started,
        started.serving() as service,
    ):
        rounds = {name: service.submit(data) for name, data in files.items()}
        published_s = service.published_s()
        stored = asyncio.run(service.stored())
    return _outcome(files, rounds, stored, published_s)


def _outcome(
    files: Mapping[str, bytes], rounds: Mapping[str, Round], stored: Mapping[str, int], published_s: float
) -> Outcome:
    accounted = all(
        one.answer.accepted_count + one.answer.duplicate_count + one.answer.rejected_count == OBJECTS
        for one in rounds.values()
    )
    accepted = sum(one.answer.accepted_count for one in rounds.values())
    whole = accounted and accepted == stored["facts"] == stored["rows"] == 2 * OBJECTS
    slowest = max(one.seconds for one in rounds.values())
    peak = max(one.peak_mib for one in rounds.values())
    return Outcome(
        case="B13",
        title=f"{OBJECTS:,} OMM read, checked, recorded, projected, on {len(os.sched_getaffinity(0))} cores",
        unit="sets/s",
        rates={f"{OURS}, {name}": OBJECTS / one.seconds for name, one in rounds.items()},
        must=(),
        gate=f"slowest {slowest:.1f} s (<= {LIMIT_S:.0f}, aim {AIM_S:.0f}), {peak:.0f} MiB (<= {LIMIT_MIB:.0f}), "
        f"{accepted} accepted, {stored['facts']} facts, {stored['rows']} rows, {stored['twice']} twice",
        gate_ok=slowest <= LIMIT_S and peak <= LIMIT_MIB and whole and not stored["twice"],
        compile_s=0.0,
        notes=[
            *(_told(name, len(files[name]), one) for name, one in rounds.items()),
            f"the relay had the last of it in Kafka {published_s:.1f} s after the last answer",
        ],
    )


def _told(name: str, size: int, one: Round) -> str:
    said = one.answer
    return (
        f"{name}: {size / 2**20:.0f} MiB in {one.seconds:.1f} s, {one.peak_mib:.0f} MiB at most; {said.accepted_count} "
        f"accepted, {said.duplicate_count} duplicate, {said.rejected_count} refused"
    )


def records(count: int, epoch: datetime) -> Iterator[dict[str, str]]:
    rng = np.random.default_rng(13)
    for number in range(FIRST_NUMBER, FIRST_NUMBER + count):
        draws = rng.random(9)
        at = epoch - timedelta(seconds=float(draws[0]) * 43200.0)
        yield {
            "CCSDS_OMM_VERS": "3.0",
            "COMMENT": "GENERATED VIA SPACE-TRACK.ORG API",
            "CREATION_DATE": (at + timedelta(hours=6)).isoformat(timespec="seconds"),
            "ORIGINATOR": "18 SPCS",
            "OBJECT_NAME": f"OBJECT {number}",
            "OBJECT_ID": f"{1960 + number % 60}-{number % 900 + 1:03d}A",
            "CENTER_NAME": "EARTH",
            "REF_FRAME": "TEME",
            "TIME_SYSTEM": "UTC",
            "MEAN_ELEMENT_THEORY": "SGP4",
            "EPOCH": at.isoformat(timespec="microseconds"),
            "MEAN_MOTION": f"{12.0 + 3.0 * draws[1]:.8f}",
            "ECCENTRICITY": f"{0.02 * draws[2]:.8f}",
            "INCLINATION": f"{180.0 * draws[3]:.4f}",
            "RA_OF_ASC_NODE": f"{360.0 * draws[4]:.4f}",
            "ARG_OF_PERICENTER": f"{360.0 * draws[5]:.4f}",
            "MEAN_ANOMALY": f"{360.0 * draws[6]:.4f}",
            "EPHEMERIS_TYPE": "0",
            "CLASSIFICATION_TYPE": "U",
            "NORAD_CAT_ID": str(number),
            "ELEMENT_SET_NO": "999",
            "REV_AT_EPOCH": str(number % 99999),
            "BSTAR": f"{0.001 * draws[7]:.14f}",
            "MEAN_MOTION_DOT": f"{0.0001 * draws[8]:.8f}",
            "MEAN_MOTION_DDOT": "0.0000000000000",
            "SEMIMAJOR_AXIS": "6870.123",
            "PERIOD": "94.512",
            "APOAPSIS": "495.321",
            "PERIAPSIS": "488.654",
            "OBJECT_TYPE": "DEBRIS",
            "RCS_SIZE": "SMALL",
            "COUNTRY_CODE": "US",
            "LAUNCH_DATE": "2019-05-24",
            "SITE": "AFETR",
            "DECAY_DATE": "",
            "FILE": "4523456",
            "GP_ID": str(200_000_000 + number),
            "TLE_LINE0": f"0 OBJECT {number}",
            "TLE_LINE1": "1 A0000U 60001A   25060.00000000  .00000000  00000-0  00000-0 0  9990",
            "TLE_LINE2": "2 A0000  51.6400 208.9163 0006703  69.9862 290.2553 15.50000000123456",
        }


def as_json(rows: Iterator[dict[str, str]]) -> bytes:
    return ("[" + ",".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]").encode()


def as_csv(rows: Iterator[dict[str, str]]) -> bytes:
    lines: list[str] = []
    for row in rows:
        kept = {key: value for key, value in row.items() if key not in _DEAD}
        if not lines:
            lines.append(",".join(kept))
        lines.append(",".join(kept.values()))
    return "\n".join(lines).encode()


@dataclass(frozen=True, slots=True)
class Service:
    """The ingest process, and how to reach it and its database."""

    pid: int
    address: str
    token: str
    database_url: str

    def submit(self, data: bytes) -> Round:
        """Raises grpc.RpcError."""
        peak = _Peak(self.pid)
        with grpc.insecure_channel(self.address) as channel:
            parts = [pb.SubmitRequest(chunk=data[at : at + CHUNK]) for at in range(0, len(data), CHUNK)]
            parts.insert(0, pb.SubmitRequest(header=pb.SubmitHeader(source="bench")))
            started = time.perf_counter()
            metadata = (("authorization", f"Bearer {self.token}"),)
            call = IngestServiceStub(channel).Submit.future(iter(parts), timeout=600.0, metadata=metadata)
            while not call.done():
                peak.sample()
                time.sleep(SAMPLE_S)
            return Round(call.result(), time.perf_counter() - started, peak.mib)

    def published_s(self) -> float:
        started = time.perf_counter()
        asyncio.run(self._published())
        return time.perf_counter() - started

    async def _published(self) -> None:
        conn = await asyncpg.connect(self.database_url)
        try:
            async with asyncio.timeout(PUBLISHED_S):
                behind = "SELECT (SELECT max(position) FROM events) > (SELECT position FROM relay)"
                while await conn.fetchval(behind):  # noqa: ASYNC110  the cursor of another process
                    await asyncio.sleep(0.05)
        finally:
            await conn.close()

    async def stored(self) -> dict[str, int]:
        conn = await asyncpg.connect(self.database_url)
        try:
            kind = "spacecom.ingest.v1.ElementSetAccepted"
            return {
                "facts": await conn.fetchval("SELECT count(*) FROM events WHERE type = $1", kind),
                "rows": await conn.fetchval("SELECT count(*) FROM element_sets"),
                "twice": await conn.fetchval(
                    """SELECT count(*) FROM (SELECT FROM events WHERE type = $1
                       GROUP BY stream, data HAVING count(*) > 1) AS repeated""",
                    kind,
                ),
            }
        finally:
            await conn.close()


class _Peak:
    """The most that a process and its children held at once, shared pages counted once."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.mib = 0.0

    def sample(self) -> None:
        self.mib = max(self.mib, sum(_proportional_mib(pid) for pid in [self._pid, *_children(self._pid)]))


def _children(pid: int) -> list[int]:
    try:
        own = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []
    return own + [further for one in own for further in _children(one)]


def _proportional_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024.0


@dataclass(frozen=True, slots=True)
class Servers:
    """What ingest needs, and its settings."""

    env: Mapping[str, str]
    files: mesh.Files
    admin_url: str

    @contextmanager
    def serving(self) -> Iterator[Service]:
        """Once it answers."""
        address = f"127.0.0.1:{self.env['SPACECOM_RPC_PORT']}"
        with self.files.log.open("ab") as output:
            process = processes.spawn(mesh.command("ingest"), output=output, env=self.env, cwd=CHECKOUT)
        try:
            with grpc.insecure_channel(address) as channel:
                grpc.channel_ready_future(channel).result(timeout=60)
            url = self.admin_url.removesuffix("/postgres") + "/spacecom_ingest"
            yield Service(process.pid, address, self.files.token("operator").read_text(), url)
        finally:
            processes.stop(process, signal.SIGTERM, 30.0)


@contextmanager
def servers(home: Path) -> Iterator[Servers]:
    home.chmod(0o711)  # the unprivileged user of Postgres passes through
    database, broker = Postgres(folder(home / "postgres")), Kafka(home / "kafka")
    database.start()
    broker.start()
    files = mesh.Files(home)
    mesh.write_contracts(files)
    env = mesh.environment(files, "ingest", mesh.ports(files), database.url, broker.bootstrap)
    try:
        for prepare in ("infra.migrate", "infra.declare"):
            owner = {"SPACECOM_POSTGRES_ADMIN_URL": database.admin_url}
            check_call([sys.executable, "-m", prepare], cwd=CHECKOUT, env=env | owner, stdout=DEVNULL)  # noqa: S603
        yield Servers(env, files, database.admin_url)
    finally:
        broker.stop()
        database.stop()
