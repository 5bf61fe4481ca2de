"""SIGTERM and SIGINT as a wish that a loop looks at, so that it ends in good order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopRequest", "stop_on_signals"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether somebody asked the process to end.

    A plain flag: a signal handler may run while its own thread holds the lock of an event.
    """

    def __init__(self) -> None:
        self.is_made = False


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Note the first signal; a second one ends the process as it would have without us."""
    request = StopRequest()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def note(_number: int, _frame: FrameType | None) -> None:
        request.is_made = True
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
