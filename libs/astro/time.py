"""Time as pairs of a Julian date that ends in .5 and the rest of the day in [0, 1), UTC unless said otherwise.

One float64 Julian date resolves 40 microseconds, which is 0.3 m of orbit; the pair resolves 1e-11 s.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numba import njit
from numba.extending import register_jitable

Array = np.ndarray[Any, np.dtype[np.float64]]

DAY_S = 86400.0
J2000_JD = 2451545.0
DAYS_IN_CENTURY = 36525.0
MJD_0_JD = 2400000.5
_ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)
_ORIGIN_JD = 2451544.5
_CALENDAR_JD = (1721425.5, 5373483.5)  # of datetime: the first day of the year 1 to the last of 9999

# First day (MJD, UTC) of each value of TAI - UTC in seconds: IERS Bulletin C.
LEAP_SECONDS = (
    (41317, 10), (41499, 11), (41683, 12), (42048, 13), (42413, 14), (42778, 15), (43144, 16), (43509, 17),
    (43874, 18), (44239, 19), (44786, 20), (45151, 21), (45516, 22), (46247, 23), (47161, 24), (47892, 25),
    (48257, 26), (48804, 27), (49169, 28), (49534, 29), (50083, 30), (50630, 31), (51179, 32), (53736, 33),
    (54832, 34), (56109, 35), (57204, 36), (57754, 37),
)  # fmt: skip
# Before them UTC drifted: first day (MJD), TAI - UTC in seconds at a reference MJD, its change a day (tai-utc.dat).
DRIFTING_SECONDS = (
    (37300, 1.4228180, 37300, 0.001296), (37512, 1.3728180, 37300, 0.001296), (37665, 1.8458580, 37665, 0.0011232),
    (38334, 1.9458580, 37665, 0.0011232), (38395, 3.2401300, 38761, 0.001296), (38486, 3.3401300, 38761, 0.001296),
    (38639, 3.4401300, 38761, 0.001296), (38761, 3.5401300, 38761, 0.001296), (38820, 3.6401300, 38761, 0.001296),
    (38942, 3.7401300, 38761, 0.001296), (39004, 3.8401300, 38761, 0.001296), (39126, 4.3131700, 39126, 0.002592),
    (39887, 4.2131700, 39126, 0.002592),
)  # fmt: skip
TT_MINUS_TAI_S = 32.184
_OFFSETS = np.array([*DRIFTING_SECONDS, *((day, seconds, day, 0.0) for day, seconds in LEAP_SECONDS)])


class BeforeUtc(ValueError):
    """UTC as a scale derived from TAI begins on 1961-01-01."""


def calendar_to_jd(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: float = 0.0
) -> tuple[float, float]:
    """Julian date of a Gregorian calendar date; raises ValueError for one that does not exist.

    A leap second counts into the next day's first second, as POSIX time does.
    """
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0.0 <= second < 61.0):
        raise ValueError(f"{hour} h {minute} min {second} s is no time of day; give 0-23, 0-59 and 0-60, UTC")
    try:
        days = (datetime(year, month, day, tzinfo=UTC) - _ORIGIN).days
    except ValueError as error:
        raise ValueError(f"{year}-{month}-{day} is no day of the Gregorian calendar: {error}") from error
    return _normalised(_ORIGIN_JD + days, (hour * 3600 + minute * 60 + second) / DAY_S)


def datetime_to_jd(instant: datetime) -> tuple[float, float]:
    """Julian date of an aware datetime; exact to a microsecond. Raises ValueError for a naive one."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no zone, so that it names no instant; give one, such as UTC")
    since = instant - _ORIGIN
    return _ORIGIN_JD + since.days, (since.seconds * 1_000_000 + since.microseconds) / (DAY_S * 1e6)


def jd_to_datetime(jd: float, fraction: float) -> datetime:
    """Nearest microsecond, UTC; raises ValueError outside the years 1 to 9999."""
    if not _CALENDAR_JD[0] <= jd + fraction < _CALENDAR_JD[1]:
        raise ValueError(f"JD {jd} and {fraction} of a day lie outside the years 1 to 9999; is it a modified one?")
    return _ORIGIN + timedelta(days=jd - _ORIGIN_JD, microseconds=round(fraction * DAY_S * 1e6))


