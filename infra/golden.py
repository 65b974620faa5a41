"""Adds the bytes to new golden facts: `python -m infra.golden`; one that has its bytes is never touched.

Write `tests-contract/golden/<full name>.json` as {"message": {…}} with every field set, then run it. A fact that has
grown gets a further file `<full name>.2.json` and so on; the first is what was recorded before.
"""

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from google.protobuf import symbol_database
from google.protobuf.json_format import MessageToDict, ParseDict

Fact = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "tests-contract/golden"


def type_of(path: Path) -> str:
    """Full name of the fact a file holds, without the number of its growth."""
    return re.sub(r"\.\d+$", "", path.stem)


def completed(full_name: str, content: Fact) -> Fact:
    """With the message as it reads back, and its bytes."""
    package = full_name.rpartition(".")[0]
    importlib.import_module(f"{package}.{package.split('.')[1]}_events_pb2")
    message = ParseDict(content["message"], symbol_database.Default().GetSymbol(full_name)())
    text = MessageToDict(message, preserving_proto_field_name=True)
    return {"message": text, "wire": message.SerializeToString(deterministic=True).hex()}


def main(folder: Path = FOLDER) -> int:
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text())
        if "wire" not in content:
            path.write_text(json.dumps(completed(type_of(path), content), indent=1) + "\n")
            print(f"completed {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
