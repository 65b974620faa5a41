"""JSON documents that an analyst edits: read with reasons, whatever they hold. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is that of the command that gives one; `error` is raised for what cannot be used."""

    name: str
    schema: str
    max_bytes: int
    error: type[Exception]

    def read(self, data: bytes, build: Callable[[Mapping[str, Any]], T]) -> T:
        """What `build` makes of the document; its KeyError, TypeError and ValueError become refusals."""
        if len(data) > self.max_bytes:
            raise self.error(f"the {self.name} may have at most {self.max_bytes} bytes, not {len(data)}")
        try:
            document = json.loads(data, parse_constant=_no_constant)
            if not isinstance(document, dict) or document.get("schema") != self.schema:
                raise self.error(f"the schema is not {self.schema}; edit what `spacecom {self.name}` gives")
            return build(document)
        except KeyError as error:
            raise self.error(f"the {self.name} may not lack {str(error)[:80]}") from error
        except (TypeError, ValueError) as error:  # JSON's and Unicode's own errors are ValueErrors
            raise self.error(f"the {self.name} cannot be used: {str(error)[:300]}") from error


def text(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 500:
        raise ValueError("a name, reason or source has 1 to 500 characters")
    return value


def _no_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")
