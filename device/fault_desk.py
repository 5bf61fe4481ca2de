"""Where the parts of a device tell what is wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from edge_sdk.errors import BrokerError, EdgeSdkError, MessageError, OutboxError, OutboxFailedError

__all__ = ["FaultDesk"]

_PASSING = (BrokerError, MessageError, OutboxError)  # who tells one of these goes on


class FaultDesk:
    """Ends the run where a fault will not pass, so that what supervises the device restarts it.

    Args:
        say: Told a line that a person should read.
        outbox_folder: Where alerts are kept meanwhile.
    """

    def __init__(self, say: Callable[[str], None], outbox_folder: Path) -> None:
        self._say = say
        self._outbox_folder = outbox_folder
        self._lock = threading.Lock()
        self._end_run: Callable[[EdgeSdkError], None] | None = None
        self._waiting: EdgeSdkError | None = None

    def tell(self, error: EdgeSdkError) -> None:
        """From any thread, by a part that has logged it."""
        if isinstance(error, BrokerError):
            self._say(f"alerts are kept in {self._outbox_folder} until they are delivered")
        elif isinstance(error, OutboxFailedError) or not isinstance(error, _PASSING):
            self._fail(error)

    def attach(self, end_run: Callable[[EdgeSdkError], None]) -> None:
        """Name what ends the run; it is called at once where a fault came before."""
        with self._lock:
            self._end_run = end_run
            error = self._waiting
        if error is not None:
            end_run(error)

    def _fail(self, error: EdgeSdkError) -> None:
        with self._lock:
            if self._end_run is None:
                self._waiting = error
                return
        self._end_run(error)
