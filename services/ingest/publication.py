"""What can have been said by the time it was published. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.astro.elements import ElementSet
from libs.astro.time import jd_to_datetime


@dataclass(frozen=True, slots=True)
class Publication:
    """When a file was published, and how far the times in it may lie after that."""

    at: datetime
    lead: timedelta

    def epoch_problem(self, elements: ElementSet) -> str:
        """Why the epoch of a set cannot be right; empty when it can."""
        epoch = jd_to_datetime(elements.epoch_jd, elements.epoch_jd_fraction)
        if epoch <= self.at + self.lead:
            return ""
        return (
            f"the epoch of object {elements.catalogue_number}, {epoch:%Y-%m-%d %H:%M} UTC, is {self._after}; check its "
            "year and day, or the stated publication time"
        )

    def making_problem(self, made_at: datetime) -> str:
        """Why the time that a message was made cannot be right; empty when it can."""
        if made_at <= self.at + self.lead:
            return ""
        return (
            f"the message was made at {made_at:%Y-%m-%d %H:%M} UTC, {self._after}; check its clock, or the stated "
            "publication time"
        )

    @property
    def _after(self) -> str:
        return f"more than {self.lead.days} days after its publication at {self.at:%Y-%m-%d %H:%M} UTC"
