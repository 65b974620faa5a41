"""Judges the licence of every installed distribution: `python -m infra.licences`.

What goes into an image may carry a licence of RUN only; tools that never leave a developer's machine or CI may carry
one of TOOL too. Anything else needs an entry in EXCEPTIONS with its reason.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
IMAGES = ("ingest", "propagation", "hazard", "alerting", "cli", "jobs")

RUN = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-CMU",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
TOOL = RUN | {"MPL-2.0"}  # weak copyleft by file: nothing of it is changed or shipped
EXCEPTIONS = {
    "spacecom": "this project",
    "certifi": "Mozilla's list of roots, data that httpx reads unmodified; MPL-2.0 asks nothing of its users",
    "pillow": "MIT-CMU, the licence of PIL: permission for any purpose with the notice kept; matplotlib needs it",
}
NAMES = {  # what classifiers and free text call them
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
NO_LICENCE = {"DFSG approved"}  # a remark beside the licence


def allowed(stated: str, licences: set[str]) -> bool:
    """Whether a stated licence, an SPDX expression or classifiers joined by semicolons, asks for no other."""
    for name in sorted(NAMES, key=len, reverse=True):
        stated = stated.replace(name, NAMES[name])
    parts = [part.strip() for part in stated.split(";") if part.strip() not in NO_LICENCE]
    return bool(parts) and all(_satisfied(part, licences) for part in parts)


def _satisfied(expression: str, licences: set[str]) -> bool:
    """AND binds closer than OR; an exception behind WITH only adds permissions."""
    flat = re.sub(r" WITH [\w.-]+", "", expression).replace("(", "").replace(")", "")
    return any(all(one.strip() in licences for one in choice.split(" AND ")) for choice in flat.split(" OR "))


def shipped(groups: dict[str, list[str | dict[str, str]]]) -> set[str]:
    """Canonical names of all that the images hold, with what those require."""
    found: set[str] = set()
    waiting = [one for image in IMAGES for one in _group(groups, image)]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in found and _applies(requirement):
            found.add(name)
            waiting += _required_by(requirement)
    return found


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _group(groups: dict[str, list[str | dict[str, str]]], name: str) -> Iterator[Requirement]:
    for entry in groups[name]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from _group(groups, entry["include-group"])


def _required_by(requirement: Requirement) -> Iterator[Requirement]:
    try:
        lines = requires(requirement.name) or []
    except PackageNotFoundError:  # of another platform
        return
    extras = requirement.extras or {""}
    for line in lines:
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
            needed.marker = None
            yield needed


def refused(installed: Iterable[tuple[str, str]], run_time: set[str]) -> list[str]:
    """One sentence for each distribution whose licence may not be used where it is used."""
    complaints = []
    for name, licence in installed:
        in_images = canonicalize_name(name) in run_time
        if name not in EXCEPTIONS and not allowed(licence, RUN if in_images else TOOL):
            place = "goes into an image" if in_images else "is a tool"
            complaints.append(f"{name} {place} and is under {licence!r}; replace it, or give a reason in EXCEPTIONS")
    return complaints


def _installed() -> list[tuple[str, str]]:
    command = [f"{Path(sys.executable).parent}/pip-licenses", "--with-system", "--format=json"]
    done = subprocess.run(command, capture_output=True, check=True)
    return [(one["Name"], one["License"]) for one in json.loads(done.stdout)]


def main() -> int:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    installed, run_time = _installed(), shipped(groups)
    complaints = refused(installed, run_time)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    held = sum(canonicalize_name(name) in run_time for name, _ in installed)
    print(f"licences: {len(installed)} distributions, {held} of them in images, {len(complaints)} refused")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
