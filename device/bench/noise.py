"""Which of several measurements cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from .messages import Measured

__all__ = ["within_noise"]


def within_noise(best: Measured, results: Sequence[Measured]) -> list[Measured]:
    """The others that pass and whose runs were at times as fast as those of the fastest were at times.

    Args:
        best: The one with the least median.
        results: All.
    """
    if best.figures is None or not best.figures.part_medians_ms:
        return []
    slowest = max(best.figures.part_medians_ms)
    return [
        one
        for one in results
        if one is not best
        and one.status == "passed"
        and one.figures is not None
        and min(one.figures.part_medians_ms, default=slowest + 1) <= slowest
    ]
