"""Ctrl-C and SIGTERM end a conversion, whatever library is at work, and leave nothing behind.

Python raises ``KeyboardInterrupt`` wherever it happens to be. In a finalizer, or in a callback of a native
converter, it is printed and the work goes on, and minutes later there is a bundle that nobody wants any
more. So the signal is remembered, and raised again at the next step of the work. SIGTERM becomes an exception
too: temporary folders are removed on the way out.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import NoReturn, TypeVar

from edge_sdk.console.progress import Progress

__all__ = ["interruptible"]

_T = TypeVar("_T")


@contextlib.contextmanager
def interruptible(progress: Progress) -> Iterator[Progress]:
    """Watch for signals inside the block; in the main thread only.

    Args:
        progress: Told how far the work is.

    Returns:
        What the work must tell instead: it passes everything on, and raises ``KeyboardInterrupt`` or
        ``SystemExit`` (status 143) if a signal has come.
    """
    watched = _Watched(progress)
    # A signal that is ignored, as under nohup, stays ignored.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, watched.stop) for number in numbers}
    unraisable, sys.unraisablehook = sys.unraisablehook, watched.unraisable
    try:
        yield watched
    finally:
        sys.unraisablehook = unraisable
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Watched:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._signal: int | None = None
        self._show_unraisable = sys.unraisablehook

    def stop(self, number: int, _frame: FrameType | None) -> NoReturn:
        self._signal = number
        raise _exception(number)

    def unraisable(self, swallowed: sys.UnraisableHookArgs) -> None:
        """A finalizer cannot be interrupted; what was raised there comes again at the next step."""
        if not isinstance(swallowed.exc_value, (KeyboardInterrupt, SystemExit)):
            self._show_unraisable(swallowed)

    def step(self, what: str) -> None:
        self._check()
        self._progress.step(what)

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:
        for item in self._progress.track(items, what):
            self._check()
            yield item
        self._check()

    def within(self, share: float) -> None:
        self._check()
        self._progress.within(share)

    def _check(self) -> None:
        if self._signal is not None:
            raise _exception(self._signal)


def _exception(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
