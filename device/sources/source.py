"""What every source looks like from outside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from edge_sdk.contract.values import ClockSource, SourceItem

__all__ = ["Source"]


class Source(Protocol):
    """A microphone, or something that stands in for one.

    :meth:`items` belongs to one thread; :meth:`close` may be called from any.
    """

    @property
    def name(self) -> str:
        """How alerts and coverage name it: no path, and only what can be printed."""
        ...

    @property
    def live(self) -> bool:
        """Whether it delivers by the clock and waits for nobody; else it is pulled, and loses nothing."""
        ...

    @property
    def started_at(self) -> datetime | None:
        """Wall time (UTC) of the first sample; ``None`` until that is known."""
        ...

    @property
    def clock_source(self) -> ClockSource:
        """Where ``started_at`` comes from."""
        ...

    def items(self) -> Iterator[SourceItem]:
        """Sound and gaps in order, with an ``End`` last unless :meth:`close` came first.

        Raises:
            SourceError: It stopped delivering; what was delivered until then holds.
        """
        ...

    def close(self) -> None:
        """Let go of files and devices; a thread that waits in :meth:`items` comes out of it."""
        ...
