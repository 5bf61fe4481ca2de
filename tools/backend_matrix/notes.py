"""Footnotes of the page: a reason is told once, however many cells it explains."""

from __future__ import annotations

__all__ = ["Notes"]


class Notes:
    """Reasons in the order in which they were first given."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, reason: str) -> str:
        """A bracket that names a reason."""
        return f"[{self._numbers.setdefault(reason, len(self._numbers) + 1)}]"

    def lines(self) -> list[str]:
        """The reasons, numbered; none without any."""
        if not self._numbers:
            return []
        return ["\n## Reasons\n", *(f"{number}. {reason}" for reason, number in self._numbers.items())]
