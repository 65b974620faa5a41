"""`python -m services.replay.backcast`: predicts the re-entries of the corpus as known then, and scores that.

Writes build/backcast/kpi.json and a table; needs SPACECOM_VALIDATION_DATA. Two processes.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from libs.astro import fit, manoeuvre, prediction, sgp4
from libs.astro.density_kept import Kept
from libs.astro.time import datetime_to_jd, seconds_between
from libs.astro.weather import Day, drivers
from services.replay import corpus, scoring
from services.replay.corpus import Cut
from services.replay.scoring import Row

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
OUT, TABLES = Path("build/backcast"), Path("build/density")
SAMPLES, SEED = 400, 1
HORIZON_DAYS = 32.0
PROCESSES = 2
_DECLINED = (fit.TooHigh, fit.PoorFit, manoeuvre.Thrusting, sgp4.DeepSpace, sgp4.BadElements)


@dataclass(frozen=True, slots=True)
class Declined:
    catalogue_number: int
    cut_off: str
    reason: str


@cache
def _days() -> Sequence[Day]:
    return corpus.weather(DATA)


@cache
def _tables() -> Kept:
    return Kept(TABLES)


def _score(cut: Cut) -> Row | Declined:
    return score(cut, _days(), _tables())


def score(cut: Cut, days: Sequence[Day], tables: Kept) -> Row | Declined:
    """One prediction from what was known at its cut-off, beside the truth."""
    jd, fr = cut.at
    mjd = jd - 2400000.5 + fr
    known = [day for day in days if mjd - 140.0 < day.mjd <= mjd]
    given = drivers(known, mjd - 24.0, mjd + HORIZON_DAYS, mjd)
    subject = cut.subject
    try:
        found = prediction.predict(
            cut.known, given, jd + fr, tables, samples=SAMPLES, seed=SEED, horizon_days=HORIZON_DAYS
        )
    except _DECLINED as declined:
        return Declined(subject.catalogue_number, cut.name, f"{type(declined).__name__}: {declined}")
    life_s = seconds_between(found.fit.jd, found.fit.fr, *datetime_to_jd(subject.truth))
    error_h = (found.nominal_s - life_s) / 3600.0
    return Row(subject.catalogue_number, cut.name, subject.pseudo, life_s / 3600.0, error_h, found.seconds / 3600.0)


def run(*, lagged: bool) -> list[Row | Declined]:
    chosen = [cut for subject in corpus.subjects(DATA) for cut in corpus.cuts(subject, lagged=lagged)]
    with get_context("spawn").Pool(PROCESSES) as pool:
        return pool.map(_score, chosen, chunksize=1)


def report(found: Sequence[Row | Declined]) -> dict[str, Any]:
    rows = [one for one in found if isinstance(one, Row)]
    return {
        "all": scoring.kpis(rows),
        "truth_to_minutes": scoring.kpis([row for row in rows if not row.pseudo]),
        "pseudo_truth": scoring.kpis([row for row in rows if row.pseudo]),
        "by_cut_off": {name: scoring.kpis([row for row in rows if row.cut_off == name]) for name in corpus.CUT_OFFS_H},
        "rows": [_told(row) for row in rows],
        "declined": [[one.catalogue_number, one.cut_off, one.reason] for one in found if isinstance(one, Declined)],
    }


def _told(row: Row) -> dict[str, object]:
    return {
        "object": row.catalogue_number,
        "cut_off": row.cut_off,
        "life_h": round(row.life_h, 3),
        "error_min": round(60.0 * row.error_h, 1),
        "error_percent": round(100.0 * row.share, 1),
        "pit": round(row.pit, 3),
        "width_90_percent": round(100.0 * row.width(0.9), 1),
    }


def table(kpis: dict[str, Any]) -> str:
    lines = []
    for name in ("all", "truth_to_minutes", "pseudo_truth"):
        one = kpis[name]
        if not one:
            continue
        head = "  ".join(f"{key} {one[key]:.1f}" for key in ("mean", "median", "p90", "within_20", "crps"))
        lines.append(f"{name}: {one['rows']} rows, {one['objects']} objects  {head}")
        for level, figures in one["levels"].items():
            low, high = figures["held_interval"]
            lines.append(
                f"  window {level}: held {figures['held']:.0f} % [{low:.0f}, {high:.0f}],"
                f" width {figures['width']:.1f} %"
            )
    return "\n".join(lines)


def main() -> None:
    if not (DATA / "tle_reentry").exists():
        sys.exit(f"there is no validation data at {DATA}; set SPACECOM_VALIDATION_DATA to its folder")
    kpis = {name: report(run(lagged=lagged)) for name, lagged in (("as_known", False), ("lagged", True))}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "kpi.json").write_text(json.dumps(kpis, indent=1))
    for name, one in kpis.items():
        sys.stdout.write(f"{name}\n{table(one)}\n")


if __name__ == "__main__":
    main()
