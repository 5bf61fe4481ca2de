"""Handing messages from one thread to another, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar, final

__all__ = ["Mailbox"]

_ItemT = TypeVar("_ItemT")


@final
class Mailbox(Generic[_ItemT]):
    """A queue that never blocks who puts, and that gives up the oldest when it is full.

    Args:
        capacity: The most that the items in it may weigh together. One item always fits.
        weigh: What one item weighs.
    """

    def __init__(self, capacity: int, weigh: Callable[[_ItemT], int]) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._weight = 0
        self._items: deque[_ItemT] = deque()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def is_finished(self) -> bool:
        """It is closed, and nothing is left in it."""
        with self._changed:
            return self._closed and not self._items

    def put(self, item: _ItemT) -> list[_ItemT]:
        """Add an item.

        Returns:
            What had to be given up for it, oldest first; the item itself where the mailbox is closed.
        """
        with self._changed:
            if self._closed:
                return [item]
            self._items.append(item)
            self._weight += self._weigh(item)
            given_up: list[_ItemT] = []
            while self._weight > self._capacity and len(self._items) > 1:
                given_up.append(self._pop())
            self._changed.notify()
            return given_up

    def take(self, most: int, timeout_s: float | None = None) -> list[_ItemT]:
        """Wait until there is something, and take up to ``most`` of it.

        Args:
            most: How many items, at most.
            timeout_s: How long to wait, in seconds; ``None`` waits for ever.

        Returns:
            Items, oldest first; none when the time is over or the mailbox is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or self._closed, timeout_s)
            return [self._pop() for _ in range(min(most, len(self._items)))]

    def close(self) -> None:
        """Take nothing more in, and let who waits go on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _pop(self) -> _ItemT:
        item = self._items.popleft()
        self._weight -= self._weigh(item)
        return item
