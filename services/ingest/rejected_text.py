"""The place of a refusal in the input it is of."""

from collections import deque
from dataclasses import dataclass

BEFORE, AFTER = 2, 1
WIDTH, LEFT = 400, 200


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines with the number of the first, each from the same column on; both count from 1, columns in bytes."""

    first_line: int
    lines: tuple[bytes, ...]
    first_column: int


def around(data: bytes, line: int, column: int) -> Excerpt:
    """The line and its neighbours, of long ones what surrounds the column; of a line beyond the end the last ones."""
    starts = deque([0], maxlen=BEFORE + 1)
    number = 1
    while number < line and (end := data.find(b"\n", starts[-1])) >= 0:
        starts.append(end + 1)
        number += 1
    first_column = max(1, column - LEFT)
    lines = data[starts[0] :].split(b"\n", len(starts) + AFTER)[: len(starts) + AFTER]
    shown = tuple(one[first_column - 1 : first_column - 1 + WIDTH].rstrip(b"\r") for one in lines)
    return Excerpt(number - len(starts) + 1, shown, first_column)
