"""Looks for published holes in the locked packages: `python -m infra.audit`.

Exit status: 0 none found · 1 some found, or, where CI is set, something could not be checked.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "bench.lock")
NPM_FOLDERS = ("infra/buf",)


@dataclass
class Findings:
    holes: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def of_pip_audit(report: dict[str, Any], lock: str) -> Findings:
    """What a report of pip-audit comes to: it skips what its vulnerability service does not answer for."""
    found = Findings()
    skipped = [one for one in report["dependencies"] if "skip_reason" in one]
    for one in report["dependencies"]:
        found.holes += [f"{lock}: {one['name']} {one['version']}: {hole['id']}" for hole in one.get("vulns", ())]
    if skipped:
        total = len(report["dependencies"])
        found.unchecked.append(f"{lock}: {len(skipped)} of {total} packages; {skipped[0]['skip_reason']}, and so on")
    return found


def of_npm_audit(report: dict[str, Any], folder: str) -> Findings:
    if "vulnerabilities" not in report:
        return Findings(unchecked=[f"{folder}: {report.get('message') or 'the registry did not answer'}"])
    return Findings(holes=[f"{folder}: {name}: {one['severity']}" for name, one in report["vulnerabilities"].items()])


def _pip(lock: str) -> Findings:
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        command = [f"{Path(sys.executable).parent}/pip-audit", "--require-hashes", "--disable-pip", "--format=json"]
        options = ["--progress-spinner=off", f"--output={report}", f"--requirement={ROOT / lock}"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if not report.exists():
            said = (done.stderr.strip().splitlines() or ["no report"])[-1]
            return Findings(unchecked=[f"{lock}: {said}"])
        return of_pip_audit(json.loads(report.read_text()), lock)


def _npm(folder: str) -> Findings:
    npm = shutil.which("npm")
    if npm is None:
        return Findings(unchecked=[f"{folder}: npm is not installed"])
    command = [npm, "audit", "--json", "--package-lock-only", f"--prefix={ROOT / folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return of_npm_audit(json.loads(done.stdout), folder)
    except ValueError:
        return Findings(unchecked=[f"{folder}: npm audit gave no report"])


def status(found: list[Findings], *, in_ci: bool) -> int:
    holes = [hole for one in found for hole in one.holes]
    unchecked = [what for one in found for what in one.unchecked]
    return 1 if holes or (in_ci and unchecked) else 0


def main() -> int:
    found = [*map(_pip, LOCKS), *map(_npm, NPM_FOLDERS)]
    for one in found:
        for hole in one.holes:
            print(f"known hole: {hole}", file=sys.stderr)
        for what in one.unchecked:
            print(f"NOT CHECKED: {what}", file=sys.stderr)
    holes = sum(len(one.holes) for one in found)
    print(f"known holes: {holes}" + (", as far as could be checked" if any(one.unchecked for one in found) else ""))
    return status(found, in_ci=bool(os.environ.get("CI")))


if __name__ == "__main__":
    sys.exit(main())
