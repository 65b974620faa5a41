"""Sine and cosine as polynomials without a branch, so that loops over arrays of angles become vector instructions.

Reduction to |r| <= pi/2 in two parts of pi (Cody and Waite), then Taylor polynomials; no call into the C library.
Within 4e-16 of the true values for |x| < 1e5 rad, beyond that within the rounding of x itself.
"""

from numba import njit

FAST = {"contract", "nsz", "arcp"}  # fused products and reciprocals; NaN and infinity keep their meaning

_ROUND = 6755399441055744.0  # 1.5 * 2**52: added and taken away, it rounds to a whole number
_ONE_OVER_PI = 0.3183098861837907
_PI_HIGH = 3.141592653589793
_PI_LOW = 1.2246467991473532e-16


@njit(cache=True, error_model="numpy", fastmath=FAST)
def sincos(x: float) -> tuple[float, float]:
    """(sin x, cos x), x in rad and finite, |x| < 1e15."""
    k = (x * _ONE_OVER_PI + _ROUND) - _ROUND
    r = (x - k * _PI_HIGH) - k * _PI_LOW
    odd = k - 2.0 * ((k * 0.5 + _ROUND) - _ROUND)
    sign = 1.0 - 2.0 * odd * odd
    s, c = sincos_reduced(r)
    return s * sign, c * sign


@njit(cache=True, error_model="numpy", fastmath=FAST)
def sincos_reduced(r: float) -> tuple[float, float]:
    """(sin r, cos r) of |r| <= pi/2 rad."""
    z = r * r
    s = 1.6059043836821613e-10 + z * (-7.647163731819816e-13 + z * 2.8114572543455206e-15)
    s = 2.7557319223985893e-06 + z * (-2.505210838544172e-08 + z * s)
    s = -1.6666666666666666e-01 + z * (8.333333333333333e-03 + z * (-1.984126984126984e-04 + z * s))
    c = -1.1470745597729725e-11 + z * (4.779477332387385e-14 + z * -1.5619206968586225e-16)
    c = -2.755731922398589e-07 + z * (2.08767569878681e-09 + z * c)
    c = 4.1666666666666664e-02 + z * (-1.388888888888889e-03 + z * (2.48015873015873e-05 + z * c))
    return r + r * z * s, 1.0 + z * (-0.5 + z * c)


@njit(cache=True, error_model="numpy", fastmath=FAST)
def turned(s: float, c: float, by: float) -> tuple[float, float]:
    """(sin, cos) of an angle given by its own (s, c) and turned by |by| < 0.02 rad."""
    z = by * by
    sd = by * (1.0 + z * (-1.6666666666666666e-01 + z * 8.333333333333333e-03))
    cd = 1.0 + z * (-0.5 + z * 4.1666666666666664e-02)
    return s * cd + c * sd, c * cd - s * sd
