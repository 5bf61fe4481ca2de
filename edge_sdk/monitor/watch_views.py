"""Where ``edge-sdk watch`` shows things: a table in a terminal, or lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol, final

from .intake import Counters
from .watch_state import WatchedItem, WatchState

__all__ = ["LinesView", "TableView", "View"]


class View(Protocol):
    """Where alerts are shown."""

    def show(self, item: WatchedItem) -> None:
        """Take in one message or problem."""

    def refresh(self, is_connected: bool, condition: str, counters: Counters) -> None:  # noqa: FBT001
        """Show how things stand; called several times a second."""

    def close(self, counters: Counters) -> None:
        """End."""


@final
class LinesView:
    """Lines on stdout, for people or for programs; how the connection stands goes to stderr."""

    def __init__(self, text: Callable[[WatchedItem], str]) -> None:
        self._text = text
        self._condition = ""

    def show(self, item: WatchedItem) -> None:
        """See :class:`View`."""
        sys.stdout.write(f"{self._text(item)}\n")
        sys.stdout.flush()

    def refresh(self, is_connected: bool, condition: str, counters: Counters) -> None:  # noqa: ARG002, FBT001
        """See :class:`View`."""
        if condition != self._condition:
            self._condition = condition
            print(condition, file=sys.stderr, flush=True)  # noqa: T201

    def close(self, counters: Counters) -> None:
        """See :class:`View`."""
        print(_summary(counters), file=sys.stderr, flush=True)  # noqa: T201


@final
class TableView:
    """A table that fills the terminal; needs rich."""

    def __init__(self, scope: str) -> None:
        from .watch_table import LiveTable

        self._state = WatchState()
        self._table = LiveTable(scope)

    def show(self, item: WatchedItem) -> None:
        """See :class:`View`."""
        self._state.apply(item)

    def refresh(self, is_connected: bool, condition: str, counters: Counters) -> None:  # noqa: FBT001
        """See :class:`View`."""
        self._table.show(self._state, counters, is_connected=is_connected, condition=condition)

    def close(self, counters: Counters) -> None:
        """See :class:`View`."""
        self._table.close()
        print(_summary(counters))  # noqa: T201


def _summary(counters: Counters) -> str:
    return (
        f"alerts {counters.alerts}, duplicates {counters.duplicates}, gaps {counters.gaps} "
        f"(messages missing {counters.missing}), bad payloads {counters.bad_payloads}, "
        f"conflicts {counters.conflicts}"
    )
