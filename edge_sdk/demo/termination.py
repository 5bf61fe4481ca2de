"""A terminal that closes, or a SIGTERM, must not leave a broker and a monitor behind."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["leave_on_signals"]

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_SHELL_OFFSET = 128  # what a shell adds to the number of the signal that ended a program


@contextmanager
def leave_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into ``SystemExit``, so that every ``with`` around us is left."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(_SHELL_OFFSET + number)

    before = {number: signal.signal(number, leave) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
