"""Playing recordings by the clock, as a microphone would deliver them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Protocol

from edge_sdk.contract.values import AudioBlock, Gap, SourceItem

__all__ = ["Pace", "Pacer", "RealtimePace"]


class Pace(Protocol):
    """A clock that can be waited for."""

    def now(self) -> datetime:
        """Wall time, UTC."""
        ...

    def monotonic_s(self) -> float:
        """A clock that is never set."""
        ...

    def wait_until(self, monotonic_s: float) -> bool:
        """Wait for that moment; False where the waiting was ended before."""
        ...

    def end(self) -> None:
        """End all waiting, now and later."""
        ...


class RealtimePace:
    """The machine's own clock."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def now(self) -> datetime:
        """Wall time, UTC."""
        return datetime.now(timezone.utc)

    def monotonic_s(self) -> float:
        """A clock that is never set."""
        return time.monotonic()

    def wait_until(self, monotonic_s: float) -> bool:
        """Wait for that moment; False where :meth:`end` came before."""
        return not self._ended.wait(max(0.0, monotonic_s - time.monotonic()))

    def end(self) -> None:
        """End all waiting, now and later."""
        self._ended.set()


class Pacer:
    """Delivers each block when its last sample would have been heard.

    Gaps between recordings are not waited for: an hour between two files would be an hour of nothing.
    They keep their place, without a length, and say when sound resumed: now.

    Args:
        pace: The clock.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._due_s = 0.0
        self.started_at: datetime | None = None

    def paced(self, items: Iterator[SourceItem]) -> Iterator[SourceItem]:
        """The same items, each in its time; fewer where the waiting was ended."""
        gap: Gap | None = None
        for item in items:
            if isinstance(item, Gap):
                gap = gap or item
                continue
            if self.started_at is None:
                self._begin()
            if gap is not None:
                yield Gap(0, gap.sample_rate_hz, gap.reason, self._pace.now())
                self._due_s, gap = self._pace.monotonic_s(), None
            if isinstance(item, AudioBlock):
                self._due_s += len(item.samples) / item.sample_rate_hz
                if not self._pace.wait_until(self._due_s):
                    return
            yield item

    def _begin(self) -> None:
        self.started_at = self._pace.now()
        self._due_s = self._pace.monotonic_s()
