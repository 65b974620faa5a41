"""The key figures of a backcast: pure functions of rows and declines to one document. Its schema only grows.

Figures in percent are of the life that remained; `interval` is a 90 % interval over resampled objects.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from services.replay import scoring
from services.replay.backcast import Claimed, Declined
from services.replay.corpus import CUT_OFFS_H, Subject
from services.replay.scoring import LEAST_LIFE_H, LEVELS, Row

Document = dict[str, Any]

SCHEMA = "spacecom.backcast.v1"
LEAST_OBJECTS = 5  # of fewer, an interval by resampling them says nothing
HEADLINE = ("point", "aftercast", "interval")
# Of others, from the literature: no rows of theirs are in the corpus.
PUBLISHED = (
    {
        "what": "predictions in real time, windows of 20 % either side",
        "by": "Pardini and Anselmo 2017, 316 predictions of re-entries watched for IADC campaigns",
        "error_mean_percent": 10.0,
        "last_6h_error_mean_percent": 15.0,
        "held_percent": 90.0,
        "width_percent": 40.0,
    },
    {
        "what": "windows as stated",
        "by": "CORDS of the Aerospace Corporation, 67 windows",
        "error_median_percent": 33.0,
        "held_percent": 58.0,
    },
)


def pack(rows: Sequence[Row], declined: Sequence[Declined], stood: Sequence[Declined | Claimed]) -> Document:
    """Figures of one run over the corpus."""
    by_kind = {kind: [row for row in rows if row.kind == kind] for kind in (*HEADLINE, "day")}
    headline = [row for row in rows if row.kind in HEADLINE]
    classes = sorted({row.object_class for row in headline})
    cases = sorted({row.case for row in headline})

    def by(name: str, values: Iterable[str]) -> Document:
        return {value: scoring.kpis([one for one in headline if getattr(one, name) == value]) for value in values}

    return {
        "headline": scoring.kpis(headline),
        "by_truth": {kind: scoring.kpis(some) for kind, some in by_kind.items()},
        "by_cut_off": by("cut_off", CUT_OFFS_H),
        "by_object_class": by("object_class", classes),
        "by_case": by("case", cases),
        "several_truths": [_against_each(row) for row in rows if len(row.truths_h) > 1],
        "rows": [told(row) for row in rows],
        "declined": [asdict(one) for one in declined],
        "to_be_declined": [
            {"case": one.case, "at": one.cut_off, "declined": isinstance(one, Declined), "reason": _reason(one)}
            for one in stood
        ],
    }


def _reason(one: Declined | Claimed) -> str:
    return one.reason if isinstance(one, Declined) else ""


def told(row: Row) -> Document:
    low, high = row.pits
    return {
        "case": row.case,
        "catalogue_number": row.catalogue_number,
        "object_class": row.object_class,
        "truth": row.kind,
        "cut_off": row.cut_off,
        "scored": row.life_h >= LEAST_LIFE_H,
        "newest_set_at": row.newest_set_at.isoformat(),
        "life_h": round(row.life_h, 4),
        "nominal_h": round(row.nominal_h, 4),
        "error_min": round(60.0 * row.error_h, 2),
        "error_percent": round(100.0 * row.share, 2),
        "pit": [round(low, 4), round(high, 4)],
        "crps_percent": round(100.0 * row.crps, 3),
        "windows_h": {_name(level): [round(end, 4) for end in row.window_h(level)] for level in LEVELS},
        "held": {_name(level): row.holds(level) for level in LEVELS},
        "rule_20_held": row.rule_holds,
    }


def _name(level: float) -> str:
    return f"{100.0 * level:g}"


def _against_each(row: Row) -> Document:
    """Whether the 90 % window meets each truth that a source gives."""
    low, high = row.window_h(0.9)
    return {
        "case": row.case,
        "cut_off": row.cut_off,
        "met": [low <= last and first <= high for first, last in row.truths_h],
    }


def published(subjects: Sequence[Subject]) -> list[Document]:
    """Windows that others stated for the cases, held against the first truth; an aftercast is marked by its source."""
    return [
        {
            "case": subject.case,
            "by": one.by,
            "source": one.source,
            "first_at": one.first_at.isoformat(),
            "last_at": one.last_at.isoformat(),
            "held": one.first_at <= subject.truths[0].last_at and subject.truths[0].first_at <= one.last_at,
        }
        for subject in subjects
        if subject.truths
        for one in subject.published
    ]


def musts(as_known: Document) -> list[Document]:
    """What must hold and what is hoped for, of the headline; found is None where there is no row to tell by."""
    one = as_known["headline"]
    if not one:
        return []
    last, ninety = one["last_6h"], one["levels"]["90"]
    no_claim = [stand["declined"] for stand in as_known["to_be_declined"]]
    return [
        _must("mean error, percent of the remaining life", "<=", 10.0, one["error_mean_percent"]),
        _must("90th percentile of the error, percent", "<=", 20.0, one["error_p90_percent"]),
        _must("predictions within 20 percent, percent", ">=", 85.0, one["within_20_percent"]),
        _either("last 6 h: mean error, 20 percent or 30 minutes", last),
        _must("90 % window holds the truth, percent", ">=", 80.0, ninety["held_percent"]),
        _must("90 % window, mean full width, percent", "<=", 45.0, ninety["width_mean_percent"]),
        *(_nominal(level, one) for level in LEVELS),
        _must("instants to be declined that are, percent", ">=", 100.0, _percent(no_claim)),
        _must("hoped for: mean error, percent", "<=", 5.0, one["error_mean_percent"]),
        _must(
            "hoped for: largest distance of a level's share from nominal, points", "<=", 5.0,
            max(abs(one["levels"][_name(level)]["held_percent"] - 100.0 * level) for level in LEVELS),
        ),
        _must("hoped for: 90 % window, mean full width, percent", "<=", 36.0, ninety["width_mean_percent"]),
    ]  # fmt: skip


def _percent(held: Sequence[bool]) -> float | None:
    return 100.0 * sum(held) / len(held) if held else None


def _must(what: str, sign: str, limit: float, found: float | None) -> Document:
    holds = None if found is None else found <= limit if sign == "<=" else found >= limit
    return {"must": what, "sign": sign, "limit": limit, "found": found, "holds": holds}


def _either(what: str, last: Document) -> Document:
    if not last["rows"]:
        return {"must": what, "sign": "<=", "limit": 20.0, "found": None, "holds": None}
    holds = last["error_mean_percent"] <= 20.0 or last["error_mean_min"] <= 30.0
    return {"must": what, "sign": "<=", "limit": 20.0, "found": last["error_mean_percent"], "holds": holds}


def _nominal(level: float, headline: Document) -> Document:
    low, high = headline["levels"][_name(level)]["held_interval_percent"]
    told = headline["objects"] >= LEAST_OBJECTS
    return {
        "must": f"{_name(level)} percent inside the interval of what the {_name(level)} % window holds",
        "sign": "in",
        "limit": 100.0 * level,
        "found": [low, high],
        "holds": low <= 100.0 * level <= high if told else None,
    }
