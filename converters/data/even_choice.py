"""A few of many, chosen evenly: what is sorted by class or by time is covered from end to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["spread"]

_ItemT = TypeVar("_ItemT")


def spread(items: Sequence[_ItemT], most: int) -> list[_ItemT]:
    """At most so many, evenly from the whole."""
    if len(items) <= most:
        return list(items)
    return [items[(2 * index + 1) * len(items) // (2 * most)] for index in range(most)]
