"""DOP853: explicit Runge-Kutta formula of order 8 with error estimates of orders 5 and 3.

E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I", 2nd ed., Springer 1993, section II.10.
The sums work on one flat array, so that lanes of trajectories in lockstep are plain vector loops: the derivative of
stage s of component c lies at o + s n, where n is the number of components times lanes.
"""

from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]

STAGES = 12  # of a step; stage 12 is the derivative at its end, the first of the next

A = np.zeros((STAGES + 1, STAGES))  # row 12: weights of the step itself
A[1, 0] = 0.05260015195876773
A[2, [0, 1]] = 0.0197250569845379, 0.0591751709536137
A[3, [0, 2]] = 0.02958758547680685, 0.08876275643042054
A[4, [0, 2, 3]] = 0.2413651341592667, -0.8845494793282861, 0.924834003261792
A[5, [0, 3, 4]] = 0.037037037037037035, 0.17082860872947386, 0.12546768756682242
A[6, [0, 3, 4, 5]] = 0.037109375, 0.17025221101954405, 0.06021653898045596, -0.017578125
A[7, [0, 3, 4, 5, 6]] = (
    0.03709200011850479, 0.17038392571223998, 0.10726203044637328, -0.015319437748624402, 0.008273789163814023,
)  # fmt: skip
A[8, [0, 3, 4, 5, 6, 7]] = (
    0.6241109587160757, -3.3608926294469414, -0.868219346841726, 27.59209969944671, 20.154067550477894,
    -43.48988418106996,
)  # fmt: skip
A[9, [0, 3, 4, 5, 6, 7, 8]] = (
    0.47766253643826434, -2.4881146199716677, -0.590290826836843, 21.230051448181193, 15.279233632882423,
    -33.28821096898486, -0.020331201708508627,
)  # fmt: skip
A[10, [0, 3, 4, 5, 6, 7, 8, 9]] = (
    -0.9371424300859873, 5.186372428844064, 1.0914373489967295, -8.149787010746927, -18.52006565999696,
    22.739487099350505, 2.4936055526796523, -3.0467644718982196,
)  # fmt: skip
A[11, [0, 3, 4, 5, 6, 7, 8, 9, 10]] = (
    2.273310147516538, -10.53449546673725, -2.0008720582248625, -17.9589318631188, 27.94888452941996,
    -2.8589982771350235, -8.87285693353063, 12.360567175794303, 0.6433927460157636,
)  # fmt: skip
A[12, [0, 5, 6, 7, 8, 9, 10, 11]] = (
    0.054293734116568765, 4.450312892752409, 1.8915178993145003, -5.801203960010585, 0.3111643669578199,
    -0.1521609496625161, 0.20136540080403034, 0.04471061572777259,
)  # fmt: skip
C = np.array([
    0.0, 0.05260015195876773, 0.0789002279381516, 0.1183503419072274, 0.2816496580927726, 0.3333333333333333, 0.25,
    0.3076923076923077, 0.6512820512820513, 0.6, 0.8571428571428571, 1.0, 1.0,
])  # fmt: skip
E = np.zeros((2, STAGES))  # errors of orders 5 and 3
E[0, [0, 5, 6, 7, 8, 9, 10, 11]] = (
    0.01312004499419488, -1.2251564463762044, -0.4957589496572502, 1.6643771824549864, -0.35032884874997366,
    0.3341791187130175, 0.08192320648511571, -0.022355307863886294,
)  # fmt: skip
E[1, [0, 5, 6, 7, 8, 9, 10, 11]] = (
    -0.18980075407240762, 4.450312892752409, 1.8915178993145003, -5.801203960010585, -0.4226823213237919,
    -0.1521609496625161, 0.20136540080403034, 0.02265179219836082,
)  # fmt: skip


@njit(inline="always")
def stage_1(a: Array, o: int, _n: int) -> float:
    return A[1, 0] * a[o]


@njit(inline="always")
def stage_2(a: Array, o: int, n: int) -> float:
    return A[2, 0] * a[o] + A[2, 1] * a[o + n]


@njit(inline="always")
def stage_3(a: Array, o: int, n: int) -> float:
    return A[3, 0] * a[o] + A[3, 2] * a[o + 2 * n]


@njit(inline="always")
def stage_4(a: Array, o: int, n: int) -> float:
    return A[4, 0] * a[o] + A[4, 2] * a[o + 2 * n] + A[4, 3] * a[o + 3 * n]


