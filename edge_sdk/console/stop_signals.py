"""SIGTERM and SIGINT as a request to end cleanly; asked a second time, the process ends at once."""

from __future__ import annotations

import queue
import signal
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["StopSignals"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """While it is entered, the first signal wakes :meth:`wait`; the next one does what it always did.

    A loop that has other things to wait for looks at :attr:`asked` instead.

    Python runs signal handlers in the main thread between two instructions, perhaps while that very
    thread holds a lock; of the ways to wake a thread, only ``SimpleQueue.put`` is safe then. Entered
    on another thread it changes nothing, and only :meth:`wake` counts.

    Attributes:
        asked: Whether a signal came.
    """

    def __init__(self) -> None:
        self.asked = False  # no event: its lock may be held by the thread that the handler interrupts
        self._wakes: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._received) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def wake(self, why: str) -> None:
        """Wake :meth:`wait`; from any thread."""
        self._wakes.put(why)

    def wait(self) -> str:
        """Wait for a signal or for :meth:`wake`, and tell which: the signal's name, or why."""
        return self._wakes.get()

    def _received(self, number: int, _: FrameType | None) -> None:
        self._restore()
        self.asked = True
        self._wakes.put(signal.Signals(number).name)

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
