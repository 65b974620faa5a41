"""Whether a number is an index of a cell of the H3 grid (Uber, "H3: a hierarchical hexagonal geospatial index").

An index has 64 bits: one of 0, four of its mode, three of 0, four of its resolution, seven of its base cell, and three
for each of fifteen digits, 7 where the resolution has none. A pentagon has no cells under the digit 1 next to it.
"""

BASE_CELLS = 122
_PENTAGONS = frozenset((4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117))
_MODE_CELL = 1
_FINEST = 15
_NO_DIGIT = 7


def resolution(index: int) -> int | None:
    """0, the coarsest, to 15; None where the number is no cell."""
    if index >> 63 or index >> 59 & 0xF != _MODE_CELL or index >> 56 & 0x7:
        return None
    finest, base = index >> 52 & 0xF, index >> 45 & 0x7F
    digits = [index >> 3 * (_FINEST - level) & 0x7 for level in range(1, _FINEST + 1)]
    if base >= BASE_CELLS or _NO_DIGIT in digits[:finest] or any(digit != _NO_DIGIT for digit in digits[finest:]):
        return None
    first = next((digit for digit in digits[:finest] if digit), 0)
    return None if base in _PENTAGONS and first == 1 else finest