@njit(inline="always")
def stage_5(a: Array, o: int, n: int) -> float:
    return A[5, 0] * a[o] + A[5, 3] * a[o + 3 * n] + A[5, 4] * a[o + 4 * n]


@njit(inline="always")
def stage_6(a: Array, o: int, n: int) -> float:
    return A[6, 0] * a[o] + A[6, 3] * a[o + 3 * n] + A[6, 4] * a[o + 4 * n] + A[6, 5] * a[o + 5 * n]


@njit(inline="always")
def stage_7(a: Array, o: int, n: int) -> float:
    return (
        A[7, 0] * a[o]
        + A[7, 3] * a[o + 3 * n]
        + A[7, 4] * a[o + 4 * n]
        + A[7, 5] * a[o + 5 * n]
        + A[7, 6] * a[o + 6 * n]
    )


@njit(inline="always")
def stage_8(a: Array, o: int, n: int) -> float:
    return (
        A[8, 0] * a[o]
        + A[8, 3] * a[o + 3 * n]
        + A[8, 4] * a[o + 4 * n]
        + A[8, 5] * a[o + 5 * n]
        + A[8, 6] * a[o + 6 * n]
        + A[8, 7] * a[o + 7 * n]
    )


@njit(inline="always")
def stage_9(a: Array, o: int, n: int) -> float:
    return (
        A[9, 0] * a[o]
        + A[9, 3] * a[o + 3 * n]
        + A[9, 4] * a[o + 4 * n]
        + A[9, 5] * a[o + 5 * n]
        + A[9, 6] * a[o + 6 * n]
        + A[9, 7] * a[o + 7 * n]
        + A[9, 8] * a[o + 8 * n]
    )


@njit(inline="always")
def stage_10(a: Array, o: int, n: int) -> float:
    return (
        A[10, 0] * a[o]
        + A[10, 3] * a[o + 3 * n]
        + A[10, 4] * a[o + 4 * n]
        + A[10, 5] * a[o + 5 * n]
        + A[10, 6] * a[o + 6 * n]
        + A[10, 7] * a[o + 7 * n]
        + A[10, 8] * a[o + 8 * n]
        + A[10, 9] * a[o + 9 * n]
    )


@njit(inline="always")
def stage_11(a: Array, o: int, n: int) -> float:
    return (
        A[11, 0] * a[o]
        + A[11, 3] * a[o + 3 * n]
        + A[11, 4] * a[o + 4 * n]
        + A[11, 5] * a[o + 5 * n]
        + A[11, 6] * a[o + 6 * n]
        + A[11, 7] * a[o + 7 * n]
        + A[11, 8] * a[o + 8 * n]
        + A[11, 9] * a[o + 9 * n]
        + A[11, 10] * a[o + 10 * n]
    )


@njit(inline="always")
def step(a: Array, o: int, n: int) -> float:
    """Weighted mean of the derivatives over the step."""
    return (
        A[12, 0] * a[o]
        + A[12, 5] * a[o + 5 * n]
        + A[12, 6] * a[o + 6 * n]
        + A[12, 7] * a[o + 7 * n]
        + A[12, 8] * a[o + 8 * n]
        + A[12, 9] * a[o + 9 * n]
        + A[12, 10] * a[o + 10 * n]
        + A[12, 11] * a[o + 11 * n]
    )


@njit(inline="always")
def error_5(a: Array, o: int, n: int) -> float:
    return (
        E[0, 0] * a[o]
        + E[0, 5] * a[o + 5 * n]
        + E[0, 6] * a[o + 6 * n]
        + E[0, 7] * a[o + 7 * n]
        + E[0, 8] * a[o + 8 * n]
        + E[0, 9] * a[o + 9 * n]
        + E[0, 10] * a[o + 10 * n]
        + E[0, 11] * a[o + 11 * n]
    )


@njit(inline="always")
def error_3(a: Array, o: int, n: int) -> float:
    return (
        E[1, 0] * a[o]
        + E[1, 5] * a[o + 5 * n]
        + E[1, 6] * a[o + 6 * n]
        + E[1, 7] * a[o + 7 * n]
        + E[1, 8] * a[o + 8 * n]
        + E[1, 9] * a[o + 9 * n]
        + E[1, 10] * a[o + 10 * n]
        + E[1, 11] * a[o + 11 * n]
    )
