"""Where in a file something is, and what to show of it."""

MAX_EXCERPT = 4096


class Places:
    """Line and column, from 1 and in bytes, of places in a text asked for in rising order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._at = 0
        self._line, self._column = 1, 1

    def of(self, at: int) -> tuple[int, int]:
        between = self.text[self._at : at]
        newline = between.rfind("\n")
        self._line += between.count("\n")
        self._column = len(between[newline + 1 :].encode()) + (self._column if newline < 0 else 1)
        self._at = at
        return self._line, self._column


def place_after(before: bytes) -> tuple[int, int]:
    """Line and column, from 1, of the byte that follows these."""
    return before.count(b"\n") + 1, len(before) - before.rfind(b"\n")


def excerpt(record: bytes, at: int = 0) -> bytes:
    """The whole record, or of a long one what surrounds the byte `at`."""
    if len(record) <= MAX_EXCERPT:
        return record
    start = max(0, min(at - MAX_EXCERPT // 4, len(record) - MAX_EXCERPT))
    return record[start : start + MAX_EXCERPT]
