"""Timing of repeated inferences."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Timing", "time_repeatedly"]

_FEWEST = 10
_PARTS = 5
_TELL_EVERY_S = 0.25


@dataclass(frozen=True)
class Timing:
    """Times of many runs.

    Attributes:
        times_ms: Of each, shortest first.
        elapsed_s: Of all.
        part_medians_ms: Medians of five parts, one after the other, of as many runs each.
    """

    times_ms: list[float]
    elapsed_s: float
    part_medians_ms: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        """Half took longer."""
        return statistics.median(self.times_ms)

    @property
    def p99_ms(self) -> float:
        """One in a hundred took longer; of fewer than a hundred, the longest."""
        return self.times_ms[-(-99 * len(self.times_ms) // 100) - 1]

    @property
    def per_s(self) -> float:
        """Runs a second."""
        return len(self.times_ms) / self.elapsed_s


def time_repeatedly(
    run: Callable[[], object], seconds: float, tell: Callable[[float], None] = lambda _: None
) -> Timing:
    """Run something again and again.

    Args:
        run: What to time.
        seconds: For how long; ten times at least.
        tell: Told how much of that has passed, 0 to 1, now and then.
    """
    times_ns: list[int] = []
    began = before = time.perf_counter_ns()
    told = 0
    while before - began < seconds * 1e9 or len(times_ns) < _FEWEST:
        run()
        after = time.perf_counter_ns()
        times_ns.append(after - before)
        if after - told > _TELL_EVERY_S * 1e9:
            told = after
            tell(min(1.0, (after - began) / (seconds * 1e9)) if seconds else 1.0)
            after = time.perf_counter_ns()  # telling is no part of the next run
        before = after
    times_ms = [time_ns / 1e6 for time_ns in times_ns]
    return Timing(sorted(times_ms), sum(times_ns) / 1e9, _part_medians(times_ms))


def _part_medians(times_ms: list[float]) -> list[float]:
    """Of parts that differ by one run at most; there are ten runs at least."""
    ends = [len(times_ms) * part // _PARTS for part in range(_PARTS + 1)]
    return [statistics.median(times_ms[start:end]) for start, end in itertools.pairwise(ends)]
