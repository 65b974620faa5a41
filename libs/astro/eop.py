"""Earth orientation: UT1 - UTC, the pole and its celestial offsets, with the days for which they hold.

Reads the IERS file finals2000A (also as the astropy-iers-data wheel carries it) and the EOP-All file of CelesTrak
(T. S. Kelso's format of D. A. Vallado, "Earth orientation parameters"); the caller passes their bytes.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.astro.time import MJD_0_JD, BeforeUtc, tai_minus_utc_s

Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

ARCSECOND = math.pi / 648_000.0
_COLUMNS = {"mjd": (7, 15), "xp": (18, 27), "yp": (37, 46), "ut1_utc": (58, 68)}
_OFFSETS = ((97, 106), (116, 125))  # dX, dY in milliarcseconds; blank where nobody predicts them
_FLAGS = (16, 57)  # I observed, P predicted: of the pole, of UT1
_UT1, _XP, _YP = 0, 2, 4  # columns of `days`, each followed by its change over the day


class BadOrientationFile(ValueError):
    """The file is none of the known kinds, or its days have gaps."""


class OutsideOrientation(LookupError):
    """The instant lies outside the days of the file."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """At one instant. predicted: the value was not yet observed when the file was made."""

    ut1_utc_s: float
    xp_rad: float
    yp_rad: float
    predicted: bool


@dataclass(frozen=True, slots=True)
class EarthOrientation:
    """n days from 0 h UTC of the first MJD on, and the one after them.

    days (n, 6): UT1 - UTC (s), pole x and y (rad), each with its change until the day's end, so that a leap second
    at that end is left out. offsets_rad (2, n + 1): dX, dY to IAU 2006/2000A. observed (n,): not a prediction.
    """

    first_mjd: float
    days: Array
    offsets_rad: Array
    observed: Flags

    @property
    def last_mjd(self) -> float:
        """The last instant that can be asked for, 0 h UTC."""
        return self.first_mjd + len(self.days)

    @property
    def last_observed_mjd(self) -> float:
        """The last day that rests on observations on both its ends; before the first day where there is none."""
        return self.first_mjd + float(np.flatnonzero(self.observed).max(initial=-1))

    def at(self, jd: float, fraction: float) -> Orientation:
        """Linear between days (0.1 ms of UT1, 5 cm, at worst); raises OutsideOrientation."""
        (ut1,), (xp,), (yp,) = self.at_many(np.array([jd]), np.array([fraction]))
        day = min(int((jd - MJD_0_JD) + fraction - self.first_mjd), len(self.days) - 1)
        return Orientation(float(ut1), float(xp), float(yp), not bool(self.observed[day]))

    def at_many(self, jd: Array, fraction: Array) -> tuple[Array, Array, Array]:
        """UT1 - UTC (n,) s and the pole x, y (n,) rad at n UTC times; raises OutsideOrientation if one is outside."""
        self.check(jd, fraction)
        since = (jd - MJD_0_JD - self.first_mjd) + fraction
        k = np.minimum(since.astype(np.int64), len(self.days) - 1)
        rows, part = self.days[k], since - k
        return tuple(rows[:, i] + part * rows[:, i + 1] for i in (_UT1, _XP, _YP))  # type: ignore[return-value]

    def offsets_at(self, jd: Array, fraction: Array) -> Array:
        """dX, dY (2, n) rad; raises OutsideOrientation."""
        self.check(jd, fraction)
        since = (jd - MJD_0_JD - self.first_mjd) + fraction
        nodes = np.arange(self.offsets_rad.shape[1])
        return np.stack([np.interp(since, nodes, one) for one in self.offsets_rad])

    def check(self, jd: Array, fraction: Array) -> None:
        """Raises OutsideOrientation for the first time outside the file's days, or not a number.

        ValueError for what are no arrays (n,), or where there are not as many fractions as days.
        """
        if not (isinstance(jd, np.ndarray) and isinstance(fraction, np.ndarray) and jd.ndim == 1):
            raise ValueError("times are pairs of arrays (n,), days and fractions; make arrays of what is given")
        if jd.shape != fraction.shape:
            raise ValueError(f"times are pairs: {jd.shape} days and {fraction.shape} fractions do not match")
        at = (jd - MJD_0_JD) + fraction
        outside = ~((at >= self.first_mjd) & (at <= self.last_mjd))
        if outside.any():
            raise OutsideOrientation(
                f"MJD {at[outside][0]:.1f} is outside the Earth orientation file (MJD {self.first_mjd:.0f} to "
                f"{self.last_mjd:.0f}); load a newer file"
            )


def read(data: bytes) -> EarthOrientation:
    """Reads either kind of file by its first line; raises BadOrientationFile."""
    return read_celestrak(data) if data.lstrip()[:7] == b"VERSION" else read_finals2000a(data)


def read_finals2000a(data: bytes) -> EarthOrientation:
    """Reads the days that have values, observed or predicted; raises BadOrientationFile."""
    return _orientation([row for line in data.splitlines() if (row := _finals_row(line))], "finals2000A")


def read_celestrak(data: bytes) -> EarthOrientation:
    """Reads EOP-All or EOP-Last5Years of CelesTrak; raises BadOrientationFile."""
    rows, observed, inside = [], True, False
    for line in data.splitlines():
        words = line.split()
        if words[:1] == [b"BEGIN"]:
            inside, observed = True, words[1:2] == [b"OBSERVED"]
        elif words[:1] == [b"END"]:
            inside = False
        elif inside and words:
            rows.append(_celestrak_row(line, words, observed=observed))
    return _orientation(rows, "EOP-All")


def _celestrak_row(line: bytes, words: list[bytes], *, observed: bool) -> tuple[float, ...]:
    try:
        mjd, xp, yp, ut1, dx, dy = (float(words[i]) for i in (3, 4, 5, 6, 10, 11))
    except (ValueError, IndexError) as error:
        raise BadOrientationFile(f"a day cannot be read: {line[:70]!r}") from error
    return mjd, xp, yp, ut1, dx, dy, float(observed)


def _finals_row(line: bytes) -> tuple[float, ...] | None:
    texts = [line[first:last] for first, last in _COLUMNS.values()]
    if any(not text.strip() for text in texts):
        return None
    try:
        mjd, xp, yp, ut1 = (float(text) for text in texts)
        dx, dy = (float(line[first:last].strip() or 0.0) * 1e-3 for first, last in _OFFSETS)
    except ValueError as error:
        raise BadOrientationFile(f"a day cannot be read: {line[:70]!r}") from error
    return mjd, xp, yp, ut1, dx, dy, float(all(line[at : at + 1] == b"I" for at in _FLAGS))


def _orientation(rows: list[tuple[float, ...]], kind: str) -> EarthOrientation:
    if len(rows) < 2:
        raise BadOrientationFile(f"the file holds no days of Earth orientation in the columns of {kind}")
    mjd, xp, yp, ut1_utc, dx, dy, observed = np.array(rows).T
    if not np.isfinite(rows).all() or not np.all(np.diff(mjd) == 1.0):
        raise BadOrientationFile("the days of the file do not follow each other")
    try:
        start = tai_minus_utc_s(mjd + MJD_0_JD)
        end = tai_minus_utc_s(mjd[:-1] + MJD_0_JD, np.nextafter(1.0, 0.0) - 1e-9)
    except BeforeUtc as error:
        raise BadOrientationFile(str(error)) from error
    days = np.zeros((len(mjd) - 1, 6))
    days[:, _UT1] = ut1_utc[:-1]
    days[:, _UT1 + 1] = np.diff(ut1_utc - start) + (end - start[:-1])
    for column, values in ((_XP, xp), (_YP, yp)):
        days[:, column] = values[:-1] * ARCSECOND
        days[:, column + 1] = np.diff(values) * ARCSECOND
    seen = observed.astype(np.bool_)
    return EarthOrientation(float(mjd[0]), days, np.stack([dx, dy]) * ARCSECOND, seen[:-1] & seen[1:])
