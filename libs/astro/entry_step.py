"""Steps of Dormand and Prince's 5(4) for LANES pieces at once, and the way between the ends of one.

J. R. Dormand, P. J. Prince, J. Comp. Appl. Math. 6 (1980); coefficients, error estimate and continuous extension as in
E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., II.5 and II.6 (DOPRI5).
Slope j of component i of lane w is k[(6 j + i) x LANES + w]; states likewise.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from libs.astro.entry_lanes import LANES
from libs.astro.entry_motion import vertical

Array = np.ndarray[Any, np.dtype[np.float64]]

_S = 6 * LANES  # one state of all lanes, one slope of all lanes


@njit(cache=True, error_model="numpy", nogil=True)
def stage_states(z: Array, y: Array, h: Array, k: Array, stage: int) -> None:
    """States of all lanes at a stage, into z; h is the step, repeated for each component."""
    if stage == 1:
        for n in range(_S):
            z[n] = y[n] + h[n] * (1.0 / 5.0 * k[n])
    elif stage == 2:
        for n in range(_S):
            z[n] = y[n] + h[n] * (3.0 / 40.0 * k[n] + 9.0 / 40.0 * k[_S + n])
    elif stage == 3:
        for n in range(_S):
            z[n] = y[n] + h[n] * (44.0 / 45.0 * k[n] - 56.0 / 15.0 * k[_S + n] + 32.0 / 9.0 * k[2 * _S + n])
    elif stage == 4:
        for n in range(_S):
            z[n] = y[n] + h[n] * (
                19372.0 / 6561.0 * k[n] - 25360.0 / 2187.0 * k[_S + n] + 64448.0 / 6561.0 * k[2 * _S + n]
                - 212.0 / 729.0 * k[3 * _S + n]
            )  # fmt: skip
    elif stage == 5:
        for n in range(_S):
            z[n] = y[n] + h[n] * (
                9017.0 / 3168.0 * k[n] - 355.0 / 33.0 * k[_S + n] + 46732.0 / 5247.0 * k[2 * _S + n]
                + 49.0 / 176.0 * k[3 * _S + n] - 5103.0 / 18656.0 * k[4 * _S + n]
            )  # fmt: skip
    else:
        for n in range(_S):
            z[n] = y[n] + h[n] * (
                35.0 / 384.0 * k[n] + 500.0 / 1113.0 * k[2 * _S + n] + 125.0 / 192.0 * k[3 * _S + n]
                - 2187.0 / 6784.0 * k[4 * _S + n] + 11.0 / 84.0 * k[5 * _S + n]
            )  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def judge(z: Array, y: Array, h: Array, k: Array, rtol: float, atol: float, error: Array) -> None:
    """Error of each lane over its tolerance, root mean square over the six components."""
    for n in range(_S):
        e = (
            71.0 / 57600.0 * k[n] - 71.0 / 16695.0 * k[2 * _S + n] + 71.0 / 1920.0 * k[3 * _S + n]
            - 17253.0 / 339200.0 * k[4 * _S + n] + 22.0 / 525.0 * k[5 * _S + n] - 1.0 / 40.0 * k[6 * _S + n]
        )  # fmt: skip
        e *= h[n] / (atol + rtol * max(abs(y[n]), abs(z[n])))
        error[n] = e * e
    for w in range(LANES):
        total = error[w] + error[LANES + w] + error[2 * LANES + w]
        total += error[3 * LANES + w] + error[4 * LANES + w] + error[5 * LANES + w]
        error[w] = math.sqrt(total / 6.0)


@njit(cache=True, error_model="numpy", nogil=True)
def prepare_dense(y: Array, new: Array, h: float, k: Array, dense: Array) -> None:
    for i in range(6):
        change = new[i] - y[i]
        bend = h * k[0, i] - change
        dense[0, i], dense[1, i], dense[2, i] = y[i], change, bend
        dense[3, i] = change - h * k[6, i] - bend
        dense[4, i] = h * (
            -12715105075.0 / 11282082432.0 * k[0, i] + 87487479700.0 / 32700410799.0 * k[2, i]
            - 10690763975.0 / 1880347072.0 * k[3, i] + 701980252875.0 / 199316789632.0 * k[4, i]
            - 1453857185.0 / 822651844.0 * k[5, i] + 69997945.0 / 29380423.0 * k[6, i]
        )  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def within(dense: Array, s: float, out: Array) -> None:
    """The state at fraction s of the step, order 4."""
    u = 1.0 - s
    for i in range(6):
        out[i] = dense[0, i] + s * (dense[1, i] + u * (dense[2, i] + s * (dense[3, i] + u * dense[4, i])))


@njit(cache=True, error_model="numpy", nogil=True)
def crossing(
    dense: Array, low: float, above_km: float, below_km: float, level_km: float, out: Array, body: Array
) -> float:
    """Fraction of the step, from low on, at which the altitude falls through the level; out is the state there."""
    high, s = 1.0, low
    over, under = above_km - level_km, below_km - level_km
    side = 0
    for _ in range(60):
        s = (low * under - high * over) / (under - over)
        within(dense, s, out)
        miss = vertical(out[0], out[1], out[2], body)[2] - level_km
        if abs(miss) < 1e-9:
            break
        if miss > 0.0:
            low, over = s, miss
            under *= 0.5 if side == 1 else 1.0
            side = 1
        else:
            high, under = s, miss
            over *= 0.5 if side == -1 else 1.0
            side = -1
    return s
