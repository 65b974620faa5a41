"""Days of density tables kept in memory and in a folder, so that what one prediction made serves the next."""

import os
from collections import OrderedDict
from pathlib import Path

from libs.astro import density_days, density_table
from libs.astro.density_days import Day, Table

IN_MEMORY = 48  # days, 6 MB each


class Kept:
    """Makes tables of days found or made. A folder may be shared by processes: a day is written whole or not at all."""

    def __init__(self, folder: Path | None = None, in_memory: int = IN_MEMORY) -> None:
        self._folder = folder
        self._in_memory = in_memory
        self._days: OrderedDict[str, Day] = OrderedDict()

    def table(self, start_mjd: int, days: int, reference_sfu: float, top_km: float = density_table.UPPER_KM) -> Table:
        """Returns a table as density_days.span would make it, and raises ValueError as it does."""
        wanted = density_days.days_of_year(start_mjd, days)
        return density_days.join([self.day(doy, reference_sfu, top_km) for doy in wanted], start_mjd)

    def day(self, doy: int, reference_sfu: float, top_km: float) -> Day:
        """Returns a day from memory, from the folder, or made now and kept in both."""
        name = density_days.name(doy, reference_sfu, top_km)
        day = self._days.pop(name, None) or self._read(name) or self._make(name, doy, reference_sfu, top_km)
        self._days[name] = day
        if len(self._days) > self._in_memory:
            self._days.popitem(last=False)
        return day

    def _read(self, name: str) -> Day | None:
        if self._folder is None:
            return None
        try:
            return Day.from_bytes((self._folder / name).read_bytes())
        except (OSError, ValueError):  # absent, of another version or cut off: made anew
            return None

    def _make(self, name: str, doy: int, reference_sfu: float, top_km: float) -> Day:
        day = density_days.make(doy, reference_sfu, top_km)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = self._folder / f"{name}.{os.getpid()}"
            part.write_bytes(day.to_bytes())
            part.replace(self._folder / name)
        return day


def beside_kernels(in_memory: int = IN_MEMORY) -> Kept:
    """Keeps days beside the compiled kernels, where every process of this version finds them."""
    return Kept(Path(os.environ["NUMBA_CACHE_DIR"]) / "density", in_memory)
