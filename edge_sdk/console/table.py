"""Tables as plain text, readable in a terminal, a log and a mail."""

from __future__ import annotations

from collections.abc import Sequence

from .foreign_text import printable

__all__ = ["text_table"]

_GAP = "  "


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """Lay out cells in columns.

    Args:
        headings: One for each column.
        rows: Each as long as ``headings``; what cannot be printed in a cell is replaced.
        numbers: Columns, counted from 0, that are aligned to the right.

    Returns:
        Lines without trailing blanks, the second one a rule.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(headings, *rows, strict=True)]
    lines = [_line(headings, widths, numbers), _GAP.join("-" * width for width in widths)]
    lines += [_line(row, widths, numbers) for row in rows]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int], numbers: Sequence[int]) -> str:
    placed = [
        cell.rjust(width) if column in numbers else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return _GAP.join(placed).rstrip()
