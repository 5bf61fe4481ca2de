"""The table of ``edge-sdk bench``: one line a variant and backend, at most 100 columns with usual names."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.console.table import text_table

from .messages import Measured

__all__ = ["bench_table"]

_HEADINGS = ["variant", "backend", "golden", "load", "first", "median", "p99", "per s", "MiB", "mJ"]
_NUMBERS = [3, 4, 5, 6, 7, 8, 9]


def bench_table(results: Sequence[Measured]) -> str:
    """Lay out what was measured; times in ms, ``-`` for what was not."""
    rows = [[one.variant, one.backend, one.status.replace("_", " "), *_cells(one)] for one in results]
    return text_table(_HEADINGS, rows, numbers=_NUMBERS)


def _cells(measured: Measured) -> list[str]:
    figures = measured.figures
    if figures is None:
        return ["-"] * len(_NUMBERS)
    return [
        _short(figures.load_ms),
        _short(figures.first_ms),
        _short(figures.median_ms),
        _short(figures.p99_ms),
        " / ".join(_short(per_s) for per_s in figures.per_s.values()),
        _short(figures.peak_memory_mib),
        _short(figures.energy_mj),
    ]


def _short(value: float | None) -> str:
    """Three digits, more where the number has them before its point."""
    if value is None:
        return "-"
    decimals = next((n for n, least in enumerate((100, 10, 1)) if value >= least), 3)
    return f"{value:.{decimals}f}"