def seconds_between(jd0: float, fraction0: float, jd1: float, fraction1: float) -> float:
    """From the first to the second, in days of 86,400 s; raises ValueError for what are no instants."""
    seconds = ((jd1 - jd0) + (fraction1 - fraction0)) * DAY_S
    if not math.isfinite(seconds):
        raise ValueError(f"JD {jd0} + {fraction0} or JD {jd1} + {fraction1} is no number and so no instant; mend it")
    return seconds


def add_seconds(jd: float, fraction: float, seconds: float) -> tuple[float, float]:
    """The instant so much later, or earlier; raises ValueError for what are no numbers."""
    return _normalised(jd, fraction + seconds / DAY_S)


def tai_minus_utc_s(jd: float | Array, fraction: float | Array = 0.0) -> Array:
    """TAI - UTC in seconds at UTC Julian date pairs, of their shape.

    jd ends in .5, so that a time in the last second before a leap second keeps its day. The last known value holds
    for times to come. Raises BeforeUtc before 1961, ValueError for what is no number.
    """
    mjd = np.asarray(jd, dtype=np.float64) - MJD_0_JD
    day = np.floor(mjd + np.asarray(fraction))
    if not np.isfinite(day).all():
        raise ValueError("a Julian date or its fraction is no number and so no time; mend it before it is converted")
    if np.any(day < _OFFSETS[0, 0]):
        raise BeforeUtc(f"MJD {np.min(day):.0f} lies before 1961-01-01, when UTC had no defined relation to TAI")
    row = _OFFSETS[np.searchsorted(_OFFSETS[:, 0], day, side="right") - 1]
    offset: Array = row[..., 1] + (mjd - row[..., 2] + fraction) * row[..., 3]
    return offset


def utc_to_tt(jd: float | Array, fraction: float | Array) -> tuple[float | Array, Array]:
    """Terrestrial Time of UTC Julian date pairs: the same jd, and a fraction that may leave [0, 1).

    A day with a leap second has 86,401 s of TT; its UTC fractions count days of 86,400 s, as POSIX time does.
    """
    return jd, fraction + (tai_minus_utc_s(jd, fraction) + TT_MINUS_TAI_S) / DAY_S


def utc_to_tai(jd: float | Array, fraction: float | Array) -> tuple[float | Array, Array]:
    """International Atomic Time, otherwise as utc_to_tt."""
    return jd, fraction + tai_minus_utc_s(jd, fraction) / DAY_S


def utc_to_ut1(jd: float | Array, fraction: float | Array, ut1_utc_s: float | Array) -> tuple[float | Array, Array]:
    """UT1, given UT1 - UTC from an Earth orientation file; raises ValueError for one of a second or more.

    |UT1 - UTC| < 0.9 s since 1972 and was less before.
    """
    if not (np.all(np.abs(ut1_utc_s) < 1.0) and np.isfinite(np.asarray(jd) + fraction).all()):
        raise ValueError("a time or its UT1 - UTC is no number, or not within a second; give days and seconds")
    return jd, np.asarray(fraction) + np.asarray(ut1_utc_s) / DAY_S


def _normalised(jd: float, fraction: float) -> tuple[float, float]:
    if not math.isfinite(jd + fraction):
        raise ValueError(f"JD {jd} and {fraction} of a day are no numbers and so no instant; mend what made them")
    whole = math.floor(fraction)
    rest = fraction - whole
    return (jd + whole, rest) if rest < 1.0 else (jd + whole + 1.0, 0.0)


@register_jitable(inline="always")
def gmst82_turns(days: Any, fraction: Any) -> Any:
    """Greenwich mean sidereal time (Aoki et al. 1982) in turns, whole ones left in or out: of numbers or of arrays.

    days: UT1 from J2000_JD on, of which fraction is a part that whole days are kept apart from.
    """
    t = (days + fraction) * (1.0 / DAYS_IN_CENTURY)
    seconds = 67310.54841 + t * (8640184.812866 + t * (0.093104 - t * 6.2e-6))
    return (days - np.floor(days)) + fraction + seconds * (1.0 / DAY_S)  # the mean Sun's whole turns are left out


@njit(cache=True, error_model="numpy")
def gmst82_rad(jd_ut1: float, fraction: float) -> float:
    """Greenwich mean sidereal time in [0, 2 pi) (Aoki et al. 1982), of a UT1 Julian date."""
    angle: float = 2.0 * math.pi * (gmst82_turns(jd_ut1 - J2000_JD, fraction) % 1.0)
    return angle % (2.0 * math.pi)
