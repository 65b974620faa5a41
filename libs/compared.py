"""A field as it was recorded and as it is computed again, both with all digits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    recorded: str
    recomputed: str

    @property
    def identical(self) -> bool:
        return self.recorded == self.recomputed
