"""How much of what passed was really inspected: silence is only worth this much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

__all__ = ["CoverageCounter", "Covered"]


class Covered(Struct, frozen=True):
    """What happened over a stretch of one source.

    Attributes:
        inspected: Samples, at the model's rate, that lie in at least one scored window.
        elapsed: Samples that passed, gaps included.
        faults: How often something kept sound from being inspected, by kind.
    """

    inspected: int
    elapsed: int
    faults: Mapping[str, int]


class CoverageCounter:
    """Counts in samples at the model's rate, from the start of a source."""

    def __init__(self) -> None:
        self._inspected = 0
        self._inspected_up_to = 0
        self._faults: Counter[str] = Counter()
        self._taken = Covered(0, 0, {})

    def inspected(self, start: int, stop: int) -> None:
        """Count a window that was scored; what it shares with earlier ones counts once."""
        if stop > self._inspected_up_to:
            self._inspected += stop - max(start, self._inspected_up_to)
            self._inspected_up_to = stop

    def fault(self, kind: str) -> None:
        """Count something that kept sound from being inspected."""
        self._faults[kind] += 1

    def total(self, position: int) -> Covered:
        """Everything since the start.

        Args:
            position: How far the source has come.
        """
        # A resampler may give one sample more than the clock; more than everything cannot be inspected.
        return Covered(min(self._inspected, position), position, dict(self._faults))

    def take(self, position: int) -> Covered:
        """What was added since the last call: the next report."""
        now, before = self.total(position), self._taken
        self._taken = now
        faults = Counter(now.faults)
        faults.subtract(before.faults)
        added = {kind: count for kind, count in faults.items() if count}
        return Covered(now.inspected - before.inspected, now.elapsed - before.elapsed, added)
