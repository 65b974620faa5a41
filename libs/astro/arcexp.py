"""Arc tangent and exponential without branches or calls, so that a loop over lanes compiles to vector instructions.

Absolute errors, measured by the tests: atan2 1e-9 rad, exp 1e-10 relative on -40 to 0.
"""

import math

from numba import njit

_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11, _E12 = (1.0 / math.factorial(i) for i in range(2, 13))
_A1, _A2, _A3, _A4, _A5, _A6, _A7, _A8, _A9 = ((-1.0) ** i / (2 * i + 1) for i in range(1, 10))


@njit(inline="always")
def atan2(y: float, x: float) -> float:
    """Arc tangent of y/x in its quadrant; halved once, then a series on 0 to tan(pi/8). Not for x = y = 0."""
    wide, high = abs(x), abs(y)
    q = min(wide, high) / max(wide, high)
    q = q / (1.0 + math.sqrt(1.0 + q * q))
    z = q * q
    series = _A1 + z * (_A2 + z * (_A3 + z * (_A4 + z * (_A5 + z * (_A6 + z * (_A7 + z * (_A8 + z * _A9)))))))
    t = 2.0 * (q + q * z * series)
    t = 0.5 * math.pi - t if high > wide else t
    t = math.pi - t if x < 0.0 else t
    return -t if y < 0.0 else t


@njit(inline="always")
def exp(x: float) -> float:
    """Exponential of -40 to 5: a series at x/64, squared six times."""
    r = x * 0.015625
    series = _E7 + r * (_E8 + r * (_E9 + r * (_E10 + r * (_E11 + r * _E12))))
    e = 1.0 + r * (1.0 + r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * (_E6 + r * series))))))
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    return e * e
