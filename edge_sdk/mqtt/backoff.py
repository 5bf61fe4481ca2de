"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waiting times that double up to a limit, each with jitter.

    Jitter keeps forty boxes from calling in step when a broker comes back. The limit is a minute,
    not an hour: where a link is up for few minutes of a day, these must not be slept through.

    Attributes:
        first_s: The first wait, at most.
        limit_s: No wait is longer.
    """

    first_s: float = 1.0
    limit_s: float = 60.0

    def delay_s(self, failures: int) -> float:
        """The wait after so many failures in a row (1 or more): half to all of the doubled time."""
        doublings = min(failures - 1, 30)
        full = min(self.limit_s, self.first_s * 2.0**doublings)
        return full * random.uniform(0.5, 1.0)
