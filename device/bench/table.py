"""The table of ``edge-sdk bench``: one line a variant and backend, at most 100 columns with usual names."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.console.table import text_table

from .messages import Figures, Measured

__all__ = ["bench_table"]

_MOST_IN_A_CELL = 4
"""Numbers of threads; more have a table of their own."""

_HEADINGS = ["variant", "backend", "golden", "load", "first", "median", "p99", "per s", "MiB", "mJ"]
_NUMBERS = [3, 4, 5, 6, 7, 8, 9]


def bench_table(results: Sequence[Measured]) -> str:
    """Lay out what was measured; times in ms, ``-`` for what was not."""
    counts = max((list(one.figures.per_s) for one in results if one.figures), key=len, default=[])
    apart = len(counts) > _MOST_IN_A_CELL
    rows = [
        [one.variant, one.backend, one.status.replace("_", " "), *_cells(one.figures, apart=apart)]
        for one in results
    ]
    table = text_table(_HEADINGS, rows, numbers=_NUMBERS)
    return f"{table}\n\n{_threads_table(results, counts)}" if apart else table


def _threads_table(results: Sequence[Measured], counts: Sequence[str]) -> str:
    """Inferences a second, a column for each number of threads."""
    rows = [
        [one.variant, one.backend, *(_short(one.figures.per_s.get(count)) for count in counts)]
        for one in results
        if one.figures
    ]
    headings = ["per s, threads:", "", *counts]
    return text_table(headings, rows, numbers=range(2, len(headings)))


def _cells(figures: Figures | None, *, apart: bool) -> list[str]:
    if figures is None:
        return ["-"] * len(_NUMBERS)
    per_s = [figures.per_s[str(figures.threads)]] if apart else list(figures.per_s.values())
    return [
        _short(figures.load_ms),
        _short(figures.first_ms),
        _short(figures.median_ms),
        _short(figures.p99_ms),
        " / ".join(map(_short, per_s)),
        _short(figures.peak_memory_mib),
        _short(figures.energy_mj),
    ]


def _short(value: float | None) -> str:
    """Three digits, more where the number has them before its point."""
    if value is None:
        return "-"
    decimals = next((n for n, least in enumerate((100, 10, 1)) if value >= least), 3)
    return f"{value:.{decimals}f}"
