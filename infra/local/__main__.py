"""`python -m infra.local up [--foreground] | down | status | logs`: the mesh on this machine."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from infra.local import mesh
from infra.local.mesh import Files, NotRunning
from infra.local.places import CannotRun, folder
from infra.local.supervisor import Supervisor

READY_S = 300.0
DOWN_S = 60.0


def up(tell: Callable[[str], None] = print) -> None:
    """Returns when every service is ready; raises CannotRun."""
    files = Files()
    if not _is_up(files):
        _spawn(files)
    log = files.log.open(errors="replace")
    with log:
        deadline = time.monotonic() + READY_S
        while True:
            for line in log:
                if line.startswith("mesh "):
                    tell(line.partition("| ")[2].rstrip())
            found = _read(files)
            if found and found["ready"]:
                return
            if not found and not _is_up(files):
                raise CannotRun(f"the mesh ended while starting; its log is {files.log}")
            if time.monotonic() > deadline:
                raise CannotRun(f"the mesh is not ready after {READY_S:.0f} s; its log is {files.log}")
            time.sleep(0.1)


def down(tell: Callable[[str], None] = print) -> None:
    """Stops it and waits until it is gone."""
    files = Files()
    pid = _pid(files)
    if pid is None:
        tell("the mesh is not up")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_S
    while _is_up(files):
        if time.monotonic() > deadline:
            raise CannotRun(f"the mesh (process {pid}) did not stop within {DOWN_S:.0f} s")
        time.sleep(0.1)
    tell("the mesh is down; its data is kept")


def _spawn(files: Files) -> None:
    folder(files.home)
    files.addresses.unlink(missing_ok=True)
    with files.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local", "up", "--foreground"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=mesh.checkout(),
            start_new_session=True,
        )
    (files.home / "pid").write_text(str(process.pid))


def _pid(files: Files) -> int | None:
    try:
        pid = int((files.home / "pid").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return None if _is_zombie(pid) else pid


def _is_zombie(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return True
    return False


def _is_up(files: Files) -> bool:
    return _pid(files) is not None


def _read(files: Files) -> dict[str, object] | None:
    try:
        return mesh.read(files)
    except NotRunning:
        return None


def _foreground(parts: Sequence[str]) -> int:
    files = Files()
    folder(files.home)
    (files.home / "pid").write_text(str(os.getpid()))
    return Supervisor(files, parts).run()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="The mesh on this machine.")
    parser.add_argument("action", choices=("up", "down", "status", "logs"))
    parser.add_argument("--foreground", action="store_true", help="stay, with the logs on the terminal")
    parser.add_argument(
        "--part", action="append", choices=mesh.PARTS, help="with --foreground: this part alone, or these"
    )
    given = parser.parse_args()
    try:
        if given.action == "up" and given.foreground:
            return _foreground(given.part or tuple(mesh.PARTS))
        if given.action == "up":
            up()
        elif given.action == "down":
            down()
        elif given.action == "logs":
            subprocess.run(["tail", "-n", "+1", "-f", Files().log], check=False)
        else:
            print("up" if _is_up(Files()) else "down")
    except CannotRun as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
