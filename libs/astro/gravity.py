"""The Earth's pull in an inertial frame whose z axis is the pole, and free flight in it. Units: km, s.

EGM96 zonal coefficients to degree 6; tesseral terms of degree 2 to 4 changed no predicted decay measurably.
"""

import math
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]

MU_KM3_S2 = 398600.4418
RADIUS_KM = 6378.137
J = np.array([0.0, 0.0, 1.08262668e-3, -2.53265649e-6, -1.61962159e-6, -2.27296083e-7, 5.40681239e-7])
STAGES = 12
WORK_SHAPE = (STAGES, 6)


@njit(cache=True, error_model="numpy", nogil=True)
def acceleration(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Gradient of mu/r (1 - sum J_n (R/r)^n P_n(z/r)), km s-2."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    u, q = z / r, RADIUS_KM / r
    pull = MU_KM3_S2 / r2
    before, legendre = 1.0, u
    slope_before, slope = 0.0, 1.0
    radial, polar, scale = -1.0, 0.0, q
    for n in range(2, 7):
        before, legendre = legendre, ((2 * n - 1) * u * legendre - (n - 1) * before) / n
        slope_before, slope = slope, slope_before + (2 * n - 1) * before
        scale *= q
        radial += J[n] * scale * ((n + 1) * legendre + u * slope)
        polar -= J[n] * scale * slope
    return pull * radial * x / r, pull * radial * y / r, pull * (radial * z / r + polar)


@njit(cache=True, error_model="numpy")
def energy(state: Array) -> float:
    """Specific energy, km2 s-2, constant in free flight."""
    r = math.sqrt(state[0] ** 2 + state[1] ** 2 + state[2] ** 2)
    u, q = state[2] / r, RADIUS_KM / r
    before, legendre, scale, potential = 1.0, u, q, 1.0
    for n in range(2, 7):
        before, legendre = legendre, ((2 * n - 1) * u * legendre - (n - 1) * before) / n
        scale *= q
        potential -= J[n] * scale * legendre
    return float(0.5 * (state[3] ** 2 + state[4] ** 2 + state[5] ** 2) - MU_KM3_S2 / r * potential)


# Order 8 formula of DOP853: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed.
_A = np.zeros((STAGES, STAGES))
_A[1, 0] = 0.05260015195876773
_A[2, :2] = 0.0197250569845379, 0.0591751709536137
_A[3, [0, 2]] = 0.02958758547680685, 0.08876275643042054
_A[4, [0, 2, 3]] = 0.2413651341592667, -0.8845494793282861, 0.924834003261792
_A[5, [0, 3, 4]] = 0.037037037037037035, 0.17082860872947386, 0.12546768756682242
_A[6, [0, 3, 4, 5]] = 0.037109375, 0.17025221101954405, 0.06021653898045596, -0.017578125
_A[7, [0, 3, 4, 5, 6]] = (
    0.03709200011850479, 0.17038392571223998, 0.10726203044637328, -0.015319437748624402, 0.008273789163814023,
)  # fmt: skip
_A[8, [0, 3, 4, 5, 6, 7]] = (
    0.6241109587160757, -3.3608926294469414, -0.868219346841726, 27.59209969944671, 20.154067550477894,
    -43.48988418106996,
)  # fmt: skip
_A[9, [0, 3, 4, 5, 6, 7, 8]] = (
    0.47766253643826434, -2.4881146199716677, -0.590290826836843, 21.230051448181193, 15.279233632882423,
    -33.28821096898486, -0.020331201708508627,
)  # fmt: skip
_A[10, [0, 3, 4, 5, 6, 7, 8, 9]] = (
    -0.9371424300859873, 5.186372428844064, 1.0914373489967295, -8.149787010746927, -18.52006565999696,
    22.739487099350505, 2.4936055526796523, -3.0467644718982196,
)  # fmt: skip
_A[11, [0, 3, 4, 5, 6, 7, 8, 9, 10]] = (
    2.273310147516538, -10.53449546673725, -2.0008720582248625, -17.9589318631188, 27.94888452941996,
    -2.8589982771350235, -8.87285693353063, 12.360567175794303, 0.6433927460157636,
)  # fmt: skip
_B = np.zeros(STAGES)
_B[[0, 5, 6, 7, 8, 9, 10, 11]] = (
    0.054293734116568765, 4.450312892752409, 1.8915178993145003, -5.801203960010585, 0.3111643669578199,
    -0.1521609496625161, 0.20136540080403034, 0.04471061572777259,
)  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def coast(state: Array, step_s: float, work: Array) -> None:
    """Free flight of (km, km/s) in place by one step of order 8; at most ~60 s a step keeps 1e-12 of the energy."""
    for s in range(STAGES):
        for i in range(3):
            dr, dv = 0.0, 0.0
            for k in range(s):
                dr += _A[s, k] * work[k, i]
                dv += _A[s, k] * work[k, 3 + i]
            work[s, i] = state[3 + i] + step_s * dv
            work[s, 3 + i] = state[i] + step_s * dr
        work[s, 3], work[s, 4], work[s, 5] = acceleration(work[s, 3], work[s, 4], work[s, 5])
    for i in range(3):
        dr, dv = 0.0, 0.0
        for s in range(STAGES):
            dr += _B[s] * work[s, i]
            dv += _B[s] * work[s, 3 + i]
        state[i] += step_s * dr
        state[3 + i] += step_s * dv
