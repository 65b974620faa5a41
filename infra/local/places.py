"""Where the embedded mesh keeps what it needs: outside the checkout, where an unprivileged user can reach it."""

import hashlib
import os
import pwd
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
UNPRIVILEGED = "nobody"  # Postgres refuses to run as root; no user of the host is made or changed
PORTS = range(20_000, 32_768)  # below the first that Linux gives to connections


class CannotRun(Exception):
    """Something outside the checkout is missing; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs Postgres; None means whoever runs this."""

    uid: int | None
    gid: int | None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def unprivileged() -> Account:
    if os.geteuid() != 0:
        return Account(None, None)
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise CannotRun(
            f"Postgres cannot run as root and there is no user {UNPRIVILEGED!r}; "
            "run this as another user, or set SPACECOM_POSTGRES_URL to a server"
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)


def base() -> Path:
    return Path("/var/lib/spacecom") if os.geteuid() == 0 else Path.home() / ".local/state/spacecom"


def home() -> Path:
    """State of this checkout's mesh."""
    named = os.environ.get("SPACECOM_HOME")
    return Path(named) if named else base() / hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]


def cache() -> Path:
    """What any mesh on this machine may share: binaries, jars."""
    return base() / "cache"


def folder(path: Path, mode: int = 0o755) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    return path


def required(program: str, what_to_do: str) -> str:
    found = shutil.which(program)
    if not found:
        raise CannotRun(f"{program} was not found; {what_to_do}")
    return found


def port(kept: int = 0) -> int:
    """The kept port while it is free, else any free one; below those that connections take, if there is."""
    below = [secrets.choice(PORTS) for _ in range(20)]
    for wanted in (*([kept] if kept else []), *below, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotRun("no port of the loopback interface is free")
