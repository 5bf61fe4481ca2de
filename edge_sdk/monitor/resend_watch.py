"""Devices that do not hear our receipts."""

from __future__ import annotations

from .incoming import StreamKey

__all__ = ["ResendWatch"]

_NUMBERS_KEPT = 10_000
_STREAMS_KEPT = 10_000


class ResendWatch:
    """Notices a device that sends the same again and again, although it was confirmed each time.

    One copy proves nothing: a receipt may be lost with the link, or the broker sends again what we had
    not acknowledged. Memory is bounded: what is forgotten is counted anew.
    """

    def __init__(self) -> None:
        self._copies: dict[tuple[StreamKey, int], int] = {}
        self._told: dict[StreamKey, None] = {}

    def came_again(self, stream: StreamKey, seq: int) -> bool:
        """Note a copy of what was confirmed; whether this device must be told of now, which is once."""
        copies = self._copies.pop((stream, seq), 0) + 1
        self._copies[stream, seq] = copies
        if len(self._copies) > _NUMBERS_KEPT:
            del self._copies[next(iter(self._copies))]
        if copies < 2 or stream in self._told:
            return False
        self._told[stream] = None
        if len(self._told) > _STREAMS_KEPT:
            del self._told[next(iter(self._told))]
        return True
