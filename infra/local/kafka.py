"""One real Apache Kafka node in KRaft mode; its jars come by Maven, once for a machine."""

import fcntl
import hashlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.local import processes
from infra.local.places import CHECKOUT, CannotRun, cache, folder, port, required

SOURCES = CHECKOUT / "infra/kafka"
EXISTING = "or set SPACECOM_KAFKA_BOOTSTRAP to a broker"
START_S = 60.0


@dataclass
class Kafka:
    home: Path
    kept_ports: tuple[int, int] = (0, 0)  # of the broker and the controller
    ports: tuple[int, int] = (0, 0)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.ports[0]}"

    def start(self, output: int | IO[bytes] = subprocess.DEVNULL, tell: Callable[[str], None] = lambda _: None) -> None:
        """Returns when it answers."""
        self.launch(output, tell)
        deadline = time.monotonic() + START_S
        while not self.answers():
            if self.process is None or self.process.poll() is not None:
                raise CannotRun("Kafka ended while starting; its log is with the mesh's")
            if time.monotonic() > deadline:
                self.stop()
                raise CannotRun(f"Kafka did not answer within {START_S:.0f} s; its log is with the mesh's")
            time.sleep(0.05)

    def launch(self, output: int | IO[bytes], tell: Callable[[str], None] = lambda _: None) -> None:
        """Starts the process and does not wait for it."""
        java = required("java", f"install a Java runtime of version 17 or later, {EXISTING}")
        jars = fetched(tell)
        broker, controller = self.ports if any(self.ports) else self.kept_ports
        self.ports = (port(broker), port(controller))
        properties = self._configured()
        if not (self.home / "data/meta.properties").exists():
            self._format(java, jars, properties)
        self.process = processes.spawn(
            [*_java(java, jars), "kafka.Kafka", properties], output=output, cwd=folder(self.home)
        )

    def stop(self) -> None:
        if self.process:
            processes.stop(self.process, signal.SIGTERM, 30.0)

    def _configured(self) -> Path:
        template = (SOURCES / "server.properties").read_text()
        values = {"{port}": self.ports[0], "{controller_port}": self.ports[1], "{data}": self.home / "data"}
        for name, value in values.items():
            template = template.replace(name, str(value))
        path = folder(self.home) / "server.properties"
        path.write_text(template)
        return path

    def _format(self, java: str, jars: Path, properties: Path) -> None:
        tool = [*_java(java, jars), "kafka.tools.StorageTool"]
        cluster = subprocess.run([*tool, "random-uuid"], capture_output=True, check=True).stdout.decode().strip()
        made = subprocess.run(
            [*tool, "format", "--standalone", "-t", cluster, "-c", properties, "--ignore-formatted"],
            capture_output=True,
            check=False,
        )
        if made.returncode:
            raise CannotRun(f"Kafka's storage could not be formatted: {made.stderr.decode(errors='replace').strip()}")

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[0])) == 0


def fetched(tell: Callable[[str], None]) -> Path:
    """Folder of the jars."""
    pom = SOURCES / "pom.xml"
    place = folder(cache()) / f"kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    with (cache() / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            tell("fetching Apache Kafka with Maven (about 43 MB, once)")
            _fetch(pom, place)
    return place


def _fetch(pom: Path, place: Path) -> None:
    maven = required("mvn", f"install Maven 3.8 or later, {EXISTING}")
    work = Path(tempfile.mkdtemp(dir=cache()))
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={work}"]
    got = subprocess.run([maven, "-q", "-B", "-f", pom, *goal], capture_output=True, check=False)
    if got.returncode:
        shutil.rmtree(work)
        said = (got.stdout + got.stderr).decode(errors="replace").strip()
        raise CannotRun(f"Maven could not fetch Apache Kafka; check the network, {EXISTING}: {said[-2000:]}")
    work.chmod(0o755)
    work.rename(place)


def _java(java: str, jars: Path) -> list[str | Path]:
    logging = f"-Dlog4j2.configurationFile={SOURCES / 'log4j2.properties'}"
    return [java, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", logging, "-cp", f"{jars}/*"]
