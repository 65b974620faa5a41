"""Earth orientation from the IERS file finals2000A: UT1 - UTC and the pole, with the days for which it holds."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro.time import MJD_0_JD

Array = np.ndarray[Any, np.dtype[np.float64]]

ARCSECOND = math.pi / 648_000.0
_COLUMNS = {"mjd": (7, 15), "xp": (18, 27), "yp": (37, 46), "ut1_utc": (58, 68)}


class BadOrientationFile(ValueError):
    """The file is not finals2000A, or its days have gaps."""


class OutsideOrientation(LookupError):
    """The instant lies outside the days of the file."""


@dataclass(frozen=True, slots=True)
class Orientation:
    ut1_utc_s: float
    xp_rad: float
    yp_rad: float


@dataclass(frozen=True, slots=True)
class EarthOrientation:
    """Daily values at 0 h UTC: MJD (n,), UT1 - TAI without its jumps in s (n,), pole in rad (n,)."""

    mjd: Array
    ut1_continuous_s: Array
    steps_s: Array
    xp_rad: Array
    yp_rad: Array

    def at(self, jd: float, fraction: float) -> Orientation:
        """Linear between days (0.1 ms of UT1, 5 cm, at worst); raises OutsideOrientation."""
        at = (jd - MJD_0_JD) + fraction
        if not self.mjd[0] <= at <= self.mjd[-1]:
            raise OutsideOrientation(
                f"MJD {at:.1f} is outside the Earth orientation file (MJD {self.mjd[0]:.0f} to {self.mjd[-1]:.0f}); "
                "load a newer file"
            )
        day = min(int(at - self.mjd[0]), len(self.mjd) - 1)
        ut1 = float(np.interp(at, self.mjd, self.ut1_continuous_s)) + float(self.steps_s[day])
        return Orientation(
            ut1, float(np.interp(at, self.mjd, self.xp_rad)), float(np.interp(at, self.mjd, self.yp_rad))
        )


def read_finals2000a(data: bytes) -> EarthOrientation:
    """Reads the days that have values, observed or predicted; raises BadOrientationFile."""
    rows = [row for line in data.splitlines() if (row := _row(line))]
    if len(rows) < 2:
        raise BadOrientationFile("the file holds no days of Earth orientation in the columns of finals2000A")
    mjd, xp, yp, ut1_utc = np.array(rows).T
    if not np.all(np.diff(mjd) == 1.0):
        raise BadOrientationFile("the days of the file do not follow each other")
    leaps = np.round(np.diff(ut1_utc, prepend=ut1_utc[0]))
    steps = np.cumsum(leaps)
    return EarthOrientation(mjd, ut1_utc - steps, steps, xp * ARCSECOND, yp * ARCSECOND)


def _row(line: bytes) -> tuple[float, ...] | None:
    texts = [line[first:last] for first, last in _COLUMNS.values()]
    if any(not text.strip() for text in texts):
        return None
    try:
        return tuple(float(text) for text in texts)
    except ValueError as error:
        raise BadOrientationFile(f"a day cannot be read: {line[:70]!r}") from error
