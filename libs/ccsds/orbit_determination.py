"""The block of parameters of an orbit determination, the same in conjunction and re-entry messages."""

from dataclasses import dataclass

from libs.ccsds.layout import may
from libs.rows.values import Instant, amount, count, instant, number, within


@dataclass(frozen=True, slots=True, kw_only=True)
class OrbitDetermination:
    time_lastob_start: Instant | None = may("TIME_LASTOB_START", instant)
    time_lastob_end: Instant | None = may("TIME_LASTOB_END", instant)
    recommended_od_span_d: float | None = may("RECOMMENDED_OD_SPAN", amount, "d")
    actual_od_span_d: float | None = may("ACTUAL_OD_SPAN", amount, "d")
    obs_available: int | None = may("OBS_AVAILABLE", count)
    obs_used: int | None = may("OBS_USED", count)
    tracks_available: int | None = may("TRACKS_AVAILABLE", count)
    tracks_used: int | None = may("TRACKS_USED", count)
    residuals_accepted_percent: float | None = may("RESIDUALS_ACCEPTED", within(number, 0.0, 100.0), "%")
    weighted_rms: float | None = may("WEIGHTED_RMS", amount)
