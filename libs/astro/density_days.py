"""Density tables of a span of days: made or joined from kept days, checked at the door, driven before a flight."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from libs.astro import density_build as build
from libs.astro import density_table as table
from libs.astro.density_build import Error
from libs.astro.weather import Drivers

Array = np.ndarray[Any, np.dtype[np.float64]]
Array32 = np.ndarray[Any, np.dtype[np.float32]]

FLUX_STEP_SFU = 25.0  # of the reference: what is kept for one prediction serves the next
REFERENCES_SFU = (75.0, 250.0)
_MADE_SFU = (50.0, 500.0)  # those of the model
# Departures of the drivers from the reference that the sensitivities follow: F10.7a and F10.7 - F10.7a as shares of the
# reference, effect of ap.
MEAN_SHARE, FLUX_SHARE = 0.3, 0.9
EFFECT_MAX = float(table.effect(400.0))
_MAGIC = b"density-day "
_ORDINAL_OF_MJD_0 = 678576
_START_MJD_MAX, _MOST_DAYS = 200_000, 3660  # the year 2406, which no Julian date is before; ten years


class OutsideTable(Exception):
    """What was asked lies where the table says nothing; the text names it and what to do."""


@dataclass(frozen=True, slots=True)
class Day:
    """Slices at 0, 3 .. 21 h of one day of the year, the sensitivities at SENSE_TIMES of it, and their error.

    daily_ap: its sensitivities are those of the model given the daily ap alone, a formula of its own in NRLMSISE-00.
    """

    doy: int
    reference_sfu: float
    top_km: float
    base: Array32
    sense: Array32
    error: Error
    daily_ap: bool = False

    def to_bytes(self) -> bytes:
        """Returns a line of JSON and the numbers, little-endian: the same day gives the same bytes."""
        head = {
            "model": build.MODEL,
            "version": build.VERSION,
            "doy": self.doy,
            "reference_sfu": self.reference_sfu,
            "top_km": self.top_km,
            "error": asdict(self.error),
            "base": self.base.shape,
            "sense": self.sense.shape,
        }
        if self.daily_ap:
            head["daily_ap"] = True
        line = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
        return _MAGIC + line + b"\n" + self.base.astype("<f4").tobytes() + self.sense.astype("<f4").tobytes()

    @staticmethod
    def from_bytes(data: bytes) -> "Day":
        """Raises ValueError when the bytes are no day of this model and version, not whole, or hold no numbers."""
        line, newline, body = data.partition(b"\n")
        if not line.startswith(_MAGIC) or not newline:
            raise ValueError("these bytes are no density day; make it anew")
        try:
            return Day._read(json.loads(line[len(_MAGIC) :]), body)
        except (KeyError, TypeError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"the head of the density day is damaged ({error}); make it anew") from error

    @staticmethod
    def _read(head: Any, body: bytes) -> "Day":
        if (head["model"], head["version"]) != (build.MODEL, build.VERSION):
            made = f"{head['model']} version {head['version']}"
            raise ValueError(f"the density day was made by {made}, not {build.MODEL} {build.VERSION}; make it anew")
        first, second = math.prod(head["base"]), math.prod(head["sense"])
        if len(body) != 4 * (first + second):
            raise ValueError(
                f"the density day holds {len(body)} bytes where {4 * (first + second)} are due; make it anew"
            )
        numbers = np.frombuffer(body, "<f4").astype(np.float32)
        if not np.isfinite(numbers).all():
            raise ValueError("the density day holds a value that is no number; make it anew")
        return Day(
            head["doy"],
            head["reference_sfu"],
            head["top_km"],
            numbers[:first].reshape(head["base"]),
            numbers[first:].reshape(head["sense"]),
            Error(**head["error"]),
            head.get("daily_ap", False),
        )


def name(doy: int, reference_sfu: float, top_km: float, *, daily_ap: bool = False) -> str:
    """Returns the name a day is kept by: the same name, the same bytes."""
    return f"density-{build.VERSION}-{doy:03d}-{reference_sfu:g}-{top_km:g}{'-daily' if daily_ap else ''}"


def reference_sfu(f107a: float) -> float:
    """Returns the reference flux for a mean flux: the nearest of 75, 100 .. 250; ValueError for one that is none."""
    if not 0.0 < f107a < math.inf:
        raise ValueError(f"a mean F10.7 of {f107a} is no flux; give solar flux units")
    low, high = REFERENCES_SFU
    return min(max(FLUX_STEP_SFU * round(f107a / FLUX_STEP_SFU), low), high)


def days_of_year(start_mjd: int, days: int) -> list[int]:
    """Returns the days of the year a table of that span is joined from: one more than its days.

    Raises ValueError for a span that is none.
    """
    if not (0 <= start_mjd < _START_MJD_MAX and 0 <= days <= _MOST_DAYS and start_mjd % 1 == days % 1 == 0):
        raise ValueError(
            f"{days} days from {start_mjd} are no span: give a whole Modified Julian Date and at most {_MOST_DAYS} days"
        )
    dates = (date.fromordinal(int(start_mjd) + k + _ORDINAL_OF_MJD_0) for k in range(int(days) + 1))
    return [one.timetuple().tm_yday for one in dates]


def make(
    doy: int, reference_sfu: float, top_km: float = table.UPPER_KM, threads: int = 1, *, daily_ap: bool = False
) -> Day:
    """Makes a day: about half a second of one core to 400 km. top_km: 400 or 1000. daily_ap: see Day.

    Raises ValueError for another top, for no day of a year, and for a flux outside 50 to 500 sfu.
    """
    if top_km not in (table.UPPER_KM, table.TOP_KM):
        raise ValueError(f"tables end at {table.UPPER_KM:g} or {table.TOP_KM:g} km, not at {top_km:g}")
    if not (1 <= doy <= 366 and doy % 1 == 0):
        raise ValueError(f"{doy} is no day of a year; give 1 to 366")
    low, high = _MADE_SFU
    if not low <= reference_sfu <= high:
        raise ValueError(
            f"a table is made at a flux of {low:g} to {high:g} sfu, not {reference_sfu}; see reference_sfu"
        )
    step, day = 86400.0 / build.SENSE_TIMES, float(doy)
    jobs = [lambda k=k: build.slice_at(day, k * table.SLOT_S, reference_sfu, top_km) for k in range(table.SLOTS)]
    jobs += [
        lambda k=k: build.sensitivities(day, k * step, reference_sfu, top_km, daily_ap=daily_ap)
        for k in range(build.SENSE_TIMES)
    ]
    made = build.in_threads(jobs, threads)
    base, sense = np.stack(made[: table.SLOTS]), np.stack(made[table.SLOTS :])
    error = build.measured(day, reference_sfu, top_km, base, build.by_slots(sense), daily_ap=daily_ap)
    return Day(doy, reference_sfu, top_km, base, sense, error, daily_ap)


@dataclass(frozen=True, slots=True)
class Table:
    """Density from start_mjd, a 0 h UTC, for a whole number of days.

    base, sense: what the kernels of density_table take. error: the worst of the days'. id: of the contents.
    daily_ap: see Day; then the third column alone of the drivers' ap is felt.
    """

    start_mjd: int
    reference_sfu: float
    top_km: float
    base: Array32
    sense: Array32
    error: Error
    id: str
    daily_ap: bool = False

    @property
    def end_mjd(self) -> int:
        """The last instant of the table, a 0 h UTC."""
        return self.start_mjd + (len(self.base) - 1) // table.SLOTS

    @property
    def model(self) -> str:
        """Model, kind of ap and version, as they are stored with what was computed."""
        return f"{build.MODEL_DAILY if self.daily_ap else build.MODEL}, table {build.VERSION}"

    def terms(self, drivers: Drivers) -> Array:
        """Returns the terms [slice, TERMS] of the drivers at each slice: the mean of the rows before and after it.

        So the drivers run straight from slice to slice, where the rows would step; the first and last rows hold
        beyond. Raises OutsideTable when a driver departs further from the reference than the sensitivities follow.
        """
        rows = np.ascontiguousarray(drivers.rows)
        self._check_drivers(rows)
        each = np.empty((len(rows), table.TERMS))
        for row, out in zip(rows, each, strict=True):
            table.terms(row[0] - row[1], row[1] - self.reference_sfu, self._activity(row), self.reference_sfu, out)
        after = round((self.start_mjd - drivers.start_mjd) * table.SLOTS) + np.arange(len(self.base))
        last = len(rows) - 1
        return np.asarray(0.5 * (each[np.clip(after - 1, 0, last)] + each[np.clip(after, 0, last)]))

    def driven(self, drivers: Drivers) -> Array32:
        """Returns the base under the drivers, for density_table.ln_base: some milliseconds a day."""
        moved = (self.sense @ self.terms(drivers)[:, None, None, :, None])[..., 0] @ build.up(self.top_km).T
        hours, latitudes = build.around(table.SENSE_HOURS, table.HOURS), build.along(table.SENSE_LATITUDES, 0.5)
        return (self.base + build.spread(hours, latitudes, moved)).astype(np.float32)

    def check(self, from_mjd: float, to_mjd: float, lowest_km: float, highest_km: float) -> None:
        """Raises OutsideTable when a flight would leave the table."""
        if not (self.start_mjd <= from_mjd <= to_mjd <= self.end_mjd):
            span = f"MJD {self.start_mjd} to {self.end_mjd}"
            raise OutsideTable(f"the density table spans {span}, not {from_mjd:.3f} to {to_mjd:.3f}; join more days")
        if not (table.BOTTOM_KM <= lowest_km <= highest_km <= self.top_km):
            span = f"{table.BOTTOM_KM:g} to {self.top_km:g} km"
            raise OutsideTable(
                f"the density table spans {span}, not {lowest_km:g} to {highest_km:g}; use the model itself beyond"
            )

    def _activity(self, row: Array) -> float:
        return float(table.effect(row[2]) if self.daily_ap else table.activity(row))

    def _check_drivers(self, rows: Array) -> None:
        mean, flux = rows[:, 1] - self.reference_sfu, rows[:, 0] - rows[:, 1]
        if not (np.isfinite(rows).all() and (rows[:, 2:] >= 0.0).all()):
            raise OutsideTable("a driver is no number, or an ap is negative; mend the space weather")
        if np.abs(mean).max() > MEAN_SHARE * self.reference_sfu:
            worst = rows[np.abs(mean).argmax(), 1]
            raise OutsideTable(
                f"F10.7a {worst:.0f} is further than {MEAN_SHARE * self.reference_sfu:.0f} from the table's"
                f" {self.reference_sfu:g}; make the days at {reference_sfu(float(worst)):g}"
            )
        if np.abs(flux).max() > FLUX_SHARE * self.reference_sfu:
            raise OutsideTable(
                f"F10.7 departs {np.abs(flux).max():.0f} from its mean, further than the"
                f" {FLUX_SHARE * self.reference_sfu:.0f} a table follows; use the model itself"
            )
        if max(self._activity(row) for row in rows) > EFFECT_MAX:
            raise OutsideTable("57 hours of ap above 400 are beyond the model; mend the space weather")


def join(days: Sequence[Day], start_mjd: int) -> Table:
    """Returns the table of days from start_mjd; the last day given only closes it.

    Raises ValueError when they do not follow each other from that date or differ in reference or top.
    """
    wanted = days_of_year(start_mjd, len(days) - 1)
    if len(days) < 2 or [day.doy for day in days] != wanted:
        raise ValueError(f"a table needs two days or more in order, here the days {wanted} of the year")
    kinds = {(day.reference_sfu, day.top_km, day.daily_ap) for day in days}
    if len(kinds) != 1:
        raise ValueError(f"a table needs days of one reference flux, top and kind of ap, not {sorted(kinds)}")
    base = np.concatenate([*(day.base for day in days[:-1]), days[-1].base[:1]])
    senses = [build.by_slots(day.sense) for day in days[:-1]]
    sense = np.concatenate([*senses, build.by_slots(days[-1].sense)[:1]])
    errors = [day.error for day in days]
    error = Error(
        sum(one.points for one in errors),
        *(max(getattr(one, key) for one in errors) for key in ("base_rms", "base_max", "driven_rms", "driven_max")),
    )
    digest = hashlib.sha256(base.tobytes() + sense.tobytes()).hexdigest()
    reference, top, daily = kinds.pop()
    start_mjd = int(start_mjd)
    named = f"{name(days[0].doy, reference, top, daily_ap=daily)}-{start_mjd}-{len(days) - 1}d-{digest[:16]}"
    return Table(start_mjd, reference, top, base, sense, error, named, daily)


def span(
    start_mjd: int,
    days: int,
    reference_sfu: float,
    top_km: float = table.UPPER_KM,
    threads: int = 1,
    *,
    daily_ap: bool = False,
) -> Table:
    """Makes the days of a span and joins them."""
    wanted = days_of_year(start_mjd, days)
    made = {doy: make(doy, reference_sfu, top_km, threads, daily_ap=daily_ap) for doy in dict.fromkeys(wanted)}
    return join([made[doy] for doy in wanted], start_mjd)
