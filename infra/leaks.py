"""Looks for secrets in tracked files: `python -m infra.leaks`; `--accept` notes what it finds once a person looked.

A finding is known by its file and the hash of its text, so that a moved line is not a new one.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BASELINE = ROOT / ".secrets.baseline"
HASHES_BY_DESIGN = r"(\.lock|package-lock\.json|\.secrets\.baseline)$|^tests-contract/golden/"

Report = dict[str, Any]


def scan(folder: Path = ROOT) -> Report:
    command = [f"{Path(sys.executable).parent}/detect-secrets", "scan", "--exclude-files", HASHES_BY_DESIGN]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    report: Report = json.loads(done.stdout)
    return report


def unknown(report: Report, known: Report) -> list[str]:
    """One sentence for each finding that is not known."""
    noted = {(file, one["hashed_secret"]) for file, found in known["results"].items() for one in found}
    return [
        f"{file}:{one['line_number']}: {one['type']}; remove it, or note it with: python -m infra.leaks --accept"
        for file, found in report["results"].items()
        for one in found
        if (file, one["hashed_secret"]) not in noted
    ]


def accepted(report: Report) -> Report:
    results = {
        file: [one | {"is_secret": False, "is_verified": False} for one in found]
        for file, found in report["results"].items()
    }
    return report | {"results": results}


def main() -> int:
    report = scan()
    if sys.argv[1:] == ["--accept"]:
        BASELINE.write_text(json.dumps(accepted(report), indent=2) + "\n")
        return 0
    complaints = unknown(report, json.loads(BASELINE.read_text()))
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"secrets: {len(complaints)} that .secrets.baseline does not explain")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
