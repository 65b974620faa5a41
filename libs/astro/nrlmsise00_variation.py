"""NRLMSISE-00's variation of a parameter with place, season, time, solar flux and magnetic activity.

See nrlmsise00.py for the model, its source and the units; the indices of coefficients are one less than published.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, np.dtype[np.float64]]

_DATA = json.loads((Path(__file__).parent / "data/nrlmsise00.json").read_text())["coefficients"]


def _table(name: str) -> Array:
    return np.array(_DATA[name], dtype=np.float64)


PT, PD, PS, PDL, PTM = (_table(name) for name in ("pt", "pd", "ps", "pdl", "ptm"))
PDM, PTL, PMA, PAVGM = (_table(name) for name in ("pdm", "ptl", "pma", "pavgm"))

DEGREE = 1.74533e-2  # the model's own roundings; the coefficients were fitted with them
YEAR = 1.72142e-2
HOUR = 0.2618
SECOND = 7.2722e-5

# Places in a work array: Legendre functions, harmonics of the local time, cosine and sine of the season and its double,
# of the longitude, of the universal time, effects of the ap history, of the daily ap, and the latitude.
PLG, LOCAL, SEASON, PLACE, CLOCK, EFFECTS, LATITUDE = 0, 32, 38, 42, 44, 46, 54
WORK_SIZE = 56

# The phases of a parameter's terms, as places of their coefficients and the turn of their angle, in the order of _turn.
_PHASES = [(31, YEAR), (17, 2.0 * YEAR), (13, YEAR), (38, 2.0 * YEAR), (71, SECOND), (79, SECOND)]
_HISTORY_PHASES = [(131, HOUR), (97, DEGREE), (136, DEGREE), (58, SECOND)]
_DAILY_PHASES = [(124, HOUR), (63, DEGREE), (118, DEGREE), (75, SECOND)]
_SEASON_PHASES = [(81, YEAR), (86, 2.0 * YEAR), (84, YEAR), (88, 2.0 * YEAR)]
_COMMON = (PT[24], PT[25])  # most parameters respond to ap alike


def _turn(p: Array, phases: list[tuple[int, float]]) -> list[float]:
    return [wave(p[place] * rate) for place, rate in phases for wave in (math.cos, math.sin)]


def globe_phases(table: Array) -> Array:
    """Cosine and sine of the phases of each row of parameters, then its fading of ap in 3 h: what `globe` takes."""
    fade = [min(math.exp(-10800.0 * abs(p[51])), 0.99999) for p in table]
    turns = [_turn(p, _PHASES + _HISTORY_PHASES + _DAILY_PHASES) for p in table]
    return np.array([[*turn, one] for turn, one in zip(turns, fade, strict=True)])


def low_phases(table: Array) -> Array:
    """The same for `globe_low`."""
    return np.array([_turn(p, _PHASES[:4] + _SEASON_PHASES) for p in table])


@njit(cache=True, error_model="numpy")
def _effect(ap: float, p24: float, p25: float) -> float:
    """Eq. A24d of Hedin (1987): one ap to its effect."""
    return float(ap - 4.0 + (p25 - 1.0) * (ap - 4.0 + (math.exp(-p24 * (ap - 4.0)) - 1.0) / p24))


@njit(cache=True, error_model="numpy")
def prepare(
    doy: float, ut_s: float, lat_deg: float, lon_deg: float, lst_h: float, ap: Array, history: bool, work: Array
) -> None:
    """Fills a work array with what all parameters share of a place, a time and a magnetic activity."""
    c, s = math.sin(lat_deg * DEGREE), math.cos(lat_deg * DEGREE)
    c2, s2 = c * c, s * s
    c4 = c2 * c2
    p = work[PLG : PLG + 32]
    p[1] = c
    p[2] = 0.5 * (3.0 * c2 - 1.0)
    p[3] = 0.5 * (5.0 * c * c2 - 3.0 * c)
    p[4] = (35.0 * c4 - 30.0 * c2 + 3.0) / 8.0
    p[5] = (63.0 * c2 * c2 * c - 70.0 * c2 * c + 15.0 * c) / 8.0
    p[6] = (11.0 * c * p[5] - 5.0 * p[4]) / 6.0
    p[9] = s
    p[10] = 3.0 * c * s
    p[11] = 1.5 * (5.0 * c2 - 1.0) * s
    p[12] = 2.5 * (7.0 * c2 * c - 3.0 * c) * s
    p[13] = 1.875 * (21.0 * c4 - 14.0 * c2 + 1.0) * s
    p[14] = (11.0 * c * p[13] - 6.0 * p[12]) / 5.0
    p[18] = 3.0 * s2
    p[19] = 15.0 * s2 * c
    p[20] = 7.5 * (7.0 * c2 - 1.0) * s2
    p[21] = 3.0 * c * p[20] - 2.0 * p[19]
    p[22] = (11.0 * c * p[21] - 7.0 * p[20]) / 4.0
    p[23] = (13.0 * c * p[22] - 8.0 * p[21]) / 5.0
    p[27] = 15.0 * s2 * s
    p[28] = 105.0 * s2 * s * c
    p[29] = (9.0 * c * p[28] - 7.0 * p[27]) / 2.0
    p[30] = (11.0 * c * p[29] - 8.0 * p[28]) / 3.0
    s1, c1 = math.sin(HOUR * lst_h), math.cos(HOUR * lst_h)
    s2, c2 = 2.0 * s1 * c1, c1 * c1 - s1 * s1
    work[LOCAL], work[LOCAL + 1], work[LOCAL + 2], work[LOCAL + 3] = s1, c1, s2, c2
    work[LOCAL + 4], work[LOCAL + 5] = s1 * c2 + c1 * s2, c1 * c2 - s1 * s2
    cy, sy = math.cos(YEAR * doy), math.sin(YEAR * doy)
    work[SEASON], work[SEASON + 1], work[SEASON + 2], work[SEASON + 3] = cy, sy, cy * cy - sy * sy, 2.0 * sy * cy
    work[PLACE], work[PLACE + 1] = math.cos(DEGREE * lon_deg), math.sin(DEGREE * lon_deg)
    work[CLOCK], work[CLOCK + 1] = math.cos(SECOND * ut_s), math.sin(SECOND * ut_s)
    work[LATITUDE] = lat_deg
    if history:
        for k in range(1, 7):
            work[EFFECTS + k] = _effect(ap[k], _COMMON[0], _COMMON[1])


@njit(cache=True, error_model="numpy")
def _history_effect(ex: float, p: Array, ap: Array, work: Array) -> float:
    """Eq. A24a: the ap of the last 57 hours to one effect; ap as in the rows of weather drivers from ap_daily on."""
    e = work[EFFECTS : EFFECTS + 7]
    e1, e2, e3, e4, e5, e6 = e[1], e[2], e[3], e[4], e[5], e[6]
    if p[24] != _COMMON[0] or p[25] != _COMMON[1]:
        p24, p25 = max(p[24], 1.0e-4), p[25]
        e1, e2, e3 = _effect(ap[1], p24, p25), _effect(ap[2], p24, p25), _effect(ap[3], p24, p25)
        e4, e5, e6 = _effect(ap[4], p24, p25), _effect(ap[5], p24, p25), _effect(ap[6], p24, p25)
    ex2 = ex * ex
    ex4 = ex2 * ex2
    ex8 = ex4 * ex4
    total = e1 + e2 * ex + e3 * ex2 + e4 * ex2 * ex + (e5 * ex4 + e6 * ex8 * ex4) * (1.0 - ex8) / (1.0 - ex)
    return float(total / (1.0 + (1.0 - ex8 * ex8 * ex2 * ex) / (1.0 - ex) * math.sqrt(ex)))


@njit(cache=True, error_model="numpy")
def globe(
    p: Array,
    q: Array,
    f107a: float,
    f107: float,
    ap: Array,
    history: bool,
    activity: float,
    work: Array,
) -> tuple[float, float]:
    """Variation of one parameter over the globe, upper atmosphere, and the effect of magnetic activity used.

    p: its coefficients, q: its row of globe_phases. `activity` is what the previous call used; a parameter without a
    history term leaves it as it was.
    """
    g = work[PLG : PLG + 32]
    s1, c1, s2, c2, s3, c3 = (
        work[LOCAL],
        work[LOCAL + 1],
        work[LOCAL + 2],
        work[LOCAL + 3],
        work[LOCAL + 4],
        work[LOCAL + 5],
    )
    cy, sy, cy2, sy2 = work[SEASON], work[SEASON + 1], work[SEASON + 2], work[SEASON + 3]
    cd32 = cy * q[0] + sy * q[1]
    cd18 = cy2 * q[2] + sy2 * q[3]
    cd14 = cy * q[4] + sy * q[5]
    cd39 = cy2 * q[6] + sy2 * q[7]
    cos_lon, sin_lon = work[PLACE], work[PLACE + 1]
    cu, su = work[CLOCK], work[CLOCK + 1]
    df = f107 - f107a
    dfa = f107a - 150.0
    flux = p[19] * df + p[20] * df * df
    f1 = 1.0 + (p[47] * dfa + flux)
    f2 = 1.0 + (p[49] * dfa + flux)
    # solar flux, zonal, annual and semiannual
    total = p[30]
    total += p[19] * df * (1.0 + p[59] * dfa) + p[20] * df * df + p[21] * dfa + p[29] * dfa * dfa
    total += p[1] * g[2] + p[2] * g[4] + p[22] * g[6] + p[14] * g[2] * dfa + p[26] * g[1]
    total += p[18] * cd32
    total += (p[15] + p[16] * g[2]) * cd18
    total += f1 * (p[9] * g[1] + p[10] * g[3]) * cd14
    total += p[37] * g[1] * cd39
    # diurnal, semidiurnal, terdiurnal
    total += f2 * (
        (p[3] * g[9] + p[4] * g[11] + p[27] * g[13] + p[11] * g[10] * cd14) * c1
        + (p[6] * g[9] + p[7] * g[11] + p[28] * g[13] + p[12] * g[10] * cd14) * s1
    )
    total += f2 * (
        (p[5] * g[18] + p[41] * g[20] + (p[23] * g[19] + p[35] * g[21]) * cd14) * c2
        + (p[8] * g[18] + p[42] * g[20] + (p[33] * g[19] + p[36] * g[21]) * cd14) * s2
    )
    total += f2 * (
        (p[39] * g[27] + (p[93] * g[28] + p[46] * g[30]) * cd14) * s3
        + (p[40] * g[27] + (p[94] * g[28] + p[48] * g[30]) * cd14) * c3
    )
    # longitude, and universal time
    total += (1.0 + p[80] * dfa) * (
        (
            p[64] * g[10] + p[65] * g[12] + p[66] * g[14] + p[103] * g[9] + p[104] * g[11] + p[105] * g[13]
            + (p[109] * g[9] + p[110] * g[11] + p[111] * g[13]) * cd14
        ) * cos_lon
        + (
            p[90] * g[10] + p[91] * g[12] + p[92] * g[14] + p[106] * g[9] + p[107] * g[11] + p[108] * g[13]
            + (p[112] * g[9] + p[113] * g[11] + p[114] * g[13]) * cd14
        ) * sin_lon
    )  # fmt: skip
    total += (
        (1.0 + p[95] * g[1]) * (1.0 + p[81] * dfa) * (1.0 + p[119] * g[1] * cd14)
        * (p[68] * g[1] + p[69] * g[3] + p[70] * g[5]) * (cu * q[8] + su * q[9])
    )  # fmt: skip
    total += (
        (p[76] * g[19] + p[77] * g[21] + p[78] * g[23])
        * (
            (cu * q[10] + su * q[11]) * (cos_lon * cos_lon - sin_lon * sin_lon)
            - (su * q[10] - cu * q[11]) * (2.0 * sin_lon * cos_lon)
        )
        * (1.0 + p[137] * dfa)
    )  # fmt: skip
    # magnetic activity
    if history:
        if p[51] != 0.0:
            ex = q[28]
            if p[138] != 0.0:
                ex = min(math.exp(-10800.0 * abs(p[51]) / (1.0 + p[138] * (45.0 - abs(work[LATITUDE])))), 0.99999)
            activity = _history_effect(ex, p, ap, work)
            total += activity * (
                p[50] + p[96] * g[2] + p[54] * g[4]
                + (p[125] * g[1] + p[126] * g[3] + p[127] * g[5]) * cd14
                + (p[128] * g[9] + p[129] * g[11] + p[130] * g[13]) * (c1 * q[12] + s1 * q[13])
            )  # fmt: skip
            total += activity * (
                (1.0 + p[132] * g[1]) * (p[52] * g[10] + p[98] * g[12] + p[67] * g[14])
                * (cos_lon * q[14] + sin_lon * q[15])
                + (p[133] * g[9] + p[134] * g[11] + p[135] * g[13]) * cd14 * (cos_lon * q[16] + sin_lon * q[17])
                + (p[55] * g[1] + p[56] * g[3] + p[57] * g[5]) * (cu * q[18] + su * q[19])
            )  # fmt: skip
        return total, activity
    p44 = p[43] if p[43] >= 0.0 else 1.0e-5
    activity = _effect(ap[0], p44, p[44])
    total += activity * (
        p[32] + p[45] * g[2] + p[34] * g[4]
        + (p[100] * g[1] + p[101] * g[3] + p[102] * g[5]) * cd14
        + (p[121] * g[9] + p[122] * g[11] + p[123] * g[13]) * (c1 * q[20] + s1 * q[21])
    )  # fmt: skip
    total += activity * (
        (1.0 + p[120] * g[1]) * (p[60] * g[10] + p[61] * g[12] + p[62] * g[14])
        * (cos_lon * q[22] + sin_lon * q[23])
        + (p[115] * g[9] + p[116] * g[11] + p[117] * g[13]) * cd14 * (cos_lon * q[24] + sin_lon * q[25])
        + (p[83] * g[1] + p[84] * g[3] + p[85] * g[5]) * (cu * q[26] + su * q[27])
    )  # fmt: skip
    return total, activity


@njit(cache=True, error_model="numpy")
def globe_low(p: Array, q: Array, f107a: float, activity: float, work: Array) -> float:
    """Variation of one parameter over the globe, lower atmosphere."""
    g = work[PLG : PLG + 32]
    s1, c1, s2, c2, s3, c3 = (
        work[LOCAL],
        work[LOCAL + 1],
        work[LOCAL + 2],
        work[LOCAL + 3],
        work[LOCAL + 4],
        work[LOCAL + 5],
    )
    cy, sy, cy2, sy2 = work[SEASON], work[SEASON + 1], work[SEASON + 2], work[SEASON + 3]
    cd32 = cy * q[0] + sy * q[1]
    cd18 = cy2 * q[2] + sy2 * q[3]
    cd14 = cy * q[4] + sy * q[5]
    cd39 = cy2 * q[6] + sy2 * q[7]
    cos_lon, sin_lon = work[PLACE], work[PLACE + 1]
    total = p[21] * (f107a - 150.0)
    total += p[1] * g[2] + p[2] * g[4] + p[22] * g[6] + p[26] * g[1] + p[14] * g[3] + p[59] * g[5]
    total += (p[18] + p[47] * g[2] + p[29] * g[4]) * cd32
    total += (p[15] + p[16] * g[2] + p[30] * g[4]) * cd18
    total += (p[9] * g[1] + p[10] * g[3] + p[20] * g[5]) * cd14
    total += p[37] * g[1] * cd39
    total += (p[3] * g[9] + p[4] * g[11] + p[11] * g[10] * cd14) * c1
    total += (p[6] * g[9] + p[7] * g[11] + p[12] * g[10] * cd14) * s1
    total += (p[5] * g[18] + p[41] * g[20] + (p[23] * g[19] + p[35] * g[21]) * cd14) * c2
    total += (p[8] * g[18] + p[42] * g[20] + (p[33] * g[19] + p[36] * g[21]) * cd14) * s2
    total += p[39] * g[27] * s3 + p[40] * g[27] * c3
    total += activity
    season = 1.0 + g[1] * (p[80] * (cy * q[8] + sy * q[9]) + p[85] * (cy2 * q[10] + sy2 * q[11]))
    season += p[83] * (cy * q[12] + sy * q[13]) + p[87] * (cy2 * q[14] + sy2 * q[15])
    total += season * (
        (
            p[64] * g[10] + p[65] * g[12] + p[66] * g[14] + p[74] * g[9] + p[75] * g[11] + p[76] * g[13]
        ) * cos_lon
        + (
            p[90] * g[10] + p[91] * g[12] + p[92] * g[14] + p[77] * g[9] + p[78] * g[11] + p[79] * g[13]
        ) * sin_lon
    )  # fmt: skip
    return float(total)


@njit(cache=True, error_model="numpy")
def low_variation(p: Array, q: Array, f107a: float, activity: float, history: bool, work: Array) -> float:
    """globe_low with the parameter's own weight of the magnetic activity."""
    weight = p[50] + p[96] * work[PLG + 2] if history else p[32] + p[45] * work[PLG + 2]
    return globe_low(p, q, f107a, activity * weight, work)
