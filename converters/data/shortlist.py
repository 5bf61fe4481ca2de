"""Lists of names in messages: a person reads the first few, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["shortlist"]

_MOST_NAMED = 10


def shortlist(names: Sequence[str], most: int = _MOST_NAMED) -> str:
    """``a, b and 998 more``."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
