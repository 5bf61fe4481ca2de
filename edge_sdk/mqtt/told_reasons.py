"""Telling a reason once, even where two of them alternate."""

from __future__ import annotations

__all__ = ["ToldReasons"]

_KEPT = 64  # reasons are few; an endless kind of them must not fill the memory


class ToldReasons:
    """What was told since all was well for the last time."""

    def __init__(self) -> None:
        self._told: dict[str, None] = {}

    def is_news(self, reason: str) -> bool:
        """Whether it was not told yet; it is from now on."""
        if reason in self._told:
            return False
        self._told[reason] = None
        if len(self._told) > _KEPT:
            del self._told[next(iter(self._told))]
        return True

    def forget(self) -> None:
        """All is well: whatever comes now is news."""
        self._told.clear()
