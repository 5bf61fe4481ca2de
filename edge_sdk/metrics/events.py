"""Events on long recordings: the figure that decides whether a ranger keeps the alerts switched on."""

from __future__ import annotations

from dataclasses import dataclass

from .intervals import rate_upper_bound

__all__ = ["EventCount"]

_HOURS_A_DAY = 24.0


@dataclass(frozen=True, slots=True)
class EventCount:
    """Events of one label in a stretch of time.

    Attributes:
        label_id: The label.
        events: How many were opened where the label was not to be heard: false alarms.
        hours: How much sound without the label was inspected.
        events_with_label: How many were opened in recordings that do have it.
        hours_with_label: How much sound that was.
    """

    label_id: str
    events: int
    hours: float
    events_with_label: int = 0
    hours_with_label: float = 0.0

    @property
    def per_hour(self) -> float | None:
        """False alarms an hour; None where nothing was inspected."""
        return self.events / self.hours if self.hours > 0 else None

    @property
    def per_hour_at_most(self) -> float:
        """The exact upper 95 % bound of false alarms an hour (Poisson, one-sided)."""
        return rate_upper_bound(self.events, self.hours)

    @property
    def per_day_at_most(self) -> float:
        """The same for a day of 24 hours."""
        return self.per_hour_at_most * _HOURS_A_DAY
