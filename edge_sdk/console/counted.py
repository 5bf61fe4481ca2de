"""A number with the word for what it counts."""

from __future__ import annotations

__all__ = ["counted"]


def counted(n: int, one: str, many: str) -> str:
    """``1 picture``, ``2 pictures``."""
    return f"{n} {one if n == 1 else many}"
