"""What a row of the table of doors is: a public function, valid input to it, and input it must refuse."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

Given = Mapping[str, Any]
Strategy = st.SearchStrategy[dict[str, Any]]

NOT_NUMBERS = (np.nan, np.inf, -np.inf)


@dataclass(frozen=True)
class Bad:
    """Arguments in place of valid ones, the documented error, and what its text must say."""

    changed: Given
    says: str
    error: type[Exception] = ValueError


@dataclass(frozen=True)
class Door:
    """`opened` is the function; `valid` draws its arguments; `holds` says of arguments and result what must be true.

    Numbers of the result are finite unless `holds` is told to say which are not (`finite=False`). `allowed`: errors
    that valid input may meet, as weather that is not known. `wrong` are changes of `usual`, which is valid.
    """

    name: str
    opened: Callable[..., Any]
    valid: Strategy
    holds: Callable[[Given, Any], bool]
    usual: Given = field(default_factory=dict)
    wrong: Sequence[Bad] = ()
    finite: bool = True
    allowed: tuple[type[Exception], ...] = ()
    examples: int = 25


def bad(says: str, error: type[Exception] = ValueError, /, **changed: Any) -> Bad:
    return Bad(changed, says, error)


def each(name: str, values: Sequence[Any], says: str, error: type[Exception] = ValueError) -> list[Bad]:
    return [Bad({name: value}, says, error) for value in values]


def numbers(found: Any) -> Iterator[np.ndarray]:
    """All numbers in a result, as arrays of floats."""
    if isinstance(found, np.ndarray):
        if found.dtype.kind in "fiub":
            yield found.astype(np.float64)
    elif isinstance(found, bool | int | float | np.number):
        yield np.array([float(found)])
    elif is_dataclass(found):
        for one in fields(found):
            yield from numbers(getattr(found, one.name))
    elif isinstance(found, Mapping):
        for one in found.values():
            yield from numbers(one)
    elif isinstance(found, tuple | list):
        for one in found:
            yield from numbers(one)


def within(low: float, found: Any, high: float) -> bool:
    return all(bool(((one >= low) & (one <= high)).all()) for one in numbers(found))


def arrays(least: float, most: float, size: int | None = None) -> st.SearchStrategy[np.ndarray]:
    """Floats with both ends among them more often than not."""
    value = st.one_of(st.sampled_from([least, most]), st.floats(least, most))
    low, high = (1, 4) if size is None else (size, size)
    return st.lists(value, min_size=low, max_size=high).map(np.array)


def edged(least: float, most: float, *others: float) -> st.SearchStrategy[float]:
    return st.one_of(st.sampled_from([least, most, *others]), st.floats(least, most))


LATITUDES = edged(-90.0, 90.0, 0.0, np.nextafter(90.0, 0.0))
LONGITUDES = edged(-180.0, 180.0, 0.0, 179.9999999, -179.9999999, 360.0)
